"""Use cases of the builds' routes: request, read, cancel, deploy to more chains."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from pynamodb.expressions.condition import Condition

from slipway.budgets.rules import gas_ceilings
from slipway.budgets.store import Budget
from slipway.builds.api.acceptance import (
    BUILDS,
    all_chains,
    followed,
    joined_run,
    new_build,
    new_run,
    new_try,
    not_deployed,
    refusal_of,
    too_many_open,
)
from slipway.builds.api.estimates import Estimator
from slipway.builds.api.models import (
    MAX_CHAINS,
    BuildDetail,
    BuildList,
    BuildRequest,
    BuildResponse,
    Cancelled,
    DeployAnswer,
    GasEstimate,
    Preview,
    PreviewRequest,
    ReportFormat,
    Ticket,
)
from slipway.builds.api.pagination import page_of
from slipway.builds.api.tickets import TICKET_SECONDS, issue
from slipway.builds.api.views import Compiled, deployments_of, detail_of, preview_of, read_deployments, unread
from slipway.builds.audit.formats import markdown, sarif
from slipway.builds.audit.models import AuditReport
from slipway.builds.composer.engine import Composer, check_template
from slipway.builds.composer.gas import creation_gas
from slipway.builds.composer.options import read_options
from slipway.builds.composer.prompt import read_prompt
from slipway.builds.models import GenerationRequest
from slipway.builds.pipeline.files import BuildFiles, build_files
from slipway.builds.pipeline.rules import require_honoured
from slipway.builds.pipeline.runs import execution_input
from slipway.builds.states import ChainStatus, Progress, Stage, Status, Step
from slipway.builds.store import (
    WALLET,
    BuildItem,
    ChainDeploymentItem,
    add_build,
    chain_deployments,
    change_build,
    commit_change,
    counts_of,
    find_build,
    find_chain_deployment,
    permits_of,
    running,
)
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import ChainFees
from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.control.store import Gate, Service, switch_key
from slipway.errors import (
    AuditFailedError,
    BudgetExceededError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotHonouredError,
    SlipwayError,
    ValidationFailedError,
)
from slipway.executions import execution_starter, execution_stopper
from slipway.idempotency import WRITE as IDEMPOTENCY_WRITE
from slipway.idempotency import Idempotency
from slipway.identifiers import is_id, new_id
from slipway.identity.models import Caller
from slipway.identity.quotas import quota_of
from slipway.jobs.store import AuditEvent, RequestContext
from slipway.limits.store import Quota
from slipway.network import public_client
from slipway.observability import logger, record
from slipway.request_threads import RequestThreads
from slipway.settings import (
    bedrock_settings,
    build_mainnets,
    state_machine_arn,
    stream_url,
)
from slipway.store import ConditionsFailedError, Transaction, read_items
from slipway.times import Clock

_TRIES = 8
# Longer than any permit holds; a broadcast has its own deadline before that.
_PERMIT_WAIT_SECONDS = 20.0
_PERMIT_POLL_SECONDS = 0.1


class BuildService:
    """Requests and reads of builds.

    Args:
        chains: The chains that can be deployed to.
        files: Where large parts are kept.
        start_execution: Starts ``build`` under an execution name, with an input; doing so again does nothing.
        stop_execution: Stops an execution by its name, with a cause.
        stream_url: Returns the address of a build's stream; None without streams.
        fees_of: Asks a chain's nodes for its present fees.
        composer: Makes contracts; None where a language model does.
        clock: Passes the time.
    """

    def __init__(
        self,
        chains: Mapping[int, Chain],
        files: BuildFiles,
        start_execution: Callable[[str, str], None],
        stop_execution: Callable[[str, str], None],
        stream_url: Callable[[str], str | None],
        fees_of: Callable[[Chain], ChainFees],
        composer: Composer | None,
        clock: Clock = time,
    ) -> None:
        self._clock = clock
        self._chains = chains
        self._files = files
        self._start_execution = start_execution
        self._stop_execution = stop_execution
        self._stream_url = stream_url
        self._fees_of = fees_of
        self._composer = composer
        self._estimator = Estimator(clock)
        self._threads = RequestThreads(max_workers=3, thread_name_prefix="builds")

    # ── Request ─────────────────────────────────────────────────────────────────────────────────

    def request(
        self, caller: Caller, body: BuildRequest, idempotency_key: str | None, context: RequestContext
    ) -> BuildResponse:
        """Accept a build: one write transaction, one execution start.

        Raises:
            ValidationFailedError: A chain, the template or an option is unknown.
            ForbiddenError: A chain is a mainnet, to which this caller's builds may not go.
            GenerationUnsupportedError: The composer can't make such a contract.
            NotHonouredError: The contract would lack something of the request.
            RateLimitExceededError: Too many builds in an hour or a day, or at once.
            SlipwayError: Any other of the route's refusals; nothing was changed.
        """
        wallet = str(caller.wallet)
        deploys = self._require_honoured(body, caller)
        idempotency = Idempotency.of(BUILDS, wallet, idempotency_key, body.model_dump(exclude={"auth_token"}))
        gated = self._threads.submit(_gate_and_quota, caller)
        counted = self._threads.submit(counts_of, wallet)
        estimate = self._estimator.seconds()
        gate, quota = gated.result()
        if refusal := gate.refusal:
            if idempotency and idempotency.is_known():
                return self._replay(idempotency)
            raise refusal
        counts = counted.result()
        for attempt in range(_TRIES):
            if attempt:
                counts = counts_of(wallet)
            build = new_build(wallet, body, int(counts.number) + 1, deploys=deploys)
            answer = BuildResponse(
                build_id=build.build_id,
                status=Status.PENDING,
                created_at=build.created_at,
                estimated_time=estimate,
                stream_url=self._stream_url(build.build_id),
            )
            write = Transaction()
            add_build(write, build, counts, quota.most_open, "The build was accepted")
            self._accept(write, gate, context, wallet, build.build_id, quota)
            if idempotency:
                idempotency.remember(write, answer.model_dump(mode="json"))
            try:
                write.commit()
            except ConditionsFailedError as error:
                if idempotency and IDEMPOTENCY_WRITE in error.failed:
                    return self._replay(idempotency)
                if refusal := refusal_of(error.failed, gate, quota):
                    raise refusal from error
                continue
            record("Builds", outcome="accepted")
            self._start(build)
            context.headers.update(quota.headers)
            return answer
        raise ConflictError("Too many requests at once; try again", retry_after=1)

    def _require_honoured(self, body: BuildRequest, caller: Caller) -> bool:
        """Refuse what can't be made as it is asked for, before anything is counted; return whether it is deployed."""
        options = read_options(body.options)
        by_wallet = options.signer == WALLET
        self._require_chains(body.chains, "chains", None if by_wallet else caller)
        check_template(body.template)
        if self._composer is None:
            wish = read_prompt(body.prompt, kind=check_template(body.template)).features.get("deploy")
            deploys = options.deploy if options.deploy is not None else wish is not False
        else:
            generation = self._composer.generate(_generation_request(body, str(caller.wallet)))
            require_honoured(generation, body.options)
            deploys = generation.options.get("deploy") is not False
        if deploys and not body.chains:
            raise ValidationFailedError.of_field("chains", "name at least one, or set options.deploy to false")
        return deploys and not by_wallet

    # ── Preview ─────────────────────────────────────────────────────────────────────────────────

    def preview(self, caller: Caller, body: PreviewRequest) -> Preview:
        """Return what a prompt would become. Nothing is written but that it was asked.

        Raises:
            ValidationFailedError: A chain, the template or an option is unknown.
            GenerationUnsupportedError: There is no contract to show.
            RateLimitExceededError: Too many previews in a minute.
        """
        wallet, refusals = str(caller.wallet), list[SlipwayError]()
        check_template(body.template)
        by_wallet = read_options(body.options).signer == WALLET
        try:
            self._require_chains(body.chains, "chains", None if by_wallet else caller)
        except (BudgetExceededError, ForbiddenError) as error:
            refusals.append(error)
        quota_of(caller, "previews").count()
        fees = {chain: self._threads.submit(self._fee, chain) for chain in body.chains}
        try:
            made = (self._composer or Composer()).generate(_generation_request(body, wallet))
        except (ValidationFailedError, NotHonouredError) as error:
            return unread(error)
        try:
            require_honoured(made, body.options)
        except NotHonouredError as error:
            refusals.append(error)
        gas = creation_gas(made.source, made.constructor_arguments)
        estimates = [
            GasEstimate(
                chain_id=chain,
                gas=gas,
                cost=None if (fee := found.result()) is None else str(gas * fee),
                currency=self._chains[chain].currency,
            )
            for chain, found in fees.items()
        ]
        return preview_of(made, estimates, refusals, by_model=self._composer is None)

    def _fee(self, chain_id: int) -> int | None:
        """Return the present price of a unit of gas in wei; None while no node answers."""
        try:
            fees = self._fees_of(self._chains[chain_id])
        except SlipwayError:
            logger.warning("no fees for a preview", chain_id=chain_id)
            return None
        return fees.base_fee_per_gas + fees.priority_fee_per_gas

    def _require_chains(self, chains: Sequence[int], field: str, caller: Caller | None) -> None:
        """Refuse chains that are not known, or to which this caller's builds may not go at the operator's cost; None
        where a wallet pays."""
        unknown = [str(chain) for chain in chains if chain not in self._chains]
        if unknown:
            known = ", ".join(map(str, sorted(self._chains)))
            raise ValidationFailedError.of_field(field, f"{', '.join(unknown)} can't be deployed to; known are {known}")
        if caller is None:
            return
        mainnets = [self._chains[chain].name for chain in chains if not self._chains[chain].testnet]
        if mainnets and not build_mainnets() & {*caller.roles, caller.tier}:
            raise ForbiddenError(f"Your builds may not go to {', '.join(mainnets)}: deploy with a wallet of your own")
        for chain in chains:
            if refusal := Budget.read(gas_ceilings([self._chains[chain]])).refusal(1):
                raise refusal

    @staticmethod
    def _accept(
        write: Transaction, gate: Gate, context: RequestContext, wallet: str, build_id: str, quota: Quota
    ) -> None:
        write.create("audit", context.audit("accepted", wallet, build_id))
        gate.enter(write)
        quota.count_within(write)

    def _replay(self, idempotency: Idempotency) -> BuildResponse:
        answer = BuildResponse.model_validate(idempotency.answer())
        # The first request may have died between its write and its start.
        build = find_build(answer.build_id)
        if build and build.status == str(Status.PENDING):
            self._start(build)
        return answer

    def _start(self, build: BuildItem) -> None:
        try:
            self._start_execution(build.execution_name, execution_input(build))
        except Exception:
            # The build is written and keeps its promise: reconcile, or a replay of the request, starts it.
            logger.exception("execution not started", build_id=build.build_id)

    # ── Read ────────────────────────────────────────────────────────────────────────────────────

    def page(self, caller: Caller, status: Status | None, page: int, page_size: int) -> BuildList:
        """Return a page of the caller's builds, newest first, without their code and audit reports."""
        found, total = page_of(str(caller.wallet), status, page, page_size)
        builds = [detail_of(build, self._chains, self._stream_url(build.build_id), in_list=True) for build in found]
        return BuildList(builds=builds, total=total, page=page, page_size=page_size)

    def owned(self, caller: Caller, build_id: str) -> BuildItem:
        """Return a build of the caller's.

        Raises:
            NotFoundError: There is none, or it is another's.
        """
        build = find_build(build_id) if is_id(build_id) else None
        if build is None or build.wallet != caller.wallet:
            raise NotFoundError("There is no such build")
        return build

    def detail(self, caller: Caller, build_id: str) -> BuildDetail:
        """Return a build with its code, its audit report and its deployments."""
        build = self.owned(caller, build_id)
        code = self._threads.submit(self._files.source, build)
        report = self._threads.submit(self._files.report, build)
        found = self._contract(build)
        compiled = Compiled.of(build, found) if found else None
        return detail_of(
            build,
            self._chains,
            self._stream_url(build_id),
            deployments=read_deployments(build, self._chains, compiled),
            compiled=compiled,
            code=code.result(),
            report=report.result(),
        )

    def _contract(self, build: BuildItem) -> dict[str, Any] | None:
        """Return the compiled contract; None before there is one."""
        return self._files.contract(build) if build.digests or build.creation_digest else None

    def abi(self, caller: Caller, build_id: str) -> list[dict[str, Any]]:
        """Return the contract's ABI; raises NotFoundError before there is one."""
        found: list[dict[str, Any]] = _require(self._contract(self.owned(caller, build_id)), _NOT_COMPILED)["abi"]
        return found

    def code(self, caller: Caller, build_id: str) -> str:
        """Return the present source; raises NotFoundError before there is one."""
        return _require(self._files.source(self.owned(caller, build_id)), "Code not available")

    def report(self, caller: Caller, build_id: str, form: ReportFormat) -> str | bytes:
        """Return the latest audit report, as JSON, SARIF or Markdown; raises NotFoundError before there is one."""
        build = self.owned(caller, build_id)
        found = _require(self._files.report(build), "Audit not available")
        if form == "json":
            return found
        report = AuditReport.model_validate_json(found)
        return json.dumps(sarif(report)) if form == "sarif" else markdown(report, str(build.title))

    def metadata(self, caller: Caller, build_id: str) -> bytes:
        """Return the compiler's standard-JSON input, with which explorers verify; raises NotFoundError before there is
        one."""
        return _require(self._files.standard_json_input(self.owned(caller, build_id)), _NOT_COMPILED)

    def ticket(self, caller: Caller, build_id: str) -> Ticket:
        """Return a ticket for a build's stream."""
        ticket = issue(self.owned(caller, build_id).build_id, str(caller.wallet))
        return Ticket(ticket=ticket, expires_in=TICKET_SECONDS, stream_url=self._stream_url(build_id))

    # ── Cancel ──────────────────────────────────────────────────────────────────────────────────

    def cancel(self, caller: Caller, build_id: str, context: RequestContext) -> Cancelled:
        """Cancel a build at any stage; nothing of it is sent to a chain after the answer. Again changes nothing.

        Raises:
            NotFoundError: There is no such build.
            ConflictError: It has ended.
        """
        build = self.owned(caller, build_id)
        update = Progress(Status.CANCELLED, int(build.progress), Step.CANCELLED, "The build was cancelled")
        audit = context.audit("accepted", build.wallet, build_id, "cancelled")
        for _ in range(_TRIES):
            if build.ended:
                break
            if change_build(
                build,
                [BuildItem.stage.set(str(Stage.DONE))],
                running(build.job_id),
                update=update,
                also=lambda write: write.create("audit", audit),
            ):
                record("Builds", outcome="cancelled")
        if build.status != str(Status.CANCELLED):
            raise ConflictError(f"The build has ended: it is {build.status}", details={"status": build.status})
        try:
            self._stop_execution(build.execution_name, "The build was cancelled")
        except Exception:
            # Its tasks see for themselves that the build is over.
            logger.exception("execution not stopped", build_id=build_id)
        self._await_permits(build_id)
        return Cancelled()

    def _await_permits(self, build_id: str) -> None:
        """Wait until nothing of the build is on its way; no new permit is given to a build that was cancelled."""
        deadline = self._clock.monotonic() + _PERMIT_WAIT_SECONDS
        while held := permits_of(build_id, self._clock):
            latest = max(int(permit.until) for permit in held)
            if self._clock.monotonic() > deadline:
                logger.error("permit outlived its time", build_id=build_id, until=latest)
                raise ConflictError("The build is cancelled, and something of it is still on its way", retry_after=2)
            self._clock.sleep(_PERMIT_POLL_SECONDS)

    # ── Deploy to more chains ───────────────────────────────────────────────────────────────────

    def deploy(
        self,
        caller: Caller,
        build_id: str,
        chain_ids: list[int],
        idempotency_key: str | None,
        context: RequestContext,
    ) -> DeployAnswer:
        """Deploy an audited contract to chains where that failed, or which are new; others of the list are left out.

        Raises:
            NotFoundError: There is no such build.
            ValidationFailedError: A chain is unknown, or there would be too many.
            ConflictError: The build is running, has no audited contract, or has a contract on each of the chains.
            RateLimitExceededError: As for a new build.
        """
        build = self.owned(caller, build_id)
        self._require_chains(chain_ids, "chain_ids", None if build.signer else caller)
        done = {int(item.chain_id) for item in chain_deployments(build_id) if item.status == _DEPLOYED}
        asked = {"chain_ids": chain_ids}
        keyed = {"build_id": build_id, **asked}
        idempotency = Idempotency.of("builds/deploy", build.wallet, idempotency_key, keyed)
        chain_ids = [chain for chain in chain_ids if chain not in done]
        gate, quota = _gate_and_quota(caller)
        if refusal := gate.refusal or self._deploy_refusal(build, chain_ids, asked):
            if idempotency and idempotency.is_known():
                return self._replay_deploy(idempotency)
            raise refusal
        answer = self._deploy_answer(build, chain_ids)
        if build.signer:
            chains = [BuildItem.chains.set(all_chains(build, chain_ids))]
            unchanged = (BuildItem.job_id == build.job_id) & (BuildItem.chains == list(build.chains))
            if not change_build(build, chains, unchanged):
                raise ConflictError("The build changed while it was looked at; try again", retry_after=1)
            return self._deploy_answer(build, chain_ids, status=Status(build.status))

        def also(write: Transaction) -> None:
            self._accept(write, gate, context, build.wallet, build_id, quota)
            if idempotency:
                idempotency.remember(write, answer.model_dump(mode="json"))

        update = Progress(Status.DEPLOYING, 70, Step.DEPLOYMENT, f"Deploying to {', '.join(map(str, chain_ids))}")
        actions, condition = new_run(build, chain_ids, new_id())
        try:
            commit_change(build, actions, condition, update=update, also=also, most_open=quota.most_open)
        except ConditionsFailedError as error:
            if idempotency and IDEMPOTENCY_WRITE in error.failed:
                return self._replay_deploy(idempotency)
            refusal = refusal_of(error.failed, gate, quota) or self._deploy_refusal(build, chain_ids, asked)
            changed = ConflictError("The build changed while it was looked at; try again", retry_after=1)
            raise refusal or changed from error
        record("Builds", outcome="accepted")
        self._start(build)
        context.headers.update(quota.headers)
        return answer

    def follow(
        self,
        caller: Caller,
        build_id: str,
        chain_id: int,
        tx_hash: str,
        idempotency_key: str | None,
        context: RequestContext,
    ) -> DeployAnswer:
        """Follow the transaction by which the caller's wallet creates the contract; a later hash takes its place.

        Raises:
            NotFoundError: There is no such build.
            ValidationFailedError: The chain is unknown, or there would be too many.
            ConflictError: Slipway signs for the build, it has no audited contract, or has it on the chain already.
            RateLimitExceededError: Too many hashes in an hour, or too many builds are open.
        """
        build = self.owned(caller, build_id)
        self._require_chains([chain_id], "chain_id", None)
        keyed = {"build_id": build_id, "chain_id": chain_id, "tx_hash": tx_hash}
        idempotency = Idempotency.of("builds/follow", build.wallet, idempotency_key, keyed)
        if idempotency and idempotency.is_known():
            return self._replay_deploy(idempotency)
        quota_of(caller, "build_hashes").count()
        most_open, audit = quota_of(caller, BUILDS).most_open, context.audit("accepted", build.wallet, build_id)
        message = f"Following {tx_hash} on {self._chains[chain_id].name}"
        update = Progress(Status.DEPLOYING, 70, Step.DEPLOYMENT, message)
        for _ in range(_TRIES):
            before = find_chain_deployment(build_id, chain_id)
            if refusal := _follow_refusal(build, chain_id, before):
                raise refusal
            if before and before.transaction_hash == tx_hash and before.job_id == build.job_id and not build.ended:
                return self._deploy_answer(build, [chain_id], before)
            job_id = new_id() if build.ended else str(build.job_id)
            run = new_run(build, [chain_id], job_id) if build.ended else joined_run(build, chain_id)
            deployment = followed(build, job_id, chain_id, before, tx_hash)
            answer = self._deploy_answer(build, [chain_id], deployment)
            write_more = partial(_add_followed, deployment, not_deployed(before), audit, idempotency, answer)
            room = most_open if build.ended else None
            try:
                commit_change(build, *run, update=update, also=write_more, most_open=room)
            except ConditionsFailedError as error:
                if idempotency and IDEMPOTENCY_WRITE in error.failed:
                    return self._replay_deploy(idempotency)
                if room and (refused := too_many_open(error.failed, room)):
                    raise refused from error
                continue
            self._start(build)
            return answer
        raise ConflictError("The build changed while it was looked at; try again", retry_after=1)

    @staticmethod
    def _deploy_refusal(build: BuildItem, chain_ids: list[int], asked: dict[str, Any]) -> SlipwayError | None:
        if not build.ended:
            details = {"status": build.status}
            return ConflictError("The build is running; deploy when it has ended", details=details, retry_after=5)
        if not build.deployable:
            return ConflictError("The build has no contract that passed its audit", details={"status": build.status})
        if len(all_chains(build, chain_ids)) > MAX_CHAINS:
            return ValidationFailedError.of_field("chain_ids", f"a build has at most {MAX_CHAINS} chains")
        if not chain_ids:
            return ConflictError("The contract is deployed on each of these chains already", details=asked)
        return None

    def retry(
        self, caller: Caller, build_id: str, idempotency_key: str | None, context: RequestContext
    ) -> BuildResponse:
        """Begin a build again that failed before its audit could judge the contract. It counts against no window.

        Raises:
            NotFoundError: There is no such build.
            ConflictError: It did not fail, its audit refused the contract, or it was tried again too often.
            RateLimitExceededError: Too many builds are open.
        """
        build = self.owned(caller, build_id)
        idempotency = Idempotency.of("builds/retry", build.wallet, idempotency_key, {"build_id": build_id})
        gate, quota = _gate_and_quota(caller)
        if refusal := gate.refusal or _retry_refusal(build):
            if idempotency and idempotency.is_known():
                return self._replay(idempotency)
            raise refusal
        answer = BuildResponse(
            build_id=build_id,
            status=Status.PENDING,
            created_at=build.created_at,
            estimated_time=self._estimator.seconds(),
            stream_url=self._stream_url(build_id),
        )

        def also(write: Transaction) -> None:
            write.create("audit", context.audit("accepted", build.wallet, build_id, "retried"))
            gate.enter(write)
            if idempotency:
                idempotency.remember(write, answer.model_dump(mode="json"))

        update = Progress(Status.PENDING, 0, Step.QUEUED, "The build is tried again")
        actions, condition = new_try(build)
        try:
            commit_change(build, actions, condition, update=update, also=also, most_open=quota.most_open)
        except ConditionsFailedError as error:
            if idempotency and IDEMPOTENCY_WRITE in error.failed:
                return self._replay(idempotency)
            refusal = refusal_of(error.failed, gate, quota) or _retry_refusal(build)
            raise refusal or ConflictError("The build changed meanwhile; try again", retry_after=1) from error
        record("Builds", outcome="accepted")
        self._start(build)
        return answer

    def _deploy_answer(
        self, build: BuildItem, chain_ids: list[int], *begun: ChainDeploymentItem, status: Status = Status.DEPLOYING
    ) -> DeployAnswer:
        others = [item for item in chain_deployments(build.build_id) if int(item.chain_id) not in chain_ids]
        return DeployAnswer(
            build_id=build.build_id,
            status=status,
            chains=chain_ids,
            deployments=deployments_of(all_chains(build, chain_ids), [*others, *begun], self._chains),
            stream_url=self._stream_url(build.build_id),
        )

    def _replay_deploy(self, idempotency: Idempotency) -> DeployAnswer:
        answer = DeployAnswer.model_validate(idempotency.answer())
        build = find_build(answer.build_id)
        if build and build.stage == str(Stage.PREPARE) and not build.ended:
            self._start(build)
        return answer


