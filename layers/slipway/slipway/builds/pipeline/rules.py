"""Decisions about a build's deployment on one chain. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from slipway.addresses import keccak256
from slipway.builds.models import ConstructorArgument, Generation, dropped
from slipway.builds.states import ChainStatus
from slipway.chain.abi import Value, encode
from slipway.chain.models import Receipt, Sent
from slipway.errors import CodeMismatchError, DeploymentFailedError

_PURPOSE = "build"
ENDED = frozenset({ChainStatus.DEPLOYED, ChainStatus.FAILED, ChainStatus.CANCELLED})


class ChainStep(StrEnum):
    """What a branch does next, besides what ``slipway.chain.models.Progress`` holds."""

    SIGN = "sign"
    BROADCAST = "broadcast"
    BEGIN = "begin"
    ENDED = "ended"


def require_honoured(generation: Generation, options: Mapping[str, Any] | None) -> None:
    """Refuse a contract that lacks something of its request, unless the caller set `strict` to false.

    Raises:
        NotHonouredError: Names what is missing, in the request's words.
    """
    missing = generation.not_honoured
    if not missing or (options or {}).get("strict") is False:
        return
    raise dropped(missing, generation.assumed, generation.kind, generation.title)


def purpose_of(chain_id: int, attempt: int) -> str:
    """Return what an attempt's transaction is for: each attempt takes one nonce for ever."""
    return f"{_PURPOSE}:{chain_id}:{attempt}"


def chain_and_attempt(purpose: str) -> tuple[int, int] | None:
    """Return the inverse of ``purpose_of``; None for transactions of other jobs."""
    name, _, rest = purpose.partition(":")
    chain_id, _, attempt = rest.partition(":")
    if name != _PURPOSE or not (chain_id.isdecimal() and attempt.isdecimal()):
        return None
    return int(chain_id), int(attempt)


def creation_code(bytecode: str, arguments: Sequence[Mapping[str, Any]]) -> bytes:
    """Return what creates a contract: its creation bytecode (0x-prefixed) and the encoded arguments of its constructor.

    Args:
        bytecode: As the compiler gave it.
        arguments: ``ConstructorArgument`` as JSON, as a build keeps them.

    Raises:
        DeploymentFailedError: The bytecode has places left for libraries, or an argument is not of its type.
    """
    try:
        read = [ConstructorArgument.model_validate(argument) for argument in arguments]
        encoded = encode([argument.type for argument in read], [_value(argument) for argument in read])
    except (TypeError, ValueError, OverflowError) as error:
        raise DeploymentFailedError("The constructor's arguments are not of their types") from error
    try:
        return bytes.fromhex(bytecode.removeprefix("0x")) + encoded
    except ValueError as error:
        raise DeploymentFailedError("The contract's bytecode is not complete") from error


def digest_of(content: bytes) -> str:
    """Return the Keccak-256 digest by which a build holds to what was audited."""
    return "0x" + keccak256(content).hex()


def creation_gas_limit(code: bytes, arguments: Sequence[Mapping[str, Any]]) -> int:
    """Return a limit of gas for a creation whose wallet may not ask a node: what is not used is not paid.

    Of the transaction, its data and words of code (EIP-3860), the code that is kept (at most all of it), and a
    constructor that writes some slots, one for each entry of a list. Source: the Yellow Paper's appendix G.
    """
    data = sum(16 if byte else 4 for byte in code)
    listed = sum(len(entry["value"]) for entry in arguments if isinstance(entry["value"], list))
    return 53_000 + data + 2 * (len(code) // 32 + 1) + 200 * len(code) + 400_000 + 60_000 * listed


def require_audited(sent: Sent, creation_digest: str, chain: str) -> None:
    """Refuse a wallet's transaction that does not create exactly what was audited.

    Raises:
        CodeMismatchError: It calls a contract, or creates other code, or with other arguments.
    """
    if sent.to is not None:
        raise CodeMismatchError(
            f"The transaction on {chain} creates no contract; send deployments[].transaction as it is"
        )
    if digest_of(sent.data) != creation_digest:
        raise CodeMismatchError(
            f"The contract that the transaction on {chain} creates is not the code that was audited"
        )


def _value(argument: ConstructorArgument) -> Value:
    value = argument.value
    match argument.type:
        case "uint256" if isinstance(value, str):
            return int(value)
        case "bytes32" if isinstance(value, str):
            return bytes.fromhex(value.removeprefix("0x"))
    return value


def left_no_contract(receipt: Receipt, closing: list[str]) -> bool:
    """Whether a confirmed receipt says that an attempt is over without a contract.

    Args:
        receipt: Of whichever of the attempt's signatures was mined.
        closing: Hashes of those that only close the nonce.
    """
    return receipt.transaction_hash in closing or not receipt.succeeded
