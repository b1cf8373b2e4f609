"""What the signer function does for a build: sign the creation of its contract on one chain, ahead of its broadcast.

It gets only which build and which chain; what to sign follows from the build as it is stored, and nothing is signed
for a build that was cancelled or whose source did not pass its audit, or that is not the code which passed.
"""

import time

from slipway.builds.pipeline.files import BuildFiles
from slipway.builds.pipeline.rules import creation_code, digest_of, purpose_of
from slipway.builds.states import ChainStatus
from slipway.builds.store import (
    BuildItem,
    ChainDeploymentItem,
    build_key,
    chain_key,
    find_chain_deployment,
    running,
)
from slipway.chain.plans import Change, Check, Plan, PlannedCall, SignedValue, Update
from slipway.chain.signing import ChainSigning
from slipway.chain.store import ChainConfiguration, TransactionItem, transaction_for
from slipway.errors import ConflictError, DeploymentFailedError, NotFoundError
from slipway.observability import logger
from slipway.store import read_items
from slipway.times import Clock, now_text


class BuildSigning:
    """Signs builds on one chain; errors are those of ``ChainSigning``.

    Args:
        signing: Signs on the chain.
        files: Where the compiled contract is.
        clock: Gives the time.
    """

    def __init__(self, signing: ChainSigning, files: BuildFiles, clock: Clock = time) -> None:
        self._clock = clock
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

        code = creation_code(self._files.contract(build)["bytecode"], build.constructor_arguments or [])
        digest = digest_of(code)
        if digest != build.creation_digest:
            logger.error("audit digest mismatch", build_id=build_id, digest=digest, audited=build.creation_digest)
            raise DeploymentFailedError("The stored code is not the code that passed the audit; nothing was signed")
        purpose = purpose_of(self._chain_id, int(deployment.attempt))
        # What is signed is the code that passed the audit, and the build goes on.
        audited = BuildItem.deployable.is_in(True) & (BuildItem.creation_digest == digest)
        audited = audited & (BuildItem.revision == build.revision)
        pending = (ChainDeploymentItem.job_id == job_id) & (ChainDeploymentItem.status == str(ChainStatus.PENDING))
        plan = Plan(
            job_id=build_id,
            calls=(PlannedCall(purpose, None, code=code),),
            changes=(
                Check("build", BuildItem(*build_key(build_id)), running(job_id) & audited),
                Update(
                    "deployment",
                    ChainDeploymentItem(deployment.pk, deployment.sk),
                    {
                        "status": str(ChainStatus.SIGNED),
                        "transaction_hash": SignedValue(purpose, "transaction_hash"),
                        "address": SignedValue(purpose, "contract_address"),
                        "updated_at": now_text(self._clock),
                    },
                    condition=pending & (ChainDeploymentItem.attempt == deployment.attempt),
                ),
            ),
            configuration=stored or ChainConfiguration(*ChainConfiguration.key(self._chain_id)),
        )
        return self._signing.sign(plan)[0]

    def bump(self, build_id: str, job_id: str) -> None:
        """Sign a stuck creation again with higher fees, if the cap leaves room for that and the build goes on."""
        item = self._signed(build_id)
        changes: list[Change] = [Check("build", BuildItem(*build_key(build_id)), running(job_id))]
        if not item.cancel_hashes:
            deployment = ChainDeploymentItem(*chain_key(build_id, self._chain_id))
            changes.append(
                Update("deployment", deployment, {"transaction_hash": SignedValue(item.purpose, "transaction_hash")})
            )
        self._signing.sign_again(self._signing.stuck([item]), changes)

    def cancel(self, build_id: str) -> None:
        """Call a creation off: sign a self-transfer at its nonce. Which of them is mined decides."""
        stuck = self._signing.stuck([self._signed(build_id)], cancel=True)
        self._signing.sign_again(stuck, (), cancel=True)

    def _signed(self, build_id: str) -> TransactionItem:
        """Return the present attempt's transaction; raises ConflictError if none is signed."""
        deployment = find_chain_deployment(build_id, self._chain_id)
        attempt = int(deployment.attempt) if deployment else 0
        if item := transaction_for(build_id, purpose_of(self._chain_id, attempt)):
            return item
        raise ConflictError("The creation of the contract is not signed")
