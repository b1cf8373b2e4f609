"""Names of GPUs, however they are spelled: ``nvidia/a100``, ``a100-80gb``, ``RTX 4090``, and as nvidia-smi prints them:
``NVIDIA H100 80GB HBM3``. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

VENDORS = {name: "nvidia" for name in ("nvidia", "geforce", "tesla", "quadro")} | {"amd": "amd", "radeon": "amd"}
_NOISE = {"gpu", "instinct", "corporation", "generation", "graphics", "card", "oam"}
_MEMORY = re.compile(r"(g?ddr|hbm)\d+[a-z]?")
_APART = re.compile(r"(\d)[ _-]+(gb|gib|gi)\b")
_RAM = re.compile(r"(\d{1,4})(?:gb|gib|gi|g)")
_INTERFACE = re.compile(r"(pcie|sxm)\d*")
_PARTS = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class GpuName:
    """A GPU, or the kind of GPU that somebody wants; an empty part stands for any.

    Attributes:
        vendor: ``nvidia`` or ``amd``.
        model: Letters and digits in lower case, such as ``a100`` or ``rtx4090``.
        ram: Whole gibibytes.
        interface: ``pcie`` or ``sxm``.
    """

    vendor: str = ""
    model: str = ""
    ram: int | None = None
    interface: str = ""

    def __str__(self) -> str:
        ram = f"{self.ram}Gi" if self.ram else ""
        return " ".join(part for part in (f"{self.vendor}/{self.model}", ram, self.interface) if part)

    def is_met_by(self, gpu: "GpuName") -> bool:
        """Return whether a GPU is of this kind. Unknown parts of the GPU match anything, but its model must be
        known."""
        return (
            (not self.vendor or not gpu.vendor or self.vendor == gpu.vendor)
            and (not self.model or _workstation(self.model) == _workstation(gpu.model))
            and (self.ram is None or gpu.ram is None or self.ram == gpu.ram)
            and (not self.interface or not gpu.interface or self.interface == gpu.interface)
        )


def _workstation(model: str) -> str:
    """Return a model's name without the RTX that some leave out: ``rtxa5000`` and ``a5000`` are one."""
    return model.removeprefix("rtx") if re.fullmatch(r"rtxa\d{4}", model) else model


def parse_gpu(text: str) -> GpuName:
    """Read a GPU's name. Case, spaces and punctuation do not matter; order does not matter either.

    Raises:
        ValueError: It names nothing.
    """
    vendor, ram, interface, model = "", None, "", ""
    for part in _PARTS.findall(_APART.sub(r"\1\2", text.lower())):
        if part in VENDORS:
            vendor = VENDORS[part]
        if part in VENDORS or part in _NOISE or _MEMORY.fullmatch(part):
            continue
        if found := _RAM.fullmatch(part):
            ram = int(found[1])
        elif found := _INTERFACE.fullmatch(part):
            interface = found[1]
        else:
            model += part
    if not vendor and not model:
        raise ValueError("names no GPU")
    return GpuName(vendor, model, ram, interface)


def gpu_of(vendor: str, model: str, ram: str = "", interface: str = "") -> GpuName:
    """Read a GPU that a provider describes in four fields.

    Args:
        vendor: Such as ``nvidia``.
        model: Such as ``a100``; some providers write the memory into it as well.
        ram: Such as ``80Gi``.
        interface: Such as ``PCIe`` or ``SXM4``.
    """
    try:
        return parse_gpu(" ".join((vendor, model, ram, interface)))
    except ValueError:
        return GpuName()


def gpu_of_attribute(key: str) -> GpuName | None:
    """Read a GPU as the chain writes it: ``vendor/nvidia/model/a100/ram/80Gi/interface/sxm``; None for any other
    key."""
    steps = key.lower().removeprefix("capabilities/gpu/").split("/")
    if len(steps) < 2 or steps[0] != "vendor":
        return None
    parts = dict(zip(steps[::2], steps[1::2], strict=False))
    return gpu_of(
        parts["vendor"], parts.get("model", "").replace("*", ""), parts.get("ram", ""), parts.get("interface", "")
    )


def any_meets(wanted: GpuName, gpus: Iterable[GpuName]) -> bool:
    """Return whether one of these GPUs will do."""
    return any(wanted.is_met_by(gpu) for gpu in gpus)
