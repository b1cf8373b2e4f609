"""The network behind the API: accounts, deployments, bids, leases and escrow.

Nothing happens on its own: everything follows from when things were done and from the clock, and is worked out when
it is read. Amounts are uact, a millionth of a US dollar, as decimals.
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from local.console_api.clock import BLOCK_SECONDS, Clock
from local.console_api.controls import Chance, Controls, Fault, Ports, Scenario, merged
from local.console_api.keys import DEFAULT_KEY
from local.console_api.logs import LogBook
from local.console_api.providers import SimulatedProvider, akash_address, simulated_providers
from local.console_api.sdl import Expose, Group, InvalidSdlError, Service, Workload
from local.ports import is_free

DOLLAR = 1_000_000
MIN_DEPOSIT = Decimal("0.5")
_NODE_PORTS = range(30000, 32768)


class RefusedError(Exception):
    """The API refuses, with a status, a code and a message."""

    def __init__(self, status: int, message: str, code: str | None = None, data: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.data = data


@dataclass
class Account:
    """One owner of deployments. ``credit`` is what is not in any escrow, ``granted`` what it began with, in uact."""

    name: str
    key: str
    granted: Decimal
    credit: Decimal

    @property
    def address(self) -> str:
        """Its wallet."""
        return akash_address(self.key)


@dataclass(frozen=True)
class Bid:
    """One provider's offer for one group; ``price`` is uact a block."""

    provider: SimulatedProvider
    gseq: int
    price: Decimal
    made_at: float
    gone_at: float


@dataclass
class Lease:
    """A bid that was taken."""

    bid: Bid
    created_at: float
    manifest_at: float | None = None
    closed_at: float | None = None
    reason: str = ""
    generation: int = 1
    node_ports: dict[tuple[str, int, str], int] = field(default_factory=dict)
    logs: dict[str, LogBook] = field(default_factory=dict)

    @property
    def provider(self) -> SimulatedProvider:
        """Who runs it."""
        return self.bid.provider


