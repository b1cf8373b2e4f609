"""What Slipway knows of a chain and of the transactions it signed.

Keys in the control table:

- ``CHAIN#<chain id>`` / ``CONFIGURATION``: contract addresses and the fee cap, changed without a deployment;
- ``SIGNER#<chain id>#<address>`` / ``NONCE``: the next nonce of a deployer account;
- ``SIGNER#<chain id>#<address>`` / ``LINE``: how many tickets were given to those who want that nonce;
- ``SIGNER#<chain id>#<address>`` / ``TRANSACTION#<nonce, 20 digits>``: the transaction that holds the nonce;
- ``INTENT#<job id>`` / ``<purpose>``: which nonce a job's transaction took, so that it takes only one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from slipway.chain.models import Call, Fees
from slipway.chains import Chain
from slipway.errors import UpstreamUnavailableError
from slipway.store import ControlItem, condition_held, read_items, upstream_errors
from slipway.times import from_text, now, now_text

# A node's wish for a higher tip is kept for so long.
_MIN_TIP_FOR = timedelta(days=1)

# A transaction's ends: mined and successful, mined and reverted, replaced by one that only uses up its nonce, or never
# to be mined, because its nonce was used elsewhere.
SETTLED = ("confirmed", "reverted", "cancelled", "void")


class ChainConfiguration(ControlItem):
    """Addresses of Slipway's contracts on a chain. ``max_fee_per_gas`` (wei) overrides the template's cap.

    ``least_tip`` (wei) is what a node wanted at ``least_tip_at``, when it refused less.
    """

    model_registry = UnicodeAttribute(null=True)
    token_manager = UnicodeAttribute(null=True)
    escrow = UnicodeAttribute(null=True)
    registrars: ListAttribute[str] = ListAttribute(default=list)
    max_fee_per_gas = NumberAttribute(null=True)
    least_tip = NumberAttribute(null=True)
    least_tip_at = UnicodeAttribute(null=True)

    @staticmethod
    def key(chain_id: int) -> tuple[str, str]:
        """Partition and sort key."""
        return f"CHAIN#{chain_id}", "CONFIGURATION"

    @property
    def wanted_tip(self) -> int:
        """The least tip that a node wanted within the last day, 0 if none did."""
        if self.least_tip is None or now() - from_text(self.least_tip_at or "") > _MIN_TIP_FOR:
            return 0
        return int(self.least_tip)


class SignerNonce(ControlItem):
    """The next nonce that a deployer account will use on a chain, and the ticket that took the one before it.

    Every transaction before ``settled_nonce`` has settled: reconcile need not look at it again.
    """

    next_nonce = NumberAttribute()
    served_ticket = NumberAttribute(default=0)
    settled_nonce = NumberAttribute(default=0)

    @staticmethod
    def key(chain_id: int, address: str) -> tuple[str, str]:
        """Partition and sort key."""
        return f"SIGNER#{chain_id}#{address}", "NONCE"


class TicketCounter(ControlItem):
    """Numbers the jobs that wait for an account's nonces, so that they take them one after the other.

    Apart from the nonce's item: a ticket must not be in the way of the transaction that takes the nonce.
    """

    last_ticket = NumberAttribute()

    @staticmethod
    def key(chain_id: int, address: str) -> tuple[str, str]:
        """Partition and sort key."""
        return f"SIGNER#{chain_id}#{address}", "LINE"


class TransactionItem(ControlItem):
    """A signed transaction, written before it is broadcast.

    ``raw``, ``transaction_hash`` and ``call`` are those of the newest signature. ``hashes`` holds every signature's
    hash, oldest first, because any of them may be the one that is mined; ``cancel_hashes`` those that only use up the
    nonce. ``status`` goes from ``signed`` to ``broadcast`` to one of ``SETTLED``. ``underpriced`` is the hash of the
    signature that nodes refused for its fees, ``least_tip`` what they wanted, and ``refusal`` why none takes the bytes,
    in a node's words. ``budget`` is what was reserved of the chain's daily budget.
    """

    chain_id = NumberAttribute()
    signer = UnicodeAttribute()
    nonce = NumberAttribute()
    job_id = UnicodeAttribute()
    purpose = UnicodeAttribute()
    raw = UnicodeAttribute()
    transaction_hash = UnicodeAttribute()
    hashes: ListAttribute[str] = ListAttribute()
    cancel_hashes: ListAttribute[str] = ListAttribute(default=list)
    call = JSONAttribute()
    max_fee_per_gas = UnicodeAttribute()
    max_priority_fee_per_gas = UnicodeAttribute()
    status = UnicodeAttribute()
    signed_at = UnicodeAttribute()
    broadcast_at = UnicodeAttribute(null=True)
    underpriced = UnicodeAttribute(null=True)
    least_tip = NumberAttribute(null=True)
    refusal = UnicodeAttribute(null=True)
    contract_address = UnicodeAttribute(null=True)
    budget = JSONAttribute(null=True)

    @staticmethod
    def key(chain_id: int, address: str, nonce: int) -> tuple[str, str]:
        """Partition and sort key."""
        return f"SIGNER#{chain_id}#{address}", f"TRANSACTION#{nonce:020d}"

    @property
    def settled(self) -> bool:
        """Whether it is written down how the transaction ended."""
        return self.status in SETTLED

    @property
    def wanted_tip(self) -> int:
        """The tip in wei that nodes wanted when they refused the newest signature, 0 if they did not."""
        return int(self.least_tip or 0) if self.underpriced == self.transaction_hash else 0

    @property
    def because(self) -> str:
        """Why no node takes it, to be put behind what follows from that."""
        return f": {self.refusal}" if self.refusal else ""

    @property
    def fees(self) -> Fees:
        """The newest signature's fees."""
        # A legacy transaction is a list, any other a type and a list (EIP-2718).
        is_legacy = self.raw[2:4].lower() >= "c0"
        return Fees(int(self.max_fee_per_gas), int(self.max_priority_fee_per_gas), is_legacy)


