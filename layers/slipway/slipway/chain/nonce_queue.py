"""A line before each account's next nonce, in which those who want it take it one after the other.

A hundred launches at once would otherwise sign for the same few nonces again and again, all but one of them in vain.
Nothing but the pace hangs on the line: who goes out of turn wins or loses the nonce by the condition of its write, and
a line that does not move, because somebody left it without a word, is passed by.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from slipway.chain.store import SignerNonce, create_nonce, pass_turn, signer_nonce, take_ticket
from slipway.errors import UpstreamUnavailableError

# A turn is one write; one signs before it comes.
_TURN_SECONDS = 0.03
# A line that has not moved for so long has lost the one at its head: so many seconds for each who waits, up to five.
_STALLED_SECONDS = 1.0
_MOST_STALLED = 5
_MOST_WAIT_SECONDS = 12.0


class NonceLine:
    """One place in the line for an account's nonce; whoever took the nonce sets ``served`` before leaving it.

    Args:
        chain_id: The chain.
        address: The account.
        first_nonce: Asked when the account is used for the first time.
    """

    def __init__(self, chain_id: int, address: str, first_nonce: Callable[[], int]) -> None:
        self._chain_id = chain_id
        self._address = address
        self._first_nonce = first_nonce
        self.ticket = take_ticket(chain_id, address)
        self.nonce = self.look()
        self.served = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the line; who was not served lets the next one go first."""
        if not self.served:
            # Best effort: a line that does not move is passed by.
            with suppress(UpstreamUnavailableError):
                pass_turn(self._chain_id, self._address, self.ticket)

    def look(self) -> SignerNonce:
        """Read the nonce."""
        self.nonce = signer_nonce(self._chain_id, self._address) or create_nonce(
            self._chain_id, self._address, self._first_nonce()
        )
        return self.nonce

    @property
    def _ahead(self) -> int:
        return max(0, self.ticket - 1 - int(self.nonce.served_ticket))

    @property
    def expected(self) -> int:
        """The nonce that will be ours if each who stands ahead takes one."""
        return int(self.nonce.next_nonce) + self._ahead

    def wait(self) -> SignerNonce:
        """The nonce as it was read when our turn came, or when waiting longer made no sense."""
        began = moved_at = time.monotonic()
        while ahead := self._ahead:
            # Whoever is next passes by first, and with that the line moves for those behind.
            patience = min(ahead, _MOST_STALLED) * _STALLED_SECONDS
            moment = time.monotonic()
            if moment - moved_at > patience or moment - began > _MOST_WAIT_SECONDS:
                break
            time.sleep((ahead - 0.5) * _TURN_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)
            self.look()
            if self._ahead != ahead:
                moved_at = time.monotonic()
        return self.nonce
