"""Where the source of a launched token is, and where its verification is shown."""

import json
from collections.abc import Mapping
from typing import Any

from slipway.chain.abi import encode
from slipway.chain.contracts import load, load_input
from slipway.jobs.deployments import deployment_key
from slipway.store import Transaction
from slipway.tokens.public import CONTRACT
from slipway.tokens.store import LaunchedToken, TokenItem, launched_token
from slipway.verification.models import Source
from slipway.verification.store import VerificationItem


class TokenSources:
    """Tokens, for ``slipway.verification.service``."""

    def source(self, item: VerificationItem) -> Source | None:
        """See ``Subject``."""
        token, artifact = launched_token(item.address), load(CONTRACT)
        if token is None or token.source_hash != artifact.source_hash:
            return None
        given = (token.token_name, token.token_symbol, str(token.controller))
        return Source(
            name=f"contracts/{CONTRACT}.sol:{CONTRACT}",
            compiler=artifact.compiler,
            standard_json_input=json.loads(load_input(CONTRACT)),
            constructor_arguments=encode(("string", "string", "address"), given).hex(),
        )

    def keep(self, write: Transaction, item: VerificationItem, verification: Mapping[str, Any]) -> None:
        """See ``Subject``."""
        launch = TokenItem(*deployment_key(item.job_id))
        write.update("launch", launch, [TokenItem.verification.set(verification)], TokenItem.pk.exists())
        token = LaunchedToken(*LaunchedToken.key(item.address))
        write.update("token", token, [LaunchedToken.verification.set(verification)], LaunchedToken.pk.exists())
