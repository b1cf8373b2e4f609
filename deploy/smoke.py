"""`make smoke API=https://…`: checks any installation from outside, as its users see it.

It signs in with a throw-away key and leaves nothing behind but an ended build and a retired worker. Nothing is spent
unless SPEND=yes, which launches one token on a test net; for that, SMOKE_ADMIN_KEY in the environment has an
administrator's private key.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.accounts import LocalAccount
from local.sign_in import sign, sign_in_message

# Tried in this order where the caller names no chain: whichever the installation knows.
USUAL_CHAINS = (11155111, 84532, 31337, 80002, 421614, 1, 8453, 137, 42161, 10)
_PROMPT = "An ERC-20 token called Smoke with the symbol SMK and a fixed supply of 1000"
_REQUEST_SECONDS, _BUILD_SECONDS, _DELIVERY_SECONDS, _LAUNCH_SECONDS = 20.0, 120.0, 30.0, 600.0
_FIRST_PAUSE, _MAX_PAUSE = 0.5, 5.0


class SmokeError(Exception):
    """A check failed; says what was expected and what came."""


@dataclass
class Outcome:
    """How one check ended."""

    name: str
    milliseconds: int
    problem: str = ""
    detail: str = ""


@dataclass
class Smoke:
    """One run against one API.

    Args:
        api: Its address.
        client: An httpx client with that base address.
        domain: A sign-in domain of the installation; the API's own host unless given.
        chain_id: A chain of the installation; found by trying unless given.
        sleep: Waits some seconds.
        clock: Seconds of any origin.
    """

    api: str
    client: httpx.Client
    domain: str | None = None
    chain_id: int | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    say: Callable[[Outcome], None] = lambda _: None
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self, *, spend_as: str | None = None) -> bool:
        """Do every check; those that need a session are left out if there is none.

        Args:
            spend_as: The private key of an administrator, to launch a token with.

        Returns:
            Whether all of them passed.
        """
        self._check("health", self._health)
        self._check("documents", self._documents)
        self._check("refusals", self._refusals)
        wallet = _throw_away()
        token = self._check("sign-in", lambda: self._sign_in(wallet))
        if token:
            with self._signed_in(token):
                self._check("estimate", lambda: self._estimate(wallet))
                self._check("heartbeat", lambda: self._heartbeat(wallet))
                build = self._check("build with audit", self._build)
                if build:
                    self._check("stream", lambda: self._stream(build, token))
                self._check("webhook", self._webhook)
                if spend_as:
                    self._check("launch", lambda: self._launch(wallet, token, spend_as))
        return not any(outcome.problem for outcome in self.outcomes)

    def _check[Value](self, name: str, check: Callable[[], Value]) -> Value | None:
        began, outcome, value = self.clock(), Outcome(name, 0), None
        try:
            value = check()
        except SmokeError as error:
            outcome.problem = str(error)
        except (httpx.HTTPError, OSError, KeyError, TypeError, ValueError) as error:
            outcome.problem = f"{type(error).__name__}: {error}"
        outcome.milliseconds = round((self.clock() - began) * 1000)
        self.outcomes.append(outcome)
        self.say(outcome)
        return value

    @contextmanager
    def _signed_in(self, token: str) -> Iterator[None]:
        self.client.headers["authorization"] = f"Bearer {token}"
        try:
            yield
        finally:
            del self.client.headers["authorization"]

    def _call(self, method: str, path: str, expected: int = 200, **parts: Any) -> Any:
        answer = self.client.request(method, path, **parts)
        if answer.status_code != expected:
            raise SmokeError(f"{method} {path} answered {answer.status_code}, not {expected}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def _refused(self, method: str, path: str, status: int, code: str, **parts: Any) -> None:
        content = self._call(method, path, status, **parts)
        found = content.get("error", {}).get("code") if isinstance(content, dict) else None
        if found != code:
            raise SmokeError(f"{method} {path} is refused with {found}, not {code}: {json.dumps(content)[:300]}")

    def _until[Value](self, poll: Callable[[], Value | None], seconds: float, what: str) -> Value:
        deadline, pause = self.clock() + seconds, _FIRST_PAUSE
        while (found := poll()) is None:
            if self.clock() > deadline:
                raise SmokeError(f"{what} took more than {seconds:.0f} s")
            self.sleep(pause)
            pause = min(pause * 1.5, _MAX_PAUSE)
        return found

    def _health(self) -> None:
        self._call("GET", "/health")

    def _documents(self) -> None:
        document = self._call("GET", "/openapi.json")
        if "/api/deployments" not in document["paths"]:
            raise SmokeError("GET /openapi.json does not describe Slipway")
        keys = self._call("GET", "/.well-known/jwks.json")["keys"]
        if not keys:
            raise SmokeError("GET /.well-known/jwks.json has no key")

    def _refusals(self) -> None:
        self._refused("GET", "/api/deployments", 401, "AUTH_FAILED")
        self._refused("GET", "/api/deployments", 401, "AUTH_FAILED", headers={"authorization": "Bearer a.b.c"})
        self._refused("POST", "/api/auth/verify", 400, "VALIDATION_ERROR", json={"message": 1})

    def _sign_in(self, wallet: LocalAccount) -> str:
        domain = self.domain or urlsplit(self.api).netloc
        refusal = ""
        for chain_id in (self.chain_id,) if self.chain_id else USUAL_CHAINS:
            nonce = self._call("GET", "/api/auth/nonce")["nonce"]
            message = sign_in_message(f"https://{domain}", wallet.address, nonce, chain_id)
            body = {"message": message, "signature": sign(message, wallet)}
            answer = self.client.post("/api/auth/verify", json=body)
            if answer.status_code == 200:
                self.chain_id = chain_id
                return str(answer.json()["access_token"])
            refusal = answer.text[:300]
        raise SmokeError(
            f"nobody can sign in as {domain}; SignInDomains has to name it (or give DOMAIN=…), and CHAIN=… a chain of "
            f"this installation. It answers {refusal}"
        )

    def _estimate(self, wallet: LocalAccount) -> None:
        body = {"model_id": f"smoke-{secrets.token_hex(4)}", "user_address": wallet.address}
        answer = self._call("POST", "/api/deployments/estimate", json=body)
        codes = [refusal["code"] for refusal in answer["refusals"]]
        if "MODEL_NOT_FOUND" not in codes:
            raise SmokeError(f"the estimate for an unknown model has the refusals {codes}, not MODEL_NOT_FOUND")

    def _heartbeat(self, wallet: LocalAccount) -> None:
        enrolled = self._call("POST", "/workers", 201)
        try:
            code = {"enrolment_code": enrolled["enrolment_code"]}
            token = self._call("POST", f"/workers/{wallet.address}/tokens", 201, json=code)["token"]
            beat = {"walletAddress": wallet.address, "timestamp": _now(), "containers": []}
            self._call("POST", "/heartbeat", json=beat, headers={"authorization": f"Bearer {token}"})
            status = self._call("GET", f"/workers/{wallet.address}")["status"]
            if status != "healthy":
                raise SmokeError(f"a worker whose beat was accepted is {status}, not healthy")
        finally:
            self._call("DELETE", f"/workers/{wallet.address}", 204)

    def _build(self) -> dict[str, Any]:
        body = {"prompt": _PROMPT, "chains": [], "options": {"deploy": False}}
        accepted = self._call("POST", "/api/v1/builds", json=body)

        def poll() -> dict[str, Any] | None:
            found: dict[str, Any] = self._call("GET", f"/api/v1/builds/{accepted['build_id']}")
            return found if found["status"] in ("complete", "failed", "cancelled") else None

        ended = self._until(poll, _BUILD_SECONDS, "a build without a deployment")
        if ended["status"] != "complete":
            raise SmokeError(f"the build is {ended['status']}: {ended.get('error')}")
        if self._call("GET", f"/api/v1/builds/{accepted['build_id']}/audit").get("passed") is not True:
            raise SmokeError("the build is complete without an audit that it passed")
        found: dict[str, Any] = accepted
        return found

    def _stream(self, build: dict[str, Any], token: str) -> None:
        from websockets.sync.client import connect  # slow to import
        from websockets.typing import Subprotocol

        url = build.get("stream_url")
        if not url:
            raise SmokeError("the build's answer names no stream")
        protocols = [Subprotocol("bearer"), Subprotocol(token)]
        with connect(url, subprotocols=protocols, open_timeout=_REQUEST_SECONDS, close_timeout=5) as socket:
            first = json.loads(socket.recv(timeout=_REQUEST_SECONDS))
        if first.get("sequence") != 1:
            raise SmokeError(f"the stream of an ended build begins with {json.dumps(first)[:200]}, not its first event")

    def _webhook(self) -> None:
        # The API itself is an address that answers; it refuses the message, which shows that it was delivered.
        url = {"url": f"{self.api}/health", "events": ["deployment.*"]}
        hook = self._call("POST", "/api/webhooks", 201, json=url)
        try:
            self._call("POST", f"/api/webhooks/{hook['id']}/test", 202)

            def poll() -> bool | None:
                deliveries = self._call("GET", f"/api/webhooks/{hook['id']}/deliveries")["deliveries"]
                attempts = [attempt for delivery in deliveries for attempt in delivery["attempts"]]
                return any(attempt["response_status"] for attempt in attempts) or None

            self._until(poll, _DELIVERY_SECONDS, "the delivery of a webhook's test")
        finally:
            self._call("DELETE", f"/api/webhooks/{hook['id']}", 204)

    def _launch(self, wallet: LocalAccount, token: str, administrator_key: str) -> None:
        from eth_account import Account

        administrator = LocalAccount(Account.from_key(administrator_key).address, administrator_key, "admin")
        model = f"smoke-{secrets.token_hex(6)}"
        described = {
            "owner": wallet.address, "contributors": [], "state": "validated", "validated_at": _now(),
            "run_id": "smoke", "metrics": {"accuracy": 1}, "improvement": 0.01,
        }  # fmt: skip
        with self._signed_in(self._sign_in(administrator)):
            self._call("PUT", f"/api/admin/models/{model}", json=described)
        self.client.headers["authorization"] = f"Bearer {token}"
        body = {"model_id": model, "user_address": wallet.address}
        headers = {"idempotency-key": model}
        accepted = self._call("POST", "/api/deployments", 202, json=body, headers=headers)

        def poll() -> dict[str, Any] | None:
            found: dict[str, Any] = self._call("GET", accepted["status_url"])
            return found if found["status"] in ("completed", "failed") else None

        ended = self._until(poll, _LAUNCH_SECONDS, "a launch")
        if ended["status"] != "completed":
            raise SmokeError(f"the launch failed: {ended.get('error')}")


def _throw_away() -> LocalAccount:
    from eth_account import Account  # slow to import

    made = Account.create()
    return LocalAccount(made.address, "0x" + bytes(made.key).hex(), "user")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _print(outcome: Outcome) -> None:
    print(f"{'FAILED' if outcome.problem else 'ok':<7}{outcome.name:<18}{outcome.milliseconds:>7} ms", flush=True)
    if outcome.problem:
        print(f"       {outcome.problem}", flush=True)


def check(api: str, *, domain: str | None, chain_id: int | None, spend_as: str | None = None) -> bool:
    """Check an installation and print a line for each check; return whether all passed."""
    address = api.rstrip("/")
    with httpx.Client(base_url=address, timeout=_REQUEST_SECONDS) as client:
        return Smoke(address, client, domain, chain_id, say=_print).run(spend_as=spend_as)


def main(arguments: list[str]) -> int:
    """Run the command line; the exit status is 1 if a check failed, 2 for a call that makes no sense."""
    parser = argparse.ArgumentParser(prog="make smoke", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("api", help="address of the API, such as https://api.example.com")
    parser.add_argument("--domain", help="a sign-in domain of the installation; the API's host unless given")
    parser.add_argument("--chain", type=int, help="id of a chain of the installation; found by trying unless given")
    parser.add_argument("--spend", choices=["yes", "no"], default="no", help="launch one token on a test net")
    given = parser.parse_args(arguments)
    if urlsplit(given.api).scheme not in ("http", "https"):
        parser.error("API is an address, such as https://api.example.com")
    spend_as = os.environ.get("SMOKE_ADMIN_KEY") if given.spend == "yes" else None
    if given.spend == "yes" and not spend_as:
        parser.error("SPEND=yes needs SMOKE_ADMIN_KEY in the environment, an administrator's private key")
    return 0 if check(given.api, domain=given.domain or None, chain_id=given.chain, spend_as=spend_as) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
