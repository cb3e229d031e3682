"""Holds: they count at once, by rule and by row, for what comes later too, until another person releases them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select, update

from archive.errors import ArchiveError, Ended, Held, InvalidInput, NotAllowed, OwnRequest
from archive.identity import Role
from archive.model import (
    Content,
    ContentState,
    File,
    FileRole,
    HoldKind,
    HoldRecord,
    Medium,
    Record,
    RecordState,
    Security,
    ShelfKind,
    ShelfPlace,
)
from archive.shelving.copies import CopyFacts
from archive.shelving.tree import HOLDERS, PlaceFacts
from archive.shelving.whole import Shelving
from retention.bin import EmptyBin
from retention.holding import HoldCheck, held
from retention.holds import AT_ONCE, BATCH, KeepHolds, Wanted
from tests.factories.people import a_person, grants, identity_of
from tests.factories.retained import RetainedHouse, claimed, retained_house

REVIEW = date(2030, 1, 1)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RetainedHouse]:
    house = retained_house(tmp_path)
    yield house
    house.house.db.close()


def place(made: RetainedHouse, kind: str, **covers: Any) -> UUID:
    wanted = Wanted(HoldKind(kind), covers, "维保争议", "证据保全", "法院", REVIEW)
    return made.retention.holds.place(made.house.archivist, wanted)


def names(made: RetainedHouse, key: UUID) -> list[str]:
    with made.house.db.reading() as session:
        return [each.name for each in held(session, [key]).get(key, ())]


def rows(made: RetainedHouse) -> int:
    with made.house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(HoldRecord)) or 0


def correct(made: RetainedHouse, key: UUID, title: str = "改题") -> UUID:
    version = made.house.row(key).version
    return made.corrections.ask(made.house.archivist, key, {"title": title}, "更正", version)


def test_a_hold_by_rule_counts_at_once_before_any_row_is_written_and_for_what_comes_later(made: RetainedHouse) -> None:
    house = made.house
    here, other = house.add("电梯合同"), house.add("电梯合同", category=house.other)
    place(made, "category", id=str(house.category.id))
    assert rows(made) == 0
    assert names(made, here) == ["维保争议"]
    assert names(made, other) == []
    later = house.add("后来的一件")
    assert names(made, later) == ["维保争议"]
    made.filed(later)  # a change of it writes its row in the same transaction
    assert rows(made) == 1
    made.work()
    assert rows(made) == 2


def test_what_is_held_is_not_corrected_whoever_asks_or_approves_and_is_again_when_released(made: RetainedHouse) -> None:
    house = made.house
    [key] = made.filed(house.add("电梯合同"))
    asked = correct(made, key)
    hold = place(made, "record", id=str(key))
    with pytest.raises(Held):
        correct(made, key, "再改")
    with pytest.raises(Held):
        made.corrections.decide(house.colleague, asked, "同意", approve=True)
    assert house.row(key).title == "电梯合同"
    with pytest.raises(OwnRequest):
        made.retention.holds.release(house.archivist, hold, "结案")
    with pytest.raises(NotAllowed):
        made.retention.holds.release(house.staff, hold, "结案")
    with pytest.raises(InvalidInput):
        made.retention.holds.release(house.colleague, hold, " ")
    made.retention.holds.release(house.colleague, hold, "结案")
    assert names(made, key) == []  # at once: its row is still there
    made.corrections.decide(house.colleague, asked, "同意", approve=True)
    assert house.row(key).title == "改题"
    with pytest.raises(Ended):
        made.retention.holds.release(house.colleague, hold, "结案")
    made.work()
    assert rows(made) == 0


def test_every_hold_on_a_record_is_named_and_releasing_one_leaves_the_others(made: RetainedHouse) -> None:
    house = made.house
    dossier, [item, *_] = house.filled(2)
    first, second = place(made, "dossier", id=str(dossier)), place(made, "query", words=["件1"])
    assert len(names(made, item)) == 2
    made.retention.holds.release(house.colleague, first, "结案")
    assert len(names(made, item)) == 1
    assert names(made, dossier) == []
    made.retention.holds.release(house.colleague, second, "结案")
    assert names(made, item) == []


def test_what_was_once_covered_stays_held_though_it_leaves_the_dossier_or_its_title_changes(
    made: RetainedHouse,
) -> None:
    house = made.house
    dossier, [item, *_] = house.filled(2)
    place(made, "dossier", id=str(dossier))
    made.work()
    house.arranging.take_out(house.archivist, dossier, [item])
    assert names(made, item) == ["维保争议"]


def test_the_bin_keeps_what_is_held_and_removes_the_rest_however_much_is_held_before_it(made: RetainedHouse) -> None:
    house = made.house
    kept = [house.add(f"冻结{n}") for n in range(60)]
    gone = [house.add(f"误录{n}") for n in range(3)]
    place(made, "query", words=["冻结"])
    with house.db.writing() as work:
        work.session.execute(update(Record).values(state=RecordState.BINNED, binned_at=made.clock.now()))
        work.commit()
    made.clock.move(days=31)
    emptying = EmptyBin(
        house.db,
        _Nothing(),
        [],
        made.retention.schedules._log,
        made.retention.schedules._outbox,
        made.clock,  # type: ignore[arg-type]
    )
    emptying.run([claimed()])
    with house.db.reading() as session:
        left = set(session.scalars(select(Record.id)))
    assert left == set(kept)
    assert not left & set(gone)


class _Nothing:
    def give_up(self, *_: Any) -> None:
        """Nothing was left behind."""


class Bucket:
    """Remembers which objects are under legal hold."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    def hold(self, key: str, _version: str, *, on: bool) -> None:
        (self.held.add if on else self.held.discard)(key)