_DEPLOYED = str(ChainStatus.DEPLOYED)
_MAX_RUNS = 5


def _retry_refusal(build: BuildItem) -> SlipwayError | None:
    if build.status != str(Status.FAILED):
        return ConflictError(f"The build did not fail: it is {build.status}", details={"status": build.status})
    if build.deployable:
        return ConflictError("The contract passed its audit; deploy it instead", details={"status": build.status})
    if build.error_code == AuditFailedError.code:
        return ConflictError("The audit refused the contract; change the prompt", details={"status": build.status})
    if int(build.runs) >= _MAX_RUNS:
        return ConflictError("The build was tried again too often; request a new one")
    return None


def _follow_refusal(build: BuildItem, chain_id: int, before: ChainDeploymentItem | None) -> SlipwayError | None:
    if not build.signer:
        return ConflictError("Slipway signs for this build; one with options.signer: wallet is signed by your wallet")
    if not build.deployable:
        return ConflictError("The build has no contract that passed its audit", details={"status": build.status})
    if before and before.status == _DEPLOYED:
        return ConflictError("The contract is deployed on this chain already", details={"chain_ids": [chain_id]})
    if len(all_chains(build, [chain_id])) > MAX_CHAINS:
        return ValidationFailedError.of_field("chain_id", f"a build has at most {MAX_CHAINS} chains")
    return None


