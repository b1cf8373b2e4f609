"""``python -m slipway.chain.check``: asks each RPC address of each chain what it is, and judges the deployer accounts.

Reads the chains from CHAINS and TOKEN_CHAIN_ID, as functions do, and the deployer accounts from CONTROL_TABLE, which
needs the AWS account and region; ``--deployer`` names others. Of an address only the host is printed, because the rest
often is a key.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import httpx

from slipway.addresses import keccak256
from slipway.amounts import without_zeros
from slipway.chain.abi import call_data, words
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.l1_fees import expected_l1_fees
from slipway.chain.models import Call, ChainFees
from slipway.chain.rules import fees_under_cap
from slipway.chains import GWEI, Chain
from slipway.configuration import ChainSettings, chain_settings
from slipway.errors import SlipwayError
from slipway.network import public_client
from slipway.settings import is_table_named

_SECONDS = 5.0
# What a launch may use: the creation of a token and its registration.
_LAUNCH_GAS = 3_000_000
# So far behind the best of its chain, an address is of no use.
_MAX_LAG_SECONDS = 60
_REGISTRAR_ROLE = keccak256(b"REGISTRAR_ROLE")
_HEADINGS = ("chain", "asked", "answer", "verdict")
Row = tuple[str, str, str, str]


def _gwei(wei: int) -> str:
    return without_zeros(f"{wei / GWEI:.9f}") + " gwei"


class _Address:
    """One RPC address of a chain, asked apart from the others."""

    def __init__(self, chain: Chain, position: int, client: httpx.Client) -> None:
        url = chain.rpc_urls[position]
        self.name = f"address {position + 1} ({urlsplit(url).hostname})"
        self._chain = chain
        self._rpc = JsonRpc(replace(chain, rpc_urls=(url,)), client, deadline=_SECONDS)
        self.block: int | None = None
        self.problem = ""
        self._client = ""
        self._fees: ChainFees | None = None
        try:
            # The first call finds out which chain it is of.
            self.block = self._rpc.block_number()
            self._client = str(self._rpc.call("web3_clientVersion"))
            self._fees = self._rpc.fees()
            if chain.l1_fee:
                expected_l1_fees(self._rpc, [Call(None, b"", 0)])
            self._has_base_fee = bool(self._rpc.call("eth_getBlockByNumber", "latest", False).get("baseFeePerGas"))
        except SlipwayError as error:
            self.problem = error.message

    def row(self, best: int) -> Row:
        """Describe it, compared with the highest block of the chain."""
        label = f"{self._chain.name} ({self._chain.chain_id})"
        if self.problem or self.block is None or self._fees is None:
            return label, self.name, self._client or "-", self.problem
        lag = best - self.block
        answer = (
            f"{self._client}, block {self.block}, {lag} behind, {self._chain.fee_model}, "
            f"base fee {_gwei(self._fees.base_fee_per_gas)}, tip {_gwei(self._fees.priority_fee_per_gas)}"
        )
        return label, self.name, answer, self._verdict(self._fees, lag)

    def _verdict(self, fees: ChainFees, lag: int) -> str:
        if lag * self._chain.block_seconds > _MAX_LAG_SECONDS:
            return "it lags behind the chain's other addresses"
        if self._has_base_fee is self._chain.is_legacy:
            return "its blocks have a base fee: fee_model is eip1559" if self._has_base_fee else "fee_model is legacy"
        try:
            fees_under_cap(fees, self._chain, self._chain.max_fee_per_gas)
        except SlipwayError:
            return "its fee is over the cap"
        return "ok"


def _account_rows(
    chain: Chain, client: httpx.Client, accounts: Sequence[str], registry: str | None, *, is_token_chain: bool
) -> Iterator[Row]:
    label = f"{chain.name} ({chain.chain_id})"
    rpc = JsonRpc(chain, client, deadline=_SECONDS)
    for account in accounts:
        try:
            balance = rpc.balance(account)
            fees = fees_under_cap(rpc.fees(), chain, 2**255)
            funded = balance >= _LAUNCH_GAS * fees.max_fee_per_gas
            registered = bool(is_token_chain and registry and _is_registrar(rpc, registry, account))
        except SlipwayError as error:
            yield label, f"deployer {account}", "-", error.message
            continue
        answer = f"balance {balance / 10**18:.6f}" + (", registered" if registered else "")
        problems = [] if funded else ["it can't pay for a launch at present fees"]
        if is_token_chain and not registered:
            problems.append("it has no REGISTRAR_ROLE" if registry else "Slipway's contracts are not installed")
        yield label, f"deployer {account}", answer, "; ".join(problems) or "ok"


def _is_registrar(rpc: JsonRpc, registry: str, account: str) -> bool:
    data = call_data("hasRole(bytes32,address)", (_REGISTRAR_ROLE, account))
    return rpc.ask(registry, data, lambda answer: words(answer)[0] == 1)


def check(
    settings: ChainSettings,
    client: httpx.Client,
    deployers: Callable[[int], tuple[Sequence[str], str | None]],
) -> list[Row]:
    """Ask everything; ``deployers`` gives the accounts of a chain, and its registry where it is known.

    Returns:
        Rows of chain, what was asked, the answer, and ``ok`` or what is wrong.
    """
    rows: list[Row] = []
    for chain in settings.chains.values():
        addresses = [_Address(chain, position, client) for position in range(len(chain.rpc_urls))]
        best = max((address.block for address in addresses if address.block is not None), default=0)
        rows += [address.row(best) for address in addresses]
        accounts, registry = deployers(chain.chain_id)
        is_token_chain = chain.chain_id == settings.token_chain_id
        rows += _account_rows(chain, client, accounts, registry, is_token_chain=is_token_chain)
    return rows


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table for a terminal."""
    lines = [_HEADINGS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([shown[0], "  ".join("-" * width for width in widths), *shown[1:]])


def main(arguments: list[str]) -> int:
    """Print the table; exit status 1 when something is wrong, 2 when the configuration itself is."""
    parser = argparse.ArgumentParser(prog="python -m slipway.chain.check", description=__doc__.splitlines()[0])
    parser.add_argument("--deployer", action="append", default=[], help="an account to judge; may be repeated")
    given = parser.parse_args(arguments)
    try:
        settings = chain_settings()
    except (KeyError, ValueError) as error:
        print(f"The chains can't be read: {error.args[0] if error.args else error}", file=sys.stderr)
        return 2

    with public_client() as client:
        rows = check(settings, client, _stored_deployers(settings.token_chain_id, given.deployer))
    print(table(rows))
    return 0 if all(row[-1] == "ok" for row in rows) else 1


def _stored_deployers(token_chain_id: int, given: Sequence[str]) -> Callable[[int], tuple[Sequence[str], str | None]]:
    if not is_table_named("control"):
        return lambda _: (given, None)
    from slipway.chain.store import chain_configuration

    # The same accounts sign on every chain.
    configuration = chain_configuration(token_chain_id)
    accounts = given or list(configuration.registrars)
    return lambda _: (accounts, configuration.model_registry)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
