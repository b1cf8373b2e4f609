"""Models as MLflow knows them, over its REST API (``/api/2.0/mlflow``).

A Slipway model is an MLflow registered model of the same name. What MLflow has no field for is in tags of the
registered model, or of its newest version, whose tags come first:

| tag | meaning |
|---|---|
| ``slipway.owner`` | the owner's address |
| ``slipway.contributors`` | JSON list of addresses |
| ``slipway.state`` | ``registered``, ``validated`` or ``rejected`` |
| ``slipway.validated_at`` | ISO 8601 |
| ``slipway.improvement`` | a number |

Lists are MLflow's search, which looks at the registered model's tags alone: a model is listed for its owner and its
contributors where those two tags are the registered model's. Run id and metrics are those of the newest version's run.
"""

import json
import math
from collections.abc import Callable
from typing import Any

import httpx

from slipway.addresses import parse_address
from slipway.deadline_client import request_within
from slipway.errors import UpstreamUnavailableError, ValidationFailedError
from slipway.network import require_public_url
from slipway.pagination import decode_cursor, encode_cursor
from slipway.request_budget import BudgetSpentError, waiting
from slipway.request_threads import RequestThreads
from slipway.tokens.models import ModelMetadata, ModelState

_TIMEOUT_SECONDS = 3.0
_MAX_BYTES = 4 * 1024 * 1024
# Each model of a page takes a request for its metrics.
_MAX_LISTED = 24
_AT_ONCE = 8
# Where a wallet's models are looked for, one search after the other: MLflow's filters have no "or".
_OWNED, _CONTRIBUTED = "owned", "contributed"
_FILTERS = {
    _OWNED: "tags.`slipway.owner` ILIKE '{wallet}'",
    _CONTRIBUTED: "tags.`slipway.contributors` ILIKE '%{wallet}%'",
}
# A server that answers in another shape than MLflow's.
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def _tags(entry: dict[str, Any]) -> dict[str, str]:
    return {str(tag["key"]): str(tag.get("value", "")) for tag in entry.get("tags") or []}


def _newest(versions: list[dict[str, Any]]) -> dict[str, Any]:
    return max(versions, key=lambda version: int(version.get("version", 0)), default={})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _improvement(text: str | None) -> float | None:
    if text is None:
        return None
    improvement = float(text)
    if not math.isfinite(improvement):
        raise ValidationFailedError("not a finite number")
    return improvement


def _owner(text: str | None) -> str:
    if text is None:
        raise ValidationFailedError("is missing")
    return parse_address(text, "slipway.owner")


def _contributors(text: str | None) -> tuple[str, ...]:
    found = json.loads(text) if text else []
    if not isinstance(found, list):
        raise ValidationFailedError("not a JSON list")
    return tuple(parse_address(str(address), "slipway.contributors") for address in found)


class _Tags:
    """A model's tags, read one by one; ``problems`` has those that make no sense."""

    def __init__(self, tags: dict[str, str]) -> None:
        self._tags = tags
        self.problems: dict[str, str] = {}

    def read[Value](self, name: str, read: Callable[[str | None], Value], otherwise: Value) -> Value:
        try:
            return read(self._tags.get(name))
        except ValidationFailedError as error:
            self.problems[name] = error.message.removeprefix(f"{name}: ")
        except (ValueError, RecursionError):
            self.problems[name] = "can't be read"
        return otherwise