class TransactionIntent(ControlItem):
    """Points from a job's purpose to the transaction that serves it; to a newer one only if that can't any more."""

    chain_id = NumberAttribute()
    signer = UnicodeAttribute()
    nonce = NumberAttribute()

    @staticmethod
    def key(job_id: str, purpose: str) -> tuple[str, str]:
        """Partition and sort key."""
        return f"INTENT#{job_id}", purpose

    @classmethod
    def to(cls, item: TransactionItem) -> "TransactionIntent":
        """Return the intent that points to a transaction."""
        key = cls.key(item.job_id, item.purpose)
        return cls(*key, chain_id=item.chain_id, signer=item.signer, nonce=item.nonce)

    @classmethod
    def points_to(cls, item: TransactionItem) -> Condition:
        """Return the condition that the intent points to a transaction."""
        same_account: Condition = (cls.chain_id == int(item.chain_id)) & (cls.signer == item.signer)
        same_nonce: Condition = same_account & (cls.nonce == int(item.nonce))
        return same_nonce


def call_to_json(call: Call) -> dict[str, Any]:
    """Return the inverse of ``call_from_json``."""
    return {"to": call.to, "data": call.data.hex(), "gas_limit": call.gas_limit, "value": str(call.value)}


def call_from_json(entry: dict[str, Any]) -> Call:
    """Return a call as ``TransactionItem.call`` holds it."""
    return Call(
        to=entry["to"], data=bytes.fromhex(entry["data"]), gas_limit=entry["gas_limit"], value=int(entry["value"])
    )


def chain_configuration(chain_id: int) -> ChainConfiguration:
    """Return the configuration of a chain, empty when nobody has written one."""
    pk, sk = ChainConfiguration.key(chain_id)
    with upstream_errors():
        try:
            return ChainConfiguration.get(pk, sk)
        except DoesNotExist:
            return ChainConfiguration(pk, sk)


def with_contracts(configuration: ChainConfiguration | None, chain: Chain) -> ChainConfiguration:
    """Return the configuration as it was read, if it names Slipway's contracts.

    Raises:
        UpstreamUnavailableError: They are not installed.
    """
    if configuration is None or not configuration.model_registry or not configuration.token_manager:
        raise UpstreamUnavailableError(f"Slipway's contracts are not installed on {chain.name}")
    return configuration


def fee_cap(chain: Chain, configuration: ChainConfiguration) -> int:
    """Most wei per unit of gas: the stored configuration's word, or else the template's."""
    stored = configuration.max_fee_per_gas
    return chain.max_fee_per_gas if stored is None else int(stored)


def save_contracts(chain_id: int, model_registry: str, token_manager: str, registrars: list[str]) -> None:
    """Tell Slipway where its contracts are; leaves the fee cap as it is.

    Args:
        chain_id: The chain.
        model_registry: Address of ModelRegistry.
        token_manager: Address of TokenManager, the controller of new tokens.
        registrars: Deployer accounts that may register tokens.
    """
    with upstream_errors():
        ChainConfiguration(*ChainConfiguration.key(chain_id)).update(
            actions=[
                ChainConfiguration.model_registry.set(model_registry),
                ChainConfiguration.token_manager.set(token_manager),
                ChainConfiguration.registrars.set(registrars),
            ]
        )


def save_escrow(chain_id: int, escrow: str) -> None:
    """Tell Slipway where its escrow is; leaves everything else as it is."""
    with upstream_errors():
        ChainConfiguration(*ChainConfiguration.key(chain_id)).update(actions=[ChainConfiguration.escrow.set(escrow)])


