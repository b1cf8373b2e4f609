"""`make run KEEP=1`: the next run goes on where the last one ended, on the same chain, with the same keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.accounts import LocalAccount
from local.main_job import MODEL, NEXT_MODEL, launch_token
from local.ports import Ports, free_ports
from local.sign_in import session
from local.temporary_stack import temporary_stack
from tests.stack.conftest import RunningStack
from tests.stack.launches import account, bearer, ended, launch
from tests.support.workloads import sdl

SETTINGS = {"SLIPWAY_KEEP": "1", "SFN_WAIT_SCALE": "0.2"}


@contextmanager
def _run(directory: Path, ports: Ports) -> Iterator[RunningStack]:
    with temporary_stack(directory, SETTINGS, ports) as file:
        described = json.loads(file.read_text())
        with httpx.Client(base_url=described["api"], timeout=30) as client:
            yield RunningStack(described, client)


def test_the_next_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    ports = Ports(*free_ports(len(Ports.__dataclass_fields__)))
    with _run(tmp_path, ports) as stack:
        admin, user, operator = (LocalAccount(**account(stack, role)) for role in ("admin", "user", "operator"))
        first = launch_token(stack.api, admin, user)
        body = {"sdl": sdl()}
        headers = bearer(session(stack.api, operator))
        workload = stack.http.post("/api/deployments", json=body, headers=headers).json()["deployment_id"]
    with _run(tmp_path, ports) as stack:
        token = session(stack.api, user)
        status = stack.http.get(f"/api/deployments/{first['deployment_id']}/status", headers=bearer(token)).json()
        # Its source is verified meanwhile, or was.
        assert {**status, "verification": None, "updated_at": None} == {
            **first,
            "verification": None,
            "updated_at": None,
        }
        # Its model has its token; another is launched on the same chain, by the same deployers.
        assert launch(stack, token, MODEL, user.address).json()["error"]["code"] == "TOKEN_EXISTS"
        second = ended(stack, token, launch(stack, token, NEXT_MODEL, user.address).json()["deployment_id"])
        assert second["status"] == "completed", second
        assert second["block_number"] > first["block_number"]
        # What was open is open: reconcile starts it again within minutes.
        headers = bearer(session(stack.api, operator))
        status = stack.http.get(f"/api/deployments/{workload}/status", headers=headers).json()
        assert status["status"] not in ("failed", "closed"), status
