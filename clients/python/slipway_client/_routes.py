"""Routes that take an Idempotency-Key, from the OpenAPI document. Written by `make openapi`; do not edit."""

TAKES_KEY = frozenset(
    {
        "POST /api/deployments",
        "POST /api/deployments/{id}/retry",
        "POST /api/stacks/{environment}/api/restart",
        "POST /api/stacks/{environment}/node/restart",
        "POST /api/v1/builds",
        "POST /api/v1/builds/{build_id}/deploy",
        "POST /api/v1/builds/{build_id}/deployments/{chain_id}",
        "POST /api/v1/builds/{build_id}/retry",
        "POST /deployments",
        "POST /payments",
        "PUT /api/stacks/{environment}/api",
        "PUT /api/stacks/{environment}/node",
    }
)
