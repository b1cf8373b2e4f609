"""Akash's Stack Definition Language: what a workload runs, on what, and for how much at most.

Source: the input schema and the checks of akash-network/chain-sdk (1.0.0-alpha.38), which the Console API runs. An SDL
is judged here before anything is sent, so that a mistake costs nothing and is reported with its path. What is refused
beyond that leads nowhere on Akash; docs/akash.md says what and why. ``normalise`` writes what is sent. Pure.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from slipway.akash.sdl.denominations import USDC
from slipway.akash.sdl.gpus import GpuName, parse_gpu
from slipway.akash.sdl.yaml_reader import YamlError, parse_yaml
from slipway.errors import InvalidSdlError

MAX_BYTES = 64 * 1024
_MAX_FAULTS = 20
# ``512Mb`` and ``8gb`` as the Console API reads them, 1000-based; ``MiB`` as its writer means it, 1024-based.
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([kmgtpe]?)(i?)b?", re.IGNORECASE)
_CPU = re.compile(r"([0-9]+(?:\.[0-9]+)?)([mM]?)")
_PRICE = re.compile(r"[0-9]+(\.[0-9]+)?")
_PREFIXES = "kmgtpe"
_LARGEST = 2**63 - 1


def _rounded_up(amount: Decimal) -> int:
    if amount <= 0:
        raise ValueError("must be more than 0")
    whole = int(amount.to_integral_value(rounding="ROUND_CEILING"))
    if whole > _LARGEST:
        raise ValueError("is too large")
    return whole


def plain_number(value: Any) -> str | None:
    """Return a finite number of YAML as plain decimal digits, and a text as it is; None for anything else."""
    if isinstance(value, str):
        return value if len(value) <= 40 else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return f"{Decimal(repr(value)):f}"


def parse_size(value: Any) -> int:
    """Read a size such as ``512Mi`` (1024-based), ``1.5G``, ``512Mb`` (1000-based) or ``"1024"`` as bytes, rounded up.

    Raises:
        ValueError: It is not a text of that form, is 0, or does not fit 63 bits.
    """
    match = _SIZE.fullmatch(value) if isinstance(value, str) and len(value) <= 40 else None
    if match is None or (match[3] and not match[2]):
        raise ValueError('must be a text such as "512Mi" or "10G"')
    power = _PREFIXES.index(match[2].lower()) + 1 if match[2] else 0
    return _rounded_up(Decimal(match[1]) * (1024 if match[3] else 1000) ** power)


def parse_cpu(value: Any) -> int:
    """Read ``0.5``, ``2``, ``"0.5"`` or ``"500m"`` as thousandths of a core, rounded up.

    Raises:
        ValueError: It is none of that, or 0.
    """
    match = _CPU.fullmatch(plain_number(value) or "")
    if match is None:
        raise ValueError('must be a number of cores, or a text such as "500m"')
    return _rounded_up(Decimal(match[1]) * (1 if match[2] else 1000))


def _gpu_units(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value):
        if not int(value):
            raise ValueError("must be the number 0, or be left out, where no GPU is wanted")
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 999_999:
        return value
    raise ValueError("must be a whole number, 0 or more")


def _amount(value: Any) -> Decimal:
    text = plain_number(value) or ""
    if not _PRICE.fullmatch(text) or not (amount := Decimal(text)):
        raise ValueError('must be a number greater than 0, such as 1000 or "0.5"')
    return amount


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _empty(value: Any) -> Any:
    return [] if value is None else value


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("is empty: give it a value, or leave it out")
    return value


class _Part(BaseModel):
    # Built at the first SDL, not at each cold start.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


Name = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]
Profile = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Text = Annotated[str, StringConstraints(min_length=1)]
NullableTexts = Annotated[list[str], BeforeValidator(_empty)]
# May be left out, but not be null.
type Given[Value] = Annotated[Value | None, BeforeValidator(_given)]
Port = Annotated[int, Field(ge=1, le=65535)]
Size = Annotated[int, BeforeValidator(parse_size)]
Milliseconds = Annotated[int, Field(ge=0, le=60_000)]
NextCase = Literal["error", "timeout", "500", "502", "503", "504", "403", "404", "429", "off"]


class HttpOptions(_Part):
    """How a provider's ingress treats a service."""

    max_body_size: Given[Annotated[int, Field(ge=0, le=104857600)]] = None
    proxy_buffer_size: Given[Annotated[int, Field(ge=0, le=1048576)]] = None
    read_timeout: Given[Milliseconds] = None
    send_timeout: Given[Milliseconds] = None
    next_timeout: Given[Annotated[int, Field(ge=0)]] = None
    next_tries: Given[Annotated[int, Field(ge=0)]] = None
    next_cases: Given[list[NextCase]] = None


