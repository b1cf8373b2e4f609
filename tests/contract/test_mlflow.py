"""Our MLflow adapter against a real MLflow server, started from an environment of its own.

Not part of `make test`: MLFLOW_PYTHON names the interpreter of an environment with MLflow, as `.ci/run` makes it.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from local.ports import free_ports
from slipway.tokens.mlflow import MlflowModels
from slipway.tokens.models import ModelState
from tests.support.waiting import eventually

OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CONTRIBUTOR = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("mlflow")
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    command = [os.environ["MLFLOW_PYTHON"], "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{directory}/mlflow.db", "--workers", "1"]
    command += ["--default-artifact-root", str(directory / "artifacts")]
    environment = {"PATH": str(Path(os.environ["MLFLOW_PYTHON"]).parent) + ":/usr/bin:/bin", "HOME": str(directory)}
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        try:

            def is_healthy() -> bool:
                assert process.poll() is None, written()
                with suppress(httpx.HTTPError):
                    return httpx.get(f"{address}/health", timeout=2).status_code == httpx.codes.OK
                return False

            def written() -> str:
                return (directory / "server.log").read_text()[-4000:]

            eventually(is_healthy, within=180, every=0.5, what=written)
            yield address
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def _post(server: str, path: str, body: dict[str, object]) -> dict[str, dict[str, dict[str, str]]]:
    answer = httpx.post(f"{server}/api/2.0/mlflow/{path}", json=body, timeout=30)
    answer.raise_for_status()
    found: dict[str, dict[str, dict[str, str]]] = answer.json()
    return found


@pytest.fixture(scope="session")
def run_id(server: str) -> str:
    experiment = httpx.post(f"{server}/api/2.0/mlflow/experiments/create", json={"name": "slipway"}, timeout=30).json()[
        "experiment_id"
    ]
    run = _post(server, "runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
    for key, value in (("accuracy", 0.93), ("loss", 0.1)):
        _post(server, "runs/log-metric", {"run_id": run, "key": key, "value": value, "timestamp": 1})
    return run


@pytest.fixture
def models(server: str, monkeypatch: pytest.MonkeyPatch) -> MlflowModels:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")
    return MlflowModels(server, httpx.Client())


def test_a_registered_model_with_a_validated_version(server: str, run_id: str, models: MlflowModels) -> None:
    tags = [
        {"key": "slipway.owner", "value": OWNER},
        {"key": "slipway.contributors", "value": json.dumps([CONTRIBUTOR])},
    ]
    _post(server, "registered-models/create", {"name": "sentiment-v2", "tags": tags})
    version_tags = [
        {"key": "slipway.state", "value": "validated"},
        {"key": "slipway.validated_at", "value": "2026-11-01T00:00:00Z"},
        {"key": "slipway.improvement", "value": "0.042"},
    ]
    body: dict[str, object] = {
        "name": "sentiment-v2",
        "source": f"runs:/{run_id}/model",
        "run_id": run_id,
        "tags": version_tags,
    }
    _post(server, "model-versions/create", body)

    model = models.find("sentiment-v2")

    assert model is not None
    assert model.owner == OWNER
    assert model.contributors == (CONTRIBUTOR,)
    assert model.state is ModelState.VALIDATED
    assert model.run_id == run_id
    assert model.metrics == {"accuracy": 0.93, "loss": 0.1}
    assert model.improvement == 0.042
    assert model.validated_at == "2026-11-01T00:00:00Z"


def test_a_model_that_nobody_registered(models: MlflowModels) -> None:
    assert models.find("no-such-model") is None


def test_a_model_without_an_owner_is_reported_as_such(server: str, models: MlflowModels) -> None:
    _post(server, "registered-models/create", {"name": "ownerless"})
    model = models.find("ownerless")
    assert model is not None
    assert (model.owner, set(model.problems)) == (None, {"slipway.owner"})


def test_models_are_found_by_their_tags_in_pages(server: str, models: MlflowModels) -> None:
    wallet, other = "0x90F79bf6EB2c4f870365E785982E1f101E93b906", "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"

    def register(name: str, owner: str, *contributors: str) -> None:
        tags = {"slipway.owner": owner, "slipway.contributors": json.dumps(contributors)}
        given = [{"key": key, "value": value} for key, value in tags.items()]
        _post(server, "registered-models/create", {"name": name, "tags": given})

    for number in range(3):
        register(f"mine-{number}", wallet if number else wallet.lower())
    register("with-me", other, CONTRIBUTOR, wallet.lower())
    register("not-mine", other, CONTRIBUTOR)
    found: list[list[str]] = []
    cursor: str | None = None
    while cursor is not None or not found:
        page, cursor = models.page(wallet, 2, cursor)
        found.append(sorted(model.model_id for model in page))
    assert found == [["mine-0", "mine-1"], ["mine-2"], ["with-me"]]
    assert {"mine-0", "with-me", "not-mine"} <= {model.model_id for model in models.page(None, 24, None)[0]}


def test_names_that_need_escaping(server: str, models: MlflowModels) -> None:
    name = "modèle & co ?x=1#y"
    tags = [{"key": "slipway.owner", "value": OWNER}]
    _post(server, "registered-models/create", {"name": name, "tags": tags})
    model = models.find(name)
    assert model is not None
    assert model.state is ModelState.REGISTERED
