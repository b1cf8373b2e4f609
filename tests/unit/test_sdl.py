"""What an SDL may say, where its mistakes are, and what it adds up to."""

from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.sdl.parser import MAX_BYTES, Totals, fingerprint, parse_cpu, parse_sdl, parse_size
from slipway.errors import InvalidSdlError
from tests.support.template import ROOT
from tests.support.workloads import document, sdl

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
GPU = {"units": 1, "attributes": {"vendor": {"nvidia": [{"model": "A100", "ram": "80Gi", "interface": "sxm"}]}}}

WORDPRESS = """
---
version: '2.0'
services:
  wordpress:
    image: wordpress
    dependencies: [{service: db}]
    expose:
      - port: 80
        http_options: {max_body_size: 104857600, read_timeout: 30000, next_cases: [off]}
        accept: [blog.example.com]
        to: [{global: true}]
    env:
      - WORDPRESS_DB_HOST=db
    params: {storage: {wordpress-data: {mount: /var/www/html, readOnly: false}}}
  db:
    image: mariadb:10.6.4
    command: null
    expose:
      - {port: 3306, proto: TCP, to: [{service: wordpress}]}
profiles:
  compute:
    wordpress:
      resources:
        cpu: {units: 4}
        memory: {size: 4Gi}
        gpu: {units: 0}
        storage:
          - size: 4Gi
          - {name: wordpress-data, size: 32Gi, attributes: {persistent: true, class: beta3}}
    db:
      resources: {cpu: {units: 0.25}, memory: {size: 1Gi}, storage: {size: 1G}}
  placement:
    akash:
      attributes: {host: akash}
      signedBy: {anyOf: [akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63]}
      pricing:
        wordpress: {denom: uakt, amount: 10000}
        db: {denom: ibc/170C677610AC31DF0904FFE09CD3B5C657492170E7E52372E48756B71E56F2F1, amount: "0.5"}
deployment:
  wordpress: {akash: {profile: wordpress, count: 2}}
  db: {akash: {profile: db, count: 1}}
"""


def test_a_whole_sdl_is_understood() -> None:
    workload = parse_sdl(WORDPRESS)
    assert workload.services == ("wordpress", "db")
    assert workload.groups == ("akash",)
    gib = 2**30
    assert workload.totals == Totals(cpu=8250, memory=9 * gib, storage=72 * gib + 10**9, gpus=0)


def test_the_example_of_the_documents_can_be_deployed() -> None:
    assert parse_sdl((ROOT / "docs" / "examples" / "web.yaml").read_text()).services == ("web",)


