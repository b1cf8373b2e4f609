"""An SDL as the network understands it: groups of services with their resources, and the manifest.

Akash's own package judges it and makes the manifest (``chain_sdk``). What the chain and providers refuse beyond that is
checked here: what costs nothing, runs nowhere or is reached by nobody.

Source: https://akash.network/docs/developers/deployment/akash-sdl/ and the manifest that providers take.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from local.console_api.chain_sdk import chain_sdk

GRANT_DENOMINATION = "uact"
AUDITOR = "akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"
# An environment variable of any service: what tests want of this very deployment (``controls.Scenario`` as JSON).
MARKER = "SIMULATOR"
_PREFIXES = "kmgtpe"
_SIZE = re.compile(r"([\d.]+)([a-z])([a-z]*)")


class InvalidSdlError(ValueError):
    """The SDL can't be deployed."""


@dataclass(frozen=True)
class Expose:
    """One port of a service for one receiver."""

    port: int
    external_port: int
    proto: str
    is_global: bool
    service: str
    hosts: tuple[str, ...]

    @property
    def is_ingress(self) -> bool:
        """Whether it is reached by host name on port 80; otherwise by a port of the provider's own."""
        return self.is_global and self.proto == "TCP" and (self.external_port or self.port) == 80

    @property
    def is_forwarded(self) -> bool:
        """Whether the provider opens a port of its own for it."""
        return self.is_global and not self.is_ingress


@dataclass(frozen=True)
class Resources:
    """What one replica takes: thousandths of a core, bytes, GPUs."""

    cpu: int
    memory: int
    storage: int
    gpu: int
    gpu_vendor: str
    gpu_models: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Service:
    """One service in one placement."""

    name: str
    image: str
    count: int
    env: tuple[str, ...]
    exposes: tuple[Expose, ...]
    resources: Resources
    max_price: Decimal


@dataclass(frozen=True)
class Group:
    """The services of one placement, which one provider takes together."""

    name: str
    services: tuple[Service, ...]
    attributes: tuple[tuple[str, str], ...]
    all_of: tuple[str, ...]


@dataclass(frozen=True)
class Workload:
    """A whole SDL. ``marker`` is what the variable SIMULATOR says, None where there is none."""

    groups: tuple[Group, ...]
    manifest: str
    marker: Any

    @property
    def hash(self) -> str:
        """Base64 of the manifest's SHA-256."""
        return base64.b64encode(hashlib.sha256(self.manifest.encode()).digest()).decode()


def parse_sdl(text: str) -> Workload:
    """Read an SDL.

    Raises:
        InvalidSdlError: Says what is wrong and where.
    """
    validation = chain_sdk().validate(text)
    if validation.refusals:
        raise InvalidSdlError("; ".join(validation.refusals)[:2000])
    try:
        return _workload(validation.document, validation.manifest)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        if isinstance(error, InvalidSdlError):
            raise
        raise InvalidSdlError(f"something in it is not of its kind ({error})") from error


def _workload(document: dict[str, Any], manifest: str) -> Workload:
    services = _table(document.get("services"), "services")
    profiles = _table(document.get("profiles"), "profiles")
    placements = _table(profiles.get("placement"), "profiles.placement")
    deployment = _table(document.get("deployment"), "deployment")
    if missing := sorted(set(services) - set(deployment)):
        raise InvalidSdlError(f'Service "{missing[0]}" is not defined in the "deployment" section.')
    chosen: dict[str, list[Service]] = {}
    for name, where in deployment.items():
        for placement, entry in _table(where, f"deployment.{name}").items():
            if placement not in placements:
                raise InvalidSdlError(f'The placement "{placement}" is not defined in the "placement" section.')
            chosen.setdefault(placement, []).append(_service(name, services, profiles, placement, entry))
    groups = tuple(
        _group(name, tuple(sorted(members, key=lambda service: service.name)), placements[name])
        for name, members in sorted(chosen.items())
    )
    if not any(expose.is_global for group in groups for service in group.services for expose in service.exposes):
        raise InvalidSdlError("at least one service must be exposed globally")
    return Workload(groups, manifest, _marker(groups))


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise InvalidSdlError(f"{where} must be a table with at least one entry")
    return value


def _service(name: str, services: dict[str, Any], profiles: dict[str, Any], placement: str, entry: Any) -> Service:
    where = f"services.{name}"
    given = _table(services.get(name), where)
    image = given.get("image")
    if not isinstance(image, str) or not image:
        raise InvalidSdlError(f"{where}.image is required")
    entry = _table(entry, f"deployment.{name}.{placement}")
    compute = _table(profiles.get("compute"), "profiles.compute")
    profile = entry.get("profile")
    if profile not in compute:
        raise InvalidSdlError(f'The compute profile "{profile}" is not defined in the "compute" section.')
    pricing = _table(profiles["placement"][placement], "placement").get("pricing")
    price = _table(_table(pricing, f"placement.{placement}.pricing").get(profile), f"pricing.{profile}")
    count = entry.get("count")
    if not isinstance(count, int) or not 0 < count <= 100:
        raise InvalidSdlError(f"deployment.{name}.{placement}.count must be a number from 1 to 100")
    return Service(
        name=name,
        image=image,
        count=count,
        env=tuple(str(line) for line in given.get("env") or ()),
        exposes=tuple(expose for entry in given.get("expose") or () for expose in _exposes(entry, where)),
        resources=_resources(_table(compute[profile], f"compute.{profile}").get("resources"), f"compute.{profile}"),
        max_price=_price(price.get("amount"), f"pricing.{profile}"),
    )


