"""Renewals: an archivist proposes that records be kept longer, others decide; what is granted is a clock's fact."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import Ended, InvalidInput, NotAllowed, NotFound, OwnRequest
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.model import (
    ApprovalState,
    Destruction,
    DestructionItem,
    DestructionMethod,
    DueState,
    LogEntry,
    RecordExtension,
    Stop,
)
from archive.model.retention import RenewalItem
from archive.purging import remove_records
from retention.last_check import stops
from retention.renewal_rules import Extent
from retention.renewals import MOST, Wish
from tests.factories import people
from tests.factories.retained import RetainedHouse, retained_house

OLD: dict[str, Any] = {"drawn_up": "1990", "drawn_to": date(1990, 12, 31)}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RetainedHouse]:
    house = retained_house(tmp_path)
    house.schedule("A", house.house.category, term="D10")
    yield house
    house.house.db.close()


@pytest.fixture
def approver(made: RetainedHouse) -> Identity:
    with made.house.db.writing() as work:
        person = people.a_person(work.session, "批", roles=[Role.APPROVER], clearance=3)
        people.grants(work.session, person, fonds=made.house.category.fonds_id)
        work.commit()
        return Identity("批", person.id, frozenset({Role.APPROVER}))


def due(made: RetainedHouse, count: int = 1) -> list[UUID]:
    return list(made.filed(*(made.house.add(f"件{at}", **OLD) for at in range(1, count + 1))))


def ask(made: RetainedHouse, keys: list[UUID], extent: Extent | None = None, who: Identity | None = None) -> UUID:
    wish = Wish(keys, extent or Extent(years=10), "仍有查考价值", "档案鉴定委员会")
    return made.retention.renewals.ask(who or made.house.archivist, wish)


def codes(faulty: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in faulty.value.faults]


def test_what_is_granted_is_kept_on_and_nothing_before(made: RetainedHouse, approver: Identity) -> None:
    keys = due(made, 2)
    first = made.day(keys[0])
    renewal = ask(made, keys)
    assert [made.day(key) for key in keys] == [first, first]
    shown = made.retention.renewals.show(approver, renewal)
    assert (shown.authority, shown.why, shown.whole, shown.may_decide) == ("档案鉴定委员会", "仍有查考价值", True, True)
    state = made.retention.renewals.decide(approver, renewal, "同意延长", approve=True)
    assert state is ApprovalState.APPROVED
    today = made.house.guard.day()
    assert [made.day(key) for key in keys] == [today.replace(year=today.year + 10)] * 2
    assert made.wrong() == []
    with made.house.db.reading() as session:
        assert set(stops(session, keys, today).values()) == {Stop.UNDUE}
        rows = session.scalars(select(LogEntry).where(LogEntry.act == "record.keep_on")).all()
        assert {row.record_id for row in rows} == set(keys)
    with pytest.raises(Ended):
        made.retention.renewals.decide(approver, renewal, "再同意", approve=True)


def test_kept_for_good_is_never_due_again_and_no_schedule_changes_that(made: RetainedHouse, approver: Identity) -> None:
    [key] = due(made)
    made.retention.renewals.decide(approver, ask(made, [key], Extent()), "同意永久保存", approve=True)
    assert made.kept(key) == (DueState.NEVER, None)
    with pytest.raises(InvalidInput) as faulty:
        ask(made, [key])
    assert codes(faulty) == [("records", "kept_for_good")]
    assert made.wrong() == []


def test_a_renewal_never_shortens_whatever_the_clock_says_by_then(made: RetainedHouse, approver: Identity) -> None:
    [key] = due(made)
    short = ask(made, [key], Extent(years=1))
    with made.house.db.writing() as work:
        work.session.get_one(type(made.house.row(key)), key).term = "D60"
        work.session.flush()
        made.retention.due_days.again(work.session, [key])
        work.commit()
    longest = made.day(key)
    made.retention.renewals.decide(approver, short, "同意", approve=True)
    assert made.day(key) == longest == date(2051, 1, 1)
    with pytest.raises(InvalidInput) as faulty:
        ask(made, [key], Extent(through=2050))
    assert codes(faulty) == [("records", "not_longer")]


def test_nobody_decides_their_own_and_who_does_not_decide_is_refused(made: RetainedHouse, approver: Identity) -> None:
    renewal = ask(made, due(made))
    with pytest.raises(OwnRequest):
        made.retention.renewals.decide(made.house.archivist, renewal, "同意", approve=True)
    with pytest.raises(NotAllowed):
        made.retention.renewals.decide(made.house.colleague, renewal, "同意", approve=True)
    with made.house.db.reading() as session:
        assert made.retention.renewals.count(session, approver) == 1
        assert made.retention.renewals.count(session, made.house.archivist) == 0


@pytest.mark.usefixtures("approver")
def test_who_does_not_read_all_of_it_decides_nothing_and_sees_their_part(made: RetainedHouse) -> None:
    house = made.house
    made.schedule("B", house.other, term="D10")
    [first] = due(made)
    [second] = made.filed(house.add("另一类", category=house.other, **OLD))
    renewal = ask(made, [first, second])
    with house.db.writing() as work:
        person = people.a_person(work.session, "分", roles=[Role.APPROVER], clearance=3)
        people.grants(work.session, person, category=house.other.id)
        work.commit()
        partly = Identity("分", person.id, frozenset({Role.APPROVER}))
    shown = made.retention.renewals.show(partly, renewal)
    assert ([record.id for _, record in shown.items], shown.whole, shown.may_decide) == ([second], False, False)
    with pytest.raises(NotAllowed):
        made.retention.renewals.decide(partly, renewal, "同意", approve=True)
    with house.db.reading() as session:
        assert made.retention.renewals.count(session, partly) == 0
    [(_, count)] = made.retention.renewals.every(partly, limit=5)
    assert count == 1


def test_it_is_taken_back_while_it_is_open_by_who_asked(made: RetainedHouse, approver: Identity) -> None:
    [key] = due(made)
    renewal = ask(made, [key])
    with pytest.raises(InvalidInput) as faulty:
        ask(made, [key])
    assert codes(faulty) == [("records", "under_renewal")]
    with pytest.raises(NotAllowed):
        made.retention.renewals.withdraw(made.house.colleague, renewal)
    made.retention.renewals.withdraw(made.house.archivist, renewal)
    with pytest.raises(Ended):
        made.retention.renewals.decide(approver, renewal, "同意", approve=True)
    again = ask(made, [key])
    made.retention.renewals.decide(approver, again, "不必再留", approve=False)
    assert made.day(key) == date(2001, 1, 1)
    assert len(made.retention.renewals.every(approver, decided=True, limit=5)) == 2


def test_what_leaves_is_not_renewed_neither_asked_nor_granted(made: RetainedHouse, approver: Identity) -> None:
    house = made.house
    free, listed = due(made, 2)
    renewal = ask(made, [listed])
    with house.db.writing() as work:
        row = Destruction(
            id=new_id(), number="XH2026-0001", purpose="到期", method=DestructionMethod.DELETION, place="",
            begun_by=house.archivist.person_id, begun_at=made.clock.now(),
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        work.session.add(DestructionItem(destruction_id=row.id, record_id=listed, position=1))
        work.commit()
    with pytest.raises(InvalidInput) as faulty:
        made.retention.renewals.decide(approver, renewal, "同意", approve=True)
    assert codes(faulty) == [("records", "on_destruction_list")]
    assert made.retention.renewals.show(approver, renewal).approval.state is ApprovalState.ASKED
    with pytest.raises(InvalidInput) as faulty:
        ask(made, [free, listed])
    assert codes(faulty) == [("records", "on_destruction_list")]


def test_only_archivists_ask_of_records_that_they_read_and_say_why(made: RetainedHouse, approver: Identity) -> None:
    [key] = due(made)
    with pytest.raises(NotAllowed):
        ask(made, [key], who=approver)
    with pytest.raises(NotFound):
        ask(made, [key], who=made.house.branch)
    with pytest.raises(NotAllowed):
        ask(made, [made.house.add("草稿", **OLD)])
    with pytest.raises(InvalidInput) as faulty:
        made.retention.renewals.ask(made.house.archivist, Wish([], Extent(years=0), " ", "长" * 201))
    assert codes(faulty) == [
        ("reason", "required"), ("authority", "too_long"), ("years", "out_of_range"), ("records", "out_of_range"),
    ]  # fmt: skip
    with pytest.raises(InvalidInput) as faulty:
        ask(made, [new_id() for _ in range(MOST + 1)])
    assert codes(faulty) == [("records", "out_of_range")]


def test_a_dossier_that_is_renewed_keeps_all_that_lies_in_it(made: RetainedHouse, approver: Identity) -> None:
    house = made.house
    dossier, items = house.dossier(**OLD), [house.add(f"件{at}", **OLD) for at in (1, 2)]
    house.arranging.put_in(house.archivist, dossier, items)
    made.filed(dossier, *items)
    assert made.day(items[0]) == date(2001, 1, 1)
    made.retention.renewals.decide(approver, ask(made, [dossier], Extent(through=2040)), "同意", approve=True)
    assert {made.day(key) for key in items} == {date(2041, 1, 1)}


def test_what_is_removed_takes_its_renewals_along(made: RetainedHouse, approver: Identity) -> None:
    one, other = due(made, 2)
    for keys in ([one], [other]):
        made.retention.renewals.decide(approver, ask(made, keys), "同意", approve=True)
    both = ask(made, [one, other], Extent())
    with made.house.db.writing() as work:
        remove_records(work.session, [one])
        work.commit()
    with made.house.db.reading() as session:
        for table in (RenewalItem, RecordExtension):
            assert set(session.scalars(select(table.record_id))) == {other}
    made.retention.renewals.decide(approver, both, "同意", approve=True)
    assert made.kept(other) == (DueState.NEVER, None)
