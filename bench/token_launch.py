"""100 launches at once through the deployed template, beside the same work by a bare pipelined loop.

``python -m bench.token_launch [--launches N] [--stack .local/stack.json] [--json FILE]`` needs a running stack (`make
start`) whose first users may launch that many. First a few launches one after the other: their seconds, and what is
invoked and entered. Then all at once: seconds per launch (p50, p95), failed, stuck, duplicates, the processor time of a
transaction in the functions and, apart, in the engine, which also serves the requests, and how long the chain part
took, from the first broadcast to the last confirmation, over that of the bare loop in the same run.
"""

import argparse
import json
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import Any

import boto3
import httpx
from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3RPCError

from bench.figures import Figure, report
from bench.processor import used
from local.accounts import LocalAccount
from local.engine.server import CREDENTIALS
from local.sign_in import sign_in
from slipway.chain.contracts import load
from slipway.chain.transactions import contract_address
from slipway.control.rules import percentile
from slipway.times import from_text

# Half of what it was with two inclusions.
_TARGET_OVER_BARE_LOOP = 4.615
_TARGET_ALONE_SECONDS, _ALONE = 3.3, 5
_TARGET_INVOCATIONS, _TARGET_TRANSITIONS = 5, 10
_LAUNCH_SECONDS = 900
# 100 at once wait for each other on two cores.
_REQUEST_SECONDS = 180
_CONFIRMATIONS = 2


class Slipway:
    """The system as its users reach it, and its tables for the figures."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.http = httpx.Client(base_url=described["api"], timeout=120)
        self.accounts = [LocalAccount(**entry) for entry in described["accounts"]]
        self.api = described["api"]
        self.aws_endpoint = described["aws_endpoint"]
        self.outputs = described["outputs"]
        self.chain = Web3(Web3.HTTPProvider(described["chains"][0]["rpc_url"], {"timeout": 60}))
        engine = {
            "endpoint_url": described["aws_endpoint"],
            "region_name": described["region"],
            "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        tables = boto3.resource("dynamodb", **engine)
        self.jobs = tables.Table(self.outputs["JobsTableName"])
        self.control = tables.Table(self.outputs["ControlTableName"])
        self.machines = boto3.client("stepfunctions", **engine)

    def prepare(self, launches: int) -> list[tuple[str, str, LocalAccount]]:
        """(model id, token, owner) for each launch, validated and ready."""
        admin = sign_in(self.api, next(account for account in self.accounts if account.role == "admin"))
        users = [account for account in self.accounts if account.role == "user"][:-1]
        tokens = {user.address: sign_in(self.api, user) for user in users}
        run = uuid.uuid4().hex[:8]
        prepared = []
        for index in range(launches):
            user = users[index % len(users)]
            model_id = f"bench-{run}-{index}"
            body = {"owner": user.address, "state": "validated"}
            headers = {"authorization": f"Bearer {admin}"}
            self.http.put(f"/api/admin/models/{model_id}", json=body, headers=headers).raise_for_status()
            prepared.append((model_id, tokens[user.address], user))
        return prepared

    def launch(self, model_id: str, token: str, owner: LocalAccount) -> tuple[str, float]:
        """Request a launch as a frontend does, with one key and patience; returns its id and when it was asked."""
        headers = {"authorization": f"Bearer {token}", "idempotency-key": model_id}
        asked_at = time.time()
        while True:
            answer = self.http.post(
                "/api/deployments", json={"model_id": model_id, "user_address": owner.address}, headers=headers
            )
            if answer.status_code == httpx.codes.ACCEPTED:
                return str(answer.json()["deployment_id"]), asked_at
            if answer.status_code < 500 or time.time() - asked_at > _REQUEST_SECONDS:
                raise RuntimeError(answer.text)
            time.sleep(int(answer.headers.get("retry-after", "1")))

    def item(self, deployment_id: str) -> dict[str, Any]:
        """Return a launch as it is stored."""
        found: dict[str, Any] = self.jobs.get_item(Key={"pk": f"DEPLOYMENT#{deployment_id}", "sk": "DETAIL"})["Item"]
        return found

    def _item(self, pk: str, sk: str) -> dict[str, Any]:
        found: dict[str, Any] = self.control.get_item(Key={"pk": pk, "sk": sk})["Item"]
        return found

    def ended(self, deployment_ids: list[str]) -> list[dict[str, Any]]:
        """Return launches as they are stored once all of them have ended, or time is over."""
        ends_at = time.time() + _LAUNCH_SECONDS
        # One after the other: what asked for all of them at once would have a good part of the machine for itself.
        return [self._ended(deployment_id, ends_at) for deployment_id in deployment_ids]

    def _ended(self, deployment_id: str, ends_at: float) -> dict[str, Any]:
        while (item := self.item(deployment_id))["status"] not in ("completed", "failed") and time.time() < ends_at:
            time.sleep(0.5)
        return item

    def states_entered(self, deployment_id: str) -> tuple[int, int]:
        """Return how many functions a launch's execution invoked, and how many transitions it had."""
        arn = self.outputs["TokenDeployArn"].replace(":stateMachine:", ":execution:") + f":{deployment_id}"
        pages = self.machines.get_paginator("get_execution_history").paginate(executionArn=arn)
        kinds = [event["type"] for page in pages for event in page["events"]]
        return kinds.count("TaskStateEntered"), sum(kind.endswith("StateEntered") for kind in kinds)

    def chain_seconds(self, deployments: list[dict[str, Any]]) -> float:
        """From the first broadcast of these launches to the end of the last one."""
        began = []
        for deployment in deployments:
            intent = self._item(f"INTENT#{deployment['deployment_id']}", "deploy")
            account = f"SIGNER#{int(intent['chain_id'])}#{intent['signer']}"
            sent = self._item(account, f"TRANSACTION#{int(intent['nonce']):020d}")
            began.append(from_text(sent["broadcast_at"]).timestamp())
        return max(from_text(deployment["updated_at"]).timestamp() for deployment in deployments) - min(began)


