"""Which engine writes and mends the contracts of an installation."""

from __future__ import annotations

from slipway.budgets.rules import bedrock_ceiling
from slipway.builds.composer.engine import Composer
from slipway.builds.model.bedrock import BedrockFixer, BedrockGenerator, Check, ConverseClient
from slipway.builds.model.budget import BudgetedClient
from slipway.builds.models import Generator
from slipway.settings import BedrockSettings, bedrock_budget
from slipway.store import aws_client


def generator_of(settings: BedrockSettings | None, check: Check | None = None) -> Generator:
    """Return the language model where one is configured (`slipway.settings.bedrock_settings`), else the composer.

    Args:
        settings: Of the language model.
        check: Judges what the language model wrote before it counts, such as by compiling it; the composer needs none.
    """
    return BedrockGenerator(_client(settings), settings, check, reviewed=True) if settings else Composer()


def fixer_of(settings: BedrockSettings | None) -> BedrockFixer | None:
    """Return what mends findings that no mechanical fixer answers; None without a language model."""
    return BedrockFixer(_client(settings), settings) if settings else None


def _client(settings: BedrockSettings) -> ConverseClient:
    client: ConverseClient = aws_client("bedrock-runtime", settings.call_seconds, tries=1)
    return BudgetedClient(client, settings, bedrock_ceiling(bedrock_budget()))
