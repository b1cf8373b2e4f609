"""What is good once is good once, however many send it at the same moment: the engine's DynamoDB is exact."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from local.accounts import LocalAccount
from local.sign_in import sign, sign_in_message
from tests.stack.conftest import RunningStack
from tests.stack.launches import account, bearer

AT_ONCE = 6


def _at_once[Found](work: Callable[[int], Found]) -> list[Found]:
    """Do it in threads that begin together; each is told its number."""
    gate = threading.Barrier(AT_ONCE)

    def run(number: int) -> Found:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, range(AT_ONCE)))


def test_a_sign_in_sent_many_times_at_once_brings_one_token(stack: RunningStack) -> None:
    signer = LocalAccount(**account(stack, "user", 5))
    nonce = stack.http.get("/api/auth/nonce").json()["nonce"]
    message = sign_in_message(stack.api, signer.address, nonce, 31337)
    body = {"message": message, "signature": sign(message, signer)}
    answers = _at_once(lambda _: stack.http.post("/api/auth/verify", json=body))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)


def test_one_key_with_different_bodies_at_once_keeps_one_of_them(stack: RunningStack) -> None:
    owner = account(stack, "user", 5)
    headers = {**bearer(stack.sign_in(owner)), "idempotency-key": uuid.uuid4().hex}

    def pay(number: int) -> httpx.Response:
        body = {"name": f"payment {number}", "amount": "1", "creator": owner["address"]}
        return stack.http.post("/payments", json=body, headers=headers)

    answers = _at_once(pay)
    made = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert len(made) == 1
    assert {answer.status_code for answer in answers} == {201, 409}


def test_a_ticket_opens_one_stream_however_many_use_it_at_once(stack: RunningStack) -> None:
    headers = bearer(stack.sign_in(account(stack, "user", 5)))
    chain = stack.chains[0]["chain_id"]
    build = {"prompt": "An ERC-20 token called Replayed with symbol RPL", "chains": [chain]}
    accepted = stack.http.post("/api/v1/builds", json=build, headers=headers)
    assert accepted.is_success, accepted.text
    path = f"/api/v1/builds/{accepted.json()['build_id']}"
    ticket = stack.http.post(f"{path}/ticket", headers=headers).json()["ticket"]

    def follow(_: int) -> int:
        try:
            with connect(f"{stack.described['websocket']}{path}/stream?ticket={ticket}", open_timeout=30):
                return 101
        except InvalidStatus as refused:
            return int(refused.response.status_code)

    statuses = _at_once(follow)
    assert statuses.count(101) == 1
    assert all(status == 101 or 400 <= status < 500 for status in statuses)
