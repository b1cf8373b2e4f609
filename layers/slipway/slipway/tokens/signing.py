"""What the signer function does for a token launch: sign its transactions ahead of their broadcast.

It is told only which deployment and which purpose; what to sign follows from the deployment as it is stored, so whoever
may invoke the signer still can't make it sign something else.
"""

from collections.abc import Callable

from slipway.chain.models import Call
from slipway.chain.signing import ChainSigning
from slipway.chain.store import ChainConfiguration, TransactionItem, with_contracts
from slipway.errors import ConflictError, NotFoundError
from slipway.jobs.deployments import deployment_key
from slipway.jobs.store import job_event
from slipway.store import Transaction, read_items
from slipway.times import now_text
from slipway.tokens import calls
from slipway.tokens.models import Purpose, Status
from slipway.tokens.store import DeploymentItem


class TokenSigning:
    """Signs for token deployments; errors are those of ``ChainSigning``.

    Args:
        signing: Signs on the chain that tokens live on.
    """

    def __init__(self, signing: ChainSigning) -> None:
        self._signing = signing

    def sign(self, deployment_id: str, purpose: Purpose) -> TransactionItem:
        """Sign a deployment's transaction, or give back the one that was signed before."""
        deployment, stored = read_items(
            (DeploymentItem, deployment_key(deployment_id)),
            (ChainConfiguration, ChainConfiguration.key(self._signing.chain.chain_id)),
        )
        if deployment is None:
            raise NotFoundError("There is no such deployment")
        configuration = with_contracts(stored, self._signing.chain)
        make_call = self._creation if purpose == "deploy" else self._registration
        return self._signing.sign(
            deployment_id,
            purpose,
            lambda: make_call(deployment, configuration),
            configuration,
            self._changes(deployment, purpose, configuration),
        )

    def bump(self, deployment_id: str, purpose: Purpose) -> None:
        """Sign a stuck transaction again with higher fees, if the cap leaves room for that."""

        def also(write: Transaction, item: TransactionItem, transaction_hash: str) -> None:
            if not item.cancel_hashes:
                attribute = (
                    DeploymentItem.deployment_tx_hash if purpose == "deploy" else DeploymentItem.registry_tx_hash
                )
                deployment = DeploymentItem(*deployment_key(deployment_id))
                write.update("deployment", deployment, [attribute.set(transaction_hash)])
            self._tell(write, deployment_id, purpose, item, transaction_hash, "bumped", "Signed again with higher fees")

        self._signing.sign_again(deployment_id, purpose, also)

    def cancel(self, deployment_id: str, purpose: Purpose) -> None:
        """Call a transaction off: sign one that does nothing at the same nonce. Which of them is mined decides."""

        def also(write: Transaction, item: TransactionItem, transaction_hash: str) -> None:
            self._tell(write, deployment_id, purpose, item, transaction_hash, "cancelled", "Called the transaction off")

        self._signing.sign_again(deployment_id, purpose, also, cancel=True)

    @staticmethod
    def _tell(
        write: Transaction,
        deployment_id: str,
        purpose: Purpose,
        item: TransactionItem,
        transaction_hash: str,
        event: str,
        message: str,
    ) -> None:
        data = {"purpose": purpose, "transaction_hash": transaction_hash, "nonce": int(item.nonce)}
        write.create("event", job_event(deployment_key(deployment_id)[0], event, message, data))

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