class ExposeTo(_Part):
    """Who may reach a port: everyone, or one service; at an IP address of its own if one is named."""

    service: Given[str] = None
    everyone: bool = Field(False, alias="global")
    ip: Given[Text] = None


class Expose(_Part):
    """A port of the container. ``external`` is the one that others use."""

    port: Port
    external: Given[Port] = Field(None, alias="as")
    proto: Literal["TCP", "UDP", "tcp", "udp"] = "tcp"
    accept: list[str] = []
    to: list[ExposeTo] = []
    http_options: Given[HttpOptions] = None


class Mount(_Part):
    """Where a volume is mounted."""

    mount: Given[Annotated[str, StringConstraints(pattern=r"^/")]] = None
    read_only: bool = Field(False, alias="readOnly")


class Permissions(_Part):
    """What a workload may read of its own lease."""

    read: list[Literal["deployment", "logs", "events"]] = []


class ServiceParameters(_Part):
    """Volumes, permissions and the trusted execution environment of a service."""

    storage: dict[str, Mount] = {}
    permissions: Given[Permissions] = None
    tee: Given[Literal["cpu", "cpu-gpu"]] = None


class Dependency(_Part):
    """A service that has to be there first."""

    service: Given[str] = None


class Credentials(_Part):
    """For a private registry."""

    host: Text
    username: Text
    password: Annotated[str, StringConstraints(min_length=6)]
    email: Given[Annotated[str, StringConstraints(min_length=5)]] = None


class Service(_Part):
    """A container."""

    image: Text
    command: NullableTexts = []
    args: NullableTexts = []
    env: NullableTexts = []
    expose: Annotated[list[Expose], BeforeValidator(_empty)] = []
    dependencies: list[Dependency] = []
    params: Given[ServiceParameters] = None
    credentials: Given[Credentials] = None


class Cpu(_Part):
    """``units`` in thousandths of a core."""

    units: Annotated[int, BeforeValidator(parse_cpu)]
    attributes: Given[dict[str, Any]] = None


class Memory(_Part):
    """``size`` in bytes."""

    size: Size


class StorageAttributes(_Part):
    """The kind of a volume."""

    persistent: Annotated[bool, BeforeValidator(_flag)]
    kind: Text = Field(alias="class")


class Volume(_Part):
    """``size`` in bytes. Only a volume with a name can be mounted."""

    name: Given[Text] = None
    size: Size
    attributes: Given[StorageAttributes] = None

    @property
    def title(self) -> str:
        """Its name on Akash."""
        return self.name or "default"

    @property
    def persistent(self) -> bool:
        """Whether it outlives its container."""
        return self.attributes is not None and self.attributes.persistent


class GpuModel(_Part):
    """A GPU that will do, in any spelling."""

    model: Given[Text] = None
    ram: Given[Text] = None
    interface: Given[Literal["pcie", "sxm"]] = None


class GpuAttributes(_Part):
    """GPUs that will do, by vendor. The Console API knows but one."""

    vendor: Annotated[dict[Literal["nvidia"], list[GpuModel] | None], Field(min_length=1)]


class GpuRequest(_Part):
    """How many GPUs, and which."""

    units: Annotated[int, BeforeValidator(_gpu_units)] = 0
    attributes: Given[GpuAttributes] = None


class Resources(_Part):
    """What one replica gets."""

    cpu: Cpu
    memory: Memory
    storage: Annotated[list[Volume], BeforeValidator(_listed), Field(min_length=1)]
    gpu: Given[GpuRequest] = None


class Compute(_Part):
    """A compute profile."""

    resources: Resources


class Price(_Part):
    """The most that a replica may cost per block, in the denomination's smallest unit."""

    denom: Annotated[str, StringConstraints(pattern=rf"^(uakt|uact|{USDC})$")]
    amount: Annotated[Decimal, BeforeValidator(_amount)]


class SignedBy(_Part):
    """Auditors who have to vouch for a provider."""

    all_of: list[str] = Field([], alias="allOf")
    any_of: list[str] = Field([], alias="anyOf")


