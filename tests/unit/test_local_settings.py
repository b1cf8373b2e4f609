"""Ports, parameters, accounts and sign-in messages of the local stack."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from local import console, prerequisites, processes, stack
from local.accounts import local_accounts
from local.console_api.keys import DEFAULT_KEY
from local.failures import LaunchError
from local.layer_requirements import package_names
from local.parameters import parameters
from local.paths import ROOT, StateDirectory
from local.ports import Ports, settled
from local.sign_in import sign, sign_in_message
from slipway.identity.rules import is_domain_of
from slipway.identity.sign_in import verified_wallet
from tests.support.waiting import eventually

DECLARED = {"Parameters": {name: {"Type": "String"} for name in ("Chains", "SignInDomains", "LogLevel", "OidcIssuer")}}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have moved ports or set parameters for a stack of their own."""
    for name in list(os.environ):
        if name.startswith(("SLIPWAY_", "OIDC_", "AKASH_", "MLFLOW_", "BEDROCK_")):
            monkeypatch.delenv(name)


def test_ports_move_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_API_PORT", "18000")
    assert Ports.from_environment() == Ports(api=18000)


@pytest.mark.parametrize("value", ["", "http", "0", "65536", "8000 ", "٨٠٠٠"])
def test_what_is_not_a_port_is_one_sentence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SLIPWAY_CHAIN_PORT", value)
    with pytest.raises(LaunchError, match="SLIPWAY_CHAIN_PORT") as refused:
        Ports.from_environment()
    assert "\n" not in str(refused.value)


def test_one_port_for_two_services_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_API_PORT", "3000")
    with pytest.raises(LaunchError, match="SLIPWAY_API_PORT and SLIPWAY_DASHBOARD_PORT"):
        Ports.from_environment()


def test_the_dashboard_moves_where_its_port_is_taken_and_nobody_chose_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = Ports()
    in_use = {taken.dashboard}
    monkeypatch.setattr("local.ports.is_free", lambda port: port not in in_use)
    monkeypatch.setattr("local.ports.free_ports", lambda count: [4000][:count])
    assert settled(taken).dashboard == 4000
    assert "http://localhost:4000" in capsys.readouterr().err
    monkeypatch.setenv("SLIPWAY_DASHBOARD_PORT", str(taken.dashboard))
    assert settled(taken) == taken
    monkeypatch.delenv("SLIPWAY_DASHBOARD_PORT")
    in_use.clear()
    assert settled(taken) == taken


def test_only_declared_parameters_are_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "https://issuer.test")
    monkeypatch.setenv("BEDROCK_MODEL_ID", "unknown to this template")
    monkeypatch.setenv("SLIPWAY_PARAMETERS", '{"LogLevel": "DEBUG"}')
    values = parameters(DECLARED, Ports(api=1234), local_accounts())
    assert set(values) == {"Chains", "SignInDomains", "LogLevel", "OidcIssuer"}
    assert values["OidcIssuer"] == "https://issuer.test"
    assert values["LogLevel"] == "DEBUG"
    domains = values["SignInDomains"].split(",")
    for domain in ("localhost:1234", "localhost:5173", "127.0.0.1:3000", "localhost"):
        assert is_domain_of(domains, domain)
    for domain in ("localhost:", "evil.test", "localhost:1a", "localhost.evil.test:3000", "a@localhost:3000"):
        assert not is_domain_of(domains, domain)
    assert [chain["chain_id"] for chain in json.loads(values["Chains"])] == [31337, 5001]


AKASH = {"AkashConsoleApiUrl", "AkashProviderProxyUrl", "AkashApiKeySecretArn"}


def _akash_parameters() -> dict[str, str]:
    return parameters({"Parameters": {name: {"Type": "String"} for name in AKASH}}, Ports(console=1600), ())


def test_the_console_api_is_the_simulator() -> None:
    values = _akash_parameters()
    assert values["AkashConsoleApiUrl"] == values["AkashProviderProxyUrl"] == "http://127.0.0.1:1600"
    assert values["AkashApiKeySecretArn"].endswith(":secret:slipway/akash-api-key")
    assert console.api_key() == DEFAULT_KEY
    assert console.api_key() not in str(values)


def test_another_console_api_takes_the_simulators_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKASH_CONSOLE_API_URL", "https://console.test")
    with pytest.raises(LaunchError, match="AKASH_CONSOLE_API_KEY"):
        console.api_key()
    monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "key-of-the-account")
    assert console.api_key() == "key-of-the-account"
    values = _akash_parameters()
    # The template's own default names Akash's proxy.
    assert set(values) == AKASH - {"AkashProviderProxyUrl"}
    assert values["AkashConsoleApiUrl"] == "https://console.test"
    monkeypatch.setenv("AKASH_PROVIDER_PROXY_URL", "https://proxy.test")
    assert _akash_parameters()["AkashProviderProxyUrl"] == "https://proxy.test"
    assert "key-of-the-account" not in str(_akash_parameters())


@pytest.mark.parametrize("url", [None, "https://console.test"])
def test_the_simulator_is_a_process_of_the_stack_unless_another_takes_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str | None
) -> None:
    monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "key-of-the-account")
    if url:
        monkeypatch.setenv("AKASH_CONSOLE_API_URL", url)
    specifications = stack.Stack(StateDirectory(tmp_path), Ports())._specifications()
    found = [entry for entry in specifications if entry.name == "console_api"]
    assert len(found) == (0 if url else 1)
    for entry in found:
        assert entry.environment["AKASH_CONSOLE_API_KEY"] == "key-of-the-account"
        assert "key-of-the-account" not in entry.command


