"""Solidity inside a Lambda function: the compiler as a library, without Node and without a native solc."""
