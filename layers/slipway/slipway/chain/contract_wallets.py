"""Contract wallets (ERC-1271), deployed or not yet (ERC-6492): their chain judges their signatures.

The judge is ``contracts/SignatureValidator.sol``, whose creation code ``eth_call`` runs; nothing is deployed.
"""

from slipway.chain import abi
from slipway.chain.contracts import load
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.configuration import chain_settings
from slipway.errors import AuthenticationFailedError
from slipway.identity.sign_in import SignedMessage
from slipway.network import public_client

_SECONDS = 2.0
# What a wallet's contract, or the factory of one, may use up.
_GAS = 3_000_000


def takes(signed: SignedMessage) -> bool:
    """Return whether a wallet's contract takes a signature.

    Raises:
        AuthenticationFailedError: The judgement reverts, or takes more gas than it may.
        UpstreamUnavailableError: No node of the chain answered in time.
    """
    arguments = abi.encode(["address", "bytes32", "bytes"], [signed.wallet, signed.digest, signed.signature])
    code = load("SignatureValidator").bytecode + arguments.hex()
    rpc = JsonRpc(chain_settings().chains[signed.chain_id], public_client(), deadline=_SECONDS)
    try:
        return rpc.create_call(code, lambda answer: answer == b"\x01", _GAS)
    except RpcError as error:
        raise AuthenticationFailedError("The wallet's contract did not take the signature") from error
