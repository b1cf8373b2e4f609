"""Builds as the API shows them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.builds.api.models import BuildDetail, BuildRefusal, ChainDeployment, ChainTarget, GasEstimate, Preview
from slipway.builds.models import Generation, NotHonoured
from slipway.builds.states import ChainStatus, Status
from slipway.builds.store import BuildItem, ChainDeploymentItem, chain_deployments
from slipway.chain.unsigned import UnsignedCreation
from slipway.chains import Chain
from slipway.errors import SlipwayError
from slipway.verification.models import Verification

WEI = 10**18


@dataclass(frozen=True)
class Creation:
    """The audited creation code with its arguments, for a wallet to send.

    Attributes:
        title: Of the contract.
        code: The code.
        gas: A limit with head-room.
    """

    title: str
    code: bytes
    gas: int

    def on(self, chain_id: int, chain_name: str) -> UnsignedCreation:
        """Return the transaction for a chain."""
        description = f"Create {self.title} on {chain_name}"
        return UnsignedCreation(data="0x" + self.code.hex(), chainId=chain_id, gas=self.gas, description=description)


def target_of(chain_id: int, chains: Mapping[int, Chain]) -> ChainTarget:
    """Return a chain that a build is for; one that this installation knows no more has only its number."""
    chain = chains.get(chain_id)
    return ChainTarget(
        chain_id=chain_id,
        chain_name=chain.name if chain else str(chain_id),
        testnet=chain.testnet if chain else True,
    )


def deployment_of(
    chain_id: int, item: ChainDeploymentItem | None, chains: Mapping[int, Chain], creation: Creation | None = None
) -> ChainDeployment:
    """Return a deployment on a chain, as far as it is, with what a wallet is to send as long as it isn't there."""
    name = target_of(chain_id, chains).chain_name
    if item is None:
        unsigned = creation.on(chain_id, name) if creation else None
        return ChainDeployment(chain_id=chain_id, chain_name=name, status=ChainStatus.PENDING, transaction=unsigned)
    chain = chains.get(chain_id)
    return ChainDeployment(
        chain_id=chain_id,
        chain_name=name,
        status=ChainStatus(item.status),
        address=item.address,
        tx_hash=item.transaction_hash,
        block_number=None if item.block_number is None else int(item.block_number),
        gas_used=item.gas_used,
        cost=item.cost,
        error=item.error_message,
        error_code=item.error_code,
        verification=Verification.of(item.verification) if item.status == str(ChainStatus.DEPLOYED) else None,
        explorer_url=chain.explorer_transaction_url(item.transaction_hash) if chain and item.transaction_hash else None,
        transaction=creation.on(chain_id, name) if creation and item.status != str(ChainStatus.DEPLOYED) else None,
    )


def deployments_of(
    chain_ids: Iterable[int],
    items: Iterable[ChainDeploymentItem],
    chains: Mapping[int, Chain],
    *,
    cancelled: bool = False,
    creation: Creation | None = None,
) -> list[ChainDeployment]:
    """Return deployments in the order of a build's chains; those that have not begun are pending, or cancelled like
    their build."""
    known = {int(item.chain_id): item for item in items}
    found = [deployment_of(int(chain), known.get(int(chain)), chains, creation) for chain in chain_ids]
    for deployment in found:
        if cancelled and deployment.status is ChainStatus.PENDING:
            deployment.status = ChainStatus.CANCELLED
    return found


def read_deployments(
    build: BuildItem, chains: Mapping[int, Chain], creation: Creation | None = None
) -> list[ChainDeployment] | None:
    """Return a build's deployments, which are read; None before they have begun."""
    known = chain_deployments(build.build_id)
    if not known and not creation and build.status != str(Status.DEPLOYING):
        return None
    cancelled = build.status == str(Status.CANCELLED)
    return deployments_of(build.chains, known, chains, cancelled=cancelled, creation=creation)


def detail_of(
    build: BuildItem,
    chains: Mapping[int, Chain],
    stream_url: str | None,
    *,
    deployments: list[ChainDeployment] | None = None,
    code: str | None = None,
    report: bytes | None = None,
    in_list: bool = False,
) -> BuildDetail:
    """Return a build with all that came of it; in a list, without the details of an error, which may be long."""
    cost: str | None = build.total_cost
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
