"""The Console API's client: what it sends, what it repeats, and what answers and refusals mean."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway import deadline_client
from slipway.akash.console import client as module
from slipway.akash.console.client import ConsoleApi
from slipway.akash.console.models import LeaseId
from slipway.errors import (
    BidClosedError,
    CreateOutcomeUnknownError,
    EscrowNotSettledError,
    InvalidSdlError,
    NotFoundError,
    PaymentRequiredError,
    SlipwayError,
    UpstreamAuthenticationError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
    WalletProvisioningError,
)
from tests.support.clock import HastyClock, patient_seconds
from tests.support.console_answers import BID, DEPLOYMENT, DSEQ, PROVIDER, PROVIDER_ADDRESS

KEY = "ac.sk.production.0123456789abcdef"
Handler = Callable[[httpx.Request], httpx.Response]


class Upstream:
    """Answers from a list, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def body(self) -> Any:
        return json.loads(self.asked[-1].content)


def _api(upstream: Upstream, clock: HastyClock | None = None) -> ConsoleApi:
    client = httpx.AsyncClient(transport=httpx.MockTransport(upstream.handle))
    return ConsoleApi("https://console.test/", lambda: KEY, client, clock or HastyClock())


def _refusal(status: int, message: str = "no", code: str = "bad_request", **headers: str) -> httpx.Response:
    body = {"error": "Error", "message": message, "code": code, "type": "client_error"}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


CREATED = {"data": {"dseq": DSEQ, "manifest": "[]", "signTx": {"code": 0, "transactionHash": "AB", "rawLog": ""}}}
LEASE = LeaseId(dseq=DSEQ, gseq=1, oseq=1, provider=PROVIDER_ADDRESS)
# Every call, with an answer that it understands.
CALLS: dict[str, tuple[Callable[[ConsoleApi], Any], Any]] = {
    "create_deployment": (lambda api: api.create_deployment("sdl", Decimal("5")), CREATED),
    "deployment_page": (
        lambda api: api.deployment_page(0, 10),
        {"data": {"deployments": [DEPLOYMENT], "pagination": {"total": 1, "skip": 0, "limit": 10, "hasMore": False}}},
    ),
    "deployment": (lambda api: api.deployment(DSEQ), {"data": DEPLOYMENT}),
    "bids": (lambda api: api.bids(DSEQ), {"data": [BID]}),
    "create_leases": (lambda api: api.create_leases("[]", [LEASE]), {"data": DEPLOYMENT}),
    "update_deployment": (lambda api: api.update_deployment(DSEQ, "sdl"), {"data": DEPLOYMENT}),
    "close_deployment": (lambda api: api.close_deployment(DSEQ), {"data": {"success": True}}),
    "providers": (lambda api: api.providers(), [PROVIDER]),
    "gpu_prices": (lambda api: api.gpu_prices(), {"availability": {"total": 1, "available": 1}, "models": []}),
    "price_estimate": (lambda api: api.price_estimate(1000, 1, 1), {"akash": 1.25, "aws": 2, "gcp": 3, "azure": 4}),
    "balances": (lambda api: api.balances(), {"data": {"balance": 1.1, "deployments": 2, "total": 3.1}}),
    "create_token": (lambda api: api.create_token(60, {"access": "scoped"}), {"data": {"token": "t"}}),
}
PUBLIC = {"providers", "gpu_prices", "price_estimate"}
REPEATABLE = sorted(set(CALLS) - {"create_deployment"})


# ── What is sent ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CALLS)
def test_the_key_goes_where_it_is_needed_and_alone(name: str) -> None:
    call, answer = CALLS[name]
    upstream = Upstream(answer)
    call(_api(upstream))
    (request,) = upstream.asked
    assert request.headers.get("x-api-key") == (None if name in PUBLIC else KEY)
    assert "authorization" not in request.headers
    assert str(request.url).startswith("https://console.test/v1/")


def test_a_create_sends_the_sdl_and_an_exact_deposit() -> None:
    upstream = Upstream(httpx.Response(201, json=CREATED))
    created = _api(upstream).create_deployment("version: '2.0'", Decimal("0.5"))
    assert upstream.body == {"data": {"sdl": "version: '2.0'", "deposit": 0.5}}
    assert (created.dseq, created.manifest, created.transaction.code) == (DSEQ, "[]", 0)


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_a_deposit_is_written_without_loss(amount: Decimal) -> None:
    assert Decimal(json.dumps(module._json_number(amount))) == amount


