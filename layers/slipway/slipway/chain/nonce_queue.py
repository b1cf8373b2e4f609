"""A queue for each account's next nonces, in which jobs take them one after the other.

A hundred launches at once would otherwise sign for the same few nonces again and again, all but one of them in vain.
Nothing but the pace depends on the queue: a job that goes out of turn wins or loses the nonces by the condition of its
write, and a queue that does not move, because the job at its head died, is passed by.
"""

import random
import time
from contextlib import suppress
from typing import Self

from slipway.chain.json_rpc import JsonRpc
from slipway.chain.store import SignerNonce, create_nonce, pass_turn, signer_nonce, take_tickets
from slipway.errors import UpstreamUnavailableError
from slipway.times import Clock

# A turn is one write; one signs before it comes.
_TURN_SECONDS = 0.03
# A queue that has not moved for so long has lost the job at its head: so many seconds for each that waits, up to five.
_STALLED_SECONDS = 1.0
_MAX_STALLED = 5
_MAX_WAIT_SECONDS = 12.0


class NonceQueue:
    """One job's place in the queue for an account's nonces; set ``served`` once they are taken.

    A ticket stands for one nonce, so that a job knows which nonces those ahead of it will leave.

    Args:
        chain_id: The chain.
        address: The account.
        count: How many consecutive nonces the job takes.
        rpc: Asked for the next nonce of an account that is used for the first time.
        clock: Passes the time.
    """

    def __init__(self, chain_id: int, address: str, count: int, rpc: JsonRpc, clock: Clock = time) -> None:
        self._chain_id = chain_id
        self._address = address
        self._count = count
        self._rpc = rpc
        self._clock = clock
        self.ticket = take_tickets(chain_id, address, count)
        self.nonce = self.refresh()
        self.served = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the queue; a job that was not served lets the next one go first."""
        if not self.served:
            # Best effort: a queue that does not move is passed by.
            with suppress(UpstreamUnavailableError):
                pass_turn(self._chain_id, self._address, self.ticket - self._count, self.ticket)

    def refresh(self) -> SignerNonce:
        """Read the next nonce."""
        self.nonce = signer_nonce(self._chain_id, self._address) or create_nonce(
            self._chain_id, self._address, self._rpc.transaction_count(self._address)
        )
        return self.nonce

    @property
    def _ahead(self) -> int:
        return max(0, self.ticket - self._count - int(self.nonce.served_ticket))

    @property
    def expected(self) -> int:
        """The first nonce that will be ours if each ticket ahead takes one."""
        return int(self.nonce.next_nonce) + self._ahead

    def wait(self) -> SignerNonce:
        """Wait for our turn, or until waiting longer makes no sense; return the nonce as it was read then."""
        began = moved_at = self._clock.monotonic()
        while ahead := self._ahead:
            # The next in the queue passes by first, and with that the queue moves for those behind.
            patience = min(ahead, _MAX_STALLED) * _STALLED_SECONDS
            moment = self._clock.monotonic()
            if moment - moved_at > patience or moment - began > _MAX_WAIT_SECONDS:
                break
            turns = max(1, ahead / self._count) - 0.5
            self._clock.sleep(turns * _TURN_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)
            self.refresh()
            if self._ahead != ahead:
                moved_at = self._clock.monotonic()
        return self.nonce
