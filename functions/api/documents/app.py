"""GET /openapi.json, GET /docs and the page's parts: files that the build put beside this one."""

from pathlib import Path
from typing import Any

from slipway.errors import NotFoundError
from slipway.gateway import Event, answer
from slipway.static_files import StaticFile, file_answer

# Nothing but what this function serves itself; the drawing library puts small pictures into its style sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOLDER = Path(__file__).parent
_DOCUMENT = StaticFile(_FOLDER / "openapi.json", "application/json")
_PAGE = StaticFile(_FOLDER / "page.html", "text/html; charset=utf-8", {"content-security-policy": _POLICY})
_PARTS = {
    "page.css": StaticFile(_FOLDER / "page.css", "text/css; charset=utf-8"),
    "start.js": StaticFile(_FOLDER / "start.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": StaticFile(_FOLDER / "swagger-ui.css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": StaticFile(_FOLDER / "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
}


def _file(event: Event) -> dict[str, Any]:
    if event["routeKey"] == "GET /openapi.json":
        return file_answer(event, _DOCUMENT)
    if event["routeKey"] == "GET /docs":
        return file_answer(event, _PAGE)
    part = _PARTS.get(event["pathParameters"]["file"])
    if part is None:
        raise NotFoundError("There is no such file")
    return file_answer(event, part)


def handler(event: Event, context: object) -> dict[str, Any]:
    """Answer with the file that the route names."""
    return answer(event, _file)
