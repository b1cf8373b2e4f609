"""``python -m slipway.control.dead_letters QUEUE_URL`` lists what could not be delivered; ``--redrive`` delivers it.

Three kinds of messages come into the queue:

- what a function that was invoked asynchronously did not do (Lambda's destination record, with the event in it);
- a batch of a table's stream that a function did not take (the same, with the batch's place in the stream);
- a state machine that the schedule could not start (the input as body, EventBridge Scheduler's attributes beside it).
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.exceptions

# SQS hides a message from other readers for so long; in that time it is redriven or left.
_HIDDEN_SECONDS = 120
_MAX_AT_ONCE = 10
_RECORDS_AT_ONCE = 100
_MAX_PAGES = 20


@dataclass(frozen=True)
class StreamBatch:
    """Where records lie that a function did not take. They are kept for a day."""

    stream_arn: str
    shard_id: str
    first: str
    last: str


@dataclass(frozen=True)
class DeadLetter:
    """Something that was not delivered.

    Attributes:
        target: ARN of the function or state machine that should have got it.
        payload: What it should have got; None where that has to be read from a stream.
        batch: Where in the stream, for a batch of it.
        reason: Why it did not, in AWS's words.
    """

    target: str
    payload: Any
    batch: StreamBatch | None
    reason: str


def dead_letter(body: str, attributes: Mapping[str, str]) -> DeadLetter:
    """Read a message of the queue.

    Raises:
        ValueError: It is none of the three kinds.
    """
    try:
        record = json.loads(body)
        if "TARGET_ARN" in attributes:
            reason = f"{attributes.get('ERROR_CODE', '')}: {attributes.get('ERROR_MESSAGE', '')}"
            return DeadLetter(attributes["TARGET_ARN"], record, None, reason)
        context = record["requestContext"]
        target = str(context["functionArn"]).removesuffix(":$LATEST")
        why = record.get("responsePayload") or record.get("responseContext") or {}
        reason = f"{context['condition']}: {why.get('errorMessage') or why.get('functionError') or 'no answer'}"
        if "DDBStreamBatchInfo" in record:
            place = record["DDBStreamBatchInfo"]
            batch = StreamBatch(
                place["streamArn"],
                place["shardId"],
                place["startSequenceNumber"],
                place["endSequenceNumber"],
            )
            return DeadLetter(target, None, batch, reason)
        return DeadLetter(target, record["requestPayload"], None, reason)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a dead letter: {body[:200]}") from error


class DeadLetterQueue:
    """The queue of an installation.

    Args:
        client: Makes the client of a service, as ``boto3.client`` does.
        url: The queue's URL, output ``DeadLettersUrl``.
    """

    def __init__(self, client: Callable[[str], Any], url: str) -> None:
        self._client = client
        self._sqs = client("sqs")
        self._url = url

    def letters(self) -> Iterator[tuple[str, str, Mapping[str, str]]]:
        """Yield receipt, body and attributes of each message, once; those that are not deleted come back by
        themselves."""
        seen: set[str] = set()
        while True:
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_MAX_AT_ONCE,
                VisibilityTimeout=_HIDDEN_SECONDS,
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            new = [message for message in messages if message["MessageId"] not in seen]
            if not new:
                return
            for message in new:
                seen.add(message["MessageId"])
                given = message.get("MessageAttributes", {})
                attributes = {name: str(value.get("StringValue", "")) for name, value in given.items()}
                yield message["ReceiptHandle"], message["Body"], attributes

    def redrive(self, letter: DeadLetter, receipt: str) -> None:
        """Deliver a letter again and delete it. What fails once more comes back as another letter.

        Raises:
            botocore.exceptions.ClientError: AWS refused; the letter stays.
            LookupError: The stream does not have the batch any more, or it failed again; the letter stays.
        """
        if letter.batch:
            self._take_again(letter.target, letter.batch)
        elif ":states:" in letter.target:
            self._client("stepfunctions").start_execution(
                stateMachineArn=letter.target, input=json.dumps(letter.payload)
            )
        else:
            self._client("lambda").invoke(
                FunctionName=letter.target, InvocationType="Event", Payload=json.dumps(letter.payload)
            )
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    def keep(self, receipt: str) -> None:
        """Let a message be seen again at once."""
        self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0)

    def _take_again(self, function: str, batch: StreamBatch) -> None:
        """Invoke a function with the records of a batch, and wait: what it can't take is kept only in the letter."""
        records = list(self._records(batch))
        if not records:
            raise LookupError(f"{batch.stream_arn} has nothing from {batch.first} to {batch.last}")
        for begin in range(0, len(records), _RECORDS_AT_ONCE):
            event = {"Records": records[begin : begin + _RECORDS_AT_ONCE]}
            answer = self._client("lambda").invoke(
                FunctionName=function, InvocationType="RequestResponse", Payload=json.dumps(event, default=_seconds)
            )
            if "FunctionError" in answer:
                raise LookupError(f"{function} failed again: {answer['FunctionError']}")

    def _records(self, batch: StreamBatch) -> Iterator[dict[str, Any]]:
        """Yield records from the batch's first to its last, with those between them that were not meant for the
        function."""
        streams = self._client("dynamodbstreams")
        iterator = streams.get_shard_iterator(
            StreamArn=batch.stream_arn,
            ShardId=batch.shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch.first,
        )["ShardIterator"]
        for _ in range(_MAX_PAGES):
            page = streams.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > int(batch.last):
                    return
                yield {**record, "eventSourceARN": batch.stream_arn}
            iterator = page.get("NextShardIterator")
            if not iterator or not page["Records"]:
                return


def _seconds(moment: Any) -> float:
    return float(moment.timestamp())


def main(arguments: list[str]) -> int:
    """Tell, and with ``--redrive`` deliver, every message.

    Returns:
        0 when no message is left that could not be dealt with; 1 otherwise.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("queue_url")
    parser.add_argument("--redrive", action="store_true")
    given = parser.parse_args(arguments)
    client: Any = boto3.client  # Its overloads want a literal name.
    queue = DeadLetterQueue(client, given.queue_url)
    left = 0
    kept: list[str] = []
    for receipt, body, attributes in queue.letters():
        try:
            letter = dead_letter(body, attributes)
            print(f"{letter.target}  {letter.reason}")
            if given.redrive:
                queue.redrive(letter, receipt)
                continue
        except (ValueError, LookupError, botocore.exceptions.ClientError) as error:
            print(f"  not redriven: {error}", file=sys.stderr)
            left += 1
        kept.append(receipt)
    for receipt in kept:
        queue.keep(receipt)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
