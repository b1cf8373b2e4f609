"""Webhooks, API keys and sessions, projects and payments, and the public list of providers, in the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import check_page, connect
from tests.support.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Yield a server of somebody's that takes webhooks."""
    with receiving() as found:
        yield found


def test_a_webhook_is_made_tested_and_read(page: Page, receiver: Receiver, newcomer: dict[str, str]) -> None:
    connect(page, newcomer, "/settings")
    expect(page.get_by_text("You have no webhooks")).to_be_visible()
    page.get_by_label("Address").fill("ftp://example.com")
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.get_by_label("Address")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_label("builds").check()
    page.get_by_role("button", name="Make the webhook").click()
    secret = page.locator("[data-secret]")
    expect(secret).to_have_text(re.compile("^whsec_"))
    made = page.get_by_role("list", name="Webhooks").get_by_role("listitem", name=receiver.url)
    expect(made).to_contain_text("build.*")
    made.get_by_role("button", name="Send a test").click()
    deliveries = made.get_by_role("list", name="Deliveries")
    expect(deliveries.get_by_text("delivered", exact=True)).to_be_visible(timeout=60_000)
    expect(deliveries).to_contain_text("webhook.test")
    check_page(page, "webhooks")
    before = secret.first.inner_text()
    made.get_by_role("button", name="New secret").click()
    page.get_by_role("alertdialog").get_by_role("button", name="New secret").click()
    expect(secret).to_have_count(2)
    assert secret.nth(1).inner_text() != before
    made.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete webhook").click()
    expect(page.get_by_text("You have no webhooks")).to_be_visible()


def test_a_key_does_what_was_chosen_until_it_is_deleted_and_sessions_end(
    page: Page, stack: RunningStack, newcomer: dict[str, str]
) -> None:
    connect(page, newcomer, "/settings")
    page.get_by_role("tab", name="API keys and sessions").click()
    expect(page.get_by_text("You have no API keys")).to_be_visible()
    page.get_by_label("Name").fill("CI")
    expect(page.get_by_role("button", name="Make the key")).to_be_disabled()
    page.get_by_label("What it may do with builds").select_option("read")
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("[data-secret]")
    expect(secret).to_have_text(re.compile("^slk_"))
    bearer = {"authorization": f"Bearer {secret.inner_text()}"}
    assert stack.http.get("/api/v1/builds", headers=bearer).status_code == 200
    assert stack.http.get("/api/deployments", headers=bearer).status_code == 403
    check_page(page, "keys")
    page.get_by_role("button", name="Delete CI").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete key").click()
    expect(page.get_by_text("You have no API keys")).to_be_visible()
    assert stack.http.get("/api/v1/builds", headers=bearer).status_code == 401
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("button", name="Sign in with Ethereum")).to_be_visible()


def test_anyone_looks_for_providers(page: Page) -> None:
    page.goto("/providers")
    table = page.get_by_role("region", name="Providers").get_by_role("row")
    expect(table.nth(1)).to_be_visible()
    everybody = table.count()
    check_page(page, "providers")
    page.get_by_label("GPU").fill("a100")
    expect(table).not_to_have_count(everybody)
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"^\d+ provider"))
    expect(table.nth(1)).to_contain_text(re.compile("a100", re.IGNORECASE))
    assert 1 < table.count() < everybody
    page.get_by_label("At most").fill("cheap")
    expect(page.get_by_label("At most")).to_have_attribute("aria-invalid", "true")


def test_projects_and_payments_are_recorded(page: Page, newcomer: dict[str, str]) -> None:
    connect(page, newcomer, "/projects")
    expect(page.get_by_text("There are no projects")).to_be_visible()
    name = f"shop-{newcomer['address'][-8:].lower()}"
    page.get_by_label("Name").fill(name)
    page.get_by_label("GitHub repository").fill("https://github.com/example/shop")
    page.get_by_role("button", name="Record a project").click()
    row = page.get_by_role("region", name="Projects", exact=True).get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("pending")
    check_page(page, "projects")
    page.get_by_role("tab", name="Payments").click()
    page.get_by_label("For", exact=True).fill(name)
    page.get_by_label("Amount").fill("12500000")
    page.get_by_role("button", name="Record a payment").click()
    paid = page.get_by_role("region", name="Payments", exact=True).get_by_role("row").filter(has_text=name)
    expect(paid).to_contain_text("12500000")
