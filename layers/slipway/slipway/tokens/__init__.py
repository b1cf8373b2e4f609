"""ERC-20 tokens of validated models: request, launch, register."""
