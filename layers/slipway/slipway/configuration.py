"""What the installation's configuration says and an environment may be too small for: chains, and wallets with roles.

Each is a JSON document in an environment variable (on a developer's machine), or in a secret that only the functions
read that need it. It is read once a process; another content comes with another deployment.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from slipway.chains import Chain, read_chains
from slipway.secret_values import secret_text
from slipway.settings import document_source, token_chain_id


@dataclass(frozen=True)
class ChainSettings:
    """The chains this installation knows, and the one that tokens live on."""

    chains: dict[int, Chain]
    token_chain_id: int

    @property
    def token_chain(self) -> Chain:
        """The chain on which model tokens are launched."""
        return self.chains[self.token_chain_id]


def _document(variable: str) -> Any:
    text, secret_arn = document_source(variable)
    if text is None and secret_arn is None:
        raise KeyError(f"neither {variable} nor {variable}_SECRET_ARN is set")
    try:
        return json.loads(secret_text(secret_arn) if text is None and secret_arn else text or "")
    except ValueError as error:
        raise ValueError(f"{variable} is not JSON: {error}") from error


@cache
def chain_settings() -> ChainSettings:
    """Return the chains of CHAINS (a JSON list, see ``read_chains``), and TOKEN_CHAIN_ID.

    Raises:
        KeyError, ValueError: They cannot work; names the chain and the field.
        UpstreamUnavailableError: The secret that has them can't be read.
    """
    chains, of_tokens = read_chains(_document("CHAINS")), token_chain_id()
    if of_tokens not in chains:
        raise KeyError(f"TOKEN_CHAIN_ID is {of_tokens}, a chain that CHAINS does not describe")
    return ChainSettings(chains, of_tokens)


@cache
def known_wallets() -> dict[str, dict[str, Any]]:
    """Return WALLET_ROLES: roles and tier of each known wallet by its address in lower case.

    Raises:
        UpstreamUnavailableError: The secret that has them can't be read.
    """
    return {address.lower(): entry for address, entry in _document("WALLET_ROLES").items()}
