"""A token's launch through HTTP, against the template as it is deployed."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from web3 import Web3

from slipway.chain.contracts import load
from tests.stack.launches import Token, account, bearer, ended, launch, new_model
from tests.support.launches import write_launch
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def chain(stack: Any) -> Web3:
    return Web3(Web3.HTTPProvider(stack.chains[0]["rpc_url"]))


def contract(chain: Web3, name: str, address: str) -> Any:
    return chain.eth.contract(address=Web3.to_checksum_address(address), abi=load(name).abi)


def test_a_validated_model_gets_a_deployed_and_registered_token(
    stack: Any, admin: Token, user: Token, owner: str, chain: Web3
) -> None:
    model_id = new_model(stack, admin, owner)
    answer = launch(stack, user, model_id, owner, token_name="My Token", token_symbol="MINE-1")
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    assert accepted["success"] is True
    assert accepted["model_id"] == model_id
    assert int(accepted["estimated_gas_cost"]) > 0
    assert accepted["estimated_confirmation_time"] > 0

    status = ended(stack, user, accepted["deployment_id"])
    assert status["status"] == "completed", status

    deployment = chain.eth.get_transaction_receipt(status["deployment_tx_hash"])
    registration = chain.eth.get_transaction_receipt(status["registry_tx_hash"])
    assert deployment["contractAddress"] == status["token_address"]
    assert deployment["status"] == registration["status"] == 1
    assert status["block_number"] == registration["blockNumber"]
    assert int(status["gas_used"]) == deployment["gasUsed"] + registration["gasUsed"]
    cost = sum(receipt["gasUsed"] * receipt["effectiveGasPrice"] for receipt in (deployment, registration))
    assert int(status["total_cost"]) == cost
    assert cost <= int(accepted["estimated_gas_cost"])

    token = contract(chain, "HokusaiToken", status["token_address"])
    assert token.functions.name().call() == "My Token"
    assert token.functions.symbol().call() == "MINE-1"
    assert token.functions.controller().call().lower() == stack.outputs["token_manager"].lower()
    registry = contract(chain, "ModelRegistry", stack.outputs["model_registry"])
    assert registry.functions.tokenOf(model_id).call() == status["token_address"]

    detail = stack.http.get(f"/api/deployments/{accepted['deployment_id']}", headers=bearer(user)).json()
    assert detail["model"]["run_id"] == "run-1"
    assert detail["model"]["metrics"] == {"accuracy": 0.93}
    assert [part["purpose"] for part in detail["transactions"]] == ["deploy", "register"]
    assert detail["open"] == []
    # Whether a look falls between the two blocks is up to the chain.
    events = [event["event"] for event in detail["events"] if event["event"] != "registering"]
    assert events == ["pending", "deploying", "signed", "signed", "completed"]


def test_defaults_and_the_token_in_the_body(stack: Any, admin: Token, user: Token, owner: str) -> None:
    model_id = new_model(stack, admin, owner)
    body = {"model_id": model_id, "user_address": owner, "auth_token": str(user)}
    answer = stack.http.post("/api/deployments", json=body)
    assert answer.status_code == 202, answer.text
    status = ended(stack, user, answer.json()["deployment_id"])
    assert status["status"] == "completed"
    assert status["token_name"] == f"Hokusai {model_id}"
    assert 1 <= len(status["token_symbol"]) <= 10


def test_a_contributor_may_launch_and_a_stranger_may_not(stack: Any, admin: Token, user: Token, owner: str) -> None:
    stranger = account(stack, "user", 1)
    mine = new_model(stack, admin, account(stack, "admin")["address"], contributors=[owner])
    theirs = new_model(stack, admin, stranger["address"])
    assert launch(stack, user, mine, owner).status_code == 202
    refused = launch(stack, user, theirs, owner)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_ten_requests_for_one_model_launch_one_token(
    stack: Any, admin: Token, user: Token, owner: str, chain: Web3
) -> None:
    model_id = new_model(stack, admin, owner)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: launch(stack, user, model_id, owner), range(10)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [202] + [409] * 9, [answer.text for answer in answers]
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} == {"TOKEN_EXISTS"}
    accepted = next(answer.json() for answer in answers if answer.status_code == 202)
    assert ended(stack, user, accepted["deployment_id"])["status"] == "completed"
    registry = contract(chain, "ModelRegistry", stack.outputs["model_registry"])
    key = Web3.keccak(text=model_id)
    assert len(registry.events.TokenRegistered().get_logs(from_block=0, argument_filters={"modelKey": key})) == 1


def test_one_idempotency_key_gives_one_launch(stack: Any, admin: Token, user: Token, owner: str) -> None:
    model_id = new_model(stack, admin, owner)
    body = {"model_id": model_id, "user_address": owner}
    headers = {**bearer(user), "idempotency-key": str(uuid.uuid4())}
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: stack.http.post("/api/deployments", json=body, headers=headers), range(5)))
    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    other = stack.http.post("/api/deployments", json={**body, "token_symbol": "OTHER"}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_MISMATCH")
    assert ended(stack, user, answers[0].json()["deployment_id"])["status"] == "completed"


def test_a_signed_in_wallet_can_replay_neither_its_message_nor_anothers_job(
    stack: Any, admin: Token, user: Token, owner: str
) -> None:
    model_id = new_model(stack, admin, owner)
    deployment_id = launch(stack, user, model_id, owner).json()["deployment_id"]
    stranger = stack.sign_in(account(stack, "user", 1))
    for path in (f"/api/deployments/{deployment_id}", f"/api/deployments/{deployment_id}/status"):
        answer = stack.http.get(path, headers=bearer(stranger))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    listed = stack.http.get("/api/deployments", headers=bearer(stranger)).json()["deployments"]
    assert deployment_id not in {entry["deployment_id"] for entry in listed}
    assert ended(stack, user, deployment_id)["status"] == "completed"
    closed = stack.http.delete(f"/api/deployments/{deployment_id}", headers=bearer(user))
    assert (closed.status_code, closed.json()["error"]["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model_id": "x" * 65}, "model_id"),
        ({"model_id": "a\u0000b"}, "model_id"),
        ({"user_address": "0x1234"}, "user_address"),
        ({"token_name": "n" * 51}, "token_name"),
        ({"token_symbol": "lower"}, "token_symbol"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_field_is_named(stack: Any, user: Token, owner: str, changes: dict[str, Any], field: str) -> None:
    body = {"model_id": "m", "user_address": owner, **changes}
    answer = stack.http.post("/api/deployments", json=body, headers=bearer(user))
    assert answer.status_code == 400, answer.text
    envelope = answer.json()
    assert envelope["success"] is False
    assert envelope["error"]["code"] == "VALIDATION_ERROR"
    assert field in {entry["field"] for entry in envelope["error"]["details"]["fields"]}
    assert envelope["request_id"]


def test_who_asks_is_judged_before_what_is_asked(stack: Any, user: Token) -> None:
    for headers, content, expected in (
        ({}, b"not json", (401, "AUTH_FAILED")),
        (bearer(user), b"not json", (400, "VALIDATION_ERROR")),
        (bearer(user), b'{"model_id": "' + b"x" * 70_000 + b'"}', (413, "PAYLOAD_TOO_LARGE")),
        (bearer(str(user)[:-4] + "AAAA"), b"{}", (401, "AUTH_FAILED")),
    ):
        answer = stack.http.post("/api/deployments", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == expected, answer.text


def test_a_model_that_is_not_launchable(stack: Any, admin: Token, user: Token, owner: str) -> None:
    unknown = launch(stack, user, "no-such-model", owner)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "MODEL_NOT_FOUND")
    registered = new_model(stack, admin, owner, state="registered")
    waiting = launch(stack, user, registered, owner)
    assert (waiting.status_code, waiting.json()["error"]["code"]) == (409, "MODEL_NOT_VALIDATED")
    estimate = stack.http.post(
        "/api/deployments/estimate", json={"model_id": registered, "user_address": owner}, headers=bearer(user)
    )
    assert estimate.status_code == 200, estimate.text
    assert [refusal["code"] for refusal in estimate.json()["refusals"]] == ["MODEL_NOT_VALIDATED"]
    assert int(estimate.json()["estimated_gas_cost"]) > 0


def test_the_fee_cap_can_be_lowered_without_a_deployment(
    stack: Any, admin: Token, user: Token, owner: str, chain: Web3
) -> None:
    model_id = new_model(stack, admin, owner)
    table = boto3.resource("dynamodb", endpoint_url=stack.aws_endpoint).Table(stack.outputs["ControlTableName"])
    key = {"pk": f"CHAIN#{chain.eth.chain_id}", "sk": "CONFIGURATION"}
    table.update_item(Key=key, UpdateExpression="SET max_fee_per_gas = :cap", ExpressionAttributeValues={":cap": 1})
    before = chain.eth.get_block_number()
    try:
        answer = launch(stack, user, model_id, owner)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "INSUFFICIENT_GAS")
        assert int(answer.headers["retry-after"]) > 0
    finally:
        table.update_item(Key=key, UpdateExpression="REMOVE max_fee_per_gas")
    configuration: dict[str, Any] = table.get_item(Key=key)["Item"]
    senders = {address.lower() for address in configuration["registrars"]}
    eth: Any = chain.eth  # Its types know no block with whole transactions.
    mined = [
        transaction["from"].lower()
        for number in range(before + 1, eth.get_block_number() + 1)
        for transaction in eth.get_block(number, full_transactions=True)["transactions"]
    ]
    assert not senders & set(mined)
    assert launch(stack, user, model_id, owner).status_code == 202


def test_plain_users_are_not_administrators(stack: Any, user: Token, owner: str) -> None:
    body = {"owner": owner, "state": "validated"}
    answer = stack.http.put("/api/admin/models/mine", json=body, headers=bearer(user))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_every_refusal_leaves_an_audit_event(stack: Any, user: Token, owner: str) -> None:
    answer = launch(stack, user, "audited-and-unknown", owner)
    assert answer.status_code == 404
    request_id = answer.json()["request_id"]
    table = boto3.resource("dynamodb", endpoint_url=stack.aws_endpoint).Table(stack.outputs["JobsTableName"])
    found = table.query(
        IndexName="by_owner",
        KeyConditionExpression="owner_key = :owner",
        ExpressionAttributeValues={":owner": f"AUDIT#{owner}"},
        ScanIndexForward=False,
    )["Items"]
    event = next(item for item in found if item.get("request_id") == request_id)
    assert event["outcome"] == "MODEL_NOT_FOUND"
    assert event["subject"] == "audited-and-unknown"
    assert event["action"] == "POST /api/deployments"
    assert event["source_ip"]


def test_a_model_that_lost_its_validation_after_the_request(stack: Any, admin: Token, user: Token, owner: str) -> None:
    """The workflow holds the launch to its conditions once more, and lets the model go for a later launch."""
    model_id = new_model(stack, admin, owner, state="rejected")
    jobs = boto3.resource("dynamodb", endpoint_url=stack.aws_endpoint).Table(stack.outputs["JobsTableName"])
    # Long before reconcile would take it up.
    deployment_id = write_launch(jobs, owner, model_id, due_in=600)
    machines = boto3.client("stepfunctions", endpoint_url=stack.aws_endpoint)
    execution = machines.start_execution(
        stateMachineArn=stack.outputs["TokenDeployArn"],
        name=deployment_id,
        input=json.dumps({"deployment_id": deployment_id}),
    )["executionArn"]
    status = ended(stack, user, deployment_id)
    assert (status["status"], status["error"]["code"]) == ("failed", "MODEL_NOT_VALIDATED")
    assert "deployment_tx_hash" not in status
    told = eventually(
        lambda: machines.describe_execution(executionArn=execution),
        lambda told: told["status"] != "RUNNING",
        every=0.2,
    )
    assert told["status"] == "SUCCEEDED"
    assert json.loads(told["output"])["status"] == "failed"

    validated = {"owner": owner, "state": "validated"}
    assert stack.http.put(f"/api/admin/models/{model_id}", json=validated, headers=bearer(admin)).status_code == 200
    again = launch(stack, user, model_id, owner)
    assert again.status_code == 202, again.text
    assert ended(stack, user, again.json()["deployment_id"])["status"] == "completed"


def test_public_keys_verify_the_tokens(stack: Any, user: Token) -> None:
    import jwt

    keys = stack.http.get("/.well-known/jwks.json").json()
    token = str(user)
    header = jwt.get_unverified_header(token)
    key = next(jwt.PyJWK(entry) for entry in keys["keys"] if entry["kid"] == header["kid"])
    claims = jwt.decode(token, key.key, algorithms=["ES256"], audience="slipway")
    assert claims["exp"] - claims["iat"] == 900
    assert set(claims) >= {"iss", "aud", "sub", "wallet", "roles", "tier", "jti"}


def test_health_and_unknown_paths(stack: Any) -> None:
    assert stack.http.get("/health").json() == {"status": "ok"}
    assert stack.http.get("/nowhere").status_code == 404


def test_state_machines_hold_no_secrets(stack: Any, admin: Token, user: Token, owner: str) -> None:
    model_id, token = new_model(stack, admin, owner), str(user)
    deployment_id = launch(stack, token, model_id, owner).json()["deployment_id"]
    assert ended(stack, user, deployment_id)["status"] == "completed"
    machines = boto3.client("stepfunctions", endpoint_url=stack.aws_endpoint)
    arn = stack.outputs["TokenDeployArn"].replace(":stateMachine:", ":execution:") + f":{deployment_id}"
    history = json.dumps(
        [page["events"] for page in machines.get_paginator("get_execution_history").paginate(executionArn=arn)],
        default=str,
    )
    assert token not in history
    assert "auth_token" not in history
