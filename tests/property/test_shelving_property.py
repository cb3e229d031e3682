"""Whatever is done, in whatever order: a copy is in one place or with one person, and counts agree with what lies."""

from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from archive.errors import ArchiveError
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.model import Copy, Level, Record, Security, ShelfKind, ShelfPlace
from archive.policy.guard import Guard
from archive.shelving.copies import CopyFacts
from archive.shelving.tree import PlaceFacts
from archive.shelving.whole import Shelving
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog

WHICH = st.integers(0, 30)


class Shelves(RuleBasedStateMachine):
    """An archivist who adds, shelves, moves, hands out, withdraws and closes, and is often refused."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        own = self.folder / new_id().hex
        own.mkdir()
        self.db = a_database(own)
        log, clock = RememberingLog(), FixedClock()
        with self.db.writing() as work:
            session = work.session
            records.a_house(session)
            self.category = records.a_category(session, records.a_fonds(session, "F"), "C")
            people.distributed_to(session, 4)
            person = people.a_person(session, "archivist", roles=[Role.ARCHIVIST], clearance=4)
            people.grants(session, person, fonds=self.category.fonds_id)
            work.commit()
        self.who = Identity("archivist", person.id, frozenset({Role.ARCHIVIST}))
        self.shelving = Shelving(self.db, Guard(self.db, log, clock, "Asia/Shanghai"), log, clock)
        for code, security in (("A", Security.WORK_AREA), ("B", Security.SECURE_ROOM)):
            parent = None
            for kind in ShelfKind:
                holds = kind in {ShelfKind.SHELF, ShelfKind.BOX}
                facts = PlaceFacts({"zh_CN": "库"}, None if holds else security, 2 if holds else None)
                parent = self.shelving.tree.add(self.who, kind, code, facts, parent)
        for level in (1, 1, 1, 3):
            self.add_copy(level)

    def teardown(self) -> None:
        self.db.close()

    def _one(self, kind: Any, which: int, *where: Any) -> Any:
        with self.db.reading() as session:
            rows = session.scalars(select(kind).where(*where).order_by(kind.id)).all()
        return rows[which % len(rows)] if rows else None

    def _try(self, act: Any) -> None:
        try:
            act()
        except ArchiveError:
            return  # refused: the invariants say that nothing is half done

    @rule(which=WHICH, kind=st.sampled_from(ShelfKind), code=st.sampled_from("AB"), security=st.sampled_from(Security))
    def add_place(self, which: int, kind: ShelfKind, code: str, security: Security) -> None:
        holds = kind in {ShelfKind.SHELF, ShelfKind.BOX}
        above = list(ShelfKind).index(kind)
        parent = self._one(ShelfPlace, which, ShelfPlace.kind == list(ShelfKind)[above - 1]) if above else None
        facts = PlaceFacts({"zh_CN": "库"}, None if holds else security, 2 if holds else None)
        self._try(lambda: self.shelving.tree.add(self.who, kind, code, facts, parent.id if parent else None))

    @rule(level=st.integers(1, 4))
    def note_copy(self, level: int) -> None:
        self.add_copy(level)

    def add_copy(self, level: int) -> None:
        with self.db.writing() as work:
            record = records.a_record(work.session, self.category, level=level)
            work.commit()
        self.shelving.copies.add(self.who, record.id, CopyFacts())

    @rule(which=WHICH, place=WHICH)
    def shelve(self, which: int, place: int) -> None:
        copy = self._one(Copy, which)
        target = self._one(ShelfPlace, place, ShelfPlace.kind.in_(["shelf", "box"]))
        if copy and target:
            self._try(lambda: self.shelving.placing.place(self.who, copy.id, target.id))

    @rule(which=WHICH, away=st.booleans())
    def leave(self, which: int, away: bool) -> None:
        copy = self._one(Copy, which)
        if copy and away:
            self._try(lambda: self.shelving.copies.withdraw(self.who, copy.id, "没有了", copy.version))
        elif copy:
            self._try(lambda: self.shelving.copies.hand(self.who, copy.id, "archivist", copy.version))

    @rule(which=WHICH, to=WHICH)
    def move(self, which: int, to: int) -> None:
        place, target = self._one(ShelfPlace, which), self._one(ShelfPlace, to)
        if place and target:
            self._try(lambda: self.shelving.tree.move(self.who, place.id, target.id))

    @rule(which=WHICH)
    def close(self, which: int) -> None:
        place = self._one(ShelfPlace, which)
        if place:
            self._try(lambda: self.shelving.tree.close(self.who, place.id, place.version))

    @invariant()
    def counts_agree_and_every_copy_is_in_one_place_that_its_level_allows(self) -> None:
        with self.db.reading() as session:
            lying = Counter(session.scalars(select(Copy.place_id).where(Copy.place_id.is_not(None))))
            boxes = select(ShelfPlace.parent_id, func.count()).where(
                ShelfPlace.kind == ShelfKind.BOX, ShelfPlace.closed_at.is_(None)
            )
            lying.update(dict(session.execute(boxes.group_by(ShelfPlace.parent_id)).all()))
            for place in session.scalars(select(ShelfPlace)):
                assert place.taken == lying[place.id], place.path
                assert place.capacity is None or place.taken <= place.capacity
                assert not place.closed_at or not place.taken
                above = session.get(ShelfPlace, place.parent_id) if place.parent_id else None
                assert place.path == (f"{above.path}-{place.code}" if above else place.code)
                assert place.strength >= (above.strength if above else 1)
            wrong = (
                select(Copy.id)
                .join(Record, Record.id == Copy.record_id)
                .join(Level, Level.rank == Record.level_rank)
                .join(ShelfPlace, ShelfPlace.id == Copy.place_id)
                .where(Record.level_rank > ShelfPlace.strength)
            )
            assert session.scalars(wrong).all() == []


def test_a_copy_is_in_one_place_and_counts_agree_whatever_is_done(tmp_path: Path) -> None:
    Shelves.folder = tmp_path
    run_state_machine_as_test(
        Shelves,
        settings=settings(
            max_examples=4,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # a run lasts too long to be made shorter
        ),
    )