@pytest.mark.parametrize(("scale", "seconds"), [("1", None), ("0.5", "150"), ("0.1", "30"), ("0.001", "8"), ("0", "8")])
def test_the_clocks_of_workloads_go_at_the_pace_of_the_waits(
    monkeypatch: pytest.MonkeyPatch, scale: str, seconds: str | None
) -> None:
    monkeypatch.setenv("SFN_WAIT_SCALE", scale)
    declared = {"Parameters": {"AkashBidTimeoutSeconds": {"Type": "Number", "Default": 300}}}
    assert parameters(declared, Ports(), ()).get("AkashBidTimeoutSeconds") == seconds


@pytest.mark.parametrize("text", ["{", "[]", '{"Nope": "1"}'])
def test_senseless_extra_parameters_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SLIPWAY_PARAMETERS", text)
    with pytest.raises(LaunchError, match="SLIPWAY_PARAMETERS"):
        parameters(DECLARED, Ports(), local_accounts())


def test_the_accounts_are_anvils() -> None:
    accounts = local_accounts()
    assert accounts[0].address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert [account.role for account in accounts[:3]] == ["admin", "operator", "user"]
    assert len({account.private_key for account in accounts}) == 10


def test_the_sign_in_message_is_one_that_slipway_accepts() -> None:
    account = local_accounts()[2]
    message = sign_in_message("http://localhost:8000", account.address, "abcdefgh1234", 31337)
    wallet, nonce, _ = verified_wallet(message, sign(message, account), ("localhost:8000",), (31337,), lambda _: False)
    assert (wallet, nonce) == (account.address, "abcdefgh1234")


def test_package_names_of_requirements() -> None:
    text = "# comment\na-b==1.0 ; python_version >= '3' \\\n    --hash=sha256:00\nC.d==2\n"
    assert package_names(text) == ["a-b", "C.d"]


def _install_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.parametrize(
    ("version", "found"), [("v20.11.1", (20, 11)), ("v9.0.0", (9, 0)), ("v22.1.0-nightly", (22, 1)), ("nonsense", None)]
)
def test_nodes_version_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, found: tuple[int, int] | None
) -> None:
    _install_node(monkeypatch, tmp_path, version)
    assert prerequisites.node_version() == found


def test_an_old_node_is_refused_by_what_the_dashboard_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _install_node(monkeypatch, tmp_path, "v20.18.3")
    with pytest.raises(LaunchError, match=r"Node 20\.18 is too old: install Node 20\.19"):
        prerequisites.check()
    _install_node(monkeypatch, tmp_path, "v20.19.0")
    prerequisites.check()
    engines = [
        json.loads((ROOT / name).read_text())["engines"]["node"] for name in ("package.json", "web/package.json")
    ]
    assert engines == [">=20.19", ">=20.19"]


@pytest.mark.parametrize(
    ("system", "machine", "wheels"),
    [
        ("linux", "x86_64", "x86_64-manylinux_2_28"),
        ("linux", "aarch64", "aarch64-manylinux_2_28"),
        ("darwin", "arm64", "aarch64-apple-darwin"),
        ("darwin", "x86_64", None),
        ("win32", "AMD64", None),
        ("linux", "riscv64", None),
    ],
)
def test_layers_are_built_for_the_machine_or_it_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, wheels: str | None
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    if wheels:
        assert prerequisites.layer_platform() == wheels
        return
    with pytest.raises(LaunchError, match="cryptography") as refused:
        prerequisites.check()
    assert machine in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_development_container_has_what_is_needed() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["image"].endswith(":" + (ROOT / ".python-version").read_text().strip()[:4])
    assert int(container["features"]["ghcr.io/devcontainers/features/node:1"]["version"]) > prerequisites.NODE[0]
    ports = Ports()
    assert container["forwardPorts"] == [ports.dashboard, ports.api]


def test_every_platforms_chain_is_locked_by_its_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for system in ("linux-amd64", "linux-arm64", "darwin-arm64"):
        assert packages[f"node_modules/@foundry-rs/anvil-{system}"]["integrity"].startswith("sha512-"), system


def test_a_missing_node_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match=r"install Node 20\.19") as refused:
        prerequisites.check()
    assert "\n" not in str(refused.value)


def test_descendants_are_found_and_a_process_is_distinguished_from_its_successor() -> None:
    command = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        started = processes.start_time(parent.pid)
        assert started is not None
        (child,) = eventually(lambda: processes.descendants(parent.pid))
        # Other tests of this process may have children, too.
        found = processes.descendants(os.getpid())
        assert found.index(parent.pid) < found.index(child)
        parent.communicate(b"\n", timeout=20)
    assert processes.start_time(parent.pid) is None
    assert processes.wait_until_gone(parent.pid, started, 1)


def test_a_state_file_of_a_process_that_is_gone_means_nothing_runs(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    started = processes.start_time(os.getpid())
    assert started is not None
    # Our own id, but another start: the id was given to another process meanwhile. It must not be ended.
    directory.supervisor_file.write_text(json.dumps({"pid": os.getpid(), "started": started - 1}), encoding="utf-8")
    assert stack.running(directory) is None
    assert stack.stop(directory) is False
    assert not directory.supervisor_file.exists()
