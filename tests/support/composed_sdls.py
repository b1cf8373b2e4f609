"""SDLs composed at random of what people write, mostly well: several services, placements, ports and volumes at once.

``sdl_variants`` changes one place of a whole SDL; here the parts meet each other.
"""

from __future__ import annotations

import json
import random
from typing import Any

import yaml

_NAMES = ("web", "db", "cache", "a-b", "ab", "z1", "9", "x")
_SIZES = ("512Mi", "1Gi", "1G", "100M", "1.5Gi", "0.5Gi", "1gi", "512MB", "8gb", "1073741824", "100k", "2Ti", "4096")
_CORES = (0.5, 1, "500m", "1.5", 0.57, "100m", 2, 0.1, "1", "0.25", 1.1, 1e-3)
_ENVIRONMENTS: tuple[list[str] | None, ...] = (
    ["A=1", "B=<x>&y"], ["E=é😀", 'Q="quoted"'], [], None, ["TAB=\t", "NL=a\nb"], ["K=V\u2028W\x85"], ["P=${X}"],
)  # fmt: skip
_GPUS: tuple[Any, ...] = (
    [{"model": "a100"}], [{"model": "H100", "ram": "80Gi"}], [{"model": "rtx4090"}, {"model": "a6000"}], None, [],
    [{"model": "NVIDIA H100 80GB HBM3"}], [{"model": "*"}], [{"model": "t4", "interface": "pcie"}],
)  # fmt: skip
_VOLUMES = (
    {"persistent": True, "class": "beta3"}, {"persistent": True, "class": "beta2"}, {"class": "ram"},
    {"persistent": False, "class": "ram"}, {"persistent": "true", "class": "default"},
)  # fmt: skip
_ODD = 0.02


class _Composer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def is_so(self, probability: float) -> bool:
        return self._chance.random() < probability

    def one_of(self, *usual: Any, odd: tuple[Any, ...] = ()) -> Any:
        """One of the usual values, and now and then an odd one."""
        return self._chance.choice(odd if odd and self.is_so(_ODD) else usual)

    def some(self, *values: Any, least: int = 1) -> list[Any]:
        return self._chance.sample(values, self._chance.randint(least, len(values)))

    def given(self, probability: float, **fields: Any) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if self.is_so(probability)}

    def size(self) -> Any:
        return self.one_of(*_SIZES, odd=(1073741824, "1e3Mi", "10Mib", "", "0"))

    def port(self, names: list[str], addresses: list[str]) -> dict[str, Any]:
        to = []
        for _ in range(self.one_of(0, 1, 1, 1, 2, 3)):
            target: dict[str, Any] = self.given(0.6, **{"global": self.one_of(True, True, False, odd=("yes", 1, 0))})
            target |= self.given(0.4, service=self.one_of(*names))
            if addresses and target.get("global") is True:
                target |= self.given(0.4, ip=self.one_of(*addresses))
            to.append(target)
        options = self.given(
            0.4,
            max_body_size=self.one_of(0, 1048576, 104857600, odd=(104857601, "1")),
            read_timeout=self.one_of(0, 60000, 1000, odd=(60001, "60s")),
            next_tries=self.one_of(0, 3, 10),
            next_cases=self.one_of(["error", "timeout"], ["off"], ["500", "502"], [], odd=(["off", "error"], None)),
        )
        return {
            "port": self.one_of(80, 8080, 443, 3000, 53, 1, 65535, 7072),
            **self.given(0.5, **{"as": self.one_of(80, 8080, 443, 1, odd=(0,))}),
            **self.given(0.5, proto=self.one_of("tcp", "udp", "TCP", "UDP", odd=("http", "Tcp"))),
            **self.given(0.3, accept=self.one_of(["a.example.com"], ["a.com", "b.com"], [], odd=(None, ["x y"]))),
            **self.given(0.9, to=to),
            **self.given(0.3, http_options=options),
        }

    def service(self, names: list[str], addresses: list[str]) -> dict[str, Any]:
        credentials = {"host": "ghcr.io", "username": "u", "password": self.one_of("secret", "p<w&d>x", odd=("123",))}
        return {
            "image": self.one_of("nginx:1.27", "ghcr.io/a/b@sha256:abc", "a<b>&c"),
            **self.given(0.8, expose=[self.port(names, addresses) for _ in range(self.one_of(1, 1, 2, 3))]),
            **self.given(0.4, env=self.one_of(*_ENVIRONMENTS)),
            **self.given(0.2, command=self.one_of(["sh", "-c"], [], None), args=self.one_of(["a && b"], None)),
            **self.given(0.1, params={"permissions": {"read": self.one_of(["logs"], ["deployment", "logs"], [])}}),
            **self.given(0.1, credentials={**credentials, **self.given(0.5, email=self.one_of("a@b.c", odd=("ab",)))}),
            **self.given(0.1, dependencies=[{"service": self.one_of(*names)}]),
        }

    def resources(self) -> dict[str, Any]:
        storage: Any = self.one_of({"size": self.size()}, [{"size": self.size()}])
        if self.is_so(0.2):
            named = {"name": "data", "size": self.size(), **self.given(0.95, attributes=self.one_of(*_VOLUMES))}
            storage = [{"size": self.size()}, named]
        gpu = {
            "units": self.one_of(1, 2, "1", odd=(0,)),
            **self.given(0.95, attributes={"vendor": {self.one_of("nvidia", "amd"): self.one_of(*_GPUS)}}),
        }
        return {
            "cpu": {
                "units": self.one_of(*_CORES, odd=("0",)),
                **self.given(0.2, attributes=self.one_of({"arch": "amd64"}, {"arch": "amd64", "x": 1})),
            },
            "memory": {"size": self.size()},
            "storage": storage,
            **self.given(0.3, gpu=gpu),
        }

    def document(self) -> dict[str, Any]:
        names = self._chance.sample(_NAMES, self.one_of(1, 1, 2, 3))
        addresses = self.some("front", "back") if self.is_so(0.3) else []
        profiles = self.some("small", "big", "web")
        places = self.some("any", "dc-1") if self.is_so(0.9) else ["1", "any"]
        return {
            "version": self.one_of("2.0", "2.1"),
            "services": {name: self.service(names, addresses) for name in names},
            "profiles": {
                "compute": {profile: {"resources": self.resources()} for profile in profiles},
                "placement": {
                    place: {
                        "pricing": {
                            profile: {
                                "denom": self.one_of("uact", "uakt"),
                                "amount": self.one_of(1000, "1000", 0.5, 10000, odd=("1e3",)),
                            }
                            for profile in profiles
                        },
                        **self.given(0.2, attributes=self.one_of({"host": "akash"}, {"region": "us", "tier": 1})),
                        **self.given(0.2, signedBy={"anyOf": []}),
                    }
                    for place in places
                },
            },
            "deployment": {
                name: {
                    place: {"profile": self.one_of(*profiles), "count": self.one_of(1, 1, 2, 3, odd=("1", 0))}
                    for place in self.some(*places)
                }
                for name in names
            },
            **({"endpoints": {address: {"kind": "ip"} for address in addresses}} if addresses else {}),
        }


def composed_sdl(seed: int) -> str:
    """One SDL, the same for the same seed."""
    chance = random.Random(seed)
    document = _Composer(chance).document()
    is_yaml = chance.random() < 0.7
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True) if is_yaml else json.dumps(document)
