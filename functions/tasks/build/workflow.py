"""The workflow over this installation's builds, made once a process."""

from functools import cache

from slipway.builds.composer import Composer
from slipway.builds.files import build_files
from slipway.builds.workflow import BuildWorkflow


@cache
def workflow() -> BuildWorkflow:
    """The light states of builds."""
    return BuildWorkflow(Composer(), build_files())
