"""Tokens and their launches, the locks of models and symbols, and the built-in model catalogue.

Keys in the jobs table, besides those of every deployment (``slipway.jobs.deployments``):

- ``MODEL#<model id>`` / ``LOCK``: held by the model's one launch, until it has failed and left nothing open;
- ``SYMBOL#<symbol>`` / ``LOCK``: the launches that use a symbol;
- ``TOKEN#<address>`` / ``TOKEN``: a launched token by its address, in EIP-55 form.

Keys in the control table:

- ``CATALOGUE#<model id>`` / ``MODEL``: a model as an administrator entered it;
- ``MODELS#<wallet>`` / ``<model id>``: an entry in the list of a wallet's models; ``MODELS`` / ``<model id>``: one in
  the list of all. Entries are written before the model and never deleted: one whose model names the wallet no more is
  passed over.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from slipway.addresses import to_checksum
from slipway.chain.contracts import load
from slipway.chain.store import ChainConfiguration, TransactionIntent, TransactionItem, transactions_of
from slipway.errors import NotFoundError
from slipway.jobs.deployments import Deployment, deployment_key
from slipway.jobs.open_work import open_shard
from slipway.jobs.store import job_event
from slipway.pagination import decode_cursor, encode_cursor
from slipway.store import (
    ConditionsFailedError,
    ControlItem,
    JobsItem,
    Transaction,
    read_item,
    read_items,
    read_together,
    update_if,
    upstream_errors,
)
from slipway.times import now_text
from slipway.tokens.models import FINAL, PURPOSES, ModelMetadata, ModelState, Purpose, Status

KIND = "token"
# Where a launch keeps what it knows of each transaction.
PREFIXES = {"deploy": "deployment", "register": "registry", "distribute": "allocation"}


class TokenItem(Deployment, discriminator=KIND):
    """A token and its launch. Amounts are decimal strings in wei; gas figures are integers.

    ``deployment_block`` is there once the token is on chain for good. A launch that has failed stays in the open work
    as long as it is to be taken up again. Supplies and the ``amount`` of each of ``allocations`` are whole tokens as
    decimal text; ``steward`` is there if the registry names one.
    """

    model_id = UnicodeAttribute()
    chain_id = NumberAttribute()
    token_name = UnicodeAttribute()
    token_symbol = UnicodeAttribute()
    controller = UnicodeAttribute(null=True)
    steward = UnicodeAttribute(null=True)
    initial_supply = UnicodeAttribute(null=True)
    max_supply = UnicodeAttribute(null=True)
    allocations = JSONAttribute(null=True)
    model = JSONAttribute(null=True)
    estimated_gas_cost = UnicodeAttribute()
    token_address = UnicodeAttribute(null=True)
    deployment_tx_hash = UnicodeAttribute(null=True)
    deployment_block = NumberAttribute(null=True)
    deployment_gas_used = NumberAttribute(null=True)
    deployment_gas_price = UnicodeAttribute(null=True)
    deployment_cost = UnicodeAttribute(null=True)
    registry_tx_hash = UnicodeAttribute(null=True)
    registry_block = NumberAttribute(null=True)
    registry_gas_used = NumberAttribute(null=True)
    registry_gas_price = UnicodeAttribute(null=True)
    registry_cost = UnicodeAttribute(null=True)
    allocation_tx_hash = UnicodeAttribute(null=True)
    allocation_block = NumberAttribute(null=True)
    allocation_gas_used = NumberAttribute(null=True)
    allocation_gas_price = UnicodeAttribute(null=True)
    allocation_cost = UnicodeAttribute(null=True)
    error_transaction_hash = UnicodeAttribute(null=True)
    verification = JSONAttribute(null=True)
    deadline = UnicodeAttribute()
    resumed_at = UnicodeAttribute(null=True)

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """What its launch takes on chain, in the order of the nonces: a supply is distributed last."""
        return PURPOSES if self.initial_supply else PURPOSES[:-1]

    @property
    def ended(self) -> bool:
        """Whether it is completed or has failed."""
        return Status(self.status) in FINAL

    @property
    def half_done(self) -> bool:
        """Whether it has failed and is to be taken up again."""
        return self.status == str(Status.FAILED) and self.open_shard is not None


class LaunchedToken(JobsItem):
    """A launched token by its address, for readers who have only that.

    ``steward`` is the wallet that may mint, as last seen on chain; it is missing where the registry names none.
    ``max_supply`` is in whole tokens; ``transactions`` are ``{"purpose", "transaction_hash", "block_number"}``;
    ``source_hash`` is that of the artifact it was created from.
    """

    deployment_id = UnicodeAttribute()
    chain_id = NumberAttribute()
    model_id = UnicodeAttribute()
    wallet = UnicodeAttribute()
    token_address = UnicodeAttribute()
    token_name = UnicodeAttribute()
    token_symbol = UnicodeAttribute()
    controller = UnicodeAttribute(null=True)
    steward = UnicodeAttribute(null=True)
    max_supply = UnicodeAttribute(null=True)
    transactions = JSONAttribute()
    source_hash = UnicodeAttribute(null=True)
    verification = JSONAttribute(null=True)
    created_at = UnicodeAttribute()

    @staticmethod
    def key(address: str) -> tuple[str, str]:
        """Partition and sort key."""
        return f"TOKEN#{to_checksum(address)}", "TOKEN"

    @classmethod
    def of(cls, token: TokenItem, values: Mapping[str, Any]) -> "LaunchedToken":
        """Return the token of a launch that ends with these values of its attributes."""
        known = {**token.attribute_values, **values}
        item = cls(*cls.key(str(token.token_address)))
        # Its own alone: in an index it would be one more deployment.
        for name in known.keys() & cls.get_attributes().keys() - JobsItem.get_attributes().keys():
            setattr(item, name, known[name])
        item.source_hash = load("HokusaiToken").source_hash
        item.token_address = to_checksum(str(token.token_address))
        item.transactions = [
            {"purpose": purpose, "transaction_hash": known[f"{prefix}_tx_hash"], "block_number": int(block)}
            for purpose, prefix in PREFIXES.items()
            if (block := known.get(f"{prefix}_block")) is not None
        ]
        return item


class ModelLock(JobsItem):
    """Makes one token per model."""

    deployment_id = UnicodeAttribute()


class SymbolLock(JobsItem):
    """Who uses a symbol. A chosen symbol may be shared, a generated one is taken only when nobody has it."""

    deployments = UnicodeSetAttribute(null=True)


class CatalogueModel(ControlItem):
    """A model in the built-in catalogue."""

    owner = UnicodeAttribute()
    contributors: ListAttribute[str] = ListAttribute(default=list)
    state = UnicodeAttribute()
    validated_at = UnicodeAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    metrics = JSONAttribute(null=True)
    improvement = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute()

    @staticmethod
    def key(model_id: str) -> tuple[str, str]:
        """Partition and sort key."""
        return f"CATALOGUE#{model_id}", "MODEL"


class CatalogueEntry(ControlItem):
    """A model in a list."""


def list_key(wallet: str | None) -> str:
    """Return the partition key of the list of a wallet's models, or of all models."""
    return f"MODELS#{wallet}" if wallet else "MODELS"