def stored(made: RetainedHouse) -> UUID:
    """Make a record with a file in the store."""
    key = made.house.add("电梯合同")
    with made.house.db.writing() as work:
        file = File(record_id=key, name="a.pdf", role=FileRole.ORIGINAL)
        work.session.add(file)
        work.session.flush()
        content = Content(
            file_id=file.id, record_id=key, object_key="ab/cd", store_version="1", state=ContentState.STORED,
            created_at=made.clock.now(),
        )  # fmt: skip
        work.session.add(content)
        work.commit()
    return key


def test_the_store_holds_the_objects_too_until_no_hold_is_left(made: RetainedHouse) -> None:
    house, bucket = made.house, Bucket()
    key = stored(made)
    keeping = KeepHolds(house.db, made.retention.schedules._log, made.clock, bucket)  # type: ignore[arg-type]
    one, two = place(made, "record", id=str(key)), place(made, "category", id=str(house.category.id))
    keeping.run([claimed(one), claimed(two)])
    assert bucket.held == {"ab/cd"}
    made.retention.holds.release(house.colleague, one, "结案")
    keeping.run([claimed(one)])
    assert bucket.held == {"ab/cd"}
    made.retention.holds.release(house.colleague, two, "结案")
    keeping.run([claimed(two)])
    assert bucket.held == set()
    assert rows(made) == 0


def test_the_store_goes_on_holding_for_a_hold_that_was_written_while_it_let_go(made: RetainedHouse) -> None:
    house, bucket = made.house, Bucket()
    key = stored(made)
    keeping = KeepHolds(house.db, made.retention.schedules._log, made.clock, bucket)  # type: ignore[arg-type]
    one = place(made, "record", id=str(key))
    keeping.run([claimed(one)])
    made.retention.holds.release(house.colleague, one, "结案")
    letting_go = bucket.hold

    def meanwhile(key_: str, version: str, *, on: bool) -> None:
        if not on:
            bucket.hold = letting_go  # type: ignore[method-assign]
            keeping.run([claimed(place(made, "category", id=str(house.category.id)))])
        letting_go(key_, version, on=on)

    bucket.hold = meanwhile  # type: ignore[method-assign]
    keeping.run([claimed(one)])
    assert bucket.held == {"ab/cd"}


def test_a_job_that_breaks_off_goes_on_and_writes_each_row_once(made: RetainedHouse) -> None:
    house = made.house
    for n in range(BATCH + 20):
        house.add(f"件{n}")
    hold = place(made, "category", id=str(house.category.id))
    keeping = KeepHolds(house.db, made.retention.schedules._log, made.clock, None)
    keeping.run([claimed(hold, held=0)])
    assert rows(made) == 0
    keeping.run([claimed(hold)])
    keeping.run([claimed(hold)])
    assert rows(made) == BATCH + 20


