"""The body of a heartbeat (spec 001): ``{"walletAddress", "timestamp", "containers": [{"containerName", "port"}],
"boot_id"?, "figures"?}``.

Read by hand: building pydantic's models would cost a cold start more than everything else that this route does.
"""

from dataclasses import dataclass
from typing import Any

from slipway.addresses import possible_address
from slipway.errors import ValidationFailedError
from slipway.times import epoch_milliseconds, parse_moment
from slipway.workers.rules import MAX_AHEAD, MAX_LATE, MINUTE

MAX_BYTES = 256 * 1024
MAX_CONTAINERS = 500
MAX_NAME_CHARACTERS = 255
# Docker's own text of all ports that a container publishes; empty when it publishes none.
MAX_PORT_CHARACTERS = 1024
MAX_BOOT_ID_CHARACTERS = 64
FIGURES = ("cpu_percent", "memory_percent", "disk_percent")


@dataclass(frozen=True)
class Beat:
    """What a worker says: its wallet, when it said so (milliseconds since 1970), and what it runs.

    The wallet is in EIP-55 form, or has a wrong checksum and is nobody's; whoever finds no such worker asks
    ``parse_address``. A beat from the future is taken as of its arrival; ``ahead`` is by how much (milliseconds).
    ``boot_id`` names the running system that sent it. ``figures`` are whole percentages by ``FIGURES``.
    """

    wallet: str
    at: int
    containers: list[dict[str, str]]
    ahead: int = 0
    boot_id: str | None = None
    figures: dict[str, int] | None = None


def read_beat(body: Any, now: int) -> Beat:
    """Read a parsed body, at ``now`` in milliseconds since 1970.

    Raises:
        ValidationFailedError: A field is missing, unknown or wrong, or the time is too far off; names the field.
    """
    wallet, timestamp, containers, boot_id, figures = _fields(
        body, "", ("walletAddress", "timestamp", "containers"), optional=("boot_id", "figures")
    )
    address = possible_address(_text(wallet, "walletAddress", 1, 42), "walletAddress")
    at = epoch_milliseconds(parse_moment(_text(timestamp, "timestamp", 1, 64), "timestamp"))
    if at > now + MAX_AHEAD:
        raise ValidationFailedError.of_field("timestamp", f"is more than {MAX_AHEAD // MINUTE} minutes ahead")
    if at < now - MAX_LATE:
        raise ValidationFailedError.of_field("timestamp", f"is older than {MAX_LATE // MINUTE // 60} hours")
    if not isinstance(containers, list) or len(containers) > MAX_CONTAINERS:
        raise ValidationFailedError.of_field("containers", f"must be a list of at most {MAX_CONTAINERS}")
    given = [_container(entry, f"containers.{place}") for place, entry in enumerate(containers)]
    if boot_id is not None and not _text(boot_id, "boot_id", 1, MAX_BOOT_ID_CHARACTERS).isprintable():
        raise ValidationFailedError.of_field("boot_id", "must be printable text")
    return Beat(address, min(at, now), given, max(0, at - now), boot_id, _figures(figures))


def _figures(given: Any) -> dict[str, int] | None:
    if given is None:
        return None
    for name, value in zip(FIGURES, _fields(given, "figures.", FIGURES), strict=True):
        if type(value) is not int or not 0 <= value <= 100:
            raise ValidationFailedError.of_field(f"figures.{name}", "must be a whole number from 0 to 100")
    return {name: given[name] for name in FIGURES}


def _container(entry: Any, field: str) -> dict[str, str]:
    name, port = _fields(entry, f"{field}.", ("containerName", "port"))
    return {
        "containerName": _text(name, f"{field}.containerName", 1, MAX_NAME_CHARACTERS),
        "port": _text(port, f"{field}.port", 0, MAX_PORT_CHARACTERS),
    }


def _fields(given: Any, prefix: str, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[Any]:
    if not isinstance(given, dict):
        raise ValidationFailedError.of_field(prefix.rstrip(".") or "body", "must be an object")
    for name in names:
        if name not in given:
            raise ValidationFailedError.of_field(f"{prefix}{name}", "is required")
    unknown = next((name for name in given if name not in names and name not in optional), None)
    if unknown is not None:
        raise ValidationFailedError.of_field(f"{prefix}{unknown[:64]}", "is not a field of this request")
    return [given.get(name) for name in (*names, *optional)]


def _text(given: Any, field: str, least: int, most: int) -> str:
    if not isinstance(given, str) or not least <= len(given) <= most:
        raise ValidationFailedError.of_field(field, f"must be text of {least} to {most} characters")
    return given
