# Written from _async by `make openapi`; do not edit.
"""Deployments: tokens and workloads, their logs and their escrow; and builds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from slipway_client import types
from slipway_client._sync import driver
from slipway_client._sync.connection import Connection
from slipway_client._sync.wallet import Wallet
from slipway_client.errors import SlipwayError
from slipway_client.events import EventParser, LogEvent, log_event
from slipway_client.retries import pauses

FOLLOW_SECONDS = 3600.0
# A workload that is active goes on; everything else in these is the end.
ENDED = {"completed", "failed", "active", "closed", "error"}
BUILD_ENDED = {"complete", "failed", "cancelled"}
_FIRST_PAUSE, _MAX_PAUSE = 1.0, 15.0
# The API answers after 20 s at the latest.
_NO_CONTENT = 204
_OPEN_SECONDS = 30.0
_LOG_TIMEOUT = httpx.Timeout(_OPEN_SECONDS, read=60)
_PATIENCE_SECONDS = 300.0
# An answer ends with the lines that are there; one of this size may have been cut.
_FULL_ANSWER = 200 * 1024

Estimate = types.EstimateAnswer | types.WorkloadEstimate
Accepted = types.DeployWorkloadAnswer | types.PayWorkloadAnswer
Status = types.DeploymentStatus | types.WorkloadStatus
Detail = types.DeploymentDetail | types.WorkloadDetail
Summary = types.DeploymentSummary | types.WorkloadSummary


class Resource:
    """A part of the API."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection


def identity(thing: str | Mapping[str, Any], field: str) -> str:
    """Return the id of a thing that is given by its id, or as the API answered it."""
    return thing if isinstance(thing, str) else str(thing[field])