def _exposes(given: Any, where: str) -> list[Expose]:
    given = _table(given, f"{where}.expose")
    port, shown = given.get("port"), given.get("as") or 0
    if not isinstance(port, int) or not 0 < port < 65536 or not isinstance(shown, int):
        raise InvalidSdlError(f"{where}.expose.port must be a port")
    return [
        Expose(
            port=port,
            external_port=shown,
            proto=str(given.get("proto") or "TCP").upper(),
            is_global=bool(to.get("global")),
            service=str(to.get("service") or ""),
            hosts=tuple(given.get("accept") or ()),
        )
        for to in given.get("to") or ()
    ]


def _resources(given: Any, where: str) -> Resources:
    given = _table(given, f"{where}.resources")
    storage = given.get("storage")
    volumes = storage if isinstance(storage, list) else [storage]
    gpu = given.get("gpu") or {}
    units = int(gpu.get("units") or 0)
    vendors = (gpu.get("attributes") or {}).get("vendor") or {}
    if units and not vendors:
        raise InvalidSdlError("GPU must specify a vendor if units is not 0")
    vendor = next(iter(vendors), "")
    return Resources(
        cpu=_cpu((given.get("cpu") or {}).get("units"), where),
        memory=_size((given.get("memory") or {}).get("size"), f"{where}.memory"),
        storage=sum(_size((volume or {}).get("size"), f"{where}.storage") for volume in volumes),
        gpu=units,
        gpu_vendor=str(vendor),
        gpu_models=tuple(
            (str(model.get("model", "*")), str(model.get("ram", ""))) for model in vendors.get(vendor) or ()
        ),
    )


def _cpu(units: Any, where: str) -> int:
    try:
        thousandths = int(str(units)[:-1]) if str(units).endswith("m") else int(float(str(units)) * 1000)
    except ValueError as error:
        raise InvalidSdlError(f"{where}.cpu.units is not a number of cores") from error
    if thousandths <= 0:
        raise InvalidSdlError(f"{where}.cpu.units must be more than 0")
    return thousandths


def _size(text: Any, where: str) -> int:
    """Read a size as upstream does: an unknown prefix is none, and only ``i`` alone means 1024."""
    found = _SIZE.fullmatch(str(text).lower())
    if not found:
        raise InvalidSdlError(f"{where}.size is not a size")
    power = _PREFIXES.find(found[2]) + 1
    size: int = math.ceil(Decimal(found[1]) * (1024 if found[3] == "i" else 1000) ** power)
    if size <= 0:
        raise InvalidSdlError(f"{where}.size must be more than 0")
    return size


def _price(amount: Any, where: str) -> Decimal:
    try:
        price = Decimal(str(amount))
    except InvalidOperation as error:
        raise InvalidSdlError(f"{where}.amount is not a number") from error
    if not price.is_finite() or price <= 0:
        raise InvalidSdlError(f"{where}.amount must be more than 0")
    return price


def _group(name: str, services: tuple[Service, ...], placement: Any) -> Group:
    signed_by = placement.get("signedBy") or {}
    return Group(
        name=name,
        services=services,
        attributes=tuple((str(key), _text(value)) for key, value in (placement.get("attributes") or {}).items()),
        all_of=tuple(signed_by.get("allOf") or ()),
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def resource_unit(number: int, service: Service) -> dict[str, Any]:
    """Return a replica's resources as the chain writes them."""
    resources = service.resources
    gpu = [
        {"key": f"vendor/{resources.gpu_vendor}/model/{model}" + (f"/ram/{ram}" if ram else ""), "value": "true"}
        for model, ram in resources.gpu_models
    ]
    kinds = ["SHARED_HTTP" if expose.is_ingress else "RANDOM_PORT" for expose in service.exposes if expose.is_global]
    return {
        "id": number,
        "cpu": {"units": {"val": str(resources.cpu)}, "attributes": []},
        "memory": {"quantity": {"val": str(resources.memory)}, "attributes": []},
        "storage": [{"name": "default", "quantity": {"val": str(resources.storage)}, "attributes": []}],
        "gpu": {"units": {"val": str(resources.gpu)}, "attributes": gpu},
        "endpoints": [{"kind": kind, "sequence_number": 0} for kind in kinds],
    }


def _marker(groups: tuple[Group, ...]) -> Any:
    for group in groups:
        for service in group.services:
            for line in service.env:
                name, _, value = line.partition("=")
                if name == MARKER:
                    try:
                        return json.loads(value)
                    except ValueError as error:
                        raise InvalidSdlError(f"{MARKER} is not JSON") from error
    return None
