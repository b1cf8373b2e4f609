"""A build by a language model, through the real tasks: what it writes and mends passes, or nothing is deployed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from slipway import settings
from slipway.builds.api.acceptance import new_build
from slipway.builds.api.models import BuildRequest
from slipway.builds.audit.auditor import Auditor
from slipway.builds.audit.models import AuditReport
from slipway.builds.model import bedrock
from slipway.builds.pipeline import engines
from slipway.builds.store import BuildItem, add_build, counts_of, find_build
from slipway.store import Transaction
from tests.support.bedrock import COUNTER, MODEL, OWNER, ScriptedClient, calls, draft, review
from tests.support.functions import function_app
from tests.support.installation import BUCKET, Installation

_PAY = "function pay(address payable to) external {\n        to.transfer(1 wei);\n    }"
HOLE = COUNTER.replace("    /// @param", f"    receive() external payable {{}}\n\n    {_PAY}\n\n    /// @param")
MENDED = HOLE.replace("external {\n        to.", "external onlyOwner {\n        to.")


@pytest.fixture(scope="module")
def auditor() -> Iterator[Auditor]:
    with Auditor() as made:
        yield made


@pytest.fixture
def answering(
    slipway: Installation, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ScriptedClient]]:
    """Lets the model answer these, one after the other."""
    contract = function_app("tasks/contract")
    monkeypatch.setattr(contract, "Auditor", lambda: auditor)
    monkeypatch.setattr(bedrock, "_FIRST_PAUSE", 0.001)
    for name, value in {"MODEL_ID": MODEL, "INPUT_PRICE": "3", "OUTPUT_PRICE": "15"}.items():
        monkeypatch.setenv(f"BEDROCK_{name}", value)

    def answer(*answers: Any) -> ScriptedClient:
        client = ScriptedClient(answers)
        monkeypatch.setattr(engines, "_client", lambda _: client)
        for kept in (settings.bedrock_settings, contract.workflow):
            kept.cache_clear()
        return client

    yield answer
    for kept in (settings.bedrock_settings, contract.workflow):
        kept.cache_clear()


def _new() -> BuildItem:
    body = BuildRequest(prompt="A counter that only its owner counts up", chains=[31337])
    build = new_build(OWNER, body, int(counts_of(OWNER).number) + 1)
    write = Transaction()
    add_build(write, build, counts_of(OWNER), 100, "Accepted")
    write.commit()
    return build


def _run(slipway: Installation, build: BuildItem) -> tuple[list[str], BuildItem]:
    """Return the stages that the tasks lead to until it is deployed or over, and the build then."""
    stages = ["generate"]
    while stages[-1] not in ("prepare", "done"):
        payload = {"state": stages[-1].capitalize(), "build_id": build.build_id, "job_id": build.job_id}
        stages.append(slipway.invoke("ContractTasks", payload)["stage"])
    found = find_build(build.build_id)
    assert found is not None
    return stages, found


def _report(build: BuildItem) -> AuditReport:
    key = f"builds/{build.build_id}/audit-{int(build.rounds)}.json"
    return AuditReport.model_validate_json(boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def _correction(text: str) -> dict[str, Any]:
    return calls("submit_sources", {"sources": [{"name": "contracts/Counter.sol", "text": text}]})


def test_a_model_writes_mends_and_is_paid_for(slipway: Installation, answering: Callable[..., ScriptedClient]) -> None:
    broken = calls("submit_contract", draft(HOLE.replace("count += 1", "count += true")))
    client = answering(broken, calls("submit_contract", draft(HOLE)), review(), _correction(MENDED))
    stages, build = _run(slipway, _new())
    assert stages == ["generate", "compile", "audit", "fix", "prepare"]
    assert (build.engine, build.contract_name, bool(build.deployable)) == ("bedrock", "Counter", True)
    assert (build.usage["model_id"], build.usage["calls"], build.usage["cost"]) == (MODEL, 3, "0.018")
    assert json.loads(build.usage["prompt"])["request"] == "A counter that only its owner counts up"
    (done,) = _report(build).rounds
    assert (done.by, done.kept) == ("model", True)
    assert done.usage is not None
    assert done.usage.cost == "0.006"
    assert "line 2" in json.dumps(client.asked[1]["messages"][-1])


@pytest.mark.parametrize(
    ("answers", "code", "stages"),
    [
        ([calls("submit_contract", draft(COUNTER + 'import "/etc/passwd";'))] * 3, "GENERATION_FAILED", []),
        ([calls("submit_contract", draft("/" * 60_000))] * 3, "GENERATION_FAILED", []),
        ([calls("decline", {"reason": "That is no contract."})], "GENERATION_UNSUPPORTED", []),
        ([calls("submit_contract", draft(COUNTER + "}"))] * 3, "COMPILATION_FAILED", []),
        (
            [
                calls("submit_contract", draft(HOLE)),
                review(),
                _correction(COUNTER.replace("count += 1;", "")),
                *[None] * 9,
            ],
            "AUDIT_FAILED",
            ["compile", "audit", "fix"],
        ),
        ([calls("submit_contract", draft(COUNTER)), review(met=False)], "NOT_HONOURED", []),
        # A review that leaves out what binds is no review.
        ([calls("submit_contract", draft(COUNTER)), *[review("It counts")] * 3], "GENERATION_FAILED", []),
    ],
)
def test_what_is_of_no_use_ends_the_build_and_nothing_is_deployed(
    slipway: Installation,
    answering: Callable[..., ScriptedClient],
    answers: list[Any],
    code: str,
    stages: list[str],
) -> None:
    answering(*answers)
    went, build = _run(slipway, _new())
    assert went == ["generate", *stages, "done"]
    assert (build.status, build.error_code) == ("failed", code)
    assert build.deployable is None
