// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

interface IOracle {
    function refresh() external returns (bool fresh);
}

/// Lets another contract call back between check and effect.
contract ReentrancyNoEther {
    IOracle public immutable oracle;
    bool public used;

    constructor(IOracle oracle_) {
        oracle = oracle_;
    }

    function useOnce() external {
        require(!used, "used");
        require(oracle.refresh(), "stale");
        used = true;
    }
}
