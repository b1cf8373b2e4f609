"""Names, symbols, and who may launch."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.chain.models import FINAL, Progress, TransactionState
from slipway.errors import ForbiddenError, ModelNotFoundError, ModelNotValidatedError
from slipway.tokens.models import PURPOSES, ModelMetadata, ModelState, Purpose
from slipway.tokens.rules import (
    SIGNING,
    Step,
    can_resume,
    cost_of,
    default_name,
    failure_outcome,
    model_refusal,
    next_step,
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


# Every state of a launch's transactions, unsigned ones included, with and without a supply to distribute.
EVERY_STATE = [
    {name: TransactionState(progress, 1) for name, progress in zip(PURPOSES, states, strict=False) if progress}
    for count in (2, 3)
    for states in itertools.product((None, *Progress), repeat=count)
    if None not in states[: len([state for state in states if state])] and (count == 2 or states[2])
]


def _purposes(states: dict[str, TransactionState]) -> list[tuple[Purpose, ...]]:
    """Return what a launch with these transactions may take."""
    return [PURPOSES] if "distribute" in states else [PURPOSES[:-1], PURPOSES]


@pytest.mark.parametrize("states", EVERY_STATE, ids=str)
def test_nothing_is_signed_while_anything_is_open_or_has_its_effect(states: dict[str, TransactionState]) -> None:
    for wanted in _purposes(states):
        purposes = to_sign(states, wanted)
        progress = {purpose: found.progress for purpose, found in states.items()}
        if any(found not in FINAL for found in progress.values()):
            assert purposes == ()
        if purposes:
            assert progress.get(purposes[0]) in (None, Progress.VOID, Progress.CANCELLED)
            assert set(purposes) <= set(wanted)
        for purpose in purposes[1:]:
            # What depends on a transaction without effect had none either.
            assert progress.get(purpose) is not Progress.CONFIRMED or "deploy" in purposes
        if "deploy" in purposes:
            assert purposes == wanted, "a registration is bound to the address of its token, a distribution to both"
            assert progress.get("deploy") in (None, Progress.VOID)
        elif purposes:
            assert progress["deploy"] is Progress.CONFIRMED


@pytest.mark.parametrize("states", EVERY_STATE, ids=str)
def test_a_launch_always_has_a_step_and_signs_only_what_is_to_sign(states: dict[str, TransactionState]) -> None:
    for purposes, late, called_off in itertools.product(_purposes(states), (True, False), (True, False)):
        step = next_step(states, purposes, late=late, called_off=called_off, asked=False)
        assert (step is Step.SIGN) == bool(to_sign(states, purposes))
        is_open = any(found.progress not in FINAL for found in states.values())
        assert (step is Step.DONE) == (not is_open and not to_sign(states, purposes))
        if step is Step.CANCEL:
            assert late
            assert not called_off
            assert states["deploy"].progress not in FINAL
        # What nobody has seen is sent, even if its launch needs something else by now: no nonce stays open behind it.
        progress = {purpose: found.progress for purpose, found in states.items()}
        if (progress.get("deploy"), progress.get("register")) == (Progress.VOID, Progress.MISSING):
            assert step is Step.BROADCAST
        asked = next_step(states, purposes, late=late, called_off=called_off, asked=True)
        assert asked is (Step.CONFIRM if step in SIGNING else step)


@pytest.mark.parametrize("states", EVERY_STATE, ids=str)
def test_a_model_is_let_go_only_when_nothing_is_open_and_nothing_follows(states: dict[str, TransactionState]) -> None:
    for sent, called_off, executions in itertools.product((True, False), (True, False), (1, 20)):
        left = failure_outcome(
            states, sent=sent, called_off=called_off, executions=executions, code="DEPLOYMENT_FAILED"
        )
        is_open = any(found.progress not in FINAL for found in states.values())
        assert not (left.release and (left.resume or is_open))
        assert left.release or left.resume or is_open, "no lock outlives a launch whose nonces are all settled"
        if executions == 20:
            assert not left.resume
        if left.resume:
            assert can_resume(states, called_off=called_off, code="DEPLOYMENT_FAILED")
        other = failure_outcome(states, sent=sent, called_off=called_off, executions=executions, code="TOKEN_EXISTS")
        assert not other.resume


def test_pauses_before_a_launch_is_taken_up_again_double_up_to_an_hour() -> None:
    assert [resume_pause(executions) for executions in range(1, 10)] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
