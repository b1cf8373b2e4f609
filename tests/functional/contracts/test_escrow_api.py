"""The escrow routes through their function, on a real chain: what they answer, and that it works when it is signed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3.contract.contract import Contract

from slipway.akash.store import find_workload
from slipway.chain.store import chain_configuration, save_escrow
from slipway.control.store import Service, set_switch
from tests.support.clock import patient_seconds
from tests.support.functions import function_app
from tests.support.installation import Answer, Installation
from tests.support.nodes import RefusalError
from tests.support.wallets import ADMIN, ALICE, BOB
from tests.support.workloads import put_workload

from .conftest import Chain

ROUTES = ["api_escrow_status", "api_escrow_deposit", "api_escrow_refund"]
USDC = 10**6


@dataclass
class Wallet:
    """A wallet with the API's escrow: it asks, signs what it is given, and sends it."""

    slipway: Installation
    chain: Chain
    escrow: Contract
    token: Contract
    job: str
    account: LocalAccount = ALICE

    def status(self, job: str | None = None) -> Answer:
        token = self.slipway.token(self.account)
        return self.slipway.api("api_escrow_status", token=token, query=f"job_id={job or self.job}")

    def deposit(self, amount: Any, **fields: Any) -> Answer:
        body = {"job_id": self.job, "amount": amount, **fields}
        return self.slipway.api("api_escrow_deposit", token=self.slipway.token(self.account), body=body)

    def refund(self) -> Answer:
        token = self.slipway.token(self.account)
        return self.slipway.api("api_escrow_refund", token=token, query=f"job_id={self.job}")

    def send(self, transactions: list[dict[str, Any]]) -> None:
        """Complete, sign and send transactions as they were answered, adding nothing but nonce and fees."""
        eth = self.chain.web3.eth
        for entry in transactions:
            assert set(entry) == {"to", "data", "value", "chainId", "gas", "description"}
            assert entry["value"] == "0x0"
            signed = self.account.sign_transaction(
                {
                    **{name: entry[name] for name in ("to", "data", "value", "chainId", "gas")},
                    "nonce": eth.get_transaction_count(self.account.address),
                    "maxFeePerGas": 10**11,
                    "maxPriorityFeePerGas": 10**9,
                }
            )
            hashed = eth.send_raw_transaction(signed.raw_transaction)
            assert eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)["status"] == 1

    def sign(self, offer: dict[str, Any]) -> dict[str, Any]:
        """Return a permit from what was offered."""
        signed = Account.sign_typed_data(self.account.key, full_message=offer["typed_data"])
        return {"deadline": offer["deadline"], "signature": signed.signature.to_0x_hex()}

    def figures(self) -> dict[str, str]:
        body = self.status().body
        names = ("deposited", "released", "refunded", "reserved", "refundable", "balance", "allowance")
        return {name: body[name] for name in names}


@pytest.fixture(scope="module")
def node_client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@pytest.fixture
def wallet(slipway: Installation, chain: Chain, node_client: httpx.Client) -> Wallet:
    """Alice with a thousand test USDC. The node that the functions ask passes everything on to the chain."""
    token = chain.deploy("TestUSDC")
    escrow = chain.deploy("Escrow", token.address, chain.accounts[0])
    chain.send(
        escrow.functions.grantRole(escrow.functions.OPERATOR_ROLE().call(), chain.accounts[1]), chain.accounts[0]
    )
    chain.send(token.functions.mint(ALICE.address, 1_000 * USDC), chain.accounts[0])
    chain.fund(ALICE.address, wei=10**20)
    save_escrow(31337, escrow.address)

    def forward(method: str) -> Any:
        def ask(params: list[Any]) -> Any:
            answer = node_client.post(
                chain.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            ).json()
            if "error" in answer:
                raise RefusalError(answer["error"]["code"], answer["error"]["message"])
            return answer["result"]

        return ask

    slipway.node.answers = {method: forward(method) for method in ("eth_chainId", "eth_call", "eth_estimateGas")}
    job = str(uuid.uuid4())
    put_workload(job, ALICE.address)
    return Wallet(slipway, chain, escrow, token, job)


