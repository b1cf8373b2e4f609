"""Where artifacts are published: a versioned S3 bucket, ``<environment>/endpoint.json`` and ``….sig`` beside it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.errors import UpstreamUnavailableError
from slipway.s3_errors import GONE, object_error_code, object_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MAX_BYTES = 8192
_WHAT = "The artifacts' store"


@dataclass(frozen=True)
class Versions:
    """Versions of an artifact and of its signature that were written."""

    artifact: str | None
    signature: str | None


class ArtifactStore:
    """The artifacts of every environment.

    Every method raises ``UpstreamUnavailableError`` when S3 does not answer.

    Args:
        s3: boto3's S3 client.
        bucket: Name of the bucket.
    """

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    @staticmethod
    def _key(environment: str) -> str:
        return f"{environment}/endpoint.json"

    def publish(self, environment: str, artifact: bytes, signature: bytes) -> Versions:
        """Write both, the artifact last, so that it is never there without its signature."""
        return Versions(
            signature=self._put(f"{self._key(environment)}.sig", signature, "application/jose+json"),
            artifact=self._put(self._key(environment), artifact, "application/json"),
        )

    def _put(self, key: str, body: bytes, content_type: str) -> str | None:
        with object_errors(_WHAT):
            answer = self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, CacheControl="no-store"
            )
        return answer.get("VersionId")

    def withdraw(self, environment: str) -> None:
        """Remove both, the artifact first. Earlier versions stay, for whoever asks what was published when."""
        for key in (self._key(environment), f"{self._key(environment)}.sig"):
            with object_errors(_WHAT):
                self._s3.delete_object(Bucket=self._bucket, Key=key)

    def unpublish(self, environment: str, versions: Versions) -> None:
        """Take back what was written, and only that."""
        both = ((self._key(environment), versions.artifact), (f"{self._key(environment)}.sig", versions.signature))
        for key, version in both:
            if version:
                with object_errors(_WHAT):
                    self._s3.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

    def read(self, environment: str) -> tuple[bytes | None, bytes | None]:
        """Return the artifact and its signature, None for what is not there."""
        key = self._key(environment)
        return self._get(key), self._get(f"{key}.sig")

    def _get(self, key: str) -> bytes | None:
        try:
            with object_errors(_WHAT):
                answer = self._s3.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{_MAX_BYTES}")
                return answer["Body"].read()
        except UpstreamUnavailableError as error:
            code = object_error_code(error)
            if code in GONE:
                return None
            if code == "InvalidRange":
                return b""
            raise
