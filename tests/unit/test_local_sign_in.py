"""Sessions of local tools and tests: never a token that is older than a third of its life."""

from typing import Any

import httpx

from local.sign_in import Session


class Issuer:
    """Gives out numbered tokens, and is the clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.given = 0
        self.takes = 0.0

    def sign_in(self) -> dict[str, Any]:
        self.given += 1
        self.now += self.takes
        return {"access_token": f"token-{self.given}", "expires_in": 900}

    def session(self) -> Session:
        return Session(self.sign_in, lambda: self.now)


def test_a_token_is_renewed_by_its_life_from_receipt() -> None:
    issuer = Issuer()
    session = issuer.session()
    assert issuer.given == 0
    assert f"Bearer {session}" == "Bearer token-1"
    issuer.now += 299
    assert str(session) == "token-1"
    issuer.now += 1
    assert str(session) == "token-2"


def test_the_time_that_a_sign_in_takes_counts() -> None:
    issuer = Issuer()
    session, issuer.takes = issuer.session(), 400.0
    assert [str(session), str(session)] == ["token-1", "token-2"]


def test_a_client_that_lives_longer_than_a_token() -> None:
    issuer = Issuer()
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        issuer.now += 200
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer), auth=issuer.session()) as http:
        for _ in range(4):
            http.get("https://slipway.test/")
    assert seen == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]
