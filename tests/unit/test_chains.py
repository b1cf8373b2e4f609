"""The chains that callers may choose."""

import json
from collections.abc import Iterator

import pytest

from slipway.chain.chains import chosen_chains, known_chain, supported_chains
from slipway.chain.models import Chain
from slipway.errors import ValidationFailedError
from slipway.settings import chain_settings

ENTRY = {"rpc_urls": ["http://node"], "max_fee_per_gas": "1"}


@pytest.fixture(autouse=True)
def _chains(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    chains = [
        {**ENTRY, "chain_id": 5001, "name": "second"},
        {**ENTRY, "chain_id": 1, "name": "main", "testnet": False},
    ]
    monkeypatch.setenv("CHAINS", json.dumps(chains))
    chain_settings.cache_clear()
    yield
    chain_settings.cache_clear()


def test_chains_are_told_by_id_with_their_name_and_whether_their_currency_is_worth_something() -> None:
    assert [(chain.chain_id, chain.name, chain.testnet) for chain in supported_chains()] == [
        (1, "main", False),
        (5001, "second", True),
    ]


def test_chosen_chains_keep_the_callers_order() -> None:
    assert [chain.chain_id for chain in chosen_chains([5001, 1])] == [5001, 1]
    known = known_chain(1)
    assert known is not None
    assert known.name == "main"
    assert known_chain(2) is None


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ([1, 2, 3], "no such chain: 2, 3; there are 1 \\(main\\), 5001 \\(second\\)"),
        ([1, 5001, 1], "1 is named more than once"),
    ],
)
def test_unknown_and_repeated_chains_are_refused(chosen: list[int], told: str) -> None:
    with pytest.raises(ValidationFailedError, match=told) as refused:
        chosen_chains(chosen)
    assert refused.value.details
    assert refused.value.details["fields"][0]["field"] == "chains"


def test_a_testnet_that_is_neither_true_nor_false_is_a_mistake_at_once() -> None:
    with pytest.raises(ValueError, match="testnet"):
        Chain.from_json({**ENTRY, "chain_id": 1, "name": "main", "testnet": "false"})