def test_groups_and_gpus_are_reported() -> None:
    workload = parse_sdl(
        sdl(
            profiles__compute__small__resources__gpu=GPU,
            profiles__placement__second=document()["profiles"]["placement"]["anywhere"],
            deployment__web__second={"profile": "small", "count": 3},
        )
    )
    assert workload.groups == ("anywhere", "second")
    assert workload.gpu_models == ("nvidia/a100",)
    assert workload.totals.gpus == 4
    assert workload.totals.cpu == 2000


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"version": 2.0}, "version", "in quotes"),
        ({"version": "3.0"}, "version", "in quotes"),
        ({"services": ...}, "services", "is missing"),
        ({"extra": 1}, "extra", "not a field"),
        ({"services__web__image": ...}, "services.web.image", "is missing"),
        ({"services__web__image": ""}, "services.web.image", "at least 1"),
        ({"services__web__images": "x"}, "services.web.images", "not a field"),
        ({"services__web__env": ["A=1", 5]}, "services.web.env[1]", "valid string"),
        ({"services__web__command": "run"}, "services.web.command", "valid list"),
        ({"services__web__expose__0__port": 0}, "services.web.expose[0].port", "greater than or equal to 1"),
        ({"services__web__expose__0__port": 65536}, "services.web.expose[0].port", "less than or equal to 65535"),
        ({"services__web__expose__0__port": "80"}, "services.web.expose[0].port", "valid integer"),
        ({"services__web__expose__0__port": True}, "services.web.expose[0].port", "valid integer"),
        ({"services__web__expose__0__as": 70000}, "services.web.expose[0].as", "65535"),
        ({"services__web__expose__0__proto": "sctp"}, "services.web.expose[0].proto", "'tcp' or 'udp'"),
        ({"services__web__expose__0__to": [{"service": "db"}]}, "services.web.expose[0].to[0].service", "'db' is not"),
        ({"services__web__expose__0__to": []}, "services", "no service is reachable"),
        ({"services__web__expose__0__to": [{"global": "yes"}]}, "services.web.expose[0].to[0].global", "valid boolean"),
        ({"services__web__expose__0__http_options": {"max_body_size": 2**40}},
         "services.web.expose[0].http_options.max_body_size", "104857600"),
        ({"services__web__expose__0__http_options": {"buffer": 1}},
         "services.web.expose[0].http_options.buffer", "not a field"),
        ({"services__web__expose__0__to": [{"global": True, "ip": "front"}]},
         "services.web.expose[0].to[0].ip", "'front' is not in endpoints"),
        ({"services__web__expose__0__to": [{"ip": "front"}], "endpoints": {"front": {"kind": "ip"}}},
         "services.web.expose[0].to[0].global", "must be true"),
        ({"endpoints": {"front": {"kind": "ip"}}}, "endpoints.front", "is used by no service"),
        ({"endpoints": {"Front!": {"kind": "ip"}}}, "endpoints.Front!", "match pattern"),
        ({"services__Web": {"image": "x"}}, "services.Web", "match pattern"),
        ({"services__web__depends_on": ["db"]}, "services.web.depends_on", "not a field"),
        ({"services__web__dependencies": [{"service": "db"}]}, "services.web.dependencies[0].service", "'db'"),
        ({"services__web__credentials": {"host": "h", "username": "u"}},
         "services.web.credentials.password", "is missing"),
        ({"services__db": {"image": "x"}}, "deployment.db", "is missing"),
        ({"deployment__db": {"anywhere": {"profile": "small", "count": 1}}}, "deployment.db", "is not a service"),
        ({"deployment__web__anywhere__count": 0}, "deployment.web.anywhere.count", "greater than or equal to 1"),
        ({"deployment__web__anywhere__profile": "big"}, "deployment.web.anywhere.profile", "not in profiles.compute"),
        ({"deployment__web__nowhere": {"profile": "small", "count": 1}},
         "deployment.web.nowhere", "not in profiles.placement"),
        ({"profiles__placement__anywhere__pricing": {"other": {"denom": "uact", "amount": 1}}},
         "profiles.placement.anywhere.pricing.small", "is missing"),
        ({"profiles__placement__anywhere__pricing__small__amount": 0},
         "profiles.placement.anywhere.pricing.small.amount", "greater than 0"),
        ({"profiles__placement__anywhere__pricing__small__amount": "1_000"},
         "profiles.placement.anywhere.pricing.small.amount", "greater than 0"),
        ({"profiles__placement__anywhere__pricing__small__amount": ".5"},
         "profiles.placement.anywhere.pricing.small.amount", "greater than 0"),
        ({"profiles__placement__anywhere__pricing__small__amount": "NaN"},
         "profiles.placement.anywhere.pricing.small.amount", "greater than 0"),
        ({"profiles__placement__anywhere__pricing__small__denom": "usd"},
         "profiles.placement.anywhere.pricing.small.denom", "match pattern"),
        ({"profiles__compute__small__resources__cpu__units": "2x"},
         "profiles.compute.small.resources.cpu.units", "number of cores"),
        ({"profiles__compute__small__resources__cpu__units": 0},
         "profiles.compute.small.resources.cpu.units", "more than 0"),
        ({"profiles__compute__small__resources__memory__size": "512 Mi"},
         "profiles.compute.small.resources.memory.size", '"512Mi"'),
        ({"profiles__compute__small__resources__memory__size": 512},
         "profiles.compute.small.resources.memory.size", '"512Mi"'),
        ({"profiles__compute__small__resources__storage": {"size": "9000000Ei"}},
         "profiles.compute.small.resources.storage.size", "too large"),
        ({"profiles__compute__small__resources__storage": []},
         "profiles.compute.small.resources.storage", "at least 1"),
        ({"profiles__compute__small__resources__storage": [{"size": "1Gi"}, {"size": "2Gi"}]},
         "profiles.compute.small.resources.storage[1].name", "given twice"),
        ({"profiles__compute__small__resources__storage": [
            {"name": "data", "size": "1Gi", "attributes": {"persistent": "true", "class": "beta3"}}]},
         "services.web.params.storage.data.mount", "a persistent volume needs one"),
        ({"profiles__compute__small__resources__storage": [
            {"name": "shm", "size": "1Gi", "attributes": {"persistent": True, "class": "ram"}}]},
         "profiles.compute.small.resources.storage[0].attributes", "can't be persistent"),
        ({"services__web__params": {"storage": {"data": {"mount": "/data"}}}},
         "services.web.params.storage.data", "not a volume"),
        ({"services__web__params": {"storage": {"default": {"mount": "data"}}}},
         "services.web.params.storage.default.mount", "match pattern"),
        ({"profiles__compute__small__resources__gpu": {"units": 1}},
         "profiles.compute.small.resources.gpu.attributes", "is missing"),
        ({"profiles__compute__small__resources__gpu": {**GPU, "units": 0}},
         "profiles.compute.small.resources.gpu.attributes", "must not be given"),
        ({"profiles__compute__small__resources__gpu": {**GPU, "units": -1}},
         "profiles.compute.small.resources.gpu.units", "whole number"),
        ({"profiles__compute__small__resources__gpu": {"units": 1, "attributes": {"vendor": {"acme": None}}}},
         "profiles.compute.small.resources.gpu.attributes.vendor.acme", "'nvidia'"),
        ({"profiles__compute__small__resources__gpu": {"units": "0"}},
         "profiles.compute.small.resources.gpu.units", "the number 0"),
        ({"profiles__compute__small__resources__gpu": {
            "units": 1, "attributes": {"vendor": {"nvidia": [{"model": "a100", "interface": "SXM4"}]}}}},
         "profiles.compute.small.resources.gpu.attributes.vendor.nvidia[0].interface", "'pcie' or 'sxm'"),
        ({"services__web__params": {"tee": "cpu-gpu"}}, "services.web.params.tee", "needs GPUs"),
        ({"services__web__params": {"storage": {"a": {}, "b": {}}},
          "profiles__compute__small__resources__storage": [{"name": "a", "size": "1Gi"}, {"name": "b", "size": "1Gi"}]},
         "services.web.params.storage.b.mount", "is missing, as that of 'a' too"),
        ({"services__web__params": {"storage": {"default": {"mount": "/x"}}}},
         "services.web.params.storage.default", "not a volume"),
        ({"profiles__compute__small__resources__storage": [
            {"name": "data", "size": "1Gi", "attributes": {"persistent": False, "class": "beta3"}}]},
         "profiles.compute.small.resources.storage[0].attributes", "must be persistent"),
        ({"services__web__expose__0__http_options": {"next_cases": ["off", "error"]}},
         "services.web.expose[0].http_options.next_cases", "stands alone"),
        ({"profiles__placement__anywhere__attributes": None}, "profiles.placement.anywhere.attributes", "is empty"),
        ({"profiles__placement__anywhere__signedBy": None}, "profiles.placement.anywhere.signedBy", "is empty"),
        ({"services__web__expose__0__to": None}, "services.web.expose[0].to", "valid list"),
        ({"reclamation": None}, "reclamation", "is empty"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_path(changes: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(InvalidSdlError) as caught:
        parse_sdl(sdl(**changes))
    fields = (caught.value.details or {})["fields"]
    assert path in {entry["field"] for entry in fields}, fields
    assert any(entry["field"] == path and reason in entry["message"] for entry in fields), fields
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["", "[]", "5", "a: [", "a: 1\na: 2"])
def test_what_is_no_sdl_at_all(text: str) -> None:
    with pytest.raises(InvalidSdlError) as caught:
        parse_sdl(text)
    assert [entry["field"] for entry in (caught.value.details or {})["fields"]] == ["sdl"]


def test_the_size_is_bounded_in_bytes() -> None:
    text = sdl()
    parse_sdl(text + " " * (MAX_BYTES - len(text)))
    for padding in (" " * (MAX_BYTES - len(text) + 1), "#" + "é" * (MAX_BYTES // 2)):
        with pytest.raises(InvalidSdlError, match="larger than 65536 bytes"):
            parse_sdl(text + "\n" + padding)


def test_several_mistakes_are_reported_at_once_and_bounded() -> None:
    with pytest.raises(InvalidSdlError) as caught:
        parse_sdl(sdl(**{f"services__web{index}": {} for index in range(40)}))
    assert len((caught.value.details or {})["fields"]) == 20


@given(st.decimals("0.001", 10**6, places=3), st.sampled_from(sorted(UNITS)))
def test_sizes_are_rounded_up_to_whole_bytes(number: Decimal, unit: str) -> None:
    found = parse_size(f"{number:f}{unit}")
    exact = number * UNITS[unit]
    assert exact <= found < exact + 1


@pytest.mark.parametrize(
    ("text", "size"),
    [("512Mb", 512 * 10**6), ("1GB", 10**9), ("8gb", 8 * 10**9), ("1gi", 2**30), ("512MiB", 2**29), (".5Gi", 2**29)],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.integers(1, 10**9))
def test_a_size_without_unit_is_bytes(number: int) -> None:
    assert parse_size(str(number)) == number


@given(st.decimals("0.001", 10**5, places=4))
def test_cores_and_thousandths_agree(cores: Decimal) -> None:
    expected = int((cores * 1000).to_integral_value(ROUND_CEILING))
    assert parse_cpu(f"{cores:f}") == parse_cpu(f"{cores * 1000:f}m") == expected


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
PLACES = (
    *("services", "services__web", "services__web__params", "deployment", "deployment__web", "endpoints"),
    *("profiles", "profiles__compute", "profiles__placement__anywhere"),
)


@given(st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4), st.sampled_from(PLACES))
def test_whatever_stands_anywhere_is_refused_in_order(value: Any, where: str) -> None:
    told = []
    try:
        parse_sdl(sdl(**{where: value}))
    except InvalidSdlError as error:
        told = (error.details or {})["fields"]
    assert all(entry["field"] and entry["message"] for entry in told)


def test_the_fingerprint_is_of_the_text() -> None:
    assert fingerprint(sdl()) == fingerprint(sdl())
    assert fingerprint(sdl()) != fingerprint(sdl() + "\n")