def test_a_deposit_that_json_would_bend_is_refused() -> None:
    upstream = Upstream(CREATED)
    with pytest.raises(ValueError, match="digits"):
        _api(upstream).create_deployment("sdl", Decimal("0.12345678901234567890"))
    assert upstream.asked == []


def test_a_lease_names_its_bid_without_an_envelope() -> None:
    upstream = Upstream({"data": DEPLOYMENT})
    _api(upstream).create_leases("[{}]", [LEASE])
    wanted = {"dseq": DSEQ, "gseq": 1, "oseq": 1, "provider": PROVIDER_ADDRESS}
    assert upstream.body == {"manifest": "[{}]", "leases": [wanted]}


def test_a_number_from_outside_stays_in_its_place_of_the_path() -> None:
    upstream = Upstream({"data": {"success": True}})
    _api(upstream).close_deployment("1/../../v1/api-keys?x=")
    assert upstream.asked[0].url.raw_path == b"/v1/deployments/1%2F..%2F..%2Fv1%2Fapi-keys%3Fx%3D"


def test_every_page_of_the_active_deployments_is_read() -> None:
    def page(number: int, more: bool) -> dict[str, Any]:
        entry = json.loads(json.dumps(DEPLOYMENT))
        entry["deployment"]["id"]["dseq"] = str(number)
        pagination = {"total": 3, "skip": number, "limit": 1000, "hasMore": more}
        return {"data": {"deployments": [entry], "pagination": pagination}}

    upstream = Upstream(page(1, True), page(2, True), page(2, False))
    assert [found.dseq for found in _api(upstream).active_deployments()] == ["1", "2"]
    assert [request.url.params["skip"] for request in upstream.asked] == ["0", "1000", "2000"]


def test_a_list_without_end_ends() -> None:
    upstream = Upstream({"data": {"deployments": [DEPLOYMENT], "pagination": {"hasMore": True}}})
    with pytest.raises(UpstreamUnavailableError):
        _api(upstream).active_deployments()
    assert len(upstream.asked) == 50


# ── What is repeated ────────────────────────────────────────────────────────────────────────────

DOWN = [
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("closed"),
    httpx.Response(429),
    httpx.Response(500, json={}),
    httpx.Response(502, text="<html>"),
    httpx.Response(503, json={"message": "Service temporarily unavailable"}),
    httpx.Response(200, text="<html>"),
]


@pytest.mark.parametrize("down", DOWN, ids=repr)
@pytest.mark.parametrize("name", REPEATABLE)
def test_what_is_safe_to_repeat_is_repeated(name: str, down: Any) -> None:
    call, answer = CALLS[name]
    upstream = Upstream(down, down, answer)
    call(_api(upstream))
    assert len(upstream.asked) == 3
    assert len({(request.method, request.url, request.content) for request in upstream.asked}) == 1


@pytest.mark.parametrize("name", REPEATABLE)
def test_repeats_are_bounded_and_spread(name: str) -> None:
    clock = HastyClock()
    upstream = Upstream(httpx.Response(503))
    with pytest.raises(UpstreamUnavailableError) as caught:
        CALLS[name][0](_api(upstream, clock))
    assert len(upstream.asked) == 4
    assert len(set(clock.pauses)) == 3
    assert caught.value.retry_after


def test_no_pause_goes_past_the_deadline() -> None:
    clock = HastyClock()
    upstream = Upstream(httpx.Response(429, headers={"retry-after": "30"}))
    with pytest.raises(UpstreamUnavailableError) as caught:
        _api(upstream, clock).bids(DSEQ, seconds=10)
    assert (len(upstream.asked), clock.pauses, caught.value.retry_after) == (1, [], 30)


@pytest.mark.parametrize("down", DOWN[1:], ids=repr)
def test_a_create_is_never_repeated(down: Any) -> None:
    upstream = Upstream(down, CREATED)
    with pytest.raises(SlipwayError):
        _api(upstream).create_deployment("sdl", Decimal(1))
    assert len(upstream.asked) == 1


