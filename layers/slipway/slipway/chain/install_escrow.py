"""Puts Slipway's escrow on a chain, once per chain.

An administrator does this from a terminal, with a key of their own; Slipway's functions never hold that key:

    ADMINISTRATOR_PRIVATE_KEY=0x… python -m slipway.chain.install_escrow --rpc-url https://… --token 0x… --operator 0x…

``--token`` is the chain's USDC. Everything that is done already is left alone. After an interruption, run it again with
the address that was printed; without it, it deploys anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from slipway.chain.administration import (
    Administration,
    UnexpectedStateError,
    as_install_errors,
    checksum_address,
    run_installation,
)


def install_escrow(
    rpc_url: str,
    administrator_key: str,
    token: str,
    operators: Sequence[str],
    *,
    escrow: str | None = None,
    within_seconds: float = 300.0,
) -> str:
    """Deploys Escrow over a token and makes the operators its operators.

    Args:
        rpc_url: The chain's JSON-RPC address.
        administrator_key: The private key that deploys, pays, and appoints operators; hex.
        token: The ERC-20 token to hold.
        operators: Addresses that get OPERATOR_ROLE: they may release what is deposited.
        escrow: The escrow, if it is deployed already.
        within_seconds: How long all of it may take.

    Returns:
        The escrow's address, checksummed.

    Raises:
        ValueError: A key or an address is malformed.
        InstallError: It could not be finished; what it carries is enough to resume.
    """
    administration = Administration(rpc_url, administrator_key, within_seconds)
    known = {"escrow": checksum_address(escrow)}
    wanted = [str(checksum_address(operator)) for operator in operators]
    held = str(checksum_address(token))
    with as_install_errors(known):
        address = known["escrow"] or administration.deploy("Escrow", held, administration.address)
        known["escrow"] = address
        contract = administration.contract("Escrow", address)
        if contract.functions.token().call() != held:
            raise UnexpectedStateError(f"the escrow {address} holds another token")
        administration.grant(contract, contract.functions.OPERATOR_ROLE().call(), wanted)
        return address


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Prints the address as JSON and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m slipway.chain.install_escrow", description=__doc__.splitlines()[0])
    parser.add_argument("--rpc-url", required=True)
    parser.add_argument("--token", required=True, help="the chain's USDC, or another ERC-20 token")
    parser.add_argument("--operator", action="append", required=True, help="gets OPERATOR_ROLE; may be repeated")
    parser.add_argument("--escrow", help="to resume: the escrow that is deployed already")
    parser.add_argument("--within-seconds", type=float, default=300.0, help="how long all of it may take")
    options = parser.parse_args(arguments)

    def run(key: str) -> dict[str, str | None]:
        address = install_escrow(
            options.rpc_url,
            key,
            options.token,
            options.operator,
            escrow=options.escrow,
            within_seconds=options.within_seconds,
        )
        return {"escrow": address}

    return run_installation(run)


if __name__ == "__main__":
    sys.exit(main())
