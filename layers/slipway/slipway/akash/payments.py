"""How a wallet's escrow pays for its workload: the deposit is awaited, reserved, and what was spent is released.

1 US dollar is 1 unit of the escrow's token, here and nowhere else. What counts is what the escrow says of the job and
its owner in a block that is confirmed, so a bare transfer, another token, job or wallet, or a deposit that a
reorganisation took back is no deposit. Reserving and settling are transactions of one purpose each, written ahead.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from slipway.akash.models import FINAL, Status
from slipway.akash.store import AkashDeployment, find_workload, undisturbed
from slipway.chain.abi import Value
from slipway.chain.broadcast import broadcast, look
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Look, Receipt
from slipway.chain.plans import Plan, PlannedCall, Update
from slipway.chain.store import TransactionItem, chain_configuration, transaction_for
from slipway.chains import Chain
from slipway.errors import ConflictError, NotFoundError
from slipway.escrow.contract import EscrowContract
from slipway.escrow.rules import job_key
from slipway.times import now_text

if TYPE_CHECKING:
    # Signing has Ethereum packages, which only the signer's layers have.
    from slipway.chain.signing import ChainSigning


class Purpose(StrEnum):
    """What a workload's transactions are for."""

    RESERVE = "escrow-reserve"
    SETTLE = "escrow-settle"


def purpose_of(deployment: AkashDeployment) -> Purpose:
    """Return what is to be signed, or was signed last."""
    return Purpose.SETTLE if deployment.reserved_at else Purpose.RESERVE


def units_of(usd: Decimal, decimals: int) -> int:
    """Return US dollars in the token's base units, rounded up."""
    units: int = math.ceil(usd * 10**decimals)
    return units


@dataclass(frozen=True)
class Deposit:
    """What is deposited for a workload and not reserved, in base units: certainly, and in the latest block."""

    confirmed: int
    latest: int


class Payments:
    """Reads and sends what pays for workloads.

    Args:
        chain: The chain that the escrow is on.
        rpc: Its nodes.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc) -> None:
        self.chain = chain
        self._rpc = rpc

    def deposit(self, deployment: AkashDeployment) -> Deposit:
        """Return what is deposited for a workload by its owner; raises UpstreamUnavailableError."""
        contract = EscrowContract(self._rpc, deployment.payment["escrow"])
        block = max(0, self._rpc.block_number() - self.chain.confirmations + 1)
        status = [
            contract.status(deployment.deployment_id, deployment.wallet, number) for number in (hex(block), "latest")
        ]
        confirmed, latest = (found.refundable if found.token == deployment.payment["token"] else 0 for found in status)
        return Deposit(min(confirmed, latest), latest)

    def send(self, deployment: AkashDeployment) -> TransactionItem:
        """Return the transaction of a workload that is signed, sent once at least; raises as ``broadcast``."""
        item = transaction_for(deployment.deployment_id, purpose_of(deployment))
        if item is None:
            raise ConflictError("The payment is not signed")
        if item.broadcast_at is None:
            broadcast(self._rpc, item)
        return item

    def again(self, item: TransactionItem) -> None:
        """Send a transaction again that nodes lost."""
        broadcast(self._rpc, item)

    def look(self, item: TransactionItem, moment: datetime) -> Look:
        """See how far a transaction is."""
        return look(self._rpc, self.chain, item, 0, moment)


class PaymentSigning:
    """Signs what pays for workloads; errors are those of ``ChainSigning``.

    Args:
        signing: Signs on the chain that the escrow is on.
        payee: Who gets what workloads cost; empty for the first deployer account.
    """

    def __init__(self, signing: "ChainSigning", payee: str) -> None:
        self._signing = signing
        self._payee = payee

    def sign(self, deployment_id: str) -> list[TransactionItem]:
        """Sign that the deposit is reserved, or that what the workload cost is released and the rest free."""
        deployment = find_workload(deployment_id)
        if deployment is None:
            raise NotFoundError("There is no such workload")
        purpose = purpose_of(deployment)
        configuration = chain_configuration(self._signing.chain.chain_id)
        job, wallet, units = job_key(deployment_id), str(deployment.wallet), int(deployment.payment["units"])
        more: tuple[Value, ...]
        unsigned = AkashDeployment.payment_signed.does_not_exist()
        if purpose is Purpose.RESERVE:
            function, more = "reserve(bytes32,address,uint256)", (units,)
            condition = undisturbed() & unsigned & AkashDeployment.reserved_at.does_not_exist()
        else:
            spent = min(units, units_of(Decimal(deployment.final_cost or "0"), int(deployment.payment["decimals"])))
            payee = self._payee or configuration.registrars[0]
            function, more = "settle(bytes32,address,address,uint256)", (payee, spent)
            condition = unsigned & AkashDeployment.reserved_at.exists() & AkashDeployment.settled_at.does_not_exist()
        earlier = transaction_for(deployment_id, purpose)
        values = {"payment_signed": str(purpose), "updated_at": now_text()}
        plan = Plan(
            job_id=deployment_id,
            calls=(
                PlannedCall(purpose, deployment.payment["escrow"], function=function, arguments=(job, wallet, *more)),
            ),
            changes=(Update("deployment", AkashDeployment(deployment.pk, deployment.sk), values, condition),),
            configuration=configuration,
            replaces=(earlier,) if earlier and earlier.settled and earlier.status != "confirmed" else (),
        )
        return self._signing.sign(plan)

    def bump(self, deployment_id: str) -> None:
        """Sign a stuck payment again with higher fees, if the cap leaves room for that."""
        deployment = find_workload(deployment_id)
        item = deployment and transaction_for(deployment_id, purpose_of(deployment))
        if item:
            self._signing.sign_again(self._signing.stuck([item]), ())

    def cancel(self, deployment_id: str) -> None:
        """Refuse: a payment is waited for, since what it pays for depends on it."""
        raise ConflictError("A payment is not called off", details={"deployment_id": deployment_id})


class PaymentTransactions:
    """Whose transactions payments are, for ``reconcile``.

    Args:
        rpc: The chain's nodes.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    def is_over(self, item: TransactionItem) -> bool:
        """Return whether the workload has ended."""
        deployment = find_workload(item.job_id)
        return deployment is None or Status(deployment.status) in FINAL

    def send(self, item: TransactionItem) -> None:
        """Send it again, unless the workload has ended meanwhile."""
        if not self.is_over(item):
            broadcast(self._rpc, item)

    def settled(self, item: TransactionItem, receipt: Receipt | None) -> None:
        """Note nothing: a workload ends after its payments."""
