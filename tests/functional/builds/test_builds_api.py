"""The builds' routes through the real functions under their policies: limits, pages, and what is told."""

from __future__ import annotations

import dataclasses
import json
import os
import uuid
from typing import Any

import boto3
import pytest

from slipway import configuration, settings
from slipway.builds.api.service import build_service
from slipway.builds.states import ChainStatus, Progress, Stage, Status, Step
from slipway.builds.store import (
    BuildItem,
    ChainDeploymentItem,
    chain_key,
    change_build,
    find_build,
    running,
)
from slipway.configuration import chain_settings
from slipway.control.store import Service, set_switch
from slipway.jobs.store import job_outcome
from slipway.times import now_text
from tests.support.installation import BUCKET, Answer, Installation
from tests.support.wallets import ADMIN, ALICE, BOB

PROMPT = "Create an ERC-20 token called Harbour"
ENDS = {"complete": Status.COMPLETE, "failed": Status.FAILED}


def create(slipway: Installation, **changes: Any) -> Answer:
    headers = changes.pop("headers", None)
    account = changes.pop("account", ALICE)
    body = {"prompt": PROMPT, "chains": [31337], **changes}
    return slipway.api("api_builds_create", token=slipway.token(account), body=body, headers=headers)


def new(slipway: Installation, **changes: Any) -> BuildItem:
    answer = create(slipway, **changes)
    assert answer.status == 200, answer.body
    build = find_build(answer.body["build_id"])
    assert build
    return build


def end(build: BuildItem, status: Status, **values: Any) -> None:
    step = {Status.COMPLETE: Step.COMPLETE, Status.FAILED: Step.ERROR}[status]
    actions = [getattr(BuildItem, name).set(value) for name, value in values.items()]
    told = Progress(status, 100, step, "It ended")
    assert change_build(build, [BuildItem.stage.set(str(Stage.DONE)), *actions], running(build.job_id), update=told)


def page(slipway: Installation, query: str = "", account: Any = ALICE) -> dict[str, Any]:
    answer = slipway.api("api_builds_list", token=slipway.token(account), query=query)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def of(slipway: Installation, event: str, build: BuildItem, **parts: Any) -> Answer:
    account = parts.pop("account", ALICE)
    return slipway.api(event, token=slipway.token(account), path={"build_id": build.build_id}, **parts)


def test_a_build_is_accepted_started_and_reported(slipway: Installation) -> None:
    answer = create(slipway)
    assert answer.status == 200
    assert answer.body["status"] == "pending"
    assert answer.body["estimated_time"] == 87
    (execution,) = slipway.executions(slipway.build_machine)
    assert execution["name"] == answer.body["build_id"]
    (entry,) = slipway.audit()
    assert (entry["action"], entry["outcome"], entry["wallet"]) == ("POST /api/v1/builds", "accepted", ALICE.address)
    assert entry["subject"] == answer.body["build_id"]


