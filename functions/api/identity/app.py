"""Sign-In with Ethereum: GET /api/auth/nonce, POST /api/auth/verify, GET /.well-known/jwks.json."""

from typing import Annotated, Any

from fastapi import Response

from slipway.errors import AuthenticationFailedError
from slipway.http import body_of, create_app, lambda_handler, refusals
from slipway.identity.models import NonceAnswer, VerifyAnswer, VerifyRequest
from slipway.identity.service import published_keys, sign_in
from slipway.identity.store import issue_nonce

app = create_app()


@app.get("/api/auth/nonce")
def nonce() -> NonceAnswer:
    """Hand out a value for a sign-in message; good once, for five minutes."""
    return NonceAnswer(nonce=issue_nonce())


@app.post("/api/auth/verify", responses=refusals(AuthenticationFailedError))
def verify(body: Annotated[VerifyRequest, body_of(VerifyRequest, caller=None)]) -> VerifyAnswer:
    """Exchange a signed message for an access token."""
    return sign_in(body.message, body.signature)


@app.get("/.well-known/jwks.json")
def jwks(response: Response) -> dict[str, Any]:
    """Return the keys by which others verify Slipway's tokens."""
    response.headers["cache-control"] = "public, max-age=300"
    return published_keys()


handler = lambda_handler(app)
