"""Escrow: what the chain holds for a job, and transactions for the caller's wallet to sign."""

from functools import cache
from typing import Annotated

from fastapi import Depends, Query, Request

from slipway.errors import ConflictError, PaymentRequiredError, ServicePausedError
from slipway.escrow import models
from slipway.escrow.service import EscrowService, escrow_service
from slipway.http import body_of, create_app, lambda_handler, refusals, tell_accepted, wallet_owner
from slipway.identity.models import Caller

app = create_app()
Owner = Annotated[Caller, Depends(wallet_owner)]
Job = Annotated[models.JobId, Query()]
Deposit = Annotated[models.DepositRequest, body_of(models.DepositRequest, subject=("job_id",))]


@cache
def _escrow() -> EscrowService:
    return escrow_service()


@app.get("/api/escrow")
def status(caller: Owner, job_id: Job) -> models.EscrowAnswer:
    """Return what the caller deposited for a job and what became of it."""
    return _escrow().status(caller, job_id)


@app.post("/api/escrow", responses=refusals(PaymentRequiredError, ConflictError, ServicePausedError))
def deposit(request: Request, caller: Owner, body: Deposit) -> models.DepositAnswer:
    """Return transactions that deposit for a job."""
    answer = _escrow().deposit(caller, body)
    tell_accepted(request, caller, body.job_id)
    return answer


@app.delete("/api/escrow", responses=refusals(ConflictError))
def refund(request: Request, caller: Owner, job_id: Job) -> models.RefundAnswer:
    """Return the transaction that refunds what is unspent."""
    answer = _escrow().refund(caller, job_id)
    tell_accepted(request, caller, job_id)
    return answer


handler = lambda_handler(app)
