"""What the Akash Console API answers, as far as Slipway reads it.

Source: the API's published OpenAPI document, and what providers really send behind it. Keys may be absent, null, or
more than the document names, so ``parse`` drops every null first, whatever may be missing has a default, and unknown
keys are ignored. What would be read as a fact when it is missing, such as that there is no lease, has none: an answer
without it is no answer. Amounts are decimals, in the chain's smallest unit (uact, a millionth of a US dollar) or, where
said, in US dollars.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

ZERO = Decimal(0)
# The word for a state, however it is spelled.
State = Annotated[str, BeforeValidator(lambda word: word.strip().lower() if isinstance(word, str) else word)]


def without_nulls(value: Any) -> Any:
    """Remove the null members of a JSON value's objects and lists, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(member) for member in value if member is not None]
    return value


def parse[Shape: BaseModel](shape: type[Shape], value: Any) -> Shape:
    """Read an answer into a model; raises pydantic's ValidationError when something required is missing."""
    return shape.model_validate(without_nulls(value))


def parse_each[Shape: BaseModel](shape: type[Shape], values: Iterable[Any]) -> list[Shape]:
    """Return the entries of a list that can be read; one that can't must not hide the others."""
    found = []
    for value in values:
        try:
            found.append(parse(shape, value))
        except ValidationError:
            continue
    return found


class _Answer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, coerce_numbers_to_str=True, defer_build=True
    )


class Coin(_Answer):
    """An amount of a denomination."""

    denom: str = ""
    amount: Decimal = ZERO


# ── Deployments ─────────────────────────────────────────────────────────────────────────────────


class SignedTransaction(_Answer):
    """The transaction behind a create; ``code`` is 0 when the chain accepted it."""

    code: int = 0
    raw_log: str = Field("", alias="rawLog")


class CreatedDeployment(_Answer):
    """A new deployment. ``manifest`` is what the lease call wants back, byte for byte."""

    dseq: str = Field(pattern="^[0-9]+$")
    manifest: str = ""
    transaction: SignedTransaction = Field(SignedTransaction(), alias="signTx")


class DeploymentId(_Answer):
    """``dseq`` is the server's clock at creation, in milliseconds since 1970."""

    owner: str = ""
    dseq: str = Field(pattern="^[0-9]+$")


class DeploymentRecord(_Answer):
    """``state`` is ``active`` or ``closed``; ``hash`` is base64 of the manifest's SHA-256 (``rules.manifest_hash``)."""

    id: DeploymentId
    state: State = ""
    hash: str = ""
    created_at: str = ""


class LeaseId(_Answer):
    """Names an order and the provider that won it."""

    owner: str = ""
    dseq: str = Field(pattern="^[0-9]+$")
    gseq: int = 1
    oseq: int = 1
    provider: str


class ServiceStatus(_Answer):
    """Replicas of one service. ``uris`` are host names that reach its port 80."""

    name: str = ""
    available: int = 0
    total: int = 0
    uris: list[str] = []
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0


class ForwardedPort(_Answer):
    """``port`` is the container's, ``external_port`` the one the provider opened; ``host`` may be empty."""

    port: int
    external_port: int = Field(alias="externalPort")
    host: str = ""
    proto: str = "TCP"
    name: str = ""


class LeasedIp(_Answer):
    """A port at an IP address of its own."""

    ip: str = Field("", alias="IP")
    port: int = Field(0, alias="Port")
    external_port: int = Field(0, alias="ExternalPort")
    protocol: str = Field("TCP", alias="Protocol")


class LeaseStatus(_Answer):
    """What the provider reports of a lease, by service name; an empty table where it reports nothing."""

    services: dict[str, ServiceStatus] = {}
    forwarded_ports: dict[str, list[ForwardedPort]] = {}
    ips: dict[str, list[LeasedIp]] = {}


class Lease(_Answer):
    """``state`` is ``active``, ``insufficient_funds`` or ``closed``; ``status`` is None if the provider has none."""

    id: LeaseId
    state: State = ""
    price: Coin = Coin()
    created_at: str = ""
    reason: str = ""
    status: LeaseStatus | None = None


class EscrowDeposit(_Answer):
    """One payment into an escrow account."""

    owner: str = ""
    balance: Coin = Coin()


class EscrowState(_Answer):
    """``transferred`` went to providers, ``funds`` is what is left as of block ``settled_at``."""

    owner: str = ""
    state: str = ""
    transferred: list[Coin] = []
    settled_at: str = ""
    funds: list[Coin] = []
    deposits: list[EscrowDeposit] = []


class EscrowAccount(_Answer):
    """The account that pays for a deployment."""

    state: EscrowState = EscrowState()


class Deployment(_Answer):
    """A deployment with its leases; only the detail call has their ``status``."""

    deployment: DeploymentRecord
    leases: list[Lease]
    escrow_account: EscrowAccount = EscrowAccount()

    @property
    def dseq(self) -> str:
        """Its number."""
        return self.deployment.id.dseq

    @property
    def is_closed(self) -> bool:
        """Whether it is proved closed."""
        return self.deployment.state == "closed"

    @property
    def shows_cost(self) -> bool:
        """Whether it says what providers were paid, if only that it is nothing."""
        return "transferred" in self.escrow_account.state.model_fields_set

    @property
    def open_leases(self) -> list[Lease]:
        """Leases that are not closed."""
        return [lease for lease in self.leases if lease.state != "closed"]


