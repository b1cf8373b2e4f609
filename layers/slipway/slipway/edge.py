"""What the distribution in front of the API adds to each request (template: OneAddress), and who may come without it.

The secret itself is with the distribution alone: functions know its digest, which opens nothing.
"""

import hashlib
from collections.abc import Mapping

from slipway.errors import ForbiddenError
from slipway.settings import edge_secret_hashes

SECRET_HEADER = "x-slipway-edge"  # noqa: S105 (a header's name)
VIEWER_HEADER = "x-slipway-viewer"


def source_address(headers: Mapping[str, str], connected: str | None) -> str | None:
    """Return the address that a request comes from: the viewer's, where the API is only reached by the distribution.

    Args:
        headers: Of the request, with lower-case names.
        connected: Who connected to API Gateway.

    Raises:
        ForbiddenError: The request did not come by the distribution, and has to.
    """
    accepted = edge_secret_hashes()
    if not accepted:
        return connected
    secret = headers.get(SECRET_HEADER, "")
    if hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest() not in accepted:
        raise ForbiddenError("This API answers at the address of its installation only")
    return headers.get(VIEWER_HEADER) or connected
