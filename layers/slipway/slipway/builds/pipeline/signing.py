"""What the signer function does for a build: sign the creation of its contract on one chain, ahead of its broadcast.

It is told only which build and which chain; what to sign follows from the build as it is stored, and nothing is signed
for a build that was cancelled or whose source did not pass its audit.
"""

from slipway.builds.pipeline.files import BuildFiles
from slipway.builds.pipeline.rules import creation_code, purpose_of
from slipway.builds.states import ChainStatus
from slipway.builds.store import (
    BuildItem,
    ChainDeploymentItem,
    build_key,
    chain_key,
    find_chain_deployment,
    running,
)
from slipway.chain.models import Call
from slipway.chain.signing import ChainSigning
from slipway.chain.store import ChainConfiguration, TransactionItem
from slipway.errors import ConflictError, NotFoundError
from slipway.store import Transaction, read_items
from slipway.times import now_text


class BuildSigning:
    """Signs builds on one chain; errors are those of ``ChainSigning``.

    Args:
        signing: Signs on the chain.
        files: Where the compiled contract is.
    """

    def __init__(self, signing: ChainSigning, files: BuildFiles) -> None:
        self._signing = signing
        self._files = files
        self._chain_id = signing.chain.chain_id

    def sign(self, build_id: str, job_id: str) -> TransactionItem:
        """Sign the creation of the contract, or give back the one that was signed before for the present attempt."""
        build, deployment, stored = read_items(
            (BuildItem, build_key(build_id)),
            (ChainDeploymentItem, chain_key(build_id, self._chain_id)),
            (ChainConfiguration, ChainConfiguration.key(self._chain_id)),
        )
        if build is None or deployment is None:
            raise NotFoundError("There is no such deployment of a build")
        if not build.deployable or build.job_id != job_id or deployment.job_id != job_id:
            raise ConflictError("The build is not at the point where this is signed")

        def make_call() -> Call:
            bytecode = self._files.contract(build)["bytecode"]
            return Call(None, creation_code(bytecode, build.constructor_arguments or []), gas_limit=0)

        def also(write: Transaction, item: TransactionItem) -> None:
            # What is signed is the source that passed the audit, and the build goes on.
            audited = BuildItem.deployable.is_in(True) & (BuildItem.revision == build.revision)
            write.check("build", BuildItem, *build_key(build_id), running(job_id) & audited)
            write.update(
                "deployment",
                ChainDeploymentItem(deployment.pk, deployment.sk),
                [
                    ChainDeploymentItem.status.set(str(ChainStatus.SIGNED)),
                    ChainDeploymentItem.transaction_hash.set(item.transaction_hash),
                    ChainDeploymentItem.address.set(str(item.contract_address)),
                    ChainDeploymentItem.updated_at.set(now_text()),
                ],
                condition=(ChainDeploymentItem.job_id == job_id)
                & (ChainDeploymentItem.status == str(ChainStatus.PENDING))
                & (ChainDeploymentItem.attempt == deployment.attempt),
            )

        configuration = stored or ChainConfiguration(*ChainConfiguration.key(self._chain_id))
        purpose = purpose_of(self._chain_id, int(deployment.attempt))
        return self._signing.sign(build_id, purpose, make_call, configuration, also)

    def bump(self, build_id: str, job_id: str) -> None:
        """Sign a stuck creation again with higher fees, if the cap leaves room for that and the build goes on."""

        def also(write: Transaction, item: TransactionItem, transaction_hash: str) -> None:
            write.check("build", BuildItem, *build_key(build_id), running(job_id))
            if not item.cancel_hashes:
                deployment = ChainDeploymentItem(*chain_key(build_id, self._chain_id))
                write.update("deployment", deployment, [ChainDeploymentItem.transaction_hash.set(transaction_hash)])

        self._signing.sign_again(build_id, self._purpose(build_id), also)

    def cancel(self, build_id: str) -> None:
        """Call a creation off: sign one that does nothing at the same nonce. Which of them is mined decides."""
        self._signing.sign_again(build_id, self._purpose(build_id), lambda *_: None, cancel=True)

    def _purpose(self, build_id: str) -> str:
        deployment = find_chain_deployment(build_id, self._chain_id)
        if deployment is None:
            raise ConflictError("The creation of the contract is not signed")
        return purpose_of(self._chain_id, int(deployment.attempt))
