"""Builds: from a prompt to audited contracts on several chains."""
