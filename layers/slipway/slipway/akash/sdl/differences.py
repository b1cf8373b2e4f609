"""What a lease would need otherwise to run another SDL. Pure.

A lease is for resources, ports, replicas and a price, which its provider compares with the manifest; image, command,
variables, credentials, host names and options of its ingress may change.
"""

from collections.abc import Iterator
from typing import Any

from slipway.akash.sdl.normalise import deployable
from slipway.akash.sdl.yaml_reader import parse_yaml

_FREE = frozenset({"image", "command", "args", "env", "credentials", "dependencies"})
_FREE_OF_PORTS = frozenset({"accept", "http_options"})


def lease_differences(old: str, new: str) -> list[str]:
    """Return the paths in which two SDLs differ that a lease can't change; none if it can run the new one."""
    return sorted(_differing(_leased(old), _leased(new), ""))[:20]


def _leased(text: str) -> Any:
    document = parse_yaml(deployable(text))
    services = {
        name: {
            **{key: value for key, value in service.items() if key not in _FREE},
            "expose": [
                {key: value for key, value in port.items() if key not in _FREE_OF_PORTS}
                for port in service.get("expose") or []
            ],
        }
        for name, service in document["services"].items()
    }
    return {key: value for key, value in document.items() if key != "version"} | {"services": services}


def _differing(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differing(before, after, f"{path}[{index}]")
    elif old != new:
        yield path
