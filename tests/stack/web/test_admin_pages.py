"""The administration in the browser: switches, charts, the audit trail, models; for administrators only."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from eth_account import Account
from playwright.sync_api import Locator, Page, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, account, bearer, ended, launch, new_model
from tests.stack.web.conftest import check_page, connect


@pytest.fixture
def administration(page: Page, stack: RunningStack) -> Page:
    """Return the page, as an administrator has it."""
    connect(page, account(stack, "admin"), "/")
    page.get_by_role("link", name="Administration").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Administration")
    return page


def _service(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Services").get_by_role("listitem", name=name, exact=True)


def test_a_service_is_paused_with_a_reason_and_resumed(administration: Page, stack: RunningStack) -> None:
    page, payments = administration, _service(administration, "payments")
    expect(payments.get_by_text("takes work", exact=True)).to_be_visible()
    check_page(page, "admin-services")
    payments.get_by_role("button", name="Pause payments").click()
    dialog = page.get_by_role("dialog", name="Pause payments?")
    dialog.get_by_role("button", name="Pause payments").click()
    expect(dialog.get_by_text("Say why")).to_be_visible()
    dialog.get_by_label("Reason").fill("Counting the till")
    check_page(page, "admin-pause")
    dialog.get_by_role("button", name="Pause payments").click()
    try:
        expect(payments.get_by_text("paused", exact=True)).to_be_visible()
        user = stack.sign_in(account(stack, "user", 4))
        refused = stack.http.post("/payments", json={}, headers=bearer(user))
        assert refused.status_code in (400, 503), refused.text
        metrics = stack.http.get(
            "/api/admin/metrics",
            params={"service": "payments"},
            headers=bearer(stack.sign_in(account(stack, "admin"))),
        )
        assert metrics.json()["paused"] is True
    finally:
        payments.get_by_role("button", name="Resume payments").click()
        page.get_by_role("dialog").get_by_label("Reason").fill("Counted")
        page.get_by_role("dialog").get_by_role("button", name="Resume payments").click()
    expect(payments.get_by_text("takes work", exact=True)).to_be_visible()


def test_charts_report_launches_day_by_day(
    administration: Page, stack: RunningStack, admin: Token, user: Token, owner: str
) -> None:
    page = administration
    launches = [launch(stack, user, new_model(stack, admin, owner), owner) for _ in range(2)]
    for answer in launches:
        assert ended(stack, user, answer.json()["deployment_id"])["status"] == "completed"
    # A failure and a success of the day before yesterday: nobody can wait for days.
    earlier = datetime.now(UTC) - timedelta(days=2)
    for index, outcome in enumerate(("completed", "TX_REVERTED")):
        moment = (earlier + timedelta(milliseconds=index)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        item = {
            "pk": {"S": f"OUTCOME#token#{moment[:10]}"}, "sk": {"S": f"{moment}#{uuid.uuid4()}"},
            "outcome": {"S": outcome}, "seconds": {"N": "4"}, "gas": {"N": "1000000"}, "cost": {"S": "21000"},
            "created_at": {"S": moment}, "expires_at": {"N": str(int(earlier.timestamp()) + 90 * 86400)},
        }  # fmt: skip
        stack.client("dynamodb").put_item(TableName=stack.outputs["JobsTableName"], Item=item)
    page.get_by_role("tab", name="Metrics").click()
    rates = page.get_by_role("img", name=re.compile("^Success rate by day"))
    expect(rates.locator("title")).to_have_count(7)
    expect(rates.locator("title").nth(4)).to_have_text(re.compile(rf"^{earlier.date()}: 50% of \d+$"))
    expect(rates.locator("title").nth(5)).to_have_text(re.compile("nothing ended$"))
    figures = page.get_by_role("figure", name="Gas by day")
    figures.get_by_text("As a table").click()
    table = figures.get_by_role("region", name="Gas by day")
    expect(table.get_by_role("row").filter(has_text=str(earlier.date()))).to_contain_text(",000,000")
    expect(page.get_by_role("region", name="Failures by error code")).to_contain_text("TX_REVERTED")
    # The front door counts what it served every few seconds, as API Gateway does.
    requests = page.get_by_role("region", name="All requests")
    expect(requests.get_by_role("img", name=re.compile("^Requests by day"))).to_be_visible()
    expect(requests.get_by_role("definition").first).to_have_text(re.compile("^[1-9]"))
    check_page(page, "admin-metrics")
    page.get_by_label("Days", exact=True).select_option("14")
    expect(rates.locator("title")).to_have_count(14)


def test_the_audit_trail_is_filtered_and_paged(administration: Page, stack: RunningStack, user: Token) -> None:
    page = administration
    forbidden = stack.http.get("/api/admin/audit", headers=bearer(user))
    assert forbidden.status_code == 403
    page.get_by_role("tab", name="Audit trail").click()
    rows = page.get_by_role("region", name="Audit trail").locator("tbody tr")
    expect(rows.first).to_be_visible()
    page.get_by_label("Outcome").fill("FORBIDDEN")
    page.get_by_role("button", name="Apply").click()
    expect(rows.first).to_contain_text("FORBIDDEN")
    expect(rows.filter(has_not_text="FORBIDDEN")).to_have_count(0)
    check_page(page, "admin-audit")
    page.get_by_label("User").fill("somebody")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("The audit trail could not be loaded")
    expect(page.get_by_label("User")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("User").fill("0x" + "1" * 40)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(rows.first).to_be_visible()


def test_a_model_is_registered(administration: Page, stack: RunningStack, user: Token, owner: str) -> None:
    page, model_id = administration, f"model-{uuid.uuid4().hex[:12]}"
    page.get_by_role("tab", name="Models").click()
    form = page.locator("form")
    form.get_by_role("button", name="Register the model").click()
    expect(form.get_by_text("Fill this in")).to_have_count(2)
    form.get_by_label("Model", exact=True).fill(model_id)
    form.get_by_label("Owner").fill("0x1")
    form.get_by_label("Metrics").fill("accuracy=0.93")
    form.get_by_role("button", name="Register the model").click()
    expect(form.get_by_label("Owner")).to_have_attribute("aria-invalid", "true")
    check_page(page, "admin-models")
    form.get_by_label("Owner").fill(owner)
    form.get_by_label("Run").fill("run-1")
    form.get_by_role("button", name="Register the model").click()
    expect(form.get_by_role("status")).to_contain_text(f"The catalogue knows {model_id} as validated")
    estimate = stack.http.post(
        "/api/deployments/estimate", json={"model_id": model_id, "user_address": owner}, headers=bearer(user)
    )
    assert estimate.json()["refusals"] == [], estimate.text


def test_what_everybody_launched_is_found(
    administration: Page, stack: RunningStack, admin: Token, user: Token, owner: str
) -> None:
    page, model = administration, new_model(stack, admin, owner)
    made = launch(stack, user, model, owner).json()["deployment_id"]
    page.get_by_role("tab", name="Deployments").click()
    rows = page.get_by_role("region", name="Deployments of everybody").locator("tbody tr")
    page.get_by_label("Model", exact=True).fill(model)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(made.split("-")[0])
    check_page(page, "admin-deployments")
    page.get_by_label("Wallet", exact=True).fill("0x" + "1" * 40)
    expect(page.get_by_text("Nothing matches")).to_be_visible()


def test_what_users_cost_is_seen_by_wallet_and_leads_to_their_launches(
    administration: Page, stack: RunningStack, admin: Token, user: Token, owner: str
) -> None:
    page = administration
    made = launch(stack, user, new_model(stack, admin, owner), owner).json()["deployment_id"]
    assert ended(stack, user, made)["status"] == "completed"
    page.get_by_role("tab", name="Gas").click()
    wallets = page.get_by_role("region", name="Gas by wallet and chain").locator("tbody tr")
    mine = wallets.filter(has_text=owner[-4:]).filter(has_text="31337")
    expect(mine).to_contain_text(re.compile(r"0\.\d+ ETH"))
    expect(page.get_by_role("img", name=re.compile("^Gas on chain 31337 by day: 30 of 30 days"))).to_be_visible()
    check_page(page, "admin-gas")
    page.get_by_label("Wallet", exact=True).fill("0x" + "1" * 40)
    expect(page.get_by_text("No gas was spent in this time")).to_be_visible()
    page.get_by_label("Wallet", exact=True).fill(owner)
    link = page.get_by_role("link", name=f"launch {made.split('-')[0]}").first
    link.click()
    expect(page).to_have_url(re.compile(f"/deployments/{made}$"))


def test_ceilings_are_set_and_given_back(administration: Page, stack: RunningStack) -> None:
    page = administration
    page.get_by_role("tab", name="Budgets and limits").click()
    budget = page.get_by_role("region", name="Budgets", exact=True).get_by_role("row").filter(has_text="akash_deposit")
    expect(budget).to_contain_text("$100.00")
    check_page(page, "admin-ceilings")
    page.get_by_role("button", name="Change akash_deposit").click()
    dialog = page.get_by_role("dialog", name="Ceiling of akash_deposit")
    dialog.get_by_label("In USD").fill("90")
    dialog.get_by_role("button", name="Set it").click()
    try:
        expect(budget).to_contain_text("$90.00")
    finally:
        page.get_by_role("button", name="Give akash_deposit back to the template").click()
    expect(budget).to_contain_text("$100.00")
    limits = page.get_by_role("region", name="Limits", exact=True)
    limit = limits.get_by_role("button", name=re.compile(r"^\d+ an? \w+ ?: change \w+ of standard$")).first
    name = re.findall(r"change (\w+) of standard", limit.inner_text())[0]
    before = str(limit.text_content())
    limit.click()
    dialog = page.get_by_role("dialog", name=f"{name} of standard")
    dialog.get_by_role("textbox").fill("4321")
    dialog.get_by_role("button", name="Set it").click()
    try:
        expect(limit).to_contain_text("4321")
    finally:
        page.get_by_role("button", name=f"Give {name} of standard back").click()
    expect(limit).to_have_text(before)


def test_a_wallet_is_blocked_and_served_again(administration: Page, stack: RunningStack) -> None:
    page, wallet = administration, Account.create()
    page.get_by_role("tab", name="Wallets").click()
    page.get_by_label("Wallet", exact=True).fill(wallet.address)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("served", exact=True)).to_be_visible()
    for button, question, action, state in (
        ("Block it", "Block this wallet?", "Block it", "blocked"),
        ("Serve it again", "Serve this wallet again?", "Serve it", "served"),
    ):
        page.get_by_role("button", name=button).click()
        dialog = page.get_by_role("dialog", name=question)
        dialog.get_by_label("Reason").fill("A test")
        dialog.get_by_role("button", name=action).click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_text(state, exact=True)).to_be_visible()
        if state == "blocked":
            check_page(page, "admin-wallet")
    page.get_by_role("button", name="End its sessions").click()
    page.get_by_role("alertdialog").get_by_role("button", name="End sessions").click()
    expect(page.get_by_text("Its sessions have ended")).to_be_visible()


def test_the_administration_is_for_administrators(page: Page, stack: RunningStack) -> None:
    connect(page, account(stack, "operator"), "/admin")
    expect(page.get_by_text("This page is for the role admin")).to_be_visible()
    navigation = page.get_by_role("navigation", name="Pages")
    expect(navigation.get_by_role("link", name="Stacks")).to_be_visible()
    expect(navigation.get_by_role("link", name="Administration")).to_have_count(0)
