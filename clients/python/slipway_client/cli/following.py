"""Waits for jobs, and shows on the error output how they go."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from slipway_client import Slipway, SlipwayError
from slipway_client._sync import driver
from slipway_client.cli.context import ENDED_BADLY, UNDER_WAY, Context, Failed
from slipway_client.retries import pauses

BAD = {"failed", "error", "cancelled"}
# How far a launch or workload is, for the bar.
_PROGRESS = {"pending": 10, "deploying": 40, "registering": 70, "completed": 100, "active": 100, "closed": 100}


def wait_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --no-wait and --timeout."""
    command = click.option("--no-wait", is_flag=True, help="Return once it is accepted.")(command)
    return click.option("--timeout", type=float, default=3600, show_default=True, help="Seconds to wait.")(command)


@contextlib.contextmanager
def progress(context: Context) -> Iterator[Callable[[int, str], None]]:
    """Yield a function that shows a percentage and a word: a bar on a terminal, else a line for each change."""
    if context.as_json or not sys.stderr.isatty():
        last: list[str] = []

        def line(_: int, word: str) -> None:
            if last[-1:] != [word]:
                last.append(word)
                context.note(word)

        yield line
        return
    with click.progressbar(length=100, file=sys.stderr, item_show_func=lambda word: word or "") as bar:

        def step(percent: int, word: str) -> None:
            bar.update(max(0, percent - bar.pos), word)

        yield step


def follow_deployment(context: Context, deployment_id: str, timeout: float) -> dict[str, Any]:
    """Wait until a launch has ended or a workload is active; return its status.

    Raises:
        Failed: It ended badly, or is still under way.
    """
    with progress(context) as show:
        last = in_time(
            lambda: context.client.follow(
                deployment_id,
                timeout=timeout,
                on_change=lambda status: show(_PROGRESS.get(status["status"], 0), status["status"]),
            )
        )
    return succeeded(context, dict(last), "deployment_id")


def follow_build(context: Context, build_id: str, timeout: float) -> dict[str, Any]:
    """Wait for a build by its stream, or where there is none by its status; for errors see above."""
    client = context.client
    with progress(context) as show:
        try:
            ends_at = driver.now() + timeout
            for event in client.builds.events(build_id):
                show(event["progress"], event["message"])
                if driver.now() > ends_at:
                    break
        except SlipwayError:
            # Streams may be missing, or closed to this network; the status is there in any case.
            context.note("No stream of its progress; asking for its status.")
        last = in_time(
            lambda: client.builds.follow(
                build_id, timeout=timeout, on_change=lambda detail: show(detail["progress"], detail["step"])
            )
        )
    return succeeded(context, dict(last), "build_id")


def until(
    context: Context, read: Callable[[Slipway], Mapping[str, Any]], is_over: Callable[[Any], bool], timeout: float
) -> dict[str, Any]:
    """Read until it is over, and return what was read last; for errors see above."""
    ends_at = driver.now() + timeout
    with progress(context) as show:
        for pause in pauses(0.5, 10):
            found = dict(read(context.client))
            show(100 if is_over(found) else 30, str(found.get("status")))
            if is_over(found):
                return found
            if driver.now() + pause > ends_at:
                break
            driver.sleep(pause)
    raise Failed("It is still under way", UNDER_WAY, {"code": "UNDER_WAY", "message": "It is still under way"})


def in_time(wait: Callable[[], Any]) -> Any:
    """Return what a wait returns.

    Raises:
        Failed: It took too long.
    """
    try:
        return wait()
    except TimeoutError as error:
        raise Failed(f"{error}: it goes on", UNDER_WAY, {"code": "UNDER_WAY", "message": str(error)}) from None


def succeeded(context: Context, found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return how a job ended.

    Raises:
        Failed: It ended badly. Its answer has been written all the same.
    """
    if found["status"] not in BAD:
        return found
    error = found.get("error") or {}
    if isinstance(error, str):
        error = {"code": found.get("error_code") or "FAILED", "message": error}
    if context.as_json:
        context.show(found)
    message = f"{found[name]} {found['status']}: {error.get('code', '')} {error.get('message', '')}".strip()
    raise Failed(message, ENDED_BADLY, error or {"message": message})
