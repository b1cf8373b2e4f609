"""A quarter of the functional tests' CPU time went into moto's answers: this writes them the short way.

Of each attribute in an answer of DynamoDB moto looks for all ten types that it may have, under every name that Python
code could give them. It has one, under its own name.
"""

from __future__ import annotations

from typing import Any

from moto.core.serialize import BaseJSONSerializer

_slow = BaseJSONSerializer._serialize_type_structure


def _structure(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    if shape.name != "AttributeValue" or type(value) is not dict or not key:
        _slow(self, serialized, value, shape, key)
        return
    written: dict[str, Any] = {}
    for kind, content in value.items():
        if content is not None:
            self._serialize(written, content, shape.members[kind], kind)
    self._default_serialize(serialized, written, shape, key)


def install() -> None:
    """Let moto write the attributes of items like this, in this process."""
    BaseJSONSerializer._serialize_type_structure = _structure  # type: ignore[method-assign]