@dataclass
class Deployment:
    """One deployment, with everything that was done to it."""

    dseq: str
    account: Account
    workload: Workload
    scenario: Scenario
    deposit: Decimal
    created_at: float
    bids: list[Bid]
    leases: list[Lease] = field(default_factory=list)
    closed_at: float | None = None
    closed_by: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it is open."""
        return self.closed_at is None

    def group(self, gseq: int) -> Group:
        """Return one of its groups; raises IndexError for a number that it does not have."""
        if gseq < 1:
            raise IndexError(gseq)
        return self.workload.groups[gseq - 1]


@dataclass(frozen=True)
class Escrow:
    """An escrow account at a moment, in uact."""

    deposit: Decimal
    spent: Decimal

    @property
    def left(self) -> Decimal:
        """What is not spent."""
        return self.deposit - self.spent


class Market:
    """Everything the simulator knows."""

    def __init__(self, clock: Clock, controls: Controls | None = None) -> None:
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.add_account("default", DEFAULT_KEY)
        self.reset(controls or Controls())

    def reset(self, controls: Controls) -> None:
        """Forget everything but the accounts, which are as they were at first."""
        self.providers = simulated_providers()
        self.deployments: dict[tuple[str, str], Deployment] = {}
        self.creates: dict[str, int] = {}
        self.triggered: Counter[str] = Counter()
        self._queued: list[Scenario] = []
        self._bound: dict[str, Scenario] = {}
        for account in self.accounts.values():
            account.credit = account.granted
        self.set_controls(controls)

    # ── Controls ────────────────────────────────────────────────────────────────────────────────

    def set_controls(self, controls: Controls) -> None:
        """Replace the controls for all, and start counting faults anew."""
        self.controls = controls
        self._effective: dict[int, tuple[Scenario, Scenario]] = {}
        self.chance = Chance(controls.seed or 0)
        self._random = random.Random(controls.seed)  # noqa: S311 (repeatable on purpose)
        if controls.time_scale is not None:
            self.clock.set_scale(controls.time_scale)

    def queue(self, scenario: Scenario) -> None:
        """Give a scenario to the next create of an SDL that has none yet, and to its repetitions."""
        self._queued.append(scenario)

    def scenario(self, workload: Workload) -> Scenario:
        """Return the scenario of an SDL's own; bind a queued one at first sight.

        Raises:
            InvalidSdlError: Its marker is no scenario.
        """
        own: Scenario
        if workload.hash not in self._bound and self._queued:
            self._bound[workload.hash] = self._queued.pop(0)
        own = self._bound.get(workload.hash, Scenario())
        if workload.marker is not None:
            try:
                own = merged(own, Scenario.model_validate(workload.marker))
            except ValidationError as error:
                raise InvalidSdlError(f"SIMULATOR is no scenario: {error}") from error
        return own if own.id else own.model_copy(update={"id": workload.hash})

    def fault(self, call: str, scenario: Scenario | None) -> Fault | None:
        """Return what goes wrong with a call, first by the deployment's own scenario, then by the one for all."""
        calls = {call} if call == "manifest" else {call, "*"}
        own = scenario and self.chance.draw(f"scenario {scenario.id}", scenario.faults, calls)
        triggered = own or self.chance.draw("all", self.controls.faults, calls)
        if triggered:
            self.triggered[str(scenario.id) if own and scenario else "all"] += 1
        return triggered

    def effective(self, scenario: Scenario | None) -> Scenario:
        """Put a scenario on top of the one for all."""
        if scenario is None:
            return self.controls
        # Asked for at every look at a deployment; the scenario is kept with it so that its id stays its own.
        if id(scenario) not in self._effective:
            self._effective[id(scenario)] = scenario, merged(self.controls, scenario)
        return self._effective[id(scenario)][1]

    def add_account(self, name: str, key: str | None = None, dollars: Decimal = Decimal(1000)) -> Account:
        """Add an account, or change the credit of one."""
        key = key or "ac.sk.local." + secrets.token_hex(32)
        account = self.accounts[key] = Account(name, key, dollars * DOLLAR, dollars * DOLLAR)
        return account

    # ── Deployments ─────────────────────────────────────────────────────────────────────────────

    def create(
        self, account: Account, dseq: str, workload: Workload, deposit: Decimal, scenario: Scenario
    ) -> Deployment:
        """Open a deployment.

        Raises:
            RefusedError: Too little credit or deposit, or another create in the same millisecond.
        """
        amount = deposit * DOLLAR
        if deposit < MIN_DEPOSIT:
            raise RefusedError(400, "Failed to create deployment: Deposit too low")
        if account.credit < amount:
            missing = (amount - account.credit) / DOLLAR
            raise RefusedError(402, f"Not enough credit: add at least {missing:.2f} USD", "payment_required")
        if (account.address, dseq) in self.deployments:
            raise RefusedError(400, "Deployment with provided dseq and owner already exists")
        account.credit -= amount
        now = self.clock.now()
        deployment = Deployment(dseq, account, workload, scenario, amount, now, self._bids(workload, scenario, now))
        self.deployments[account.address, dseq] = deployment
        self.creates[workload.hash] = self.creates.get(workload.hash, 0) + 1
        return deployment

    def _bids(self, workload: Workload, scenario: Scenario, now: float) -> list[Bid]:
        wanted = self.effective(scenario).bids
        if wanted.none:
            return []
        found = []
        for gseq, group in enumerate(workload.groups, 1):
            able = [provider for provider in self.providers.values() if self._bids_for(provider, group, wanted.who)]
            for index, provider in enumerate(able):
                price = provider.price(group) * wanted.price_factor
                if price > sum(service.max_price * service.count for service in group.services):
                    continue
                made_at = now + wanted.delay + (wanted.spread * index / len(able))
                lasts = wanted.timeout if wanted.withdraw_after is None else wanted.withdraw_after
                found.append(Bid(provider, gseq, price, made_at, made_at + lasts))
        return found

    def _bids_for(self, provider: SimulatedProvider, group: Group, who: str) -> bool:
        if not provider.can_take(group):
            return False
        if who == "unaudited":
            return provider.online and not provider.audited
        if who == "offline":
            return not provider.online
        return provider.online

    def find(self, account: Account, dseq: str) -> Deployment:
        """Return a deployment of an account as it is now.

        Raises:
            RefusedError: There is none.
        """
        deployment = self.deployments.get((account.address, dseq))
        if deployment is None:
            raise RefusedError(404, "Deployment not found")
        return self.settled(deployment)

    def all_of(self, address: str) -> list[Deployment]:
        """Return every deployment of an address, oldest first."""
        return [self.settled(found) for found in self.deployments.values() if found.account.address == address]

    def everything(self) -> Iterator[Deployment]:
        """Return every deployment of every account."""
        return (self.settled(deployment) for deployment in list(self.deployments.values()))

    def settled(self, deployment: Deployment) -> Deployment:
        """Bring a deployment up to date with the time that has passed."""
        if not deployment.is_active:
            return deployment
        now = self.clock.now()
        scenario = self.effective(deployment.scenario)
        for lease in deployment.leases:
            if lease.closed_at is None and lease.manifest_at is None:
                ends_at = lease.created_at + scenario.manifest_timeout
                if now >= ends_at:
                    self._end_lease(lease, ends_at, "lease_closed_manifest_timeout")
        if scenario.cleaned_after is not None and not deployment.leases:
            ends_at = deployment.created_at + scenario.cleaned_after
            if now >= ends_at:
                self._close(deployment, ends_at, "platform")
        return deployment

    def close(self, deployment: Deployment) -> None:
        """Close a deployment and give back what is left; a closed one stays as it is."""
        if deployment.is_active:
            self._close(deployment, self.clock.now(), "owner")

    def _close(self, deployment: Deployment, moment: float, who: str) -> None:
        deployment.account.credit += self.escrow(deployment, moment).left
        for lease in deployment.leases:
            if lease.closed_at is None:
                self._end_lease(lease, moment, "lease_closed_owner")
        deployment.closed_at, deployment.closed_by = moment, who

    def _end_lease(self, lease: Lease, moment: float, reason: str) -> None:
        lease.closed_at, lease.reason = moment, reason
        for book in lease.logs.values():
            book.end()

    def close_lease(self, lease: Lease, reason: str) -> None:
        """Give up a lease, as a provider does."""
        if lease.closed_at is None:
            self._end_lease(lease, self.clock.now(), reason)

    def update(self, deployment: Deployment, workload: Workload) -> None:
        """Replace the SDL; ports stay where they are, pods do not.

        Raises:
            RefusedError: It is closed, or the SDL has other groups.
        """
        if not deployment.is_active:
            raise RefusedError(400, "Deployment closed")
        if [group.name for group in workload.groups] != [group.name for group in deployment.workload.groups]:
            raise RefusedError(400, "Invalid deployment version")
        if workload.hash == deployment.workload.hash:
            return
        deployment.workload = workload
        for lease in deployment.leases:
            if lease.closed_at is None:
                lease.generation += 1
                lease.manifest_at = self.clock.now()
                self._start(deployment, lease)

    # ── Bids and leases ─────────────────────────────────────────────────────────────────────────

    def listed_bids(self, deployment: Deployment) -> list[tuple[Bid, str]]:
        """Return bids that have come, with their states, as upstream lists them: without unaudited providers'."""
        now = self.clock.now()
        shows_all = self.effective(deployment.scenario).bids.who != "any"
        # Nobody bids for an order that is taken or closed.
        until = {lease.bid.gseq: lease.created_at for lease in deployment.leases}
        end = now if deployment.closed_at is None else deployment.closed_at
        return [
            (bid, self.bid_state(deployment, bid, now))
            for bid in deployment.bids
            if bid.made_at <= min(end, until.get(bid.gseq, end)) and (bid.provider.audited or shows_all)
        ]

    def bid_state(self, deployment: Deployment, bid: Bid, now: float) -> str:
        """Return ``open``, ``active``, ``lost`` or ``closed``."""
        lease = next((lease for lease in deployment.leases if lease.bid.gseq == bid.gseq), None)
        if lease is not None and lease.bid is bid:
            return "active" if lease.closed_at is None else "closed"
        if lease is not None and bid.gone_at > lease.created_at:
            return "lost"
        if not deployment.is_active or now >= bid.gone_at:
            return "closed"
        return "open"

    def lease(self, deployment: Deployment, chosen: list[tuple[int, int, str]]) -> None:
        """Take bids, in one transaction; nothing to do where a lease is open already.

        Args:
            deployment: The deployment.
            chosen: gseq, oseq and provider's address of each bid.

        Raises:
            RefusedError: A bid is not open, a provider is unknown or can't be reached.
        """
        if not deployment.is_active:
            raise RefusedError(400, "Deployment closed")
        if any(lease.closed_at is None for lease in deployment.leases):
            return
        now = self.clock.now()
        taken = []
        for gseq, oseq, address in chosen:
            if address not in self.providers:
                raise RefusedError(404, f"Provider {address} not found")
            found = [bid for bid in deployment.bids if (bid.gseq, bid.provider.address) == (gseq, address)]
            open_now = [bid for bid in found if bid.made_at <= now < bid.gone_at]
            if oseq != 1 or not open_now or any(lease.bid.gseq == gseq for lease in deployment.leases):
                raise RefusedError(
                    400,
                    "Failed to create lease: Cannot create lease: The selected bid is no longer open. "
                    "Please refresh and select an available bid.",
                )
            if not self.providers[address].online:
                raise RefusedError(503, "Provider service is temporarily unavailable", "service_unavailable")
            taken.append(open_now[0])
        deployment.leases += [Lease(bid, now) for bid in taken]

    def deliver_manifest(self, deployment: Deployment) -> None:
        """Send the manifest to the providers of open leases; one that has it stays as it is."""
        for lease in deployment.leases:
            if lease.closed_at is None and lease.manifest_at is None:
                if not lease.provider.online:
                    raise RefusedError(503, "Provider service is temporarily unavailable", "service_unavailable")
                lease.manifest_at = self.clock.now()
                self._start(deployment, lease)

    def _start(self, deployment: Deployment, lease: Lease) -> None:
        ports = self.effective(deployment.scenario).ports
        group = deployment.group(lease.bid.gseq)
        for service, expose in forwarded(group):
            key = (service.name, expose.port, expose.proto)
            if key not in lease.node_ports:
                lease.node_ports[key] = ports.external.get(expose.port) or self._node_port(
                    lease, self.served(deployment)
                )
        for service in group.services:
            lease.logs.setdefault(service.name, LogBook()).restart(self._pod(service))

    def served(self, deployment: Deployment) -> str | None:
        """Return what answers at a deployment's forwarded ports: as its scenario says; a Banano node where that says
        nothing of ports and the image is one."""
        ports = self.effective(deployment.scenario).ports
        if ports != Ports():
            return ports.serve
        images = [service.image for group in deployment.workload.groups for service in group.services]
        return "banano" if any("banano" in image for image in images) else None

    def _node_port(self, lease: Lease, serve: str | None) -> int:
        while True:
            port = self._random.choice(_NODE_PORTS)
            if port not in lease.node_ports.values() and (serve is None or is_free(port)):
                return port

    def _pod(self, service: Service) -> str:
        letters = "bcdfghjklmnpqrstvwxz2456789"
        part = "".join(self._random.choices(letters, k=9))
        return f"{service.name}-{part}-{''.join(self._random.choices(letters, k=5))}"

    def is_heard(self, deployment: Deployment, lease: Lease) -> bool:
        """Return whether the provider reports anything of a lease now."""
        if lease.closed_at is not None or lease.manifest_at is None or not lease.provider.online:
            return False
        return self.clock.now() >= lease.manifest_at + self.effective(deployment.scenario).start.silent_for

    def is_ready(self, deployment: Deployment, lease: Lease) -> bool:
        """Return whether a lease's services are available now."""
        start = self.effective(deployment.scenario).start
        if start.never_ready or not self.is_heard(deployment, lease) or lease.manifest_at is None:
            return False
        return self.clock.now() >= lease.manifest_at + max(start.ready_after, start.silent_for)

    # ── Escrow ──────────────────────────────────────────────────────────────────────────────────

    def _spent(self, lease: Lease, moment: float) -> Decimal:
        """Return what a lease has cost until a moment, by whole blocks, as if the escrow had no end."""
        until = min(moment, lease.closed_at if lease.closed_at is not None else moment)
        return lease.bid.price * max(0, int((until - lease.created_at) / BLOCK_SECONDS))

    def escrow(self, deployment: Deployment, moment: float | None = None) -> Escrow:
        """Return a deployment's escrow account, by default now or when it was closed."""
        at = moment if moment is not None else deployment.closed_at
        now = self.clock.now() if at is None else at
        spent = sum((self._spent(lease, now) for lease in deployment.leases), Decimal(0))
        return Escrow(deployment.deposit, min(spent, deployment.deposit))

    def is_overdrawn(self, deployment: Deployment) -> bool:
        """Return whether the escrow of an open deployment is used up."""
        return deployment.is_active and bool(deployment.leases) and self.escrow(deployment).left <= 0

    def add_deposit(self, deployment: Deployment, dollars: Decimal) -> None:
        """Put more into an escrow account."""
        amount = dollars * DOLLAR
        if not deployment.is_active:
            raise RefusedError(400, "Deployment closed")
        if amount > deployment.account.credit:
            raise RefusedError(402, "Not enough credit", "payment_required")
        deployment.account.credit -= amount
        deployment.deposit += amount


def forwarded(group: Group) -> Iterator[tuple[Service, Expose]]:
    """Return the ports for which the provider opens one of its own."""
    for service in group.services:
        for expose in service.exposes:
            if expose.is_forwarded:
                yield service, expose
