"""Split stacks: a Banano node that publishes its endpoint, and an API service that consumes it."""
