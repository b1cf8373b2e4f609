"""Models and their tokens through HTTP, against the template as it is deployed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from eth_account import Account
from web3 import Web3
from web3.exceptions import ContractCustomError

from tests.stack.launches import Token, account, bearer, ended, launch, new_model
from tests.support.waiting import eventually

VERIFIED_SECONDS = 200


@pytest.fixture(scope="module")
def contributor(stack: Any) -> dict[str, str]:
    return account(stack, "user", 3)


@pytest.fixture(scope="module")
def chain(stack: Any) -> Web3:
    return Web3(Web3.HTTPProvider(stack.chains[0]["rpc_url"]))


def _model(stack: Any, token: Token, model_id: str) -> Any:
    return stack.http.get(f"/api/models/{model_id}", headers=bearer(token))


def test_a_user_chooses_a_model_and_sees_its_token(
    stack: Any, admin: Token, contributor: dict[str, str], owner: str, user: Token
) -> None:
    token = stack.sign_in(contributor)
    validated = new_model(stack, admin, owner, contributors=[contributor["address"]])
    rejected = new_model(stack, admin, contributor["address"], state="rejected")
    listed = stack.http.get("/api/models?limit=100", headers=bearer(token)).json()["models"]
    found = {model["model_id"]: model for model in listed}
    assert set(found) == {validated, rejected}
    assert found[validated]["refusals"] == []
    assert [refusal["code"] for refusal in found[rejected]["refusals"]] == ["MODEL_NOT_VALIDATED"]
    assert found[validated]["owner"] == owner

    accepted = launch(stack, token, validated, contributor["address"]).json()
    status = ended(stack, token, accepted["deployment_id"])
    assert status["status"] == "completed", status
    model = _model(stack, token, validated).json()
    assert model["token"] == {
        "address": status["token_address"],
        "symbol": status["token_symbol"],
        "deployment_id": accepted["deployment_id"],
    }
    assert [refusal["code"] for refusal in model["refusals"]] == ["TOKEN_EXISTS"]
    assert _model(stack, user, validated).json()["token"] == model["token"]
    again = launch(stack, user, validated, owner)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "TOKEN_EXISTS")
    assert again.json()["error"]["details"]["token_address"] == status["token_address"]

    _is_there_for_anyone(stack, status, validated)
    stranger = stack.sign_in(account(stack, "user", 5))
    assert _model(stack, stranger, validated).status_code == 404
    everything = _pages(stack, admin)
    assert {validated, rejected} <= {model["model_id"] for model in everything}


def test_an_owner_launches_a_supply_mints_as_the_steward_and_calls_the_verified_token(
    stack: Any, admin: Token, owner: str, user: Token, chain: Web3
) -> None:
    model_id = new_model(stack, admin, owner)
    chosen = next(model for model in _pages(stack, user) if model["model_id"] == model_id)
    assert (chosen["token"], chosen["refusals"]) == (None, [])
    holders = {Web3.to_checksum_address(f"0x{number:040x}"): number for number in (17, 18, 19)}
    allocations = [{"address": address, "amount": f"{number}.25"} for address, number in holders.items()]
    supply = {"initial_supply": "1000000.5", "max_supply": "2000000", "allocations": allocations}
    body = {"model_id": model_id, "user_address": owner, **supply}
    estimate = stack.http.post("/api/deployments/estimate", json=body, headers=bearer(user)).json()
    assert estimate["refusals"] == []
    answer = launch(stack, user, model_id, owner, **supply)
    assert answer.status_code == 202, answer.text
    deployment_id = answer.json()["deployment_id"]
    status = ended(stack, user, deployment_id)
    assert status["status"] == "completed", status
    assert int(status["total_cost"]) <= int(answer.json()["estimated_gas_cost"])
    assert chain.eth.get_transaction_receipt(status["allocation_tx_hash"])["status"] == 1

    path = f"/api/tokens/{status['token_address']}"
    token = chain.eth.contract(address=status["token_address"], abi=stack.http.get(f"{path}/abi").json())
    held: dict[str, int] = {address: number * 10**18 + 25 * 10**16 for address, number in holders.items()}
    held[owner] = 1_000_000 * 10**18 + 5 * 10**17 - sum(held.values())
    assert {address: token.functions.balanceOf(address).call() for address in held} == held
    assert token.functions.owner().call().lower() == stack.outputs["token_manager"].lower()

    wanted = {"to": next(iter(holders)), "amount": "5", "chain_id": 31337}
    strangers = stack.sign_in(account(stack, "user", 1))
    assert stack.http.post(f"{path}/mint", json=wanted, headers=bearer(strangers)).status_code == 403
    over = stack.http.post(f"{path}/mint", json={**wanted, "amount": "999999.6"}, headers=bearer(user))
    assert (over.status_code, over.json()["error"]["code"]) == (422, "MAX_SUPPLY_EXCEEDED")
    minted = stack.http.post(f"{path}/mint", json=wanted, headers=bearer(user))
    assert minted.status_code == 200, minted.text
    (unsigned,) = minted.json()["transactions"]
    unsigned.pop("description")
    # As the deployer, whose key is Slipway's: the chain refuses it.
    deployer = chain.eth.get_transaction(status["deployment_tx_hash"])["from"]
    with pytest.raises(ContractCustomError):
        chain.eth.call({"from": deployer, "to": unsigned["to"], "data": unsigned["data"]})
    wallet = next(entry for entry in stack.accounts if entry["address"] == owner)
    signed = Account.sign_transaction(
        {
            **unsigned,
            "value": 0,
            "nonce": chain.eth.get_transaction_count(Web3.to_checksum_address(owner)),
            "maxFeePerGas": 100 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        },
        wallet["private_key"],
    )
    hashed = chain.eth.send_raw_transaction(signed.raw_transaction)
    assert chain.eth.wait_for_transaction_receipt(hashed, timeout=30)["status"] == 1
    assert token.functions.totalSupply().call() == 1_000_005 * 10**18 + 5 * 10**17

    shown = _until_verified(lambda: stack.http.get(path).json())
    assert (shown["total_supply"], shown["max_supply"], shown["steward"]) == ("1000005.5", "2000000", owner)
    assert [part["purpose"] for part in shown["transactions"]] == ["deploy", "register", "distribute"]
    (url,) = shown["verification"]["urls"]
    assert httpx.get(url).json()["match"] == "exact_match"
    launched = stack.http.get(f"/api/deployments/{deployment_id}/status", headers=bearer(user)).json()
    assert launched["verification"] == shown["verification"]


def test_the_source_of_a_builds_contract_is_verified(stack: Any) -> None:
    token = stack.sign_in(account(stack, "user", 4))
    body = {"prompt": "An ERC-20 token named Proof with symbol PRF and a supply of 1000", "chains": [31337]}
    accepted = stack.http.post("/api/v1/builds", json=body, headers=bearer(token))
    assert accepted.status_code in (200, 201, 202), accepted.text
    path = f"/api/v1/builds/{accepted.json()['build_id']}"

    def deployment() -> Any:
        found = stack.http.get(path, headers=bearer(token)).json()
        assert found["status"] != "failed", found
        return (found["deployments"] or [{}])[0]

    found = _until_verified(deployment)
    assert found["status"] == "deployed"
    assert httpx.get(found["verification"]["urls"][0]).json()["match"] == "exact_match"


def _until_verified(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Wait for the verification of what is read, which must end well: reconcile does it, each minute."""

    def is_over(found: dict[str, Any]) -> bool:
        verification: dict[str, Any] = found.get("verification") or {"status": "pending"}
        return bool(verification["status"] != "pending")

    found = eventually(read, is_over, within=VERIFIED_SECONDS, every=0.5)
    assert found["verification"]["status"] == "verified", found
    return found


