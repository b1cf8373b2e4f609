"""What the signer function does for a token launch: sign its transactions ahead of their broadcast.

It is told only which deployment and which purpose; what to sign follows from the deployment as it is stored, so whoever
may invoke the signer still can't make it sign something else.
"""

from collections.abc import Callable

from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call, Chain, Fees
from slipway.chain.rules import bumped_fees, fees_under_cap, gas_limit
from slipway.chain.store import (
    ChainConfiguration,
    TransactionItem,
    chain_configuration,
    transaction_at,
    transaction_for,
    with_contracts,
)
from slipway.chain.write_ahead import Intent, WriteAhead
from slipway.deployments.store import deployment_key
from slipway.errors import (
    ConflictError,
    DeploymentFailedError,
    NotFoundError,
    SignerUnfundedError,
)
from slipway.jobs.store import job_event
from slipway.store import ConditionsFailedError, Transaction, read_items
from slipway.times import now_text
from slipway.tokens import calls
from slipway.tokens.models import Purpose, Status
from slipway.tokens.service import fee_cap
from slipway.tokens.store import DeploymentItem


class TokenSigning:
    """Signs for token deployments of one chain.

    Args:
        chain: The chain.
        rpc: Its nodes.
        write_ahead: Reserves nonces and signs.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc, write_ahead: WriteAhead) -> None:
        self._chain = chain
        self._rpc = rpc
        self._write_ahead = write_ahead

    def sign(self, deployment_id: str, purpose: Purpose) -> TransactionItem:
        """Sign a deployment's transaction, or give back the one that was signed before.

        Raises:
            ConflictError: The deployment is not at the point where this is signed.
            DeploymentFailedError: The chain would revert it.
            InsufficientGasError: The network's fee is over the cap.
            SignerUnfundedError: No deployer account can pay.
            UpstreamUnavailableError: The chain or the store did not answer.
            WriteContentionError: Other jobs kept taking the nonces.
        """
        deployment, stored = read_items(
            (DeploymentItem, deployment_key(deployment_id)),
            (ChainConfiguration, ChainConfiguration.key(self._chain.chain_id)),
        )
        if deployment is None:
            raise NotFoundError("There is no such deployment")
        configuration = with_contracts(stored, self._chain)
        make_call = self._creation if purpose == "deploy" else self._registration

        def prepare(sender: str) -> tuple[Call, Fees]:
            fees = fees_under_cap(self._rpc.fees(), self._chain, fee_cap(self._chain, configuration))
            call = make_call(deployment, configuration)
            try:
                estimate = self._rpc.estimate_gas(sender, call)
            except RpcError as error:
                raise DeploymentFailedError(f"The chain would refuse the transaction: {error.rpc_message}") from error
            prepared = Call(call.to, call.data, gas_limit(estimate), call.value)
            if self._rpc.balance(sender) < prepared.gas_limit * fees.max_fee_per_gas + prepared.value:
                raise SignerUnfundedError("No deployer account can pay for the transaction", retry_after=60)
            return prepared, fees

        intent = Intent(deployment_id, purpose, self._chain, prepare)
        try:
            return self._write_ahead.sign_once(intent, self._changes(deployment, purpose, configuration))
        except ConditionsFailedError as error:
            raise ConflictError("The deployment is not at the point where this is signed") from error

    def bump(self, deployment_id: str, purpose: Purpose) -> None:
        """Sign a stuck transaction again with higher fees, if the cap leaves room for that.

        Raises:
            ConflictError: It was never signed.
            UpstreamUnavailableError: The chain or the store did not answer.
        """
        self._sign_again(deployment_id, purpose, "bumped", "Signed again with higher fees")

    def cancel(self, deployment_id: str, purpose: Purpose) -> None:
        """Call a transaction off: sign one that does nothing at the same nonce. Which of them is mined decides.

        Raises:
            ConflictError: It was never signed.
            UpstreamUnavailableError: The chain or the store did not answer.
        """
        self._sign_again(deployment_id, purpose, "cancelled", "Called the transaction off", cancel=True)

    def _sign_again(
        self, deployment_id: str, purpose: Purpose, event: str, message: str, *, cancel: bool = False
    ) -> None:
        item = transaction_for(deployment_id, purpose)
        if item is None:
            raise ConflictError(f"The {purpose} transaction is not signed")
        done = bool(item.cancel_hashes) if cancel else item.broadcast_at is None
        if done:
            # An earlier call did it and was not heard; what it signed is still to be broadcast.
            return
        fees = self._raised_fees(item)
        if fees is None:
            return
        pk, sk = deployment_key(deployment_id)

        def add(write: Transaction, transaction_hash: str) -> None:
            if not cancel and not item.cancel_hashes:
                attribute = (
                    DeploymentItem.deployment_tx_hash if purpose == "deploy" else DeploymentItem.registry_tx_hash
                )
                write.update("deployment", DeploymentItem(pk, sk), [attribute.set(transaction_hash)])
            data = {"purpose": purpose, "transaction_hash": transaction_hash, "nonce": int(item.nonce)}
            write.create("event", job_event(pk, event, message, data))

        self._write_ahead.sign_again(item, fees, add, cancel=cancel)

    def _raised_fees(self, item: TransactionItem) -> Fees | None:
        cap = fee_cap(self._chain, chain_configuration(self._chain.chain_id))
        return bumped_fees(item.fees, self._rpc.fees(), self._chain, cap)

    def close_nonce(self, address: str, nonce: int) -> None:
        """Use up a nonce whose job has ended, or that nothing holds.

        Raises:
            InsufficientGasError: The network's fee is over the cap; a later call may succeed.
            UpstreamUnavailableError: The chain or the store did not answer.
        """
        item = transaction_at(self._chain.chain_id, address, nonce)
        if item is None:
            cap = fee_cap(self._chain, chain_configuration(self._chain.chain_id))
            fees = fees_under_cap(self._rpc.fees(), self._chain, cap)
            self._write_ahead.close_gap(self._chain, address, nonce, fees)
        elif raised := self._raised_fees(item):
            self._write_ahead.sign_again(item, raised, lambda *_: None, cancel=True)

    @staticmethod
    def _creation(deployment: DeploymentItem, configuration: ChainConfiguration) -> Call:
        return calls.creation(deployment.token_name, deployment.token_symbol, str(configuration.token_manager))

    @staticmethod
    def _registration(deployment: DeploymentItem, configuration: ChainConfiguration) -> Call:
        if not deployment.token_address:
            raise ConflictError("The token is not deployed yet")
        return calls.registration(str(configuration.model_registry), deployment.model_id, deployment.token_address)

    @staticmethod
    def _changes(
        deployment: DeploymentItem, purpose: Purpose, configuration: ChainConfiguration
    ) -> Callable[[Transaction, TransactionItem], None]:
        def add(write: Transaction, item: TransactionItem) -> None:
            actions = [DeploymentItem.updated_at.set(now_text())]
            if purpose == "deploy":
                expected = Status.DEPLOYING
                actions += [
                    DeploymentItem.deployment_tx_hash.set(item.transaction_hash),
                    DeploymentItem.token_address.set(str(item.contract_address)),
                    DeploymentItem.controller.set(str(configuration.token_manager)),
                ]
            else:
                expected = Status.REGISTERING
                actions.append(DeploymentItem.registry_tx_hash.set(item.transaction_hash))
            write.update(
                "deployment",
                DeploymentItem(deployment.pk, deployment.sk),
                actions,
                condition=DeploymentItem.status == str(expected),
            )
            data = {"purpose": purpose, "transaction_hash": item.transaction_hash, "nonce": int(item.nonce)}
            write.create("event", job_event(deployment.pk, "signed", f"Signed the {purpose} transaction", data))

        return add
