"""Webhooks: signed messages of what happens to an owner's deployments, stacks and workers, at least once, in order."""