def save_fee_cap(chain_id: int, max_fee_per_gas: int | None) -> None:
    """Set the most wei per unit of gas that may be offered; None goes back to the template's cap."""
    attribute = ChainConfiguration.max_fee_per_gas
    action = attribute.remove() if max_fee_per_gas is None else attribute.set(max_fee_per_gas)
    with upstream_errors():
        ChainConfiguration(*ChainConfiguration.key(chain_id)).update(actions=[action])


def remember_least_tip(chain_id: int, least_tip: int) -> None:
    """Note what tip in wei a node wants at least, for the next signatures; 0 says nothing."""
    if not least_tip:
        return
    with upstream_errors():
        ChainConfiguration(*ChainConfiguration.key(chain_id)).update(
            actions=[
                ChainConfiguration.least_tip.set(least_tip),
                ChainConfiguration.least_tip_at.set(now_text()),
            ]
        )


def transaction_at(chain_id: int, address: str, nonce: int) -> TransactionItem | None:
    """Return the transaction that holds a nonce, if we signed one."""
    with upstream_errors():
        try:
            return TransactionItem.get(*TransactionItem.key(chain_id, address, nonce), consistent_read=True)
        except DoesNotExist:
            return None


def signer_nonce(chain_id: int, address: str) -> SignerNonce | None:
    """Return the next nonce we would use and whom it was given to last, or None for an account that was never used."""
    with upstream_errors():
        try:
            return SignerNonce.get(*SignerNonce.key(chain_id, address), consistent_read=True)
        except DoesNotExist:
            return None


def stored_nonce(chain_id: int, address: str) -> int | None:
    """Return the next nonce we would use, or None for an account that was never used."""
    found = signer_nonce(chain_id, address)
    return int(found.next_nonce) if found else None


def create_nonce(chain_id: int, address: str, next_nonce: int) -> SignerNonce:
    """Begin to keep an account's nonce, unless somebody else just has."""
    first = SignerNonce(*SignerNonce.key(chain_id, address), next_nonce=next_nonce)
    if condition_held(lambda: first.save(condition=SignerNonce.pk.does_not_exist())):
        return first
    return signer_nonce(chain_id, address) or first


def take_tickets(chain_id: int, address: str, count: int) -> int:
    """Take a ticket for each of an account's next ``count`` nonces; return the last one's number."""
    counter = TicketCounter(*TicketCounter.key(chain_id, address))
    with upstream_errors():
        counter.update(actions=[TicketCounter.last_ticket.add(count)])
    return int(counter.last_ticket)


def use_nonces_up_to(chain_id: int, address: str, stored: int, next_nonce: int) -> None:
    """Move the next nonce forward over nonces that were used elsewhere, unless it moved since ``stored`` was read."""
    condition_held(
        lambda: SignerNonce(*SignerNonce.key(chain_id, address)).update(
            actions=[SignerNonce.next_nonce.set(next_nonce)], condition=SignerNonce.next_nonce == stored
        )
    )


def settle_nonces_up_to(chain_id: int, address: str, nonce: int) -> None:
    """Remember that every transaction of an account before ``nonce`` has settled."""
    settled = SignerNonce.settled_nonce
    condition_held(
        lambda: SignerNonce(*SignerNonce.key(chain_id, address)).update(
            actions=[settled.set(nonce)], condition=settled.does_not_exist() | (settled < nonce)
        )
    )


def pass_turn(chain_id: int, address: str, before: int, ticket: int) -> None:
    """Let the next in the queue go first, if the ticket ``before`` was served and it is this one's turn."""
    nonce, turn = SignerNonce(*SignerNonce.key(chain_id, address)), SignerNonce.served_ticket == before
    condition_held(lambda: nonce.update([SignerNonce.served_ticket.set(ticket)], condition=turn))


def transaction_for(job_id: str, purpose: str) -> TransactionItem | None:
    """Return the transaction that serves a job's purpose, if one was signed."""
    with upstream_errors():
        try:
            intent = TransactionIntent.get(*TransactionIntent.key(job_id, purpose), consistent_read=True)
        except DoesNotExist:
            return None
    return transaction_of(intent)


def transactions_serving(job_id: str, purposes: Sequence[str]) -> list[TransactionItem]:
    """Return the transactions that serve a job's purposes, of those that were signed, in two requests at most."""
    intents = read_items(*((TransactionIntent, TransactionIntent.key(job_id, purpose)) for purpose in purposes))
    return transactions_of([*filter(None, intents)])


def transaction_of(intent: TransactionIntent) -> TransactionItem | None:
    """Return the transaction that an intent points to."""
    return transaction_at(int(intent.chain_id), intent.signer, int(intent.nonce))


def transactions_of(intents: Sequence[TransactionIntent]) -> list[TransactionItem]:
    """Return the transactions that intents point to, in their order, in one request."""
    keys = [TransactionItem.key(int(intent.chain_id), intent.signer, int(intent.nonce)) for intent in intents]
    return [item for item in read_items(*((TransactionItem, key) for key in keys)) if item] if keys else []
