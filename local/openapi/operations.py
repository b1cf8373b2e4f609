"""The routes as the functions' FastAPI applications declare them."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from fastapi import Body, FastAPI, Request, Response
from fastapi.params import Depends, Header
from fastapi.routing import APIRoute

from local.openapi.plain_routes import APPLICATIONS, worker
from local.paths import ROOT
from local.source_template import HttpRoute, http_routes
from slipway.http import OF_THE_REQUEST, BodyReader, RoleHolder, authenticated, wallet_owner

Scheme = Literal["accessToken", "workerToken"]
_Parameter = inspect.Parameter


class UndocumentedRouteError(Exception):
    """A route of the template that nothing describes."""


@dataclass
class Operation:
    """A route with what its function declares of it.

    Attributes:
        route: Where it is in the template.
        tag: The resource.
        name: The function in the code.
        declared: The FastAPI route.
        endpoint: A function whose signature has the route's parameters and body, and nothing else.
        scheme: Who has to sign in, and how.
        authenticated_by: The dependencies that do that.
        body: What reads the body.
        takes_key: It takes an Idempotency-Key.
    """

    route: HttpRoute
    tag: str
    name: str
    declared: APIRoute
    endpoint: Callable[..., None] = field(init=False)
    scheme: Scheme | None = None
    authenticated_by: list[Any] = field(default_factory=list)
    body: BodyReader[Any] | None = None
    takes_key: bool = False

    def __post_init__(self) -> None:
        renamed = dict(zip(_names(self.declared.path), _names(self.route.path), strict=True))
        kept = []
        for parameter in inspect.signature(self.declared.endpoint, eval_str=True).parameters.values():
            annotation = self._read(parameter.annotation)
            if annotation is None:
                continue
            self.takes_key = self.takes_key or _is_idempotency_key(parameter)
            name = renamed.get(parameter.name, parameter.name)
            kept.append(parameter.replace(name=name, annotation=annotation, kind=_Parameter.KEYWORD_ONLY))

        def endpoint(**_: Any) -> None:
            raise NotImplementedError

        endpoint.__name__, endpoint.__doc__ = self.name, self.declared.endpoint.__doc__
        endpoint.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
        self.endpoint = endpoint

    def _read(self, annotation: Any) -> Any:
        """Return the annotation that describes the parameter; None for what is no part of the request's shape."""
        if annotation in (Request, Response):
            return None
        metadata = annotation.__metadata__ if get_origin(annotation) is Annotated else ()
        for entry in metadata:
            if isinstance(entry, Depends):
                reader = entry.dependency
                if reader in OF_THE_REQUEST:
                    return None
                self._authenticate(reader.caller if isinstance(reader, BodyReader) else reader)
                if not isinstance(reader, BodyReader):
                    return None
                self.body = reader
                return _body_type(reader)
        return annotation

    def _authenticate(self, dependency: Any) -> None:
        if dependency is not None:
            self.authenticated_by.append(dependency)
        if dependency is worker:
            self.scheme = "workerToken"
        elif dependency is wallet_owner or isinstance(dependency, RoleHolder) or dependency is authenticated:
            self.scheme = "accessToken"
        elif dependency is not None:
            raise UndocumentedRouteError(f"{self.route.key} authenticates by what this generator does not know")


def operations() -> list[Operation]:
    """Return every route of the template.

    Raises:
        UndocumentedRouteError: Neither its function's application nor ``plain_routes`` describes one.
    """
    return [
        Operation(route, _tag(route.folder), declared.endpoint.__name__, declared)
        for route in http_routes()
        for declared in (_declared(route),)
    ]


def anonymous(path: str) -> str:
    """Return a path without the names of its parameters."""
    return re.sub(r"{\w+}", "{}", path)


def _names(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def _tag(folder: Path) -> str:
    return {"heartbeat": "workers", "logs": "deployments"}.get(folder.name, folder.name)


def _body_type(reader: BodyReader[Any]) -> Any:
    if isinstance(reader.model, type):
        return Annotated[reader.model, Body()]
    # What chooses the model for a body returns type[A | B].
    (chosen,) = get_args(get_type_hints(reader.model)["return"])
    models = get_args(chosen) if get_origin(chosen) in (UnionType, Union) else (chosen,)
    return Annotated[Union[models], Body()]  # noqa: UP007 (of a tuple)


def _is_idempotency_key(parameter: inspect.Parameter) -> bool:
    headers = [entry for entry in getattr(parameter.annotation, "__metadata__", ()) if isinstance(entry, Header)]
    return any((header.alias or parameter.name.replace("_", "-")) == "idempotency-key" for header in headers)


def _declared(route: HttpRoute) -> APIRoute:
    found = [
        declared
        for declared in _application(route.folder).routes
        if isinstance(declared, APIRoute)
        and route.method in (declared.methods or ())
        and anonymous(declared.path) == anonymous(route.path)
    ]
    if len(found) != 1:
        raise UndocumentedRouteError(f"{route.key}: {route.folder} has no such route")
    return found[0]


_loaded: dict[Path, FastAPI] = {}


def _application(folder: Path) -> FastAPI:
    if folder not in _loaded:
        name = str(folder.relative_to(ROOT))
        _loaded[folder] = APPLICATIONS[name] if name in APPLICATIONS else _load(folder)
    return _loaded[folder]


def _load(folder: Path) -> FastAPI:
    specification = importlib.util.spec_from_file_location(f"documented_{folder.name}", folder / "app.py")
    if specification is None or specification.loader is None:
        raise UndocumentedRouteError(f"{folder} has no app.py")
    module = importlib.util.module_from_spec(specification)
    neighbours = {entry.stem for entry in folder.glob("*.py")}
    kept = {name: sys.modules.pop(name) for name in neighbours if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
        for name in neighbours:
            sys.modules.pop(name, None)
        sys.modules.update(kept)
    if not isinstance(getattr(module, "app", None), FastAPI):
        raise UndocumentedRouteError(
            f"{folder} uses no framework: describe its routes in local/openapi/plain_routes.py"
        )
    application: FastAPI = module.app
    return application
