"""The light tasks of the state machine ``build``: deployments are prepared, and the end is recorded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from slipway.builds.pipeline.runs import Runs, due, next_stage
from slipway.builds.states import ChainStatus, Progress, Stage, Status, Step
from slipway.builds.store import BuildItem, ChainDeploymentItem, chain_deployments
from slipway.errors import (
    AuditUnavailableError,
    CompileTimeoutError,
    DeploymentFailedError,
)
from slipway.jobs.failures import Failure, failure_of
from slipway.observability import logger
from slipway.times import Clock

# A build that ended well on some chains says so; these are the ends of one.
_ENDED = {str(ChainStatus.DEPLOYED), str(ChainStatus.FAILED), str(ChainStatus.CANCELLED)}


@dataclass(frozen=True)
class StageResult:
    """Chains that a run deploys to now; none when it is over."""

    stage: Stage
    chain_ids: list[int]


class BuildWorkflow:
    """The light states of builds.

    Args:
        clock: Gives the time.
    """

    def __init__(self, clock: Clock = time) -> None:
        self._runs = Runs(clock)

    # ── Deploy ──────────────────────────────────────────────────────────────────────────────────

    def prepare(self, build_id: str, job_id: str) -> StageResult:
        """Say which chains are to be deployed to. Nothing is that did not pass its audit."""
        build, is_due = due(build_id, job_id, Stage.PREPARE, Stage.DEPLOY)
        if not is_due:
            return StageResult(next_stage(build, job_id), [])
        if not build.deployable:
            error = AuditUnavailableError("The contract has no audit that passed")
            return StageResult(self._runs.fail(build, job_id, error), [])
        if build.stage == str(Stage.PREPARE):
            chains = _chains(len(build.run_chains))
            event = Progress(Status.DEPLOYING, 70, Step.DEPLOYMENT, f"Deploying to {chains}")
            self._runs.begin_stage(build, job_id, Stage.PREPARE, Stage.DEPLOY, event)
        stage = next_stage(build, job_id)
        return StageResult(stage, [int(chain) for chain in build.run_chains] if stage is Stage.DEPLOY else [])

    def complete(self, build_id: str, job_id: str) -> Stage:
        """Record how the run ended, once every chain of it has.

        A build is complete when its contract is on every one of its chains. If it is not, the build failed, and its
        deployments say on which chains it is all the same: those stay, and only the others are tried again.
        """
        build, is_due = due(build_id, job_id, Stage.DEPLOY)
        if not is_due:
            return next_stage(build, job_id)
        deployments = {int(entry.chain_id): entry for entry in chain_deployments(build_id)}
        run = [deployments.get(int(chain)) for chain in build.run_chains]
        if any(entry is None or entry.status not in _ENDED for entry in run):
            return Stage.DEPLOY
        everything = list(deployments.values())
        deployed = [entry for entry in everything if entry.status == str(ChainStatus.DEPLOYED)]
        failed = [entry for entry in everything if entry.status != str(ChainStatus.DEPLOYED)]
        actions = [
            BuildItem.stage.set(str(Stage.DONE)),
            BuildItem.deploy_time.set(round(float(build.deploy_time or 0) + self._runs.seconds_of_stage(build), 3)),
            BuildItem.gas_used.set(str(_sum(everything, "gas_used"))),
            BuildItem.total_cost.set(str(_sum(everything, "cost"))),
        ]
        if failed:
            failure = _failure_on(failed, len(everything))
            actions += _failure_actions(failure)
            event = Progress(Status.FAILED, 0, Step.ERROR, failure.message)
        else:
            event = Progress(Status.COMPLETE, 100, Step.COMPLETE, f"Deployed to {_chains(len(everything))}")
        code = DeploymentFailedError.code if failed else None
        gas, cost = _sum(everything, "gas_used"), _sum(everything, "cost")
        # One chain that is down says nothing of the others, nor of the service.
        is_ours = False if deployed or build.signer else None
        self._runs.finish(build, job_id, event, actions, code, gas=gas, cost=cost, is_ours=is_ours, at=Stage.DEPLOY)
        return next_stage(build, job_id)

    # ── Failures ────────────────────────────────────────────────────────────────────────────────

    def record_failure(self, build_id: str, job_id: str, error_name: str, cause: str) -> Stage:
        """Record that a task failed for a reason that it could not record itself.

        Once something may be on a chain, only the chain knows how it ends: then the run goes on, by ``reconcile``.
        """
        build, is_due = due(build_id, job_id, Stage.GENERATE, Stage.COMPILE, Stage.AUDIT, Stage.FIX)
        if not is_due:
            return next_stage(build, job_id)
        failure = failure_of(error_name, cause, "build")
        if failure.code == DeploymentFailedError.code:
            failure = _of_stage(build, failure)
        logger.warning("build failed", build_id=build_id, stage=build.stage, error=error_name, code=failure.code)
        actions = [*_failure_actions(failure), BuildItem.stage.set(str(Stage.DONE))]
        self._runs.finish(build, job_id, Progress(Status.FAILED, 0, Step.ERROR, failure.message), actions, failure.code)
        return next_stage(build, job_id)


def _chains(count: int) -> str:
    return "1 chain" if count == 1 else f"{count} chains"


def _sum(deployments: list[ChainDeploymentItem], name: str) -> int:
    return sum(int(getattr(entry, name) or 0) for entry in deployments)


def _failure_on(failed: list[ChainDeploymentItem], chains: int) -> Failure:
    reasons = "; ".join(
        f"chain {int(entry.chain_id)}: {entry.error_message or 'the deployment failed'}" for entry in failed
    )
    return Failure(DeploymentFailedError.code, f"Deployed to {chains - len(failed)} of {_chains(chains)}; {reasons}")


def _failure_actions(failure: Failure) -> list[Any]:
    return [BuildItem.error_code.set(failure.code), BuildItem.error_message.set(failure.message[:2000])]


def _of_stage(build: BuildItem, failure: Failure) -> Failure:
    """Return what it means that a function was ended: by the limits of time or memory that Lambda keeps."""
    if build.stage == str(Stage.COMPILE):
        return Failure(CompileTimeoutError.code, "The compiler was stopped by its limit of time or memory")
    if build.stage in (str(Stage.AUDIT), str(Stage.FIX)):
        return Failure(AuditUnavailableError.code, "The audit did not run to its end")
    return failure
