"""Counters of what was spent, in the control table: ``BUDGET#<resource>`` / ``<account>``.

Accounts are ``installation``, ``tier#<tier>`` and ``wallet#<wallet>``. One item counts what is open and what was spent
in a day, and its condition is part of the transaction that commits to the spending, so requests that race can't pass a
ceiling together. Ceilings that an administrator changed are kept in the installation's item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.budgets.rules import INSTALLATION, WALLET, Ceiling, Span, amount_text
from slipway.errors import BudgetExceededError, OwnBudgetExceededError, SlipwayError
from slipway.observability import logger, record
from slipway.store import ControlItem, ItemKey, Transaction, read_item, update_if
from slipway.times import now, to_text

_WRITE = "budget"
_ALARM_PERCENT = 80
_OPEN_RETRY_SECONDS = 60


class BudgetItem(ControlItem):
    """The counters of one account.

    Attributes:
        open: What is spent until it is given back.
        day: What was spent on ``date``.
        date: A day in UTC, such as ``2026-11-29``.
        ceilings: Limits by name that an administrator set.
    """

    open = NumberAttribute(default=0)
    day = NumberAttribute(default=0)
    date = UnicodeAttribute(null=True)
    ceilings = JSONAttribute(null=True)

    @staticmethod
    def key(resource: str, account: str) -> tuple[str, str]:
        """Return partition and sort key."""
        return f"BUDGET#{resource}", account

    def used(self, span: Span, today: str) -> int:
        """Return what counts against a ceiling on a day."""
        if span is Span.OPEN:
            return int(self.open)
        return int(self.day) if span is Span.DAY and self.date == today else 0


@dataclass(frozen=True)
class Spender:
    """Who has something paid; its wallet and tier may have ceilings of their own."""

    wallet: str | None = None
    tier: str | None = None

    def account(self, kind: str) -> str | None:
        """Return the account that a ceiling's ``account`` means for this spender; None if it is not concerned."""
        if kind == INSTALLATION:
            return kind
        if kind == WALLET:
            return f"wallet#{self.wallet}" if self.wallet else None
        return f"tier#{kind}" if kind == self.tier else None


def today() -> str:
    """Return the present day in UTC."""
    return to_text(now())[:10]


