"""What falls due is told once to each whom it concerns, whatever becomes of the clock that asks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from archive import failpoints
from archive.failpoints import Injected
from archive.log.writer import Log
from archive.model import Deadline, DeadlineKind, DeadlineState, Message, Person, Record
from archive.policy.guard import Guard
from archive.reminding.deadlines import Deadlines, DueBoard, DueSweep
from archive.reminding.messages import Messages
from archive.reminding.watches import watches
from storage.ring import KeyRing
from storage.vault import RingVault
from tests.factories.databases import ONLY_SQLITE, another
from tests.factories.web_house import a_web_house
from tests.fakes.clock import FixedClock

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.postgres


@contextmanager
def a_house(folder: Path) -> Iterator[SimpleNamespace]:
    with a_web_house(folder) as web:
        own = web.services
        messages = Messages(own.db, own.guard)
        kinds = watches(own.guard)
        sweep = DueSweep(own.db, own.guard, Log(own.vault, own.clock), messages, kinds)
        yield SimpleNamespace(
            web=web, db=own.db, clock=web.clock, sweep=sweep, messages=messages, guard=own.guard,
            board=DueBoard(own.db, own.guard, kinds), deadlines=Deadlines(own.guard), day=own.guard.day,
            who=own.people.identity_of, log=Log(own.vault, own.clock),
        )  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with a_house(tmp_path) as made:
        yield made
    failpoints.arm("")


def told(house: SimpleNamespace) -> list[tuple[str, str, bool]]:
    """Return whom, which stage, whether late; in the order in which it was told."""
    with house.db.reading() as session:
        query = select(Person.login, Message.stage, Message.late).join(Person, Person.id == Message.person_id)
        return [tuple(row) for row in session.execute(query.order_by(Message.id))]  # type: ignore[misc]


def marked(house: SimpleNamespace, days: int, **record: object) -> Record:
    row = house.web.a_record(**record)
    house.web.services.vital.mark(house.who("archivist"), [row.id], house.day() + timedelta(days))
    return row


def test_over_a_year_with_a_clock_that_stood_still_for_a_week_each_reminder_comes_once(house: SimpleNamespace) -> None:
    marked(house, 100)
    begun = house.day()
    for number in range(365):
        if not 64 <= number < 71:  # the 30 days before fall on day 70, the 7 before on 93
            house.sweep.run()
            house.sweep.run()
        house.clock.move(days=1)
    assert told(house) == [
        ("archivist", "before_30", True),
        ("archivist", "before_7", False),
        ("archivist", "on", False),
        ("archivist", "after_14", False),
        ("archivist", "head_30", False),
    ]
    with house.db.reading() as session:
        [message, *_] = session.scalars(select(Message).order_by(Message.id))
        assert message.made_at.date() - begun == timedelta(71)


def test_of_what_was_missed_while_nobody_asked_only_the_newest_is_told(house: SimpleNamespace) -> None:
    marked(house, 100)
    house.sweep.run()
    house.clock.move(days=120)
    house.sweep.run()
    assert told(house) == [("archivist", "after_14", True)]


def test_a_new_day_begins_the_reminders_anew_and_a_mark_taken_off_ends_them(house: SimpleNamespace) -> None:
    record = marked(house, 7)
    house.sweep.run()
    assert told(house) == [("archivist", "before_7", False)]
    house.web.services.vital.mark(house.who("archivist"), [record.id], house.day() + timedelta(30))
    house.sweep.run()
    house.web.services.vital.mark(house.who("archivist"), [record.id], None)
    house.clock.move(days=40)
    house.sweep.run()
    assert told(house) == [("archivist", "before_7", False), ("archivist", "before_30", False)]


@pytest.mark.parametrize("where", ["due.planned", "due.written"])
def test_a_sweep_that_breaks_off_is_finished_by_the_next_and_nothing_is_told_twice(
    house: SimpleNamespace, where: str
) -> None:
    for _ in range(5):
        marked(house, 7)
    failpoints.arm(f"{where}:raise")
    with pytest.raises(Injected):
        house.sweep.run()
    failpoints.arm("")
    assert told(house) == []
    assert house.sweep.run() == 5
    assert house.sweep.run() == 0


def test_a_second_clock_that_planned_the_same_tells_nothing(house: SimpleNamespace) -> None:
    marked(house, 7)
    other, first = (
        house.sweep,
        DueSweep(house.db, house.guard, house.log, house.messages, watches(house.guard)),
    )
    write = other._write
    counts: list[int] = []

    def between(plans: object) -> int:
        counts.append(first.run())
        return write(plans)  # type: ignore[arg-type]

    other._write = between
    try:
        assert other.run() == 0
    finally:
        del other._write
    assert counts == [1]
    assert len(told(house)) == 1


def test_only_who_may_read_the_record_is_told_and_sees_it_on_the_board(house: SimpleNamespace) -> None:
    open_one, secret = marked(house, 7), marked(house, 7, level=2)
    with house.db.writing() as work:
        work.session.get_one(Person, house.web.people["archivist"].id).clearance = 1
        work.commit()
    house.sweep.run()
    with house.db.reading() as session:
        assert set(session.scalars(select(Message.record_id))) == {open_one.id}
    seen = house.board.list(house.who("archivist"), limit=10)
    assert [each.deadline.record_id for each in seen] == [open_one.id]
    for login in ("auditor", "system"):
        assert house.board.list(house.who(login), limit=10) == []
    with house.db.writing() as work:
        work.session.get_one(Person, house.web.people["archivist"].id).clearance = 4
        work.commit()
    assert {each.deadline.record_id for each in house.board.list(house.who("archivist"), limit=10)} == {
        open_one.id,
        secret.id,
    }


def test_the_board_goes_on_behind_its_last_row_and_knows_what_is_late(house: SimpleNamespace) -> None:
    for days in (3, 1, 2, 2, 9):
        marked(house, days)
    house.clock.move(days=3)
    who, seen = house.who("archivist"), []
    while page := house.board.list(who, after=(seen[-1].deadline.due, seen[-1].deadline.id) if seen else None, limit=2):
        seen += page
    assert [each.late for each in seen] == [True, True, True, False, False]
    assert len({each.deadline.id for each in seen}) == 5
    assert len(house.board.list(who, late=True, limit=10)) == 3
    assert house.board.list(who, kind=DeadlineKind.GRANT_END, limit=10) == []


def test_the_end_of_a_grant_is_told_to_the_person_and_to_who_gives_rights_and_passes_by_itself(
    house: SimpleNamespace,
) -> None:
    rights, security = house.web.services.house.rights, house.who("security")
    staff, fonds = house.web.people["staff"].id, house.web.category.fonds_id
    rights.grant(security, staff, fonds_id=fonds, until=house.day() + timedelta(3))
    ended = rights.grant(security, staff, fonds_id=fonds, until=house.day() + timedelta(3))
    rights.revoke(security, ended)
    house.sweep.run()
    assert sorted(told(house)) == [("security", "before_3", False), ("staff", "before_3", False)]
    assert len(house.board.list(house.who("staff"), limit=10)) == 1
    assert house.board.list(house.who("archivist"), limit=10) == []
    house.clock.move(days=4)
    house.sweep.run()
    assert house.board.list(house.who("staff"), limit=10) == []
    with house.db.reading() as session:
        assert set(session.scalars(select(Deadline.state))) == {DeadlineState.LAPSED}


def test_a_kind_that_nobody_watches_here_waits_for_who_does(house: SimpleNamespace) -> None:
    marked(house, 7)
    alone = DueSweep(house.db, house.guard, house.log, house.messages, [])
    assert alone.run() == 0
    assert house.sweep.run() == 1


ALONE = {name: value for name, value in os.environ.items() if not name.startswith("JUANKU_")} | {
    "PYTHONPATH": str(ROOT)
}
"""A process of its own knows of no server."""

KILLED = """
import sys
from pathlib import Path
from archive import failpoints
from tests.unit.test_deadlines import an_old_house

with an_old_house(Path(sys.argv[1])) as house:
    failpoints.arm(sys.argv[2] + ":kill")
    house.sweep.run()
"""


@contextmanager
def an_old_house(folder: Path) -> Iterator[SimpleNamespace]:
    """Open the database of a house once more, in another process."""
    db, clock = another(folder), FixedClock()
    log = Log(RingVault(KeyRing.open(folder / "ring"), clock), clock)
    guard = Guard(db, log, clock, "Asia/Shanghai")
    yield SimpleNamespace(db=db, sweep=DueSweep(db, guard, log, Messages(db, guard), watches(guard)))
    db.close()


@ONLY_SQLITE
@pytest.mark.parametrize("where", ["due.planned", "due.written"])
def test_a_sweep_that_is_killed_tells_nothing_and_the_next_tells_all_once(tmp_path: Path, where: str) -> None:
    with a_house(tmp_path) as own:
        for _ in range(3):
            marked(own, 7)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path), where], cwd=ROOT, env=ALONE,
            check=False, timeout=240,
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL
        assert told(own) == []
        assert own.sweep.run() == 3
        assert len(told(own)) == 3