def model_lock_key(model_id: str) -> tuple[str, str]:
    """Partition and sort key of a model's lock."""
    return f"MODEL#{model_id}", "LOCK"


def symbol_lock_key(symbol: str) -> tuple[str, str]:
    """Partition and sort key of a symbol's lock."""
    return f"SYMBOL#{symbol}", "LOCK"


@dataclass
class Launch:
    """A launch as it is stored: its token, the chain's configuration, and its transactions by their purposes."""

    token: TokenItem
    configuration: ChainConfiguration | None
    transactions: dict[str, TransactionItem]

    @property
    def open(self) -> list[TransactionItem]:
        """Transactions of which it is not written down how they ended, in the order of their nonces."""
        return [item for item in self.transactions.values() if not item.settled]

    @property
    def unknown(self) -> list[TransactionItem]:
        """Those that are open, and those that reconcile found confirmed while the launch was over."""
        return [item for item in self.transactions.values() if not item.settled or self._is_news(item)]

    def _is_news(self, item: TransactionItem) -> bool:
        return item.status == "confirmed" and getattr(self.token, f"{PREFIXES[item.purpose]}_block") is None


def read_launch(deployment_id: str, chain_id: int) -> Launch:
    """Read a launch; raises NotFoundError when there is none."""
    token, configuration, *intents = read_items(
        (TokenItem, deployment_key(deployment_id)),
        (ChainConfiguration, ChainConfiguration.key(chain_id)),
        *((TransactionIntent, TransactionIntent.key(deployment_id, purpose)) for purpose in PURPOSES),
    )
    if token is None:
        raise NotFoundError("There is no such deployment")
    return Launch(token, configuration, {item.purpose: item for item in transactions_of([*filter(None, intents)])})