def _silent(_: httpx.Request) -> Any:
    return asyncio.sleep(60)  # noqa: TID251 (the silence itself)


@pytest.mark.parametrize("name", CALLS)
def test_a_silent_upstream_is_waited_for_until_the_deadline(name: str) -> None:
    upstream = ConsoleApi(
        "https://console.test", lambda: KEY, httpx.AsyncClient(transport=httpx.MockTransport(_silent))
    )
    began = patient_seconds()
    arguments: dict[str, tuple[Any, ...]] = {
        "create_deployment": ("sdl", Decimal(1)),
        "deployment_page": (0, 10),
        "create_leases": ("[]", [LEASE]),
        "update_deployment": (DSEQ, "sdl"),
        "price_estimate": (1, 1, 1),
        "create_token": (60, {}),
        "providers": (),
        "gpu_prices": (),
        "balances": (),
    }
    with pytest.raises((UpstreamUnavailableError, CreateOutcomeUnknownError)):
        getattr(upstream, name)(*arguments.get(name, (DSEQ,)), seconds=0.05)
    assert patient_seconds() - began < 1


def test_an_upstream_that_drips_is_cut_off_as_well() -> None:
    """Each byte would satisfy a timeout that is for one read."""

    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            while True:
                yield b" "
                await asyncio.sleep(0.01)  # noqa: TID251 (the drip itself)

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Drip()))
    api = ConsoleApi("https://console.test", lambda: KEY, httpx.AsyncClient(transport=transport))
    began = patient_seconds()
    with pytest.raises(UpstreamUnavailableError):
        api.deployment(DSEQ, seconds=0.2)
    assert patient_seconds() - began < 1


def test_a_call_that_can_not_be_cancelled_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline_client, "_GRACE_SECONDS", 0.05)

    released = threading.Event()

    async def stubborn(request: httpx.Request) -> httpx.Response:
        for _ in range(3000):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)  # noqa: TID251 (what can't be cancelled)
            if released.is_set():
                break
        return httpx.Response(200, json={})

    api = ConsoleApi("https://console.test", lambda: KEY, httpx.AsyncClient(transport=httpx.MockTransport(stubborn)))
    try:
        # If the request were waited for, it would answer in the end.
        with pytest.raises(UpstreamUnavailableError):
            api.deployment(DSEQ, seconds=0.05)
    finally:
        released.set()


# ── Creating ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("outcome", "answered"),
    [
        (httpx.ReadTimeout("slow"), False),
        (httpx.WriteError("reset"), False),
        (httpx.RemoteProtocolError("closed"), False),
        (httpx.Response(500, json={}), False),
        (httpx.Response(500, json={"message": "Internal server error"}), True),
        (httpx.Response(504, text="<html>"), False),
        (httpx.Response(524), False),
        (httpx.Response(503, json={"message": "Service temporarily unavailable"}), True),
        (httpx.Response(408), False),
        (httpx.Response(201, text="<html>"), False),
        (httpx.Response(201, json={}), False),
        (httpx.Response(201, json=[]), False),
        (httpx.Response(201, json={"data": {"dseq": "abc"}}), True),
    ],
    ids=repr,
)
def test_a_create_without_a_clear_answer_may_have_happened(outcome: Any, answered: bool) -> None:
    before = time.time_ns() // 1_000_000
    with pytest.raises(CreateOutcomeUnknownError) as caught:
        _api(Upstream(outcome)).create_deployment("sdl", Decimal(1))
    details = caught.value.details or {}
    assert details["answered"] is answered
    assert before <= details["asked_at"] <= details["gave_up_at"] <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("")])
