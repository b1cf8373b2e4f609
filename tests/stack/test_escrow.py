"""A wallet's way with the escrow: it asks the API, signs with its own key, and sends to the chain itself."""

import uuid
from typing import Any

import httpx
import pytest
from eth_account import Account

from slipway.addresses import keccak256
from slipway.chain.abi import call_data
from tests.stack.launches import account, bearer
from tests.stack.test_akash_deploy import deploy
from tests.support.waiting import eventually

MINED_SECONDS = 20


class Wallet:
    """A local account that talks to the chain and the API."""

    def __init__(self, stack: Any, held: dict[str, str]) -> None:
        self.account = Account.from_key(held["private_key"])
        self._stack = stack
        self.token = stack.sign_in(held)
        self._node = stack.chains[0]["rpc_url"]

    def rpc(self, method: str, *params: Any) -> Any:
        answer = httpx.post(self._node, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, transaction: dict[str, Any]) -> None:
        """Add nonce and fees to what the API gave, sign it, send it, and wait until it is mined."""
        fields = {name: value for name, value in transaction.items() if name != "description"}
        nonce = int(self.rpc("eth_getTransactionCount", self.account.address, "pending"), 16)
        fees = {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9}
        signed = self.account.sign_transaction({**fields, **fees, "nonce": nonce})
        hashed = self.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
        receipt = eventually(lambda: self.rpc("eth_getTransactionReceipt", hashed), what="a receipt")
        assert receipt["status"] == "0x1"

    def call(self, to: str, data: bytes) -> None:
        """Call a contract and wait until that is mined."""
        chain_id = self._stack.chains[0]["chain_id"]
        self.send({"to": to, "data": "0x" + data.hex(), "value": 0, "chainId": chain_id, "gas": 200_000})

    def mint(self, amount: int) -> None:
        """Get so many test USDC."""
        data = call_data("mint(address,uint256)", (self.account.address, amount * 10**6))
        self.call(self._stack.outputs["usdc"], data)

    def transfer(self, to: str, units: int) -> None:
        """Transfer test USDC."""
        self.call(self._stack.outputs["usdc"], call_data("transfer(address,uint256)", (to, units)))

    def ask(self, method: str, job: str, **fields: Any) -> httpx.Response:
        headers = bearer(self.token)
        if method == "POST":
            answer: httpx.Response = self._stack.http.post(
                "/api/escrow", json={"job_id": job, **fields}, headers=headers
            )
        else:
            answer = self._stack.http.request(method, "/api/escrow", params={"job_id": job}, headers=headers)
        return answer

    def status(self, job: str) -> dict[str, Any]:
        answer = self.ask("GET", job)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def wallet(stack: Any) -> Wallet:
    return Wallet(stack, account(stack, "user", 2))


@pytest.fixture
def job(stack: Any, wallet: Wallet) -> str:
    """Return a workload of the wallet."""
    return str(deploy(stack, wallet.token, {"bids": {"none": True}}).json()["deployment_id"])


def test_a_deposit_and_its_refund_signed_by_the_wallet(stack: Any, wallet: Wallet, job: str) -> None:
    before = wallet.status(job)
    assert (before["escrow"], before["token"]) == (stack.outputs["escrow"], stack.outputs["usdc"])
    assert before["deposited"] == "0.000000"
    answer = wallet.ask("POST", job, amount="25.5")
    assert answer.status_code == 200, answer.text
    approve, deposit = answer.json()["transactions"]
    assert (approve["to"], deposit["to"]) == (stack.outputs["usdc"], stack.outputs["escrow"])
    wallet.send(approve)
    wallet.send(deposit)
    after = wallet.status(job)
    assert (after["deposited"], after["refundable"]) == ("25.500000", "25.500000")
    assert float(before["balance"]) - float(after["balance"]) == pytest.approx(25.5)
    assert after["block_number"] > before["block_number"]
    refund = wallet.ask("DELETE", job)
    assert refund.status_code == 200, refund.text
    (transaction,) = refund.json()["transactions"]
    wallet.send(transaction)
    ended = wallet.status(job)
    assert (ended["refunded"], ended["refundable"], ended["balance"]) == ("25.500000", "0.000000", before["balance"])
    again = wallet.ask("DELETE", job)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")


def test_a_deposit_by_permit_is_paid_out_by_the_operator_and_the_rest_refunded(
    stack: Any, wallet: Wallet, job: str
) -> None:
    offer = wallet.ask("POST", job, amount="10").json()["permit"]
    signature = Account.sign_typed_data(wallet.account.key, full_message=offer["typed_data"]).signature.to_0x_hex()
    permit = {"deadline": offer["deadline"], "signature": signature}
    answer = wallet.ask("POST", job, amount="10", permit=permit)
    assert answer.status_code == 200, answer.text
    (transaction,) = answer.json()["transactions"]
    wallet.send(transaction)
    operator = Wallet(stack, account(stack, "operator"))
    payee = "0x" + keccak256(uuid.uuid4().bytes)[:20].hex()
    key = uuid.UUID(job).bytes + bytes(16)
    release = call_data("release(bytes32,address,address,uint256)", (key, wallet.account.address, payee, 4_000_000))
    chain_id = stack.chains[0]["chain_id"]
    to = stack.outputs["escrow"]
    operator.send({"to": to, "data": "0x" + release.hex(), "value": 0, "gas": 200_000, "chainId": chain_id})
    status = wallet.status(job)
    assert (status["deposited"], status["released"], status["refundable"]) == ("10.000000", "4.000000", "6.000000")
    wallet.send(wallet.ask("DELETE", job).json()["transactions"][0])
    assert wallet.status(job)["refunded"] == "6.000000"


def test_what_the_wallet_does_not_have_is_asked_for_before_anything_is_signed(wallet: Wallet, job: str) -> None:
    refused = wallet.ask("POST", job, amount="100000000")
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "PAYMENT_REQUIRED")
    malformed = wallet.ask("POST", job, amount="0.0000001")
    assert (malformed.status_code, malformed.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
