"""Use cases of projects and payments."""

from slipway.control.store import Gate, Service, switch_key
from slipway.errors import ConflictError, ForbiddenError, NotFoundError
from slipway.idempotency import WRITE as IDEMPOTENCY_WRITE
from slipway.idempotency import Idempotency
from slipway.identifiers import is_id, new_id
from slipway.identity.models import OPERATOR, Caller
from slipway.identity.quotas import quota_of
from slipway.jobs.store import RequestContext, job_event
from slipway.limits.store import WRITE as LIMIT_WRITE
from slipway.projects import store
from slipway.projects.models import (
    NewPayment,
    NewProject,
    Payment,
    PaymentPage,
    Project,
    ProjectPage,
    ProjectStatus,
    StatusChange,
    is_name,
)
from slipway.projects.rules import before, change_refusal, may_change, own_wallet, sees_all_payments
from slipway.store import ConditionsFailedError, Transaction, read_items
from slipway.times import now_text


def _record[Record: (Project, Payment)](
    caller: Caller,
    service: Service,
    write: Transaction,
    record: Record,
    idempotency: Idempotency | None,
    taken: str,
    context: RequestContext,
) -> Record:
    """Commit a transaction that adds a record, or give the answer that its Idempotency-Key was given before.

    Raises:
        ServicePausedError: The service takes nothing new.
        IdempotencyMismatchError: The key was used with another body.
        RateLimitExceededError: The wallet has recorded as many as it may.
        ConflictError: Something else stands in the way; ``taken`` says what.
    """
    quota = quota_of(caller, service.value)
    state, log = read_items(switch_key(service), quota.wanted)
    quota.read(log)
    refusal = Gate(service, state).refusal
    if refusal and not (idempotency and idempotency.is_known()):
        raise refusal
    if idempotency:
        idempotency.remember(write, record.model_dump(mode="json"))
    quota.count_within(write)
    try:
        write.commit()
    except ConditionsFailedError as error:
        if idempotency and IDEMPOTENCY_WRITE in error.failed:
            return type(record).model_validate(idempotency.answer())
        if LIMIT_WRITE in error.failed:
            busy = ConflictError("Too many requests at once; try again", retry_after=1)
            raise quota.refused(error.failed) or busy from error
        raise ConflictError(taken) from error
    context.headers.update(quota.headers)
    return record


def create_project(caller: Caller, body: NewProject, idempotency_key: str | None, context: RequestContext) -> Project:
    """Record a project: one conditional transaction after one look at the service's switch.

    Raises:
        ForbiddenError: ``creator`` is not the caller's wallet.
        ConflictError: The name is taken.
        SlipwayError: See ``_record``.
    """
    wallet = own_wallet(caller, body.creator)
    given = body.model_dump(exclude={"creator"})
    project = Project(id=new_id(), **given, status=ProjectStatus.PENDING, creator=wallet, created_at=now_text())
    write = Transaction()
    store.add_project(write, project)
    write.create("event", job_event(f"PROJECT#{project.name}", project.status, "The project was recorded"))
    write.create("audit", context.audit("accepted", wallet, project.name))
    idempotency = Idempotency.of("projects", wallet, idempotency_key, given)
    taken = "There is a project of that name"
    return _record(caller, Service.PROJECTS, write, project, idempotency, taken, context)


def list_projects(creator: str | None, status: ProjectStatus | None, limit: int, cursor: str | None) -> ProjectPage:
    """Return a page of all projects, or those of one wallet, newest first."""
    found, next_cursor = store.projects_page(creator, status, limit=limit, cursor=cursor)
    return ProjectPage(deployments=found, next_cursor=next_cursor)


def find_project(name: str) -> Project:
    """Return a project by its name; raises NotFoundError."""
    found = store.find_project(name) if is_name(name) else None
    if found is None:
        raise NotFoundError("There is no such project")
    return found


def _creator_condition(caller: Caller) -> str | None:
    """Return whose project it must be for the caller to change it; None for an operator."""
    return None if OPERATOR in caller.roles else own_wallet(caller, None)


