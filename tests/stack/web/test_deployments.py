"""From an SDL to a running workload and its end, in the browser."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import check_page, connect

UNTIL_ACTIVE_MILLISECONDS = 60_000


def card(page: Page, identity: str) -> Locator:
    """The card of a deployment, by the first part of its id."""
    return page.get_by_role("article").filter(has_text=identity)


def test_a_workload_is_deployed_followed_read_and_closed(
    page: Page, stack: RunningStack, second_user: dict[str, str]
) -> None:
    connect(page, second_user)
    page.get_by_role("button", name="New deployment").click()
    dialog = page.get_by_role("dialog", name="New deployment")
    expect(dialog.get_by_role("region", name="Estimate")).to_contain_text("an hour")
    check_page(page, "new-deployment")
    dialog.get_by_role("button", name="Deploy").click()
    expect(dialog).to_be_hidden()
    shown = page.get_by_role("article").first
    expect(shown).to_contain_text("pending")
    expect(shown).to_contain_text("active", timeout=UNTIL_ACTIVE_MILLISECONDS)
    expect(shown.get_by_role("link", name="ingress")).to_be_visible()
    identity = shown.locator("code").first.inner_text()
    check_page(page, "dashboard")

    shown.get_by_role("button", name="Timeline of").click()
    expect(shown.get_by_role("list", name="Timeline")).to_contain_text("Every service is available")
    shown.get_by_role("button", name="View logs of").click()
    logs = page.get_by_role("dialog", name="Logs of web")
    expect(logs.get_by_role("status")).to_have_text("live")
    dseq = workload(stack, second_user, identity)["dseq"]
    write_lines(stack, dseq, ["a line that was not there before"])
    expect(logs.get_by_role("log")).to_contain_text("a line that was not there before")
    check_page(page, "logs")
    page.keyboard.press("Escape")
    expect(logs).to_be_hidden()

    card(page, identity).get_by_role("button", name="Close deployment").click()
    confirmation = page.get_by_role("alertdialog")
    expect(confirmation).to_contain_text("Its services stop")
    confirmation.get_by_role("button", name="Close deployment").click()
    expect(card(page, identity)).to_contain_text("closing")
    expect(card(page, identity)).to_have_count(0, timeout=UNTIL_ACTIVE_MILLISECONDS)
    page.get_by_role("tab", name="Closed").click()
    expect(card(page, identity)).to_contain_text("closed")
    card(page, identity).get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Deployment {identity}")
    expect(page.get_by_role("list", name="Timeline")).to_contain_text("closed")
    check_page(page, "deployment")


@pytest.fixture
def second_user(stack: RunningStack) -> dict[str, str]:
    """A user without deployments of earlier tests of the API."""
    return [account for account in stack.accounts if account["role"] == "user"][4]


def workload(stack: RunningStack, account: dict[str, str], identity: str) -> dict[str, str]:
    """A workload as the API lists it."""
    headers = {"authorization": f"Bearer {stack.sign_in(account)}"}
    listed = stack.http.get("/api/deployments", headers=headers).json()["deployments"]
    found: dict[str, str] = next(entry for entry in listed if entry["deployment_id"].startswith(identity))
    return found


def write_lines(stack: RunningStack, dseq: str, lines: list[str]) -> None:
    """Have the simulated provider's container write."""
    url = f"{stack.described['console_api']}/_simulator/deployments/{dseq}/logs"
    httpx.post(url, json={"service": "web", "lines": lines}).raise_for_status()
