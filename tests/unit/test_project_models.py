"""What a project, a status change and a payment may hold."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from slipway.projects.models import MAX_UINT256, NewPayment, NewProject, Project, ProjectStatus, StatusChange

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
PROJECT = {"name": "shop", "github": "octocat/shop"}
PAYMENT = {"name": "Hosting", "amount": "1"}
CHANGE = {"status": "processing"}


def _wrong(model: type[BaseModel], body: Any) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return {".".join(str(part) for part in entry["loc"]) for entry in caught.value.errors()}


def test_defaults() -> None:
    project = NewProject.model_validate(PROJECT)
    assert (project.port, project.replicas, project.url, project.creator) == (3000, 1, None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a"),
        ("name", "x" * 20),
        ("name", "My_shop-2.0"),
        ("name", "..."),
        ("name", ".hidden"),
        ("github", "octocat/.github"),
        ("github", "https://github.com/octocat/Hello-World"),
        ("github", "https://github.com/octocat/Hello-World.git"),
        ("github", "https://github.com/octocat/Hello-World/"),
        ("port", 1),
        ("port", 65535),
        ("replicas", 1),
        ("replicas", 100),
        ("url", "http://localhost:8080/a?b=c#d"),
        ("url", "https://shop.example.com"),
        ("url", "HTTPS://shop.example.com"),
        ("url", "https://[2001:db8::1]:443/"),
        ("url", "https://a.example/" + "x" * 2030),
        ("url", None),
        ("creator", ADDRESS),
    ],
)
def test_good_values_are_taken_as_they_are(field: str, value: Any) -> None:
    assert getattr(NewProject.model_validate({**PROJECT, field: value}), field) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("name", value)
            for value in ("", "x" * 21, ".", "..", "a b", "a/b", "a%2fb", "é", "a\n", "٣", None, 7, ["a"])
        ),
        *(
            ("github", value)
            for value in (
                "",
                "octocat",
                "octocat/",
                "/shop",
                "octocat/..",
                "octocat/.git",
                "octocat/shop/tree/main",
                "octocat/shop\n",
                "-octocat/shop",
                "x" * 40 + "/shop",
                "octocat/" + "x" * 101,
                "http://github.com/octocat/shop",
                "https://github.com.evil.example/octocat/shop",
                "https://user:secret@github.com/octocat/shop",
                "https://github.com/octocat",
                "https://github.com/octocat/shop?a=b",
                "https://gitlab.com/octocat/shop",
                "git@github.com:octocat/shop.git",
                None,
                1,
            )
        ),
        *(("port", value) for value in (0, -1, 65536, True, "3000", 3000.0, 80.5, None)),
        *(("replicas", value) for value in (0, -1, 101, True, "1", 1.0, None)),
        *(
            ("url", value)
            for value in (
                "",
                "shop.example.com",
                "ftp://shop.example.com",
                "javascript:alert(1)",
                "https://",
                "https:///path",
                "https://a b.example",
                "https://shop.example.com/<script>",
                'https://shop.example.com/"',
                "https://shop.example.com\n",
                "https://shop.example.com:99999/",
                "https://shop.example.com:0/",
                "https://user:secret@shop.example.com/",
                "https://[::1/",
                "https://a.example/" + "x" * 2031,
                1,
            )
        ),
        *(("creator", value) for value in ("0x12", "alice.eth", 1)),
        ("status", "success"),
        ("id", "1"),
    ],
)
def test_bad_values_are_refused_with_the_field_named(field: str, value: Any) -> None:
    assert _wrong(NewProject, {**PROJECT, field: value}) == {field}


def test_the_specifications_other_names_are_taken() -> None:
    other = NewProject.model_validate({"app_name": "shop", "github_repo": "octocat/shop"})
    assert other == NewProject.model_validate(PROJECT)
    assert _wrong(NewProject, {"app_name": "a b", "github_repo": "octocat/shop"}) == {"app_name"}


@pytest.mark.parametrize(("one", "other"), [("name", "app_name"), ("github", "github_repo")])
def test_both_spellings_of_a_field_are_one_too_many(one: str, other: str) -> None:
    assert _wrong(NewProject, {**PROJECT, other: PROJECT[one]}) == {other}


@pytest.mark.parametrize("field", ["name", "github"])
def test_required_fields_of_a_project(field: str) -> None:
    assert _wrong(NewProject, {name: value for name, value in PROJECT.items() if name != field}) == {field}


@pytest.mark.parametrize("model", [NewProject, NewPayment, StatusChange])
@pytest.mark.parametrize("body", [None, [], "text", 1, True])
def test_a_body_that_is_no_object_is_refused(model: type[BaseModel], body: Any) -> None:
    assert _wrong(model, body) == {""}


# ── Names as path segments ──────────────────────────────────────────────────────────────────────


@given(st.text(max_size=22) | st.from_regex(r"[a-zA-Z0-9._-]{0,22}", fullmatch=True))
def test_a_name_that_is_taken_is_a_path_segment_by_itself(name: str) -> None:
    fits = re.fullmatch(r"[A-Za-z0-9._-]{1,20}", name) is not None and name not in (".", "..")
    try:
        taken = NewProject.model_validate({**PROJECT, "name": name}).name
    except ValidationError:
        assert not fits
    else:
        assert fits
        base = "https://slipway.test/deployments/"
        assert urljoin(base, taken) == base + name == base + quote(taken, safe="")


# ── Amounts ─────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(min_value=0, max_value=MAX_UINT256))
def test_every_uint256_is_kept_exactly(amount: int) -> None:
    assert NewPayment.model_validate({**PAYMENT, "amount": str(amount)}).amount == str(amount)


@given(st.integers(min_value=MAX_UINT256 + 1, max_value=10**90) | st.integers(max_value=-1))
def test_what_no_uint256_holds_is_refused(amount: int) -> None:
    assert _wrong(NewPayment, {**PAYMENT, "amount": str(amount)}) == {"amount"}


@pytest.mark.parametrize(
    "amount",
    ["", "00", "01", "+1", "-0", "1.0", "1e3", "0x1", " 1", "1\n", "1_000", "١", "１", 1, 1.0, True, None, ["1"]],
)
def test_other_spellings_of_an_amount_are_refused(amount: Any) -> None:
    assert _wrong(NewPayment, {**PAYMENT, "amount": amount}) == {"amount"}


@pytest.mark.parametrize("name", ["", "x" * 256, " padded", "a\x00b", "a\u202eb", 1, None])
def test_names_of_payments_that_are_refused(name: Any) -> None:
    assert _wrong(NewPayment, {**PAYMENT, "name": name}) == {"name"}


def test_a_payment_may_have_any_readable_name() -> None:
    for name in ("x" * 255, "Hosting – März 🚀"):
        assert NewPayment.model_validate({**PAYMENT, "name": name}).name == name


# ── Status and answers ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "value"), [("status", "done"), ("status", None), ("status", 1), ("url", "shop"), ("port", 80)]
)
def test_changes_that_are_refused(field: str, value: Any) -> None:
    assert _wrong(StatusChange, {**CHANGE, field: value}) == {field}


def test_answers_are_in_the_specifications_spelling() -> None:
    project = Project(
        id="1",
        name="shop",
        url=None,
        port=3000,
        status=ProjectStatus.PENDING,
        github="octocat/shop",
        replicas=1,
        creator=ADDRESS,
        created_at="2026-11-21T04:20:00.000Z",
    )
    shown = project.model_dump(mode="json", by_alias=True)
    assert set(shown) == {"id", "name", "url", "port", "status", "github", "replicas", "creator", "createdAt"}
    assert Project.model_validate(project.model_dump(mode="json")) == project
