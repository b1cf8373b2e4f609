"""Pages of an owner's builds, newest first, at a cost that follows the page.

An owner's builds are numbered without a gap, so a page of all of them is a range of numbers. Those of one status have
gaps; counts of each status by blocks of numbers show in which block a page begins, so no build before it is read.
"""

from collections.abc import Iterable

from slipway.builds.states import Status
from slipway.builds.store import BLOCK, BuildCounts, BuildItem, counts_key, counts_of, number_key, owner_key
from slipway.store import upstream_errors

# About what half a read unit holds, so that a first page costs the same however many there are.
_BLOCKS_AT_ONCE = 25


def range_of_page(total: int, page: int, page_size: int) -> tuple[int, int] | None:
    """Return the first and last number of a page, newest first; None past the end. Pages count from 1."""
    last = total - (page - 1) * page_size
    return (max(1, last - page_size + 1), last) if last >= 1 else None


def start_of_page(blocks: Iterable[tuple[int, int]], offset: int) -> tuple[int, int] | None:
    """Find where what comes after ``offset`` builds begins.

    Args:
        blocks: Blocks, the newest first, and how many builds of the status each has.
        offset: How many builds to pass over.

    Returns:
        The block, and how many of its builds are still to be passed over; None when there are no more.
    """
    for block, count in blocks:
        if offset < count:
            return block, offset
        offset -= count
    return None


def page_of(wallet: str, status: Status | None, page: int, page_size: int) -> tuple[list[BuildItem], int]:
    """Return a page of an owner's builds, and how many there are.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    counts = counts_of(wallet)
    total = counts.of(status)
    if status is None:
        numbers = range_of_page(total, page, page_size)
        if numbers is None:
            return [], total
        between = BuildItem.owner_sort.between(*map(number_key, numbers))
        with upstream_errors():
            found = BuildItem.by_owner.query(owner_key(wallet), between, scan_index_forward=False)
            return list(found), total
    offset = (page - 1) * page_size
    start = start_of_page(_blocks(wallet, status), offset) if offset < total else None
    if start is None:
        return [], total
    block, skipped = start
    below = BuildItem.owner_sort <= number_key((block + 1) * BLOCK)
    with upstream_errors():
        found = BuildItem.by_subject.query(
            owner_key(wallet, status), below, scan_index_forward=False, limit=skipped + page_size
        )
        return list(found)[skipped:], total


def _blocks(wallet: str, status: Status) -> Iterable[tuple[int, int]]:
    """Yield blocks with builds of a status, the newest first; read as far as they are asked for."""
    pk, prefix = counts_key(wallet)[0], f"{counts_key(wallet)[1]}#"
    with upstream_errors():
        of_owner = BuildCounts.sk.startswith(prefix)
        for item in BuildCounts.query(pk, of_owner, scan_index_forward=False, page_size=_BLOCKS_AT_ONCE):
            if count := item.of(status):
                yield int(item.sk.removeprefix(prefix)), count
