"""`examples/next`, built as its README says, in Chromium, against the deployed template."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from standardwebhooks import Webhook

from local.paths import ROOT
from local.ports import free_ports
from local.web import install_packages
from slipway_client import PrivateKey, Slipway, Wallet
from tests.stack.clients.conftest import PROGRAM_SECONDS, TYPESCRIPT
from tests.stack.conftest import RunningStack
from tests.stack.launches import LAUNCH_SECONDS, Token, account, new_model
from tests.stack.web.conftest import SCREENSHOTS, serious_issues
from tests.support.waiting import eventually

EXAMPLE = ROOT / "examples" / "next"
# What an extension brings. A wallet that refuses does so by this code.
WALLET = """window.ethereum = { request: async ({ method, params }) => {
  if (method !== 'personal_sign') return ['%s'];
  if (localStorage.getItem('refuses')) throw Object.assign(new Error('User rejected the request.'), { code: 4001 });
  return signed(params[0]);
} }"""


@dataclass(frozen=True)
class Example:
    """The app as it serves, and the wallet that uses it."""

    url: str
    secret: str
    log: Path
    owner: dict[str, str]

    def wait_for(self, text: str) -> None:
        """Wait until the server has logged it."""
        eventually(self.log.read_text, lambda log: text in log)


@pytest.fixture(scope="module")
def example(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Build the app for this stack, have its webhook made, and serve it."""
    install_packages(TYPESCRIPT)
    install_packages(EXAMPLE)
    (port,) = free_ports(1)
    owner, url = account(stack, "user", 2), f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("next") / "server.log"
    with Slipway(stack.api, private_key=owner["private_key"]) as slipway, log.open("w") as output:
        made = slipway.webhooks.create(f"{url}/api/webhook", ["deployment.*"])
        variables = {
            **{name: os.environ[name] for name in ("PATH", "HOME")},
            "NEXT_TELEMETRY_DISABLED": "1",
            "NEXT_PUBLIC_SLIPWAY_API": stack.api,
            "SLIPWAY_WEBHOOK_SECRET": str(made["secret"]),
        }
        for folder in (TYPESCRIPT, EXAMPLE):
            subprocess.run(
                ["npm", "run", "build"], cwd=folder, env=variables, stdout=output, stderr=output, check=True,
                timeout=PROGRAM_SECONDS,
            )  # fmt: skip
        program = str(EXAMPLE / "node_modules" / ".bin" / "next")
        serve = [program, "start", "--hostname", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(serve, cwd=EXAMPLE, env=variables, stdout=output, stderr=output)
        try:
            app = Example(url, str(made["secret"]), log, owner)
            app.wait_for("Ready in")
            yield app
        finally:
            server.terminate()
            server.wait(30)
        slipway.webhooks.delete(made["id"])


@pytest.fixture
def page(browser: Browser, example: Example) -> Iterator[Page]:
    """Yield a tab with a wallet; what it throws fails the test."""
    context = browser.new_context(base_url=example.url, reduced_motion="reduce")
    tab, thrown = context.new_page(), list[str]()
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    key = PrivateKey(example.owner["private_key"])
    tab.expose_function("signed", lambda raw: key.sign_message(bytes.fromhex(raw[2:]).decode()))
    tab.add_init_script(WALLET % example.owner["address"].lower())
    yield tab
    context.close()
    assert thrown == []


def test_a_token_is_launched_followed_and_shown(
    stack: RunningStack, admin: Token, example: Example, page: Page
) -> None:
    model = new_model(stack, admin, example.owner["address"])
    page.goto("/")
    page.get_by_role("button", name="Sign in with Ethereum").click()
    row = page.get_by_role("listitem").filter(has_text=model)
    row.get_by_role("button", name="Launch").click()
    expect(row.get_by_role("status")).to_be_visible()
    link = row.get_by_role("link")
    expect(link).to_be_visible(timeout=LAUNCH_SECONDS * 1000)
    assert serious_issues(page) == []
    example.wait_for("deployment.completed")
    # A reload does not ask the wallet again.
    page.evaluate("localStorage.setItem('refuses', 'yes')")
    page.reload()
    link.click()
    supply = page.locator("dt", has_text="Supply").locator("+ dd")
    expect(supply).to_contain_text("1000000")
    address = page.url.rpartition("/")[2]
    assert serious_issues(page) == []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "example-next.png")

    # What the page shows is kept until a message says that something happened.
    with Slipway(stack.api, private_key=example.owner["private_key"]) as slipway:
        minted = slipway.tokens.mint(address, example.owner["address"], "5")
        Wallet(PrivateKey(example.owner["private_key"]), stack.chains[0]["rpc_url"]).send(minted["transactions"])
        eventually(lambda: slipway.tokens.get(address), lambda token: token["total_supply"] == "1000005", every=0.5)
    page.reload()
    expect(supply).to_contain_text("1000000")
    assert _post(example, f'{{"type": "deployment.completed", "data": {{"token_address": "{address}"}}}}') == 204
    page.reload()
    expect(supply).to_contain_text("1000005")


def test_refusals_are_shown_and_the_page_goes_on(example: Example, page: Page) -> None:
    page.goto("/")
    page.evaluate("localStorage.setItem('refuses', 'yes')")
    page.get_by_role("button", name="Sign in with Ethereum").click()
    expect(page.get_by_role("alert").filter(has_text="User rejected the request.")).to_be_visible()
    page.evaluate("localStorage.removeItem('refuses')")
    page.get_by_role("button", name="Sign in with Ethereum").click()
    expect(page.get_by_role("heading", name="Your models")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with Ethereum")).to_be_visible()
    answer = page.goto("/tokens/0x0000000000000000000000000000000000000001")
    assert answer
    assert answer.status == 404


def test_the_webhook_takes_what_slipway_signed_and_nothing_else(example: Example) -> None:
    body = '{"type": "webhook.test", "data": {}}'
    assert _post(example, body) == 204
    assert _post(example, body, "whsec_" + "QUJD" * 8) == 400
    assert httpx.post(f"{example.url}/api/webhook", content=body).status_code == 400


def _post(example: Example, body: str, secret: str | None = None) -> int:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret or example.secret).sign("msg_1", now, body),
    }
    return httpx.post(f"{example.url}/api/webhook", content=body, headers=headers, timeout=30).status_code
