"""Requests to the API: authorized, in time, repeated where that is safe."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from slipway_client._async import driver
from slipway_client._routes import TAKES_KEY
from slipway_client.errors import SlipwayError, error_of
from slipway_client.retries import Retries, may_repeat
from slipway_client.sessions import Session, SessionStore
from slipway_client.signing import Signer, sign_in_message


class AsyncConnection:
    """One installation's API, as one caller.

    Args:
        api: Its address, such as `https://api.example.com`.
        http: Sends the requests.
        signer: Signs in, when there is no session.
        bearer: An API key, or the access token of an external issuer, instead of a session.
        store: Keeps the session.
        retries: How often and how long a request is tried.
        chain_id: The chain that a sign-in names; by default the one that the API names.
        domain: The domain that a sign-in names; by default the API's.
    """

    def __init__(
        self,
        api: str,
        http: httpx.AsyncClient,
        *,
        signer: Signer | None,
        bearer: str | None,
        store: SessionStore,
        retries: Retries,
        chain_id: int | None = None,
        domain: str | None = None,
    ) -> None:
        self.api, self.http, self.signer, self.store, self.retries = api.rstrip("/"), http, signer, store, retries
        self._bearer, self._chain_id, self._domain = bearer, chain_id, domain
        self._lock = driver.Lock()

    async def call(
        self,
        route: str,
        path: Mapping[str, str | int] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        text: bool = False,
    ) -> Any:
        """Ask for a route until it answers, and return what it answers.

        Args:
            route: Method and path, as the OpenAPI document has them.
            path: Its parameters.
            query: Those that are None are left out.
            body: Sent as JSON.
            key: The Idempotency-Key, for a route that takes one; by default a new one.
            headers: Further headers.
            text: Whether the answer is text rather than JSON.

        Raises:
            SlipwayError: The API refused, or did not answer in all tries.
        """
        sent = dict(headers or {})
        if route in TAKES_KEY:
            sent["idempotency-key"] = key or str(uuid.uuid4())
        request = self.request(route, path, query=query, body=body, headers=sent)
        unsure, attempt = False, 0
        while True:
            attempt += 1
            try:
                response = await self._send(request, signed_in=not route.partition(" ")[2].startswith("/api/auth/"))
            except SlipwayError as error:
                if unsure and error.status == 404 and request.method == "DELETE":
                    return None  # The try before, of which nothing came back, has deleted it.
                unsure = unsure or error.unsure
                pause = self.retries.pause(attempt, error)
                if pause is None or not may_repeat(route, keyed="idempotency-key" in sent, error=error):
                    raise
                await driver.sleep(pause)
                continue
            if not response.content:
                return None
            return response.text if text else _json(response)

    def request(
        self,
        route: str,
        path: Mapping[str, str | int] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        """Return a request for a route; for arguments see `call`."""
        method, _, template = route.partition(" ")
        filled = template.format_map({name: quote(str(value), safe="") for name, value in (path or {}).items()})
        return self.http.build_request(
            method,
            self.api + filled,
            params={name: _text(value) for name, value in (query or {}).items() if value is not None},
            json=body,
            headers={"accept": "application/json", **(headers or {})},
        )

    async def pages(
        self, route: str, name: str, path: Mapping[str, str | int] | None = None, query: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Any]:
        """Yield the entries of all pages of a list.

        Args:
            route: Of the list.
            name: The field that has the entries.
            path: The route's parameters.
            query: Filters, and `limit` for the size of a page.
        """
        cursor: str | None = None
        while True:
            page = await self.call(route, path, query={**(query or {}), "cursor": cursor})
            for entry in page[name]:
                yield entry
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def _send(self, request: httpx.Request, *, signed_in: bool) -> httpx.Response:
        """Send a request, and read the answer."""
        response = await (self.open(request) if signed_in else self._once(request))
        try:
            await response.aread()
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        finally:
            await response.aclose()
        return response

    async def open(self, request: httpx.Request) -> httpx.Response:
        """Send a request as the caller, again if its access token is refused; return the answer before its body.

        Close it when it is read.

        Raises:
            SlipwayError: The API refused, or did not answer.
        """
        bearer = await self.authorize(request)
        try:
            return await self._once(request)
        except SlipwayError as error:
            # A token may end before its time: its session was ended, or the clock of this machine was set.
            if error.status != 401 or bearer is None or not await self._replaced(bearer):
                raise
        await self.authorize(request)
        return await self._once(request)

    async def pieces(self, response: httpx.Response) -> AsyncIterator[str]:
        """Yield an answer's text as it comes, and close it."""
        try:
            async for piece in response.aiter_text():
                yield piece
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        finally:
            await response.aclose()

    async def _once(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self.http.send(request, stream=True)
            if not response.is_success:
                await response.aread()
                await response.aclose()
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        if not response.is_success:
            raise error_of(response.status_code, response.headers, response.content)
        return response

    async def authorize(self, request: httpx.Request) -> str | None:
        """Put the caller's token into a request; return it, or None where there is none."""
        bearer = await self.bearer()
        if bearer:
            request.headers["authorization"] = f"Bearer {bearer}"
        return bearer

    async def bearer(self) -> str | None:
        """Return an API key, or an access token that is still good for a while; None for a caller without any."""
        if self._bearer:
            return self._bearer
        session = self.store.load()
        if session is None and self.signer is None:
            return None
        if session is None or not session.fresh(driver.now()):
            session = await self._renewed(session)
        return session.access_token if session else None

    async def _replaced(self, refused: str) -> bool:
        """Return whether there is another token now than the one that was refused."""
        session = self.store.load()
        if self._bearer or session is None:
            return False
        if session.access_token == refused:
            session = await self._renewed(session)
        return session is not None and session.access_token != refused

    async def _renewed(self, old: Session | None) -> Session | None:
        """Renew a session, unless another task or process just did; sign in where that is possible and it is over."""
        async with self._lock:
            with self.store.locked():
                kept = self.store.load()
                if kept is not None and kept != old and kept.fresh(driver.now()):
                    return kept
                renewed = await self._refreshed(kept) if kept else None
                if renewed is None and self.signer is not None:
                    return await self._signed_in(self.signer)
                self.store.save(renewed)
                return renewed

    async def _refreshed(self, session: Session) -> Session | None:
        """Use the refresh token; None when the session has ended."""
        if session.refresh_expires_at <= driver.now():
            return None
        asked_at = driver.now()
        try:
            answer = await self.call("POST /api/auth/refresh", body={"refresh_token": session.refresh_token})
        except SlipwayError as error:
            if error.passes or error.status == 403:  # A blocked wallet's session may serve it again.
                raise
            return None
        renewed = Session.received(answer, asked_at)
        self.store.save(renewed)
        return renewed

    async def sign_in(self, signer: Signer) -> Session:
        """Begin a session; the old one is forgotten.

        Raises:
            SlipwayError: The API does not take the signature, or does not answer.
        """
        async with self._lock:
            with self.store.locked():
                return await self._signed_in(signer)

    async def _signed_in(self, signer: Signer) -> Session:
        attempt = 0
        while True:
            attempt += 1
            # Each try has a nonce of its own: of one whose answer was lost, it is not known whether it was used.
            message = await self.sign_in_text(signer.address)
            signature = await driver.settled(signer.sign_message(message))
            try:
                return await self.verified(message, signature)
            except SlipwayError as error:
                pause = self.retries.pause(attempt, error)
                if pause is None or not error.passes:
                    raise
                await driver.sleep(pause)

    async def sign_in_text(self, address: str) -> str:
        """Return the text that a wallet has to sign, with a new nonce."""
        answer = await self.call("GET /api/auth/nonce")
        chain_id = self._chain_id or answer.get("chain_id", 1)
        uri = self.api if self._domain is None else f"{httpx.URL(self.api).scheme}://{self._domain}"
        return sign_in_message(address=address, nonce=answer["nonce"], chain_id=chain_id, uri=uri, domain=self._domain)

    async def verified(self, message: str, signature: str) -> Session:
        """Exchange a signed text for a session, and keep it."""
        asked_at = driver.now()
        answer = await self.call("POST /api/auth/verify", body={"message": message, "signature": signature})
        session = Session.received(answer, asked_at)
        self.store.save(session)
        return session

    async def sign_out(self, *, everywhere: bool) -> None:
        """End the session, or all of its wallet; forget it in any case."""
        session = self.store.load()
        if session is None:
            return
        self.store.save(None)
        body = {"refresh_token": session.refresh_token, "everywhere": everywhere}
        await self.call("POST /api/auth/logout", body=body)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise SlipwayError("UPSTREAM_UNAVAILABLE", "The answer is not Slipway's", response.status_code) from None


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _unreachable(error: httpx.HTTPError) -> SlipwayError:
    # Whoever could not connect has sent nothing.
    unsure = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    if isinstance(error, httpx.TimeoutException):
        return SlipwayError("TIMEOUT", "The API did not answer in time", unsure=unsure)
    return SlipwayError("NETWORK", f"The API can't be reached ({type(error).__name__})", unsure=unsure)
