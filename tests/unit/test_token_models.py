"""What a token request may hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.addresses import to_checksum
from slipway.amounts import format_amount
from slipway.tokens.models import DeployTokenRequest, ModelEntry
from slipway.tokens.rules import shares

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
REQUEST = {"model_id": "sentiment-v2", "user_address": ADDRESS}
ENTRY = {"owner": ADDRESS, "state": "validated"}


def _fields(error: ValidationError) -> set[str]:
    return {".".join(str(part) for part in entry["loc"]) for entry in error.errors()}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_id", "m"),
        ("model_id", "x" * 64),
        ("model_id", "模型-7"),
        ("model_id", "org/model:1.0 beta"),
        ("model_id", "é"),
        ("user_address", ADDRESS.lower()),
        ("user_address", "0x" + ADDRESS[2:].upper()),
        ("token_name", "T"),
        ("token_name", "x" * 50),
        ("token_name", "Τόκεν 🚀"),
        ("token_name", None),
        ("token_symbol", "A"),
        ("token_symbol", "ABC-123456"),
        ("token_symbol", None),
        ("auth_token", "anything"),
    ],
)
def test_good_values_are_taken(field: str, value: Any) -> None:
    taken = getattr(DeployTokenRequest.model_validate({**REQUEST, field: value}), field)
    assert taken == (ADDRESS if field == "user_address" else value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_id", ""),
        ("model_id", "x" * 65),
        ("model_id", None),
        ("model_id", 7),
        ("model_id", ["m"]),
        ("model_id", " m"),
        ("model_id", "m "),
        ("model_id", "a\nb"),
        ("model_id", "a\x00b"),
        ("model_id", "a\x7fb"),
        ("model_id", "a\u202eb"),  # right-to-left override
        ("model_id", "a\u200bb"),  # zero-width space
        ("model_id", "a\u200db"),  # zero-width joiner
        ("model_id", "a\u00adb"),  # soft hyphen
        ("model_id", "a\u2028b"),  # line separator
        ("model_id", "a\u00a0b"),  # no-break space
        ("model_id", "a\ufeffb"),  # byte order mark
        ("model_id", "e\u0301"),  # é that is not composed
        ("model_id", "\ue000"),  # private use
        ("model_id", "\ud800"),  # half a surrogate pair
        ("user_address", "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"),  # wrong checksum
        ("user_address", ADDRESS[:-1]),
        ("user_address", ADDRESS + "00"),
        ("user_address", "alice.eth"),
        ("user_address", None),
        ("user_address", 1),
        ("token_name", ""),
        ("token_name", "x" * 51),
        ("token_name", "two\tparts"),
        ("token_name", " padded "),
        ("token_symbol", ""),
        ("token_symbol", "ABCDEFGHIJK"),
        ("token_symbol", "abc"),
        ("token_symbol", "A B"),
        ("token_symbol", "ABC\n"),
        ("token_symbol", "ÄBC"),
        ("token_symbol", "ＡＢＣ"),  # full-width letters
        ("token_symbol", "A٣"),  # an Arabic-Indic digit
        ("token_symbol", 123),
        ("auth_token", 1),
        ("auth_token", "x" * 8193),
        ("sdl", "version: 2"),
        ("constructor", {}),
    ],
)
def test_bad_values_are_refused_with_the_field_named(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        DeployTokenRequest.model_validate({**REQUEST, field: value})
    assert _fields(caught.value) == {field}


def _holder(number: int) -> str:
    return to_checksum(f"0x{number:040x}")


MOST = 2**256 - 1
WHOLE, FRACTION = str(MOST)[:-18], str(MOST)[-18:]


@pytest.mark.parametrize(
    "supply",
    [
        {"initial_supply": "0"},
        {"initial_supply": "1000000.5"},
        {"initial_supply": "0.000000000000000001", "max_supply": "0.000000000000000001"},
        {"initial_supply": f"{WHOLE}.{FRACTION}", "max_supply": f"{WHOLE}.{FRACTION}"},
        {"max_supply": "7"},
        {"initial_supply": "3", "allocations": []},
        {"initial_supply": "3", "allocations": [{"address": _holder(n), "amount": "1"} for n in (1, 2, 3)]},
        {"initial_supply": "200", "allocations": [{"address": _holder(n + 1), "amount": "1"} for n in range(200)]},
    ],
)
def test_good_supplies_are_taken(supply: dict[str, Any]) -> None:
    taken = DeployTokenRequest.model_validate({**REQUEST, **supply}).model_dump()
    assert {name: taken[name] for name in supply} == supply


@pytest.mark.parametrize(
    ("supply", "field"),
    [
        *(
            ({field: value}, field)
            for field in ("initial_supply", "max_supply")
            for value in (
                "-1",
                "+1",
                "1e3",
                "",
                " 1",
                "1.",
                ".5",
                "01",
                "1,000",
                "NaN",
                "0x1",
                "٣",
                1,
                1.5,
                True,
                "1" * 101,
            )
        ),
        ({"initial_supply": "0.0000000000000000001"}, "initial_supply"),
        ({"initial_supply": str(MOST)}, "initial_supply"),
        ({"max_supply": f"{WHOLE}.{int(FRACTION) + 1:018d}"}, "max_supply"),
        ({"initial_supply": "2", "max_supply": "1.999999999999999999"}, "max_supply"),
        ({"allocations": [{"address": _holder(1), "amount": "1"}]}, "allocations"),
        ({"max_supply": "5", "allocations": [{"address": _holder(1), "amount": "1"}]}, "allocations"),
        (
            {"initial_supply": "1", "allocations": [{"address": _holder(n), "amount": "0.6"} for n in (1, 2)]},
            "allocations",
        ),
        (
            {"initial_supply": "9", "allocations": [{"address": ADDRESS, "amount": "1"}] * 2},
            "allocations",
        ),
        (
            {
                "initial_supply": "9",
                "allocations": [{"address": one, "amount": "1"} for one in (ADDRESS, ADDRESS.lower())],
            },
            "allocations",
        ),
        (
            {"initial_supply": "999", "allocations": [{"address": _holder(n + 1), "amount": "1"} for n in range(201)]},
            "allocations",
        ),
        ({"initial_supply": "1", "allocations": [{"address": _holder(0), "amount": "1"}]}, "allocations.0.address"),
        ({"initial_supply": "1", "allocations": [{"address": "alice.eth", "amount": "1"}]}, "allocations.0.address"),
        (
            {"initial_supply": "1", "allocations": [{"address": ADDRESS[:-1] + "9", "amount": "1"}]},
            "allocations.0.address",
        ),
        ({"initial_supply": "1", "allocations": [{"address": ADDRESS, "amount": "0"}]}, "allocations.0.amount"),
        ({"initial_supply": "1", "allocations": [{"address": ADDRESS, "amount": "0.0"}]}, "allocations.0.amount"),
        ({"initial_supply": "1", "allocations": [{"address": ADDRESS, "amount": 1}]}, "allocations.0.amount"),
        ({"initial_supply": "1", "allocations": [{"address": ADDRESS}]}, "allocations.0.amount"),
        ({"initial_supply": "1", "allocations": [{"address": ADDRESS, "amount": "1", "x": 1}]}, "allocations.0.x"),
        ({"initial_supply": "1", "allocations": {}}, "allocations"),
    ],
)
def test_bad_supplies_are_refused_with_the_field_named(supply: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DeployTokenRequest.model_validate({**REQUEST, **supply})
    assert _fields(caught.value) == {field}


@given(
    shares_=st.lists(st.integers(1, 2**100), max_size=20),
    rest=st.integers(0, 2**100),
    is_among=st.booleans(),
)
def test_a_supply_is_given_out_whole(shares_: list[int], rest: int, is_among: bool) -> None:
    allocations = [
        {"address": ADDRESS if is_among and not place else _holder(place + 1), "amount": format_amount(amount, 18)}
        for place, amount in enumerate(shares_)
    ]
    supply = {"initial_supply": format_amount(sum(shares_) + rest, 18), "allocations": allocations}
    body = DeployTokenRequest.model_validate({**REQUEST, **supply})
    found = shares(str(body.initial_supply), [one.model_dump() for one in body.allocations or []], ADDRESS)
    assert sum(found.values()) == sum(shares_) + rest
    assert all(found.values())
    for entry, amount in zip(allocations, shares_, strict=True):
        assert found[entry["address"]] == amount + (rest if entry["address"] == ADDRESS else 0)
    assert found.keys() - {entry["address"] for entry in allocations} <= {ADDRESS}


@pytest.mark.parametrize("field", ["model_id", "user_address"])
def test_required_fields(field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DeployTokenRequest.model_validate({name: value for name, value in REQUEST.items() if name != field})
    assert _fields(caught.value) == {field}


@pytest.mark.parametrize("body", [None, [], "text", 1, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        DeployTokenRequest.model_validate(body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner", "nobody"),
        ("contributors", [ADDRESS, "0x1"]),
        ("contributors", [ADDRESS] * 201),
        ("state", "shiny"),
        ("metrics", {"accuracy": float("nan")}),
        ("metrics", {"accuracy": float("inf")}),
        ("metrics", {"accuracy": "NaN"}),
        ("metrics", {"accuracy": "high"}),
        ("improvement", float("-inf")),
        ("validated_at", "x" * 41),
        ("secret", 1),
    ],
)
def test_bad_catalogue_entries_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ModelEntry.model_validate({**ENTRY, field: value})
    assert {name.split(".")[0] for name in _fields(caught.value)} == {field}


def test_a_catalogue_entry_is_taken() -> None:
    entry = ModelEntry.model_validate({**ENTRY, "contributors": [ADDRESS.lower()], "metrics": {"accuracy": 1}})
    assert entry.contributors == [ADDRESS]
    assert entry.metrics == {"accuracy": 1.0}
