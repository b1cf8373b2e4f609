"""Keys of an external issuer, fetched over HTTPS and kept."""

import time
from typing import Any

import httpx
import jwt

from slipway.errors import AuthenticationFailedError, UpstreamUnavailableError
from slipway.network import require_public_url
from slipway.request_budget import BudgetSpentError, waiting

_KEEP_SECONDS = 600
# A token with an unknown key id may mean that the issuer rotated its keys, but must not become a way to make us ask
# the issuer at every request.
_LEAST_SECONDS_BETWEEN_FETCHES = 30
# An issuer that is down must not make every request wait for it.
_SECONDS_AFTER_FAILURE = 5
_MAX_BYTES = 256 * 1024


class JwksClient:
    """Finds an issuer's public key by its id."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = url
        self._client = client
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")

    def key(self, key_id: str) -> Any:
        """Return the public key with this id.

        Raises:
            AuthenticationFailedError: The issuer has no such key.
            UpstreamUnavailableError: The issuer did not answer, and no key of that id is kept.
        """
        age = time.monotonic() - self._fetched_at
        if age > _KEEP_SECONDS or (key_id not in self._keys and age > _LEAST_SECONDS_BETWEEN_FETCHES):
            try:
                self._fetch_unless_down()
            except UpstreamUnavailableError:
                if key_id not in self._keys:
                    raise
        if key_id not in self._keys:
            raise AuthenticationFailedError("The access token names a key that its issuer does not have")
        return self._keys[key_id].key

    def _fetch_unless_down(self) -> None:
        if time.monotonic() - self._failed_at < _SECONDS_AFTER_FAILURE:
            raise UpstreamUnavailableError(
                "The token issuer's keys cannot be fetched", retry_after=_SECONDS_AFTER_FAILURE
            )
        try:
            self._fetch()
        except UpstreamUnavailableError:
            self._failed_at = time.monotonic()
            raise

    def _fetch(self) -> None:
        require_public_url(self._url)
        try:
            with waiting(3.0) as seconds:
                answer = self._client.get(self._url, timeout=seconds)
            answer.raise_for_status()
            if len(answer.content) > _MAX_BYTES:
                raise ValueError("too large")
            key_set = jwt.PyJWKSet.from_dict(answer.json())
        except (httpx.HTTPError, BudgetSpentError, ValueError, jwt.PyJWTError, AttributeError, TypeError) as error:
            raise UpstreamUnavailableError(
                "The token issuer's keys cannot be fetched", retry_after=_SECONDS_AFTER_FAILURE
            ) from error
        self._keys = {key.key_id: key for key in key_set.keys if key.key_id and key.public_key_use in (None, "sig")}
        self._fetched_at = time.monotonic()
