"""The Python client, from its wheel, by the programs of the guide, against the deployed template."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from local.ports import free_ports
from slipway_client import PrivateKey, Slipway, SlipwayError
from tests.stack.clients.conftest import Installed, program
from tests.stack.conftest import PAYING, RunningStack
from tests.stack.launches import Token, account, new_model

ADDRESS = r"0x[0-9a-fA-F]{40}"


def _variables(stack: RunningStack, index: int = 1) -> dict[str, str]:
    return {"SLIPWAY_API": stack.api, "SLIPWAY_PRIVATE_KEY": account(stack, "user", index)["private_key"]}


def test_it_launches_a_token(stack: RunningStack, admin: Token, python_client: Installed) -> None:
    model = new_model(stack, admin, account(stack, "user", 1)["address"])
    *statuses, address = python_client.program("launch", MODEL=model, **_variables(stack)).splitlines()
    assert statuses[-1] == "completed"
    assert re.fullmatch(ADDRESS, address)
    refused = python_client.start(
        python_client.python, "-I", "-c", program("launch"), MODEL="no-such-model", **_variables(stack)
    )
    output, errors = refused.communicate(timeout=60)
    assert output.startswith("MODEL_NOT_FOUND"), errors
    assert refused.returncode == 1


def test_it_follows_a_build_asynchronously(stack: RunningStack, python_client: Installed) -> None:
    lines = python_client.program("asynchronous", **_variables(stack)).splitlines()
    progress = [int(line.split()[0]) for line in lines if re.match(r"\d+ ", line)]
    assert progress == sorted(progress)
    assert progress[-1] == 100
    assert re.fullmatch(ADDRESS, lines[-1])


def test_it_pays_for_a_workload_and_reads_its_log(
    stack: RunningStack, python_client: Installed, payer: dict[str, str]
) -> None:
    status, line = python_client.program("workload", SLIPWAY_API=stack.api, **payer).splitlines()
    assert status == "active"
    assert line.startswith("web ")


def test_it_verifies_a_webhook(stack: RunningStack, python_client: Installed) -> None:
    (port,) = free_ports(1)
    with Slipway(stack.api, private_key=account(stack, "user", 1)["private_key"]) as slipway:
        made = slipway.webhooks.create(f"http://127.0.0.1:{port}/", ["worker.*"])
        receiver = python_client.start(
            python_client.python, "-I", "-c", program("webhook"), WEBHOOK_SECRET=str(made["secret"]), PORT=str(port)
        )
        slipway.webhooks.test(made["id"])
        output, errors = receiver.communicate(timeout=60)
        assert output.split()[1:] == ["webhook.test"], errors
        slipway.webhooks.delete(made["id"])


def test_an_api_key_reads_and_can_not_write(stack: RunningStack) -> None:
    with Slipway(stack.api, private_key=account(stack, "user", 1)["private_key"]) as owner:
        made = owner.keys.create("reader", ["deployments:read"])
        with Slipway(stack.api, api_key=made["key"]) as reader:
            assert all(entry["kind"] in ("token", "akash") for entry in reader.deployments.list(limit=2))
            with pytest.raises(SlipwayError) as refusal:
                reader.launch_token("m", account(stack, "user", 1)["address"])
        assert (refusal.value.code, refusal.value.status) == ("FORBIDDEN", 403)
        owner.keys.delete(made["id"])
        assert made["id"] not in {key["id"] for key in owner.keys.list()}


# ── The command line ─────────────────────────────────────────────────────────────────────────────────
def _shell(python_client: Installed, script: str, **variables: str) -> str:
    return python_client.run("bash", "-euo", "pipefail", "-c", script, **variables)


def test_the_command_line_does_what_the_guide_shows(
    stack: RunningStack, admin: Token, python_client: Installed, payer: dict[str, str]
) -> None:
    key_file = python_client.directory / "wallet.key"
    key_file.write_text(payer["SLIPWAY_PRIVATE_KEY"])
    key_file.chmod(0o600)
    model = new_model(stack, admin, PAYING.address)
    variables = {"SLIPWAY_API": stack.api, "MODEL": model, "RPC_URL": payer["RPC_URL"]}
    output = _shell(python_client, program("shell"), **variables)
    assert f"as {PAYING.address}" in output
    assert re.search(rf"^token_address +{ADDRESS}$", output, re.MULTILINE)
    assert re.search(r"^web \| ", output, re.MULTILINE)
    assert re.search(r"^status +closed$", output, re.MULTILINE)
    assert "contract Harbour is ERC20, ERC20Pausable" in output
    assert re.search(rf"\(31337\): {ADDRESS}$", output, re.MULTILINE)
    # Nothing that it wrote or kept has the key.
    kept = (python_client.directory / ".config" / "slipway" / "credentials.json").read_text()
    assert payer["SLIPWAY_PRIVATE_KEY"][2:] not in output + kept


def test_a_wallet_in_the_browser_signs_in(
    stack: RunningStack, browser: Browser, python_client: Installed, payer: dict[str, str]
) -> None:
    login = python_client.start(
        "slipway", "login", "--api", stack.api, "--no-open", "--timeout", "60", SLIPWAY_CREDENTIALS="browser.json"
    )
    page = browser.new_page()
    # What an extension brings: accounts in lower case, and a signature.
    page.expose_function("signed", lambda text: PrivateKey(payer["SLIPWAY_PRIVATE_KEY"]).sign_message(text))
    page.add_init_script(
        f"""window.ethereum = {{ request: async ({{ method, params }}) => method === 'personal_sign'
          ? signed(new TextDecoder().decode(Uint8Array.from(params[0].slice(2).match(/../g), (h) => parseInt(h, 16))))
          : ['{PAYING.address.lower()}'] }}"""
    )
    try:
        assert login.stderr
        login.stderr.readline()
        page.goto(login.stderr.readline().strip())
        page.get_by_role("button", name="Sign with my wallet").click()
        expect(page.get_by_text("You can close this page")).to_be_visible()
        output, errors = login.communicate(timeout=60)
    finally:
        login.kill()
        page.close()
    assert output == f"Signed in to {stack.api} as {PAYING.address}\n", errors
