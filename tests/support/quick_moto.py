"""Most of the functional tests' CPU time went into habits of moto and botocore: this does the same the short way.

- Of each attribute in an answer moto looks for all ten types that it may have, under every name that Python code could
  give them. It has one, under its own name.
- Before each transaction moto copies every item of the tables, to go back to if it is cancelled. It changes only the
  items that the transaction names.
- A query without an index goes through all items. Those of the partition are together already.
- moto makes an RSA key for each key of KMS, also for those that encrypt. A few serve all tests in turn.
- Each client for HTTPS reads the certificates of the world again, to ask what is on loopback.
- Each request is signed over all that is in it, which moto does not check; each answer gets 52 random characters.
- moto lists a service's methods, reads conditions and updates character by character, at each request again.
- Each test makes the same tables, keys and state machines. They are made once, and each test gets a copy.
- Each test has a boto3 session of its own, for which botocore reads its descriptions of AWS again, and moto makes
  thousands of answers for requests that no test sends.
"""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import ssl
import threading
from collections import defaultdict, deque
from functools import cache
from typing import Any

from botocore.auth import SigV4Auth
from botocore.loaders import JSONFileLoader, Loader
from moto.core import models as mocks
from moto.core import responses
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.kms import models as kms
from moto.kms import utils
from moto.kms.utils import AbstractPrivateKey

_slow = BaseJSONSerializer._serialize_type_structure
_slow_transaction = DynamoDBBackend.transact_write_items
_slow_query = Table.query
_read_condition = ConditionExpressionParser._lex_condition_expression
_read_update = UpdateExpressionParser.make
_make_private_key = utils.generate_private_key
_read = JSONFileLoader.load_file
_list = Loader.list_available_services
_listed: dict[tuple[str, ...], Any] = {}
_under_way = threading.local()
_RSA_KEYS = 6
_LOCK = type(threading.RLock())


