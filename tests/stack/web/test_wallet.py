"""Connecting, signing in, the network, and who sees what."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import account
from tests.stack.web.conftest import check_page, connect


def test_the_development_wallet_connects_and_signs_in(page: Page, stack: RunningStack) -> None:
    page.goto("/")
    expect(page.get_by_text("Connect your wallet to see what is yours")).to_be_visible()
    check_page(page, "not-connected")
    address = account(stack, "user")["address"]
    assert connect(page) == f"{address[:6]}…{address[-4:]}"
    page.reload()
    expect(page.get_by_role("button", name="Wallet 0x")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_have_count(0)
