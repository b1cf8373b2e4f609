"""Builds in the browser: from a prompt to a contract on chain, its code and audit, more chains, cancellation, lists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.stack.conftest import RunningStack
from tests.stack.launches import account, bearer
from tests.stack.web.conftest import check_page, connect

PROMPT = 'Create an ERC-20 token called "Harbour <b>Coin</b>" with 1 million supply that can be burned'
# Writing, compiling, auditing and deploying, on a machine that is busy with other tests.
BUILD_MILLISECONDS = 240_000


@pytest.fixture
def builder(stack: RunningStack) -> dict[str, str]:
    """Return a user who may start many builds."""
    return account(stack, "user", 5)


@pytest.fixture
def other_builder(stack: RunningStack) -> dict[str, str]:
    """Another one."""
    return account(stack, "user", 4)


def _has_code(stack: RunningStack, chain: int, address: str) -> bool:
    (url,) = (entry["rpc_url"] for entry in stack.chains if entry["chain_id"] == chain)
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getCode", "params": [address, "latest"]}
    return len(httpx.post(url, json=call).json()["result"]) > 100


def test_a_prompt_becomes_a_contract_on_two_chains(page: Page, stack: RunningStack, builder: dict[str, str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    connect(page, builder, "/builds/new")
    page.get_by_role("button", name="Start the build").click()
    expect(page.get_by_text("Write at least 10 characters")).to_be_visible()
    page.get_by_label("Prompt").fill(PROMPT)
    page.get_by_label("Template").select_option("erc20")
    page.get_by_label("Symbol").fill("no spaces please")
    page.get_by_label("Can be paused").select_option("yes")
    page.get_by_role("button", name="Start the build").click()
    expect(page.get_by_label("Symbol")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("The build was not accepted")
    check_page(page, "build-new")
    page.get_by_label("Symbol").fill("HRB")
    page.get_by_role("button", name="Start the build").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Harbour")
    expect(page.get_by_role("button", name="Copy the id of this build")).to_be_visible()
    bar = page.get_by_role("progressbar", name="Progress of the build")
    expect(bar).to_be_visible()
    expect(page.get_by_title("Told at once, as it happens")).to_be_visible()
    check_page(page, "build-running")
    expect(bar).to_have_attribute("aria-valuenow", "100", timeout=BUILD_MILLISECONDS)
    page.get_by_text(re.compile(r"^\d+ events$")).click()
    events = page.get_by_role("list", name="Events").get_by_role("listitem")
    assert events.count() >= 4
    deployments = page.get_by_role("list", name="Deployments by chain")
    first = deployments.get_by_role("listitem").first
    expect(first.get_by_text("deployed", exact=True)).to_be_visible()
    assert _has_code(stack, 31337, first.locator("code").first.inner_text())

    code = page.get_by_role("region", name="Source code")
    expect(code).to_contain_text("pragma solidity")
    expect(code.locator(".text-info").first).to_be_visible()
    assert page.locator("b").count() == 0
    with page.expect_download() as saved:
        page.get_by_role("button", name=re.compile(r"Download .+\.sol")).click()
    source = Path(saved.value.path()).read_text(encoding="utf-8")
    assert saved.value.suggested_filename.endswith(".sol")
    build_id = page.url.rsplit("/", 1)[1]
    token = stack.sign_in(builder)
    assert source == stack.http.get(f"/api/v1/builds/{build_id}/code", headers=bearer(token)).text
    with page.expect_download() as saved:
        page.get_by_role("button", name="Compiler input").click()
    assert '"language"' in Path(saved.value.path()).read_text(encoding="utf-8")
    for program in ("viem", "web3.py"):
        first.get_by_role("button", name=program).click()
        assert first.locator("code").first.inner_text() in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Copy the ABI").click()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied == stack.http.get(f"/api/v1/builds/{build_id}/abi", headers=bearer(token)).json()
    check_page(page, "build")

    page.get_by_role("tab", name="Audit").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="SARIF").click()
    assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))["version"] == "2.1.0"
    expect(page.get_by_text("Passed: nothing of high or medium impact was found")).to_be_visible()
    expect(page.get_by_role("list", name="Findings by impact").get_by_text("High: 0")).to_be_visible()
    check_page(page, "build-audit")
    page.get_by_role("tab", name="Request").click()
    expect(page.get_by_role("region", name="Prompt").get_by_text(PROMPT)).to_be_visible()
    check_page(page, "build-request")

    page.get_by_role("button", name="Deploy to local-second").click()
    second = deployments.get_by_role("listitem").nth(1)
    expect(second.get_by_text("deployed", exact=True)).to_be_visible(timeout=BUILD_MILLISECONDS)
    assert _has_code(stack, 5001, second.locator("code").first.inner_text())


def test_a_prompt_is_read_while_it_is_written_and_built_once_it_was_reviewed(
    page: Page, stack: RunningStack, builder: dict[str, str]
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    connect(page, builder, "/builds/new")
    prompt = page.get_by_label("Prompt")
    prompt.fill("A mintable ERC-20 token called Reef with 1 million supply that walks my dog")
    preview = page.get_by_role("region", name="Preview")
    lacking = preview.get_by_role("region", name="Not honoured")
    expect(lacking).to_contain_text("walks my dog")
    marked = page.locator("[data-not-honoured]")
    assert "walks my dog" in " ".join(marked.all_inner_texts())
    expect(prompt).to_have_accessible_description(re.compile("would not have.*walks my dog"))
    expect(preview.get_by_role("region", name="Powers")).to_be_visible()
    expect(preview.get_by_role("region", name="Assumed")).to_be_visible()
    expect(preview.get_by_role("region", name="Gas")).to_contain_text(
        re.compile(r"local: about [\d,]+ gas, [\d.]+ ETH")
    )
    preview.get_by_text(re.compile(r"^Source, \d+ lines$")).click()
    expect(preview.get_by_role("region", name="Source code")).to_contain_text("contract Reef")
    check_page(page, "build-preview")
    page.get_by_role("button", name="Start the build").click()
    refused = page.get_by_role("alert").filter(has_text="The build was not accepted")
    expect(refused).to_contain_text("would not honour “walks my dog”")
    expect(refused).to_contain_text("let it be built without them")

    page.get_by_label("Leave out wishes").check()
    page.get_by_label("Who deploys it").select_option("review")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Start the build").click()
    expect(page.get_by_text("It waits for you")).to_be_visible(timeout=BUILD_MILLISECONDS)
    expect(page.get_by_role("region", name="Not honoured")).to_contain_text("the request let it be dropped")
    expect(page.get_by_role("region", name="Powers")).to_be_visible()
    deployments = page.get_by_role("list", name="Deployments by chain").get_by_role("listitem")
    check_page(page, "build-review")
    deployments.first.get_by_role("button", name="Deploy on local").click()
    expect(deployments.first.get_by_text("deployed", exact=True)).to_be_visible(timeout=BUILD_MILLISECONDS)
    page.get_by_role("link", name="All builds").click()
    newest = page.get_by_role("list", name="Builds").get_by_role("listitem").first
    expect(newest).to_contain_text(re.compile(r"\d not honoured"))


def test_a_contract_is_deployed_by_the_callers_wallet(page: Page, stack: RunningStack, builder: dict[str, str]) -> None:
    connect(page, builder, "/builds/new")
    page.get_by_label("Prompt").fill("An ERC-20 token called Mooring with 5 million supply")
    page.get_by_label("Who deploys it").select_option("wallet")
    page.get_by_role("group", name="Chains").get_by_label("local-second").check()
    page.get_by_role("button", name="Start the build").click()
    deployments = page.get_by_role("list", name="Deployments by chain").get_by_role("listitem")
    deploy = page.get_by_role("button", name="Deploy with my wallet on local", exact=True)
    expect(deploy).to_be_visible(timeout=BUILD_MILLISECONDS)
    # The development wallet knows one chain, and says so before it signs anything.
    page.get_by_role("button", name="Deploy with my wallet on local-second").click()
    expect(page.get_by_role("alert")).to_contain_text("Your wallet is not on chain 5001")
    check_page(page, "build-wallet")
    deploy.click()
    first = deployments.filter(has_text="(31337)")
    expect(first.get_by_text("deployed", exact=True)).to_be_visible(timeout=BUILD_MILLISECONDS)
    assert _has_code(stack, 31337, first.locator("code").first.inner_text())
    creation = first.locator("code").nth(1).get_attribute("title")
    (url,) = (entry["rpc_url"] for entry in stack.chains if entry["chain_id"] == 31337)
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionByHash", "params": [creation]}
    assert httpx.post(url, json=call).json()["result"]["from"] == builder["address"].lower()


def test_a_build_is_cancelled_after_asking_and_found_by_its_status(page: Page, newcomer: dict[str, str]) -> None:
    connect(page, newcomer, "/builds")
    expect(page.get_by_text("You have no builds yet")).to_be_visible()
    check_page(page, "builds-none")
    page.get_by_role("link", name="Start a build").click()
    page.get_by_label("Prompt").fill("An ERC-721 collection called Lighthouses")
    page.get_by_role("button", name="Start the build").click()
    page.get_by_role("button", name="Cancel build").click()
    question = page.get_by_role("alertdialog")
    question.get_by_role("button", name="Let it go on").click()
    page.get_by_role("button", name="Cancel build").click()
    question.get_by_role("button", name="Cancel build").click()
    expect(page.get_by_text("The build is cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel build")).to_have_count(0)
    page.get_by_role("link", name="All builds").click()
    builds = page.get_by_role("list", name="Builds").get_by_role("listitem")
    expect(builds).to_have_count(1)
    page.get_by_label("Status of builds").select_option("complete")
    expect(page.get_by_text("No build is here")).to_be_visible()
    page.get_by_label("Status of builds").select_option("cancelled")
    expect(builds).to_have_count(1)
    check_page(page, "builds")


def test_findings_lead_to_their_lines_and_a_failed_chain_can_be_tried_again(
    page: Page, stack: RunningStack, other_builder: dict[str, str]
) -> None:
    """What an audit that found something looks like; the composer's own contracts give it nothing to find."""
    source = "pragma solidity ^0.8.24;\n" + "\n".join(f"// line {number}" for number in range(2, 200)) + "\n"
    finding = {
        "detector": "reentrancy-eth", "impact": "High", "confidence": "Medium", "contract": "Bank",
        "function": "withdraw()", "description": "Reentrancy in <img src=x onerror=alert(1)>", "lines": [150, 151],
    }  # fmt: skip
    report = {
        "passed": True, "findings": [{**finding, "impact": "Low"}], "detectors": ["reentrancy-eth"], "duration": 2.5,
        "rounds": [{"number": 1, "by": "fixers", "findings": [finding], "fixes": [], "diff": "-a\n+b", "kept": True}],
    }  # fmt: skip
    chain = {"chain_id": 31337, "chain_name": "local", "testnet": True}
    failed = {**chain, "status": "failed", "error": "The chain did not answer", "error_code": "RPC_UNAVAILABLE"}
    build_id = "0b0c0d0e-0000-4000-8000-000000000000"
    build = {
        "build_id": build_id, "status": "failed", "prompt": "A bank", "chains": [chain], "template": None,
        "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:01:00.000Z", "progress": 95,
        "step": "error", "sequence": 9, "stream_url": None, "code": source, "audit_report": report,
        "deployments": [failed], "assumed": [], "not_honoured": [], "powers": [], "strict": True,
        "contract_name": "Bank", "error": "It was deployed to none of its chains", "error_code": "RPC_UNAVAILABLE",
    }  # fmt: skip
    page.route(f"**/api/v1/builds/{build_id}", lambda route: route.fulfill(json=build))
    asked: list[str | None] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.post_data)
        error = {"code": "RATE_LIMIT_EXCEEDED", "message": "No more than 30 builds an hour"}
        headers = {"retry-after": "60", "access-control-allow-origin": "*"}
        route.fulfill(status=429, json={"success": False, "error": error, "request_id": "r-1"}, headers=headers)

    page.route(f"**/api/v1/builds/{build_id}/deploy", refuse)
    connect(page, other_builder, f"/builds/{build_id}")
    expect(page.get_by_text("It was deployed to none of its chains")).to_be_visible()
    page.get_by_role("button", name="Try again on local").click()
    alert = page.get_by_role("alert").filter(has_text="It was not deployed")
    expect(alert).to_contain_text("No more than 30 builds an hour")
    assert asked == ["[31337]"]
    page.get_by_role("tab", name="Audit").click()
    expect(page.get_by_role("region", name="Low findings").get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    page.get_by_text("Round 1 by the fixers").click()
    check_page(page, "build-findings")
    page.get_by_role("button", name="Show lines 150 to 151").click()
    expect(page.locator('[data-line="150"]')).to_be_in_viewport()
    expect(page.locator('[data-line="150"]')).to_have_class(re.compile("bg-warning"))


def test_a_build_of_somebody_else_is_not_there(page: Page, other_builder: dict[str, str]) -> None:
    connect(page, other_builder, "/builds/0b0c0d0e-0000-4000-8000-000000000001")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("There is no such build")
    expect(alert).to_contain_text("check which one is connected")


def _start(page: Page, stack: RunningStack, builder: dict[str, str], prompt: str) -> str:
    """Start a build by the API and open its page; returns its id."""
    body = {"prompt": prompt, "chains": [31337]}
    answer = stack.http.post("/api/v1/builds", json=body, headers=bearer(stack.sign_in(builder)))
    build_id = str(answer.json()["build_id"])
    connect(page, builder, f"/builds/{build_id}")
    return build_id


def _cancel(stack: RunningStack, builder: dict[str, str], build_id: str) -> None:
    answer = stack.http.delete(f"/api/v1/builds/{build_id}", headers=bearer(stack.sign_in(builder)))
    assert answer.status_code == 200, answer.text


def test_a_broken_stream_goes_on_after_the_last_event(page: Page, stack: RunningStack, builder: dict[str, str]) -> None:
    opened: list[str] = []

    def break_the_first(route: WebSocketRoute) -> None:
        opened.append(route.url)
        server = route.connect_to_server()
        if len(opened) == 1:

            def pass_one_on(message: str | bytes) -> None:
                route.send(message)
                route.close(code=4000)

            server.on_message(pass_one_on)

    page.route_web_socket(re.compile(r"/stream"), break_the_first)
    build_id = _start(page, stack, builder, "An ERC-20 token called Breakwater that can be paused")
    expect(page.get_by_title("Told at once, as it happens")).to_be_visible()
    expect(page.get_by_role("list", name="Events").get_by_role("listitem").nth(1)).to_be_visible()
    _cancel(stack, builder, build_id)
    expect(page.locator("main").get_by_text("cancelled", exact=True).first).to_be_visible()
    assert opened[1].endswith("/stream?after=1"), opened
    sequence = stack.http.get(f"/api/v1/builds/{build_id}", headers=bearer(stack.sign_in(builder))).json()["sequence"]
    page.get_by_text(re.compile(r"^\d+ events$")).click()
    expect(page.get_by_role("list", name="Events").get_by_role("listitem")).to_have_count(sequence)


def test_without_a_stream_the_page_asks_again_and_again(
    page: Page, stack: RunningStack, builder: dict[str, str]
) -> None:
    page.route_web_socket(re.compile(r"/stream"), lambda route: route.close(code=4000))
    build_id = _start(page, stack, builder, "An ERC-20 token called Fog that can be paused")
    expect(page.get_by_title("Asked for every few seconds")).to_be_visible()
    _cancel(stack, builder, build_id)
    expect(page.locator("main").get_by_text("cancelled", exact=True).first).to_be_visible()
    expect(page.get_by_role("button", name="Cancel build")).to_have_count(0)
