"""`make deploy ENV=name`, with PLAN=yes for a dry run, and `make destroy ENV=name`."""

from __future__ import annotations

import argparse
import os
import sys
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.checks import reachability
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


def main(arguments: list[str]) -> int:
    """Run the command line; the exit status is 1 if it could not be done, 2 for a file that is wrong."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("command", choices=["deploy", "plan", "destroy"])
    parser.add_argument("name", help="of deploy/<name>.toml")
    parser.add_argument("--allow", default="", help="comma-separated tables, keys and buckets that may be replaced")
    parser.add_argument("--confirm", default="", help="the name again, to delete")
    given = parser.parse_args(arguments)
    try:
        settings = read(ROOT / "deploy" / f"{given.name}.toml", os.environ)
        if given.command != "destroy" and (problems := reachability(settings)):
            raise SettingsError(problems)
    except SettingsError as error:
        print(f"deploy/{given.name}.toml can't be used:", *(f"  {line}" for line in error.problems), sep="\n")
        return 2
    try:
        deployment = _deployment(settings)
        if given.command == "plan":
            return 0 if deployment.plan() else 1
        if given.command == "destroy":
            deployment.destroy(confirmed=given.confirm == given.name)
        else:
            deployment.deploy(frozenset(filter(None, given.allow.split(","))))
    except (DeployError, StackError, LaunchError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"\nAWS refuses: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
