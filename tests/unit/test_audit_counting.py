"""What an audit counts of destructions: right for each, and with as many statements for many as for one."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from archive.database import Work
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    ApprovalWord,
    Destruction,
    DestructionDuty,
    DestructionState,
    Duty,
    Said,
)
from retention.auditing.facts import Counted, Counting, Fact, Period
from tests.factories.retained import RetainedHouse, retained_house


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RetainedHouse]:
    house = retained_house(tmp_path)
    yield house
    house.house.db.close()


def gone(made: RetainedHouse, work: Work, number: str, *, twice: bool) -> None:
    """Write a destruction that one began, one decided and one watched; ``twice``: who decided watched, too."""
    first, second, third = (made.house.archivist, made.house.colleague, made.house.branch)
    now = made.clock.now()
    approval = Approval(
        kind=ApprovalKind.DESTRUCTION, state=ApprovalState.APPROVED, asked_by=first.person_id, asked_at=now, sealed=b"",
    )  # fmt: skip
    work.session.add(approval)
    work.session.flush()
    one = Destruction(
        number=number, purpose="销毁", state=DestructionState.GONE, begun_by=first.person_id, begun_at=now, gone_at=now,
        digest="0" * 64, approval_id=approval.id,
    )  # fmt: skip
    work.session.add(one)
    work.session.flush()
    watched = second if twice else third
    work.session.add(
        ApprovalWord(
            approval_id=approval.id,
            number=1,
            person_id=second.person_id,
            said=Said.APPROVED,
            at=now,
            sealed=b"",
        )
    )
    work.session.add(
        DestructionDuty(
            destruction_id=one.id, duty=Duty.WITNESS, person_id=watched.person_id,
        )
    )  # fmt: skip
    work.session.flush()


def test_duties_are_counted_apart_with_no_more_statements_for_many_than_for_one(made: RetainedHouse) -> None:
    counting, day = Counting(made.house.guard, None), made.house.guard.day()
    period, asked = Period(date(2000, 1, 1), day), (Fact.DESTRUCTIONS_APART,)
    needed: list[int] = []
    statements: list[str] = []
    event.listen(made.house.db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for numbers, apart in ((["XH1"], Counted(1, 1)), (["XH2", "XH3", "XH4"], Counted(3, 4))):
        with made.house.db.writing() as work:
            for number in numbers:
                gone(made, work, number, twice=number == "XH3")
            work.commit()
        statements.clear()
        with made.house.db.reading() as session:
            assert counting.all_of(session, asked, period)[Fact.DESTRUCTIONS_APART] == apart
        needed.append(len(statements))
    assert needed[0] == needed[1]
