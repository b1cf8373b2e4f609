"""Looks at every job once more when a run is over: its record, and its traces on the chain, on Akash and in the table.

Each auditor tells what is wrong now. The tally asks again until nothing is, or what is under way has had its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from web3 import Web3

from tests.faults.tally import Fate, Finding, Job

if TYPE_CHECKING:
    from tests.faults.conftest import FaultyStack
    from tests.faults.stacks import Stacks
    from tests.faults.test_uptime_flush import Fleet
    from tests.faults.workloads import Workloads

FINAL = {"completed", "failed"}
SETTLED = {"active", "closed", "error"}
ENDED = {"active", "failed", "deleted"}
BUILD_ENDED = {"complete", "failed", "cancelled"}


# ── Launches ────────────────────────────────────────────────────────────────────────────────────
def launches(stack: FaultyStack, jobs: list[Job]) -> Iterator[Finding]:
    """Tokens on the chain against what the launches say, and nonces that were given out and never mined."""
    created = stack.tokens_by_name()
    for job in jobs:
        item = stack.detail(job.id)
        if item is None:
            yield job.found(Fate.LOST, "there is no such launch")
            continue
        yield from _launch(stack, job, item, created.get(item["token_name"], []))
    for address, (given, mined) in stack.nonce_gaps().items():
        yield Finding("token_deploy", address, Fate.ORPHAN, f"{given} nonces given out, {mined} mined")


def _launch(stack: FaultyStack, job: Job, item: dict[str, Any], tokens: list[str]) -> Iterator[Finding]:
    if item["status"] not in FINAL:
        yield job.found(Fate.STUCK, f"still {item['status']}")
        return
    yield from job.unexpected(item["status"], item.get("error_code"))
    if len(tokens) > 1:
        yield job.found(Fate.DUPLICATE, f"{len(tokens)} tokens")
    registered = stack.registered(job.id)
    locked = "Item" in stack.jobs.get_item(Key={"pk": f"MODEL#{item['model_id']}", "sk": "LOCK"}, ConsistentRead=True)
    if item["status"] == "completed":
        if [item["token_address"]] != tokens or registered != item["token_address"] or not locked:
            yield job.found(Fate.WRONG, f"completed with {tokens}, registered {registered}, locked {locked}")
        # A registration without a block had no effect: somebody else registered the token before.
        hashes = [item[f"{name}_tx_hash"] for name in ("deployment", "registry") if f"{name}_block" in item]
        if any(stack.chain.eth.get_transaction_receipt(one)["status"] != 1 for one in hashes):
            yield job.found(Fate.WRONG, "completed, and a transaction of it failed")
        if "initial_supply" in item and not stack.is_distributed_once(item):
            yield job.found(Fate.WRONG, "its first supply was not distributed, or not once")
    elif registered is not None or locked != bool(tokens):
        yield job.found(Fate.WRONG, f"failed with {tokens}, registered {registered}, locked {locked}")


# ── Builds ──────────────────────────────────────────────────────────────────────────────────────
def builds(stack: FaultyStack, jobs: list[Job]) -> Iterator[Finding]:
    """Yield what builds say against each chain, their progress, and nonces that were given out and never used."""
    chains = {entry["chain_id"]: Web3(Web3.HTTPProvider(entry["rpc_url"])) for entry in stack.described["chains"]}
    for job in jobs:
        items = _items(stack.jobs, f"BUILD#{job.id}")
        detail = items.get("DETAIL")
        if detail is None:
            yield job.found(Fate.LOST, "there is no such build")
        elif detail["status"] not in BUILD_ENDED:
            yield job.found(Fate.STUCK, f"still {detail['status']}")
        else:
            yield from job.unexpected(detail["status"], detail.get("error_code"))
            told = [int(item["sequence"]) for name, item in items.items() if name.startswith("UPDATE#")]
            if sorted(told) != [*range(1, int(detail["sequence"]) + 1)]:
                yield job.found(Fate.WRONG, f"told of {told}")
            for name, item in items.items():
                if name.startswith("CHAIN#"):
                    yield from _on_chain(stack, job, item, chains[int(item["chain_id"])])
    for chain_id, web3 in chains.items():
        for address in stack.deployers:
            key = {"pk": f"SIGNER#{chain_id}#{address}", "sk": "NONCE"}
            stored = stack.control.get_item(Key=key, ConsistentRead=True).get("Item")
            used = web3.eth.get_transaction_count(Web3.to_checksum_address(address))
            if stored and int(stored["next_nonce"]) != used:
                yield Finding("build", address, Fate.ORPHAN, f"{stored['next_nonce']} nonces given out, {used} used")


def _items(table: Any, pk: str) -> dict[str, dict[str, Any]]:
    condition = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": pk}}
    return {item["sk"]: item for item in table.query(**condition, ConsistentRead=True)["Items"]}


def _on_chain(stack: FaultyStack, job: Job, item: dict[str, Any], web3: Web3) -> Iterator[Finding]:
    """Whatever was signed for a build on a chain, against what its deployment says."""
    created = []
    for intent in _items(stack.control, f"INTENT#{job.id}").values():
        if intent["chain_id"] == item["chain_id"]:
            key = {
                "pk": f"SIGNER#{intent['chain_id']}#{intent['signer']}",
                "sk": f"TRANSACTION#{int(intent['nonce']):020d}",
            }
            address = stack.control.get_item(Key=key, ConsistentRead=True)["Item"]["contract_address"]
            created += [address] if web3.eth.get_code(address) else []
    if len(created) > 1:
        yield job.found(Fate.DUPLICATE, f"{len(created)} contracts on chain {item['chain_id']}")
    if created != ([item["address"]] if item["status"] == "deployed" else []):
        yield job.found(Fate.WRONG, f"{item['status']} on chain {item['chain_id']}, where {created} are")


# ── Workloads ───────────────────────────────────────────────────────────────────────────────────
def workloads(found: Workloads, jobs: list[Job]) -> Iterator[Finding]:
    """Leases of the network against what the workloads say, and deployments that nobody owns."""
    entries = found.entries()
    by_dseq = {entry["dseq"]: entry for entry in entries}
    is_open = {entry["dseq"] for entry in entries if entry["state"] == "active"}
    for job in jobs:
        item = found.stack.detail(job.id)
        if item is None:
            yield job.found(Fate.LOST, "there is no such workload")
            continue
        if item["status"] not in SETTLED:
            yield job.found(Fate.STUCK, f"still {item['status']}")
            continue
        yield from job.unexpected(item["status"], item.get("error_code"))
        if sum(bool(entry["leases"]) for entry in entries if entry["scenario"] == job.id) > 1:
            yield job.found(Fate.DUPLICATE, "leased twice")
        entry = by_dseq.get(item.get("dseq"), {})
        if item["status"] == "active" and not (entry.get("leases") and item["dseq"] in is_open):
            yield job.found(Fate.WRONG, f"active, and Akash has {entry}")
        if item["status"] != "active" and item.get("dseq") in is_open and "kept_open" not in item:
            yield job.found(Fate.WRONG, f"{item['status']}, and still open on Akash")
    known = {job.id for job in jobs}
    for dseq in is_open - found.stack.owned_on_akash():
        scenario = by_dseq[dseq]["scenario"]
        yield Finding("akash_deploy", scenario if scenario in known else dseq, Fate.ORPHAN, f"{dseq} has no owner")


# ── Stacks ──────────────────────────────────────────────────────────────────────────────────────
def stacks(found: Stacks, jobs: list[Job]) -> Iterator[Finding]:
    """Yield what runs and what is published against what the stacks say."""
    entries = found.entries()
    for job in jobs:
        environment, kind = found.stack.environments[job.id]
        item = found.find(environment, kind)
        if not item:
            yield job.found(Fate.LOST, "there is no such stack")
        elif item["job_id"] == job.id:  # An earlier job of the stack was looked at when the later one was placed.
            running = [
                entry["dseq"]
                for entry in entries
                if entry["scenario"] == f"{environment}-{kind}" and entry["state"] == "active" and entry["leases"]
            ]
            yield from _stack(found, job, item, running)


def _stack(found: Stacks, job: Job, item: dict[str, Any], running: list[str]) -> Iterator[Finding]:
    if item["status"] not in ENDED:
        yield job.found(Fate.STUCK, f"still {item['status']}, at {item['step']}")
        return
    yield from job.unexpected(item["status"], None)
    if len(running) > 1:
        yield job.found(Fate.DUPLICATE, f"{running} run")
    if running and item["status"] != "active":
        yield job.found(Fate.ORPHAN, f"{item['status']}, and {running} run")
    if not running and item["status"] == "active":
        yield job.found(Fate.WRONG, "active, and nothing runs")
    if item["kind"] == "node":
        answer = found.published(item["environment"])
        told = answer.json() if answer.status_code == 200 else answer.status_code
        wanted = {"banano_rpc_endpoint": item["endpoint"]} if item["status"] == "active" else 404
        if told != wanted:
            yield job.found(Fate.WRONG, f"{item['status']}, and {told} is published")


# ── Sessions and runs ───────────────────────────────────────────────────────────────────────────
def sessions(fleets: list[Fleet], jobs: list[Job]) -> Iterator[Finding]:
    """Uptime records against the beats that were sent."""
    by_id = {job.id: job for job in jobs}
    for fleet in fleets:
        for address in fleet.tokens:
            records, session = fleet.records(address), fleet.worker(address).get("session_start")
            job, expected = by_id[address], fleet.expected[address]
            if session:
                yield job.found(Fate.STUCK, f"the session of {session} has not ended")
            elif not records:
                yield job.found(Fate.LOST, "no record")
            elif len(records) > 1:
                yield job.found(Fate.DUPLICATE, f"{records}")
            elif records != [expected]:
                yield job.found(Fate.WRONG, f"{records}, not {expected}")


def runs(stack: FaultyStack, jobs: list[Job]) -> Iterator[Finding]:
    """Yield runs of ``reconcile`` by their executions' ARNs."""
    for job in jobs:
        if stack.runs[job.id] != "SUCCEEDED":
            yield job.found(Fate.WRONG, stack.runs[job.id])
