"""Every error that Slipway reports to a caller or a state machine.

One family: each class carries the ``code`` of the API's error envelope and the HTTP status that ``slipway.http``
answers with. A class that is ``permanent`` is a verdict: the same call fails in the same way later. Every other error,
known or not, is tried again within a bound: by the state machines, which name the permanent ones (``Retry`` in
``template.yaml``, held to ``permanent_names`` by a test), and by what runs in functions.
"""

from typing import Any, ClassVar


class SlipwayError(Exception):
    """An outcome that has a code.

    Args:
        message: One sentence for the caller; never holds a secret.
        details: JSON values that say more, such as the field that is wrong.
        retry_after: Seconds after which the same request may succeed.
        headers: Further headers of the answer.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    permanent: ClassVar[bool] = False

    def __init_subclass__(cls, *, code: str = "", status: int = 0, permanent: bool | None = None) -> None:
        super().__init_subclass__()
        cls.code = code or cls.code
        cls.status = status or cls.status
        cls.permanent = cls.permanent if permanent is None else permanent

    def __init__(
        self,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.headers = headers or {}


class ValidationFailedError(SlipwayError, code="VALIDATION_ERROR", status=400, permanent=True):
    """The request is not what the route takes; ``details.fields`` names each field."""

    @classmethod
    def of_field(cls, field: str, message: str) -> "ValidationFailedError":
        """Report one wrong field, in the shape that all validation errors share."""
        return cls(f"{field}: {message}", details={"fields": [{"field": field, "message": message}]})


class InvalidSdlError(ValidationFailedError):
    """The SDL is not one that Akash takes; nothing was created."""


class GenerationUnsupportedError(SlipwayError, code="GENERATION_UNSUPPORTED", status=422, permanent=True):
    """The engine can't make the contract that is asked for; the message says what it can."""


class NotHonouredError(SlipwayError, code="NOT_HONOURED", status=422, permanent=True):
    """The contract would lack something that the request asks for; ``details`` names it, and what was assumed."""


class GenerationFailedError(SlipwayError, code="GENERATION_FAILED", status=502, permanent=True):
    """The language model gave no contract that can be used, as often as it was asked; ``details.problems`` says why."""


class AuthenticationFailedError(SlipwayError, code="AUTH_FAILED", status=401):
    """The request has no valid credentials."""


class PaymentRequiredError(SlipwayError, code="PAYMENT_REQUIRED", status=402, permanent=True):
    """The Akash account has too little credit, or the wallet too little of a token; nothing was created.

    The message says what is missing.
    """


class ForbiddenError(SlipwayError, code="FORBIDDEN", status=403, permanent=True):
    """The caller is known and may not do this."""


class NotFoundError(SlipwayError, code="NOT_FOUND", status=404, permanent=True):
    """No such thing, or another owner's."""


class ModelNotFoundError(SlipwayError, code="MODEL_NOT_FOUND", status=404, permanent=True):
    """The model does not exist."""


class MethodNotAllowedError(SlipwayError, code="METHOD_NOT_ALLOWED", status=405):
    """The path exists, with other methods."""


class ConflictError(SlipwayError, code="CONFLICT", status=409, permanent=True):
    """The thing is not in a state that allows this."""


class ReplacementNeededError(SlipwayError, code="REPLACEMENT_NEEDED", status=409, permanent=True):
    """The lease can't run this SDL; ``details.differs`` names what it would need otherwise."""


class BidClosedError(SlipwayError, code="CONFLICT", status=409):
    """The bid can't be leased any more: withdrawn, lost, or its order has another lease."""


class EscrowNotSettledError(SlipwayError, code="CONFLICT", status=409):
    """The deployment's escrow can't be settled yet, so it is still open; the same close succeeds later."""


class ModelNotValidatedError(SlipwayError, code="MODEL_NOT_VALIDATED", status=409, permanent=True):
    """The model is not, or no longer, validated."""


class MaxSupplyExceededError(SlipwayError, code="MAX_SUPPLY_EXCEEDED", status=422):
    """There would be more tokens than the token's maximum; ``details.left`` says how many may still be minted."""


