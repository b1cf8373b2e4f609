"""Which Akash Console API the local stack talks to: the simulator, or the one that the environment names.

AKASH_CONSOLE_API_URL with AKASH_CONSOLE_API_KEY names another one, such as the sandbox, and then no simulator starts.
The key gets to the functions as it does on AWS: in a secret.
"""

from __future__ import annotations

import os

from local.console_api.keys import DEFAULT_KEY
from local.deploy import aws_client
from local.engine.server import ACCOUNT, LOOPBACK, REGION
from local.failures import LaunchError
from local.ports import Ports

_SECRET = "slipway/akash-api-key"  # noqa: S105 (its name)


def is_simulated() -> bool:
    """Return whether this stack brings its own Console API."""
    return not os.environ.get("AKASH_CONSOLE_API_URL")


def address(ports: Ports) -> str:
    """Return the Console API's address."""
    return os.environ.get("AKASH_CONSOLE_API_URL") or f"http://{LOOPBACK}:{ports.console}"


def api_key() -> str:
    """Return the account's key.

    Raises:
        LaunchError: The environment names a Console API without a key for it.
    """
    key = os.environ.get("AKASH_CONSOLE_API_KEY")
    if not key and not is_simulated():
        raise LaunchError("AKASH_CONSOLE_API_URL is set without AKASH_CONSOLE_API_KEY: give the account's key as well.")
    return key or DEFAULT_KEY


def parameters(ports: Ports) -> dict[str, str]:
    """Return the template's parameters that name the Console API, its provider proxy, and the secret with the key."""
    values = {
        "AkashConsoleApiUrl": address(ports),
        "AkashApiKeySecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{_SECRET}",
    }
    if proxy := os.environ.get("AKASH_PROVIDER_PROXY_URL") or (address(ports) if is_simulated() else None):
        values["AkashProviderProxyUrl"] = proxy
    return values


def store_key(port: int) -> None:
    """Put the key into the engine's Secrets Manager."""
    client = aws_client("secretsmanager", port)
    try:
        client.create_secret(Name=_SECRET, SecretString=api_key())
    except client.exceptions.ResourceExistsException:  # of a run before
        client.put_secret_value(SecretId=_SECRET, SecretString=api_key())
