"""Builds as the API shows them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.builds.api.models import (
    BuildDetail,
    BuildRefusal,
    ChainCost,
    ChainDeployment,
    ChainTarget,
    GasEstimate,
    Preview,
)
from slipway.builds.api.snippets import snippets_of
from slipway.builds.models import Generation, NotHonoured
from slipway.builds.pipeline.rules import creation_code, creation_gas_limit, digest_of
from slipway.builds.states import ChainStatus, Status
from slipway.builds.store import BuildItem, ChainDeploymentItem, chain_deployments
from slipway.chain.unsigned import UnsignedCreation
from slipway.chains import Chain
from slipway.errors import SlipwayError, UpstreamUnavailableError
from slipway.verification.models import Verification

WEI = 10**18


@dataclass(frozen=True)
class Compiled:
    """What of a build's contract its deployments show.

    Attributes:
        build: The build.
        abi: Of the contract.
        code: Its creation code with the arguments.
        encoded: The arguments.
    """

    build: BuildItem
    abi: Sequence[Mapping[str, Any]]
    code: bytes
    encoded: bytes

    @classmethod
    def of(cls, build: BuildItem, contract: Mapping[str, Any]) -> "Compiled":
        """Return a build's contract as it is stored.

        Raises:
            UpstreamUnavailableError: It is not what passed the audit.
        """
        arguments = build.constructor_arguments or []
        code = creation_code(contract["bytecode"], arguments)
        if build.creation_digest and digest_of(code) != build.creation_digest:
            raise UpstreamUnavailableError("The stored code is not the code that passed the audit")
        return cls(build, contract["abi"], code, creation_code("0x", arguments))

    def transaction(self, chain: ChainTarget) -> UnsignedCreation | None:
        """Return what the caller's wallet sends to a chain; None before the audit passed, or where Slipway signs."""
        if not (self.build.signer and self.build.deployable and self.build.creation_digest):
            return None
        return UnsignedCreation(
            data="0x" + self.code.hex(),
            chainId=chain.chain_id,
            gas=creation_gas_limit(self.code, self.build.constructor_arguments or []),
            description=f"Create {self.build.contract_name} on {chain.chain_name}",
        )


def target_of(chain_id: int, chains: Mapping[int, Chain]) -> ChainTarget:
    """Return a chain that a build is for; one that this installation knows no more has only its number."""
    chain = chains.get(chain_id)
    return ChainTarget(
        chain_id=chain_id,
        chain_name=chain.name if chain else str(chain_id),
        testnet=chain.testnet if chain else True,
    )


def deployment_of(
    chain_id: int, item: ChainDeploymentItem | None, chains: Mapping[int, Chain], compiled: Compiled | None = None
) -> ChainDeployment:
    """Return a deployment on a chain, as far as it is, with what a wallet is to send as long as it isn't there."""
    target, chain = target_of(chain_id, chains), chains.get(chain_id)
    shown = ChainDeployment(
        chain_id=chain_id,
        chain_name=target.chain_name,
        status=ChainStatus(item.status) if item else ChainStatus.PENDING,
        currency=chain.currency if chain else None,
        constructor_arguments_encoded="0x" + compiled.encoded.hex() if compiled else None,
    )
    is_deployed = shown.status is ChainStatus.DEPLOYED
    if compiled and not is_deployed:
        shown.transaction = compiled.transaction(target)
    if item is None:
        return shown
    shown.address, shown.tx_hash = item.address, item.transaction_hash
    shown.block_number = None if item.block_number is None else int(item.block_number)
    shown.gas_used, shown.cost = item.gas_used, item.cost
    shown.error, shown.error_code = item.error_message, item.error_code
    shown.verification = Verification.of(item.verification) if is_deployed else None
    if chain and item.transaction_hash:
        shown.explorer_url = chain.explorer_transaction_url(item.transaction_hash)
    if chain and is_deployed:
        shown.explorer_contract_url = chain.explorer_address_url(str(item.address))
    if compiled and is_deployed:
        shown.snippets = snippets_of(item.build_id, chain_id, str(item.address), compiled.abi)
    return shown


def deployments_of(
    chain_ids: Iterable[int],
    items: Iterable[ChainDeploymentItem],
    chains: Mapping[int, Chain],
    *,
    cancelled: bool = False,
    compiled: Compiled | None = None,
) -> list[ChainDeployment]:
    """Return deployments in the order of a build's chains; those that have not begun are pending, or cancelled like
    their build."""
    known = {int(item.chain_id): item for item in items}
    found = [deployment_of(int(chain), known.get(int(chain)), chains, compiled) for chain in chain_ids]
    for deployment in found:
        if cancelled and deployment.status is ChainStatus.PENDING:
            deployment.status = ChainStatus.CANCELLED
    return found


