"""GET /openapi.json, GET /docs and the page's parts: files that the build put beside this one.

And the refusal of every path and method that no function takes, for the document names those that one does.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from slipway.errors import MethodNotAllowedError, NotFoundError
from slipway.gateway import Event, answer, require_no_parameters
from slipway.static_files import StaticFile, content_of, file_answer

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


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Return patterns of all paths, each with the methods that it takes; those without parameters first."""
    paths = json.loads(content_of(_DOCUMENT))["paths"]
    return [
        (re.compile("[^/]+".join(map(re.escape, re.split(r"{\w+}", path)))), ", ".join(sorted(map(str.upper, methods))))
        for path, methods in sorted(paths.items(), key=lambda entry: "{" in entry[0])
    ]


def _refuse(event: Event) -> dict[str, Any]:
    for pattern, methods in _paths():
        if pattern.fullmatch(event["rawPath"]):
            raise MethodNotAllowedError("This path does not take that method", headers={"allow": methods})
    raise NotFoundError("There is no such path")


def _file(event: Event) -> dict[str, Any]:
    if event["routeKey"] == "$default":
        return _refuse(event)
    require_no_parameters(event)
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
