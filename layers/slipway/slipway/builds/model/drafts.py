"""What a language model may hand in, and what is refused before anything is compiled. Pure.

A model reads what strangers wrote, so what it writes is a stranger's as well. These rules are the first of three gates:
the compiler and the audit judge whatever passes here, and `slipway.builds.audit.deployable` judges what they passed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from slipway.builds.models import ConstructorArgument, GenerationRequest, Kind, NotHonoured
from slipway.fields import printable
from slipway.solidity.compiler import imports_of, words_of
from slipway.solidity.toolchain import LIBRARY

MAX_DRAFT_BYTES = 48 * 1024
"""How large a source of a model may be; the largest contract that a chain takes has rarely half of it."""

FORBIDDEN_WORDS = frozenset({"assembly", "callcode", "delegatecall", "functionDelegateCall", "selfdestruct", "suicide"})
"""Words that no contract of a model may use: each can undo what was audited, or hand the contract to other code."""

FORBIDDEN_FOLDERS = (f"{LIBRARY}contracts/proxy/", f"{LIBRARY}contracts-upgradeable/")
"""Library contracts that run code which was never audited."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}(?![0-9a-fA-F])")
_ZERO = "0x" + "0" * 40
_LINE_ENDS = frozenset("\n\t")


class _Handed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WishMet(_Handed):
    """One thing that the request asks for, and whether the contract does it."""

    text: Annotated[str, Field(min_length=1, max_length=500, description="The wish, in the request's own words.")]
    met: Annotated[bool, Field(description="Whether the source honours all of it.")]
    how: Annotated[str, Field(max_length=500, description="By which lines it is met, or what is missing.")]


_WISHES = "Everything that the request asks for, each number, limit, denial, role and address included."


class Review(_Handed):
    """A second reading of a contract against its request."""

    wishes: Annotated[list[WishMet], Field(min_length=1, max_length=64, description=_WISHES)]


class Draft(_Handed):
    """One contract, as the model hands it in."""

    contract_name: Annotated[
        str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,47}$", description="The contract to deploy, as the source names it.")
    ]
    title: Annotated[
        str, Field(min_length=1, max_length=120, description="What it is, in a few words."), AfterValidator(printable)
    ]
    kind: Annotated[Kind | Literal["other"], Field(description="The nearest kind of contract.")]
    source: Annotated[str, Field(min_length=1, description="One whole Solidity file, in ASCII.")]
    constructor_arguments: Annotated[
        list[ConstructorArgument],
        Field(max_length=16, description="The constructor's arguments in order, with the values to deploy with."),
    ]
    assumed: Annotated[
        list[Annotated[str, Field(max_length=300)]],
        Field(max_length=32, description="What you chose where the request left it open, a sentence each."),
    ]
    wishes: Annotated[list[WishMet], Field(max_length=64, description=_WISHES)] = []
    not_honoured: Annotated[
        list[NotHonoured], Field(max_length=32, description="Parts of the request the contract does not have, and why.")
    ]


class CorrectedSource(_Handed):
    """One file, changed."""

    name: Annotated[str, Field(max_length=200, description="The file's name, as given.")]
    text: Annotated[str, Field(min_length=1, description="The whole file, in ASCII.")]


class Correction(_Handed):
    """Sources that answer the findings."""

    sources: Annotated[list[CorrectedSource], Field(min_length=1, max_length=8)]


class Declined(_Handed):
    """The model says that it can't."""

    reason: Annotated[str, Field(min_length=1, max_length=500, description="Why, in one or two sentences.")]


def draft_problems(draft: Draft, request: GenerationRequest, owner: str) -> list[str]:
    """Return what is wrong with a draft, a sentence each, made to be read by the model."""
    problems = source_problems(draft.source, known_addresses(request, owner))
    if not re.search(rf"\bcontract\s+{draft.contract_name}\b", draft.source):
        problems.append(f"The source declares no contract {draft.contract_name}.")
    values = (
        value
        for argument in draft.constructor_arguments
        if argument.type.startswith("address")
        for value in ([argument.value] if isinstance(argument.value, str) else argument.value)
    )
    strange = sorted({value for value in values if value.lower() not in known_addresses(request, owner)})
    if strange:
        problems.append(f"The request names no address {', '.join(strange)}.")
    return problems


_BINDING = re.compile(
    r"0x[0-9a-fA-F]{40}|\d[\d.,]*|\b(?:no|not|never|nobody|without|cannot|only|each|every|per|any|all|both|until|unless"
    r"|except|max(?:imum)?|at most|at least)\b|n['’]t\b",
    re.IGNORECASE,
)


def review_problems(review: Review, prompt: str) -> list[str]:
    """Return what a second reading leaves out: numbers, addresses, denials and quantifiers of the request."""
    wished = " ".join(wish.text for wish in review.wishes).lower()
    left = [found for found in dict.fromkeys(_BINDING.findall(prompt)) if found.lower().rstrip(".,") not in wished]
    return [f"No wish accounts for {_quoted(left)}; quote the request's own words."] if left else []


def unmet(draft_wishes: Iterable[WishMet], review: Review) -> list[NotHonoured]:
    """Return the wishes that the writer or the second reading says are not met."""
    return [
        NotHonoured(text=wish.text, reason=wish.how or "The contract does not do this.")
        for wish in {wish.text: wish for wish in (*draft_wishes, *review.wishes) if not wish.met}.values()
    ]


def source_problems(source: str, addresses: frozenset[str]) -> list[str]:
    """Return what is wrong with a source of a model."""
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_DRAFT_BYTES:
        return [f"The source has {size} bytes; at most {MAX_DRAFT_BYTES} are allowed."]
    problems = []
    if not all(character in _LINE_ENDS or (character.isascii() and character.isprintable()) for character in source):
        problems.append("The source has characters that are no printable ASCII; escape them inside of strings.")
    imports = imports_of(source)
    if foreign := [path for path in imports if not path.startswith(LIBRARY) or ".." in path]:
        problems.append(f"Only {LIBRARY} can be imported, not {_quoted(foreign)}.")
    if replaced := [path for path in imports if path.startswith(FORBIDDEN_FOLDERS)]:
        problems.append(f"Contracts of a build can't be proxies or upgradeable: no {_quoted(replaced)}.")
    if forbidden := sorted(FORBIDDEN_WORDS.intersection(words_of(source))):
        problems.append(f"The source may not use {', '.join(forbidden)}.")
    if strange := sorted({found for found in _ADDRESS.findall(source) if found.lower() not in {*addresses, _ZERO}}):
        problems.append(f"The source holds addresses that nobody named: {', '.join(strange[:5])}.")
    return problems


def correction_problems(correction: Correction, before: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a correction of sources."""
    addresses = frozenset(found.lower() for text in before.values() for found in _ADDRESS.findall(text))
    problems = []
    for entry in correction.sources:
        if entry.name not in before:
            problems.append(f"There is no source {_quoted([entry.name])}.")
        problems += source_problems(entry.text, addresses)
    return problems


def known_addresses(request: GenerationRequest, owner: str) -> frozenset[str]:
    """Return the addresses that a request names, and its owner, in small letters."""
    text = f"{request.prompt} {json.dumps(request.options or {})}"
    return frozenset({owner.lower(), *(found.lower() for found in _ADDRESS.findall(text))})


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of what a tool of the model takes."""
    return shape.model_json_schema()


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f'"{text[:80]}"' for text in list(texts)[:5])
