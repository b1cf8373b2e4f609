"""``python -m slipway.chain.configure``: gives a running installation the addresses of its contracts, and its fee cap.

Needs CONTROL_TABLE in the environment besides the AWS account and region. Takes effect at the next request.
"""

import argparse
import sys

from slipway.addresses import parse_address
from slipway.chain.store import save_contracts, save_escrow, save_fee_cap
from slipway.errors import ValidationFailedError


def main(arguments: list[str]) -> int:
    """Write the configuration; exit status 2 for arguments that make no sense."""
    parser = argparse.ArgumentParser(prog="python -m slipway.chain.configure", description=__doc__)
    parser.add_argument("--chain-id", type=int, required=True)
    parser.add_argument("--model-registry", help="address of ModelRegistry")
    parser.add_argument("--token-manager", help="address of TokenManager")
    parser.add_argument("--registrar", action="append", default=[], help="deployer account; give it once for each")
    parser.add_argument("--escrow", help="address of Escrow")
    parser.add_argument("--max-fee-per-gas", type=int, help="fee cap in wei; 0 goes back to the template's")
    given = parser.parse_args(arguments)
    if bool(given.model_registry) != bool(given.token_manager):
        parser.error("give --model-registry and --token-manager together")
    try:
        registry, manager, escrow = (
            parse_address(address, option) if address else None
            for address, option in (
                (given.model_registry, "--model-registry"),
                (given.token_manager, "--token-manager"),
                (given.escrow, "--escrow"),
            )
        )
        registrars = [parse_address(address, "--registrar") for address in given.registrar]
    except ValidationFailedError as error:
        parser.error(error.message)
    if registry and manager:
        save_contracts(given.chain_id, registry, manager, registrars)
    if escrow:
        save_escrow(given.chain_id, escrow)
    if given.max_fee_per_gas is not None:
        save_fee_cap(given.chain_id, given.max_fee_per_gas or None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
