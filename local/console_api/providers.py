"""The simulated providers: where they are, what they have, and what they ask for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal

from local.console_api.sdl import AUDITOR, Group, Service

GIB = 2**30
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
# US dollars a month at a price factor of 1.
_CORE, _MEMORY_GIB, _STORAGE_GIB = Decimal("1.60"), Decimal("0.80"), Decimal("0.02")
_BLOCKS_A_MONTH = Decimal(30 * 24 * 3600) / 6
_HOURS_A_MONTH = Decimal(730)


def akash_address(seed: str) -> str:
    """Make an address in the form of the network's, always the same for a seed."""
    digest = hashlib.sha512(seed.encode()).digest()
    return "akash1" + "".join(_BECH32[byte % 32] for byte in digest[:38])


@dataclass(frozen=True)
class GpuModel:
    """GPUs of one kind at one provider; ``dollars`` an hour each."""

    vendor: str
    model: str
    ram: str
    interface: str
    count: int
    dollars: Decimal


@dataclass
class SimulatedProvider:
    """One provider. ``online`` can be changed by tests; ``factor`` is its price against the others'."""

    name: str
    region: str
    country: str
    country_code: str
    city: str
    factor: Decimal
    audited: bool = True
    online: bool = True
    tier: str = "community"
    cores: int = 128
    memory_gib: int = 512
    storage_gib: int = 4096
    uptime: tuple[float, float, float] = (1.0, 0.999, 0.998)
    gpus: tuple[GpuModel, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Its address on the chain."""
        return akash_address(self.name)

    @property
    def host(self) -> str:
        """Its public host name."""
        return f"provider.{self.name}.test"

    @property
    def host_uri(self) -> str:
        """Where its own API answers."""
        return f"https://{self.host}:8443"

    @property
    def all_attributes(self) -> dict[str, str]:
        """What it claims of itself."""
        gpus = {f"capabilities/gpu/vendor/{gpu.vendor}/model/{gpu.model}": "true" for gpu in self.gpus}
        common = {"host": "akash", "tier": self.tier, "region": self.region, "location-region": self.region}
        return common | {"organization": self.name} | gpus | self.attributes

    def can_take(self, group: Group) -> bool:
        """Return whether it has what a group wants."""
        attributes = self.all_attributes
        if not {AUDITOR}.issuperset(group.all_of):
            return False
        return all(attributes.get(key) == value for key, value in group.attributes) and all(
            self._has_gpu(service)
            and service.resources.cpu * service.count <= self.cores * 1000
            and service.resources.memory * service.count <= self.memory_gib * GIB
            for service in group.services
        )

    def _has_gpu(self, service: Service) -> bool:
        wanted = service.resources
        return not wanted.gpu or self._gpu_price(service) is not None

    def _gpu_price(self, service: Service) -> Decimal | None:
        wanted = service.resources
        prices = [
            gpu.dollars
            for gpu in self.gpus
            if gpu.vendor == wanted.gpu_vendor
            and gpu.count >= wanted.gpu * service.count
            and (not wanted.gpu_models or any(_fits(gpu, model, ram) for model, ram in wanted.gpu_models))
        ]
        return min(prices, default=None)

    def price(self, group: Group) -> Decimal:
        """Return what it asks for a block of a group, in uact."""
        dollars = sum((self._monthly(service) * service.count for service in group.services), Decimal(0))
        return (dollars / _BLOCKS_A_MONTH * 1_000_000).quantize(Decimal("0.000001"))

    def _monthly(self, service: Service) -> Decimal:
        wanted = service.resources
        gpus = (self._gpu_price(service) or Decimal(0)) * wanted.gpu * _HOURS_A_MONTH
        return monthly_dollars(wanted.cpu, wanted.memory, wanted.storage) * self.factor + gpus


def monthly_dollars(cpu: int, memory: int, storage: int) -> Decimal:
    """Return the usual price of thousandths of a core and bytes, in US dollars a month."""
    return (_CORE * cpu / 1000 + _MEMORY_GIB * Decimal(memory) / GIB + _STORAGE_GIB * Decimal(storage) / GIB).quantize(
        Decimal("0.01")
    )


def _fits(gpu: GpuModel, model: str, ram: str) -> bool:
    return model in ("*", gpu.model) and ram in ("", gpu.ram)


def simulated_providers() -> dict[str, SimulatedProvider]:
    """Return fresh providers by address: five that are audited and online, an unaudited one, and one that is
    offline."""
    a100 = GpuModel("nvidia", "a100", "80Gi", "SXM4", 8, Decimal("1.35"))
    h100 = GpuModel("nvidia", "h100", "80Gi", "SXM5", 8, Decimal("2.10"))
    rtx4090 = GpuModel("nvidia", "rtx4090", "24Gi", "PCIe", 6, Decimal("0.44"))
    t4 = GpuModel("nvidia", "t4", "16Gi", "PCIe", 4, Decimal("0.15"))
    providers = [
        SimulatedProvider("rheintal", "eu-central", "Germany", "DE", "Frankfurt", Decimal("0.90")),
        SimulatedProvider("polder", "eu-west", "Netherlands", "NL", "Amsterdam", Decimal("1.00"), gpus=(rtx4090, t4)),
        SimulatedProvider(
            "prairie", "us-central", "United States", "US", "Omaha", Decimal("1.10"), gpus=(a100, h100), cores=512
        ),
        SimulatedProvider(
            "cascade", "us-west", "United States", "US", "Portland", Decimal("1.25"),
            gpus=(a100,), uptime=(1.0, 0.97, 0.95),
        ),
        SimulatedProvider("merlion", "ap-southeast", "Singapore", "SG", "Singapore", Decimal("1.40"), gpus=(rtx4090,)),
        SimulatedProvider("garage", "us-east", "United States", "US", "Newark", Decimal("0.50"), audited=False),
        SimulatedProvider(
            "fjord", "eu-north", "Norway", "NO", "Oslo", Decimal("0.60"), online=False, uptime=(0.0, 0.61, 0.82),
        ),
    ]  # fmt: skip
    return {provider.address: provider for provider in providers}
