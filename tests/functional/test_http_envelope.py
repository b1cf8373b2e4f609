"""What every route shares: ids, headers, the envelope, metrics, and logs without secrets."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from slipway.tokens import service
from tests.support.functions import event
from tests.support.installation import Installation
from tests.support.wallets import ALICE, sign_in_message, sign_text


def _unknown(method: str, path: str) -> dict[str, Any]:
    """Return an event whose route leads to the deployments function though its path does not."""
    given = event("api_deployments_list")
    given["requestContext"]["http"] |= {"method": method, "path": path}
    given["rawPath"] = path
    return given


def test_an_unknown_path_is_refused_in_the_envelope(slipway: Installation) -> None:
    answer = slipway.send(_unknown("GET", "/api/nowhere"))
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert answer.body["success"] is False


def test_an_unknown_method_is_refused_in_the_envelope(slipway: Installation) -> None:
    answer = slipway.send(_unknown("PATCH", "/api/deployments"))
    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")


def test_a_trailing_slash_is_another_path(slipway: Installation) -> None:
    assert slipway.send(_unknown("GET", "/api/deployments/")).status in (401, 404)


def test_the_request_id_is_the_gateways_in_header_and_body(slipway: Installation) -> None:
    given = event("api_deployments_list")
    answer = slipway.send(given)
    assert answer.body["request_id"] == given["requestContext"]["requestId"]
    assert answer.headers["x-request-id"] == given["requestContext"]["requestId"]


def test_answers_are_not_kept_or_guessed_at(slipway: Installation) -> None:
    for answer in (slipway.api("api_identity_nonce"), slipway.api("api_deployments_list")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_surprise_is_an_envelope_that_reveals_nothing(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def surprise(*_: Any) -> Any:
        raise KeyError("internal detail")

    slipway.model()
    monkeypatch.setattr(service.TokenService, "request", surprise)
    answer = slipway.launch()
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert "internal detail" not in json.dumps(answer.body)
    assert answer.headers["x-request-id"] == answer.body["request_id"]
    counted = [entry for entry in _metrics(capsys) if "Requests" in entry and entry["route"] == "POST /api/deployments"]
    assert [entry["status"] for entry in counted] == ["500"]


def _metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_requests_are_counted_by_route_and_status(slipway: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    slipway.model()
    slipway.launch()
    slipway.launch()
    found = _metrics(capsys)
    requests = [entry for entry in found if "Requests" in entry]
    assert [(entry["route"], entry["status"]) for entry in requests] == [
        ("POST /api/deployments", "202"),
        ("POST /api/deployments", "409"),
    ]
    assert {entry["_aws"]["CloudWatchMetrics"][0]["Namespace"] for entry in found} == {"Slipway"}
    durations = [entry for entry in found if "RequestDuration" in entry]
    assert len(durations) == 2
    assert all(entry["RequestDuration"] > 0 for entry in durations)
    assert [entry["outcome"] for entry in found if "Launches" in entry] == ["accepted"]


def test_a_callers_correlation_id_is_on_every_line(slipway: Installation, caplog: pytest.LogCaptureFixture) -> None:
    from slipway.observability import logger

    seen: list[dict[str, Any]] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(dict(logger.get_current_keys()))

    keeper = Keeper()
    logger._logger.addHandler(keeper)
    try:
        slipway.api("api_deployments_list", headers={"x-correlation-id": "frontend-42"})
        slipway.api("api_deployments_list", headers={"x-correlation-id": 'evil"\ninjection'})
    finally:
        logger._logger.removeHandler(keeper)
    ids = [keys["correlation_id"] for keys in seen]
    assert "frontend-42" in ids
    assert ids[-1] == seen[-1]["request_id"]


def test_no_secret_reaches_a_log_or_the_trail(
    slipway: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Tokens, signatures and the key in the RPC address are canaries."""
    caplog.set_level(logging.INFO)
    slipway.model()
    token = slipway.token()
    wrong = token[:-8] + "AAAAAAAA"
    message = sign_in_message(nonce="abcdefgh12345678")
    body = {"model_id": "sentiment-v2", "user_address": ALICE.address}
    slipway.launch(token=token)
    slipway.launch(token=wrong)
    slipway.api("api_deployments_create", body={**body, "auth_token": token})
    slipway.api("api_deployments_create", body={**body, "auth_token": wrong})
    slipway.api("api_deployments_create", body={**body, "auth_token": token, "extra": 1})
    slipway.api("api_identity_verify", body={"message": message, "signature": sign_text(message)})
    slipway.node.answers["eth_feeHistory"] = None
    slipway.model("other")
    slipway.launch("other", token=token)
    captured = capfd.readouterr()
    told = caplog.text + captured.out + captured.err
    told += json.dumps([slipway.items("jobs"), slipway.items("control")], default=str)
    assert "request" in told
    for name, canary in {
        "token": token.split(".")[2],
        "claims": token.split(".")[1],
        "wrong token": wrong,
        "signature": sign_text(message)[2:],
        "RPC key": "canary-rpc-key",
    }.items():
        assert canary not in told, name
