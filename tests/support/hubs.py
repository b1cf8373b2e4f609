"""The state machines that ask the library for what is due, and who does each step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.state_machines import state_machines
from slipway.akash.rules import Step as AkashStep
from slipway.akash.workflow import AkashWorkflow
from slipway.jobs.steps import Workflow
from slipway.stacks.api_workflow import ApiWorkflow
from slipway.stacks.node_workflow import NodeWorkflow
from slipway.stacks.steps import Step as StackStep
from slipway.tokens.rules import Step as LaunchStep
from slipway.tokens.workflow import TokenWorkflow


@dataclass(frozen=True)
class Hub:
    """A state machine and the library's part of it.

    Attributes:
        machine: Its name.
        workflow: What does its steps.
        all_steps: Every step that jobs of its kind have.
        elsewhere: Those of them that another workflow does.
    """

    machine: str
    workflow: type[Workflow[Any]]
    all_steps: type[StrEnum]
    elsewhere: frozenset[str] = frozenset()

    @property
    def signed(self) -> frozenset[str]:
        """The steps for which the machine asks the signer, as its definition says."""
        states = state_machines()[self.machine].definition["States"]
        return frozenset(
            step
            for choice in states["Due"]["Choices"]
            if states[choice["Next"]].get("Arguments", {}).get("FunctionName") == "${SignerArn}"
            for step in re.findall(r"step = '(\w+)'", choice["Condition"])
        )


HUBS = {
    hub.machine: hub
    for hub in (
        Hub("akash_deploy", AkashWorkflow, AkashStep),
        Hub("token_deploy", TokenWorkflow, LaunchStep),
        Hub("stack_node", NodeWorkflow, StackStep, frozenset({StackStep.READ, StackStep.FINISH})),
        Hub(
            "stack_api",
            ApiWorkflow,
            StackStep,
            frozenset({StackStep.WITHDRAW, StackStep.DISCOVER, StackStep.PROBE, StackStep.PUBLISH, StackStep.ROLL}),
        ),
    )
}
