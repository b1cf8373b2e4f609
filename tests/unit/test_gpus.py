"""Spellings of GPUs."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.sdl.gpus import GpuName, any_meets, gpu_of, gpu_of_attribute, parse_gpu

A100 = gpu_of("nvidia", "a100", "80Gi", "SXM4")


@pytest.mark.parametrize(
    "text",
    ["nvidia/a100", "A100", "a100-80gb", "NVIDIA A100 80GB", "a100_80Gi", "nvidia/a100/80gi/sxm", "SXM4 a100",
     "Tesla A100", "nvidia", "NVIDIA A100-SXM4-80GB", "NVIDIA A100 80 GB HBM2e"],
)  # fmt: skip
def test_every_spelling_of_an_a100_is_understood(text: str) -> None:
    assert parse_gpu(text).is_met_by(A100)


@pytest.mark.parametrize(
    "text", ["a10", "amd/a100", "amd", "a100-40gb", "a100-pcie", "h100", "nvidia/a1000", "rtx4090", "100"]
)
def test_another_gpu_is_another(text: str) -> None:
    assert not parse_gpu(text).is_met_by(A100)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RTX 4090", GpuName("", "rtx4090")),
        ("nvidia/rtx-4090-24GB", GpuName("nvidia", "rtx4090", 24)),
        ("GeForce GTX 1080 Ti", GpuName("nvidia", "gtx1080ti")),
        ("amd/MI300X", GpuName("amd", "mi300x")),
        ("h100-sxm5-80g", GpuName("", "h100", 80, "sxm")),
        ("NVIDIA H100 80GB HBM3", GpuName("nvidia", "h100", 80)),
        ("NVIDIA RTX A5000", GpuName("nvidia", "rtxa5000")),
        ("NVIDIA RTX 6000 Ada Generation", GpuName("nvidia", "rtx6000ada")),
        ("Quadro RTX 8000", GpuName("nvidia", "rtx8000")),
    ],
)
def test_the_parts_of_a_name(text: str, name: GpuName) -> None:
    assert parse_gpu(text) == name


@pytest.mark.parametrize("text", ["", "  ", "/", "80gb", "pcie", "gpu", "日本"])
def test_what_names_no_gpu(text: str) -> None:
    with pytest.raises(ValueError, match="names no GPU"):
        parse_gpu(text)


@given(st.sampled_from(["nvidia", "amd"]), st.from_regex(r"[a-z]{1,3}[0-9]{1,4}[a-z]?", fullmatch=True),
       st.integers(1, 999), st.sampled_from(["pcie", "sxm"]), st.randoms())  # fmt: skip
def test_a_name_is_met_by_the_gpu_that_it_was_made_of(
    vendor: str, model: str, ram: int, interface: str, chance: random.Random
) -> None:
    parts = [vendor, model, f"{ram}GB", interface]
    chance.shuffle(parts)
    name = parse_gpu(chance.choice(["/", "-", " ", "_"]).join(chance.choice([str.upper, str.lower])(p) for p in parts))
    gpu = gpu_of(vendor, model, f"{ram}Gi", interface)
    if model[0].isalpha() and not model.startswith("g"):
        assert name == gpu
        assert name.is_met_by(gpu)


def test_workstation_cards_are_met_with_and_without_rtx() -> None:
    assert parse_gpu("RTX A5000").is_met_by(gpu_of("nvidia", "a5000"))
    assert parse_gpu("a5000").is_met_by(gpu_of("nvidia", "rtxa5000"))
    assert not parse_gpu("rtx5000").is_met_by(gpu_of("nvidia", "rtxa5000"))


def test_what_is_not_reported_of_a_gpu_is_not_held_against_it() -> None:
    assert parse_gpu("a100-80gb-sxm").is_met_by(gpu_of("", "a100"))
    assert not parse_gpu("a100").is_met_by(gpu_of("nvidia", ""))
    assert any_meets(parse_gpu("h100"), [A100, gpu_of("nvidia", "H100")])
    assert not any_meets(parse_gpu("h100"), [])


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("vendor/nvidia/model/a100/ram/80Gi/interface/sxm", GpuName("nvidia", "a100", 80, "sxm")),
        ("capabilities/gpu/vendor/nvidia/model/t4", GpuName("nvidia", "t4")),
        ("vendor/nvidia/model/*", GpuName("nvidia")),
        ("capabilities/storage/1/class", None),
        ("", None),
    ],
)
def test_attributes_of_the_chain(key: str, name: GpuName | None) -> None:
    assert gpu_of_attribute(key) == name
