"""Builds in the jobs table.

- ``BUILD#<id>`` / ``DETAIL``: the build; in ``by_owner`` under ``BUILD#<wallet>`` and in ``by_subject`` under
  ``BUILD#<wallet>#<status>``, sorted by its number among the owner's builds; in ``open_work`` until it has ended;
- ``BUILD#<id>`` / ``UPDATE#<sequence, 8 digits>``: its progress events, numbered from 1 without a gap;
- ``BUILD#<id>`` / ``CHAIN#<chain id>``: its deployment on a chain;
- ``BUILD#<id>`` / ``BROADCAST#<chain id>``: until when something of it may be on its way to a chain;
- ``BUILDS#<wallet>`` / ``COUNTS``: how many builds an owner has, of each status;
- ``BUILDS#<wallet>`` / ``COUNTS#<block, 8 digits>``: the same of 32 consecutive numbers, by which a page of one status
  is found without reading the builds before it.

What is large (source, compiler output, audit report) lies in S3; see ``files``.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from pynamodb.attributes import BooleanAttribute, JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.builds.states import FINAL, OPEN, Progress, Status, Step
from slipway.errors import WriteContentionError
from slipway.jobs.open_work import OpenJob, open_shard
from slipway.store import ConditionsFailedError, JobsItem, Transaction, delete_if, read_item, upstream_errors
from slipway.times import Clock, epoch_milliseconds, now, now_text

KIND = "build"
BLOCK = 32
WALLET = "wallet"
"""Signs and sends the creations of a build itself."""

_PREFIX = "BUILD#"
_DETAIL = "DETAIL"
_TRIES = 12
_PAUSE_SECONDS = 0.02


class BuildItem(OpenJob):
    """A build.

    Attributes:
        number: Counts the owner's builds from 1, without a gap.
        job_id: The present run of the state machine, or the last: the build's own, or one that deploys to more chains.
            Every change of a run names it, so that a run which another took the place of changes nothing any more.
        runs: How many runs there were; the later ones only deploy.
        stage: Which task of the run is next.
        sequence: Number of the latest progress event.
        chains: Ids of all chains that the build is for; ``run_chains`` those of the present run.
        engine: Which engine wrote the code; ``usage`` what a language model was used.
        revision: Which version of the source is the present one; see ``files``.
        rounds: Rounds of fixing so far; ``audited`` says that there is a report.
        digests: Of the present source and of what compiling it gave, by name; see ``files``.
        deployable: Whether the present source passed its audit.
        creation_digest: Of the creation code that passed, with its arguments: nothing else is signed.
        deploys: False for a build that ends after its audit.
        signer: ``wallet`` where the caller's wallet signs and sends the creations; else None.
        powers: Who can do what to holders, a sentence each.
    """

    build_id = UnicodeAttribute()
    number = NumberAttribute()
    wallet = UnicodeAttribute()
    status = UnicodeAttribute()
    job_id = UnicodeAttribute()
    runs = NumberAttribute(default=1)
    run_began_at = UnicodeAttribute()
    stage = UnicodeAttribute()
    progress = NumberAttribute(default=0)
    step = UnicodeAttribute()
    sequence = NumberAttribute()
    prompt = UnicodeAttribute()
    template = UnicodeAttribute(null=True)
    options = JSONAttribute(null=True)
    chains: ListAttribute[int] = ListAttribute()
    run_chains: ListAttribute[int] = ListAttribute()
    engine = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    title = UnicodeAttribute(null=True)
    contract_name = UnicodeAttribute(null=True)
    generated_options = JSONAttribute(null=True)
    constructor_arguments = JSONAttribute(null=True)
    assumed = JSONAttribute(null=True)
    not_honoured = JSONAttribute(null=True)
    usage = JSONAttribute(null=True)
    revision = NumberAttribute(null=True)
    rounds = NumberAttribute(default=0)
    audited = BooleanAttribute(null=True)
    digests = JSONAttribute(null=True)
    deployable = BooleanAttribute(null=True)
    creation_digest = UnicodeAttribute(null=True)
    deploys = BooleanAttribute(null=True)
    signer = UnicodeAttribute(null=True)
    powers = JSONAttribute(null=True)
    stage_began_at = UnicodeAttribute()
    generation_time = NumberAttribute(null=True)
    audit_time = NumberAttribute(null=True)
    deploy_time = NumberAttribute(null=True)
    gas_used = UnicodeAttribute(null=True)
    total_cost = UnicodeAttribute(null=True)
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    error_details = JSONAttribute(null=True)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    completed_at = UnicodeAttribute(null=True)

    @property
    def ended(self) -> bool:
        """Whether it has a final status."""
        return Status(self.status) in FINAL

    @property
    def run_id(self) -> str:
        """Its executions are named after the present run."""
        return str(self.job_id)


class BuildUpdateItem(JobsItem):
    """One progress event of a build, as the clients of its stream are sent it. ``wallet`` is the owner's."""

    sequence = NumberAttribute()
    status = UnicodeAttribute()
    progress = NumberAttribute()
    step = UnicodeAttribute()
    message = UnicodeAttribute()
    wallet = UnicodeAttribute()
    created_at = UnicodeAttribute()