def _key(job: str) -> bytes:
    return uuid.UUID(job).bytes + bytes(16)


def test_only_a_workload_of_the_caller_can_be_paid_for(wallet: Wallet) -> None:
    foreign = str(uuid.uuid4())
    put_workload(foreign, BOB.address)
    for job in (str(uuid.uuid4()), foreign):
        answer = replace(wallet, job=job).deposit("1")
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert replace(wallet, job=job).status().status == 200


# What makes a deposit pointless, as attributes of the workload.
POINTLESS: list[dict[str, Any]] = [
    {"status": "closed"},
    {"status": "error"},
    {"status": "active", "close_requested_at": "2026-11-29T10:00:00Z"},
    {"status": "pending", "closing_code": "BID_TIMEOUT"},
    {"payment": {"price": 1, "escrow": None, "expires_at": "2020-01-01T00:00:00.000Z"}},
]


def _set(job: str, fields: dict[str, Any]) -> None:
    """Change attributes of a workload, as its own workflow would."""
    workload = find_workload(job)
    assert workload
    for name, value in fields.items():
        setattr(workload, name, value)
    workload.save()


@pytest.mark.parametrize("fields", POINTLESS)
def test_a_workload_that_ends_takes_no_more_deposits_and_gives_refunds(wallet: Wallet, fields: dict[str, Any]) -> None:
    wallet.send(wallet.deposit("5").body["transactions"])
    _set(wallet.job, fields)
    refused = wallet.deposit("5")
    assert (refused.status, refused.code) == (409, "CONFLICT")
    assert refused.body["error"]["details"]["status"] == fields.get("status", "pending")
    assert wallet.status().body["refundable"] == "5.000000"
    wallet.send(wallet.refund().body["transactions"])
    assert wallet.figures()["balance"] == "1000.000000"


@pytest.mark.parametrize("permitted", [False, True])
def test_a_workload_that_ends_while_the_chain_is_asked_takes_none(wallet: Wallet, permitted: bool) -> None:
    permit = {"permit": wallet.sign(wallet.deposit("5").body["permit"])} if permitted else {}
    forward = wallet.slipway.node.answers["eth_estimateGas"]

    def ends(params: list[Any]) -> Any:
        _set(wallet.job, {"status": "closed"})
        return forward(params)

    wallet.slipway.node.answers["eth_estimateGas"] = ends
    refused = wallet.deposit("5", **permit)
    assert (refused.status, refused.code) == (409, "CONFLICT")


def test_a_deposit_that_is_there_can_be_added_to_after_its_time(wallet: Wallet) -> None:
    past = "2020-01-01T00:00:00.000Z"
    _set(wallet.job, {"payment": {"price": 1, "escrow": None, "expires_at": past}, "deposited_at": past})
    assert wallet.deposit("5").status == 200


