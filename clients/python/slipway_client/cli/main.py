"""`slipway`: the commands, and how they end."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from click.shell_completion import get_completion_class

from slipway_client import SlipwayError, __version__
from slipway_client.cli import jobs, login, resources
from slipway_client.cli.context import Context, Failed, Group, failure_of, given

INTERRUPTED = 130
_EPILOG = """
\b
Exit codes:
  0  done
  1  the job ended badly: failed, error or cancelled
  2  the command line is wrong
  3  not signed in, or not allowed
  4  refused by the API for another reason
  5  no answer, or not now: try again later
  6  still under way at --timeout
"""


@click.group(cls=Group, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="slipway")
def cli() -> None:
    """Launch tokens, workloads, contracts and stacks, and watch over workers."""


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Write the completion for a shell: eval "$(slipway completion bash)"."""
    kind = get_completion_class(shell)
    if kind:
        click.echo(kind(cli, {}, "slipway", "_SLIPWAY_COMPLETE").source())


@cli.command("api")
@click.argument("method", type=click.Choice(["GET", "POST", "PUT", "PATCH", "DELETE"], case_sensitive=False))
@click.argument("path")
@click.option("--data", type=click.File("r"), help="A file of JSON, or - for standard input.")
@given
def call(context: Context, method: str, path: str, data: Any) -> None:
    """Ask for a path as it is, signed in, and write the answer."""
    if not path.startswith("/"):
        raise click.BadParameter("a path begins with /", param_hint="PATH")
    try:
        body = json.load(data) if data else None
    except ValueError:
        raise click.BadParameter("that is no JSON", param_hint="--data") from None
    route, _, query = path.partition("?")
    escaped = route.replace("{", "{{").replace("}", "}}")
    pairs = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    answer = context.client._api.call(f"{method.upper()} {escaped}", query=pairs, body=body)
    click.echo(json.dumps(answer, ensure_ascii=False, indent=None if context.as_json else 1))


for module in (login, jobs, resources):
    module.add_to(cli)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and end with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    context = Context()
    try:
        _started(arguments, context)
    except Failed as failure:
        return _end(context, failure)
    except SlipwayError as error:
        return _end(context, failure_of(error))
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted; what was started goes on.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads us, such as `head`, has enough.
        sys.stdout = None
        return 0
    except (OSError, ValueError, TimeoutError) as error:
        return _end(context, Failed(str(error), 2))
    finally:
        context.close()
    return 0


def _started(arguments: list[str], context: Context) -> None:
    ended = cli.main(arguments, prog_name="slipway", standalone_mode=False, obj=context)
    if isinstance(ended, int) and ended:
        raise click.exceptions.Exit(ended)


def _end(context: Context, failure: Failed) -> int:
    if context.as_json:
        click.echo(json.dumps({"error": failure.error}, ensure_ascii=False), err=True)
    else:
        failure.show()
    return failure.exit_code
