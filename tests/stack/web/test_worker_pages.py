"""Workers in the browser: enrol, set up by one line, see the fleet and its days, revoke."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from eth_account import Account
from playwright.sync_api import BrowserContext, Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, account, bearer
from tests.stack.web.conftest import check_page, connect

HOUR = timedelta(hours=1)


@pytest.fixture
def visitor(stack: RunningStack) -> dict[str, str]:
    """Somebody who looks at the workers of others."""
    return account(stack, "user", 6)


def _enrolled(stack: RunningStack) -> str:
    """Return the wallet of a new worker that has not beaten yet."""
    made = Account.create()
    owner: dict[str, str] = {"address": made.address, "private_key": made.key.to_0x_hex(), "role": "user"}
    answer = stack.http.post("/workers", headers=bearer(stack.sign_in(owner)))
    assert answer.status_code == 201, answer.text
    return owner["address"]


def _beat(stack: RunningStack, token: Token, wallet: str) -> httpx.Response:
    body = {
        "walletAddress": wallet,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "containers": [{"containerName": "inference-<b>1</b>", "port": "0.0.0.0:8080->80/tcp"}],
    }
    answer: httpx.Response = stack.http.post("/heartbeat", json=body, headers=bearer(token))
    return answer


def _was_up(stack: RunningStack, wallet: str, start: datetime, end: datetime, *, observed: bool = True) -> None:
    """Put a session that is over into the table, as the flush does: nobody can wait for days."""
    first, last = (int(moment.timestamp() * 1000) for moment in (start, end))
    for kind in ("UPTIME", "OBSERVED")[: 1 + observed]:
        item: dict[str, Any] = {
            "pk": {"S": f"WORKER#{wallet}"},
            "sk": {"S": f"{kind}#{first:015d}"},
            "time_from": {"N": str(first)},
            "time_to": {"N": str(last)},
        }
        stack.client("dynamodb").put_item(TableName=stack.outputs["WorkersTableName"], Item=item)


def _was_enrolled(stack: RunningStack, wallet: str, moment: datetime) -> None:
    """Let the worker's enrolment lie in the past: days before it have no percentage."""
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["WorkersTableName"],
        Key={"pk": {"S": f"WORKER#{wallet}"}, "sk": {"S": "WORKER"}},
        UpdateExpression="SET enrolled_at = :moment",
        ExpressionAttributeValues={":moment": {"S": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}},
    )


def test_a_worker_is_enrolled_seen_and_revoked(
    page: Page, context: BrowserContext, stack: RunningStack, newcomer: dict[str, str]
) -> None:
    wallet = newcomer["address"]
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    connect(page, newcomer, "/workers")
    own = page.get_by_role("region", name="Your worker")
    expect(own.get_by_text("You have no worker yet")).to_be_visible()
    check_page(page, "workers-none")

    own.get_by_role("button", name="Enrol a worker").click()
    dialog = page.get_by_role("dialog", name="Set the machine up")
    command = dialog.get_by_label("Setup command").inner_text()
    dialog.get_by_role("button", name="Copy the setup command").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == command
    check_page(page, "worker-setup-command")
    dialog.get_by_role("button", name="Close dialog").click()
    expect(own.get_by_text("new", exact=True)).to_be_visible()

    # What the command does on the machine.
    code = re.search(r"SLIPWAY_ENROLMENT_CODE='([^']+)' bash$", command)
    assert code, command
    answer = stack.http.post(f"/workers/{wallet}/tokens", json={"enrolment_code": code[1]})
    assert answer.status_code == 201, answer.text
    token = str(answer.json()["token"])
    assert _beat(stack, token, wallet).status_code == 200
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    _was_enrolled(stack, wallet, today - 96 * HOUR)
    _was_up(stack, wallet, today - 72 * HOUR, today - 48 * HOUR)
    _was_up(stack, wallet, today - 48 * HOUR + HOUR, today - 36 * HOUR)
    page.reload()
    expect(own.get_by_text("healthy", exact=True)).to_be_visible()
    bars = own.get_by_role("img", name=re.compile(r"^Up .+ of the last 30 days$"))
    expect(bars.locator("title")).to_have_count(30)
    titles = bars.locator("title").all_text_contents()
    days = {title.split(": ")[0]: title.split(": ")[1] for title in titles}
    assert days[(today - 72 * HOUR).date().isoformat()] == "100%"
    assert days[(today - 48 * HOUR).date().isoformat()] == "45.8%"
    assert days[(today - 24 * HOUR).date().isoformat()] == "0%"
    assert days[(today - 120 * HOUR).date().isoformat()] == "not enrolled yet"
    check_page(page, "workers")

    own.get_by_role("link", name="Sessions and containers").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Worker 0x")
    expect(page.get_by_role("region", name="Containers").get_by_text("inference-<b>1</b>")).to_be_visible()
    sessions = page.get_by_role("region", name="Sessions").locator("tbody").get_by_role("row")
    expect(sessions).to_have_count(3)
    expect(sessions.first.get_by_text("open", exact=True)).to_be_visible()
    incidents = page.get_by_role("region", name="Incidents", exact=True).locator("tbody").get_by_role("row")
    expect(incidents.first).to_contain_text(re.compile("[12] d"))
    assert incidents.count() >= 2
    expect(page.get_by_role("img", name=re.compile("last 90 days$")).locator("title")).to_have_count(90)
    show = page.get_by_label("Anyone may see its status")
    show.click()
    expect(show).to_be_checked()
    badge = page.get_by_role("img", name="Badge of worker")
    expect(badge).to_be_visible()
    assert stack.http.get(f"/workers/{wallet}/badge.svg").headers["content-type"].startswith("image/svg")
    page.get_by_role("button", name="Copy as Markdown").click()
    assert f"/workers/{wallet}/status" in page.evaluate("navigator.clipboard.readText()")
    check_page(page, "worker")
    show.click()
    expect(show).not_to_be_checked()
    expect(badge).to_have_count(0)

    page.get_by_role("link", name="All workers").click()
    own.get_by_role("button", name="Revoke token").click()
    question = page.get_by_role("alertdialog")
    question.get_by_role("button", name="Keep it").click()
    assert _beat(stack, token, wallet).status_code == 200
    own.get_by_role("button", name="Revoke token").click()
    question.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_text("The token is revoked")).to_be_visible()
    assert _beat(stack, token, wallet).status_code == 401


