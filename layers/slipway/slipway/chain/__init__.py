"""What speaks to a blockchain: the compiled contracts, their installation, the chain tasks' adapters."""
