"""Projects and payments.

Keys in the projects table:

- ``PROJECT#<name>`` / ``DETAIL``: a project; its name is its key, so two can't have the same;
- ``PAYMENT#<id>`` / ``DETAIL``: a payment.

Both are in ``by_kind`` under PROJECT or PAYMENT and in ``by_creator`` under ``<kind>#<wallet>``, by ``<time>#<id>``.
"""

from collections.abc import Callable
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from slipway.projects.models import Payment, Project, ProjectStatus
from slipway.projects.rules import before
from slipway.settings import name_of_table
from slipway.store import TableSettings, Transaction, newest_first, read_item, share_connection

# Name of the write whose condition is distinguished.
PROJECT_WRITE = "project"
_PROJECTS, _PAYMENTS = "PROJECT", "PAYMENT"


class ByCreator(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """What a wallet created, by time."""

    class Meta:
        index_name = "by_creator"
        projection = AllProjection()

    creator_key = UnicodeAttribute(hash_key=True)
    created_sort = UnicodeAttribute(range_key=True)


class ByKind(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """All projects, or all payments, by time."""

    class Meta:
        index_name = "by_kind"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    created_sort = UnicodeAttribute(range_key=True)


class ProjectsItem(Model):
    """An item of the projects table."""

    class Meta(TableSettings):
        table_name = name_of_table("projects")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    by_creator = ByCreator()
    by_kind = ByKind()
    kind = UnicodeAttribute()
    creator_key = UnicodeAttribute()
    created_sort = UnicodeAttribute()


share_connection(ProjectsItem)


class ProjectItem(ProjectsItem):
    """A project."""

    id = UnicodeAttribute()
    name = UnicodeAttribute()
    url = UnicodeAttribute(null=True)
    port = NumberAttribute()
    status = UnicodeAttribute()
    github = UnicodeAttribute()
    replicas = NumberAttribute()
    creator = UnicodeAttribute()
    created_at = UnicodeAttribute()


class PaymentItem(ProjectsItem):
    """A payment. The amount is text: a number of DynamoDB has 38 digits, a uint256 has 78."""

    id = UnicodeAttribute()
    name = UnicodeAttribute()
    amount = UnicodeAttribute()
    creator = UnicodeAttribute()
    created_at = UnicodeAttribute()


def _project_key(name: str) -> tuple[str, str]:
    return f"{_PROJECTS}#{name}", "DETAIL"


def _payment_key(payment_id: str) -> tuple[str, str]:
    return f"{_PAYMENTS}#{payment_id}", "DETAIL"


def _attributes(kind: str, record: Project | Payment) -> dict[str, Any]:
    keys = {
        "kind": kind,
        "creator_key": f"{kind}#{record.creator}",
        "created_sort": f"{record.created_at}#{record.id}",
    }
    return {**keys, **record.model_dump(mode="json")}


def _project_of(item: ProjectItem) -> Project:
    return Project(
        id=item.id,
        name=item.name,
        url=item.url,
        port=int(item.port),
        status=ProjectStatus(item.status),
        github=item.github,
        replicas=int(item.replicas),
        creator=item.creator,
        created_at=item.created_at,
    )


def _payment_of(item: PaymentItem) -> Payment:
    return Payment(id=item.id, name=item.name, amount=item.amount, creator=item.creator, created_at=item.created_at)


def add_project(write: Transaction, project: Project) -> None:
    """Write a project unless its name is taken."""
    write.create(PROJECT_WRITE, ProjectItem(*_project_key(project.name), **_attributes(_PROJECTS, project)))


def add_payment(write: Transaction, payment: Payment) -> None:
    """Write a payment."""
    write.create("payment", PaymentItem(*_payment_key(payment.id), **_attributes(_PAYMENTS, payment)))


def move_project(write: Transaction, name: str, status: ProjectStatus, url: str | None, creator: str | None) -> None:
    """Bring a project to a status from one that may come before it; ``creator`` None for anyone's, ``url`` None to keep
    it."""
    condition = ProjectItem.status.is_in(*(str(earlier) for earlier in before(status)))
    if creator is not None:
        condition = condition & (ProjectItem.creator == creator)
    actions = [ProjectItem.status.set(str(status))]
    if url is not None:
        actions.append(ProjectItem.url.set(url))
    write.update(PROJECT_WRITE, ProjectItem(*_project_key(name)), actions, condition)


def remove_project(write: Transaction, name: str, creator: str | None) -> None:
    """Delete a project; ``creator`` as in ``move_project``."""
    condition = ProjectItem.pk.exists() if creator is None else ProjectItem.creator == creator
    write.delete(PROJECT_WRITE, ProjectItem(*_project_key(name)), condition)


def project_from_raw(raw: dict[str, dict[str, Any]]) -> Project:
    """Read a project that DynamoDB returned when a condition on it failed."""
    return _project_of(ProjectItem.from_raw_data(raw))


def find_project(name: str) -> Project | None:
    """Return a project by its name, as it is now."""
    item = read_item(ProjectItem, _project_key(name))
    return _project_of(item) if item else None


def find_payment(payment_id: str) -> Payment | None:
    """Return a payment by its id."""
    item = read_item(PaymentItem, _payment_key(payment_id))
    return _payment_of(item) if item else None


def _page[Item: ProjectsItem, Record](
    model: type[Item],
    record_of: Callable[[Item], Record],
    kind: str,
    creator: str | None,
    *,
    limit: int,
    cursor: str | None,
    matching: Any = None,
) -> tuple[list[Record], str | None]:
    index: Any = model.by_kind if creator is None else model.by_creator
    key = ("kind", kind) if creator is None else ("creator_key", f"{kind}#{creator}")
    items, next_cursor = newest_first(model, index, key, "created_sort", limit=limit, cursor=cursor, matching=matching)
    return [record_of(item) for item in items], next_cursor


def projects_page(
    creator: str | None, status: ProjectStatus | None, *, limit: int, cursor: str | None
) -> tuple[list[Project], str | None]:
    """Return a page of a wallet's or of all projects, newest first, and where the next one begins."""
    matching = None if status is None else ProjectItem.status == str(status)
    return _page(ProjectItem, _project_of, _PROJECTS, creator, limit=limit, cursor=cursor, matching=matching)


def payments_page(creator: str | None, *, limit: int, cursor: str | None) -> tuple[list[Payment], str | None]:
    """Return a page of a wallet's or of all payments, newest first, and where the next one begins."""
    return _page(PaymentItem, _payment_of, _PAYMENTS, creator, limit=limit, cursor=cursor)
