"""What nodes publish, as far as it may be believed now."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from slipway.akash.models import Status as WorkloadStatus
from slipway.akash.store import find_workload
from slipway.errors import (
    ArtifactAlteredError,
    ArtifactForeignError,
    ArtifactMissingError,
    ArtifactOutdatedError,
    ArtifactUnsignedError,
    SlipwayError,
)
from slipway.p256_key import P256Key
from slipway.settings import allow_private_network, artifact_bucket, artifact_key_id
from slipway.stacks.artifact import Published, verified
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.models import Kind, Status
from slipway.stacks.store import StackItem, find_stack
from slipway.store import aws_client

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

# Why nothing is published of an endpoint.
REFUSALS: tuple[type[SlipwayError], ...] = (
    ArtifactMissingError,
    ArtifactUnsignedError,
    ArtifactAlteredError,
    ArtifactForeignError,
    ArtifactOutdatedError,
)


def publishes(node: StackItem | None) -> bool:
    """Whether a node publishes an endpoint now, as far as its own state shows."""
    return node is not None and node.status == str(Status.ACTIVE) and not (node.health or {}).get("withdrawn_at")


class PublishedEndpoints:
    """The published endpoints of every environment.

    Args:
        artifacts: Where they are published.
        public_key: Gives the key that signs them.
    """

    def __init__(self, artifacts: ArtifactStore, public_key: "Callable[[], EllipticCurvePublicKey]") -> None:
        self._artifacts = artifacts
        self._public_key = public_key

    def of(self, environment: str) -> Published:
        """Return an environment's endpoint.

        The artifact is read before the node's state, and the state has to be of the generation that was signed: so what
        was true of the artifact is true at the moment at which the state was read.

        Raises:
            ArtifactMissingError: The node publishes none now: there is none, or it is being changed, or it failed.
            ArtifactUnsignedError, ArtifactAlteredError, ArtifactForeignError, ArtifactOutdatedError: See ``artifact``.
            UpstreamUnavailableError: The stores did not answer.
        """
        return self.bytes_of(environment)[0]

    def bytes_of(self, environment: str) -> tuple[Published, bytes, bytes]:
        """Return an environment's endpoint with the exact bytes of artifact and signature; raises as ``of``."""
        artifact, signature = self._artifacts.read(environment)
        node = find_stack(environment, Kind.NODE)
        if node is None or not publishes(node) or not _is_up(node):
            raise ArtifactMissingError(f"No endpoint is published for {environment}")
        found = verified(
            artifact,
            signature,
            self._public_key(),
            environment=environment,
            generation=int(node.generation),
            allow_loopback=allow_private_network(),
        )
        return found, artifact or b"", signature or b""


def _is_up(node: StackItem) -> bool:
    """Whether the node's workload was not closed since it published."""
    workload = find_workload(node.deployment_id) if node.deployment_id else None
    return workload is not None and workload.status == str(WorkloadStatus.ACTIVE) and not workload.closing


@cache
def published_endpoints() -> PublishedEndpoints:
    """Return what is in the bucket ARTIFACT_BUCKET, signed by the key ARTIFACT_KEY_ID."""
    key = P256Key(aws_client("kms"), artifact_key_id())
    return PublishedEndpoints(ArtifactStore(aws_client("s3"), artifact_bucket()), lambda: key.public_key)
