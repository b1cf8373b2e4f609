"""The steps of ``stack_node``: a node's endpoint is withdrawn first, found, probed, and published last."""

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from slipway.akash.console.client import ConsoleApi
from slipway.errors import (
    EndpointHostMissingError,
    LeaseClosedError,
    ProbeNonsenseError,
    ProbeRefusedError,
    SlipwayError,
)
from slipway.observability import logger, record
from slipway.p256_key import P256Key
from slipway.settings import StackSettings, allow_private_network
from slipway.stacks.artifact import SignedFor, artifact_bytes, signature_document
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.models import Kind, NodeSpec
from slipway.stacks.node_rpc import NodeRpc, addresses_of
from slipway.stacks.rules import (
    DISCOVERY,
    POLL_TIMEOUT_SECONDS,
    PROBE,
    Endpoint,
    host_for,
    node_version,
    parse_endpoint,
    rpc_candidate,
    valid_endpoint,
)
from slipway.stacks.sdl import node_sdl
from slipway.stacks.steps import Step
from slipway.stacks.store import StackItem, advance
from slipway.stacks.workflow import StackRun, StackWorkflow, failure_from
from slipway.times import Clock

_PROBE_SECONDS = 5.0


class NodeWorkflow(StackWorkflow):
    """The steps of one installation's nodes.

    Args:
        console: Gives the Console API.
        settings: What this installation is set to.
        artifacts: Where endpoints are published.
        key: Signs them.
        rpc: Asks nodes who they are.
        roll: Has an environment's API stack follow its node, if it is to.
        clock: Gives the time.
    """

    def __init__(
        self,
        console: Callable[[], ConsoleApi],
        settings: StackSettings,
        artifacts: ArtifactStore,
        key: P256Key,
        rpc: NodeRpc,
        roll: Callable[[str], bool],
        clock: Clock = time,
    ) -> None:
        super().__init__(Kind.NODE, console, settings, clock)
        self._artifacts = artifacts
        self._key = key
        self._rpc = rpc
        self._roll = roll

    def _sdl(self, stack: StackItem) -> str:
        wanted = stack.wanted
        if not isinstance(wanted, NodeSpec):
            raise TypeError("a node has a node's specification")
        return node_sdl(wanted, self._settings.node_image, stack.environment, int(stack.generation))

    def _withdraw(self, stack: StackItem) -> None:
        self._artifacts.withdraw(stack.environment)

    # ── Withdraw ────────────────────────────────────────────────────────────────────────────────

    def _withdraw_endpoint(self, run: StackRun) -> int:
        """Remove what is published, before anything happens to the node, and see what has to happen."""
        stack = run.stack
        self._withdraw(stack)
        advance(stack, self._plan(stack), event=("withdrawn", "No endpoint is published any more", None))
        return 0

    # ── Discover ────────────────────────────────────────────────────────────────────────────────

    def _discover(self, run: StackRun) -> int:
        """Poll once for the port that the provider forwards to the node's RPC, and judge it.

        A poll that finds none is not an error before the last one.
        """
        stack = run.stack
        began_at = stack.discovery_began_at or self._now_text()
        tries: list[dict[str, Any]] = list(stack.discovery or [])
        count = len(tries) + 1
        try:
            endpoint = self._poll(stack)
        except SlipwayError as error:
            is_gone = isinstance(error, LeaseClosedError)
            pause = None if is_gone else DISCOVERY.pause(count, self._seconds_since(began_at))
            outcome = "failure" if pause is None else "attempt"
            tries.append({"count": count, "at": self._now_text(), "outcome": outcome, "cause": error.code})
            self._log(stack, outcome, count, cause=error.code, reason=error.message)
            looked = [StackItem.discovery.set(tries), StackItem.discovery_began_at.set(began_at)]
            if not advance(stack, Step.DISCOVER, looked):
                return 0
            if pause is None:
                record("DiscoveryFailed", cause=error.code)
                return self._fail(stack, failure_from(error))
            return pause
        tries.append({"count": count, "at": self._now_text(), "outcome": "success", "cause": None})
        self._log(stack, "success", count, endpoint=str(endpoint))
        record("DiscoverySeconds", self._seconds_since(began_at))
        advance(
            stack,
            Step.PROBE,
            [
                StackItem.discovery.set(tries),
                StackItem.discovery_began_at.set(began_at),
                StackItem.candidate.set(str(endpoint)),
            ],
            event=("discovered", f"The node's RPC is forwarded to {endpoint}", {"tries": count}),
        )
        return 0

    @staticmethod
    def _log(stack: StackItem, outcome: str, count: int, **more: Any) -> None:
        write = logger.info if outcome == "success" else logger.warning
        write(f"[discover][{outcome}]", stack=stack.name, count=count, of=DISCOVERY.tries, **more)

    def _poll(self, stack: StackItem) -> Endpoint:
        deployment = self._open_deployment(self._open_workload(stack), POLL_TIMEOUT_SECONDS)
        ports = [lease.status.forwarded_ports for lease in deployment.open_leases if lease.status]
        candidate = rpc_candidate(
            {f"{index}/{name}": reported[name] for index, reported in enumerate(ports) for name in reported}
        )
        host = candidate.host
        if not host:
            host = host_for(candidate, self._provider_uri(deployment.open_leases[0].id.provider))
        endpoint = valid_endpoint(host, candidate.external_port, allow_loopback=allow_private_network())
        addresses_of(endpoint)
        return endpoint

    def _provider_uri(self, provider: str) -> str:
        found = [entry.host_uri for entry in self._console().providers([provider]) if entry.owner == provider]
        if not found:
            raise EndpointHostMissingError("The provider names no host for the node's port, and nobody knows its own")
        return found[0]

    # ── Probe ───────────────────────────────────────────────────────────────────────────────────

    def _probe(self, run: StackRun) -> int:
        """Ask what is found there who it is. A node that starts may not listen yet, so it is asked a few times.

        Raises:
            ProbeRefusedError: Nothing answers there.
            ProbeNonsenseError: What answers is no node.
            EndpointHostRefusedError: Its name leads into a private network now.
        """
        stack = run.stack
        began_at = stack.probe_began_at or self._now_text()
        count = int(stack.probes or 0) + 1
        endpoint = parse_endpoint(str(stack.candidate), allow_loopback=allow_private_network())
        try:
            version = node_version(self._rpc.ask("version", endpoint, addresses_of(endpoint), _PROBE_SECONDS))
        except (ProbeRefusedError, ProbeNonsenseError) as error:
            pause = PROBE.pause(count, self._seconds_since(began_at)) if isinstance(error, ProbeRefusedError) else None
            logger.warning("probed", stack=stack.name, count=count, cause=error.code, reason=error.message)
            probed = [StackItem.probes.set(count), StackItem.probe_began_at.set(began_at)]
            if not advance(stack, Step.PROBE, probed):
                return 0
            return self._fail(stack, failure_from(error)) if pause is None else pause
        advance(
            stack,
            Step.PUBLISH,
            [StackItem.node_version.set(version)],
            event=("probed", f"{version} answers at {endpoint}", None),
        )
        return 0

    # ── Publish ─────────────────────────────────────────────────────────────────────────────────

    def _publish(self, run: StackRun) -> int:
        """Sign the endpoint and write it, last of all.

        Raises:
            LeaseClosedError: The workload is gone.
        """
        stack = run.stack
        workload = self._open_workload(stack)
        endpoint = parse_endpoint(str(stack.candidate), allow_loopback=allow_private_network())
        artifact = artifact_bytes(endpoint)
        signed_for = SignedFor(stack.environment, int(stack.generation), self._now_text())
        signature = signature_document(artifact, signed_for, self._key.jwk["kid"], self._key.signature)
        versions = self._artifacts.publish(stack.environment, artifact, signature)
        if not self._succeed(stack, workload, Step.ROLL, [StackItem.endpoint.set(str(endpoint))]):
            # Another job took its place, or the workload was closed: then nothing may stay.
            published = stack.job_id == run.job_id and stack.step != str(Step.PUBLISH)
            if not published:
                self._artifacts.unpublish(stack.environment, versions)
        return 0

    def _roll_follower(self, run: StackRun) -> int:
        """Have the API stack follow, if it is to."""
        self._roll(run.stack.environment)
        advance(run.stack, Step.DONE)
        return 0

    steps: ClassVar[Mapping[str, Callable[[Any, StackRun], int]]] = {
        **StackWorkflow.steps,
        Step.WITHDRAW: _withdraw_endpoint,
        Step.DISCOVER: _discover,
        Step.PROBE: _probe,
        Step.PUBLISH: _publish,
        Step.ROLL: _roll_follower,
    }