class Placement(_Part):
    """Where services may run and what they may cost; each one in use becomes a group with bids of its own."""

    attributes: Given[dict[str, Any]] = None
    signed_by: Given[SignedBy] = Field(None, alias="signedBy")
    pricing: Annotated[dict[Profile, Price], Field(min_length=1)]


class Profiles(_Part):
    """Compute and placement profiles."""

    compute: Annotated[dict[Profile, Compute], Field(min_length=1)]
    placement: Annotated[dict[Profile, Placement], Field(min_length=1)]


class Replicas(_Part):
    """How often a service runs in a placement, and on what."""

    profile: str
    count: Annotated[int, Field(ge=1, le=10_000)]


class Endpoint(_Part):
    """A leased IP address."""

    kind: Literal["ip"]


class Reclamation(_Part):
    """How long before a provider takes the resources back it has to say so."""

    min_window: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(s|m|h)$")]


class Sdl(_Part):
    """A whole SDL of version 2.0 or 2.1."""

    version: Literal["2.0", "2.1"]
    services: Annotated[dict[Name, Service], Field(min_length=1)]
    profiles: Profiles
    deployment: dict[Name, Annotated[dict[Profile, Replicas], Field(min_length=1)]]
    endpoints: dict[Annotated[str, StringConstraints(pattern=r"^[a-z]+[-_0-9a-z]+$")], Endpoint] = {}
    reclamation: Given[Reclamation] = None
    # Akash ignores what is included, so nothing may be.
    include: Annotated[list[str], Field(max_length=0)] = []


@dataclass(frozen=True)
class Totals:
    """Everything that a workload asks for: CPU in thousandths of a core, bytes, GPUs."""

    cpu: int
    memory: int
    storage: int
    gpus: int


@dataclass(frozen=True)
class Workload:
    """What Slipway needs to know of an SDL.

    Attributes:
        services: Names of the services.
        groups: Names of the placements in use; each needs a bid.
        totals: Resources over all replicas.
        gpu_models: GPUs that are asked for, as ``vendor/model``, or ``vendor`` where any model will do.
    """

    services: tuple[str, ...]
    groups: tuple[str, ...]
    totals: Totals
    gpu_models: tuple[str, ...]


def fingerprint(text: str) -> str:
    """Return the hash that stands for a manifest: the same text always leads to the same manifest."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse_sdl(text: str) -> Workload:
    """Judge an SDL.

    Raises:
        InvalidSdlError: It is not one that can be deployed; ``details.fields`` names each path with its reason.
    """
    return _workload(read_sdl(text)[1])


def read_sdl(text: str) -> tuple[dict[str, Any], Sdl]:
    """Return an SDL as plain data and as its model; raise as ``parse_sdl``."""
    if len(text.encode()) > MAX_BYTES:
        raise _refusal([("sdl", f"is larger than {MAX_BYTES} bytes")])
    try:
        document = parse_yaml(text)
    except YamlError as error:
        raise _refusal([("sdl", str(error))]) from error
    if not isinstance(document, dict):
        raise _refusal([("sdl", "must be a mapping with version, services, profiles and deployment")])
    try:
        sdl = Sdl.model_validate(document)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        raise _refusal([_fault_of(document, entry) for entry in errors]) from None
    if faults := list(_faults(sdl)):
        raise _refusal(faults)
    return document, sdl


def _refusal(faults: list[tuple[str, str]]) -> InvalidSdlError:
    unique = list(dict.fromkeys(faults))[:_MAX_FAULTS]
    summary = "; ".join(f"{path}: {message}" for path, message in unique[:3])
    return InvalidSdlError(summary, details={"fields": [{"field": path, "message": reason} for path, reason in unique]})


def _fault_of(document: Any, entry: Any) -> tuple[str, str]:
    """Return path and reason of one of pydantic's errors, the path as it stands in the document."""
    steps, value = "", document
    for step in entry["loc"]:
        if isinstance(step, int):
            # A single volume may stand where a list may.
            if not isinstance(value, list):
                continue
            steps, value = f"{steps}[{step}]", value[step] if step < len(value) else None
        elif isinstance(value, dict) and (step in value or entry["type"] == "missing"):
            steps, value = f"{steps}.{step}" if steps else str(step), value.get(step)
    if entry["type"] == "missing":
        message = "is missing"
    elif entry["type"] == "extra_forbidden":
        message = "is not a field of an SDL here"
    elif steps == "version":
        message = 'must be the text "2.0" or "2.1", in quotes'
    else:
        message = str(entry["msg"]).removeprefix("Value error, ")
    return (steps or "sdl")[:300], message[:300]


