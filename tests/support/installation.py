"""An installation of Slipway in this process: moto's AWS, the template's tables, and its policies enforced."""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.client
import botocore.exceptions
import pytest
from eth_account.signers.local import LocalAccount

from local.console_api.keys import DEFAULT_KEY
from slipway import configuration, secret_values, settings, store
from slipway.akash.changes import workload_changes
from slipway.akash.console import client as console_api
from slipway.akash.logs import provider_proxy
from slipway.akash.logs import service as logs
from slipway.akash.providers import service as providers
from slipway.akash.service import akash_service
from slipway.akash.status import service as live
from slipway.builds.api.service import build_service
from slipway.builds.pipeline.files import build_files
from slipway.chain.nodes import forget_heads
from slipway.chain.store import save_contracts
from slipway.deployments import service as deployments
from slipway.identity import service as identity
from slipway.identity.rules import access_claims
from slipway.jobs import store as job_store
from slipway.limits import addresses
from slipway.sealed_texts import sealed_sdls
from slipway.stacks.published import published_endpoints
from slipway.stacks.service import stack_service
from slipway.streams.publisher import delivery
from slipway.tokens import model_source
from slipway.tokens.minting import minting
from slipway.tokens.models import ModelMetadata, ModelState
from slipway.tokens.public import public_tokens
from slipway.tokens.store import save_model
from tests.support import dynamodb_local, grants, quick_moto
from tests.support.clock import HastyClock, SkippingClock
from tests.support.conformance import check_answer
from tests.support.functions import CONTEXT, event, function_app
from tests.support.nodes import FakeNode
from tests.support.open_sockets import OpenSockets
from tests.support.template import TABLE_VARIABLES, functions, table_definition
from tests.support.wallets import ADMIN, ALICE, OPERATOR

CHAIN_ID = 31337
REGISTRY, MANAGER = "0x" + "11" * 20, "0x" + "22" * 20
DEPLOYER = "0x" + "33" * 20
GWEI = 10**9
# The clocks of workloads: in simulated time, but for the call that creates.
AKASH_SECONDS = {
    "CREATE": 10, "RECOVER": 45, "BID_WINDOW": 15, "BID_TIMEOUT": 120, "LEASE": 120, "READY": 120, "LOOK": 0,
    "ORPHAN": 0,
}  # fmt: skip

BUCKET = "artifacts"
_ROLES = {ADMIN.address: ["admin"], OPERATOR.address: ["operator"]}
# The tables' names in the tests' environment, and their logical ids.
_TABLES = {os.environ[variable]: logical_id for variable, logical_id in TABLE_VARIABLES.items()}


