"""GET /api/providers: who offers what on Akash, and what it may cost."""

from typing import Annotated

from fastapi import Query

from slipway.akash.providers.models import ProviderPage
from slipway.akash.providers.service import provider_catalogue, provider_filter
from slipway.http import Cursor, create_app, lambda_handler

app = create_app()
Text = Annotated[str | None, Query(max_length=64)]


@app.get("/api/providers")
def page(
    region: Text = None,
    gpu_type: Annotated[str | None, Query(alias="gpuType", max_length=64)] = None,
    max_price: Annotated[str | None, Query(alias="maxPrice", max_length=64)] = None,
    audited_only: Annotated[bool, Query(alias="auditedOnly")] = False,
    online: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> ProviderPage:
    """List the providers that match, by name; an empty list when none does."""
    wanted = provider_filter(region, gpu_type, max_price, audited_only=audited_only, online=online)
    return provider_catalogue().page(wanted, limit, cursor)


handler = lambda_handler(app)
