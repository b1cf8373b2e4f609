"""The two tables that most capabilities share, and transactions whose failed conditions have names.

Items are PynamoDB models that inherit from ``JobsItem`` or ``ControlItem``; which keys they use is documented beside
each model. A capability with a table of its own declares the base of its items in its own ``store.py``, inherits the
deadlines from ``TableSettings`` and calls ``share_connection``: each DynamoDB client costs a cold start tens of
milliseconds, so there is one.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any, overload

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.hooks import first_non_none_response
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from slipway import __version__
from slipway.errors import UpstreamUnavailableError, WriteContentionError
from slipway.pagination import decode_cursor, encode_cursor
from slipway.request_budget import BudgetSpentError, pause_within, waiting
from slipway.settings import name_of_table
from slipway.times import Clock

_CONFLICT_TRIES = 6
_CONFLICT_PAUSE_SECONDS = 0.05
# Conditions that failed are an answer; these are not, and the same transaction may pass later.
_PASSING_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

# A filter may pass over items that were read; a request reads no more than these many at a time, and goes on by cursor.
_FILTERED_PAGE = 100
_MAX_PAGES = 10

# What to read: the model and its key.
type ItemKey[Item: Model] = tuple[type[Item], tuple[str, str]]


class TableSettings:
    """Deadlines of every DynamoDB call, in seconds."""

    # Shorter than the least budget of a request (``request_budget``).
    connect_timeout_seconds = 0.8
    read_timeout_seconds = 5
    max_retry_attempts = 4


class ByOwner(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """What an owner has, by time: ``owner_key`` is kind and owner, ``owner_sort`` begins with the time."""

    class Meta:
        index_name = "by_owner"
        projection = AllProjection()

    owner_key = UnicodeAttribute(hash_key=True)
    owner_sort = UnicodeAttribute(range_key=True)


class BySubject(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """What concerns a subject, such as a model, by time: ``subject_key`` is kind and subject."""

    class Meta:
        index_name = "by_subject"
        projection = AllProjection()

    subject_key = UnicodeAttribute(hash_key=True)
    owner_sort = UnicodeAttribute(range_key=True)


class OpenWork(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Sparse: only jobs that have not ended, by the time they should have."""

    class Meta:
        index_name = "open_work"
        projection = KeysOnlyProjection()

    open_shard = UnicodeAttribute(hash_key=True)
    open_until = UnicodeAttribute(range_key=True)


class JobsItem(Model):
    """An item of the jobs table."""

    class Meta(TableSettings):
        table_name = name_of_table("jobs")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    by_owner = ByOwner()
    by_subject = BySubject()
    open_work = OpenWork()
    owner_key = UnicodeAttribute(null=True)
    owner_sort = UnicodeAttribute(null=True)
    subject_key = UnicodeAttribute(null=True)
    open_shard = UnicodeAttribute(null=True)
    open_until = UnicodeAttribute(null=True)


class ControlItem(Model):
    """An item of the control table."""

    class Meta(TableSettings):
        table_name = name_of_table("control")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


connection = JobsItem._get_connection().connection


def share_connection(model: type[Model]) -> None:
    """Let the items of another table use the one connection."""
    own = model._get_connection()
    connection.add_meta_table(own.get_meta_table())
    own.connection = connection


share_connection(ControlItem)
# PynamoDB keeps a session a thread, and routes run in threads of their own: whatever is made from the first one finds
# its data files read already. Making the client here moves its cost into the start of the process.
_session = connection.session
# Spelling out its own name, as botocore does anew for each call, is an eighth of what a call costs.
_session.set_default_client_config(botocore.config.Config(user_agent=f"slipway/{__version__}"))


class _OutOfTimeError(BotoCoreError):
    """The request has waited as long as it may; botocore does not try this again."""

    fmt = "The request has waited too long already"


