"""State RecordChainFailure: record how the deployment to one chain failed."""

from typing import Any

from workflow import chain_deployment


def run(event: dict[str, Any]) -> None:
    """See ``ChainDeployment.fail``."""
    deployment = chain_deployment(event["chain_id"])
    deployment.fail(event["build_id"], event["job_id"], event["error"], event["cause"])