class Pagination(_Answer):
    """Where a page lies. ``limit`` is what upstream made of the one that was asked for."""

    has_more: bool | None = Field(None, alias="hasMore")
    total: int | None = None
    limit: int | None = Field(None, gt=0)


class DeploymentPage(_Answer):
    """Some of the active deployments."""

    deployments: list[Deployment]
    pagination: Pagination = Pagination()


# ── Bids ────────────────────────────────────────────────────────────────────────────────────────


class Bid(_Answer):
    """``state`` is ``open``, ``active`` (leased), ``lost`` or ``closed``; ``price`` is per block."""

    id: LeaseId
    state: State = ""
    price: Coin = Coin()
    created_at: str = ""
    resources_offer: list[dict[str, Any]] = []


class BidEntry(_Answer):
    """One entry of the list of bids."""

    bid: Bid


# ── Providers and prices ────────────────────────────────────────────────────────────────────────


class Gpu(_Answer):
    """A GPU model as providers name it, such as nvidia, a100, 80Gi, PCIe."""

    vendor: str = ""
    model: str = ""
    ram: str = ""
    interface: str = ""


class Capacity(_Answer):
    """How much of a resource there is: CPU in thousandths of a core, GPUs, or bytes."""

    active: float = 0
    available: float = 0
    pending: float = 0
    total: float = 0


class StorageCapacity(_Answer):
    """Bytes by kind of storage."""

    ephemeral: Capacity = Capacity()
    persistent: Capacity = Capacity()
    total: Capacity = Capacity()


class ProviderStats(_Answer):
    """A provider's capacity."""

    cpu: Capacity = Capacity()
    gpu: Capacity = Capacity()
    memory: Capacity = Capacity()
    storage: StorageCapacity = StorageCapacity()


class ProviderAttribute(_Answer):
    """A claim of the provider's."""

    key: str = ""
    value: str = ""


class Provider(_Answer):
    """A provider. Uptimes are shares from 0 to 1, None where unknown."""

    owner: str
    name: str = ""
    host_uri: str = Field("", alias="hostUri")
    is_online: bool = Field(False, alias="isOnline")
    is_audited: bool = Field(False, alias="isAudited")
    uptime_1d: float | None = Field(None, alias="uptime1d")
    uptime_7d: float | None = Field(None, alias="uptime7d")
    uptime_30d: float | None = Field(None, alias="uptime30d")
    ip_region: str = Field("", alias="ipRegion")
    ip_region_code: str = Field("", alias="ipRegionCode")
    ip_country: str = Field("", alias="ipCountry")
    ip_country_code: str = Field("", alias="ipCountryCode")
    location_region: str = Field("", alias="locationRegion")
    country: str = ""
    city: str = ""
    organization: str = ""
    gpu_models: list[Gpu] = Field([], alias="gpuModels")
    hardware_gpu_vendor: str = Field("", alias="hardwareGpuVendor")
    hardware_gpu_models: list[str] = Field([], alias="hardwareGpuModels")
    stats: ProviderStats = ProviderStats()
    attributes: list[ProviderAttribute] = []

    @property
    def is_offline(self) -> bool:
        """Whether upstream says so; one that bids and of which it says nothing may be there."""
        return not self.is_online and "is_online" in self.model_fields_set


class GpuPrice(_Answer):
    """US dollars an hour for one GPU."""

    min: Decimal = ZERO
    max: Decimal = ZERO
    avg: Decimal = ZERO
    weighted_average: Decimal = Field(ZERO, alias="weightedAverage")
    med: Decimal = ZERO


class PricedGpu(Gpu):
    """A GPU model with its prices, None where it is not on offer."""

    price: GpuPrice | None = None


class GpuPrices(_Answer):
    """All GPU models on the network."""

    models: list[PricedGpu] = []


class PriceEstimate(_Answer):
    """US dollars a month for an amount of CPU, memory and storage."""

    akash: Decimal


class Balances(_Answer):
    """US dollars: free, in deployments' escrow, and both."""

    balance: Decimal
    deployments: Decimal = ZERO
    total: Decimal = ZERO


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────


def _words(said: Any) -> Any:
    """Return what is said in a text, in a list of texts, or one level deeper."""
    if isinstance(said, list):
        return "; ".join(map(str, said))
    return _words(said.get("message", "")) if isinstance(said, dict) else said


class ErrorBody(_Answer):
    """The body of every refusal; ``code`` is general (``bad_request``) or particular (``wallet_provisioning``)."""

    error: Annotated[str, BeforeValidator(_words)] = ""
    message: Annotated[str, BeforeValidator(_words)] = Field("", validation_alias=AliasChoices("message", "error"))
    code: str = ""
