"""The cursor of a log stream, as the id of its events: where a reader stands in each service's pods. Pure.

Statelessly: the text holds all that there is to know, so any function can go on from it. It is the client's word and
widens nothing: services are looked up in the caller's own workload.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.akash.logs.positions import MAX_RUNS, Position

# Headers of a request may hold 10 KB in all; a Last-Event-ID that is longer was not ours.
MAX_TEXT = 6000
_VERSION = 1
_CHECK_BYTES = 3
_POD_BYTES = 4
# With many pods, positions keep fewer runs, so that the text stays short.
_RUNS_IN_ALL = 480
_MIN_RUNS = 3


class CursorError(ValueError):
    """The text is no cursor."""


def pod_key(name: str) -> bytes:
    """Return a short hash of a pod's name."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_POD_BYTES).digest()


@dataclass(frozen=True)
class Cursor:
    """Positions by pod, by service. ``ended`` when the stream has ended."""

    services: Mapping[str, Mapping[bytes, Position]] = field(default_factory=dict)
    ended: bool = False


def encode_cursor(cursor: Cursor) -> str:
    """Encode a cursor as URL-safe text."""
    pods = sum(len(positions) for positions in cursor.services.values())
    most = max(_MIN_RUNS, min(MAX_RUNS, _RUNS_IN_ALL // max(pods, 1)))
    parts = [bytes((_VERSION, cursor.ended)), _number(len(cursor.services))]
    for name, positions in cursor.services.items():
        encoded = name.encode()
        parts += [_number(len(encoded)), encoded, _number(len(positions))]
        for pod, position in positions.items():
            parts += [pod, _number(position.count * 2 + position.exact), _runs(position.runs[-most:])]
    body = b"".join(parts)
    return base64.urlsafe_b64encode(_check(body) + body).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """Decode what ``encode_cursor`` encoded.

    Raises:
        CursorError: It was not made by ``encode_cursor``.
    """
    if not text.isascii() or len(text) > MAX_TEXT:
        raise CursorError
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise CursorError from error
    body = raw[_CHECK_BYTES:]
    if len(body) < 2 or raw[:_CHECK_BYTES] != _check(body) or body[0] != _VERSION or body[1] > 1:
        raise CursorError
    reader = _Reader(body[2:])
    services = {reader.text(): dict(_read_pod(reader) for _ in range(reader.number())) for _ in range(reader.number())}
    return Cursor(services, bool(body[1]))


def _read_pod(reader: "_Reader") -> tuple[bytes, Position]:
    pod, number = reader.take(_POD_BYTES), reader.number()
    runs = tuple((reader.take(3), reader.number()) for _ in range(min(reader.number(), MAX_RUNS)))
    return pod, Position(number // 2, bool(number % 2), runs)


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES).digest()


def _runs(runs: tuple[tuple[bytes, int], ...]) -> bytes:
    return _number(len(runs)) + b"".join(line + _number(count) for line, count in runs)


def _number(value: int) -> bytes:
    """Encode a whole number, seven bits a byte, the lowest first."""
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*parts, value))


class _Reader:
    """Takes a cursor's bytes apart."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        found = self._body[self._at : self._at + count]
        if len(found) != count:
            raise CursorError
        self._at += count
        return found

    def number(self) -> int:
        """Decode what ``_number`` encoded."""
        value, shift = 0, 0
        while shift < 63:
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise CursorError

    def text(self) -> str:
        """Read a text with its length before it."""
        try:
            return self.take(self.number()).decode()
        except UnicodeDecodeError as error:
            raise CursorError from error
