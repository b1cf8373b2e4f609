"""Sourcify's API, version 2. Source: its OpenAPI document (``services/server/src/apiv2.yaml``)."""

from http import HTTPStatus
from typing import Any

from slipway.deadline_client import DeadlineClient
from slipway.errors import UpstreamUnavailableError
from slipway.verification.http_answers import ask
from slipway.verification.models import Contract, Finding, Source, Verdict

# Where people look at what the public server knows.
_PUBLIC_SERVER = "https://sourcify.dev/server"
_PUBLIC_PAGES = "https://repo.sourcify.dev"
_MATCHES = {"exact_match": Verdict.VERIFIED, "match": Verdict.PARTIAL}
# Judgements of this source; every other error, such as a node of theirs that lags, may pass.
_FINAL = frozenset(
    {
        "bytecode_length_mismatch",
        "compiler_error",
        "contract_not_found_in_compiler_output",
        "extra_file_input_bug",
        "no_match",
    }
)
_UNSUPPORTED = "unsupported_chain"


class Sourcify:
    """A Sourcify server.

    Args:
        address: Its base address, with whatever comes before ``/v2``.
        client: The HTTP client.
    """

    name = "sourcify"

    def __init__(self, address: str, client: DeadlineClient) -> None:
        self._address = address.rstrip("/")
        self._client = client

    def submit(self, contract: Contract, source: Source) -> Finding:
        """See ``Verifier``."""
        body = {
            "stdJsonInput": source.standard_json_input,
            "compilerVersion": source.compiler,
            "contractIdentifier": source.name,
        }
        if contract.creation_hash:
            body["creationTransactionHash"] = contract.creation_hash
        path = f"verify/{contract.chain_id}/{contract.address}"
        status, answer = ask(self._client, "POST", f"{self._address}/v2/{path}", json=body)
        ticket, code = answer.get("verificationId"), answer.get("customCode")
        if status == HTTPStatus.ACCEPTED and isinstance(ticket, str):
            return Finding(Verdict.PENDING, ticket)
        if status == HTTPStatus.CONFLICT:
            return self._known(contract)
        if code == _UNSUPPORTED:
            return Finding(Verdict.OFF, reason=_reason(answer))
        raise UpstreamUnavailableError(f"Sourcify answered {status}: {_reason(answer)}")

    def poll(self, contract: Contract, ticket: str) -> Finding:
        """See ``Verifier``."""
        status, answer = ask(self._client, "GET", f"{self._address}/v2/verify/{ticket}")
        if status == HTTPStatus.NOT_FOUND:
            return Finding(Verdict.PENDING, reason="The job is not known any more")
        if status != HTTPStatus.OK or not isinstance(answer.get("isJobCompleted"), bool):
            raise UpstreamUnavailableError(f"Sourcify answered {status}: {_reason(answer)}")
        if not answer["isJobCompleted"]:
            return Finding(Verdict.PENDING, ticket)
        if found := self._match(contract, answer.get("contract")):
            return found
        error = answer.get("error")
        problem = error if isinstance(error, dict) else {}
        verdict = Verdict.FAILED if problem.get("customCode") in _FINAL else Verdict.PENDING
        return Finding(verdict, reason=_reason(problem))

    def _known(self, contract: Contract) -> Finding:
        """Return what is known of a contract that somebody verified before."""
        path = f"contract/{contract.chain_id}/{contract.address}"
        status, answer = ask(self._client, "GET", f"{self._address}/v2/{path}")
        found = self._match(contract, answer) if status == HTTPStatus.OK else None
        return found or Finding(Verdict.PENDING, reason=_reason(answer))

    def _match(self, contract: Contract, known: Any) -> Finding | None:
        match = known.get("match") if isinstance(known, dict) else None
        verdict = _MATCHES.get(match) if isinstance(match, str) else None
        return Finding(verdict, url=self._url(contract)) if verdict else None

    def _url(self, contract: Contract) -> str:
        if self._address == _PUBLIC_SERVER:
            return f"{_PUBLIC_PAGES}/{contract.chain_id}/{contract.address}"
        return f"{self._address}/v2/contract/{contract.chain_id}/{contract.address}"


def _reason(answer: dict[str, Any]) -> str:
    return f"{answer.get('customCode', '')} {answer.get('message', '')}".strip()[:300]