class ChainDeploymentItem(JobsItem):
    """A build's deployment on one chain.

    Attributes:
        job_id: The run that deploys, or deployed, it.
        attempt: Counts from 1; the next one begins once it is certain that the one before left no contract.
        deadline: When a transaction that no block took is called off.
        gas_used: Units of gas; ``cost`` is in wei. Both are decimal texts.
        transaction_hash: Of the transaction that was mined, or else the latest one.
        signer: ``wallet`` where the caller's wallet sent the transaction; then each hash is an attempt.
    """

    build_id = UnicodeAttribute()
    chain_id = NumberAttribute()
    status = UnicodeAttribute()
    job_id = UnicodeAttribute()
    attempt = NumberAttribute(default=1)
    deadline = UnicodeAttribute()
    address = UnicodeAttribute(null=True)
    transaction_hash = UnicodeAttribute(null=True)
    signer = UnicodeAttribute(null=True)
    block_number = NumberAttribute(null=True)
    gas_used = UnicodeAttribute(null=True)
    cost = UnicodeAttribute(null=True)
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    verification = JSONAttribute(null=True)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()


class BuildCounts(JobsItem):
    """How many of an owner's builds have each status; ``number`` is the newest one's, on the owner's own item only."""

    number = NumberAttribute(default=0)
    pending = NumberAttribute(default=0)
    generating = NumberAttribute(default=0)
    auditing = NumberAttribute(default=0)
    deploying = NumberAttribute(default=0)
    complete = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)
    cancelled = NumberAttribute(default=0)
    open = NumberAttribute(default=0)

    def of(self, status: Status | None) -> int:
        """Return how many builds have a status, or how many there are."""
        return int(self.number) if status is None else int(getattr(self, str(status)))


class BroadcastPermit(JobsItem):
    """Until when, in milliseconds since 1970, a transaction of a build may be on its way to a chain."""

    until = NumberAttribute()


# ── Keys ────────────────────────────────────────────────────────────────────────────────────────


def build_key(build_id: str) -> tuple[str, str]:
    """Return partition and sort key of a build."""
    return f"{_PREFIX}{build_id}", _DETAIL


def update_key(build_id: str, sequence: int) -> tuple[str, str]:
    """Return partition and sort key of a progress event."""
    return f"{_PREFIX}{build_id}", f"UPDATE#{sequence:08d}"


def chain_key(build_id: str, chain_id: int) -> tuple[str, str]:
    """Return partition and sort key of a build's deployment on a chain."""
    return f"{_PREFIX}{build_id}", f"CHAIN#{chain_id}"


def owner_key(wallet: str, status: Status | None = None) -> str:
    """Return the key under which a wallet's builds are indexed: all of them, or those of one status."""
    return f"{_PREFIX}{wallet}#{status}" if status else f"{_PREFIX}{wallet}"


def number_key(number: int) -> str:
    """Return the sort key of a build among its owner's."""
    return f"{number:010d}"


def counts_key(wallet: str, block: int | None = None) -> tuple[str, str]:
    """Return partition and sort key of an owner's counts, or of one block of them."""
    return f"BUILDS#{wallet}", "COUNTS" if block is None else f"COUNTS#{block:08d}"


def block_of(number: int) -> int:
    """Return the block that a build's number lies in."""
    return (number - 1) // BLOCK


def open_work_of(build_id: str, until: str) -> dict[str, str]:
    """Return the attributes of a build that reconcile checks after ``until``."""
    return {"open_shard": open_shard(KIND, build_id), "open_until": until}


# ── Read ────────────────────────────────────────────────────────────────────────────────────────


def find_build(build_id: str) -> BuildItem | None:
    """Return a build by its id."""
    return read_item(BuildItem, build_key(build_id))


def updates_after(build_id: str, sequence: int, limit: int = 200) -> list[BuildUpdateItem]:
    """Return a build's progress events after ``sequence`` (0 for all), in order, the first ``limit`` of them."""
    first, last = update_key(build_id, sequence + 1)[1], update_key(build_id, 99_999_999)[1]
    with upstream_errors():
        between = BuildUpdateItem.sk.between(first, last)
        return list(BuildUpdateItem.query(f"{_PREFIX}{build_id}", between, limit=limit, consistent_read=True))


