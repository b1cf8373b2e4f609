"""What may import what in the library: packages and rooms stand in a declared order, so none of them form a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from local.paths import ROOT

SOURCES = ROOT / "layers" / "slipway"
LIBRARY = SOURCES / "slipway"
# Packages whose rooms, and whose files beside them, stand for themselves.
WITH_ROOMS = ("akash", "builds")
# Each imports only what stands in a row above its own.
ORDER = (
    ("errors",),
    ("times",),
    ("request_budget", "request_threads"),
    # Values and clients that know nothing of Slipway.
    ("chains", "identifiers", "deadline_client", "p256_key", "privileges", "server_sent_events", "solidity"),
    ("settings", "addresses", "amounts", "json_bodies", "pagination", "s3_errors"),
    ("observability",),
    ("edge", "envelope", "fields", "network", "store"),
    ("executions", "gateway", "idempotency", "sealed_texts", "secret_values"),
    ("static_files", "configuration", "forwarding"),
    # What every capability shares.
    ("jobs", "limits", "budgets"),
    ("identity", "tasks", "verification"),
    ("control",),
    ("chain",),
    ("http", "sweep"),
    # Capabilities.
    ("escrow", "projects", "tokens", "workers"),
    ("builds.states", "builds.models", "akash.sdl", "akash.stale_while_revalidate", "akash.revalidation_requests"),
    ("builds.audit", "builds.composer", "builds.store", "akash.console"),
    ("builds.model", "akash.bidding"),
    ("builds.pipeline", "akash.providers", "akash.status"),
    ("builds.api", "akash.models"),
    ("akash.rules",),
    ("akash.store",),
    ("akash.logs", "akash.payments", "akash.views", "akash.workloads"),
    ("akash.choices",),
    ("akash.workflow",),
    ("akash.service",),
    ("akash.changes",),
    ("akash.funding",),
    ("akash.reconcile",),
    # What stands above capabilities.
    ("deployments", "stacks", "streams"),
    ("notifications", "reconcile"),
)
PLACES = {node: row for row, nodes in enumerate(ORDER) for node in nodes}
AWS = {"aws_lambda_powertools", "boto3", "botocore", "pynamodb"}


def _module(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(path): path for path in LIBRARY.rglob("*.py")}


def _node(module: str) -> str:
    """Return the package, room or file that a module of the library is of; empty for a package that has only rooms."""
    _, *parts = module.split(".")
    if parts[:1] and parts[0] in WITH_ROOMS:
        return ".".join(parts[:2]) if len(parts) > 1 else ""
    return parts[0] if parts else ""


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node that runs, or may run, when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _at_import(child)


def _imported(nodes: Iterator[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _arrows() -> set[tuple[str, str, str]]:
    """Each import between two nodes, with the module that has it; those inside of functions and for types too."""
    return {
        (_node(module), _node(target), module)
        for module in MODULES
        for target in _imported(ast.walk(_tree(module)))
        if target in MODULES and _node(module) and _node(target) not in ("", _node(module))
    }


@cache
def _reached(module: str) -> frozenset[str]:
    """Everything that importing a module imports, directly or not."""
    found: set[str] = set()
    pending = [module]
    while pending:
        new = _imported(_at_import(_tree(pending.pop()))) - found
        found |= new
        pending += [name for name in new if name in MODULES]
    return frozenset(found)


def test_every_package_and_room_has_its_place_in_the_order() -> None:
    assert {_node(module) for module in MODULES} - {""} == set(PLACES)
    assert len(PLACES) == sum(map(len, ORDER))


def test_arrows_follow_the_order() -> None:
    upwards = {f"{module} imports {target}" for source, target, module in _arrows() if PLACES[target] >= PLACES[source]}
    assert upwards == set()


def test_deployments_are_known_to_no_kind_of_deployment() -> None:
    assert {source for source, target, _ in _arrows() if target == "deployments"} == set()


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if name.rpartition(".")[2] in ("models", "rules")])
def test_shapes_and_decisions_import_nothing_of_aws(module: str) -> None:
    assert {name.partition(".")[0] for name in _reached(module)} & AWS == set()


def _environment_reads(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    imported = [name for name in _imported(ast.walk(tree)) if name in ("os.environ", "os.getenv")]
    return [name for name in [*names, *imported] if name in ("os.environ", "os.getenv")]


def test_threads_of_a_request_share_its_seconds() -> None:
    """Pools besides those of ``request_threads`` are for what waits with the budget in its hand, below all calls."""
    files = chain(LIBRARY.rglob("*.py"), (ROOT / "functions").rglob("*.py"))
    makers = {path.stem for path in files if "ThreadPoolExecutor(" in path.read_text(encoding="utf-8")}
    assert makers == {"deadline_client", "network"}


def test_settings_alone_read_the_environment() -> None:
    files = chain(LIBRARY.rglob("*.py"), (ROOT / "functions").rglob("*.py"))
    readers = {str(path.relative_to(ROOT)) for path in files if _environment_reads(path)}
    assert readers == {"layers/slipway/slipway/settings.py"}
