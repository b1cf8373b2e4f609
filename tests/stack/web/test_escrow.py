"""Deposits and refunds, signed by the wallet in the browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.test_akash_deploy import deploy
from tests.stack.web.conftest import check_page, connect
from tests.stack.web.mocked import MockedList, workload


def test_a_deposit_is_made_and_refunded(page: Page, stack: RunningStack, buyer: dict[str, str]) -> None:
    # A workload of the buyer's, as it would be if it ran.
    made = deploy(stack, stack.sign_in(buyer), {"bids": {"none": True}}).json()["deployment_id"]
    MockedList([workload(deployment_id=made)]).serve(page)
    connect(page, buyer)
    escrow = page.get_by_role("complementary")
    expect(escrow).to_contain_text("In your wallet")
    expect(escrow.get_by_role("button", name="Refund")).to_be_disabled()
    escrow.get_by_role("button", name="Deposit").click()
    dialog = page.get_by_role("dialog", name="Deposit")
    dialog.get_by_label("Amount").fill("100000000")
    dialog.get_by_role("button", name="Deposit").click()
    expect(dialog.get_by_role("alert")).to_contain_text("lacks")
    check_page(page, "deposit")
    dialog.get_by_label("Amount").fill("12.5")
    dialog.get_by_role("button", name="Deposit").click()
    expect(dialog).to_be_hidden(timeout=30_000)
    expect(escrow.locator("dl")).to_contain_text("12.50 USDC")
    escrow.get_by_role("button", name="Refund").click()
    expect(page.get_by_text("Refunded to your wallet")).to_be_visible(timeout=30_000)
    expect(escrow.get_by_role("button", name="Refund")).to_be_disabled()
