"""Values of the template's parameters in the local stack."""

from __future__ import annotations

import json
import os
from typing import Any

from local import console
from local.accounts import LocalAccount, wallet_roles
from local.chains import SECOND_CHAIN, TOKEN_CHAIN, chain_entry
from local.engine.http_api import Template
from local.engine.server import LOOPBACK
from local.failures import LaunchError
from local.ports import Ports

# Each goes to the parameter of the same name in CamelCase, if the template has it.
_PASSED_ON = (
    "AKASH_PAYMENT",
    "BEDROCK_INPUT_PRICE", "BEDROCK_MODEL_ARNS", "BEDROCK_MODEL_ID", "BEDROCK_OUTPUT_PRICE", "BEDROCK_SECONDS",
    "MLFLOW_TRACKING_URI", "OIDC_ALGORITHMS", "OIDC_AUDIENCE", "OIDC_CLAIMS", "OIDC_ISSUER", "OIDC_JWKS_URL",
)  # fmt: skip
# Below these, a slow machine alone would make a workload fail.
_MIN_SECONDS = {
    "AkashCreateSeconds": 5, "AkashRecoverSeconds": 2, "AkashBidWindowSeconds": 0.2, "AkashBidTimeoutSeconds": 8,
    "AkashDepositSeconds": 30, "AkashLeaseSeconds": 10, "AkashReadySeconds": 15, "AkashLookSeconds": 2,
    "AkashOrphanSeconds": 15,
}  # fmt: skip


def chains(ports: Ports) -> list[dict[str, Any]]:
    """Return the two local chains as the parameter Chains names them."""
    return [
        chain_entry(f"http://{LOOPBACK}:{ports.chain}"),
        chain_entry(f"http://{LOOPBACK}:{ports.second_chain}", chain_id=SECOND_CHAIN, name="local-second"),
    ]


def verifier_address(ports: Ports) -> str:
    """Return the address of the local verifier of sources."""
    return f"http://{LOOPBACK}:{ports.verifier}"


def parameters(template: Template, ports: Ports, accounts: tuple[LocalAccount, ...]) -> dict[str, str]:
    """Return the template's parameters that the local deployment overrides.

    The environment variable SLIPWAY_PARAMETERS, a JSON object, has the last word.

    Raises:
        LaunchError: SLIPWAY_PARAMETERS is not an object of parameters that the template has.
    """
    declared = template.get("Parameters", {})
    values = {
        "StageName": "local",
        "AllowedOrigins": f"http://localhost:{ports.dashboard},http://{LOOPBACK}:{ports.dashboard}",
        # Any port, so that a frontend can be developed against the local build; its origin is the front door's matter.
        "SignInDomains": f"localhost,localhost:*,{LOOPBACK},{LOOPBACK}:*",
        "TokenIssuer": f"http://localhost:{ports.api}",
        "WalletRoles": wallet_roles(accounts),
        "Chains": json.dumps(chains(ports)),
        "TokenChainId": str(TOKEN_CHAIN),
        "PublicUrl": f"http://localhost:{ports.api}",
        "StreamUrl": f"ws://localhost:{ports.api}",
        "AllowPrivateNetwork": "true",
        "SourcifyUrl": verifier_address(ports),
        "WebhookPrivateNetwork": "true",
        "StackNodeImage": "bananocoin/banano:V26.1",
        "StackApiImage": "example/api:1",
        **console.parameters(ports),
        **_akash_seconds(declared),
    }
    for name in _PASSED_ON:
        if value := os.environ.get(name):
            values["".join(part.capitalize() for part in name.split("_"))] = value
    return {name: value for name, value in values.items() if name in declared} | _extra(declared)


def _akash_seconds(declared: Template) -> dict[str, str]:
    """Return the timeouts of Akash workloads at the pace of the state machines' waits, but long enough for slow
    machines."""
    scale = float(os.environ.get("SFN_WAIT_SCALE", "1"))
    return {
        name: f"{max(declared[name]['Default'] * scale, least):g}"
        for name, least in _MIN_SECONDS.items()
        if name in declared and scale < 1
    }


def _extra(declared: Template) -> dict[str, str]:
    text = os.environ.get("SLIPWAY_PARAMETERS") or "{}"
    try:
        extra = json.loads(text)
    except ValueError as error:
        raise LaunchError(f"SLIPWAY_PARAMETERS is not JSON ({error}): give it an object of parameters.") from error
    if not isinstance(extra, dict):
        raise LaunchError('SLIPWAY_PARAMETERS is not a JSON object: give it one, as in {"LogLevel": "DEBUG"}.')
    if unknown := sorted(set(extra) - set(declared)):
        raise LaunchError(f"SLIPWAY_PARAMETERS names {', '.join(unknown)}, which template.yaml does not declare.")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in extra.items()}
