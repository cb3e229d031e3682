"""Which state of a transfer may follow which, and what keeps a record from being handed over: pure functions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from archive.errors import Ended
from archive.model import Stop, Transfer, TransferState
from retention.last_check import Facts, stop

_S = TransferState
NEXT: Mapping[TransferState, frozenset[TransferState]] = {
    _S.DRAFT: frozenset({_S.ASKED, _S.WITHDRAWN}),
    _S.ASKED: frozenset({_S.APPROVED, _S.REFUSED, _S.WITHDRAWN}),
    _S.APPROVED: frozenset({_S.PACKED, _S.WITHDRAWN}),
    _S.PACKED: frozenset({_S.PACKED, _S.RECEIVED, _S.WITHDRAWN}),  # a bag may be made anew until it is signed for
    _S.RECEIVED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
    _S.REFUSED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
"""What is signed for is never taken back, and what is closed never changes."""

RUNNING = tuple(state for state in TransferState if NEXT[state])


def move(transfer: Transfer, to: TransferState) -> None:
    """Bring a transfer into a state. Raises ``Ended`` when that may not follow."""
    if to not in NEXT[transfer.state]:
        raise Ended(state=transfer.state.value, act=f"transfer.{to.value}")
    transfer.state, transfer.version = to, transfer.version + 1


def keeps(facts: Facts, today: date) -> Stop | None:
    """Return what keeps a record from being handed over: as for destruction, but its term need not have run out."""
    return stop(replace(facts, due=today), today)
