"""When a caller's requests were accepted. Key in the control table: ``RATE#<limit>#<wallet>`` / ``LOG``.

The times are kept newest first, so "no more than five in an hour" is a condition on the fifth of them: one conditional
write judges and counts, with no read before it. It is part of the transaction that accepts the request, so a request
that is refused for any reason, or replayed, never counts.
"""

import time
from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import ListAttribute, NumberAttribute

from slipway.errors import ConflictError, RateLimitExceededError
from slipway.limits.rules import Allowance, allowance, windows_of
from slipway.store import ConditionsFailedError, ControlItem, ItemKey, Transaction, read_item, update_if
from slipway.times import Clock, epoch_milliseconds, epoch_seconds, now

_MAX_KEPT = 400
WRITE = "limit"


class RateLog(ControlItem):
    """Times of accepted requests in milliseconds, newest first. DynamoDB deletes it when no window reaches back."""

    at: ListAttribute[int] = ListAttribute(default=list)
    expires_at = NumberAttribute(null=True)


class Quota:
    """How often a wallet may do one thing.

    Args:
        name: The limit's, such as ``launches``.
        wallet: Whose requests count.
        limit: Most requests by span, see ``settings.tier_limit``.
        clock: Gives the time.
    """

    def __init__(self, name: str, wallet: str, limit: Mapping[str, int], clock: Clock = time) -> None:
        self._clock = clock
        self._key = f"RATE#{name}#{wallet}", "LOG"
        self._windows = windows_of(limit)
        self._accepted: list[int] | None = None
        # How many of the thing may be open at once; for a limit without that span there is none.
        self.most_open = limit.get("open", 0)

    @property
    def wanted(self) -> ItemKey[RateLog]:
        """What ``read`` takes, so that it can be read together with other items."""
        return RateLog, self._key

    def read(self, log: RateLog | None) -> None:
        """Take what was found under ``wanted``."""
        self._accepted = [int(at) for at in log.at] if log else []

    def _now(self) -> int:
        return epoch_milliseconds(now(self._clock))

    def _allowed(self) -> Allowance:
        if self._accepted is None:
            self.read(read_item(RateLog, self._key, consistent=False))
        return allowance(self._accepted or [], self._windows, self._now())

    @property
    def refusal(self) -> RateLimitExceededError | None:
        """Why nothing more is accepted now, or None; it counts nothing."""
        return refusal_of(self._allowed())

    def count_within(self, write: Transaction) -> None:
        """Count a request in the transaction that accepts it, under the name ``WRITE``."""
        moment = self._now()
        condition = RateLog.at[self._most_kept].does_not_exist()
        for window in self._windows:
            nth = RateLog.at[window.limit - 1]
            condition = condition & (nth.does_not_exist() | (nth <= moment - window.seconds * 1000))
        write.update(
            WRITE,
            RateLog(*self._key),
            [
                RateLog.at.set((RateLog.at | []).prepend([moment])),
                RateLog.expires_at.set(epoch_seconds(self._clock) + max(window.seconds for window in self._windows)),
            ],
            condition=condition,
        )

    @property
    def _most_kept(self) -> int:
        return max(_MAX_KEPT, 2 * max(window.limit for window in self._windows))

    def refused(self, failed: Mapping[str, Any]) -> RateLimitExceededError | None:
        """Return why ``count_within`` failed; None when it did not, or when the same may pass at the next try.

        Args:
            failed: The conditions of the transaction that failed.
        """
        if WRITE not in failed:
            return None
        self._accepted = [int(entry["N"]) for entry in (failed[WRITE] or {}).get("at", {}).get("L", [])]
        if refused := self.refusal:
            return refused
        self._trim()
        return None

    def _trim(self) -> None:
        """Forget the times that no window reaches back to; needed once in a few hundred requests."""
        if log := read_item(RateLog, self._key):
            kept = list(log.at[: max(window.limit for window in self._windows)])
            update_if(RateLog(*self._key), RateLog.at == log.at, [RateLog.at.set(kept)])

    def count(self) -> None:
        """Count a request that nothing is written for besides.

        Raises:
            RateLimitExceededError: The windows are used up.
        """
        for _ in range(2):
            write = Transaction()
            self.count_within(write)
            try:
                write.commit()
            except ConditionsFailedError as error:
                if refused := self.refused(error.failed):
                    raise refused from error
            else:
                return

    def commit(self, write: Transaction) -> None:
        """Count a request in its transaction and write all of it.

        Raises:
            RateLimitExceededError: The windows are used up.
            ConflictError: Too many requests came at once.
            ConditionsFailedError: A condition of something else failed.
        """
        self.count_within(write)
        try:
            write.commit()
        except ConditionsFailedError as error:
            if refused := self.refused(error.failed):
                raise refused from error
            if error.failed.keys() == {WRITE}:
                raise ConflictError("Too many requests at once; try again", retry_after=1) from error
            raise

    @property
    def headers(self) -> dict[str, str]:
        """What is left, this request counted, for its answer; nothing where the log was not read."""
        if self._accepted is None:
            return {}
        return _headers(allowance([self._now(), *self._accepted], self._windows, self._now()))


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
    return {60: "a minute", 3600: "an hour", 86400: "a day"}.get(seconds, f"in {seconds} s")
