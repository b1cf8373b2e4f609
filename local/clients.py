"""Writes what the clients have from docs/openapi.json, and the synchronous Python client from the asynchronous one.

`python -m local.clients` writes; `--check` checks whether the committed files are fresh (exit 1 if not).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.paths import ROOT

DOCUMENT = ROOT / "docs" / "openapi.json"
PYTHON = ROOT / "clients" / "python" / "slipway_client"
TYPESCRIPT = ROOT / "clients" / "typescript" / "src" / "schema.ts"
_NOTE = "Written by `make openapi`; do not edit."
_LINE = 118
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
# What differs between the two Python clients, in this order.
_SYNCHRONOUS = (
    (r"\basync def\b", "def"),
    (r"\basync (with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__a(?=iter__|next__|enter__|exit__)", "__"),
    (r"\ba(?=close\b|read\b)", ""),
    (r"\baiter_", "iter_"),
    (r"\b_async\b", "_sync"),
    (r"\basynchronous\b", "synchronous"),
)


def python_types(document: dict[str, Any]) -> str:
    """Return a module with one TypedDict for each schema of the document."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    parts = [f'"""The shapes of the API, from its OpenAPI document. {_NOTE}"""', _IMPORTS]
    for name, schema in sorted(schemas.items()):
        parts.append("\n".join(_definition(_name(name), schema)))
    return "\n\n\n".join(parts) + "\n"


_IMPORTS = "from __future__ import annotations\n\nfrom typing import Any, Literal, NotRequired, TypeAlias, TypedDict"


def _name(schema: str) -> str:
    return schema.replace("-", "")


def _definition(name: str, schema: dict[str, Any]) -> Iterator[str]:
    fields: dict[str, Any] | None = schema.get("properties")
    if fields is None:
        yield f"{name}: TypeAlias = {_type(schema, quoted=True)}"
        return
    required = set(schema.get("required", ()))
    types = {
        field: _type(shape) if field in required else f"NotRequired[{_type(shape)}]" for field, shape in fields.items()
    }
    if not all(field.isidentifier() for field in fields):
        inside = ", ".join(f'"{field}": "{shape}"' for field, shape in types.items())
        yield f'{name} = TypedDict("{name}", {{{inside}}})'
        return
    yield f"class {name}(TypedDict):"
    yield from _docstring(schema)
    yield from (f"    {field}: {shape}" for field, shape in types.items())


def _docstring(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the description's first paragraph."""
    text = " ".join(schema.get("description", "").split("\n\n")[0].split()).replace("\\", "\\\\")
    if not text:
        return
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > _LINE - 8:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) == 1:
        yield f'    """{lines[0]}"""\n'
    else:
        yield "\n".join([f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """', ""])


def _type(schema: dict[str, Any], *, quoted: bool = False) -> str:
    """Return a schema as a type of Python's; quoted where it is evaluated before other names are there."""
    found = _unquoted(schema)
    return f'"{found}"' if quoted and not found.startswith("Literal[") else found


def _unquoted(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"Literal[{_literal(schema['const'])}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(_literal, schema['enum']))}]"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_unquoted(one) for one in schema[several]))
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_unquoted(schema.get('items', {}))}]"
    if kind == "object":
        values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
        return f"dict[str, {_unquoted(values) if isinstance(values, dict) else 'Any'}]"
    return _PLAIN.get(str(kind), "Any")


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def typescript(document: dict[str, Any]) -> str:
    """Return a module with one type for each schema of the document, and the routes that take an Idempotency-Key."""
    parts = [f"// The shapes of the API, from its OpenAPI document. {_NOTE}"]
    keyed = "".join(f"  {json.dumps(route)},\n" for route in _keyed(document))
    parts.append(f"export const TAKES_KEY: ReadonlySet<string> = new Set([\n{keyed}]);")
    for name, schema in sorted(document["components"]["schemas"].items()):
        about = " ".join(schema.get("description", "").split("\n\n")[0].split()).replace("*/", "* /")
        comment = f"/** {about} */\n" if about else ""
        if schema.get("properties"):
            parts.append(f"{comment}export interface {_name(name)} {_typescript(schema)}")
        else:
            parts.append(f"{comment}export type {_name(name)} = {_typescript(schema)};")
    return "\n\n".join(parts) + "\n"


_SCRIPT = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def _typescript(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(map(_typescript, schema[several])))
    kind = schema.get("type")
    if kind == "array":
        inner = _typescript(schema.get("items", {}))
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if fields := schema.get("properties"):
        required = set(schema.get("required", ()))
        lines = []
        for field, shape in fields.items():
            name = field if field.isidentifier() else json.dumps(field)
            lines.append(f"  {name}{'' if field in required else '?'}: {_typescript(shape)};")
        return "\n".join(["{", *lines, "}"])
    if kind == "object":
        values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
        return f"Record<string, {_typescript(values) if isinstance(values, dict) else 'unknown'}>"
    return _SCRIPT.get(str(kind), "unknown")


def _keyed(document: dict[str, Any]) -> list[str]:
    """Return the routes that take an Idempotency-Key."""
    return sorted(
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if any(parameter["name"].lower() == "idempotency-key" for parameter in operation.get("parameters", ()))
    )


def python_routes(document: dict[str, Any]) -> str:
    """Return a module with what the connection has to know of the routes."""
    listed = "\n".join(f'        "{route}",' for route in _keyed(document))
    return (
        f'"""Routes that take an Idempotency-Key, from the OpenAPI document. {_NOTE}"""\n\n'
        f"TAKES_KEY = frozenset(\n    {{\n{listed}\n    }}\n)\n"
    )


def synchronous(source: str) -> str:
    """Return the synchronous form of an asynchronous module."""
    for pattern, replacement in _SYNCHRONOUS:
        source = re.sub(pattern, replacement, source)
    return f"# Written from _async by `make openapi`; do not edit.\n{source}"


def wanted() -> dict[Path, str]:
    """Return each generated file with its text, Python as ruff formats it."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    files = {PYTHON / "types.py": python_types(document), PYTHON / "_routes.py": python_routes(document)}
    for source in sorted((PYTHON / "_async").glob("*.py")):
        # What the two have of their own.
        if source.name != "driver.py":
            files[PYTHON / "_sync" / source.name] = synchronous(source.read_text(encoding="utf-8"))
    return {TYPESCRIPT: typescript(document), **{path: _formatted(path, text) for path, text in files.items()}}


def _formatted(path: Path, text: str) -> str:
    ruff = (sys.executable, "-m", "ruff")
    name = ("--stdin-filename", str(path), "--quiet", "-")
    for command in (("check", "--fix-only", "--select", "I"), ("format",)):
        done = subprocess.run([*ruff, *command, *name], input=text, capture_output=True, text=True, check=True)
        text = done.stdout
    return text


def main() -> int:
    """Write or check the files. The status is 1 when a committed one is stale."""
    parser = argparse.ArgumentParser(prog="python -m local.clients", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    files = wanted()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in () if check else stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    if check and stale:
        print(
            f"{', '.join(str(path.relative_to(ROOT)) for path in stale)}: stale, run `make openapi`.", file=sys.stderr
        )
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