def bare_loop(chain: Web3, key: LocalAccount, registry: str, manager: str, launches: int) -> float:
    """Sign, send and await the same pairs with one key in memory, in one inclusion; return the seconds."""
    account = chain.eth.account.from_key(key.private_key)
    token = chain.eth.contract(abi=load("HokusaiToken").abi, bytecode=load("HokusaiToken").bytecode)
    models = chain.eth.contract(address=Web3.to_checksum_address(registry), abi=load("ModelRegistry").abi)
    run = uuid.uuid4().hex[:8]
    role = models.functions.REGISTRAR_ROLE().call()
    grant = models.functions.grantRole(role, account.address).transact({"from": account.address})
    chain.eth.wait_for_transaction_receipt(grant)

    began = time.monotonic()
    first = chain.eth.get_transaction_count(account.address)
    fees = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9, "chainId": chain.eth.chain_id}

    def sign(call: Any, nonce: int, gas: int) -> Any:
        transaction = call.build_transaction({**fees, "gas": gas, "nonce": nonce})
        return account.sign_transaction(transaction).raw_transaction

    # No supply at first, and none later: as a launch that asks for none.
    terms = (account.address, 0, bytes(32))
    signed = []
    for index in range(launches):
        nonce = first + 2 * index
        created = Web3.to_checksum_address(contract_address(account.address, nonce))
        creation = token.constructor(f"Bare {index}", f"B{index}", Web3.to_checksum_address(manager))
        signed += [
            sign(creation, nonce, 1_500_000),
            sign(models.functions.register(f"bare-{run}-{index}", created, *terms), nonce + 1, 300_000),
        ]
    hashes = [chain.eth.send_raw_transaction(raw) for raw in signed]
    receipts = [_receipt(chain, sent, signed[place:]) for place, sent in enumerate(hashes)]
    assert all(receipt["status"] == 1 for receipt in receipts)
    while chain.eth.block_number < max(receipt["blockNumber"] for receipt in receipts) + _CONFIRMATIONS - 1:
        time.sleep(0.1)
    return time.monotonic() - began


def _receipt(chain: Web3, sent: Any, signed: list[Any]) -> Any:
    """Await a receipt, and send again what anvil forgets: all behind a transaction for which a block had no room."""
    ends_at = time.monotonic() + _REQUEST_SECONDS
    while time.monotonic() < ends_at:
        with suppress(TransactionNotFound):
            return chain.eth.get_transaction_receipt(sent)
        try:
            chain.eth.get_transaction(sent)
        except TransactionNotFound:
            for raw in signed:
                with suppress(Web3RPCError):
                    chain.eth.send_raw_transaction(raw)
        time.sleep(0.1)
    raise TimeoutError(sent.hex())