def find_token(deployment_id: str, *, consistent: bool = True) -> TokenItem | None:
    """Return a token by the id of its launch."""
    return read_item(TokenItem, deployment_key(deployment_id), consistent=consistent)


def launched_token(address: str, *, consistent: bool = False) -> LaunchedToken | None:
    """Return a launched token by its address."""
    return read_item(LaunchedToken, LaunchedToken.key(address), consistent=consistent)


def keep_steward(address: str, steward: str | None) -> None:
    """Write down who the chain says is a token's steward now."""
    attribute = LaunchedToken.steward
    action = attribute.remove() if steward is None else attribute.set(steward)
    update_if(LaunchedToken(*LaunchedToken.key(address)), LaunchedToken.pk.exists(), [action])


def model_lock(model_id: str) -> ModelLock | None:
    """Who holds a model's lock."""
    with upstream_errors():
        try:
            return ModelLock.get(*model_lock_key(model_id), consistent_read=True)
        except DoesNotExist:
            return None


def symbol_is_free(symbol: str) -> bool:
    """Whether no live token uses a symbol."""
    with upstream_errors():
        try:
            return not SymbolLock.get(*symbol_lock_key(symbol)).deployments
        except DoesNotExist:
            return True


def save_model(metadata: ModelMetadata) -> None:
    """Write a model into the catalogue, and into the lists of those who may launch it."""
    wallets = [None, metadata.owner, *metadata.contributors]
    with upstream_errors():
        with CatalogueEntry.batch_write() as batch:
            for partition in dict.fromkeys(list_key(wallet) for wallet in wallets):
                batch.save(CatalogueEntry(partition, metadata.model_id))
        CatalogueModel(
            *CatalogueModel.key(metadata.model_id),
            owner=metadata.owner,
            contributors=list(metadata.contributors),
            state=str(metadata.state),
            validated_at=metadata.validated_at,
            run_id=metadata.run_id,
            metrics=metadata.metrics,
            improvement=None if metadata.improvement is None else repr(metadata.improvement),
            updated_at=now_text(),
        ).save()


def find_model(model_id: str) -> ModelMetadata | None:
    """Return a model in the catalogue."""
    item = read_item(CatalogueModel, CatalogueModel.key(model_id))
    return _metadata(item) if item else None


def list_models(wallet: str | None, limit: int, cursor: str | None) -> tuple[list[ModelMetadata], str | None]:
    """Return a page of the models that a wallet owns or contributes to, or of all for None, by their ids.

    Raises:
        ValidationFailedError: The cursor was not given by this list.
    """
    partition = list_key(wallet)
    start = {"pk": {"S": partition}, "sk": {"S": decode_cursor(cursor, 1)[0]}} if cursor else None
    with upstream_errors():
        entries = list(CatalogueEntry.query(partition, limit=limit + 1, last_evaluated_key=start))
    ids = [str(entry.sk) for entry in entries[:limit]]
    items = read_together(CatalogueModel, [CatalogueModel.key(model_id) for model_id in ids]) if ids else []
    found = [_metadata(item) for item in items]
    following = encode_cursor([ids[-1]]) if len(entries) > limit else None
    return [model for model in found if wallet is None or model.is_shared_with(wallet)], following


def _metadata(item: CatalogueModel) -> ModelMetadata:
    return ModelMetadata(
        model_id=str(item.pk).partition("#")[2],
        owner=item.owner,
        contributors=tuple(item.contributors),
        state=ModelState(item.state),
        validated_at=item.validated_at,
        run_id=item.run_id,
        metrics=item.metrics or {},
        improvement=None if item.improvement is None else float(item.improvement),
    )


