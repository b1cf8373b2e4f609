"""The clients as others get them: packed, and installed from the pack into an empty project."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from local.chromium import find_chromium
from local.paths import ROOT
from local.uv import find_uv
from local.web import install_packages
from tests.stack.conftest import PAYING, RunningStack
from tests.stack.test_escrow import Wallet

GUIDE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
PROGRAM_SECONDS = 300
TYPESCRIPT = ROOT / "clients" / "typescript"


def program(name: str) -> str:
    """Return a program of the guide, by the comment above it."""
    found = re.search(rf"<!-- program: {name} -->\n```\w+\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


@dataclass(frozen=True)
class Installed:
    """An environment that has the packed Python client and nothing of this repository."""

    directory: Path
    python: Path

    def start(self, *command: str | Path, **variables: str) -> subprocess.Popen[str]:
        """Start a program in the empty project, with no variables but these."""
        environment = {"PATH": f"{self.python.parent}:{os.environ['PATH']}", "HOME": str(self.directory), **variables}
        return subprocess.Popen(
            [*map(str, command)],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str | Path, **variables: str) -> str:
        """Run one to its end; return what it printed."""
        process = self.start(*command, **variables)
        try:
            output, errors = process.communicate(timeout=PROGRAM_SECONDS)
        finally:
            process.kill()
        assert process.returncode == 0, output + errors
        return output

    def program(self, name: str, **variables: str) -> str:
        """Run a program of the guide."""
        return self.run(self.python, "-I", "-c", program(name), **variables)


@pytest.fixture(scope="session")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel, and install it with the packages of our lock."""
    directory = tmp_path_factory.mktemp("python-client")
    uv, python = find_uv(), directory / "venv" / "bin" / "python"
    for command in (
        [uv, "build", "--quiet", "--wheel", "--out-dir", directory, ROOT / "clients" / "python"],
        [
            uv,
            "export",
            "--quiet",
            "--frozen",
            "--no-hashes",
            "--no-emit-project",
            "--output-file",
            directory / "lock.txt",
        ],
        [uv, "venv", "--quiet", "--python", "3.13", directory / "venv"],
    ):
        subprocess.run([*map(str, command)], cwd=ROOT, check=True, timeout=PROGRAM_SECONDS, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    install = [uv, "pip", "install", "--quiet", "--python", python, "--constraint", directory / "lock.txt", wheel]
    subprocess.run([*map(str, install)], cwd=directory, check=True, timeout=PROGRAM_SECONDS)
    (directory / "web.yaml").write_text((ROOT / "docs" / "examples" / "web.yaml").read_text())
    return Installed(directory, python)


@pytest.fixture(scope="session")
def payer(stack: RunningStack) -> dict[str, str]:
    """Return a wallet of a tier that pays by escrow, with coins and tokens, as the programs' variables."""
    key = "0x" + PAYING.key.hex().removeprefix("0x")
    wallet: Any = Wallet(stack, {"address": PAYING.address, "private_key": key, "role": "user"})
    wallet.rpc("anvil_setBalance", PAYING.address, hex(10**19))
    wallet.mint(1000)
    return {"SLIPWAY_PRIVATE_KEY": key, "RPC_URL": stack.chains[0]["rpc_url"]}


@dataclass(frozen=True)
class TypescriptProject:
    """A project that has the packed TypeScript client, and viem."""

    directory: Path

    def start(self, name: str, **variables: str) -> subprocess.Popen[str]:
        """Check the types of a program of the guide, and start it."""
        (self.directory / f"{name}.ts").write_text(program(name), encoding="utf-8")
        options = ["--module", "nodenext", "--target", "es2022", "--strict", "--skipLibCheck", "--types", "node"]
        compiler = [str(TYPESCRIPT / "node_modules" / ".bin" / "tsc"), *options, f"{name}.ts"]
        checked = subprocess.run(compiler, cwd=self.directory, capture_output=True, text=True, check=False, timeout=120)
        assert checked.returncode == 0, checked.stdout
        return subprocess.Popen(
            ["node", f"{name}.js"],
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, name: str, status: int = 0, /, **variables: str) -> str:
        """Run one to its end; return what it printed."""
        process = self.start(name, **variables)
        try:
            output, errors = process.communicate(timeout=PROGRAM_SECONDS)
        finally:
            process.kill()
        assert process.returncode == status, output + errors
        return output


@pytest.fixture(scope="session")
def typescript_client(tmp_path_factory: pytest.TempPathFactory) -> TypescriptProject:
    """Pack the client, and install the pack."""
    directory = tmp_path_factory.mktemp("typescript-client")
    install_packages(TYPESCRIPT)
    _npm(TYPESCRIPT, "pack", "--pack-destination", str(directory))
    (pack,) = directory.glob("*.tgz")
    (directory / "package.json").write_text('{"type": "module", "private": true}')
    _npm(directory, "install", "--offline", str(pack))
    assert [path.name for path in (directory / "node_modules").iterdir() if path.name[0] != "."] == ["@slipway"]
    for name in ("viem", "@types"):
        (directory / "node_modules" / name).symlink_to(TYPESCRIPT / "node_modules" / name)
    (directory / "web.yaml").write_text((ROOT / "docs" / "examples" / "web.yaml").read_text())
    return TypescriptProject(directory)


def _npm(directory: Path, *arguments: str) -> None:
    command = ["npm", *arguments, "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=PROGRAM_SECONDS)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a file's tests: Playwright's loop would be in the way of other files' own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield launched
        launched.close()
