"""Where models are known from: the built-in catalogue, or MLflow when its address is configured."""

from functools import cache
from typing import Protocol

import httpx

from slipway.secret_values import secret_text
from slipway.settings import mlflow_tracking
from slipway.tokens.mlflow import MlflowModels
from slipway.tokens.models import ModelMetadata
from slipway.tokens.store import find_model


class ModelSource(Protocol):
    """Finds a model's metadata."""

    def find(self, model_id: str) -> ModelMetadata | None:
        """The model, or None when nobody knows it; raises UpstreamUnavailableError when that can't be told now."""


class CatalogueModels:
    """The catalogue that administrators fill (``PUT /api/admin/models/{id}``)."""

    def find(self, model_id: str) -> ModelMetadata | None:
        """See ``ModelSource``."""
        return find_model(model_id)


@cache
def model_source() -> ModelSource:
    """MLflow when MLFLOW_TRACKING_URI is set, else the catalogue."""
    tracking = mlflow_tracking()
    if tracking is None:
        return CatalogueModels()
    address, secret = tracking
    return MlflowModels(address, httpx.Client(), secret_text(secret) if secret else None)
