"""The list of providers."""
