"""What the signer function does for a token launch: sign its transactions ahead of their broadcast.

It is told only which deployment and which purpose; what to sign follows from the deployment as it is stored, so whoever
may invoke the signer still can't make it sign something else.
"""

from typing import Any

from slipway.chain.plans import Change, Create, Of, Plan, PlannedCall, Update
from slipway.chain.signing import ChainSigning
from slipway.chain.store import ChainConfiguration, TransactionItem, transaction_for, with_contracts
from slipway.errors import ConflictError, NotFoundError
from slipway.jobs.deployments import deployment_key
from slipway.jobs.store import job_event
from slipway.store import read_items
from slipway.times import now_text
from slipway.tokens import calls
from slipway.tokens.models import Purpose, Status
from slipway.tokens.store import DeploymentItem

# Where a launch keeps the hash of each transaction.
_HASHES = {"deploy": "deployment_tx_hash", "register": "registry_tx_hash"}


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
        make_plan = _deployment_plan if purpose == "deploy" else _registration_plan
        return self._signing.sign(make_plan(deployment, configuration))[0]

    def bump(self, deployment_id: str, purpose: Purpose) -> None:
        """Sign a stuck transaction again with higher fees, if the cap leaves room for that."""
        for stuck in self._signing.stuck([_signed(deployment_id, purpose)]):
            item, _ = stuck
            changes: list[Change] = [_event(deployment_id, purpose, "bumped", "Signed again with higher fees")]
            if not item.cancel_hashes:
                values = {_HASHES[purpose]: Of(purpose, "transaction_hash")}
                changes.append(Update("deployment", DeploymentItem(*deployment_key(deployment_id)), values))
            self._signing.sign_again([stuck], changes)

    def cancel(self, deployment_id: str, purpose: Purpose) -> None:
        """Call a transaction off: sign a self-transfer at its nonce. Which of them is mined decides."""
        stuck = self._signing.stuck([_signed(deployment_id, purpose)], cancel=True)
        changes = [_event(deployment_id, purpose, "cancelled", "Called the transaction off")]
        self._signing.sign_again(stuck, changes, cancel=True)


def _signed(deployment_id: str, purpose: Purpose) -> TransactionItem:
    if item := transaction_for(deployment_id, purpose):
        return item
    raise ConflictError(f"The {purpose} transaction is not signed")


def _deployment_plan(deployment: DeploymentItem, configuration: ChainConfiguration) -> Plan:
    controller = str(configuration.token_manager)
    call = calls.creation(deployment.token_name, deployment.token_symbol, controller)
    values = {"token_address": Of("deploy", "contract_address"), "controller": controller}
    return _plan(deployment, configuration, call, Status.DEPLOYING, values)


def _registration_plan(deployment: DeploymentItem, configuration: ChainConfiguration) -> Plan:
    if not deployment.token_address:
        raise ConflictError("The token is not deployed yet")
    call = calls.registration(str(configuration.model_registry), deployment.model_id, deployment.token_address)
    return _plan(deployment, configuration, call, Status.REGISTERING, {})


def _plan(
    deployment: DeploymentItem,
    configuration: ChainConfiguration,
    call: PlannedCall,
    status: Status,
    values: dict[str, Any],
) -> Plan:
    purpose = call.purpose
    values = {**values, _HASHES[purpose]: Of(purpose, "transaction_hash"), "updated_at": now_text()}
    return Plan(
        job_id=deployment.deployment_id,
        calls=(call,),
        changes=(
            Update(
                "deployment",
                DeploymentItem(deployment.pk, deployment.sk),
                values,
                condition=DeploymentItem.status == str(status),
            ),
            _event(deployment.deployment_id, purpose, "signed", f"Signed the {purpose} transaction"),
        ),
        configuration=configuration,
    )


def _event(deployment_id: str, purpose: str, event: str, message: str) -> Create:
    data = {
        "purpose": purpose,
        "transaction_hash": Of(purpose, "transaction_hash"),
        "nonce": Of(purpose, "nonce"),
    }
    return Create(f"event:{purpose}", job_event(deployment_key(deployment_id)[0], event, message, data))
