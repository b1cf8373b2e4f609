"""Files that lie in a function's artifact, as API Gateway's HTTP API takes them."""

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from slipway.gateway import Event, header


@dataclass(frozen=True)
class StaticFile:
    """A file that is served.

    Attributes:
        path: Where it lies; compressed already when there is one of this name with ``.gz``.
        media_type: Its content-type.
        headers: Further headers of its answer.
    """

    path: Path
    media_type: str
    headers: dict[str, str] = field(default_factory=dict, hash=False)


@cache
def _packed(path: Path) -> tuple[bytes, str]:
    """Return the file's bytes, compressed, and its entity tag."""
    ready = path.with_name(f"{path.name}.gz")
    packed = ready.read_bytes() if ready.exists() else gzip.compress(path.read_bytes(), mtime=0)
    return packed, f'"{hashlib.sha256(packed).hexdigest()[:32]}"'


def content_of(file: StaticFile) -> bytes:
    """Return the file's bytes as they are."""
    return gzip.decompress(_packed(file.path)[0])


def _takes_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header takes gzip: a weight of zero refuses it (RFC 9110, 12.5.3)."""
    weights = {
        name.strip(): weight.strip() for name, _, weight in (part.partition(";") for part in accepted.split(","))
    }
    weight = weights.get("gzip", weights.get("*"))
    return weight is not None and not re.fullmatch(r"q=0(\.0*)?", weight)


def file_answer(event: Event, file: StaticFile) -> dict[str, Any]:
    """Answer with the file, compressed where the caller takes that; 304 without it when the caller has it already."""
    packed, tag = _packed(file.path)
    headers = {
        "content-type": file.media_type,
        "cache-control": "public, max-age=300",
        "etag": tag,
        "vary": "accept-encoding",
        **file.headers,
    }
    if tag in header(event, "if-none-match"):
        return {"statusCode": 304, "headers": headers, "body": ""}
    if not _takes_gzip(header(event, "accept-encoding").lower()):
        return {"headers": headers, "body": content_of(file).decode()}
    body = base64.b64encode(packed).decode()
    return {"headers": {**headers, "content-encoding": "gzip"}, "body": body, "isBase64Encoded": True}