def change_status(caller: Caller, name: str, change: StatusChange, context: RequestContext) -> Project:
    """Move a project on; the same change once more changes nothing.

    Returns:
        The project as it is afterwards.

    Raises:
        NotFoundError: No such project.
        ForbiddenError: It is not the caller's, who is no operator either.
        ConflictError: That status does not follow on the present one; names both.
    """
    if not is_name(name):
        raise NotFoundError("There is no such project")
    if not before(change.status):
        # Nothing leads there, so there is nothing to write.
        return _unchanged(caller, find_project(name), change)
    write = Transaction()
    store.move_project(write, name, change.status, change.url, _creator_condition(caller))
    write.create("event", job_event(f"PROJECT#{name}", change.status, f"The project is {change.status}"))
    write.create("audit", context.audit("accepted", caller.wallet, name, str(change.status)))
    try:
        write.commit()
    except ConditionsFailedError as error:
        stood = error.failed[store.PROJECT_WRITE]
        if not stood:
            raise NotFoundError("There is no such project") from error
        return _unchanged(caller, store.project_from_raw(stood), change)
    return find_project(name)


def _unchanged(caller: Caller, project: Project, change: StatusChange) -> Project:
    refusal = change_refusal(caller, project, change)
    if refusal:
        raise refusal
    return project


def delete_project(caller: Caller, name: str, context: RequestContext) -> None:
    """Delete a project; its name is free again.

    Raises:
        NotFoundError: No such project.
        ForbiddenError: It is not the caller's, who is no operator either.
    """
    if not is_name(name):
        raise NotFoundError("There is no such project")
    write = Transaction()
    store.remove_project(write, name, _creator_condition(caller))
    write.create("audit", context.audit("accepted", caller.wallet, name))
    try:
        write.commit()
    except ConditionsFailedError as error:
        # DynamoDB does not return what stood in the way of a deletion.
        if may_change(caller, find_project(name).creator):
            raise ConflictError("The project was created anew meanwhile; try again", retry_after=1) from error
        raise ForbiddenError("Only the project's creator or an operator may delete it") from error


def create_payment(caller: Caller, body: NewPayment, idempotency_key: str | None, context: RequestContext) -> Payment:
    """Record a payment.

    Raises:
        ForbiddenError: ``creator`` is not the caller's wallet.
        SlipwayError: See ``_record``.
    """
    wallet = own_wallet(caller, body.creator)
    given = body.model_dump(exclude={"creator"})
    payment = Payment(id=new_id(), **given, creator=wallet, created_at=now_text())
    write = Transaction()
    store.add_payment(write, payment)
    write.create("event", job_event(f"PAYMENT#{payment.id}", "recorded", "A payment was recorded"))
    write.create("audit", context.audit("accepted", wallet, payment.name[:64], f"payment {payment.id}"))
    idempotency = Idempotency.of("payments", wallet, idempotency_key, given)
    taken = "The payment was not written; try again"
    return _record(caller, Service.PAYMENTS, write, payment, idempotency, taken, context)


def list_payments(caller: Caller, creator: str | None, limit: int, cursor: str | None) -> PaymentPage:
    """Return a page of the caller's payments, newest first; operators and administrators see all, or one wallet's.

    Raises:
        ForbiddenError: Another wallet's were asked for, or the token names no wallet.
    """
    shown = creator
    if not sees_all_payments(caller):
        shown = own_wallet(caller, creator)
    found, next_cursor = store.payments_page(shown, limit=limit, cursor=cursor)
    return PaymentPage(payments=found, next_cursor=next_cursor)


def find_payment(caller: Caller, payment_id: str) -> Payment:
    """Return a payment; raises NotFoundError for another owner's too."""
    found = store.find_payment(payment_id) if is_id(payment_id) else None
    if found is None or not (found.creator == caller.wallet or sees_all_payments(caller)):
        raise NotFoundError("There is no such payment")
    return found
