"""Pure decisions about projects and payments: who may change what, and in which order statuses follow."""

from slipway.errors import ConflictError, ForbiddenError, SlipwayError
from slipway.identity.models import ADMIN, OPERATOR, Caller
from slipway.projects.models import Project, ProjectStatus, StatusChange

_NEXT = {
    ProjectStatus.PENDING: {ProjectStatus.PROCESSING},
    ProjectStatus.PROCESSING: {ProjectStatus.SUCCESS, ProjectStatus.FAILED},
    ProjectStatus.SUCCESS: set(),
    ProjectStatus.FAILED: set(),
}


def before(status: ProjectStatus) -> list[ProjectStatus]:
    """Return the statuses from which a project may come to this one."""
    return [earlier for earlier, following in _NEXT.items() if status in following]


def may_change(caller: Caller, creator: str) -> bool:
    """Return whether a project is the caller's to change or delete."""
    return caller.wallet == creator or OPERATOR in caller.roles


def change_refusal(caller: Caller, project: Project, change: StatusChange) -> SlipwayError | None:
    """Return why a change is refused, or None when it would change nothing because it was made already.

    A change that the status allows is never asked about: it is written, and only if the write's condition fails is this
    the reason.
    """
    if not may_change(caller, project.creator):
        return ForbiddenError("Only the project's creator or an operator may change it")
    if project.status != change.status:
        return ConflictError(
            f"A project that is {project.status} can't become {change.status}",
            details={"status": str(project.status), "requested": str(change.status)},
        )
    if change.url not in (None, project.url):
        return ConflictError(
            f"The project is {project.status} already, with another url",
            details={"status": str(project.status), "requested": str(change.status), "url": project.url},
        )
    return None


def own_wallet(caller: Caller, creator: str | None) -> str:
    """Return the caller's wallet; raises ForbiddenError without one, or when ``creator`` names another."""
    if caller.wallet is None:
        raise ForbiddenError("The access token names no wallet")
    if creator not in (None, caller.wallet):
        raise ForbiddenError("creator is not the wallet that signed in")
    return caller.wallet


def sees_all_payments(caller: Caller) -> bool:
    """Return whether a caller sees the payments of others."""
    return bool({OPERATOR, ADMIN} & caller.roles)
