"""A buyer who chooses the provider, in the browser."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect

from slipway.times import from_text, to_text
from tests.stack.conftest import RunningStack
from tests.stack.launches import bearer
from tests.stack.test_akash_deploy import quick, settled
from tests.stack.web.conftest import check_page, connect
from tests.support.workloads import sdl_with

UNTIL_ACTIVE_MILLISECONDS = 60_000
# Bids that stay, as long as the pages are looked at.
LASTING: dict[str, Any] = {"bids": {"timeout": 6000}, "cleaned_after": None}


def give_time(stack: RunningStack, deployment_id: str, seconds: float) -> None:
    """Let a workload's time for its bids, and for the choice, end later: there are seconds of it here."""
    tables, name = stack.client("dynamodb"), stack.outputs["JobsTableName"]
    key = {"pk": {"S": f"DEPLOYMENT#{deployment_id}"}, "sk": {"S": "DETAIL"}}
    for attribute in ("opened_at", "choose_until"):
        text = tables.get_item(TableName=name, Key=key, ConsistentRead=True)["Item"][attribute]["S"]
        tables.update_item(
            TableName=name, Key=key, UpdateExpression=f"SET {attribute} = :later",
            ExpressionAttributeValues={":later": {"S": to_text(from_text(text) + timedelta(seconds=seconds))}},
        )  # fmt: skip


def test_a_provider_is_chosen_from_a_table_of_bids_by_keyboard(
    page: Page, stack: RunningStack, buyer: dict[str, str]
) -> None:
    connect(page, buyer)
    page.get_by_role("button", name="New deployment").click()
    dialog = page.get_by_role("dialog", name="New deployment")
    dialog.get_by_role("textbox", name="SDL").fill(sdl_with({"id": uuid.uuid4().hex, **quick(LASTING)}))
    dialog.get_by_label("Choose the provider myself").check()
    expect(dialog.get_by_label("If I have not")).to_have_value("best")
    expect(dialog.get_by_role("region", name="Estimate")).to_contain_text("an hour", timeout=UNTIL_ACTIVE_MILLISECONDS)
    check_page(page, "new-deployment-choice")
    dialog.get_by_role("button", name="Deploy").click()

    page.wait_for_url(re.compile("/deployments/[0-9a-f-]{36}$"))
    deployment_id = page.url.rsplit("/", 1)[1]
    table = page.get_by_role("region", name="Bids")
    choices = table.get_by_role("button", name="Choose")
    expect(choices.nth(1)).to_be_enabled(timeout=UNTIL_ACTIVE_MILLISECONDS)
    give_time(stack, deployment_id, 120)
    left = page.get_by_role("timer")
    expect(left).to_contain_text("min", timeout=UNTIL_ACTIVE_MILLISECONDS)
    expect(page.get_by_text("after that the first of these is taken")).to_be_visible()
    expect(table.get_by_role("columnheader", name="A month")).to_be_visible()
    check_page(page, "bid-choice")

    token = stack.sign_in(buyer)
    bids = stack.http.get(f"/api/deployments/{deployment_id}/bids", headers=bearer(token)).json()["bids"]
    wanted = [bid for bid in bids if bid["acceptable"]][1]
    row = table.get_by_role("row").filter(has_text=wanted["name"])
    expect(row).to_contain_text("audited")
    row.get_by_role("button", name=f"Choose {wanted['name']}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The provider is chosen")).to_be_visible()
    expect(table).to_be_hidden()
    found = settled(stack, token, deployment_id)
    assert (found["status"], found["provider"], found["choice"]["by"]) == ("active", wanted["provider"], "owner")
    expect(page.get_by_role("list", name="Timeline")).to_contain_text(
        "Took the bid that the owner chose", timeout=UNTIL_ACTIVE_MILLISECONDS
    )
