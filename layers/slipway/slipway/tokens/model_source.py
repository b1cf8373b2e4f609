"""Where models are known from: the built-in catalogue, or MLflow when its address is configured."""

from functools import cache
from typing import Protocol

import httpx

from slipway.secret_values import secret_text
from slipway.settings import mlflow_tracking
from slipway.tokens.mlflow import MlflowModels
from slipway.tokens.models import ModelMetadata
from slipway.tokens.store import find_model, list_models


class ModelSource(Protocol):
    """Finds and lists models."""

    def find(self, model_id: str) -> ModelMetadata | None:
        """Return the model, or None when nobody knows it; raise UpstreamUnavailableError when that is unknown now."""

    def page(self, wallet: str | None, limit: int, cursor: str | None) -> tuple[list[ModelMetadata], str | None]:
        """Return a page of what a wallet owns or contributes to, of everything for None, and the next one's cursor."""


class CatalogueModels:
    """The catalogue that administrators fill (``PUT /api/admin/models/{id}``)."""

    def find(self, model_id: str) -> ModelMetadata | None:
        """See ``ModelSource``."""
        return find_model(model_id)

    def page(self, wallet: str | None, limit: int, cursor: str | None) -> tuple[list[ModelMetadata], str | None]:
        """See ``ModelSource``."""
        return list_models(wallet, limit, cursor)


@cache
def model_source() -> ModelSource:
    """MLflow when MLFLOW_TRACKING_URI is set, else the catalogue."""
    tracking = mlflow_tracking()
    if tracking is None:
        return CatalogueModels()
    address, secret = tracking
    return MlflowModels(address, httpx.Client(), secret_text(secret) if secret else None)
