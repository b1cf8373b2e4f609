"""Projects and payments through HTTP, and races that only an exact DynamoDB decides."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.stack.launches import Token, account, bearer

AT_ONCE = 6


def _name() -> str:
    return f"p-{uuid.uuid4().hex[:16]}"


def _create(stack: Any, token: Token, name: str, key: str | None = None, **fields: Any) -> httpx.Response:
    headers = bearer(token) | ({"idempotency-key": key} if key else {})
    body = {"name": name, "github": "octocat/shop", **fields}
    answer: httpx.Response = stack.http.post("/deployments", json=body, headers=headers)
    return answer


def _move(stack: Any, token: Token, name: str, status: str) -> httpx.Response:
    answer: httpx.Response = stack.http.patch(
        f"/deployments/{name}/status", json={"status": status}, headers=bearer(token)
    )
    return answer


def _at_once(call: Callable[..., httpx.Response], *arguments: list[Any]) -> list[httpx.Response]:
    """Call with each row of the arguments' lists, all at the same time."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(call, *arguments))


def test_a_project_from_its_creation_to_its_deletion(stack: Any, user: Token, owner: str) -> None:
    name = _name()
    created = _create(stack, user, name, port=8080, replicas=2)
    assert created.status_code == 201, created.text
    project = created.json()
    assert (project["status"], project["creator"], project["port"]) == ("pending", owner, 8080)
    other = stack.sign_in(account(stack, "user", 1))
    assert stack.http.get(f"/deployments/{name}", headers=bearer(other)).json() == project
    assert _move(stack, other, name, "processing").status_code == 403
    operator = stack.sign_in(account(stack, "operator"))
    assert _move(stack, operator, name, "processing").status_code == 200
    jump = _move(stack, user, name, "pending")
    assert jump.status_code == 409
    assert jump.json()["error"]["details"] == {"status": "processing", "requested": "pending"}
    assert _move(stack, user, name, "success").json() == {**project, "status": "success"}
    listed = stack.http.get("/deployments", params={"creator": owner, "status": "success"}, headers=bearer(other))
    assert name in [entry["name"] for entry in listed.json()["deployments"]]
    assert stack.http.delete(f"/deployments/{name}", headers=bearer(other)).status_code == 403
    assert stack.http.delete(f"/deployments/{name}", headers=bearer(user)).status_code == 204
    assert stack.http.get(f"/deployments/{name}", headers=bearer(user)).status_code == 404
    assert _create(stack, other, name).status_code == 201


def test_of_projects_created_at_once_under_one_name_one_is(stack: Any, user: Token) -> None:
    tokens = [user, stack.sign_in(account(stack, "user", 1))] * (AT_ONCE // 2)
    for _ in range(3):
        name = _name()
        answers = _at_once(_create, [stack] * AT_ONCE, tokens, [name] * AT_ONCE)
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] + [409] * (AT_ONCE - 1), [answer.text for answer in answers]
        winner = next(answer.json() for answer in answers if answer.status_code == 201)
        assert stack.http.get(f"/deployments/{name}", headers=bearer(user)).json() == winner


def test_one_key_sent_at_once_creates_once(stack: Any, user: Token) -> None:
    rows = [[value] * AT_ONCE for value in (stack, user, _name(), str(uuid.uuid4()))]
    answers = _at_once(_create, *rows)
    assert [answer.status_code for answer in answers] == [201] * AT_ONCE, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1


def test_of_two_ends_reported_at_once_one_is_true(stack: Any, user: Token) -> None:
    for _ in range(3):
        name = _name()
        assert _create(stack, user, name).status_code == 201
        rows = [[value] * AT_ONCE for value in (stack, user, name)]
        begun = _at_once(_move, *rows, ["processing"] * AT_ONCE)
        assert {answer.status_code for answer in begun} == {200}, [answer.text for answer in begun]
        told = ["success", "failed"] * (AT_ONCE // 2)
        answers = _at_once(_move, *rows, told)
        end = stack.http.get(f"/deployments/{name}", headers=bearer(user)).json()["status"]
        assert end in told
        for status, answer in zip(told, answers, strict=True):
            if status == end:
                assert (answer.status_code, answer.json()["status"]) == (200, end), answer.text
            else:
                assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT"), answer.text
                assert answer.json()["error"]["details"]["requested"] == status


def test_payments_are_kept_exactly_and_are_their_owners(stack: Any, admin: Token, user: Token, owner: str) -> None:
    amount = str(2**256 - 1)
    made = stack.http.post("/payments", json={"name": "Hosting", "amount": amount}, headers=bearer(user))
    assert made.status_code == 201, made.text
    payment = made.json()
    assert (payment["amount"], payment["creator"]) == (amount, owner)
    assert stack.http.get("/payments", headers=bearer(user)).json()["payments"][0] == payment
    everyones = stack.http.get("/payments", params={"creator": owner}, headers=bearer(admin)).json()["payments"]
    assert payment in everyones
    other = stack.sign_in(account(stack, "user", 1))
    assert stack.http.get(f"/payments/{payment['id']}", headers=bearer(other)).status_code == 404
    assert payment not in stack.http.get("/payments", headers=bearer(other)).json()["payments"]
