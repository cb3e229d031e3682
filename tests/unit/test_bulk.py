"""Many records are edited at once: refused ones are named, a stopped run goes on, and an undo restores what stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from archive.cataloguing.bulk import BulkEditing
from archive.cataloguing.change import Change
from archive.errors import InvalidInput, NotFound, WrongState
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import BulkEdit, BulkEditRow, BulkState, Job, OwnerKey, Record, RowState
from runtime.wiring.parts import NoWaker
from tests.factories import people
from tests.factories.arranged import ArrangedHouse, arranged_house
from tests.fakes.clock import FixedClock

pytestmark = pytest.mark.postgres


@dataclass
class Office:
    """The house, and edits of many records in it."""

    house: ArrangedHouse
    bulk: BulkEditing

    @property
    def who(self) -> Identity:
        return self.house.archivist

    def edit(self, ids: list[UUID], **change: Any) -> UUID:
        key = self.bulk.prepare(self.who, ids, Change(**change))
        self.bulk.start(self.who, key)
        return key

    def run(self, key: UUID, limit: int | None = None) -> list[UUID]:
        done = []
        for each in self.bulk.run(self.who, key):
            done.append(each)
            if len(done) == limit:
                break
        return done

    def counts(self, key: UUID) -> dict[str, int]:
        return {state.value: count for state, count in self.bulk.show(self.who, key).counts.items()}

    def described(self, key: UUID) -> Any:
        with self.house.db.reading() as session:
            return self.house.records.draft_of(session, self.house.row(key))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    house = arranged_house(Path(tmp_path_factory.mktemp("bulk")))
    log, outbox = Log(house.vault, FixedClock()), Outbox(FixedClock(), NoWaker())
    yield Office(house, BulkEditing(house.db, house.guard, house.vault, log, house.records, outbox, FixedClock()))
    house.db.close()


def test_a_preview_asks_no_more_for_many_than_for_few_and_one_that_does_not_open_says_so(office: Office) -> None:
    house = office.house
    made = [house.add(f"多份{n}") for n in range(8)]
    with house.db.writing() as work:
        work.session.get_one(Record, made[3]).sealed_fields = b"spoilt"
        work.commit()
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    def asked(ids: list[UUID]) -> int:
        key = office.bulk.prepare(office.who, ids, Change({"notes": "盘点"}))
        said.clear()
        lines = office.bulk.preview(office.who, key)
        assert [line.record_id for line in lines if line.error] == [each for each in ids if each == made[3]]
        assert {line.after["notes"] for line in lines if not line.error} == {"盘点"}
        return len(said)

    event.listen(house.db.engine, "before_cursor_execute", note)
    try:
        assert asked(made[:2]) == asked(made[4:]) > 0
        asked(made)
    finally:
        event.remove(house.db.engine, "before_cursor_execute", note)


def test_a_preview_says_before_and_after_and_names_each_that_is_refused(office: Office) -> None:
    house = office.house
    draft, filed, hidden = house.add("草稿", keywords=["旧"]), house.add("已归档"), house.add("密件", level=4)
    house.filing.file(office.who, [filed])
    key = office.bulk.prepare(office.who, [draft, filed, hidden], Change({"notes": "盘点"}, add_keywords=["新"]))
    lines = {line.record_id: line for line in office.bulk.preview(office.who, key)}
    assert set(lines) == {draft, filed}
    assert (lines[draft].before, lines[draft].after) == (
        {"notes": None, "keywords": ["旧"]}, {"notes": "盘点", "keywords": ["旧", "新"]},
    )  # fmt: skip
    assert isinstance(lines[filed].error, WrongState)
    assert office.described(draft).notes is None
    office.bulk.start(office.who, key)
    office.run(key)
    assert office.counts(key) == {"changed": 1, "refused": 1}
    assert [row.reason for _, row in office.bulk.told(office.who, key, RowState.REFUSED)] == ["wrong_state"]
    assert house.acts(draft).count("record.describe") == 1


def test_a_run_that_breaks_off_or_is_stopped_goes_on_and_changes_nothing_twice(office: Office) -> None:
    ids = [office.house.add(f"件{n}") for n in range(5)]
    key = office.edit(ids, values={"responsible": "工程部"})
    assert office.run(key, limit=2) == ids[:2]
    office.bulk.stop(office.who, key)
    assert office.run(key) == []
    assert office.counts(key) == {"changed": 2, "waiting": 3}
    office.bulk.start(office.who, key)
    assert office.run(key) == ids[2:]
    assert office.bulk.show(office.who, key).state is BulkState.DONE
    assert {office.described(each).responsible for each in ids} == {"工程部"}
    assert all(office.house.acts(each).count("record.describe") == 1 for each in ids)


def test_an_undo_leaves_what_was_changed_since_and_names_it(office: Office) -> None:
    ids = [office.house.add(f"件{n}") for n in range(3)]
    key = office.edit(ids, values={"notes": "甲"})
    office.run(key)
    office.house.records.describe(office.who, ids[1], {"notes": "乙"}, office.house.row(ids[1]).version)
    office.house.records.describe(office.who, ids[2], {"title": "改名"}, office.house.row(ids[2]).version)
    office.bulk.start(office.who, key, undo=True)
    office.run(key)
    assert [office.described(each).notes for each in ids] == [None, "乙", None]
    assert office.described(ids[2]).title == "改名"
    [(kept, row)] = office.bulk.told(office.who, key, RowState.KEPT)
    assert (kept and kept.id, row.reason) == (ids[1], "conflict")
    with pytest.raises(WrongState):
        office.bulk.start(office.who, key)


def test_an_edit_is_its_makers_alone_and_goes_with_its_key(office: Office) -> None:
    item = office.house.add("件")
    key = office.edit([item], values={"notes": "甲"})
    for act in (office.bulk.show, office.bulk.preview, office.bulk.start, office.bulk.stop, office.bulk.forget):
        with pytest.raises(NotFound):
            act(office.house.colleague, key)
    office.run(key)
    office.bulk.forget(office.who, key)
    with office.house.db.reading() as session:
        assert session.get(BulkEdit, key) is None
        assert session.scalars(select(BulkEditRow).where(BulkEditRow.edit_id == key)).all() == []
        assert session.get(OwnerKey, key) is None
    assert office.described(item).notes == "甲"


def test_what_cannot_be_begun_says_why(office: Office) -> None:
    item, hidden = office.house.add("件"), office.house.add("密件", level=4)
    for ids, change in (
        ([item], Change()),
        ([item], Change({"title": "一样的题名"})),
        ([], Change({"notes": "甲"})),
        ([hidden], Change({"notes": "甲"})),
    ):
        with pytest.raises(InvalidInput):
            office.bulk.prepare(office.who, ids, change)
    key = office.bulk.prepare(office.who, [item], Change({"notes": "甲"}))
    with pytest.raises(WrongState):
        office.bulk.start(office.who, key, undo=True)
    for _ in range(2):
        office.bulk.start(office.who, key)
    with office.house.db.reading() as session:
        assert len(session.scalars(select(Job).where(Job.subject_id == key)).all()) == 1


WORDS = st.lists(st.sampled_from(["甲", "乙", "丙"]), max_size=3, unique=True)
TEXTS = st.none() | st.sampled_from(["工程部", "办公室"])
CHANGES = st.builds(
    Change,
    values=st.dictionaries(st.sampled_from(["notes", "responsible"]), TEXTS),
    add_keywords=WORDS,
    drop_keywords=WORDS,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=CHANGES, stood=st.lists(st.tuples(TEXTS, TEXTS, WORDS), min_size=1, max_size=3))
def test_an_edit_and_its_undo_restore_every_description_exactly(office: Office, change: Change, stood: Any) -> None:
    assume(not change.empty)
    ids = [
        office.house.add("件", notes=notes, responsible=responsible, keywords=words)
        for notes, responsible, words in stood
    ]
    before = [office.described(each) for each in ids]
    key = office.edit(ids, **vars(change))
    try:
        office.run(key)
        assert [change.of(office.described(each)) for each in ids] == [{}] * len(ids)
        office.bulk.start(office.who, key, undo=True)
        office.run(key)
        assert [office.described(each) for each in ids] == before
    finally:
        office.bulk.forget(office.who, key)


def test_rights_are_those_of_the_moment_a_record_is_changed(office: Office) -> None:
    item = office.house.add("件")
    key = office.edit([item], values={"notes": "甲"})
    with office.house.db.writing() as work:
        stranger = people.a_person(work.session, "外人", clearance=3)
        work.commit()
    assert list(office.bulk.run(people.identity_of(stranger), key)) == [item]
    assert office.counts(key) == {"refused": 1}
    assert office.described(item).notes is None
