"""Use cases of the escrow routes: what the chain says, and transactions for the wallet to sign. Nothing is stored."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal
from functools import cache
from typing import Any

import httpx

from slipway.addresses import to_checksum
from slipway.amounts import format_amount, parse_amount
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call
from slipway.chain.rules import gas_limit
from slipway.chain.store import chain_configuration
from slipway.chain.unsigned import UnsignedTransaction, unsigned
from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.control.store import Gate, Service
from slipway.errors import ConflictError, PaymentRequiredError, UpstreamUnavailableError, ValidationFailedError
from slipway.escrow.contract import EscrowContract, TokenContract
from slipway.escrow.models import (
    DepositAnswer,
    DepositRequest,
    EscrowAnswer,
    EscrowStatus,
    Permit,
    PermitOffer,
    RefundAnswer,
)
from slipway.escrow.rules import (
    APPROVE_GAS,
    DEPOSIT_GAS,
    PERMIT_SECONDS,
    agreed_price,
    permit_typed_data,
    units_of,
)
from slipway.escrow.store import PaidJob, paid_job, reconcile_soon, require_workload
from slipway.identity.models import Caller
from slipway.network import public_client
from slipway.observability import logger
from slipway.request_threads import RequestThreads
from slipway.times import Clock, epoch_seconds, epoch_text

# A request makes two rounds of reads at most, and answers within two seconds.
_RPC_SECONDS = 0.75
# A node that drips its answer keeps each read of a socket short, but not their sum.
_ROUND_SECONDS = 0.85


class EscrowService:
    """Reads of the escrow, and unsigned transactions.

    Args:
        chain: The chain that the escrow is on.
        http: Client for the chain's nodes.
        clock: Passes the time.
    """

    def __init__(self, chain: Chain, http: httpx.Client, clock: Clock = time) -> None:
        self._clock = clock
        self._chain = chain
        self._rpc = JsonRpc(chain, http, deadline=_RPC_SECONDS, clock=clock)
        self._threads = RequestThreads(max_workers=4, thread_name_prefix="rpc")
        self._token = cache(lambda address: TokenContract(self._rpc, chain.chain_id, address))

    def status(self, caller: Caller, job_id: str) -> EscrowAnswer:
        """Return what the chain knows of the caller's deposits for a job.

        Raises:
            UpstreamUnavailableError: The chain did not answer in time, or has no escrow.
        """
        contract = self._contract(paid_job(job_id))
        wallet = str(caller.wallet)
        found = self._status(contract, job_id, wallet)
        shown = {
            name: format_amount(getattr(found, name), found.decimals)
            for name in ("deposited", "released", "refunded", "reserved", "refundable", "balance", "allowance")
        }
        return EscrowAnswer(
            job_id=job_id,
            wallet=wallet,
            chain_id=self._chain.chain_id,
            escrow=contract.address,
            token=found.token,
            decimals=found.decimals,
            reserved_until=_reserved_until(found),
            block_number=found.block_number,
            **shown,
        )

    def deposit(self, caller: Caller, body: DepositRequest) -> DepositAnswer:
        """Transactions that deposit: one with a permit or a standing allowance, else an approval before it.

        Raises:
            ServicePausedError: No new deposits are taken.
            NotFoundError: The job is no workload of the caller's.
            ValidationFailedError: The amount is not the token's, or the permit not good for it.
            PaymentRequiredError: The wallet has less; ``details.missing`` says how much.
            ConflictError: The workload has ended or ends, or the chain would refuse it.
            UpstreamUnavailableError: The chain did not answer in time, or has no escrow.
        """
        answer = self._prepared(caller, body)
        # It may have ended while the chain was asked.
        reconcile_soon(require_workload(paid_job(body.job_id), str(caller.wallet)))
        return answer

    def _prepared(self, caller: Caller, body: DepositRequest) -> DepositAnswer:
        refusal = Gate(Service.ESCROW).refusal
        if refusal:
            raise refusal
        wallet = str(caller.wallet)
        job = require_workload(paid_job(body.job_id), wallet)
        contract = self._contract(job)
        found = _priced(self._status(contract, body.job_id, wallet))
        # Once anything was reserved or released, the price stays as it is.
        agreed = found.price if found.reserved_until or found.released else None
        price = agreed or job.price(found.decimals)
        amount = parse_amount(body.amount, found.decimals)
        shown = format_amount(amount, found.decimals)
        if found.balance < amount:
            raise PaymentRequiredError(
                f"The wallet lacks {format_amount(amount - found.balance, found.decimals)} of the token",
                details={
                    "token": found.token,
                    "balance": format_amount(found.balance, found.decimals),
                    "missing": format_amount(amount - found.balance, found.decimals),
                },
            )
        description = f"Deposit {shown} for job {body.job_id}"
        if body.permit:
            call = contract.deposit_with_permit(body.job_id, amount, price, body.permit)
            transaction = self._transaction(call, self._permitted_gas(wallet, call, body.permit), description)
            return self._deposits(body.job_id, shown, [transaction])
        token = self._token(found.token)
        offer = self._start(self._offer, token, wallet, contract.address, amount)
        approve, deposit = token.approve(contract.address, amount), contract.deposit(body.job_id, amount, price)
        approved = found.allowance >= amount
        gas = self._estimated(self._start(self._rpc.estimate_gas, wallet, deposit if approved else approve))
        transactions = [self._transaction(deposit, gas if approved else DEPOSIT_GAS, description)]
        if not approved:
            transactions.insert(0, self._transaction(approve, gas, f"Let the escrow take {shown} of your tokens"))
        return self._deposits(body.job_id, shown, transactions, self._offered(offer))

    def request(
        self, wallet: str, job_id: str, usd: Decimal, usd_per_hour: Decimal
    ) -> tuple[dict[str, Any], list[UnsignedTransaction]]:
        """Return what a wallet has to deposit for a job that it pays, and the transactions that do; no permit.

        What the wallet has does not matter: it has time to get the tokens.

        Raises:
            ServicePausedError: No new deposits are taken.
            UpstreamUnavailableError: The chain did not answer in time, or has no escrow.
        """
        if refusal := Gate(Service.ESCROW).refusal:
            raise refusal
        contract = self._contract()
        found = _priced(self._status(contract, job_id, wallet))
        units, price = units_of(usd, found.decimals), agreed_price(usd_per_hour, found.decimals)
        shown, hourly = format_amount(units, found.decimals), format_amount(price, found.decimals)
        deposit = contract.deposit(job_id, units, price)
        description = f"Deposit {shown} for job {job_id}, at {hourly} an hour at most"
        transactions = [self._transaction(deposit, DEPOSIT_GAS, description)]
        if found.allowance < units:
            approve = self._token(found.token).approve(contract.address, units)
            text = f"Let the escrow take {shown} of your tokens"
            transactions.insert(0, self._transaction(approve, APPROVE_GAS, text))
        stored = {
            "amount": shown,
            "units": units,
            "price": price,
            "decimals": found.decimals,
            "token": found.token,
            "escrow": contract.address,
        }
        return stored, transactions

    def refund(self, caller: Caller, job_id: str) -> RefundAnswer:
        """Return the transaction that gives the caller back what is unspent, even while the service is paused.

        Raises:
            ConflictError: Nothing can be refunded now; ``details`` say what is reserved and until when.
            UpstreamUnavailableError: The chain did not answer in time, or has no escrow.
        """
        contract = self._contract(paid_job(job_id))
        wallet = str(caller.wallet)
        found = self._status(contract, job_id, wallet)
        shown = format_amount(found.refundable, found.decimals)
        if not found.refundable:
            raise ConflictError(
                "Nothing of the wallet's deposits for this job can be refunded now",
                details={
                    "refundable": shown,
                    "reserved": format_amount(found.reserved, found.decimals),
                    "reserved_until": _reserved_until(found),
                },
            )
        call = contract.refund(job_id)
        gas = self._estimated(self._start(self._rpc.estimate_gas, wallet, call))
        transaction = self._transaction(call, gas, f"Refund {shown} of job {job_id}")
        return RefundAnswer(job_id=job_id, amount=shown, transactions=[transaction], chain_id=self._chain.chain_id)

    def _deposits(
        self, job_id: str, amount: str, transactions: list[UnsignedTransaction], permit: PermitOffer | None = None
    ) -> DepositAnswer:
        chain_id = self._chain.chain_id
        return DepositAnswer(job_id=job_id, amount=amount, transactions=transactions, permit=permit, chain_id=chain_id)

    def _contract(self, job: PaidJob | None = None) -> EscrowContract:
        """Return the escrow that a job began with, and the present one for any other."""
        address = (job and job.escrow) or chain_configuration(self._chain.chain_id).escrow
        if not address:
            raise UpstreamUnavailableError(f"Slipway's escrow is not installed on {self._chain.name}")
        return EscrowContract(self._rpc, to_checksum(address))

    def _status(self, contract: EscrowContract, job_id: str, wallet: str) -> EscrowStatus:
        return self._result(self._start(contract.status, job_id, wallet))

    def _permitted_gas(self, wallet: str, call: Call, permit: Permit) -> int:
        if permit.deadline <= epoch_seconds(self._clock):
            raise ValidationFailedError.of_field("permit.deadline", "has passed")
        try:
            return gas_limit(self._result(self._start(self._rpc.estimate_gas, wallet, call)))
        except RpcError as error:
            raise ValidationFailedError.of_field(
                "permit.signature", "is not the wallet's for this amount, deadline and nonce"
            ) from error

    def _offer(self, token: TokenContract, wallet: str, spender: str, amount: int) -> PermitOffer | None:
        domain = token.permit_domain
        if domain is None:
            return None
        try:
            nonce = token.permit_nonce(wallet)
        except RpcError:
            return None
        deadline = epoch_seconds(self._clock) + PERMIT_SECONDS
        return PermitOffer(
            deadline=deadline, typed_data=permit_typed_data(domain, wallet, spender, amount, nonce, deadline)
        )

    def _offered(self, started: "tuple[Future[PermitOffer | None], float]") -> PermitOffer | None:
        try:
            return self._result(started)
        except UpstreamUnavailableError:
            # The deposit is whole without it; what the token said late is known at the next request.
            logger.warning("no permit offered in time")
            return None

    def _start[**Parameters, Value](
        self, read: Callable[Parameters, Value], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> "tuple[Future[Value], float]":
        return self._threads.submit(read, *args, **kwargs), self._clock.monotonic() + _ROUND_SECONDS

    def _result[Value](self, started: "tuple[Future[Value], float]") -> Value:
        future, ends_at = started
        try:
            return future.result(max(0, ends_at - self._clock.monotonic()))
        except TimeoutError as error:
            message = f"No node of {self._chain.name} answered in time"
            raise UpstreamUnavailableError(message, retry_after=5) from error

    def _estimated(self, started: "tuple[Future[int], float]") -> int:
        try:
            return gas_limit(self._result(started))
        except RpcError as error:
            raise ConflictError(f"The chain would refuse the transaction: {error.rpc_message}") from error

    def _transaction(self, call: Call, gas: int, description: str) -> UnsignedTransaction:
        return unsigned(call, gas, self._chain.chain_id, description)


def _priced(status: EscrowStatus) -> EscrowStatus:
    """Return a status; raise UpstreamUnavailableError for an escrow of the version before."""
    if status.price is None:
        raise UpstreamUnavailableError("The escrow is of an earlier version, which takes no deposits any more")
    return status


def _reserved_until(status: EscrowStatus) -> str | None:
    return epoch_text(status.reserved_until) if status.reserved else None


def escrow_service() -> EscrowService:
    """Return the service over this installation's token chain."""
    return EscrowService(chain_settings().token_chain, public_client())
