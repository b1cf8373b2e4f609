"""Models as MLflow's REST API tells of them."""

import json
from typing import Any

import httpx
import pytest

from slipway.errors import ForbiddenError, ModelNotValidatedError, UpstreamUnavailableError, ValidationFailedError
from slipway.pagination import encode_cursor
from slipway.tokens.mlflow import MlflowModels
from slipway.tokens.models import ModelState
from slipway.tokens.rules import model_refusal
from tests.support.wallets import ALICE, BOB

TAGS = {
    "slipway.owner": ALICE.address.lower(),
    "slipway.contributors": json.dumps([BOB.address]),
    "slipway.state": "validated",
    "slipway.validated_at": "2026-11-01T00:00:00Z",
    "slipway.improvement": "0.125",
}


@pytest.fixture(autouse=True)
def _private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _version(number: int, run_id: str | None = None, **tags: str) -> dict[str, Any]:
    return {"version": str(number), "run_id": run_id, "tags": _tags(tags)}


class Mlflow:
    """A tracking server with one registered model."""

    def __init__(self, tags: dict[str, str] | None = None, versions: list[dict[str, Any]] | None = None) -> None:
        self.model: dict[str, Any] = {"name": "m", "tags": _tags(TAGS if tags is None else tags)}
        if versions is not None:
            self.model["latest_versions"] = versions
        self.metrics: list[dict[str, Any]] = [{"key": "accuracy", "value": 0.93}]
        self.requests: list[httpx.Request] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/registered-models/get"):
            if request.url.params["name"] != "m":
                return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"})
            return httpx.Response(200, json={"registered_model": self.model})
        assert request.url.path.endswith("/runs/get")
        return httpx.Response(200, json={"run": {"data": {"metrics": self.metrics}}})

    def models(self, token: str | None = None, address: str = "https://mlflow.test/base/") -> MlflowModels:
        return MlflowModels(address, httpx.Client(transport=httpx.MockTransport(self.handle)), token)


def test_a_model_with_its_newest_run() -> None:
    server = Mlflow(versions=[_version(2, "run-2"), _version(10, "run-10"), _version(9, "run-9")])
    model = server.models(token="secret").find("m")
    assert model is not None
    assert (model.owner, model.contributors, model.state) == (ALICE.address, (BOB.address,), ModelState.VALIDATED)
    assert (model.run_id, model.metrics, model.improvement) == ("run-10", {"accuracy": 0.93}, 0.125)
    assert model.validated_at == "2026-11-01T00:00:00Z"
    assert server.requests[1].url.params["run_id"] == "run-10"
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer secret"}
    assert server.requests[0].url.path == "/base/api/2.0/mlflow/registered-models/get"


def test_a_versions_tags_come_before_the_models() -> None:
    model = Mlflow(versions=[_version(1, **{"slipway.state": "rejected"})]).models().find("m")
    assert model is not None
    assert model.state is ModelState.REJECTED


def test_a_model_without_versions_or_state_is_registered() -> None:
    model = Mlflow(tags={"slipway.owner": ALICE.address}).models().find("m")
    assert model is not None
    assert (model.state, model.run_id, model.metrics, model.contributors) == (ModelState.REGISTERED, None, {}, ())


def test_metrics_that_diverged_are_left_out() -> None:
    server = Mlflow(versions=[_version(1, "run")])
    server.metrics = [
        {"key": "a", "value": "NaN"},
        {"key": "b", "value": float("1e308") * 10},
        {"key": "c", "value": 1},
    ]
    server.metrics[1]["value"] = "Infinity"
    model = server.models().find("m")
    assert model is not None
    assert model.metrics == {"c": 1.0}


def test_no_such_model() -> None:
    assert Mlflow().models().find("other") is None


def test_a_model_id_is_sent_as_it_is() -> None:
    server = Mlflow()
    assert server.models().find("a&name=m/../?#é") is None
    assert server.requests[0].url.params["name"] == "a&name=m/../?#é"


@pytest.mark.parametrize(
    "changes",
    [
        {"slipway.contributors": "0x1"},
        {"slipway.contributors": "{}"},
        {"slipway.contributors": '["0x1"]'},
        {"slipway.state": "shiny"},
        {"slipway.improvement": "much"},
        {"slipway.improvement": "nan"},
        {"slipway.improvement": "inf"},
    ],
)
def test_a_tag_that_makes_no_sense_is_reported_and_launches_nothing(changes: dict[str, str]) -> None:
    model = Mlflow(tags={**TAGS, **changes}).models().find("m")
    assert model is not None
    assert set(model.problems) == set(changes)
    refusal = model_refusal(model, ALICE.address)
    assert isinstance(refusal, ModelNotValidatedError)
    assert refusal.details == {"tags": model.problems}
    assert next(iter(changes)) in refusal.message
    assert isinstance(model_refusal(model, "0x" + "9" * 40), ForbiddenError)


@pytest.mark.parametrize("tags", [{}, {**TAGS, "slipway.owner": "alice"}, {**TAGS, "slipway.owner": "0x1"}])
def test_a_model_without_an_owner_is_nobodys_and_shows_no_metrics(tags: dict[str, str]) -> None:
    server = Mlflow(tags=tags, versions=[_version(1, "run-1")])
    model = server.models().find("m")
    assert model is not None
    assert (model.owner, model.metrics, list(model.problems)) == (None, {}, ["slipway.owner"])
    refusal = model_refusal(model, ALICE.address)
    assert isinstance(refusal, ForbiddenError)
    assert "slipway.owner" in refusal.message


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────


def _entry(name: str, owner: str, *contributors: str) -> dict[str, Any]:
    tags = {"slipway.owner": owner, "slipway.contributors": json.dumps(contributors)}
    return {"name": name, "tags": _tags(tags)}


