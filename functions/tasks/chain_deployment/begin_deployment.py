"""State BeginDeployment: take the deployment up for this run."""

from dataclasses import asdict
from typing import Any

from workflow import chain_deployment


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ChainDeployment.begin``."""
    return asdict(chain_deployment(event["chain_id"]).begin(event["build_id"], event["job_id"]))
