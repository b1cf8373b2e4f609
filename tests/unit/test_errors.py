"""The error family against the contract of specification and design."""

import pytest

# Modules outside slipway.errors that add to the family.
import slipway.chain.json_rpc  # noqa: F401
from slipway import errors
from slipway.errors import SlipwayError, ValidationFailedError, code_of, is_known

CONTRACT = {
    "AUTH_FAILED": 401,
    "MODEL_NOT_FOUND": 404,
    "MODEL_NOT_VALIDATED": 409,
    "TOKEN_EXISTS": 409,
    "MAX_SUPPLY_EXCEEDED": 422,
    "GAS_LIMIT_EXCEEDED": 422,
    "WRONG_CHAIN": 409,
    "INSUFFICIENT_GAS": 503,
    "DEPLOYMENT_FAILED": 500,
    "RATE_LIMIT_EXCEEDED": 429,
    "VALIDATION_ERROR": 400,
    "PAYMENT_REQUIRED": 402,
    "BID_TIMEOUT": 504,
    "LEASE_CLOSED": 502,
    "FUNDS_EXHAUSTED": 402,
    "NOT_READY": 504,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "CONFLICT": 409,
    "REPLACEMENT_NEEDED": 409,
    "IDEMPOTENCY_MISMATCH": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "BUDGET_EXCEEDED": 503,
    "SERVICE_PAUSED": 503,
    "UPSTREAM_UNAVAILABLE": 502,
    "ENDPOINT_NOT_FORWARDED": 504,
    "ENDPOINT_HOST_MISSING": 502,
    "ENDPOINT_HOST_REFUSED": 502,
    "ENDPOINT_PORT_OUT_OF_RANGE": 502,
    "ENDPOINT_AMBIGUOUS": 502,
    "PROBE_REFUSED": 502,
    "PROBE_NONSENSE": 502,
    "ARTIFACT_MISSING": 404,
    "ARTIFACT_UNSIGNED": 409,
    "ARTIFACT_ALTERED": 409,
    "ARTIFACT_FOREIGN": 409,
    "ARTIFACT_OUTDATED": 409,
    "COMPILATION_FAILED": 422,
    "COMPILE_TIMEOUT": 504,
    "AUDIT_FAILED": 422,
    "AUDIT_UNAVAILABLE": 503,
    "GENERATION_UNSUPPORTED": 422,
    "NOT_HONOURED": 422,
    "CODE_MISMATCH": 409,
    "GENERATION_FAILED": 502,
    "INTERNAL_ERROR": 500,
}
# The installation's budget is a 503, the caller's own a 402.
# An issuer's keys that may be asked for in a moment are a 503, not an outage.
OTHERWISE = {"OwnBudgetExceededError": 402, "KeyNotKnownYetError": 503}


def _family(root: type[SlipwayError]) -> list[type[SlipwayError]]:
    return [root, *(member for child in root.__subclasses__() for member in _family(child))]


@pytest.mark.parametrize("member", _family(SlipwayError), ids=lambda member: member.__name__)
def test_each_error_has_a_code_of_the_contract_with_its_status(member: type[SlipwayError]) -> None:
    assert OTHERWISE.get(member.__name__, CONTRACT[member.code]) == member.status


def test_every_code_of_the_contract_has_an_error() -> None:
    codes = {member.code for member in _family(SlipwayError)}
    assert set(CONTRACT) <= codes


def test_names_are_unique_because_state_machines_catch_by_name() -> None:
    names = [member.__name__ for member in _family(SlipwayError)]
    assert len(set(names)) == len(names)


def test_names_lead_to_codes() -> None:
    assert code_of("TokenExistsError") == "TOKEN_EXISTS"
    assert is_known("TokenExistsError")
    for foreign in ("KeyError", "States.Timeout", "Lambda.Unknown", "", "errors"):
        assert code_of(foreign) == "DEPLOYMENT_FAILED"
        assert not is_known(foreign)


def test_an_error_carries_what_the_envelope_reports() -> None:
    error = errors.ConflictError("Not now", details={"status": "failed"}, retry_after=3)
    assert (str(error), error.message, error.details, error.retry_after) == (
        "Not now",
        "Not now",
        {"status": "failed"},
        3,
    )


def test_one_wrong_field_has_the_shape_of_many() -> None:
    error = ValidationFailedError.of_field("cursor", "is not known")
    assert error.details == {"fields": [{"field": "cursor", "message": "is not known"}]}
    assert "cursor" in error.message
