"""Facts and decisions about Akash that need no network."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from slipway.akash.models import Observation
from slipway.akash.status.models import Port, ServiceState

if TYPE_CHECKING:  # Reading workloads needs these rules, but none of upstream's many shapes.
    from slipway.akash.console.models import Lease

# Our clock and the Console API's may differ by this much.
CLOCK_SKEW_MILLISECONDS = 5_000
OUT_OF_FUNDS = "The escrow account ran out of funds"


def manifest_hash(manifest: str) -> str:
    """``deployment.hash`` of the deployment that this manifest belongs to: base64 of the text's SHA-256."""
    return base64.b64encode(hashlib.sha256(manifest.encode()).digest()).decode()


def created_within(dseq: str, asked_at: int, gave_up_at: int, skew: int = CLOCK_SKEW_MILLISECONDS) -> bool:
    """Whether a deployment may be the outcome of a request.

    Args:
        dseq: The deployment's number, which is the server's clock when it got the request.
        asked_at: Our clock before the request, in milliseconds since 1970.
        gave_up_at: Our clock when we stopped waiting.
        skew: Milliseconds by which the clocks may differ.
    """
    return asked_at - skew <= int(dseq) <= gave_up_at + skew


@dataclass(frozen=True)
class Attempt:
    """A create of which nobody knows yet whether it happened. Times are milliseconds since 1970 by our clock.

    Attributes:
        began_at: Before it was sent.
        gave_up_at: When its caller stopped waiting; None if the caller died.
        answered: Whether upstream had ended the request by then.
    """

    began_at: int
    gave_up_at: int | None
    answered: bool

    def ended_by(self, longest_call: float) -> int:
        """When its caller has stopped waiting, at the latest; ``longest_call`` in seconds is its deadline."""
        return self.gave_up_at if self.gave_up_at is not None else self.began_at + int(longest_call * 1000)

    def may_have_made(self, dseq: str, longest_call: float) -> bool:
        """Whether a deployment may be what it made."""
        return created_within(dseq, self.began_at, self.ended_by(longest_call))


class Payment(StrEnum):
    """How far the payment of a workload's owner is: none is due, or what was done last."""

    NONE = "none"
    AWAITED = "awaiting_deposit"
    DEPOSITED = "deposited"
    RESERVING = "reserving"
    RESERVED = "reserved"
    CHARGED = "charged"
    CHARGING = "charging"
    SETTLING = "settling"


class Step(StrEnum):
    """What is to be done next for a workload; each but ``DONE`` is a task of ``akash_deploy``."""

    DEPOSIT = "deposit"
    SIGN = "sign"
    BUMP = "bump"
    PAY = "pay"
    CREATE = "create"
    RECOVER = "recover"
    COLLECT = "collect"
    CHOOSE = "choose"
    LEASE = "lease"
    READY = "ready"
    UPDATE = "update"
    TOP_UP = "top_up"
    CLOSE = "close"
    CONFIRM = "confirm"
    END = "end"
    DONE = "done"


# What is due for a payment: before anything is created, and after it is closed.
_BEFORE = {Payment.AWAITED: Step.DEPOSIT, Payment.DEPOSITED: Step.SIGN, Payment.RESERVING: Step.PAY}
_AFTER = {Payment.RESERVED: Step.SIGN, Payment.CHARGED: Step.SIGN, Payment.SETTLING: Step.PAY}
# While it runs: a part of what it cost is released, or a deposit that came is reserved.
_MEANWHILE = {Payment.CHARGED: Step.SIGN, Payment.CHARGING: Step.PAY}


@dataclass(frozen=True)
class Progress:
    """How far a workload is.

    Attributes:
        ended: Nothing more will happen to it.
        active: Its services are available.
        closing: All that is left to do is to close it.
        attempting: There is a create of which nobody knows yet whether it happened.
        created: It has a deployment on Akash.
        choosing: Its owner was asked to choose among the bids.
        chosen: Bids are chosen.
        leased: They are taken.
        close_sent: Akash was asked to close it.
        proved_closed: Akash says that it is closed.
        kept: If it fails with a lease, it stays open.
        updating: Its lease is to run another SDL.
        paying: Money is to be added to its escrow account.
        payment: How far its owner's payment is.
    """

    ended: bool = False
    active: bool = False
    closing: bool = False
    attempting: bool = False
    created: bool = False
    choosing: bool = False
    chosen: bool = False
    leased: bool = False
    close_sent: bool = False
    proved_closed: bool = False
    kept: bool = False
    updating: bool = False
    paying: bool = False
    payment: Payment = Payment.NONE


def next_step(progress: Progress) -> Step:
    """Return what is to be done next: it depends on the workload alone, so work goes on wherever it was cut.

    Nothing is given up while a create may still have happened: what it made has to be found first.
    """
    if progress.ended:
        return Step.DONE
    if progress.attempting:
        return Step.RECOVER
    if progress.closing:
        if progress.payment in (Payment.RESERVING, Payment.CHARGING):
            return Step.PAY
        if not progress.created or progress.proved_closed or (progress.kept and progress.leased):
            return _AFTER.get(progress.payment, Step.END)
        return Step.CONFIRM if progress.close_sent else Step.CLOSE
    if progress.active:
        others = Step.UPDATE if progress.updating else Step.TOP_UP if progress.paying else Step.DONE
        return _MEANWHILE.get(progress.payment, others)
    if not progress.created:
        return _BEFORE.get(progress.payment, Step.CREATE)
    if progress.leased:
        return Step.READY
    if progress.chosen:
        return Step.LEASE
    return Step.CHOOSE if progress.choosing else Step.COLLECT


def is_ready(wanted: Iterable[str], leases: "Sequence[Lease]") -> bool:
    """Whether every wanted service has all its replicas available, as the providers report."""
    reported = [service for lease in leases if lease.status for service in lease.status.services.items()]
    return all(
        any(name == service and status.available >= max(1, status.total) for name, status in reported)
        for service in wanted
    )


# The states of a lease that has ended; whatever else it is called, it may be there.
_LOST = {"closed", "insufficient_funds"}


def loss_of(state: str | None, lease_states: Sequence[str]) -> str | None:
    """Return why a workload has no lease any more by what Akash shows of its deployment; None if it may have one."""
    if state == "closed":
        return "The deployment was closed on Akash"
    if not lease_states or not set(lease_states) <= _LOST:
        return None
    closed = all(lease == "closed" for lease in lease_states)
    return "The provider closed the lease" if closed else OUT_OF_FUNDS


def backed_off(seconds: float, least: int, most: int) -> int:
    """Return the pause before the next poll of something that has been polled for so long already."""
    return int(min(max(seconds / 2, least), most))


def observation_of(
    leases: "Sequence[Lease]", observed_at: str, hosts: Mapping[str, str] = MappingProxyType({})
) -> Observation:
    """Return what the providers of a workload's leases report of it."""
    seen = Observation(observed_at=observed_at)
    for lease in leases:
        status, known_host = lease.status, hosts.get(lease.id.provider, "")
        for name, service in (status.services if status else {}).items():
            seen.services[name] = ServiceState(available=service.available, total=service.total, uris=service.uris)
        for name, ports in (status.forwarded_ports if status else {}).items():
            seen.forwarded_ports[name] = [
                Port(
                    host=port.host or known_host, port=port.port, external_port=port.external_port, protocol=port.proto
                )
                for port in ports
            ]
        for name, ips in (status.ips if status else {}).items():
            seen.ips[name] = [
                Port(host=entry.ip, port=entry.port, external_port=entry.external_port, protocol=entry.protocol)
                for entry in ips
            ]
    return seen
