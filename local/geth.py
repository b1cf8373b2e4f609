"""geth, a second Ethereum client for the contract tests, built from its Go module.

Built once into `.local/tools` with the machine's Go, which takes some minutes; never downloaded as a binary. Listens on
loopback only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.paths import TOOLS

VERSION = "1.17.10"
MODULE = "github.com/ethereum/go-ethereum/cmd/geth"
CHAIN_ID = 1337
"""What geth calls its development chain."""
_BUILD_SECONDS = 2400
_READY_SECONDS = 60


class GethError(RuntimeError):
    """geth can't be built, or did not start."""


def has_go() -> bool:
    """Return whether this machine has Go, without which geth can't be built."""
    return shutil.which("go") is not None


def geth_binary() -> Path:
    """Return geth's executable, which is built when it is first asked for; GethError says why it can't be."""
    binary = TOOLS / f"geth-{VERSION}"
    if binary.is_file():
        return binary
    unfinished = TOOLS / f"geth-{VERSION}.{os.getpid()}"
    unfinished.mkdir(parents=True)
    try:
        built = subprocess.run(
            ["go", "install", "-ldflags=-s -w", f"{MODULE}@v{VERSION}"],
            env=os.environ | {"GOBIN": str(unfinished)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if built.returncode:
            raise GethError(f"geth {VERSION} can't be built: {built.stderr[-2000:]}")
        return (unfinished / "geth").rename(binary)
    finally:
        shutil.rmtree(unfinished)


class Geth:
    """A development chain that mines every second what is in its pool.

    Args:
        port: For JSON-RPC; the one after it is geth's own.
        directory: Holds its data and its log.
        arguments: Further arguments.

    Raises:
        GethError: It did not answer in time.
    """

    def __init__(self, port: int, directory: Path, arguments: Sequence[str] = ()) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [str(geth_binary()), "--dev", "--dev.period=1", f"--datadir={directory}", "--ipcdisable"]
        command += ["--http", "--http.addr=127.0.0.1", f"--http.port={port}", f"--authrpc.port={port + 1}"]
        command += ["--port=0", "--nodiscover", "--maxpeers=0", "--verbosity=2", *arguments]
        self._log = directory / "geth.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        ends_at = time.monotonic() + _READY_SECONDS
        while time.monotonic() < ends_at and self._process.poll() is None:
            try:
                self.call("eth_blockNumber")
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise GethError(f"geth did not start: {self._log.read_text(errors='replace')[-2000:]}")

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one call; GethError for a refusal."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, data=body, headers={"content-type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            found = json.load(answer)
        if "error" in found:
            raise GethError(f"{method}: {found['error']}")
        return found["result"]

    def fund(self, address: str, wei: int) -> None:
        """Send an account funds of the developer's and wait until they are there."""
        (developer, *_) = self.call("eth_accounts")
        hashed = self.call("eth_sendTransaction", {"from": developer, "to": address, "value": hex(wei)})
        self.receipt(hashed)

    def receipt(self, transaction_hash: str) -> dict[str, Any]:
        """Wait for a transaction's receipt, which geth refuses while it writes its index of transactions.

        Raises:
            GethError: There is none in time.
        """
        ends_at = time.monotonic() + _READY_SECONDS
        while True:
            try:
                if found := self.call("eth_getTransactionReceipt", transaction_hash):
                    return dict(found)
                missing = GethError(f"Transaction {transaction_hash} has no receipt")
            except (GethError, OSError) as error:
                missing = GethError(str(error))
            if time.monotonic() > ends_at:
                raise missing
            time.sleep(0.2)

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
