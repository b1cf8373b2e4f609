"""Everything that Slipway is asked or does by itself, once each and warm, with what that asks of AWS.

The functions run in this process over an engine of its own, a real chain and the simulated Console API. A figure is of
the second time: what a process remembers, such as keys, is not asked for again.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench.installation import Installed, installed
from bench.job_states import BUILD_STATES, DEPLOYER_ACCOUNTS, TOKEN_STATES
from bench.metering import Counts
from local.console_api.market import Market
from local.console_api.server import running
from slipway.akash.console import client as console_api
from slipway.chain.install import install as install_contracts
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.signing import ChainSigning
from slipway.chain.store import save_contracts, save_escrow
from slipway.chain.write_ahead import WriteAhead
from slipway.configuration import chain_settings
from slipway.settings import tier_limit
from slipway.times import epoch_milliseconds
from tests.functional.contracts.conftest import Chain, running_chain
from tests.support.clock import SkippingClock
from tests.support.console_simulator import Simulator
from tests.support.functions import event, function_app
from tests.support.installation import Answer
from tests.support.keys import LocalSigner
from tests.support.stacks import Stacks, spec
from tests.support.template import functions
from tests.support.wallets import ADMIN, ALICE, BOB, OPERATOR, sign_in_message, sign_text
from tests.support.workers import CONTAINERS, body, enrol, wallet
from tests.support.workloads import put_workload, sdl_with, workload_machine

ADMINISTRATOR = "0x" + "ad" * 32
"""Of the chain that is only these figures'."""
PAGE = 20
"""Entries on a page of a list."""
_ETHER = 10**18
_LIMITS = json.dumps({"standard": {"hour": 100_000, "day": 1_000_000, "open": 100_000}})


@dataclass(frozen=True)
class Invocation:
    """One invocation of a function: megabytes of memory, and seconds in this process."""

    function: str
    memory: int
    seconds: float


@dataclass
class Usage:
    """What one operation, or one job, asked of AWS.

    Attributes:
        counts: Of DynamoDB.
        others: Calls of other services, by service and operation.
        invocations: Of functions.
        transitions: Of Standard state machines.
    """

    counts: Counts
    others: Counter[str] = field(default_factory=Counter)
    invocations: list[Invocation] = field(default_factory=list)
    transitions: int = 0

    @property
    def gigabyte_seconds(self) -> float:
        """What Lambda bills for the invocations, at the speed of this machine."""
        return sum(entry.memory / 1024 * entry.seconds for entry in self.invocations)


