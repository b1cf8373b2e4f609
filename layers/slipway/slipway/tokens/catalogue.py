"""Use cases of models: list and read those that a caller may launch, write one into the catalogue."""

from collections.abc import Sequence

from slipway.errors import ForbiddenError, NotFoundError
from slipway.identity.models import ADMIN, Caller
from slipway.jobs.store import RequestContext
from slipway.tokens.model_source import ModelSource
from slipway.tokens.models import ModelAnswer, ModelEntry, ModelMetadata, ModelPage, ModelToken, ModelView
from slipway.tokens.service import TokenService
from slipway.tokens.store import TokenItem, save_model, tokens_of


class Catalogue:
    """Models as those see them who may launch their tokens; administrators see all.

    Args:
        source: Where models are known from.
        tokens: Says what a launch would be refused for.
    """

    def __init__(self, source: ModelSource, tokens: TokenService) -> None:
        self._source = source
        self._tokens = tokens

    def page(self, caller: Caller, limit: int, cursor: str | None) -> ModelPage:
        """Return a page of the models that the caller owns or contributes to; of all for an administrator.

        Raises:
            ForbiddenError: The caller has no wallet.
            ValidationFailedError: The cursor was not given by this list.
            UpstreamUnavailableError: The store or MLflow did not answer.
        """
        if not _is_admin(caller) and caller.wallet is None:
            raise ForbiddenError("The access token names no wallet")
        models, following = self._source.page(None if _is_admin(caller) else caller.wallet, limit, cursor)
        return ModelPage(models=self._views(caller, models), next_cursor=following)

    def find(self, caller: Caller, model_id: str) -> ModelView:
        """Return one model; one of which MLflow names no owner is anybody's to see, with what its tags lack.

        Raises:
            NotFoundError: There is no such model, or it is others'.
            UpstreamUnavailableError: The store or MLflow did not answer.
        """
        model = self._source.find(model_id)
        if model is None or not (_is_admin(caller) or model.owner is None or model.is_shared_with(caller.wallet)):
            raise NotFoundError("There is no such model")
        return self._views(caller, [model])[0]

    def _views(self, caller: Caller, models: Sequence[ModelMetadata]) -> list[ModelView]:
        tokens = tokens_of([model.model_id for model in models])
        refusals = self._tokens.refusals(caller, models, tokens)
        return [
            ModelView(
                model_id=model.model_id,
                owner=model.owner,
                contributors=list(model.contributors),
                state=model.state,
                validated_at=model.validated_at,
                metrics=model.metrics,
                token=_token_of(tokens.get(model.model_id)),
                refusals=refused,
            )
            for model, refused in zip(models, refusals, strict=True)
        ]


def _is_admin(caller: Caller) -> bool:
    return ADMIN in caller.roles


def _token_of(launch: TokenItem | None) -> ModelToken | None:
    if launch is None or launch.deployment_block is None:
        return None
    address = str(launch.token_address)
    return ModelToken(address=address, symbol=launch.token_symbol, deployment_id=launch.deployment_id)


def put_model(context: RequestContext, caller: Caller, model_id: str, entry: ModelEntry) -> ModelAnswer:
    """Write a model into the catalogue."""
    context.record_accepted(caller.wallet, model_id)
    save_model(
        ModelMetadata(
            model_id=model_id,
            owner=entry.owner,
            contributors=tuple(dict.fromkeys(entry.contributors)),
            state=entry.state,
            validated_at=entry.validated_at,
            run_id=entry.run_id,
            metrics=entry.metrics,
            improvement=entry.improvement,
        )
    )
    return ModelAnswer(model_id=model_id, **entry.model_dump())
