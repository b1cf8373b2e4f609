"""Whatever dies or refuses on the way, a launch ends once: one token, contiguous nonces, a status that is true."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from slipway.chain.contracts import load
from slipway.tokens import calls
from tests.faults.audits import FINAL
from tests.faults.boundaries import WHENS, together_and_alone
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack, _text
from tests.support.waiting import eventually, unchanged

WORKFLOW = "token_deploy"
# Cut on the way of a launch that nothing else happens to.
ON_THE_WAY = ("token_deploy:check", "sign:launch", "token_deploy:broadcast", "token_deploy:confirm")
# The others are cut where a launch goes only when the chain is slow or out of time, or something is wrong.
IN_DEPLOYMENT = (*ON_THE_WAY, "bump:launch", "cancel:launch", "token_deploy:give_up")
IN_REGISTRATION = ("Resume",)
LOOKING, CLOSING = (
    ("Find", "FindLaunches", "ReconcileJob"),
    ("FindSigners", "InspectSigner", "close:nonce", "BroadcastNonce"),
)
VERIFYING = ("FindVerifications", "VerifySource")
IN_RECONCILE = (*LOOKING, *CLOSING, *VERIFYING)


# AWS refuses a call, or does it and is not heard.
REFUSED = (
    ("sign:launch", "throttle:kms.Sign"),
    ("sign:launch", "conflict"),
    ("sign:launch", "throttle:any.BatchGetItem"),
    ("token_deploy:check", "conflict"),
    ("token_deploy:check", "throttle:any.GetItem"),
    ("token_deploy:confirm", "conflict"),
    # It has a place in the line for the nonce, and will never be served.
    ("sign:launch", "die:UpdateItem"),
    # Written, and nobody was told.
    ("sign:launch", "die:TransactWriteItems"),
    ("token_deploy:broadcast", "die:UpdateItem"),
    ("token_deploy:confirm", "die:TransactWriteItems"),
)
POINTS = [*((name, when) for name in ON_THE_WAY for when in WHENS), *REFUSED, ("twice", "")]


@pytest.fixture(scope="module")
def cut(running: FaultyStack) -> dict[tuple[str, str], str]:
    """Return a launch for each point on the way, all at once, each with its own fault."""
    placed = {}
    for name, how in POINTS:
        placed[name, how] = deployment_id = running.place(start=False, supply=True)
        if how:
            running.inject(name, how if how in WHENS else "before", "kill" if how in WHENS else how, deployment_id)
    twice = placed["twice", ""]

    def start(deployment_id: str) -> None:
        running.start(deployment_id)
        if deployment_id == twice:
            running.start(deployment_id, again=True)

    running.follow(placed.values(), start, FINAL)
    return placed


@pytest.mark.parametrize(("name", "how"), POINTS)
def test_a_fault_on_the_way(running: FaultyStack, cut: dict[tuple[str, str], str], name: str, how: str) -> None:
    """A kill at a boundary, an answer of AWS that is a refusal or is not heard, or a second execution.

    The last is what a redrive, or a reconcile that is wrong about an execution's death, comes to.
    """
    deployment_id = cut[name, how]
    running.wait_for(deployment_id, FINAL)
    assert running.waits_for(deployment_id) == [], "the fault did not trigger"
    running.assert_launched_once(deployment_id)


def test_launches_with_faults_left_no_gap(running: FaultyStack, cut: dict[tuple[str, str], str]) -> None:
    running.assert_nonces_are_contiguous()


@contextmanager
def mining_stopped(stack: FaultyStack) -> Iterator[None]:
    stack.anvil("evm_setIntervalMining", 0)
    stack.tally.did("chain mines nothing", workflow=WORKFLOW)
    try:
        yield
    finally:
        stack.anvil("evm_setIntervalMining", 1)


def _is_known(stack: FaultyStack, transaction_hash: str | None) -> Any:
    """Return what the node holds of a transaction, mined or not."""
    if not transaction_hash:
        return None
    return stack.chain.provider.make_request("eth_getTransactionByHash", [transaction_hash])["result"]  # type: ignore[arg-type]


def pending(stack: FaultyStack, transaction_hash: str | None) -> bool:
    """Whether the node holds the transaction and has not mined it."""
    found = _is_known(stack, transaction_hash)
    return bool(found) and found["blockHash"] is None


@contextmanager
def registration_awaited(stack: FaultyStack, *, supply: bool = True) -> Iterator[str]:
    """Yield a launch whose token is there for good and whose registration no node takes, nor what follows.

    Nothing else is mined meanwhile.
    """
    with mining_stopped(stack):
        deployment_id = stack.place(supply=supply)
        awaited = ["registry_tx_hash", *(["allocation_tx_hash"] if supply else [])]
        for name in ("deployment_tx_hash", *awaited):
            eventually(partial(_in_pool, stack, deployment_id, name), within=PATIENCE_SECONDS)
        # It went out as a block took the creation alone, and was forgotten.
        stack.misbehave(("eth_sendRawTransaction", "503", 10_000))
        for name in reversed(awaited):
            stack.anvil("anvil_dropTransaction", stack.deployment(deployment_id)[name])
        for _ in range(3):
            stack.anvil("evm_mine")
        stack.wait_for(deployment_id, {"registering"})
        yield deployment_id


def _in_pool(stack: FaultyStack, deployment_id: str, name: str, *, instead_of: str | None = None) -> str | None:
    found = stack.deployment(deployment_id).get(name)
    return str(found) if found != instead_of and pending(stack, found) else None


def _until_bumped(stack: FaultyStack, placed: list[str], name: str) -> None:
    """Wait until each launch's transaction lies in the pool, and then another one in its place."""
    first = {one: eventually(partial(_in_pool, stack, one, name), within=PATIENCE_SECONDS) for one in placed}
    for one in placed:
        eventually(partial(_in_pool, stack, one, name, instead_of=first[one]), within=PATIENCE_SECONDS)


