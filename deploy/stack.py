"""One CloudFormation stack: what a template would change, and making it so. Knows nothing of what is in it.

A change set is made, read and judged before it is executed, so that nothing is replaced unseen. The same code deploys
to AWS and to the local engine.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

# What can't be made again from code: its replacement or removal has to be allowed by name.
IRREPLACEABLE = frozenset({"AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket"})
_CHANGE_SET_SECONDS, _STACK_SECONDS = 600.0, 3600.0
_MAX_PAUSE = 5.0
_BUCKET_REGION_WITHOUT_CONSTRAINT = "us-east-1"


class StackError(Exception):
    """The stack can't be changed, or its change failed; says why."""


@dataclass(frozen=True)
class Change:
    """One resource that a change set adds, modifies or removes."""

    action: str
    logical_id: str
    kind: str
    replacement: str

    @property
    def is_replaced(self) -> bool:
        """Whether the resource is, or may be, made anew."""
        return self.action == "Modify" and self.replacement in ("True", "Conditional")

    @property
    def is_dangerous(self) -> bool:
        """Whether something that can't be made again would be left behind or lost."""
        return self.kind in IRREPLACEABLE and (self.is_replaced or self.action == "Remove")

    def __str__(self) -> str:
        replaced = {"True": ", replaced", "Conditional": ", perhaps replaced"}
        return f"{self.action:<7} {self.logical_id} ({self.kind}){replaced.get(self.replacement, '')}"


@dataclass(frozen=True)
class ChangeSet:
    """A change set that is ready to be executed; without changes there is nothing to execute."""

    arn: str
    changes: tuple[Change, ...]

    def dangers(self, allowed: frozenset[str] = frozenset()) -> tuple[Change, ...]:
        """Return the dangerous changes that nobody allowed by the resource's logical id."""
        return tuple(change for change in self.changes if change.is_dangerous and change.logical_id not in allowed)


