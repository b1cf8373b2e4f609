"""Denominations whose unit is a millionth of a US dollar; in an answer of Akash, none means uact."""

UACT = "uact"
# On Akash's main network; the Console API rewrites it to uact.
USDC = "ibc/170C677610AC31DF0904FFE09CD3B5C657492170E7E52372E48756B71E56F2F1"
DOLLARS = frozenset({"", UACT, USDC})
