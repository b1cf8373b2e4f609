"""Akash workloads placed into a stack whose functions can be killed, and what the simulated network says of them."""

from __future__ import annotations

import json
import time
import uuid
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import httpx

from slipway.akash.sdl.parser import fingerprint
from slipway.chain.abi import call_data
from slipway.chain.contracts import load
from slipway.escrow.rules import job_key
from slipway.times import from_text
from tests.faults import audits
from tests.faults.audits import SETTLED
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack, _text
from tests.support.waiting import eventually
from tests.support.workloads import sdl_with

# Bids and services come fast; the pace of the simulated network is that of the state machines' waits. Bids stay: on a
# busy machine a task that was killed may come back to them late.
QUICK = {"bids": {"delay": 1, "spread": 1, "timeout": 6000}, "start": {"silent_for": 1, "ready_after": 2}}
# Of the bids' time, for those that none come for.
PASSED_SECONDS = 32
# The price that paid workloads' deposits agree to, in base units: an hour of the network passes in a few minutes.
MAX_PER_HOUR = 50_000_000


@dataclass
class Workloads:
    """Workloads of one stack, each with a scenario of its own by which the ledger tells it from the others."""

    stack: FaultyStack
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.stack.described["console_api"], timeout=30)
        self.stack.tally.audited_by("akash_deploy", lambda jobs: audits.workloads(self, jobs))

    def triggered(self, scenario: str = "all") -> int:
        """How often faults of a scenario have triggered."""
        return int(self.http.get("/_simulator/ledger").json()["faults"].get(scenario, 0))

    def control(self, **controls: Any) -> None:
        """Set what happens to everybody on the simulated network."""
        if "faults" in controls:
            before = self.triggered()
            self.stack.tally.injected("network", lambda: self.triggered() - before, workflow="akash_deploy")
        self.http.put("/_simulator/controls", json={**QUICK, **controls}).raise_for_status()

    def place(
        self,
        scenario: dict[str, Any] | None = None,
        *,
        text: str | None = None,
        start: bool = True,
        paid: bool = False,
        units: int = 5_000_000,
        choice: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """Write a workload as the API writes it, under a known id, and start its state machine.

        One that is ``paid`` has its owner's deposit of so many base units in the escrow; one with a ``choice`` waits
        for its owner to choose among the bids.
        """
        deployment_id = str(uuid.uuid4())
        text = text or sdl_with({"id": deployment_id, **(scenario or {})}, **changes)
        moment = time.time()
        created_at = _text(moment)
        key = f"DEPLOYMENT#{deployment_id}"
        self.stack.jobs.put_item(Item={"pk": key, "sk": "SDL", "text": zlib.compress(text.encode())})
        self.stack.jobs.put_item(
            Item={
                "pk": key,
                "sk": "DETAIL",
                "kind": "akash",
                "deployment_id": deployment_id,
                "status": "pending",
                "wallet": self.stack.owner,
                "sdl_fingerprint": fingerprint(text),
                "services": ["web"],
                "groups": 1,
                "preferences": "{}",
                "deposit": str(Decimal(units) / 10**6),
                "executions": 1,
                "created_at": created_at,
                "updated_at": created_at,
                "owner_key": f"DEPLOYMENT#{self.stack.owner}",
                "owner_sort": f"{created_at}#{deployment_id}",
                "open_shard": "OPEN#akash#0",
                "open_until": _text(moment + 60),
                **({"choice": json.dumps(choice)} if choice else {}),
            }
        )
        if paid:
            self._have_paid(deployment_id, units)
        self.stack.tally.placed("akash_deploy", deployment_id)
        for name in ("faults", "latency"):
            if scenario and name in scenario:
                # Each call of a slow upstream is slow; faults are counted where they trigger.
                count = self.triggered if name == "faults" else lambda one: len(self.ledger(one))
                self.stack.tally.injected(f"network {name}", partial(count, deployment_id), job_id=deployment_id)
        if start:
            self.start(deployment_id)
        return deployment_id

    def deposit(self, deployment_id: str, units: int, price: int = MAX_PER_HOUR) -> None:
        """Deposit test USDC for a workload, in its owner's name."""
        outputs, owner = self.stack.described["outputs"], self.stack.owner
        key = job_key(deployment_id)
        for to, data in (
            (outputs["usdc"], call_data("mint(address,uint256)", (owner, units))),
            (outputs["usdc"], call_data("approve(address,uint256)", (outputs["escrow"], 10**18))),
            (outputs["escrow"], call_data("deposit(bytes32,uint256,uint256)", (key, units, price))),
        ):
            self.stack.anvil("anvil_impersonateAccount", owner)
            self.stack.anvil("eth_sendTransaction", {"from": owner, "to": to, "data": "0x" + data.hex()})
        # Blocks come with transactions alone, and the last one has to be confirmed as well.
        for _ in range(2):
            self.stack.anvil("evm_mine")

    def _have_paid(self, deployment_id: str, units: int) -> None:
        """Have a workload paid by its owner's deposit."""
        self.deposit(deployment_id, units)
        outputs = self.stack.described["outputs"]
        payment = {
            "amount": f"{Decimal(units) / 10**6:.6f}",
            "units": units,
            "price": MAX_PER_HOUR,
            "decimals": 6,
            "token": outputs["usdc"],
            "escrow": outputs["escrow"],
            "expires_at": _text(time.time() + 900),
        }
        self.stack.change(deployment_id, payment=json.dumps(payment))

    def account(self, deployment_id: str) -> dict[str, int]:
        """Return what the escrow holds for a workload."""
        status = self.stack.chain.eth.contract(
            address=self.stack.chain.to_checksum_address(self.stack.described["outputs"]["escrow"]),
            abi=load("Escrow").abi,
        ).functions.accountOf(job_key(deployment_id), self.stack.owner)
        names = ("deposited", "released", "refunded", "reserved", "reservedUntil")
        return dict(zip(names, status.call()[: len(names)], strict=True))

    def start(self, deployment_id: str, *, again: bool = False) -> None:
        """Start the state machine, unless the scheduled reconcile was faster; ``again`` another execution of it."""
        if again:
            self.stack.tally.did("started twice", job_id=deployment_id)
        with suppress(self.stack.machines.exceptions.ExecutionAlreadyExists):
            self.stack.machines.start_execution(
                stateMachineArn=self.stack.outputs["AkashDeployArn"],
                name=f"{deployment_id}-again" if again else deployment_id,
                input=json.dumps({"deployment_id": deployment_id}),
            )

    def settled(self, deployment_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Return the workload once it is active or has ended."""
        return self.stack.wait_for(deployment_id, SETTLED, seconds)

    def hurry(self, waiting: list[str]) -> None:
        """Let most of the bids' time be over for the next of these that waits for bids, and take it from the list."""
        for deployment_id in waiting:
            item = self.stack.deployment(deployment_id)
            if "opened_at" in item:
                opened_at = _text(from_text(item["opened_at"]).timestamp() - PASSED_SECONDS)
                self.stack.change(deployment_id, opened_at=opened_at)
                waiting.remove(deployment_id)
                return

    def ledger(self, deployment_id: str) -> list[dict[str, Any]]:
        """Return what the network has of a workload."""
        return [entry for entry in self.entries() if entry["scenario"] == deployment_id]

    def entries(self) -> list[dict[str, Any]]:
        """Return what the network has of everything."""
        entries: list[dict[str, Any]] = self.http.get("/_simulator/ledger").json()["deployments"]
        return entries

    def assert_settled(self, deployment_id: str, status: str, code: str | None = None) -> dict[str, Any]:
        """As expected, with at most one lease ever, and open on the network only while it is active."""
        self.stack.tally.expect(deployment_id, status, code)
        item = self.settled(deployment_id)
        assert (item["status"], item.get("error_code")) == (status, code), item
        entries = self.ledger(deployment_id)
        leased = [entry["dseq"] for entry in entries if entry["leases"]]
        still_open = [entry["dseq"] for entry in entries if entry["state"] == "active" and entry["leases"]]
        assert leased == ([item["dseq"]] if "leases" in item else leased[:1]), entries
        assert still_open == ([item["dseq"]] if status == "active" else []), entries
        return item

    def sweep(self, deployment_ids: Iterable[str], seconds: float = PATIENCE_SECONDS) -> None:
        """Reconcile until nothing of these workloads is open without an owner."""
        wanted = set(deployment_ids)

        def orphans() -> list[str]:
            found = [entry for one in wanted for entry in self.ledger(one)]
            return [entry["dseq"] for entry in found if entry["state"] == "active" and not entry["leases"]]

        eventually(orphans, lambda found: not found, within=seconds, every=0.5, meanwhile=self.stack.reconcile)
