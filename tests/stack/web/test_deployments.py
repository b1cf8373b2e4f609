"""From an SDL to a running workload and its end, in the browser."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Locator, Page, Route, expect

from local.paths import ROOT
from tests.stack.conftest import PAYING, RunningStack
from tests.stack.launches import bearer
from tests.stack.test_akash_deploy import deploy, settled
from tests.stack.test_escrow import Wallet
from tests.stack.web.conftest import check_page, connect

UNTIL_ACTIVE_MILLISECONDS = 60_000
SDL = (ROOT / "docs" / "examples" / "web.yaml").read_text(encoding="utf-8")


def card(page: Page, identity: str) -> Locator:
    """Return the card of a deployment, by the first part of its id."""
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
    expect(page.get_by_role("heading", level=1)).to_have_text("web")
    expect(page.get_by_role("button", name="Copy the id of this deployment")).to_be_visible()
    expect(page.get_by_role("list", name="Timeline")).to_contain_text("closed")
    expect(page.get_by_text("Spent in all")).to_be_visible()
    check_page(page, "deployment")
    page.get_by_role("button", name="Deploy again").click()
    again = page.get_by_role("dialog", name="New deployment")
    expect(again.get_by_label("Image")).to_have_value(re.compile("^nginx:1.27"))


def test_a_workload_is_named_topped_up_and_updated(page: Page, stack: RunningStack, buyer: dict[str, str]) -> None:
    token = stack.sign_in(buyer)
    made = deploy(stack, token, text=SDL).json()["deployment_id"]
    assert settled(stack, token, made)["status"] == "active"
    connect(page, buyer, f"/deployments/{made}")
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Rename")
    dialog.get_by_label("Name").fill("My shop")
    dialog.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My shop")
    page.get_by_role("button", name="Top up", exact=True).click()
    dialog = page.get_by_role("dialog", name="Top up")
    dialog.get_by_label("US dollars").fill("2.5")
    check_page(page, "top-up")
    dialog.get_by_role("button", name="Top up").click()
    expect(dialog).to_be_hidden()
    timeline = page.get_by_role("list", name="Timeline")
    expect(timeline).to_contain_text("were added to the escrow account", timeout=UNTIL_ACTIVE_MILLISECONDS)
    itself = page.get_by_label("Top up by itself")
    itself.click()
    expect(itself).to_be_checked()
    expect(itself).to_be_enabled()
    assert stack.http.get(f"/api/deployments/{made}", headers=bearer(token)).json()["auto_top_up"] is True

    sdl = page.get_by_role("region", name="SDL")
    expect(sdl).to_contain_text("nginx:1.27")
    check_page(page, "workload")
    page.get_by_role("button", name="Update").click()
    dialog = page.get_by_role("dialog", name="Update")
    editor = dialog.get_by_role("textbox", name="SDL")
    expect(dialog.get_by_text("Nothing is changed yet")).to_be_visible()
    editor.fill(SDL.replace("nginx:1.27", "nginx:1.29"))
    expect(dialog.get_by_role("region", name="Change")).to_contain_text("nginx:1.29")
    check_page(page, "workload-update")
    dialog.get_by_role("button", name="Update").click()
    expect(dialog).to_be_hidden()
    expect(sdl).to_contain_text("nginx:1.29", timeout=UNTIL_ACTIVE_MILLISECONDS)


def test_a_deposit_is_part_of_the_deployment_and_what_is_left_is_refunded(page: Page, stack: RunningStack) -> None:
    """A wallet of a tier that pays for itself."""
    held = {"address": PAYING.address, "private_key": PAYING.key.to_0x_hex(), "role": "user"}
    paying = Wallet(stack, held)
    paying.rpc("anvil_setBalance", PAYING.address, hex(10**19))
    paying.mint(50)

    def tell(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        route.fulfill(response=answer, json={**told, "accounts": [*told["accounts"], held]})

    page.route("**/local-config.json", tell)
    connect(page, held)
    page.get_by_role("button", name="New deployment").click()
    dialog = page.get_by_role("dialog", name="New deployment")
    expect(dialog.get_by_role("region", name="Estimate")).to_contain_text("from your wallet")
    dialog.get_by_role("button", name="Deploy").click()
    expect(dialog).to_be_hidden(timeout=UNTIL_ACTIVE_MILLISECONDS)
    shown = page.get_by_role("article").first
    expect(shown).to_contain_text("active", timeout=2 * UNTIL_ACTIVE_MILLISECONDS)
    shown.get_by_role("link").first.click()
    expect(page.get_by_text("you, from the escrow")).to_be_visible()
    page.get_by_role("button", name="Close deployment").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Close deployment").click()
    expect(page.get_by_text("Waits to be refunded")).to_be_visible(timeout=2 * UNTIL_ACTIVE_MILLISECONDS)
    refund = page.get_by_role("button", name="Refund")
    expect(refund).to_be_enabled(timeout=2 * UNTIL_ACTIVE_MILLISECONDS)
    check_page(page, "workload-closed")
    refund.click()
    expect(page.get_by_text("Refunded to your wallet")).to_be_visible(timeout=30_000)


def test_a_form_and_the_editor_show_the_same_workload(page: Page, buyer: dict[str, str]) -> None:
    connect(page, buyer)
    page.get_by_role("button", name="New deployment").click()
    dialog = page.get_by_role("dialog", name="New deployment")
    editor = dialog.get_by_role("textbox", name="SDL")
    dialog.get_by_label("Image").fill("caddy:2.8")
    dialog.get_by_label("Memory").fill("1Gi")
    dialog.get_by_label("Variables").fill("MODE=shop")
    dialog.get_by_label("GPUs").fill("1")
    dialog.get_by_label("Model of the GPU").fill("h100")
    for text in ("caddy:2.8", "1Gi", "MODE=shop", "model: h100"):
        expect(editor).to_contain_text(text)
    expect(dialog.get_by_role("button", name="Deploy")).to_be_enabled()
    check_page(page, "new-deployment-form")
    editor.fill(SDL)
    expect(dialog.get_by_label("Image")).to_have_value(re.compile("^nginx:1.27"))
    expect(dialog.get_by_label("Model of the GPU")).to_have_count(0)


def workload(stack: RunningStack, account: dict[str, str], identity: str) -> dict[str, str]:
    """Return a workload as the API lists it."""
    headers = {"authorization": f"Bearer {stack.sign_in(account)}"}
    listed = stack.http.get("/api/deployments", headers=headers).json()["deployments"]
    found: dict[str, str] = next(entry for entry in listed if entry["deployment_id"].startswith(identity))
    return found


def write_lines(stack: RunningStack, dseq: str, lines: list[str]) -> None:
    """Have the simulated provider's container write."""
    url = f"{stack.described['console_api']}/_simulator/deployments/{dseq}/logs"
    httpx.post(url, json={"service": "web", "lines": lines}).raise_for_status()


def test_what_is_wrong_with_an_sdl_is_shown_at_its_line(page: Page, buyer: dict[str, str]) -> None:
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
    assert len(names) == 12
    for name in reversed(names):
        templates.select_option(name)
        expect(dialog.get_by_role("region", name="Estimate")).to_have_attribute("aria-busy", "true")
        expect(dialog.get_by_role("button", name="Deploy")).to_be_enabled()
