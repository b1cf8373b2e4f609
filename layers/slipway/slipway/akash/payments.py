"""How a wallet's escrow pays for its workload: the deposit is awaited, reserved, and what was spent is released.

What counts is what the escrow says of the job and its owner in a block that is confirmed, so a bare transfer, another
token, job or wallet, or a deposit that a reorganisation took back is no deposit. Each transaction has a purpose of its
own and is written ahead: reserving, settling, and between them parts of the cost and further deposits (``funding``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from pynamodb.expressions.condition import Condition

from slipway.akash.models import FINAL, Status
from slipway.akash.store import KIND, AkashDeployment, Purpose, find_workload, still_pending
from slipway.chain.abi import Value
from slipway.chain.broadcast import broadcast, transaction_state
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Receipt, TransactionState
from slipway.chain.plans import Plan, PlannedCall, Update
from slipway.chain.store import TransactionItem, chain_configuration, transaction_for
from slipway.chains import Chain
from slipway.errors import ConflictError, NotFoundError
from slipway.escrow.contract import EscrowContract, statuses
from slipway.escrow.models import EscrowStatus
from slipway.escrow.rules import job_key, units_of
from slipway.jobs.gas import Served
from slipway.times import now_text

if TYPE_CHECKING:
    # Signing has Ethereum packages, which only the signer's layers have.
    from slipway.chain.signing import ChainSigning


def is_payment(purpose: str) -> bool:
    """Return whether a transaction's purpose is a workload's payment."""
    return purpose.startswith(tuple(Purpose))


def purpose_of(deployment: AkashDeployment) -> str:
    """Return what is signed and not final, or what is to be signed."""
    if deployment.payment_signed or not deployment.reserved_at:
        return str(deployment.payment_signed or Purpose.RESERVE)
    return str(deployment.charge["purpose"] if deployment.charge and not deployment.closing else Purpose.SETTLE)


def funded_units(deployment: AkashDeployment) -> int:
    """Return what of its owner's deposits a workload may cost, in base units."""
    return int(deployment.funded_units or deployment.payment["units"])


def _reserving(deployment: AkashDeployment, units: int) -> tuple[str, tuple[Value, ...]]:
    """Return the function that reserves, and its arguments; an escrow of the version before knows no price."""
    price = deployment.payment.get("price")
    if price is None:
        return "reserve(bytes32,address,uint256)", (units,)
    return "reserve(bytes32,address,uint256,uint256)", (units, int(price))


@dataclass(frozen=True)
class Deposit:
    """What is deposited for a workload and not reserved, in base units: certainly, and in the latest block.

    Attributes:
        total: All that was ever deposited for it.
        price: The most for an hour that its owner agreed to; None in an escrow of the version before.
    """

    confirmed: int
    latest: int
    total: int
    price: int | None


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
        return Deposit(min(confirmed, latest), latest, status[0].deposited, status[0].price)

    def statuses(self, deployments: Sequence[AkashDeployment]) -> list[EscrowStatus | None]:
        """Return what the escrow holds for each workload, in one read; raises UpstreamUnavailableError."""
        return statuses(
            self._rpc,
            [(found.payment["escrow"], found.deployment_id, found.wallet) for found in deployments],
        )

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

    def state_of(self, item: TransactionItem, moment: datetime) -> TransactionState:
        """See how far a transaction is."""
        return transaction_state(self._rpc, self.chain, item, 0, moment)


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
        """Sign what is due: that a deposit is reserved, or that what the workload cost is released."""
        deployment = find_workload(deployment_id)
        if deployment is None:
            raise NotFoundError("There is no such workload")
        purpose, payment = purpose_of(deployment), deployment.payment
        configuration = chain_configuration(self._signing.chain.chain_id)
        function, more, condition = self._call(deployment, purpose, self._payee or configuration.registrars[0])
        earlier = transaction_for(deployment_id, purpose)
        values = {"payment_signed": purpose, "updated_at": now_text()}
        plan = Plan(
            job_id=deployment_id,
            calls=(
                PlannedCall(
                    purpose,
                    payment["escrow"],
                    function=function,
                    arguments=(job_key(deployment_id), str(deployment.wallet), *more),
                ),
            ),
            changes=(Update("deployment", AkashDeployment(deployment.pk, deployment.sk), values, condition),),
            configuration=configuration,
            # Only what begins a workload may be refused.
            promised=purpose != Purpose.RESERVE,
            replaces=(earlier,) if earlier and earlier.settled and earlier.status != "confirmed" else (),
        )
        return self._signing.sign(plan)

    def _call(self, deployment: AkashDeployment, purpose: str, payee: str) -> tuple[str, tuple[Value, ...], Condition]:
        """Return the function to call, its arguments after job and wallet, and when the workload is at that point."""
        unsigned: Condition = AkashDeployment.payment_signed.does_not_exist()
        if purpose == Purpose.RESERVE:
            condition = still_pending() & unsigned & AkashDeployment.reserved_at.does_not_exist()
            return *_reserving(deployment, int(deployment.payment["units"])), condition
        reserved = unsigned & AkashDeployment.reserved_at.exists() & AkashDeployment.settled_at.does_not_exist()
        if purpose == Purpose.SETTLE:
            wanted = AkashDeployment.close_requested_at.exists() | AkashDeployment.closing_code.exists()
            closed = AkashDeployment.upstream_closed_at.exists() | AkashDeployment.dseq.does_not_exist()
            call = (payee, self._left_to_pay(deployment))
            return "settle(bytes32,address,address,uint256)", call, reserved & wanted & closed
        units = int(deployment.charge["units"])
        runs = (AkashDeployment.status == str(Status.ACTIVE)) & AkashDeployment.close_requested_at.does_not_exist()
        condition = reserved & runs & (AkashDeployment.charge == deployment.charge)
        if purpose.startswith(Purpose.RESERVE_MORE):
            return *_reserving(deployment, units - int(deployment.released_units)), condition
        return "release(bytes32,address,address,uint256)", (payee, units), condition

    def _left_to_pay(self, deployment: AkashDeployment) -> int:
        """Return what is still to be released of a closed workload's cost, in base units: within the agreed price."""
        cost = units_of(Decimal(deployment.final_cost or "0"), int(deployment.payment["decimals"]))
        left = max(0, min(funded_units(deployment), cost) - int(deployment.released_units))
        contract = EscrowContract(self._signing.rpc, deployment.payment["escrow"])
        status = contract.status(deployment.deployment_id, deployment.wallet)
        return left if status.price is None else min(left, status.releasable)

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

    def served(self, item: TransactionItem) -> Served | None:
        """Return whose workload it was."""
        deployment = find_workload(item.job_id)
        return Served(KIND, deployment.wallet) if deployment else None

    def settled(self, item: TransactionItem, receipt: Receipt | None) -> None:
        """Note nothing: a workload ends after its payments."""
