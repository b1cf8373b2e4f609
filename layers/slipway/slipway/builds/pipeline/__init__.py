"""The steps of a build: from a prompt to contracts on chains."""
