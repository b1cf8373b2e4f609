"""The chain's launcher: it finds anvil, waits for it, and says what is wrong when it can't."""

from __future__ import annotations

import platform
import socket
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from local.anvil import AnvilError, anvil_binary
from tests.support.chains import ETHER, running_anvil
from tests.support.clock import ManualClock
from tests.support.waiting import eventually

PLATFORMS = [
    ("linux", "x86_64", "anvil-linux-amd64", "anvil"),
    ("linux", "aarch64", "anvil-linux-arm64", "anvil"),
    ("darwin", "x86_64", "anvil-darwin-amd64", "anvil"),
    ("darwin", "arm64", "anvil-darwin-arm64", "anvil"),
    ("win32", "AMD64", "anvil-win32-amd64", "anvil.exe"),
]


def _pretend(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)


def test_chain_is_ready_with_its_id_and_ends() -> None:
    with running_anvil(4242) as chain:
        assert int(chain.rpc("eth_chainId"), 16) == 4242
        assert len(chain.rpc("eth_accounts")) == 10
    with pytest.raises(httpx.ConnectError):
        httpx.post(chain.url)


def test_chain_listens_on_loopback_only() -> None:
    with running_anvil() as chain, pytest.raises(ConnectionRefusedError):
        # On Linux all of 127/8 is loopback, so that a listener on every address would answer here too.
        socket.create_connection(("127.0.0.2", httpx.URL(chain.url).port), timeout=2)


def test_chains_at_once_have_ports_of_their_own() -> None:
    with running_anvil() as first, running_anvil() as second:
        first.mine(3)
        assert (first.rpc("eth_blockNumber"), second.rpc("eth_blockNumber")) == ("0x3", "0x0")


def test_blocks_come_by_time_and_state_outlives_the_chain(tmp_path: Path) -> None:
    receiver, kept = "0x" + "9" * 40, ("--state", str(tmp_path / "state.json"))
    with running_anvil(7, "--block-time", "0.2", *kept) as chain:
        sent = {"from": chain.rpc("eth_accounts")[0], "to": receiver, "value": hex(ETHER)}
        hashed = chain.rpc("eth_sendTransaction", sent)
        eventually(lambda: chain.rpc("eth_getTransactionReceipt", hashed), every=0.05)
        eventually(lambda: int(chain.rpc("eth_blockNumber"), 16), lambda number: number >= 2, every=0.05)
    with running_anvil(7, *kept) as chain:
        assert int(chain.rpc("eth_getBalance", receiver, "latest"), 16) == ETHER


def test_chain_that_can_not_start_says_why() -> None:
    with pytest.raises(AnvilError, match="--no-such-argument"), running_anvil(1, "--no-such-argument"):
        pass


def test_chain_that_never_listens_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    silent = ["sh", "-c", f"echo $$ > {marker}; exec sleep 60"]
    monkeypatch.setattr("tests.support.chains.anvil_command", lambda *_: silent)
    clock = ManualClock(lambda: eventually(marker.exists))
    with pytest.raises(AssertionError, match="anvil listens"), running_anvil(clock=clock):
        pass
    assert not psutil.pid_exists(int(marker.read_text()))


@pytest.mark.parametrize(("system", "machine", "package", "name"), PLATFORMS)
def test_binary_is_found_on_each_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, machine: str, package: str, name: str
) -> None:
    scope = tmp_path / "node_modules" / "@foundry-rs"
    _pretend(monkeypatch, system, machine)
    with pytest.raises(AnvilError, match="npm ci"):
        anvil_binary(tmp_path)
    fallback = scope / "anvil" / "dist" / name
    fallback.parent.mkdir(parents=True)
    fallback.touch()
    assert anvil_binary(tmp_path) == fallback
    regular = scope / package / "bin" / name
    regular.parent.mkdir(parents=True)
    regular.touch()
    assert anvil_binary(tmp_path) == regular


def test_platform_without_anvil_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, "linux", "riscv64")
    with pytest.raises(AnvilError, match="riscv64"):
        anvil_binary()