def midnight() -> datetime:
    """Return when the present day is over, in UTC."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


class Budget:
    """One resource's ceilings and counters, as they were read at one moment.

    Args:
        ceilings: The resource's.
        spender: Who spends.
        items: What was found under ``keys``, in their order.
        instead_of: What ``spend`` returned for that which a spending takes the place of: it is not open then.
    """

    def __init__(
        self,
        ceilings: Sequence[Ceiling],
        spender: Spender,
        items: Sequence[BudgetItem | None],
        instead_of: Mapping[str, Any] | None = None,
    ) -> None:
        self._day = today()
        self._before = _amounts(instead_of) if instead_of else {}
        self._resource = ceilings[0].resource
        accounts = accounts_of(ceilings, spender)
        self._items = {
            account: item or BudgetItem(*BudgetItem.key(self._resource, account))
            for account, item in zip(accounts, items, strict=True)
        }
        stored: Mapping[str, int] = self._items[INSTALLATION].ceilings or {}
        self._limits = {
            ceiling.name: (ceiling, account, int(stored.get(ceiling.name, ceiling.limit)))
            for ceiling in ceilings
            if (account := spender.account(ceiling.account))
        }

    @classmethod
    def read(
        cls,
        ceilings: Sequence[Ceiling],
        spender: Spender = Spender(),
        instead_of: Mapping[str, Any] | None = None,
    ) -> "Budget":
        """Read a budget; raises UpstreamUnavailableError."""
        return cls(ceilings, spender, [read_item(*wanted) for wanted in keys(ceilings, spender)], instead_of)

    def limit(self, name: str) -> int:
        """Return a ceiling."""
        return self._limits[name][2]

    def limit_refusal(self, name: str, amount: int) -> SlipwayError | None:
        """Return why one thing may not cost an amount, None if it may."""
        ceiling, _, limit = self._limits[name]
        if amount <= limit:
            return None
        shown = f"{amount_text(ceiling, limit)} {ceiling.unit}"
        return OwnBudgetExceededError(
            f"More than {shown} is not allowed here for one workload ({name})",
            details={"budget": name, "whose": "caller", "limit": amount_text(ceiling, limit)},
        )

    def refusal(self, amount: int, failed: Mapping[str, Any] | None = None) -> SlipwayError | None:
        """Return why an amount can't be spent.

        Args:
            amount: How much.
            failed: The conditions that failed when it was to be spent; their items are newer than what was read.

        Returns:
            None if it can be spent now.
        """
        for account, raw in ((name.partition(":")[2], raw) for name, raw in (failed or {}).items()):
            if raw and account in self._items:
                self._items[account] = BudgetItem.from_raw_data(raw)
        self._day = today()
        for ceiling, account, limit in self._limits.values():
            if ceiling.span is not Span.EACH and self._after(account, ceiling.span, amount) > limit:
                record("BudgetUsed", 100, MetricUnit.Percent)
                logger.warning("budget exceeded", budget=ceiling.name)
                return exceeded(ceiling)
        return None

    def spend(self, write: Transaction, amount: int, *, within: bool = True) -> dict[str, Any]:
        """Spend an amount with the transaction that commits to it, under names that ``refusal`` knows.

        Args:
            write: The transaction.
            amount: How much.
            within: Whether it fails over a ceiling; what was promised before is spent all the same.

        Returns:
            What ``give_back`` takes.
        """
        for account, item in self._items.items():
            condition, actions = self._spending(account, item, amount, within)
            write.update(f"{_WRITE}:{account}", BudgetItem(item.pk, item.sk), actions, condition)
        others = {account: before for account, before in self._before.items() if account not in self._items}
        _give_back(write, self._resource, others)
        return self.spent(amount)

    def spent(self, amount: int) -> dict[str, Any]:
        """Return what ``give_back`` takes for an amount that is spent."""
        return {"resource": self._resource, "accounts": list(self._items), "amount": amount, "date": self._day}

    def _spending(self, account: str, item: BudgetItem, amount: int, within: bool) -> tuple[Condition, list[Action]]:
        same_day, opened = item.date == self._day, amount - self._before.get(account, 0)
        first = BudgetItem.date.does_not_exist() if item.date is None else BudgetItem.date == item.date
        condition: Condition = (BudgetItem.date == self._day) if same_day else first
        for ceiling, whose, limit in self._limits.values() if within else ():
            if whose == account and ceiling.span is Span.OPEN:
                condition = condition & (BudgetItem.open.does_not_exist() | (BudgetItem.open <= limit - opened))
            if whose == account and ceiling.span is Span.DAY and same_day:
                condition = condition & (BudgetItem.day <= limit - amount)
        day = BudgetItem.day.add(amount) if same_day else BudgetItem.day.set(amount)
        date = [] if same_day else [BudgetItem.date.set(self._day)]
        return condition, [BudgetItem.open.add(opened), day, *date]

    def _after(self, account: str, span: Span, amount: int) -> int:
        """Return what counts against a ceiling once an amount is spent."""
        before = self._before.get(account, 0) if span is Span.OPEN else 0
        return self._items[account].used(span, self._day) + amount - before

    def measure(self, amount: int) -> None:
        """Record how much of the fullest ceiling is used after a spending; alarms sound at 80 and at 100 percent."""
        used = [
            (100 * self._after(account, ceiling.span, amount) / limit, ceiling.name)
            for ceiling, account, limit in self._limits.values()
            if limit and ceiling.span is not Span.EACH
        ]
        if not used:
            return
        percent, name = max(used)
        record("BudgetUsed", percent, MetricUnit.Percent)
        if percent >= _ALARM_PERCENT:
            logger.warning("budget nearly used", budget=name, percent=round(percent))


def accounts_of(ceilings: Sequence[Ceiling], spender: Spender) -> list[str]:
    """Return the accounts that a spending of ``spender`` counts in, the installation's first."""
    found = [spender.account(ceiling.account) for ceiling in ceilings]
    return list(dict.fromkeys([INSTALLATION, *(account for account in found if account)]))