def _is_there_for_anyone(stack: Any, status: dict[str, Any], model_id: str) -> None:
    address = status["token_address"]
    found = stack.http.get(f"/api/tokens/{address}")
    assert found.status_code == 200, found.text
    token = found.json()
    assert (token["address"], token["model_id"], token["symbol"]) == (address, model_id, status["token_symbol"])
    assert [part["purpose"] for part in token["transactions"]][:2] == ["deploy", "register"]
    abi = stack.http.get(f"/api/tokens/{address}/abi").json()
    web3 = Web3(Web3.HTTPProvider(stack.chains[0]["rpc_url"]))
    contract = web3.eth.contract(address=address, abi=abi)
    assert contract.functions.symbol().call() == token["symbol"]
    assert contract.functions.owner().call() == token["owner"]
    assert contract.functions.totalSupply().call() == int(float(token["total_supply"]) * 10**18)
    source = stack.http.get(f"/api/tokens/{address}/metadata").json()
    assert "contracts/HokusaiToken.sol" in source["sources"]
    assert stack.http.get(f"/api/tokens/{stack.outputs['token_manager']}").status_code == 404


def _pages(stack: Any, token: Token) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    parameters = {"limit": "5"}
    while True:
        page = stack.http.get("/api/models", params=parameters, headers=bearer(token)).json()
        found += page["models"]
        if page["next_cursor"] is None:
            return found
        parameters["cursor"] = page["next_cursor"]
