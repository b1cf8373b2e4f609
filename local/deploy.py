"""Deploys the adapted template into the engine with `sam deploy`, as it is deployed to AWS."""

from __future__ import annotations

import json
from typing import Any

from local.build import sam_environment
from local.engine.adapter import Adapted, write
from local.engine.cors import set_cors
from local.engine.http_api import api_id
from local.engine.server import CREDENTIALS, REGION, client_environment, endpoint
from local.paths import StateDirectory
from local.processes import run
from local.uv import environment

STACK = "slipway"
_BUCKET = "slipway-deployments"


def aws_client(service: str, port: int) -> Any:
    """Return a boto3 client of the engine."""
    import boto3  # slow to import

    client: Any = boto3.client  # Its overloads want a literal name.
    return client(
        service,
        endpoint_url=endpoint(port),
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def deploy(adapted: Adapted, parameters: dict[str, str], directory: StateDirectory, port: int) -> dict[str, str]:
    """Deploy and wait until it is done.

    Returns:
        The stack's outputs.
    """
    template = directory.engine / "template.yaml"
    values = directory.engine / "parameters.yaml"
    write(adapted.template, template)
    values.write_text(json.dumps(parameters, indent=2), encoding="utf-8")  # JSON is YAML, which SAM reads here.
    # Not samconfig.toml of the repository: that one is for AWS, and asks before it changes anything.
    configuration = directory.engine / "samconfig.toml"
    configuration.write_text("version = 0.1\n", encoding="utf-8")
    aws_client("s3", port).create_bucket(Bucket=_BUCKET)
    command = [
        str(environment("sam") / "bin" / "sam"), "deploy",
        "--template-file", str(template),
        "--config-file", str(configuration),
        "--stack-name", STACK,
        "--s3-bucket", _BUCKET,
        "--capabilities", "CAPABILITY_IAM",
        "--parameter-overrides", f"file://{values}",
        "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
    ]  # fmt: skip
    variables = {**sam_environment(), **client_environment(port), "SAM_CLI_POLL_DELAY": "0.2"}
    run(command, directory.logs / "deploy.log", cwd=directory.engine, environment=variables, doing="sam deploy")
    outputs = stack_outputs(aws_client("cloudformation", port))
    for logical_id, cors in adapted.cors.items():
        set_cors(aws_client("apigatewayv2", port), api_id(logical_id), cors)
    return outputs


def stack_outputs(client: Any) -> dict[str, str]:
    """Return the stack's outputs by name."""
    outputs = client.describe_stacks(StackName=STACK)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}
