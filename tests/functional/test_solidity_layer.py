"""The solidity layer builds by its makefile, fits Lambda beside the others, and audits with nothing else installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.build import sam_environment
from local.engine.layers import current_layers, published
from local.layer_requirements import NPM_LAYER, npm_files
from local.paths import ROOT

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: function and layers, unzipped.
MAX_BYTES = 250 * 1024 * 1024
OF_THE_FUNCTION = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `sam build` does it: in a copy of the layer's folder, with what it needs on the path."""
    place = tmp_path_factory.mktemp("layer")
    scratch, built = place / "scratch", place / "built"
    shutil.copytree(NPM_LAYER, scratch)
    built.mkdir()
    environment = sam_environment() | {"ARTIFACTS_DIR": str(built)}
    subprocess.run(["make", "build-SolidityLayer"], cwd=scratch, env=environment, check=True, capture_output=True)
    return built


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def other_layers() -> dict[str, Path]:
    if not published():
        pytest.skip("needs the other layers: `make prepare` builds them")
    return {name: path for name, path in current_layers().items() if name != "SolidityLayer"}


def test_all_layers_together_fit(layer: Path) -> None:
    sizes = {name: size(path) for name, path in other_layers().items()} | {"SolidityLayer": size(layer)}
    assert {"DependenciesLayer", "ChainLayer", "SlipwayLayer"} <= set(sizes)
    assert sum(sizes.values()) + OF_THE_FUNCTION < MAX_BYTES, sizes


def test_it_compiles_and_audits_with_the_layers_alone(layer: Path, tmp_path: Path) -> None:
    others = other_layers()
    paths = [ROOT / "layers" / "slipway", layer / "python"]
    paths += [others[name] / "python" for name in ("DependenciesLayer", "ChainLayer")]
    contract = ROOT / "tests" / "unit" / "solidity" / "clean" / "Token.sol"
    # Not the checkout's own node_modules.
    program = (
        "import sys; from slipway.solidity.toolchain import find_toolchain; "
        f"assert find_toolchain().node_modules.is_relative_to({str(layer)!r}), find_toolchain(); "
        "import slither; assert slither.__file__.startswith(sys.argv[1]), slither.__file__; "
        "from slipway.builds.audit.__main__ import main; sys.exit(main(sys.argv[2:]))"
    )
    # -S: without this environment's packages.
    command = [sys.executable, "-S", "-P", "-c", program, str(layer), str(contract)]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, paths)), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["passed"] is True


def test_the_layer_is_locked_as_the_repository_is() -> None:
    for path, text in npm_files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make lock`"
    lock = json.loads((NPM_LAYER / "package-lock.json").read_text(encoding="utf-8"))
    assert all(entry.get("integrity") for name, entry in lock["packages"].items() if name)
