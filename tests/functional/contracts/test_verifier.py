"""Verification of sources by a verifier that recompiles, on a real chain; its answers are held to Sourcify's schema."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from aiohttp import web

from local.chains import TOKEN_CHAIN
from local.verifier import Routes, Verifier, code_match, creation_match
from slipway.chain.abi import encode
from slipway.chain.contracts import load, load_input
from slipway.deadline_client import DeadlineClient
from slipway.errors import UpstreamUnavailableError
from slipway.verification.explorer import Explorer
from slipway.verification.models import Contract, Finding, Source, Verdict
from slipway.verification.sourcify import Sourcify
from tests.support import sourcify as published
from tests.support.waiting import eventually

from .conftest import Chain

NAME = "contracts/HokusaiToken.sol:HokusaiToken"


@contextmanager
def _served(application: web.Application) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    try:
        yield f"http://127.0.0.1:{asyncio.run_coroutine_threadsafe(start(), loop).result(10)}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@pytest.fixture(scope="module")
def verifier(chain: Chain) -> Iterator[str]:
    with _served(Routes(Verifier({TOKEN_CHAIN: chain.url})).application()) as address:
        yield address


@pytest.fixture(autouse=True)
def _private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")


class HeldClient(DeadlineClient):
    """Holds each call and its answer to what Sourcify publishes."""

    def request(self, method: str, url: str, seconds: float, **arguments: Any) -> httpx.Response:
        answer = super().request(method, url, seconds, **arguments)
        parts = httpx.URL(url).path.split("/v2/")[1].split("/")
        if method == "POST":
            published.check_request(arguments["json"])
        call = "submit" if method == "POST" else "job" if parts[0] == "verify" else "contract"
        published.check_answer(call, answer.status_code, json.loads(answer.content))
        return answer


@pytest.fixture
def sourcify(verifier: str) -> Sourcify:
    return Sourcify(verifier, HeldClient(httpx.AsyncClient()))


def _token(chain: Chain) -> tuple[Contract, Source]:
    arguments = ("Verified", "VRF", chain.accounts[0])
    factory = chain.web3.eth.contract(abi=load("HokusaiToken").abi, bytecode=load("HokusaiToken").bytecode)
    sent = factory.constructor(*arguments).transact({"from": chain.accounts[0]})
    receipt = chain.web3.eth.wait_for_transaction_receipt(sent, timeout=20, poll_latency=0.01)
    source = Source(
        NAME,
        load("HokusaiToken").compiler,
        json.loads(load_input("HokusaiToken")),
        encode(("string", "string", "address"), arguments).hex(),
    )
    return Contract(TOKEN_CHAIN, str(receipt["contractAddress"]), "0x" + sent.hex().removeprefix("0x")), source


def _end(verifier: Any, contract: Contract, source: Source) -> Finding:
    found: Finding = verifier.submit(contract, source)

    def poll() -> Finding:
        nonlocal found
        if found.verdict is Verdict.PENDING and found.ticket:
            found = verifier.poll(contract, found.ticket)
        return found

    return eventually(poll, lambda found: not (found.verdict is Verdict.PENDING and found.ticket), every=0)


def _commented(source: Source, remark: str = "// Not what was compiled.\n") -> Source:
    content = json.loads(json.dumps(source.standard_json_input))
    content["sources"]["contracts/HokusaiToken.sol"]["content"] += remark
    return replace(source, standard_json_input=content)


def test_a_tokens_own_source_is_verified_and_stays_so(chain: Chain, sourcify: Sourcify, verifier: str) -> None:
    contract, source = _token(chain)
    found = _end(sourcify, contract, source)
    assert found == Finding(Verdict.VERIFIED, url=f"{verifier}/v2/contract/{TOKEN_CHAIN}/{contract.address}")
    assert httpx.get(str(found.url)).json()["creationMatch"] == "exact_match"
    # Another time it is known.
    assert sourcify.submit(contract, source) == found


def test_a_source_with_another_comment_is_a_match_in_part_until_the_true_one_comes(
    chain: Chain, sourcify: Sourcify
) -> None:
    contract, source = _token(chain)
    assert _end(sourcify, contract, _commented(source)).verdict is Verdict.PARTIAL
    assert _end(sourcify, contract, source).verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda source: _commented(source, "contract Broken {"), "compiler_error"),
        (lambda source: replace(source, name="contracts/HokusaiToken.sol:Other"), "contract_not_found"),
        (lambda source: replace(source, name="@openzeppelin/contracts/token/ERC20/ERC20.sol:ERC20"), "no_match"),
    ],
)
def test_another_source_is_refused(chain: Chain, sourcify: Sourcify, change: Any, code: str) -> None:
    contract, source = _token(chain)
    found = _end(sourcify, contract, change(source))
    assert (found.verdict, found.ticket) == (Verdict.FAILED, None)
    assert code in found.reason


def test_a_compiler_that_is_not_there_and_a_contract_that_is_not_yet_are_tried_again(
    chain: Chain, sourcify: Sourcify
) -> None:
    contract, source = _token(chain)
    other = _end(sourcify, contract, replace(source, compiler="0.8.1+commit.df193b15"))
    missing = _end(sourcify, replace(contract, address=chain.new_account().address, creation_hash=None), source)
    assert {(found.verdict, found.ticket) for found in (other, missing)} == {(Verdict.PENDING, None)}
    assert ("unsupported_compiler" in other.reason, "not_deployed" in missing.reason) == (True, True)


def test_a_chain_that_the_verifier_does_not_know_is_off(sourcify: Sourcify, chain: Chain) -> None:
    contract, source = _token(chain)
    assert sourcify.submit(replace(contract, chain_id=5), source).verdict is Verdict.OFF


def test_a_job_that_is_forgotten_is_submitted_again(sourcify: Sourcify, chain: Chain) -> None:
    contract, _ = _token(chain)
    found = sourcify.poll(contract, "249c2f4b-af6c-46a7-a72e-d079da70ac0e")
    assert (found.verdict, found.ticket) == (Verdict.PENDING, None)


def test_an_explorers_api_verifies_the_same(chain: Chain, verifier: str) -> None:
    client = DeadlineClient(httpx.AsyncClient())
    explorer = Explorer(
        f"{verifier}/api", lambda address: f"https://explorer.test/address/{address}", lambda: "k", client
    )
    contract, source = _token(chain)
    verified = Finding(Verdict.VERIFIED, url=f"https://explorer.test/address/{contract.address}#code")
    assert _end(explorer, contract, source) == verified
    assert explorer.submit(contract, source) == verified
    other, _ = _token(chain)
    assert _end(explorer, other, replace(source, name=f"{NAME}2")).verdict is Verdict.FAILED


@pytest.mark.parametrize("status", [200, 202, 409, 500])
@pytest.mark.parametrize("body", ["<html>", "[]", "{}", "null", '{"verificationId": 5}', '{"result": {}}', "{" * 9000])
def test_nonsense_is_no_verdict(status: int, body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answer)
    contract, source = Contract(1, "0x" + "1" * 40, None), Source("a:b", "0.8.30+commit.73712a01", {}, "")
    client = DeadlineClient(httpx.AsyncClient())
    with _served(app) as address:
        for verifier in (Sourcify(address, client), Explorer(address, lambda _: None, lambda: None, client)):
            for ask in (partial(verifier.submit, contract, source), partial(verifier.poll, contract, "ticket")):
                try:
                    found = ask()
                except UpstreamUnavailableError:
                    continue
                assert (found.verdict, found.url) == (Verdict.PENDING, None)


# ── Comparison ──────────────────────────────────────────────────────────────────────────────────

HASHED = b"\x01\x02\x03" + b"\xa1dipfs" + b"\x11" * 4 + (10).to_bytes(2, "big")
OTHER = b"\x01\x02\x03" + b"\xa1dipfs" + b"\x22" * 4 + (10).to_bytes(2, "big")
PLAIN = b"\x01\x02\x03" + b"\xa1dsolc" + b"\x11" * 4 + (10).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("on_chain", "compiled", "match"),
    [
        (HASHED, HASHED, "exact_match"),
        (OTHER, HASHED, "match"),
        (PLAIN, PLAIN, "match"),
        (b"\x09" + HASHED[1:], HASHED, None),
        (b"", HASHED, None),
        (b"", b"", None),
    ],
)
def test_code_is_compared_with_and_without_its_metadata(on_chain: bytes, compiled: bytes, match: str | None) -> None:
    assert code_match(on_chain, compiled) == match
    assert creation_match(on_chain + b"arguments", compiled) == match


def test_immutable_values_are_passed_over() -> None:
    compiled = b"\x00" * 2 + HASHED
    assert code_match(b"\x07\x08" + HASHED, compiled, {"5": [{"start": 0, "length": 2}]}) == "exact_match"
    assert code_match(b"\x07\x08" + HASHED, compiled) is None
