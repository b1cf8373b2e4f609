"""Sessions across their expiry: renewed in silence; one that is refused asks to sign in, and nothing typed is lost."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import check_page, connect

PROMPT = "Create an ERC-20 token called Harbour that can be burned"
# As another tab would tell it: the access token ends now.
EXPIRE = """() => {
  const session = JSON.parse(localStorage.getItem("slipway.session"));
  localStorage.setItem("slipway.session", JSON.stringify({...session, expiresAt: Date.now()}));
  window.dispatchEvent(new StorageEvent("storage", {key: "slipway.session"}));
}"""


def _session(page: Page) -> Any:
    return json.loads(page.evaluate("localStorage.getItem('slipway.session')") or "null")


def _typed(page: Page, newcomer: dict[str, str]) -> None:
    connect(page, newcomer, "/builds/new")
    page.get_by_role("textbox", name="Prompt").fill(PROMPT)
    page.get_by_label("Symbol").fill("HRB")


def test_a_session_is_renewed_in_silence_and_a_form_keeps_what_was_typed(page: Page, newcomer: dict[str, str]) -> None:
    _typed(page, newcomer)
    before = _session(page)
    with page.expect_response("**/api/auth/refresh") as renewed:
        page.evaluate(EXPIRE)
    assert renewed.value.status == 200
    page.wait_for_function("old => !localStorage.getItem('slipway.session').includes(old)", arg=before["refreshToken"])
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(PROMPT)
    # The old tokens were used up, and the new ones are good.
    page.get_by_role("link", name="Workers").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert _session(page)["token"] != before["token"]


def test_a_session_that_was_ended_elsewhere_asks_before_the_wallet_and_loses_nothing(
    page: Page, stack: RunningStack, newcomer: dict[str, str]
) -> None:
    _typed(page, newcomer)
    given = {"refresh_token": _session(page)["refreshToken"], "everywhere": True}
    assert stack.http.post("/api/auth/logout", json=given).status_code < 300
    page.evaluate(EXPIRE)
    dialog = page.get_by_role("alertdialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    check_page(page, "session-ended")
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    assert _session(page) is None
    dialog.get_by_role("button", name="Sign in with Ethereum").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(PROMPT)
    expect(page.get_by_label("Symbol")).to_have_value("HRB")
    assert _session(page)["wallet"] == newcomer["address"]


def test_who_signs_out_instead_leaves_nothing_behind(page: Page, stack: RunningStack, newcomer: dict[str, str]) -> None:
    _typed(page, newcomer)
    stack.http.post("/api/auth/logout", json={"refresh_token": _session(page)["refreshToken"]})
    page.evaluate(EXPIRE)
    page.get_by_role("alertdialog").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Connect your wallet to see what is yours")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_count(0)
