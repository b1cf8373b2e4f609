"""What can't be done or delivered comes into the dead-letter queue, and from there it is delivered again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from slipway.control import dead_letters
from slipway.control.dead_letters import DeadLetter, DeadLetterQueue, dead_letter
from tests.support.template import asynchronous_functions
from tests.support.waiting import eventually

ARRIVES_SECONDS = 60
POISON = {"poison": "it has nothing that is needed"}


@pytest.fixture(scope="module")
def queue(stack: Any) -> Iterator[DeadLetterQueue]:
    found = DeadLetterQueue(stack.client, stack.outputs["DeadLettersUrl"])
    _empty(stack)
    yield found
    _empty(stack)


def _empty(stack: Any) -> None:
    stack.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLettersUrl"])


def _as_operator(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment in which an operator gives commands."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.aws_endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", stack.described["region"])


def _function(stack: Any, logical_id: str) -> str:
    stacks = stack.client("cloudformation")
    (name,) = [entry["StackName"] for entry in stacks.describe_stacks()["Stacks"]]
    found = stacks.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def _arrived(queue: DeadLetterQueue, wanted: Callable[[DeadLetter], bool]) -> tuple[str, DeadLetter]:
    """Receipt and content of a letter; the others stay."""

    def letter_wanted() -> tuple[str, DeadLetter] | None:
        found = None
        for receipt, body, attributes in queue.letters():
            letter = dead_letter(body, attributes)
            if found is None and wanted(letter):
                found = receipt, letter
            else:
                queue.keep(receipt)
        return found

    return eventually(letter_wanted, within=ARRIVES_SECONDS, every=0.5, what="such a letter")


@pytest.mark.parametrize("logical_id", asynchronous_functions())
def test_an_event_that_a_function_can_not_take_arrives_with_what_was_wrong(
    stack: Any, queue: DeadLetterQueue, logical_id: str
) -> None:
    name = _function(stack, logical_id)
    answer = stack.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(POISON))
    assert answer["StatusCode"] == 202
    receipt, letter = _arrived(queue, lambda one: one.target.endswith(f":{name}"))
    assert letter.payload == POISON
    assert letter.reason.startswith("RetriesExhausted")
    # Delivered again it fails again, and comes back as another letter.
    queue.redrive(letter, receipt)
    receipt, letter = _arrived(queue, lambda one: one.target.endswith(f":{name}"))
    assert letter.payload == POISON
    queue.keep(receipt)


def test_the_command_reports_and_redrives(stack: Any, queue: DeadLetterQueue, monkeypatch: Any, capsys: Any) -> None:
    """A function that works takes its event; what nobody understands stays, and is told."""
    _empty(stack)
    sqs, url = stack.client("sqs"), stack.outputs["DeadLettersUrl"]
    account = stack.outputs["ReconcileArn"].split(":")[4]
    function = f"arn:aws:lambda:{stack.described['region']}:{account}:function:{_function(stack, 'HealthFunction')}"
    context = {"functionArn": f"{function}:$LATEST", "condition": "EventAgeExceeded"}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"requestContext": context, "requestPayload": {}}))
    attributes = {"TARGET_ARN": stack.outputs["UptimeFlushArn"], "ERROR_CODE": "AccessDenied", "ERROR_MESSAGE": "no"}
    sqs.send_message(
        QueueUrl=url,
        MessageBody="{}",
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )
    sqs.send_message(QueueUrl=url, MessageBody="what is this")
    before = _flushes(stack)
    _as_operator(stack, monkeypatch)
    assert dead_letters.main([url]) == 1
    told = capsys.readouterr()
    assert function in told.out
    assert f"{attributes['TARGET_ARN']}  AccessDenied: no" in told.out
    assert dead_letters.main([url, "--redrive"]) == 1
    assert "not a dead letter: what is this" in capsys.readouterr().err
    assert len(_flushes(stack)) > len(before)
    left = [body for _, body, _ in queue.letters()]
    assert left == ["what is this"]


def test_a_batch_of_a_stream_is_read_and_taken_again(stack: Any, queue: DeadLetterQueue, monkeypatch: Any) -> None:
    _empty(stack)
    table, key = stack.outputs["JobsTableName"], {"pk": {"S": f"BUILD#{uuid.uuid4()}"}, "sk": {"S": "UPDATE#00000001"}}
    stack.client("dynamodb").put_item(TableName=table, Item=key)
    streams = stack.client("dynamodbstreams")
    (arn,) = [entry["StreamArn"] for entry in streams.list_streams(TableName=table)["Streams"]]
    shard, number = next(
        (entry["ShardId"], record["dynamodb"]["SequenceNumber"])
        for entry in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        for record in _records(streams, arn, entry["ShardId"])
        if record["dynamodb"]["Keys"] == key
    )
    place = {"streamArn": arn, "shardId": shard, "startSequenceNumber": number, "endSequenceNumber": number}
    function = _function(stack, "BuildStreamFunction")
    context = {"functionArn": function, "condition": "RetryAttemptsExhausted"}
    stack.client("sqs").send_message(
        QueueUrl=stack.outputs["DeadLettersUrl"],
        MessageBody=json.dumps({"requestContext": context, "DDBStreamBatchInfo": place}),
    )
    _as_operator(stack, monkeypatch)
    assert dead_letters.main([stack.outputs["DeadLettersUrl"], "--redrive"]) == 0
    assert list(queue.letters()) == []


def _records(streams: Any, arn: str, shard: str) -> Iterator[dict[str, Any]]:
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    page = streams.get_records(ShardIterator=iterator["ShardIterator"])
    while page["Records"]:
        yield from page["Records"]
        page = streams.get_records(ShardIterator=page["NextShardIterator"])


def _flushes(stack: Any) -> list[str]:
    # AWS lists no runs of Express machines; the local engine does.
    machine = stack.outputs["UptimeFlushArn"]
    executions = stack.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return [str(entry["executionArn"]) for entry in executions]