def limit_waits[Client](client: Client) -> Client:
    """Hold a client's calls, and the pauses between tries, to the budget of the request that makes them.

    Returns:
        The client.
    """
    endpoint: Any = client._endpoint  # type: ignore[attr-defined]
    usual = endpoint.http_session._timeout

    def send_within(request: Any) -> Any:
        try:
            with waiting(usual.read_timeout) as seconds:
                request.context["read_timeout"] = seconds
                # The class's own, as it is at the call: what replaces it is not to be passed over.
                return type(endpoint)._send(endpoint, request)
        except BudgetSpentError as error:
            raise _OutOfTimeError from error

    def needs_retry(attempts: int, operation: Any, request: Any, response: Any = None, error: Any = None) -> bool:
        # botocore's own would sleep beyond the budget.
        event = f"needs-retry.{operation.service_model.service_id.hyphenize()}.{operation.name}"
        given = {"response": response, "endpoint": endpoint, "operation": operation, "attempts": attempts}
        answers = endpoint._event_emitter.emit(event, caught_exception=error, request_dict=request, **given)
        pause = first_non_none_response(answers)
        return pause is not None and pause is not False and pause_within(pause)

    endpoint._send, endpoint._needs_retry = send_within, needs_retry
    return client


_ = limit_waits(connection.client)


@cache
def aws_client(service: str, timeout: float = 5.0, tries: int = 4) -> Any:
    """Return a client of another AWS service, with deadlines, on the session that the tables use already.

    Args:
        service: botocore's name for it, such as ``stepfunctions``.
        timeout: Seconds for each try's answer.
        tries: How often botocore itself makes a call; 1 for callers that retry by rules of their own.
    """
    config = botocore.config.Config(
        connect_timeout=TableSettings.connect_timeout_seconds,
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": tries},
    )
    return limit_waits(_session.create_client(service, config=config))


class ConditionsFailedError(Exception):
    """A transaction was refused by conditions; nothing was written.

    Attributes:
        failed: Name of each write whose condition failed, with the item that stood in its way where the write asked
            for it (raw DynamoDB attributes), else None.
    """

    def __init__(self, failed: dict[str, dict[str, dict[str, Any]] | None]) -> None:
        super().__init__(", ".join(sorted(failed)))
        self.failed = failed


@contextmanager
def upstream_errors() -> Iterator[None]:
    """Turn a failing table into ``UpstreamUnavailableError``, which callers and state machines know."""
    try:
        yield
    except PynamoDBException as error:
        raise UpstreamUnavailableError(f"The store did not answer: {type(error).__name__}", retry_after=2) from error


def read_item[Item: Model](model: type[Item], key: tuple[str, str], *, consistent: bool = True) -> Item | None:
    """Read an item as it is now; None if there is none.

    Args:
        model: What the item is.
        key: Its partition and sort key.
        consistent: False where a read that may lag by a moment, at half the cost, will do.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    with upstream_errors():
        try:
            return model.get(*key, consistent_read=consistent)
        except DoesNotExist:
            return None


def update_if(item: Model, condition: Condition, actions: Sequence[Action]) -> bool:
    """Update the item that has the key of ``item``, which then shows how it is.

    Returns:
        False when the condition failed, so that nothing was written.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    return condition_held(lambda: item.update(list(actions), condition=condition))


def delete_if(item: Model, condition: Condition) -> bool:
    """Delete the item that has the key of ``item``; returns and raises as ``update_if``."""
    return condition_held(lambda: item.delete(condition=condition))


def _code_of(error: PynamoDBException) -> str | None:
    """Return the code of AWS's refusal; None where nothing answered, for which PynamoDB's own property fails."""
    answer: dict[str, dict[str, str]] = getattr(error.cause, "response", None) or {}
    return answer.get("Error", {}).get("Code")


