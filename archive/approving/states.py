"""Where a request can stand, which state may follow which, and whose turn it is."""

from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from archive.model import ApprovalState

NEXT: Mapping[ApprovalState, frozenset[ApprovalState]] = {
    ApprovalState.ASKED: frozenset(set(ApprovalState) - {ApprovalState.ASKED}),
    ApprovalState.QUESTIONED: frozenset({ApprovalState.ASKED, ApprovalState.WITHDRAWN}),
    ApprovalState.APPROVED: frozenset(),
    ApprovalState.REFUSED: frozenset(),
    ApprovalState.WITHDRAWN: frozenset(),
}
"""Which state may follow which: what was decided never changes."""


class WaitsFor(StrEnum):
    """Whose turn it is."""

    DECIDER = "decider"
    ASKER = "asker"
    NOBODY = "nobody"


def waits_for(state: ApprovalState) -> WaitsFor:
    """Return whose turn it is in a state."""
    match state:
        case ApprovalState.ASKED:
            return WaitsFor.DECIDER
        case ApprovalState.QUESTIONED:
            return WaitsFor.ASKER
        case ApprovalState.APPROVED | ApprovalState.REFUSED | ApprovalState.WITHDRAWN:
            return WaitsFor.NOBODY
        case _:
            assert_never(state)


OPEN = tuple(state for state in ApprovalState if waits_for(state) is not WaitsFor.NOBODY)
