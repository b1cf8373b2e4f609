"""Solidity inside a Lambda function: the compiler as a library, without Node and without a native solc."""

from slipway.solidity.compiler import (
    CompilationError,
    Compiler,
    CompilerCrashError,
    CompilerError,
    CompilerMessage,
    CompileTimeout,
    ImportNotFoundError,
    Resolver,
    build_input,
    imports_of,
    mapping_resolver,
    node_modules_resolver,
    source_closure,
    words_of,
)

__all__ = [
    "CompilationError",
    "CompileTimeout",
    "Compiler",
    "CompilerCrashError",
    "CompilerError",
    "CompilerMessage",
    "ImportNotFoundError",
    "Resolver",
    "build_input",
    "imports_of",
    "mapping_resolver",
    "node_modules_resolver",
    "source_closure",
    "words_of",
]
