"""Projects that a deployer brings up, and payments for them (specification 001)."""
