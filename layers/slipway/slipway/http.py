"""What every API function shares: ids, limits, authentication, the body, and errors in one envelope.

Order of judgement: who asks, then how large the body is, then whether it is JSON, then whether it fits the model, then
the parameters. So a stranger learns nothing about the shape of a route, and nothing that a stranger sends is parsed.
"""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from mangum import Mangum
from pydantic import AfterValidator, BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipway.edge import SECRET_HEADER, VIEWER_HEADER, source_address
from slipway.envelope import (
    NO_SNIFFING,
    NO_STORE,
    bearer_token,
    begin_request,
    end_request,
    refusal,
    refused_by,
    require_known_parameters,
)
from slipway.errors import (
    AuthenticationFailedError,
    ForbiddenError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    SlipwayError,
    ValidationFailedError,
)
from slipway.idempotency import idempotency_key_of
from slipway.identity.models import Caller
from slipway.identity.service import authenticate
from slipway.jobs.store import RequestContext, audit_refusal, sample_refusal
from slipway.json_bodies import parse_json
from slipway.observability import logger
from slipway.request_budget import REQUEST_SECONDS, limited
from slipway.settings import public_url

MAX_BODY_BYTES = 64 * 1024
MAX_LONG_BODY_BYTES = 256 * 1024


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _encoded(header: tuple[str, str]) -> tuple[bytes, bytes]:
    return header[0].encode(), header[1].encode()


class _RequestContext:
    """Gives each request its ids, logs it once, counts it, and answers an error that was not caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        gateway = scope.get("aws.event", {}).get("requestContext", {})
        request_id = begin_request(gateway, _header(scope, b"x-correlation-id"))
        scope["state"] = {
            "request_id": request_id,
            "source_ip": gateway.get("http", {}).get("sourceIp"),
            "action": gateway.get("routeKey") or f"{scope['method']} {scope['path']}",
            "headers": {},
        }
        started = time.perf_counter()
        status, started_answer = 500, False

        async def answer(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                status, started_answer = message["status"], True
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    _encoded(NO_SNIFFING),
                    *map(_encoded, scope["state"]["headers"].items()),
                ]
                if not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"].append(_encoded(NO_STORE))
            await send(message)

        try:
            headers = {name: _header(scope, name.encode()) for name in (SECRET_HEADER, VIEWER_HEADER)}
            scope["state"]["source_ip"] = source_address(headers, scope["state"]["source_ip"])
            with limited(REQUEST_SECONDS):
                await self._app(scope, receive, answer)
        except Exception as error:
            # Here rather than in a handler of the application, whose answer would lack the headers above.
            failure = refused_by(error)
            if started_answer:
                raise
            await error_response(Request(scope), failure)(scope, receive, answer)
        finally:
            end_request(scope["state"]["action"], status, started)


def _context(request: Request) -> RequestContext:
    state = request.state
    return RequestContext(state.request_id, state.source_ip, state.action, state.headers)


async def request_context(request: Request) -> RequestContext:
    """Return what the audit trail records of a request."""
    return _context(request)


async def base_url(request: Request) -> str:
    """Return the address under which this API is known, without a slash at its end.

    The operator names it, or it is the domain that API Gateway answered under; never what a caller's headers say.
    """
    return public_url() or f"https://{request.scope['aws.event']['requestContext']['domainName']}"


def error_response(request: Request, error: SlipwayError) -> JSONResponse:
    """Return the envelope of every refusal."""
    envelope, headers = refusal(error, request.state.request_id)
    return JSONResponse(envelope, status_code=error.status, headers=headers)


def _subject_of_path(request: Request) -> str | None:
    """Return what the path names, such as a deployment, a service or a model."""
    return next((str(value)[:64] for value in request.path_params.values()), None)


def _refuse(request: Request, error: SlipwayError) -> JSONResponse:
    caller: Caller | None = getattr(request.state, "caller", None)
    subject = getattr(request.state, "subject", None) or _subject_of_path(request)
    context, refused = _context(request), refused_by(error)
    if caller:
        audit_refusal(context, refused, caller.wallet, subject)
    else:
        sample_refusal(context, refused, subject)
    return error_response(request, error)


def _of_pydantic(errors: list[Any]) -> ValidationFailedError:
    fields = [
        {
            "field": ".".join(str(part) for part in entry["loc"]) or "body",
            # pydantic's own word for what a validator of ours says.
            "message": str(entry["msg"]).removeprefix("Value error, "),
        }
        for entry in errors[:20]
    ]
    summary = "; ".join(f"{entry['field']}: {entry['message']}" for entry in fields[:3])
    return ValidationFailedError(summary, details={"fields": fields})


def _of_http(error: HTTPException) -> SlipwayError:
    if error.status_code == 405:
        return MethodNotAllowedError("This path does not take that method")
    if error.status_code == 404:
        return NotFoundError("There is no such path")
    return ValidationFailedError(str(error.detail))


class _Route(APIRoute):
    """A route that refuses query parameters that it does not take, after all that its dependencies refuse."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        super().__init__(path, endpoint, **settings)
        known = {field.alias for field in self.dependant.query_params}

        async def judge(request: Request) -> None:
            require_known_parameters(request.query_params, known)

        last = get_parameterless_sub_dependant(depends=Depends(judge), path=self.path_format)
        self.dependant.dependencies.append(last)


