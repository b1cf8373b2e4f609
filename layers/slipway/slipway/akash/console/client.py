"""The Akash Console API over HTTP (``https://console-api.akash.network``, OpenAPI document at ``/v1/doc``).

Every call has one deadline for everything it does. What is safe to repeat is repeated inside that deadline, a bounded
number of times with jittered pauses: reads, closing, the same update, and the lease call, which upstream leads to the
same lease however often it is made. Creating a deployment is not, and is never repeated here.

The account's key goes into the header ``x-api-key`` and nowhere else: not beside an Authorization header, which the
API refuses, not to routes that need none, and not into errors or logs.
"""

import json
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from slipway.akash.console.models import (
    Balances,
    Bid,
    BidEntry,
    CreatedDeployment,
    Deployment,
    DeploymentPage,
    ErrorBody,
    GpuPrices,
    LeaseId,
    PricedGpu,
    PriceEstimate,
    Provider,
    parse,
    parse_each,
)
from slipway.deadline_client import DeadlineClient
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
    ValidationFailedError,
    WalletProvisioningError,
)
from slipway.network import require_public_url
from slipway.secret_values import secret_text
from slipway.settings import console_api_address, console_api_key_secret
from slipway.times import Clock, epoch_milliseconds, now

_TRIES = 4
_PAUSE_SECONDS = 0.25
_RETRY_AFTER_SECONDS = 5
_PASSING_STATUSES = {408, 425, 429, 500, 502, 503, 504}
_PAGE_LIMIT = 1000
_MAX_PAGES = 50
_MESSAGE_LENGTH = 500
# The request has not left this machine: no connection, or none free.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)
# Said by the Console API when the chain refuses what an SDL asks for.
_SDL_FAULTS = ("invalid sdl", "gpu attributes", "coin denominations", "unit price", "deployment version")
_NO_CREDIT = (
    "insufficient funds",
    "insufficient balance",
    "insufficient credit",
    "not enough fund",
    "not enough credit",
)
_BID_GONE = ("bid is no longer", "bid not open", "bid is not open", "bid is closed", "bid not found")
_ORDER_TAKEN = ("order matched", "order not open", "order is closed", "order not found", "already matched")
# A refusal that says so is no judgement of what was asked. Patterns are compiled when one is needed.
_LATER = (
    r"\bagain\b|retry|temporar|timed?[ -]?out|unavailable|unreachable|not respond|overload|too many|rate.?limit|busy"
    r"|maintenance"
)
# What a 404 must name to be about that, and not about the address that was asked.
_MISSING = (
    r"\b(deployment|dseq|lease|bid|order|provider)s?\b.*\b(not found|not exist|no longer exists?|unknown)"
    r"|\b(no such|unknown|no|could not find|couldn't find) (deployment|dseq|lease|bid|order|provider)"
)
_OF_ADDRESS = r"\b(route|path|url|endpoint|cannot (get|post|put|delete))\b|/v\d"


@dataclass(frozen=True)
class _Call:
    """One call of the API.

    Attributes:
        doing: Its name in messages.
        method: The HTTP method.
        path: Below the API's address.
        seconds: The deadline.
        query: Query parameters.
        body: JSON body.
        public: Needs no key.
        repeatable: Doing it twice is the same as doing it once.
    """

    doing: str
    method: str
    path: str
    seconds: float
    query: Mapping[str, str] | None = None
    body: Any = None
    public: bool = False
    repeatable: bool = True


