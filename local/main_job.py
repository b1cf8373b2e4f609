"""Launches one token by the public API alone, as a frontend would."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from local.accounts import LocalAccount
from local.failures import LaunchError
from local.sign_in import call, sign_in

MODEL = "first-model"
# Validated and without a token, to look around with afterwards.
NEXT_MODEL = "next-model"
_WITHIN_SECONDS = 120.0
_FINAL = {"completed", "failed"}


def launch_token(api: str, admin: LocalAccount, owner: LocalAccount) -> dict[str, Any]:
    """Take a validated model to a deployed and registered token, and leave another validated one.

    Returns:
        The status of the completed deployment.

    Raises:
        LaunchError: A call was refused, or the launch failed or took too long.
    """
    model = {
        "owner": owner.address,
        "contributors": [],
        "state": "validated",
        "validated_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "run_id": "first-run",
        "metrics": {"accuracy": 0.93},
        "improvement": 0.04,
    }
    administrator = sign_in(api, admin)
    for name in (MODEL, NEXT_MODEL):
        call(api, "PUT", f"/api/admin/models/{name}", model, administrator)
    token = sign_in(api, owner)
    accepted = call(api, "POST", "/api/deployments", {"model_id": MODEL, "user_address": owner.address}, token)
    return _wait(api, accepted["deployment_id"], token)


def _wait(api: str, deployment: str, token: str) -> dict[str, Any]:
    deadline = time.monotonic() + _WITHIN_SECONDS
    while True:
        status = call(api, "GET", f"/api/deployments/{deployment}/status", token=token)
        if status["status"] in _FINAL:
            break
        if time.monotonic() > deadline:
            raise LaunchError(f"The first token was not launched in {_WITHIN_SECONDS:.0f} s: {status}")
        time.sleep(0.5)
    if status["status"] != "completed":
        raise LaunchError(f"The first token's launch failed: {status}")
    return status
