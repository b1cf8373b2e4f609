"""The guide at `/docs/guide/` of the dashboard: accessible, searchable, and without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import SCREENSHOTS, WALLET_PEER, serious_issues


@pytest.mark.parametrize("path", ["", "tutorials/buyer/", "compare/"])
def test_a_page_is_accessible_and_loads_nothing_from_elsewhere(page: Page, stack: RunningStack, path: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/docs/guide/{path}")
    expect(page.locator("h1")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        assert serious_issues(page) == [], scheme
    page.set_viewport_size(WALLET_PEER)
    assert page.evaluate("document.documentElement.scrollWidth") <= WALLET_PEER["width"]
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"guide-{path.replace('/', '-').strip('-') or 'first'}.png")
    assert [url for url in asked if not url.startswith((str(stack.described["dashboard"]), "data:"))] == []


@pytest.fixture
def strict_page(browser: Browser, stack: RunningStack) -> Iterator[Page]:
    """Yield a tab that heeds the content security policy; what that blocks fails the test."""
    context = browser.new_context(base_url=stack.described["dashboard"])
    tab, blocked = context.new_page(), list[str]()
    tab.on("console", lambda message: blocked.append(message.text) if message.type == "error" else None)
    yield tab
    context.close()
    assert blocked == []


def test_a_word_is_found_and_leads_to_its_page(strict_page: Page) -> None:
    strict_page.goto("/docs/guide/")
    strict_page.get_by_role("textbox", name="Search").fill("enrolment")
    found = strict_page.get_by_role("heading", name="Workers", exact=True)
    strict_page.locator(".md-search-result__link").filter(has=found).first.click()
    expect(strict_page.get_by_role("heading", level=1, name="Workers")).to_be_visible()
