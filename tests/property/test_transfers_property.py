"""Transfers: only the states that may follow do, and what is kept back never goes."""

from datetime import date, datetime
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import given

from archive.errors import Ended
from archive.model import RecordState, Stop, Transfer, TransferState
from retention.last_check import Facts, stop
from retention.transferring.rules import NEXT, RUNNING, keeps, move

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
FACTS = st.builds(
    Facts,
    state=st.sampled_from(RecordState),
    due=st.none() | DAYS,
    held=st.booleans(),
    lent=st.booleans(),
    missing=st.booleans(),
    unsettled=st.booleans(),
    elsewhere=st.booleans(),
)


@given(st.lists(st.sampled_from(TransferState), max_size=12))
def test_a_transfer_is_closed_only_after_approval_packing_and_receipt_and_then_never_changes(
    wanted: list[TransferState],
) -> None:
    row = Transfer(
        id=uuid4(), number="YJ1", receiver="x", purpose="x", state=TransferState.DRAFT, begun_at=datetime.now(),  # noqa: DTZ005
        version=1,
    )  # fmt: skip
    way = [row.state]
    for state in wanted:
        before = row.state
        try:
            move(row, state)
        except Ended:
            assert row.state is before
            assert state not in NEXT[before]
        else:
            way.append(state)
    if row.state is TransferState.CLOSED:
        order = [TransferState.ASKED, TransferState.APPROVED, TransferState.PACKED, TransferState.RECEIVED]
        places = [way.index(state) for state in order]
        assert places == sorted(places)
    assert (row.state in RUNNING) == bool(NEXT[row.state])
    if TransferState.RECEIVED in way:
        assert TransferState.WITHDRAWN not in way


@given(FACTS, DAYS)
def test_what_stops_a_destruction_stops_a_transfer_but_for_its_term(facts: Facts, today: date) -> None:
    found = keeps(facts, today)
    assert found is not Stop.UNDUE
    keep = (facts.held, facts.lent, facts.missing, facts.unsettled, facts.elsewhere)
    if facts.state is not RecordState.FILED or any(keep):
        assert found is not None
    if (strict := stop(facts, today)) not in {None, Stop.UNDUE}:
        assert found is strict


def test_states_are_words_of_their_own() -> None:
    with pytest.raises(Ended):
        move(Transfer(state=TransferState.CLOSED, version=1), TransferState.DRAFT)