class Stack:
    """A stack by name.

    Args:
        client: boto3's CloudFormation client.
        name: The stack's.
        sleep: Waits some seconds between two looks.
        clock: Seconds of any origin.
        least_pause: Seconds until the second look; each further one waits longer, up to five seconds.
    """

    def __init__(
        self,
        client: Any,
        name: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        least_pause: float = 1.0,
    ) -> None:
        self._client = client
        self.name = name
        self._sleep = sleep
        self._clock = clock
        self._least_pause = least_pause

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs by name; empty for one that is not there."""
        found = self._describe()
        return {entry["OutputKey"]: entry["OutputValue"] for entry in (found or {}).get("Outputs", [])}

    def resources(self) -> list[tuple[str, str, str]]:
        """Return logical id, type and physical id of each resource."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return [
            (entry["LogicalResourceId"], entry["ResourceType"], entry.get("PhysicalResourceId", ""))
            for page in pages
            for entry in page["StackResourceSummaries"]
        ]

    def propose(self, template_url: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> ChangeSet:
        """Make a change set and wait until it is known what it changes; one without changes is deleted at once.

        Raises:
            StackError: CloudFormation refuses it, or a former operation has not ended well.
        """
        found = self._describe()
        status = found["StackStatus"] if found else "REVIEW_IN_PROGRESS"
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise StackError(f"{self.name} is in {status}: wait until that is over")
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"):
            raise StackError(f"{self.name} is in {status}: its first deployment failed. Delete the stack and try again")
        digest = hashlib.sha256(repr((template_url, sorted(parameters.items()), time.time_ns())).encode()).hexdigest()
        answer = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"slipway-{digest[:16]}",
            ChangeSetType="CREATE" if status == "REVIEW_IN_PROGRESS" else "UPDATE",
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        return self._proposed(answer["Id"])

    def _proposed(self, arn: str) -> ChangeSet:
        def poll() -> dict[str, Any] | None:
            found: dict[str, Any] = self._client.describe_change_set(ChangeSetName=arn, StackName=self.name)
            return found if found["Status"] in ("CREATE_COMPLETE", "FAILED") else None

        found = self._wait(poll, _CHANGE_SET_SECONDS, "its change set")
        if found["Status"] == "FAILED":
            self._client.delete_change_set(ChangeSetName=arn, StackName=self.name)
            reason = found.get("StatusReason", "")
            if "didn't contain changes" in reason or "No updates are to be performed" in reason:
                return ChangeSet(arn, ())
            raise StackError(f"CloudFormation refuses the change of {self.name}: {reason}")
        entries = list(found.get("Changes", []))
        while token := found.get("NextToken"):
            found = self._client.describe_change_set(ChangeSetName=arn, StackName=self.name, NextToken=token)
            entries += found.get("Changes", [])
        return ChangeSet(arn, tuple(_change(entry["ResourceChange"]) for entry in entries))

    def discard(self, proposed: ChangeSet) -> None:
        """Delete a change set that is not wanted, and the empty stack that a first one leaves."""
        if proposed.changes:
            self._client.delete_change_set(ChangeSetName=proposed.arn, StackName=self.name)
        if (found := self._describe()) and found["StackStatus"] == "REVIEW_IN_PROGRESS":
            self._client.delete_stack(StackName=self.name)

    def execute(self, proposed: ChangeSet) -> dict[str, str]:
        """Execute a change set and wait for its end.

        Returns:
            The stack's outputs.

        Raises:
            StackError: It failed; has the reasons of the resources that failed first.
        """
        if proposed.changes:
            began = time.time()
            self._client.execute_change_set(ChangeSetName=proposed.arn, StackName=self.name)
            self._await_end(began)
        return self.outputs()

    def delete(self) -> None:
        """Delete the stack and wait for its end; what the template retains stays."""
        if self._describe() is None:
            return
        began = time.time()
        self._client.delete_stack(StackName=self.name)

        def poll() -> bool | None:
            found = self._describe()
            if found is None or found["StackStatus"] == "DELETE_COMPLETE":
                return True
            if found["StackStatus"] == "DELETE_FAILED":
                raise StackError(f"{self.name} could not be deleted:\n{self._reasons(began)}")
            return None

        self._wait(poll, _STACK_SECONDS, "its deletion")

    def _await_end(self, began: float) -> None:
        def poll() -> str | None:
            status = str((self._describe() or {"StackStatus": "DELETE_COMPLETE"})["StackStatus"])
            over = not status.endswith("_IN_PROGRESS") or status.endswith("_COMPLETE_CLEANUP_IN_PROGRESS")
            return status if over else None

        status = self._wait(poll, _STACK_SECONDS, "its change")
        if not status.startswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")):
            raise StackError(f"{self.name} ended in {status}:\n{self._reasons(began)}")

    def _reasons(self, began: float) -> str:
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [
            f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"].timestamp() >= began - 5
        ]
        return "\n".join(failed[:5])

    def _describe(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def _wait[Value](self, poll: Callable[[], Value | None], seconds: float, what: str) -> Value:
        deadline, pause = self._clock() + seconds, self._least_pause
        while (found := poll()) is None:
            if self._clock() > deadline:
                raise StackError(f"{self.name}: {what} took more than {seconds:.0f} s; look at it in the console")
            self._sleep(pause)
            pause = min(pause * 1.5, _MAX_PAUSE)
        return found


def _change(entry: dict[str, Any]) -> Change:
    return Change(
        entry["Action"], entry["LogicalResourceId"], entry["ResourceType"], str(entry.get("Replacement", "False"))
    )


def package_bucket(s3: Any, account: str, region: str) -> str:
    """Return the bucket of packaged code, made and locked if it is not there; it belongs to this account and region."""
    name = f"slipway-packages-{account}-{region}"
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise StackError(f"the bucket {name} can't be used: {error}") from error
        place = {} if region == _BUCKET_REGION_WITHOUT_CONSTRAINT else {"LocationConstraint": region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True, "IgnorePublicAcls": True,
                "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
            },
        )  # fmt: skip
    return name


def upload_template(s3: Any, bucket: str, template: Path, region: str) -> str:
    """Put a packaged template into the bucket, named for its content; return the address CloudFormation reads."""
    body = template.read_bytes()
    key = f"templates/{hashlib.sha256(body).hexdigest()}.yaml"
    s3.put_object(Bucket=bucket, Key=key, Body=body, ServerSideEncryption="AES256")
    return f"https://s3.{region}.amazonaws.com/{bucket}/{key}"
