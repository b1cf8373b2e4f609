"""A verifier of sources for the local build: it recompiles what it is given, and compares that with what is on chain.

It answers as a Sourcify server of version 2 does, held to that API's published schema by a test, and under ``/api`` as
Etherscan's contract API. It knows the local chains and the one compiler that the build has.

Run alone: ``python -m local.verifier --port 8700``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import httpx
from aiohttp import web

from local.engine.server import LOOPBACK
from local.parameters import chains
from local.paths import ROOT
from local.ports import Ports
from local.serving import serve
from slipway.solidity.compiler import CompilationError, Compiler, CompilerError

_EXACT, _MATCH = "exact_match", "match"
_MAX_BYTES = 16 * 1024 * 1024


class VerificationError(Exception):
    """A job's end without a match; ``code`` is Sourcify's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Job:
    """One verification."""

    chain_id: int
    address: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started_at: str = field(default_factory=lambda: _now())
    finished_at: str | None = None
    match: dict[str, Any] | None = None
    error: VerificationError | None = None


# ── Comparison ──────────────────────────────────────────────────────────────────────────────────


def code_match(on_chain: bytes, compiled: bytes, immutables: Mapping[str, list[dict[str, int]]] = {}) -> str | None:
    """Return how far runtime code is what was compiled: ``exact_match``, ``match`` without the metadata, or None.

    Args:
        on_chain: As the chain has it.
        compiled: With zeros where immutable values are.
        immutables: Where those are, as the compiler says it.
    """
    found = bytearray(on_chain)
    for places in immutables.values():
        for place in places:
            found[place["start"] : place["start"] + place["length"]] = bytes(place["length"])
    code, metadata = _apart(bytes(found))
    expected, expected_metadata = _apart(compiled)
    if not code or code != expected:
        return None
    # Without a hash of the metadata, nothing says that the sources are the same to the letter.
    return _EXACT if metadata == expected_metadata and b"ipfs" in metadata else _MATCH


def creation_match(sent: bytes, compiled: bytes) -> str | None:
    """Return how far the data of a creation begins with what was compiled; constructor arguments follow."""
    if compiled and sent.startswith(compiled):
        return _EXACT if b"ipfs" in _apart(compiled)[1] else _MATCH
    code, _ = _apart(compiled)
    return _MATCH if code and sent.startswith(code) else None


def _apart(code: bytes) -> tuple[bytes, bytes]:
    """Split code from its metadata, whose length is in the last two bytes (Solidity's documentation)."""
    length = int.from_bytes(code[-2:], "big") + 2 if len(code) > 1 else 0
    return (code[:-length], code[-length:]) if 2 < length <= len(code) else (code, b"")


