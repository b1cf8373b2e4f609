"""Solidity inside a Lambda function: the compiler as a library, without Node and without a native solc."""

from slipway.solidity.compiler import (
    CompilationError,
    Compiler,
    CompilerCrash,
    CompilerError,
    CompilerMessage,
    CompileTimeout,
    ImportNotFound,
    Resolver,
    build_input,
    imports_of,
    mapping_resolver,
    node_modules_resolver,
    source_closure,
)

__all__ = [
    "CompilationError",
    "CompileTimeout",
    "Compiler",
    "CompilerCrash",
    "CompilerError",
    "CompilerMessage",
    "ImportNotFound",
    "Resolver",
    "build_input",
    "imports_of",
    "mapping_resolver",
    "node_modules_resolver",
    "source_closure",
]
