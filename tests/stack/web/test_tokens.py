"""Launching a token in the browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, account, new_model
from tests.stack.web.conftest import check_page, connect

HOLDER = "0x0000000000000000000000000000000000000011"
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
    dialog.get_by_label("First supply").fill("10")
    dialog.get_by_label("Allocations").fill(f"{HOLDER} 2.5\n{HOLDER} 1")
    expect(dialog.get_by_text("more than once")).to_be_visible()
    dialog.get_by_label("Allocations").fill(f"{HOLDER} 2.5")
    dialog.get_by_label("Maximum").fill("100.5")
    estimate = dialog.get_by_role("region", name="Gas estimate")
    expect(estimate).to_contain_text("ETH")
    expect(estimate).to_contain_text("the operator")
    check_page(page, "launch-token")
    dialog.get_by_role("button", name="Launch").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("tab", name="All").click()
    card = page.get_by_role("article").filter(has_text=model)
    expect(card).to_contain_text("completed", timeout=UNTIL_COMPLETED_MILLISECONDS)
    card.get_by_role("link", name="BUYER-1").click()
    expect(page.get_by_text("Registration")).to_be_visible()
    expect(page.get_by_role("list", name="Timeline")).to_contain_text("completed")
    expect(page.get_by_text("First supply", exact=True)).to_be_visible()
    check_page(page, "token-launch")
    page.get_by_role("link", name="The token's page, for anyone").click()
    _a_steward_mints_and_hands_over(page, stack, buyer)


def _a_steward_mints_and_hands_over(page: Page, stack: RunningStack, buyer: dict[str, str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fact = page.get_by_role("definition")
    expect(fact.filter(has_text="100.5")).to_be_visible()
    page.get_by_role("button", name="Copy ABI").click()
    expect(page.get_by_text("The ABI is on the clipboard")).to_be_visible()
    assert "totalSupply" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Add to wallet").click()
    expect(page.get_by_text("is in your wallet's list")).to_be_visible()
    check_page(page, "token")

    page.get_by_label("To", exact=True).fill(HOLDER)
    page.get_by_label("Amount").fill("91")
    page.get_by_role("button", name="Mint", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("more tokens than the token's maximum")
    page.get_by_label("Amount").fill("90.5")
    page.get_by_role("button", name="Mint", exact=True).click()
    expect(page.get_by_text("Minted", exact=True)).to_be_visible(timeout=30_000)
    # What was read just now may be some seconds old: it is read again after that, sooner than by its turn.
    with page.expect_request(re.compile(r"/api/tokens/0x[0-9a-fA-F]{40}$"), timeout=20_000):
        pass
    expect(page.get_by_text("There are as many tokens as there may ever be.")).to_be_visible()

    heir = account(stack, "user", 1)
    page.get_by_label("Hand over to").fill(heir["address"])
    page.get_by_role("button", name="Offer").click()
    expect(page.get_by_role("button", name="Take the offer back")).to_be_visible(timeout=30_000)
    address = page.url
    browser = page.context.browser
    assert browser
    page = browser.new_context(base_url=stack.described["dashboard"], bypass_csp=True).new_page()
    connect(page, heir)
    page.goto(address)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="Mint")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Renounce").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Renounce").click()
    expect(page.get_by_text("nobody: nothing more is minted")).to_be_visible(timeout=30_000)
    page.context.close()


def test_models_are_chosen_and_a_token_is_anybodys_to_see(
    page: Page, stack: RunningStack, admin: Token, buyer: dict[str, str]
) -> None:
    model = new_model(stack, admin, buyer["address"])
    connect(page, buyer)
    page.get_by_role("button", name="Launch token").click()
    dialog = page.get_by_role("dialog", name="Launch token")
    expect(dialog.get_by_role("region", name="Gas estimate")).to_contain_text("Name a model")
    dialog.get_by_role("button", name=model).click()
    expect(dialog.get_by_label("Model")).to_have_value(model)
    expect(dialog.get_by_role("paragraph").filter(has_text="validated, accuracy 0.93")).to_be_visible()
    page.goto(f"{page.url.rstrip('/')}/tokens/{HOLDER}")
    expect(page.get_by_role("alert")).to_contain_text("There is no such token")