class Verifier:
    """Does verifications, one at a time.

    Args:
        nodes: Addresses of the chains' nodes, by chain id.
    """

    def __init__(self, nodes: Mapping[int, str]) -> None:
        self.nodes = nodes
        self.jobs: dict[str, Job] = {}
        self.verified: dict[tuple[int, str], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._compiler = Compiler(ROOT / "node_modules" / "solc" / "soljson.js")
        # All tokens have one source; errors are not kept.
        self._output = lru_cache(maxsize=32)(self._compile)
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="verifier")

    def submit(self, chain_id: int, address: str, asked: Mapping[str, Any]) -> Job:
        """Begin a verification."""
        job = Job(chain_id, address)
        self.jobs[job.id] = job
        self._threads.submit(self._run, job, asked)
        return job

    def _run(self, job: Job, asked: Mapping[str, Any]) -> None:
        try:
            job.match = self._matched(job, asked)
            self.verified[job.chain_id, job.address.lower()] = job.match
        except VerificationError as error:
            job.error = error
        except Exception as error:  # Whatever a request makes of it, the job ends.
            job.error = VerificationError("internal_error", f"{type(error).__name__}: {error}")
        job.finished_at = _now()

    def _matched(self, job: Job, asked: Mapping[str, Any]) -> dict[str, Any]:
        runtime = self._rpc(job.chain_id, "eth_getCode", job.address, "latest")
        if not runtime or runtime == "0x":
            raise VerificationError("contract_not_deployed", "There is no code at the address")
        compiled = self._compiled(asked)
        runtime_match = code_match(
            bytes.fromhex(runtime[2:]),
            bytes.fromhex(compiled["deployedBytecode"]["object"]),
            compiled["deployedBytecode"].get("immutableReferences") or {},
        )
        creation = None
        if creation_hash := asked.get("creationTransactionHash"):
            sent = self._rpc(job.chain_id, "eth_getTransactionByHash", creation_hash) or {}
            if sent.get("to") is None and sent.get("input"):
                creation = creation_match(
                    bytes.fromhex(sent["input"][2:]), bytes.fromhex(compiled["bytecode"]["object"])
                )
        if not (runtime_match or creation):
            raise VerificationError("no_match", "The code on chain is not what the source compiles to")
        return {
            "match": _EXACT if _EXACT in (runtime_match, creation) else _MATCH,
            "creationMatch": creation,
            "runtimeMatch": runtime_match,
            "chainId": str(job.chain_id),
            "address": job.address,
            "verifiedAt": _now(),
            "matchId": str(len(self.verified) + 1),
        }

    def _compiled(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        unit, _, name = str(asked["contractIdentifier"]).rpartition(":")
        content = json.loads(json.dumps(asked["stdJsonInput"]))
        wanted = ["evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
        content.setdefault("settings", {})["outputSelection"] = {unit: {name: wanted}}
        with self._lock:
            return self._output(unit, name, str(asked["compilerVersion"]), json.dumps(content, sort_keys=True))

    def _compile(self, unit: str, name: str, version: str, content: str) -> dict[str, Any]:
        with self._compiler:
            if version.removeprefix("v") != self._compiler.version:
                raise VerificationError("unsupported_compiler_version", f"Only {self._compiler.version} is here")
            try:
                output = self._compiler.compile(json.loads(content), timeout_seconds=60)
            except CompilationError as error:
                raise VerificationError("compiler_error", str(error)[:2000]) from error
            except CompilerError as error:
                raise VerificationError("internal_error", str(error)[:2000]) from error
        contract = output.get("contracts", {}).get(unit, {}).get(name)
        if contract is None:
            raise VerificationError("contract_not_found_in_compiler_output", f"The sources have no {unit}:{name}")
        found: dict[str, Any] = contract["evm"]
        return found

    def _rpc(self, chain_id: int, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            return httpx.post(self.nodes[chain_id], json=body, timeout=10).json()["result"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise VerificationError("cannot_fetch_bytecode", f"The chain did not answer {method}") from error


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"customCode": code, "message": message, "errorId": str(uuid.uuid4())}, status=status)


def _unmatched(job: Job) -> dict[str, Any]:
    return {
        "match": None, "creationMatch": None, "runtimeMatch": None,
        "chainId": str(job.chain_id), "address": job.address,
    }  # fmt: skip


class Routes:
    """The HTTP routes over a verifier."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def application(self) -> web.Application:
        """Return the server's application."""
        app = web.Application(client_max_size=_MAX_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_post(r"/v2/verify/{chain_id:\d+}/{address:0x[0-9a-fA-F]{40}}", self._submit)
        app.router.add_get("/v2/verify/{job_id}", self._job)
        app.router.add_get(r"/v2/contract/{chain_id:\d+}/{address:0x[0-9a-fA-F]{40}}", self._contract)
        app.router.add_route("*", "/api", self._explorer)
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _submit(self, request: web.Request) -> web.Response:
        chain_id, address = int(request.match_info["chain_id"]), request.match_info["address"]
        if chain_id not in self._verifier.nodes:
            return _refusal(400, "unsupported_chain", f"The chain with chainId {chain_id} is not supported")
        try:
            asked = await request.json()
            complete = all(asked[name] for name in ("stdJsonInput", "compilerVersion", "contractIdentifier"))
        except (ValueError, KeyError, TypeError):
            complete = False
        if not complete:
            return _refusal(400, "invalid_parameter", "stdJsonInput, compilerVersion and contractIdentifier are needed")
        known = self._verifier.verified.get((chain_id, address.lower()))
        if known and known["match"] == _EXACT:
            return _refusal(409, "already_verified", f"Contract {address} on chain {chain_id} is already verified")
        return web.json_response({"verificationId": self._verifier.submit(chain_id, address, asked).id}, status=202)

    async def _job(self, request: web.Request) -> web.Response:
        job = self._verifier.jobs.get(request.match_info["job_id"])
        if job is None:
            return _refusal(404, "job_not_found", "No verification job with this id")
        body: dict[str, Any] = {
            "isJobCompleted": job.finished_at is not None,
            "verificationId": job.id,
            "jobStartTime": job.started_at,
            "contract": job.match or _unmatched(job),
        }
        if job.finished_at:
            body["jobFinishTime"] = job.finished_at
        if job.error:
            body["error"] = {"customCode": job.error.code, "message": str(job.error), "errorId": str(uuid.uuid4())}
        return web.json_response(body)

    async def _contract(self, request: web.Request) -> web.Response:
        chain_id, address = int(request.match_info["chain_id"]), request.match_info["address"]
        known = self._verifier.verified.get((chain_id, address.lower()))
        missing = _unmatched(Job(chain_id, address))
        return web.json_response(known or missing, status=200 if known else 404)

    async def _explorer(self, request: web.Request) -> web.Response:
        given = {**request.query, **await request.post()}
        chain_id = str(given.get("chainid", ""))
        if given.get("action") == "verifysourcecode" and chain_id.isdigit() and int(chain_id) in self._verifier.nodes:
            address = str(given["contractaddress"])
            if (int(chain_id), address.lower()) in self._verifier.verified:
                return _result("Contract source code already verified", ok=False)
            asked = {
                "stdJsonInput": json.loads(str(given["sourceCode"])),
                "compilerVersion": str(given["compilerversion"]),
                "contractIdentifier": str(given["contractname"]),
            }
            return _result(self._verifier.submit(int(chain_id), address, asked).id, ok=True)
        job = self._verifier.jobs.get(str(given.get("guid", "")))
        if given.get("action") != "checkverifystatus" or job is None:
            return _result("Unknown request", ok=False)
        if job.finished_at is None:
            return _result("Pending in queue", ok=False)
        return _result("Pass - Verified" if job.match else f"Fail - Unable to verify. {job.error}", ok=bool(job.match))


def _result(result: str, *, ok: bool) -> web.Response:
    return web.json_response({"status": "1" if ok else "0", "message": "OK" if ok else "NOTOK", "result": result})


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=None, help="by default SLIPWAY_VERIFIER_PORT, or 8700")
    options = parser.parse_args()
    ports = Ports.from_environment()
    nodes = {int(chain["chain_id"]): str(chain["rpc_urls"][0]) for chain in chains(ports)}
    port = ports.verifier if options.port is None else options.port
    print(f"http://{LOOPBACK}:{port}", flush=True)
    application = Routes(Verifier(nodes)).application()
    asyncio.run(serve(web.AppRunner(application, access_log=None, shutdown_timeout=1.0), port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
