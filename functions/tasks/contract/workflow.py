"""The workflow with an engine, a compiler and a Slither of its own, made once a process and kept warm."""

from functools import cache

from slipway.builds.audit.auditor import Auditor
from slipway.builds.pipeline.contract import ContractWorkflow, Writer
from slipway.builds.pipeline.engines import fixer_of, generator_of
from slipway.builds.pipeline.files import build_files
from slipway.settings import bedrock_settings


@cache
def workflow() -> ContractWorkflow:
    """The heavy states of builds."""
    auditor, settings = Auditor(), bedrock_settings()
    writer = Writer(auditor)
    return ContractWorkflow(auditor, build_files(), generator_of(settings, writer.check), fixer_of(settings))
