"""Pure decisions about verifications."""

import random
from collections.abc import Iterable

from slipway.verification.models import Verdict

# So long a contract is tried to be verified.
TRIED_SECONDS = 86_400
_FIRST_PAUSE = 15
_MAX_PAUSE = 3600
# The best that any verifier said counts; what may still come comes before what did not.
_ORDER = (Verdict.VERIFIED, Verdict.PARTIAL, Verdict.PENDING, Verdict.FAILED, Verdict.OFF)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what several verifiers' verdicts are together; ``off`` without any."""
    return min(verdicts, key=_ORDER.index, default=Verdict.OFF)


def pause_seconds(tries: int) -> float:
    """Return how long after so many tries to try again: exponential backoff with jitter, an hour at most."""
    pause = min(_FIRST_PAUSE * 2 ** min(tries, 10), _MAX_PAUSE)
    return random.uniform(pause / 2, pause)  # noqa: S311 (jitter, not a secret)