def chain_deployments(build_id: str) -> list[ChainDeploymentItem]:
    """Return a build's deployments, by chain id."""
    with upstream_errors():
        chains = ChainDeploymentItem.sk.startswith("CHAIN#")
        found = list(ChainDeploymentItem.query(f"{_PREFIX}{build_id}", chains, consistent_read=True))
    return sorted(found, key=lambda deployment: int(deployment.chain_id))


def find_chain_deployment(build_id: str, chain_id: int) -> ChainDeploymentItem | None:
    """Return a build's deployment on one chain."""
    return read_item(ChainDeploymentItem, chain_key(build_id, chain_id))


def counts_of(wallet: str) -> BuildCounts:
    """Return an owner's counts; zeros without any build."""
    return read_item(BuildCounts, counts_key(wallet)) or BuildCounts(*counts_key(wallet))


# ── Change ──────────────────────────────────────────────────────────────────────────────────────


def running(job_id: str) -> Condition:
    """Return the condition that a build's present run is this one, and has neither ended nor been cancelled."""
    condition: Condition = (BuildItem.job_id == job_id) & BuildItem.status.is_in(*sorted(map(str, OPEN)))
    return condition


def require_running(write: Transaction, build_id: str, job_id: str) -> None:
    """Let a transaction happen only while a run goes on, under the name ``build``.

    Whatever reserves a nonce for a build carries this, so nothing is signed for one that was cancelled.
    """
    write.check("build", BuildItem, *build_key(build_id), running(job_id))


def add_build(write: Transaction, build: BuildItem, counts: BuildCounts, most_open: int, message: str) -> None:
    """Add a new build to the transaction that accepts it, with its first progress event.

    Args:
        write: Fails under ``counts`` when the owner's counts are not those that were read, or too many builds are open.
        build: Has the number after ``counts.number``.
        counts: As they were read.
        most_open: How many builds may be open at once, this one included.
        message: What the first event says.
    """
    write.create("build", build)
    write.create("update", _update_item(build, 1, Progress(Status.PENDING, 0, Step.QUEUED, message)))
    is_next = BuildCounts.number == int(counts.number)
    if not counts.number:
        is_next = is_next | BuildCounts.number.does_not_exist()
    write.update(
        "counts",
        BuildCounts(*counts_key(build.wallet)),
        [BuildCounts.number.set(int(build.number)), *_counted(None, Status.PENDING)],
        condition=is_next & _room(most_open),
    )
    block = BuildCounts(*counts_key(build.wallet, block_of(int(build.number))))
    write.update("block", block, _counted(None, Status.PENDING))


def _room(most_open: int) -> Condition:
    room: Condition = BuildCounts.open.does_not_exist() | (BuildCounts.open < most_open)
    return room


def _counted(before: Status | None, after: Status) -> list[Action]:
    """Return the actions that move a build from one status to another in counts."""
    actions: list[Action] = [getattr(BuildCounts, str(after)).add(1)]
    if before is not None:
        actions.append(getattr(BuildCounts, str(before)).add(-1))
    opened = (after in OPEN) - (before in OPEN if before is not None else 0)
    return [*actions, BuildCounts.open.add(opened)] if opened else actions


def _update_item(build: BuildItem, sequence: int, event: Progress) -> BuildUpdateItem:
    return BuildUpdateItem(
        *update_key(build.build_id, sequence),
        sequence=sequence,
        status=str(event.status),
        progress=event.progress,
        step=str(event.step),
        message=event.message,
        wallet=build.wallet,
        created_at=now_text(),
    )


def change_build(
    build: BuildItem,
    actions: Sequence[Action],
    condition: Condition,
    *,
    update: Progress | None = None,
    also: Callable[[Transaction], None] | None = None,
    clock: Clock = time,
) -> bool:
    """Change a build and record its progress, in one transaction.

    The event gets the next number; when another event took that meanwhile, the build is read again and the change is
    tried again, as long as ``condition`` holds. A final status takes the build out of the open work, and every change
    of status is counted.

    Args:
        build: Brought up to date, whether the change happened or not.
        actions: Changes of its attributes; its status, step and progress follow from ``update``.
        condition: Under which they happen, such as ``running(job_id)``.
        update: The progress event; None for a change that is no progress.
        also: Adds writes that happen together with it. Their conditions refuse the change just as ``condition`` does.
        clock: Passes the time between tries.

    Returns:
        False when a condition did not hold; nothing is written then.

    Raises:
        WriteContentionError: Others kept changing the build.
        UpstreamUnavailableError: The table did not answer.
    """
    try:
        commit_change(build, actions, condition, update=update, also=also, clock=clock)
    except ConditionsFailedError:
        return False
    return True


