"""What the library asks for when it is imported."""

from __future__ import annotations

import os

from local.source_template import source_template


def set_environment() -> None:
    """Name tables and a region where nobody has; nothing of them is reached."""
    functions = (
        source_template()["Globals"]["Function"],
        *(
            resource["Properties"]
            for resource in source_template()["Resources"].values()
            if resource["Type"] == "AWS::Serverless::Function"
        ),
    )
    for function in functions:
        for name in function.get("Environment", {}).get("Variables", {}):
            if name.endswith("_TABLE"):
                os.environ.setdefault(name, name.lower())
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Slipway")
