"""Stacks in the browser: a node and an API with lives of their own, for operators only."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import account
from tests.stack.web.conftest import check_page, connect

# A node whose forwarded port really answers.
SIMULATED = {
    "bids": {"delay": 0.2, "spread": 0.2}, "start": {"silent_for": 0, "ready_after": 0.5}, "ports": {"serve": "banano"},
}  # fmt: skip
JOB_MILLISECONDS = 150_000


@pytest.fixture
def environment() -> str:
    """Return an environment of whom no other test has heard."""
    return f"e{uuid.uuid4().hex[:8]}"


def _status(region: Locator, status: str) -> Locator:
    """Return the badge of a stack, whose timeline names statuses, too."""
    return region.locator(f'[data-status="{status}"]')


def test_node_and_api_live_apart(page: Page, stack: RunningStack, environment: str) -> None:
    connect(page, account(stack, "operator"), "/")
    page.get_by_role("link", name="Stacks").click()
    expect(page.get_by_text("Which environment?")).to_be_visible()
    page.get_by_label("Environment").fill("Not a name")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Up to 32 lower-case letters")).to_be_visible()
    check_page(page, "stacks-none")
    page.get_by_label("Environment").fill(environment)
    page.get_by_role("button", name="Show").click()
    node, api = (page.get_by_role("region", name=name, exact=True) for name in ("Node", "API"))
    expect(node.get_by_text(f"{environment} has no Node")).to_be_visible()
    expect(api.get_by_text(f"{environment} has no API")).to_be_visible()

    node.get_by_role("button", name="Deploy the Node").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Memory").fill("lots")
    dialog.get_by_role("button", name="Deploy it").click()
    expect(dialog.get_by_label("Memory")).to_have_attribute("aria-invalid", "true")
    check_page(page, "stack-deploy")
    dialog.get_by_label("Memory").fill("")
    marker = {"id": environment, **SIMULATED}
    dialog.get_by_label("Variables").fill(f"SIMULATOR={json.dumps(marker)}")
    dialog.get_by_role("button", name="Deploy it").click()
    expect(_status(node, "deploying")).to_be_visible()
    check_page(page, "stacks-deploying")
    expect(_status(node, "active")).to_be_visible(timeout=JOB_MILLISECONDS)
    endpoint = node.locator("code").first.inner_text()
    assert re.fullmatch(r"[a-z0-9.-]+:\d+", endpoint), endpoint
    with page.expect_download() as saved:
        node.get_by_role("button", name="endpoint.json").click()
    assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8")) == {"banano_rpc_endpoint": endpoint}

    api.get_by_role("button", name="Deploy the API").click()
    dialog.get_by_label("Variables").fill(f"SIMULATOR={json.dumps({**marker, 'ports': {}})}")
    dialog.get_by_label("Follow the node").check()
    dialog.get_by_role("button", name="Deploy it").click()
    expect(_status(api, "active")).to_be_visible(timeout=JOB_MILLISECONDS)
    expect(api.locator("code").first).to_have_text(endpoint)
    api.get_by_text(re.compile(r"^\d+ events$")).click()
    assert api.get_by_role("list", name="Timeline").get_by_role("listitem").count() > 2
    check_page(page, "stacks")
    page.goto("/stacks")
    rows = page.get_by_role("region", name="All stacks").get_by_role("row").filter(has_text=environment)
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text=endpoint).first).to_contain_text("active")
    check_page(page, "stacks-all")
    rows.first.get_by_role("link", name=environment).click()

    # The same again changes nothing.
    node.get_by_role("button", name="Change").click()
    dialog.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("It is so already: nothing was changed")).to_be_visible()

    api.get_by_role("button", name="Restart").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Restart the API").click()
    expect(_status(api, "deploying")).to_be_visible()
    expect(_status(api, "active")).to_be_visible(timeout=JOB_MILLISECONDS)

    api.get_by_role("button", name="Delete").click()
    question = page.get_by_role("alertdialog")
    question.get_by_role("button", name="Keep it").click()
    api.get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete the API").click()
    expect(api.get_by_text(f"{environment} has no API")).to_be_visible(timeout=JOB_MILLISECONDS)
    expect(_status(node, "active")).to_be_visible()
    expect(node.locator("code").first).to_have_text(endpoint)
    node.get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete the Node").click()
    expect(node.get_by_text(f"{environment} has no Node")).to_be_visible(timeout=JOB_MILLISECONDS)


def test_stacks_are_for_operators(page: Page, stack: RunningStack) -> None:
    connect(page, account(stack, "user", 4), "/stacks/production")
    expect(page.get_by_text("This page is for the role operator")).to_be_visible()
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Stacks")).to_have_count(0)
    check_page(page, "forbidden")