def main() -> int:
    """Exit status 0 when every launch was completed once and the ratio is within its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--launches", type=int, default=100)
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    slipway = Slipway(json.loads(given.stack.read_text(encoding="utf-8")))
    prepared = slipway.prepare(given.launches + _ALONE)
    alone, prepared = prepared[:_ALONE], prepared[_ALONE:]

    print("Launching one after the other …", file=sys.stderr)
    by_itself = [slipway.ended([slipway.launch(*launch)[0]])[0] for launch in alone]

    print(f"Launching {given.launches} tokens …", file=sys.stderr)
    began, before = time.time(), used(slipway.aws_endpoint)
    with ThreadPoolExecutor(given.launches) as threads:
        asked = list(threads.map(lambda launch: slipway.launch(*launch), prepared))
    items = slipway.ended([deployment_id for deployment_id, _ in asked])
    wall, spent = time.time() - began, used(slipway.aws_endpoint).since(before)
    completed = [item for item in items if item["status"] == "completed"]
    seconds = [
        from_text(item["updated_at"]).timestamp() - asked_at
        for item, (_, asked_at) in zip(items, asked, strict=True)
        if item["status"] == "completed"
    ]
    registry = slipway.chain.eth.contract(
        address=Web3.to_checksum_address(slipway.outputs["model_registry"]), abi=load("ModelRegistry").abi
    )
    registered = registry.events.TokenRegistered().get_logs(from_block=0)
    models = {model_id for model_id, _, _ in prepared}
    mine = [event for event in registered if event["args"]["modelId"] in models]
    chain_part = slipway.chain_seconds(completed)
    administrator = next(account for account in slipway.accounts if account.role == "admin")
    print("The same by a bare loop …", file=sys.stderr)
    bare = bare_loop(
        slipway.chain,
        administrator,
        slipway.outputs["model_registry"],
        slipway.outputs["token_manager"],
        given.launches,
    )
    ended = {status: sum(item["status"] == status for item in items) for status in ("completed", "failed")}
    entered = [slipway.states_entered(item["deployment_id"]) for item in by_itself]
    together = [slipway.states_entered(item["deployment_id"]) for item in items]
    # A launch's creation and its registration.
    a_transaction = 1000 / (2 * given.launches)
    figures = [
        Figure(
            "token_launch.alone_seconds",
            percentile([seconds_of(item) for item in by_itself], 50) or 0,
            _TARGET_ALONE_SECONDS,
            "s, created to completed, p50 of launches one after the other",
        ),
        Figure("token_launch.invocations", max(tasks for tasks, _ in entered), _TARGET_INVOCATIONS, "a launch alone"),
        Figure("token_launch.transitions", max(moves for _, moves in entered), _TARGET_TRANSITIONS, "a launch alone"),
        Figure(
            "token_launch.invocations_at_once", mean(tasks for tasks, _ in together), _TARGET_INVOCATIONS, "a launch"
        ),
        Figure(
            "token_launch.transitions_at_once", mean(moves for _, moves in together), _TARGET_TRANSITIONS, "a launch"
        ),
        Figure("token_launch.functions_cpu_ms", spent.functions * a_transaction, None, "ms of CPU a transaction"),
        Figure("token_launch.engine_cpu_ms", spent.engine * a_transaction, None, "ms of CPU, the engine's"),
        Figure("token_launch.engine_share", spent.engine / (spent.engine + spent.functions), None, "of both"),
        Figure("token_launch.not_completed", given.launches - ended["completed"], 0, f"of {given.launches} launches"),
        Figure("token_launch.stuck", given.launches - sum(ended.values()), 0, f"of {given.launches} launches"),
        Figure("token_launch.duplicates", len(mine) - len({event["args"]["modelId"] for event in mine}), 0, "tokens"),
        Figure("token_launch.wall_seconds", wall, None, "s, all at once"),
        Figure("token_launch.p50_seconds", percentile(seconds, 50) or 0, None, "s a launch"),
        Figure("token_launch.p95_seconds", percentile(seconds, 95) or 0, None, "s a launch"),
        *over_bare_loop("token_launch", chain_part, bare, _TARGET_OVER_BARE_LOOP),
    ]
    return 0 if report(figures, given.json) else 1


def seconds_of(item: dict[str, Any]) -> float:
    """Return the seconds from a launch's acceptance to its end."""
    return (from_text(item["updated_at"]) - from_text(item["created_at"])).total_seconds()


def over_bare_loop(name: str, chain_part: float, bare: float, target: float) -> list[Figure]:
    """How long the chain part took, in seconds, beside the bare loop's."""
    return [
        Figure(f"{name}.chain_seconds", chain_part, None, "s, first broadcast to last end"),
        Figure(f"{name}.bare_loop_seconds", bare, None, "s, the same transactions by a bare loop"),
        Figure(f"{name}.over_bare_loop", chain_part / bare, target, "times the bare loop"),
    ]


if __name__ == "__main__":
    sys.exit(main())
