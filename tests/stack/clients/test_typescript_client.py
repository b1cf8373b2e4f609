"""The TypeScript client, from its pack, by the guide's programs and in a browser, against the deployed template."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Route

from local.ports import free_ports
from slipway_client import PrivateKey, Slipway
from tests.stack.clients.conftest import TypescriptProject
from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, account, new_model

ADDRESS = r"0x[0-9a-fA-F]{40}"
# Signs in with the page's wallet, builds a contract, and reads its progress over WebSocket.
IN_A_PAGE = """async () => {
  const { Slipway, browserStore } = await import("/client/index.js");
  const slipway = new Slipway({ api: location.origin, signer: window.ethereum, sessionStore: browserStore() });
  const build = await slipway.builds.start("A pausable ERC-20 token called Harbour with 1 million supply", [31337]);
  const seen = [];
  for await (const { sequence, progress } of slipway.builds.events(build)) seen.push([sequence, progress]);
  const { deployments } = await slipway.builds.get(build.build_id);
  return { seen, address: deployments[0].address, kept: Object.keys(JSON.parse(localStorage["slipway.session"])) };
}"""


def _variables(stack: RunningStack, index: int) -> dict[str, str]:
    return {"SLIPWAY_API": stack.api, "SLIPWAY_PRIVATE_KEY": account(stack, "user", index)["private_key"]}


def test_it_launches_a_token(stack: RunningStack, admin: Token, typescript_client: TypescriptProject) -> None:
    model = new_model(stack, admin, account(stack, "user", 2)["address"])
    *statuses, address = typescript_client.run("launch-ts", MODEL=model, **_variables(stack, 2)).splitlines()
    assert statuses[-1] == "completed"
    assert re.fullmatch(ADDRESS, address)
    refused = typescript_client.run("launch-ts", 1, MODEL="no-such-model", **_variables(stack, 2))
    assert refused.startswith("MODEL_NOT_FOUND")


def test_it_pays_for_a_workload_and_reads_its_log(
    stack: RunningStack, typescript_client: TypescriptProject, payer: dict[str, str]
) -> None:
    status, line = typescript_client.run("workload-ts", SLIPWAY_API=stack.api, **payer).splitlines()
    assert status == "active"
    assert line.startswith("web ")


def test_it_verifies_a_webhook(stack: RunningStack, typescript_client: TypescriptProject) -> None:
    (port,) = free_ports(1)
    with Slipway(stack.api, private_key=account(stack, "user", 2)["private_key"]) as slipway:
        made = slipway.webhooks.create(f"http://127.0.0.1:{port}/", ["worker.*"])
        receiver = typescript_client.start("webhook-ts", WEBHOOK_SECRET=str(made["secret"]), PORT=str(port))
        slipway.webhooks.test(made["id"])
        output, errors = receiver.communicate(timeout=60)
        assert output.split()[1:] == ["webhook.test"], errors
        slipway.webhooks.delete(made["id"])


def test_it_works_in_a_browser(stack: RunningStack, typescript_client: TypescriptProject, browser: Browser) -> None:
    folder = typescript_client.directory / "node_modules" / "@slipway" / "client" / "dist"
    held = account(stack, "user", 2)
    page = browser.new_page()

    def serve(route: Route) -> None:
        route.fulfill(path=folder / Path(route.request.url).name, content_type="text/javascript")

    page.route("**/client/*.js", serve)
    page.expose_function(
        "signed", lambda raw: PrivateKey(held["private_key"]).sign_message(bytes.fromhex(raw[2:]).decode())
    )
    page.add_init_script(
        f"""window.ethereum = {{ request: async ({{ method, params }}) =>
          method === 'personal_sign' ? signed(params[0]) : ['{held["address"].lower()}'] }}"""
    )
    try:
        page.goto(f"{stack.api}/health")
        found = page.evaluate(IN_A_PAGE)
    finally:
        page.close()
    assert [sequence for sequence, _ in found["seen"]] == list(range(1, len(found["seen"]) + 1))
    assert found["seen"][-1][1] == 100
    assert re.fullmatch(ADDRESS, found["address"])
    assert found["kept"] == ["accessToken", "expiresAt", "refreshToken", "refreshExpiresAt"]
