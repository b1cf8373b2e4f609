"""The manifest that the Console API makes of an SDL, byte for byte, so that its hash is known before anybody answers.

Source: ``generateManifest`` and ``manifestToSortedJSON`` of akash-network/chain-sdk, to which ``make contract`` holds
this over thousands of variants. What can't be known to come out the same is not guessed: fields that versions treat
differently, names that JavaScript sorts by the customs of a language, numbers that a double can't hold. Pure.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from slipway.akash.sdl.parser import Compute, Expose, ExposeTo, HttpOptions, Sdl, Service, read_sdl
from slipway.errors import InvalidSdlError

# Whose order is the same whether they are compared by code points or by the customs of a language.
_PLAIN = re.compile(r"[a-z0-9-]*")
_LARGEST = 2**53
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_HTTP = HttpOptions(
    max_body_size=1048576, read_timeout=60000, send_timeout=60000, next_tries=3, next_timeout=0,
    next_cases=["error", "timeout"],
)  # fmt: skip


class _UnknownError(Exception):
    """What the Console API makes of it is not certain."""


def manifest_of(text: str) -> str | None:
    """Return the manifest of an SDL as it is sent (``deployable``); None if that is not certain."""
    try:
        document, sdl = read_sdl(text)
        groups = _groups(document, sdl)
    except (InvalidSdlError, _UnknownError):
        return None
    shown = json.dumps(groups, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return shown.translate(_ESCAPES)


def _sorted(names: Iterable[str]) -> list[str]:
    found = list(names)
    if len(found) > 1 and not all(_PLAIN.fullmatch(name) for name in found):
        raise _UnknownError
    return sorted(found)


def _groups(document: Mapping[str, Any], sdl: Sdl) -> list[dict[str, Any]]:
    numbers = {
        name: number
        for number, name in enumerate(
            sorted(
                to.ip
                for service in sdl.services.values()
                for port in service.expose
                for to in port.to
                if to.everyone and to.ip
            ),
            start=1,
        )
    }
    placements: dict[str, list[tuple[str, str]]] = {}
    ids: dict[tuple[str, str], int] = {}
    for name in _sorted(sdl.deployment):
        for placement, replicas in sdl.deployment[name].items():
            if placement.isdigit():
                # JavaScript puts such keys first.
                raise _UnknownError
            group = placements.setdefault(placement, [])
            group.append((name, replicas.profile))
            key = (placement, replicas.profile)
            ids.setdefault(key, 1 + sum(other == placement for other, _ in ids))
    return [
        {
            "name": placement,
            "services": [
                _service(document, sdl, name, ids[placement, profile], numbers, placement)
                for name, profile in placements[placement]
            ],
        }
        for placement in sorted(placements)
    ]


def _service(
    document: Mapping[str, Any], sdl: Sdl, name: str, number: int, numbers: Mapping[str, int], placement: str
) -> dict[str, Any]:
    service, replicas = sdl.services[name], sdl.deployment[name][placement]
    raw = document["profiles"]["compute"][replicas.profile]["resources"]
    given = service.credentials
    found: dict[str, Any] = {
        "name": name,
        "image": service.image,
        "command": service.command or None,
        "args": service.args or None,
        "env": service.env or None,
        "resources": _resources(raw, sdl.profiles.compute[replicas.profile], service, number, numbers),
        "count": replicas.count,
        "expose": _exposed(service, numbers),
        "credentials": given and {**given.model_dump(), "email": given.email or ""},
    }
    if service.params:
        found["params"] = _params(service)
    return found


def _params(service: Service) -> dict[str, Any]:
    params = service.params
    if params is None or params.tee or (params.permissions and "events" in params.permissions.read):
        raise _UnknownError
    mounts: list[dict[str, Any]] = [
        {"name": name, "mount": params.storage[name].mount or "", "readOnly": params.storage[name].read_only}
        for name in sorted(params.storage)
    ]
    permissions = {"permissions": {"read": params.permissions.read}} if params.permissions else {}
    return {"storage": mounts, **permissions}


def _resources(
    raw: Mapping[str, Any], compute: Compute, service: Service, number: int, numbers: Mapping[str, int]
) -> dict[str, Any]:
    wanted = compute.resources
    volumes = raw["storage"] if isinstance(raw["storage"], list) else [raw["storage"]]
    gpu = wanted.gpu
    return {
        "id": number,
        "cpu": {"units": _value(wanted.cpu.units), **_attributes(wanted.cpu.attributes)},
        "memory": {"size": _value(wanted.memory.size)},
        "storage": [
            {
                "name": volume.title,
                "size": _value(volume.size),
                **_attributes(given.get("attributes")),
            }
            for volume, given in zip(wanted.storage, volumes, strict=True)
        ],
        "gpu": {"units": _value(gpu.units if gpu else 0), **_gpus(raw.get("gpu") or {})},
        "endpoints": [
            endpoint
            for port in service.expose
            for to in port.to
            if to.everyone
            for endpoint in _endpoints(port, to, numbers)
        ],
    }


def _value(amount: int) -> dict[str, str]:
    if amount > _LARGEST:
        raise _UnknownError
    return {"val": str(amount)}


def _attributes(given: Mapping[str, Any] | None) -> dict[str, Any]:
    found = [{"key": key, "value": _text((given or {})[key])} for key in _sorted(given or {})]
    return {"attributes": found} if found else {}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise _UnknownError


def _gpus(gpu: Mapping[str, Any]) -> dict[str, Any]:
    vendors = (gpu.get("attributes") or {}).get("vendor") or {}
    keys = []
    for vendor in _sorted(vendors):
        if vendors[vendor] is None:
            keys.append(f"vendor/{vendor}/model/*")
        for model in vendors[vendor] or []:
            parts = ((part, model.get(part)) for part in ("ram", "interface"))
            keys.append(f"vendor/{vendor}/model/{model['model']}" + "".join(f"/{a}/{b}" for a, b in parts if b))
    return {"attributes": [{"key": key, "value": "true"} for key in keys]} if keys else {}


def _endpoints(port: Expose, to: ExposeTo, numbers: Mapping[str, int]) -> list[dict[str, int]]:
    is_ingress = port.proto.upper() == "TCP" and (port.external or port.port) == 80
    # The kind 0, of an ingress, is left out.
    own = {"sequence_number": 0} | ({} if is_ingress else {"kind": 1})
    return [own, {"kind": 2, "sequence_number": numbers[to.ip]}] if to.ip else [own]


def _exposed(service: Service, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    found = [
        {
            "port": port.port,
            "externalPort": port.external or 0,
            "proto": port.proto.upper(),
            "service": to.service or "",
            "global": to.everyone,
            "hosts": port.accept or None,
            "httpOptions": _http(port.http_options),
            "ip": to.ip or "",
            "endpointSequenceNumber": numbers.get(to.ip or "", 0),
        }
        for port in service.expose
        for to in port.to
    ]
    _sorted({str(entry["service"]) for entry in found})
    return sorted(found, key=lambda entry: (entry["service"], entry["port"], entry["proto"], not entry["global"]))


def _http(given: HttpOptions | None) -> dict[str, Any]:
    if given and given.proxy_buffer_size is not None:
        raise _UnknownError
    merged = {**_HTTP.model_dump(), **(given.model_dump(exclude_none=True) if given else {})}
    names = {name: name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]) for name in merged}
    return {names[name]: value for name, value in merged.items() if name != "proxy_buffer_size"}
