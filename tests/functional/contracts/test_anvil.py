"""The chain's launcher: it finds anvil, waits for it, and says what is wrong when it can't."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from web3 import Web3

from local import anvil
from local.anvil import AnvilError, anvil_binary, free_port, start_anvil, stop_anvil
from tests.support.waiting import eventually

PLATFORMS = [
    ("linux", "x86_64", "anvil-linux-amd64", "anvil"),
    ("linux", "aarch64", "anvil-linux-arm64", "anvil"),
    ("darwin", "x86_64", "anvil-darwin-amd64", "anvil"),
    ("darwin", "arm64", "anvil-darwin-arm64", "anvil"),
    ("win32", "AMD64", "anvil-win32-amd64", "anvil.exe"),
]


def _web3(port: int) -> Web3:
    return Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}", request_kwargs={"timeout": 10}))


def _pretend(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)


def test_chain_is_ready_with_its_id_and_ends() -> None:
    port = free_port()
    process = start_anvil(port, 4242)
    try:
        assert _web3(port).eth.chain_id == 4242
        assert len(_web3(port).eth.accounts) == 10
    finally:
        stop_anvil(process)
    assert process.poll() is not None
    stop_anvil(process)


def test_chain_listens_on_loopback_only() -> None:
    port = free_port()
    process = start_anvil(port, 1)
    try:
        # On Linux all of 127/8 is loopback, so that a listener on every address would answer here too.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=2)
    finally:
        stop_anvil(process)


def test_blocks_come_by_time_and_state_outlives_the_chain(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    port = free_port()
    process = start_anvil(port, 7, block_time=0.2, state=state, log=tmp_path / "anvil.log")
    try:
        web3 = _web3(port)
        sender, receiver = web3.eth.accounts[0], Web3.to_checksum_address("0x" + "9" * 40)
        hashed = web3.eth.send_transaction({"from": sender, "to": receiver, "value": Web3.to_wei(1, "ether")})
        web3.eth.wait_for_transaction_receipt(hashed, timeout=10, poll_latency=0.05)
        eventually(lambda: web3.eth.block_number, lambda number: number >= 2, every=0.05)
    finally:
        stop_anvil(process)
    process = start_anvil(port, 7, state=state)
    try:
        assert _web3(port).eth.get_balance(receiver) == Web3.to_wei(1, "ether")
    finally:
        stop_anvil(process)


def test_taken_port_is_noticed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(AnvilError, match="is taken"):
            start_anvil(taken.getsockname()[1], 1)


def test_another_chain_at_the_port_is_not_taken_for_ours() -> None:
    port = free_port()
    first = start_anvil(port, 5)
    try:
        with pytest.raises(AnvilError, match="is taken"):
            start_anvil(port, 5)
        assert _web3(port).eth.chain_id == 5
    finally:
        stop_anvil(first)


def test_chain_that_never_answers_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(anvil, "_chain_id", lambda _: None)

    def stop(process: subprocess.Popen[bytes]) -> None:
        started.append(process)
        stop_anvil(process)

    monkeypatch.setattr(anvil, "stop_anvil", stop)
    with pytest.raises(AnvilError, match="does not answer"):
        start_anvil(free_port(), 1, ready_within_seconds=0.2)
    assert started[0].poll() is not None


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
