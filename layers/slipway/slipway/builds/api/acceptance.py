"""What accepting a build writes, and what a refused acceptance means."""

from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.builds.api.models import BuildRequest
from slipway.builds.pipeline.runs import next_look
from slipway.builds.states import Stage, Status, Step
from slipway.builds.store import BuildCounts, BuildItem, build_key, number_key, open_work_of, owner_key
from slipway.control.store import PROBE_WRITE, Gate
from slipway.errors import RateLimitExceededError, SlipwayError
from slipway.identifiers import new_id
from slipway.limits import store as limits
from slipway.settings import BuildLimits
from slipway.times import now_text

BUILDS = "builds"
_OPEN_RETRY_SECONDS = 15


def all_chains(build: BuildItem, chain_ids: list[int]) -> list[int]:
    """Return a build's chains with new ones, each once."""
    return list(dict.fromkeys([*map(int, build.chains), *chain_ids]))


def new_build(wallet: str, body: BuildRequest, number: int, *, deploys: bool = True) -> BuildItem:
    """Return a build as it is accepted."""
    build_id, moment = new_id(), now_text()
    work: dict[str, Any] = open_work_of(build_id, next_look())
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
    return _begun(build, Stage.GENERATE)


def new_run(build: BuildItem, chain_ids: list[int]) -> tuple[list[Action], Condition]:
    """Return the actions that begin a run that only deploys, and the condition that no other has begun."""
    actions, condition = _begun(build, Stage.PREPARE)
    chains = [BuildItem.chains.set(all_chains(build, chain_ids)), BuildItem.run_chains.set(chain_ids)]
    return [*actions, *chains], condition


def _begun(build: BuildItem, stage: Stage) -> tuple[list[Action], Condition]:
    moment = now_text()
    work = open_work_of(build.build_id, next_look())
    actions: list[Action] = [
        BuildItem.job_id.set(new_id()),
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


def refusal_of(failed: Mapping[str, Any], gate: Gate, wallet: str, limit: BuildLimits) -> SlipwayError | None:
    """Return why an accepting transaction was refused; None when the same may be accepted at the next try."""
    if PROBE_WRITE in failed:
        return gate.probed()
    stored = failed.get("counts")
    if stored and BuildCounts.from_raw_data(stored).open >= limit.most_open:
        return RateLimitExceededError(
            f"No more than {limit.most_open} builds may be open at once; wait until one has ended",
            details={"open": limit.most_open},
            retry_after=_OPEN_RETRY_SECONDS,
        )
    if "limit" in failed:
        refusal = limits.refusal(failed["limit"], limit.windows)
        if refusal is None:
            limits.trim(BUILDS, wallet, limit.windows)
        return refusal
    return None
