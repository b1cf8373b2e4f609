"""Routes for which the clients have no method, with the reason."""

_PAGE = "for a browser, which opens the address"
LEFT_OUT = {
    "POST /heartbeat": "for a worker's daemon, which has a token of its own",
    "POST /workers/{wallet}/tokens": "for a worker's setup script, which exchanges its enrolment code",
    "GET /.well-known/jwks.json": "for verifiers of tokens, which take an address of keys (PyJWT, jose)",
    "GET /openapi.json": "for generators of clients",
    "GET /docs": _PAGE,
    "GET /docs/{file}": _PAGE,
    "GET /workers/{wallet}/badge.svg": _PAGE,
    "GET /workers/{wallet}/status": _PAGE,
}