def _pages(models: MlflowModels, wallet: str | None) -> list[list[str]]:
    found: list[list[str]] = []
    cursor: str | None = None
    while True:
        page, cursor = models.page(wallet, 100, cursor)
        found.append([model.model_id for model in page])
        if cursor is None:
            return found


def test_a_wallets_models_are_two_searches_page_by_page() -> None:
    owned = f"tags.`slipway.owner` ILIKE '{ALICE.address}'"
    contributed = f"tags.`slipway.contributors` ILIKE '%{ALICE.address}%'"
    entries = {
        (owned, ""): ([_entry("a", ALICE.address), _entry("b", ALICE.address, ALICE.address)], "more"),
        (owned, "more"): ([_entry("c", ALICE.address.lower())], ""),
        # Hers by the search alone, and one that was listed before.
        (contributed, ""): (
            [
                _entry("d", BOB.address, ALICE.address),
                _entry("b", ALICE.address, ALICE.address),
                _entry("e", BOB.address),
            ],
            None,
        ),
    }
    sizes = set()

    def handle(request: httpx.Request) -> httpx.Response:
        given = request.url.params
        assert request.url.path.endswith("/registered-models/search")
        sizes.add(given["max_results"])
        found, token = entries[given["filter"], given.get("page_token", "")]
        return httpx.Response(200, json={"registered_models": found, "next_page_token": token})

    models = MlflowModels("https://mlflow.test", httpx.Client(transport=httpx.MockTransport(handle)))
    assert _pages(models, ALICE.address) == [["a", "b"], ["c"], ["d"]]
    assert sizes == {"24"}


def test_all_models_are_one_search_with_whatever_tags_they_have() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert "filter" not in request.url.params
        return httpx.Response(200, json={"registered_models": [_entry("a", ALICE.address), {"name": "plain"}]})

    models = MlflowModels("https://mlflow.test", httpx.Client(transport=httpx.MockTransport(handle)))
    assert _pages(models, None) == [["a", "plain"]]


def test_a_search_that_finds_nothing_is_an_empty_object() -> None:
    models = MlflowModels(
        "https://mlflow.test", httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json={})))
    )
    assert _pages(models, ALICE.address) == [[], []]


@pytest.mark.parametrize("cursor", ["x", "W10", encode_cursor(["elsewhere", "-"]), encode_cursor(["owned"])])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationFailedError, match="cursor"):
        Mlflow().models().page(ALICE.address, 10, cursor)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"error_code": "INTERNAL_ERROR"}),
        httpx.Response(401, json={"message": "no"}),
        httpx.Response(404, json={"error_code": "ENDPOINT_NOT_FOUND"}),
        httpx.Response(404, text="not found"),
        httpx.Response(404, json=[]),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"registered_model": None}),
        httpx.Response(200, json={"registered_model": {"tags": "none"}}),
    ],
    ids=str,
)
def test_a_server_that_makes_no_sense_is_unavailable(answer: httpx.Response) -> None:
    models = MlflowModels("https://mlflow.test", httpx.Client(transport=httpx.MockTransport(lambda _: answer)))
    with pytest.raises(UpstreamUnavailableError):
        models.find("m")


def test_a_server_that_is_down_is_unavailable() -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("slow")

    models = MlflowModels("https://mlflow.test", httpx.Client(transport=httpx.MockTransport(down)))
    with pytest.raises(UpstreamUnavailableError) as caught:
        models.find("m")
    assert caught.value.retry_after


def test_a_server_inside_our_own_network_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "false")
    server = Mlflow()
    with pytest.raises(UpstreamUnavailableError):
        server.models(address="http://127.0.0.1:5000").find("m")
    assert server.requests == []


_NONSENSE = [
    {"registered_models": 5},
    {"registered_models": {"name": "m"}},
    {"registered_models": [None]},
    {"registered_models": [{"name": "m", "latest_versions": [{"version": 1e999}]}]},
    {"registered_models": [{"name": "\ud800", "tags": []}]},
    {"registered_models": [{"name": "m", "tags": 7}]},
    {"registered_models": [{"name": {}, "tags": []}]},
    {"registered_models": [{"name": "m", "tags": [{"key": "slipway.validated_at", "value": "\ud800"}]}]},
]


@pytest.mark.parametrize("body", _NONSENSE)
def test_nonsense_in_a_search_is_unavailable(body: dict[str, Any]) -> None:
    answer = httpx.Response(200, content=json.dumps(body))
    models = MlflowModels("https://mlflow.test", httpx.Client(transport=httpx.MockTransport(lambda _: answer)))
    with pytest.raises(UpstreamUnavailableError):
        models.page(None, 20, None)


@pytest.mark.parametrize("value", [10**400, "many", None, {}])
def test_a_metric_that_is_no_number_is_unavailable(value: object) -> None:
    server = Mlflow(versions=[_version(1, "run-1")])
    server.metrics = [{"key": "loss", "value": value}]
    with pytest.raises(UpstreamUnavailableError):
        server.models().find("m")


def test_json_without_end_is_unavailable() -> None:
    answer = httpx.Response(200, content="[" * 200_000)
    models = MlflowModels("https://mlflow.test", httpx.Client(transport=httpx.MockTransport(lambda _: answer)))
    with pytest.raises(UpstreamUnavailableError):
        models.find("m")


def test_a_server_that_knows_no_case_makes_no_second_model() -> None:
    """Where MLflow's database compares names without case, one model would have several ids, and so several tokens."""
    server = Mlflow()
    server.model["name"] = "M"
    assert server.models().find("m") is None
