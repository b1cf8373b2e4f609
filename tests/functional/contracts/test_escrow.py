"""Escrow on a real chain: every deposit is released or refunded, once, and nobody else's moves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError
from web3.logs import DISCARD

from slipway.builds.audit.auditor import Auditor
from slipway.escrow.rules import DEPOSIT_GAS
from slipway.solidity.compiler import Compiler, build_input, node_modules_resolver

from .conftest import ADMINISTRATOR_ROLE, Chain, error_selector, running_chain

ROOT = Path(__file__).resolve().parents[3]
SOURCES = Path(__file__).parent / "sources"
ZERO = "0x" + "0" * 40
UNAUTHORIZED = "AccessControlUnauthorizedAccount(address,bytes32)"
USDC = 10**6
HOUR, DAY = 3_600, 86_400
# The most for an hour that depositors agree to, where it does not matter.
PRICE = 1_000 * USDC


@dataclass(frozen=True)
class Escrowed:
    """An escrow and its token. Accounts: administrator, operator, two depositors, a payee, a stranger."""

    chain: Chain
    escrow: Contract
    token: Contract

    @property
    def administrator(self) -> str:
        return self.chain.accounts[0]

    @property
    def operator(self) -> str:
        return self.chain.accounts[1]

    @property
    def depositors(self) -> list[str]:
        return list(self.chain.accounts[2:4])

    @property
    def payee(self) -> str:
        return self.chain.accounts[4]

    @property
    def stranger(self) -> str:
        return self.chain.accounts[5]

    def allow(self, depositor: str, amount: int) -> None:
        self.chain.send(self.token.functions.approve(self.escrow.address, amount), depositor)

    def deposit(self, job: bytes, depositor: str, amount: int, price: int = PRICE) -> Any:
        self.allow(depositor, amount)
        return self.chain.send(self.escrow.functions.deposit(job, amount, price), depositor)

    def pass_time(self, seconds: int) -> None:
        self.chain.rpc("evm_increaseTime", seconds)
        self.chain.rpc("evm_mine")

    def account(self, job: bytes, depositor: str) -> tuple[int, int, int, int]:
        """Deposited, released, refunded and reserved."""
        found = self.escrow.functions.accountOf(job, depositor).call()
        return (found[0], found[1], found[2], found[3])

    def refundable(self, job: bytes, depositor: str) -> int:
        return int(self.escrow.functions.refundable(job, depositor).call())

    def balance(self, account: str) -> int:
        return int(self.token.functions.balanceOf(account).call())

    def refuse(self, function: Any, sender: str, error: str, contract: str = "Escrow") -> None:
        self.chain.refuse(function, sender, contract, error)


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    """Yield a chain of their own, because these tests move its clock."""
    with running_chain() as running:
        yield running


def install(chain: Chain, token: Contract) -> Escrowed:
    escrow = chain.deploy("Escrow", token.address, chain.accounts[0])
    chain.send(
        escrow.functions.grantRole(escrow.functions.OPERATOR_ROLE().call(), chain.accounts[1]), chain.accounts[0]
    )
    return Escrowed(chain, escrow, token)


@pytest.fixture
def escrowed(chain: Chain) -> Escrowed:
    found = install(chain, chain.deploy("TestUSDC"))
    for depositor in found.depositors:
        chain.send(found.token.functions.mint(depositor, 1_000 * USDC), depositor)
    return found


@pytest.fixture
def job() -> bytes:
    return uuid.uuid4().bytes + bytes(16)


@pytest.fixture(scope="module")
def hostile_code() -> tuple[Any, str]:
    """ABI and creation code of the hostile token."""
    source = {"HostileToken.sol": (SOURCES / "HostileToken.sol").read_text(encoding="utf-8")}
    node_modules = ROOT / "node_modules"
    with Compiler(node_modules / "solc" / "soljson.js") as compiler:
        output = compiler.compile(build_input(source, node_modules_resolver(node_modules)))
    compiled = output["contracts"]["HostileToken.sol"]["HostileToken"]
    return compiled["abi"], "0x" + compiled["evm"]["bytecode"]["object"]


@pytest.fixture
def hostile(chain: Chain, hostile_code: tuple[Any, str]) -> Escrowed:
    abi, bytecode = hostile_code
    hashed = chain.web3.eth.contract(abi=abi, bytecode=bytecode).constructor().transact({"from": chain.accounts[0]})
    receipt = chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
    address = receipt["contractAddress"]
    assert address
    found = install(chain, chain.web3.eth.contract(address=address, abi=abi))
    for holder in (*found.depositors, address):
        chain.send(found.token.functions.mint(holder, 1_000), found.stranger)
    return found


# ── Deposits ────────────────────────────────────────────────────────────────────────────────────


def test_a_deposit_is_its_depositors_for_its_job(escrowed: Escrowed, job: bytes) -> None:
    first, second = escrowed.depositors
    receipt = escrowed.deposit(job, first, 25 * USDC)
    (event,) = escrowed.escrow.events.Deposited().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {"jobId": job, "depositor": first, "amount": 25 * USDC}
    escrowed.deposit(job, first, 5 * USDC)
    escrowed.deposit(job, second, 7 * USDC)
    assert escrowed.account(job, first) == (30 * USDC, 0, 0, 0)
    assert escrowed.account(job, second) == (7 * USDC, 0, 0, 0)
    assert escrowed.account(bytes(32), first) == (0, 0, 0, 0)
    assert escrowed.balance(escrowed.escrow.address) == 37 * USDC
    assert escrowed.balance(first) == 970 * USDC


def test_a_deposit_needs_an_amount_an_allowance_and_the_balance(escrowed: Escrowed, job: bytes) -> None:
    (first, _), deposit = escrowed.depositors, escrowed.escrow.functions.deposit
    escrowed.refuse(deposit(job, 0, PRICE), first, "ZeroAmount()")
    insufficient = "ERC20InsufficientAllowance(address,uint256,uint256)"
    escrowed.refuse(deposit(job, 1, PRICE), first, insufficient, "TestUSDC")
    escrowed.allow(first, 2**256 - 1)
    insufficient = "ERC20InsufficientBalance(address,uint256,uint256)"
    escrowed.refuse(deposit(job, 1_000 * USDC + 1, PRICE), first, insufficient, "TestUSDC")


def _permit(escrowed: Escrowed, owner: LocalAccount, amount: int, deadline: int) -> tuple[int, bytes, bytes]:
    token = escrowed.token
    _, name, version, chain_id, address, _, _ = token.functions.eip712Domain().call()
    signed = owner.sign_typed_data(
        domain_data={"name": name, "version": version, "chainId": chain_id, "verifyingContract": address},
        message_types={
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ]
        },
        message_data={
            "owner": owner.address,
            "spender": escrowed.escrow.address,
            "value": amount,
            "nonce": token.functions.nonces(owner.address).call(),
            "deadline": deadline,
        },
    )
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def _signer(escrowed: Escrowed) -> LocalAccount:
    """Return a depositor whose key is at hand; anvil lets it send without it."""
    account: LocalAccount = Account.create()
    escrowed.chain.fund(account.address)
    escrowed.chain.rpc("anvil_impersonateAccount", account.address)
    escrowed.chain.send(escrowed.token.functions.mint(account.address, 100 * USDC), escrowed.stranger)
    return account


def test_a_permit_makes_it_one_transaction(escrowed: Escrowed, job: bytes) -> None:
    owner, deadline = _signer(escrowed), 2**40
    signature = _permit(escrowed, owner, 40 * USDC, deadline)
    call = escrowed.escrow.functions.depositWithPermit(job, 40 * USDC, PRICE, deadline, *signature)
    escrowed.chain.send(call, owner.address)
    assert escrowed.account(job, owner.address) == (40 * USDC, 0, 0, 0)
    assert escrowed.token.functions.allowance(owner.address, escrowed.escrow.address).call() == 0


def test_a_permit_that_somebody_used_first_still_deposits(escrowed: Escrowed, job: bytes) -> None:
    owner, deadline = _signer(escrowed), 2**40
    signature = _permit(escrowed, owner, 40 * USDC, deadline)
    permit = escrowed.token.functions.permit(owner.address, escrowed.escrow.address, 40 * USDC, deadline, *signature)
    escrowed.chain.send(permit, escrowed.stranger)
    call = escrowed.escrow.functions.depositWithPermit(job, 40 * USDC, PRICE, deadline, *signature)
    escrowed.chain.send(call, owner.address)
    assert escrowed.account(job, owner.address)[0] == 40 * USDC


def test_a_permit_serves_its_signer_and_its_amount_only(escrowed: Escrowed, job: bytes) -> None:
    owner, deadline = _signer(escrowed), 2**40
    signature = _permit(escrowed, owner, 40 * USDC, deadline)
    insufficient = "ERC20InsufficientAllowance(address,uint256,uint256)"
    deposit = escrowed.escrow.functions.depositWithPermit
    for call, sender in (
        (deposit(job, 40 * USDC, PRICE, deadline, *signature), escrowed.depositors[0]),
        (deposit(job, 41 * USDC, PRICE, deadline, *signature), owner.address),
        (deposit(job, 40 * USDC, PRICE, deadline - 1, *signature), owner.address),
    ):
        escrowed.refuse(call, sender, insufficient, "TestUSDC")
    late = _permit(escrowed, owner, 40 * USDC, 1)
    escrowed.refuse(deposit(job, 40 * USDC, PRICE, 1, *late), owner.address, insufficient, "TestUSDC")


# ── Refunds ─────────────────────────────────────────────────────────────────────────────────────


def test_a_depositor_gets_back_what_is_unspent(escrowed: Escrowed, job: bytes) -> None:
    first, second = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    escrowed.deposit(job, second, 9 * USDC)
    escrowed.chain.send(escrowed.escrow.functions.release(job, first, escrowed.payee, 10 * USDC), escrowed.operator)
    receipt = escrowed.chain.send(escrowed.escrow.functions.refund(job), first)
    (event,) = escrowed.escrow.events.Refunded().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {"jobId": job, "depositor": first, "amount": 15 * USDC}
    assert escrowed.account(job, first) == (25 * USDC, 10 * USDC, 15 * USDC, 0)
    assert escrowed.account(job, second) == (9 * USDC, 0, 0, 0)
    assert escrowed.balance(first) == 990 * USDC
    for sender in (first, escrowed.stranger):
        escrowed.refuse(escrowed.escrow.functions.refund(job), sender, "NothingToRefund()")


def test_an_operator_refunds_to_the_depositor_only(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    escrowed.chain.send(escrowed.escrow.functions.refundFor(job, first), escrowed.operator)
    assert escrowed.balance(first) == 1_000 * USDC
    escrowed.refuse(escrowed.escrow.functions.refundFor(job, first), escrowed.operator, "NothingToRefund()")


def test_a_refund_leaves_what_is_reserved(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    functions = escrowed.escrow.functions
    receipt = escrowed.chain.send(functions.reserve(job, first, 20 * USDC, PRICE), escrowed.operator)
    (event,) = escrowed.escrow.events.Reserved().process_receipt(receipt, errors=DISCARD)
    block = escrowed.chain.web3.eth.get_block(receipt["blockNumber"])
    assert dict(event["args"]) == {
        "jobId": job,
        "depositor": first,
        "amount": 20 * USDC,
        "until": block["timestamp"] + 7 * DAY,
    }
    escrowed.chain.send(functions.refund(job), first)
    assert escrowed.account(job, first) == (25 * USDC, 0, 5 * USDC, 20 * USDC)
    escrowed.refuse(functions.refund(job), first, "NothingToRefund()")
    escrowed.chain.send(functions.release(job, first, escrowed.payee, 12 * USDC), escrowed.operator)
    assert escrowed.account(job, first) == (25 * USDC, 12 * USDC, 5 * USDC, 8 * USDC)
    # Said anew, not added: the job cost less than was thought.
    escrowed.chain.send(functions.reserve(job, first, 1 * USDC, PRICE), escrowed.operator)
    assert escrowed.refundable(job, first) == 7 * USDC
    escrowed.chain.send(functions.refund(job), first)
    assert escrowed.account(job, first) == (25 * USDC, 12 * USDC, 12 * USDC, 1 * USDC)


def test_a_reservation_ends_by_itself(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    escrowed.chain.send(escrowed.escrow.functions.reserve(job, first, 25 * USDC, PRICE), escrowed.operator)
    assert escrowed.refundable(job, first) == 0
    until = escrowed.escrow.functions.accountOf(job, first).call()[4]
    for moment, left in ((until - 1, 0), (until, 25 * USDC)):
        escrowed.chain.rpc("evm_setNextBlockTimestamp", moment)
        escrowed.chain.rpc("evm_mine")
        assert escrowed.refundable(job, first) == left
    escrowed.chain.send(escrowed.escrow.functions.refund(job), first)
    assert escrowed.account(job, first) == (25 * USDC, 0, 25 * USDC, 0)
    assert escrowed.balance(first) == 1_000 * USDC


# ── Releases ────────────────────────────────────────────────────────────────────────────────────


def test_a_release_pays_the_payee(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    receipt = escrowed.chain.send(
        escrowed.escrow.functions.release(job, first, escrowed.payee, 25 * USDC), escrowed.operator
    )
    (event,) = escrowed.escrow.events.Released().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {
        "jobId": job,
        "depositor": first,
        "payee": escrowed.payee,
        "amount": 25 * USDC,
    }
    assert escrowed.balance(escrowed.payee) == 25 * USDC
    assert escrowed.refundable(job, first) == 0


def test_no_more_is_released_or_reserved_than_is_held_of_this_depositor(escrowed: Escrowed, job: bytes) -> None:
    first, second = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    escrowed.deposit(job, second, 25 * USDC)
    other = uuid.uuid4().bytes + bytes(16)
    escrowed.deposit(other, first, 25 * USDC)
    functions = escrowed.escrow.functions
    error = "InsufficientDeposit(uint256,uint256)"
    escrowed.refuse(functions.release(job, first, escrowed.payee, 25 * USDC + 1), escrowed.operator, error)
    escrowed.refuse(functions.reserve(job, first, 25 * USDC + 1, PRICE), escrowed.operator, error)
    escrowed.refuse(functions.release(job, escrowed.stranger, escrowed.payee, 1), escrowed.operator, error)
    escrowed.refuse(functions.reserve(job, first, 2**256 - 1, PRICE), escrowed.operator, error)
    escrowed.refuse(functions.release(job, first, escrowed.payee, 0), escrowed.operator, "ZeroAmount()")
    for payee in (ZERO, escrowed.escrow.address):
        escrowed.refuse(functions.release(job, first, payee, 1), escrowed.operator, "InvalidPayee(address)")


def test_only_operators_release_reserve_and_refund_others(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    functions = escrowed.escrow.functions
    for sender in (first, escrowed.stranger, escrowed.payee, escrowed.administrator):
        escrowed.refuse(functions.release(job, first, escrowed.payee, 1), sender, UNAUTHORIZED)
        escrowed.refuse(functions.reserve(job, first, 1, PRICE), sender, UNAUTHORIZED)
        escrowed.refuse(functions.refundFor(job, first), sender, UNAUTHORIZED)
    role = functions.OPERATOR_ROLE().call()
    assert role == Web3.keccak(text="OPERATOR_ROLE")
    escrowed.refuse(functions.grantRole(role, escrowed.operator), escrowed.operator, UNAUTHORIZED)
    escrowed.chain.send(functions.revokeRole(role, escrowed.operator), escrowed.administrator)
    escrowed.refuse(functions.release(job, first, escrowed.payee, 1), escrowed.operator, UNAUTHORIZED)
    escrowed.chain.send(functions.refund(job), first)
    assert escrowed.balance(first) == 1_000 * USDC


def test_nothing_but_these_functions_can_move_or_stop_anything(chain: Chain, escrowed: Escrowed) -> None:
    writing = {
        entry["name"]
        for entry in escrowed.escrow.abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    roles = {"grantRole", "revokeRole", "renounceRole"}
    assert writing == {"deposit", "depositWithPermit", "refund", "refundFor", "release", "reserve", "settle", *roles}
    assert not [entry for entry in escrowed.escrow.abi if entry["type"] in ("receive", "fallback")]
    assert escrowed.escrow.functions.hasRole(ADMINISTRATOR_ROLE, escrowed.administrator).call() is True


# ── Everything in one call ──────────────────────────────────────────────────────────────────────


def test_status_reports_all_of_one_block(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    escrowed.allow(first, 3)
    functions = escrowed.escrow.functions
    deposited_at = escrowed.chain.web3.eth.get_block(escrowed.chain.web3.eth.block_number - 1)["timestamp"]
    escrowed.chain.send(functions.release(job, first, escrowed.payee, 10 * USDC), escrowed.operator)
    escrowed.chain.send(functions.reserve(job, first, 4 * USDC, PRICE), escrowed.operator)
    block = escrowed.chain.web3.eth.get_block("latest")
    assert tuple(functions.statusOf(job, first).call()) == (
        escrowed.token.address,
        6,
        25 * USDC,
        10 * USDC,
        0,
        4 * USDC,
        block["timestamp"] + 7 * DAY,
        11 * USDC,
        975 * USDC,
        3,
        block["number"],
        PRICE,
        deposited_at,
        0,
        deposited_at + 90 * DAY,
        15 * USDC,
    )


def test_a_deposit_needs_less_gas_than_the_api_says(escrowed: Escrowed, job: bytes) -> None:
    first, second = escrowed.depositors
    used = [
        escrowed.deposit(job, first, 1)["gasUsed"],
        escrowed.deposit(job, first, 1)["gasUsed"],
        escrowed.deposit(job, second, 1_000 * USDC)["gasUsed"],
    ]
    # Room for a token behind a proxy, as real USDC is.
    assert max(used) + 30_000 <= DEPOSIT_GAS


def test_neither_token_nor_administrator_is_missing(chain: Chain) -> None:
    token = chain.deploy("TestUSDC").address
    with pytest.raises(ContractCustomError) as caught:
        chain.deploy("Escrow", token, ZERO)
    assert caught.value.data == error_selector("Escrow", "ZeroAdministrator()")
    for missing in (ZERO, chain.accounts[0]):
        with pytest.raises(Exception, match="revert"):
            chain.deploy("Escrow", missing, chain.accounts[0])


def test_the_test_token_is_for_development_chains_only() -> None:
    with running_chain(11_155_111) as elsewhere, pytest.raises(ContractCustomError) as caught:
        elsewhere.deploy("TestUSDC")
    assert str(caught.value.data).startswith(error_selector("TestUSDC", "NotADevelopmentChain(uint256)"))


# ── Hostile tokens ──────────────────────────────────────────────────────────────────────────────


def _depositing_token(hostile: Escrowed, job: bytes, amount: int) -> None:
    """Let the token itself be a depositor."""
    token = hostile.token
    approve = token.encode_abi("approve", [hostile.escrow.address, amount])
    deposit = hostile.escrow.encode_abi("deposit", [job, amount, PRICE])
    hostile.chain.send(token.functions.call(token.address, approve), hostile.stranger)
    hostile.chain.send(token.functions.call(hostile.escrow.address, deposit), hostile.stranger)


@pytest.mark.parametrize("callback", ["refund", "deposit", "depositWithPermit", "release", "refundFor"])
def test_a_token_that_calls_back_gets_nothing_twice(hostile: Escrowed, job: bytes, callback: str) -> None:
    token, escrow = hostile.token, hostile.escrow
    _depositing_token(hostile, job, 100)
    hostile.deposit(job, hostile.depositors[0], 500)
    hostile.chain.send(
        escrow.functions.grantRole(escrow.functions.OPERATOR_ROLE().call(), token.address), hostile.administrator
    )
    arguments = {
        "refund": [job],
        "deposit": [job, 1, PRICE],
        "depositWithPermit": [job, 1, PRICE, 2**40, 27, bytes(32), bytes(32)],
        "release": [job, hostile.depositors[0], token.address, 500],
        "refundFor": [job, hostile.depositors[0]],
    }[callback]
    hostile.chain.send(token.functions.arm(escrow.address, escrow.encode_abi(callback, arguments)), hostile.stranger)
    refund = escrow.encode_abi("refund", [job])
    hostile.chain.send(token.functions.call(escrow.address, refund), hostile.stranger)
    assert token.functions.succeeded().call() is False
    assert Web3.to_hex(token.functions.answer().call()) == error_selector("Escrow", "ReentrancyGuardReentrantCall()")
    assert hostile.account(job, token.address) == (100, 0, 100, 0)
    assert hostile.account(job, hostile.depositors[0]) == (500, 0, 0, 0)
    assert hostile.balance(escrow.address) == 500


def test_a_token_that_keeps_a_fee_is_not_taken(hostile: Escrowed, job: bytes) -> None:
    first, _ = hostile.depositors
    hostile.allow(first, 100)
    hostile.chain.send(hostile.token.functions.setFee(1), hostile.stranger)
    hostile.refuse(hostile.escrow.functions.deposit(job, 100, PRICE), first, "UnexpectedAmount(uint256,uint256)")


def test_a_transfer_that_only_says_that_it_failed_undoes_all(hostile: Escrowed, job: bytes) -> None:
    first, _ = hostile.depositors
    hostile.deposit(job, first, 100)
    hostile.chain.send(hostile.token.functions.setFailing(True), hostile.stranger)
    hostile.allow(first, 100)
    failed = "SafeERC20FailedOperation(address)"
    hostile.refuse(hostile.escrow.functions.deposit(job, 100, PRICE), first, failed)
    hostile.refuse(hostile.escrow.functions.refund(job), first, failed)
    hostile.refuse(hostile.escrow.functions.release(job, first, hostile.payee, 1), hostile.operator, failed)
    assert hostile.account(job, first) == (100, 0, 0, 0)


# ── The agreed price ────────────────────────────────────────────────────────────────────────────


def test_no_operator_releases_more_than_the_agreed_price_of_the_hours_begun(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    functions, operator = escrowed.escrow.functions, escrowed.operator
    exceeded = "PriceExceeded(uint256,uint256)"
    escrowed.deposit(job, first, 25 * USDC, 2 * USDC)
    escrowed.pass_time(30 * DAY)
    escrowed.chain.send(functions.refund(job), first)
    escrowed.deposit(job, first, 25 * USDC, 2 * USDC)
    # Time before it was taken back whole does not count.
    escrowed.refuse(functions.release(job, first, escrowed.payee, 2 * USDC + 1), operator, exceeded)
    escrowed.refuse(functions.settle(job, first, escrowed.payee, 2 * USDC + 1), operator, exceeded)
    escrowed.chain.send(functions.reserve(job, first, 25 * USDC, 2 * USDC), operator)
    escrowed.chain.send(functions.release(job, first, escrowed.payee, 2 * USDC), operator)
    escrowed.refuse(functions.release(job, first, escrowed.payee, 1), operator, exceeded)
    escrowed.pass_time(3 * HOUR)
    assert functions.statusOf(job, first).call()[-1] == 6 * USDC
    escrowed.refuse(functions.settle(job, first, escrowed.payee, 6 * USDC + 1), operator, exceeded)
    escrowed.chain.send(functions.settle(job, first, escrowed.payee, 6 * USDC), operator)
    assert escrowed.account(job, first) == (50 * USDC, 8 * USDC, 25 * USDC, 0)
    assert escrowed.refundable(job, first) == 17 * USDC


def test_a_settled_job_costs_nothing_more(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    functions, operator = escrowed.escrow.functions, escrowed.operator
    escrowed.chain.send(functions.reserve(job, first, 25 * USDC, PRICE), operator)
    escrowed.chain.send(functions.settle(job, first, escrowed.payee, 0), operator)
    escrowed.pass_time(DAY)
    for call in (
        functions.reserve(job, first, 1, PRICE),
        functions.release(job, first, escrowed.payee, 1),
        functions.settle(job, first, escrowed.payee, 1),
    ):
        escrowed.refuse(call, operator, "JobHasEnded()")
    # What comes after the end is its depositor's as well.
    escrowed.deposit(job, first, 5 * USDC)
    assert functions.statusOf(job, first).call()[-1] == 0
    escrowed.chain.send(functions.refund(job), first)
    assert escrowed.balance(first) == 1_000 * USDC


def test_the_price_is_its_depositors_word_and_stays_once_the_job_has_begun(escrowed: Escrowed, job: bytes) -> None:
    first, second = escrowed.depositors
    receipt = escrowed.deposit(job, first, 5 * USDC, 3 * USDC)
    (event,) = escrowed.escrow.events.PriceAgreed().process_receipt(receipt, errors=DISCARD)
    assert dict(event["args"]) == {"jobId": job, "depositor": first, "price": 3 * USDC}
    escrowed.deposit(job, second, 5 * USDC, 9 * USDC)
    receipt = escrowed.deposit(job, first, 5 * USDC, 2 * USDC)
    functions = escrowed.escrow.functions
    assert functions.accountOf(job, first).call()[5] == 2 * USDC
    for price in (2 * USDC - 1, 3 * USDC):
        # A depositor may name another one until then, and so an operator names the one that it has seen.
        call = functions.reserve(job, first, 10 * USDC, price)
        escrowed.refuse(call, escrowed.operator, "PriceIsAgreed(uint256,uint256)")
    escrowed.chain.send(functions.reserve(job, first, 10 * USDC, 2 * USDC), escrowed.operator)
    escrowed.allow(first, 10 * USDC)
    for price in (2 * USDC - 1, 2 * USDC + 1):
        escrowed.refuse(functions.deposit(job, 1, price), first, "PriceIsAgreed(uint256,uint256)")
    escrowed.deposit(job, first, 5 * USDC, 2 * USDC)
    for price in (0, 2**128):
        escrowed.refuse(functions.deposit(job, 1, price), first, "InvalidPrice(uint256)")


def test_the_highest_price_leaves_nothing_stuck(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 5 * USDC, 2**128 - 1)
    functions = escrowed.escrow.functions
    escrowed.chain.send(functions.reserve(job, first, 5 * USDC, 2**128 - 1), escrowed.operator)
    escrowed.pass_time(50 * 365 * DAY)
    escrowed.chain.send(functions.settle(job, first, escrowed.payee, 5 * USDC), escrowed.operator)


def test_renewals_end_ninety_days_after_the_last_deposit(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    functions, operator, eth = escrowed.escrow.functions, escrowed.operator, escrowed.chain.web3.eth
    last = eth.get_block("latest")["timestamp"] + 90 * DAY
    escrowed.chain.send(functions.reserve(job, first, 25 * USDC, PRICE), operator)
    escrowed.pass_time(86 * DAY)
    escrowed.chain.send(functions.release(job, first, escrowed.payee, 5 * USDC), operator)
    assert functions.accountOf(job, first).call()[4] == last
    escrowed.pass_time(4 * DAY)
    escrowed.chain.send(functions.reserve(job, first, 20 * USDC, PRICE), operator)
    escrowed.chain.send(functions.release(job, first, escrowed.payee, 5 * USDC), operator)
    assert escrowed.refundable(job, first) == 15 * USDC, "neither can hold it any longer"
    escrowed.deposit(job, first, 1 * USDC)
    escrowed.chain.send(functions.reserve(job, first, 16 * USDC, PRICE), operator)
    assert escrowed.refundable(job, first) == 0, "another deposit agrees to another ninety days"


def test_a_release_renews_what_stays_reserved(escrowed: Escrowed, job: bytes) -> None:
    first, _ = escrowed.depositors
    escrowed.deposit(job, first, 25 * USDC)
    functions, operator = escrowed.escrow.functions, escrowed.operator
    escrowed.chain.send(functions.reserve(job, first, 25 * USDC, PRICE), operator)
    escrowed.pass_time(6 * DAY)
    receipt = escrowed.chain.send(functions.release(job, first, escrowed.payee, 10 * USDC), operator)
    moment = escrowed.chain.web3.eth.get_block(receipt["blockNumber"])["timestamp"]
    assert tuple(functions.accountOf(job, first).call()[3:5]) == (15 * USDC, moment + 7 * DAY)


def test_nothing_of_weight_is_found_by_slither() -> None:
    source = {"Escrow.sol": (ROOT / "contracts" / "Escrow.sol").read_text(encoding="utf-8")}
    with Auditor() as auditor:
        report = auditor.audit(auditor.compile(source))
    assert [finding for finding in report.findings if finding.impact in ("High", "Medium")] == []
    assert report.passed


# ── Any order of events ─────────────────────────────────────────────────────────────────────────


@dataclass
class Reference:
    """One depositor's account of one job by the plain rules; what a wallet and the payee have is told apart."""

    wallet: dict[str, int]
    depositor: str
    deposited: int = 0
    released: int = 0
    refunded: int = 0
    reserved: int = 0
    until: int = 0
    price: int = 0
    started: int = 0
    ended: bool = False
    last: int = 0

    @property
    def held(self) -> int:
        return self.deposited - self.released - self.refunded

    def refundable(self, now: int) -> int:
        return self.held - (self.reserved if now < self.until else 0)

    def agreed(self, now: int) -> int:
        """Return what its depositor agreed to lose by now."""
        return ((now - self.started) // HOUR + 1) * self.price

    @property
    def in_use(self) -> bool:
        return self.until > 0 or self.released > 0

    def allows(self, action: str, amount: int, price: int, now: int) -> bool:
        """Whether the action would succeed."""
        payable = amount <= self.held and self.released + amount <= self.agreed(now) and not self.ended
        return {
            "deposit": 0 < amount <= self.wallet[self.depositor] and (not self.in_use or price == self.price),
            "release": amount > 0 and payable,
            "settle": (amount == 0 and not self.ended) or payable,
            "reserve": amount <= self.held and not self.ended and price == self.price,
            "refund": self.refundable(now) > 0,
            "refundFor": self.refundable(now) > 0,
        }[action]

    def happened(self, action: str, amount: int, price: int, now: int) -> None:
        """Take an action that succeeded into account."""
        if action == "deposit":
            if not self.in_use and not self.held:
                self.started = now
            self.deposited += amount
            self.wallet[self.depositor] -= amount
            self.price, self.last = price, now
        elif action == "release":
            self.released += amount
            self.reserved -= min(amount, self.reserved)
            if self.reserved:
                self.until = min(now + 7 * DAY, self.last + 90 * DAY)
        elif action == "settle":
            self.released += amount
            self.reserved, self.until, self.ended = 0, now, True
        elif action == "reserve":
            self.reserved, self.until = amount, min(now + 7 * DAY, self.last + 90 * DAY)
        else:
            given = self.refundable(now)
            self.reserved = self.held - given
            self.refunded += given
            self.wallet[self.depositor] += given


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "deposit", "reserve", "release", "settle", "refund", "refundFor", "wait"]),
        st.integers(0, 1),
        st.integers(0, 1),
        st.integers(0, 60),
        st.sampled_from([2, 2, 2, 50]),
    ),
    max_size=18,
)


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_sums_hold_in_any_order(chain: Chain, steps: list[tuple[str, int, int, int, int]]) -> None:
    """Against the plain rules: what they allow happens, what they refuse reverts, no coin is lost, and after each step
    the accounts' sum is the balance and nobody has lost more than was agreed."""
    escrowed = install(chain, chain.deploy("TestUSDC"))
    jobs = [uuid.uuid4().bytes + bytes(16) for _ in range(2)]
    wallet = dict.fromkeys(escrowed.depositors, 100)
    for depositor in escrowed.depositors:
        chain.send(escrowed.token.functions.mint(depositor, 100), depositor)
        escrowed.allow(depositor, 2**256 - 1)
    references = {(job, depositor): Reference(wallet, depositor) for job in jobs for depositor in escrowed.depositors}
    paid = escrowed.balance(escrowed.payee)
    functions, eth = escrowed.escrow.functions, chain.web3.eth
    for action, which_job, which_depositor, amount, price in steps:
        if action == "wait":
            # Six days at most, so that some reservations end and some do not; small steps are some hours.
            escrowed.pass_time(amount * HOUR if amount < 30 else amount * DAY // 10)
            continue
        job, depositor = jobs[which_job], escrowed.depositors[which_depositor]
        reference = references[job, depositor]
        sender = depositor if action in ("deposit", "refund") else escrowed.operator
        call = {
            "deposit": functions.deposit(job, amount, price),
            "release": functions.release(job, depositor, escrowed.payee, amount),
            "settle": functions.settle(job, depositor, escrowed.payee, amount),
            "reserve": functions.reserve(job, depositor, amount, price),
            "refund": functions.refund(job),
            "refundFor": functions.refundFor(job, depositor),
        }[action]
        if reference.allows(action, amount, price, eth.get_block("latest")["timestamp"] + 1):
            receipt = chain.send(call, sender)
            moment = eth.get_block(receipt["blockNumber"])["timestamp"]
            reference.happened(action, amount, price, moment)
            assert escrowed.account(job, depositor)[1] <= reference.agreed(moment)
            held = sum(entry.held for entry in references.values())
            assert escrowed.balance(escrowed.escrow.address) == held
        else:
            with pytest.raises(ContractCustomError):
                call.call({"from": sender})
    for (job, depositor), reference in references.items():
        known = (reference.deposited, reference.released, reference.refunded, reference.reserved)
        assert escrowed.account(job, depositor) == known
    assert {depositor: escrowed.balance(depositor) for depositor in wallet} == wallet
    assert escrowed.balance(escrowed.payee) - paid == sum(reference.released for reference in references.values())
    assert escrowed.balance(escrowed.escrow.address) == sum(reference.held for reference in references.values())
