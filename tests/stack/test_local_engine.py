"""What `local/engine` covers, shown on the engine itself.

Each gap has a test of the engine as it is. When one of those fails after an upgrade of MiniStack, the gap is closed:
take its cover out of `local/`, and the test with it. The other tests show that the covers do what they are for.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import signal
import socket
import subprocess
import textwrap
import uuid
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import psutil
import pytest

from local.engine import server
from local.engine.cors import set_cors
from local.engine.layers import current_layers
from local.engine.runtime import run_with_aws_runtime_client
from local.paths import ROOT
from local.ports import free_ports
from local.uv import python_of

CLOSED = "MiniStack no longer needs this: remove the cover in local/engine/{} and this test"
ORIGIN = "https://dashboard.test"
ROLE = f"arn:aws:iam::{server.ACCOUNT}:role/local-engine-test"

Deploy = Callable[[dict[str, Any]], dict[str, str]]
Invoke = Callable[..., Any]


@pytest.fixture
def deploy(stack: Any) -> Iterator[Deploy]:
    """Deploys a template as it is, past the adapter, and removes it after the test."""
    client = stack.client("cloudformation")
    deployed: list[str] = []

    def create(template: dict[str, Any]) -> dict[str, str]:
        name = f"engine-{uuid.uuid4().hex[:8]}"
        client.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        deployed.append(name)
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        outputs = client.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    yield create
    for name in deployed:
        client.delete_stack(StackName=name)


@pytest.fixture
def invoke(stack: Any, tmp_path: Path) -> Iterator[Invoke]:
    """Make a function of some code, as the adapter makes it, and yield a way to invoke it."""
    client = stack.client("lambda")
    made: list[str] = []

    def make(code: str, layers: tuple[str, ...] = ()) -> Callable[[], dict[str, Any]]:
        build = tmp_path / uuid.uuid4().hex
        (build / "Tiny").mkdir(parents=True)
        (build / "Tiny" / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
        properties = {"Runtime": "python3.13", "CodeUri": "Tiny", "Layers": [{"Ref": layer} for layer in layers]}
        template: dict[str, Any] = {
            "Resources": {"Tiny": {"Type": "AWS::Serverless::Function", "Properties": properties}}
        }
        run_with_aws_runtime_client(template, build, current_layers(), build / "adapted", tmp_path / "functions.log")
        name = f"tiny-{uuid.uuid4().hex[:8]}"
        client.create_function(
            FunctionName=name,
            Runtime=template["Resources"]["Tiny"]["Properties"]["Runtime"],
            Handler="app.handler",
            Role=ROLE,
            Timeout=20,
            Code={"ZipFile": zipped(Path(template["Resources"]["Tiny"]["Properties"]["CodeUri"]))},
        )
        made.append(name)

        def call(event: dict[str, Any] | None = None) -> dict[str, Any]:
            answer = client.invoke(FunctionName=name, Payload=json.dumps(event or {}).encode())
            return {"failed": "FunctionError" in answer, **json.load(answer["Payload"])}

        return call

    yield make
    for name in made:
        client.delete_function(FunctionName=name)


def zipped(directory: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in directory.iterdir():
            if path.is_file():
                archive.write(path, path.name)
    return content.getvalue()


def api_url(stack: Any, api: str, path: str) -> str:
    return f"{stack.aws_endpoint}/_aws/execute-api/{api}/$default{path}"


# ── Gap 1: a SAM HttpApi deploys with no routes ─────────────────────────────────────────────────


def test_gap_a_sam_http_api_has_no_routes(stack: Any, deploy: Deploy) -> None:
    outputs = deploy(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {
                "Api": {"Type": "AWS::Serverless::HttpApi"},
                "Hello": {
                    "Type": "AWS::Serverless::Function",
                    "Properties": {
                        "Runtime": "python3.13",
                        "Handler": "index.handler",
                        "InlineCode": "def handler(event, context):\n    return {'statusCode': 200}\n",
                        "Events": {
                            "Get": {
                                "Type": "HttpApi",
                                "Properties": {"ApiId": {"Ref": "Api"}, "Method": "GET", "Path": "/hello"},
                            }
                        },
                    },
                },
            },
            "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
        }
    )
    routes = stack.client("apigatewayv2").get_routes(ApiId=outputs["Api"])["Items"]
    assert routes == [], CLOSED.format("http_api.py")
    assert httpx.get(api_url(stack, outputs["Api"], "/hello")).status_code == 404, CLOSED.format("http_api.py")


def test_the_templates_routes_are_all_there(stack: Any) -> None:
    routes = stack.client("apigatewayv2").get_routes(ApiId=stack.outputs["HttpApiId"])["Items"]
    assert {"GET /health", "POST /api/deployments", "GET /api/deployments/{id}/status"} <= {
        route["RouteKey"] for route in routes
    }
    assert stack.http.get("/health").status_code == 200


# ── Gap 2: Python exceptions lose their names ───────────────────────────────────────────────────

RAISES = """
    import os

    class OutOfStock(Exception):
        pass

    calls = []

    def handler(event, context):
        calls.append(1)
        if len(calls) == 2:
            raise OutOfStock("nothing left")
        return {"calls": len(calls), "pid": os.getpid()}
