"""YAML from strangers, read as YAML 1.2's core schema reads it: plain data, within bounds.

Akash's own tools read YAML 1.2, where ``off`` and ``1:30`` are texts; PyYAML's usual rules are those of 1.1.
"""

import re
from typing import Any

import yaml

MAX_DEPTH = 32
# A document after its aliases are resolved.
MAX_NODES = 20_000
MAX_CHARACTERS = 512 * 1024
_CORE = "tag:yaml.org,2002:"
_TAGS = {f"{_CORE}{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")}
_OPENING = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSING = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
_LONGEST_NUMBER = 64


class YamlError(ValueError):
    """The text is not such YAML; the message says why, and where if that is known."""


class _Loader(yaml.CSafeLoader):
    # None of YAML 1.1's.
    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way)

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        text = self.construct_scalar(node)
        if len(text) > _LONGEST_NUMBER:
            raise YamlError(f"a number is too long{_place(node.start_mark)}")
        if node.tag.endswith(":float"):
            return float(text.replace(".i", "i").replace(".n", "n"))
        return int(text, 0) if text.startswith(("0x", "0o")) else int(text)

    def construct_bool(self, node: yaml.ScalarNode) -> bool:
        return bool(self.construct_scalar(node).lower() == "true")


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"{_CORE}{_name}", re.compile(rf"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor(f"{_CORE}int", _Loader.construct_number)
_Loader.add_constructor(f"{_CORE}float", _Loader.construct_number)
_Loader.add_constructor(f"{_CORE}bool", _Loader.construct_bool)


def _place(mark: Any) -> str:
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""


def parse_yaml(text: str) -> Any:
    """Read one YAML document as plain data: mappings, lists, texts, numbers, booleans and nulls.

    Raises:
        YamlError: Not YAML, several documents, a tag, a key given twice, nested deeper than 32 levels, or so much
            repetition by aliases that the document is larger than 512 KB.
    """
    try:
        _require_shallow(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            _measure(node, {}, set())
            return loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise YamlError(f"{error.problem or 'not YAML'}{_place(error.problem_mark)}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise YamlError("not YAML: it holds characters that YAML does not allow") from error


def _require_shallow(text: str) -> None:
    """Look through the events first: composing recurses, and deep nesting takes the parser quadratic time."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, yaml.CSafeLoader)):
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > MAX_DEPTH:
            raise YamlError("nested too deeply")
        if count > 2 * MAX_NODES:
            raise YamlError("too large")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!") and tag not in _TAGS:
            raise YamlError(f"the tag {tag[:80]} is not allowed{_place(event.start_mark)}")


def _measure(node: yaml.Node | None, known: dict[int, tuple[int, int]], above: set[int]) -> tuple[int, int]:
    """Count nodes and characters of a node with every alias resolved, and require that its keys are distinct texts."""
    if node is None:
        return 0, 0
    if id(node) in known:
        return known[id(node)]
    if id(node) in above:
        raise YamlError(f"an alias stands inside what it names{_place(node.start_mark)}")
    above.add(id(node))
    nodes, characters = 1, len(node.value) if isinstance(node, yaml.ScalarNode) else 0
    for child in _children(node):
        more_nodes, more_characters = _measure(child, known, above)
        nodes, characters = nodes + more_nodes, characters + more_characters
    if nodes > MAX_NODES or characters > MAX_CHARACTERS:
        raise YamlError("too large once its aliases are resolved")
    above.discard(id(node))
    known[id(node)] = (nodes, characters)
    return nodes, characters


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise YamlError(f"a key must be plain text{_place(key.start_mark)}")
        if (key.tag, key.value) in seen:
            raise YamlError(f"the key {key.value[:80]!r} is given twice{_place(key.start_mark)}")
        seen.add((key.tag, key.value))
    return [part for pair in node.value for part in pair]