def condition_held(write: Callable[[], Any]) -> bool:
    """Do one conditional write, such as ``lambda: item.update(…)``.

    Returns:
        False when its condition failed, so that nothing was written.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    with upstream_errors():
        try:
            write()
        except PynamoDBException as error:
            if _code_of(error) != "ConditionalCheckFailedException":
                raise
            return False
    return True


def newest_first[Item: Model](
    model: type[Item],
    index: Any,
    key: tuple[str, str],
    sort: str,
    *,
    limit: int,
    cursor: str | None,
    between: Condition | None = None,
    matching: Condition | None = None,
) -> tuple[list[Item], str | None]:
    """Return a page of an index whose sort key begins with a time, newest first, and the cursor of the next one.

    Args:
        model: What the items are.
        index: The model's index.
        key: Name and value of the index's partition key. The cursor can't change it, so a made-up cursor shows nothing
            that the partition does not hold.
        sort: Name of the index's sort key.
        limit: Most items to return.
        cursor: Where an earlier page ended, None for the first.
        between: Condition on the sort key.
        matching: Filter. A page may then be short, or empty, and still have a next one: each looks at a bounded
            number of items.

    Raises:
        ValidationFailedError: The cursor was not given by such a list.
        UpstreamUnavailableError: The table did not answer.
    """
    names = (sort, "pk", "sk")
    start = None
    if cursor:
        position = zip(names, decode_cursor(cursor, len(names)), strict=True)
        start = {key[0]: {"S": key[1]}, **{name: {"S": part} for name, part in position}}
    found: list[dict[str, Any]] = []
    with upstream_errors():
        # One more than asked for shows whether there is a next page.
        pages = index.query(
            key[1],
            between,
            filter_condition=matching,
            scan_index_forward=False,
            page_size=limit + 1 if matching is None else max(limit + 1, _FILTERED_PAGE),
            last_evaluated_key=start,
        ).page_iter
        last = None
        for page in islice(pages, _MAX_PAGES):
            found += page["Items"]
            last = page.get("LastEvaluatedKey")
            if len(found) > limit:
                found = found[:limit]
                last = found[-1]
                break
    return (
        [model.from_raw_data(item) for item in found],
        encode_cursor([last[name]["S"] for name in names]) if last else None,
    )


def read_together[Item: Model](model: type[Item], keys: Sequence[tuple[str, str]], clock: Clock = time) -> list[Item]:
    """Read items by their keys, 100 at most, in one request: those that exist, in the keys' order.

    Raises:
        UpstreamUnavailableError: The table did not answer, or not for all of them.
    """
    found = _read([(model, key) for key in keys], consistent=False, clock=clock)
    return [model.from_raw_data(item) for item in found if item is not None]


@overload
def read_items[First: Model, Second: Model](
    first: ItemKey[First], second: ItemKey[Second], /, *, clock: Clock = ...
) -> tuple[First | None, Second | None]: ...


@overload
def read_items[First: Model, Second: Model, Third: Model](
    first: ItemKey[First], second: ItemKey[Second], third: ItemKey[Third], /, *, clock: Clock = ...
) -> tuple[First | None, Second | None, Third | None]: ...


@overload
def read_items(*wanted: ItemKey[Any], clock: Clock = ...) -> tuple[Any, ...]: ...


def read_items(*wanted: ItemKey[Any], clock: Clock = time) -> tuple[Model | None, ...]:
    """Read items of different models and tables in one request; None for each that does not exist.

    Each is as it stands now (a consistent read), but they need not be of one moment: what must not change in between is
    a condition of a write.

    Args:
        wanted: Model and key of each.
        clock: Passes the time between tries.

    Raises:
        UpstreamUnavailableError: The tables did not answer, or not for all of them.
    """
    found = _read(wanted, consistent=True, clock=clock)
    return tuple(
        None if item is None else model.from_raw_data(item) for (model, _), item in zip(wanted, found, strict=True)
    )


def _read(wanted: Sequence[ItemKey[Any]], *, consistent: bool, clock: Clock) -> list[dict[str, Any] | None]:
    """Read raw items in the order in which they are wanted."""
    left: dict[str, Any] = {}
    for model, (pk, sk) in wanted:
        table = left.setdefault(model.Meta.table_name, {"Keys": [], "ConsistentRead": consistent})
        table["Keys"].append({"pk": {"S": pk}, "sk": {"S": sk}})
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for attempt in range(_CONFLICT_TRIES):
        if not left:
            break
        if attempt:
            _pause(attempt, clock)
        try:
            answer = connection.dispatch("BatchGetItem", {"RequestItems": left})
        except (BotoCoreError, ClientError) as error:
            message = f"The store did not answer: {type(error).__name__}"
            raise UpstreamUnavailableError(message, retry_after=2) from error
        for name, items in answer["Responses"].items():
            found |= {(name, item["pk"]["S"], item["sk"]["S"]): item for item in items}
        left = answer.get("UnprocessedKeys") or {}
    if left:
        raise UpstreamUnavailableError("The store is too busy to answer", retry_after=2)
    return [found.get((model.Meta.table_name, *key)) for model, key in wanted]


def _pause(attempt: int, clock: Clock) -> None:
    pause = _CONFLICT_PAUSE_SECONDS * 2**attempt
    clock.sleep(random.uniform(pause / 2, pause))  # noqa: S311 (jitter, not a secret)


@dataclass
class Transaction:
    """Writes that happen together or not at all, each with a name by which its failure is reported.

    Attributes:
        clock: Passes the time between tries.
    """

    clock: Clock = time
    _checks: list[tuple[str, Callable[[TransactWrite], None]]] = field(default_factory=list)
    _deletes: list[tuple[str, Callable[[TransactWrite], None]]] = field(default_factory=list)
    _puts: list[tuple[str, Callable[[TransactWrite], None]]] = field(default_factory=list)
    _updates: list[tuple[str, Callable[[TransactWrite], None]]] = field(default_factory=list)

    def check(self, name: str, model: type[Model], pk: str, sk: str, condition: Condition) -> None:
        """Hold an item that is not written to a condition."""
        self._checks.append((name, lambda write: write.condition_check(model, pk, sk, condition=condition)))

    def delete(self, name: str, item: Model, condition: Condition) -> None:
        """Delete an item, under a condition."""
        self._deletes.append((name, lambda write: write.delete(item, condition=condition)))

    def create(self, name: str, item: Model, or_if: Condition | None = None) -> None:
        """Put an item that must not exist yet, or only in a state that ``or_if`` describes."""
        condition: Condition = type(item).pk.does_not_exist()  # type: ignore[attr-defined]
        if or_if is not None:
            condition = condition | or_if
        self._puts.append((name, lambda write: write.save(item, condition=condition, return_values="ALL_OLD")))

    def update(self, name: str, item: Model, actions: Sequence[Action], condition: Condition | None = None) -> None:
        """Change an item, under a condition if one is given."""
        self._updates.append(
            (name, lambda write: write.update(item, list(actions), condition=condition, return_values="ALL_OLD"))
        )

    def commit(self) -> None:
        """Write all of it.

        Conflicts with other transactions and throttling are tried again a few times, with growing jittered pauses.

        Raises:
            ConditionsFailedError: A condition failed.
            WriteContentionError: Others kept writing the same items.
            UpstreamUnavailableError: The table did not answer.
        """
        # PynamoDB sends condition checks, deletes, puts, then updates; reasons come back in that order.
        ordered = [*self._checks, *self._deletes, *self._puts, *self._updates]
        for attempt in range(_CONFLICT_TRIES):
            try:
                with TransactWrite(connection=connection) as write:
                    for _, add in ordered:
                        add(write)
                return
            except TransactWriteError as error:
                reasons = dict(zip([name for name, _ in ordered], error.cancellation_reasons, strict=False))
                failed = {
                    name: reason.raw_item
                    for name, reason in reasons.items()
                    if reason and reason.code == "ConditionalCheckFailed"
                }
                if failed:
                    raise ConditionsFailedError(failed) from error
                codes = {reason.code for reason in reasons.values() if reason}
                if not codes & _PASSING_REASONS and _code_of(error) != "TransactionInProgressException":
                    raise UpstreamUnavailableError(
                        f"The store did not answer: {_code_of(error)}", retry_after=2
                    ) from error
            _pause(attempt, self.clock)
        raise WriteContentionError("Too many writers at once; try again", retry_after=2)

    def commit_if_allowed(self) -> bool:
        """Write all of it like ``commit``; False when a condition failed, so that nothing was written."""
        try:
            self.commit()
        except ConditionsFailedError:
            return False
        return True
