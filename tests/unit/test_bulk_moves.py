"""More is moved than one act takes: in order, each once, by the rules of moving by hand; broken runs go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from archive.arranging import many_steps as bulk_move_steps
from archive.arranging.items import MOST
from archive.arranging.many import BulkMoving
from archive.blocks import Blocks
from archive.dossiers.order import placed
from archive.errors import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import BulkState, Copy, CopyMove, Job, JobState, Medium, Record, RecordState, ShelfKind
from archive.model.bulk import BulkMove, BulkMoveRow
from archive.model.log import LogEntry, LogResult
from archive.purging import remove_records
from archive.shelving.copies import CopyFacts
from archive.shelving.tree import PlaceFacts
from archive.shelving.whole import Shelving
from archive.stocktaking.whole import StocktakingService
from runtime.wiring.parts import NoWaker
from tests.factories.arranged import ArrangedHouse, arranged_house
from tests.fakes.clock import FixedClock

pytestmark = pytest.mark.postgres


@dataclass
class Office:
    """The house, and moves of many in it."""

    house: ArrangedHouse
    moves: BulkMoving
    shelving: Shelving

    def run(self, key: UUID, limit: int | None = None) -> list[UUID]:
        done = []
        for each in self.moves.run(self.house.archivist, key):
            done.append(each)
            if len(done) == limit:
                break
        return done

    def counts(self, key: UUID) -> dict[str, int]:
        return {state.value: count for state, count in self.moves.show(self.house.archivist, key).counts.items()}

    def box(self, code: str, capacity: int = 5) -> UUID:
        above: UUID | None = None
        kinds = (ShelfKind.ROOM, ShelfKind.CABINET, ShelfKind.SHELF, ShelfKind.BOX)
        for kind in kinds:
            holds = {"capacity": capacity} if kind in {ShelfKind.SHELF, ShelfKind.BOX} else {}
            names = {"zh_CN": "库房"} if kind is ShelfKind.ROOM else {}
            name = code if kind is ShelfKind.ROOM else "1"
            above = self.shelving.tree.add(self.house.archivist, kind, name, PlaceFacts(names, **holds), above)
        assert above is not None
        return above

    def paper(self, box: UUID, number: str, level: int = 1) -> UUID:
        """Return the id of a copy that lies in a box."""
        record = self.house.add(
            number, state=RecordState.FILED, medium=Medium.PAPER, archive_number=number, level=level
        )
        copy = self.shelving.copies.add(self.house.archivist, record, CopyFacts()).id
        self.shelving.placing.place(self.house.archivist, copy, box)
        return copy

    def lie(self, box: UUID) -> set[UUID]:
        with self.house.db.reading() as session:
            return set(session.scalars(select(Copy.id).where(Copy.place_id == box)))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    house, clock = arranged_house(tmp_path), FixedClock()
    log = Log(house.vault, clock)
    shelving = Shelving(house.db, house.guard, log, clock)
    outbox = Outbox(clock, NoWaker())
    moves = BulkMoving(house.db, house.guard, log, outbox, clock, house.arranging, shelving.placing)
    yield Office(house, moves, shelving)
    house.db.close()


def test_more_than_one_act_takes_comes_over_in_order_and_volumes_stay_apart(office: Office) -> None:
    house = office.house
    into, there = house.filled(2)
    source, items = house.filled(MOST)
    more = [house.add(f"补{n}") for n in range(20)]
    house.arranging.put_in(house.archivist, source, more)
    house.arranging.divide(house.archivist, source, items[150], house.row(source).version)
    with pytest.raises(InvalidInput):
        house.arranging.merge(house.archivist, into, source)
    key = office.moves.into_dossier(house.archivist, into, source)
    assert office.run(key) == [*items, *more]
    assert house.order(into) == [*there, *items, *more]
    assert house.order(source) == []
    some = (there[1], items[0], items[149], items[150], more[-1])
    assert [house.row(each).volume for each in some] == [1, 2, 2, 3, 3]
    assert office.counts(key) == {"changed": MOST + 20}
    assert house.acts(items[0]).count("record.put_in") == 2
    assert office.moves.show(house.archivist, key).state is BulkState.DONE


def test_a_stopped_run_and_one_that_broke_off_go_on_and_move_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_move_steps, "STEP", 2)
    house = office.house
    into, _ = house.filled(0)
    source, items = house.filled(7)
    key = office.moves.into_dossier(house.archivist, into, source)
    office.run(key, limit=2)
    office.moves.stop(house.archivist, key)
    assert office.run(key) == []
    assert (house.order(into), office.counts(key)) == (items[:2], {"changed": 2, "waiting": 5})
    office.moves.go_on(house.archivist, key)
    office.run(key, limit=3)  # broke off
    office.run(key)
    assert house.order(into) == items
    assert [house.acts(each).count("record.put_in") for each in items] == [2] * 7


def test_what_is_refused_is_named_and_holds_up_nothing(office: Office) -> None:
    house = office.house
    into, _ = house.filled(0)
    source, items = house.filled(4)
    hidden = house.add("密件", level=4, dossier_id=source, position=5)
    key = office.moves.into_dossier(house.archivist, into, source)
    house.arranging.put_in(house.archivist, house.dossier("另一卷"), [items[1]], source=source)
    house.arranging.put_in(house.archivist, into, [items[2]], source=source)
    office.run(key)
    assert office.counts(key) == {"changed": 2, "same": 1, "refused": 1}
    [(record, row)] = office.moves.refused(house.archivist, key, 10)
    assert (record and record.id, row.reason) == (items[1], "lies_elsewhere")
    assert house.row(hidden).dossier_id == source
    house.arranging.put_in(house.archivist, source, [items[1]], source=house.row(items[1]).dossier_id)
    office.moves.go_on(house.archivist, key)
    office.run(key)
    assert office.counts(key) == {"changed": 3, "same": 1}


def test_papers_of_a_box_lie_in_another_until_it_is_full(office: Office) -> None:
    one, other = office.box("A"), office.box("B", capacity=2)
    copies = [office.paper(one, f"N-{n}") for n in range(3)]
    key = office.moves.onto_shelf(office.house.archivist, other, one)
    office.shelving.placing.place(office.house.archivist, copies[2], office.box("C"))
    office.run(key)
    assert office.lie(other) == set(copies[:2])
    assert [row.reason for _, row in office.moves.refused(office.house.archivist, key, 9)] == ["conflict"]
    more = [office.paper(one, f"M-{n}") for n in range(2)]
    full = office.moves.onto_shelf(office.house.archivist, other, one)
    office.run(full)
    assert [row.reason for _, row in office.moves.refused(office.house.archivist, full, 9)] == ["place_full"] * 2
    assert office.lie(one) == set(more)
    with office.house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(CopyMove).where(CopyMove.to_id == other)) == 2


def test_who_may_not_begins_nothing_and_another_persons_is_not_there(office: Office) -> None:
    house = office.house
    into, source = house.filled(0)[0], house.filled(1)[0]
    for who in (house.branch, house.staff):
        with pytest.raises((NotFound, NotAllowed)):
            office.moves.into_dossier(who, into, source)
    box = office.box("A")
    office.paper(box, "N")
    with pytest.raises(NotAllowed):
        office.moves.onto_shelf(house.staff, office.box("B"), box)
    for wrong in (lambda: office.moves.onto_shelf(house.archivist, box, box),
                  lambda: office.moves.into_dossier(house.archivist, into, into),
                  lambda: office.moves.into_dossier(house.archivist, source, into)):  # fmt: skip
        with pytest.raises(InvalidInput):
            wrong()
    key = office.moves.into_dossier(house.archivist, into, source)
    for act in (office.moves.show, office.moves.stop, office.moves.go_on, office.moves.forget):
        with pytest.raises(NotFound):
            act(house.colleague, key)


def test_a_record_that_goes_takes_its_rows_along_and_a_week_ends_moves(office: Office) -> None:
    house, box = office.house, office.box("A")
    copy = office.paper(box, "N")
    office.run(office.moves.onto_shelf(house.archivist, office.box("B"), box))
    with house.db.writing() as work:
        record = work.session.get_one(Copy, copy).record_id
        remove_records(work.session, [record])
        assert work.session.get(Record, record) is None
        work.commit()
    office.moves.sweep(FixedClock().now().replace(year=2100))
    with house.db.reading() as session:
        assert session.scalars(select(BulkMove)).all() == []
        assert session.scalars(select(BulkMoveRow)).all() == []


def ended(office: Office, key: UUID) -> None:
    """Have the job of a move end, as the runner does."""
    with office.house.db.writing() as work:
        work.session.execute(update(Job).where(Job.subject_id == key).values(state=JobState.DONE))
        work.commit()


def test_a_look_says_what_would_be_refused_and_moves_nothing_until_it_is_begun(office: Office) -> None:
    house = office.house
    into, _ = house.filled(0)
    source, items = house.filled(4)
    key = office.moves.into_dossier(house.archivist, into, source, look=True)
    other = house.dossier("另一卷")
    house.arranging.put_in(house.archivist, other, [items[1]], source=source)
    office.moves.go_on(house.archivist, key)  # it is looked through still: nothing begins
    assert office.moves.show(house.archivist, key).state is BulkState.PREPARED
    office.run(key)
    ended(office, key)
    standing = office.moves.show(house.archivist, key)
    assert (standing.state, standing.warned, office.counts(key)) == (BulkState.PREPARED, 1, {"waiting": 4})
    assert [row.reason for _, row in office.moves.refused(house.archivist, key, 9)] == ["lies_elsewhere"]
    assert (house.order(into), house.order(source)) == ([], [items[0], items[2], items[3]])
    assert "record.put_in" not in house.acts(items[0])[1:]
    house.arranging.put_in(house.archivist, source, [items[1]], source=other)
    office.moves.go_on(house.archivist, key)
    office.run(key)
    assert office.counts(key) == {"changed": 4}


def test_a_look_logs_no_refusal_and_a_move_logs_each_once(office: Office) -> None:
    house = office.house
    into, _ = house.filled(0)
    source, items = house.filled(3)
    key = office.moves.into_dossier(house.archivist, into, source, look=True)
    with house.db.writing() as work:
        work.session.get_one(Record, items[0]).level_rank = 4
        work.commit()
    office.run(key)
    assert office.moves.show(house.archivist, key).warned == 1
    refused = select(LogEntry.act).where(LogEntry.result == LogResult.REFUSED)
    with house.db.reading() as session:
        assert session.scalars(refused).all() == []
    ended(office, key)
    office.moves.go_on(house.archivist, key)
    office.run(key)
    assert office.counts(key) == {"changed": 2, "refused": 1}
    with house.db.reading() as session:
        assert len(session.scalars(refused).all()) == 1


def test_a_look_foresees_a_full_place_and_one_that_the_level_forbids(office: Office) -> None:
    one, other = office.box("A"), office.box("B", capacity=2)
    copies = [office.paper(one, f"N-{n}") for n in range(3)]
    key = office.moves.onto_shelf(office.house.archivist, other, one, look=True)
    office.run(key)
    assert [row.reason for _, row in office.moves.refused(office.house.archivist, key, 9)] == ["place_full"]
    assert (office.lie(one), office.lie(other)) == (set(copies), set())
    with office.house.db.writing() as work:
        lent = work.session.get_one(Copy, copies[0])
        lent.place_id, lent.holder_id = None, office.house.archivist.person_id
        work.commit()
    again = office.moves.onto_shelf(office.house.archivist, other, one, look=True)
    office.run(again)
    assert office.moves.show(office.house.archivist, again).warned == 0


def test_what_still_lies_where_a_move_put_it_is_moved_back_in_order(office: Office) -> None:
    house = office.house
    into, there = house.filled(2)
    source, items = house.filled(6)
    house.arranging.divide(house.archivist, source, items[3], house.row(source).version)
    key = office.moves.into_dossier(house.archivist, into, source)
    office.run(key)
    with pytest.raises(WrongState):
        office.moves.undo(house.archivist, key)  # its job has not ended
    ended(office, key)
    other = house.dossier("另一卷")
    house.arranging.put_in(house.archivist, other, [items[4]], source=into)
    office.moves.undo(house.archivist, key)
    office.run(key)
    assert office.counts(key) == {"undone": 5, "kept": 1}
    assert [(record and record.id, row.reason) for record, row in office.moves.refused(house.archivist, key, 9)] == [
        (items[4], "conflict")
    ]
    left = [items[0], items[1], items[2], items[3], items[5]]
    assert (house.order(into), house.order(source), house.order(other)) == (there, left, [items[4]])
    assert [house.row(each).volume for each in left] == [1, 1, 1, 2, 2]
    assert office.moves.show(house.archivist, key).state is BulkState.UNDONE
    ended(office, key)
    for act in (office.moves.undo, office.moves.go_on):
        with pytest.raises(WrongState):
            act(house.archivist, key)


def test_items_go_back_to_where_they_stood_among_what_stayed_and_what_came_since_lies_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_move_steps, "STEP", 2)
    house = office.house
    into, other, hidden = house.filled(0)[0], house.dossier("另一卷"), house.add("密件")
    source, items = house.filled(5)
    house.arranging.put_in(house.archivist, source, [hidden], place=3)
    with house.db.writing() as work:
        work.session.execute(update(Record).where(Record.id == hidden).values(level_rank=4))
        work.commit()
    key = office.moves.into_dossier(house.archivist, into, source)
    house.arranging.put_in(house.archivist, other, [items[3]], source=source)
    office.run(key)
    house.arranging.put_in(house.archivist, source, [items[3]], source=other)
    new = house.add("新件")
    house.arranging.put_in(house.archivist, source, [new])
    ended(office, key)
    office.moves.undo(house.archivist, key)
    office.run(key)
    with house.db.writing() as work:  # it locks what it reads
        lying = [each.id for each in placed(work.session, source)]
    assert lying == [items[0], items[1], hidden, items[2], items[3], items[4], new]


def test_a_level_that_a_dossier_rose_to_is_told_and_stays_when_items_go_back(office: Office) -> None:
    house = office.house
    into, source = house.filled(0)[0], house.filled(2, level=3)[0]
    before = house.row(into).level_rank
    key = office.moves.into_dossier(house.archivist, into, source)
    assert office.moves.show(house.archivist, key).rose_from is None
    office.run(key)
    ended(office, key)
    assert office.moves.show(house.archivist, key).rose_from == before
    office.moves.undo(house.archivist, key)
    office.run(key)
    assert (house.order(into), house.row(into).level_rank) == ([], 3)
    assert office.moves.show(house.archivist, key).rose_from == before


def test_papers_go_back_onto_their_shelf_and_items_out_of_a_dossier(office: Office) -> None:
    house = office.house
    one, other = office.box("A"), office.box("B")
    copies = [office.paper(one, f"N-{n}") for n in range(3)]
    key = office.moves.onto_shelf(house.archivist, other, one)
    office.run(key)
    ended(office, key)
    office.shelving.placing.place(house.archivist, copies[2], office.box("C"))
    office.moves.undo(house.archivist, key)
    office.run(key)
    assert (office.lie(one), office.counts(key)) == (set(copies[:2]), {"undone": 2, "kept": 1})
    into, loose = house.filled(0)[0], [house.add(f"散{n}") for n in range(3)]
    key = office.moves.put_into(house.archivist, into, loose)
    office.run(key)
    ended(office, key)
    assert house.order(into) == loose
    office.moves.undo(house.archivist, key)
    office.run(key)
    assert (house.order(into), [house.row(each).dossier_id for each in loose]) == ([], [None] * 3)


def test_what_a_count_did_not_find_is_not_found_by_moving_it_in_the_books_and_back(office: Office) -> None:
    house, clock = office.house, FixedClock()
    log = Log(house.vault, clock)
    blocks = Blocks(house.db, house.guard, house.vault, log, clock)
    stock = StocktakingService(house.db, house.guard, log, clock, blocks, office.shelving.placing)
    one, other = office.box("A"), office.box("B")
    office.paper(one, "N-1")
    count = stock.counting.begin(house.archivist, one)
    stock.counting.close(house.archivist, count)
    key = office.moves.onto_shelf(house.archivist, other, one)
    office.run(key)
    ended(office, key)
    office.moves.undo(house.archivist, key)
    office.run(key)
    assert stock.following.mark_missing(house.archivist, count, "不见") == 1


def test_a_dossier_of_many_is_split_in_a_job(office: Office) -> None:
    house = office.house
    source, items = house.filled(MOST)
    more = [house.add(f"补{n}") for n in range(20)]
    house.arranging.put_in(house.archivist, source, more)
    every = [*items, *more]
    house.arranging.divide(house.archivist, source, items[150], house.row(source).version)
    assert office.moves.count_from(house.archivist, source, items[5]) == len(every) - 5
    with pytest.raises(InvalidInput):
        office.moves.split(house.archivist, source, items[0], "新卷", house.row(source).version)
    with pytest.raises(Conflict):
        office.moves.split(house.archivist, source, items[5], "新卷", house.row(source).version + 1)
    made, key = office.moves.split(house.archivist, source, items[5], "新卷", house.row(source).version)
    office.run(key)
    assert (house.order(source), house.order(made)) == (every[:5], every[5:])
    assert {house.row(each).volume for each in (items[5], items[149])} == {1}
    assert {house.row(each).volume for each in (items[150], more[-1])} == {2}
    assert house.row(made).title == "新卷"