class Deployments(Resource):
    """`/api/deployments`."""

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
        """Launch the token of a validated model; for arguments see `DeployTokenRequest`.

        Args:
            model_id: Of the model.
            user_address: The caller's wallet; by default the signer's.
            token_name: By default made from the model's id.
            token_symbol: By default made from its name.
            initial_supply: Whole tokens as decimal text.
            max_supply: The most that there may ever be.
            allocations: Who gets how much of the initial supply; the rest goes to the caller.
            idempotency_key: The same key and arguments never launch twice, in this process or another.
        """
        body = _given(
            model_id=model_id,
            user_address=user_address or (self._api.signer.address if self._api.signer else None),
            token_name=token_name,
            token_symbol=token_symbol,
            initial_supply=initial_supply,
            max_supply=max_supply,
            allocations=allocations,
        )
        return self._api.call("POST /api/deployments", body=body, key=idempotency_key)

    def deploy(
        self,
        sdl: str,
        *,
        deposit: str | None = None,
        preferences: types.Preferences | None = None,
        name: str | None = None,
        choose_bid: bool = False,
        choose_within_seconds: int | None = None,
        unchosen: str | None = None,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Run a workload on Akash.

        An answer with `payment` waits for the wallet's deposit: give its `transactions` to `Wallet.send`.

        Args:
            sdl: The text of the SDL.
            deposit: US dollars as decimal text.
            preferences: Which providers' bids are taken, and to what price.
            name: A name to find it by.
            choose_bid: Wait for `choose` instead of taking the best bid.
            choose_within_seconds: How long, 15 to 240; by default as long as bids last.
            unchosen: What happens when nobody chooses: `best` takes the best bid, `close` closes it.
            idempotency_key: The same key and arguments never deploy twice.
        """
        body = _given(
            sdl=sdl,
            deposit=deposit,
            preferences=preferences,
            name=name,
            choose_bid=choose_bid or None,
            choose_within_seconds=choose_within_seconds,
            unchosen=unchosen,
        )
        return self._api.call("POST /api/deployments", body=body, key=idempotency_key)

    def estimate(self, request: types.DeployTokenRequest | types.DeployWorkloadRequest) -> Estimate:
        """Return what a request would cost, and every refusal that it would get; changes nothing."""
        return self._api.call("POST /api/deployments/estimate", body=request)

    def list(
        self,
        *,
        kind: str | None = None,
        status: str | None = None,
        model_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Summary]:
        """Yield the caller's deployments, newest first; `limit` is the size of a page."""
        query = {"kind": kind, "status": status, "model_id": model_id, "limit": limit}
        return self._api.pages("GET /api/deployments", "deployments", query=query)

    def get(self, deployment_id: str) -> Detail:
        """Return a deployment with its events, transactions or leases."""
        return self._api.call("GET /api/deployments/{id}", {"id": deployment_id})

    def status(self, deployment_id: str) -> Status:
        """Return how a deployment stands."""
        return self._api.call("GET /api/deployments/{id}/status", {"id": deployment_id})

    def follow(
        self,
        deployment: str | Mapping[str, Any],
        *,
        on_change: Callable[[Status], object] | None = None,
        timeout: float = FOLLOW_SECONDS,
    ) -> Status:
        """Wait until a launch has ended, or a workload is active or has ended; return its last status.

        Args:
            deployment: Its id, or what `launch_token` or `deploy` returned.
            on_change: Called with each status that differs from the one before.
            timeout: Seconds.

        Raises:
            TimeoutError: It is still under way; it goes on without anybody following it.
            SlipwayError: The API refused, or has not answered in all this time.
        """
        deployment_id = identity(deployment, "deployment_id")
        return _polled(lambda: self.status(deployment_id), lambda status: status["status"] in ENDED, on_change, timeout)

    def bids(self, deployment_id: str) -> types.BidList:
        """Return the bids for a workload that waits for its owner to choose, best first."""
        return self._api.call("GET /api/deployments/{id}/bids", {"id": deployment_id})

    def choose(self, deployment_id: str, *providers: str, price: str | None = None) -> types.WorkloadStatus:
        """Take the bids of these providers, one for each placement; the same choice again changes nothing.

        Args:
            deployment_id: Of the workload.
            providers: Their addresses, in the order of the placements.
            price: uact a block that their bids cost together, as `bids` showed it; another price is refused.
        """
        body = _given(providers=[*providers], price=price)
        return self._api.call("POST /api/deployments/{id}/bids", {"id": deployment_id}, body=body)

    def update(self, deployment_id: str, sdl: str, *, replace: bool = False) -> types.WorkloadStatus:
        """Run another SDL in a workload's lease, or with `replace` in a new one where it has to be another."""
        body = {"sdl": sdl, "replace": replace}
        return self._api.call("PUT /api/deployments/{id}", {"id": deployment_id}, body=body)

    def change(
        self, deployment_id: str, *, name: str | None = None, auto_top_up: bool | None = None
    ) -> types.WorkloadStatus:
        """Name a workload, or keep its runway up."""
        body = _given(name=name, auto_top_up=auto_top_up)
        return self._api.call("PATCH /api/deployments/{id}", {"id": deployment_id}, body=body)

    def top_up(self, deployment_id: str, amount: str) -> types.WorkloadStatus:
        """Add US dollars to a workload's escrow account on Akash. Not repeated by itself: it is not idempotent."""
        return self._api.call("POST /api/deployments/{id}/deposit", {"id": deployment_id}, body={"amount": amount})

    def retry(self, deployment_id: str, *, idempotency_key: str | None = None) -> types.DeploymentStatus:
        """Take up a launch that failed half done."""
        return self._api.call("POST /api/deployments/{id}/retry", {"id": deployment_id}, key=idempotency_key)

    def close(self, deployment_id: str) -> Status:
        """Close a workload, or cancel a launch that is not signed yet."""
        return self._api.call("DELETE /api/deployments/{id}", {"id": deployment_id})

    def sdl(self, deployment_id: str, *, reveal: bool = False) -> types.SdlAnswer:
        """Return the SDL of a workload; secrets are masked unless they are to be revealed, which is audited."""
        path, query = {"id": deployment_id}, {"reveal": reveal or None}
        return self._api.call("GET /api/deployments/{id}/sdl", path, query=query)

    def logs(
        self,
        deployment: str | Mapping[str, Any],
        *,
        service: str | None = None,
        tail: int | None = None,
        after: str | None = None,
        follow: bool = True,
    ) -> Iterator[LogEvent]:
        """Yield a workload's log until it is closed, without a gap or a repeat whatever happens to the connection.

        Args:
            deployment: Its id, or what `deploy` returned.
            service: One of its services; by default all.
            tail: How many earlier lines to begin with.
            after: The `id` of the last event that is known, to go on after it.
            follow: Whether to wait for what is yet to be written.

        Raises:
            SlipwayError: The API refused, or has not answered for five minutes.
        """
        path = {"id": identity(deployment, "deployment_id")}
        query = {"service": service, "tail": tail}
        failures, silent_since = pauses(_FIRST_PAUSE, _MAX_PAUSE, 2), driver.now()
        while True:
            parser, size = EventParser(), 0
            request = self._api.request(
                "GET /api/deployments/{id}/logs",
                path,
                query=query,
                headers={"accept": "text/event-stream", **({"last-event-id": after} if after else {})},
            )
            request.extensions["timeout"] = _LOG_TIMEOUT.as_dict()
            try:
                response = self._api.open(request)
                if response.status_code == _NO_CONTENT:
                    return  # The log has ended.
                for piece in self._api.pieces(response):
                    size += len(piece)
                    for event in parser.push(piece):
                        after = event.id or after
                        yield log_event(event)
                        if event.name == "end":
                            return
                if not follow and size < _FULL_ANSWER:
                    return
                pause, failures, silent_since = (
                    parser.retry or 0.2,
                    pauses(_FIRST_PAUSE, _MAX_PAUSE, 2),
                    driver.now(),
                )
            except SlipwayError as error:
                if not error.passes or driver.now() - silent_since > _PATIENCE_SECONDS:
                    raise
                pause = max(next(failures), error.retry_after or 0)
            driver.sleep(pause)


class Escrow(Resource):
    """`/api/escrow`: money that the caller's wallet holds for a job."""

    def status(self, job_id: str) -> types.EscrowAnswer:
        """Return what is deposited, reserved, released and refundable, as of a block."""
        return self._api.call("GET /api/escrow", query={"job_id": job_id})

    def deposit(self, job_id: str, amount: str, *, permit: types.Permit | None = None) -> types.DepositAnswer:
        """Return the transactions of a deposit, for the wallet to sign; `amount` is in whole tokens."""
        body = _given(job_id=job_id, amount=amount, permit=permit)
        return self._api.call("POST /api/escrow", body=body)

    def refund(self, job_id: str) -> types.RefundAnswer:
        """Return the transactions that take back what is free."""
        return self._api.call("DELETE /api/escrow", query={"job_id": job_id})

    def pay(self, job_id: str, amount: str, wallet: Wallet) -> types.EscrowAnswer:
        """Deposit for a job from a wallet, and return how the escrow stands then.

        Where the token takes a permit, the wallet signs one instead of sending an approval.
        """
        offer = self.deposit(job_id, amount)
        permit = offer.get("permit")
        if permit and len(offer["transactions"]) > 1:
            signature = driver.settled(wallet.signer.sign_typed_data(permit["typed_data"]))
            offer = self.deposit(job_id, amount, permit={"deadline": permit["deadline"], "signature": signature})
        wallet.send(offer["transactions"])
        return self.status(job_id)


class Builds(Resource):
    """`/api/v1/builds`."""

    def preview(
        self,
        prompt: str,
        chains: Sequence[int] = (),
        *,
        template: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> types.Preview:
        """Return what a prompt would become: kind, options, powers, source, gas; changes nothing."""
        body = _given(prompt=prompt, chains=[*chains], template=template, options=options)
        return self._api.call("POST /api/v1/builds/preview", body=body)

    def start(
        self,
        prompt: str,
        chains: Sequence[int],
        *,
        template: str | None = None,
        options: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.BuildResponse:
        """Write, compile, audit and deploy a contract from a prompt.

        Args:
            prompt: What it shall be.
            chains: Ids of the chains to deploy it to.
            template: A kind of contract, where the prompt leaves it open.
            options: name, symbol, decimals, owner, strict, deploy and others.
            idempotency_key: The same key and arguments never begin twice.
        """
        body = _given(prompt=prompt, chains=[*chains], template=template, options=options)
        return self._api.call("POST /api/v1/builds", body=body, key=idempotency_key)

    def list(self, *, status: str | None = None, page_size: int | None = None) -> Iterator[types.BuildDetail]:
        """Yield the caller's builds, newest first."""
        number = 0
        while True:
            number += 1
            query = {"status": status, "page": number, "page_size": page_size}
            page: types.BuildList = self._api.call("GET /api/v1/builds", query=query)
            for build in page["builds"]:
                yield build
            if not page["builds"] or number * page["page_size"] >= page["total"]:
                return

    def get(self, build_id: str) -> types.BuildDetail:
        """Return a build with what is known of it."""
        return self._api.call("GET /api/v1/builds/{build_id}", {"build_id": build_id})

    def follow(
        self,
        build: str | Mapping[str, Any],
        *,
        on_change: Callable[[types.BuildDetail], object] | None = None,
        timeout: float = FOLLOW_SECONDS,
    ) -> types.BuildDetail:
        """Wait until a build has ended; for arguments and errors see `Deployments.follow`."""
        build_id = identity(build, "build_id")
        return _polled(lambda: self.get(build_id), lambda detail: detail["status"] in BUILD_ENDED, on_change, timeout)

    def events(self, build: str | Mapping[str, Any], *, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield a build's progress from its first event, or the one after `after`, to its end, over WebSocket.

        When the connection ends before the build does, it connects again and goes on: no event is missed or repeated.

        Raises:
            SlipwayError: The API refused, or no connection could be made for five minutes.
        """
        build_id = identity(build, "build_id")
        detail = self.get(build_id)
        url = detail.get("stream_url")
        if not url:
            raise SlipwayError("NOT_FOUND", "This installation has no streams of builds: use follow")
        failures, silent_since = pauses(_FIRST_PAUSE, _MAX_PAUSE, 2), driver.now()
        while detail["sequence"] > after or detail["status"] not in BUILD_ENDED:
            try:
                for event in self._messages(f"{url}{'&' if '?' in url else '?'}after={after}"):
                    # An answer to a ping has no number.
                    if event.get("sequence", 0) > after:
                        after, failures, silent_since = (
                            event["sequence"],
                            pauses(_FIRST_PAUSE, _MAX_PAUSE, 2),
                            driver.now(),
                        )
                        yield event
            except SlipwayError as error:
                if not error.passes or driver.now() - silent_since > _PATIENCE_SECONDS:
                    raise
                driver.sleep(next(failures))
            detail = self.get(build_id)

    def _messages(self, address: str) -> Iterator[dict[str, Any]]:
        headers = {"authorization": f"Bearer {self._api.bearer()}"}
        try:
            for message in driver.messages(address, headers, _OPEN_SECONDS):
                yield json.loads(message)
        except ConnectionClosed:
            return
        except InvalidStatus as error:
            status = error.response.status_code
            raise SlipwayError("FORBIDDEN", f"The stream was refused with status {status}", status) from None
        except (WebSocketException, OSError, EOFError) as error:
            raise SlipwayError("NETWORK", f"The stream can't be reached ({type(error).__name__})") from None

    def code(self, build_id: str) -> str:
        """Return the contract's source."""
        return str(self._api.call("GET /api/v1/builds/{build_id}/code", {"build_id": build_id}, text=True))

    def abi(self, build_id: str) -> Sequence[dict[str, Any]]:
        """Return the contract's ABI."""
        return self._api.call("GET /api/v1/builds/{build_id}/abi", {"build_id": build_id})

    def audit(self, build_id: str, *, format: Literal["json", "sarif"] = "json") -> dict[str, Any]:
        """Return the report of the last audit, also as SARIF 2.1.0."""
        query = {"format": format}
        return self._api.call("GET /api/v1/builds/{build_id}/audit", {"build_id": build_id}, query=query)

    def audit_markdown(self, build_id: str) -> str:
        """Return the report of the last audit for people."""
        query = {"format": "markdown"}
        return self._api.call("GET /api/v1/builds/{build_id}/audit", {"build_id": build_id}, query=query, text=True)

    def metadata(self, build_id: str) -> dict[str, Any]:
        """Return the compiler's input, with which anybody can verify the contract."""
        return self._api.call("GET /api/v1/builds/{build_id}/metadata", {"build_id": build_id})

    def deploy(self, build_id: str, chains: Sequence[int], *, idempotency_key: str | None = None) -> types.DeployAnswer:
        """Deploy an audited contract to chains that do not have it."""
        return self._api.call(
            "POST /api/v1/builds/{build_id}/deploy", {"build_id": build_id}, body=[*chains], key=idempotency_key
        )

    def report(
        self, build_id: str, chain_id: int, tx_hash: str, *, idempotency_key: str | None = None
    ) -> types.DeployAnswer:
        """Have the transaction followed by which the caller's wallet creates the contract on a chain."""
        route, body = "POST /api/v1/builds/{build_id}/deployments/{chain_id}", {"tx_hash": tx_hash}
        return self._api.call(route, {"build_id": build_id, "chain_id": chain_id}, body=body, key=idempotency_key)

    def create(self, build: str | Mapping[str, Any], wallet: Wallet) -> types.DeployAnswer | None:
        """Create an audited contract from a wallet on its chain, for a build with the option `signer: "wallet"`.

        Returns:
            How the build stands then; None when nothing is left to sign on the wallet's chain.
        """
        build_id, chain_id = identity(build, "build_id"), wallet.chain_id()
        for deployment in (self.get(build_id)).get("deployments") or ():
            unsigned = deployment.get("transaction")
            if unsigned and not deployment.get("tx_hash") and deployment["chain_id"] == chain_id:
                # Reported before it is in a block: should this process end, nobody sends a second one.
                return self.report(build_id, chain_id, wallet.submit(unsigned))
        return None

    def retry(self, build_id: str, *, idempotency_key: str | None = None) -> types.BuildResponse:
        """Begin a build again that failed before its audit."""
        return self._api.call("POST /api/v1/builds/{build_id}/retry", {"build_id": build_id}, key=idempotency_key)

    def cancel(self, build_id: str) -> types.Cancelled:
        """Cancel a build; what is on a chain stays there."""
        return self._api.call("DELETE /api/v1/builds/{build_id}", {"build_id": build_id})

    def ticket(self, build_id: str) -> types.Ticket:
        """Return a ticket that opens the build's stream once, within a minute, for a browser."""
        return self._api.call("POST /api/v1/builds/{build_id}/ticket", {"build_id": build_id})


def _polled(
    read: Callable[[], Any],
    is_over: Callable[[Any], bool],
    on_change: Callable[[Any], object] | None,
    timeout: float,
) -> Any:
    """Read until it is over; what differs from before is reported. An API that is down meanwhile is waited for."""
    ends_at, shown = driver.now() + timeout, None
    for pause in pauses(_FIRST_PAUSE, _MAX_PAUSE):
        try:
            found = read()
        except SlipwayError as error:
            if not error.passes or driver.now() + pause > ends_at:
                raise
            pause = max(pause, error.retry_after or 0)
        else:
            if on_change and found != shown:
                on_change(found)
            shown = found
            if is_over(found):
                return found
        if driver.now() + pause > ends_at:
            raise TimeoutError(f"It has not ended after {timeout:.0f} s")
        driver.sleep(pause)
    raise AssertionError("pauses never end")


def _given(**values: Any) -> dict[str, Any]:
    """Return what was given, without what was left out."""
    return {name: value for name, value in values.items() if value is not None}
