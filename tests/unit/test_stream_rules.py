"""What a client of a stream asks for, and what it is answered."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.front_door import STREAM_SUBPROTOCOL, WEBSOCKET_STAGE
from slipway.errors import ValidationFailedError
from slipway.streams.models import Handshake
from slipway.streams.rules import SUBPROTOCOL, handshake, may_open, message_of, protocol_headers, reply_to
from tests.support.template import ROOT, resources

BUILD = "6f0d9a52-30f5-4a3c-8d5e-0f2c7a1b9e11"
PROTOCOL = "Sec-WebSocket-Protocol"


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({PROTOCOL: "bearer, abc.def.ghi"}, "abc.def.ghi"),
        ({"sec-websocket-protocol": "bearer,abc"}, "abc"),
        ({PROTOCOL: "chat, bearer, abc, other"}, "abc"),
        ({PROTOCOL: "bearer"}, None),
        ({PROTOCOL: "abc"}, None),
        ({PROTOCOL: ""}, None),
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"authorization": "Basic abc"}, None),
        ({"Authorization": "Bearer "}, None),
        ({PROTOCOL: "bearer, abc", "Authorization": "Bearer other"}, "abc"),
        ({}, None),
    ],
)
def test_the_token_is_what_follows_bearer(headers: dict[str, str], token: str | None) -> None:
    assert handshake(headers, {"build_id": BUILD}) == Handshake(BUILD, 0, token, None)


def test_the_subprotocol_is_chosen_only_when_it_is_offered() -> None:
    assert protocol_headers({"sec-websocket-protocol": "bearer, abc"}) == {PROTOCOL: "bearer"}
    assert protocol_headers({PROTOCOL: "chat"}) == protocol_headers({}) == {}


def test_a_position_and_a_ticket_come_by_the_query() -> None:
    assert handshake({}, {"build_id": BUILD, "after": "12", "ticket": "t"}) == Handshake(BUILD, 12, None, "t")
    assert handshake({}, {"build_id": BUILD, "after": ""}).after == 0


@pytest.mark.parametrize("query", [{}, {"build_id": ""}, {"build_id": BUILD.upper()}, {"build_id": f"{BUILD}#x"}])
def test_only_the_id_of_a_build_names_one(query: dict[str, str]) -> None:
    with pytest.raises(ValidationFailedError, match="build_id"):
        handshake({}, query)


@given(st.text())
def test_a_position_is_a_whole_number_or_refused(text: str) -> None:
    query = {"build_id": BUILD, "after": text}
    if text and not (text.isascii() and text.isdigit() and len(text) <= 8):
        with pytest.raises(ValidationFailedError, match="after"):
            handshake({}, query)
    else:
        assert handshake({}, query).after == int(text or 0)


@given(st.dictionaries(st.text(), st.text()), st.text())
def test_no_header_makes_it_fail(headers: dict[str, str], value: str) -> None:
    handshake({**headers, PROTOCOL: value}, {"build_id": BUILD})
    protocol_headers({**headers, PROTOCOL: value})


@given(st.text())
def test_whatever_a_client_sends_is_answered(text: str) -> None:
    assert reply_to(text)["status"] == "error"


def test_a_ping_is_answered() -> None:
    assert reply_to('{"action": "ping", "id": 1}') == {"action": "pong"}


def test_an_event_is_reported_in_the_words_of_the_specification() -> None:
    told = json.loads(message_of("generating", 45, "code_generation", "Writing “Token”", 3))
    assert told == {
        "status": "generating",
        "progress": 45,
        "step": "code_generation",
        "message": "Writing “Token”",
        "sequence": 3,
    }


def test_who_was_written_to_or_is_too_old_does_not_open_any_more() -> None:
    assert may_open(opened=False, age=1)
    assert not may_open(opened=True, age=1)
    assert not may_open(opened=False, age=21)


def test_the_stage_is_the_one_of_the_front_door_and_the_local_engine() -> None:
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    assert stage["StageName"] == WEBSOCKET_STAGE
    assert SUBPROTOCOL == STREAM_SUBPROTOCOL
    assert f"{{websocket_api}}/{WEBSOCKET_STAGE}" in (ROOT / "local" / "engine" / "runtime.py").read_text()


def test_a_connection_outlives_what_opens_it_and_a_turn_whichever_process_writes() -> None:
    from slipway.streams.delivery import REPLAY_SECONDS, WRITING_SECONDS
    from slipway.streams.rules import OPENING_SECONDS
    from slipway.streams.store import LEASE_SECONDS
    from tests.support.template import functions

    timeout = functions()["StreamConnectionsFunction"].get("Timeout", 15)
    assert timeout < OPENING_SECONDS < REPLAY_SECONDS
    # The two seconds of connecting and the three of waiting that a post may take.
    assert WRITING_SECONDS + 5 < LEASE_SECONDS < REPLAY_SECONDS
    for name in ("BuildReplayFunction", "BuildStreamFunction"):
        assert functions()[name]["Timeout"] > REPLAY_SECONDS + WRITING_SECONDS + 5


def test_the_tables_stream_reports_only_new_progress_of_builds() -> None:
    (source,) = [
        entry
        for entry in resources("AWS::Lambda::EventSourceMapping").values()
        if entry["FunctionName"] == {"Ref": "BuildStreamFunction"}
    ]
    (filter_,) = source["FilterCriteria"]["Filters"]
    assert json.loads(filter_["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "BUILD#"}]}, "sk": {"S": [{"prefix": "UPDATE#"}]}}},
    }
    assert source["BisectBatchOnFunctionError"] is True
    assert 0 < source["MaximumRetryAttempts"] <= 10
    assert source["MaximumRecordAgeInSeconds"] <= 600
    assert source["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": "DeadLetters.Arn"}
