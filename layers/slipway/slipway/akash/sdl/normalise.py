"""The SDL that is sent to Akash: what its owner means, in the spellings that the Console API and the network read.

A text that needs no change is sent as it is. Pure.
"""

import copy
import json
from decimal import Decimal
from typing import Any

from slipway.akash.sdl.denominations import USDC
from slipway.akash.sdl.parser import GpuModel, Sdl, gpu_named, parse_cpu, parse_size, plain_number, read_sdl

_BINARY, _DECIMAL = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"), ("E", "P", "T", "G", "M", "k")
_READ_EXACTLY = frozenset({*_BINARY, *_DECIMAL})


def size_text(size: int) -> str:
    """Return a number of bytes as the shortest size that is exactly that, or rounded up to whole Ki if none is."""
    exact = [
        f"{size // base**power}{unit}"
        for base, units in ((1024, _BINARY), (1000, _DECIMAL))
        for power, unit in zip(range(6, 0, -1), units, strict=True)
        if size % base**power == 0
    ]
    return min(exact, key=len, default=f"{-(-size // 1024)}Ki")


def deployable(text: str) -> str:
    """Return the SDL to send for one that ``parse_sdl`` takes.

    Sizes, cores and GPUs are written as Akash reads them, USDC as uact, and ``${`` is escaped: the Console API takes it
    for a variable of a template and fails.

    Raises:
        InvalidSdlError: As ``parse_sdl``.
    """
    document, sdl = read_sdl(text)
    changed = copy.deepcopy(document)
    for profile, compute in changed["profiles"]["compute"].items():
        _resources(compute["resources"], sdl, profile)
    for placement in changed["profiles"]["placement"].values():
        for price in placement["pricing"].values():
            price["amount"] = _price(price["amount"])
            if price["denom"] == USDC:
                price["denom"] = "uact"
    changed.pop("include", None)
    if changed == document and "${" not in text:
        return text
    # JSON is YAML. An alias is written out: what was bounded when it was read stays so.
    return json.dumps(changed, ensure_ascii=False).replace("${", "\\u0024{")


def _resources(resources: dict[str, Any], sdl: Sdl, profile: str) -> None:
    cpu, memory, storage = resources["cpu"], resources["memory"], resources["storage"]
    cpu["units"] = _cores(cpu["units"])
    for part in (memory, *(storage if isinstance(storage, list) else [storage])):
        part["size"] = _size(part["size"])
    volumes = sdl.profiles.compute[profile].resources.storage
    for volume, given in zip(volumes, storage if isinstance(storage, list) else [storage], strict=True):
        if volume.attributes:
            given["attributes"]["persistent"] = volume.persistent
    gpu = sdl.profiles.compute[profile].resources.gpu
    if gpu and gpu.attributes:
        resources["gpu"]["attributes"]["vendor"] = {
            vendor: [_gpu(vendor, model) for model in models] if models else None
            for vendor, models in gpu.attributes.vendor.items()
        }


def _size(text: str) -> str:
    return text if text.lstrip("0123456789") in _READ_EXACTLY else size_text(parse_size(text))


def _cores(units: Any) -> Any:
    """Return cores as they are where JavaScript's arithmetic makes whole thousandths of them."""
    text = plain_number(units) or ""
    exact = (text.endswith("m") and text[:-1].isdigit()) or (text[-1:].isdigit() and (float(text) * 1000).is_integer())
    return units if exact else f"{parse_cpu(units)}m"


def _price(amount: Any) -> Any:
    """Return an amount without an exponent, which the chain does not read."""
    return amount if "e" not in str(amount) else f"{Decimal(repr(amount)):f}"


def _gpu(vendor: str, model: GpuModel) -> dict[str, str]:
    """Return a GPU as providers name theirs; one that is written so stays as it is."""
    given = {key: value for key, value in model.model_dump().items() if value is not None}
    name = gpu_named(vendor, model)
    ram = {"ram": f"{name.ram}Gi"} if name.ram else {}
    interface = {"interface": name.interface} if name.interface else {}
    return given if given.get("model") == name.model else {"model": name.model or "*", **ram, **interface}
