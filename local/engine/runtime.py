"""Gap 2: every Python exception surfaces as `Runtime.HandlerError`, and the worker dies of it.

No `Catch` by name would ever match. So each Python function becomes a custom runtime whose `bootstrap` runs AWS's own
runtime client, which reports an exception's real name and serves the next invocation.

The client runs from an environment that holds nothing else: a package that a layer forgot is missing here as on AWS.
What the function's own layers hold comes by PYTHONPATH, the function's code first, as on AWS. Layers are not uploaded:
they lie on this disk anyway (`layers`), and 110 MB of zip for each deployment would only cost time.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from local.engine.http_api import Template, UnsupportedTemplateError, api_id
from local.engine.jail import jailed
from local.engine.server import settings
from local.paths import ROOT
from local.uv import python_of

_BOOTSTRAP = """\
#!/bin/bash
# The engine's own variables; AWS has none of them. It sets the function's credentials, which stay.
unset {engine_variables}
export AWS_EXECUTION_ENV=AWS_Lambda_python3.13 AWS_LAMBDA_INITIALIZATION_TYPE=on-demand TZ=:UTC
export AWS_LAMBDA_LOG_GROUP_NAME="/aws/lambda/$AWS_LAMBDA_FUNCTION_NAME"
# Where the engine manages WebSocket connections; on AWS it is the API's own address.
export AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI="$AWS_ENDPOINT_URL/_aws/execute-api/{websocket_api}/v1"
export PYTHONPATH="$LAMBDA_TASK_ROOT"{layers}
# What it prints goes to the engine's CloudWatch Logs, and to a file that outlives the engine.
exec > >(exec tee -a {log}) 2>&1
{wrapper}exec {python} "$_HANDLER"
"""

_MIN_TIMEOUT = 60

# Only in stacks that are started with SLIPWAY_FAULTS (`local.faults`) or SLIPWAY_CALLS (`local.calls`).
_WRAPPERS = {"SLIPWAY_FAULTS": "faults", "SLIPWAY_CALLS": "calls"}
_WRAPPER = """\
export {variable}={target} SLIPWAY_REAL_HANDLER="$_HANDLER"
export _HANDLER=slipway_{source}.handler
"""


def run_with_aws_runtime_client(
    template: Template, build: Path, layers: dict[str, Path], target: Path, log: Path
) -> None:
    """Turn every Python function into a custom runtime around AWS's runtime client, in place.

    Args:
        template: The built template.
        build: Where `sam build` put the functions' code.
        layers: The directory of each layer by logical id, whose `python/` is what Lambda would put on the path.
        target: A directory for each function's code with its bootstrap.
        log: What the functions print is appended to it.
    """
    shared: Template = template.get("Globals", {}).get("Function", {})
    shared_runtime = str(shared.pop("Runtime", ""))
    shared_layers: list[Any] = shared.pop("Layers", [])
    resources: Template = template["Resources"]
    shutil.rmtree(target, ignore_errors=True)
    for logical_id, resource in list(resources.items()):
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            del resources[logical_id]
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties: Template = resource["Properties"]
        # SAM adds a function's list to the one in Globals.
        names = layer_names(logical_id, [*shared_layers, *properties.pop("Layers", [])])
        if not str(properties.get("Runtime", shared_runtime)).startswith("python"):
            raise UnsupportedTemplateError(f"{logical_id}: only Python functions have a local counterpart")
        properties["Runtime"] = "provided.al2023"
        # On a busy machine a process takes longer to start than a request may take on AWS.
        properties["Timeout"] = max(properties.get("Timeout") or shared.get("Timeout") or 0, _MIN_TIMEOUT)
        code = target / logical_id
        shutil.copytree(build / properties["CodeUri"], code)
        write_bootstrap(code, [layers[name] for name in names], log)
        properties["CodeUri"] = str(code)


def layer_names(function: str, references: list[Any]) -> list[str]:
    """Return the logical ids of the layers that a function uses.

    Raises:
        UnsupportedTemplateError: A layer of another stack, or one that is named twice, which Lambda refuses.
    """
    names = [reference.get("Ref", "") if isinstance(reference, dict) else "" for reference in references]
    if not all(names):
        raise UnsupportedTemplateError(f"{function}: only layers of this template have a local counterpart")
    if len(set(names)) < len(names):
        raise UnsupportedTemplateError(
            f"{function}: a layer twice (SAM adds the function's layers to those in Globals)"
        )
    return names


def write_bootstrap(code: Path, layers: list[Path], log: Path) -> None:
    """Write what Lambda starts for a custom runtime.

    Args:
        code: The function's code directory.
        layers: Its layers in order; where two hold the same module, the later one wins, as on AWS.
        log: What it prints is appended to it.
    """
    engine_variables = sorted(set(settings(0, Path("/"))) - {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
    text = _BOOTSTRAP.format(
        engine_variables=" ".join(engine_variables),
        layers="".join(f":{shlex.quote(str(layer / 'python'))}" for layer in reversed(layers)),
        log=shlex.quote(str(log)),
        websocket_api=api_id("WebSocketApi"),
        python=_python(layers),
        wrapper=_wrapper(code),
    )
    bootstrap = code / "bootstrap"
    bootstrap.write_text(text, encoding="utf-8")
    bootstrap.chmod(0o755)


def _python(layers: list[Path]) -> str:
    """Return the shell's words that run a handler under AWS's runtime client; the handler follows."""
    if os.environ.get("SLIPWAY_JAIL"):
        return f"{jailed(layers)} -m awslambdaric"
    return shlex.join([str(python_of("runtime")), "-S", "-E", str(ROOT / "local" / "engine" / "forks.py")])


def _wrapper(code: Path) -> str:
    """Return the file that wraps the faults' or the calls' handler around the function's own, if either is asked
    for."""
    for variable, source in _WRAPPERS.items():
        if asked := os.environ.get(variable):
            shutil.copyfile(ROOT / "local" / source / "handler.py", code / f"slipway_{source}.py")
            if source == "calls":
                shutil.copy(ROOT / "local" / source / "leading_keys.py", code)
            target = shlex.quote(str(Path(asked).resolve()))
            return _WRAPPER.format(variable=variable, target=target, source=source)
    return ""
