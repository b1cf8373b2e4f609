"""Launched tokens: facts, ABI and source, for anyone; and minting, for their stewards."""

from typing import Annotated, Any

from fastapi import Path, Response

from slipway.addresses import parse_address
from slipway.errors import ConflictError, MaxSupplyExceededError, NotFoundError, WrongChainError
from slipway.http import Context, Owner, body_of, create_app, lambda_handler, refusals
from slipway.tokens.minting import minting
from slipway.tokens.models import MintAnswer, MintRequest, TokenView
from slipway.tokens.public import TTL_SECONDS, public_tokens

app = create_app()
Address = Annotated[str, Path(max_length=64)]
NOT_FOUND = refusals(NotFoundError)
NOT_MINTED = refusals(NotFoundError, ConflictError, WrongChainError, MaxSupplyExceededError)
Mint = Annotated[MintRequest, body_of(MintRequest, subject=("to",))]


@app.get("/api/tokens/{address}", responses=NOT_FOUND)
def token(address: Address, response: Response) -> TokenView:
    """Return a launched token: supply, steward, transactions, and what adds it to a wallet."""
    found = public_tokens().view(parse_address(address, "address"))
    response.headers["cache-control"] = f"public, max-age={TTL_SECONDS}"
    return found


@app.get("/api/tokens/{address}/abi", responses=NOT_FOUND)
def abi(address: Address, response: Response) -> list[dict[str, Any]]:
    """Return a token's ABI."""
    found = public_tokens().abi(parse_address(address, "address"))
    response.headers["cache-control"] = "public, max-age=3600"
    return found


@app.get("/api/tokens/{address}/metadata", responses=NOT_FOUND)
def metadata(address: Address, response: Response) -> dict[str, Any]:
    """Return the compiler's standard-JSON input of a token's source, imports included."""
    found = public_tokens().metadata(parse_address(address, "address"))
    response.headers["cache-control"] = "public, max-age=3600"
    return found


@app.post("/api/tokens/{address}/mint", responses=NOT_MINTED)
def mint(context: Context, address: Address, caller: Owner, body: Mint) -> MintAnswer:
    """Return the transaction by which the token's steward mints; their wallet signs and sends it."""
    address = parse_address(address, "address")
    answer = minting().mint(caller, address, body)
    context.record_accepted(caller.wallet, address)
    return answer


handler = lambda_handler(app)
