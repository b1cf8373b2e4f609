"""The workflow of this installation's builds, made once a process."""

from functools import cache

from slipway.builds.pipeline.completion import BuildWorkflow


@cache
def workflow() -> BuildWorkflow:
    """The light states of builds."""
    return BuildWorkflow()
