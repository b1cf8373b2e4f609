"""The programs in docs/integration.md, word for word, against the deployed template."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account

from local.paths import ROOT
from tests.stack.launches import Token, account, new_model

GUIDE = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
MODULES = ROOT / "web" / "node_modules"
NODE_SECONDS = 120
# What API Gateway answers itself, and what a proxy may; none of them is a refusal that lasts.
REFUSALS = [(503, '{"message": "Service Unavailable"}'), (429, '{"message": "Too Many Requests"}'), (502, "<html>")]
# What a browser has and Node does not, and a wallet that is a key.
FRONTEND = """
import {{ privateKeyToAccount }} from "{viem}";
const given = {given};
globalThis.location = new URL(given.api);
process.env.NEXT_PUBLIC_SLIPWAY_API = given.api;
const refusals = given.refusals;
globalThis.fetch = ((send) => async (url, init) => {{
  const refusal = init?.method === "POST" && url.endsWith("/api/deployments") && refusals.shift();
  return refusal ? new Response(refusal[1], {{ status: refusal[0] }}) : send(url, init);
}})(fetch);
const guide = await import("./guide.mjs");
const wallet = privateKeyToAccount(given.private_key);
const token = await guide.signIn(wallet.address, (message) => wallet.signMessage({{ message }}));
const refused = await guide.launch(token, "no-such-model", wallet.address).catch((error) => error);
const {{ status_url }} = await guide.launch(token, given.model_id, wallet.address);
const statuses = [];
const last = await guide.follow(token, status_url, (status) => statuses.push(status));
console.log(JSON.stringify({{ last, statuses, refused: refused.code, refusals }}));
"""


def _programs(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


class _Refusing(httpx.HTTPTransport):
    """Answers the first launches itself."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = list(REFUSALS)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path == "/api/deployments" and self.refusals:
            status, body = self.refusals.pop(0)
            return httpx.Response(status, text=body)
        return super().handle_request(request)


def test_the_python_guide_launches_a_token(stack: Any, admin: Token) -> None:
    held = account(stack, "user", 1)
    model_id = new_model(stack, admin, held["address"])
    (program,) = _programs("python")
    guide: dict[str, Any] = {}
    exec(compile(program, "docs/integration.md", "exec"), guide)  # noqa: S102 (our own document)
    transport = _Refusing()
    with httpx.Client(base_url=stack.api, timeout=60, transport=transport) as api:
        guide["sign_in"](api, Account.from_key(held["private_key"]))
        try:
            guide["launch"](api, "no-such-model", held["address"])
        except guide["SlipwayError"] as error:
            refused = error.code
        last = guide["follow"](api, guide["launch"](api, model_id, held["address"]))
    assert refused == "MODEL_NOT_FOUND"
    assert transport.refusals == []
    assert last["status"] == "completed"
    assert last["token_address"]


def test_the_typescript_guide_launches_a_token(stack: Any, admin: Token, tmp_path: Path) -> None:
    held = account(stack, "user", 1)
    model_id = new_model(stack, admin, held["address"])
    (tmp_path / "guide.mts").write_text("\n".join(_programs("ts")), encoding="utf-8")
    # Types are the frontend's matter: the guide leaves wallet and chain to it.
    options = ["--noCheck", "--module", "esnext", "--target", "es2022", "--outDir", "."]
    subprocess.run([MODULES / ".bin" / "tsc", *options, "guide.mts"], cwd=tmp_path, check=True, timeout=60)
    given = {"api": stack.api, "private_key": held["private_key"], "model_id": model_id, "refusals": REFUSALS}
    viem = MODULES / "viem" / "_esm" / "accounts" / "index.js"
    (tmp_path / "run.mjs").write_text(FRONTEND.format(viem=viem, given=json.dumps(given)), encoding="utf-8")
    done = subprocess.run(
        ["node", "run.mjs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=NODE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["refused"] == "MODEL_NOT_FOUND"
    assert told["last"]["status"] == "completed"
    assert told["statuses"][-1] == "completed"
    assert told["refusals"] == []
