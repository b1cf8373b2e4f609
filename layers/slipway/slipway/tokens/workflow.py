"""The Task states of ``token_deploy`` and ``token_register``, but for signing.

Each method may be called any number of times with the same effect as once: Step Functions calls again whenever it did
not hear the answer.
"""

from collections.abc import Callable, Sequence

from aws_lambda_powertools.metrics import MetricUnit
from pynamodb.expressions.update import Action

from slipway.chain.broadcast import Look, Progress, broadcast, confirm, held_to, look
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Receipt
from slipway.chain.rules import first_pause
from slipway.chain.store import (
    ChainConfiguration,
    TransactionIntent,
    TransactionItem,
    transaction_for,
    transaction_of,
    with_contracts,
)
from slipway.chains import Chain
from slipway.control.breaker import Outcome
from slipway.control.store import Service, record_outcome
from slipway.errors import (
    ConflictError,
    DeploymentFailedError,
    NotFoundError,
    TokenExistsError,
    UpstreamUnavailableError,
)
from slipway.jobs.deployments import deployment_key
from slipway.jobs.failures import failure_of
from slipway.jobs.store import audit_event, job_outcome
from slipway.observability import logger, record
from slipway.store import Transaction, read_items
from slipway.times import from_text, now
from slipway.tokens import calls
from slipway.tokens.model_source import ModelSource
from slipway.tokens.models import FINAL, Purpose, Status
from slipway.tokens.rules import model_refusal, total_cost
from slipway.tokens.store import DeploymentItem, advance, find_deployment, release_locks

# Failures that say something of the service; the others say something of the request.
_OUR_FAULT = {DeploymentFailedError.code, UpstreamUnavailableError.code}
_UNFINISHED = set(Status) - FINAL


def _seconds(deployment: DeploymentItem) -> float:
    return (now() - from_text(deployment.created_at)).total_seconds()


def _spent(deployment: DeploymentItem) -> list[tuple[int, int]]:
    """Gas used and effective price in wei of each transaction that is mined."""
    parts = (
        (deployment.deployment_gas_used, deployment.deployment_gas_price),
        (deployment.registry_gas_used, deployment.registry_gas_price),
    )
    return [(int(gas), int(price)) for gas, price in parts if gas is not None and price is not None]


def _tell_end(write: Transaction, deployment: DeploymentItem, outcome: str) -> None:
    """Add the end of a launch to the audit trail and to the figures."""
    spent = _spent(deployment)
    gas = sum(used for used, _ in spent)
    write.create("outcome", job_outcome("token", outcome, _seconds(deployment), gas, total_cost(spent)))
    write.create(
        "audit",
        audit_event(
            action="token_deploy",
            outcome=outcome,
            wallet=deployment.wallet,
            subject=deployment.model_id,
            message=f"deployment {deployment.deployment_id}",
        ),
    )


