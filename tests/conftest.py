"""Settings that every test shares; the library reads its table names when it is imported."""

import json
import os

import pytest

from local.chains import chain_entry

os.environ.update(
    AWS_DEFAULT_REGION="us-east-1",
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    JOBS_TABLE="jobs",
    CONTROL_TABLE="control",
    WORKERS_TABLE="workers",
    PROJECTS_TABLE="projects",
    IDENTITY_KEY_ID="",
    TOKEN_ISSUER="https://slipway.test",
    TOKEN_AUDIENCE="slipway",
    SIGN_IN_DOMAINS="slipway.test,dashboard.test:3000",
    WALLET_ROLES="{}",
    TOKEN_CHAIN_ID="31337",
    AKASH_PAYMENT="account",
    CHAINS=json.dumps([chain_entry("http://127.0.0.1:1/", name="anvil", explorer_url="https://explorer.test")]),
    POWERTOOLS_METRICS_NAMESPACE="Slipway",
)


@pytest.fixture(autouse=True)
def _new_process() -> None:
    """Know nothing of the health of nodes, as a new process does."""
    from slipway.chain.nodes import forget_nodes

    forget_nodes()
