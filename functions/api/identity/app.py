"""Who is asking: sign-in, sessions, wallets of an external issuer's users, API keys, and the published keys."""

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from fastapi import Header, Path, Response

from slipway.envelope import bearer_token
from slipway.errors import (
    AuthenticationFailedError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RateLimitExceededError,
)
from slipway.http import Context, Owner, body_of, create_app, lambda_handler, refusals
from slipway.identity import api_keys, service
from slipway.identity.models import (
    KeyAnswer,
    KeyList,
    KeyRequest,
    LinkAnswer,
    LogoutAnswer,
    LogoutRequest,
    NonceAnswer,
    RefreshRequest,
    VerifyAnswer,
    VerifyRequest,
)
from slipway.identity.store import issue_nonce
from slipway.limits.addresses import count_address
from slipway.settings import token_chain_id

if TYPE_CHECKING:
    from slipway.identity.sign_in import SignedMessage

app = create_app()
# In a minute, for one address: an office or a mobile network shares one.
MAX_NONCES = 600
Signed = Annotated[VerifyRequest, body_of(VerifyRequest, caller=None)]
Origin = Annotated[str | None, Header(max_length=512)]


def _contract_takes(signed: "SignedMessage") -> bool:
    # Imported here because few wallets are contracts.
    from slipway.chain.contract_wallets import takes

    return takes(signed)


@app.get("/api/auth/nonce", responses=refusals(RateLimitExceededError))
def nonce(context: Context) -> NonceAnswer:
    """Hand out a value for a sign-in message; good once, for five minutes."""
    count_address("nonce", context.source_ip, MAX_NONCES)
    return NonceAnswer(nonce=issue_nonce(), chain_id=token_chain_id())


@app.post("/api/auth/verify", responses=refusals(AuthenticationFailedError, ForbiddenError))
def verify(context: Context, body: Signed) -> VerifyAnswer:
    """Exchange a signed message for an access token and a refresh token."""
    return service.sign_in(body.message, body.signature, _contract_takes, context.source_ip)


@app.post("/api/auth/refresh", responses=refusals(AuthenticationFailedError, ForbiddenError))
def refresh(
    body: Annotated[RefreshRequest, body_of(RefreshRequest, caller=None)], origin: Origin = None
) -> VerifyAnswer:
    """Exchange a refresh token for new tokens; one that is used twice ends its session."""
    return service.refresh(body.refresh_token, urlsplit(origin).netloc if origin else None)


@app.post("/api/auth/logout", responses=refusals(AuthenticationFailedError))
def logout(body: Annotated[LogoutRequest, body_of(LogoutRequest, caller=None)]) -> LogoutAnswer:
    """End the session, or all sessions of its wallet."""
    return service.log_out(body.refresh_token, everywhere=body.everywhere)


@app.post("/api/auth/link", responses=refusals(AuthenticationFailedError))
def link(body: Signed, authorization: Annotated[str, Header(max_length=8300)] = "") -> LinkAnswer:
    """Link the wallet that signed to the user of the external issuer's token."""
    return service.link(bearer_token(authorization), body.message, body.signature, _contract_takes)


@app.post("/api/keys", status_code=201, responses=refusals(ConflictError, RateLimitExceededError))
def make_key(
    context: Context, caller: Owner, body: Annotated[KeyRequest, body_of(KeyRequest, subject=("name",))]
) -> KeyAnswer:
    """Make an API key; it is shown this once."""
    made = api_keys.make(caller, body)
    context.record_accepted(caller.wallet, made.id)
    return made


@app.get("/api/keys")
def keys(caller: Owner) -> KeyList:
    """List the caller's API keys."""
    return KeyList(keys=api_keys.all_of(caller))


@app.delete("/api/keys/{key_id}", status_code=204, responses=refusals(NotFoundError))
def delete_key(context: Context, caller: Owner, key_id: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]) -> Response:
    """Delete an API key; it is refused from then on."""
    api_keys.delete(caller, key_id)
    context.record_accepted(caller.wallet, key_id)
    return Response(status_code=204)


@app.get("/.well-known/jwks.json")
def jwks(response: Response) -> dict[str, Any]:
    """Return the keys by which others verify Slipway's tokens."""
    response.headers["cache-control"] = "public, max-age=300"
    return service.published_keys()


handler = lambda_handler(app)
