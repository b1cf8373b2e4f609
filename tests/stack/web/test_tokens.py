"""Launching a token in the browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, new_model
from tests.stack.web.conftest import check_page, connect

UNTIL_COMPLETED_MILLISECONDS = 60_000


def test_a_token_is_launched(page: Page, stack: RunningStack, admin: Token, buyer: dict[str, str]) -> None:
    model = new_model(stack, admin, buyer["address"])
    connect(page, buyer)
    page.get_by_role("button", name="Launch token").click()
    dialog = page.get_by_role("dialog", name="Launch token")
    dialog.get_by_label("Model").fill("no-such-model")
    expect(dialog.get_by_role("alert")).to_contain_text("MODEL_NOT_FOUND")
    expect(dialog.get_by_role("button", name="Launch")).to_be_disabled()
    dialog.get_by_label("Model").fill(model)
    dialog.get_by_label("Token symbol").fill("BUYER-1")
    estimate = dialog.get_by_role("region", name="Gas estimate")
    expect(estimate).to_contain_text("ETH")
    check_page(page, "launch-token")
    dialog.get_by_role("button", name="Launch").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("tab", name="All").click()
    card = page.get_by_role("article").filter(has_text=model)
    expect(card).to_contain_text("completed", timeout=UNTIL_COMPLETED_MILLISECONDS)
    card.get_by_role("link", name="BUYER-1").click()
    expect(page.get_by_text("Registration")).to_be_visible()
    expect(page.get_by_role("list", name="Timeline")).to_contain_text("completed")
    check_page(page, "token")
