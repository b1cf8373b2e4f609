"""Task states of ``build`` that write contracts, or need the compiler or Slither."""

from functools import cache
from typing import Any

from slipway.builds.audit.auditor import Auditor
from slipway.builds.pipeline.contract import ContractWorkflow, Writer
from slipway.builds.pipeline.engines import fixer_of, generator_of
from slipway.builds.pipeline.files import build_files
from slipway.settings import bedrock_settings
from slipway.tasks import State, run_state


@cache
def workflow() -> ContractWorkflow:
    """Return the heavy states, with an engine, a compiler and a Slither of their own that are kept warm."""
    auditor, settings = Auditor(), bedrock_settings()
    writer = Writer(auditor)
    return ContractWorkflow(auditor, build_files(), generator_of(settings, writer.check), fixer_of(settings))


STATES: dict[str, State] = {
    "Generate": lambda event: {"stage": str(workflow().generate(event["build_id"], event["job_id"]))},
    "Compile": lambda event: {"stage": str(workflow().compile(event["build_id"], event["job_id"]))},
    "Audit": lambda event: {"stage": str(workflow().audit(event["build_id"], event["job_id"]))},
    "Fix": lambda event: {"stage": str(workflow().fix(event["build_id"], event["job_id"]))},
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
