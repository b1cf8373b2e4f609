"""The Console API simulator as a part of the stack."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from local.console_api.keys import DEFAULT_KEY
from local.engine.server import ACCOUNT
from slipway.akash.console.client import ConsoleApi
from tests.support.console_simulator import sdl


def test_the_stack_reports_its_console_api_and_keeps_the_key_as_a_secret(stack: Any) -> None:
    url = stack.described["console_api"]
    partial = f"arn:aws:secretsmanager:{stack.described['region']}:{ACCOUNT}:secret:slipway/akash-api-key"
    key = stack.client("secretsmanager").get_secret_value(SecretId=partial)["SecretString"]
    assert key == DEFAULT_KEY
    api = ConsoleApi(url, lambda: key, httpx.AsyncClient())
    created = api.create_deployment(sdl(), Decimal(5))
    try:
        assert created.dseq in {found.dseq for found in api.active_deployments()}
    finally:
        api.close_deployment(created.dseq)
    assert api.deployment(created.dseq).is_closed
