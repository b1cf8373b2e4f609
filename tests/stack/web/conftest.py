"""A headless Chromium on the dashboard that the stack serves.

Screenshots of every page go to `.local/screenshots/`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect, sync_playwright

from local.chromium import find_chromium
from local.paths import ROOT, SHARED
from tests.stack.conftest import RunningStack
from tests.stack.launches import account as account_of

SCREENSHOTS = SHARED / "screenshots"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
# The engine starts a process for each function that was not asked yet.
PATIENCE_MILLISECONDS = 20_000
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
WALLET_PEER: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, stack: RunningStack) -> Iterator[BrowserContext]:
    """Yield a browser that remembers nothing."""
    # The content security policy would keep axe out, and colours that are just changing would be judged.
    made = browser.new_context(
        base_url=stack.described["dashboard"], viewport=DESKTOP, bypass_csp=True, reduced_motion="reduce"
    )
    made.set_default_timeout(PATIENCE_MILLISECONDS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Yield an empty tab; what it throws fails the test."""
    tab = context.new_page()
    thrown: list[str] = []
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    yield tab
    assert thrown == []


@pytest.fixture
def buyer(stack: RunningStack) -> dict[str, str]:
    """Return a user that the tests of the API leave alone."""
    return account_of(stack, "user", 4)


@pytest.fixture
def newcomer(context: BrowserContext) -> dict[str, str]:
    """Return a user of whom neither the stack nor any other test has heard; the development wallet has the key."""
    made = Account.create()
    held = {"address": made.address, "private_key": made.key.to_0x_hex(), "role": "user"}

    def tell(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        route.fulfill(response=answer, json={**told, "accounts": [*told["accounts"], held]})

    context.route("**/local-config.json", tell)
    return held


def connect(page: Page, account: dict[str, str] | None = None, path: str = "/") -> str:
    """Open the dashboard, connect the development wallet and sign in.

    Args:
        page: The tab.
        account: Which of the wallet's accounts; by default the first user. Give it before the tab is anywhere.
        path: Where to open it, in a tab that is nowhere yet.

    Returns:
        The shortened address that is shown.
    """
    if account:
        page.add_init_script(f"localStorage.setItem('slipway.development-account', {json.dumps(account['address'])})")
    if page.url == "about:blank":
        page.goto(path)
    page.get_by_role("button", name="Connect wallet").click()
    page.get_by_role("dialog").get_by_role("button", name="Development wallet").click()
    shown = page.get_by_role("button", name="Wallet 0x")
    expect(shown).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Sign"))).to_have_count(0)
    return shown.inner_text().strip()


def check_page(page: Page, name: str) -> None:
    """Check what holds for each page: one h1, nothing that axe calls serious, nothing to scroll sideways at 360 pixels.

    Writes screenshots: light, dark, and of a telephone.
    """
    assert page.locator("h1").count() == 1  # By tag: an open dialog hides the page from roles.
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
        settle(page)
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png", full_page=True)
        # Only the colours are others in the dark.
        assert serious_issues(page, *(["color-contrast"] if theme == "dark" else [])) == [], theme
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.set_viewport_size(WALLET_PEER)
    settle(page)
    page.screenshot(path=SCREENSHOTS / f"{name}-telephone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= WALLET_PEER["width"]
    page.set_viewport_size(DESKTOP)


def settle(page: Page) -> None:
    """Wait until nothing is loading any more, and what was changed is drawn."""
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def serious_issues(page: Page, *rules: str) -> list[str]:
    """Rules (by default all) of WCAG 2.2 AA and good practice that axe finds broken, with what breaks them."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})})", rules
    )
    return [
        f"{violation['id']}: {[node['html'][:200] for node in violation['nodes'][:5]]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
