"""Where a loan can stand, which state may follow which, and what each waits for."""

from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from archive.errors import Ended
from archive.model import Loan, LoanForm, LoanState

NEXT: Mapping[LoanState, frozenset[LoanState]] = {
    LoanState.ASKED: frozenset(
        {LoanState.READY, LoanState.OPEN, LoanState.REFUSED, LoanState.WITHDRAWN, LoanState.LAPSED}
    ),
    LoanState.READY: frozenset({LoanState.OPEN, LoanState.WITHDRAWN, LoanState.LAPSED}),
    LoanState.OPEN: frozenset({LoanState.RETURNED, LoanState.ENDED, LoanState.LOST}),
    LoanState.RETURNED: frozenset(),
    LoanState.ENDED: frozenset(),
    LoanState.REFUSED: frozenset(),
    LoanState.WITHDRAWN: frozenset(),
    LoanState.LAPSED: frozenset(),
    LoanState.LOST: frozenset(),
}
"""Which state may follow which: what has ended never changes."""

PAPER = (LoanForm.OUT, LoanForm.ROOM)


class WaitsFor(StrEnum):
    """Who moves a loan on."""

    DECIDER = "decider"
    COUNTER = "counter"
    BORROWER = "borrower"
    NOBODY = "nobody"


def waits_for(state: LoanState) -> WaitsFor:
    """Return who moves a loan on that stands so."""
    match state:
        case LoanState.ASKED:
            return WaitsFor.DECIDER
        case LoanState.READY:
            return WaitsFor.COUNTER
        case LoanState.OPEN:
            return WaitsFor.BORROWER
        case (
            LoanState.RETURNED
            | LoanState.ENDED
            | LoanState.REFUSED
            | LoanState.WITHDRAWN
            | LoanState.LAPSED
            | LoanState.LOST
        ):
            return WaitsFor.NOBODY
        case _:
            assert_never(state)


RUNNING = tuple(state for state in LoanState if waits_for(state) is not WaitsFor.NOBODY)


def move(loan: Loan, state: LoanState, act: str) -> None:
    """Set a loan's state. Raises ``Ended`` where that may not follow."""
    if state not in NEXT[loan.state]:
        raise Ended(state=loan.state.value, act=act)
    loan.state, loan.version = state, loan.version + 1