# ── What one part has to do with another ────────────────────────────────────────────────────────

Faults = Iterator[tuple[str, str]]


def _faults(sdl: Sdl) -> Faults:
    checks: tuple[Callable[[Sdl], Faults], ...] = (
        _deployment_faults,
        _reference_faults,
        _storage_faults,
        _gpu_faults,
        _tee_faults,
        _endpoint_faults,
        _reach_faults,
    )
    for check in checks:
        yield from check(sdl)


def _deployment_faults(sdl: Sdl) -> Faults:
    for service in sdl.services:
        if service not in sdl.deployment:
            yield f"deployment.{service}", "is missing: every service needs a placement"
    for service, placements in sdl.deployment.items():
        if service not in sdl.services:
            yield f"deployment.{service}", "is not a service"
        for name, replicas in placements.items():
            path = f"deployment.{service}.{name}"
            if replicas.profile not in sdl.profiles.compute:
                yield f"{path}.profile", f"{replicas.profile!r} is not in profiles.compute"
            placement = sdl.profiles.placement.get(name)
            if placement is None:
                yield path, f"{name!r} is not in profiles.placement"
            elif replicas.profile not in placement.pricing:
                yield f"profiles.placement.{name}.pricing.{replicas.profile}", "is missing: the profile needs a price"


def _reference_faults(sdl: Sdl) -> Faults:
    switched_off = False
    for name, service in sdl.services.items():
        for index, dependency in enumerate(service.dependencies):
            if dependency.service is not None and dependency.service not in sdl.services:
                yield f"services.{name}.dependencies[{index}].service", f"{dependency.service!r} is not a service"
        for index, expose in enumerate(service.expose):
            cases = expose.http_options.next_cases if expose.http_options else None
            if cases and "off" in cases and len(cases) > 1:
                yield f"services.{name}.expose[{index}].http_options.next_cases", "'off' stands alone"
            if switched_off and cases == []:
                # The Console API's check remembers the last port whose list is 'off'.
                path = f"services.{name}.expose[{index}].http_options.next_cases"
                yield path, "must not be empty after a port that is 'off'"
            switched_off = switched_off if cases is None else "off" in cases
            for number, to in enumerate(expose.to):
                if to.service is not None and to.service not in sdl.services:
                    path = f"services.{name}.expose[{index}].to[{number}].service"
                    yield path, f"{to.service!r} is not a service"


def _computes(sdl: Sdl) -> Iterator[tuple[str, str, Compute]]:
    """Yield each service with each of its compute profiles that exists."""
    for service, placements in sdl.deployment.items():
        for profile in dict.fromkeys(replicas.profile for replicas in placements.values()):
            if service in sdl.services and profile in sdl.profiles.compute:
                yield service, profile, sdl.profiles.compute[profile]


def _storage_faults(sdl: Sdl) -> Faults:
    for profile, compute in sdl.profiles.compute.items():
        names = [volume.title for volume in compute.resources.storage]
        for index, volume in enumerate(compute.resources.storage):
            path = f"profiles.compute.{profile}.resources.storage[{index}]"
            if volume.title in names[:index]:
                yield f"{path}.name", f"{volume.title!r} is given twice"
            if volume.attributes and (volume.attributes.kind == "ram") == volume.persistent:
                known = "of class ram can't be" if volume.persistent else "of any class but ram must be"
                yield f"{path}.attributes", f"a volume {known} persistent"
    for name, profile, compute in _computes(sdl):
        yield from _mount_faults(sdl, name, profile, compute.resources.storage)


def _mount_faults(sdl: Sdl, name: str, profile: str, volumes: list[Volume]) -> Faults:
    parameters = sdl.services[name].params
    mounts = parameters.storage if parameters else {}
    used: dict[str | None, str] = {}
    for title, mount in mounts.items():
        path = f"services.{name}.params.storage.{title}"
        if title not in {known.name for known in volumes}:
            yield path, f"is not a volume of profiles.compute.{profile} by its name"
        elif used.setdefault(mount.mount, title) != title:
            yield (
                f"{path}.mount",
                f"is {'missing, as that' if mount.mount is None else 'the mount'} of {used[mount.mount]!r} too",
            )
    for volume in volumes:
        chosen = mounts.get(volume.name or "")
        if volume.persistent and not (chosen and chosen.mount):
            yield f"services.{name}.params.storage.{volume.title}.mount", "is missing: a persistent volume needs one"


