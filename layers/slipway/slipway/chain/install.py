"""Puts Slipway's own contracts on a chain, once per chain.

An administrator does this from a terminal, with a key of their own; Slipway's functions never hold that key:

    ADMINISTRATOR_PRIVATE_KEY=0x… python -m slipway.chain.install --rpc-url https://… --registrar 0x…

Everything that is done already is left alone. After an interruption, run it again with the addresses that
were printed; without them it deploys anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from web3 import Web3

from slipway.chain.administration import (
    Administration,
    UnexpectedStateError,
    as_install_errors,
    checksum_address,
    run_installation,
)

ZERO_ADDRESS = "0x" + "0" * 40
# The selector by which the registry announces that it keeps terms, as TokenManager needs them.
_REGISTER = Web3.keccak(text="register(string,address,address,uint256,bytes32)")[:4]


@dataclass(frozen=True, slots=True)
class InstalledContracts:
    """Where Slipway's contracts are on a chain, as checksummed addresses."""

    model_registry: str
    token_manager: str


def install(
    rpc_url: str,
    administrator_key: str,
    registrars: Sequence[str],
    *,
    fund_wei: int = 0,
    model_registry: str | None = None,
    token_manager: str | None = None,
    predecessor: str | None = None,
    within_seconds: float = 300.0,
) -> InstalledContracts:
    """Deploy ModelRegistry and TokenManager, and make the registrars registrars.

    Args:
        rpc_url: The chain's JSON-RPC address.
        administrator_key: The private key that deploys, pays, and appoints registrars; hex.
        registrars: Addresses that get REGISTRAR_ROLE: those of Slipway's signing keys.
        fund_wei: What each registrar is to own at least, in wei; the difference is sent to it.
        model_registry: The registry, if it is deployed already.
        token_manager: The token manager, if it is deployed already.
        predecessor: The registry that a new one follows, so that its models keep their tokens and get no other.
        within_seconds: How long all of it may take.

    Returns:
        Where the contracts are.

    Raises:
        ValueError: A key or an address is malformed.
        InstallError: It could not be finished; what it carries is enough to resume.
    """
    administration = Administration(rpc_url, administrator_key, within_seconds)
    known = {"model_registry": checksum_address(model_registry), "token_manager": checksum_address(token_manager)}
    wanted = [str(checksum_address(registrar)) for registrar in registrars]
    followed = checksum_address(predecessor) or ZERO_ADDRESS
    with as_install_errors(known):
        if predecessor:
            administration.contract("ModelRegistry", followed)
        registry_address = known["model_registry"] or administration.deploy(
            "ModelRegistry", administration.address, followed
        )
        known["model_registry"] = registry_address
        registry = administration.contract("ModelRegistry", registry_address)
        if predecessor and registry.functions.predecessor().call() != followed:
            raise UnexpectedStateError(f"the registry {registry_address} follows another one")
        if not known["token_manager"] and not registry.functions.supportsInterface(_REGISTER).call():
            raise UnexpectedStateError(f"the registry {registry_address} is an earlier version; name it as predecessor")
        manager_address = known["token_manager"] or administration.deploy("TokenManager", registry_address)
        known["token_manager"] = manager_address
        manager = administration.contract("TokenManager", manager_address)
        if manager.functions.registry().call() != registry_address:
            raise UnexpectedStateError(f"the token manager {manager_address} belongs to another registry")
        administration.grant(registry, registry.functions.REGISTRAR_ROLE().call(), wanted)
        for registrar in wanted:
            administration.fund(registrar, fund_wei)
        return InstalledContracts(model_registry=registry_address, token_manager=manager_address)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Print the addresses as JSON and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m slipway.chain.install", description=__doc__.splitlines()[0])
    parser.add_argument("--rpc-url", required=True)
    parser.add_argument("--registrar", action="append", required=True, help="gets REGISTRAR_ROLE; may be repeated")
    parser.add_argument("--fund-wei", type=int, default=0, help="what each registrar is to own at least")
    parser.add_argument("--model-registry", help="to resume: the registry that is deployed already")
    parser.add_argument("--token-manager", help="to resume: the token manager that is deployed already")
    parser.add_argument("--predecessor", help="to upgrade: the registry whose models keep their tokens")
    parser.add_argument("--within-seconds", type=float, default=300.0, help="how long all of it may take")
    options = parser.parse_args(arguments)

    def run(key: str) -> dict[str, str | None]:
        installed = install(
            options.rpc_url,
            key,
            options.registrar,
            fund_wei=options.fund_wei,
            model_registry=options.model_registry,
            token_manager=options.token_manager,
            predecessor=options.predecessor,
            within_seconds=options.within_seconds,
        )
        return dataclasses.asdict(installed)

    return run_installation(run)


if __name__ == "__main__":
    sys.exit(main())