class GasLimitExceededError(SlipwayError, code="GAS_LIMIT_EXCEEDED", status=422):
    """The launch would not fit into one block of its chain; fewer allocations would."""


class WrongChainError(SlipwayError, code="WRONG_CHAIN", status=409):
    """The token is on another chain; ``details.chain_id`` says on which."""


class TokenExistsError(SlipwayError, code="TOKEN_EXISTS", status=409, permanent=True):
    """The model has a token, or one is being launched."""


class IdempotencyMismatchError(SlipwayError, code="IDEMPOTENCY_MISMATCH", status=409):
    """The Idempotency-Key was used with another body."""


class PayloadTooLargeError(SlipwayError, code="PAYLOAD_TOO_LARGE", status=413):
    """The body is larger than the route takes."""


class RateLimitExceededError(SlipwayError, code="RATE_LIMIT_EXCEEDED", status=429):
    """The caller has started as much as its tier allows."""


class BudgetExceededError(SlipwayError, code="BUDGET_EXCEEDED", status=503, permanent=True):
    """This installation may spend no more of its operator's money now; ``details`` name the budget."""


class OwnBudgetExceededError(SlipwayError, code="BUDGET_EXCEEDED", status=402, permanent=True):
    """More than this caller may have the operator spend; ``details`` name the budget."""


class ServicePausedError(SlipwayError, code="SERVICE_PAUSED", status=503):
    """An administrator paused the service, or its circuit breaker is open; running work goes on."""


class DeploymentFailedError(SlipwayError, code="DEPLOYMENT_FAILED", status=500, permanent=True):
    """The chain refused or reverted a transaction, or its job ran out of time."""


class CodeMismatchError(SlipwayError, code="CODE_MISMATCH", status=409, permanent=True):
    """A transaction creates something else than the code that was audited."""


class UpstreamUnavailableError(SlipwayError, code="UPSTREAM_UNAVAILABLE", status=502):
    """A system that Slipway calls did not answer in time; the same call may succeed later."""


class KeyNotKnownYetError(SlipwayError, code="UPSTREAM_UNAVAILABLE", status=503):
    """An external issuer may have rotated its keys, and can't be asked again yet."""


class UpstreamAuthenticationError(SlipwayError, code="UPSTREAM_UNAVAILABLE", status=502, permanent=True):
    """A system that Slipway calls does not accept our key; only an administrator can mend that."""


class UpstreamRefusedError(SlipwayError, code="DEPLOYMENT_FAILED", status=500, permanent=True):
    """A system that Slipway calls understood the call and refused it for a reason that stays."""


class WalletProvisioningError(SlipwayError, code="UPSTREAM_UNAVAILABLE", status=502):
    """The Akash account's wallet is still being set up; nothing was created, and the same call succeeds later."""


class CreateOutcomeUnknownError(SlipwayError, code="UPSTREAM_UNAVAILABLE", status=502):
    """A deployment was requested, and it is unknown whether it was created: look before requesting again.

    ``details`` has ``asked_at`` and ``gave_up_at``, milliseconds since 1970 by our clock, between which the dseq of the
    deployment lies if there is one, and ``answered``: whether the API itself ended the request, or it may still do it.
    """


class CreateFailedError(SlipwayError, code="UPSTREAM_UNAVAILABLE", status=502, permanent=True):
    """A deployment was requested several times, and none was made, or none that is certainly ours."""


class BidTimeoutError(SlipwayError, code="BID_TIMEOUT", status=504, permanent=True):
    """No bid was chosen and taken within the time after the deployment's creation."""


class LeaseClosedError(SlipwayError, code="LEASE_CLOSED", status=502, permanent=True):
    """The provider, or Akash, closed the lease or the deployment."""


class FundsExhaustedError(SlipwayError, code="FUNDS_EXHAUSTED", status=402):
    """What its owner deposited for a workload is nearly used up, so it is closed."""


class NotReadyError(SlipwayError, code="NOT_READY", status=504, permanent=True):
    """The workload has a lease, but did not become available in time."""


class InsufficientGasError(SlipwayError, code="INSUFFICIENT_GAS", status=503):
    """The network's fee is over the chain's cap."""


