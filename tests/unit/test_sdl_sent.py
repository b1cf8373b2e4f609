"""What is sent to Akash for an SDL, and the cases of which the Console API's verdict is known."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.sdl.denominations import USDC
from slipway.akash.sdl.normalise import deployable, size_text
from slipway.akash.sdl.parser import parse_sdl, parse_size
from slipway.errors import InvalidSdlError
from tests.support.sdl_variants import CASES
from tests.support.workloads import sdl

MEMORY = "profiles__compute__small__resources__memory__size"
GPU = "profiles__compute__small__resources__gpu"
PRICE = "profiles__placement__anywhere__pricing__small"


def sent(**changes: Any) -> Any:
    return yaml.safe_load(deployable(sdl(**changes)))


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_on_a_known_case(name: str) -> None:
    text, taken = CASES[name]
    if taken:
        parse_sdl(text)
    else:
        with pytest.raises(InvalidSdlError) as caught:
            parse_sdl(text)
        assert [entry["field"] for entry in (caught.value.details or {})["fields"]] != ["sdl"]


def test_what_needs_no_change_is_sent_as_it_is() -> None:
    text = "# mine\n" + yaml.safe_dump(json.loads(sdl(services__web__env=["A=😀"])))
    assert deployable(text) == text


@pytest.mark.parametrize(
    ("given", "size"),
    [("1073741824", "1Gi"), ("512Mb", "512M"), ("1GB", "1G"), ("8gb", "8G"), ("1gi", "1Gi"), ("512MiB", "512Mi"),
     ("1.5Gi", "1536Mi"), ("1000001", "977Ki"), ("512Mi", "512Mi")],
)  # fmt: skip
def test_a_size_is_sent_as_the_console_api_reads_it(given: str, size: str) -> None:
    resources = sent(**{MEMORY: given})["profiles"]["compute"]["small"]["resources"]
    assert resources["memory"]["size"] == size


@given(st.integers(1, 2**50))
def test_a_size_that_is_sent_is_at_least_what_was_asked(size: int) -> None:
    assert size <= parse_size(size_text(size)) < size + 1024


@pytest.mark.parametrize(("given", "units"), [("500m", "500m"), (0.5, 0.5), ("500M", "500m"), (0.0001, "1m"), (1, 1)])
def test_cores_are_whole_thousandths(given: Any, units: Any) -> None:
    document = sent(profiles__compute__small__resources__cpu__units=given)
    assert document["profiles"]["compute"]["small"]["resources"]["cpu"]["units"] == units


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ({"model": "NVIDIA H100 80GB HBM3"}, {"model": "h100", "ram": "80Gi"}),
        ({"model": "RTX A5000"}, {"model": "rtxa5000"}),
        ({"model": "A100", "ram": "80GB", "interface": "sxm"}, {"model": "a100", "ram": "80Gi", "interface": "sxm"}),
        ({"model": "a100", "ram": "80Gi"}, {"model": "a100", "ram": "80Gi"}),
        ({"ram": "80Gi"}, {"model": "*", "ram": "80Gi"}),
    ],
)
def test_a_gpu_is_sent_as_providers_name_it(given: dict[str, str], model: dict[str, str]) -> None:
    document = sent(**{GPU: {"units": 1, "attributes": {"vendor": {"nvidia": [given]}}}})
    gpu = document["profiles"]["compute"]["small"]["resources"]["gpu"]
    assert gpu["attributes"]["vendor"] == {"nvidia": [model]}


def test_an_empty_list_of_gpus_is_any() -> None:
    document = sent(**{GPU: {"units": 1, "attributes": {"vendor": {"nvidia": []}}}})
    assert document["profiles"]["compute"]["small"]["resources"]["gpu"]["attributes"]["vendor"] == {"nvidia": None}


def test_prices_are_sent_without_exponent_and_in_uact() -> None:
    document = sent(**{PRICE: {"denom": USDC, "amount": 1e-7}})
    assert document["profiles"]["placement"]["anywhere"]["pricing"]["small"] == {"denom": "uact", "amount": "0.0000001"}


def test_what_looks_like_a_variable_of_a_template_is_escaped() -> None:
    text = deployable(sdl(services__web__args=["echo ${HOME} $$ {x}"]))
    assert "${" not in text
    assert json.loads(text)["services"]["web"]["args"] == ["echo ${HOME} $$ {x}"]
    assert yaml.safe_load(text)["services"]["web"]["args"] == ["echo ${HOME} $$ {x}"]
