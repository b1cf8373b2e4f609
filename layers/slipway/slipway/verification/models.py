"""Shapes of source verification."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel


class Verdict(StrEnum):
    """How far a verification is: ``partial`` is a match of the code without its metadata, ``off`` is nobody to ask."""

    PENDING = "pending"
    VERIFIED = "verified"
    PARTIAL = "partial"
    FAILED = "failed"
    OFF = "off"


class Verification(BaseModel):
    """Whether the source of a contract is verified, and where anyone can see that."""

    status: Verdict
    urls: list[str] = []

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> "Verification":
        """Return what a contract keeps of its verification; contracts of before 2026-11-29 have none."""
        return cls.model_validate(stored) if stored else cls(status=Verdict.OFF)


PENDING = Verification(status=Verdict.PENDING).model_dump(mode="json")


@dataclass(frozen=True)
class Source:
    """What a contract was compiled from.

    Attributes:
        name: Its source unit and name, such as ``contracts/Token.sol:Token``.
        compiler: The compiler's version, such as ``0.8.30+commit.73712a01``.
        standard_json_input: The compiler's input, imports included.
        constructor_arguments: Encoded, in hex without 0x.
    """

    name: str
    compiler: str
    standard_json_input: Mapping[str, Any]
    constructor_arguments: str


@dataclass(frozen=True)
class Contract:
    """A contract on a chain, with the hash of the transaction that created it."""

    chain_id: int
    address: str
    creation_hash: str | None


@dataclass(frozen=True)
class Finding:
    """What a verifier said.

    Attributes:
        verdict: Anything but ``pending`` is final.
        ticket: By which to ask again; None where it has to be submitted again.
        url: Where anyone can see it.
        reason: In the verifier's words, for the log.
    """

    verdict: Verdict
    ticket: str | None = None
    url: str | None = None
    reason: str = ""


class Verifier(Protocol):
    """A service that recompiles sources. Both methods raise ``UpstreamUnavailableError`` for what is no answer."""

    name: str

    def submit(self, contract: Contract, source: Source) -> Finding:
        """Ask for a verification."""

    def poll(self, contract: Contract, ticket: str) -> Finding:
        """Return how far one is."""