def read_deployments(
    build: BuildItem, chains: Mapping[int, Chain], compiled: Compiled | None = None
) -> list[ChainDeployment] | None:
    """Return a build's deployments, which are read; None before they have begun."""
    known = chain_deployments(build.build_id)
    if not known and not (build.signer and build.deployable) and build.status != str(Status.DEPLOYING):
        return None
    cancelled = build.status == str(Status.CANCELLED)
    return deployments_of(build.chains, known, chains, cancelled=cancelled, compiled=compiled)


def detail_of(
    build: BuildItem,
    chains: Mapping[int, Chain],
    stream_url: str | None,
    *,
    deployments: list[ChainDeployment] | None = None,
    compiled: Compiled | None = None,
    code: str | None = None,
    report: bytes | None = None,
    in_list: bool = False,
) -> BuildDetail:
    """Return a build with all that came of it; in a list, without the details of an error, which may be long."""
    cost: str | None = build.total_cost if _is_one_currency(build, chains) else None
    return BuildDetail(
        build_id=build.build_id,
        status=Status(build.status),
        prompt=build.prompt,
        chains=[target_of(int(chain), chains) for chain in build.chains],
        template=build.template,
        options=build.options,
        created_at=build.created_at,
        updated_at=build.updated_at,
        completed_at=build.completed_at,
        progress=int(build.progress),
        step=build.step,
        sequence=int(build.sequence),
        stream_url=stream_url,
        code=code,
        audit_report=json.loads(report) if report else None,
        abi=list(map(dict, compiled.abi)) if compiled else None,
        bytecode_hash=build.creation_digest,
        costs=None if in_list else _costs(deployments or []),
        deployments=deployments,
        engine=build.engine,
        usage=build.usage,
        kind=build.kind,
        title=build.title,
        contract_name=build.contract_name,
        constructor_arguments=build.constructor_arguments,
        effective_options=build.generated_options,
        assumed=build.assumed or [],
        not_honoured=build.not_honoured or [],
        powers=build.powers or [],
        strict=(build.options or {}).get("strict") is not False,
        signer="wallet" if build.signer else "slipway",
        generation_time=_seconds(build.generation_time),
        audit_time=_seconds(build.audit_time),
        deploy_time=_seconds(build.deploy_time),
        total_cost=None if cost is None else int(cost) / WEI,
        total_cost_wei=cost,
        gas_used=build.gas_used,
        error=build.error_message,
        error_code=build.error_code,
        error_details=None if in_list else build.error_details,
    )


def _is_one_currency(build: BuildItem, chains: Mapping[int, Chain]) -> bool:
    """Return whether what a build cost can be one number: a test network's currency is not that of the main one."""
    known = [chains.get(int(chain)) for chain in build.chains]
    return len({(chain.currency, chain.testnet) if chain else None for chain in known}) == 1 and known[0] is not None


def _costs(deployments: Iterable[ChainDeployment]) -> list[ChainCost]:
    return [
        ChainCost(chain_id=entry.chain_id, currency=entry.currency, cost=entry.cost)
        for entry in deployments
        if entry.cost is not None and entry.currency is not None
    ]


def preview_of(
    made: Generation, gas: list[GasEstimate], refusals: Iterable[SlipwayError], *, by_model: bool
) -> Preview:
    """Return a composed contract as a preview; `by_model` where a language model would write it instead."""
    instead = ["A language model writes the contract of a build here; this is what the built-in composer would write."]
    return Preview(
        kind=made.kind,
        title=made.title,
        contract_name=made.contract_name,
        options=made.options,
        assumed=[*made.assumed, *(instead if by_model else [])],
        not_honoured=made.not_honoured,
        powers=made.powers,
        source=made.source,
        constructor_arguments=made.constructor_arguments,
        gas=gas,
        refusals=[BuildRefusal(code=error.code, message=error.message) for error in refusals],
    )


def unread(error: SlipwayError) -> Preview:
    """Return the preview of a prompt with a value that no contract can have, or without one that it must have."""
    return Preview(
        kind=None,
        title="",
        options={},
        assumed=[],
        not_honoured=[NotHonoured.model_validate(entry) for entry in (error.details or {}).get("not_honoured", [])],
        powers=[],
        source="",
        gas=[],
        refusals=[BuildRefusal(code=error.code, message=error.message)],
    )


def _seconds(stored: Any) -> float | None:
    return None if stored is None else float(stored)
