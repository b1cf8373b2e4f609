"""When a caller's requests were accepted. Key in the control table: ``RATE#<what>#<wallet>`` / ``LOG``.

The times are kept newest first, so "no more than five in an hour" is a condition on the fifth of them: one conditional
write judges and counts, with no read before it. It is part of the transaction that accepts the request, so a request
that is refused for any reason, or replayed, never counts.
"""

import time
from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import ListAttribute, NumberAttribute

from slipway.errors import RateLimitExceededError, UpstreamUnavailableError
from slipway.limits.rules import Allowance, allowance
from slipway.settings import Window
from slipway.store import ConditionsFailedError, ControlItem, Transaction, read_item, update_if
from slipway.times import epoch_seconds

_MOST_KEPT = 400


class RateLog(ControlItem):
    """Times of accepted requests in milliseconds, newest first. DynamoDB deletes it when no window reaches back."""

    at: ListAttribute[int] = ListAttribute(default=list)
    expires_at = NumberAttribute(null=True)


def _key(what: str, wallet: str) -> tuple[str, str]:
    return f"RATE#{what}#{wallet}", "LOG"


def _now() -> int:
    return int(time.time() * 1000)


def count_within(write: Transaction, what: str, wallet: str, windows: Sequence[Window]) -> None:
    """Count a request in the transaction that accepts it, under the name ``limit``."""
    now = _now()
    condition = RateLog.at[_most_kept(windows)].does_not_exist()
    for window in windows:
        nth = RateLog.at[window.limit - 1]
        condition = condition & (nth.does_not_exist() | (nth <= now - window.seconds * 1000))
    write.update(
        "limit",
        RateLog(*_key(what, wallet)),
        [
            RateLog.at.set((RateLog.at | []).prepend([now])),
            RateLog.expires_at.set(epoch_seconds() + max(window.seconds for window in windows)),
        ],
        condition=condition,
    )


def count(what: str, wallet: str, windows: Sequence[Window]) -> None:
    """Count a request that nothing is written for besides.

    Raises:
        RateLimitExceededError: The windows are used up.
    """
    for _ in range(2):
        write = Transaction()
        count_within(write, what, wallet, windows)
        try:
            write.commit()
        except ConditionsFailedError as error:
            if refused := refusal(error.failed["limit"], windows):
                raise refused from error
            trim(what, wallet, windows)
        else:
            return


def _most_kept(windows: Sequence[Window]) -> int:
    return max(_MOST_KEPT, 2 * max(window.limit for window in windows))


def refusal(stored: dict[str, dict[str, Any]] | None, windows: Sequence[Window]) -> RateLimitExceededError | None:
    """Return why ``limit`` failed: None when the log was only too long, which ``trim`` mends."""
    times = [int(entry["N"]) for entry in (stored or {}).get("at", {}).get("L", [])]
    return refusal_of(allowance(times, windows, _now()))


def refusal_of(allowed: Allowance) -> RateLimitExceededError | None:
    """Return the error of an allowance that is used up."""
    if allowed.remaining:
        return None
    return RateLimitExceededError(
        f"No more than {allowed.limit} {_per(allowed.window_seconds)} are allowed; "
        f"try again in {allowed.reset_seconds} s",
        retry_after=allowed.reset_seconds,
        headers=_headers(allowed),
    )


def _headers(allowed: Allowance) -> dict[str, str]:
    return {
        "ratelimit-limit": str(allowed.limit),
        "ratelimit-remaining": str(allowed.remaining),
        "ratelimit-reset": str(allowed.reset_seconds),
    }


def _per(seconds: int) -> str:
    return {3600: "an hour", 86400: "a day"}.get(seconds, f"in {seconds} s")


def headers_after(what: str, wallet: str, windows: Sequence[Window]) -> dict[str, str]:
    """Return the headers that say what is left after a request was counted; none when the table does not answer."""
    try:
        return _headers(current(what, wallet, windows, consistent=True))
    except UpstreamUnavailableError:
        return {}


def current(what: str, wallet: str, windows: Sequence[Window], *, consistent: bool = False) -> Allowance:
    """Return what a caller has left, without counting."""
    log = read_item(RateLog, _key(what, wallet), consistent=consistent)
    return allowance([int(at) for at in log.at] if log else [], windows, _now())


def trim(what: str, wallet: str, windows: Sequence[Window]) -> None:
    """Forget the times that no window reaches back to; needed once in a few hundred requests."""
    key = _key(what, wallet)
    if log := read_item(RateLog, key):
        kept = list(log.at[: max(window.limit for window in windows)])
        update_if(RateLog(*key), RateLog.at == log.at, [RateLog.at.set(kept)])
