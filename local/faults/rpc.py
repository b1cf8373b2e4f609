"""A JSON-RPC node that misbehaves on demand, in front of a real one.

``python -m local.faults.rpc --port P --upstream URL --plan FILE``: the plan is a JSON list of ``{"method", "action",
"left"}``, read at each request. Actions: ``timeout`` (no answer), ``lost`` (does it, and then does not answer),
``429``, ``500``, ``503``, ``empty`` (an answer that is not JSON), ``forget`` (claims success of a broadcast and drops
it), ``error:<message>`` (does it, and then answers with that error), and ``texts:<file>``: answers calls with what
nodes say, as that JSON file has it (``status``, ``code``, ``message``, ``data``, and in ``fails`` the methods that it
ends). Each method gets every text once before any again, in an order by chance; half of the sends are done all the
same. What a job asks often is answered so by chance, anything else twice before it is let pass. How many of how many
texts each method has got stands in ``served.json`` beside the plan.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

_SILENCE_SECONDS = 60
_SHARE = 0.3
_OFTEN = {"eth_call", "eth_getTransactionReceipt"}
_IN_A_ROW = 2
_DONE = 0.5
_SEND = "eth_sendRawTransaction"
_chance = random.Random()  # noqa: S311 (no secret)


class FaultSchedule:
    """Texts that are served by chance, each once before any again."""

    def __init__(self, texts: list[dict[str, Any]]) -> None:
        self._texts = texts
        self._left: list[dict[str, Any]] = []
        self.served = 0

    def next(self) -> dict[str, Any]:
        """Return the next text."""
        if not self._left:
            self._left = _chance.sample(self._texts, len(self._texts))
        self.served += 1
        return self._left.pop()

    @property
    def count(self) -> list[int]:
        """How many different texts were served, of how many, and how many in all."""
        return [min(self.served, len(self._texts)), len(self._texts), self.served]


@contextmanager
def changing(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Let one process at a time read a plan, change it, and write it again."""
    with path.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = path.read_text(encoding="utf-8") if path.exists() else "[]"
        plan: list[dict[str, Any]] = json.loads(before)
        yield plan
        if (after := json.dumps(plan)) != before:
            path.write_text(after, encoding="utf-8")


class FaultyNode:
    """Forwards requests to ``upstream``, but for what ``plan`` says."""

    def __init__(self, upstream: str, plan: Path) -> None:
        self._upstream = upstream
        self._plan = plan
        self._session: ClientSession | None = None
        self._schedules: dict[str, FaultSchedule] = {}
        self._in_a_row: defaultdict[str, int] = defaultdict(int)
        self._texts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def _action(self, method: str) -> str | None:
        with changing(self._plan) as plan:
            for fault in plan:
                if fault["method"] in (method, "*") and fault["action"].startswith("texts:"):
                    return str(fault["action"])
                if fault["method"] in (method, "*") and fault["left"] > 0:
                    fault["left"] -= 1
                    return str(fault["action"])
        return None

    def _text(self, file: str, method: str) -> dict[str, Any] | None:
        """Return what to answer a call with, None to let it pass."""
        if method in _OFTEN:
            if _chance.random() > _SHARE:
                return None
        else:
            self._in_a_row[method] = (self._in_a_row[method] + 1) % (_IN_A_ROW + 1)
            if not self._in_a_row[method]:
                return None
        if file not in self._texts:
            self._texts[file] = json.loads(Path(file).read_text(encoding="utf-8"))
        if method not in self._schedules:
            # What fails a job, as it should, is said only of sends, and only of what was done all the same.
            texts = [text for text in self._texts[file] if method == _SEND or method not in text["fails"]]
            self._schedules[method] = FaultSchedule(texts)
        text = self._schedules[method].next()
        served = {name: schedule.count for name, schedule in self._schedules.items()}
        hidden = self._plan.with_name("served.new")
        hidden.write_text(json.dumps(served), encoding="utf-8")
        hidden.replace(self._plan.with_name("served.json"))
        return text

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
        action = self._action(call["method"])
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
        if action and action.startswith("texts:"):
            text = self._text(action.removeprefix("texts:"), call["method"])
            if text:
                if call["method"] == _SEND and (_SEND in text["fails"] or _chance.random() < _DONE):
                    await self._forward(body)
                error = {name: text[name] for name in ("code", "message", "data") if name in text}
                answer = {"jsonrpc": "2.0", "id": call["id"], "error": error}
                return web.json_response(answer, status=text["status"])
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
