"""The workflow over this installation's Akash account and artifacts, made once a process."""

from functools import cache

from slipway.akash.console.client import console_api
from slipway.settings import stack_settings
from slipway.stacks.api_workflow import ApiWorkflow
from slipway.stacks.published import published_endpoints


@cache
def workflow() -> ApiWorkflow:
    """The API stack's states."""
    return ApiWorkflow(console_api, stack_settings(), published_endpoints())
