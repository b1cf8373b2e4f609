"""What signing for any kind of job has in common: fees, gas and funds before, higher fees and calling off after."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from slipway.budgets.rules import gas_ceilings
from slipway.budgets.store import Budget
from slipway.chain.broadcast import mined
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.l1_fees import expected_l1_fees, most_l1_fee
from slipway.chain.models import ChainFees, Fees
from slipway.chain.plans import Change, Plan, gas_limits
from slipway.chain.rules import bumped_fees, fees_under_cap
from slipway.chain.store import ChainConfiguration, TransactionItem, chain_configuration, fee_cap, transaction_at
from slipway.chain.write_ahead import Quote, WriteAhead
from slipway.chains import Chain
from slipway.errors import ConflictError, DeploymentFailedError, SignerUnfundedError, WriteContentionError
from slipway.store import ConditionsFailedError

# How many accounts of the pool a plan is offered to while others keep taking the nonces.
_MAX_ACCOUNTS = 4


class ChainSigning:
    """Signs for the jobs of one chain.

    Args:
        chain: The chain.
        rpc: Its nodes.
        write_ahead: Reserves nonces and signs.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc, write_ahead: WriteAhead) -> None:
        self.chain = chain
        self.rpc = rpc
        self._write_ahead = write_ahead

    def sign(self, plan: Plan) -> list[TransactionItem]:
        """Sign a plan's transactions with the first account that can pay, or return those that were signed before.

        Raises:
            BudgetExceededError: The chain's gas for a day is used up.
            ConflictError: One of the job's conditions failed: it is not at the point where this is signed.
            DeploymentFailedError: The chain would revert one of them, or it needs more gas than one may use.
            InsufficientGasError: The network's fee is over the cap.
            SignerUnfundedError: No deployer account can pay.
            UpstreamUnavailableError: The chain or the store did not answer.
            WriteContentionError: Other jobs kept taking the nonces.
        """
        if written := self._write_ahead.written(plan):
            return written
        try:
            return self._sign_with_pool(plan)
        except ConditionsFailedError as error:
            raise ConflictError("The job is not at the point where this is signed") from error
        except DeploymentFailedError:
            # Another call may have signed it meanwhile, and the chain refuses what it has done already.
            if written := self._write_ahead.written(plan):
                return written
            raise

    def _sign_with_pool(self, plan: Plan) -> list[TransactionItem]:
        unfunded: SignerUnfundedError | None = None
        budget = Budget.read(gas_ceilings([self.chain]))
        offers = 0
        for signer in self._write_ahead.pool(plan):
            if offers == _MAX_ACCOUNTS:
                break
            try:
                quote = self._price(plan, signer.address)
            except SignerUnfundedError as error:
                unfunded = error
                continue
            offers += 1
            if not plan.promised and (refusal := budget.refusal(quote.cost)):
                raise refusal
            if items := self._write_ahead.sign(plan, signer, quote, budget):
                budget.measure(quote.cost)
                return items
        if unfunded and not offers:
            raise unfunded
        raise WriteContentionError("Every deployer account is busy; try again", retry_after=2)

    def _price(self, plan: Plan, sender: str) -> Quote:
        """Return what the plan offers and may use if ``sender`` sends it; SignerUnfundedError if it can't pay."""
        fees = self._fees(plan.configuration)
        try:
            estimates = [
                0 if planned.gas_limit else self.rpc.estimate_gas(sender, planned.estimated()) for planned in plan.calls
            ]
        except RpcError as error:
            raise DeploymentFailedError(f"The chain would refuse the transaction: {error.rpc_message}") from error
        limits = gas_limits(plan.calls, estimates)
        if max(limits) > self.chain.gas_limit:
            raise DeploymentFailedError(
                f"The transaction needs more gas than one may use on {self.chain.name}",
                details={"gas": max(limits), "gas_limit": self.chain.gas_limit},
            )
        expected = expected_l1_fees(self.rpc, [planned.call() for planned in plan.calls])
        quote = Quote(fees, limits, tuple(map(most_l1_fee, expected)))
        if self.rpc.head().balance(sender) < quote.cost:
            raise SignerUnfundedError("No deployer account can pay for the transaction", retry_after=60)
        return quote

    def stuck(self, items: Iterable[TransactionItem], *, cancel: bool = False) -> list[tuple[TransactionItem, Fees]]:
        """Return those of a job's transactions that are to be signed again, each with its higher fees.

        None is that is settled or in a block, that an earlier call signed again, or whose fees would be over the cap.

        Args:
            items: The transactions as they were read.
            cancel: Whether they are to be called off.

        Raises:
            UpstreamUnavailableError: The chain or the store did not answer.
        """
        waiting = [
            item for item in items if not (item.settled or _is_done(item, cancel=cancel) or mined(self.rpc, item))
        ]
        return [(item, fees) for item, fees in zip(waiting, self._raised(*waiting), strict=True) if fees]

    def sign_again(
        self, stuck: Sequence[tuple[TransactionItem, Fees]], changes: Sequence[Change], *, cancel: bool = False
    ) -> None:
        """Sign transactions again at their nonces, as self-transfers to ``cancel`` them, with the job's changes.

        Which of the signatures of a nonce is mined decides.
        """
        if stuck:
            self._write_ahead.sign_again(stuck, changes, cancel=cancel)

    def close_nonce(self, address: str, nonce: int) -> None:
        """Use up a nonce whose job has ended, or that nothing holds.

        Raises:
            InsufficientGasError: The network's fee is over the cap; a later call may succeed.
            UpstreamUnavailableError: The chain or the store did not answer.
        """
        item = transaction_at(self.chain.chain_id, address, nonce)
        if item is None:
            self._write_ahead.close_gap(address, nonce, self._fees(chain_configuration(self.chain.chain_id)))
        elif fees := self._raised(item)[0]:
            self._write_ahead.sign_again([(item, fees)], (), cancel=True)

    def _fees(self, configuration: ChainConfiguration) -> Fees:
        network = _with_wanted_tip(self.rpc.head().fees(), configuration)
        return fees_under_cap(network, self.chain, fee_cap(self.chain, configuration))

    def _raised(self, *items: TransactionItem) -> list[Fees | None]:
        """Return the fees by which each replaces itself; None where they would be over the cap."""
        if not items:
            return []
        configuration = chain_configuration(self.chain.chain_id)
        network, cap = _with_wanted_tip(self.rpc.fees(), configuration), fee_cap(self.chain, configuration)
        return [bumped_fees(item.fees, network, self.chain, cap, item.wanted_tip) for item in items]


def _with_wanted_tip(network: ChainFees, configuration: ChainConfiguration) -> ChainFees:
    """Return what the network asks; a tip that a node wanted lately counts, if it is higher."""
    return replace(network, priority_fee_per_gas=max(network.priority_fee_per_gas, configuration.wanted_tip))


def _is_done(item: TransactionItem, *, cancel: bool) -> bool:
    return bool(item.cancel_hashes) if cancel else item.broadcast_at is None
