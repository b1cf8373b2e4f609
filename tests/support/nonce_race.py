"""Many jobs at once want nonces of few accounts.

``python -m tests.support.nonce_race <chain id> <jobs> <copies of each> <nonces of each>``

Its environment names the tables. Prints JSON: the nonces that each account gave out, and how many signatures it took.
"""

import json
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Fees
from slipway.chain.plans import Plan, PlannedCall
from slipway.chain.store import ChainConfiguration, TransactionItem
from slipway.chain.write_ahead import Quote, WriteAhead
from slipway.chains import Chain
from tests.support.keys import LocalSigner
from tests.support.nodes import FakeNode

START = 7
KEYS = ["0x" + f"{number:02x}" * 32 for number in (0x51, 0x52)]


def main() -> None:
    """Each job so many times at once: twice is what an answer that was not heard makes of it."""
    chain_id, jobs, copies, calls = (int(text) for text in sys.argv[1:])
    chain = Chain.from_json({"chain_id": chain_id, "name": "race", "rpc_urls": ["http://node"], "max_fee_per_gas": "1"})
    signers = [LocalSigner(key) for key in KEYS]
    node = FakeNode(eth_chainId=hex(chain_id), eth_getTransactionCount=hex(START))
    ahead = WriteAhead(signers, chain, JsonRpc(chain, node.client()))

    def sign(number: int) -> list[TransactionItem]:
        planned = tuple(PlannedCall(f"call-{index}", None, code=b"\x60\x00") for index in range(calls))
        plan = Plan(f"race-{chain_id}-{number}", planned, (), ChainConfiguration())
        for signer in ahead.pool(plan):
            if items := ahead.sign(plan, signer, Quote(Fees(200, 100), (100_000,) * calls)):
                return items
        raise TimeoutError(plan.job_id)

    began = time.monotonic()
    with ThreadPoolExecutor(copies * jobs) as threads:
        signed = list(threads.map(sign, [number for number in range(jobs) for _ in range(copies)]))
    items = [item for found in signed for item in found]
    nonces = defaultdict(set)
    for item in items:
        nonces[item.signer].add(int(item.nonce))
    answer = {
        "jobs": len({item.job_id for item in items}),
        "transactions": len({item.raw for item in items}),
        "nonces": {address: sorted(taken) for address, taken in nonces.items()},
        "signatures": sum(signer.signatures for signer in signers),
        "seconds": time.monotonic() - began,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
