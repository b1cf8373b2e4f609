"""What signing for any kind of job has in common: fees, gas and funds before, higher fees and calling off after."""

from collections.abc import Callable

from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call, ChainFees, Fees
from slipway.chain.rules import bumped_fees, fees_under_cap, gas_limit
from slipway.chain.store import (
    ChainConfiguration,
    TransactionItem,
    chain_configuration,
    fee_cap,
    transaction_at,
    transaction_for,
)
from slipway.chain.write_ahead import Intent, WriteAhead
from slipway.chains import Chain
from slipway.errors import ConflictError, DeploymentFailedError, SignerUnfundedError
from slipway.store import ConditionsFailedError, Transaction


class ChainSigning:
    """Signs for the jobs of one chain.

    Args:
        chain: The chain.
        rpc: Its nodes.
        write_ahead: Reserves nonces and signs.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc, write_ahead: WriteAhead) -> None:
        self.chain = chain
        self._rpc = rpc
        self._write_ahead = write_ahead

    def sign(
        self,
        job_id: str,
        purpose: str,
        make_call: Callable[[], Call],
        configuration: ChainConfiguration,
        also: Callable[[Transaction, TransactionItem], None],
    ) -> TransactionItem:
        """Sign a job's transaction, or give back the one that was signed before.

        Args:
            job_id: The job.
            purpose: What the transaction is for; each purpose of a job takes one nonce for ever.
            make_call: What it does; asked only when nothing is signed yet. The limit of gas is set here.
            configuration: The chain's, for its fee cap.
            also: Adds the job's own changes and conditions to the transaction that reserves the nonce.

        Raises:
            ConflictError: One of the job's conditions failed: it is not at the point where this is signed.
            DeploymentFailedError: The chain would revert it.
            InsufficientGasError: The network's fee is over the cap.
            SignerUnfundedError: No deployer account can pay.
            UpstreamUnavailableError: The chain or the store did not answer.
            WriteContentionError: Other jobs kept taking the nonces.
        """

        def prepare(sender: str) -> tuple[Call, Fees]:
            fees = fees_under_cap(self._network(configuration), self.chain, fee_cap(self.chain, configuration))
            call = make_call()
            try:
                estimate = self._rpc.estimate_gas(sender, call)
            except RpcError as error:
                raise DeploymentFailedError(f"The chain would refuse the transaction: {error.rpc_message}") from error
            prepared = Call(call.to, call.data, gas_limit(estimate), call.value)
            if self._rpc.balance(sender) < prepared.gas_limit * fees.max_fee_per_gas + prepared.value:
                raise SignerUnfundedError("No deployer account can pay for the transaction", retry_after=60)
            return prepared, fees

        try:
            return self._write_ahead.sign_once(Intent(job_id, purpose, self.chain, prepare), also)
        except ConditionsFailedError as error:
            raise ConflictError("The job is not at the point where this is signed") from error

    def sign_again(
        self,
        job_id: str,
        purpose: str,
        also: Callable[[Transaction, TransactionItem, str], None],
        *,
        cancel: bool = False,
    ) -> None:
        """Sign a stuck transaction again with higher fees, if the cap leaves room for that.

        Args:
            job_id: The job.
            purpose: What the transaction is for.
            also: Adds the job's own changes; is told the transaction as it was read, and the new hash.
            cancel: Call the transaction off: sign one that does nothing at the same nonce. Which of them is mined
                decides.

        Raises:
            ConflictError: It was never signed.
            UpstreamUnavailableError: The chain or the store did not answer.
        """
        item = transaction_for(job_id, purpose)
        if item is None:
            raise ConflictError(f"The {purpose} transaction is not signed")
        done = bool(item.cancel_hashes) if cancel else item.broadcast_at is None
        if done:
            # An earlier call did it and was not heard; what it signed is still to be broadcast.
            return
        if fees := self._raised_fees(item):
            self._write_ahead.sign_again(
                item, fees, lambda write, transaction_hash: also(write, item, transaction_hash), cancel=cancel
            )

    def close_nonce(self, address: str, nonce: int) -> None:
        """Use up a nonce whose job has ended, or that nothing holds.

        Raises:
            InsufficientGasError: The network's fee is over the cap; a later call may succeed.
            UpstreamUnavailableError: The chain or the store did not answer.
        """
        item = transaction_at(self.chain.chain_id, address, nonce)
        if item is None:
            configuration = chain_configuration(self.chain.chain_id)
            fees = fees_under_cap(self._network(configuration), self.chain, fee_cap(self.chain, configuration))
            self._write_ahead.close_gap(self.chain, address, nonce, fees)
        elif raised := self._raised_fees(item):
            self._write_ahead.sign_again(item, raised, lambda *_: None, cancel=True)

    def _raised_fees(self, item: TransactionItem) -> Fees | None:
        configuration = chain_configuration(self.chain.chain_id)
        return bumped_fees(item.fees, self._network(configuration), self.chain, fee_cap(self.chain, configuration))

    def _network(self, configuration: ChainConfiguration) -> ChainFees:
        """Return what the network asks now; a tip that a node wanted lately counts, if it is higher."""
        network = self._rpc.fees()
        tip = max(network.priority_fee_per_gas, configuration.wanted_tip)
        return ChainFees(network.base_fee_per_gas, tip)
