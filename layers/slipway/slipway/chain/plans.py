"""What a job wants on chain, as plain data: which calls, for which purposes, and what of the job changes with them.

A plan is made where the job is known, priced by ``signing`` and written with its signatures by ``write_ahead``. What is
known only once it has its account and nonces, such as a transaction's hash, stands in it by name (``SignedValue``,
``Created``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from slipway.chain.abi import Value, call_data
from slipway.chain.models import Call
from slipway.chain.rules import gas_limit
from slipway.chain.store import ChainConfiguration, TransactionItem
from slipway.store import Transaction


@dataclass(frozen=True)
class Created:
    """The contract that an earlier call of the plan creates.

    Attributes:
        purpose: That call's purpose.
        stand_in: A contract that takes its place where gas is estimated, before there is code at its address.
    """

    purpose: str
    stand_in: str


@dataclass(frozen=True)
class PlannedCall:
    """One transaction of a plan: the creation of a contract if ``to`` is None, else a call of a function.

    Attributes:
        purpose: What it is for; a purpose of a job takes effect once.
        to: The contract that is called.
        code: Creation code with its arguments.
        function: Signature of the function, such as ``register(string,address)``.
        arguments: Its arguments.
        gas_limit: To be signed as it is; 0 asks the node.
        rehearsal: Creation code that does what the plan's first call does and this one as well. Where what this call
            needs is not there yet, nodes are asked about that, and the first call's gas is taken off.
    """

    purpose: str
    to: str | None
    code: bytes = b""
    function: str = ""
    arguments: tuple[Value | Created, ...] = ()
    gas_limit: int = 0
    rehearsal: bytes = b""

    def estimated(self) -> Call:
        """Return the call about whose gas a node is asked."""
        return Call(None, self.rehearsal, 0) if self.rehearsal else self.call()

    def call(self, gas_limit: int = 0, created: Mapping[str, str] | None = None) -> Call:
        """Return the call with the addresses of created contracts by purpose, or with what stands in for them."""
        if not self.function:
            return Call(self.to, self.code, gas_limit or self.gas_limit)
        values = [_address(value, created) if isinstance(value, Created) else value for value in self.arguments]
        return Call(self.to, call_data(self.function, values), gas_limit or self.gas_limit)


def gas_limits(calls: Sequence[PlannedCall], estimates: Sequence[int]) -> tuple[int, ...]:
    """Return the limits to sign, by a node's estimates of ``PlannedCall.estimated`` of each."""
    uses = gas_uses(calls, estimates)
    return tuple(planned.gas_limit or gas_limit(used) for planned, used in zip(calls, uses, strict=True))


def gas_uses(calls: Sequence[PlannedCall], estimates: Sequence[int]) -> list[int]:
    """Return what each call uses, by the same estimates."""
    found = zip(calls, estimates, strict=True)
    return [estimate - (estimates[0] if planned.rehearsal else 0) for planned, estimate in found]


def _address(contract: Created, created: Mapping[str, str] | None) -> str:
    return contract.stand_in if created is None else created[contract.purpose]


@dataclass(frozen=True)
class SignedValue:
    """A value in a job's change that a transaction of the plan has once it is signed."""

    purpose: str
    attribute: Literal["transaction_hash", "nonce", "contract_address"]


@dataclass(frozen=True)
class Check:
    """Hold an item that does not change to a condition, under a name by which its failure is reported."""

    name: str
    item: Model
    condition: Condition


@dataclass(frozen=True)
class Update:
    """Set attributes of an item, by their names in the model, under a condition if one is given."""

    name: str
    item: Model
    values: Mapping[str, Any]
    condition: Condition | None = None


@dataclass(frozen=True)
class Create:
    """Put an item that must not exist yet, such as an event; its JSON may hold ``SignedValue``."""

    name: str
    item: Model


type Change = Check | Update | Create


@dataclass(frozen=True)
class Plan:
    """What is signed together, at consecutive nonces of one account, in one write with the job's changes.

    Attributes:
        job_id: The job.
        calls: In the order of their nonces.
        changes: The job's own changes and conditions.
        configuration: The chain's, for what its transactions may offer.
        promised: It ends what was begun, so it counts against the day's budget and is never refused by it.
        replaces: Settled transactions that served the same purposes and had no effect, such as those whose nonce was
            used by somebody else, each with its final status.
    """

    job_id: str
    calls: tuple[PlannedCall, ...]
    changes: tuple[Change, ...]
    configuration: ChainConfiguration
    promised: bool = False
    replaces: tuple[TransactionItem, ...] = ()


def add_changes(write: Transaction, changes: Sequence[Change], signed: Sequence[TransactionItem]) -> None:
    """Add a job's changes to the write that holds these transactions."""
    by_purpose = {item.purpose: item for item in signed}
    for change in changes:
        kind: Any = type(change.item)
        match change:
            case Check(name, item, condition):
                write.check(name, kind, item.pk, item.sk, condition)  # type: ignore[attr-defined]
            case Update(name, item, values, condition):
                actions = [getattr(kind, key).set(_filled(value, by_purpose)) for key, value in values.items()]
                write.update(name, item, actions, condition)
            case Create(name, item):
                write.create(name, kind(**_filled(item.attribute_values, by_purpose)))


def _filled(value: Any, signed: Mapping[str, TransactionItem]) -> Any:
    match value:
        case SignedValue(purpose, attribute):
            found = getattr(signed[purpose], attribute)
            return int(found) if attribute == "nonce" else found
        case dict():
            return {key: _filled(entry, signed) for key, entry in value.items()}
    return value
