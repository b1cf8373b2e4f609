"""Who may call each route of the HTTP API: the one table that the authorization tests go through.

A route of the template that is missing here fails a test, and so does one that authenticates otherwise than is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Who = Literal["anyone", "user", "wallet", "admin", "operator", "worker"]
Thing = Literal["deployment", "key", "model", "build", "payment", "project", "token", "webhook", "worker"]


@dataclass(frozen=True)
class Access:
    """Who may call a route.

    Attributes:
        who: ``user`` is anyone who is signed in, ``wallet`` a user whose token names a wallet.
        thing: Whose thing the path names.
        others: What another user is answered about that thing; 200 where users may see each other's.
    """

    who: Who
    thing: Thing | None = None
    others: int | None = None


ANYONE, USER, WALLET = Access("anyone"), Access("user"), Access("wallet")
ADMIN, OPERATOR, WORKER = Access("admin"), Access("operator"), Access("worker")

ROUTES: dict[str, Access] = {
    "GET /.well-known/jwks.json": ANYONE,
    "GET /api/admin/audit": ADMIN,
    "GET /api/admin/deployments": ADMIN,
    "GET /api/admin/budgets": ADMIN,
    "GET /api/admin/gas": ADMIN,
    "GET /api/admin/metrics": ADMIN,
    "GET /api/admin/metrics/series": ADMIN,
    "PUT /api/admin/budgets": ADMIN,
    "GET /api/admin/limits": ADMIN,
    "PUT /api/admin/limits": ADMIN,
    "PUT /api/admin/models/{id}": ADMIN,
    "GET /api/admin/wallets/{wallet}": ADMIN,
    "POST /api/admin/wallets/{wallet}/block": ADMIN,
    "POST /api/admin/wallets/{wallet}/unblock": ADMIN,
    "POST /api/admin/wallets/{wallet}/logout": ADMIN,
    "POST /api/admin/{service}/pause": ADMIN,
    "POST /api/admin/{service}/resume": ADMIN,
    "GET /api/auth/nonce": ANYONE,
    "POST /api/auth/verify": ANYONE,
    "POST /api/auth/refresh": ANYONE,
    "POST /api/auth/logout": ANYONE,
    "POST /api/auth/link": ANYONE,
    "GET /api/keys": WALLET,
    "POST /api/keys": WALLET,
    "DELETE /api/keys/{key_id}": Access("wallet", "key", 404),
    "GET /api/deployments": WALLET,
    "POST /api/deployments": WALLET,
    "POST /api/deployments/estimate": WALLET,
    "GET /api/deployments/{id}/sdl": Access("wallet", "deployment", 404),
    "GET /api/deployments/{id}/bids": Access("wallet", "deployment", 404),
    "POST /api/deployments/{id}/bids": Access("wallet", "deployment", 404),
    "PATCH /api/deployments/{id}": Access("wallet", "deployment", 404),
    "POST /api/deployments/{id}/deposit": Access("wallet", "deployment", 404),
    "PUT /api/deployments/{id}": Access("wallet", "deployment", 404),
    "GET /api/deployments/{id}": Access("wallet", "deployment", 404),
    "DELETE /api/deployments/{id}": Access("wallet", "deployment", 404),
    "GET /api/deployments/{id}/logs": Access("wallet", "deployment", 404),
    "POST /api/deployments/{id}/retry": Access("wallet", "deployment", 404),
    "GET /api/deployments/{id}/status": Access("wallet", "deployment", 404),
    "GET /api/escrow": WALLET,
    "POST /api/escrow": WALLET,
    "DELETE /api/escrow": WALLET,
    "GET /api/models": USER,
    "GET /api/models/{id}": Access("user", "model", 404),
    "GET /api/providers": ANYONE,
    "GET /api/setup": ANYONE,
    "PUT /api/stacks/{environment}/node": OPERATOR,
    "GET /api/stacks/{environment}/node": OPERATOR,
    "DELETE /api/stacks/{environment}/node": OPERATOR,
    "POST /api/stacks/{environment}/node/restart": OPERATOR,
    "PUT /api/stacks/{environment}/api": OPERATOR,
    "GET /api/stacks/{environment}/api": OPERATOR,
    "DELETE /api/stacks/{environment}/api": OPERATOR,
    "POST /api/stacks/{environment}/api/restart": OPERATOR,
    "GET /api/stacks": OPERATOR,
    "GET /api/stacks/{environment}/endpoint.json": OPERATOR,
    "GET /api/stacks/{environment}/endpoint.json.sig": OPERATOR,
    "GET /api/tokens/{address}": ANYONE,
    "GET /api/tokens/{address}/abi": ANYONE,
    "GET /api/tokens/{address}/metadata": ANYONE,
    "POST /api/tokens/{address}/mint": Access("wallet", "token", 403),
    "GET /api/v1/builds": WALLET,
    "POST /api/v1/builds": WALLET,
    "POST /api/v1/builds/preview": WALLET,
    "POST /api/v1/builds/{build_id}/retry": Access("wallet", "build", 404),
    "GET /api/v1/builds/{build_id}": Access("wallet", "build", 404),
    "DELETE /api/v1/builds/{build_id}": Access("wallet", "build", 404),
    "GET /api/v1/builds/{build_id}/audit": Access("wallet", "build", 404),
    "GET /api/v1/builds/{build_id}/code": Access("wallet", "build", 404),
    "GET /api/v1/builds/{build_id}/metadata": Access("wallet", "build", 404),
    "POST /api/v1/builds/{build_id}/deploy": Access("wallet", "build", 404),
    "POST /api/v1/builds/{build_id}/deployments/{chain_id}": Access("wallet", "build", 404),
    "GET /api/v1/builds/{build_id}/abi": Access("wallet", "build", 404),
    "POST /api/v1/builds/{build_id}/ticket": Access("wallet", "build", 404),
    "GET /deployments": USER,
    "POST /deployments": WALLET,
    "GET /deployments/{name}": Access("user", "project", 200),
    "DELETE /deployments/{name}": Access("user", "project", 403),
    "PATCH /deployments/{name}/status": Access("user", "project", 403),
    "GET /docs": ANYONE,
    "GET /docs/{file}": ANYONE,
    "GET /health": ANYONE,
    "POST /heartbeat": WORKER,
    "GET /openapi.json": ANYONE,
    "GET /payments": USER,
    "POST /payments": WALLET,
    "GET /payments/{id}": Access("user", "payment", 404),
    "GET /api/webhooks": WALLET,
    "POST /api/webhooks": WALLET,
    "DELETE /api/webhooks/{id}": Access("wallet", "webhook", 404),
    "POST /api/webhooks/{id}/confirm": Access("wallet", "webhook", 404),
    "POST /api/webhooks/{id}/secret": Access("wallet", "webhook", 404),
    "POST /api/webhooks/{id}/test": Access("wallet", "webhook", 404),
    "GET /api/webhooks/{id}/deliveries": Access("wallet", "webhook", 404),
    "GET /workers": USER,
    "POST /workers": WALLET,
    "GET /workers/{wallet}": Access("user", "worker", 200),
    "DELETE /workers/{wallet}": Access("wallet", "worker", 404),
    "PATCH /workers/{wallet}": Access("wallet", "worker", 404),
    # Only of a worker whose owner shows it.
    "GET /workers/{wallet}/badge.svg": ANYONE,
    "GET /workers/{wallet}/status": ANYONE,
    "DELETE /workers/{wallet}/tokens": Access("wallet", "worker", 404),
    # The enrolment code in the body is the proof.
    "POST /workers/{wallet}/tokens": ANYONE,
    "GET /workers/{wallet}/uptime": Access("user", "worker", 200),
}
