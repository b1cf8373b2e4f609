"""`make deploy ENV=name`, with PLAN=yes for a dry run, `make destroy ENV=name` and `make restore ENV=name`."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.checks import reachability
from deploy.restore import LEFT_OUT, RestoreError, copy_back, restore_beside
from deploy.run import DeployError, Deployment, StackError
from deploy.settings import Settings, SettingsError, read
from deploy.stack import Stack
from deploy.tools import AwsTools
from local.failures import LaunchError
from local.paths import ROOT, SHARED


def _clients(settings: Settings) -> Any:
    session = boto3.Session(region_name=settings.region)
    return cache(lambda service: session.client(service))


def _deployment(settings: Settings) -> Deployment:
    clients = _clients(settings)
    # Commands and the library take the region from here.
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = settings.region
    stack = Stack(clients("cloudformation"), settings.stack)
    return Deployment(settings, clients, AwsTools(), SHARED / "deploy", stack, print)


def _restore(settings: Settings, table: str, at: str, leave: str, *, overwrite: bool) -> None:
    clients = _clients(settings)
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:
        raise RestoreError(f"AT={at} is no moment: write it like 2026-11-29T12:00:00Z") from None
    found = clients("cloudformation").describe_stack_resource(StackName=settings.stack, LogicalResourceId=table)
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    restored = restore_beside(clients("dynamodb"), name, moment)
    kinds = frozenset(LEFT_OUT if not leave else filter(None, leave.removeprefix("none").split(",")))
    done = copy_back(clients("dynamodb"), restored, name, overwrite=overwrite, leave=kinds)
    was = "put back" if overwrite else "left as they are"
    print(f"{done.missing} items were gone and are back; {done.changed} had changed and were {was}.")
    if done.left_out:
        named = f", or of what is left out ({', '.join(sorted(kinds))})" if kinds else ""
        print(f"{done.left_out} others stay as they are: expired, locks of launches that failed{named}.")
    print(f"{restored} is still there: delete it when you need it no more.")


def main(arguments: list[str]) -> int:
    """Run the command line; the exit status is 1 if it could not be done, 2 for a file that is wrong."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("command", choices=["deploy", "plan", "destroy", "restore"])
    parser.add_argument("name", help="of deploy/<name>.toml")
    parser.add_argument("--allow", default="", help="comma-separated tables, keys and buckets that may be replaced")
    parser.add_argument("--confirm", default="", help="the name again, to delete")
    parser.add_argument("--table", default="", help="logical id of the table to restore, such as JobsTable")
    parser.add_argument("--at", default="", help="the moment that it is restored to, such as 2026-11-29T12:00:00Z")
    parser.add_argument("--leave", default="", help="comma-separated kinds of items to leave out, or none")
    parser.add_argument("--overwrite", action="store_true", help="put back what changed since as well")
    given = parser.parse_args(arguments)
    try:
        settings = read(ROOT / "deploy" / f"{given.name}.toml", os.environ)
        if given.command in ("deploy", "plan") and (problems := reachability(settings)):
            raise SettingsError(problems)
    except SettingsError as error:
        print(f"deploy/{given.name}.toml can't be used:", *(f"  {line}" for line in error.problems), sep="\n")
        return 2
    try:
        deployment = _deployment(settings)
        if given.command == "plan":
            return 0 if deployment.plan() else 1
        if given.command == "restore":
            _restore(settings, given.table, given.at, given.leave, overwrite=given.overwrite)
        elif given.command == "destroy":
            deployment.destroy(confirmed=given.confirm == given.name)
        else:
            deployment.deploy(frozenset(filter(None, given.allow.split(","))))
    except (DeployError, RestoreError, StackError, LaunchError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"\nAWS refuses: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