"""


def test_gap_the_engines_own_python_loses_an_exceptions_name(stack: Any) -> None:
    client = stack.client("lambda")
    name = f"raw-{uuid.uuid4().hex[:8]}"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", textwrap.dedent(RAISES))
    client.create_function(
        FunctionName=name, Runtime="python3.13", Handler="app.handler", Role=ROLE, Timeout=20,
        Code={"ZipFile": content.getvalue()},
    )  # fmt: skip
    try:
        client.invoke(FunctionName=name, Payload=b"{}")
        error = json.load(client.invoke(FunctionName=name, Payload=b"{}")["Payload"])
    finally:
        client.delete_function(FunctionName=name)
    assert "nothing left" in error["errorMessage"]
    assert error["errorType"] == "Runtime.HandlerError", CLOSED.format("runtime.py")


def test_an_exception_keeps_its_name_and_the_environment_lives_on(invoke: Invoke) -> None:
    call = invoke(RAISES)
    first, second, third = call(), call(), call()
    assert second["failed"]
    assert second["errorType"] == "OutOfStock"
    assert second["errorMessage"] == "nothing left"
    assert third == {"failed": False, "calls": 3, "pid": first["pid"]}


def test_a_function_sees_only_its_own_layers(invoke: Invoke) -> None:
    code = """
        import importlib.util

        def handler(event, context):
            names = ["awslambdaric", "boto3", "moto", "pytest", "slipway", "web3"]
            return {name: importlib.util.find_spec(name) is not None for name in names}
    """
    # They are all here, in the environment of these tests; there, only what Lambda would have.
    assert all(importlib.util.find_spec(name) for name in ("boto3", "moto", "pytest", "slipway", "web3"))
    absent = {"moto": False, "pytest": False, "failed": False, "awslambdaric": True}
    bare = invoke(code)()
    base = invoke(code, ("SlipwayLayer", "DependenciesLayer"))()
    chain = invoke(code, ("SlipwayLayer", "DependenciesLayer", "ChainLayer"))()
    assert bare == {**absent, "boto3": False, "slipway": False, "web3": False}
    assert base == {**absent, "boto3": True, "slipway": True, "web3": False}
    assert chain == {**absent, "boto3": True, "slipway": True, "web3": True}


def test_a_function_sees_nothing_of_the_engines_or_the_developers_environment(invoke: Invoke) -> None:
    code = """
        import os, sys

        def handler(event, context):
            return {"environment": sorted(os.environ), "flags": [sys.flags.dont_write_bytecode], "log": print("hello")}
    """
    answer = invoke(code)()
    environment = set(answer["environment"])
    assert environment & set(server.settings(0, Path("/"))) == set(server.CREDENTIALS)
    known = {"HOME", "LANG", "PATH", "PWD", "PYTHONPATH", "SHLVL", "TMPDIR", "TZ", "_", "_HANDLER", "_X_AMZN_TRACE_ID"}
    rest = {name for name in environment - known if not name.startswith(("AWS_", "LAMBDA_", "_AWS_", "OLDPWD"))}
    assert rest == set()


# ── Gap 5: all functions import their modules on the same processors ────────────────────────────

COUNTED = """
    import os, time

    imported = os.getpid()

    def handler(event, context):
        if event.get("end"):
            os._exit(3)
        time.sleep(event.get("seconds", 0))
        return {"imported": imported, "pid": os.getpid(), "log": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]}
