"""The command line: credentials, exit codes, JSON, waiting, secrets that are nowhere."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from local.paths import ROOT
from slipway_client import Session, Slipway
from slipway_client.cli.credentials import Credentials, KeptSession
from slipway_client.cli.main import cli, run
from tests.unit.clients.api import API, KEY, Api, answered, bearer, body_of, refused

LAUNCH = "POST /api/deployments"
STATUS = "GET /api/deployments/d-1/status"
ACCEPTED = answered({"deployment_id": "d-1", "status_url": "/x"}, 202)
Run = Callable[..., tuple[int, str, str]]


def _status(status: str, **more: Any) -> httpx.Response:
    return answered({"deployment_id": "d-1", "kind": "token", "status": status, "token_address": None, **more})


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Credentials:
    for name in [name for name in os.environ if name.startswith("SLIPWAY_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "config" / "slipway.json"
    monkeypatch.setenv("SLIPWAY_CREDENTIALS", str(path))
    return Credentials(path)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "wallet.key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def slipway(
    api: Api, credentials: Credentials, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run the command line in this process, against the API."""
    made = Slipway.__init__

    def connected(self: Slipway, address: str, **options: Any) -> None:
        made(self, address, http=httpx.Client(transport=httpx.MockTransport(api.handle)), **options)

    monkeypatch.setattr(Slipway, "__init__", connected)

    def called(*arguments: str | Path, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        status = run([*map(str, arguments)])
        return (status, *capsys.readouterr())

    with api.clock():
        yield called


# ── Credentials ──────────────────────────────────────────────────────────────────────────────────────
def test_a_login_by_key_file_keeps_a_session_and_the_files_name_but_no_key(
    slipway: Run, credentials: Credentials, key_file: Path, api: Api
) -> None:
    status, output, errors = slipway("login", "--api", API, "--key-file", key_file, "--json")
    assert (status, errors) == (0, "")
    assert json.loads(output)["api"] == API
    assert stat.S_IMODE(credentials.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(credentials.path.parent.stat().st_mode) == 0o700
    assert KEY[2:] not in credentials.path.read_text()
    assert credentials.of(API)["key_file"] == str(key_file)
    api.on("GET /api/models", answered({"models": []}))
    assert slipway("token", "models")[0] == 0
    assert bearer(api.asked("GET /api/models")[0]) == "access-1"


def test_a_login_by_api_key_reads_it_from_standard_input_alone(
    slipway: Run, credentials: Credentials, api: Api
) -> None:
    api.on("GET /api/deployments", answered({"deployments": []}))
    status, output, errors = slipway("login", "--api", API, "--api-key", given="slk_secret\n")
    assert (status, "slk_" in output + errors) == (0, False)
    assert credentials.of(API) == {"api_key": "slk_secret"}
    assert slipway("ls")[0] == 0
    assert bearer(api.asked("GET /api/deployments")[-1]) == "slk_secret"
    assert slipway("login", "--api", API, "--api-key", "slk_secret")[0] == 2
    assert slipway("login", "--api", API, "--api-key", given="password\n")[0] == 2


def test_a_key_that_is_not_known_is_not_kept(slipway: Run, credentials: Credentials, api: Api) -> None:
    api.on("GET /api/deployments", refused("AUTH_FAILED", 401))
    assert slipway("login", "--api", API, "--api-key", given="slk_old\n")[0] == 3
    assert credentials.of(API) == {}


def test_logging_out_ends_and_forgets(slipway: Run, credentials: Credentials, key_file: Path, api: Api) -> None:
    api.on("POST /api/auth/logout", answered({"ended": True}))
    slipway("login", "--api", API, "--key-file", key_file)
    assert slipway("logout")[0] == 0
    assert body_of(api.asked("POST /api/auth/logout")[0])["refresh_token"] == "refresh-1"
    assert credentials.read() == {"installations": {}, "default": None}
    assert slipway("ls")[0] == 2
    # A process that still runs does not bring the credentials back.
    KeptSession(credentials, API).save(Session("a", 1, "r", 2))
    assert credentials.of(API) == {}


def test_credentials_that_others_may_read_are_closed(credentials: Credentials) -> None:
    credentials.keep(API, api_key="slk_x")
    credentials.path.chmod(0o644)
    assert credentials.default_api() == API
    assert stat.S_IMODE(credentials.path.stat().st_mode) == 0o600


def test_processes_renew_one_at_a_time(credentials: Credentials, api: Api) -> None:
    credentials.keep(API, session=asdict(Session("a", 1, "r", 9e9)))
    clients = []
    with api.clock():
        for _ in range(4):
            http = httpx.Client(transport=httpx.MockTransport(api.handle))
            clients.append(Slipway(API, http=http, session_store=KeptSession(credentials, API)))
        api.on("GET /health", answered({}))
        threads = [threading.Thread(target=client.health) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(api.asked("POST /api/auth/refresh")) == 1
    assert [bearer(request) for request in api.asked("GET /health")] == ["access-1"] * 4


def test_broken_credentials_are_named(slipway: Run, credentials: Credentials) -> None:
    credentials.path.parent.mkdir()
    credentials.path.write_text("{")
    status, _, errors = slipway("ls")
    assert status == 2
    assert str(credentials.path) in errors


@pytest.mark.parametrize("content", ["", "0x12", "{}", '{"version": 3}'])
def test_a_file_without_a_key_is_named_and_not_quoted(slipway: Run, tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.key"
    path.write_text(content)
    status, _, errors = slipway("ls", "--api", API, "--key-file", path)
    assert status == 2
    assert str(path) in errors


def test_a_keystore_opens_with_its_password(
    slipway: Run, tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eth_account import Account

    path = tmp_path / "keystore.json"
    path.write_text(json.dumps(Account.encrypt(bytes.fromhex(KEY[2:]), "right", iterations=2)))
    api.on("GET /api/deployments", answered({"deployments": []}))
    for password, status in (("wrong", 2), ("right", 0)):
        monkeypatch.setenv("SLIPWAY_KEY_PASSWORD", password)
        assert slipway("ls", "--api", API, "--key-file", path)[0] == status


# ── Jobs and exit codes ──────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def signed_in(slipway: Run, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SLIPWAY_API", API)
    monkeypatch.setenv("SLIPWAY_KEY_FILE", str(key_file))
    return slipway


def test_a_launch_is_followed_to_its_end(signed_in: Run, api: Api) -> None:
    api.on(LAUNCH, ACCEPTED).on(STATUS, _status("pending"), _status("completed", token_address="0x1"))
    status, output, errors = signed_in("token", "launch", "m", "--supply", "10", "--allocate", "0x2=3", "--json")
    assert (status, errors) == (0, "")
    assert json.loads(output)["token_address"] == "0x1"
    sent = body_of(api.asked(LAUNCH)[0])
    assert (sent["initial_supply"], sent["allocations"]) == ("10", [{"address": "0x2", "amount": "3"}])


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize(
    ("route", "answers", "code"),
    [
        (STATUS, [_status("failed", error={"code": "DEPLOYMENT_FAILED", "message": "Reverted"})], 1),
        (STATUS, [_status("pending")], 6),
        (LAUNCH, [refused("AUTH_FAILED", 401)], 3),
        (LAUNCH, [refused("FORBIDDEN", 403)], 3),
        (LAUNCH, [refused("TOKEN_EXISTS", 409)], 4),
        (LAUNCH, [refused("RATE_LIMIT_EXCEEDED", 429, retry_after="3600")], 5),
        (LAUNCH, [answered({"message": "Service Unavailable"}, 503)], 5),
        (LAUNCH, [httpx.ConnectError("down")], 5),
    ],
)
def test_each_end_has_its_code(
    signed_in: Run, api: Api, route: str, answers: list[Any], code: int, form: tuple[str, ...]
) -> None:
    api.on(LAUNCH, ACCEPTED).on(STATUS, _status("completed")).on(route, *answers)
    status, _, errors = signed_in("token", "launch", "m", "--timeout", "60", *form)
    assert status == code
    last = errors.strip().splitlines()[-1] if form else errors
    assert (json.loads(last)["error"]["message"] if form else last).strip()


def test_a_wrong_command_line_is_2(slipway: Run) -> None:
    for arguments in (("nonsense",), ("token", "launch"), ("deploy", "no-such-file"), ("ls",)):
        assert slipway(*arguments)[0] == 2


def test_who_is_interrupted_gets_130(signed_in: Run, api: Api) -> None:
    def interrupt(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    assert signed_in("status", "d-1")[0] == 4
    api.on(STATUS, interrupt)
    status, _, errors = signed_in("status", "d-1")
    assert status == 130
    assert "goes on" in errors


def test_closing_asks_first(signed_in: Run, api: Api) -> None:
    status, _, errors = signed_in("close", "d-1", given="y\n")
    assert (status, "--yes" in errors) == (2, True)
    assert api.requests == []
    api.on("DELETE /api/deployments/d-1", answered({"status": "active"}, 202))
    api.on(STATUS, _status("active"), _status("closed"))
    assert signed_in("close", "d-1", "--yes")[0] == 0


def test_a_deposit_is_signed_by_the_key_file(signed_in: Run, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("slipway_client._sync.wallet.Wallet.send", lambda _, transactions: sent.extend(transactions))
    payment = {"job_id": "d-1", "amount": "5", "expires_at": "soon", "transactions": [{"to": "0x1"}]}
    api.on(LAUNCH, answered({"deployment_id": "d-1", "payment": payment}, 202)).on(STATUS, _status("active"))
    sdl = ROOT / "docs" / "examples" / "web.yaml"
    status, _, errors = signed_in("deploy", sdl)
    assert (status, sent) == (0, [])
    assert "slipway escrow deposit d-1 5" in errors
    assert signed_in("deploy", sdl, "--rpc-url", "http://node")[0] == 0
    assert sent == payment["transactions"]
    assert body_of(api.asked(LAUNCH)[0])["sdl"] == sdl.read_text()


BIDS = "/api/deployments/d-1/bids"


def _bid(provider: str, price: str, **more: Any) -> dict[str, Any]:
    month = {"usd_per_hour": "0.01", "usd_per_month": "7.30", "uptime": 0.999, "audited": True, "gpu": None}
    place = {"name": None, "region": "eu", "country": "DE", "group": 1, "acceptable": True, "why_not": None}
    return {"provider": provider, "price": price, **month, **place, "chosen": False, **more}


def _chooses(api: Api) -> dict[str, Any]:
    choice = {"status": "awaiting_choice", "until": "2026-11-29T12:04:00Z", "unchosen": "best", "by": None}
    bids = [
        _bid("akash1best", "1"),
        _bid("akash1other", "1.5"),
        _bid("akash1far", "1", acceptable=False, why_not="far"),
    ]
    api.on(LAUNCH, answered({"deployment_id": "d-1"}, 202))
    waits = {**choice, "status": "awaiting_bids"}
    api.on(STATUS, _status("pending", choice=waits), _status("pending", choice=choice), _status("active"))
    api.on(f"GET {BIDS}", answered({"deployment_id": "d-1", "choice": choice, "groups": 1, "bids": bids}))
    api.on(f"POST {BIDS}", answered({"deployment_id": "d-1", "status": "pending"}, 202))
    return choice


def test_a_bid_is_chosen_at_the_terminal(signed_in: Run, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = _chooses(api)
    gone = refused("CONFLICT", 409)
    chosen = answered({"deployment_id": "d-1", "status": "pending"}, 202)
    api.on(f"POST {BIDS}", gone, chosen)
    api.on(STATUS, *[_status("pending", choice=choice)] * 2, _status("active"))
    asked: list[str] = []
    monkeypatch.setattr("slipway_client.cli.jobs._at_a_terminal", lambda: True)

    def second(text: str, **_: Any) -> int:
        asked.append(text)
        return 2

    monkeypatch.setattr("click.prompt", second)
    status, _, errors = signed_in(
        "deploy", ROOT / "docs" / "examples" / "web.yaml", "--choose", "--choose-within", "60"
    )
    assert (status, len(asked)) == (0, 2), errors
    assert "akash1other" in errors
    assert "akash1far" not in errors
    assert body_of(api.asked(f"POST {BIDS}")[1]) == {"providers": ["akash1other"], "price": "1.5"}
    wanted = body_of(api.asked(LAUNCH)[0])
    assert (wanted["choose_bid"], wanted["choose_within_seconds"]) == (True, 60)


def test_without_a_terminal_a_choice_is_left_to_another_command(signed_in: Run, api: Api) -> None:
    _chooses(api)
    sdl = ROOT / "docs" / "examples" / "web.yaml"
    status, _, errors = signed_in("deploy", sdl, "--choose", "--unchosen", "close")
    assert (status, "slipway choose d-1 PROVIDER" in errors) == (0, True), errors
    assert body_of(api.asked(LAUNCH)[0])["unchosen"] == "close"
    assert api.asked(f"POST {BIDS}") == []
    status, output, _ = signed_in("bids", "d-1")
    assert (status, "far" in output, "99.9 %" in output) == (0, True, True)
    assert json.loads(signed_in("bids", "d-1", "--json")[1])["groups"] == 1
    assert signed_in("choose", "d-1", "akash1best", "--price", "1")[0] == 0
    assert body_of(api.asked(f"POST {BIDS}")[0]) == {"providers": ["akash1best"], "price": "1"}
    assert signed_in("deploy", sdl, "--unchosen", "close")[0] == 2


def test_an_estimate_with_refusals_ends_badly(signed_in: Run, api: Api) -> None:
    refusals = [{"code": "TOKEN_EXISTS", "message": "There is one"}]
    api.on("POST /api/deployments/estimate", answered({"refusals": refusals}))
    status, _, errors = signed_in("token", "launch", "m", "--estimate")
    assert (status, "There is one" in errors) == (1, True)
    assert api.asked(LAUNCH) == []


def test_an_update_that_was_refused_ends_badly(signed_in: Run, api: Api) -> None:
    detail = {"deployment_id": "d-1", "status": "active", "events": []}
    refusal = {"event": "update_failed", "message": "It runs as before", "created_at": "now"}
    api.on("PUT /api/deployments/d-1", answered(detail, 202))
    updating, refused_now = (
        answered({**detail, "update_requested_at": "now"}),
        answered({**detail, "events": [refusal]}),
    )
    api.on("GET /api/deployments/d-1", updating, refused_now)
    status, output, errors = signed_in("update", "d-1", ROOT / "docs" / "examples" / "web.yaml")
    assert status == 1
    assert "It runs as before" in errors
    assert "It runs as before" in output


def test_secrets_go_into_files_of_the_owner_alone(signed_in: Run, api: Api, tmp_path: Path) -> None:
    api.on("POST /api/keys", answered({"id": "k-1", "key": "slk_secret"}, 201))
    file = tmp_path / "ci.key"
    file.write_text("old")
    file.chmod(0o644)
    status, output, errors = signed_in("key", "make", "ci", "--scope", "deployments:read", "--secret-file", file)
    assert (status, "slk_secret" in output + errors) == (0, False)
    assert file.read_text() == "slk_secret\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_any_path_can_be_asked_for(signed_in: Run, api: Api) -> None:
    api.on("POST /payments", answered({"id": "p-1"}, 201))
    status, output, _ = signed_in("api", "post", "/payments?a=b", "--data", "-", given='{"name": "x"}')
    assert (status, json.loads(output)) == (0, {"id": "p-1"})
    (asked,) = api.asked("POST /payments")
    assert (body_of(asked), asked.url.params["a"]) == ({"name": "x"}, "b")
    assert signed_in("api", "get", "payments")[0] == 2


# ── What every command has ───────────────────────────────────────────────────────────────────────────
def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(_commands(cli))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_json_and_no_option_for_a_secret(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    options = {name for parameter in command.params for name in parameter.opts}
    assert {"--json", "--api", "--key-file"} <= options
    with_value = [parameter for parameter in command.params if not getattr(parameter, "is_flag", False)]
    takes_value = {name for parameter in with_value for name in parameter.opts}
    assert takes_value & {"--private-key", "--password", "--token", "--api-key", "--secret"} == set()


def test_every_command_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert [" ".join(path) for path in COMMANDS if f"`{' '.join(path)}`" not in guide] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str) -> None:
    program = "import sys; sys.argv[0] = 'slipway'; from slipway_client.cli import main; main()"

    def called(*arguments: str, **variables: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python"), **variables}
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout

    assert "_SLIPWAY_COMPLETE" in called("completion", shell)
    words = {"COMP_WORDS": "slipway token la", "COMP_CWORD": "la" if shell == "fish" else "2"}
    assert "launch" in called(_SLIPWAY_COMPLETE=f"{shell}_complete", **words)