def _gpu_faults(sdl: Sdl) -> Faults:
    used = {profile for _, profile, _ in _computes(sdl)}
    for profile, compute in sdl.profiles.compute.items():
        gpu = compute.resources.gpu
        path = f"profiles.compute.{profile}.resources.gpu.attributes"
        if profile in used and gpu and gpu.units and gpu.attributes is None:
            yield path, "is missing: say which vendor's GPUs will do"
        if gpu and not gpu.units and gpu.attributes is not None:
            yield path, "must not be given with 0 units"
        for vendor, models in (gpu.attributes.vendor if gpu and gpu.attributes else {}).items():
            for index, model in enumerate(models or []):
                try:
                    parse_gpu(f"{vendor} {model.model or ''}")
                except ValueError as error:
                    yield f"{path}.vendor.{vendor}[{index}].model", str(error)


def _tee_faults(sdl: Sdl) -> Faults:
    tees: dict[str, str] = {}
    for name, service in sdl.services.items():
        tee = service.params.tee if service.params else None
        for placement, replicas in sdl.deployment.get(name, {}).items():
            compute = sdl.profiles.compute.get(replicas.profile)
            if tee == "cpu-gpu" and compute and not (compute.resources.gpu and compute.resources.gpu.units):
                yield f"services.{name}.params.tee", f"cpu-gpu needs GPUs in profiles.compute.{replicas.profile}"
            if tee and tees.setdefault(placement, tee) != tee:
                yield f"services.{name}.params.tee", f"placement {placement!r} has {tees[placement]} already"


def _endpoint_faults(sdl: Sdl) -> Faults:
    used: dict[tuple[str, int, str], str] = {}
    for name, service in sdl.services.items():
        for index, expose in enumerate(service.expose):
            for number, to in enumerate(expose.to):
                path = f"services.{name}.expose[{index}].to[{number}]"
                if to.ip is None:
                    continue
                if not to.everyone:
                    yield f"{path}.global", "must be true where an IP endpoint is named"
                if to.ip not in sdl.endpoints:
                    yield f"{path}.ip", f"{to.ip!r} is not in endpoints"
                key = (to.ip, expose.external or expose.port, expose.proto.lower())
                if used.setdefault(key, path) != path:
                    yield f"{path}.ip", f"port {key[1]} of {to.ip!r} is taken by {used[key]}"
    for endpoint in sdl.endpoints:
        if endpoint not in {ip for ip, _, _ in used}:
            yield f"endpoints.{endpoint}", "is used by no service"


def _reach_faults(sdl: Sdl) -> Faults:
    if not any(to.everyone for service in sdl.services.values() for expose in service.expose for to in expose.to):
        yield "services", "no service is reachable: at least one expose needs to: [{global: true}]"


# ── What is read from it ────────────────────────────────────────────────────────────────────────


def _workload(sdl: Sdl) -> Workload:
    cpu = memory = storage = gpus = 0
    models: dict[str, None] = {}
    for placements in sdl.deployment.values():
        for replicas in placements.values():
            resources = sdl.profiles.compute[replicas.profile].resources
            cpu += resources.cpu.units * replicas.count
            memory += resources.memory.size * replicas.count
            storage += sum(volume.size for volume in resources.storage) * replicas.count
            if resources.gpu and resources.gpu.attributes:
                gpus += resources.gpu.units * replicas.count
                models |= dict.fromkeys(_gpu_names(resources.gpu.attributes))
    groups = dict.fromkeys(name for placements in sdl.deployment.values() for name in placements)
    return Workload(tuple(sdl.services), tuple(groups), Totals(cpu, memory, storage, gpus), tuple(models))


def gpu_named(vendor: str, model: GpuModel) -> GpuName:
    """Return the GPU that an SDL asks for."""
    return parse_gpu(" ".join((vendor, (model.model or "").replace("*", ""), model.ram or "", model.interface or "")))


def _gpu_names(attributes: GpuAttributes) -> Iterator[str]:
    for vendor, models in attributes.vendor.items():
        for model in models or [GpuModel()]:
            name = gpu_named(vendor, model)
            yield f"{vendor}/{name.model}" if name.model else vendor
