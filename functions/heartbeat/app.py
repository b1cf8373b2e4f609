"""POST /heartbeat: a worker says that it is alive (spec 001). The hot path of the fleet."""

from typing import Any

from slipway.gateway import Event, header, raw_body, require_no_parameters, serve
from slipway.json_bodies import parse_json
from slipway.times import epoch_milliseconds
from slipway.workers.heartbeat_request import MAX_BYTES, read_beat
from slipway.workers.heartbeats import authenticate, take_beat, token_judged_first

# A daemon keeps what is refused and sends it again, so a silent table need not hold a process for longer.
_SECONDS = 0.9


def _heartbeat(event: Event) -> dict[str, Any]:
    token_hash, now = authenticate(header(event, "authorization")), epoch_milliseconds()
    with token_judged_first(token_hash):
        require_no_parameters(event)
        beat = read_beat(parse_json(raw_body(event, MAX_BYTES)), now)
    return {"success": True, "clock_offset_seconds": take_beat(beat, token_hash, now)}


def handler(event: Event, context: object) -> dict[str, Any]:
    """Answer 200 with ``{"success": true, "clock_offset_seconds"}``, or with the envelope of a refusal."""
    return serve(event, _heartbeat, _SECONDS)
