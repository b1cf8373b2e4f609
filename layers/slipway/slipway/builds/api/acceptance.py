"""What accepting a build writes, and what a refused acceptance means."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.builds.api.models import BuildRequest
from slipway.builds.pipeline.runs import next_check_at
from slipway.builds.states import DEPLOYMENT_SECONDS, ChainStatus, Stage, Status, Step
from slipway.builds.store import (
    WALLET,
    BuildCounts,
    BuildItem,
    ChainDeploymentItem,
    build_key,
    chain_key,
    number_key,
    open_work_of,
    owner_key,
    running,
)
from slipway.control.store import PROBE_WRITE, Gate
from slipway.errors import RateLimitExceededError, SlipwayError
from slipway.identifiers import new_id
from slipway.limits.store import Quota
from slipway.times import now, now_text, to_text

BUILDS = "builds"
_OPEN_RETRY_SECONDS = 15


def all_chains(build: BuildItem, chain_ids: list[int]) -> list[int]:
    """Return a build's chains with new ones, each once."""
    return list(dict.fromkeys([*map(int, build.chains), *chain_ids]))


def new_build(wallet: str, body: BuildRequest, number: int, *, deploys: bool = True) -> BuildItem:
    """Return a build as it is accepted."""
    build_id, moment = new_id(), now_text()
    work: dict[str, Any] = open_work_of(build_id, next_check_at())
    return BuildItem(
        *build_key(build_id),
        build_id=build_id,
        number=number,
        wallet=wallet,
        status=str(Status.PENDING),
        job_id=build_id,
        run_began_at=moment,
        stage=str(Stage.GENERATE),
        stage_began_at=moment,
        step=str(Step.QUEUED),
        sequence=1,
        prompt=body.prompt,
        template=body.template,
        options=body.options,
        deploys=deploys,
        signer=WALLET if (body.options or {}).get("signer") == WALLET else None,
        chains=body.chains,
        run_chains=body.chains,
        created_at=moment,
        updated_at=moment,
        owner_key=owner_key(wallet),
        owner_sort=number_key(number),
        subject_key=owner_key(wallet, Status.PENDING),
        **work,
    )


def new_try(build: BuildItem) -> tuple[list[Action], Condition]:
    """Return the actions that begin a failed build again, from its prompt, and the condition that no other has."""
    return _begun(build, Stage.GENERATE, new_id())


def new_run(build: BuildItem, chain_ids: list[int], job_id: str) -> tuple[list[Action], Condition]:
    """Return the actions that begin a run that only deploys, and the condition that no other has begun."""
    actions, condition = _begun(build, Stage.PREPARE, job_id)
    chains = [BuildItem.chains.set(all_chains(build, chain_ids)), BuildItem.run_chains.set(chain_ids)]
    return [*actions, *chains], condition


def joined_run(build: BuildItem, chain_id: int) -> tuple[list[Action], Condition]:
    """Return the actions that add a chain to the run that deploys, and the condition that it still does.

    Back at its first stage, the run does not end before it has looked at the chain.
    """
    run = list(dict.fromkeys([*map(int, build.run_chains), chain_id]))
    actions: list[Action] = [
        BuildItem.stage.set(str(Stage.PREPARE)),
        BuildItem.chains.set(all_chains(build, [chain_id])),
        BuildItem.run_chains.set(run),
    ]
    stages = BuildItem.stage.is_in(str(Stage.PREPARE), str(Stage.DEPLOY))
    return actions, running(build.job_id) & stages & (BuildItem.run_chains == list(build.run_chains))


def followed(
    build: BuildItem, job_id: str, chain_id: int, before: ChainDeploymentItem | None, tx_hash: str
) -> ChainDeploymentItem:
    """Return a chain's deployment whose transaction a wallet has sent, for a run that follows it."""
    moment = now_text()
    return ChainDeploymentItem(
        *chain_key(build.build_id, chain_id),
        build_id=build.build_id,
        chain_id=chain_id,
        status=str(ChainStatus.BROADCAST),
        job_id=job_id,
        attempt=int(before.attempt) + 1 if before else 1,
        deadline=to_text(now() + timedelta(seconds=DEPLOYMENT_SECONDS)),
        transaction_hash=tx_hash,
        signer=WALLET,
        created_at=before.created_at if before else moment,
        updated_at=moment,
    )


def not_deployed(before: ChainDeploymentItem | None) -> Condition | None:
    """Return the condition that a chain's deployment is as it was read, without a contract; None of one that is new."""
    if before is None:
        return None
    is_there = ChainDeploymentItem.status == str(ChainStatus.DEPLOYED)
    unchanged: Condition = (ChainDeploymentItem.attempt == int(before.attempt)) & ~is_there
    return unchanged


def _begun(build: BuildItem, stage: Stage, job_id: str) -> tuple[list[Action], Condition]:
    moment = now_text()
    work = open_work_of(build.build_id, next_check_at())
    actions: list[Action] = [
        BuildItem.job_id.set(job_id),
        BuildItem.runs.set(int(build.runs) + 1),
        BuildItem.run_began_at.set(moment),
        BuildItem.executions.set(1),
        BuildItem.stage.set(str(stage)),
        BuildItem.stage_began_at.set(moment),
        BuildItem.completed_at.remove(),
        BuildItem.error_code.remove(),
        BuildItem.error_message.remove(),
        BuildItem.error_details.remove(),
        BuildItem.open_shard.set(work["open_shard"]),
        BuildItem.open_until.set(work["open_until"]),
    ]
    condition: Condition = (BuildItem.job_id == build.job_id) & (BuildItem.status == build.status)
    return actions, condition


def too_many_open(failed: Mapping[str, Any], most_open: int) -> RateLimitExceededError | None:
    """Return the refusal of a transaction that failed because so many builds are open; None if it failed otherwise."""
    stored = failed.get("counts")
    if not stored or BuildCounts.from_raw_data(stored).open < most_open:
        return None
    return RateLimitExceededError(
        f"No more than {most_open} builds may be open at once; wait until one has ended",
        details={"open": most_open},
        retry_after=_OPEN_RETRY_SECONDS,
    )


def refusal_of(failed: Mapping[str, Any], gate: Gate, quota: Quota) -> SlipwayError | None:
    """Return why an accepting transaction was refused; None when the same may be accepted at the next try."""
    if PROBE_WRITE in failed:
        return gate.probed()
    return too_many_open(failed, quota.most_open) or quota.refused(failed)
