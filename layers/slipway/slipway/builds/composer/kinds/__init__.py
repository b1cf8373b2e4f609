"""One module for each kind of contract that the composer makes: a specification in, Solidity out."""
