"""The steps of ``stack_api``: the node's endpoint is read and verified before anything is deployed."""

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from slipway.akash.console.client import ConsoleApi
from slipway.errors import (
    ArtifactAlteredError,
    ArtifactForeignError,
    ArtifactMissingError,
    ArtifactOutdatedError,
    ArtifactUnsignedError,
)
from slipway.observability import logger
from slipway.settings import StackSettings, allow_private_network
from slipway.stacks.models import ApiSpec, Kind
from slipway.stacks.published import PublishedEndpoints
from slipway.stacks.rules import parse_endpoint
from slipway.stacks.sdl import api_sdl
from slipway.stacks.steps import Step
from slipway.stacks.store import StackItem, advance
from slipway.stacks.workflow import StackRun, StackWorkflow, failure_from
from slipway.times import Clock

_REFUSALS = (
    ArtifactMissingError,
    ArtifactUnsignedError,
    ArtifactAlteredError,
    ArtifactForeignError,
    ArtifactOutdatedError,
)


class ApiWorkflow(StackWorkflow):
    """The steps of one installation's API stacks.

    Args:
        console: Gives the Console API.
        settings: What this installation is set to.
        published: What nodes publish.
        clock: Gives the time.
    """

    def __init__(
        self,
        console: Callable[[], ConsoleApi],
        settings: StackSettings,
        published: PublishedEndpoints,
        clock: Clock = time,
    ) -> None:
        super().__init__(Kind.API, console, settings, clock)
        self._published = published

    def _sdl(self, stack: StackItem) -> str:
        wanted = stack.wanted
        if not isinstance(wanted, ApiSpec):
            raise TypeError("an API stack has an API stack's specification")
        endpoint = parse_endpoint(str(stack.used), allow_loopback=allow_private_network())
        return api_sdl(wanted, self._settings.api_image, stack.environment, int(stack.generation), endpoint)

    def _read_endpoint(self, run: StackRun) -> int:
        """Read and verify what the node publishes; without it, nothing is deployed and what runs goes on."""
        stack = run.stack
        if stack.used is None:
            try:
                found = self._published.of(stack.environment)
            except _REFUSALS as error:
                logger.warning("endpoint refused", stack=stack.name, cause=error.code, reason=error.message)
                return self._fail(stack, failure_from(error))
            event = ("verified", f"The node publishes {found.endpoint}", {"generation": found.signed_for.generation})
            if not advance(stack, Step.READ, [StackItem.used.set(str(found.endpoint))], event=event):
                return 0
        advance(stack, self._plan(stack))
        return 0

    def _finish(self, run: StackRun) -> int:
        """Record that the API stack is up.

        Raises:
            LeaseClosedError: The workload is gone.
        """
        self._succeed(run.stack, self._open_workload(run.stack), Step.DONE, [])
        return 0

    steps: ClassVar[Mapping[str, Callable[[Any, StackRun], int]]] = {
        **StackWorkflow.steps,
        Step.READ: _read_endpoint,
        Step.FINISH: _finish,
    }
