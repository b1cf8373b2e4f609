"""Akash's own validator of SDLs: npm's ``@akashnetwork/chain-sdk``, which the Console API uses, in V8.

package.json pins its newest version on npm, 1.0.0-alpha.25. The Console API runs a newer source (1.0.0-alpha.38), which
takes some fields more and volumes with all their attributes only; ``newer`` in chain_sdk.js makes up for that.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.paths import ROOT, SHARED

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

_SECONDS = 10.0
_HEAP = 256 * 1024 * 1024
# What the package takes from its surroundings and a bare V8 lacks.
_PRELUDE = """
globalThis.TextEncoder = class { encode(text) {
  const bytes = unescape(encodeURIComponent(text)), out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) out[at] = bytes.charCodeAt(at);
  return out;
} };
globalThis.TextDecoder = class { decode(bytes) { return decodeURIComponent(escape(String.fromCharCode(...bytes))); } };
"""


class ChainSdkError(RuntimeError):
    """The package is not there, or failed."""


@dataclass(frozen=True)
class Validation:
    """What the Console API would make of an SDL.

    Attributes:
        refusals: Why it takes none; empty if it takes it.
        manifest: The sorted JSON that providers get; empty if it is refused.
        document: The SDL as plain data; None if it is refused.
    """

    refusals: tuple[str, ...] = ()
    manifest: str = ""
    document: Any = None

    @property
    def hash(self) -> str:
        """Base64 of the manifest's SHA-256, by which the chain knows the deployment."""
        return base64.b64encode(hashlib.sha256(self.manifest.encode()).digest()).decode()


class ChainSdk:
    """The validator; safe to share between threads.

    Args:
        script: What ``chain_sdk.cjs`` wrote.
    """

    def __init__(self, script: Path) -> None:
        self._script = script
        self._turn = threading.Lock()
        self._context: MiniRacer | None = None

    def validate(self, text: str, *, as_pinned: bool = False) -> Validation:
        """Return what the Console API would make of an SDL, or what the package alone makes of it.

        Raises:
            ChainSdkError: Nobody can tell.
        """
        answer = json.loads(self._call(f"slipwayJudge({json.dumps(text)}, {json.dumps(as_pinned)})"))
        return Validation(tuple(answer.get("refusals", ())), answer.get("manifest", ""), answer.get("sdl"))

    @property
    def version(self) -> str:
        """The package's version."""
        return self._call("chainSdk.version")

    def _call(self, script: str) -> str:
        from py_mini_racer import JSEvalException

        with self._turn:
            try:
                return str(self._loaded().eval(script, timeout_sec=_SECONDS))
            except (JSEvalException, OSError) as error:
                self._context = None
                raise ChainSdkError(f"The SDL could not be validated: {str(error).splitlines()[0]}") from error

    def _loaded(self) -> MiniRacer:
        if self._context is None:
            from py_mini_racer import MiniRacer

            # In a thread that runs no event loop: mini-racer would adopt one, and its timeouts would not work there.
            with ThreadPoolExecutor(max_workers=1) as pool:
                context = pool.submit(MiniRacer).result()
            # A context that is left open keeps its thread, and so its process.
            weakref.finalize(self, context.close)
            context.set_hard_memory_limit(_HEAP)
            bindings = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
            for script in (_PRELUDE, self._script.read_text(encoding="utf-8"), bindings):
                context.eval(script, timeout_sec=_SECONDS)
            self._context = context
        return self._context


@cache
def chain_sdk() -> ChainSdk:
    """Return the validator of the version that package.json pins, from `node_modules`."""
    version = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"][
        "@akashnetwork/chain-sdk"
    ]
    script = SHARED / f"chain-sdk-{version}.js"
    if not script.exists():
        SHARED.mkdir(exist_ok=True)
        made = script.with_suffix(f".{os.getpid()}")
        bundle = Path(__file__).with_suffix(".cjs")
        subprocess.run(["node", str(bundle), str(ROOT / "node_modules"), str(made)], check=True, timeout=60)
        made.replace(script)
    return ChainSdk(script)
