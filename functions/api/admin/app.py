"""The administrator's routes: the model catalogue."""

from typing import Annotated

from fastapi import Depends, Path

from slipway.http import body_of, create_app, lambda_handler, role
from slipway.identity.models import ADMIN, Caller
from slipway.tokens.models import ModelAnswer, ModelEntry, ModelId
from slipway.tokens.service import put_model

app = create_app()
administrator = role(ADMIN)
Administrator = Annotated[Caller, Depends(administrator)]


@app.put("/api/admin/models/{model_id}")
def model(
    model_id: Annotated[ModelId, Path()],
    caller: Administrator,
    body: Annotated[ModelEntry, body_of(ModelEntry, administrator)],
) -> ModelAnswer:
    """Tell the catalogue of a model."""
    return put_model(model_id, body)


handler = lambda_handler(app)
