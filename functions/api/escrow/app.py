"""Escrow: what the chain holds for a job, and transactions for the caller's wallet to sign."""

from functools import cache
from typing import Annotated

from fastapi import Query

from slipway.errors import ConflictError, NotFoundError, PaymentRequiredError, ServicePausedError
from slipway.escrow import models
from slipway.escrow.service import EscrowService, escrow_service
from slipway.http import Context, Owner, body_of, create_app, lambda_handler, refusals

app = create_app()
Job = Annotated[models.JobId, Query()]
Deposit = Annotated[models.DepositRequest, body_of(models.DepositRequest, subject=("job_id",))]


@cache
def _escrow() -> EscrowService:
    return escrow_service()


@app.get("/api/escrow")
def status(caller: Owner, job_id: Job) -> models.EscrowAnswer:
    """Return what the caller deposited for a job and what became of it."""
    return _escrow().status(caller, job_id)


@app.post("/api/escrow", responses=refusals(PaymentRequiredError, NotFoundError, ConflictError, ServicePausedError))
def deposit(context: Context, caller: Owner, body: Deposit) -> models.DepositAnswer:
    """Return transactions that deposit for a job."""
    answer = _escrow().deposit(caller, body)
    context.record_accepted(caller.wallet, body.job_id)
    return answer


@app.delete("/api/escrow", responses=refusals(ConflictError))
def refund(context: Context, caller: Owner, job_id: Job) -> models.RefundAnswer:
    """Return the transaction that refunds what is unspent."""
    answer = _escrow().refund(caller, job_id)
    context.record_accepted(caller.wallet, job_id)
    return answer


handler = lambda_handler(app)
