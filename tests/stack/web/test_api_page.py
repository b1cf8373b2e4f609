"""`/docs`, the API's own page: accessible, closed and open, and narrow enough for a telephone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import SCREENSHOTS, WALLET_PEER, serious_issues

# Every so many operations are opened: all of them take axe a minute.
STRIDE = 6


def test_every_kind_of_operation_is_accessible(page: Page, stack: RunningStack) -> None:
    page.goto(f"{stack.api}/docs")
    tags = page.locator(".opblock-tag button")
    expect(tags.first).to_be_visible()
    assert serious_issues(page) == []
    for index in range(tags.count()):
        tags.nth(index).click()
    operations = page.locator("button.opblock-summary-control")
    expect(operations.first).to_be_visible()
    for index in range(0, operations.count(), STRIDE):
        operations.nth(index).click()
    expect(page.locator(".responses-table").first).to_be_visible()
    assert serious_issues(page) == []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size(WALLET_PEER)
    assert page.evaluate("document.documentElement.scrollWidth") <= WALLET_PEER["width"]
    page.screenshot(path=SCREENSHOTS / "api-telephone.png")


def test_an_address_opens_its_operation(page: Page, stack: RunningStack) -> None:
    page.goto(f"{stack.api}/docs#/deployments/deployments_create")
    expect(page.locator("#operations-deployments-deployments_create .responses-table")).to_be_visible()