def create_app() -> FastAPI:
    """Make a FastAPI application with Slipway's middleware and error envelope, and no documents of its own."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.router.route_class = _Route
    app.add_middleware(_RequestContext)

    @app.exception_handler(SlipwayError)
    def _(request: Request, error: SlipwayError) -> JSONResponse:
        return _refuse(request, error)

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> JSONResponse:
        return _refuse(request, _of_http(error))

    @app.exception_handler(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> JSONResponse:
        # FastAPI's locations begin with where the parameter is: path, query or header.
        return _refuse(request, _of_pydantic([{**entry, "loc": entry["loc"][1:]} for entry in error.errors()]))

    return app


def lambda_handler(app: FastAPI) -> Mangum:
    """Return the handler of an API Gateway HTTP API (payload format 2.0)."""
    return Mangum(app, lifespan="off")


async def _token_of(request: Request) -> str:
    header = request.headers.get("authorization", "")
    if header:
        return bearer_token(header)
    # A stranger's body is parsed only where it may hold a token.
    body = await request.body()
    value = None
    if len(body) <= MAX_BODY_BYTES and b'"auth_token"' in body:
        with suppress(ValueError, RecursionError):
            value = json.loads(body)
    given = value.get("auth_token") if isinstance(value, dict) else None
    if not isinstance(given, str):
        raise AuthenticationFailedError("Sign in and send the access token as Authorization: Bearer <token>")
    return given


async def authenticated(request: Request) -> Caller:
    """Return the caller, from the Authorization header or else the ``auth_token`` of a body up to 64 KB (spec 004).

    Raises:
        AuthenticationFailedError: The request has no valid credentials.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known:
        return known
    caller = authenticate(await _token_of(request), request.method, request.url.path)
    request.state.caller = caller
    logger.append_keys(wallet=caller.wallet)
    return caller


async def wallet_owner(request: Request) -> Caller:
    """Return a caller whose token names a wallet.

    Raises:
        AuthenticationFailedError: See ``authenticated``.
        ForbiddenError: The token names no wallet.
    """
    caller = await authenticated(request)
    if caller.wallet is None:
        raise ForbiddenError("The access token names no wallet")
    return caller


@dataclass(frozen=True)
class RoleHolder:
    """A dependency that lets only callers of one role in."""

    name: str

    async def __call__(self, request: Request) -> Caller:
        """Return the caller.

        Raises:
            AuthenticationFailedError: See ``authenticated``.
            ForbiddenError: The caller has not the role.
        """
        caller = await authenticated(request)
        if self.name not in caller.roles:
            raise ForbiddenError(f"Only the role {self.name} may do this")
        return caller


# What routes take besides their own parameters.
Owner = Annotated[Caller, Depends(wallet_owner)]
SignedIn = Annotated[Caller, Depends(authenticated)]
Context = Annotated[RequestContext, Depends(request_context)]
BaseUrl = Annotated[str, Depends(base_url)]
Key = Annotated[str | None, Header(alias="idempotency-key"), AfterValidator(idempotency_key_of)]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=1024)]
# Dependencies that read nothing of the caller's.
OF_THE_REQUEST = (request_context, base_url)


@dataclass(frozen=True)
class BodyReader[BodyModel: BaseModel]:
    """A dependency that reads the body; see ``body_of``."""

    model: type[BodyModel] | Callable[[Any], type[BodyModel]]
    caller: Callable[[Request], Any] | None
    subject: Sequence[str]
    may_be_empty: bool
    long_text: str | None

    async def __call__(self, request: Request) -> BodyModel:
        """Read the body.

        Raises:
            PayloadTooLargeError: More than 64 KB.
            ValidationFailedError: Not JSON, or not of the model's shape; names the fields.
        """
        if self.caller is not None:
            await self.caller(request)
        raw = await request.body()
        too_large = PayloadTooLargeError(f"The body is larger than {MAX_BODY_BYTES} bytes")
        if len(raw) > (MAX_LONG_BODY_BYTES if self.long_text else MAX_BODY_BYTES):
            raise too_large
        value = {} if self.may_be_empty and not raw else parse_json(raw)
        if len(raw) > MAX_BODY_BYTES and not (isinstance(value, dict) and self.long_text in value):
            raise too_large
        if isinstance(value, dict):
            named = (value[name][:64] for name in self.subject if isinstance(value.get(name), str))
            request.state.subject = next(named, None)
        shape: type[BodyModel] = self.model if isinstance(self.model, type) else self.model(value)
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            raise _of_pydantic(error.errors(include_url=False, include_input=False)) from error


def body_of[BodyModel: BaseModel](
    model: type[BodyModel] | Callable[[Any], type[BodyModel]],
    caller: Callable[[Request], Any] | None = wallet_owner,
    subject: Sequence[str] = ("model_id",),
    *,
    may_be_empty: bool = False,
    long_text: str | None = None,
) -> Any:
    """Return a dependency that reads the body into a model, after ``caller`` has authenticated.

    FastAPI's own body parameters would be judged before any dependency runs.

    Args:
        model: The shape of the body, or what chooses it for a body.
        caller: The dependency that authenticates; None for routes that anyone may call.
        subject: Fields of which the first that is a text names, in the audit trail, what the request is about.
        may_be_empty: No body means the same as ``{}``.
        long_text: A field for whose text a body may have 256 KB; how long the text itself may be is for the model.
    """
    return Depends(BodyReader(model, caller, subject, may_be_empty, long_text))


def refusals(*errors: type[SlipwayError]) -> dict[int | str, dict[str, Any]]:
    """Return what a route may refuse, for ``responses`` of its decorator and so for ``docs/openapi.json``.

    Refusals because of the caller, the body, the parameters, or an internal error are not named: every route has them.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        codes = found.setdefault(error.status, {"x-error-codes": []})["x-error-codes"]
        codes.extend([] if error.code in codes else [error.code])
    return found
