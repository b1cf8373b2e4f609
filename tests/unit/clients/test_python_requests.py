"""The Python client's requests: sessions, repeats, errors, pages. Most by the synchronous form, of which both are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from slipway_client import AsyncSlipway, MemoryStore, PrivateKey, Session, SlipwayError
from slipway_client.errors import error_of, retry_after
from tests.unit.clients.api import BEGAN, KEY, Api, answered, bearer, body_of, refused

HEALTH = "GET /health"
LAUNCH = "POST /api/deployments"
REFRESH = "POST /api/auth/refresh"
LAUNCHED = {"success": True, "deployment_id": "d-1", "status_url": "/api/deployments/d-1/status"}
# What API Gateway itself answers.
THROTTLED = answered({"message": "Too Many Requests"}, 429)
UNAVAILABLE = answered({"message": "Service Unavailable"}, 503)


@pytest.fixture
def api() -> Api:
    return Api().on(HEALTH, answered({"status": "ok"})).on(LAUNCH, answered(LAUNCHED, 202))


# ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────
def test_it_signs_in_when_it_first_has_to(api: Api) -> None:
    with api.sync() as client:
        client.health()
        client.health()
    (verified,) = api.asked("POST /api/auth/verify")
    sent = body_of(verified)
    signed_by = Account.recover_message(encode_defunct(text=sent["message"]), signature=sent["signature"])
    assert signed_by == Account.from_key(KEY).address
    assert sent["message"].startswith("api.example.com wants you to sign in")
    assert "\nURI: https://api.example.com\nVersion: 1\nChain ID: 31337\nNonce: nonce" in sent["message"]
    assert [bearer(request) for request in api.asked(HEALTH)] == ["access-1", "access-1"]


def test_a_session_is_renewed_before_its_access_token_ends(api: Api) -> None:
    with api.sync() as client:
        client.health()
        api.waited.append(845)
        client.health()
        client.health()
    (refreshed,) = api.asked(REFRESH)
    assert body_of(refreshed) == {"refresh_token": "refresh-1"}
    assert [bearer(request) for request in api.asked(HEALTH)] == ["access-1", "access-2", "access-2"]


def test_a_session_that_has_ended_begins_anew_by_the_signer(api: Api) -> None:
    api.on(REFRESH, refused("AUTH_FAILED", 401))
    with api.sync() as client:
        client.health()
        api.waited.append(900)
        client.health()
    assert len(api.asked("POST /api/auth/verify")) == 2
    assert len(api.asked(REFRESH)) == 1


def test_a_session_that_has_ended_without_a_signer_is_forgotten(api: Api) -> None:
    api.on(REFRESH, refused("AUTH_FAILED", 401)).on(HEALTH, refused("AUTH_FAILED", 401))
    store = MemoryStore(Session("old", BEGAN - 1, "refresh", BEGAN + 1000))
    with api.sync(private_key=None, session_store=store) as client, pytest.raises(SlipwayError) as error:
        client.health()
    assert error.value.code == "AUTH_FAILED"
    assert store.load() is None


def test_an_unreachable_api_ends_no_session(api: Api) -> None:
    api.on(REFRESH, UNAVAILABLE)
    store = MemoryStore(Session("old", BEGAN - 1, "refresh", BEGAN + 1000))
    with api.sync(session_store=store) as client, pytest.raises(SlipwayError) as error:
        client.health()
    assert error.value.status == 503
    assert store.load() == Session("old", BEGAN - 1, "refresh", BEGAN + 1000)


def test_a_token_that_is_refused_early_is_replaced_once(api: Api) -> None:
    def good_is_the_second(request: httpx.Request) -> httpx.Response:
        return answered({}) if bearer(request) == "access-2" else refused("AUTH_FAILED", 401)

    api.on(HEALTH, good_is_the_second)
    with api.sync() as client:
        client.health()
        assert [bearer(request) for request in api.asked(HEALTH)] == ["access-1", "access-2"]
        api.on(HEALTH, refused("AUTH_FAILED", 401))
        with pytest.raises(SlipwayError):
            client.health()
    assert len(api.asked(HEALTH)) == 4


def test_an_api_key_is_no_session(api: Api) -> None:
    api.on(HEALTH, refused("AUTH_FAILED", 401))
    with api.sync(private_key=None, api_key="slk_x") as client, pytest.raises(SlipwayError):
        client.health()
    assert [(request.url.path, bearer(request)) for request in api.requests] == [("/health", "slk_x")]


def test_tasks_and_threads_renew_one_at_a_time(api: Api) -> None:
    async def many(client: AsyncSlipway) -> None:
        await asyncio.gather(*(client.health() for _ in range(20)))
        api.waited.append(900)
        await asyncio.gather(*(client.health() for _ in range(20)))

    api.asynchronous(many)
    assert (len(api.asked("POST /api/auth/verify")), len(api.asked(REFRESH))) == (1, 1)
    with api.sync() as client:
        threads = [threading.Thread(target=client.health) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(api.asked("POST /api/auth/verify")) == 2


def test_signing_out_forgets_the_session_first(api: Api) -> None:
    api.on("POST /api/auth/logout", answered({"ended": True}))
    store = MemoryStore()
    with api.sync(session_store=store) as client:
        client.sign_in()
        client.sign_out(everywhere=True)
    assert store.load() is None
    (sent,) = api.asked("POST /api/auth/logout")
    assert body_of(sent) == {"refresh_token": "refresh-1", "everywhere": True}


def test_no_key_is_shown() -> None:
    signer = PrivateKey(KEY)
    assert KEY[2:] not in repr(signer) + repr(signer.__dict__) + str(signer)
    with pytest.raises(ValueError, match="no private key") as error:
        PrivateKey("0x" + "zz" * 32)
    assert "zz" not in str(error.value)
    assert error.value.__cause__ is None
    assert "access" not in repr(Session("access", 0, "refresh", 0))


# ── Repeats ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("failure", [THROTTLED, UNAVAILABLE, httpx.ReadTimeout("late"), httpx.ConnectError("down")])
def test_a_launch_is_repeated_with_the_same_key(api: Api, failure: Any) -> None:
    api.on(LAUNCH, failure, failure, answered(LAUNCHED, 202))
    with api.sync() as client:
        assert client.launch_token("m")["deployment_id"] == "d-1"
    sent = api.asked(LAUNCH)
    assert len(sent) == 3
    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    assert body_of(sent[0]) == {"model_id": "m", "user_address": Account.from_key(KEY).address}
    assert 0 <= sum(api.waited) <= 1.5


def test_each_launch_has_a_key_of_its_own_or_the_callers(api: Api) -> None:
    with api.sync() as client:
        client.launch_token("m")
        client.launch_token("m")
        client.launch_token("m", idempotency_key="mine")
    keys = [request.headers["idempotency-key"] for request in api.asked(LAUNCH)]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_tries_are_bounded(api: Api) -> None:
    api.on(LAUNCH, UNAVAILABLE)
    with api.sync() as client, pytest.raises(SlipwayError) as error:
        client.launch_token("m")
    assert (error.value.status, error.value.code) == (503, "UPSTREAM_UNAVAILABLE")
    assert len(api.asked(LAUNCH)) == 5


def test_retry_after_is_waited_for_or_raised_when_it_is_long(api: Api) -> None:
    api.on(LAUNCH, refused("SERVICE_PAUSED", 503, retry_after="7"), answered(LAUNCHED, 202))
    with api.sync() as client:
        client.launch_token("m")
        assert 7 <= sum(api.waited) <= 7.5
        api.on(LAUNCH, refused("RATE_LIMIT_EXCEEDED", 429, retry_after="3600"))
        with pytest.raises(SlipwayError) as error:
            client.launch_token("m")
    assert error.value.retry_after == 3600
    assert len(api.asked(LAUNCH)) == 3


@pytest.mark.parametrize(
    ("failure", "tries"),
    [
        (UNAVAILABLE, 1),
        (httpx.ReadTimeout("late"), 1),
        (refused("UPSTREAM_UNAVAILABLE", 502), 1),
        # It was not carried out.
        (THROTTLED, 5),
        (httpx.ConnectError("down"), 5),
        (refused("RATE_LIMIT_EXCEEDED", 429, retry_after="1"), 5),
        (refused("CONFLICT", 409), 1),
    ],
)
def test_what_is_not_idempotent_is_repeated_only_if_it_was_not_carried_out(api: Api, failure: Any, tries: int) -> None:
    api.on("POST /api/webhooks", failure)
    with api.sync() as client, pytest.raises(SlipwayError):
        client.webhooks.create("https://example.com", ["worker.*"])
    assert len(api.asked("POST /api/webhooks")) == tries


def test_a_deletion_whose_answer_was_lost_is_done_when_nothing_is_there(api: Api) -> None:
    api.on("DELETE /api/webhooks/w-1", httpx.ReadTimeout("late"), refused("NOT_FOUND", 404))
    with api.sync() as client:
        client.webhooks.delete("w-1")
        api.on("DELETE /api/webhooks/w-1", refused("NOT_FOUND", 404))
        with pytest.raises(SlipwayError):
            client.webhooks.delete("w-1")


def test_the_asynchronous_client_repeats_as_well(api: Api) -> None:
    api.on(LAUNCH, THROTTLED, answered(LAUNCHED, 202))

    async def launch(client: AsyncSlipway) -> Any:
        return await client.launch_token("m")

    assert api.asynchronous(launch)["deployment_id"] == "d-1"
    assert len({request.headers["idempotency-key"] for request in api.asked(LAUNCH)}) == 1


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────────
def test_an_error_has_what_the_envelope_has() -> None:
    answer = refused("BUDGET_EXCEEDED", 402)
    error = error_of(402, {"retry-after": "5"}, answer.content.replace(b'"request_id"', b'"x":1,"request_id"'))
    assert (error.code, error.status, error.message) == ("BUDGET_EXCEEDED", 402, "It is BUDGET_EXCEEDED")
    assert (error.request_id, error.retry_after, error.passes) == ("r-1", 5, False)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (429, b'{"message": "Too Many Requests"}', "RATE_LIMIT_EXCEEDED"),
        (503, b'{"message": "Service Unavailable"}', "UPSTREAM_UNAVAILABLE"),
        (500, b'{"message": "Internal Server Error"}', "INTERNAL_ERROR"),
        (502, b"<html>Bad gateway</html>", "UPSTREAM_UNAVAILABLE"),
        (504, b"", "UPSTREAM_UNAVAILABLE"),
        (403, b'{"message": null}', "FORBIDDEN"),
        (418, b'"a teapot"', "HTTP_418"),
        (400, b'{"error": "plain"}', "HTTP_400"),
        (404, b"[]", "NOT_FOUND"),
        (500, b"\xff\xfe", "INTERNAL_ERROR"),
    ],
)
def test_answers_that_are_not_slipways_are_errors_too(status: int, body: bytes, code: str) -> None:
    error = error_of(status, {}, body)
    assert (error.code, error.status) == (code, status)
    assert error.message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("12", 12), (None, None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_an_answer_that_is_no_json_is_an_error(api: Api) -> None:
    api.on(HEALTH, httpx.Response(200, text="<html>Sign in to this network</html>"))
    with api.sync() as client, pytest.raises(SlipwayError, match="not Slipway's"):
        client.health()


# ── Paths and pages ──────────────────────────────────────────────────────────────────────────────────
def test_what_stands_in_a_path_is_escaped(api: Api) -> None:
    api.on("GET /api/models/a/../b?c", answered({}))

    def seen(request: httpx.Request) -> httpx.Response:
        return answered({"raw": request.url.raw_path.decode()})

    api.on("GET /api/models/a/../b?c", seen)
    with api.sync() as client:
        found: Any = client.models.get("a/../b?c")
    assert found["raw"] == "/api/models/a%2F..%2Fb%3Fc"


def test_lists_go_through_all_pages(api: Api) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        cursor = request.url.params.get("cursor")
        assert request.url.params.get("limit") == "2"
        assert "status" not in request.url.params
        entries = [{"wallet": f"0x{cursor or 0}{n}"} for n in range(2)]
        return answered({"workers": entries, "next_cursor": {None: "1", "1": "2"}.get(cursor)})

    api.on("GET /workers", page)
    with api.sync() as client:
        assert [worker["wallet"] for worker in client.workers.list(limit=2)] == [
            "0x00", "0x01", "0x10", "0x11", "0x20", "0x21",
        ]  # fmt: skip


Follow = Callable[[AsyncSlipway], Any]


def test_following_ends_with_the_launch_and_survives_an_outage(api: Api) -> None:
    states = [answered({"status": status}) for status in ("pending", "pending", "deploying", "completed")]
    down = [httpx.ConnectError("down")] * 7
    api.on("GET /api/deployments/d-1/status", states[0], *down, *states[1:])
    seen: list[str] = []

    async def follow(client: AsyncSlipway) -> Any:
        return await client.follow({"deployment_id": "d-1"}, on_change=lambda status: seen.append(status["status"]))

    assert api.asynchronous(follow)["status"] == "completed"
    assert seen == ["pending", "deploying", "completed"]


def test_following_has_a_deadline(api: Api) -> None:
    api.on("GET /api/deployments/d-1/status", answered({"status": "pending"}))
    with api.sync() as client, pytest.raises(TimeoutError):
        client.follow("d-1", timeout=120)
    assert sum(api.waited) <= 120
    api.on("GET /api/deployments/d-1/status", refused("NOT_FOUND", 404))
    with api.sync() as client, pytest.raises(SlipwayError, match="NOT_FOUND"):
        client.follow("d-1")
