"""GET /openapi.json, GET /docs and the page's parts: files that the build put beside this one.

And what no route takes: paths of builds that end in a slash, and the refusal of every other path and method, for the
document names those that there are.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from slipway.errors import NotFoundError
from slipway.forwarding import answer_elsewhere
from slipway.gateway import Event, answer, require_no_parameters
from slipway.settings import builds_function
from slipway.static_files import StaticFile, content_of, file_answer

# Nothing but what this function serves itself; the drawing library puts small pictures into its style sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Only a request that is handed on waits for anything.
_FORWARD_SECONDS = 14.0
_FOLDER = Path(__file__).parent
_DOCUMENT = StaticFile(_FOLDER / "openapi.json", "application/json")
_PAGE = StaticFile(_FOLDER / "page.html", "text/html; charset=utf-8", {"content-security-policy": _POLICY})
_FILES = {"GET /openapi.json": _DOCUMENT, "GET /docs": _PAGE}
_PARTS = {
    # Where `slipway login` has a wallet sign.
    "sign-in": StaticFile(_FOLDER / "sign-in.html", "text/html; charset=utf-8", {"content-security-policy": _POLICY}),
    "sign-in.js": StaticFile(_FOLDER / "sign-in.js", "text/javascript; charset=utf-8"),
    "page.css": StaticFile(_FOLDER / "page.css", "text/css; charset=utf-8"),
    "start.js": StaticFile(_FOLDER / "start.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": StaticFile(_FOLDER / "swagger-ui.css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": StaticFile(_FOLDER / "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
}


@cache
def _paths() -> dict[str, Any]:
    """Return the paths of the document, each with its methods."""
    paths: dict[str, Any] = json.loads(content_of(_DOCUMENT))["paths"]
    return paths


def _file(event: Event) -> dict[str, Any]:
    if event["routeKey"] == "$default":
        return answer_elsewhere(event, _paths(), "/api/v1/builds", builds_function())
    require_no_parameters(event)
    found = _FILES.get(event["routeKey"]) or _PARTS.get((event.get("pathParameters") or {}).get("file", ""))
    if found is None:
        raise NotFoundError("There is no such file")
    return file_answer(event, found)


def handler(event: Event, context: object) -> dict[str, Any]:
    """Answer with the file that the route names."""
    return answer(event, _file, _FORWARD_SECONDS)