class TokenWorkflow:
    """The states of one installation's token launches.

    Args:
        chain: The chain that tokens live on.
        rpc: Its nodes.
        models: Where models are known from; None for ``token_register``, which does not ask.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc, models: ModelSource | None = None) -> None:
        self._chain = chain
        self._rpc = rpc
        self._models = models

    def check(self, deployment_id: str) -> None:
        """Hold the launch to its conditions once more, keep what the model looked like, and begin deploying.

        Raises:
            ModelNotFoundError, ModelNotValidatedError, ForbiddenError: The model changed since the request.
            TokenExistsError: The registry has a token for the model that this deployment did not make.
            ConflictError: The launch has ended.
        """
        deployment, configuration = self._configured(deployment_id)
        if _unfinished(deployment).status != str(Status.PENDING):
            return
        if self._models is None:
            raise RuntimeError("check needs a source of models")
        model = self._models.find(deployment.model_id)
        refusal = model_refusal(model, deployment.wallet)
        if refusal or model is None:
            raise refusal or NotFoundError("The model does not exist")
        if token := self._registered_token(deployment, configuration):
            raise TokenExistsError("The model has a token", details={"token_address": token})
        advance(
            deployment,
            {Status.PENDING},
            Status.DEPLOYING,
            "The model was checked; deploying its token",
            actions=[DeploymentItem.model.set(model.snapshot())],
        )

    def broadcast(self, deployment_id: str, purpose: Purpose) -> int:
        """Send the signed transaction; see ``slipway.chain.broadcast.broadcast`` for what is raised.

        Returns:
            Seconds after which a look at it makes sense.
        """
        deployment, item, _ = self._signed(deployment_id, purpose)
        _unfinished(deployment)
        broadcast(self._rpc, item)
        return first_pause(self._chain)

    def confirm(self, deployment_id: str, purpose: Purpose, polls: int) -> Look:
        """Look whether the transaction is confirmed, and record it when it is: with its registration a launch ends.

        Raises:
            DeploymentFailedError: It reverted, or left another token in the registry, or the launch's time is over.
            UpstreamUnavailableError: The node does not show its effect yet, or did not answer.
        """
        deployment, item, configuration = self._signed(deployment_id, purpose)
        if purpose == "register" and deployment.status == str(Status.COMPLETED):
            # An earlier call recorded the end and was not heard.
            return Look(Progress.CONFIRMED, 0)
        _unfinished(deployment)
        found = look(self._rpc, self._chain, item, polls, now())
        found = held_to(from_text(deployment.deadline), found, item, now())
        if found.progress is not Progress.CONFIRMED or found.receipt is None:
            return found
        if purpose == "deploy":
            self._deployed(deployment, item, found.receipt)
        else:
            self._registered(deployment, item, found.receipt, configuration)
        return found

    def _deployed(self, deployment: DeploymentItem, item: TransactionItem, receipt: Receipt) -> None:
        if not self._rpc.code_at(str(deployment.token_address)):
            raise UpstreamUnavailableError("The node does not show the token's code yet")
        advance(
            deployment,
            {Status.DEPLOYING},
            Status.REGISTERING,
            "The token is deployed; registering it",
            actions=[
                DeploymentItem.deployment_tx_hash.set(receipt.transaction_hash),
                DeploymentItem.deployment_block.set(receipt.block_number),
                DeploymentItem.deployment_gas_used.set(receipt.gas_used),
                DeploymentItem.deployment_gas_price.set(str(receipt.effective_gas_price)),
            ],
            data={"transaction_hash": receipt.transaction_hash, "token_address": deployment.token_address},
            also=lambda write: confirm(write, item),
        )

    def _registered(
        self,
        deployment: DeploymentItem,
        item: TransactionItem,
        receipt: Receipt,
        configuration: ChainConfiguration | None,
    ) -> None:
        # Not written as it stands: what the end tells of gas and cost is read from it.
        deployment.registry_tx_hash = receipt.transaction_hash
        deployment.registry_block = receipt.block_number
        deployment.registry_gas_used = receipt.gas_used
        deployment.registry_gas_price = str(receipt.effective_gas_price)
        actions = [
            DeploymentItem.registry_tx_hash.set(deployment.registry_tx_hash),
            DeploymentItem.registry_block.set(deployment.registry_block),
            DeploymentItem.registry_gas_used.set(deployment.registry_gas_used),
            DeploymentItem.registry_gas_price.set(deployment.registry_gas_price),
        ]
        self._complete(deployment, configuration, actions, lambda write: confirm(write, item))

    def check_registration(self, deployment_id: str) -> bool:
        """Whether the registry already has this deployment's token.

        Raises:
            TokenExistsError: It has another token for the model.
            ConflictError: The launch has ended, or its token is not deployed.
        """
        deployment, configuration, intent = read_items(
            (DeploymentItem, deployment_key(deployment_id)),
            (ChainConfiguration, ChainConfiguration.key(self._chain.chain_id)),
            (TransactionIntent, TransactionIntent.key(deployment_id, "register")),
        )
        deployment = _unfinished(_existing(deployment))
        if deployment.status != str(Status.REGISTERING):
            raise ConflictError("The token is not deployed yet")
        token = self._registered_token(deployment, configuration)
        if token and token != str(deployment.token_address).lower():
            raise TokenExistsError("The model has another token", details={"token_address": token})
        # A registration of ours that is not recorded yet still has to be: its gas belongs to the launch.
        return token is not None and intent is None

    def complete(self, deployment_id: str) -> None:
        """Record that a launch is complete whose token the registry had already.

        Raises:
            DeploymentFailedError: The registry names another token.
            UpstreamUnavailableError: The node does not show the registration yet, or did not answer.
        """
        deployment, configuration = self._configured(deployment_id)
        if not deployment.ended:
            self._complete(deployment, configuration, [], lambda _: None)

    def _complete(
        self,
        deployment: DeploymentItem,
        configuration: ChainConfiguration | None,
        actions: Sequence[Action],
        also: Callable[[Transaction], None],
    ) -> None:
        token = self._registered_token(deployment, configuration)
        if token is None:
            raise UpstreamUnavailableError("The node does not show the registration yet")
        if token != str(deployment.token_address).lower():
            raise DeploymentFailedError("The registry does not name this token")

        def add(write: Transaction) -> None:
            _tell_end(write, deployment, "completed")
            also(write)

        if advance(
            deployment,
            {Status.REGISTERING},
            Status.COMPLETED,
            "The token is deployed and registered",
            actions=actions,
            data={"token_address": deployment.token_address},
            also=add,
        ):
            self._measure(deployment, "completed")
            record_outcome(Service.TOKENS, Outcome.SUCCESS)

    def fail(self, deployment_id: str, error_name: str, cause: str) -> None:
        """Record how the launch failed, and let the model go if nothing of it can still be mined."""
        deployment = _existing(find_deployment(deployment_id))
        if deployment.ended:
            return
        failure = failure_of(error_name, cause, "launch")
        logger.error("launch failed", deployment_id=deployment_id, error_name=error_name, cause=cause[:2000])
        actions = [
            DeploymentItem.error_code.set(failure.code),
            DeploymentItem.error_message.set(failure.message),
        ]
        transaction_hash = deployment.registry_tx_hash or deployment.deployment_tx_hash
        if transaction_hash:
            actions.append(DeploymentItem.error_transaction_hash.set(transaction_hash))
        can_try_again = self._can_try_again(deployment)

        def also(write: Transaction) -> None:
            _tell_end(write, deployment, failure.code)
            if can_try_again:
                release_locks(write, deployment)

        if advance(
            deployment,
            _UNFINISHED,
            Status.FAILED,
            failure.message,
            actions=actions,
            data={"code": failure.code},
            also=also,
        ):
            self._measure(deployment, failure.code)
            if failure.code in _OUR_FAULT:
                record_outcome(Service.TOKENS, Outcome.FAILURE)

    def _can_try_again(self, deployment: DeploymentItem) -> bool:
        """Whether no token of this deployment exists or can still appear."""
        item = transaction_for(deployment.deployment_id, "deploy")
        if item is None or item.status == "cancelled":
            return True
        try:
            receipts = [self._rpc.receipt(transaction_hash) for transaction_hash in item.hashes]
        except UpstreamUnavailableError:
            return False
        return any(receipt and not receipt.succeeded for receipt in receipts)

    def _measure(self, deployment: DeploymentItem, outcome: str) -> None:
        record("Launches", outcome=outcome)
        # Averaged over any time, this is the failure rate.
        record("LaunchFailed", int(outcome != "completed"))
        record("LaunchDuration", _seconds(deployment), MetricUnit.Seconds, outcome=outcome)
        if gas := sum(used for used, _ in _spent(deployment)):
            record("LaunchGas", gas, chain=self._chain.name)

    def _configured(self, deployment_id: str) -> tuple[DeploymentItem, ChainConfiguration | None]:
        deployment, configuration = read_items(
            (DeploymentItem, deployment_key(deployment_id)),
            (ChainConfiguration, ChainConfiguration.key(self._chain.chain_id)),
        )
        return _existing(deployment), configuration

    def _registered_token(self, deployment: DeploymentItem, configuration: ChainConfiguration | None) -> str | None:
        registry = str(with_contracts(configuration, self._chain).model_registry)
        return calls.registered_token(self._rpc, registry, deployment.model_id)

    def _signed(
        self, deployment_id: str, purpose: Purpose
    ) -> tuple[DeploymentItem, TransactionItem, ChainConfiguration | None]:
        """A launch and its transaction, which was signed before."""
        deployment, intent, configuration = read_items(
            (DeploymentItem, deployment_key(deployment_id)),
            (TransactionIntent, TransactionIntent.key(deployment_id, purpose)),
            (ChainConfiguration, ChainConfiguration.key(self._chain.chain_id)),
        )
        item = transaction_of(intent) if intent else None
        if item is None:
            raise ConflictError(f"The {purpose} transaction is not signed")
        return _existing(deployment), item, configuration


def _existing(deployment: DeploymentItem | None) -> DeploymentItem:
    if deployment is None:
        raise NotFoundError("There is no such deployment")
    return deployment


def _unfinished(deployment: DeploymentItem) -> DeploymentItem:
    if deployment.ended:
        raise ConflictError(f"The launch has ended: {deployment.status}")
    return deployment