class Scenario:
    """The operations, one after the other; what one made, the next reads."""

    def __init__(self, here: Installed, simulator: Simulator, chain: Chain) -> None:
        self._here = here
        self._slipway = here.slipway
        self._simulator = simulator
        self._chain = chain
        self._invoked: list[Invocation] = []
        self.usages: dict[str, Usage] = {}
        here.patches.setattr(self._slipway, "invoke", self._invoke)
        self._real_invoke = type(self._slipway).invoke

    def run(self) -> dict[str, Usage]:
        """Everything, by name: routes as the template spells them, then jobs."""
        for part in (self._identity, self._projects, self._payments, self._workers, self._tokens, self._schedules):
            part()
        for part in (self._akash, self._stacks, self._escrow, self._admin, self._builds, self._lists):
            part()
        for part in (self._keys, self._webhooks, self._wallets):
            part()
        return self.usages

    # ── Counting ────────────────────────────────────────────────────────────────────────────────

    def _invoke(self, logical_id: str, payload: dict[str, Any]) -> Any:
        began = time.perf_counter()
        try:
            return self._real_invoke(self._slipway, logical_id, payload)
        finally:
            memory = int(functions()[logical_id].get("MemorySize", 1024))
            self._invoked.append(Invocation(logical_id, memory, time.perf_counter() - began))

    def count[T](self, name: str, act: Callable[[], T]) -> T:
        """Do something and note what it asked for."""
        before, self._slipway.calls[:], self._invoked[:] = self._here.meter.counts, [], []
        answer = act()
        others = Counter(f"{service}:{call}" for service, call, _ in self._slipway.calls if service != "dynamodb")
        self.usages[name] = Usage(self._here.meter.counts - before, others, list(self._invoked))
        if isinstance(answer, Answer):
            assert answer.status < 400, (name, answer.body)
        return answer

    def twice[T](self, name: str, act: Callable[[], T]) -> T:
        """Return the same, counted the second time."""
        act()
        return self.count(name, act)

    def _api(self, event_name: str, account: Any = ALICE, **parts: Any) -> Answer:
        return self._slipway.api(event_name, token=self._slipway.token(account), **parts)

    # ── Sign-in, projects, payments ─────────────────────────────────────────────────────────────

    def _identity(self) -> None:
        self.twice("GET /health", lambda: self._slipway.api("api_health"))
        self.twice("GET /.well-known/jwks.json", lambda: self._slipway.api("api_identity_jwks"))

        def sign_in(count: bool) -> dict[str, str]:
            asked = partial(self._slipway.api, "api_identity_nonce")
            nonce = self.count("GET /api/auth/nonce", asked) if count else asked()
            message = sign_in_message(nonce=nonce.body["nonce"])
            sent = {"message": message, "signature": sign_text(message)}
            verify = partial(self._slipway.api, "api_identity_verify", body=sent)
            signed = self.count("POST /api/auth/verify", verify) if count else verify()
            return {"refresh_token": signed.body["refresh_token"]}

        sign_in(count=False)
        held = sign_in(count=True)
        refresh = partial(self._slipway.api, "api_identity_refresh", body=held)
        held = {"refresh_token": self.count("POST /api/auth/refresh", refresh).body["refresh_token"]}
        self.count("POST /api/auth/logout", partial(self._slipway.api, "api_identity_logout", body=held))

    def _keys(self) -> None:
        """Of one wallet that has some."""
        asked = {"name": "deploys", "scopes": ["deployments:read"]}
        made = self.twice("POST /api/keys", lambda: self._api("api_identity_make_key", body=asked))
        self.twice("GET /api/keys", lambda: self._api("api_identity_keys"))
        path = {"key_id": made.body["id"]}
        self.count("DELETE /api/keys/{key_id}", lambda: self._api("api_identity_delete_key", path=path))

    def _webhooks(self) -> None:
        asked = {"url": "https://example.com/hook", "events": ["worker.down"]}
        made = self.twice("POST /api/webhooks", lambda: self._api("api_webhooks_make", body=asked))
        path = {"id": made.body["id"]}
        self.twice("GET /api/webhooks", lambda: self._api("api_webhooks_list"))
        self.count("POST /api/webhooks/{id}/test", lambda: self._api("api_webhooks_test", path=path))
        deliveries = lambda: self._api("api_webhooks_deliveries", path=path, query="")  # noqa: E731
        self.twice("GET /api/webhooks/{id}/deliveries", deliveries)
        self.count("POST /api/webhooks/{id}/secret", lambda: self._api("api_webhooks_secret", path=path))
        self.count("DELETE /api/webhooks/{id}", lambda: self._api("api_webhooks_delete", path=path))

    def _projects(self) -> None:
        names = [f"shop-{number}" for number in range(PAGE + 1)]

        def create(name: str) -> Answer:
            headers = {"idempotency-key": uuid.uuid4().hex}
            return self._api("api_projects_create", body={"name": name, "github": "octocat/shop"}, headers=headers)

        for name in names[:-1]:
            create(name)
        self.count("POST /deployments", lambda: create(names[-1]))
        path = {"name": names[0]}
        self.twice("GET /deployments/{name}", lambda: self._api("api_projects_detail", path=path))
        self.twice("GET /deployments", lambda: self._api("api_projects_list", query=f"limit={PAGE}"))
        moved = {"status": "processing"}
        self.count("PATCH /deployments/{name}/status", lambda: self._api("api_projects_status", path=path, body=moved))
        self.count("DELETE /deployments/{name}", lambda: self._api("api_projects_delete", path={"name": names[1]}))

    def _payments(self) -> None:
        def pay() -> Answer:
            headers = {"idempotency-key": uuid.uuid4().hex}
            return self._api("api_payments_create", body={"name": "Hosting", "amount": "2500000"}, headers=headers)

        for _ in range(PAGE):
            pay()
        made = self.count("POST /payments", pay)
        path = {"id": made.body["id"]}
        self.twice("GET /payments/{id}", lambda: self._api("api_payments_detail", path=path))
        self.twice("GET /payments", lambda: self._api("api_payments_list", query=f"limit={PAGE}"))

    # ── Workers ─────────────────────────────────────────────────────────────────────────────────

    def _workers(self) -> None:
        own: dict[str, str] = {"wallet": ALICE.address}

        def enrolled(count: bool) -> str:
            ask = partial(self._api, "api_workers_enrol")
            code = (self.count("POST /workers", ask) if count else ask()).body["enrolment_code"]
            given = {"enrolment_code": code}
            exchange = partial(self._slipway.api, "api_workers_exchange", body=given, path=own)
            answer = self.count("POST /workers/{wallet}/tokens", exchange) if count else exchange()
            return str(answer.body["token"])

        enrolled(count=False)
        token = enrolled(count=True)
        moments = iter(range(epoch_milliseconds() - 600_000, epoch_milliseconds()))

        def beat() -> dict[str, Any]:
            given = event("heartbeat")
            given["headers"]["authorization"] = f"Bearer {token}"
            given["body"] = json.dumps(body(ALICE.address, next(moments), CONTAINERS))
            answer: dict[str, Any] = self._slipway.invoke("HeartbeatFunction", given)
            assert answer["statusCode"] == 200, answer
            return answer

        self.twice("POST /heartbeat", beat)
        for number in range(PAGE):
            enrol(wallet(1000 + number))
        self.twice("GET /workers", lambda: self._api("api_workers_list", query=f"limit={PAGE}"))
        self.twice("GET /workers/{wallet}", lambda: self._api("api_workers_detail", path=own))
        self.twice("GET /workers/{wallet}/uptime", lambda: self._api("api_workers_uptime", path=own))
        self.twice("GET /api/setup", lambda: self._slipway.invoke("WorkersFunction", event("api_workers_setup")))
        self.count("DELETE /workers/{wallet}/tokens", lambda: self._api("api_workers_revoke", path=own))
        shown = {"public": True}
        self.count("PATCH /workers/{wallet}", lambda: self._api("api_workers_change", path=own, body=shown))
        for end, name in (("badge.svg", "badge"), ("status", "page")):
            self.twice(f"GET /workers/{{wallet}}/{end}", partial(self._public, f"api_workers_{name}", ALICE.address))
        self.count("DELETE /workers/{wallet}", lambda: self._api("api_workers_retire", path=own))

    def _public(self, event_name: str, wallet: str) -> Any:
        """Return a worker's badge or page, which `api` does not read."""
        given = event(event_name)
        path = given["rawPath"].rsplit("/", 1)[1]
        given["rawPath"] = given["requestContext"]["http"]["path"] = f"/workers/{wallet}/{path}"
        answer = self._slipway.invoke("WorkersFunction", given)
        assert answer["statusCode"] == 200, answer
        return answer

    # ── Tokens ──────────────────────────────────────────────────────────────────────────────────

    def _tokens(self) -> None:
        def request(name: str | None = None) -> str:
            model_id = self._slipway.model(f"model-{uuid.uuid4().hex[:8]}")
            headers = {"idempotency-key": uuid.uuid4().hex}
            act = partial(self._slipway.launch, model_id, headers=headers)
            answer = self.count(name, act) if name else act()
            assert answer.status == 202, answer.body
            return str(answer.body["deployment_id"])

        model = self._slipway.model("estimated")
        asked = {"model_id": model, "user_address": ALICE.address}
        self.twice("POST /api/deployments/estimate", lambda: self._api("api_deployments_estimate", body=asked))
        request()
        first = request("POST /api/deployments (token)")
        self._launch(first)
        self.usages["token_launch"] = self._job("token_launch", lambda: self._launch(request()))
        path = {"id": first}
        self.twice("GET /api/deployments/{id}", lambda: self._api("api_deployments_detail", path=path))
        self.twice("GET /api/deployments/{id}/status", lambda: self._api("api_deployments_status", path=path))

        self.twice("GET /api/models", lambda: self._api("api_deployments_models", query="limit=20"))
        self.twice("GET /api/models/{id}", lambda: self._api("api_deployments_model", path={"id": model}))

        half_done = request()
        failure = {"error": "KeyError", "cause": "{}"}
        self._slipway.invoke("TokenDeployTasks", {**self._sent(half_done), **failure})
        retry = lambda: self._api("api_deployments_retry", path={"id": half_done})  # noqa: E731
        self.count("POST /api/deployments/{id}/retry", retry)
        self._chain.mine(2)
        found = self._slipway.invoke("TokenDeployTasks", {"deployment_id": half_done})
        assert found["status"] == "completed", found

    def _job(self, name: str, act: Callable[[], int]) -> Usage:
        """One job from its request to its end; gives the transitions of its state machines."""
        transitions = self.count(name, act)
        usage = self.usages[name]
        usage.transitions = transitions
        return usage

    def _launch(self, deployment_id: str) -> int:
        """token_deploy; the transactions are found confirmed at the first look."""
        found = self._sent(deployment_id)
        self._chain.mine(2)
        found = self._slipway.invoke("TokenDeployTasks", found)
        assert (found["step"], found["status"]) == ("done", "completed"), found
        return len(TOKEN_STATES)

    def _sent(self, deployment_id: str) -> Any:
        """Bring a launch to where the chain has its transactions, and return the hub's answer."""
        job = {"deployment_id": deployment_id}
        found = self._slipway.invoke("TokenDeployTasks", job)
        assert found["step"] == "sign", found
        sign = {"operation": "sign", "purpose": "launch", "job_id": deployment_id}
        self._slipway.invoke("SignerFunction", sign)
        return self._slipway.invoke("TokenDeployTasks", {**job, "polls": found["polls"], "asked": True})

    def _mined(self, transaction_hash: str) -> Any:
        """Return the receipt of a transaction; anvil answers with its hash a little before it is in a block."""
        for _ in range(100):
            if receipt := self._chain.rpc("eth_getTransactionReceipt", transaction_hash):
                return receipt
            self._chain.mine()
        raise TimeoutError(transaction_hash)

    # ── Akash ───────────────────────────────────────────────────────────────────────────────────

    def _akash(self) -> None:
        def request(name: str | None = None) -> str:
            headers = {"idempotency-key": uuid.uuid4().hex}
            act = partial(self._api, "api_deployments_create", body={"sdl": sdl_with()}, headers=headers)
            answer = self.count(name, act) if name else act()
            assert answer.status == 202, answer.body
            return str(answer.body["deployment_id"])

        def deploy(deployment_id: str) -> int:
            machine = workload_machine(self._slipway)
            machine.run({"deployment_id": deployment_id})
            return len(machine.visited)

        deploy(request())
        made = request("POST /api/deployments (akash)")
        deploy(made)
        self._job("akash_deploy", lambda: deploy(request()))
        path = {"id": made}
        self.twice("GET /api/providers", lambda: self._slipway.api("api_providers_page", query=""))
        self.twice("GET /api/deployments/{id}/sdl", lambda: self._api("api_deployments_sdl", path=path))
        named = {"name": "shop"}
        self.twice("PATCH /api/deployments/{id}", lambda: self._api("api_deployments_patch", path=path, body=named))
        self.count("DELETE /api/deployments/{id}", lambda: self._api("api_deployments_close", path=path))

    def _stacks(self) -> None:
        stacks = Stacks(self._slipway, self._simulator)
        for kind in ("node", "api"):
            stacks.up(kind, environment="warm")
            sent = self.count(f"PUT /api/stacks/{{environment}}/{kind}", partial(stacks.put, kind, spec()))

            def run(sent: Answer = sent) -> int:
                stacks.visited.clear()
                stacks.run(sent)
                return len(stacks.visited)

            self._job(f"stack_{kind}", run)
            self.twice(f"GET /api/stacks/{{environment}}/{kind}", partial(stacks.send, kind))
        self.twice("GET /api/stacks/{environment}/endpoint.json", lambda: stacks.send("endpoint"))
        self.twice("GET /api/stacks/{environment}/endpoint.json.sig", lambda: stacks.send("signature"))
        self.twice("GET /api/stacks", lambda: self._api("api_stacks_list", OPERATOR))
        for kind in ("api", "node"):
            again = partial(stacks.send, f"restart_{kind}")
            stacks.run(self.count(f"POST /api/stacks/{{environment}}/{kind}/restart", again))
        for kind in ("api", "node"):
            ended = lambda kind=kind: stacks.send(f"delete_{kind}")  # noqa: E731
            stacks.run(self.count(f"DELETE /api/stacks/{{environment}}/{kind}", ended))

    # ── Escrow, administration ──────────────────────────────────────────────────────────────────

    def _escrow(self) -> None:
        chain, job = self._chain, str(uuid.uuid4())
        token = chain.deploy("TestUSDC")
        escrow = chain.deploy("Escrow", token.address, chain.accounts[0])
        chain.send(token.functions.mint(ALICE.address, 10**9), chain.accounts[0])
        save_escrow(31337, escrow.address)
        put_workload(job, ALICE.address)
        given = {"job_id": job, "amount": "1"}
        self.twice("POST /api/escrow", lambda: self._api("api_escrow_deposit", body=given))
        self._chain.fund(ALICE.address)
        self._chain.rpc("anvil_impersonateAccount", ALICE.address)
        for entry in self._api("api_escrow_deposit", body=given).body["transactions"]:
            hashed = self._chain.rpc(
                "eth_sendTransaction", {"from": ALICE.address, "to": entry["to"], "data": entry["data"]}
            )
            assert self._mined(hashed)["status"] == "0x1"
        query = f"job_id={job}"
        self.twice("GET /api/escrow", lambda: self._api("api_escrow_status", query=query))
        self.twice("DELETE /api/escrow", lambda: self._api("api_escrow_refund", query=query))

    def _admin(self) -> None:
        path = {"service": "escrow"}
        entry = {"owner": ALICE.address, "contributors": [], "state": "validated"}
        for name, asked in (
            ("pause", "POST /api/admin/{service}/pause"),
            ("resume", "POST /api/admin/{service}/resume"),
        ):
            act = lambda name=name: self._api(f"api_admin_{name}", ADMIN, path=path, body={"reason": "For a moment"})  # noqa: E731
            self.count(asked, act)
        self.twice("GET /api/admin/audit", lambda: self._api("api_admin_audit", ADMIN, query="limit=50"))
        self.twice("GET /api/admin/metrics", lambda: self._api("api_admin_metrics", ADMIN, query="service=tokens"))
        series = "service=tokens&step=hour"
        self.twice("GET /api/admin/metrics/series", lambda: self._api("api_admin_series", ADMIN, query=series))
        # Of one month, whatever the day is: each one more is a query more.
        month = "from=2026-11-01T00:00:00.000Z&to=2026-11-30T00:00:00.000Z"
        self.twice("GET /api/admin/gas", lambda: self._api("api_admin_gas", ADMIN, query=month))
        self.twice("GET /api/admin/deployments", lambda: self._api("api_admin_deployments", ADMIN, query="limit=20"))
        for what, change in (
            ("budgets", {"akash_day": 150}),
            ("limits", {"tiers": {"standard": {"launches": {"hour": 1000}}}}),
        ):
            self.twice(f"GET /api/admin/{what}", partial(self._api, f"api_admin_{what}", ADMIN))
            self.count(f"PUT /api/admin/{what}", partial(self._api, f"api_admin_change_{what}", ADMIN, body=change))
        model = {"id": "catalogued"}
        self.twice("PUT /api/admin/models/{id}", lambda: self._api("api_admin_model", ADMIN, path=model, body=entry))

    def _wallets(self) -> None:
        path = {"wallet": BOB.address}
        self.twice("GET /api/admin/wallets/{wallet}", lambda: self._api("api_admin_wallet", ADMIN, path=path))
        for end, name in (("block", "block"), ("unblock", "unblock"), ("logout", "end_sessions")):
            body = {} if end == "logout" else {"body": {"reason": "For a moment"}}
            asked = partial(self._api, f"api_admin_{name}", ADMIN, path=path, **body)
            self.count(f"POST /api/admin/wallets/{{wallet}}/{end}", asked)

    # ── Builds ──────────────────────────────────────────────────────────────────────────────────

    def _builds(self) -> None:
        def request(name: str | None = None) -> str:
            asked = {"prompt": "An ERC-20 token called Harbor with 1 million supply", "chains": [31337]}
            headers = {"idempotency-key": uuid.uuid4().hex}
            act = partial(self._api, "api_builds_create", body=asked, headers=headers)
            return str((self.count(name, act) if name else act()).body["build_id"])

        path = {"build_id": request()}
        self._build(path["build_id"])
        made = request("POST /api/v1/builds")
        self._job("build", lambda: self._build(request()))
        self.twice("GET /api/v1/builds/{build_id}/code", lambda: self._code(path["build_id"]))
        for end, name in (("", "detail"), ("/audit", "audit"), ("/metadata", "metadata")):
            act = lambda name=name: self._api(f"api_builds_{name}", path=path)  # noqa: E731
            self.twice(f"GET /api/v1/builds/{{build_id}}{end}", act)
        self.twice("POST /api/v1/builds/{build_id}/ticket", lambda: self._api("api_builds_ticket", path=path))
        self.count("DELETE /api/v1/builds/{build_id}", lambda: self._api("api_builds_cancel", path={"build_id": made}))
        for _ in range(PAGE):
            request()
        self.twice("GET /api/v1/builds", lambda: self._api("api_builds_list", query=f"page=1&page_size={PAGE}"))

    def _code(self, build_id: str) -> Any:
        """Read a build's source, which is text that `api` does not read."""
        given = event("api_builds_code")
        given["headers"]["authorization"] = f"Bearer {self._slipway.token()}"
        given["rawPath"] = given["requestContext"]["http"]["path"] = f"/api/v1/builds/{build_id}/code"
        answer = self._slipway.invoke("BuildsFunction", given)
        assert answer["statusCode"] == 200, answer
        return answer

    def _build(self, build_id: str) -> int:
        """Run ``build`` for one chain: written, compiled, passed, and confirmed at the first look."""
        run = {"build_id": build_id, "job_id": build_id}
        for state, after in (("Generate", "compile"), ("Compile", "audit"), ("Audit", "prepare")):
            assert self._slipway.invoke("ContractTasks", {"state": state, **run})["stage"] == after
        (chain,) = self._slipway.invoke("BuildTasks", {"state": "Prepare", **run})["chains"]
        branch = {**run, "chain_id": chain if isinstance(chain, int) else chain["chain_id"]}
        begun = self._slipway.invoke("ChainDeploymentTasks", {"state": "BeginDeployment", **branch})
        assert begun["progress"] == "sign", begun
        self._slipway.invoke("SignerFunction", {"operation": "sign", "purpose": "build", **branch})
        self._slipway.invoke("ChainDeploymentTasks", {"state": "BroadcastDeployment", **branch})
        self._chain.mine(2)
        look = {"state": "ConfirmDeployment", "polls": 0, **branch}
        assert self._slipway.invoke("ChainDeploymentTasks", look)["progress"] == "confirmed"
        assert self._slipway.invoke("BuildTasks", {"state": "Complete", **run})["stage"] == "done"
        return len(BUILD_STATES)

    # ── By the clock, and lists ─────────────────────────────────────────────────────────────────

    def _schedules(self) -> None:
        """After launches, because an installation that is idle has a past. What is due still, a first run does."""

        def flush() -> int:
            found = self._slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))
            return len(found["rest"])

        def reconcile() -> int:
            found = self._slipway.invoke("ReconcileTasks", event("reconcile_find"))
            assert found["failed"] == []
            # Accounts are looked at each time.
            return len([step for step in found["done"] + found["rest"] if step["state"] != "InspectSigner"])

        for name, act in (("uptime_flush (nothing stale)", flush), ("reconcile (nothing due)", reconcile)):
            act()
            assert self.count(name, act) == 0, name

    def _lists(self) -> None:
        for _ in range(PAGE):
            self._slipway.place()
        self.twice("GET /api/deployments", lambda: self._api("api_deployments_list", query=f"limit={PAGE}"))


