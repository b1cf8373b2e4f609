"""State ConfirmDeployment: how far is the creation of the contract?"""

from dataclasses import asdict
from typing import Any

from workflow import chain_deployment


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ChainDeployment.confirm``."""
    return asdict(chain_deployment(event["chain_id"]).confirm(event["build_id"], event["job_id"], event["polls"]))