class SignerUnfundedError(SlipwayError, code="DEPLOYMENT_FAILED", status=500):
    """No deployer account can pay for the transaction; nothing was signed."""


class EndpointNotForwardedError(SlipwayError, code="ENDPOINT_NOT_FORWARDED", status=504):
    """The provider never opened a port for the node's RPC."""


class EndpointHostMissingError(SlipwayError, code="ENDPOINT_HOST_MISSING", status=502):
    """The provider names no host for the forwarded port, and the provider's own is unknown."""


class EndpointHostRefusedError(SlipwayError, code="ENDPOINT_HOST_REFUSED", status=502):
    """The host of the forwarded port is no public host name."""


class EndpointPortOutOfRangeError(SlipwayError, code="ENDPOINT_PORT_OUT_OF_RANGE", status=502):
    """The forwarded port is not one from 1024 to 65535."""


class EndpointAmbiguousError(SlipwayError, code="ENDPOINT_AMBIGUOUS", status=502):
    """The provider reports several ports for the node's RPC; it is unknown which is right."""


class ProbeRefusedError(SlipwayError, code="PROBE_REFUSED", status=502):
    """Nothing answers at the node's endpoint."""


class ProbeNonsenseError(SlipwayError, code="PROBE_NONSENSE", status=502):
    """Something answers at the node's endpoint that is no node."""


class ArtifactMissingError(SlipwayError, code="ARTIFACT_MISSING", status=404, permanent=True):
    """No endpoint is published for the environment now."""


class ArtifactUnsignedError(SlipwayError, code="ARTIFACT_UNSIGNED", status=409, permanent=True):
    """An endpoint lies where it is published, without a signature."""


class ArtifactAlteredError(SlipwayError, code="ARTIFACT_ALTERED", status=409, permanent=True):
    """The published endpoint is not what was signed."""


class ArtifactForeignError(SlipwayError, code="ARTIFACT_FOREIGN", status=409, permanent=True):
    """The published endpoint was signed for another environment."""


class ArtifactOutdatedError(SlipwayError, code="ARTIFACT_OUTDATED", status=409, permanent=True):
    """The published endpoint was signed for another generation of the node than the present one."""


class CompilationFailedError(SlipwayError, code="COMPILATION_FAILED", status=422, permanent=True):
    """The sources of a build do not compile; ``details.problems`` has each error with its file and line."""


class CompileTimeoutError(SlipwayError, code="COMPILE_TIMEOUT", status=504, permanent=True):
    """The compiler was stopped by its limit of time or memory; ``details.limit`` says which."""


class CompilerBusyError(SlipwayError, code="COMPILE_TIMEOUT", status=504):
    """The compiler did not get the processor time that every source is given; the same source may compile later."""


class AuditFailedError(SlipwayError, code="AUDIT_FAILED", status=422, permanent=True):
    """The audit found something of High or Medium impact that could not be mended, so the contract is not deployed."""


class AuditUnavailableError(SlipwayError, code="AUDIT_UNAVAILABLE", status=503):
    """The audit did not run to its end, so nothing is known of the contract, and it is not deployed."""


class WriteContentionError(SlipwayError, code="UPSTREAM_UNAVAILABLE", status=502):
    """Others kept changing the same items; nothing was written, and the same call may succeed later."""


# The codes of failures that say something of the installation; the others say something of the request.
OPERATOR_ERRORS = frozenset({DeploymentFailedError.code, UpstreamUnavailableError.code})


def _family(root: type[SlipwayError]) -> dict[str, type[SlipwayError]]:
    members = {root.__name__: root}
    for child in root.__subclasses__():
        members |= _family(child)
    return members


def permanent_names() -> list[str]:
    """Return the names of the errors that no state machine tries again, sorted."""
    return sorted(name for name, error in _family(SlipwayError).items() if error.permanent)


def is_known(error_name: str) -> bool:
    """Return whether an error that a state machine caught is one of Slipway's, so that its message is meant for
    callers."""
    return error_name in _family(SlipwayError)


def code_of(error_name: str) -> str:
    """Return the code for the name of an error that a state machine caught, DEPLOYMENT_FAILED for any other name."""
    known = _family(SlipwayError).get(error_name)
    return known.code if known else DeploymentFailedError.code
