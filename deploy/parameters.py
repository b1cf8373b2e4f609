"""The template's parameters of an installation: what its file says, its secrets, and its own address once it is known.

Pure. An API's address is known only after the first deployment, and its functions can't refer to the API that refers to
them; so the parameters that name it are set by a second pass, and by the first one of every later deployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from deploy.settings import Settings


def _joined(given: str | None, *more: str | None) -> str:
    """Join comma-separated lists, each entry once, in their order."""
    entries = [entry.strip() for text in (given, *more) if text for entry in text.split(",")]
    return ",".join(dict.fromkeys(entry for entry in entries if entry))


def installation_parameters(
    settings: Settings, outputs: Mapping[str, str], secret_arns: Mapping[str, str]
) -> dict[str, str]:
    """Return the parameters to deploy with.

    Args:
        settings: What the file says.
        outputs: Of the stack as it is; empty before the first deployment.
        secret_arns: ARN by parameter.
    """
    values = {**settings.parameters, **secret_arns}
    address = outputs.get("OneAddressUrl") or outputs.get("ApiUrl")
    if address is None:
        return values
    host = urlsplit(address).netloc
    own = {
        "PublicUrl": address,
        "TokenIssuer": address,
        **({"StreamUrl": f"wss://{host}"} if "OneAddressUrl" in outputs else {}),
    }
    return {
        **own,
        **values,
        "SignInDomains": _joined(values.get("SignInDomains"), host),
        **({"AllowedOrigins": _joined(values.get("AllowedOrigins"), address)} if "OneAddressUrl" in outputs else {}),
    }
