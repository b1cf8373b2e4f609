"""Builds on two real chains: whose the contract is, one chain that is down, a retry, and what is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from web3 import Web3

from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, bearer
from tests.support.waiting import eventually, unchanged

PROMPT = "Create an ERC-20 token called HyperKit with 1 billion supply, mintable"
ENDED = {"complete", "failed", "cancelled"}
END_SECONDS = 150
ERC20 = [
    {"type": "function", "name": name, "inputs": inputs, "outputs": [{"type": kind}], "stateMutability": "view"}
    for name, inputs, kind in (
        ("name", [], "string"),
        ("owner", [], "address"),
        ("totalSupply", [], "uint256"),
        ("balanceOf", [{"type": "address"}], "uint256"),
    )
]


class Builder:
    """A user who builds."""

    def __init__(self, stack: RunningStack, token: Token, wallet: str) -> None:
        self.stack, self.token, self.wallet = stack, token, wallet
        self.chains = {entry["chain_id"]: Web3(Web3.HTTPProvider(entry["rpc_url"])) for entry in stack.chains}

    def send(self, method: str, path: str = "", **parts: Any) -> httpx.Response:
        answer: httpx.Response = self.stack.http.request(
            method, f"/api/v1/builds{path}", headers=bearer(self.token), **parts
        )
        return answer

    def build(self, *chains: int, prompt: str = PROMPT) -> str:
        answer = self.send("POST", json={"prompt": prompt, "chains": list(chains)})
        assert answer.status_code in (200, 201, 202), answer.text
        return str(answer.json()["build_id"])

    def detail(self, build_id: str) -> dict[str, Any]:
        answer = self.send("GET", f"/{build_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, build_id: str) -> dict[str, Any]:
        return eventually(
            lambda: self.detail(build_id), lambda found: found["status"] in ENDED, within=END_SECONDS, every=0.2
        )

    def token_at(self, chain_id: int, address: str) -> Any:
        return self.chains[chain_id].eth.contract(address=Web3.to_checksum_address(address), abi=ERC20)


@pytest.fixture
def builder(stack: RunningStack, user: Token, owner: str) -> Builder:
    return Builder(stack, user, owner)


def _by_chain(detail: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {entry["chain_id"]: entry for entry in detail["deployments"]}


def test_the_contract_on_each_chain_is_the_callers_with_all_of_its_supply(builder: Builder) -> None:
    detail = builder.ended(builder.build(31337, 5001))
    assert (detail["status"], detail["progress"]) == ("complete", 100), detail
    deployments = _by_chain(detail)
    assert set(deployments) == {31337, 5001}
    for chain_id, deployment in deployments.items():
        assert deployment["status"] == "deployed", deployment
        token = builder.token_at(chain_id, deployment["address"])
        supply = 10**9 * 10**18
        assert token.functions.name().call() == "HyperKit"
        assert token.functions.owner().call() == builder.wallet
        assert token.functions.totalSupply().call() == token.functions.balanceOf(builder.wallet).call() == supply
        receipt = builder.chains[chain_id].eth.get_transaction_receipt(deployment["tx_hash"])
        assert (receipt["status"], receipt["contractAddress"]) == (1, deployment["address"])
        assert int(deployment["gas_used"]) == receipt["gasUsed"]
        assert int(deployment["cost"]) == receipt["gasUsed"] * receipt["effectiveGasPrice"]
    assert int(detail["total_cost_wei"]) == sum(int(entry["cost"]) for entry in deployments.values())
    assert detail["deploy_time"] > 0


@contextmanager
def _no_funds(builder: Builder, chain_id: int) -> Iterator[None]:
    """No account of the pool can pay on a chain: nothing is signed there."""
    web3 = builder.chains[chain_id]
    table = builder.stack.client("dynamodb")
    key = {"pk": {"S": "CHAIN#31337"}, "sk": {"S": "CONFIGURATION"}}
    item = table.get_item(TableName=builder.stack.outputs["ControlTableName"], Key=key)["Item"]
    balances = {entry["S"]: web3.eth.get_balance(entry["S"]) for entry in item["registrars"]["L"]}
    for address in balances:
        web3.provider.make_request("anvil_setBalance", [address, "0x0"])  # type: ignore[arg-type]
    try:
        yield
    finally:
        for address, balance in balances.items():
            web3.provider.make_request("anvil_setBalance", [address, hex(balance)])  # type: ignore[arg-type]


def test_one_chain_that_fails_leaves_the_other_alone_and_is_tried_again(builder: Builder) -> None:
    with _no_funds(builder, 5001):
        build_id = builder.build(31337, 5001)
        detail = builder.ended(build_id)
    deployments = _by_chain(detail)
    assert (detail["status"], detail["error_code"]) == ("failed", "DEPLOYMENT_FAILED"), detail
    assert detail["error"].startswith("Deployed to 1 of 2 chains; chain 5001: ")
    first = deployments[31337]
    assert first["status"] == "deployed"
    assert (deployments[5001]["status"], deployments[5001]["error"]) == (
        "failed",
        "No deployer account can pay for the transaction",
    )
    assert deployments[5001]["tx_hash"] is None
    again = builder.send("POST", f"/{build_id}/deploy", json=[5001])
    assert again.status_code in (200, 202), again.text
    detail = builder.ended(build_id)
    assert (detail["status"], detail["error"]) == ("complete", None), detail
    deployments = _by_chain(detail)
    assert deployments[31337] == first, "what is deployed stays as it is"
    assert builder.token_at(5001, deployments[5001]["address"]).functions.owner().call() == builder.wallet


def test_more_chains_are_deployed_to_later_and_none_twice(builder: Builder) -> None:
    build_id = builder.build(31337)
    first = _by_chain(builder.ended(build_id))[31337]
    assert builder.send("POST", f"/{build_id}/deploy", json=[31337]).status_code == 409
    assert builder.send("POST", f"/{build_id}/deploy", json=[4711]).status_code == 400
    assert builder.send("POST", f"/{build_id}/deploy", json=[5001]).status_code in (200, 202)
    detail = builder.ended(build_id)
    assert detail["status"] == "complete"
    assert _by_chain(detail)[31337] == first
    assert _by_chain(detail)[5001]["status"] == "deployed"


def test_nothing_is_sent_after_a_cancellation_was_answered(builder: Builder) -> None:
    """Cancelled while it waits for its block on one chain: what was sent before may be mined, nothing else is."""
    web3 = builder.chains[5001]
    web3.provider.make_request("evm_setIntervalMining", [0])  # type: ignore[arg-type]
    try:
        build_id = builder.build(5001)
        entries = eventually(
            lambda: builder.detail(build_id)["deployments"] or [{}],
            lambda entries: entries[0].get("status") == "broadcast",
            every=0.05,
        )
        assert builder.send("DELETE", f"/{build_id}").json() == {"status": "cancelled"}
        sender = web3.eth.get_transaction(entries[0]["tx_hash"])["from"]
        unchanged(lambda: web3.eth.get_transaction_count(sender, "pending"), 3)
    finally:
        web3.provider.make_request("evm_setIntervalMining", [1])  # type: ignore[arg-type]
    # The schedule's reconcile tells the truth of what had been sent.
    found = eventually(
        lambda: builder.detail(build_id)["deployments"][0],
        lambda found: found["status"] in ("deployed", "cancelled"),
        within=120,
        every=1,
    )
    deployed = bool(found["address"]) and bool(web3.eth.get_code(found["address"]))
    assert deployed == (found["status"] == "deployed")
    assert builder.detail(build_id)["status"] == "cancelled"