def test_a_create_that_was_never_sent_did_not_happen(error: Exception) -> None:
    with pytest.raises(UpstreamUnavailableError):
        _api(Upstream(error)).create_deployment("sdl", Decimal(1))


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (_refusal(400, "Invalid SDL: services.web: image is required"), InvalidSdlError, "image is required"),
        (_refusal(400, "Invalid GPU attributes"), InvalidSdlError, "GPU"),
        (_refusal(400, "Failed to create deployment: Invalid coin denominations"), InvalidSdlError, "denominations"),
        (_refusal(402, "Not enough credit; add 4.20 USD", "payment_required"), PaymentRequiredError, "4.20 USD"),
        (_refusal(400, "Failed to create deployment: Insufficient funds"), PaymentRequiredError, "funds"),
        (_refusal(409, "Wallet is being set up", "wallet_provisioning"), WalletProvisioningError, "set up"),
        (_refusal(409, "Something else", "conflict"), UpstreamRefusedError, "else"),
        (_refusal(400, "Deployment with provided dseq and owner already exists"), UpstreamUnavailableError, "exists"),
        (_refusal(400, "deposit is required"), UpstreamRefusedError, "deposit"),
        (_refusal(401, "Invalid API key", "unauthorized"), UpstreamAuthenticationError, "Invalid API key"),
        (_refusal(403, "Forbidden", "forbidden"), UpstreamAuthenticationError, "Forbidden"),
        (_refusal(403, "Challenge", cf_mitigated="challenge"), UpstreamUnavailableError, "403"),
        (httpx.Response(403, text="<html>"), UpstreamUnavailableError, "403"),
        (_refusal(429, "Slow down"), UpstreamUnavailableError, "429"),
        (httpx.Response(301, headers={"location": "https://elsewhere.test"}), UpstreamRefusedError, "301"),
    ],
)
def test_a_refused_create_did_not_happen(answer: httpx.Response, error: type[SlipwayError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        _api(Upstream(answer)).create_deployment("sdl", Decimal(1))
    assert type(caught.value) is error


def test_a_wrong_sdl_is_a_wrong_field() -> None:
    with pytest.raises(InvalidSdlError) as caught:
        _api(Upstream(_refusal(400, "Invalid SDL: no"))).create_deployment("sdl", Decimal(1))
    assert caught.value.details == {"fields": [{"field": "sdl", "message": "no"}]}
    assert (caught.value.code, caught.value.status) == ("VALIDATION_ERROR", 400)


def test_a_transaction_that_the_chain_refused_is_no_deployment() -> None:
    answer = {"data": {"dseq": DSEQ, "manifest": "[]", "signTx": {"code": 11, "rawLog": "out of gas"}}}
    with pytest.raises(UpstreamRefusedError, match="out of gas"):
        _api(Upstream(answer)).create_deployment("sdl", Decimal(1))


# ── Refusals of the other calls ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "message",
    ["Cannot create lease: The selected bid is no longer open. Please refresh", "bid not open", "order matched"],
)
def test_a_bid_that_is_gone(message: str) -> None:
    with pytest.raises(BidClosedError):
        _api(Upstream(_refusal(400, message))).create_leases("[]", [LEASE])


def test_an_escrow_that_can_not_settle_yet() -> None:
    answer = _refusal(400, "Deployment escrow cannot be settled yet")
    with pytest.raises(EscrowNotSettledError) as caught:
        _api(Upstream(answer)).close_deployment(DSEQ)
    assert caught.value.retry_after


def test_a_close_that_did_not_succeed_is_no_close() -> None:
    with pytest.raises(UpstreamUnavailableError):
        _api(Upstream({"data": {"success": False}})).close_deployment(DSEQ)


@pytest.mark.parametrize("name", ["deployment", "close_deployment", "update_deployment", "create_leases"])
def test_what_does_not_exist(name: str) -> None:
    with pytest.raises(NotFoundError):
        CALLS[name][0](_api(Upstream(_refusal(404, "Deployment not found", "not_found"))))


@pytest.mark.parametrize("name", sorted(set(CALLS) - PUBLIC))
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 500])
def test_an_upstream_that_repeats_our_key_gives_nothing_away(name: str, status: int) -> None:
    answer = _refusal(status, f"Bad key {KEY}\nsent", f"key {KEY}")
    with pytest.raises(SlipwayError) as caught:
        CALLS[name][0](_api(Upstream(answer)))
    error: BaseException | None = caught.value
    while error:
        assert KEY not in repr(error) + str(error) + json.dumps(getattr(error, "details", None))
        error = error.__cause__
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(CALLS)), JSON, st.booleans(), st.sampled_from([200, 201, 400, 404, 409, 418]))
def test_nonsense_is_one_of_our_errors_or_an_answer(name: str, value: Any, wrapped: bool, status: int) -> None:
    answer = httpx.Response(status, json={"data": value} if wrapped else value)
    with suppress(SlipwayError):
        CALLS[name][0](_api(Upstream(answer)))
