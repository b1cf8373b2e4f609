"""State BroadcastDeployment: send the signed creation of the contract."""

from dataclasses import asdict
from typing import Any

from workflow import chain_deployment


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ChainDeployment.broadcast``."""
    return asdict(chain_deployment(event["chain_id"]).broadcast(event["build_id"], event["job_id"]))
