"""The workflow with a compiler and a Slither of its own, made once a process and kept warm."""

from functools import cache

from slipway.builds.audit import Auditor
from slipway.builds.contract_workflow import ContractWorkflow
from slipway.builds.files import build_files


@cache
def workflow() -> ContractWorkflow:
    """The heavy states of builds."""
    return ContractWorkflow(Auditor(), build_files())
