"""The local accounts: anvil's well-known ones, whose keys are public. They are worth nothing on any other chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

# The mnemonic of anvil, Hardhat and Ganache alike.
_MNEMONIC = "test test test test test test test test test test test junk"
_ROLES = ("admin", "operator", "user", "user", "user", "user", "user", "user", "user", "user")


@dataclass(frozen=True)
class LocalAccount:
    """One account. ``role`` is `user`, `admin` or `operator`."""

    address: str
    private_key: str
    role: str


@cache
def local_accounts() -> tuple[LocalAccount, ...]:
    """Return every local account, each with 10,000 ether on both chains. The first one owns the contracts."""
    from eth_account import Account  # a second of imports that `make stop` does not need

    Account.enable_unaudited_hdwallet_features()
    accounts = []
    for index, role in enumerate(_ROLES):
        account = Account.from_mnemonic(_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        accounts.append(LocalAccount(account.address, "0x" + bytes(account.key).hex(), role))
    return tuple(accounts)


def wallet_roles(accounts: tuple[LocalAccount, ...]) -> str:
    """Return the template's parameter WalletRoles: every account that is more than a plain user."""
    return json.dumps({account.address: {"roles": [account.role]} for account in accounts if account.role != "user"})