def keys(ceilings: Sequence[Ceiling], spender: Spender = Spender()) -> list[ItemKey[BudgetItem]]:
    """Return what is to be read for a budget, so that it can be read together with other items."""
    resource = ceilings[0].resource
    return [(BudgetItem, BudgetItem.key(resource, account)) for account in accounts_of(ceilings, spender)]


def exceeded(ceiling: Ceiling) -> SlipwayError:
    """Return the error of a ceiling that is reached: whose it is and when it frees, but no amounts."""
    is_day, is_own = ceiling.span is Span.DAY, ceiling.account == WALLET
    whose = {INSTALLATION: "This installation's", WALLET: "Your wallet's"}.get(ceiling.account, "Your tier's")
    frees = f"at {to_text(midnight())}" if is_day else "when something of it is closed"
    kind = OwnBudgetExceededError if is_own else BudgetExceededError
    return kind(
        f"{whose} budget {ceiling.name} is used up; it frees {frees}",
        details={
            "budget": ceiling.name,
            "whose": "caller" if is_own else ceiling.account,
            "resets_at": to_text(midnight()) if is_day else None,
        },
        retry_after=int((midnight() - now()).total_seconds()) + 1 if is_day else _OPEN_RETRY_SECONDS,
    )


def give_back(write: Transaction, spent: Mapping[str, Any] | None) -> None:
    """Add to a transaction that what ``spend`` returned is not open any more."""
    if spent is not None:
        _give_back(write, spent["resource"], _amounts(spent))


def _give_back(write: Transaction, resource: str, amounts: Mapping[str, int]) -> None:
    for account, amount in amounts.items():
        item = BudgetItem(*BudgetItem.key(resource, account))
        write.update(f"{_WRITE}:{account}", item, [BudgetItem.open.add(-amount)])


def _amounts(spent: Mapping[str, Any]) -> dict[str, int]:
    """Return what was spent by account, of which not all may have been there from the first spending on."""
    amounts: Mapping[str, Any] = spent.get("amounts") or dict.fromkeys(spent["accounts"], spent["amount"])
    return {account: int(amount) for account, amount in amounts.items()}


def together(spent: Mapping[str, Any], more: Mapping[str, Any], sign: int = 1) -> dict[str, Any]:
    """Return what ``give_back`` takes for two spendings; for the first without the second if ``sign`` is -1."""
    amounts = _amounts(spent)
    for account, amount in _amounts(more).items():
        amounts[account] = amounts.get(account, 0) + sign * amount
    total = int(spent["amount"]) + sign * int(more["amount"])
    return {**spent, "accounts": list(amounts), "amounts": amounts, "amount": total}


def spender_of(wallet: str, spent: Mapping[str, Any] | None) -> Spender:
    """Return who spent what ``spend`` returned, as far as ceilings concern it."""
    tiers = [account.partition("#")[2] for account in (spent or {}).get("accounts", ()) if account.startswith("tier#")]
    return Spender(wallet, next(iter(tiers), None))


def unspend(spent: Mapping[str, Any], amount: int) -> None:
    """Give back to a day what was reserved of it and not spent; nothing once the day is over. Best effort."""
    for account in spent["accounts"]:
        item = BudgetItem(*BudgetItem.key(spent["resource"], account))
        same_day = (BudgetItem.date == spent["date"]) & (BudgetItem.day >= amount)
        update_if(item, same_day, [BudgetItem.day.add(-amount)])
