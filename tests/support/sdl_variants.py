"""SDLs that differ from a whole one in one place, for comparing Slipway's rules with the Console API's own judge.

Every field takes the values that people and programs write there, then come the quirks of YAML, which are texts.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import yaml

from tests.support.workloads import document

_WHOLE = """
version: "2.0"
services:
  web:
    image: nginx:1.27
    command: [sh, -c]
    args: ["exec nginx"]
    env: ["A=1"]
    dependencies: [{service: db}]
    credentials: {host: ghcr.io, username: someone, password: secret, email: a@b.c}
    expose:
      - port: 8080
        as: 80
        proto: tcp
        accept: [a.example.com]
        to: [{global: true}]
        http_options: {max_body_size: 1048576, read_timeout: 60000, send_timeout: 60000, next_timeout: 0,
                       next_tries: 3, next_cases: [error, timeout]}
      - {port: 9000, to: [{global: true, ip: front}]}
    params: {storage: {data: {mount: /data, readOnly: false}}, permissions: {read: [logs]}}
  db:
    image: redis:7
    expose: [{port: 6379, to: [{service: web}]}]
profiles:
  compute:
    web:
      resources:
        cpu: {units: 0.5, attributes: {arch: amd64}}
        memory: {size: 512Mi}
        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: a100, ram: 80Gi, interface: sxm}]}}}
        storage: [{size: 1Gi}, {name: data, size: 1Gi, attributes: {persistent: true, class: beta3}}]
    db: {resources: {cpu: {units: 100m}, memory: {size: 128Mi}, storage: {size: 1Gi}}}
  placement:
    any:
      attributes: {host: akash}
      signedBy: {anyOf: [akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63], allOf: []}
      pricing: {web: {denom: uact, amount: 1000}, db: {denom: uact, amount: 1000}}
deployment:
  web: {any: {profile: web, count: 1}}
  db: {any: {profile: db, count: 1}}
