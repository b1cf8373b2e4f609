"""What the stack tests do with builds: request them, and wait for their end."""

from typing import Any

import httpx

from local.sign_in import Session
from tests.stack.launches import Token, bearer
from tests.support.waiting import eventually

PATH = "/api/v1/builds"
PROMPT = "Create an ERC-20 token called HyperKit with 1 billion supply"
UNSUPPORTED = "Build an automated market maker exchange with pools"
ENDED = {"complete", "failed", "cancelled"}
BUILD_SECONDS = 90


def stranger(stack: Any) -> Token:
    """Return a fresh wallet's session: a plain user who has asked for nothing yet."""
    from eth_account import Account

    made = Account.create()
    held = {"address": made.address, "private_key": "0x" + bytes(made.key).hex(), "role": "user"}
    session: Session = stack.sign_in(held)
    return session


def request(stack: Any, token: Token, prompt: str = PROMPT, chains: Any = (31337,), **more: Any) -> httpx.Response:
    """POST a build; ``key`` is its Idempotency-Key."""
    key = more.pop("key", None)
    headers = bearer(token) | ({"idempotency-key": key} if key else {})
    body = {"prompt": prompt, "chains": list(chains), **more}
    answer: httpx.Response = stack.http.post(PATH, json=body, headers=headers)
    return answer


def accepted(stack: Any, token: Token, *arguments: Any, **more: Any) -> str:
    """Return the id of a build that was accepted."""
    answer = request(stack, token, *arguments, **more)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["build_id"])


def read(stack: Any, token: Token, build_id: str, part: str = "") -> httpx.Response:
    """GET a build, or a part of it."""
    answer: httpx.Response = stack.http.get(f"{PATH}/{build_id}{part}", headers=bearer(token))
    return answer


def until(stack: Any, token: Token, build_id: str, statuses: set[str]) -> dict[str, Any]:
    """Poll a build until it has one of the statuses, or has ended; fails when that takes too long."""

    def build() -> dict[str, Any]:
        answer = read(stack, token, build_id)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return eventually(build, lambda found: found["status"] in statuses | ENDED, within=BUILD_SECONDS, every=0.2)


def ended(stack: Any, token: Token, build_id: str) -> dict[str, Any]:
    """Return a build when it has ended."""
    return until(stack, token, build_id, ENDED)