def _structure(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    if shape.name != "AttributeValue" or type(value) is not dict or not key:
        _slow(self, serialized, value, shape, key)
        return
    written: dict[str, Any] = {}
    for kind, content in value.items():
        if content is not None:
            self._serialize(written, content, shape.members[kind], kind)
    self._default_serialize(serialized, written, shape, key)


def _transaction(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    _under_way.operations = [operation for item in transact_items for operation in item.values()]
    try:
        _slow_transaction(self, transact_items)
    finally:
        del _under_way.operations


def _copy(self: Table, memo: dict[int, Any]) -> Table:
    """Return a table that keeps what it has now while the transaction under way changes this one."""
    kept = copy.copy(self)
    memo[id(self)] = kept
    kept.items = defaultdict(dict)
    for partition, held in self.items.items():
        kept.items[partition] = dict(held) if self.has_range_key else held
    for operation in _under_way.operations:
        key = operation.get("Key") or operation.get("Item") or {}
        names = [name for name in (self.hash_key_attr, self.range_key_attr) if name]
        if operation["TableName"] != self.name or not all(name in key for name in names):
            continue
        (partition, *rest) = (DynamoType(key[name]) for name in names)
        if rest and partition in kept.items and rest[0] in kept.items[partition]:
            kept.items[partition][rest[0]] = copy.deepcopy(kept.items[partition][rest[0]])
        elif not rest and partition in kept.items:
            kept.items[partition] = copy.deepcopy(kept.items[partition])
    if self.stream_shard is not None:
        kept.stream_shard = copy.copy(self.stream_shard)
        kept.stream_shard.table, kept.stream_shard.items = kept, list(self.stream_shard.items)
    return kept


def _query(self: Table, hash_key: Any, *given: Any, **named: Any) -> Any:
    # moto gives the index by its place or by its name.
    if named.get("index_name") or any(given[6:7]) or hash_key is None:
        return _slow_query(self, hash_key, *given, **named)
    partition = copy.copy(self)
    partition.items = defaultdict(dict, {hash_key: self.items[hash_key]} if hash_key in self.items else {})
    return _slow_query(partition, hash_key, *given, **named)


@cache
def _condition(text: str) -> list[Any]:
    return list(_read_condition(ConditionExpressionParser(text, None, None)))


def _lex_condition(self: ConditionExpressionParser) -> deque[Any]:
    return deque(_condition(self.condition_expression or ""))


@cache
def _update(text: str) -> bytes:
    return pickle.dumps(_read_update(text))


def _parse_update(expression_str: str) -> Any:
    # The caller changes it.
    return pickle.loads(_update(expression_str))  # noqa: S301 (written above)


def _request_id(headers: dict[str, str]) -> str:
    headers["x-amzn-requestid"] = "0" * 52
    return headers["x-amzn-requestid"]


@cache
def _private_keys(key_spec: str) -> itertools.cycle[AbstractPrivateKey]:
    """More different keys than any test makes."""
    return itertools.cycle([_make_private_key(key_spec) for _ in range(_RSA_KEYS)])


def _private_key(key_spec: str) -> AbstractPrivateKey:
    return _make_private_key(key_spec) if key_spec.startswith("ECC") else next(_private_keys(key_spec))


@cache
def _description(path: str) -> Any:
    return _read(JSONFileLoader(), path)


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    return _description(file_path)


def _services(self: Loader, type_name: str) -> Any:
    where = (*self.search_paths, type_name)
    if where not in _listed:
        _listed[where] = _list(self, type_name)
    return _listed[where]


class _Pickler(pickle.Pickler):
    """Writes moto's backends. Keys, which can't be written and never change, are given on as they are."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.keys: list[Any] = []

    def persistent_id(self, obj: Any) -> int | None:
        """Return the place of a key among those that are given on."""
        if not type(obj).__module__.startswith("cryptography."):
            return None
        self.keys.append(obj)
        return len(self.keys) - 1

    def reducer_override(self, obj: Any) -> Any:
        """Write a lock as a new one."""
        return (threading.RLock, ()) if isinstance(obj, _LOCK) else NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, written: bytes, keys: list[Any]) -> None:
        super().__init__(io.BytesIO(written))
        self.persistent_load = keys.__getitem__  # type: ignore[method-assign]


class Snapshot:
    """What moto's AWS holds now, which any later ``mock_aws`` can begin with."""

    def __init__(self) -> None:
        instances: list[BackendDict[BaseBackend]] = BackendDict._instances  # type: ignore[misc]
        held = [(backends, list(backends.iter_backends())) for backends in instances]
        self._services = [backends for backends, _ in held]
        file = io.BytesIO()
        pickler = _Pickler(file)
        pickler.dump([found for _, found in held])
        self._written, self._keys = file.getvalue(), pickler.keys

    def restore(self) -> None:
        """Let AWS hold the same again, in copies of their own."""
        services = _Unpickler(self._written, self._keys).load()
        for backends, found in zip(self._services, services, strict=True):
            for account, region, backend in found:
                backends[account][region] = backend


def install() -> None:
    """Let moto and botocore work like this, in this process."""
    BaseJSONSerializer._serialize_type_structure = _structure  # type: ignore[method-assign]
    DynamoDBBackend.transact_write_items = _transaction  # type: ignore[method-assign]
    Table.__deepcopy__ = _copy  # type: ignore[attr-defined]
    ConditionExpressionParser._lex_condition_expression = _lex_condition  # type: ignore[method-assign]
    UpdateExpressionParser.make = _parse_update
    SigV4Auth.canonical_request = lambda *_: ""  # type: ignore[method-assign]
    responses.gen_amzn_requestid_long = _request_id  # type: ignore[attr-defined,assignment]
    responses.method_names_from_class = cache(responses.method_names_from_class)  # type: ignore[attr-defined]
    Table.query = _query  # type: ignore[method-assign]
    JSONFileLoader.load_file = _load_file  # type: ignore[method-assign]
    Loader.list_available_services = _services  # type: ignore[method-assign]
    kms.generate_private_key = _private_key  # type: ignore[attr-defined]
    ssl.create_default_context = cache(ssl.create_default_context)  # type: ignore[assignment]
    mocks.CallbackResponse = cache(mocks.CallbackResponse)  # type: ignore[attr-defined,assignment]