def _until_called_off(stack: FaultyStack, placed: list[str], name: str) -> None:
    """Let the launches' time be over when their transactions lie in the pool; wait until others are in their place."""
    for one in placed:
        eventually(partial(_in_pool, stack, one, name), within=PATIENCE_SECONDS)
        stack.change(one, deadline=_text(time.time()))
    for one in placed:
        eventually(partial(_in_pool, stack, one, name), lambda found: not found, within=PATIENCE_SECONDS)


def _started_with_kills(stack: FaultyStack, boundary: str) -> tuple[list[str], list[Path]]:
    """Return a launch that will be killed before the boundary and one after it, and their faults."""
    placed = [stack.place(start=False, supply=True) for _ in WHENS]
    faults = [stack.inject(boundary, when, "kill", one) for when, one in zip(WHENS, placed, strict=True)]
    for deployment_id in placed:
        stack.start(deployment_id)
    return placed, faults


def _assert_each_launched_once(stack: FaultyStack, placed: list[str]) -> None:
    for deployment_id in placed:
        stack.assert_launched_once(deployment_id)
    stack.assert_nonces_are_contiguous()


def test_killed_while_stuck_deployments_are_bumped(stack: FaultyStack) -> None:
    with mining_stopped(stack):
        placed, faults = _started_with_kills(stack, "bump:launch")
        _until_bumped(stack, placed, "deployment_tx_hash")
    assert not any(fault.exists() for fault in faults)
    _assert_each_launched_once(stack, placed)


@pytest.mark.parametrize("when", WHENS)
def test_killed_while_a_stuck_registration_is_bumped(stack: FaultyStack, when: str) -> None:
    with registration_awaited(stack) as deployment_id:
        first = stack.deployment(deployment_id)["registry_tx_hash"]
        fault = stack.inject("bump:launch", when, "kill", deployment_id)
        stack.misbehave()
        eventually(
            lambda: _in_pool(stack, deployment_id, "registry_tx_hash", instead_of=first), within=PATIENCE_SECONDS
        )
    assert not fault.exists()
    _assert_each_launched_once(stack, [deployment_id])