@pytest.mark.parametrize(
    ("kind", "covers", "field"),
    [
        ("category", {}, "category"),
        ("category", {"id": str(UUID(int=1))}, "category"),
        ("place", {"path": "Z9/"}, "place"),
        ("query", {}, "query"),
        ("query", {"sql": "1=1"}, "sql"),
        ("query", {"words": ["。"]}, "words"),
        ("query", {"words": ["电梯", "-"]}, "words"),
        ("query", {"responsible": " "}, "responsible"),
    ],
)
def test_a_hold_that_would_cover_nothing_known_is_refused(
    made: RetainedHouse, kind: str, covers: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        place(made, kind, **covers)
    assert field in {each.field for each in refused.value.faults}
    with pytest.raises(ArchiveError):
        place(made, "record", id=str(UUID(int=1)))


def test_files_of_a_held_record_are_not_taken_off(made: RetainedHouse) -> None:
    key = made.house.add("电梯合同")
    place(made, "record", id=str(key))
    with made.house.db.reading() as session, pytest.raises(Held) as refused:
        HoldCheck().require_free(session, key, "file.take_off")
    assert refused.value.facts == {"act": "file.take_off", "count": 1}


@dataclass
class Room:
    """A store room with a cabinet, two shelves and a box on each."""

    shelving: Shelving
    cabinet: UUID
    shelves: tuple[UUID, UUID]
    boxes: tuple[UUID, UUID]


@pytest.fixture
def room(made: RetainedHouse) -> Room:
    house, schedules = made.house, made.retention.schedules
    shelving = Shelving(house.db, schedules._guard, schedules._log, made.clock)

    def add(kind: ShelfKind, code: str, parent: UUID | None = None) -> UUID:
        facts = PlaceFacts(
            {"zh_CN": "库房"} if kind is ShelfKind.ROOM else {}, Security.CABINET if kind is ShelfKind.ROOM else None,
            50 if kind in HOLDERS else None,
        )  # fmt: skip
        return shelving.tree.add(house.archivist, kind, code, facts, parent)

    cabinet = add(ShelfKind.CABINET, "1", add(ShelfKind.ROOM, "K"))
    one, two = add(ShelfKind.SHELF, "1", cabinet), add(ShelfKind.SHELF, "10", cabinet)
    return Room(shelving, cabinet, (one, two), (add(ShelfKind.BOX, "1", one), add(ShelfKind.BOX, "1", two)))


def lay(made: RetainedHouse, room: Room, key: UUID, where: UUID) -> None:
    who, shelving = made.house.archivist, room.shelving
    [copy] = [each.copy for each in shelving.copies.of(who, key)] or [shelving.copies.add(who, key, CopyFacts())]
    made.clock.move(seconds=1)
    shelving.placing.place(who, copy.id, where, copy.version)


def papers(made: RetainedHouse, *titles: str) -> list[UUID]:
    keys = [made.house.add(title, medium=Medium.PAPER) for title in titles]
    made.filed(*keys)
    return keys


@pytest.mark.postgres
def test_a_hold_on_a_shelf_covers_what_lies_there_or_is_put_there_later_also_when_it_leaves(
    made: RetainedHouse, room: Room
) -> None:
    there, beside, later, back = papers(made, "先在", "旁边", "后来", "拿走")
    lay(made, room, there, room.boxes[0])
    lay(made, room, beside, room.boxes[1])
    lay(made, room, back, room.boxes[0])
    lay(made, room, back, room.boxes[1])  # it left before
    made.clock.move(seconds=1)
    hold = place(made, "shelf", id=str(room.shelves[0]))
    assert [names(made, key) for key in (there, beside, later, back)] == [["维保争议"], [], [], []]
    with pytest.raises(Held):
        correct(made, there)
    lay(made, room, later, room.boxes[0])
    assert names(made, later) == ["维保争议"]
    for key in (there, later):
        lay(made, room, key, room.boxes[1])
        assert names(made, key) == ["维保争议"]
    assert [each.id for each in made.retention.holds.show(made.house.archivist, hold, 9)[2]] == sorted((there, later))
    made.retention.holds.release(made.house.colleague, hold, "结案")
    assert [names(made, key) for key in (there, later)] == [[], []]


def test_a_held_box_takes_its_hold_along_and_a_held_cabinet_keeps_what_stood_in_it(
    made: RetainedHouse, room: Room
) -> None:
    [key, after] = papers(made, "先在", "后来")
    lay(made, room, key, room.boxes[0])
    cabinet = place(made, "shelf", id=str(room.cabinet))
    made.work()
    other = room.shelving.tree.add(
        made.house.archivist, ShelfKind.ROOM, "L", PlaceFacts({"zh_CN": "另一库房"}, Security.CABINET)
    )
    stack = room.shelving.tree.add(made.house.archivist, ShelfKind.CABINET, "1", PlaceFacts(), other)
    shelf = room.shelving.tree.add(made.house.archivist, ShelfKind.SHELF, "1", PlaceFacts(capacity=9), stack)
    box = place(made, "shelf", id=str(room.boxes[0]))
    made.retention.holds.release(made.house.colleague, box, "结案")
    box = place(made, "shelf", id=str(room.boxes[0]))
    room.shelving.tree.move(made.house.archivist, room.boxes[0], shelf, 1)
    assert len(names(made, key)) == 2
    lay(made, room, after, room.boxes[0])
    assert len(names(made, after)) == 1
    made.retention.holds.release(made.house.colleague, cabinet, "结案")
    assert [len(names(made, each)) for each in (key, after)] == [1, 1]


def elsewhere(made: RetainedHouse, room: Room) -> UUID:
    """Add a shelf in another room."""
    who, tree = made.house.archivist, room.shelving.tree
    other = tree.add(who, ShelfKind.ROOM, "L", PlaceFacts({"zh_CN": "另一库房"}, Security.CABINET))
    return tree.add(
        who, ShelfKind.SHELF, "1", PlaceFacts(capacity=9), tree.add(who, ShelfKind.CABINET, "1", PlaceFacts(), other)
    )


@pytest.mark.postgres
@pytest.mark.parametrize("at_once", [AT_ONCE, 0])
def test_what_leaves_a_held_room_in_its_box_stays_held_whether_its_row_is_written_or_not(
    made: RetainedHouse, room: Room, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.holds.AT_ONCE", at_once)
    [key, later, never] = papers(made, "先在", "后来", "不在")
    lay(made, room, key, room.boxes[0])
    lay(made, room, never, room.boxes[1])
    place(made, "shelf", id=str(room.shelves[0]))
    assert rows(made) == min(at_once, 1)
    assert [names(made, each) for each in (key, never)] == [["维保争议"], []]
    lay(made, room, later, room.boxes[0])
    room.shelving.tree.move(made.house.archivist, room.boxes[0], elsewhere(made, room), 1)
    for _ in range(2):
        assert [names(made, each) for each in (key, later, never)] == [["维保争议"], ["维保争议"], []]
        assert rows(made) == 2
        made.work()
    with pytest.raises(Held):
        correct(made, key)


@pytest.mark.postgres
def test_a_box_that_comes_to_a_held_cabinet_holds_what_lies_in_it_and_not_what_left_it_before(
    made: RetainedHouse, room: Room
) -> None:
    [left, inside] = papers(made, "拿走", "盒中")
    shelf, who = elsewhere(made, room), made.house.archivist
    box = room.shelving.tree.add(who, ShelfKind.BOX, "7", PlaceFacts(capacity=9), shelf)
    place(made, "shelf", id=str(room.cabinet))
    lay(made, room, left, box)
    lay(made, room, inside, box)
    lay(made, room, left, shelf)
    room.shelving.tree.move(who, box, room.shelves[0], 1)
    KeepHolds(made.house.db, made.retention.schedules._log, made.clock, None).run([claimed()])
    assert [names(made, each) for each in (left, inside)] == [[], ["维保争议"]]
    assert rows(made) == 1


def test_what_leaves_before_the_clock_of_another_machine_says_that_the_hold_stands_is_held(
    made: RetainedHouse, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.holds.AT_ONCE", 0)
    [key] = papers(made, "先在")
    lay(made, room, key, room.boxes[0])
    place(made, "shelf", id=str(room.shelves[0]))
    made.clock.move(seconds=-9)
    lay(made, room, key, room.boxes[1])
    assert names(made, key) == ["维保争议"]


@pytest.mark.postgres
def test_items_bound_in_with_a_dossier_that_lies_at_a_held_place_are_held_with_it(
    made: RetainedHouse, room: Room
) -> None:
    house = made.house
    dossier, [bound, taken_out, scan] = house.filled(3)
    later = house.add("后来", medium=Medium.PAPER)
    with house.db.writing() as work:
        paper = update(Record).where(Record.id.in_([dossier, bound, taken_out])).values(medium=Medium.PAPER)
        work.session.execute(paper)
        work.session.execute(update(Record).where(Record.id == scan).values(medium=Medium.ELECTRONIC))
        work.commit()
    made.filed(dossier)
    every = (dossier, bound, taken_out, scan, later)
    hold = place(made, "shelf", id=str(room.boxes[0]))
    assert [len(names(made, each)) for each in every] == [0, 0, 0, 0, 0]
    lay(made, room, dossier, room.boxes[0])
    assert [len(names(made, each)) for each in every] == [1, 1, 1, 0, 0]
    house.arranging.take_out(house.archivist, dossier, [taken_out])
    with house.db.writing() as work:
        work.session.execute(update(Record).where(Record.id == later).values(dossier_id=dossier, position=9))
        work.commit()
    assert [len(names(made, each)) for each in every] == [1, 1, 1, 0, 1]
    lay(made, room, dossier, room.shelves[1])
    assert [len(names(made, each)) for each in every] == [1, 1, 1, 0, 1]
    listed = made.retention.holds.show(house.archivist, hold, 9)[2]
    assert {each.id for each in listed} == {dossier, bound, taken_out, later}


def test_a_check_asks_as_much_of_a_hundred_holds_on_shelves_as_of_one(made: RetainedHouse, room: Room) -> None:
    [key] = papers(made, "先在")
    lay(made, room, key, room.boxes[0])
    asked: list[str] = []
    event.listen(made.house.db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    def statements() -> int:
        asked.clear()
        with made.house.db.reading() as session:
            held(session, [key])
        return len(asked)

    place(made, "shelf", id=str(room.cabinet))
    one = statements()
    for where in (*room.shelves, *room.boxes) * 2:
        place(made, "shelf", id=str(where))
    assert (statements(), len(names(made, key))) == (one, 5)


def test_the_rounds_of_the_job_write_nothing_where_nothing_moved(made: RetainedHouse, room: Room) -> None:
    [key] = papers(made, "先在")
    lay(made, room, key, room.boxes[0])
    place(made, "shelf", id=str(room.cabinet))
    made.work()
    written: list[float] = []
    made.house.db._on_write = written.append
    KeepHolds(made.house.db, made.retention.schedules._log, made.clock, None).run([claimed()])
    assert written == []


def test_what_came_to_a_held_shelf_has_its_row_at_once_and_its_objects_held_by_the_next_round(
    made: RetainedHouse, room: Room
) -> None:
    key = stored(made)
    with made.house.db.writing() as work:
        work.session.execute(update(Record).where(Record.id == key).values(medium=Medium.BOTH))
        work.commit()
    made.filed(key)
    place(made, "shelf", id=str(room.shelves[0]))
    made.work()
    lay(made, room, key, room.boxes[0])
    assert rows(made) == 1
    bucket = Bucket()
    keeping = KeepHolds(made.house.db, made.retention.schedules._log, made.clock, bucket)
    keeping.run([claimed()])
    assert (rows(made), bucket.held) == (1, {"ab/cd"})


def test_a_shelf_that_is_not_there_or_not_shown_to_who_asks_is_held_by_nobody(made: RetainedHouse, room: Room) -> None:
    for wrong in (uuid4(), made.house.category.id):
        with pytest.raises(InvalidInput) as error:
            place(made, "shelf", id=str(wrong))
        assert [(each.field, each.code) for each in error.value.faults] == [("shelf", "unknown")]
    with pytest.raises(InvalidInput):
        place(made, "shelf", path="K-1")
    with pytest.raises(InvalidInput):
        place(made, "shelf")
    wanted = Wanted(HoldKind.SHELF, {"id": str(room.cabinet)}, "维保争议", "证据保全", "法院", REVIEW)
    with pytest.raises(NotAllowed):
        made.retention.holds.place(made.house.staff, wanted)


def test_a_place_is_held_by_who_sees_shelves_and_papers_of_its_strength_and_its_hold_told_to_who_sees_holds(
    made: RetainedHouse, room: Room
) -> None:
    house = made.house
    with house.db.writing() as work:
        session = work.session
        approver = identity_of(a_person(session, "审", roles=[Role.APPROVER], clearance=4))
        low = identity_of(grantee := a_person(session, "低", roles=[Role.ARCHIVIST], clearance=1))
        grants(session, grantee, fonds=house.category.fonds_id)
        work.commit()
    for who in (approver, low):  # both may place holds
        wanted = Wanted(HoldKind.SHELF, {"id": str(room.boxes[0])}, "维保争议", "证据保全", "法院", REVIEW)
        with pytest.raises(InvalidInput) as refused:
            made.retention.holds.place(who, wanted)
        assert [(each.field, each.code) for each in refused.value.faults] == [("shelf", "unknown")]
    place(made, "shelf", id=str(room.cabinet))
    with house.db.reading() as session:
        box, shelf = session.get_one(ShelfPlace, room.boxes[0]), session.get_one(ShelfPlace, room.shelves[0])
    for where in (box, shelf):
        on = [made.retention.holds.on_shelf(who, where) for who in (house.archivist, approver, house.staff)]
        assert [[each.name for each in some] for some in on] == [["维保争议"], ["维保争议"], []]
