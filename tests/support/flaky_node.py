"""A chain behind a gateway that says whatever a test likes, once or for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

type Said = httpx.Response | dict[str, Any] | None


class FlakyNode:
    """Passes calls on to ``url``, but for what ``says`` answers instead.

    Attributes:
        says: Given a method and its parameters: a JSON-RPC error, a whole response, or None to pass the call on.
        does: Whether calls are passed on all the same, and only their answers are lost.
        heard: Methods that were answered by ``says``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._chain = httpx.Client()
        self.says: Callable[[str, list[Any]], Said] = lambda *_: None
        self.does = False
        self.heard: list[str] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        call = json.loads(request.content)
        said = self.says(call["method"], call["params"])
        if said is None or self.does:
            answer = self._chain.post(self._url, json=call)
        if said is None:
            return httpx.Response(answer.status_code, json=answer.json())
        self.heard.append(call["method"])
        if isinstance(said, httpx.Response):
            return said
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], "error": said})

    def client(self) -> httpx.Client:
        """Return a client that reaches only this gateway."""
        return httpx.Client(transport=httpx.MockTransport(self.handle))