class MlflowModels:
    """Reads models from an MLflow tracking server.

    Args:
        address: Base address of the server.
        client: The HTTP client; its lifetime is the caller's.
        token: Bearer token, where the server asks for one.
    """

    def __init__(self, address: str, client: httpx.Client, token: str | None = None) -> None:
        self._address = address.rstrip("/")
        self._client = client
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._threads = RequestThreads(max_workers=_AT_ONCE, thread_name_prefix="mlflow")

    def find(self, model_id: str) -> ModelMetadata | None:
        """Return the model of this name, or None when MLflow has none; one without our tags has ``problems``.

        Some of MLflow's databases compare names without case; a model has one id here, its own.

        Raises:
            UpstreamUnavailableError: MLflow did not answer, refused us, or answered in no shape of MLflow's.
        """
        answer = self._get("registered-models/get", {"name": model_id})
        found = None if answer is None else self._read(answer.get("registered_model"))
        return found if found and found.model_id == model_id else None

    def page(self, wallet: str | None, limit: int, cursor: str | None) -> tuple[list[ModelMetadata], str | None]:
        """Return a page of the models that a wallet owns or contributes to, or of all models for None.

        A page may be shorter than ``limit``, or empty, and still have a next one.

        Raises:
            ValidationFailedError: The cursor was not given by this list.
            UpstreamUnavailableError: See ``find``.
        """
        stage, place = decode_cursor(cursor, 2) if cursor else (_OWNED, "-")
        if stage not in _FILTERS:
            raise ValidationFailedError.of_field("cursor", "was not given by this list")
        parameters = {"max_results": str(min(limit, _MAX_LISTED))}
        if place != "-":
            parameters["page_token"] = place
        if wallet is not None:
            parameters["filter"] = _FILTERS[stage].format(wallet=wallet)
        answer = self._get("registered-models/search", parameters) or {}
        models = answer.get("registered_models") or []
        if not isinstance(models, list):
            raise UpstreamUnavailableError("What MLflow answers is no list of models")
        found = list(self._threads.map(self._read, models))
        if wallet is not None:
            # A newest version's tags come before those that were searched.
            found = [model for model in found if _belongs(model, wallet, stage)]
        following = answer.get("next_page_token")
        if following:
            return found, encode_cursor([stage, str(following)])
        more = stage == _OWNED and wallet is not None
        return found, encode_cursor([_CONTRIBUTED, "-"]) if more else None

    def _read(self, model: Any) -> ModelMetadata:
        try:
            version = _newest(model.get("latest_versions") or [])
            tags = _Tags({**_tags(model), **_tags(version)})
            run_id = version.get("run_id") or None
            owner = tags.read("slipway.owner", _owner, None)
            return ModelMetadata(
                model_id=_text(model["name"]),
                owner=owner,
                contributors=tags.read("slipway.contributors", _contributors, ()),
                state=tags.read(
                    "slipway.state", lambda text: ModelState(text or ModelState.REGISTERED), ModelState.REGISTERED
                ),
                validated_at=tags.read("slipway.validated_at", lambda text: text, None),
                run_id=run_id,
                # Of a model that is nobody's, only its name is anybody's business.
                metrics=self._metrics(run_id) if run_id and owner else {},
                improvement=tags.read("slipway.improvement", _improvement, None),
                problems=tags.problems,
            )
        except _NONSENSE as error:
            raise UpstreamUnavailableError("What MLflow answers of the model is malformed") from error

    def _metrics(self, run_id: str) -> dict[str, float]:
        answer = self._get("runs/get", {"run_id": run_id})
        metrics = ((answer or {}).get("run") or {}).get("data", {}).get("metrics") or []
        found = {str(metric["key"]): float(metric["value"]) for metric in metrics}
        # JSON has no NaN or infinity, and a metric that diverged says nothing.
        return {key: value for key, value in found.items() if math.isfinite(value)}

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any] | None:
        require_public_url(self._address)
        try:
            with waiting(_TIMEOUT_SECONDS) as seconds:
                answer = request_within(
                    self._client,
                    "GET",
                    f"{self._address}/api/2.0/mlflow/{path}",
                    seconds,
                    most_bytes=_MAX_BYTES,
                    params=parameters,
                    headers=self._headers,
                )
            found = answer.json()
            # Halves of surrogate pairs are no text that could be answered.
            json.dumps(found, ensure_ascii=False).encode()
        except (httpx.HTTPError, BudgetSpentError, ValueError, RecursionError) as error:
            raise UpstreamUnavailableError("MLflow did not answer", retry_after=5) from error
        body: dict[str, Any] = found if isinstance(found, dict) else {}
        if answer.status_code == httpx.codes.NOT_FOUND and body.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
            return None
        # A search that finds nothing is answered by an empty object.
        if answer.status_code != httpx.codes.OK or not isinstance(found, dict):
            raise UpstreamUnavailableError(f"MLflow answered {answer.status_code}", retry_after=5)
        return body


def _belongs(model: ModelMetadata, wallet: str, stage: str) -> bool:
    """Return whether a search found what it is for; a model that a wallet owns is in the first search alone."""
    return model.owner == wallet if stage == _OWNED else model.owner != wallet and wallet in model.contributors