"""


def test_a_functions_code_is_imported_once_for_all_its_processes(invoke: Invoke) -> None:
    call = invoke(COUNTED)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(call, [{"seconds": 2}] * 3))
    assert len({answer.get("pid") for answer in found}) == 3, found
    assert len({answer["imported"] for answer in found}) == 1
    # Each has the environment that the engine gave it.
    assert len({answer["log"] for answer in found}) == 3


def test_what_most_processes_import_later_is_there_when_they_start(invoke: Invoke) -> None:
    code = """
        import sys

        def handler(event, context):
            return {name: name in sys.modules for name in ("Crypto.Hash.keccak", "httpcore", "moto")}
    """
    found = invoke(code, ("SlipwayLayer", "DependenciesLayer"))()
    assert found == {"failed": False, "Crypto.Hash.keccak": True, "httpcore": True, "moto": False}


def test_a_process_that_ends_takes_no_other_with_it(invoke: Invoke) -> None:
    call = invoke(COUNTED)
    first = call({})
    ended = call({"end": True})
    second = call({})
    assert ended["failed"]
    assert "exit" in ended["errorMessage"].lower()
    assert not second["failed"]
    assert second["pid"] != first["pid"]
    assert second["imported"] == first["imported"]


def test_code_that_does_not_import_fails_by_name_each_time(invoke: Invoke) -> None:
    call = invoke("import os\nimport does_not_exist\n")
    for _ in range(2):
        answer = call({})
        assert answer["failed"]
        assert "does_not_exist" in answer["errorMessage"]


@contextmanager
def asking(directory: Path, temporary: Path) -> Iterator[psutil.Popen]:
    """Yield a process as the engine starts it, while it waits for its first event; what it leaves ends afterwards."""
    (directory / "app.py").write_text("def handler(event, context): return {}\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as runtime_api:
        environment = {
            "PYTHONPATH": str(directory),
            "TMPDIR": str(temporary),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_api.getsockname()[1]}",
        }
        command = [str(python_of("runtime")), "-S", "-E", str(ROOT / "local" / "engine" / "forks.py"), "app.handler"]
        asker = psutil.Popen(command, cwd=directory, env=environment)
        connection, _ = runtime_api.accept()
        left = asker.children(recursive=True)
        with connection:
            try:
                yield asker
            finally:
                for process in (asker, *left):
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
                asker.wait(10)


def test_nothing_is_left_of_a_function_when_its_asker_is_gone(tmp_path: Path) -> None:
    """As the engine ends a process that it needs no longer."""
    with asking(tmp_path, tmp_path) as asker:
        (root,) = asker.children()
        ((fork,),) = [template.children() for template in root.children()]
        asker.terminate()
        assert psutil.wait_procs([fork], 10)[1] == []
        assert root.is_running()


def test_a_function_ends_with_the_root_of_all_templates(tmp_path: Path) -> None:
    with asking(tmp_path, tmp_path) as asker:
        (root,) = asker.children()
        root.kill()
        assert asker.wait(10) == -signal.SIGKILL


def test_where_nothing_can_be_forked_it_is_an_ordinary_process(tmp_path: Path) -> None:
    with asking(tmp_path, tmp_path / "nowhere") as asker:
        assert asker.children() == []
        assert asker.cmdline()[1:] == ["-m", "awslambdaric", "app.handler"]


# ── Gap 6: idle processes are looked after ten times a second ──────────────────────────────────

# One function's process in the engine's own hands: how often the engine's threads ran in a second while it was idle,
# what the process answered afterwards, and how long it took to end it.
IDLE = """
    import importlib, io, json, pathlib, resource, sys, tempfile, time, zipfile
    from ministack.core import lambda_runtime

    def switches():
        return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("bootstrap", "#!" + sys.executable + sys.argv[2])
    if sys.argv[1] == "quietly":
        sys.path.append(sys.argv[3])
        importlib.import_module("local.engine.waits").wait_quietly(lambda_runtime)
    function = {"FunctionName": "idle", "Timeout": 20, "FunctionArn": sys.argv[4]}
    worker = lambda_runtime.ProvidedWorker("idle", function, content.getvalue())
    first = worker.invoke({}, "1")["result"]
    before = switches()
    time.sleep(3)
    idle = switches() - before
    second = worker.invoke({}, "2")["result"]
    begun = time.monotonic()
    worker._teardown()
    print(json.dumps({"idle": idle / 3, "answers": [first, second], "end": time.monotonic() - begun}))
