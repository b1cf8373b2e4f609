"""Names, symbols, and who may launch."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.chain.models import FINAL, Look, Progress
from slipway.errors import ForbiddenError, ModelNotFoundError, ModelNotValidatedError
from slipway.tokens.models import ModelMetadata, ModelState
from slipway.tokens.rules import (
    SIGNING,
    Step,
    after_look,
    aftermath,
    can_resume,
    cost_of,
    default_name,
    model_refusal,
    resume_pause,
    symbol_candidates,
    to_sign,
)
from tests.support.wallets import ADMIN, ALICE, BOB

OWNER, CONTRIBUTOR, STRANGER = ALICE.address, BOB.address, ADMIN.address


def _model(state: ModelState) -> ModelMetadata:
    return ModelMetadata(model_id="m", owner=OWNER, contributors=(CONTRIBUTOR,), state=state)


@given(st.text(min_size=1, max_size=64))
def test_symbols_fit_differ_and_never_change(model_id: str) -> None:
    candidates = list(symbol_candidates(model_id))
    assert len(candidates) >= 5
    assert len(set(candidates)) == len(candidates)
    assert all(re.fullmatch(r"[A-Z0-9-]{1,10}", candidate) for candidate in candidates)
    assert candidates == list(symbol_candidates(model_id))


@pytest.mark.parametrize(
    ("model_id", "first"),
    [("sentiment-v2", "SENTIMENTV"), ("gpt", "GPT"), ("a", "HKSA"), ("llama 3.1", "LLAMA31")],
)
def test_the_first_symbol_is_the_models_own_letters(model_id: str, first: str) -> None:
    assert next(symbol_candidates(model_id)) == first


def test_models_with_the_same_letters_have_other_symbols_to_go_to() -> None:
    one, other = list(symbol_candidates("sentiment-v2")), list(symbol_candidates("sentiment v2"))
    assert one[0] == other[0]
    assert not set(one[1:]) & set(other[1:])


def test_a_model_without_latin_letters_gets_a_fingerprint_at_once() -> None:
    assert "-" in next(symbol_candidates("模型"))
    assert next(symbol_candidates("模型")) != next(symbol_candidates("模特"))


def test_default_name() -> None:
    assert default_name("sentiment-v2") == "Hokusai sentiment-v2"


@pytest.mark.parametrize(
    ("state", "wallet", "refusal"),
    [
        (ModelState.VALIDATED, OWNER, None),
        (ModelState.VALIDATED, CONTRIBUTOR, None),
        (ModelState.VALIDATED, STRANGER, ForbiddenError),
        (ModelState.REGISTERED, OWNER, ModelNotValidatedError),
        (ModelState.REJECTED, CONTRIBUTOR, ModelNotValidatedError),
        # A stranger is not told how far the model is.
        (ModelState.REGISTERED, STRANGER, ForbiddenError),
        (None, OWNER, ModelNotFoundError),
    ],
)
def test_who_may_launch_what(state: ModelState | None, wallet: str, refusal: type[Exception] | None) -> None:
    found = model_refusal(_model(state) if state else None, wallet)
    assert (type(found) if found else None) is refusal


def test_the_cost_is_what_is_written_down_or_gas_times_price() -> None:
    assert cost_of(21_000, "10", None) == 210_000
    assert cost_of(21_000, "10", "250000") == 250_000
    assert cost_of(None, None, None) is None


# Every state of a launch's two transactions, unsigned ones included.
LOOKS = [
    {name: Look(progress, 1) for name, progress in (("deploy", deploy), ("register", register)) if progress}
    for deploy in (None, *Progress)
    for register in (None, *Progress)
    if deploy or not register
]


@pytest.mark.parametrize("looks", LOOKS, ids=str)
def test_nothing_is_signed_while_anything_is_open_or_has_its_effect(looks: dict[str, Look]) -> None:
    purposes = to_sign(looks)
    if any(found.progress not in FINAL for found in looks.values()):
        assert purposes == ()
    for purpose in purposes:
        assert (
            purpose not in looks
            or looks[purpose].progress in (Progress.VOID, Progress.CANCELLED)
            or (purpose == "register" and "deploy" in purposes)
        )
    if "deploy" in purposes:
        assert "register" in purposes, "a registration is bound to the address of its token"
        assert "deploy" not in looks or looks["deploy"].progress is Progress.VOID
    elif purposes:
        assert looks["deploy"].progress is Progress.CONFIRMED


@pytest.mark.parametrize("looks", LOOKS, ids=str)
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("called_off", [True, False])
def test_a_launch_always_has_a_step_and_signs_only_what_is_to_sign(
    looks: dict[str, Look], late: bool, called_off: bool
) -> None:
    step = after_look(looks, late=late, called_off=called_off, asked=False)
    assert (step is Step.SIGN) == bool(to_sign(looks))
    is_open = any(found.progress not in FINAL for found in looks.values())
    assert (step is Step.DONE) == (not is_open and not to_sign(looks))
    if step is Step.CANCEL:
        assert late
        assert not called_off
        assert looks["deploy"].progress not in FINAL
    # What nobody has seen is sent, even if its launch needs something else by now: no nonce stays open behind it.
    progress = {purpose: found.progress for purpose, found in looks.items()}
    if (progress.get("deploy"), progress.get("register")) == (Progress.VOID, Progress.MISSING):
        assert step is Step.BROADCAST
    asked = after_look(looks, late=late, called_off=called_off, asked=True)
    assert asked is (Step.CONFIRM if step in SIGNING else step)


@pytest.mark.parametrize("looks", LOOKS, ids=str)
@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("called_off", [True, False])
@pytest.mark.parametrize("executions", [1, 20])
def test_a_model_is_let_go_only_when_nothing_is_open_and_nothing_follows(
    looks: dict[str, Look], sent: bool, called_off: bool, executions: int
) -> None:
    left = aftermath(looks, sent=sent, called_off=called_off, executions=executions, code="DEPLOYMENT_FAILED")
    is_open = any(found.progress not in FINAL for found in looks.values())
    assert not (left.release and (left.resume or is_open))
    assert left.release or left.resume or is_open, "no lock outlives a launch whose nonces are all settled"
    if executions == 20:
        assert not left.resume
    if left.resume:
        assert can_resume(looks, called_off=called_off, code="DEPLOYMENT_FAILED")
    other = aftermath(looks, sent=sent, called_off=called_off, executions=executions, code="TOKEN_EXISTS")
    assert not other.resume


def test_pauses_before_a_launch_is_taken_up_again_double_up_to_an_hour() -> None:
    assert [resume_pause(executions) for executions in range(1, 10)] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
