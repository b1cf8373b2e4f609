"""Use cases of the list of providers: a page of it, one of them, and the revalidation of the cache behind them."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache

from slipway.akash.bidding.preferences import decimal_of
from slipway.akash.console.client import ConsoleApi, console_api
from slipway.akash.console.models import Provider
from slipway.akash.providers.models import Market, ProviderPage
from slipway.akash.providers.rules import (
    UNIT_CPU,
    UNIT_MEMORY,
    UNIT_STORAGE,
    ProviderFilter,
    entry_of,
    matching,
    page_after,
    sort_key,
)
from slipway.akash.providers.store import ProviderCache
from slipway.akash.revalidation_requests import request_revalidation
from slipway.akash.sdl.gpus import parse_gpu
from slipway.akash.stale_while_revalidate import BACKGROUND_SECONDS, Cache, CacheEntry, Origin, read_through, revalidate
from slipway.errors import SlipwayError, UpstreamUnavailableError, ValidationFailedError
from slipway.observability import logger
from slipway.pagination import decode_cursor, encode_cursor
from slipway.request_threads import RequestThreads
from slipway.times import Clock, epoch_text

FRESH_SECONDS = 60.0
_UNAVAILABLE_RETRY_SECONDS = 5


def provider_filter(
    region: str | None, gpu_type: str | None, max_price: str | None, *, audited_only: bool, online: bool | None
) -> ProviderFilter | None:
    """Read a filter as a caller spells it; None where nothing can match. An empty text asks for nothing.

    Raises:
        ValidationFailedError: ``max_price`` is not a decimal.
    """
    try:
        price = decimal_of(max_price) if max_price else None
    except ValueError as error:
        raise ValidationFailedError.of_field("maxPrice", str(error)) from error
    try:
        gpu = parse_gpu(gpu_type) if gpu_type else None
    except ValueError:
        return None
    return ProviderFilter(region or None, gpu, price, audited_only, online)


class ProviderCatalogue:
    """The providers of the network as upstream listed them a minute ago at most, or as lately as possible.

    Args:
        cache: Holds the list for all functions.
        console: Gives the Console API.
        request_revalidation: Requests a revalidation in the background.
        clock: Gives and passes the time.
    """

    def __init__(
        self,
        cache: Cache[Market],
        console: Callable[[], ConsoleApi],
        request_revalidation: Callable[[], None],
        clock: Clock = time,
    ) -> None:
        self._cache = cache
        self._console = console
        self._clock = clock
        self._origin = Origin(self._fetch, request_revalidation, FRESH_SECONDS)
        self._memory: CacheEntry[Market] | None = None

    def page(self, wanted: ProviderFilter | None, limit: int, cursor: str | None) -> ProviderPage:
        """Return a page of the providers that match.

        Raises:
            UpstreamUnavailableError: There is no list and none can be had now.
            ValidationFailedError: The cursor is not of this list.
        """
        after = _position(cursor) if cursor else None
        entry = self._entry()
        market = entry.value
        listed = matching(market, wanted) if wanted else []
        shown, more = page_after(listed, after, limit)
        age = entry.age(self._clock.time())
        return ProviderPage(
            providers=[entry_of(market, match) for match in shown],
            total=len(listed),
            next_cursor=_cursor(shown[-1].provider) if more else None,
            as_of=epoch_text(entry.as_of),
            cached_age_seconds=round(age, 1),
            stale=age >= FRESH_SECONDS,
            prices_as_of=epoch_text(market.prices_as_of) if market.prices_as_of is not None else None,
        )

    def find(self, address: str) -> Provider | None:
        """Return a provider by its address; None when the list does not name it.

        Raises:
            UpstreamUnavailableError: See ``page``.
        """
        return next((found for found in self._entry().value.providers if found.owner == address), None)

    def revalidate(self) -> None:
        """Bring the cache up to date, however long upstream needs within the background's time.

        Raises:
            UpstreamUnavailableError: Upstream did not answer.
        """
        self._memory = self._memory or self._cache.read()
        self._memory = revalidate(self._cache, self._origin, BACKGROUND_SECONDS, self._clock)

    def _entry(self) -> CacheEntry[Market]:
        kept = self._memory
        if kept and kept.age(self._clock.time()) < FRESH_SECONDS:
            return kept
        try:
            self._memory = read_through(self._cache, self._origin, self._clock) or kept
        except UpstreamUnavailableError:
            if kept is None:
                raise
            logger.exception("serving providers from memory")
        if self._memory is None:
            raise UpstreamUnavailableError(
                "The Akash Console API did not list its providers in time", retry_after=_UNAVAILABLE_RETRY_SECONDS
            )
        return self._memory

    def _fetch(self, seconds: float) -> Market:
        """Ask for providers and prices at once. Prices that do not come are the last ones, with their age."""
        console = self._console()
        with RequestThreads(max_workers=3, thread_name_prefix="console") as threads:
            providers = threads.submit(console.providers, seconds=seconds)
            gpus = threads.submit(console.gpu_prices, seconds)
            unit = threads.submit(console.price_estimate, UNIT_CPU, UNIT_MEMORY, UNIT_STORAGE, seconds)
            listed = providers.result()
        kept = self._memory.value if self._memory else Market()
        gpu_prices, unit_price = _result(gpus), _result(unit)
        if gpu_prices is None or unit_price is None:
            return Market(providers=listed, gpus=kept.gpus, unit=kept.unit, prices_as_of=kept.prices_as_of)
        return Market(providers=listed, gpus=gpu_prices.models, unit=unit_price, prices_as_of=self._clock.time())


def _result[Answer](call: Future[Answer]) -> Answer | None:
    try:
        return call.result()
    except SlipwayError as error:
        logger.warning("no prices", reason=error.message)
        return None


def _cursor(provider: Provider) -> str:
    name, address = sort_key(provider)
    return encode_cursor([address, f"={name}"])


def _position(cursor: str) -> tuple[str, str]:
    # A provider may have no name, and no part of a cursor is empty.
    position = decode_cursor(cursor, 2)
    return position[1].removeprefix("="), position[0]


@cache
def provider_catalogue() -> ProviderCatalogue:
    """Return the catalogue of this installation."""
    return ProviderCatalogue(ProviderCache(), console_api, lambda: request_revalidation({"providers": True}))
