"""Slipway's own contracts on the chain of tokens: installed once, resumed after an interruption, funded and registered.

What is known of an unfinished installation is kept in a file on this machine; what is finished, in the installation's
own configuration, which is looked at first.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from deploy.settings import Settings

_WEI = 10**18


@dataclass(frozen=True)
class Contracts:
    """Addresses on the chain of tokens; None for what is not installed."""

    model_registry: str | None
    token_manager: str | None
    escrow: str | None
    deployers: tuple[str, ...]


def read(settings: Settings, outputs: dict[str, str], kms: Any) -> Contracts:
    """Return what the installation's configuration names, and its deployer accounts."""
    os.environ["CONTROL_TABLE"] = outputs["ControlTableName"]
    from slipway.chain.kms_signer import ethereum_address
    from slipway.chain.store import chain_configuration

    found = chain_configuration(settings.token_chain["chain_id"])
    deployers = tuple(ethereum_address(kms, key_id) for key_id in outputs["DeployerKeyIds"].split(","))
    return Contracts(found.model_registry, found.token_manager, found.escrow, deployers)


def install(settings: Settings, known: Contracts, journal: Path) -> Contracts:
    """Install what is missing, with the administrator's key, and write it into the installation's configuration.

    Raises:
        InstallError: It did not finish; the next run resumes with what the journal keeps.
    """
    from slipway.chain.administration import InstallError
    from slipway.chain.install import install as install_contracts
    from slipway.chain.install_escrow import install_escrow
    from slipway.chain.store import save_contracts, save_escrow

    assert settings.administrator_key  # noqa: S101 (the caller's condition)
    chain_id, rpc_url = settings.token_chain["chain_id"], settings.token_chain["rpc_urls"][0]
    kept = json.loads(journal.read_text(encoding="utf-8")) if journal.exists() else {}
    try:
        installed = install_contracts(
            rpc_url,
            settings.administrator_key,
            known.deployers,
            fund_wei=int(settings.contracts.fund * Decimal(_WEI)),
            model_registry=known.model_registry or kept.get("model_registry"),
            token_manager=known.token_manager or kept.get("token_manager"),
        )
        kept |= {"model_registry": installed.model_registry, "token_manager": installed.token_manager}
        save_contracts(chain_id, installed.model_registry, installed.token_manager, list(known.deployers))
        escrow = known.escrow
        if settings.contracts.escrow_token:
            operators = [*known.deployers, *settings.contracts.escrow_operators]
            escrow = install_escrow(
                rpc_url, settings.administrator_key, settings.contracts.escrow_token, operators,
                escrow=known.escrow or kept.get("escrow"),
            )  # fmt: skip
            save_escrow(chain_id, escrow)
    except InstallError as error:
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_text(json.dumps(kept | {k: v for k, v in error.known.items() if v}), encoding="utf-8")
        raise
    journal.unlink(missing_ok=True)
    return Contracts(installed.model_registry, installed.token_manager, escrow, known.deployers)


def by_hand(settings: Settings, known: Contracts, outputs: dict[str, str]) -> list[str]:
    """Return what a person does where the file names no administrator: one line a command."""
    registrars = " ".join(f"--registrar {address}" for address in known.deployers)
    chain_id = settings.token_chain["chain_id"]
    lines = [f"Send some of the chain's currency to each of {', '.join(known.deployers)}."]
    if known.model_registry is None:
        lines += [
            f"ADMINISTRATOR_PRIVATE_KEY=… python -m slipway.chain.install --rpc-url … {registrars}",
            f"CONTROL_TABLE={outputs['ControlTableName']} python -m slipway.chain.configure --chain-id {chain_id} "
            f"--model-registry 0x… --token-manager 0x… {registrars}",
        ]
    return lines
