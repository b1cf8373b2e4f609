"""Keys of an external issuer, fetched over HTTPS and kept."""

import math
import time
from typing import Any

import httpx
import jwt

from slipway.deadline_client import request_within
from slipway.errors import AuthenticationFailedError, KeyNotKnownYetError, UpstreamUnavailableError
from slipway.network import require_public_url
from slipway.request_budget import BudgetSpentError, waiting
from slipway.times import Clock

_KEEP_SECONDS = 600
# A token with an unknown key id may mean that the issuer rotated its keys, but must not become a way to make us ask
# the issuer at every request.
_MIN_SECONDS_BETWEEN_FETCHES = 30
# What it does not have right after it was asked, it does not have.
_ASKED_JUST_NOW_SECONDS = 1.0
# An issuer that is down must not make every request wait for it.
_SECONDS_AFTER_FAILURE = 5
_MAX_BYTES = 256 * 1024


class JwksClient:
    """Finds an issuer's public key by its id.

    Args:
        url: Where the issuer publishes its keys.
        client: The HTTP client.
        clock: Passes the time.
    """

    def __init__(self, url: str, client: httpx.Client, clock: Clock = time) -> None:
        self._clock = clock
        self._url = url
        self._client = client
        self._keys: list[jwt.PyJWK] = []
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")

    def key(self, key_id: str | None) -> Any:
        """Return the public key with this id; the issuer's only key where the token or the key has no id.

        Raises:
            AuthenticationFailedError: The issuer has no such key.
            KeyNotKnownYetError: The issuer was asked too short a time ago to be asked again.
            UpstreamUnavailableError: The issuer did not answer, and no key of that id is kept.
        """
        age = self._clock.monotonic() - self._fetched_at
        found = self._find(key_id)
        if age > _KEEP_SECONDS or (found is None and age > _MIN_SECONDS_BETWEEN_FETCHES):
            try:
                self._fetch_unless_down()
            except UpstreamUnavailableError:
                if found is None:
                    raise
            else:
                found = self._find(key_id)
                age = 0
        if found is None and age > _ASKED_JUST_NOW_SECONDS:
            # The issuer may have rotated its keys since.
            pause = math.ceil(_MIN_SECONDS_BETWEEN_FETCHES - age) + 1
            raise KeyNotKnownYetError("The token issuer's key is not known yet", retry_after=max(1, pause))
        if found is None:
            raise AuthenticationFailedError("The access token names a key that its issuer does not have")
        return found.key

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is not None:
            named = next((key for key in self._keys if key.key_id == key_id), None)
            if named:
                return named
        only = self._keys[0] if len(self._keys) == 1 else None
        return only if only and (key_id is None or not only.key_id) else None

    def _fetch_unless_down(self) -> None:
        if self._clock.monotonic() - self._failed_at < _SECONDS_AFTER_FAILURE:
            raise UpstreamUnavailableError(
                "The token issuer's keys cannot be fetched", retry_after=_SECONDS_AFTER_FAILURE
            )
        try:
            self._fetch()
        except UpstreamUnavailableError:
            self._failed_at = self._clock.monotonic()
            raise

    def _fetch(self) -> None:
        require_public_url(self._url)
        try:
            with waiting(3.0) as seconds:
                answer = request_within(
                    self._client, "GET", self._url, seconds, most_bytes=_MAX_BYTES, clock=self._clock
                )
            answer.raise_for_status()
            key_set = jwt.PyJWKSet.from_dict(answer.json())
        except (
            *(httpx.HTTPError, BudgetSpentError, ValueError, RecursionError),
            *(jwt.PyJWTError, AttributeError, TypeError),
        ) as error:
            raise UpstreamUnavailableError(
                "The token issuer's keys cannot be fetched", retry_after=_SECONDS_AFTER_FAILURE
            ) from error
        self._keys = [key for key in key_set.keys if key.public_key_use in (None, "sig")]
        self._fetched_at = self._clock.monotonic()
