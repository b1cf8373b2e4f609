"""What the signer function does for a token launch: sign its transactions ahead of their broadcast.

Its only argument is the launch; what to sign follows from the launch as it is stored and from the chain, so a caller of
the signer still can't make it sign something else.
"""

import time

from slipway.chain.plans import Change, Create, Plan, PlannedCall, SignedValue, Update
from slipway.chain.signing import ChainSigning
from slipway.chain.store import ChainConfiguration, TransactionItem, with_contracts
from slipway.errors import ConflictError, DeploymentFailedError, UpstreamUnavailableError
from slipway.jobs.deployments import deployment_key
from slipway.jobs.store import job_event
from slipway.times import Clock, now, now_text
from slipway.tokens import calls
from slipway.tokens.models import Purpose, Status
from slipway.tokens.rules import to_sign
from slipway.tokens.store import PREFIXES, Launch, TokenItem, read_launch
from slipway.tokens.transaction_states import launch_states, status_of, terms_of, undone

# Where a launch keeps the hash of each transaction.
_HASHES = {purpose: f"{prefix}_tx_hash" for purpose, prefix in PREFIXES.items()}
_SIGNABLE = (str(Status.DEPLOYING), str(Status.REGISTERING))


class TokenSigning:
    """Signs for token launches; errors are those of ``ChainSigning``.

    Args:
        signing: Signs on the chain that tokens live on.
        clock: Gives the time.
    """

    def __init__(self, signing: ChainSigning, clock: Clock = time) -> None:
        self._signing = signing
        self._clock = clock
        self._registries = calls.Registries(signing.rpc)

    def sign(self, deployment_id: str) -> list[TransactionItem]:
        """Sign what a launch needs and has not signed: all of it together, or what had no effect anew.

        Returns:
            The launch's transactions; those of an earlier call while any of them is open.
        """
        launch = self._launch(deployment_id)
        if launch.token.status not in _SIGNABLE:
            raise ConflictError(f"The launch is not at the point where this is signed: {launch.token.status}")
        states = launch_states(self._signing.rpc, self._signing.chain, launch, 0, now(self._clock))
        configuration = with_contracts(launch.configuration, self._signing.chain)
        purposes = undone(self._signing.rpc, configuration, launch.token, to_sign(states, launch.token.purposes))
        if not purposes:
            return list(launch.transactions.values())
        spent = [item for item in launch.open if item.purpose in purposes]
        for item in spent:
            item.status = str(status_of(states[item.purpose]))
        replaced = [item for purpose, item in launch.transactions.items() if purpose in purposes]
        signed = self._signing.sign(self._plan(launch, configuration, purposes, replaced))
        return list((launch.transactions | {item.purpose: item for item in signed}).values())

    def bump(self, deployment_id: str) -> None:
        """Sign stuck transactions again with higher fees, if the cap leaves room for that."""
        stuck = self._signing.stuck(self._signed(deployment_id).open)
        changes: list[Change] = []
        values = {}
        for item, _ in stuck:
            changes.append(_event(deployment_id, item.purpose, "bumped", "Signed again with higher fees"))
            if not item.cancel_hashes:
                values[_HASHES[item.purpose]] = SignedValue(item.purpose, "transaction_hash")
        if values:
            changes.append(Update("deployment", TokenItem(*deployment_key(deployment_id)), values))
        self._signing.sign_again(stuck, changes)

    def cancel(self, deployment_id: str) -> None:
        """Call a launch off: sign self-transfers at its nonces. Which of the signatures is mined decides.

        A token that is in a block already gets its registration.
        """
        stuck = self._signing.stuck(self._signed(deployment_id).open, cancel=True)
        if "deploy" in {item.purpose for item, _ in stuck}:
            message = "Called the transaction off"
            changes = [_event(deployment_id, item.purpose, "cancelled", message) for item, _ in stuck]
            self._signing.sign_again(stuck, changes, cancel=True)

    def _launch(self, deployment_id: str) -> Launch:
        return read_launch(deployment_id, self._signing.chain.chain_id)

    def _signed(self, deployment_id: str) -> Launch:
        launch = self._launch(deployment_id)
        if not launch.transactions:
            raise ConflictError("Nothing is signed for the launch")
        return launch

    def _plan(
        self,
        launch: Launch,
        configuration: ChainConfiguration,
        purposes: tuple[Purpose, ...],
        replaced: list[TransactionItem],
    ) -> Plan:
        """Return what the launch has signed now: calls, and what of the launch changes with them."""
        token = launch.token
        terms = terms_of(token) if self._version(configuration) is calls.Version.KEEPS_TERMS else None
        planned = self._calls(token, configuration, purposes, replaced, terms)
        values = {
            "updated_at": now_text(self._clock),
            **{_HASHES[one.purpose]: SignedValue(one.purpose, "transaction_hash") for one in planned},
        }
        if "deploy" in purposes:
            values["token_address"] = SignedValue("deploy", "contract_address")
            values["controller"] = str(configuration.token_manager)
            values |= {"steward": terms.steward} if terms else {}
        signable = TokenItem.status.is_in(*_SIGNABLE)
        events = [
            _event(token.deployment_id, one.purpose, "signed", f"Signed the {one.purpose} transaction")
            for one in planned
        ]
        return Plan(
            job_id=token.deployment_id,
            calls=tuple(planned),
            changes=(Update("deployment", TokenItem(token.pk, token.sk), values, signable), *events),
            configuration=configuration,
            replaces=tuple(replaced),
        )

    def _calls(
        self,
        token: TokenItem,
        configuration: ChainConfiguration,
        purposes: tuple[Purpose, ...],
        replaced: list[TransactionItem],
        terms: calls.Terms | None,
    ) -> list[PlannedCall]:
        registry, manager = str(configuration.model_registry), str(configuration.token_manager)
        if "register" in purposes and "deploy" not in purposes:
            # What gas a distribution needs is known once this is done.
            return [calls.registration(registry, token.model_id, str(token.token_address), terms)]
        if "deploy" not in purposes:
            if terms is None:
                raise DeploymentFailedError("The contracts of this installation can't distribute a supply")
            return [calls.distribution(manager, str(token.token_address), terms)]
        for item in replaced:
            if item.contract_address and calls.token_name(self._signing.rpc, item.contract_address) == token.token_name:
                raise UpstreamUnavailableError("The chain shows the token, but not yet the transaction that created it")
        version = self._version(configuration)
        planned = calls.launch(
            registry, manager, version, token.token_name, token.token_symbol, token.model_id, terms_of(token)
        )
        # In the first version a registration does not revert if the creation did: it is signed after that is final.
        return planned[:1] if version is calls.Version.FIRST else planned

    def _version(self, configuration: ChainConfiguration) -> calls.Version:
        return self._registries.version(str(configuration.model_registry))


def _event(deployment_id: str, purpose: str, event: str, message: str) -> Create:
    data = {
        "purpose": purpose,
        "transaction_hash": SignedValue(purpose, "transaction_hash"),
        "nonce": SignedValue(purpose, "nonce"),
    }
    return Create(f"event:{purpose}", job_event(deployment_key(deployment_id)[0], event, message, data))
