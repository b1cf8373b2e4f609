"""Use cases of the administrator: what is used of each budget, and new ceilings."""

from slipway.budgets.models import BudgetsAnswer, BudgetsChange, BudgetView
from slipway.budgets.rules import (
    INSTALLATION,
    Ceiling,
    Span,
    akash_ceilings,
    amount_text,
    bedrock_ceiling,
    gas_ceilings,
    parse_limit,
)
from slipway.budgets.store import BudgetItem, midnight, today
from slipway.configuration import chain_settings
from slipway.errors import ConflictError, ValidationFailedError
from slipway.settings import akash_budget, bedrock_budget
from slipway.store import read_item, read_items, update_if
from slipway.times import to_text

_TRIES = 5


def all_ceilings() -> list[Ceiling]:
    """Return every ceiling of this installation, as the template has it."""
    return [
        *akash_ceilings(akash_budget()),
        *gas_ceilings(chain_settings().chains.values()),
        bedrock_ceiling(bedrock_budget()),
    ]


def budgets() -> BudgetsAnswer:
    """Return every budget as it is used now; those of each wallet or tier are shown by their ceiling alone."""
    ceilings = all_ceilings()
    items = _items(ceilings)
    return BudgetsAnswer(budgets=[_view(ceiling, items[ceiling.resource]) for ceiling in ceilings])


def _items(ceilings: list[Ceiling]) -> dict[str, BudgetItem]:
    resources = list(dict.fromkeys(ceiling.resource for ceiling in ceilings))
    found = read_items(*((BudgetItem, BudgetItem.key(resource, INSTALLATION)) for resource in resources))
    return {
        resource: item or BudgetItem(*BudgetItem.key(resource, INSTALLATION))
        for resource, item in zip(resources, found, strict=True)
    }


def _view(ceiling: Ceiling, item: BudgetItem) -> BudgetView:
    limit = int((item.ceilings or {}).get(ceiling.name, ceiling.limit))
    used = item.used(ceiling.span, today()) if ceiling.account == INSTALLATION else 0
    return BudgetView(
        name=ceiling.name,
        unit=ceiling.unit,
        limit=amount_text(ceiling, limit),
        used=amount_text(ceiling, used),
        open=amount_text(ceiling, used if ceiling.span is Span.OPEN else 0),
        left=amount_text(ceiling, max(0, limit - used)),
        resets_at=to_text(midnight()) if ceiling.span is Span.DAY else None,
    )


def change_budgets(change: BudgetsChange) -> BudgetsAnswer:
    """Set ceilings, from the next request on; None goes back to the template's.

    Raises:
        ValidationFailedError: A name is no budget, or a limit no amount of its unit; nothing was changed.
        ConflictError: Somebody else changed them at the same time.
    """
    ceilings = {ceiling.name: ceiling for ceiling in all_ceilings()}
    changed: dict[str, dict[str, int | None]] = {}
    for name, value in change.root.items():
        if name not in ceilings:
            raise ValidationFailedError.of_field(name, f"is no budget; there are {', '.join(ceilings)}")
        ceiling = ceilings[name]
        limit = None if value is None else parse_limit(ceiling, str(value))
        changed.setdefault(ceiling.resource, {})[name] = limit
    for resource, limits in changed.items():
        _change(resource, limits)
    return budgets()


def _change(resource: str, limits: dict[str, int | None]) -> None:
    key = BudgetItem.key(resource, INSTALLATION)
    for _ in range(_TRIES):
        item = read_item(BudgetItem, key)
        before = item.ceilings if item else None
        after = {name: limit for name, limit in {**(before or {}), **limits}.items() if limit is not None}
        unchanged = BudgetItem.ceilings == before if before is not None else BudgetItem.ceilings.does_not_exist()
        if update_if(BudgetItem(*key), unchanged, [BudgetItem.ceilings.set(after)]):
            return
    raise ConflictError("The budgets are being changed by somebody else; try again", retry_after=1)
