"""Papers lie where their level allows, each in one place, and no place is over-full; who may put them there."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.database import Database
from archive.errors import (
    Ambiguous,
    Conflict,
    InUse,
    InvalidInput,
    NotAllowed,
    NotFound,
    PlaceForbidden,
    PlaceFull,
    StandsAlready,
)
from archive.identity import Identity, Role
from archive.model import (
    Approval,
    ApprovalKind,
    Copy,
    Loan,
    LoanForm,
    LoanState,
    Medium,
    Record,
    RecordState,
    Security,
    ShelfKind,
    ShelfPlace,
)
from archive.policy.guard import Guard
from archive.purging import remove_records
from archive.shelving.copies import CopyFacts
from archive.shelving.tree import PlaceFacts
from archive.shelving.whole import Shelving
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog

pytestmark = pytest.mark.postgres

NAMES = {"zh_CN": "库房"}


@dataclass
class Store:
    """A house with an archivist, a custodian of its two upper levels and a reader, and a furnished room."""

    db: Database
    shelving: Shelving
    log: RememberingLog
    archivist: Identity
    custodian: Identity
    staff: Identity
    category: Any

    def a_place(self, kind: ShelfKind, code: str, parent: UUID | None = None, **facts: Any) -> UUID:
        names = NAMES if kind is ShelfKind.ROOM else {}
        return self.shelving.tree.add(self.archivist, kind, code, PlaceFacts(names, **facts), parent)

    def a_box(self, code: str = "R", security: Security | None = None, capacity: int = 2) -> UUID:
        """Return a box ``R-1-1-1`` in a room that is secured so."""
        room = self.a_place(ShelfKind.ROOM, code, security=security)
        shelf = self.a_place(ShelfKind.SHELF, "1", self.a_place(ShelfKind.CABINET, "1", room), capacity=5)
        return self.a_place(ShelfKind.BOX, "1", shelf, capacity=capacity)

    def a_paper(self, level: int = 1, **more: Any) -> Record:
        with self.db.writing() as work:
            more = {"medium": Medium.PAPER, "archive_number": f"N{level}"} | more
            made = records.a_record(work.session, self.category, level=level, **more)
            work.commit()
        return made

    def a_copy(self, level: int = 1, **more: Any) -> UUID:
        return self.shelving.copies.add(self.archivist, self.a_paper(level, **more).id, CopyFacts()).id

    def taken(self, place: UUID) -> int:
        with self.db.reading() as session:
            return session.get_one(ShelfPlace, place).taken


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    db = a_database(tmp_path)
    log, clock = RememberingLog(), FixedClock()
    who = {}
    with db.writing() as work:
        session = work.session
        records.a_house(session)
        fonds = records.a_fonds(session, "F")
        category = records.a_category(session, fonds, "C")
        people.distributed_to(session, 4)
        for login, role, clearance in (
            ("archivist", Role.ARCHIVIST, 4), ("custodian", Role.STAFF, 0), ("staff", Role.STAFF, 1),
        ):  # fmt: skip
            person = people.a_person(session, login, roles=[role], clearance=clearance)
            if login == "custodian":
                people.is_custodian(session, person, 3)
                people.is_custodian(session, person, 4)
            if clearance:
                people.grants(session, person, fonds=fonds.id)
            who[login] = Identity(login, person.id, frozenset({role}))
        work.commit()
    shelving = Shelving(db, Guard(db, log, clock, "Asia/Shanghai"), log, clock)
    yield Store(db, shelving, log, **who, category=category)
    db.close()


def test_a_paper_lies_in_one_place_and_its_moves_are_told(store: Store) -> None:
    first, second = store.a_box("R"), store.a_box("S")
    copy = store.a_copy()
    assert store.shelving.placing.place(store.archivist, copy, first).path == "R-1-1-1"
    assert not store.shelving.placing.place(store.archivist, copy, first).moved
    store.shelving.placing.place(store.archivist, copy, second)
    assert (store.taken(first), store.taken(second)) == (0, 1)
    moves = store.shelving.looks.history(store.archivist, copy)
    assert [(each.before, each.after) for each in reversed(moves)] == [(None, "R-1-1-1"), ("R-1-1-1", "S-1-1-1")]
    assert [act for act, *_ in store.log.acts].count("copy.place") == 2


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_level_lies_only_where_its_rule_allows_and_the_rule_is_named(store: Store, level: int) -> None:
    copy = store.a_copy(level)
    for strength, security in enumerate(Security, start=1):
        box = store.a_box(f"R{strength}", security)
        if strength >= level:
            store.shelving.placing.place(store.archivist, copy, box)
            continue
        with pytest.raises(PlaceForbidden) as refused:
            store.shelving.placing.place(store.archivist, copy, box)
        assert (refused.value.facts["needed"], refused.value.facts["found"]) == (Security.of(level), security)
        assert store.taken(box) == 0


def test_a_full_place_takes_no_more_and_a_capacity_stays_above_what_lies_there(store: Store) -> None:
    box = store.a_box(capacity=2)
    for _ in range(2):
        store.shelving.placing.place(store.archivist, store.a_copy(), box)
    with pytest.raises(PlaceFull):
        store.shelving.placing.place(store.archivist, store.a_copy(), box)
    with pytest.raises(InvalidInput):
        store.shelving.tree.change(store.archivist, box, PlaceFacts(capacity=1), 1)
    assert store.taken(box) == 2


def test_many_who_shelve_at_once_never_fill_a_box_over(store: Store) -> None:
    box, copies = store.a_box(capacity=3), [store.a_copy() for _ in range(6)]
    outcomes: list[bool] = []

    def shelve(copy: UUID) -> None:
        try:
            store.shelving.placing.place(store.archivist, copy, box)
            outcomes.append(True)
        except PlaceFull:
            outcomes.append(False)

    threads = [threading.Thread(target=shelve, args=(copy,)) for copy in copies]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == [False] * 3 + [True] * 3
    assert store.taken(box) == 3


def test_a_raised_level_or_a_stricter_rule_lists_what_must_be_moved(store: Store) -> None:
    box = store.a_box(security=Security.CABINET)
    copy = store.a_copy(2)
    store.shelving.placing.place(store.archivist, copy, box)
    assert store.shelving.placing.to_move(store.archivist) == []
    with store.db.writing() as work:
        record = work.session.get_one(Copy, copy).record_id
        work.session.get_one(Record, record).level_rank = 3
        work.commit()
    for who in (store.archivist, store.custodian):
        [found] = store.shelving.placing.to_move(who)
        assert (found.copy.id, found.place.path) == (copy, "R-1-1-1")
    assert store.shelving.placing.to_move(store.staff) == []
    assert [each.to_move for each in store.shelving.copies.of(store.archivist, record)] == [True]


def test_a_box_moves_with_what_lies_in_it_but_never_where_that_may_not_lie(store: Store) -> None:
    box = store.a_box("R", Security.SECURE_ROOM)
    store.a_box("S", Security.WORK_AREA)
    store.a_box("T", Security.SECURE_ROOM)
    store.shelving.placing.place(store.archivist, store.a_copy(4), box)
    looks, tree = store.shelving.looks, store.shelving.tree
    with pytest.raises(StandsAlready):
        tree.move(store.archivist, box, looks.id_at(store.archivist, "t-1-1"))
    weak, strong = (
        store.a_place(ShelfKind.SHELF, "2", looks.id_at(store.archivist, path), capacity=1) for path in ("S-1", "T-1")
    )
    with pytest.raises(PlaceForbidden):
        tree.move(store.archivist, box, weak)
    assert tree.move(store.archivist, box, strong) == "T-1-2-1"
    assert (store.taken(looks.id_at(store.archivist, "R-1-1")), store.taken(strong), store.taken(weak)) == (0, 1, 0)
    with pytest.raises(PlaceForbidden):
        tree.change(store.archivist, looks.id_at(store.archivist, "T"), PlaceFacts(NAMES, Security.WORK_AREA), 1)


def test_a_place_is_closed_only_when_nothing_lies_or_stands_in_it(store: Store) -> None:
    box, looks, tree = store.a_box(), store.shelving.looks, store.shelving.tree
    copy = store.a_copy()
    store.shelving.placing.place(store.archivist, copy, box)
    shelf = looks.id_at(store.archivist, "R-1-1")
    for place in (box, shelf):
        with pytest.raises(InUse):
            tree.close(store.archivist, place, 1)
    store.shelving.copies.withdraw(store.archivist, copy, "误登记", 2)
    tree.close(store.archivist, box, 1)
    with pytest.raises(InvalidInput):
        tree.close(store.archivist, box, 2)  # its count was given back
    with pytest.raises(InvalidInput):
        tree.change(store.archivist, box, PlaceFacts(capacity=5), 2)
    tree.close(store.archivist, shelf, 1)
    with pytest.raises(InvalidInput):
        store.shelving.placing.place(store.archivist, store.a_copy(), box)
    with pytest.raises(StandsAlready):
        store.a_place(ShelfKind.SHELF, "1", looks.id_at(store.archivist, "R-1"), capacity=1)


@pytest.mark.parametrize("code", ["", "A-1", "柜", "123456789", "a b"])
def test_a_code_is_short_and_plain(store: Store, code: str) -> None:
    with pytest.raises(InvalidInput):
        store.a_place(ShelfKind.ROOM, code)


def test_a_custodian_shelves_without_reading_and_only_where_they_are_charged(store: Store) -> None:
    box = store.a_box("R", Security.SECURE_ROOM)
    theirs, other = store.a_copy(3), store.a_copy(2)
    store.shelving.placing.place(store.custodian, theirs, box)
    with pytest.raises(NotFound):
        store.shelving.placing.place(store.custodian, other, box)
    store.shelving.placing.place(store.archivist, other, box)
    seen = store.shelving.looks.show(store.custodian, box)
    assert [(each.copy.id, each.title) for each in seen.lying] == [(theirs, None)]
    room = store.shelving.looks.id_at(store.archivist, "R")
    facts = PlaceFacts(NAMES, Security.SECURE_ROOM, custodian_id=store.archivist.person_id)
    store.shelving.tree.change(store.archivist, room, facts, 1)
    with pytest.raises(NotAllowed):
        store.shelving.placing.place(store.custodian, store.a_copy(4), box)
    with pytest.raises(NotAllowed):
        store.shelving.looks.rooms(store.staff)


def test_places_for_higher_levels_tell_no_figures(store: Store) -> None:
    store.a_box("R", Security.SECURE_ROOM)
    with store.db.writing() as work:
        person = people.a_person(work.session, "low", roles=[Role.ARCHIVIST], clearance=2)
        work.commit()
    low = Identity("low", person.id, frozenset({Role.ARCHIVIST}))
    [room] = store.shelving.looks.rooms(low)
    assert (room.taken, room.capacity) == (None, None)
    with pytest.raises(NotAllowed):
        store.shelving.tree.change(low, room.place.id, PlaceFacts(NAMES), 1)


def test_a_scanned_number_means_the_only_copy_the_first_one_or_asks_which(store: Store) -> None:
    placing, box = store.shelving.placing, store.a_box()
    paper = store.a_paper(pages=7)
    asked = placing.asked(store.archivist, paper.id)
    assert (asked.copy, asked.lies, asked.free) == (1, None, "R-1-1-1")
    assert placing.asked(store.archivist, paper.id).copy_id == asked.copy_id
    [first] = store.shelving.copies.of(store.archivist, paper.id)
    assert (first.copy.pages, first.copy.original) == (7, True)
    store.shelving.copies.add(store.archivist, paper.id, CopyFacts(original=False))
    with pytest.raises(Ambiguous):
        placing.asked(store.archivist, paper.id)
    placing.place(store.archivist, placing.asked(store.archivist, paper.id, 2).copy_id, box)
    for wrong in (store.a_paper(medium=Medium.ELECTRONIC), store.a_paper(state=RecordState.PROVISIONAL)):
        with pytest.raises(InvalidInput):
            placing.asked(store.archivist, wrong.id)


def test_the_next_free_place_is_just_safe_enough_and_beside_its_like(store: Store) -> None:
    placing = store.shelving.placing
    for code, security in (("A", Security.SECURE_ROOM), ("B", Security.CABINET), ("C", Security.CABINET)):
        store.a_box(code, security)
    copy = store.a_copy(2)
    assert placing.propose(store.archivist, copy) == "B-1-1-1"
    placing.place(store.archivist, copy, store.shelving.looks.id_at(store.archivist, "C-1-1-1"))
    assert placing.propose(store.archivist, store.a_copy(2)) == "C-1-1-1"
    assert placing.propose(store.archivist, store.a_copy(4)) == "A-1-1-1"


def lent(store: Store, copy: UUID, times: int) -> None:
    """Have a copy lent and brought back so many times, this year."""
    with store.db.writing() as work:
        session = work.session
        record = session.get_one(Copy, copy).record_id
        who, now = store.archivist.person_id, FixedClock().now()
        for at in range(times):
            asked = Approval(kind=ApprovalKind.LOAN, record_id=record, asked_by=who, asked_at=now, sealed=b"")
            session.add(asked)
            session.flush()
            session.add(
                Loan(
                    number=at + 1 + len(session.scalars(select(Loan.id)).all()), approval_id=asked.id, record_id=record,
                    borrower_id=who, form=LoanForm.OUT, purpose="work", days=7, state=LoanState.RETURNED, asked_at=now,
                    copy_id=copy, issued_on=now.date(),
                )
            )  # fmt: skip
        work.commit()


def test_what_is_often_lent_comes_beside_others_that_are(store: Store) -> None:
    placing = store.shelving.placing
    quiet, used, more, seldom = (store.a_copy(2) for _ in range(4))
    for code, copy in (("B", quiet), ("C", used)):
        placing.place(store.archivist, copy, store.a_box(code, Security.CABINET))
    for copy, times in ((used, 3), (more, 3), (seldom, 2)):
        lent(store, copy, times)
    assert placing.propose(store.archivist, more) == "C-1-1-1"
    assert placing.propose(store.archivist, seldom) == "B-1-1-1"


def test_a_copy_that_is_with_someone_leaves_its_place_and_a_stale_form_changes_nothing(store: Store) -> None:
    box, copy = store.a_box(), store.a_copy()
    store.shelving.placing.place(store.archivist, copy, box, 1)
    with pytest.raises(Conflict):
        store.shelving.copies.hand(store.archivist, copy, "archivist", 1)
    store.shelving.copies.hand(store.archivist, copy, "archivist", 2)
    assert store.taken(box) == 0
    with store.db.reading() as session:
        row = session.scalars(select(Copy).where(Copy.id == copy)).one()
    assert (row.place_id, row.holder_id) == (None, store.archivist.person_id)


def test_a_paper_is_noted_with_people_of_the_archive_alone(store: Store) -> None:
    hand, low, high = store.shelving.copies.hand, store.a_copy(1), store.a_copy(3)
    for copy, login in ((low, "staff"), (high, "staff"), (low, "custodian")):  # who reads it borrows it
        with pytest.raises(InvalidInput) as refused:
            hand(store.archivist, copy, login, 1)
        assert [(each.field, each.code) for each in refused.value.faults] == [("holder", "shelves_not")]
    hand(store.archivist, high, "custodian", 1)
    hand(store.custodian, high, "archivist", 2)


def test_what_is_purged_leaves_its_place_free(store: Store) -> None:
    box, copy = store.a_box(), store.a_copy()
    store.shelving.placing.place(store.archivist, copy, box)
    with store.db.writing() as work:
        remove_records(work.session, [work.session.get_one(Copy, copy).record_id])
        work.commit()
    assert store.taken(box) == 0


def test_what_must_be_moved_is_listed_page_by_page(store: Store) -> None:
    boxes = [store.a_box(code, security=Security.CABINET) for code in "RS"]
    copies = [store.a_copy(2, archive_number=f"N{at}") for at in range(3)]
    for copy, box in zip(copies, (boxes[1], boxes[0], boxes[0]), strict=True):
        store.shelving.placing.place(store.archivist, copy, box)
    with store.db.writing() as work:
        for copy in copies:
            work.session.get_one(Record, work.session.get_one(Copy, copy).record_id).level_rank = 3
        work.commit()
    every = store.shelving.placing.to_move(store.archivist)
    assert [each.place.path[0] for each in every] == ["R", "R", "S"]
    seen, after = [], None
    while found := store.shelving.placing.to_move(store.archivist, after=after, limit=1):
        seen += found
        after = (found[0].place.path, found[0].copy.id)
    assert [each.copy.id for each in seen] == [each.copy.id for each in every]