class ConsoleApi:
    """Calls the Console API on behalf of the account that owns the key.

    Besides what each method names, every method raises ``UpstreamUnavailableError`` (no answer in time, too many
    requests, a failure of theirs, or an answer that makes no sense), ``UpstreamAuthenticationError`` (our key is not
    accepted) and ``UpstreamRefusedError`` (a refusal that none of the other errors stands for).

    Args:
        address: The API's address.
        api_key: Gives the account's key, each time one is sent.
        client: The HTTP client, used by this object alone.
        clock: Passes the time.
    """

    def __init__(
        self, address: str, api_key: Callable[[], str], client: httpx.AsyncClient, clock: Clock = time
    ) -> None:
        self._clock = clock
        self._address = address.rstrip("/")
        self._api_key = api_key
        self._client = DeadlineClient(client)

    # ── Deployments ─────────────────────────────────────────────────────────────────────────────

    def create_deployment(self, sdl: str, deposit: Decimal, seconds: float = 30.0) -> CreatedDeployment:
        """Create a deployment. Never tried twice: each success is one more paid deployment.

        Args:
            sdl: The SDL as YAML; denominations of its prices are rewritten upstream.
            deposit: US dollars put into its escrow. Upstream may choose another amount, but refuses none at all.
            seconds: The deadline.

        Raises:
            CreateOutcomeUnknownError: It may have been created.
            InvalidSdlError: The SDL is refused. As with every other error, nothing was created.
            PaymentRequiredError: The account has too little credit.
            WalletProvisioningError: The account's wallet is not ready; the same call succeeds later.
        """
        body = {"data": {"sdl": sdl, "deposit": _json_number(deposit)}}
        call = _Call("create deployment", "POST", "/v1/deployments", seconds, body=body, repeatable=False)
        asked_at = epoch_milliseconds(now(self._clock))
        try:
            response = self._request(call, seconds)
            answered = _is_own_answer(response)
            if not _may_have_created(response.status_code):
                return self._created(call, self._json(call, response))
            cause = " (which the SDL may have caused)" if answered and response.status_code == 500 else ""
            outcome = f"answered {response.status_code}{cause}"
        except _NOT_SENT as error:
            raise self._unavailable(call, type(error).__name__) from error
        except httpx.HTTPError as error:
            outcome, answered = f"did not answer ({type(error).__name__})", False
        except (ValueError, ValidationError):
            outcome = "gave an answer that makes no sense"
        raise CreateOutcomeUnknownError(
            f"The Akash Console API {outcome}, so the deployment may exist or not",
            details={"asked_at": asked_at, "gave_up_at": epoch_milliseconds(now(self._clock)), "answered": answered},
        )

    def _created(self, call: _Call, answer: Any) -> CreatedDeployment:
        created = parse(CreatedDeployment, answer["data"] if isinstance(answer, dict) and "data" in answer else None)
        if created.transaction.code != 0:
            reason = self._public_text(call, created.transaction.raw_log)
            raise UpstreamRefusedError(f"The chain refused the deployment: {reason}")
        return created

    def active_deployments(self, seconds: float = 15.0) -> list[Deployment]:
        """Return every active deployment of the account, without its status; closed ones are never listed.

        Deployments that are closed meanwhile move others to pages that were read already, so one that is missing from
        a list of several pages is not proved missing.
        """
        found: dict[str, Deployment] = {}
        skip = 0
        for _ in range(_MAX_PAGES):
            page = self.deployment_page(skip, _PAGE_LIMIT, seconds)
            found |= {deployment.dseq: deployment for deployment in page.deployments}
            if not page.pagination.has_more:
                return list(found.values())
            skip += page.pagination.limit or _PAGE_LIMIT
        raise UpstreamUnavailableError("The Akash Console API lists deployments without end")

    def deployment_page(self, skip: int, limit: int, seconds: float = 15.0) -> DeploymentPage:
        """Return one page of the active deployments; where it does not say whether there are more, there may be."""
        query = {"skip": str(skip), "limit": str(limit)}
        call = _Call("list deployments", "GET", "/v1/deployments", seconds, query=query)
        page = self._read(call, DeploymentPage)
        known, read = page.pagination, len(page.deployments)
        if known.has_more is not None:
            return page
        more = read > 0 if known.total is None else known.total > skip + read
        return page.model_copy(update={"pagination": known.model_copy(update={"has_more": more})})

    def deployment(self, dseq: str, seconds: float = 20.0) -> Deployment:
        """Return a deployment, active or closed, with its providers' status; slow, because upstream asks them.

        Raises:
            NotFoundError: There never was such a deployment.
        """
        path = f"/v1/deployments/{_segment(dseq)}"
        return self._read(_Call("read deployment", "GET", path, seconds), Deployment)

    def bids(self, dseq: str, seconds: float = 10.0) -> list[Bid]:
        """Return the bids of audited providers, in every state; none until the first has come."""
        call = _Call("read bids", "GET", "/v1/bids", seconds, query={"dseq": dseq})
        answer = self._data(call)
        return [entry.bid for entry in self._each(call, BidEntry, answer)]

    def create_leases(self, manifest: str, leases: Sequence[LeaseId], seconds: float = 60.0) -> Deployment:
        """Take one bid for each group and send the manifest to their providers.

        The same call again takes no second lease; it sends the manifest again. So repeat it until it succeeds or the
        provider's five minutes are over.

        Args:
            manifest: As ``create_deployment`` returned it.
            leases: Ids of the bids.
            seconds: The deadline; upstream itself waits about 50 s for a provider.

        Raises:
            BidClosedError: A bid is gone, or its order is taken; look for a lease, else choose another bid.
            NotFoundError: A provider or the deployment is unknown.
        """
        wanted = [
            {"dseq": lease.dseq, "gseq": lease.gseq, "oseq": lease.oseq, "provider": lease.provider} for lease in leases
        ]
        body = {"manifest": manifest, "leases": wanted}
        return self._read(_Call("create lease", "POST", "/v1/leases", seconds, body=body), Deployment)

    def update_deployment(self, dseq: str, sdl: str, seconds: float = 60.0) -> Deployment:
        """Replace the SDL of a deployment; nothing happens if it is the same.

        Raises:
            InvalidSdlError: The SDL is refused.
            NotFoundError: There never was such a deployment.
        """
        path, body = f"/v1/deployments/{_segment(dseq)}", {"data": {"sdl": sdl}}
        return self._read(_Call("update deployment", "PUT", path, seconds, body=body), Deployment)

    def add_deposit(self, dseq: str, amount: Decimal, seconds: float = 30.0) -> None:
        """Add US dollars to the escrow account of a deployment. Never tried twice: each success pays once more.

        Raises:
            CreateOutcomeUnknownError: It may have been paid.
            PaymentRequiredError: The account has too little credit; as with every other error, nothing was paid.
            NotFoundError: There never was such a deployment.
        """
        body = {"data": {"dseq": dseq, "deposit": _json_number(amount)}}
        call = _Call("add deposit", "POST", "/v1/deposit-deployment", seconds, body=body, repeatable=False)
        try:
            response = self._request(call, seconds)
            if not _may_have_created(response.status_code):
                answer = self._json(call, response)
                if isinstance(answer, dict) and answer.get("data") is not None and not answer.get("error"):
                    return
                raise ValueError("it does not say that it was paid")
            outcome = f"answered {response.status_code}"
        except _NOT_SENT as error:
            raise self._unavailable(call, type(error).__name__) from error
        except httpx.HTTPError as error:
            outcome = f"did not answer ({type(error).__name__})"
        except ValueError:
            outcome = "gave an answer that makes no sense"
        raise CreateOutcomeUnknownError(f"The Akash Console API {outcome}, so the deposit may be made or not")

    def close_deployment(self, dseq: str, seconds: float = 30.0) -> None:
        """Ask to close a deployment and its leases; what is left in its escrow comes back. A closed one stays closed.

        An answer without a word on success may be one: the deployment itself decides.

        Raises:
            EscrowNotSettledError: Not possible yet; it is still open.
            NotFoundError: There never was such a deployment.
        """
        call = _Call("close deployment", "DELETE", f"/v1/deployments/{_segment(dseq)}", seconds)
        answer = self._answer(call)
        said = answer.get("data", answer) if isinstance(answer, dict) else answer
        success = said.get("success", True) if isinstance(said, dict) else said
        if success not in (True, None, "true") or (isinstance(answer, dict) and answer.get("error")):
            raise self._unavailable(call, "it was not closed")

    # ── Providers and prices ────────────────────────────────────────────────────────────────────

    def providers(self, addresses: Sequence[str] = (), seconds: float = 15.0) -> list[Provider]:
        """Return all providers, or those of the given addresses, without prices."""
        query = {"scope": "all", **({"addresses": ",".join(addresses)} if addresses else {})}
        call = _Call("list providers", "GET", "/v1/providers", seconds, query=query, public=True)
        return self._each(call, Provider, self._answer(call))

    def gpu_prices(self, seconds: float = 15.0) -> GpuPrices:
        """Return what each GPU model costs at present."""
        call = _Call("read GPU prices", "GET", "/v1/gpu-prices", seconds, public=True)
        answer = self._answer(call)
        models = answer.get("models") if isinstance(answer, dict) else None
        prices = self._model(call, GpuPrices, {**answer, "models": []} if isinstance(answer, dict) else answer)
        return prices.model_copy(update={"models": self._each(call, PricedGpu, models)})

    def price_estimate(self, cpu: int, memory: int, storage: int, seconds: float = 10.0) -> PriceEstimate:
        """Return what an amount of resources costs by the network's usual prices.

        Args:
            cpu: Thousandths of a core.
            memory: Bytes.
            storage: Bytes.
            seconds: The deadline.
        """
        body = {"cpu": cpu, "memory": memory, "storage": storage}
        call = _Call("estimate price", "POST", "/v1/pricing", seconds, body=body, public=True)
        return self._model(call, PriceEstimate, self._answer(call))

    # ── The account ─────────────────────────────────────────────────────────────────────────────

    def balances(self, seconds: float = 10.0) -> Balances:
        """Return the balances of the account."""
        return self._read(_Call("read balances", "GET", "/v1/balances", seconds), Balances)

    def create_token(self, ttl: int, leases: Mapping[str, Any], seconds: float = 10.0) -> str:
        """Return a token that providers accept.

        Args:
            ttl: Seconds that it lasts.
            leases: What it allows: ``{"access": "scoped", "scope": ["logs", …]}`` for every lease, or ``{"access":
                "granular", "permissions": [{"provider", "access", "scope" or "deployments"}]}``.
            seconds: The deadline.
        """
        body = {"data": {"ttl": ttl, "leases": dict(leases)}}
        call = _Call("create token", "POST", "/v1/create-jwt-token", seconds, body=body)
        answer = self._data(call)
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise self._unavailable(call, "it gave no token")
        return token

    # ── One call ────────────────────────────────────────────────────────────────────────────────

    def _read[Shape: BaseModel](self, call: _Call, shape: type[Shape]) -> Shape:
        return self._model(call, shape, self._data(call))

    def _data(self, call: _Call) -> Any:
        answer = self._answer(call)
        if not isinstance(answer, dict) or "data" not in answer:
            raise self._unavailable(call, "its answer makes no sense")
        return answer["data"]

    def _model[Shape: BaseModel](self, call: _Call, shape: type[Shape], value: Any) -> Shape:
        try:
            return parse(shape, value)
        except ValidationError as error:
            # Without the cause: its text holds what was answered, which may be a token or a manifest.
            fields = ", ".join(".".join(map(str, entry["loc"])) for entry in error.errors()[:3])
            raise self._unavailable(call, f"its answer makes no sense ({fields})") from None

    def _each[Shape: BaseModel](self, call: _Call, shape: type[Shape], values: Any) -> list[Shape]:
        """Return the entries that can be read; where none can, that is no word of there being none."""
        entries = list(_list(values))
        found = parse_each(shape, entries)
        if entries and not found:
            raise self._unavailable(call, "its answer makes no sense")
        return found

    def _answer(self, call: _Call) -> Any:
        """Make a repeatable call until it succeeds, is refused, or its deadline has passed."""
        ends_at = self._clock.monotonic() + call.seconds
        for attempt in range(_TRIES):
            wait = _PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 (jitter, not a secret)
            try:
                response = self._request(call, ends_at - self._clock.monotonic())
                if response.status_code not in _PASSING_STATUSES:
                    return self._json(call, response)
                reason = f"it answered {response.status_code}"
                wait = max(wait, float(_retry_after(response, 0)))
                retry_after = _retry_after(response)
            except httpx.HTTPError as error:
                reason, retry_after = type(error).__name__, _RETRY_AFTER_SECONDS
            except ValueError:
                reason, retry_after = "its answer is not JSON", _RETRY_AFTER_SECONDS
            if attempt == _TRIES - 1 or self._clock.monotonic() + wait >= ends_at:
                break
            self._clock.sleep(wait)
        raise self._unavailable(call, reason, retry_after)

    def _request(self, call: _Call, seconds: float) -> httpx.Response:
        headers = {"accept": "application/json"} | ({} if call.public else {"x-api-key": self._api_key()})
        return self._client.request(
            call.method,
            f"{self._address}{call.path}",
            max(seconds, 0.001),
            params=call.query,
            json=call.body,
            headers=headers,
        )

    def _json(self, call: _Call, response: httpx.Response) -> Any:
        """Return the body of a success.

        Raises:
            SlipwayError: It was refused.
            ValueError: It is not JSON.
        """
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        if response.is_success:
            return json.loads(response.content, parse_float=Decimal)
        raise self._refusal(call, response)

    def _unavailable(
        self, call: _Call, reason: str, retry_after: int = _RETRY_AFTER_SECONDS
    ) -> UpstreamUnavailableError:
        return UpstreamUnavailableError(
            f"The Akash Console API could not {call.doing}: {reason}", retry_after=retry_after
        )

    # ── Refusals ────────────────────────────────────────────────────────────────────────────────

    def _refusal(self, call: _Call, response: httpx.Response) -> SlipwayError:
        """Return the error that stands for an answer of 3xx or 4xx."""
        try:
            body = parse(ErrorBody, json.loads(response.content))
        except (ValueError, ValidationError):
            body = None
        status = response.status_code
        is_own = body is not None and bool(body.message or body.code)
        # What stands in front of the API judges nothing; its shield answers 403 when we ask too often. Redirects are
        # not followed: what is not to be repeated did not happen.
        judged = is_own or (status < 400 and not call.repeatable)
        if status == 429 or not judged or "cf-mitigated" in response.headers:
            return self._unavailable(call, f"it answered {status}", _retry_after(response))
        body = body or ErrorBody()
        refusal = _Refusal(status, self._public_text(call, body.code), self._public_text(call, body.message))
        return _error_of(call, refusal)

    def _public_text(self, call: _Call, text: str) -> str:
        """Return what upstream said, on one line and without the key, should it repeat that."""
        key = "" if call.public else self._api_key()
        shown = text.replace(key, "…") if key else text
        return " ".join(shown.split())[:_MESSAGE_LENGTH]


