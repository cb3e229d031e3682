"""Holds: they count at once, by rule and by row, for what comes later too, until another person releases them."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from archive.errors import ArchiveError, Ended, Held, InvalidInput, NotAllowed, OwnRequest
from archive.model import Content, ContentState, File, FileRole, HoldKind, HoldRecord, Record, RecordState
from retention.bin import EmptyBin
from retention.holding import HoldCheck, held
from retention.holds import BATCH, KeepHolds, Wanted
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
