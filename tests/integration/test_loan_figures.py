"""Figures of loans, counted by the database: as they are by hand, whatever the house's clocks do."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

import pytest

from archive.clock import offsets
from archive.ids import new_id
from archive.loans.statistics import LoanStatistics
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Category,
    Fonds,
    Loan,
    LoanForm,
    LoanState,
    Record,
)
from tests.factories.lending import LendingHouse, a_lending_house
from tests.factories.records import a_group

pytestmark = pytest.mark.postgres

SINCE, UNTIL = date(2024, 1, 1), date(2026, 12, 31)
ENDS = {LoanState.RETURNED, LoanState.LOST}


def a_loan(house: LendingHouse, number: int, drawn: Random, zone: ZoneInfo) -> tuple[Approval, Loan]:
    """Make one that is asked for, fetched and brought back about midnight of that zone, and of its summer time."""
    day = SINCE + timedelta(days=drawn.choice([0, 30, 59, 69, 307, drawn.randrange(900)]))
    asked = datetime(day.year, day.month, day.day, drawn.choice([0, 3, 23]), drawn.randrange(60), tzinfo=zone)
    state = drawn.choice([*LoanState])
    due = day + timedelta(days=drawn.randrange(8))
    ended = asked + timedelta(days=drawn.randrange(9), minutes=drawn.randrange(90))
    ready = asked + timedelta(seconds=drawn.randrange(300_000)) if state is not LoanState.ASKED else None
    out = state in {LoanState.OPEN, *ENDS}
    approval = Approval(
        id=new_id(), kind=ApprovalKind.LOAN, state=ApprovalState.ASKED, asked_by=house.person("staff"),
        asked_at=asked, sealed=b"",
    )  # fmt: skip
    return approval, Loan(
        id=new_id(), number=number, approval_id=approval.id, record_id=None, borrower_id=approval.asked_by,
        form=drawn.choice([*LoanForm]), purpose=drawn.choice(["work", "law"]), days=7, state=state, asked_at=asked,
        ready_at=ready, issued_on=day if out else None, due_on=due if out else None,
        ended_at=ended if state in ENDS else None,
    )  # fmt: skip


def test_figures_are_as_counted_by_hand_at_midnight_and_by_summer_time(tmp_path: Path) -> None:
    drawn, name = Random(7), "America/New_York"
    zone = ZoneInfo(name)
    with a_lending_house(tmp_path) as house:
        seen, hidden = house.record(), house.record()
        made = [a_loan(house, number, drawn, zone) for number in range(1, 251)]
        for _approval, loan in made:
            loan.record_id = seen if loan.number % 5 else hidden
        with house.db.writing() as work:
            fonds = work.session.get_one(Category, house.category.id).fonds_id
            group = a_group(work.session, work.session.get_one(Fonds, fonds))
            work.session.get_one(Record, hidden).group_id = group.id
            work.session.add_all([approval for approval, _loan in made])
            work.session.flush()
            work.session.add_all([loan for _approval, loan in made])
            work.commit()
        found = LoanStatistics(house.db, house.guard, name).gather(house.who["archivist"], SINCE, UNTIL)
        loans = [loan for _approval, loan in made if loan.record_id == seen]
        out = [each for each in loans if each.form is not LoanForm.SCREEN and each.due_on is not None]
        late = [
            each
            for each in out
            if each.due_on
            and (each.ended_at.astimezone(zone).date() if each.ended_at else house.guard.day()) > each.due_on
        ]
        assert (found.total, found.handed, found.late) == (200, len(out), len(late))
        assert found.months == Counter(f"{each.asked_at.astimezone(zone):%Y-%m}" for each in loans)
        assert found.forms == Counter(each.form.value for each in loans)
        assert found.purposes == Counter(each.purpose for each in loans)
        assert found.refused == sum(each.state is LoanState.REFUSED for each in loans)
        waits = [(each.ready_at - each.asked_at).total_seconds() / 60 for each in loans if each.ready_at]
        waits = [int(each + 0.5) for each in waits]  # to the minute, alike on both databases
        assert found.waited == median(waits) / 60
        assert 0 < found.late < found.handed
        short = LoanStatistics(house.db, house.guard, name)
        assert set(short.gather(house.who["head"], date(2024, 2, 1), date(2024, 2, 29)).months) == {"2024-02"}


def test_offsets_of_a_zone_begin_at_their_minute() -> None:
    found = offsets(ZoneInfo("America/New_York"), date(2026, 1, 1), date(2026, 12, 31))
    assert [at for at, _ahead in found[1:]] == [
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
    ]
    assert [int(ahead.total_seconds()) // 3600 for _at, ahead in found] == [-5, -4, -5]
    assert len(offsets(ZoneInfo("Asia/Shanghai"), date(2000, 1, 1), date(2026, 12, 31))) == 1
