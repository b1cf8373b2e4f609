"""A Console API that changes its words: no answer that is read for the first time ends a workload, or loses money."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from slipway.akash.bidding.preferences import Preferences
from slipway.akash.bidding.rules import BidCriteria, evaluate
from slipway.akash.console.client import ConsoleApi
from slipway.akash.console.models import BidEntry, Deployment, LeaseId, Provider, parse
from slipway.akash.rules import OUT_OF_FUNDS, loss_of
from slipway.errors import (
    BidClosedError,
    CreateOutcomeUnknownError,
    InvalidSdlError,
    NotFoundError,
    PaymentRequiredError,
    SlipwayError,
    UpstreamAuthenticationError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from tests.support.console_answers import BID, DEPLOYMENT, DSEQ, LEASE, PROVIDER, PROVIDER_ADDRESS

Answer = Callable[[], httpx.Response]


def _api(answer: Answer) -> ConsoleApi:
    async def handle(_: httpx.Request) -> httpx.Response:
        return answer()

    return ConsoleApi("https://console.test", lambda: "key", httpx.AsyncClient(transport=httpx.MockTransport(handle)))


def _json(status: int, body: Any) -> Answer:
    return lambda: httpx.Response(status, json=body)


def _text(status: int, body: str) -> Answer:
    return lambda: httpx.Response(status, text=body)


def _changed(whole: Any, *path: Any, to: Any = ...) -> Any:
    """Return a copy with another value at a path, or without it."""
    answer = copy.deepcopy(whole)
    parent = answer
    for part in path[:-1]:
        parent = parent[part]
    if to is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = to
    return answer


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slipway.akash.console.client._TRIES", 1)


# ── A deployment that is not there ──────────────────────────────────────────────────────────────

NOT_THERE = [
    _json(404, {"error": "NotFoundError", "message": "Deployment not found", "code": "not_found"}),
    _json(404, {"error": {"message": f"deployment {DSEQ} does not exist"}}),
    _json(404, {"message": [f"No such deployment: {DSEQ}"]}),
    _json(404, {"error": "Lease not found"}),
]
ADDRESS_IS_NOT_THERE = [
    _text(404, "404 page not found"),
    _text(404, "<html><h1>404 Not Found</h1></html>"),
    _text(404, ""),
    _json(404, {}),
    _json(404, None),
    _json(404, []),
    _json(404, {"message": "Not Found"}),
    _json(404, {"error": "Not Found", "code": "not_found"}),
    _json(404, {"statusCode": 404, "message": f"Cannot GET /v1/deployments/{DSEQ}", "error": "Not Found"}),
    _json(404, {"message": f"Route GET:/v1/deployments/{DSEQ} not found", "error": "Not Found"}),
    _json(
        404, {"error": "DEPLOYMENT_NOT_FOUND", "message": "The deployment could not be found on Vercel: unknown url"}
    ),
    _json(404, {"error": {"code": "NOT_FOUND", "message": "no route and no API found with those values"}}),
    _json(410, {"message": "This version of the API is unavailable; use v2"}),
]


@pytest.mark.parametrize("answer", NOT_THERE)
def test_a_deployment_that_never_was(answer: Answer) -> None:
    with pytest.raises(NotFoundError):
        _api(answer).deployment(DSEQ)
    with pytest.raises(NotFoundError):
        _api(answer).close_deployment(DSEQ)


@pytest.mark.parametrize("answer", ADDRESS_IS_NOT_THERE)
def test_an_address_that_moved_proves_no_deployment_gone(answer: Answer) -> None:
    """That would leave a paid deployment open for ever, or end one that runs."""
    with pytest.raises(UpstreamUnavailableError):
        _api(answer).deployment(DSEQ)
    with pytest.raises(UpstreamUnavailableError):
        _api(answer).close_deployment(DSEQ)


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────


def _page(*deployments: Any, **pagination: Any) -> Answer:
    return _json(200, {"data": {"deployments": list(deployments), "pagination": pagination}})


@pytest.mark.parametrize(
    "body",
    [
        {"data": {}},
        {"data": {"deployments": None}},
        {"data": {"items": [DEPLOYMENT]}},
        {"data": None},
        {"data": []},
        {"data": [DEPLOYMENT]},
        {"deployments": []},
        [],
        None,
        {"error": "Internal", "message": "try later"},
        {"data": {"deployments": {}}},
        {"data": {"deployments": [_changed(DEPLOYMENT, "leases")], "pagination": {"hasMore": False}}},
        {"data": {"deployments": [_changed(DEPLOYMENT, "leases", to=None)], "pagination": {"hasMore": False}}},
        {"data": {"deployments": [{"id": DSEQ}], "pagination": {"hasMore": False}}},
    ],
)
def test_a_list_that_can_not_be_read_is_not_empty(body: Any) -> None:
    with pytest.raises(UpstreamUnavailableError):
        _api(_json(200, body)).active_deployments()


@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (_page(DEPLOYMENT, hasMore=False), False),
        (_page(DEPLOYMENT, hasMore="true"), True),
        (_page(DEPLOYMENT, total=2), True),
        (_page(DEPLOYMENT, total="1"), False),
        (_page(DEPLOYMENT), True),
        (_page(DEPLOYMENT, hasMore=None, total=None, next_key="abc"), True),
        (_page(total=5), True),
        (_page(), False),
    ],
)
def test_a_page_that_does_not_say_whether_it_is_the_last(answer: Answer, more: bool) -> None:
    assert _api(answer).deployment_page(0, 1000).pagination.has_more is more


def test_pages_that_are_smaller_than_was_asked_are_all_read() -> None:
    def entry(number: int) -> Any:
        return _changed(DEPLOYMENT, "deployment", "id", "dseq", to=number)

    def answer(request: httpx.Request) -> Any:
        skip = int(request.url.params["skip"])
        entries = [entry(number) for number in range(1, 6)][skip : skip + 2]
        return {"data": {"deployments": entries, "pagination": {"total": 5, "limit": 2}}}

    async def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answer(request))

    api = ConsoleApi("https://console.test", lambda: "key", httpx.AsyncClient(transport=httpx.MockTransport(handle)))
    assert [found.dseq for found in api.active_deployments()] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("entries", [[{}], [BID["bid"]], [{"bid": {"id": "x"}}, 7], [None]])
def test_bids_that_can_not_be_read_are_not_none(entries: Any) -> None:
    with pytest.raises(UpstreamUnavailableError):
        _api(_json(200, {"data": entries})).bids(DSEQ)


def test_no_bids_are_none_and_one_that_can_be_read_counts() -> None:
    assert _api(_json(200, {"data": []})).bids(DSEQ) == []
    assert len(_api(_json(200, {"data": [{"new": 1}, BID]})).bids(DSEQ)) == 1


# ── States, numbers and prices ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", ["closed", "CLOSED", "Closed", " closed "])
def test_a_state_is_the_same_however_it_is_spelled(state: str) -> None:
    found = parse(Deployment, _changed(DEPLOYMENT, "deployment", "state", to=state))
    assert found.is_closed
    assert parse(Deployment, _changed(DEPLOYMENT, "leases", 0, "state", to=state)).open_leases == []
    assert loss_of(found.deployment.state, []) == "The deployment was closed on Akash"


@pytest.mark.parametrize("state", ["terminated", "inactive", "", None, 2, "lease_active", "paused"])
def test_a_state_that_is_new_ends_nothing(state: Any) -> None:
    if isinstance(state, int):
        state = str(state)
    found = parse(Deployment, _changed(DEPLOYMENT, "leases", 0, "state", to=state))
    assert len(found.open_leases) == 1
    assert loss_of(found.deployment.state, [lease.state for lease in found.leases]) is None
    assert not parse(Deployment, _changed(DEPLOYMENT, "deployment", "state", to=state)).is_closed


def test_the_known_ends_of_leases_are_ends() -> None:
    assert loss_of("active", ["closed", "closed"]) == "The provider closed the lease"
    assert loss_of("active", ["closed", "insufficient_funds"]) == OUT_OF_FUNDS
    assert loss_of("active", ["closed", "active"]) is None
    assert loss_of("active", ["closed", "renamed"]) is None


def test_numbers_may_be_texts_and_texts_numbers() -> None:
    answer = json.loads(
        json.dumps(DEPLOYMENT).replace('"gseq": 1', '"gseq": "1"').replace('"total": 1', '"total": "1"')
    )
    answer["deployment"]["id"]["dseq"] = int(DSEQ)
    answer["deployment"]["created_at"] = 21000000
    answer["leases"][0]["price"]["amount"] = 1.25
    found = parse(Deployment, answer)
    assert (found.dseq, found.leases[0].id.gseq, found.leases[0].price.amount) == (DSEQ, 1, Decimal("1.25"))
    created = {"data": {"dseq": int(DSEQ), "manifest": "[]", "signTx": {"code": "0", "rawLog": None}}, "version": 2}
    assert _api(_json(200, created)).create_deployment("sdl", Decimal(1)).dseq == DSEQ


@pytest.mark.parametrize(
    "price", [{}, None, {"denom": "uact"}, {"denom": "uact", "amount": None}, {"amount": "0"}, {"amount": "-1"}]
)
def test_a_bid_without_a_price_is_not_the_cheapest(price: Any) -> None:
    bid = parse(BidEntry, _changed(BID, "bid", "price", to=price)).bid
    provider = parse(Provider, PROVIDER)
    (evaluated,) = evaluate(BidCriteria(Preferences(), 1), [bid], {provider.owner: provider})
    assert evaluated.refusal == "has no price"


@pytest.mark.parametrize(("online", "refusal"), [(..., None), (None, None), ("true", None), (False, "offline")])
def test_a_provider_is_offline_only_where_that_is_said(online: Any, refusal: str | None) -> None:
    provider = parse(Provider, _changed(PROVIDER, "isOnline", to=online))
    (evaluated,) = evaluate(BidCriteria(Preferences(), 1), [parse(BidEntry, BID).bid], {provider.owner: provider})
    assert evaluated.refusal is None if refusal is None else refusal in str(evaluated.refusal)


def test_a_cost_that_is_not_shown_is_not_nothing() -> None:
    assert parse(Deployment, DEPLOYMENT).shows_cost
    for path in (("escrow_account",), ("escrow_account", "state"), ("escrow_account", "state", "transferred")):
        for to in (..., None):
            assert not parse(Deployment, _changed(DEPLOYMENT, *path, to=to)).shows_cost


@pytest.mark.parametrize("body", [{}, {"balance": None}, {"credits": 5}, {"balance": "many"}])
def test_a_balance_that_is_not_shown_is_not_nothing(body: Any) -> None:
    with pytest.raises(UpstreamUnavailableError):
        _api(_json(200, {"data": body})).balances()


# ── What is asked for ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer",
    [
        _json(200, {"data": {"success": True}}),
        _json(200, {"data": {"success": "true"}}),
        _json(200, {"data": {"closed": True}}),
        _json(200, {"data": {}}),
        _json(200, {"data": None}),
        _json(202, {"status": "accepted"}),
        lambda: httpx.Response(204),
    ],
)
def test_a_close_that_is_not_refused_was_asked(answer: Answer) -> None:
    """A look at the deployment decides; the other way it would be asked for ever."""
    _api(answer).close_deployment(DSEQ)


@pytest.mark.parametrize(
    "answer",
    [
        _json(200, {"data": {"success": False}}),
        _json(200, {"data": {"success": "false"}}),
        _json(200, {"success": False}),
        _json(200, {"error": "Internal", "message": "no"}),
        _json(200, {"data": {"success": True}, "error": "half"}),
        _json(200, []),
        _text(200, "<html>"),
        _text(200, ""),
    ],
)
def test_a_close_that_is_refused_was_not(answer: Answer) -> None:
    with pytest.raises(UpstreamUnavailableError):
        _api(answer).close_deployment(DSEQ)


@pytest.mark.parametrize(
    "answer",
    [
        _json(200, {"error": "PaymentRequired", "message": "Insufficient funds"}),
        _json(200, {"data": None}),
        _json(200, {"data": {"ok": 1}, "error": "half"}),
        _json(200, {}),
        _json(200, []),
        _text(200, "<html>"),
        lambda: httpx.Response(204),
    ],
)
def test_a_deposit_or_a_create_that_is_not_said_to_be_made_may_be_made(answer: Answer) -> None:
    with pytest.raises(CreateOutcomeUnknownError):
        _api(answer).add_deposit(DSEQ, Decimal(1))
    with pytest.raises(CreateOutcomeUnknownError):
        _api(answer).create_deployment("sdl", Decimal(1))


REFUSALS: list[tuple[Answer, type[SlipwayError]]] = [
    (_json(400, {"error": {"message": "Invalid SDL: services is required", "code": 400}}), InvalidSdlError),
    (_json(422, {"message": ["Invalid SDL: services is required"], "statusCode": 422}), InvalidSdlError),
    (_json(400, {"message": "Not enough funds on the wallet", "code": 7}), PaymentRequiredError),
    (_json(400, {"error": "Insufficient balance"}), PaymentRequiredError),
    (_json(402, {"message": "Add credit"}), PaymentRequiredError),
    (_text(402, "<html>Payment required: this deployment is disabled</html>"), UpstreamUnavailableError),
    (_json(401, {"message": "Invalid API key"}), UpstreamAuthenticationError),
    (_text(401, "Unauthorized"), UpstreamUnavailableError),
    (_json(401, {}), UpstreamUnavailableError),
    (_text(403, "<html>Attention Required!</html>"), UpstreamUnavailableError),
    (_json(403, {}), UpstreamUnavailableError),
    (_text(400, "<html>400 Bad Request</html>"), UpstreamUnavailableError),
    (_text(413, "<html>413 Request Entity Too Large</html>"), UpstreamUnavailableError),
    (_text(431, ""), UpstreamUnavailableError),
    (_json(400, {"message": "The chain is temporarily unavailable, please retry"}), UpstreamUnavailableError),
    (_json(409, {"message": "The account is busy; try again", "code": "conflict"}), UpstreamUnavailableError),
    (_json(400, {"message": "Request to provider timed out"}), UpstreamUnavailableError),
    (_json(418, {"message": "I am a teapot"}), UpstreamRefusedError),
]


@pytest.mark.parametrize(("answer", "error"), REFUSALS)
def test_a_refused_create_is_final_only_for_known_reasons(answer: Answer, error: type[SlipwayError]) -> None:
    with pytest.raises(error) as raised:
        _api(answer).create_deployment("sdl", Decimal(1))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("Bid is closed", BidClosedError),
        ("bid not found: invalid bid", BidClosedError),
        ("order is closed", BidClosedError),
        ("Provider akash1x is not responding", UpstreamUnavailableError),
        ("502 from provider: please try again", UpstreamUnavailableError),
        ("manifest version validation failed", UpstreamRefusedError),
        ("the manifest does not hold against its schema", UpstreamRefusedError),
    ],
)
def test_a_refused_lease(message: str, error: type[SlipwayError]) -> None:
    lease = LeaseId(dseq=DSEQ, gseq=1, oseq=1, provider=PROVIDER_ADDRESS)
    with pytest.raises(error) as raised:
        _api(_json(400, {"error": {"message": message}})).create_leases("[]", [lease])
    assert type(raised.value) is error


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_no_judgement(status: int) -> None:
    answer: Answer = lambda: httpx.Response(status, headers={"location": "https://elsewhere.test"})  # noqa: E731
    with pytest.raises(UpstreamUnavailableError):
        _api(answer).deployment(DSEQ)


def test_more_than_was_known_is_read_past() -> None:
    answer = {"data": {**DEPLOYMENT, "insights": {"cost": None}}, "meta": {"version": 3}}
    assert _api(_json(200, answer)).deployment(DSEQ).leases[0].id.provider == LEASE["id"]["provider"]