def commit_change(
    build: BuildItem,
    actions: Sequence[Action],
    condition: Condition,
    *,
    update: Progress | None = None,
    also: Callable[[Transaction], None] | None = None,
    most_open: int | None = None,
    clock: Clock = time,
) -> None:
    """Change a build like ``change_build``, and raise what stood in the way.

    Args:
        build: See ``change_build``, as the arguments that follow.
        most_open: For a build that is opened again: how many of the owner's builds may then be open.
        clock: See ``change_build``.

    Raises:
        ConditionsFailedError: What failed: ``build``, ``counts`` for too many open builds, or a write of ``also``.
    """
    for attempt in range(_TRIES):
        if attempt:
            clock.sleep(random.uniform(0.5, 1) * _PAUSE_SECONDS * min(8, 2**attempt))  # noqa: S311 (jitter, no secret)
        seen = int(build.sequence)
        refused: ConditionsFailedError | None = None
        try:
            _try_change(build, actions, condition, update, also, most_open)
        except ConditionsFailedError as error:
            refused = error
        with upstream_errors():
            build.refresh(consistent_read=True)
        if refused is None:
            return
        # The event's number is taken exactly when the build's sequence moved.
        if not set(refused.failed) <= {"build", "update"} or update is None or int(build.sequence) == seen:
            raise refused
    raise WriteContentionError("Others kept changing the build; try again", retry_after=1)


def _try_change(
    build: BuildItem,
    actions: Sequence[Action],
    condition: Condition,
    update: Progress | None,
    also: Callable[[Transaction], None] | None,
    most_open: int | None,
) -> None:
    write = Transaction()
    changes: list[Action] = [BuildItem.updated_at.set(now_text()), *actions]
    if update:
        before, sequence = Status(build.status), int(build.sequence) + 1
        progress = update.progress if update.status is Status.FAILED else max(update.progress, int(build.progress))
        if before in FINAL:
            progress = update.progress
        event = Progress(update.status, progress, update.step, update.message)
        write.create("update", _update_item(build, sequence, event))
        condition = condition & (BuildItem.sequence == sequence - 1)
        changes += [
            BuildItem.sequence.set(sequence),
            BuildItem.progress.set(progress),
            BuildItem.step.set(str(update.step)),
        ]
        if update.status is not before:
            changes += _status_actions(build, update.status)
            counted = _counted(before, update.status)
            room = None if most_open is None else _room(most_open)
            write.update("counts", BuildCounts(*counts_key(build.wallet)), counted, condition=room)
            block = BuildCounts(*counts_key(build.wallet, block_of(int(build.number))))
            write.update("block", block, counted)
    write.update("build", BuildItem(build.pk, build.sk), changes, condition=condition)
    if also:
        also(write)
    write.commit()


def _status_actions(build: BuildItem, status: Status) -> list[Action]:
    actions: list[Action] = [
        BuildItem.status.set(str(status)),
        BuildItem.subject_key.set(owner_key(build.wallet, status)),
    ]
    if status in FINAL:
        actions += [
            BuildItem.completed_at.set(now_text()),
            BuildItem.open_shard.remove(),
            BuildItem.open_until.remove(),
        ]
    return actions


# ── Broadcasts and cancellation ─────────────────────────────────────────────────────────────────


@contextmanager
def broadcasting(build_id: str, job_id: str, chain_id: int, seconds: float, clock: Clock = time) -> Iterator[bool]:
    """Hold a permit to send a build's transaction to a chain for some seconds; its holder must have sent by then.

    Cancelling first forbids new permits and then waits for those that are held, so nothing is sent after its answer.

    Yields:
        Whether it may be sent: not when the run has ended or was cancelled.
    """
    permit = BroadcastPermit(
        f"{_PREFIX}{build_id}", f"BROADCAST#{chain_id}", until=epoch_milliseconds(now(clock)) + int(seconds * 1000)
    )
    write = Transaction()
    require_running(write, build_id, job_id)
    write.update("permit", permit, [BroadcastPermit.until.set(permit.until)])
    if not write.commit_if_allowed():
        yield False
        return
    try:
        yield True
    finally:
        # Only our own: a later permit of the same chain stays. Nobody else minds when this is lost, for it runs out.
        with suppress(Exception):
            delete_if(permit, BroadcastPermit.until == permit.until)


def permits_of(build_id: str, clock: Clock = time) -> list[BroadcastPermit]:
    """Return the broadcast permits that may still be held."""
    with upstream_errors():
        held = BroadcastPermit.query(
            f"{_PREFIX}{build_id}", BroadcastPermit.sk.startswith("BROADCAST#"), consistent_read=True
        )
        return [permit for permit in held if int(permit.until) > epoch_milliseconds(now(clock))]
