"""Contracts composed from OpenZeppelin's parts by rules, without a language model."""