"""
IDLE_ARN = f"arn:aws:lambda:{server.REGION}:{server.ACCOUNT}:function:idle"
RUNTIME = """
import os, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    identity = urllib.request.urlopen(base + "next").headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(base + identity + "/response", ('"' + identity + '"').encode()).read()
"""


def idled(way: str, directory: Path) -> dict[str, Any]:
    command = [str(python_of("ministack")), "-c", textwrap.dedent(IDLE), way, RUNTIME, str(ROOT), IDLE_ARN]
    variables = server.environment(0, directory)
    answer = subprocess.run(
        command, env=variables, cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    assert found["answers"] == ["1", "2"]
    return found


def test_gap_the_engine_looks_after_idle_processes_all_the_time(tmp_path: Path) -> None:
    assert idled("as it is", tmp_path)["idle"] > 8, CLOSED.format("waits.py")


def test_an_idle_process_is_left_alone_and_ends_at_once(tmp_path: Path) -> None:
    found = idled("quietly", tmp_path)
    assert found["idle"] < 3, found
    assert found["end"] < 3


# ── Gap 3: CORS given through CloudFormation ────────────────────────────────────────────────────


def preflight(url: str) -> httpx.Response:
    return httpx.options(url, headers={"origin": ORIGIN, "access-control-request-method": "POST"})


def test_gap_cors_through_cloudformation_refuses_preflights(stack: Any, deploy: Deploy) -> None:
    configuration = {"AllowOrigins": [ORIGIN], "AllowMethods": ["POST"], "AllowHeaders": ["content-type"]}
    outputs = deploy(
        {
            "Resources": {
                "Api": {
                    "Type": "AWS::ApiGatewayV2::Api",
                    "Properties": {"Name": "cors", "ProtocolType": "HTTP", "CorsConfiguration": configuration},
                },
                "Stage": {
                    "Type": "AWS::ApiGatewayV2::Stage",
                    "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True},
                },
            },
            "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
        }
    )
    url = api_url(stack, outputs["Api"], "/anything")
    assert preflight(url).status_code == 403, CLOSED.format("cors.py")
    set_cors(stack.client("apigatewayv2"), outputs["Api"], configuration)
    answer = preflight(url)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_the_dashboards_preflights_are_answered(stack: Any) -> None:
    origin = stack.client("apigatewayv2").get_api(ApiId=stack.outputs["HttpApiId"])["CorsConfiguration"][
        "AllowOrigins"
    ][0]
    headers = {"origin": origin, "access-control-request-method": "POST"}
    answer = stack.http.options("/api/deployments", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    stranger = stack.http.options("/api/deployments", headers={**headers, "origin": "https://evil.test"})
    assert "access-control-allow-origin" not in stranger.headers


# ── Gap 4: listening on every interface, and no address that resolves everywhere ────────────────


def test_gap_the_engine_binds_every_interface_by_default(tmp_path: Path) -> None:
    # Its real start, except that instead of listening it tells where it would.
    code = """
        import hypercorn.asyncio

        async def tell(app, config):
            print(*config.bind)

        hypercorn.asyncio.serve = tell
        from ministack.app import main
        main()
    """
    (port,) = free_ports(1)
    variables = server.environment(port, tmp_path)
    bound = {}
    for name in ("BIND_HOST", "nothing"):
        told = subprocess.run(
            [python_of("ministack"), "-c", textwrap.dedent(code)],
            env={key: value for key, value in variables.items() if key == name or key != "BIND_HOST"},
            cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        bound[name] = told.stdout.split()
    assert bound["nothing"] == [f"0.0.0.0:{port}"], CLOSED.format("server.py")
    assert bound["BIND_HOST"] == [f"127.0.0.1:{port}"]


def test_everything_listens_on_loopback_only(stack: Any) -> None:
    urls = [stack.api, stack.aws_endpoint, *(chain["rpc_url"] for chain in stack.chains)]
    for url in urls:
        addresses = listening_addresses(int(url.rpartition(":")[2]))
        assert addresses, url
        assert addresses <= {"127.0.0.1", "::1"}, url


def listening_addresses(port: int) -> set[str]:
    """Where a port is listened on, as the kernel tells it."""
    found = set()
    for table, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            address, number = fields[1].split(":")
            if fields[3] == "0A" and int(number, 16) == port:  # 0A: listening
                # Words of 32 bits in the machine's byte order, which is little-endian on x86_64.
                words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
                found.add(socket.inet_ntop(family, b"".join(words)))
    return found


def test_a_burst_of_cold_starts_reaches_no_caller(stack: Any) -> None:
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda _: stack.http.get("/api/auth/nonce").status_code, range(24)))
    assert answers == [200] * 24


# ── Found on the way: WebSocket subprotocols ────────────────────────────────────────────────────


def test_gap_the_engine_accepts_a_websocket_without_naming_its_subprotocol(stack: Any, deploy: Deploy) -> None:
    outputs = deploy(
        {
            "Resources": {
                "Api": {
                    "Type": "AWS::ApiGatewayV2::Api",
                    "Properties": {
                        "Name": "sockets",
                        "ProtocolType": "WEBSOCKET",
                        "RouteSelectionExpression": "$request.body.action",
                    },
                },
                "Stage": {
                    "Type": "AWS::ApiGatewayV2::Stage",
                    "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "live", "AutoDeploy": True},
                },
            },
            "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
        }
    )
    url = f"{stack.aws_endpoint}/_aws/execute-api/{outputs['Api']}/live"

    async def protocol() -> str | None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, protocols=["bearer", "token"]) as connection,
        ):
            return connection.protocol

    assert asyncio.run(protocol()) is None, "MiniStack names it now: local/front_door.py need not choose one"