def test_only_those_who_may_build_for_a_mainnet(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    (chain,) = [entry for entry in json.loads(os.environ["CHAINS"]) if entry["chain_id"] == 31337]
    monkeypatch.setenv("CHAINS", json.dumps([{**chain, "testnet": False, "name": "main"}]))
    configuration.chain_settings.cache_clear()
    build_service.cache_clear()
    answer = create(slipway)
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert "main" in answer.body["error"]["message"]
    assert create(slipway, account=ADMIN).status == 200
    by_wallet = new(slipway, options={"signer": "wallet"})
    assert (by_wallet.signer, by_wallet.deploys) == ("wallet", False), "the caller's wallet pays for itself"
    assert preview(slipway, PROMPT, chains=[31337], options={"signer": "wallet"}).body["refusals"] == []
    assert [entry["code"] for entry in preview(slipway, PROMPT, chains=[31337]).body["refusals"]] == ["FORBIDDEN"]
    monkeypatch.setenv("BUILD_MAINNETS", "partner, standard")
    settings.build_mainnets.cache_clear()
    assert create(slipway).status == 200


def test_no_build_is_accepted_for_a_chain_without_gas(slipway: Installation) -> None:
    limits = {"gas_31337": "0"}
    assert slipway.api("api_admin_change_budgets", token=slipway.token(ADMIN), body=limits).status == 200
    answer = create(slipway)
    assert (answer.status, answer.code) == (503, "BUDGET_EXCEEDED")
    assert answer.body["error"]["details"]["budget"] == "gas_31337"
    assert create(slipway, options={"signer": "wallet"}).status == 200
    slipway.model()
    assert slipway.launch().code == "BUDGET_EXCEEDED"


def test_a_build_that_deploys_names_a_chain(slipway: Installation) -> None:
    body: dict[str, Any] = {"prompt": "An ERC-20 token named Test with symbol TST", "chains": []}
    refused = slipway.api("api_builds_create", body=body, token=slipway.token())
    assert refused.status == 400
    assert refused.body["error"]["details"]["fields"][0]["field"] == "chains"
    body["options"] = {"deploy": False}
    assert slipway.api("api_builds_create", body=body, token=slipway.token()).status == 200


def test_a_paused_service_takes_no_builds_but_answers_what_it_answered(slipway: Installation) -> None:
    headers = {"idempotency-key": "one"}
    first = create(slipway, headers=headers)
    set_switch(Service.BUILDS, paused=True, reason="Moving", changed_by=ALICE.address)
    assert create(slipway).code == "SERVICE_PAUSED"
    assert create(slipway, headers=headers).body == first.body


def test_an_hour_has_its_limit_and_a_refused_request_does_not_count(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD_LIMITS", '{"standard": {"hour": 3, "day": 100, "open": 50}}')
    assert create(slipway, chains=[4711]).status == 400
    for _ in range(3):
        assert create(slipway).status == 200
    refused = create(slipway)
    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert page(slipway)["total"] == 3
    assert create(slipway, account=BOB).status == 200


def test_only_so_many_are_open_and_one_that_ended_makes_room(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD_LIMITS", '{"standard": {"hour": 30, "day": 100, "open": 2}}')
    first = new(slipway)
    new(slipway)
    refused = create(slipway)
    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert refused.body["error"]["details"] == {"open": 2}
    end(first, Status.FAILED)
    assert create(slipway).status == 200


def test_the_default_limits_allow_three_builds_an_hour_and_fewer_than_sixty() -> None:
    from slipway.settings import tier_limit
    from tests.support.template import template

    default = template()["Parameters"]["BuildLimits"]["Default"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUILD_LIMITS", default)
        tier_limit.cache_clear()
        hour = tier_limit("builds", "standard")["hour"]
    tier_limit.cache_clear()
    assert 3 <= hour < 60


@pytest.fixture
def many(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Ids and statuses of many builds, oldest first."""
    monkeypatch.setenv("BUILD_LIMITS", '{"standard": {"hour": 500, "day": 500, "open": 500}}')
    made = []
    for number in range(75):
        build = new(slipway)
        status = ("complete", "failed", "pending")[number % 3 if number % 5 else 0]
        if status != "pending":
            end(build, ENDS[status])
        made.append((build.build_id, status))
    return made


def test_pages_and_totals_are_true_and_cost_what_they_show(slipway: Installation, many: list[tuple[str, str]]) -> None:
    create(slipway, account=BOB)
    slipway.calls.clear()
    for status in (None, "complete", "failed", "pending", "cancelled"):
        wanted = [build_id for build_id, found in reversed(many) if status in (None, found)]
        asked = f"status={status}&" if status else ""
        for number in range(1, 12):
            shown = page(slipway, f"{asked}page={number}&page_size=7")
            assert shown["total"] == len(wanted)
            assert [build["build_id"] for build in shown["builds"]] == wanted[(number - 1) * 7 :][:7]
    # The counts, the blocks of one status, and the page itself; never more than a block besides what is shown.
    queries = [arguments for _, operation, arguments in slipway.called("Query") if operation == "Query"]
    of_status = [arguments for arguments in queries if arguments.get("IndexName") == "by_subject"]
    assert all(arguments["Limit"] <= 7 + 31 for arguments in of_status)
    assert len(queries) <= 2 * 5 * 11


def test_a_build_is_only_its_owners(slipway: Installation) -> None:
    build = new(slipway)
    for event in ("detail", "cancel", "code", "audit", "metadata", "ticket", "deploy"):
        assert of(slipway, f"api_builds_{event}", build, account=BOB).code == "NOT_FOUND"
    assert page(slipway, account=BOB)["builds"] == []


def test_there_is_no_code_before_there_is(slipway: Installation) -> None:
    build = new(slipway)
    for part in ("code", "audit", "metadata"):
        assert of(slipway, f"api_builds_{part}", build).code == "NOT_FOUND"
    shown = of(slipway, "api_builds_detail", build).body
    assert (shown["code"], shown["audit_report"], shown["deployments"]) == (None, None, None)
    assert shown["chains"] == [{"chain_id": 31337, "chain_name": "anvil", "testnet": True}]


def test_code_is_a_file(slipway: Installation) -> None:
    build = new(slipway)
    change_build(build, [BuildItem.revision.set(0)], running(build.job_id))
    key = f"builds/{build.build_id}/source-0.sol"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"contract Harbour {}\n")
    answer = of(slipway, "api_builds_code", build)
    assert answer.body == "contract Harbour {}\n"
    assert answer.headers["content-disposition"] == f'attachment; filename="{build.build_id}.sol"'


def test_cancelling_stops_the_execution_and_again_changes_nothing(slipway: Installation) -> None:
    build = new(slipway)
    slipway.calls.clear()
    assert of(slipway, "api_builds_cancel", build).body == {"status": "cancelled"}
    assert [operation for _, operation, _ in slipway.called("StopExecution")] == ["StopExecution"]
    stored = find_build(build.build_id)
    assert stored
    assert (stored.status, stored.step) == ("cancelled", "cancelled")
    assert stored.open_shard is None
    assert of(slipway, "api_builds_cancel", build).body == {"status": "cancelled"}
    again = find_build(build.build_id)
    assert again
    assert int(again.sequence) == int(stored.sequence) == 2
    assert page(slipway, "status=cancelled")["total"] == 1


def test_what_ended_is_not_cancelled(slipway: Installation) -> None:
    build = new(slipway)
    end(build, Status.COMPLETE)
    answer = of(slipway, "api_builds_cancel", build)
    assert (answer.status, answer.code) == (409, "CONFLICT")


def _deployed(slipway: Installation) -> BuildItem:
    """Return a build whose contract is on its chain."""
    build, moment = new(slipway), now_text()
    end(build, Status.COMPLETE, deployable=True)
    ChainDeploymentItem(
        *chain_key(build.build_id, 31337),
        build_id=build.build_id,
        chain_id=31337,
        status=str(ChainStatus.DEPLOYED),
        job_id=build.job_id,
        deadline=moment,
        address="0x" + "11" * 20,
        transaction_hash="0x" + "22" * 32,
        gas_used="10",
        cost="100",
        created_at=moment,
        updated_at=moment,
    ).save()
    return build


def test_only_failed_or_new_chains_are_deployed_to_again(slipway: Installation) -> None:
    build = _deployed(slipway)
    refused = of(slipway, "api_builds_deploy", build, body=[31337])
    assert (refused.status, refused.body["error"]["details"]) == (409, {"chain_ids": [31337]})
    assert of(slipway, "api_builds_deploy", build, body=[4711]).status == 400
    shown = of(slipway, "api_builds_detail", build).body
    assert [(entry["chain_id"], entry["status"]) for entry in shown["deployments"]] == [(31337, "deployed")]
    assert shown["deployments"][0]["explorer_url"].startswith("https://explorer.test/tx/0x22")


def test_a_run_that_only_deploys_begins_once(slipway: Installation) -> None:
    build = new(slipway)
    running_still = of(slipway, "api_builds_deploy", build, body=[31337])
    assert (running_still.status, running_still.code) == (409, "CONFLICT")
    end(build, Status.FAILED, deployable=True, error_code="DEPLOYMENT_FAILED", error_message="Down")
    headers = {"idempotency-key": str(uuid.uuid4())}
    first = of(slipway, "api_builds_deploy", build, body=[31337], headers=headers)
    assert (first.status, first.body["status"], first.body["chains"]) == (200, "deploying", [31337])
    assert of(slipway, "api_builds_deploy", build, body=[31337], headers=headers).body == first.body
    assert of(slipway, "api_builds_deploy", build, body=[31337]).status == 409
    stored = find_build(build.build_id)
    assert stored
    assert (stored.status, stored.stage, int(stored.runs)) == ("deploying", "prepare", 2)
    assert stored.error_code is None
    assert stored.completed_at is None
    assert stored.open_shard
    assert len(slipway.executions(slipway.build_machine)) == 2
    assert page(slipway, "status=deploying")["total"] == 1


def test_a_contract_that_failed_its_audit_is_never_deployed(slipway: Installation) -> None:
    build = new(slipway)
    end(build, Status.FAILED, error_code="AUDIT_FAILED", error_message="Reentrancy")
    answer = of(slipway, "api_builds_deploy", build, body=[31337])
    assert (answer.status, answer.code) == (409, "CONFLICT")


def test_the_estimate_is_what_nine_in_ten_builds_took(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in (5, 6, 7, 8, 9, 10, 11, 12, 13, 40):
        job_outcome("build", "completed", seconds, 0, 0).save()
    job_outcome("build", "AUDIT_FAILED", 900, 0, 0).save()
    assert create(slipway).body["estimated_time"] == 13


def test_a_ticket_is_for_the_owner(slipway: Installation) -> None:
    build = new(slipway)
    answer = of(slipway, "api_builds_ticket", build)
    assert (answer.status, answer.body["expires_in"]) == (200, 60)
    assert len(answer.body["ticket"]) == 43


# ── What was asked, or nothing ──────────────────────────────────────────────────────────────────


def preview(slipway: Installation, prompt: str, **more: Any) -> Answer:
    return slipway.api("api_builds_preview", token=slipway.token(ALICE), body={"prompt": prompt, **more})


def test_a_wish_that_is_not_honoured_is_refused_before_it_counts(slipway: Installation) -> None:
    for _ in range(7):
        refused = create(slipway, prompt=f"{PROMPT} with 5 million supply, the owner can take tokens from any holder")
        assert (refused.status, refused.code) == (422, "NOT_HONOURED")
    details = refused.body["error"]["details"]
    (entry,) = details["not_honoured"]
    assert "owner can take tokens from any holder" in entry["text"]
    assert entry["reason"]
    assert any("owner" in text for text in details["assumed"])
    assert "owner can take tokens from any holder" in refused.body["error"]["message"]
    assert slipway.executions(slipway.build_machine) == []
    assert page(slipway)["total"] == 0
    assert create(slipway).status == 200


def test_a_wish_may_be_dropped_if_the_caller_says_so(slipway: Installation) -> None:
    build = new(slipway, prompt=f"{PROMPT} where every holder may fly", options={"strict": False})
    shown = of(slipway, "api_builds_detail", build).body
    assert shown["strict"] is False
    assert of(slipway, "api_builds_detail", new(slipway)).body["strict"] is True


def test_what_cannot_be_made_is_refused_at_once(slipway: Installation) -> None:
    refused = create(slipway, prompt="Build an automated market maker exchange")
    assert (refused.status, refused.code) == (422, "GENERATION_UNSUPPORTED")
    assert refused.body["error"]["details"]["templates"]
    assert page(slipway)["total"] == 0


def test_a_preview_shows_the_contract_and_writes_no_build(slipway: Installation) -> None:
    shown = preview(slipway, "ERC-20 called Harbour with 5 million supply, pausable", chains=[31337])
    assert shown.status == 200, shown.body
    body = shown.body
    assert (body["kind"], body["options"]["supply"]) == ("erc20", "5000000")
    assert "contract Harbour" in body["source"]
    assert body["not_honoured"] == body["refusals"] == []
    assert any("pause" in text for text in body["assumed"])
    assert any("stop every transfer" in text for text in body["powers"])
    (gas,) = body["gas"]
    assert (gas["chain_id"], gas["currency"]) == (31337, "ETH")
    assert 400_000 < gas["gas"] < 3_000_000
    assert page(slipway)["total"] == 0


def test_a_preview_of_a_refused_prompt_says_why(slipway: Installation) -> None:
    body = preview(slipway, "ERC-20 called Harbour that only my friends may hold").body
    assert [entry["text"] for entry in body["not_honoured"]] == ["only my friends may hold"]
    assert [entry["code"] for entry in body["refusals"]] == ["NOT_HONOURED"]
    assert "contract Harbour" in body["source"]
    too_much = preview(slipway, "ERC-20 called Gold with a supply of " + "9" * 80).body
    assert [entry["code"] for entry in too_much["refusals"]] == ["VALIDATION_ERROR"]
    nothing = preview(slipway, "Write a poem about the sea please")
    assert (nothing.status, nothing.code) == (422, "GENERATION_UNSUPPORTED")


def test_previews_have_a_limit_of_their_own(slipway: Installation) -> None:
    statuses = {preview(slipway, PROMPT).status for _ in range(121)}
    assert statuses == {200, 429}
    assert create(slipway).status == 200


@pytest.mark.parametrize(
    ("prompt", "options"),
    [(f"{PROMPT}. Don't deploy it, just show me the code", None), (PROMPT, {"deploy": False})],
    ids=["said", "option"],
)
def test_a_build_need_not_be_deployed(slipway: Installation, prompt: str, options: dict[str, Any] | None) -> None:
    build = new(slipway, prompt=prompt, options=options, chains=[])
    assert (build.deploys, list(build.chains)) == (False, [])
    end(build, Status.COMPLETE, deployable=True)
    answer = of(slipway, "api_builds_deploy", build, body=[31337])
    assert (answer.status, answer.body["chains"]) == (200, [31337])
    stored = find_build(build.build_id)
    assert stored
    assert (stored.status, stored.stage, list(stored.chains)) == ("deploying", "prepare", [31337])


def test_a_build_that_is_deployed_needs_a_chain(slipway: Installation) -> None:
    refused = create(slipway, chains=[])
    assert (refused.status, refused.body["error"]["details"]["fields"][0]["field"]) == (400, "chains")


def test_chains_that_are_done_do_not_keep_others_from_being_deployed_to(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = _deployed(slipway)
    service, chain = build_service(), chain_settings().chains[31337]
    monkeypatch.setattr(service, "_chains", {31337: chain, 5001: dataclasses.replace(chain, chain_id=5001)})
    answer = of(slipway, "api_builds_deploy", build, body=[31337, 5001])
    assert (answer.status, answer.body["chains"]) == (200, [5001])
    stored = find_build(build.build_id)
    assert stored
    assert (list(stored.chains), list(stored.run_chains)) == ([31337, 5001], [5001])


def test_a_build_that_failed_before_its_audit_is_tried_again_without_counting(slipway: Installation) -> None:
    build = new(slipway)
    running_still = of(slipway, "api_builds_retry", build)
    assert (running_still.status, running_still.code) == (409, "CONFLICT")
    end(build, Status.FAILED, error_code="COMPILE_TIMEOUT", error_message="Too slow")
    left = 30 - page(slipway)["total"]
    again = of(slipway, "api_builds_retry", build)
    assert (again.status, again.body["status"]) == (200, "pending")
    stored = find_build(build.build_id)
    assert stored
    assert (stored.status, stored.stage) == ("pending", "generate")
    assert stored.error_code is None
    assert stored.job_id != build.job_id
    assert len(slipway.executions(slipway.build_machine)) == 2
    assert 30 - page(slipway)["total"] == left
    assert of(slipway, "api_builds_retry", build, account=BOB).status == 404


@pytest.mark.parametrize("values", [{"deployable": True}, {"error_code": "AUDIT_FAILED"}, {"runs": 5}])
def test_what_the_audit_has_judged_is_not_tried_again(slipway: Installation, values: dict[str, Any]) -> None:
    build = new(slipway)
    end(build, Status.FAILED, **values)
    answer = of(slipway, "api_builds_retry", build)
    assert (answer.status, answer.code) == (409, "CONFLICT")
