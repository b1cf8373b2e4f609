"""A build's large parts in S3, under ``builds/<build id>/``.

Each version of the source has a number, from 0 for the one that was generated; what was made of it has the same:

- ``source-<revision>.sol``: the source;
- ``input-<revision>.json``: the compiler's standard-JSON input, imports included;
- ``compilation-<revision>.json.gz``: all that compiling gave;
- ``contract-<revision>.json``: ``abi`` and creation ``bytecode`` (0x-prefixed) of the contract;
- ``audit-<rounds>.json``: the audit's report after so many rounds of fixing.

A key is written again only with what a repeated task made anew from the same input. What a build has the digest of is
held to it when it is read: a file that somebody else changed is as good as none.
"""

import gzip
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from slipway.builds.audit.deployable import interface_of
from slipway.builds.audit.models import AuditReport, Compilation
from slipway.builds.pipeline.rules import digest_of
from slipway.builds.store import BuildItem
from slipway.errors import UpstreamUnavailableError
from slipway.observability import logger
from slipway.s3_errors import GONE, object_error_code, object_errors
from slipway.settings import artifact_bucket
from slipway.store import aws_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_WHAT = "The builds' files"
_FASTEST = 1
_ENDINGS = {"source": ".sol", "input": ".json", "compilation": ".json.gz", "contract": ".json"}


class BuildFiles:
    """The files of every build.

    Every method raises ``UpstreamUnavailableError`` when S3 does not answer.

    Args:
        s3: boto3's S3 client.
        bucket: Name of the bucket.
    """

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    # ── Write ───────────────────────────────────────────────────────────────────────────────────

    def put_source(self, build_id: str, revision: int, source: str) -> None:
        """Write a version of the source."""
        self._put(build_id, _file("source", revision), source.encode(), "text/plain; charset=utf-8")

    def put_compilation(
        self, build_id: str, revision: int, compilation: Compilation, contract_name: str
    ) -> dict[str, str]:
        """Write what compiling a version gave, the same bytes each time.

        Returns:
            Digests of the source and of what was written, by name.

        Raises:
            KeyError: The sources have no contract of that name.
        """
        timeless = compilation.model_copy(update={"seconds": 0.0}).model_dump_json().encode()
        contents = {
            "compilation": gzip.compress(timeless, _FASTEST, mtime=0),
            "contract": json.dumps(contract_of(compilation, contract_name)).encode(),
            "input": json.dumps(compilation.standard_json_input, ensure_ascii=False).encode(),
        }
        for name, content in contents.items():
            content_type = "application/gzip" if name == "compilation" else "application/json"
            self._put(build_id, _file(name, revision), content, content_type)
        (source,) = compilation.sources.values()
        contents["source"] = source.encode()
        return {name: digest_of(content) for name, content in contents.items()}

    def put_report(self, build_id: str, report: AuditReport) -> None:
        """Write a report, under the number of its rounds."""
        body = report.model_dump_json().encode()
        self._put(build_id, f"audit-{len(report.rounds)}.json", body, "application/json")

    # ── Read ────────────────────────────────────────────────────────────────────────────────────

    def source(self, build: BuildItem) -> str | None:
        """Return the present source; None before there is one."""
        found = self._held(build, "source")
        return None if found is None else found.decode()

    def standard_json_input(self, build: BuildItem) -> bytes | None:
        """Return the compiler's input of the present source, as JSON; None before it was compiled."""
        return self._held(build, "input")

    def report(self, build: BuildItem) -> bytes | None:
        """Return the latest report, as JSON; None before there is one."""
        return self._get(build.build_id, f"audit-{int(build.rounds)}.json") if build.audited else None

    def compilation(self, build: BuildItem) -> Compilation:
        """Return what compiling the present source gave.

        Raises:
            UpstreamUnavailableError: It is not there.
        """
        return Compilation.model_validate_json(gzip.decompress(self._required(build, "compilation")))

    def contract(self, build: BuildItem) -> dict[str, Any]:
        """``abi`` and creation ``bytecode`` (0x-prefixed, without constructor arguments) of the present contract.

        Raises:
            UpstreamUnavailableError: It is not there.
        """
        found: dict[str, Any] = json.loads(self._required(build, "contract"))
        return found

    # ── S3 ──────────────────────────────────────────────────────────────────────────────────────

    def _required(self, build: BuildItem, name: str) -> bytes:
        found = self._held(build, name)
        if found is None:
            raise UpstreamUnavailableError(f"The build's {name} is not there")
        return found

    def _held(self, build: BuildItem, name: str) -> bytes | None:
        """Return a file of the present version, held to its digest once that is known; None if there is none."""
        if build.revision is None:
            return None
        found = self._get(build.build_id, _file(name, int(build.revision)))
        known = (build.digests or {}).get(name)
        if found is not None and known is not None and digest_of(found) != known:
            logger.error("a build's file was changed", build_id=build.build_id, file=name)
            raise UpstreamUnavailableError(f"The build's {name} was changed after it was compiled")
        return found

    def _put(self, build_id: str, name: str, body: bytes, content_type: str) -> None:
        with object_errors(_WHAT):
            self._s3.put_object(
                Bucket=self._bucket, Key=f"builds/{build_id}/{name}", Body=body, ContentType=content_type
            )

    def _get(self, build_id: str, name: str) -> bytes | None:
        try:
            with object_errors(_WHAT):
                return self._s3.get_object(Bucket=self._bucket, Key=f"builds/{build_id}/{name}")["Body"].read()
        except UpstreamUnavailableError as error:
            if object_error_code(error) in GONE:
                return None
            raise


def _file(name: str, revision: int) -> str:
    return f"{name}-{revision}{_ENDINGS[name]}"


def contract_of(compilation: Compilation, contract_name: str) -> dict[str, Any]:
    """``abi`` and creation ``bytecode`` of one of our own contracts; raises KeyError when none has that name."""
    for name in compilation.sources:
        contracts = compilation.standard_json_output["contracts"].get(name, {})
        if compiled := contracts.get(contract_name):
            code = "0x" + compiled["evm"]["bytecode"]["object"]
            return {"abi": interface_of(contracts, contract_name), "bytecode": code}
    raise KeyError(contract_name)


@cache
def build_files() -> BuildFiles:
    """Return what is in the bucket ARTIFACT_BUCKET."""
    return BuildFiles(aws_client("s3"), artifact_bucket())