@dataclass(frozen=True)
class _Refusal:
    status: int
    code: str
    message: str

    def says(self, *parts: str) -> bool:
        text = self.message.lower()
        return any(part in text for part in parts)


def _error_of(call: _Call, refusal: _Refusal) -> SlipwayError:
    message = refusal.message or f"The Akash Console API answered {refusal.status} to: {call.doing}"
    match refusal.status:
        case 401 | 403:
            return UpstreamAuthenticationError(f"The Akash Console API does not accept our key: {message}")
        case 402:
            return PaymentRequiredError(message)
        case 404:
            return _nothing_there(call, message)
        case 409 if refusal.code == "wallet_provisioning":
            return WalletProvisioningError(message, retry_after=_RETRY_AFTER_SECONDS)
    return _error_by_words(call, refusal, message)


def _nothing_there(call: _Call, message: str) -> SlipwayError:
    """Return what a 404 means: that what was asked for never was, or that the API has moved."""
    text = message.lower()
    if re.search(_MISSING, text) and not re.search(_OF_ADDRESS, text):
        return NotFoundError(message)
    return UpstreamUnavailableError(
        f"The Akash Console API has no {call.path}: {message}", retry_after=_RETRY_AFTER_SECONDS
    )


def _error_by_words(call: _Call, refusal: _Refusal, message: str) -> SlipwayError:
    if refusal.says(*_NO_CREDIT):
        return PaymentRequiredError(message)
    if not call.repeatable and refusal.says("already exists", "deployment exists"):
        # Two creates of one account within a millisecond: this one has lost.
        return UpstreamUnavailableError(message, retry_after=1)
    if refusal.says(*_BID_GONE, *_ORDER_TAKEN):
        return BidClosedError(message)
    if refusal.says("cannot be settled yet"):
        return EscrowNotSettledError(message, retry_after=_RETRY_AFTER_SECONDS)
    if refusal.says(*_SDL_FAULTS):
        fields = ValidationFailedError.of_field("sdl", message.removeprefix("Invalid SDL: "))
        return InvalidSdlError(fields.message, details=fields.details)
    if re.search(_LATER, refusal.message.lower()):
        return UpstreamUnavailableError(message, retry_after=_RETRY_AFTER_SECONDS)
    return UpstreamRefusedError(message, details={"status": refusal.status, "code": refusal.code})


