// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/// @title Escrow
/// @notice Holds what depositors pay ahead for their jobs, in one token. Each deposit belongs to one job and one
///         depositor, and leaves in two ways only: released to a payee by an operator, or refunded to its depositor.
/// @dev What is held for a job and a depositor is deposited - released - refunded. With a deposit its depositor agrees
///      to a price, the most that an hour of the job may cost. The job's time begins with its first deposit, and
///      ends when it is settled. Whatever an operator does, no more is released than the price of the hours begun until
///      then. An operator may reserve what is held, so that a refund can't outrun the payment. A reservation ends by
///      itself after `RESERVATION`; it can be renewed until `LONGEST` after the last deposit and no longer, so no
///      deposit is ever stuck. The administrator appoints operators and can do nothing else: no pause, no sweep, no
///      upgrade.
///
///      What a producer of blocks can shift, seconds, is nothing to hours and days.
// slither-disable-start timestamp
contract Escrow is AccessControl, ReentrancyGuard {
    using SafeERC20 for IERC20Metadata;

    /// @notice Holders of this role may reserve, release, and refund on the depositor's behalf.
    bytes32 public constant OPERATOR_ROLE = keccak256("OPERATOR_ROLE");

    /// @notice How long a reservation lasts unless it is renewed.
    uint256 public constant RESERVATION = 7 days;

    /// @notice How long after a job's last deposit it may be reserved, however often that is renewed.
    uint256 public constant LONGEST = 90 days;

    /// @notice What one depositor paid for one job and what became of it, in the token's base units. `price` is the most
    ///         that each hour begun may cost. Moments are seconds since 1970, and 0 before they came.
    struct Account {
        uint256 deposited;
        uint256 released;
        uint256 refunded;
        uint256 reserved;
        uint256 reservedUntil;
        uint128 price;
        uint40 startedAt;
        uint40 endedAt;
        uint40 depositedAt;
    }

    /// @notice Everything about one depositor and one job, as of one block.
    struct Status {
        address token;
        uint256 decimals;
        uint256 deposited;
        uint256 released;
        uint256 refunded;
        uint256 reserved;
        uint256 reservedUntil;
        uint256 refundable;
        uint256 balance;
        uint256 allowance;
        uint256 blockNumber;
        uint256 price;
        uint256 startedAt;
        uint256 endedAt;
        uint256 renewableUntil;
        uint256 releasable;
    }

    /// @notice The token that is held.
    IERC20Metadata public immutable token;

    mapping(bytes32 jobId => mapping(address depositor => Account)) private _accounts;

    /// @notice A depositor paid for a job.
    /// @param jobId The job.
    /// @param depositor Who paid.
    /// @param amount How much, in base units.
    event Deposited(bytes32 indexed jobId, address indexed depositor, uint256 amount);

    /// @notice A depositor agreed to what a job may cost.
    /// @param jobId The job.
    /// @param depositor Who agreed.
    /// @param price The most for each hour begun, in base units.
    event PriceAgreed(bytes32 indexed jobId, address indexed depositor, uint256 price);

    /// @notice An operator reserved a part of a deposit for its job.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @param amount How much is reserved from now on, in base units.
    /// @param until When the reservation ends, in seconds since 1970.
    event Reserved(bytes32 indexed jobId, address indexed depositor, uint256 amount, uint256 until);

    /// @notice A payee was paid from a deposit.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @param payee Who was paid.
    /// @param amount How much, in base units.
    event Released(bytes32 indexed jobId, address indexed depositor, address indexed payee, uint256 amount);

    /// @notice A depositor got back what was not spent.
    /// @param jobId The job.
    /// @param depositor Who got it.
    /// @param amount How much, in base units.
    event Refunded(bytes32 indexed jobId, address indexed depositor, uint256 amount);

    /// @notice The administrator may not be the zero address.
    error ZeroAdministrator();

    /// @notice No amount of such a token would fit into a number.
    /// @param decimals The token's decimals.
    error UnsupportedDecimals(uint8 decimals);

    /// @notice A payee may not be the zero address, nor the escrow itself.
    /// @param payee Who was named.
    error InvalidPayee(address payee);

    /// @notice An amount is more than zero.
    error ZeroAmount();

    /// @notice The token moved another amount than it was told to; such tokens can't be held.
    /// @param expected How much should have come.
    /// @param received How much came.
    error UnexpectedAmount(uint256 expected, uint256 received);

    /// @notice Less is held for the job and the depositor.
    /// @param held How much is held.
    /// @param needed How much was asked for.
    error InsufficientDeposit(uint256 held, uint256 needed);

    /// @notice A price is more than zero, and less than 2^128.
    /// @param price What was named.
    error InvalidPrice(uint256 price);

    /// @notice Another price is agreed for the job; once it is in use, it can't be changed any more.
    /// @param agreed The agreed price.
    /// @param named The other one.
    error PriceIsAgreed(uint256 agreed, uint256 named);

    /// @notice At the agreed price the job can't have cost that much by now.
    /// @param most What may still be released now.
    /// @param asked How much was asked for.
    error PriceExceeded(uint256 most, uint256 asked);

    /// @notice The job was settled, so nothing more is reserved or released.
    error JobHasEnded();

    /// @notice There is nothing that could be refunded now.
    error NothingToRefund();

    /// @param token_ The token to hold: an ERC-20 contract with decimals.
    /// @param administrator Who appoints operators. Not zero.
    constructor(IERC20Metadata token_, address administrator) {
        if (administrator == address(0)) revert ZeroAdministrator();
        // Reverts where there is no such token.
        uint8 decimals = token_.decimals();
        if (decimals > 77) revert UnsupportedDecimals(decimals);
        token = token_;
        _grantRole(DEFAULT_ADMIN_ROLE, administrator);
    }

    /// @notice Pays for a job ahead. The caller has allowed this contract to take the amount.
    /// @param jobId The job.
    /// @param amount How much, in base units. Not zero.
    /// @param price The most that each hour begun of the job may cost, in base units. Once anything was reserved or
    ///        released it stays as it is.
    function deposit(bytes32 jobId, uint256 amount, uint256 price) external nonReentrant {
        _deposit(jobId, amount, price);
    }

    /// @notice Pays for a job ahead, with the allowance in the same transaction (EIP-2612).
    /// @param jobId The job.
    /// @param amount How much, in base units. Not zero; the amount that was signed.
    /// @param price The most that each hour begun of the job may cost, in base units.
    /// @param deadline Until when the signature holds, in seconds since 1970.
    /// @param v Part of the caller's signature.
    /// @param r Part of the caller's signature.
    /// @param s Part of the caller's signature.
    function depositWithPermit(
        bytes32 jobId,
        uint256 amount,
        uint256 price,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        // Nothing is written before it, and no function of this contract can run in between.
        // slither-disable-next-line reentrancy-benign
        // Anybody may have used the signature first, just to make this fail. The allowance is there then, and if it is
        // not, taking the amount reverts.
        try IERC20Permit(address(token)).permit(_msgSender(), address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(jobId, amount, price);
    }

    /// @notice Reserves a part of a deposit for its job. It replaces what was reserved before, so doing it twice is doing
    ///         it once. Only an operator may.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @param amount How much is reserved from now on, in base units. At most what is held.
    /// @param price The price that the operator believes to be agreed, so that no other one can take its place before.
    function reserve(
        bytes32 jobId,
        address depositor,
        uint256 amount,
        uint256 price
    ) external onlyRole(OPERATOR_ROLE) {
        Account storage account = _running(jobId, depositor);
        if (price != account.price) revert PriceIsAgreed(account.price, price);
        uint256 held = _held(account);
        if (amount > held) revert InsufficientDeposit(held, amount);
        account.reserved = amount;
        _renew(jobId, depositor);
    }

    /// @notice Pays a payee from a deposit, from what is reserved first, and renews the reservation of the rest. Only an
    ///         operator may.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @param payee Who is paid.
    /// @param amount How much, in base units. Not zero, at most what is held, and no more than the job can have cost.
    function release(
        bytes32 jobId,
        address depositor,
        address payee,
        uint256 amount
    ) external nonReentrant onlyRole(OPERATOR_ROLE) {
        if (amount == 0) revert ZeroAmount();
        Account storage account = _running(jobId, depositor);
        account.reserved -= amount < account.reserved ? amount : account.reserved;
        if (account.reserved > 0) _renew(jobId, depositor);
        _release(jobId, depositor, payee, amount);
    }

    /// @notice Ends a job: pays a payee what it cost, and frees the rest for a refund. Only an operator may, once.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @param payee Who is paid.
    /// @param amount How much, in base units: at most what is held, no more than the job can have cost, and nothing for
    ///        a job that cost nothing.
    function settle(
        bytes32 jobId,
        address depositor,
        address payee,
        uint256 amount
    ) external nonReentrant onlyRole(OPERATOR_ROLE) {
        Account storage account = _running(jobId, depositor);
        account.reserved = 0;
        account.reservedUntil = block.timestamp;
        account.endedAt = uint40(block.timestamp);
        emit Reserved(jobId, depositor, 0, block.timestamp);
        if (amount > 0) _release(jobId, depositor, payee, amount);
    }

    /// @notice Gives the caller back what of its deposit for a job is neither spent nor reserved.
    /// @param jobId The job.
    function refund(bytes32 jobId) external nonReentrant {
        _refund(jobId, _msgSender());
    }

    /// @notice Gives a depositor back what is neither spent nor reserved, as when its job has ended. Only an operator may.
    /// @param jobId The job.
    /// @param depositor Who gets it: always the one who paid.
    function refundFor(bytes32 jobId, address depositor) external nonReentrant onlyRole(OPERATOR_ROLE) {
        _refund(jobId, depositor);
    }

    /// @notice What a depositor paid for a job and what became of it.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @return The figures, in base units.
    function accountOf(bytes32 jobId, address depositor) external view returns (Account memory) {
        return _accounts[jobId][depositor];
    }

    /// @notice What a refund would give a depositor now.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @return The amount, in base units.
    function refundable(bytes32 jobId, address depositor) external view returns (uint256) {
        return _refundable(_accounts[jobId][depositor]);
    }

    /// @notice Everything that a depositor asks about a job, in one call and as of one block.
    /// @param jobId The job.
    /// @param depositor Whose deposit.
    /// @return The account, the token, and the depositor's own balance and allowance, in base units.
    function statusOf(bytes32 jobId, address depositor) external view returns (Status memory) {
        Account storage account = _accounts[jobId][depositor];
        return
            Status({
                token: address(token),
                decimals: token.decimals(),
                deposited: account.deposited,
                released: account.released,
                refunded: account.refunded,
                reserved: _reserved(account),
                reservedUntil: account.reservedUntil,
                refundable: _refundable(account),
                balance: token.balanceOf(depositor),
                allowance: token.allowance(depositor, address(this)),
                blockNumber: block.number,
                price: account.price,
                startedAt: account.startedAt,
                endedAt: account.endedAt,
                renewableUntil: account.depositedAt + LONGEST,
                releasable: account.endedAt == 0 ? _releasable(account) : 0
            });
    }

    function _deposit(bytes32 jobId, uint256 amount, uint256 price) private {
        if (amount == 0) revert ZeroAmount();
        if (price == 0 || price > type(uint128).max) revert InvalidPrice(price);
        address depositor = _msgSender();
        Account storage account = _accounts[jobId][depositor];
        bool inUse = account.reservedUntil > 0 || account.released > 0;
        if (inUse && price != account.price) revert PriceIsAgreed(account.price, price);
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(depositor, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert UnexpectedAmount(amount, received);
        // After the transfer, because only then is it certain; no function of this contract can run in between.
        // What was taken back whole before it was used begins anew.
        if (!inUse && account.deposited == account.refunded) account.startedAt = uint40(block.timestamp);
        account.deposited += amount;
        account.depositedAt = uint40(block.timestamp);
        if (price != account.price) {
            account.price = uint128(price);
            emit PriceAgreed(jobId, depositor, price);
        }
        emit Deposited(jobId, depositor, amount);
    }

    function _running(bytes32 jobId, address depositor) private view returns (Account storage account) {
        account = _accounts[jobId][depositor];
        if (account.endedAt > 0) revert JobHasEnded();
    }

    function _renew(bytes32 jobId, address depositor) private {
        Account storage account = _accounts[jobId][depositor];
        uint256 longest = account.depositedAt + LONGEST;
        uint256 until = block.timestamp + RESERVATION;
        account.reservedUntil = until < longest ? until : longest;
        emit Reserved(jobId, depositor, account.reserved, account.reservedUntil);
    }

    function _release(bytes32 jobId, address depositor, address payee, uint256 amount) private {
        if (payee == address(0) || payee == address(this)) revert InvalidPayee(payee);
        Account storage account = _accounts[jobId][depositor];
        uint256 held = _held(account);
        if (amount > held) revert InsufficientDeposit(held, amount);
        uint256 most = _releasable(account);
        if (amount > most) revert PriceExceeded(most, amount);
        account.released += amount;
        emit Released(jobId, depositor, payee, amount);
        token.safeTransfer(payee, amount);
    }

    function _refund(bytes32 jobId, address depositor) private {
        Account storage account = _accounts[jobId][depositor];
        uint256 amount = _refundable(account);
        if (amount == 0) revert NothingToRefund();
        account.refunded += amount;
        account.reserved = _reserved(account);
        emit Refunded(jobId, depositor, amount);
        token.safeTransfer(depositor, amount);
    }

    function _held(Account storage account) private view returns (uint256) {
        return account.deposited - account.released - account.refunded;
    }

    function _reserved(Account storage account) private view returns (uint256) {
        return block.timestamp < account.reservedUntil ? account.reserved : 0;
    }

    /// @dev What is held, but no more than the agreed price of each hour begun, less what was released of it.
    function _releasable(Account storage account) private view returns (uint256) {
        uint256 begun = (block.timestamp - account.startedAt) / 1 hours + 1;
        uint256 most = begun * account.price - account.released;
        uint256 held = _held(account);
        return most < held ? most : held;
    }

    function _refundable(Account storage account) private view returns (uint256) {
        return _held(account) - _reserved(account);
    }
}
// slither-disable-end timestamp
