"""What notifications are called, and how much of a thing they hold."""

from __future__ import annotations

import json

from slipway.akash.models import Status as WorkloadStatus
from slipway.builds.states import Status as BuildStatus
from slipway.notifications.rules import NAMES, body_of, event_type, fitted, wants
from slipway.projects.models import ProjectStatus
from slipway.tokens.models import Status as TokenStatus


def test_every_status_has_a_type() -> None:
    assert set(NAMES["deployment"]) == {*map(str, TokenStatus), *map(str, WorkloadStatus)}
    assert set(NAMES["build"]) == set(map(str, BuildStatus))
    assert set(NAMES["project"]) == set(map(str, ProjectStatus))


def test_types_of_events() -> None:
    assert event_type("DEPLOYMENT#1", "completed") == "deployment.completed"
    assert event_type("DEPLOYMENT#1", "signed") is None
    assert event_type("DEPLOYMENT#1", "payment_low") == "payment.low"
    assert event_type("DEPLOYMENT#1", "payment_other") is None
    assert event_type("STACK#a#node", "active") == "stack.published"
    assert event_type("STACK#a#node", "deploying") is None
    assert event_type("AUDIT#2026", "completed") is None
    assert wants(["worker.*"], "worker.up")
    assert not wants(["worker.down"], "worker.up")


def test_the_largest_fields_are_left_out_of_too_much() -> None:
    small = {"a": 1, "b": "x" * 1000}
    assert fitted(small) == small
    found = fitted({**small, "c": ["y" * 1000] * 200, "d": "z" * 100_000})
    assert found == {**small, "c": None, "d": "z" * 100_000}
    assert len(json.dumps(fitted({str(number): "x" * 5000 for number in range(200)}))) < 180_000


def test_a_name_notifies_nobody_and_is_no_link() -> None:
    """An operator's channel shows what strangers called their things."""
    data = {"name": "<!channel> <https://evil.test|your bank> @everyone & <@1>"}
    slack, discord = (json.loads(body_of(style, "key.created", "", data)) for style in ("slack", "discord"))
    assert slack == {
        "text": "key.created: &lt;!channel&gt; &lt;https://evil.test|your bank&gt; @everyone &amp; &lt;@1&gt;"
    }
    assert discord == {"content": f"key.created: {data['name']}", "allowed_mentions": {"parse": []}, "flags": 4}


def test_one_line_is_as_long_as_a_channel_takes() -> None:
    assert len(json.loads(body_of("discord", "key.created", "", {"name": "x" * 5000}))["content"]) == 2000