def test_killed_while_deployments_are_called_off(stack: FaultyStack) -> None:
    with mining_stopped(stack):
        placed, faults = _started_with_kills(stack, "cancel:launch")
        _until_called_off(stack, placed, "deployment_tx_hash")
        assert not any(fault.exists() for fault in faults)
    for deployment_id in placed:
        stack.tally.expect(deployment_id, "failed", "DEPLOYMENT_FAILED")
        item = stack.wait_for(deployment_id, FINAL)
        assert (item["status"], item["error_code"]) == ("failed", "DEPLOYMENT_FAILED"), item
        assert stack.tokens(deployment_id) == []
        assert "Item" not in stack.jobs.get_item(Key={"pk": f"MODEL#{item['model_id']}", "sk": "LOCK"})
    stack.assert_nonces_are_contiguous()


def _failed_half_done(stack: FaultyStack, when: str) -> tuple[str, Path]:
    """Return a launch that failed with its token on chain and its registration open, as the function was killed."""
    with registration_awaited(stack) as deployment_id:
        fault = stack.inject("token_deploy:give_up", when, "kill", deployment_id)
        stack.change(deployment_id, deadline="2020-01-01T00:00:00.000Z")
        item = stack.wait_for(deployment_id, {"failed"})
        stack.misbehave()
    assert item["error_code"] == "DEPLOYMENT_FAILED", item
    eventually(lambda: not fault.exists(), within=PATIENCE_SECONDS)
    # The token exists, so the model is not free for a second one.
    assert stack.tokens(deployment_id) == [item["token_address"]]
    assert "Item" in stack.jobs.get_item(Key={"pk": f"MODEL#{item['model_id']}", "sk": "LOCK"})
    return deployment_id, fault


@pytest.mark.parametrize("when", WHENS)
def test_a_launch_that_failed_half_done_is_taken_up_again_by_reconcile(stack: FaultyStack, when: str) -> None:
    deployment_id, _ = _failed_half_done(stack, when)
    if stack.deployment(deployment_id)["status"] == "failed":
        _overdue(stack, deployment_id)
        stack.reconcile()
    eventually(lambda: stack.deployment(deployment_id)["status"] == "completed", within=PATIENCE_SECONDS)
    _assert_each_launched_once(stack, [deployment_id])


@pytest.mark.parametrize("when", WHENS)
def test_killed_while_an_operator_takes_a_launch_up_again(stack: FaultyStack, when: str) -> None:
    deployment_id, _ = _failed_half_done(stack, when)
    fault = stack.inject("Resume", when, "kill", deployment_id)
    stack.machines.start_execution(
        stateMachineArn=stack.outputs["TokenRegisterArn"], input=json.dumps({"deployment_id": deployment_id})
    )
    stack.tally.went_through("token_register", deployment_id)
    eventually(lambda: stack.deployment(deployment_id)["status"] == "completed", within=PATIENCE_SECONDS)
    assert not fault.exists()
    _assert_each_launched_once(stack, [deployment_id])


@pytest.mark.parametrize("when", WHENS)
def test_killed_while_a_launch_that_was_registered_by_somebody_else_is_completed(stack: FaultyStack, when: str) -> None:
    with registration_awaited(stack, supply=False) as deployment_id:
        item = stack.deployment(deployment_id)
        terms = calls.Terms.of(item["wallet"], None, None, [])
        token = item["token_address"]
        call = calls.registration(stack.outputs["model_registry"], item["model_id"], token, terms).call()
        administrator = next(entry["address"] for entry in stack.described["accounts"] if entry["role"] == "admin")
        registry = stack.chain.eth.contract(
            address=Web3.to_checksum_address(stack.outputs["model_registry"]), abi=load("ModelRegistry").abi
        )
        registry.functions.grantRole(registry.functions.REGISTRAR_ROLE().call(), administrator).transact(
            {"from": administrator}
        )
        stack.anvil("evm_mine")
        stack.anvil("eth_sendTransaction", {"from": administrator, "to": call.to, "data": "0x" + call.data.hex()})
        stack.anvil("evm_mine")
        eventually(lambda: stack.registered(deployment_id), within=PATIENCE_SECONDS)
        fault = stack.inject("token_deploy:confirm", when, "kill", deployment_id)
        stack.misbehave()
    stack.tally.expect(deployment_id, "completed")
    item = stack.wait_for(deployment_id, FINAL)
    eventually(lambda: not fault.exists(), within=PATIENCE_SECONDS)
    assert item["status"] == "completed", item
    assert "registry_block" not in item, "this registration had no effect"
    assert stack.tokens(deployment_id) == [stack.registered(deployment_id)] == [item["token_address"]]
    stack.assert_nonces_are_contiguous()


