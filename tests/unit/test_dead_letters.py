"""Nothing asynchronous gets lost: what fails comes into one queue, which has an alarm, and can be read and redriven."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions
import pytest
from hypothesis import given
from hypothesis import strategies as some

from slipway.control import dead_letters
from slipway.control.dead_letters import DeadLetterQueue, StreamBatch, dead_letter
from slipway.notifications.rules import pause_after
from tests.support.template import ROOT, allows, asynchronous_functions, functions, resources, template

QUEUE = {"Fn::GetAtt": "DeadLetters.Arn"}
ON_FAILURE = {"OnFailure": {"Type": "SQS", "Destination": QUEUE}}
# Callers of these wait for the answer.
SYNCHRONOUS = {"HttpApi"}
WITH_EVENTS = {**functions(), **resources("AWS::Serverless::StateMachine")}
SOURCES = [
    pytest.param(event, id=f"{owner}-{name}")
    for owner, entry in WITH_EVENTS.items()
    for name, event in entry.get("Events", {}).items()
    if event["Type"] not in SYNCHRONOUS
]
# Each brings events to somebody who does not wait. Whoever needs one says here what becomes of events that fail.
BARE_SOURCES = {
    "AWS::Events::Rule",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Pipes::Pipe",
    "AWS::S3::BucketNotification",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
}


@pytest.mark.parametrize("event", SOURCES)
def test_every_event_that_waits_for_nobody_has_bounded_tries_and_a_dead_letter_queue(event: dict[str, Any]) -> None:
    if event["Type"] != "ScheduleV2":
        pytest.fail(f"say what happens to events of {event['Type']} that can't be delivered")
    assert event["Properties"]["DeadLetterConfig"] == {"Arn": QUEUE}
    assert set(event["Properties"]["RetryPolicy"]) == {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"}


# Its messages come again by the queue's own redrive policy.
QUEUED = {"NotificationQueueSource"}


def test_a_queue_of_notifications_has_bounded_tries_and_a_dead_letter_queue() -> None:
    queues = resources("AWS::SQS::Queue")
    policy = queues["Notifications"]["RedrivePolicy"]
    assert policy["deadLetterTargetArn"] == {"Fn::GetAtt": "UndeliveredNotifications.Arn"}
    pauses = sum(pause_after(tries) for tries in range(1, policy["maxReceiveCount"]))
    assert 23 * 3600 <= pauses <= 25 * 3600
    assert queues["Notifications"]["MessageRetentionPeriod"] > 25 * 3600
    assert queues["UndeliveredNotifications"]["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize("name", sorted(set(resources("AWS::Lambda::EventSourceMapping")) - QUEUED))
def test_every_stream_has_bounded_tries_and_a_dead_letter_queue(name: str) -> None:
    source = resources("AWS::Lambda::EventSourceMapping")[name]
    assert source["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}
    assert allows(source["FunctionName"]["Ref"], "sqs:SendMessage", "DeadLetters")
    # One record that can't be taken must not hold up the others for a day.
    assert 0 <= source["MaximumRetryAttempts"] <= 10
    assert 60 <= source["MaximumRecordAgeInSeconds"] <= 86_400
    assert source["BisectBatchOnFunctionError"] is True


def test_there_are_no_sources_besides() -> None:
    assert SOURCES
    kinds = {entry["Type"] for entry in template()["Resources"].values()}
    assert not kinds & BARE_SOURCES
    assert not [name for name, entry in resources("AWS::S3::Bucket").items() if "NotificationConfiguration" in entry]


@pytest.mark.parametrize("name", asynchronous_functions())
def test_a_function_that_others_invoke_sends_what_it_can_not_do_to_the_queue(name: str) -> None:
    config = functions()[name]["EventInvokeConfig"]
    assert config["DestinationConfig"] == ON_FAILURE
    assert 0 <= config["MaximumRetryAttempts"] <= 2
    assert 60 <= config["MaximumEventAgeInSeconds"] <= 21_600


def test_functions_invoke_each_other_asynchronously_only() -> None:
    """So that the policies name every function that is invoked so."""
    calls = [
        {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        for folder in ("layers/slipway/slipway", "functions")
        for path in (ROOT / folder).rglob("*.py")
        # One runs where an operator waits, one hands a request on for which its caller waits.
        if path.name not in ("dead_letters.py", "forwarding.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "invoke"
    ]
    assert calls
    assert {call["InvocationType"] for call in calls} == {"'Event'"}


def test_the_queue_keeps_what_it_gets_for_two_weeks_and_has_an_alarm() -> None:
    queue = resources("AWS::SQS::Queue")["DeadLetters"]
    assert queue == {"MessageRetentionPeriod": 14 * 86_400, "SqsManagedSseEnabled": True}
    alarm, undelivered = [
        entry
        for entry in resources("AWS::CloudWatch::Alarm").values()
        if entry["MetricName"] == "ApproximateNumberOfMessagesVisible"
    ]
    assert undelivered["Dimensions"][0]["Value"] == {"Fn::GetAtt": "UndeliveredNotifications.QueueName"}
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": "DeadLetters.QueueName"}}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert "AlarmActions" in alarm


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:refresh"
STREAM = "arn:aws:dynamodb:eu-central-1:111122223333:table/jobs/stream/2026-11-01T00:00:00.000"
# As in the Lambda Developer Guide, "Retaining records of asynchronous invocations".
INVOCATION = {
    "version": "1.0",
    "timestamp": "2026-11-14T18:16:05.568Z",
    "requestContext": {
        "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
        "functionArn": f"{FUNCTION}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    },
    "requestPayload": {"providers": True},
    "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    "responsePayload": {"errorMessage": "RequestId: e4b46cbf Process exited before completing request"},
}
# "Retain discarded batches with an on-failure destination".
BATCH = {
    "requestContext": {
        "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
        "functionArn": FUNCTION,
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 1,
    },
    "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    "version": "1.0",
    "timestamp": "2026-11-14T00:13:49.717Z",
    "DDBStreamBatchInfo": {
        "shardId": "shardId-00000001573689847184-864758bb",
        "startSequenceNumber": "800000000003126276362",
        "endSequenceNumber": "800000000003126276364",
        "approximateArrivalOfFirstRecord": "2026-11-14T00:13:19Z",
        "approximateArrivalOfLastRecord": "2026-11-14T00:13:19Z",
        "batchSize": 2,
        "streamArn": STREAM,
    },
}
MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:Reconcile"
# "Configuring a dead-letter queue for EventBridge Scheduler".
SCHEDULE = {
    "ERROR_CODE": "AWS.Scheduler.InternalServerError",
    "ERROR_MESSAGE": "No such state machine",
    "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    "IS_PAYLOAD_TRUNCATED": "false",
    "RETRY_ATTEMPTS": "2",
    "SCHEDULE_ARN": "arn:aws:scheduler:eu-central-1:111122223333:schedule/default/EveryMinute",
    "TARGET_ARN": MACHINE,
}


class Aws:
    """Clients that note what they are asked."""

    def __init__(
        self, messages: list[dict[str, Any]] | None = None, records: list[dict[str, Any]] | None = None
    ) -> None:
        self.messages, self.records = messages or [], records or []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuses: set[str] = set()
        self.fails = False

    def client(self, service: str) -> Any:
        return Client(self, service)


class Client:
    def __init__(self, aws: Aws, service: str) -> None:
        self._aws, self._service = aws, service

    def __getattr__(self, operation: str) -> Any:
        def call(**given: Any) -> dict[str, Any]:
            self._aws.asked.append((f"{self._service}.{operation}", given))
            if operation in self._aws.refuses:
                raise botocore.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, operation)
            if operation == "receive_message":
                return {"Messages": self._aws.messages} if self._aws.messages else {}
            if operation == "get_records":
                return {"Records": self._aws.records}
            if operation == "invoke":
                return {"FunctionError": "Unhandled"} if self._aws.fails else {}
            return {"ShardIterator": "iterator"}

        return call


def _message(body: str, attributes: dict[str, str] | None = None, name: str = "1") -> dict[str, Any]:
    told = {key: {"DataType": "String", "StringValue": value} for key, value in (attributes or {}).items()}
    return {"MessageId": name, "ReceiptHandle": f"receipt-{name}", "Body": body, "MessageAttributes": told}


def test_an_invocation_is_delivered_to_its_function_again() -> None:
    letter = dead_letter(json.dumps(INVOCATION), {})
    assert (letter.target, letter.payload) == (FUNCTION, {"providers": True})
    assert letter.reason == "RetriesExhausted: RequestId: e4b46cbf Process exited before completing request"
    aws = Aws()
    DeadLetterQueue(aws.client, "url").redrive(letter, "receipt")
    payload = json.dumps({"providers": True})
    assert aws.asked == [
        ("lambda.invoke", {"FunctionName": FUNCTION, "InvocationType": "Event", "Payload": payload}),
        ("sqs.delete_message", {"QueueUrl": "url", "ReceiptHandle": "receipt"}),
    ]


def test_a_schedules_state_machine_is_started() -> None:
    letter = dead_letter("{}", SCHEDULE)
    assert (letter.target, letter.reason) == (MACHINE, "AWS.Scheduler.InternalServerError: No such state machine")
    aws = Aws()
    DeadLetterQueue(aws.client, "url").redrive(letter, "receipt")
    assert [name for name, _ in aws.asked] == ["stepfunctions.start_execution", "sqs.delete_message"]


def _record(number: int) -> dict[str, Any]:
    moment = datetime(2026, 11, 14, tzinfo=UTC)
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": moment}}


def test_a_batch_is_read_from_its_stream_and_nothing_that_follows_it() -> None:
    letter = dead_letter(json.dumps(BATCH), {})
    first = 800000000003126276362
    assert letter.batch == StreamBatch(STREAM, "shardId-00000001573689847184-864758bb", str(first), str(first + 2))
    aws = Aws(records=[_record(first), _record(first + 2), _record(first + 3)])
    DeadLetterQueue(aws.client, "url").redrive(letter, "receipt")
    sent = json.loads(next(given for name, given in aws.asked if name == "lambda.invoke")["Payload"])["Records"]
    assert [record["dynamodb"]["SequenceNumber"] for record in sent] == [str(first), str(first + 2)]
    assert {record["eventSourceARN"] for record in sent} == {STREAM}
    # As in the events that Lambda makes of a stream.
    assert sent[0]["dynamodb"]["ApproximateCreationDateTime"] == datetime(2026, 11, 14, tzinfo=UTC).timestamp()


def test_a_batch_that_fails_again_stays() -> None:
    aws = Aws(records=[_record(800000000003126276362)])
    aws.fails = True
    with pytest.raises(LookupError, match="failed again"):
        DeadLetterQueue(aws.client, "url").redrive(dead_letter(json.dumps(BATCH), {}), "receipt")
    assert "sqs.delete_message" not in [name for name, _ in aws.asked]


def test_a_batch_that_the_stream_has_no_more_stays() -> None:
    aws = Aws(records=[])
    with pytest.raises(LookupError):
        DeadLetterQueue(aws.client, "url").redrive(dead_letter(json.dumps(BATCH), {}), "receipt")
    assert "sqs.delete_message" not in [name for name, _ in aws.asked]


@given(
    some.one_of(some.text(), some.recursive(some.none() | some.integers() | some.text(), some.lists).map(json.dumps))
)
def test_anything_else_is_reported_as_none(body: str) -> None:
    with pytest.raises(ValueError, match="not a dead letter"):
        dead_letter(body, {})


def test_the_command_reports_all_and_redrives_what_it_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = Aws([_message(json.dumps(INVOCATION)), _message("{}", SCHEDULE, "2")])
    monkeypatch.setattr(dead_letters, "boto3", aws)
    assert dead_letters.main(["url"]) == 0
    assert capsys.readouterr().out.count("arn:") == 2
    visible = [given for name, given in aws.asked if name == "sqs.change_message_visibility"]
    assert [(one["ReceiptHandle"], one["VisibilityTimeout"]) for one in visible] == [("receipt-1", 0), ("receipt-2", 0)]
    aws.refuses = {"invoke"}
    assert dead_letters.main(["url", "--redrive"]) == 1
    assert "not redriven" in capsys.readouterr().err
    deleted = [given["ReceiptHandle"] for name, given in aws.asked if name == "sqs.delete_message"]
    assert deleted == ["receipt-2"]


def test_an_empty_queue_is_reported_as_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "boto3", Aws())
    assert dead_letters.main(["url"]) == 0
