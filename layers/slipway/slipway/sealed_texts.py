"""Texts that few functions may read, as they are stored: encrypted with AES-256-GCM under data keys of a KMS key.

That is envelope encryption: a process asks KMS for a data key once an hour, and each text carries it as KMS encrypted
it. A text is bound to its place, so a copy elsewhere can't be opened.
"""

import os
import time
import zlib
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import botocore.exceptions

from slipway.errors import UpstreamUnavailableError
from slipway.settings import sdl_key_id
from slipway.store import aws_client
from slipway.times import Clock

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_VERSION = b"\x01"
# What zlib's texts begin with, as they were stored before there was a key.
_PLAIN = b"\x78"
_NONCE = 12
_DATA_KEY_SECONDS = 3600
_MAX_TEXTS = 100_000
_KEPT_KEYS = 256


class SealedTexts:
    """Seals and opens texts under one KMS key.

    Args:
        kms: The client of KMS.
        key_id: The key, which is symmetric.
        clock: Passes the time.
    """

    def __init__(self, kms: "KMSClient", key_id: str, clock: Clock = time) -> None:
        self._kms = kms
        self._key_id = key_id
        self._clock = clock
        self._until, self._left = 0.0, 0
        self._data_key, self._encrypted_key = b"", b""
        self._opened = lru_cache(_KEPT_KEYS)(self._decrypted)

    def seal(self, text: str, place: str) -> bytes:
        """Return a text as it is stored at a place, such as an item's partition key; raise UpstreamUnavailableError."""
        # Imported here because few requests need it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if self._clock.monotonic() >= self._until or not self._left:
            self._renew()
        self._left -= 1
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self._data_key).encrypt(nonce, zlib.compress(text.encode()), place.encode())
        return _VERSION + len(self._encrypted_key).to_bytes(2, "big") + self._encrypted_key + nonce + sealed

    def open(self, stored: bytes, place: str) -> str:
        """Return a stored text.

        Raises:
            UpstreamUnavailableError: KMS did not answer or does not let this function, or it was changed or moved.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if stored.startswith(_PLAIN):
            return zlib.decompress(stored).decode()
        size = int.from_bytes(stored[1:3], "big")
        key, sealed = stored[3 : 3 + size], stored[3 + size :]
        try:
            opened = AESGCM(self._opened(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except InvalidTag as error:
            raise UpstreamUnavailableError("A stored text was changed, or belongs elsewhere") from error
        return zlib.decompress(opened).decode()

    def _renew(self) -> None:
        try:
            made = self._kms.generate_data_key(KeyId=self._key_id, KeySpec="AES_256")
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise _unavailable(error) from error
        self._data_key, self._encrypted_key = made["Plaintext"], made["CiphertextBlob"]
        self._until, self._left = self._clock.monotonic() + _DATA_KEY_SECONDS, _MAX_TEXTS

    def _decrypted(self, key: bytes) -> bytes:
        try:
            return self._kms.decrypt(KeyId=self._key_id, CiphertextBlob=key)["Plaintext"]
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> UpstreamUnavailableError:
    return UpstreamUnavailableError(f"The key of stored texts can't be used: {type(error).__name__}", retry_after=2)


@cache
def sealed_sdls() -> SealedTexts:
    """Return what seals the SDLs of this installation."""
    return SealedTexts(aws_client("kms"), sdl_key_id())