def _add_followed(
    deployment: ChainDeploymentItem,
    not_yet: Condition | None,
    audit: AuditEvent,
    idempotency: Idempotency | None,
    answer: DeployAnswer,
    write: Transaction,
) -> None:
    write.create("deployment", deployment, or_if=not_yet)
    write.create("audit", audit)
    if idempotency:
        idempotency.remember(write, answer.model_dump(mode="json"))


_FEES_SECONDS = 0.8
_NOT_COMPILED = "The code was not compiled yet"


def _generation_request(body: BuildRequest, wallet: str) -> GenerationRequest:
    return GenerationRequest(prompt=body.prompt, owner=wallet, template=body.template, options=body.options)


def _require[Found](found: Found | None, missing: str) -> Found:
    if found is None:
        raise NotFoundError(missing)
    return found


@cache
def build_service() -> BuildService:
    """Return the service over this installation's builds."""
    arn, client = state_machine_arn("build"), public_client()
    return BuildService(
        chain_settings().chains,
        build_files(),
        execution_starter(arn),
        execution_stopper(arn),
        stream_url,
        lambda chain: JsonRpc(chain, client, deadline=_FEES_SECONDS).fees(),
        None if bedrock_settings() else Composer(),
    )


def _gate_and_quota(caller: Caller) -> tuple[Gate, Quota]:
    """Read switch and quota in one request."""
    quota = quota_of(caller, BUILDS)
    state, log = read_items(switch_key(Service.BUILDS), quota.wanted)
    quota.read(log)
    return Gate(Service.BUILDS, state), quota
