# Written from _async by `make openapi`; do not edit.
"""The synchronous client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from slipway_client import types
from slipway_client._sync import resources
from slipway_client._sync.connection import Connection
from slipway_client._sync.jobs import (
    FOLLOW_SECONDS,
    Builds,
    Deployments,
    Escrow,
    Status,
)
from slipway_client._version import __version__
from slipway_client.events import LogEvent
from slipway_client.retries import Retries
from slipway_client.sessions import MemoryStore, Session, SessionStore
from slipway_client.signing import PrivateKey, Signer
from slipway_client.webhooks import verify_webhook

TIMEOUT_SECONDS = 30.0


class Slipway:
    """An installation of Slipway, as one caller.

    It signs in when it first has to and renews its session by itself. Requests that fail for a while are tried again,
    unless that could do a thing twice.

    Attributes:
        deployments: Tokens and workloads.
        escrow: Money that the caller's wallet holds for a job.
        builds: Contracts from prompts.
        models, tokens, providers, workers, stacks, webhooks, keys, projects, payments, admin: As the API has them.
    """

    def __init__(
        self,
        api: str,
        *,
        private_key: str | bytes | None = None,
        signer: Signer | None = None,
        api_key: str | None = None,
        token: str | None = None,
        session_store: SessionStore | None = None,
        chain_id: int | None = None,
        domain: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            api: The installation's address, such as `https://api.example.com`.
            private_key: Of the wallet that signs in.
            signer: A wallet that signs by other means, instead of a key.
            api_key: `slk_…`, instead of a session.
            token: The access token of your own issuer, instead of a session.
            session_store: Keeps the session between processes; by default it is this client's.
            chain_id: The chain that a sign-in names; by default the one that the API names.
            domain: The domain that a sign-in names, where it is not the API's.
            timeout: Seconds that one try may take to connect, and between pieces of an answer.
            retries: How often a request is tried, and how long it waits.
            http: Sends the requests; closed with this client.
        """
        if private_key is not None and signer is None:
            signer = PrivateKey(private_key)
        self._http = http or httpx.Client(timeout=timeout, headers={"user-agent": f"slipway-client/{__version__}"})
        self._api = Connection(
            api,
            self._http,
            signer=signer,
            bearer=api_key or token,
            store=session_store or MemoryStore(),
            retries=retries or Retries(),
            chain_id=chain_id,
            domain=domain,
        )
        self.deployments = Deployments(self._api)
        self.escrow = Escrow(self._api)
        self.builds = Builds(self._api)
        self.models = resources.Models(self._api)
        self.tokens = resources.Tokens(self._api)
        self.providers = resources.Providers(self._api)
        self.workers = resources.Workers(self._api)
        self.stacks = resources.Stacks(self._api)
        self.webhooks = resources.Webhooks(self._api)
        self.keys = resources.Keys(self._api)
        self.projects = resources.Projects(self._api)
        self.payments = resources.Payments(self._api)
        self.admin = resources.Admin(self._api)

    def __enter__(self) -> Slipway:
        """Return the client, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; the session stays good."""
        self._http.close()

    def sign_in(self, signer: Signer | None = None) -> Session:
        """Begin a session now, by the client's signer or another one; otherwise that happens when it is needed.

        Raises:
            ValueError: There is no signer.
            SlipwayError: The API does not take the signature.
        """
        chosen = signer or self._api.signer
        if chosen is None:
            raise ValueError("There is no key and no signer to sign in with")
        return self._api.sign_in(chosen)

    def sign_in_message(self, address: str) -> str:
        """Return the text that a wallet elsewhere has to sign, good for five minutes; `complete_sign_in` takes both."""
        return self._api.sign_in_text(address)

    def complete_sign_in(self, message: str, signature: str) -> Session:
        """Exchange a text of `sign_in_message` and its signature for a session."""
        return self._api.verified(message, signature)

    def sign_out(self, *, everywhere: bool = False) -> None:
        """End the session, or with `everywhere` all sessions of the wallet."""
        self._api.sign_out(everywhere=everywhere)

    def link_wallet(self, issuer_token: str, message: str, signature: str) -> types.LinkAnswer:
        """Link the wallet that signed a text of `sign_in_message` to the user of your own issuer's token."""
        return self._api.call(
            "POST /api/auth/link",
            body={"message": message, "signature": signature},
            headers={"authorization": f"Bearer {issuer_token}"},
        )

    def health(self) -> types.Healthy:
        """Return whether the API is there, and its version."""
        return self._api.call("GET /health")

    def launch_token(
        self,
        model_id: str,
        user_address: str | None = None,
        *,
        token_name: str | None = None,
        token_symbol: str | None = None,
        initial_supply: str | None = None,
        max_supply: str | None = None,
        allocations: Sequence[types.Allocation] | None = None,
        idempotency_key: str | None = None,
    ) -> types.DeployTokenAnswer:
        """Launch the token of a validated model; see `deployments.launch_token`."""
        return self.deployments.launch_token(
            model_id,
            user_address,
            token_name=token_name,
            token_symbol=token_symbol,
            initial_supply=initial_supply,
            max_supply=max_supply,
            allocations=allocations,
            idempotency_key=idempotency_key,
        )

    def follow(
        self,
        deployment: str | Mapping[str, Any],
        *,
        on_change: Callable[[Status], object] | None = None,
        timeout: float = FOLLOW_SECONDS,
    ) -> Status:
        """Wait until a launch has ended or a workload is active; see `deployments.follow`."""
        return self.deployments.follow(deployment, on_change=on_change, timeout=timeout)

    def logs(
        self,
        deployment: str | Mapping[str, Any],
        *,
        service: str | None = None,
        tail: int | None = None,
        after: str | None = None,
        follow: bool = True,
    ) -> Iterator[LogEvent]:
        """Yield a workload's log; see `deployments.logs`."""
        return self.deployments.logs(deployment, service=service, tail=tail, after=after, follow=follow)

    verify_webhook = staticmethod(verify_webhook)