def measure() -> dict[str, Usage]:
    """Every operation and job, by name."""
    clock = SkippingClock()
    with (
        running_chain() as chain,
        running(Market(clock)) as console,
        installed(chain.url) as here,
    ):
        _prepare(here, chain, console)
        simulator = Simulator(console)
        here.slipway.share_time(here.patches, clock)
        simulator.control(bids={"delay": 1, "spread": 1}, start={"silent_for": 1, "ready_after": 2})
        return Scenario(here, simulator, chain).run()


def _prepare(here: Installed, chain: Chain, console: str) -> None:
    """Contracts on the chain, a signer, and limits that nothing here reaches."""
    # First, because it forgets everything that was made.
    here.slipway.use_console(here.patches, console)
    signers = [LocalSigner(f"0x{number:064x}") for number in range(1001, 1001 + DEPLOYER_ACCOUNTS)]
    addresses = [signer.address for signer in signers]
    chain.fund(*addresses, LocalSigner(ADMINISTRATOR).address)
    made = install_contracts(chain.url, ADMINISTRATOR, addresses)
    save_contracts(31337, made.model_registry, made.token_manager, addresses)
    token_chain = chain_settings().token_chain
    rpc = JsonRpc(token_chain, chain.client)
    signing = ChainSigning(token_chain, rpc, WriteAhead(signers, token_chain, rpc))
    here.patches.setattr(function_app("signer"), "_chain_signing", lambda _, **__: signing)
    here.patches.setattr(console_api, "_PAUSE_SECONDS", 0.01)
    for name in ("LAUNCH_LIMITS", "AKASH_LIMITS", "BUILD_LIMITS"):
        here.patches.setenv(name, _LIMITS)
    here.patches.setenv("BUILD_ARN", here.slipway.state_machine)
    tier_limit.cache_clear()
