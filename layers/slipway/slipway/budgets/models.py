"""Shapes of the administrator's budgets. Amounts are decimal strings in ``unit``."""

from typing import Annotated

from pydantic import BaseModel, Field, RootModel

from slipway.budgets.rules import Unit

_Number = Annotated[int, Field(ge=0, strict=True)] | Annotated[float, Field(ge=0, strict=True)]
_Limit = Annotated[str, Field(max_length=40)] | _Number | None


class BudgetView(BaseModel):
    """One budget.

    Attributes:
        limit: The ceiling: for one thing, for all that is open at once, or for a day, as the name says.
        used: What counts against it now.
        open: What of it is open, and comes back when it is closed.
        left: What may still be spent, or the most for one thing.
        resets_at: When ``used`` is nothing again; None where it does not depend on time.
    """

    name: str
    unit: Unit
    limit: str
    used: str
    open: str
    left: str
    resets_at: str | None


class BudgetsAnswer(BaseModel):
    """All budgets of this installation."""

    budgets: list[BudgetView]


class BudgetsChange(RootModel[dict[str, _Limit]]):
    """New ceilings by name; null goes back to the template's parameter."""

    model_config = {"json_schema_extra": {"examples": [{"akash_day": 150}]}}
