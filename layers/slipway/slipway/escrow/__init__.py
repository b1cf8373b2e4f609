"""Escrow on an EVM chain: what it holds for a wallet's jobs, and transactions for the wallet to sign."""
