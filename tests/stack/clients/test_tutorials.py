"""Every command of the tutorials and of the README, from the packed command line, against the deployed template."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import httpx
import pytest
from eth_account import Account

from local.paths import ROOT
from tests.stack.clients.conftest import Installed
from tests.stack.conftest import RunningStack

ADDRESS = r"0x[0-9a-fA-F]{40}"
PRELUDE = ROOT / "docs" / "tutorials.md"
# What each shows at least, beside that every command ends well.
SHOWS = {
    "model-developer": [r"^MODEL_ID", rf"^address +{ADDRESS}$", r"^0x[0-9a-f]{64}$"],
    "frontend-developer": [r"^id +"],
    "buyer": [r"image: ", r"^status +active$", r"^web \| ", r"^status +closed$"],
    "worker-operator": [r"SLIPWAY_ENROLMENT_CODE=", r"^status +healthy$", r"% observed$"],
    "node-operator": [r"banano_rpc_endpoint", r"^tutorial +api +active", r"^status +deleted$"],
    "dapp-founder": [r"contract Harbour is ERC20, ERC20Pausable", rf"\(31337\): {ADDRESS}$", rf"\(5001\): {ADDRESS}$"],
    "administrator": [r"^NAME +UNIT", r"^paused +yes$", r"0x0000000000000000000000000000000000000042"],
    "aws-operator": [r"^true$", r"^\d+\.\d+\.\d+$"],
}


@pytest.fixture
def project(stack: RunningStack, python_client: Installed, tmp_path: Path) -> Installed:
    """Return a checkout as the tutorials see it, whose first user is new to the installation and has coins."""
    newcomer = Account.create()
    funded = {"jsonrpc": "2.0", "id": 1, "method": "anvil_setBalance", "params": [newcomer.address, hex(10**19)]}
    assert "error" not in httpx.post(stack.chains[0]["rpc_url"], json=funded).json()
    user = {"address": newcomer.address, "private_key": newcomer.key.to_0x_hex(), "role": "user"}
    (tmp_path / ".local").mkdir()
    described = {**stack.described, "accounts": [user, *stack.accounts]}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(described))
    (tmp_path / "docs" / "examples").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "examples" / "web.yaml", tmp_path / "docs" / "examples")
    return Installed(tmp_path, python_client.python)


def _commands(document: Path, stack: RunningStack, section: str = "") -> str:
    text = document.read_text(encoding="utf-8")
    text = text[text.index(section) :]
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks
    return "".join(blocks).replace("http://localhost:8000", stack.api)


@pytest.mark.parametrize("name", sorted(path.stem for path in PRELUDE.with_suffix("").glob("*.md")))
def test_a_tutorial_does_what_it_says(stack: RunningStack, project: Installed, name: str) -> None:
    tutorial = PRELUDE.with_suffix("") / f"{name}.md"
    script = _commands(PRELUDE, stack) + _commands(tutorial, stack)
    output = project.run("bash", "-euo", "pipefail", "-c", script)
    for shown in SHOWS[name]:
        assert re.search(shown, output, re.MULTILINE), (shown, output)


def test_the_readme_does_what_it_says(stack: RunningStack, project: Installed) -> None:
    script = _commands(ROOT / "README.md", stack, "## Step by step")
    output = project.run("bash", "-euo", "pipefail", "-c", script)
    assert re.search(r'"total_supply": "1000000\.5"', output)
    assert re.search(r"^web \| ", output, re.MULTILINE)
    assert re.search(rf"\(5001\): {ADDRESS}$", output, re.MULTILINE)
