"""The contract API that Etherscan defined and Blockscout and others speak as well.

Source: Etherscan's documentation of ``verifysourcecode`` and ``checkverifystatus`` (API V2), and Blockscout's of its
RPC API. Answers are texts; those that are known to be final are listed, every other one may pass.
"""

import json
from collections.abc import Callable
from typing import Any

from slipway.deadline_client import DeadlineClient
from slipway.errors import UpstreamUnavailableError
from slipway.verification.http_answers import ask
from slipway.verification.models import Contract, Finding, Source, Verdict

_VERIFIED = ("pass - verified", "already verified", "contract source code already verified")
_FAILED = ("fail - unable to verify", "fail - compilation error")


class Explorer:
    """An explorer's contract API.

    Args:
        address: Of the API, such as ``https://api.etherscan.io/v2/api``.
        page: Where people look at a contract of the chain, by its address; None without an explorer.
        key: Gives the API key; None where none is asked for.
        client: The HTTP client.
    """

    name = "explorer"

    def __init__(
        self,
        address: str,
        page: Callable[[str], str | None],
        key: Callable[[], str | None],
        client: DeadlineClient,
    ) -> None:
        self._address = address
        self._page = page
        self._key = key
        self._client = client

    def submit(self, contract: Contract, source: Source) -> Finding:
        """See ``Verifier``."""
        form = {
            "codeformat": "solidity-standard-json-input",
            "sourceCode": json.dumps(source.standard_json_input),
            "contractaddress": contract.address,
            "contractname": source.name,
            "compilerversion": f"v{source.compiler}",
            # Both spellings are in use; the wrong one is the older.
            "constructorArguments": source.constructor_arguments,
            "constructorArguements": source.constructor_arguments,
        }
        accepted, result = self._ask("POST", contract, "verifysourcecode", form)
        if accepted:
            return Finding(Verdict.PENDING, result)
        return self._judged(contract, result, None)

    def poll(self, contract: Contract, ticket: str) -> Finding:
        """See ``Verifier``."""
        _, result = self._ask("GET", contract, "checkverifystatus", {"guid": ticket})
        return self._judged(contract, result, ticket)

    def _judged(self, contract: Contract, result: str, ticket: str | None) -> Finding:
        text = result.strip().lower()
        if text.startswith(_VERIFIED):
            return Finding(Verdict.VERIFIED, url=self._url(contract))
        if text.startswith(_FAILED):
            return Finding(Verdict.FAILED, reason=result)
        # "Pending in queue" keeps its ticket; anything else is submitted again.
        return Finding(Verdict.PENDING, ticket if text.startswith("pending") else None, reason=result)

    def _ask(self, method: str, contract: Contract, action: str, fields: dict[str, str]) -> tuple[bool, str]:
        given = {"module": "contract", "action": action, **fields}
        if key := self._key():
            given["apikey"] = key
        query = {"chainid": str(contract.chain_id)}
        arguments: dict[str, Any] = (
            {"params": query, "data": given} if method == "POST" else {"params": {**query, **given}}
        )
        status, answer = ask(self._client, method, self._address, **arguments)
        result = answer.get("result")
        if not isinstance(result, str) or "status" not in answer:
            raise UpstreamUnavailableError(f"The explorer answered {status} without a result")
        return str(answer["status"]) == "1", result[:300]

    def _url(self, contract: Contract) -> str | None:
        page = self._page(contract.address)
        return f"{page}#code" if page else None
