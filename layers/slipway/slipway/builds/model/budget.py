"""Calls of the language model within a day's budget: what one can cost at most is reserved before it is made."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import botocore.exceptions

from slipway.budgets.rules import Ceiling, micro
from slipway.budgets.store import Budget, unspend
from slipway.builds.model.bedrock import ConverseClient
from slipway.errors import UpstreamUnavailableError
from slipway.settings import BedrockSettings
from slipway.store import ConditionsFailedError, Transaction

# US dollars for a million tokens where an installation names no prices: more than most models cost.
_INPUT_PRICE, _OUTPUT_PRICE = Decimal(15), Decimal(75)
# A token has four characters of English on average, and hardly ever less than this of anything.
_CHARACTERS = 2
_MILLION = 1_000_000
_TRIES = 5


class BudgetedClient:
    """A client of Bedrock that refuses a call once the day's budget can't pay for it.

    Args:
        client: boto3's client of bedrock-runtime.
        settings: The model's prices.
        ceiling: The budget.
    """

    def __init__(self, client: ConverseClient, settings: BedrockSettings, ceiling: Ceiling) -> None:
        self._client = client
        self._ceiling = ceiling
        self._read = _INPUT_PRICE if settings.input_price is None else settings.input_price
        self._written = _OUTPUT_PRICE if settings.output_price is None else settings.output_price

    def converse(self, **arguments: Any) -> Any:
        """Call Converse once; see boto3.

        Raises:
            BudgetExceededError: The budget can't pay for the call, which was not made.
            UpstreamUnavailableError: Others kept spending from the budget, or the store did not answer.
        """
        asked = len(json.dumps({name: arguments.get(name) for name in ("system", "messages", "toolConfig")}))
        most = self._cost(asked // _CHARACTERS, int(arguments["inferenceConfig"]["maxTokens"]))
        spent = self._reserve(most)
        try:
            answer = self._client.converse(**arguments)
        except botocore.exceptions.ClientError:
            # A refusal costs nothing; a call that is not heard of may.
            unspend(spent, most)
            raise
        usage = answer["usage"]
        cached = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
        unspend(spent, max(0, most - self._cost(usage["inputTokens"] + cached, usage["outputTokens"])))
        return answer

    def _cost(self, read: int, written: int) -> int:
        return micro((self._read * read + self._written * written) / _MILLION)

    def _reserve(self, amount: int) -> Mapping[str, Any]:
        budget = Budget.read([self._ceiling])
        for _ in range(_TRIES):
            if refusal := budget.refusal(amount):
                raise refusal
            write = Transaction()
            spent = budget.spend(write, amount)
            try:
                write.commit()
            except ConditionsFailedError:
                budget = Budget.read([self._ceiling])
                continue
            budget.measure(amount)
            return spent
        raise UpstreamUnavailableError("Others spend from the model's budget; try again", retry_after=2)
