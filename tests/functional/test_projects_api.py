"""Projects and payments through their function."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from slipway.control.store import Service, set_switch
from tests.support.installation import Answer, Installation
from tests.support.wallets import ADMIN, ALICE, BOB

PROJECT = {"name": "shop", "github": "octocat/shop"}
PAYMENT = {"name": "Hosting", "amount": "2500000"}
ROUTES = [
    *("api_projects_create", "api_projects_list", "api_projects_detail", "api_projects_status", "api_projects_delete"),
    *("api_payments_create", "api_payments_list", "api_payments_detail"),
]


def _create(
    slipway: Installation, account: Any = ALICE, headers: dict[str, str] | None = None, **fields: Any
) -> Answer:
    body = {**PROJECT, **fields}
    return slipway.api("api_projects_create", token=slipway.token(account), body=body, headers=headers)


def _pay(slipway: Installation, account: Any = ALICE, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    body = {**PAYMENT, **fields}
    return slipway.api("api_payments_create", token=slipway.token(account), body=body, headers=headers)


def _move(slipway: Installation, status: str, token: str | None = None, name: str = "shop", **fields: Any) -> Answer:
    body = {"status": status, **fields}
    return slipway.api("api_projects_status", token=token or slipway.token(), body=body, path={"name": name})


def _detail(slipway: Installation, name: str = "shop") -> Answer:
    return slipway.api("api_projects_detail", token=slipway.token(BOB), path={"name": name})


def _delete(slipway: Installation, token: str | None = None, name: str = "shop") -> Answer:
    return slipway.api("api_projects_delete", token=token or slipway.token(), path={"name": name})


def _operator(slipway: Installation, account: Any = BOB) -> str:
    return slipway.token(account, roles=["operator", "user"])


def _pages(slipway: Installation, event: str, field: str, token: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = slipway.api(event, token=token, query=f"{query}&limit=2{cursor}")
        assert answer.status == 200, answer.body
        found += answer.body[field]
        if answer.body["next_cursor"] is None:
            return found
        assert len(answer.body[field]) <= 2
        cursor = f"&cursor={answer.body['next_cursor']}"


def _outcomes(slipway: Installation) -> list[tuple[str, str, str | None]]:
    return [(entry["action"], entry["outcome"], entry.get("subject")) for entry in slipway.audit()]


# ── Who asks ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ROUTES)
def test_a_stranger_learns_nothing(slipway: Installation, name: str) -> None:
    answer = slipway.api(name, raw="not json" if name.endswith(("create", "status")) else None)
    assert (answer.status, answer.code) == (401, "AUTH_FAILED")
    assert slipway.items("projects") == []


@pytest.mark.parametrize("name", ["api_projects_create", "api_payments_create"])
def test_a_token_without_a_wallet_creates_nothing(slipway: Installation, name: str) -> None:
    answer = slipway.api(name, token=slipway.token(wallet=None))
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


# ── Creation ────────────────────────────────────────────────────────────────────────────────────


def test_a_project_is_recorded(slipway: Installation) -> None:
    answer = _create(slipway, port=8080, replicas=2, url="https://shop.example.com", creator=ALICE.address.lower())
    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "name": "shop",
        "url": "https://shop.example.com",
        "port": 8080,
        "status": "pending",
        "github": "octocat/shop",
        "replicas": 2,
        "creator": ALICE.address,
        "createdAt": answer.body["createdAt"],
    }
    assert str(uuid.UUID(answer.body["id"])) == answer.body["id"]
    assert _detail(slipway).body == answer.body
    assert _outcomes(slipway) == [("POST /deployments", "accepted", "shop")]


def test_defaults_and_the_specifications_other_names(slipway: Installation) -> None:
    body = {"app_name": "shop", "github_repo": "https://github.com/octocat/shop"}
    found = slipway.api("api_projects_create", token=slipway.token(), body=body)
    assert found.status == 201
    assert (found.body["name"], found.body["github"]) == ("shop", "https://github.com/octocat/shop")
    assert (found.body["port"], found.body["replicas"], found.body["url"]) == (3000, 1, None)
    both = slipway.api("api_projects_create", token=slipway.token(), body={**body, "name": "other"})
    assert (both.status, both.code) == (400, "VALIDATION_ERROR")
    assert both.body["error"]["details"]["fields"][0]["field"] == "app_name"


def test_a_creation_is_a_look_at_the_caller_one_at_the_switch_and_one_transaction(slipway: Installation) -> None:
    _create(slipway)
    slipway.calls.clear()
    assert _create(slipway, name="other", headers={"idempotency-key": "k"}).status == 201
    assert [operation for _, operation, _ in slipway.calls] == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]


def test_a_name_is_given_once(slipway: Installation) -> None:
    first = _create(slipway)
    taken = _create(slipway, BOB, port=1)
    assert (taken.status, taken.code) == (409, "CONFLICT")
    assert _detail(slipway).body == first.body
    assert _create(slipway, name="Shop").status == 201, "names are told apart by case"
    assert _outcomes(slipway)[1] == ("POST /deployments", "CONFLICT", "shop")


def test_somebody_elses_wallet_is_not_a_creator(slipway: Installation) -> None:
    for answer in (_create(slipway, creator=BOB.address), _pay(slipway, creator=BOB.address)):
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert slipway.items("projects") == []


def test_a_refused_body_is_in_the_trail_by_its_name(slipway: Installation) -> None:
    answer = slipway.api(
        "api_projects_create", token=slipway.token(), body={"app_name": "shop", "github_repo": "octocat"}
    )
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert _outcomes(slipway) == [("POST /deployments", "VALIDATION_ERROR", "shop")]


@pytest.mark.parametrize("create", [_create, _pay])
def test_the_same_key_and_body_get_the_same_answer(slipway: Installation, create: Any) -> None:
    key = {"idempotency-key": "key-1"}
    first = create(slipway, headers=key)
    again = create(slipway, headers=key)
    with_creator = create(slipway, headers=key, creator=ALICE.address)
    assert first.status == again.status == with_creator.status == 201
    assert first.body == again.body == with_creator.body
    assert len(slipway.items("projects")) == 1
    mismatch = create(slipway, headers=key, name="other")
    assert (mismatch.status, mismatch.code) == (409, "IDEMPOTENCY_MISMATCH")
    others = create(slipway, BOB, headers=key, name="bobs")
    assert (others.status, others.body["creator"]) == (201, BOB.address)


def test_a_key_of_a_project_is_no_key_of_a_payment(slipway: Installation) -> None:
    key = {"idempotency-key": "key-1"}
    assert _create(slipway, headers=key).status == 201
    assert _pay(slipway, headers=key).status == 201


def test_a_key_that_makes_no_sense(slipway: Installation) -> None:
    assert _create(slipway, headers={"idempotency-key": "two words"}).code == "VALIDATION_ERROR"


@pytest.mark.parametrize(("service", "create"), [(Service.PROJECTS, _create), (Service.PAYMENTS, _pay)])
def test_a_paused_service_records_nothing_new(slipway: Installation, service: Service, create: Any) -> None:
    key = {"idempotency-key": "key-1"}
    first = create(slipway, headers=key)
    paused = slipway.api(
        "api_admin_pause", token=slipway.token(ADMIN), body={"reason": "Moving"}, path={"service": str(service)}
    )
    assert paused.status == 200
    refused = create(slipway, name="other")
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    assert "Moving" in refused.body["error"]["message"]
    assert create(slipway, headers=key).body == first.body, "a replay is answered as before"
    set_switch(service, paused=False, reason=None, changed_by="test")
    assert create(slipway, name="other").status == 201


def test_reads_and_changes_go_on_while_paused(slipway: Installation) -> None:
    _create(slipway)
    set_switch(Service.PROJECTS, paused=True, reason=None, changed_by="test")
    assert _detail(slipway).status == 200
    assert _move(slipway, "processing").status == 200
    assert _delete(slipway).status == 204


@pytest.mark.parametrize("service", ["projects", "payments"])
def test_services_without_jobs_have_metrics_without_jobs(slipway: Installation, service: str) -> None:
    _create(slipway)
    slipway.model()
    slipway.launch()
    answer = slipway.api("api_admin_metrics", token=slipway.token(ADMIN), query=f"service={service}")
    assert answer.status == 200
    assert (answer.body["service"], answer.body["paused"]) == (service, False)
    assert (answer.body["completed"], answer.body["failed"], answer.body["in_flight"]) == (0, 0, 0)
    assert answer.body["success_rate"] is None


# ── Status ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["success", "failed"])
def test_a_project_goes_the_specifications_way(slipway: Installation, end: str) -> None:
    first = _create(slipway).body
    assert _move(slipway, "processing").body == {**first, "status": "processing"}
    ended = _move(slipway, end, url="https://shop.example.com")
    assert ended.body == {**first, "status": end, "url": "https://shop.example.com"}
    assert _detail(slipway).body == ended.body
    changes = [entry for entry in slipway.audit() if entry["action"].startswith("PATCH")]
    assert [(entry["outcome"], entry["subject"], entry["message"]) for entry in changes] == [
        ("accepted", "shop", "processing"),
        ("accepted", "shop", end),
    ]


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ([], "success"),
        ([], "failed"),
        (["processing"], "pending"),
        (["processing", "success"], "pending"),
        (["processing", "success"], "processing"),
        (["processing", "success"], "failed"),
        (["processing", "failed"], "success"),
        (["processing", "failed"], "processing"),
    ],
)
def test_a_jump_or_a_way_back_is_refused_naming_both(slipway: Installation, way: list[str], wanted: str) -> None:
    _create(slipway)
    for status in way:
        assert _move(slipway, status).status == 200
    current = way[-1] if way else "pending"
    before = _detail(slipway).body
    for token in (slipway.token(), _operator(slipway)):
        refused = _move(slipway, wanted, token, url="https://other.example.com")
        assert (refused.status, refused.code) == (409, "CONFLICT")
        error = refused.body["error"]
        assert error["details"] == {"status": current, "requested": wanted}
        assert current in error["message"]
        assert wanted in error["message"]
    assert _detail(slipway).body == before


def test_the_same_change_again_changes_nothing(slipway: Installation) -> None:
    _create(slipway)
    assert _move(slipway, "pending").body == _detail(slipway).body
    _move(slipway, "processing", url="https://shop.example.com")
    before = len(slipway.audit())
    for fields in ({}, {"url": "https://shop.example.com"}):
        again = _move(slipway, "processing", **fields)
        assert (again.status, again.body["status"]) == (200, "processing")
    assert len(slipway.audit()) == before
    other = _move(slipway, "processing", url="https://other.example.com")
    assert (other.status, other.code) == (409, "CONFLICT")
    assert _detail(slipway).body["url"] == "https://shop.example.com"


def test_only_the_creator_or_an_operator_changes_and_deletes(slipway: Installation) -> None:
    _create(slipway)
    for token in (slipway.token(BOB), slipway.token(ADMIN), slipway.token(wallet=None)):
        for refused in (_move(slipway, "processing", token), _move(slipway, "pending", token), _delete(slipway, token)):
            assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert _detail(slipway).body["status"] == "pending"
    assert _move(slipway, "processing", _operator(slipway)).status == 200
    without_wallet = slipway.token(wallet=None, roles=["operator"])
    assert _move(slipway, "success", without_wallet).status == 200
    assert _delete(slipway, without_wallet).status == 204


@pytest.mark.parametrize("name", ["nothing", "x" * 21, "a%20b", "%F0%9F%9A%80", "x" * 3000])
def test_unknown_projects(slipway: Installation, name: str) -> None:
    for token in (slipway.token(), _operator(slipway)):
        for answer in (
            _detail(slipway, name),
            _delete(slipway, token, name),
            _move(slipway, "processing", token, name),
            _move(slipway, "pending", token, name),
        ):
            assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("body", [{}, {"status": "done"}, {"status": "processing", "url": "shop"}, [], {"state": "x"}])
def test_changes_that_make_no_sense(slipway: Installation, body: Any) -> None:
    _create(slipway)
    answer = slipway.api("api_projects_status", token=slipway.token(), body=body, path={"name": "shop"})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


# ── Deletion ────────────────────────────────────────────────────────────────────────────────────


def test_a_deleted_projects_name_is_free(slipway: Installation) -> None:
    first = _create(slipway)
    gone = _delete(slipway)
    assert (gone.status, gone.body) == (204, None)
    assert _detail(slipway).status == 404
    assert _delete(slipway).status == 404
    second = _create(slipway, BOB)
    assert second.status == 201
    assert second.body["id"] != first.body["id"]
    assert ("DELETE /deployments/{name}", "accepted", "shop") in _outcomes(slipway)


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────


def test_projects_are_listed_newest_first_in_pages(slipway: Installation) -> None:
    names = [_create(slipway, ALICE if index % 2 else BOB, name=f"project-{index}").body["name"] for index in range(5)]
    for name in names[:3]:
        _move(slipway, "processing", _operator(slipway), name)
    token = slipway.token(BOB)

    def listed(query: str = "") -> list[str]:
        return [project["name"] for project in _pages(slipway, "api_projects_list", "deployments", token, query)]

    assert listed() == names[::-1]
    assert listed(f"creator={ALICE.address.lower()}") == ["project-3", "project-1"]
    assert listed("status=processing") == ["project-2", "project-1", "project-0"]
    assert listed(f"status=pending&creator={BOB.address}") == ["project-4"]
    assert listed(f"creator={ADMIN.address}") == []


def test_a_full_page_that_is_the_last_says_so(slipway: Installation) -> None:
    for name in ("a", "b"):
        _create(slipway, name=name)
    answer = slipway.api("api_projects_list", token=slipway.token(), query="limit=2")
    assert len(answer.body["deployments"]) == 2
    assert answer.body["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=e30", "cursor=%25", "status=done", "creator=0x12"]
)
def test_lists_that_make_no_sense(slipway: Installation, query: str) -> None:
    answer = slipway.api("api_projects_list", token=slipway.token(), query=query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["details"]["fields"][0]["field"] == query.split("=")[0]


def test_a_cursor_of_others_payments_shows_none_of_them(slipway: Installation) -> None:
    for index in range(3):
        _pay(slipway, name=f"payment {index}")
    page = slipway.api("api_payments_list", token=slipway.token(), query="limit=1")
    query = f"limit=1&cursor={page.body['next_cursor']}"
    assert slipway.api("api_payments_list", token=slipway.token(BOB), query=query).body["payments"] == []


# ── Payments ────────────────────────────────────────────────────────────────────────────────────


def test_a_payments_amount_is_kept_exactly(slipway: Installation) -> None:
    for amount in ("0", str(2**256 - 1), str(10**38 + 1)):
        made = _pay(slipway, amount=amount)
        assert made.status == 201
        assert set(made.body) == {"id", "name", "amount", "creator", "createdAt"}
        assert (made.body["amount"], made.body["creator"]) == (amount, ALICE.address)
        found = slipway.api("api_payments_detail", token=slipway.token(), path={"id": made.body["id"]})
        assert (found.status, found.body) == (200, made.body)


@pytest.mark.parametrize("amount", ["2500000", "1.5"])
def test_an_amount_as_a_number_is_refused(slipway: Installation, amount: str) -> None:
    raw = json.dumps(PAYMENT).replace('"2500000"', amount)
    answer = slipway.api("api_payments_create", token=slipway.token(), raw=raw)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["details"]["fields"][0]["field"] == "amount"


def test_payments_are_their_owners_and_the_operators(slipway: Installation) -> None:
    alices = [_pay(slipway, name=f"payment {index}").body for index in range(3)]
    bobs = _pay(slipway, BOB).body

    def listed(token: str, query: str = "") -> list[dict[str, Any]]:
        return _pages(slipway, "api_payments_list", "payments", token, query)

    assert listed(slipway.token()) == alices[::-1]
    assert listed(slipway.token(), f"creator={ALICE.address}") == alices[::-1]
    for privileged in (_operator(slipway), slipway.token(ADMIN), slipway.token(wallet=None, roles=["operator"])):
        assert listed(privileged) == [bobs, *alices[::-1]]
        assert listed(privileged, f"creator={BOB.address}") == [bobs]
        path = {"id": alices[0]["id"]}
        assert slipway.api("api_payments_detail", token=privileged, path=path).body == alices[0]
    others = slipway.api("api_payments_list", token=slipway.token(), query=f"creator={BOB.address}")
    assert (others.status, others.code) == (403, "FORBIDDEN")
    nobodys = slipway.api("api_payments_list", token=slipway.token(wallet=None), query="")
    assert (nobodys.status, nobodys.code) == (403, "FORBIDDEN")
    for payment_id in (bobs["id"], str(uuid.uuid4()), bobs["id"].upper(), "1", "x" * 3000):
        answer = slipway.api("api_payments_detail", token=slipway.token(), path={"id": payment_id})
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_a_wallet_records_so_many_projects_and_payments_an_hour(slipway: Installation) -> None:
    tight = {wallet.address: {name: {"hour": 2} for name in ("projects", "payments")} for wallet in (ALICE, BOB)}
    changed = slipway.api("api_admin_change_limits", token=slipway.token(ADMIN), body={"wallets": tight})
    assert changed.status == 200
    for make in (_create, _pay):
        assert [make(slipway, name=f"thing{number}").status for number in range(2)] == [201, 201]
        refused = make(slipway, name="thing3")
        assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
        assert int(refused.headers["retry-after"]) > 3000
    assert _create(slipway, BOB, name="other").status == 201
    # The name that is taken is the reason as long as there is room.
    assert _create(slipway, BOB, name="other").code == "CONFLICT"
