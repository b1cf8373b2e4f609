"""Names, symbols, and who may launch."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ForbiddenError, ModelNotFoundError, ModelNotValidatedError
from slipway.tokens.models import ModelMetadata, ModelState
from slipway.tokens.rules import default_name, model_refusal, symbol_candidates, total_cost
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


def test_cost_is_the_sum_of_gas_times_price() -> None:
    assert total_cost([(21_000, 10), (50_000, 3)]) == 360_000
    assert total_cost([]) == 0
