"""The stack that these tests talk to: `make run`'s own build, on ports and in a directory of its own.

SLIPWAY_STACK_FILE names the stack.json of a running stack to use instead, for work on the tests themselves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_account import Account

from local.accounts import LocalAccount, local_accounts, wallet_roles
from local.engine.server import CREDENTIALS
from local.paths import ROOT
from local.sign_in import Session, session
from local.temporary_stack import temporary_stack
from tests.stack.launches import account
from tests.support.grants import check_calls

# Each of several workers has a stack of its own.
STATE = ROOT / ".local" / "test" / os.environ.get("PYTEST_XDIST_WORKER", "")
# Shorter than the local stack's own, which leave room for slow machines.
AKASH_SECONDS = {
    "AkashBidTimeoutSeconds": "30", "AkashReadySeconds": "20", "AkashCreateSeconds": "4", "AkashOrphanSeconds": "8",
    "AkashLookSeconds": "1", "AkashDepositSeconds": "40",
}  # fmt: skip


# A wallet that pays for its workloads.
PAYING = Account.from_key("0x" + "5a" * 32)


@dataclass
class RunningStack:
    """A stack as stack.json describes it."""

    described: dict[str, Any]
    http: httpx.Client
    _sessions: dict[str, Session] = field(default_factory=dict)

    @property
    def api(self) -> str:
        """The API's address."""
        return str(self.described["api"])

    @property
    def aws_endpoint(self) -> str:
        """Where the engine answers AWS calls."""
        return str(self.described["aws_endpoint"])

    @property
    def accounts(self) -> list[dict[str, str]]:
        """address, private_key and role of each local account."""
        accounts: list[dict[str, str]] = self.described["accounts"]
        return accounts

    @property
    def chains(self) -> list[dict[str, Any]]:
        """chain_id and rpc_url of each chain; tokens live on the first."""
        chains: list[dict[str, Any]] = self.described["chains"]
        return chains

    @property
    def outputs(self) -> dict[str, str]:
        """The template's outputs and the contracts' addresses."""
        outputs: dict[str, str] = self.described["outputs"]
        return outputs

    def sign_in(self, account: dict[str, str]) -> Session:
        """Return the session of an account."""
        return self._sessions.setdefault(account["address"], session(self.api, LocalAccount(**account)))

    def client(self, service: str) -> Any:
        """Return a boto3 client of the engine."""
        import boto3

        client: Any = boto3.client  # Its overloads want a literal name.
        return client(
            service,
            endpoint_url=self.aws_endpoint,
            region_name=self.described["region"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """Yield a running stack, shared by every test of the session."""
    if named := os.environ.get("SLIPWAY_STACK_FILE"):
        yield from _connected(Path(named))
        return
    calls = STATE / "calls.jsonl"
    # Pauses of the state machines are what makes these tests slow, not what they test.
    scale = os.environ.get("SFN_WAIT_SCALE", "0.2")
    settings = {"SLIPWAY_PARAMETERS": _parameters(), "SFN_WAIT_SCALE": scale, "SLIPWAY_CALLS": str(calls)}
    STATE.mkdir(parents=True, exist_ok=True)
    calls.write_bytes(b"")
    with temporary_stack(STATE, settings) as stack_file:
        for running in _connected(stack_file):
            yield running
            check_calls(calls, running.client("cloudformation"))


def _parameters() -> str:
    """Let the first users launch all day, as the tests do; the last one is limited as every user is."""
    accounts = local_accounts()
    roles = json.loads(wallet_roles(accounts))
    users = [account.address for account in accounts if account.role == "user"]
    roles |= {address: {"roles": ["user"], "tier": "partner"} for address in users[:-1]}
    roles[PAYING.address] = {"roles": ["user"], "tier": "premium"}
    return json.dumps(
        {
            "WalletRoles": roles,
            # Who pays is the subject of few tests; wallets of this tier pay themselves.
            "AkashPayment": {"premium": "escrow", "standard": "account", "partner": "account"},
            "AkashBudget": {"open": 100_000, "day": 100_000},
            **AKASH_SECONDS,
        }
    )


def _connected(stack_file: Path) -> Iterator[RunningStack]:
    described = json.loads(stack_file.read_text(encoding="utf-8"))
    with httpx.Client(base_url=described["api"], timeout=60) as http:
        yield RunningStack(described, http)


@pytest.fixture(scope="session")
def admin(stack: RunningStack) -> Session:
    """Return an administrator."""
    return stack.sign_in(account(stack, "admin"))


@pytest.fixture(scope="session")
def owner(stack: RunningStack) -> str:
    """Return the address of the first user."""
    return account(stack, "user")["address"]


@pytest.fixture(scope="session")
def user(stack: RunningStack) -> Session:
    """Return the first user."""
    return stack.sign_in(account(stack, "user"))
