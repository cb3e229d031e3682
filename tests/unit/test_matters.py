"""Unsettled matters keep what they hang on from being destroyed, until someone says that they are settled."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from archive.errors import Ended, InvalidInput, NotAllowed, NotFound
from archive.ids import new_id
from archive.model import MatterKind, Stop, Subject
from retention.last_check import stops
from tests.factories.retained import RetainedHouse, retained_house

OLD: dict[str, Any] = {"drawn_up": "1990", "drawn_to": date(1990, 12, 31)}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RetainedHouse]:
    house = retained_house(tmp_path)
    house.schedule("A", house.house.category, term="D10")
    yield house
    house.house.db.close()


def stop(made: RetainedHouse, key: UUID) -> Stop | None:
    with made.house.db.reading() as session:
        return stops(session, [key], made.house.guard.day()).get(key)


def a_subject(made: RetainedHouse) -> UUID:
    house = made.house
    with house.db.writing() as work:
        row = Subject(
            id=new_id(), fonds_id=house.category.fonds_id, kind="owner", facts={}, created_at=made.clock.now()
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        house.vault.add_owner(work.session, row.id, due_year=None)
        work.commit()
    return row.id


def test_a_matter_of_a_record_keeps_it_until_it_is_settled(made: RetainedHouse) -> None:
    house, matters = made.house, made.retention.matters
    [key] = made.filed(house.add("索赔单", **OLD))
    assert stop(made, key) is None
    matter = matters.open_of_record(house.archivist, key, MatterKind.CLAIM, "业主索赔未结")
    assert stop(made, key) is Stop.UNSETTLED
    [shown] = matters.of_record(house.archivist, key)
    assert (shown.why, shown.closed_why) == ("业主索赔未结", "")
    matters.close(house.archivist, matter, "已赔付")
    assert stop(made, key) is None
    [shown] = matters.list(house.archivist, closed=True, limit=5)
    assert (shown.title, shown.closed_why) == ("索赔单", "已赔付")
    with pytest.raises(Ended):
        matters.close(house.archivist, matter, "再结")


def test_one_of_a_dossier_keeps_its_items_and_one_of_a_subject_all_its_records(made: RetainedHouse) -> None:
    house, matters = made.house, made.retention.matters
    dossier, [first, second] = house.filled(2, **OLD)
    alone, subject = house.add("单件", **OLD), a_subject(made)
    made.subjects.link(house.archivist, alone, subject)
    made.filed(first, second, alone)
    matters.open_of_record(house.archivist, dossier, MatterKind.LAWSUIT, "在诉")
    assert [stop(made, each) for each in (first, second, alone)] == [Stop.UNSETTLED, Stop.UNSETTLED, None]
    matter = matters.open_of_subject(house.archivist, subject, MatterKind.UNPAID, "欠费")
    assert stop(made, alone) is Stop.UNSETTLED
    assert [each.why for each in matters.of_subject(house.archivist, subject)] == ["欠费"]
    matters.close(house.archivist, matter, "已清")
    assert stop(made, alone) is None


def test_what_is_split_off_a_subject_is_kept_by_what_was_open_then_until_it_is_settled(made: RetainedHouse) -> None:
    house, matters = made.house, made.retention.matters
    keys = [house.add(f"件{at}", **OLD) for at in range(3)]
    subject = a_subject(made)
    for key in keys:
        made.subjects.link(house.archivist, key, subject)
    made.filed(*keys)
    matter = matters.open_of_subject(house.archivist, subject, MatterKind.CLAIM, "索赔")
    made.clock.move(seconds=1)
    off = made.subjects.split(house.archivist, subject, {"name": "张三"}, keys[1:])
    made.clock.move(seconds=1)
    again = made.subjects.split(house.archivist, off, {"name": "李四"}, keys[2:])
    assert [stop(made, each) for each in keys] == [Stop.UNSETTLED] * 3
    for each in (subject, off, again):
        assert [one.why for one in matters.of_subject(house.archivist, each)] == ["索赔"]
    matters.close(house.archivist, matter, "已赔付")
    assert [stop(made, each) for each in keys] == [None] * 3
    made.clock.move(seconds=1)
    matters.open_of_subject(house.archivist, off, MatterKind.UNPAID, "欠费")
    assert [stop(made, each) for each in keys] == [None, Stop.UNSETTLED, None], "later it is that one's alone"


def test_what_was_split_off_and_merged_back_or_into_another_is_kept_and_shown(made: RetainedHouse) -> None:
    house, matters, subjects = made.house, made.retention.matters, made.subjects
    keys, subject, other = [house.add(f"件{at}", **OLD) for at in range(4)], a_subject(made), a_subject(made)
    for key, its in zip(keys, (subject, subject, subject, other), strict=True):
        subjects.link(house.archivist, key, its)
    made.filed(*keys)
    matters.open_of_subject(house.archivist, subject, MatterKind.LAWSUIT, "在诉")
    made.clock.move(seconds=1)
    off = subjects.split(house.archivist, subject, {"name": "张三"}, keys[1:2])
    away = subjects.split(house.archivist, subject, {"name": "李四"}, keys[2:3])
    made.clock.move(seconds=1)
    subjects.merge(house.archivist, off, subject)
    subjects.merge(house.archivist, away, other)
    assert [stop(made, each) for each in keys] == [Stop.UNSETTLED] * 4
    for each in (subject, off, other):
        assert [one.why for one in matters.of_subject(house.archivist, each)] == ["在诉"]


def test_only_archivists_who_see_the_record_enter_matters(made: RetainedHouse) -> None:
    house, matters = made.house, made.retention.matters
    [key] = made.filed(house.add("索赔单", **OLD))
    with pytest.raises(NotAllowed):
        matters.open_of_record(house.staff, key, MatterKind.CLAIM, "x")
    with pytest.raises(NotFound):
        matters.open_of_record(house.branch, key, MatterKind.CLAIM, "x")
    with pytest.raises(NotAllowed):
        matters.open_of_subject(house.staff, a_subject(made), MatterKind.CLAIM, "x")
    with pytest.raises(InvalidInput):
        matters.open_of_record(house.archivist, key, MatterKind.CLAIM, " ")
    matters.open_of_record(house.archivist, key, MatterKind.CLAIM, "x")
    assert matters.list(house.branch, limit=5) == []