def tokens_of(model_ids: Sequence[str]) -> dict[str, TokenItem]:
    """Return the launches that hold the locks of models, by model; a model without one is left out."""
    locks = read_together(ModelLock, [model_lock_key(model_id) for model_id in model_ids]) if model_ids else []
    ids = [deployment_key(lock.deployment_id) for lock in locks]
    return {token.model_id: token for token in read_together(TokenItem, ids)} if ids else {}


def advance(
    token: TokenItem,
    allowed: set[Status],
    to: Status,
    message: str,
    *,
    values: Mapping[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    condition: Condition | None = None,
    write: Transaction | None = None,
) -> bool:
    """Move a launch on and report it, in one transaction.

    Args:
        token: Brought up to date, whether it moved or not.
        allowed: Statuses from which it may move.
        to: Where it goes; a final status takes it out of the open work, unless ``values`` say when to look again.
        message: The event's text.
        values: Further changes of attributes, by name; None removes one.
        data: The event's data.
        condition: A further condition.
        write: Writes that happen together with the move.

    Returns:
        False when a condition did not hold; nothing is written then.
    """
    try:
        move(write := write or Transaction(), token, allowed, to, message, values or {}, data, condition)
        write.commit()
    except ConditionsFailedError:
        with upstream_errors():
            token.refresh(consistent_read=True)
        return False
    for name, value in {"status": str(to), **(values or {})}.items():
        setattr(token, name, value)
    return True


def move(
    write: Transaction,
    token: TokenItem,
    allowed: set[Status],
    to: Status,
    message: str,
    values: Mapping[str, Any],
    data: dict[str, Any] | None = None,
    condition: Condition | None = None,
) -> None:
    """Add a launch's move and its event to a write as ``deployment`` and ``event``; see ``advance``."""
    changes: dict[str, Any] = {"open_shard": None, "open_until": None} if to in FINAL else {}
    changes |= {"status": str(to), "updated_at": now_text(), **values}
    if changes.get("open_until"):
        changes["open_shard"] = open_shard(KIND, token.deployment_id)
    attributes = [(getattr(TokenItem, name), value) for name, value in changes.items()]
    actions = [attribute.remove() if value is None else attribute.set(value) for attribute, value in attributes]
    from_there: Condition = TokenItem.status.is_in(*(str(status) for status in allowed))
    write.create("event", job_event(token.pk, str(to), message, data))
    write.update(
        "deployment",
        TokenItem(token.pk, token.sk),
        actions,
        condition=from_there if condition is None else from_there & condition,
    )


def hold_locks(write: Transaction, token: TokenItem) -> None:
    """Keep the model and the symbol for a launch that goes on, under the name ``lock``; fails if another one has it."""
    ours = ModelLock.deployment_id == token.deployment_id
    lock = ModelLock(*model_lock_key(token.model_id), deployment_id=token.deployment_id)
    write.create("lock", lock, or_if=ours)
    symbol = SymbolLock(*symbol_lock_key(token.token_symbol))
    write.update("symbol", symbol, [SymbolLock.deployments.add({token.deployment_id})])


def release_locks(write: Transaction, token: TokenItem) -> None:
    """Let the model and the symbol go: the launch has failed, and nothing of it is open."""
    write.delete(
        "lock",
        ModelLock(*model_lock_key(token.model_id)),
        ModelLock.pk.does_not_exist() | (ModelLock.deployment_id == token.deployment_id),
    )
    write.update(
        "symbol",
        SymbolLock(*symbol_lock_key(token.token_symbol)),
        [SymbolLock.deployments.delete({token.deployment_id})],
    )


def settle_failed(token: TokenItem, *, resume: bool, release: bool) -> None:
    """Write down of a launch that has failed whether it is taken up again, and whether its model is free."""
    open_until = TokenItem.open_until.set(now_text()) if resume else TokenItem.open_until.remove()
    shard = open_shard(KIND, token.deployment_id)
    in_open_work = TokenItem.open_shard.set(shard) if resume else TokenItem.open_shard.remove()
    write = Transaction()
    still_failed = TokenItem.status == str(Status.FAILED)
    write.update("deployment", TokenItem(token.pk, token.sk), [open_until, in_open_work], condition=still_failed)
    if release:
        release_locks(write, token)
    with suppress(ConditionsFailedError):
        write.commit()
