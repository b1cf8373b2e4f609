"""The README's tour: whatever it names is on its page, under that very name."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from local.main_job import NEXT_MODEL
from local.paths import ROOT
from tests.stack.conftest import RunningStack
from tests.stack.web.conftest import connect
from tests.stack.web.mocked import MockedList, workload


def test_what_the_tour_names_is_there(page: Page, stack: RunningStack) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (tour,) = re.findall(r"^## A minute's tour\n(.+?)^## ", readme, re.MULTILINE | re.DOTALL)
    named = re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", tour)
    MockedList([workload()]).serve(page)
    connect(page)  # Connect wallet, Development wallet
    seen = ["Connect wallet", "Development wallet"]

    page.get_by_role("button", name="New deployment", exact=True).click()
    dialog = page.get_by_role("dialog", name="New deployment")
    expect(dialog.get_by_label("Start from a template")).to_be_visible()
    expect(dialog.get_by_role("region", name="Estimate")).to_contain_text("an hour")
    expect(dialog.get_by_role("button", name="Deploy", exact=True)).to_be_enabled()
    page.keyboard.press("Escape")
    seen += ["New deployment", "Start from a template", "Estimate", "Deploy"]

    expect(page.get_by_role("tab", name=re.compile("^Active"))).to_be_visible()
    card = page.get_by_role("article")
    for button in ("View logs", "Close", "Timeline"):
        expect(card.get_by_role("button").filter(has_text=re.compile(rf"^\s*{button}$"))).to_be_enabled()
    seen += ["Active", "View logs", "Close", "Timeline"]

    assert f"`{NEXT_MODEL}`" in tour
    page.get_by_role("button", name="Launch token", exact=True).click()
    dialog = page.get_by_role("dialog", name="Launch token")
    expect(dialog.get_by_label("Model")).to_be_visible()
    dialog.get_by_label("Model").fill(NEXT_MODEL)
    expect(dialog.get_by_role("region", name="Gas estimate")).to_be_visible()
    expect(dialog.get_by_role("button", name="Launch", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    seen += ["Launch token", "Gas estimate", "Launch"]

    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Builds", exact=True).click()
    page.get_by_role("link", name="New build", exact=True).click()
    expect(page.get_by_role("group", name="Chains").get_by_role("checkbox")).to_have_count(len(stack.chains))
    expect(page.get_by_role("button", name="Start the build", exact=True)).to_be_enabled()
    seen += ["Builds", "New build", "Chains", "Start the build"]
    assert sorted(seen) == sorted(named)
