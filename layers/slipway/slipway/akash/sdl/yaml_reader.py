"""YAML from strangers, read as js-yaml reads it, the reader of the Console API: plain data, within bounds.

There, as in YAML 1.2, ``off``, ``1:30`` and ``1_000`` are texts; PyYAML's usual rules are those of 1.1.
"""

import re
from collections.abc import Iterator
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
_MAX_NUMBER = 64
# Half of an emoji as JSON escapes it; libyaml takes none of them.
_HALF_ESCAPED = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}")
# Ends of lines in YAML 1.1 and so for libyaml; characters like any other for js-yaml.
_NO_BREAKS = "\x85\u2028\u2029"
_EXPONENT = r"([eE][-+]?[0-9]+)?"
_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = r"([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?"
# What js-yaml reads in a plain scalar, in this order; the characters are those that such a scalar begins with.
_RESOLVERS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|[0-9]+)", "-+0123456789"),
    ("float", rf"[-+]?[0-9]+(\.[0-9]*)?{_EXPONENT}|\.[0-9]+{_EXPONENT}|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
     "-+.0123456789"),
    ("timestamp", rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{_DATE}{_TIME}", "0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
)  # fmt: skip


class YamlError(ValueError):
    """The text is not such YAML; the message says why, and where if that is known."""


def _number(text: str, mark: Any) -> int | float:
    """Read a number as JavaScript does, for which 1.0 is 1."""
    if len(text) > _MAX_NUMBER:
        raise YamlError(f"a number is too long{_place(mark)}")
    digits = text.lstrip("+-")
    try:
        if digits[:2] in ("0b", "0o", "0x"):
            return -int(digits, 0) if text.startswith("-") else int(digits, 0)
        number = float(text.replace(".i", "i").replace(".I", "i").replace(".n", "n").replace(".N", "n"))
        return int(text) if digits.isdigit() else int(number) if number.is_integer() else number
    except ValueError as error:
        raise YamlError(f"{text[:80]!r} is no number{_place(mark)}") from error


class _Loader(yaml.CSafeLoader):
    # None of YAML 1.1's.
    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way)


class _PythonLoader(yaml.SafeLoader):
    """Slower, for texts in which an emoji is escaped as JSON does it, or an anchor is given anew."""

    yaml_implicit_resolvers = {}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Let a later anchor take the place of an earlier one of its name, as YAML has it."""
        if not self.check_event(yaml.AliasEvent):
            self.anchors.pop(self.peek_event().anchor, None)  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)


def _construct_number(_: Any, node: yaml.ScalarNode) -> int | float:
    return _number(node.value, node.start_mark)


def _construct_bool(_: Any, node: yaml.ScalarNode) -> bool:
    return bool(node.value.lower() == "true")


def _construct_text(_: Any, node: yaml.ScalarNode) -> str:
    return _whole(node.value, node.start_mark)


def _construct_map(loader: Any, node: yaml.MappingNode) -> Iterator[dict[str, Any]]:
    data: dict[str, Any] = {}
    yield data
    loader.flatten_mapping(node)
    data.update((_key_of(key), loader.construct_object(value)) for key, value in node.value)


for _loader in (_Loader, _PythonLoader):
    for _name, _pattern, _first in _RESOLVERS:
        _loader.add_implicit_resolver(f"{_CORE}{_name}", re.compile(rf"^(?:{_pattern})$"), list(_first))
    for _name, _constructor in (
        ("int", _construct_number),
        ("float", _construct_number),
        ("bool", _construct_bool),
        ("str", _construct_text),
        ("map", _construct_map),
    ):
        _loader.add_constructor(f"{_CORE}{_name}", _constructor)


def _whole(text: str, mark: Any) -> str:
    """Join the halves of characters that were escaped one by one."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise YamlError(f"half a character is escaped{_place(mark)}") from error


def _key_of(node: yaml.ScalarNode) -> str:
    """Return a key as JavaScript's objects have it."""
    if node.tag in (f"{_CORE}int", f"{_CORE}float"):
        return str(_number(node.value, node.start_mark))
    if node.tag == f"{_CORE}bool":
        return str(node.value).lower()
    return "null" if node.tag == f"{_CORE}null" else _whole(node.value, node.start_mark)


def _place(mark: Any) -> str:
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""


def parse_yaml(text: str) -> Any:
    """Read one YAML document as plain data: mappings, lists, texts, numbers, booleans and nulls.

    Raises:
        YamlError: Not YAML, several documents, a tag, a key given twice, nested deeper than 32 levels, or so much
            repetition by aliases that the document is larger than 512 KB.
    """
    if stand_ins := _stand_ins(text):
        back = {ord(stand_in): character for character, stand_in in stand_ins.items()}
        there = {ord(character): stand_in for character, stand_in in stand_ins.items()}
        return _restored(parse_yaml(text.translate(there)), back)
    try:
        kind = _PythonLoader if _HALF_ESCAPED.search(text) else _Loader
        if _require_shallow(text, kind):
            kind = _PythonLoader
        loader = kind(text)
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


def _stand_ins(text: str) -> dict[str, str]:
    """Return a character that a text does not have for each that libyaml would take for the end of a line."""
    private = (chr(code) for code in range(0xE000, 0xF8FF))
    free = (character for character in private if character not in text)
    return {character: next(free) for character in _NO_BREAKS if character in text}


def _restored(value: Any, back: dict[int, str]) -> Any:
    match value:
        case str():
            return value.translate(back)
        case list():
            return [_restored(entry, back) for entry in value]
        case dict():
            return {_restored(key, back): _restored(entry, back) for key, entry in value.items()}
    return value


def _require_shallow(text: str, kind: type[yaml.CSafeLoader] | type[yaml.SafeLoader]) -> bool:
    """Look through the events first: composing recurses, and deep nesting takes the parser quadratic time.

    Returns:
        Whether an anchor is given anew, which libyaml does not compose.
    """
    depth, anchors, anew = 0, set[str](), False
    for count, event in enumerate(yaml.parse(text, kind)):
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > MAX_DEPTH:
            raise YamlError("nested too deeply")
        if count > 2 * MAX_NODES:
            raise YamlError("too large")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!") and tag not in _TAGS:
            raise YamlError(f"the tag {tag[:80]} is not allowed{_place(event.start_mark)}")
        anchor = None if isinstance(event, yaml.AliasEvent) else getattr(event, "anchor", None)
        if anchor is not None:
            anew = anew or anchor in anchors
            anchors.add(anchor)
    return anew


def _measure(node: yaml.Node | None, known: dict[int, tuple[int, int]], above: set[int]) -> tuple[int, int]:
    """Count nodes and characters of a node with every alias resolved, and require that its keys are distinct texts."""
    if node is None:
        return 0, 0
    if id(node) in known:
        return known[id(node)]
    if id(node) in above:
        raise YamlError(f"an alias stands inside what it names{_place(node.start_mark)}")
    above.add(id(node))
    if node.tag == f"{_CORE}timestamp":
        raise YamlError(f"a date that is meant as a text needs quotes{_place(node.start_mark)}")
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
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise YamlError(f"a key must be plain text{_place(key.start_mark)}")
        name = _key_of(key)
        if name in seen and key.tag != f"{_CORE}merge":
            raise YamlError(f"the key {key.value[:80]!r} is given twice{_place(key.start_mark)}")
        seen.add(name)
    return [part for pair in node.value for part in pair]
