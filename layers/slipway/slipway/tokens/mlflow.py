"""Models as MLflow knows them, over its REST API (``/api/2.0/mlflow``).

A Slipway model is an MLflow registered model of the same name. What MLflow has no field for is told by tags of the
registered model, or of its newest version where both have it:

| tag | meaning |
|---|---|
| ``slipway.owner`` | the owner's address |
| ``slipway.contributors`` | JSON list of addresses |
| ``slipway.state`` | ``registered``, ``validated`` or ``rejected`` |
| ``slipway.validated_at`` | ISO 8601 |
| ``slipway.improvement`` | a number |

Run id and metrics are those of the newest version's run.
"""

import json
import math
from typing import Any

import httpx

from slipway.addresses import parse_address
from slipway.errors import UpstreamUnavailableError, ValidationFailedError
from slipway.network import require_public_url
from slipway.tokens.models import ModelMetadata, ModelState

_TIMEOUT_SECONDS = 3.0


def _tags(entry: dict[str, Any]) -> dict[str, str]:
    return {str(tag["key"]): str(tag.get("value", "")) for tag in entry.get("tags") or []}


def _newest(versions: list[dict[str, Any]]) -> dict[str, Any]:
    return max(versions, key=lambda version: int(version.get("version", 0)), default={})


def _improvement(text: str | None) -> float | None:
    if text is None:
        return None
    improvement = float(text)
    if not math.isfinite(improvement):
        raise ValidationFailedError("slipway.improvement is not a finite number")
    return improvement


def _contributors(text: str) -> tuple[str, ...]:
    found = json.loads(text) if text else []
    if not isinstance(found, list):
        raise ValidationFailedError("slipway.contributors is not a JSON list")
    return tuple(parse_address(str(address), "slipway.contributors") for address in found)


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

    def find(self, model_id: str) -> ModelMetadata | None:
        """The model of this name, or None when MLflow has none.

        Raises:
            UpstreamUnavailableError: MLflow did not answer, refused us, or holds a model that makes no sense.
        """
        answer = self._get("registered-models/get", {"name": model_id})
        if answer is None:
            return None
        try:
            model = answer["registered_model"]
            version = _newest(model.get("latest_versions") or [])
            tags = {**_tags(model), **_tags(version)}
            run_id = version.get("run_id") or None
            return ModelMetadata(
                model_id=model_id,
                owner=parse_address(tags.get("slipway.owner", ""), "slipway.owner"),
                contributors=_contributors(tags.get("slipway.contributors", "")),
                state=ModelState(tags.get("slipway.state", ModelState.REGISTERED)),
                validated_at=tags.get("slipway.validated_at"),
                run_id=run_id,
                metrics=self._metrics(run_id) if run_id else {},
                improvement=_improvement(tags.get("slipway.improvement")),
            )
        except (ValueError, TypeError, LookupError, AttributeError, ValidationFailedError) as error:
            raise UpstreamUnavailableError("What MLflow tells of the model, or its tags, is malformed") from error

    def _metrics(self, run_id: str) -> dict[str, float]:
        answer = self._get("runs/get", {"run_id": run_id})
        metrics = ((answer or {}).get("run") or {}).get("data", {}).get("metrics") or []
        found = {str(metric["key"]): float(metric["value"]) for metric in metrics}
        # JSON has no NaN or infinity, and a metric that diverged tells nothing.
        return {key: value for key, value in found.items() if math.isfinite(value)}

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any] | None:
        require_public_url(self._address)
        try:
            answer = self._client.get(
                f"{self._address}/api/2.0/mlflow/{path}",
                params=parameters,
                headers=self._headers,
                timeout=_TIMEOUT_SECONDS,
            )
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UpstreamUnavailableError("MLflow did not answer", retry_after=5) from error
        if not isinstance(body, dict):
            body = {}
        if answer.status_code == httpx.codes.NOT_FOUND and body.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
            return None
        if answer.status_code != httpx.codes.OK or not body:
            raise UpstreamUnavailableError(f"MLflow answered {answer.status_code}", retry_after=5)
        return body