@pytest.mark.parametrize("when", WHENS)
def test_killed_while_a_failure_is_recorded(stack: FaultyStack, when: str) -> None:
    deployment_id = stack.place(state="rejected", start=False)
    fault = stack.inject("token_deploy:give_up", when, "kill", deployment_id)
    stack.start(deployment_id)
    stack.tally.expect(deployment_id, "failed", "MODEL_NOT_VALIDATED")
    item = stack.wait_for(deployment_id, FINAL)
    eventually(lambda: not fault.exists(), within=PATIENCE_SECONDS)
    assert (item["status"], item["error_code"]) == ("failed", "MODEL_NOT_VALIDATED")
    told = stack.jobs.query(
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": item["pk"], ":prefix": "EVENT#"},
    )["Items"]
    assert [event["event"] for event in told].count("failed") == 1
    assert "Item" not in stack.jobs.get_item(Key={"pk": f"MODEL#{item['model_id']}", "sk": "LOCK"})


def _overdue(stack: FaultyStack, deployment_id: str) -> None:
    stack.change(deployment_id, open_until="2020-01-01T00:00:00.000Z")


def test_executions_that_are_stopped_before_and_after_their_token_is_there_are_started_again(
    stack: FaultyStack,
) -> None:
    before = stack.place()
    stack.wait_for(before, {"deploying"})
    # What is signed and not sent would hold up the other launch, if that has the same account.
    eventually(
        lambda: stack.deployment(before),
        lambda item: all(_is_known(stack, item.get(name)) for name in ("deployment_tx_hash", "registry_tx_hash")),
        within=PATIENCE_SECONDS,
    )
    assert stack.stop("TokenDeployArn", before)
    with registration_awaited(stack) as after:
        assert stack.stop("TokenDeployArn", after)
        stack.misbehave()
    for deployment_id in (before, after):
        stack.tally.did("stop", job_id=deployment_id)
        _overdue(stack, deployment_id)
    stack.reconcile()
    _assert_each_launched_once(stack, [before, after])


@pytest.mark.parametrize("kills", together_and_alone(*LOOKING))
def test_reconcile_is_killed_while_it_looks_for_a_launch_that_never_began(
    stack: FaultyStack, kills: list[tuple[str, str]]
) -> None:
    deployment_id = stack.place(start=False)
    _overdue(stack, deployment_id)
    faults = [stack.inject(*kill) for kill in kills]
    stack.reconcile()
    assert not any(fault.exists() for fault in faults)
    stack.assert_launched_once(deployment_id)


@pytest.mark.parametrize("kills", together_and_alone(*VERIFYING))
def test_reconcile_is_killed_while_it_verifies_a_source(stack: FaultyStack, kills: list[tuple[str, str]]) -> None:
    deployment_id = stack.place()
    stack.assert_launched_once(deployment_id)
    faults = [stack.inject(*kill) for kill in kills]
    stack.reconcile()
    assert not any(fault.exists() for fault in faults)
    status = eventually(
        lambda: json.loads(stack.deployment(deployment_id)["verification"])["status"],
        lambda status: status != "pending",
        within=PATIENCE_SECONDS,
        meanwhile=stack.reconcile,
    )
    assert status == "verified"
    stack.assert_launched_once(deployment_id)


