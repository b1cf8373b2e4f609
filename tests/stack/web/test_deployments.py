"""From an SDL to a running workload and its end, in the browser."""

from __future__ import annotations

import httpx
from playwright.sync_api import Locator, Page, expect

from local.paths import ROOT
from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import check_page, connect

UNTIL_ACTIVE_MILLISECONDS = 60_000
SDL = (ROOT / "docs" / "examples" / "web.yaml").read_text(encoding="utf-8")


def card(page: Page, identity: str) -> Locator:
    """The card of a deployment, by the first part of its id."""
    return page.get_by_role("article").filter(has_text=identity)


def test_a_workload_is_deployed_followed_read_and_closed(
    page: Page, stack: RunningStack, buyer: dict[str, str]
) -> None:
    connect(page, buyer)
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
    dseq = workload(stack, buyer, identity)["dseq"]
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


def test_what_is_wrong_with_an_sdl_is_told_at_its_line(page: Page, buyer: dict[str, str]) -> None:
    connect(page, buyer)
    page.get_by_role("button", name="New deployment").click()
    dialog = page.get_by_role("dialog", name="New deployment")
    editor = dialog.get_by_role("textbox", name="SDL")
    deploy = dialog.get_by_role("button", name="Deploy")
    expect(deploy).to_be_enabled()
    sdl = SDL.replace("port: 80\n", "port: 99999\n")
    editor.fill(sdl)
    line = 1 + sdl[: sdl.index("port: 99999")].count("\n")
    expect(dialog.get_by_text(f"Line {line}: services.web.expose[0].port")).to_be_visible()
    expect(dialog.locator(".cm-lint-marker-error")).to_have_count(1)
    expect(deploy).to_be_disabled()
    check_page(page, "new-deployment-refused")
    editor.fill("services: [")
    expect(dialog.get_by_text("Line 1: ")).to_be_visible()
    editor.fill(SDL)
    expect(deploy).to_be_enabled()
    dialog.get_by_text("Preferences and deposit").click()
    dialog.get_by_label("Highest price").fill("cheap")
    expect(dialog.get_by_text("must be a decimal")).to_be_visible()
    expect(deploy).to_be_disabled()


def test_every_template_can_be_deployed(page: Page, buyer: dict[str, str]) -> None:
    connect(page, buyer)
    page.get_by_role("button", name="New deployment").click()
    dialog = page.get_by_role("dialog", name="New deployment")
    templates = dialog.get_by_label("Start from a template")
    expect(templates).to_be_visible()
    names = templates.locator("option").all_inner_texts()
    assert len(names) >= 3
    for name in reversed(names):
        templates.select_option(name)
        expect(dialog.get_by_role("region", name="Estimate")).to_have_attribute("aria-busy", "true")
        expect(dialog.get_by_role("button", name="Deploy")).to_be_enabled()
