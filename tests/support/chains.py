"""Development chains for tests: how they are described, and anvil on a port of its own."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from local.anvil import AnvilError, anvil_command
from local.chains import TOKEN_CHAIN, chain_entry
from slipway.chain.nodes import forget_heads
from slipway.times import Clock
from tests.support.waiting import eventually

# The chain of the installations in this process, whose node each test has.
CHAIN = chain_entry(name="anvil", explorer_url="https://explorer.test")
ETHER = 10**18
_STOP_SECONDS = 10.0


@dataclass
class Anvil:
    """A running chain, with what tests do to it."""

    url: str
    client: httpx.Client = field(default_factory=httpx.Client)

    def rpc(self, method: str, *params: Any) -> Any:
        """Return the result of one call, which has to have one."""
        # Tests change the chain in less time than a block takes.
        forget_heads()
        answer = self.client.post(self.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        found = answer.json()
        assert "error" not in found, found
        return found["result"]

    def mine(self, blocks: int = 1) -> None:
        """Add blocks with what is pending."""
        self.rpc("anvil_mine", hex(blocks))

    def fund(self, *addresses: str, wei: int = 1000 * ETHER) -> None:
        """Set the balance of accounts."""
        for address in addresses:
            self.rpc("anvil_setBalance", address, hex(wei))


@contextmanager
def running_anvil(chain_id: int = TOKEN_CHAIN, *arguments: str, clock: Clock = time) -> Iterator[Anvil]:
    """Yield a chain on a port that it chose itself; it ends with the context.

    Args:
        chain_id: The chain's id.
        arguments: Further arguments of anvil.
        clock: Passes the time in which it has to listen.

    Raises:
        AnvilError: It is not installed, or ended by itself; the message has what it printed.
        AssertionError: It does not listen in time.
    """
    with TemporaryDirectory() as scratch, httpx.Client(trust_env=False, timeout=60) as client:
        log = Path(scratch) / "anvil.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                anvil_command(0, chain_id, *arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            address = eventually(lambda: _address(process, log), every=0.05, what="anvil listens", clock=clock)
            yield Anvil(f"http://{address}", client)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str | None:
    has_ended = process.poll() is not None
    printed = log.read_text(encoding="utf-8", errors="replace")
    if has_ended:
        raise AnvilError(f"anvil ended with status {process.returncode}: {printed[-2000:]}")
    found = re.search(r"^Listening on (127\.0\.0\.1:\d+)$", printed, re.MULTILINE)
    return found[1] if found else None
