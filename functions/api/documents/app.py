"""GET /openapi.json, GET /docs and the page's parts: files that the build put beside this one.

And what no route takes: paths of builds that end in a slash, and the refusal of every other path and method, for the
document names those that there are.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from slipway.errors import MethodNotAllowedError, NotFoundError
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
def _paths() -> list[tuple[re.Pattern[str], str, tuple[str, ...]]]:
    """Return patterns of all paths, each with the path and the methods that it takes; those without parameters
    first."""
    paths = json.loads(content_of(_DOCUMENT))["paths"]
    return [
        (
            re.compile("[^/]+".join(map(re.escape, re.split(r"{\w+}", path)))),
            path,
            tuple(sorted(map(str.upper, methods))),
        )
        for path, methods in sorted(paths.items(), key=lambda entry: "{" in entry[0])
    ]


def _elsewhere(event: Event) -> dict[str, Any]:
    """Answer for a path of builds with a slash at its end as for the same without; refuse everything else."""
    path = event["rawPath"]
    wanted = path.rstrip("/") if path.startswith("/api/v1/builds") else path
    for pattern, route, methods in _paths():
        if not pattern.fullmatch(wanted):
            continue
        if wanted != path and event["requestContext"]["http"]["method"] in methods:
            from slipway.forwarding import forwarded  # brings the AWS clients, which nothing else here needs

            return forwarded(event, builds_function(), wanted, route)
        raise MethodNotAllowedError("This path does not take that method", headers={"allow": ", ".join(methods)})
    raise NotFoundError("There is no such path")


def _file(event: Event) -> dict[str, Any]:
    if event["routeKey"] == "$default":
        return _elsewhere(event)
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
    return answer(event, _file, _FORWARD_SECONDS)
