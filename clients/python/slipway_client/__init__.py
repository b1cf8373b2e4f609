"""A client of Slipway: `Slipway`, and `AsyncSlipway` with the same methods to await."""

from slipway_client._async.client import AsyncSlipway
from slipway_client._async.wallet import AsyncWallet
from slipway_client._sync.client import Slipway
from slipway_client._sync.wallet import Wallet
from slipway_client._version import __version__
from slipway_client.errors import SlipwayError, TransactionError, WebhookError
from slipway_client.events import LogEvent
from slipway_client.retries import Retries
from slipway_client.sessions import MemoryStore, Session, SessionStore
from slipway_client.signing import PrivateKey, SignedTransaction, Signer
from slipway_client.webhooks import verify_webhook

__all__ = [
    "AsyncSlipway",
    "AsyncWallet",
    "LogEvent",
    "MemoryStore",
    "PrivateKey",
    "Retries",
    "Session",
    "SessionStore",
    "SignedTransaction",
    "Signer",
    "Slipway",
    "SlipwayError",
    "TransactionError",
    "Wallet",
    "WebhookError",
    "__version__",
    "verify_webhook",
]
