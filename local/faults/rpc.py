"""A JSON-RPC node that misbehaves on demand, in front of a real one.

``python -m local.faults.rpc --port P --upstream URL --plan FILE``: the plan is a JSON list of ``{"method", "action",
"left"}``, read at each request. Actions: ``timeout`` (no answer), ``lost`` (does it, and then does not answer),
``429``, ``500``, ``503``, ``empty`` (an answer that is not JSON), ``forget`` (claims success of a broadcast and drops
it), and ``error:<message>`` (does it, and then answers with that error).
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

_SILENCE_SECONDS = 60


class FaultyNode:
    """Forwards requests to ``upstream``, but for what ``plan`` says."""

    def __init__(self, upstream: str, plan: Path) -> None:
        self._upstream = upstream
        self._plan = plan
        self._lock = asyncio.Lock()
        self._session: ClientSession | None = None

    async def _action(self, method: str) -> str | None:
        async with self._lock:
            try:
                plan: list[dict[str, Any]] = json.loads(self._plan.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return None
            for fault in plan:
                if fault["method"] in (method, "*") and fault["left"] > 0:
                    fault["left"] -= 1
                    self._plan.write_text(json.dumps(plan), encoding="utf-8")
                    return str(fault["action"])
        return None

    async def _forward(self, body: bytes) -> Any:
        if self._session is None:
            self._session = ClientSession()
        headers = {"content-type": "application/json"}
        async with self._session.post(self._upstream, data=body, headers=headers) as answer:
            return await answer.json()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one JSON-RPC request."""
        body = await request.read()
        call = json.loads(body)
        action = await self._action(call["method"])
        if action == "timeout":
            await asyncio.sleep(_SILENCE_SECONDS)
        if action in ("429", "500", "503"):
            return web.Response(status=int(action), text="no")
        if action == "empty":
            return web.Response(text="<html>")
        if action == "forget":
            from slipway.addresses import keccak256

            transaction_hash = "0x" + keccak256(bytes.fromhex(call["params"][0][2:])).hex()
            return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": transaction_hash})
        result = await self._forward(body)
        if action == "lost":
            await asyncio.sleep(_SILENCE_SECONDS)
        if action and action.startswith("error:"):
            error = {"code": -32000, "message": action.removeprefix("error:")}
            return web.json_response({"jsonrpc": "2.0", "id": call["id"], "error": error})
        return web.json_response(result)


def main() -> None:
    """Serve on loopback until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--plan", type=Path, required=True)
    given = parser.parse_args()
    app = web.Application()
    app.router.add_post("/", FaultyNode(given.upstream, given.plan).answer)
    web.run_app(app, host="127.0.0.1", port=given.port, print=None)


if __name__ == "__main__":
    main()
