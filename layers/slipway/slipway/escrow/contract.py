"""The escrow contract and its token on a chain (``contracts/Escrow.sol``, ERC-20, EIP-2612, EIP-5267)."""

from collections.abc import Sequence
from functools import cached_property

from slipway.addresses import to_checksum
from slipway.chain.abi import address_of, call_data, string_at, words
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call
from slipway.chain.reads import read_together
from slipway.errors import UpstreamUnavailableError
from slipway.escrow.models import EscrowStatus, Permit, PermitDomain
from slipway.escrow.rules import domain_separator, job_key, signature_parts

# An escrow without agreed prices, of an earlier version, has no more; jobs that began with it end with it.
_STATUS_WORDS, _PRICED_WORDS = 11, 16
_MAX_DECIMALS = 77
_YEAR_9999 = 253_370_764_800


def _status(answer: bytes) -> EscrowStatus:
    found = words(answer)
    if len(found) not in (_STATUS_WORDS, _PRICED_WORDS):
        raise ValueError("not a status")
    status = EscrowStatus(to_checksum(address_of(found[0])), *found[1:])
    if status.decimals > _MAX_DECIMALS or status.reserved_until > _YEAR_9999:
        raise ValueError("not a status")
    return status


def _status_call(job_id: str, wallet: str) -> bytes:
    return call_data("statusOf(bytes32,address)", (job_key(job_id), wallet))


def statuses(rpc: JsonRpc, wanted: Sequence[tuple[str, str, str]]) -> list[EscrowStatus | None]:
    """Return the status of each escrow's address, job and wallet; None for one that can't be had.

    That is one read for 38 of them.

    Raises:
        UpstreamUnavailableError: No node answered.
    """
    reads = [(escrow, _status_call(job_id, wallet)) for escrow, job_id, wallet in wanted]
    try:
        found = read_together(rpc, reads, _PRICED_WORDS)
    except RpcError as error:
        raise UpstreamUnavailableError(f"The escrow can't be read now: {error.rpc_message}", retry_after=5) from error
    return [_status_or_none(answer) for answer in found]


def _status_or_none(answer: bytes | None) -> EscrowStatus | None:
    try:
        return _status(answer) if answer else None
    except ValueError:
        return None


def _number(answer: bytes) -> int:
    (number,) = words(answer)
    return number


class EscrowContract:
    """Reads of the escrow at one address, and the calls that change it.

    Args:
        rpc: The chain's nodes.
        address: Where the escrow is, in EIP-55 form.
    """

    def __init__(self, rpc: JsonRpc, address: str) -> None:
        self._rpc = rpc
        self.address = address

    def status(self, job_id: str, wallet: str, block: str = "latest") -> EscrowStatus:
        """Return everything of a wallet and a job, in one read and as of one block.

        Raises:
            UpstreamUnavailableError: No node answered, or there is no such contract.
        """
        try:
            return self._rpc.ask(self.address, _status_call(job_id, wallet), _status, block)
        except RpcError as error:
            raise UpstreamUnavailableError(
                f"The escrow can't be read now: {error.rpc_message}", retry_after=5
            ) from error

    def deposit(self, job_id: str, amount: int, price: int) -> Call:
        """Pay for a job, an hour of which costs ``price`` at most; the token's ``approve`` comes first."""
        return self._call("deposit(bytes32,uint256,uint256)", job_key(job_id), amount, price)

    def deposit_with_permit(self, job_id: str, amount: int, price: int, permit: Permit) -> Call:
        """Pay for a job by a signature; raises ValidationFailedError when it can't be one."""
        v, r, s = signature_parts(permit)
        signature = "depositWithPermit(bytes32,uint256,uint256,uint256,uint8,bytes32,bytes32)"
        return self._call(signature, job_key(job_id), amount, price, permit.deadline, v, r, s)

    def refund(self, job_id: str) -> Call:
        """Give back what is unspent."""
        return self._call("refund(bytes32)", job_key(job_id))

    def _call(self, signature: str, *values: str | int | bytes) -> Call:
        return Call(to=self.address, data=call_data(signature, values), gas_limit=0)


class TokenContract:
    """The ERC-20 token that an escrow holds.

    Args:
        rpc: The chain's nodes.
        chain_id: The chain.
        address: Where the token is, in EIP-55 form.
    """

    def __init__(self, rpc: JsonRpc, chain_id: int, address: str) -> None:
        self._rpc = rpc
        self._chain_id = chain_id
        self.address = address

    def approve(self, spender: str, amount: int) -> Call:
        """Let a spender take an amount."""
        data = call_data("approve(address,uint256)", (spender, amount))
        return Call(to=self.address, data=data, gas_limit=0)

    def permit_nonce(self, owner: str) -> int:
        """Return the nonce of a wallet's next permit; raises RpcError where the token has no permits."""
        return self._rpc.ask(self.address, call_data("nonces(address)", (owner,)), _number)

    @cached_property
    def permit_domain(self) -> PermitDomain | None:
        """The domain of the token's permits, None where it has none that we could name with certainty.

        A token says the domain's hash; its parts come from EIP-5267, or from ``name`` and ``version`` as USDC has them.
        They are believed only if they give that hash.
        """
        try:
            separator = self._rpc.eth_call(self.address, call_data("DOMAIN_SEPARATOR()", ()))
        except RpcError:
            return None
        for read in (self._by_eip_5267, self._by_name_and_version):
            try:
                name, version = read()
            except RpcError:
                continue
            domain = PermitDomain(name, version, self._chain_id, self.address)
            if domain_separator(domain) == separator:
                return domain
        return None

    def _by_eip_5267(self) -> tuple[str, str]:
        return self._rpc.ask(
            self.address, call_data("eip712Domain()", ()), lambda answer: (string_at(answer, 1), string_at(answer, 2))
        )

    def _by_name_and_version(self) -> tuple[str, str]:
        name, version = (
            self._rpc.ask(self.address, call_data(signature, ()), lambda answer: string_at(answer, 0))
            for signature in ("name()", "version()")
        )
        return name, version