def _may_have_created(status: int) -> bool:
    return status >= 500 or status == 408


def _is_own_answer(response: httpx.Response) -> bool:
    """Return whether the API itself has answered; a gateway before it may give up a request that the API continues."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return False
    return isinstance(body, dict) and not {"data", "message", "error", "code"}.isdisjoint(body)


def _retry_after(response: httpx.Response, otherwise: int = _RETRY_AFTER_SECONDS) -> int:
    text = response.headers.get("retry-after", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() else otherwise


def _list(value: Any) -> Iterable[Any]:
    """Return a list as it was answered; anything else where a list belongs is an invalid answer."""
    if isinstance(value, list):
        return value
    raise UpstreamUnavailableError("The Akash Console API gave something else than a list", retry_after=5)


def _segment(text: str) -> str:
    return quote(text, safe="")


def _json_number(amount: Decimal) -> int | float:
    """Return the JSON number that reads exactly as ``amount``; raises ValueError where there is none."""
    if amount == amount.to_integral_value():
        return int(amount)
    number = float(amount)
    if Decimal(repr(number)) != amount:
        raise ValueError("the amount has more digits than a JSON number keeps")
    return number


@cache
def console_api() -> ConsoleApi:
    """Return the API at AKASH_CONSOLE_API_URL with the key in the secret AKASH_API_KEY_SECRET_ARN."""
    address, secret = console_api_address(), console_api_key_secret()
    require_public_url(address)
    # Without the environment's proxies and .netrc, which would add an Authorization header.
    return ConsoleApi(address, lambda: secret_text(secret), httpx.AsyncClient(trust_env=False))