def test_runs_of_reconcile_that_overlap_start_each_launch_once(stack: FaultyStack) -> None:
    """What a schedule that starts twice, and a run that outlasts a minute, come to."""
    placed = [stack.place(start=False) for _ in range(3)]
    for deployment_id in placed:
        _overdue(stack, deployment_id)
    faults = [stack.inject("ReconcileJob", when) for when in WHENS]
    stack.tally.did("started twice", workflow="reconcile")
    with ThreadPoolExecutor(3) as threads:
        for run in [threads.submit(stack.reconcile) for _ in placed]:
            run.result()
    assert not any(fault.exists() for fault in faults)
    _assert_each_launched_once(stack, placed)


@pytest.mark.parametrize("kills", together_and_alone(*CLOSING))
def test_reconcile_is_killed_while_it_closes_a_gap(stack: FaultyStack, kills: list[tuple[str, str]]) -> None:
    stack.assert_nonces_are_contiguous()
    used = [
        (address, item)
        for address in stack.deployers
        if (item := stack.control.get_item(Key={"pk": f"SIGNER#31337#{address}", "sk": "NONCE"}).get("Item"))
    ]
    address, item = used[0]
    stack.control.update_item(
        Key={"pk": item["pk"], "sk": "NONCE"},
        UpdateExpression="SET next_nonce = :next",
        ExpressionAttributeValues={":next": item["next_nonce"] + 2},
    )
    faults = [stack.inject(*kill) for kill in kills]
    stack.reconcile()
    assert not any(fault.exists() for fault in faults)
    stack.assert_nonces_are_contiguous()
    stored = stack.control.get_item(Key={"pk": f"SIGNER#31337#{address}", "sk": "NONCE"})["Item"]
    assert stored["next_nonce"] == item["next_nonce"] + 2, "a nonce that was given out must not be taken back"


def test_an_account_that_was_used_elsewhere(stack: FaultyStack) -> None:
    deployment_id = stack.place()
    stack.assert_launched_once(deployment_id)
    address = next(
        address
        for address in stack.deployers
        if stack.control.get_item(Key={"pk": f"SIGNER#31337#{address}", "sk": "NONCE"}).get("Item")
    )
    stack.anvil("anvil_impersonateAccount", address)
    sent = stack.anvil("eth_sendTransaction", {"from": address, "to": address, "value": "0x0"})
    stack.tally.did("nonce used externally", workflow=WORKFLOW)
    stack.anvil("anvil_stopImpersonatingAccount", address)
    eventually(lambda: _is_known(stack, sent)["blockHash"], within=PATIENCE_SECONDS, what="it is mined")
    stack.reconcile()
    stack.assert_nonces_are_contiguous()
    stack.assert_launched_once(stack.place())


NODE = [
    ("eth_sendRawTransaction", "timeout", 1),
    ("eth_sendRawTransaction", "lost", 1),
    ("eth_sendRawTransaction", "429", 12),
    ("eth_sendRawTransaction", "forget", 2),
    ("eth_sendRawTransaction", "error:already known", 2),
    ("eth_sendRawTransaction", "error:nonce too low", 2),
    ("eth_sendRawTransaction", "error:replacement transaction underpriced", 2),
    ("eth_getTransactionReceipt", "429", 12),
]
# Of the same kinds; each is tried alone by `make faults`.
MORE_NODE = [
    ("eth_sendRawTransaction", "503", 12),
    ("eth_sendRawTransaction", "500", 2),
    ("eth_sendRawTransaction", "empty", 2),
    ("eth_sendRawTransaction", "error:insufficient funds for gas * price + value", 1),
    ("eth_getTransactionReceipt", "timeout", 1),
    ("eth_feeHistory", "503", 12),
    ("eth_estimateGas", "429", 12),
    ("eth_getBlockByNumber", "500", 4),
]


@pytest.mark.long
@pytest.mark.parametrize(("method", "action", "left"), [*NODE, *MORE_NODE], ids=lambda value: str(value))
def test_a_node_that_misbehaves(stack: FaultyStack, method: str, action: str, left: int) -> None:
    stack.misbehave((method, action, left))
    deployment_id = stack.place()
    stack.assert_launched_once(deployment_id)
    assert stack.misbehaved(), "the fault did not trigger"
    stack.misbehave()
    stack.assert_nonces_are_contiguous()


