"""The body of a heartbeat (spec 001): ``{"walletAddress", "timestamp", "containers": [{"containerName", "port"}]}``.

Read by hand: building pydantic's models would cost a cold start more than everything else that this route does.
"""

from dataclasses import dataclass
from typing import Any

from slipway.addresses import possible_address
from slipway.errors import ValidationFailedError
from slipway.times import epoch_milliseconds, parse_moment
from slipway.workers.rules import MINUTE, MOST_AHEAD, MOST_LATE

MOST_BYTES = 256 * 1024
MOST_CONTAINERS = 500
MOST_NAME_CHARACTERS = 255
# Docker's own text of all ports that a container publishes; empty when it publishes none.
MOST_PORT_CHARACTERS = 1024


@dataclass(frozen=True)
class Beat:
    """What a worker says: its wallet, when it said so (milliseconds since 1970), and what it runs.

    The wallet is in EIP-55 form, or has a wrong checksum and is nobody's; whoever finds no such worker asks
    ``parse_address``.
    """

    wallet: str
    at: int
    containers: list[dict[str, str]]


def read_beat(body: Any, now: int) -> Beat:
    """Read a parsed body, at ``now`` in milliseconds since 1970.

    Raises:
        ValidationFailedError: A field is missing, unknown or wrong, or the time is too far off; names the field.
    """
    wallet, timestamp, containers = _fields(body, "", ("walletAddress", "timestamp", "containers"))
    address = possible_address(_text(wallet, "walletAddress", 1, 42), "walletAddress")
    at = epoch_milliseconds(parse_moment(_text(timestamp, "timestamp", 1, 64), "timestamp"))
    if at > now + MOST_AHEAD:
        raise ValidationFailedError.of_field("timestamp", f"is more than {MOST_AHEAD // MINUTE} minutes ahead")
    if at < now - MOST_LATE:
        raise ValidationFailedError.of_field("timestamp", f"is older than {MOST_LATE // MINUTE // 60} hours")
    if not isinstance(containers, list) or len(containers) > MOST_CONTAINERS:
        raise ValidationFailedError.of_field("containers", f"must be a list of at most {MOST_CONTAINERS}")
    return Beat(address, at, [_container(entry, f"containers.{place}") for place, entry in enumerate(containers)])


def _container(entry: Any, field: str) -> dict[str, str]:
    name, port = _fields(entry, f"{field}.", ("containerName", "port"))
    return {
        "containerName": _text(name, f"{field}.containerName", 1, MOST_NAME_CHARACTERS),
        "port": _text(port, f"{field}.port", 0, MOST_PORT_CHARACTERS),
    }


def _fields(given: Any, prefix: str, names: tuple[str, ...]) -> list[Any]:
    if not isinstance(given, dict):
        raise ValidationFailedError.of_field(prefix.rstrip(".") or "body", "must be an object")
    for name in names:
        if name not in given:
            raise ValidationFailedError.of_field(f"{prefix}{name}", "is required")
    if len(given) > len(names):
        unknown = next(name for name in given if name not in names)
        raise ValidationFailedError.of_field(f"{prefix}{unknown[:64]}", "is not a field of this request")
    return [given[name] for name in names]


def _text(given: Any, field: str, least: int, most: int) -> str:
    if not isinstance(given, str) or not least <= len(given) <= most:
        raise ValidationFailedError.of_field(field, f"must be text of {least} to {most} characters")
    return given