endpoints: {front: {kind: ip}}
"""
WHOLE: dict[str, Any] = yaml.safe_load(_WHOLE)
DELETED = object()
# What stands in the wrong place, whatever the field.
_ANYTHING: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.5, "", "x", "0", "1", "-1", "1e3", "1_000", "0x10", " 1", "tRue"),
    *([], {}, [None], [1], ["x"], {"x": None}, {"x": 1}, {"x": {}}, DELETED),
)  # fmt: skip
_SIZES = (
    *("512Mi", "512Mb", "512MB", "512MiB", "1G", "1GB", "8gb", "1gi", "1Ki", "1k", "1K", "1.5Gi", ".5Gi", "1.Gi"),
    *("1073741824", "1048577", "1B", "512 Mi", "Mi", "1Zi", "0Mi", "1e9", "1,5Gi", "9999999Ei", "١Gi", "1Mib"),
    *("0.5Gi", "5x", "5mx"),
)
_CORES = ("500m", "500M", "0.5", "0", "0m", "00", "2x", "1.", ".5", "0.57", "1k", 0.57, 0.0001, 1e-7, 1e6, 10**12)
_AMOUNTS = ("1", "0.5", ".5", "5.", "1_000", "1,000", "1e3", "+1", " 1", "01", 0.5, 1e-7, 10**21, 0, "0", "0.0", "٣")
_PORTS = (0, 1, 65535, 65536, "80", 80.5, 1e3)
_PARTICULAR: dict[str, tuple[Any, ...]] = {
    "version": ("2.0", "2.1", "3.0", 2.0, 2),
    "services.web.image": ("a", " ", "a:b@sha256:c"),
    "services.web.command": ("run", ["a", None], [True]),
    "services.web.env": (["A"], ["A=1", "A=1"], {"A": "1"}),
    "services.web.depends_on": (["db"], []),
    "services.web.expose.0.port": _PORTS,
    "services.web.expose.0.as": _PORTS,
    "services.web.expose.0.proto": ("TCP", "UDP", "udp", "Tcp", "http", "HTTP", "sctp"),
    "services.web.expose.0.to": ([{"global": True}], [{"global": True}, {"service": "db"}], [{}]),
    "services.web.expose.0.to.0.service": ("db",),
    "services.web.expose.0.to.0.ip": ("front", "back"),
    "services.web.expose.1.to.0.ip": ("back",),
    "services.web.expose.1.as": (80, 9000),
    "services.web.expose.0.http_options.max_body_size": (0, 104857600, 104857601),
    "services.web.expose.0.http_options.read_timeout": (60000, 60001, 120000, "60s", 0),
    "services.web.expose.0.http_options.send_timeout": (60000, 60001, "1m"),
    "services.web.expose.0.http_options.next_timeout": (10**6, "60s"),
    "services.web.expose.0.http_options.next_tries": (100,),
    "services.web.expose.0.http_options.next_cases": (
        ["off"], ["off", "error"], ["off", "off"], ["500"], [500], ["418"], ["error", "error"],
    ),
    "services.web.expose.0.http_options.proxy_buffer_size": (1, 1048576, 1048577),
    "services.web.params.tee": ("cpu", "cpu-gpu", "gpu"),
    "services.db.params": ({"tee": "cpu-gpu"}, {"tee": "cpu"}, {"storage": {"default": {"mount": "/x"}}}),
    "services.web.params.permissions.read": (["events"], ["deployment", "logs"], ["all"]),
    "services.web.params.storage": (
        {"data": {"mount": "/data"}, "default": {"mount": "/x"}}, {"data": {}}, {"data": {"mount": "data"}},
        {"data": {"mount": "/data"}, "none": {"mount": "/n"}}, {"data": {"mount": "/data"}, "a": {}},
    ),
    "services.web.credentials.password": ("12345", "123456"),
    "services.web.credentials.email": ("a@b", "a@b.c"),
    "profiles.compute.web.resources.cpu.units": _CORES,
    "profiles.compute.web.resources.memory.size": _SIZES,
    "profiles.compute.db.resources.storage.size": _SIZES,
    "profiles.compute.web.resources.memory.attributes": ({},),
    "profiles.compute.web.resources.storage": (
        {"size": "1Gi"},
        *(
            [{"size": "1Gi"}, {"name": "data", "size": "1Gi", "attributes": attributes}]
            for attributes in (
                {"persistent": True}, {"class": "beta3"}, {"class": "ram"}, {"class": "ram", "persistent": False},
                {"class": "ram", "persistent": True}, {"class": "ram", "persistent": "true"}, {"persistent": False},
                {"class": "beta3", "persistent": False}, {"class": "beta3", "persistent": "true"},
                {"class": "default", "persistent": True}, {"class": "beta3", "persistent": "yes"}, {},
                {"class": "beta3", "persistent": True, "kind": "ssd"}, {"class": "custom", "persistent": False},
            )
        ),
        [{"size": "1Gi"}, {"name": "data", "size": "1Gi"}],
        [{"size": "1Gi"}, {"size": "2Gi"}],
        [{"size": "1Gi", "attributes": {"persistent": True, "class": "beta3"}}],
    ),
    "profiles.compute.web.resources.gpu": (
        {"units": 0}, {"units": "0"}, {"units": 1}, {"units": "1", "attributes": {"vendor": {"nvidia": None}}},
        {"units": 1, "attributes": {}}, {"units": 1, "attributes": {"vendor": None}},
        {"units": 0, "attributes": {"vendor": {"nvidia": None}}},
    ),
    "profiles.compute.web.resources.gpu.units": (2, 1.5, "2", "two", "1.5", "00"),
    "profiles.compute.web.resources.gpu.attributes.vendor": (
        {"amd": [{"model": "mi300x"}]}, {"nvidia": None}, {"nvidia": []}, {"nvidia": None, "amd": None},
    ),
    "profiles.compute.web.resources.gpu.attributes.vendor.nvidia.0.model": (
        "NVIDIA H100 80GB HBM3", "RTX A5000", "*", "A100",
    ),
    "profiles.compute.web.resources.gpu.attributes.vendor.nvidia.0.ram": ("80GB", "80Gi"),
    "profiles.compute.web.resources.gpu.attributes.vendor.nvidia.0.interface": ("pcie", "SXM", "sxm4", "PCIe"),
    "profiles.placement.any.attributes": ({"host": None}, {"host": True}, {"host": 1.0}, {"capabilities/gpu": "x"}),
    "profiles.placement.any.signedBy": ({"anyOf": None}, {"allOf": None}, {"noneOf": []}, {"anyOf": []}),
    "profiles.placement.any.pricing.web.amount": _AMOUNTS,
    "profiles.placement.any.pricing.web.denom": ("uakt", "uact", "usd", "akt", "UACT", "ibc/", "ibc/ABC"),
    "deployment.web.any.count": (1.0, 2, "2", 0.5),
    "deployment.web.any.profile": ("none",),
    "deployment.none": ({"any": {"profile": "web", "count": 1}},),
    "deployment.web": ({"elsewhere": {"profile": "web", "count": 1}},),
    "endpoints": ({}, {"front": {"kind": "ip"}, "back": {"kind": "ip"}}),
    "endpoints.front.kind": ("dns",),
    "reclamation": ({"min_window": "24h"}, {"min_window": "1d"}, {"min_window": "0h"}, {"min_window": 24}, {}),
    "include": ([], ["other.yaml"]),
}  # fmt: skip
_TEXTS = {
    "an anchor": ("{size: 512Mi}", "&a {size: 512Mi}"),
    "a merge": ("{denom: uact, amount: 1000}, db", "&p {denom: uact, amount: 1000}, other: {<<: *p, amount: 5}, db"),
    "an unknown alias": ("{size: 512Mi}", "*a"),
    "a duplicate": ("image: redis:7", "image: redis:7\n    image: redis:8"),
    "a duplicate by value": ("{host: akash}", '{1: a, "1": b}'),
    "a number as a key": ("{host: akash}", "{1: a, 2.0: b, true: c, null: d}"),
    "an octal count": ("profile: web, count: 1", "profile: web, count: 0o1"),
    "a count of 01": ("profile: web, count: 1", "profile: web, count: 01"),
    "a hexadecimal port": ("port: 8080", "port: 0x50"),
    "a binary port": ("port: 8080", "port: 0b1010"),
    "a port with an underscore": ("port: 8080", "port: 8_080"),
    "a sexagesimal port": ("port: 8080", "port: 1:20"),
    "a count of 1.0": ("profile: web, count: 1", "profile: web, count: 1.0"),
    "a count of 1e0": ("profile: web, count: 1", "profile: web, count: 1e0"),
    "a price with underscores": ("amount: 1000}, db", "amount: 1_000}, db"),
    "a price of .5": ("amount: 1000}, db", "amount: .5}, db"),
    "a price of 5.": ("amount: 1000}, db", "amount: 5.}, db"),
    "an infinite price": ("amount: 1000}, db", "amount: .inf}, db"),
    "no number": ("amount: 1000}, db", "amount: .nan}, db"),
    "yes": ("readOnly: false", "readOnly: no"),
    "True": ("readOnly: false", "readOnly: True"),
    "off": ("[error, timeout]", "[off]"),
    "a date": ("[\"A=1\"]", "[2026-11-29]"),
    "an emoji": ("A=1", "A=😀"),
    "an emoji in escapes": ("A=1", "A=\\ud83d\\ude00"),
    "another escape": ("A=1", "A=\\x41\\u00e9\\U0001F600\\/\\e"),
    "an unknown escape": ("A=1", "A=\\q"),
    "a second document": ("endpoints: {front: {kind: ip}}", "endpoints: {front: {kind: ip}}\n---\na: 1"),
    "an end": ("endpoints: {front: {kind: ip}}", "endpoints: {front: {kind: ip}}\n..."),
    "a tag": ("profile: web, count: 1", 'profile: !!str web, count: !!int "1"'),
    "an unknown tag": ("profile: web, count: 1", "profile: !mine web, count: 1"),
    "a tab": ("    image: redis:7", "\timage: redis:7"),
    "version without quotes": ('version: "2.0"', "version: 2.0"),
    "a comment": ("endpoints:", "# a comment\nendpoints:"),
    "a null key": ("endpoints:", "~: 1\nendpoints:"),
    "nothing after a key": ("    image: redis:7", "    image: redis:7\n    params:"),
}  # fmt: skip


def _case(**changes: Any) -> str:
    return yaml.safe_dump(document(**changes), sort_keys=False)


_COMPUTE = "profiles__compute__small__resources__"
_EXPOSE, _PLACEMENT = "services__web__expose__0__", "profiles__placement__anywhere__"


def _volume(attributes: dict[str, Any]) -> str:
    return _case(
        services__web__params={"storage": {"data": {"mount": "/data"}}},
        **{_COMPUTE + "storage": [{"size": "1Gi"}, {"name": "data", "size": "1Gi", "attributes": attributes}]},
    )


# Verdicts of the Console API, which chain-sdk 1.0.0-alpha.38 gives; a size in bytes it can't read, and Slipway sends
# another. The newest version on npm, 1.0.0-alpha.25, takes volumes with half their attributes.
CASES: dict[str, tuple[str, bool]] = {
    "a plain one": (_case(), True),
    "depends_on": (_case(services__web__depends_on=["db"]), False),
    "attributes that are null": (_case(**{_PLACEMENT + "attributes": None}), False),
    "a volume without class": (_volume({"persistent": True}), False),
    "a class without persistence": (_volume({"class": "beta3"}), False),
    "another vendor's GPU": (
        _case(**{_COMPUTE + "gpu": {"units": 1, "attributes": {"vendor": {"amd": [{"model": "mi300x"}]}}}}),
        False,
    ),
    "signedBy that is null": (_case(**{_PLACEMENT + "signedBy": None}), False),
    "gpu that is null": (_case(**{_COMPUTE + "gpu": None}), False),
    "attributes of memory": (_case(**{_COMPUTE + "memory__attributes": {"x": "y"}}), False),
    "cpu-gpu without GPU": (_case(services__web__params={"tee": "cpu-gpu"}), False),
    "proto http": (_case(**{_EXPOSE + "proto": "http"}), False),
    "a timeout of two minutes": (_case(**{_EXPOSE + "http_options": {"read_timeout": 120_000}}), False),
    "a timeout with a unit": (_case(**{_EXPOSE + "http_options": {"read_timeout": "60s"}}), False),
    "a price without a digit before the point": (_case(**{_PLACEMENT + "pricing__small__amount": ".5"}), False),
    "a price with an underscore": (_case(**{_PLACEMENT + "pricing__small__amount": "1_000"}), False),
    "two volumes at the root": (
        _case(
            services__web__params={"storage": {"a": {"readOnly": False}, "b": {"readOnly": True}}},
            **{_COMPUTE + "storage": [{"size": "1Gi"}, {"name": "a", "size": "1Gi"}, {"name": "b", "size": "1Gi"}]},
        ),
        False,
    ),
    "reclamation that is null": (_case(reclamation=None), False),
    "512Mb": (_case(**{_COMPUTE + "memory__size": "512Mb"}), True),
    "1gi": (_case(**{_COMPUTE + "memory__size": "1gi"}), True),
    "bytes": (_case(**{_COMPUTE + "memory__size": "1073741824"}), True),
    "an emoji in escapes": (_case().replace("image: nginx:1.27", 'image: x\n    env: ["A=\\ud83d\\ude00"]'), True),
}


def variants() -> Iterator[tuple[str, str]]:
    """Yield names and texts of some thousand SDLs."""
    yield "as it is", _WHOLE
    for path in _paths(WHOLE):
        for value in (*_ANYTHING, *_PARTICULAR.get(path, ())):
            if (made := _with(path, value)) is not None:
                yield f"{path} = {'left out' if value is DELETED else json.dumps(value)}", made
    for path in _PARTICULAR.keys() - set(_paths(WHOLE)):
        for value in _PARTICULAR[path]:
            yield f"{path} = {json.dumps(value)}", _with(path, value) or ""
    for path in ("", *(path for path, place in _paths(WHOLE).items() if isinstance(place, dict))):
        yield f"{path}: an unknown key", _with(f"{path}.x-unknown".lstrip("."), "x") or ""
    for name, (old, new) in _TEXTS.items():
        assert _WHOLE.count(old) == 1, (name, old)
        yield name, _WHOLE.replace(old, new)


def _paths(value: Any, path: str = "") -> dict[str, Any]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: dict[str, Any] = {}
    for key, member in members:
        place = f"{path}.{key}".lstrip(".")
        found |= {place: member, **_paths(member, place)}
    return found


def _with(path: str, value: Any) -> str | None:
    """Return the whole SDL as JSON with another value at a path; None where nothing can be left out."""
    made = copy.deepcopy(WHOLE)
    *steps, last = path.split(".")
    place: Any = made
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    key: Any = int(last) if isinstance(place, list) else last
    if value is DELETED:
        del place[key]
    else:
        place[key] = value
    return json.dumps(made, ensure_ascii=False)
