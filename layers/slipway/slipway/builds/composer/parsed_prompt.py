"""What a prompt asks for, once it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from slipway.builds.models import Kind, NotHonoured

_MAX_TEXT = 300


@dataclass
class ParsedPrompt:
    """What a prompt asks for.

    Attributes:
        kind: Of contract; None when the prompt names none.
        kind_words: How it names the kind; empty when the caller did.
        unsupported_kind: What it names instead.
        other_kinds: Further kinds that it names, with their words.
        name: Of the contract.
        symbol: Of the token.
        features: Of each feature that is mentioned whether it is wanted.
        values: What the slots of phrases hold. Amounts are whole tokens, times seconds, rates percent.
        words: How a feature or slot was worded first.
        mentions: Every wording of a feature.
        reasons: Why no kind has a feature.
        corrected: Misspelled words that were read as others.
        not_honoured: What can't be honoured, in the prompt's words.
    """

    kind: Kind | None = None
    kind_words: str = ""
    unsupported_kind: str | None = None
    other_kinds: list[tuple[Kind, str]] = field(default_factory=list)
    name: str | None = None
    symbol: str | None = None
    features: dict[str, bool] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, list[str]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    corrected: dict[str, str] = field(default_factory=dict)
    not_honoured: list[NotHonoured] = field(default_factory=list)

    def refuse(self, text: str, reason: str) -> None:
        """Record once that something can't be honoured."""
        shown = " ".join(text.split())
        entry = NotHonoured(text=shown if len(shown) <= _MAX_TEXT else shown[: _MAX_TEXT - 1] + "…", reason=reason)
        if entry.text and all(entry.text != other.text for other in self.not_honoured):
            self.not_honoured.append(entry)
