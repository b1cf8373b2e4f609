"""Facts about Akash that need no network."""

import base64
import hashlib

# Our clock and the Console API's may differ by this much.
CLOCK_SKEW_MILLISECONDS = 5_000


def manifest_hash(manifest: str) -> str:
    """``deployment.hash`` of the deployment that this manifest belongs to: base64 of the text's SHA-256."""
    return base64.b64encode(hashlib.sha256(manifest.encode()).digest()).decode()


def created_within(dseq: str, asked_at: int, gave_up_at: int, skew: int = CLOCK_SKEW_MILLISECONDS) -> bool:
    """Whether a deployment may be the outcome of a request.

    Args:
        dseq: The deployment's number, which is the server's clock when it got the request.
        asked_at: Our clock before the request, in milliseconds since 1970.
        gave_up_at: Our clock when we stopped waiting.
        skew: Milliseconds by which the clocks may differ.
    """
    return asked_at - skew <= int(dseq) <= gave_up_at + skew