# ── Who asks ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ROUTES)
def test_a_stranger_and_a_token_without_a_wallet_get_nothing(slipway: Installation, name: str) -> None:
    assert slipway.api(name, query=None if name == ROUTES[1] else "").code == "AUTH_FAILED"
    answer = slipway.api(name, token=slipway.token(wallet=None))
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("query", ["", "job_id=", "job_id=1", "job_id=3f0b9a526f0e4a589d4c2f1c5a7e8b90"])
@pytest.mark.parametrize("name", [ROUTES[0], ROUTES[2]])
def test_a_job_that_is_none(slipway: Installation, name: str, query: str) -> None:
    answer = slipway.api(name, token=slipway.token(), query=query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["details"]["fields"][0]["field"] == "job_id"


# ── What the chain says ─────────────────────────────────────────────────────────────────────────


def test_a_job_without_deposits(wallet: Wallet) -> None:
    answer = wallet.status(wallet.job.upper())
    assert answer.status == 200
    zero = "0.000000"
    assert answer.body == {
        "job_id": wallet.job,
        "wallet": ALICE.address,
        "chain_id": 31337,
        "escrow": wallet.escrow.address,
        "token": wallet.token.address,
        "decimals": 6,
        "currency": "USD",
        **dict.fromkeys(["deposited", "released", "refunded", "reserved", "refundable", "allowance"], zero),
        "reserved_until": None,
        "balance": "1000.000000",
        "block_number": wallet.chain.web3.eth.block_number,
    }


def test_reading_asks_the_chain_once(wallet: Wallet) -> None:
    wallet.slipway.node.asked.clear()
    assert wallet.status().status == 200
    assert [method for method, _ in wallet.slipway.node.asked] == ["eth_call"]


# ── Deposit and refund, as a wallet makes them ──────────────────────────────────────────────────


def test_a_deposit_by_approval_and_its_refund(wallet: Wallet) -> None:
    answer = wallet.deposit("25.5")
    assert answer.status == 200
    assert (answer.body["job_id"], answer.body["amount"]) == (wallet.job, "25.500000")
    approve, deposit = answer.body["transactions"]
    assert (approve["to"], deposit["to"]) == (wallet.token.address, wallet.escrow.address)
    assert approve["data"] == wallet.token.encode_abi("approve", [wallet.escrow.address, 25_500_000])
    assert deposit["data"] == wallet.escrow.encode_abi("deposit", [_key(wallet.job), 25_500_000, 5_500_000])
    assert "25.500000" in approve["description"]
    assert wallet.job in deposit["description"]
    wallet.send([approve, deposit])
    figures = wallet.figures()
    assert (figures["deposited"], figures["refundable"], figures["balance"], figures["allowance"]) == (
        "25.500000",
        "25.500000",
        "974.500000",
        "0.000000",
    )
    refund = wallet.refund()
    assert (refund.status, refund.body["amount"]) == (200, "25.500000")
    (transaction,) = refund.body["transactions"]
    assert transaction["data"] == wallet.escrow.encode_abi("refund", [_key(wallet.job)])
    wallet.send([transaction])
    figures = wallet.figures()
    assert (figures["deposited"], figures["refunded"], figures["refundable"], figures["balance"]) == (
        "25.500000",
        "25.500000",
        "0.000000",
        "1000.000000",
    )


def test_a_standing_allowance_is_used(wallet: Wallet) -> None:
    wallet.send(wallet.deposit("30").body["transactions"][:1])
    for _ in range(2):
        (deposit,) = wallet.deposit("15").body["transactions"]
        wallet.send([deposit])
    assert wallet.figures()["deposited"] == "30.000000"
    assert len(wallet.deposit("0.000001").body["transactions"]) == 2


def test_a_deposit_by_permit_is_one_transaction(wallet: Wallet) -> None:
    for number, amount in enumerate(("40", "2"), start=1):
        offer = wallet.deposit(amount).body["permit"]
        assert offer["typed_data"]["message"]["nonce"] == str(number - 1)
        assert offer["typed_data"]["message"]["spender"] == wallet.escrow.address
        answer = wallet.deposit(amount, permit=wallet.sign(offer))
        assert answer.status == 200
        assert answer.body["permit"] is None
        (transaction,) = answer.body["transactions"]
        assert transaction["to"] == wallet.escrow.address
        wallet.send([transaction])
    assert wallet.figures()["deposited"] == "42.000000"


def test_a_permit_for_something_else_is_refused(wallet: Wallet) -> None:
    permit = wallet.sign(wallet.deposit("40").body["permit"])
    refused = wallet.deposit("41", permit=permit)
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
    assert refused.body["error"]["details"]["fields"][0]["field"] == "permit.signature"
    late = wallet.deposit("40", permit={**permit, "deadline": int(time.time()) - 1})
    assert late.body["error"]["details"]["fields"][0]["field"] == "permit.deadline"
    malformed = wallet.deposit("40", permit={**permit, "signature": permit["signature"][:-2] + "05"})
    assert malformed.body["error"]["details"]["fields"][0]["field"] == "permit.signature"
    wallet.account = BOB
    wallet.chain.send(wallet.token.functions.mint(BOB.address, 1_000 * USDC), wallet.chain.accounts[0])
    put_workload(wallet.job, BOB.address)
    assert wallet.deposit("40", permit=permit).status == 400


def test_a_token_without_permits_offers_none(wallet: Wallet, chain: Chain) -> None:
    token = chain.deploy("HokusaiToken", "Plain", "PLAIN", chain.accounts[0])
    escrow = chain.deploy("Escrow", token.address, chain.accounts[0])
    chain.send(token.functions.mint(ALICE.address, 10**18), chain.accounts[0])
    save_escrow(31337, escrow.address)
    answer = wallet.deposit("0.5")
    assert answer.status == 200
    assert answer.body["permit"] is None
    wallet.send(answer.body["transactions"])
    assert wallet.status().body["deposited"] == "0.500000000000000000"
    refused = wallet.deposit("0.5", permit={"deadline": 2**40, "signature": "0x" + "11" * 64 + "1b"})
    assert refused.body["error"]["details"]["fields"][0]["field"] == "permit.signature"


def test_a_domain_that_the_token_does_not_report_is_found_by_its_hash(wallet: Wallet) -> None:
    """USDC has no EIP-5267, but name and version."""
    node = wallet.slipway.node
    forward = node.answers["eth_call"]
    selectors = {"eip712Domain": wallet.token.encode_abi("eip712Domain", [])[:10], "version": "0x54fd4d50"}
    wallet.slipway.node.answers["eth_call"] = lambda params: _as_usdc(forward, selectors, params)
    offer = wallet.deposit("40").body["permit"]
    assert offer["typed_data"]["domain"]["version"] == "1"
    wallet.send(wallet.deposit("40", permit=wallet.sign(offer)).body["transactions"])
    function_app("api/escrow")._escrow.cache_clear()
    selectors["wrong"] = "yes"
    assert wallet.deposit("1").body["permit"] is None, "a domain of another hash would be signed in vain"


def _as_usdc(forward: Any, selectors: dict[str, str], params: list[Any]) -> Any:
    if params[0]["data"] == selectors["eip712Domain"]:
        raise RefusalError(3, "execution reverted")
    if params[0]["data"] == selectors["version"]:
        version = b"2" if "wrong" in selectors else b"1"
        return "0x" + (bytes(31) + b"\x20" + bytes(31) + b"\x01" + version + bytes(31)).hex()
    return forward(params)


# ── What is refused ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("amount", ["0", "0.0000001", "1.0000000", "-1", "1e3", "", "01", 1, 1.5, None])
def test_amounts_that_are_refused(wallet: Wallet, amount: Any) -> None:
    answer = wallet.deposit(amount)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["details"]["fields"][0]["field"] == "amount"


def test_a_wallet_that_has_less_learns_how_much_is_missing(wallet: Wallet) -> None:
    answer = wallet.deposit("1000.000001")
    assert (answer.status, answer.code) == (402, "PAYMENT_REQUIRED")
    assert answer.body["error"]["details"] == {
        "token": wallet.token.address,
        "balance": "1000.000000",
        "missing": "0.000001",
    }
    assert wallet.deposit("1000").status == 200


def test_nothing_to_refund_says_what_is_reserved(wallet: Wallet) -> None:
    nothing = wallet.refund()
    assert (nothing.status, nothing.code) == (409, "CONFLICT")
    assert nothing.body["error"]["details"] == {
        "refundable": "0.000000",
        "reserved": "0.000000",
        "reserved_until": None,
    }
    wallet.send(wallet.deposit("5").body["transactions"])
    operator = wallet.chain.accounts[1]
    functions = wallet.escrow.functions
    wallet.chain.send(functions.release(_key(wallet.job), ALICE.address, wallet.chain.accounts[4], 2 * USDC), operator)
    wallet.chain.send(functions.reserve(_key(wallet.job), ALICE.address, 3 * USDC, 5_500_000), operator)
    figures = wallet.figures()
    assert (figures["released"], figures["reserved"], figures["refundable"]) == ("2.000000", "3.000000", "0.000000")
    reserved = wallet.refund().body["error"]["details"]
    assert reserved["reserved"] == "3.000000"
    assert reserved["reserved_until"] == wallet.status().body["reserved_until"]
    assert reserved["reserved_until"].endswith("Z")


def test_others_deposits_are_not_the_callers(wallet: Wallet) -> None:
    wallet.send(wallet.deposit("5").body["transactions"])
    wallet.account = BOB
    assert wallet.figures()["deposited"] == "0.000000"
    assert wallet.refund().code == "CONFLICT"


def test_a_paused_service_takes_no_deposits_and_gives_refunds(wallet: Wallet) -> None:
    wallet.send(wallet.deposit("5").body["transactions"])
    set_switch(Service.ESCROW, paused=True, reason="Moving", changed_by="test")
    refused = wallet.deposit("5")
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    assert wallet.status().status == 200
    wallet.send(wallet.refund().body["transactions"])
    assert wallet.figures()["balance"] == "1000.000000"


def test_attempts_are_in_the_trail(wallet: Wallet) -> None:
    wallet.deposit("5")
    wallet.deposit("5000")
    wallet.refund()
    assert [(entry["action"], entry["outcome"], entry["wallet"]) for entry in wallet.slipway.audit()] == [
        ("POST /api/escrow", "accepted", ALICE.address),
        ("POST /api/escrow", "PAYMENT_REQUIRED", ALICE.address),
        ("DELETE /api/escrow", "CONFLICT", ALICE.address),
    ]
    assert wallet.slipway.audit()[0]["subject"] == wallet.job


def test_metrics_of_a_service_without_jobs(wallet: Wallet) -> None:
    answer = wallet.slipway.api("api_admin_metrics", token=wallet.slipway.token(ADMIN), query="service=escrow")
    assert (answer.status, answer.body["service"], answer.body["in_flight"]) == (200, "escrow", 0)


# ── The chain at its worst ──────────────────────────────────────────────────────────────────────


def _all(wallet: Wallet) -> list[Answer]:
    return [wallet.status(), wallet.deposit("5"), wallet.refund()]


@pytest.mark.parametrize("answer", [None, "0x", "0x1234", "0x" + "ff" * 352, "0x" + "00" * 32, 7])
def test_an_answer_that_makes_no_sense_is_none(wallet: Wallet, answer: Any) -> None:
    wallet.slipway.node.answers["eth_call"] = answer
    for refused in _all(wallet):
        assert (refused.status, refused.code) == (502, "UPSTREAM_UNAVAILABLE")


def test_a_chain_that_refuses_to_answer(wallet: Wallet) -> None:
    def refuse(_: list[Any]) -> Any:
        raise RefusalError(3, "execution reverted")

    wallet.slipway.node.answers["eth_call"] = refuse
    for refused in _all(wallet):
        assert (refused.status, refused.code) == (502, "UPSTREAM_UNAVAILABLE")


def test_without_an_escrow_there_is_none(wallet: Wallet) -> None:
    chain_configuration(31337).delete()
    for refused in _all(wallet):
        assert (refused.status, refused.code) == (502, "UPSTREAM_UNAVAILABLE")


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_slow_chain_is_not_waited_for(wallet: Wallet, method: str) -> None:
    wallet.status()
    with wallet.slipway.node.slow(method):
        began = patient_seconds()
        answer = wallet.deposit("5")
        assert patient_seconds() - began < 2
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0


def test_a_token_that_reports_its_permits_too_late_offers_none(wallet: Wallet) -> None:
    with wallet.slipway.node.slow("eth_call", lambda params: params[0]["to"] == wallet.token.address):
        began = patient_seconds()
        answer = wallet.deposit("5")
        assert patient_seconds() - began < 2
    assert (answer.status, answer.body["permit"]) == (200, None)
    assert len(answer.body["transactions"]) == 2


def test_what_the_chain_would_refuse_is_not_handed_out(wallet: Wallet) -> None:
    def refuse(_: list[Any]) -> Any:
        raise RefusalError(3, "execution reverted: paused")

    wallet.send(wallet.deposit("5").body["transactions"])
    wallet.slipway.node.answers["eth_estimateGas"] = refuse
    for answer in (wallet.deposit("5"), wallet.refund()):
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert "paused" in answer.body["error"]["message"]
