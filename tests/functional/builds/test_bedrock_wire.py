"""Converse as botocore speaks it, against a server of Converse's shapes and against the local engine's Bedrock.

The engine hands a conversation on to a server of chat completions, so what its model answers is chosen here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bench.engine import engine
from local.uv import python_of
from slipway import store
from slipway.builds.audit.auditor import Auditor
from slipway.builds.audit.deployable import check_deployable
from slipway.builds.model import bedrock
from slipway.builds.models import Generation, GenerationRequest
from slipway.builds.pipeline.engines import fixer_of, generator_of
from slipway.errors import GenerationFailedError, UpstreamAuthenticationError, UpstreamUnavailableError
from tests.support.bedrock import COUNTER, MODEL, OWNER, SETTINGS, answer, calls, draft, review, served
from tests.support.installation import Installation

REQUEST = GenerationRequest(prompt="A counter that only its owner counts up", owner=OWNER)


@pytest.fixture(autouse=True)
def _own_clients(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each client be new: it reads its address when it is made. The models' budget is in the table."""
    monkeypatch.setattr(bedrock, "_FIRST_PAUSE", 0.001)
    store.aws_client.cache_clear()
    yield
    store.aws_client.cache_clear()


def test_a_contract_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = (429, {"__type": "ThrottlingException", "message": "slow down"})
    with served([busy, (200, calls("submit_contract", draft())), (200, review())]) as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url)
        made = generator_of(SETTINGS).generate(REQUEST)
    assert made.source == COUNTER
    assert made.usage is not None
    assert (made.usage.calls, made.usage.cost) == (2, "0.012")
    assert [entry["path"] for entry in asked] == [f"/model/{MODEL}/converse"] * 3
    assert asked[0]["authorization"].startswith("AWS4-HMAC-SHA256 ")
    body = asked[1]["body"]
    assert body == asked[0]["body"]
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    assert json.loads(body["messages"][0]["content"][0]["text"])["request"] == REQUEST.prompt


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDeniedException", UpstreamAuthenticationError),
        (503, "ServiceUnavailableException", UpstreamUnavailableError),
        (500, "InternalServerException", UpstreamUnavailableError),
    ],
)
def test_errors_over_http(monkeypatch: pytest.MonkeyPatch, status: int, code: str, kind: type[Exception]) -> None:
    with served([(status, {"__type": code, "message": "no"})] * bedrock.MAX_TRIES) as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url)
        with pytest.raises(kind):
            generator_of(SETTINGS).generate(REQUEST)
    assert len(asked) == (1 if status == 403 else bedrock.MAX_TRIES), "botocore retries nothing of its own"


def test_nobody_listening_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    with pytest.raises(UpstreamUnavailableError):
        generator_of(SETTINGS).generate(REQUEST)


def completion(found: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return an answer of Converse as chat completions give it."""
    blocks = found["output"]["message"]["content"]
    uses = [block["toolUse"] for block in blocks if "toolUse" in block]
    return 200, {
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "content": "".join(block.get("text", "") for block in blocks) or None,
                    "tool_calls": [
                        {
                            "id": use["toolUseId"],
                            "type": "function",
                            "function": {"name": use["name"], "arguments": json.dumps(use["input"])},
                        }
                        for use in uses
                    ],
                }
            }
        ],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 200},
    }


def correction(text: str) -> dict[str, Any]:
    return calls("submit_sources", {"sources": [{"name": "contracts/Counter.sol", "text": text}]})


@pytest.mark.skipif(not python_of("ministack").exists(), reason="needs the local engine: `make test` sets it up")
def test_a_contract_by_the_engines_bedrock_is_compiled_audited_mended_and_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hole = (
        "    function pay(address payable to) external {\n        to.transfer(1 wei);\n    }\n\n    /// @param initial"
    )
    vulnerable = COUNTER.replace("    /// @param initial", "    receive() external payable {}\n\n" + hole)
    mended = vulnerable.replace("external {\n        to.", "external onlyOwner {\n        to.")
    answers = [
        answer([{"text": "Gladly! Here it is."}]),
        calls("submit_contract", draft(COUNTER + 'import "/etc/passwd";')),
        calls("submit_contract", draft(vulnerable)),
        review(),
        correction(mended),
        correction(COUNTER.replace("count += 1", "selfdestruct(payable(msg.sender))")),
        correction("contract Counter {"),
        correction("contract Counter {"),
    ]
    with (
        served([completion(found) for found in answers]) as (model, asked),
        engine({"MINISTACK_BEDROCK_PROXY_URL": model}) as address,
        Auditor() as auditor,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", address)

        def check(written: Generation) -> None:
            compilation = auditor.compile({"contracts/Counter.sol": written.source})
            check_deployable(compilation, "Counter", written.constructor_arguments)

        made = generator_of(SETTINGS, check).generate(REQUEST)
        assert made.source == vulnerable
        assert made.usage is not None
        assert (made.usage.calls, made.usage.input_tokens, made.usage.cost) == (4, 4000, "0.024")
        outcome = auditor.audit_and_fix({"contracts/Counter.sol": made.source}, fixer_of(SETTINGS))
        assert outcome.report.passed
        assert [(done.by, done.kept) for done in outcome.report.rounds] == [("model", True)]
        assert outcome.compilation.sources == {"contracts/Counter.sol": mended}
        hostile = auditor.audit_and_fix({"contracts/Counter.sol": vulnerable}, fixer_of(SETTINGS))
        assert not hostile.report.passed
        assert [(done.by, done.kept) for done in hostile.report.rounds] == [("model", False)]
    assert "Call one tool once" in json.dumps(asked[1]["body"]["messages"][-1])
    assert "imported" in json.dumps(asked[2]["body"]["messages"])
    assert {tool["function"]["name"] for tool in asked[0]["body"]["tools"]} == {"submit_contract", "decline"}


@pytest.mark.skipif(not python_of("ministack").exists(), reason="needs the local engine: `make test` sets it up")
def test_a_model_that_only_talks_gives_no_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    with engine() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", address)
        with pytest.raises(GenerationFailedError) as raised:
            generator_of(SETTINGS).generate(REQUEST)
    assert raised.value.details is not None
    assert raised.value.details["usage"]["calls"] == bedrock.MAX_ANSWERS
