"""Where the source of a build's contract is, and where its verification is shown."""

import json
from collections.abc import Mapping
from typing import Any

from slipway.builds.pipeline.files import BuildFiles
from slipway.builds.pipeline.rules import creation_code
from slipway.builds.store import ChainDeploymentItem, chain_key, find_build
from slipway.solidity.toolchain import LIBRARY
from slipway.store import Transaction
from slipway.verification.models import Source
from slipway.verification.store import VerificationItem


class BuildSources:
    """Builds, for ``slipway.verification.service``.

    Args:
        files: Where the builds' sources are.
    """

    def __init__(self, files: BuildFiles) -> None:
        self._files = files

    def source(self, item: VerificationItem) -> Source | None:
        """See ``Subject``."""
        build = find_build(item.job_id)
        given = self._files.standard_json_input(build) if build else None
        if build is None or given is None:
            return None
        content = json.loads(given)
        own = [unit for unit in content["sources"] if not unit.startswith(LIBRARY)]
        declared = [unit for unit in own if f"contract {build.contract_name} " in content["sources"][unit]["content"]]
        return Source(
            name=f"{(declared or own)[0]}:{build.contract_name}",
            compiler=self._files.compilation(build).compiler_version,
            standard_json_input=content,
            constructor_arguments=creation_code("0x", build.constructor_arguments or []).hex(),
        )

    def keep(self, write: Transaction, item: VerificationItem, verification: Mapping[str, Any]) -> None:
        """See ``Subject``."""
        deployment = ChainDeploymentItem(*chain_key(item.job_id, int(item.chain_id)))
        actions = [ChainDeploymentItem.verification.set(verification)]
        # Not of a contract that took the place of this one.
        write.update("deployment", deployment, actions, ChainDeploymentItem.address == item.address)
