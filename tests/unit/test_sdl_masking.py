"""What is masked of an SDL that is shown."""

from __future__ import annotations

import json

import pytest

from slipway.akash.sdl.masking import MASK, masked
from slipway.akash.sdl.yaml_reader import parse_yaml
from tests.support.clock import effort

SECRET = "hunter2"


def shown(**service: list[str]) -> str:
    text = masked(json.dumps({"services": {"web": service}}))
    assert parse_yaml(text)["services"]["web"].keys() == service.keys()
    return text


@pytest.mark.parametrize(
    "line",
    [
        f"API_TOKEN={SECRET}",
        f"database_password={SECRET}",
        f"URL=postgres://me:{SECRET}@db/x",
        f"JAVA_OPTS=-Xmx1g -Dspring.datasource.password={SECRET}",
        f"CONFIG=-----BEGIN EC PRIVATE KEY-----\n{SECRET}\n-----END EC PRIVATE KEY-----",
    ],
)
def test_a_variable(line: str) -> None:
    text = shown(env=["PLAIN=seen", line])
    assert SECRET not in text
    assert "PLAIN=seen" in text
    assert MASK in text


@pytest.mark.parametrize(
    "lines",
    [
        ["run", f"--api-key={SECRET}"],
        ["run", "--api-key", SECRET, "seen"],
        ["run", "-password", f"-{SECRET}"],
        ["sh", "-c", f"export TOKEN={SECRET}; echo seen"],
        ["sh", "-c", f"DB_PASSWORD='{SECRET} and {SECRET}' run seen"],
        ["sh", "-c", f'run --secret "{SECRET} {SECRET}" seen'],
        ["curl", "-H", f"Authorization: Bearer {SECRET}"],
        ["curl", f"https://me:{SECRET}@host/"],
    ],
)
@pytest.mark.parametrize("field", ["command", "args"])
def test_a_command_and_its_arguments(field: str, lines: list[str]) -> None:
    text = shown(**{field: lines})
    assert SECRET not in text
    assert lines[0] in text
    assert ("seen" in text) == ("seen" in " ".join(lines))


def test_what_names_no_secret_is_shown() -> None:
    lines = ["run", "--verbose", "--port=80", "A=b", "monkeys"]
    assert parse_yaml(shown(args=lines))["services"]["web"]["args"] == lines


@pytest.mark.parametrize(
    "part", ["KEY", "-KEY", "-", "_", "--key ", "KEY=", 'KEY="', "://a", "Authorization: ", "-----BEGIN "]
)
def test_no_text_takes_long(part: str) -> None:
    assert effort(lambda: shown(args=[part * (60_000 // len(part))])) < 400