def test_a_node_that_misbehaves_in_every_way(stack: FaultyStack) -> None:
    """The same faults among several launches, so that each meets some of them."""
    stack.misbehave(*NODE)
    placed = [stack.place() for _ in range(6)]
    for deployment_id in placed:
        stack.assert_launched_once(deployment_id)
    assert stack.misbehaved(), "not every fault triggered"
    stack.assert_nonces_are_contiguous()


def test_a_node_that_forgets_its_pool(stack: FaultyStack) -> None:
    with mining_stopped(stack):
        deployment_id = stack.place()
        eventually(
            lambda: pending(stack, stack.deployment(deployment_id).get("deployment_tx_hash")), within=PATIENCE_SECONDS
        )
        stack.anvil("anvil_dropTransaction", stack.deployment(deployment_id)["deployment_tx_hash"])
        stack.tally.did("chain forgets its pool", workflow=WORKFLOW)
    stack.assert_launched_once(deployment_id)
    stack.assert_nonces_are_contiguous()


def test_a_reorganisation_that_removes_a_mined_transaction(stack: FaultyStack) -> None:
    with mining_stopped(stack):
        deployment_id = stack.place()
        eventually(
            lambda: pending(stack, stack.deployment(deployment_id).get("deployment_tx_hash")), within=PATIENCE_SECONDS
        )
        stack.anvil("evm_mine")
        mined = stack.deployment(deployment_id)["deployment_tx_hash"]
        assert stack.chain.eth.get_transaction_receipt(mined)["status"] == 1
        stack.anvil("anvil_reorg", 1, [])
        stack.tally.did("chain reorganised", workflow=WORKFLOW)
        assert stack.chain.provider.make_request("eth_getTransactionReceipt", [mined])["result"] is None  # type: ignore[arg-type]
    stack.assert_launched_once(deployment_id)
    stack.assert_nonces_are_contiguous()


def test_a_fee_spike_past_the_cap_and_back(stack: FaultyStack) -> None:
    stack.anvil("anvil_setNextBlockBaseFeePerGas", hex(250 * 10**9))
    stack.tally.did("chain fee spike", workflow=WORKFLOW)
    eventually(
        lambda: stack.chain.eth.get_block("latest")["baseFeePerGas"],
        lambda fee: fee > 200 * 10**9,
        within=PATIENCE_SECONDS,
        every=0.05,
    )
    deployment_id = stack.place()
    item = stack.assert_launched_once(deployment_id)
    assert int(item["deployment_gas_price"]) < 200 * 10**9
    stack.assert_nonces_are_contiguous()


def test_an_account_without_funds_is_passed_over(stack: FaultyStack) -> None:
    # The last account is of builds.
    *empty, funded = stack.deployers[:-1]
    balances = {address: stack.chain.eth.get_balance(Web3.to_checksum_address(address)) for address in empty}
    for address in empty:
        stack.anvil("anvil_setBalance", address, "0x0")
        stack.tally.did("account without funds", workflow=WORKFLOW)
    try:
        item = stack.assert_launched_once(stack.place())
        assert stack.chain.eth.get_transaction(item["deployment_tx_hash"])["from"] == funded
    finally:
        for address, balance in balances.items():
            stack.anvil("anvil_setBalance", address, hex(balance))
    stack.assert_nonces_are_contiguous()


def test_no_account_has_funds_until_later(stack: FaultyStack) -> None:
    balances = {address: stack.chain.eth.get_balance(Web3.to_checksum_address(address)) for address in stack.deployers}
    for address in balances:
        stack.anvil("anvil_setBalance", address, "0x0")
        stack.tally.did("account without funds", workflow=WORKFLOW)
    deployment_id = stack.place()
    try:
        stack.wait_for(deployment_id, {"deploying"})
        assert not unchanged(lambda: "deployment_tx_hash" in stack.deployment(deployment_id), 2)
    finally:
        for address, balance in balances.items():
            stack.anvil("anvil_setBalance", address, hex(balance))
    stack.assert_launched_once(deployment_id)
    stack.assert_nonces_are_contiguous()