@dataclass(frozen=True)
class Answer:
    """What a function answered API Gateway."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.body["error"]["code"])


@dataclass
class Installation:
    """The functions behind their routes, and what they may touch."""

    node: FakeNode
    rpc_url: str
    identity_key: str
    state_machine: str
    akash_machine: str
    artifact_key: str
    stack_machines: dict[str, str]
    build_machine: str
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    invoked: list[dict[str, Any]] = field(default_factory=list)
    acting: str | None = None
    sockets: OpenSockets = field(default_factory=OpenSockets)
    clock: SkippingClock = field(default_factory=SkippingClock)

    # ── Callers ─────────────────────────────────────────────────────────────────────────────────

    def token(self, account: LocalAccount = ALICE, **changes: Any) -> str:
        """Return an access token; a change to None leaves the claim out."""
        claims = access_claims(
            account.address,
            [*_ROLES.get(account.address, []), "user"],
            "standard",
            issuer="https://slipway.test",
            audience="slipway",
            token_id=str(uuid.uuid4()),
            issued_at=int(time.time()),
        )
        chosen = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        with self.acting_as(None):
            return identity.identity_key().sign(chosen)

    # ── Functions ───────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def acting_as(self, logical_id: str | None) -> Iterator[None]:
        """Let what is called in here do what a function may, or anything."""
        before, self.acting = self.acting, logical_id
        try:
            yield
        finally:
            self.acting = before

    def invoke(self, logical_id: str, payload: dict[str, Any]) -> Any:
        """Invoke a function under its own policy."""
        app = function_app(str(functions()[logical_id]["CodeUri"]).removeprefix("functions/"))
        # Tests mine blocks in between, in less time than one takes.
        forget_heads()
        with self.acting_as(logical_id):
            return app.handler(payload, CONTEXT)

    def share_time(self, monkeypatch: pytest.MonkeyPatch, clock: SkippingClock) -> None:
        """Let workloads and stacks live in a simulated network's time."""
        self.clock = clock
        for workflow in ("akash_deploy", "stack_node", "stack_api"):
            app = function_app(f"tasks/{workflow}")
            monkeypatch.setattr(app, "workflow", functools.partial(app.workflow, clock))
        # It shows what workflows keep.
        monkeypatch.setattr(live.live_workloads(), "_clock", clock)

    def api(
        self,
        name: str,
        *,
        token: str | None = None,
        body: Any = None,
        raw: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        query: str | None = None,
        path: dict[str, str] | None = None,
    ) -> Answer:
        """Send an event of ``events/`` with the given parts changed; without ``token`` nobody has signed in."""
        given = event(name)
        given["headers"].pop("authorization", None)
        given["headers"].pop("idempotency-key", None)
        given["requestContext"]["requestId"] = f"request-{uuid.uuid4().hex[:8]}"
        if token is not None:
            given["headers"]["authorization"] = f"Bearer {token}"
        given["headers"].update(headers or {})
        if body is not None or raw is not None:
            text = json.dumps(body) if raw is None else raw
            given["body"] = text.decode("latin-1") if isinstance(text, bytes) else text
            given["headers"]["content-length"] = str(len(text))
        if query is not None or "rawQueryString" in given:
            given["rawQueryString"] = query or ""
            given.pop("queryStringParameters", None)
        for parameter, value in (path or {}).items():
            old = given["pathParameters"][parameter]
            given["rawPath"] = given["rawPath"].replace(old, value)
            given["requestContext"]["http"]["path"] = given["rawPath"]
            given["pathParameters"][parameter] = value
        return self.send(given)

    def send(self, given: dict[str, Any]) -> Answer:
        """Send an event of API Gateway to the function whose route it names."""
        method, route = given["routeKey"].split(" ")
        logical_id = next(
            name
            for name, entry in functions().items()
            for declared in entry.get("Events", {}).values()
            if declared["Type"] == "HttpApi"
            and "Path" in declared["Properties"]
            and (declared["Properties"]["Method"], declared["Properties"]["Path"]) == (method, route)
        )
        found = self.invoke(logical_id, given)
        text, headers = found.get("body") or "null", found.get("headers", {})
        body = base64.b64decode(text).decode() if found.get("isBase64Encoded") else text
        is_json = not headers.get("content-type", "").startswith("text/")
        answer = Answer(found["statusCode"], headers, json.loads(body) if is_json else body)
        is_the_routes = given["requestContext"]["http"]["method"] == method
        if is_the_routes and re.fullmatch(re.sub(r"{\w+}", "[^/]*", route), given["rawPath"]):
            check_answer(given["routeKey"], answer.status, headers, answer.body)
        return answer

    # ── The world ───────────────────────────────────────────────────────────────────────────────

    def model(self, model_id: str = "sentiment-v2", owner: str = ALICE.address, **changes: Any) -> str:
        """Put a validated model into the catalogue."""
        entry = {"model_id": model_id, "owner": owner, "contributors": (), "state": ModelState.VALIDATED, **changes}
        save_model(ModelMetadata(**entry))
        return model_id

    def launch(self, model_id: str = "sentiment-v2", account: LocalAccount = ALICE, **more: Any) -> Answer:
        """POST /api/deployments."""
        parts = {key: more.pop(key) for key in ("headers", "token") if key in more}
        body = {"model_id": model_id, "user_address": account.address, **more}
        return self.api("api_deployments_create", body=body, **{"token": self.token(account), **parts})

    def place(self, model_id: str | None = None, **more: Any) -> str:
        """Have a launch accepted, of a model of its own unless one is named, and return its id."""
        answer = self.launch(self.model(model_id or f"model-{uuid.uuid4().hex[:8]}"), **more)
        assert answer.status == 202, answer.body
        return str(answer.body["deployment_id"])

    def items(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table."""
        return list(_resource("dynamodb").Table(table).scan()["Items"])

    def audit(self) -> list[dict[str, Any]]:
        """Return the audit trail, oldest first."""
        found = [item for item in self.items("jobs") if item["pk"].startswith("AUDIT#")]
        return sorted(found, key=lambda item: item["sk"])

    def called(self, *operations: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Return calls of AWS that functions made."""
        return [call for call in self.calls if not operations or call[1] in operations]

    def executions(self, machine: str | None = None) -> list[dict[str, Any]]:
        """Return executions that were started, of token_deploy unless another state machine's ARN is given."""
        client = _client("stepfunctions")
        found = client.list_executions(stateMachineArn=machine or self.state_machine)["executions"]
        return [dict(execution) for execution in found]

    def use_console(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        """Let the functions call a Console API, whose provider proxy is at the same address."""
        monkeypatch.setenv("AKASH_CONSOLE_API_URL", url)
        monkeypatch.setenv("AKASH_PROVIDER_PROXY_URL", url)
        _forget()
        monkeypatch.setattr(console_api.console_api(), "_clock", HastyClock())

    @staticmethod
    def forget() -> None:
        """Let functions be as new: nothing is kept from before."""
        _forget()

    def refresh(self) -> None:
        """Do what was asked of the background."""
        asked, self.invoked[:] = list(self.invoked), []
        for payload in asked:
            self.invoke("RefreshFunction", payload)

    # ── Policies ────────────────────────────────────────────────────────────────────────────────

    def record(self, service: str, operation: str, arguments: dict[str, Any]) -> None:
        """Note a call of the acting function, and refuse it as IAM would where the policy does not allow it."""
        if self.acting is None:
            return
        self.calls.append((service, operation, arguments))
        for action, resource in grants.needed(service, operation, arguments, self._logical):
            grants.saw(self.acting, action, resource)
            if not (grants.RECORDING or grants.allowed(self.acting, action, resource)):
                message = f"{self.acting} may not {action} on {resource}"
                raise botocore.exceptions.ClientError(
                    {"Error": {"Code": "AccessDeniedException", "Message": message}}, operation
                )

    def _logical(self, physical: str) -> str:
        known = {
            **_TABLES,
            BUCKET: "ArtifactBucket",
            self.identity_key: "IdentityKey",
            self.artifact_key: "ArtifactKey",
            os.environ["SDL_KEY_ID"]: "SdlKey",
        }
        if ":secret:" in physical:
            return "WebhookKey" if ":webhook-key" in physical else "AkashApiKeySecretArn"
        if physical.endswith("/Notifications.fifo"):
            return "Notifications"
        return known.get(physical, physical.rpartition(":")[2])


_fresh_clients: list[bool] = []
_made: list[_Resources] = []
_client = functools.cache(boto3.client)
_resource = functools.cache(boto3.resource)


def _forget() -> None:
    """Drop everything that the library keeps for the life of a process."""
    for kept in (
        configuration.chain_settings,
        configuration.known_wallets,
        settings.identity_settings,
        settings.tier_limit,
        settings.akash_timeouts,
        settings.akash_settings,
        settings.akash_budget,
        settings.pays_by_escrow,
        settings.build_mainnets,
        settings.stack_settings,
        stack_service,
        published_endpoints,
        akash_service,
        sealed_sdls,
        public_tokens,
        minting,
        workload_changes,
        deployments._tokens,
        deployments.catalogue,
        deployments.deployment_service,
        identity.identity_key,
        identity.token_verifier,
        model_source.model_source,
        console_api.console_api,
        providers.provider_catalogue,
        live.live_workloads,
        logs.log_service,
        provider_proxy.provider_proxy,
        build_files,
        delivery,
        build_service,
    ):
        kept.cache_clear()
    secret_values._kept.clear()
    job_store._sampled.clear()
    addresses._full.clear()
    if not _fresh_clients:
        # Made anew once: clients that are older than moto would reach for the network.
        store.aws_client.cache_clear()
        store.connection._client = None
        _fresh_clients.append(True)
    function_app("api/escrow")._escrow.cache_clear()
    for kept in (function_app("signer")._signers, function_app("signer")._chain_signing):
        kept.cache_clear()
    for workflow in (
        "token_deploy",
        "token_register",
        "akash_deploy",
        "stack_node",
        "stack_api",
        "reconcile",
        "chain_deployment",
        "build",
        "contract",
    ):
        app = function_app(f"tasks/{workflow}")
        for code in (app.handler, *getattr(app, "STATES", {}).values()):
            for kept in code.__globals__.values():
                if hasattr(kept, "cache_clear"):
                    kept.cache_clear()


@dataclass(frozen=True)
class _Resources:
    """Names of what an installation has in AWS, and AWS with it, if it can be had again."""

    key: str
    artifact_key: str
    sdl_key: str
    machines: dict[str, str]
    console_secret: str
    webhook_secret: str
    queue_url: str
    account: quick_moto.Snapshot | None


def _make_resources() -> _Resources:
    dynamodb, kms, s3 = _client("dynamodb"), _client("kms"), _client("s3")
    for table, logical_id in _TABLES.items():
        dynamodb.create_table(TableName=table, **table_definition(logical_id))
    definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    machines = {
        name: _client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
        )["stateMachineArn"]
        for name in ("TokenDeploy", "AkashDeploy", "StackNode", "StackApi", "Build")
    }
    signing = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
    secrets = _client("secretsmanager")
    queue = _client("sqs").create_queue(QueueName="Notifications.fifo", Attributes={"FifoQueue": "true"})
    save_contracts(CHAIN_ID, REGISTRY, MANAGER, [DEPLOYER])
    return _Resources(
        kms.create_key(**signing)["KeyMetadata"]["KeyId"],
        kms.create_key(**signing)["KeyMetadata"]["KeyId"],
        kms.create_key()["KeyMetadata"]["KeyId"],
        machines,
        secrets.create_secret(Name="console-key", SecretString=DEFAULT_KEY)["ARN"],
        secrets.create_secret(Name="webhook-key", SecretString="k" * 64)["ARN"],
        queue["QueueUrl"],
        # Another DynamoDB is no part of a snapshot.
        None if dynamodb_local.given() else quick_moto.Snapshot(),
    )


def install(
    monkeypatch: pytest.MonkeyPatch,
    node: FakeNode,
    rpc_url: str,
    chain: dict[str, Any],
    more_chains: Sequence[tuple[int, str]] = (),
) -> Installation:
    """Set everything up inside an open ``mock_aws``; ``more_chains`` are like the first, with ids and addresses."""
    if _made and _made[0].account:
        _made[0].account.restore()
    else:
        _forget()
        _made[:] = [_make_resources()]
    made = _made[0]
    for name, value in {
        "IDENTITY_KEY_ID": made.key,
        "TOKEN_DEPLOY_ARN": made.machines["TokenDeploy"],
        "AKASH_DEPLOY_ARN": made.machines["AkashDeploy"],
        "STACK_NODE_ARN": made.machines["StackNode"],
        "STACK_API_ARN": made.machines["StackApi"],
        "BUILD_ARN": made.machines["Build"],
        "ARTIFACT_BUCKET": BUCKET,
        "ARTIFACT_KEY_ID": made.artifact_key,
        "SDL_KEY_ID": made.sdl_key,
        "STACK_NODE_IMAGE": "bananocoin/banano:V26.1",
        "STACK_API_IMAGE": "example/api:1",
        "AKASH_API_KEY_SECRET_ARN": made.console_secret,
        "AKASH_REFRESH_FUNCTION": "RefreshFunction",
        "BUILD_REPLAY_FUNCTION": "BuildReplayFunction",
        # Nobody listens there: what Akash says of the credit is missing, and everything else needs a simulator.
        "AKASH_CONSOLE_API_URL": "http://127.0.0.1:9",
        "ALLOW_PRIVATE_NETWORK": "true",
        "NOTIFICATION_QUEUE_URL": made.queue_url,
        "WEBHOOK_PRIVATE_NETWORK": "true",
        "WEBHOOK_KEY_SECRET_ARN": made.webhook_secret,
    }.items():
        monkeypatch.setenv(name, value)
    for name, seconds in AKASH_SECONDS.items():
        monkeypatch.setenv(f"AKASH_{name}_SECONDS", str(seconds))
    others = [
        {**chain, "rpc_urls": [url], "chain_id": number, "name": f"chain {number}"} for number, url in more_chains
    ]
    monkeypatch.setenv("CHAINS", json.dumps([{**chain, "rpc_urls": [rpc_url]}, *others]))
    _forget()
    stacks = {"node": made.machines["StackNode"], "api": made.machines["StackApi"]}
    machines = made.machines
    installation = Installation(
        node, rpc_url, made.key, machines["TokenDeploy"], machines["AkashDeploy"], made.artifact_key, stacks,
        machines["Build"],
    )  # fmt: skip
    client: Any = botocore.client.BaseClient  # Its stubs do not have what every call goes through.
    make_call = client._make_api_call

    def recorded(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        installation.record(client.meta.service_model.service_name, operation, arguments)
        if operation == "Invoke":
            # Asynchronously, so nobody waits for it; a test invokes the function when its time has come.
            installation.invoked.append(json.loads(arguments["Payload"]))
            return {"StatusCode": 202}
        if client.meta.service_model.service_name == "apigatewaymanagementapi":
            return installation.sockets.call(operation, arguments)
        return make_call(client, operation, arguments)

    monkeypatch.setattr(client, "_make_api_call", recorded)
    return installation