def test_the_fleet_is_filtered_and_paged(page: Page, stack: RunningStack, visitor: dict[str, str]) -> None:
    older, newer = _enrolled(stack), _enrolled(stack)
    # Pages of one, so that two workers are more than a page.
    page.route("**/workers?*", lambda route: route.continue_(url=route.request.url.replace("limit=20", "limit=1")))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    connect(page, visitor, "/workers")
    fleet = page.get_by_role("region", name="Fleet")
    rows = fleet.get_by_role("listitem")
    row, other = (rows.filter(has=page.get_by_title(wallet)) for wallet in (newer, older))
    expect(row).to_be_visible()
    expect(row.get_by_role("img")).to_be_visible()
    expect(rows).to_have_count(1)
    # Their days come with the list; a visitor's own worker is shown apart.
    assert [url for url in asked if any(f"{wallet}/uptime" in url for wallet in (older, newer))] == []
    fleet.get_by_role("button", name="Show more workers").click()
    expect(other).to_be_visible()
    fleet.get_by_label("Status of workers").select_option("healthy")
    # Other tests' workers may be healthy or not; these two never are.
    expect(
        fleet.get_by_text("No worker is healthy").or_(rows).or_(fleet.get_by_role("button", name="Show more")).first
    ).to_be_visible()
    expect(row.or_(other)).to_have_count(0)
    fleet.get_by_label("Status of workers").select_option("new")
    expect(row.get_by_text("new", exact=True)).to_be_visible()
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Worker 0x")
    # Its containers are not for others.
    expect(page.get_by_role("heading", name="Days")).to_be_visible()
    expect(page.get_by_role("region", name="Containers")).to_have_count(0)


def test_what_was_reported_later_has_another_tone(page: Page, stack: RunningStack, visitor: dict[str, str]) -> None:
    wallet = _enrolled(stack)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    _was_enrolled(stack, wallet, today - 96 * HOUR)
    _was_up(stack, wallet, today - 48 * HOUR, today - 36 * HOUR)
    _was_up(stack, wallet, today - 36 * HOUR + HOUR, today - 30 * HOUR, observed=False)
    connect(page, visitor, f"/workers/{wallet}")
    day = (today - 48 * HOUR).date().isoformat()
    bars = page.get_by_role("img", name=re.compile("last 90 days$"))
    expect(bars.locator("title", has_text=day)).to_have_text(f"{day}: 50% observed, 20.8% more reported later")
    expect(page.get_by_text("reported: told later, and not counted")).to_be_visible()
    # The badge is for its owner to show.
    expect(page.get_by_label("Anyone may see its status")).to_have_count(0)
    check_page(page, "worker-reported")


def test_a_failed_fetch_of_the_fleet_says_what_to_do_and_recovers(page: Page, visitor: dict[str, str]) -> None:
    connect(page, visitor, "/workers")
    fleet = page.get_by_role("region", name="Fleet")
    expect(fleet.get_by_role("listitem").or_(fleet.get_by_text("No worker is enrolled")).first).to_be_visible()
    page.route("**/workers?*", lambda route: route.abort())
    fleet.get_by_label("Status of workers").select_option("down")
    alert = fleet.get_by_role("alert")
    expect(alert).to_contain_text("The fleet could not be loaded")
    expect(alert).to_contain_text("Check your connection")
    page.unroute("**/workers?*")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)
