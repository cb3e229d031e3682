"""Whatever several people do: an item lies in one place of one dossier, a copy on one shelf or with one person.

Places have no gap, numbers stay and agree with the register, and what is filed changes by an approved correction alone.
"""

import tempfile
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from archive.approving.engine import Approvals
from archive.cataloguing.corrections import Corrections
from archive.errors import ArchiveError
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Copy, LogEntry, Record, RecordKind, RecordState, Security, ShelfKind, ShelfPlace
from archive.shelving.copies import CopyFacts
from archive.shelving.tree import PlaceFacts
from archive.shelving.whole import Shelving
from tests.factories.arranged import ArrangedHouse, arranged_house
from tests.fakes.clock import FixedClock

WHO = st.sampled_from(["archivist", "colleague", "branch"])
AT = st.integers(0, 7)


class Arranged(RuleBasedStateMachine):
    """Three dossiers and eight items; one of the three people sees only half of the items."""

    house: ArrangedHouse

    @initialize(which=st.lists(st.booleans(), min_size=8, max_size=8))
    def _begin(self, which: list[bool]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.house = house = arranged_house(Path(self.folder.name))
        self.dossiers = [house.dossier(f"卷{n}", category=house.other) for n in range(3)]
        self.items = [
            house.add(f"件{n}", category=house.other if mine else house.category, pages=n)
            for n, mine in enumerate(which)
        ]
        self.numbers: dict[UUID, str | None] = {}
        self.order: dict[UUID, list[UUID]] = {}
        self.titles: dict[UUID, str] = {}
        self.asked: list[tuple[UUID, UUID, str]] = []
        log, clock = Log(house.vault, FixedClock()), FixedClock()
        self.shelving = Shelving(house.db, house.guard, log, clock)
        self.corrections = Corrections(house.db, house.guard, Approvals(house.vault, log, clock), house.records)
        room = self.shelving.tree.add(
            house.archivist, ShelfKind.ROOM, "A", PlaceFacts({"zh_CN": "库"}, Security.LOCKED_CABINET), None
        )
        cabinet = self.shelving.tree.add(house.archivist, ShelfKind.CABINET, "1", PlaceFacts({"zh_CN": "柜"}), room)
        self.shelves = [
            self.shelving.tree.add(house.archivist, ShelfKind.SHELF, code, PlaceFacts({}, capacity=2), cabinet)
            for code in ("1", "2")
        ]
        self.copies = [self.shelving.copies.add(house.archivist, key, CopyFacts()).id for key in self.items[:4]]
        # begun in the midst: of what begins empty most steps do nothing
        house.arranging.put_in(house.archivist, self.dossiers[0], self.items[:5])
        house.arranging.put_in(house.archivist, self.dossiers[1], self.items[5:])
        for at, copy in enumerate(self.copies[:2]):
            self.file(0, at, with_dossier=True)
            self.shelving.placing.place(house.archivist, copy, self.shelves[0])

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.db.close()
            self.folder.cleanup()

    def _who(self, name: str) -> Identity:
        who: Identity = getattr(self.house, name)
        return who

    def _seen(self, name: str, at: int) -> tuple[UUID, list[UUID]]:
        dossier = self.dossiers[at % len(self.dossiers)]
        return dossier, self.house.order(dossier, self._who(name))

    @rule(who=WHO, at=AT, items=st.sets(AT, min_size=1, max_size=3), place=st.none() | AT)
    def put_in(self, who: str, at: int, items: set[int], place: int | None) -> None:
        dossier, _ = self._seen(who, at)
        chosen = [self.items[each] for each in sorted(items)]
        source = self.house.row(chosen[0]).dossier_id
        try:
            self.house.arranging.put_in(self._who(who), dossier, chosen, source=source, place=place)
        except ArchiveError:
            return

    @rule(who=WHO, at=AT, item=AT)
    def take_out(self, who: str, at: int, item: int) -> None:
        dossier, seen = self._seen(who, at)
        try:
            self.house.arranging.take_out(self._who(who), dossier, seen[item % len(seen) :][:2] if seen else [])
        except ArchiveError:
            return

    @rule(who=WHO, at=AT, one=AT, to=AT)
    def move(self, who: str, at: int, one: int, to: int) -> None:
        dossier, seen = self._seen(who, at)
        if not seen:
            return
        was, will = one % len(seen) + 1, to % len(seen) + 1
        try:
            self.house.arranging.reorder(self._who(who), dossier, {seen[was - 1]: (was, will)})
        except ArchiveError:
            return
        assert self.house.order(dossier, self._who(who)).index(seen[was - 1]) == will - 1

    @rule(who=WHO, at=AT, one=AT, begins=st.booleans())
    def divide(self, who: str, at: int, one: int, begins: bool) -> None:
        dossier, seen = self._seen(who, at)
        if not seen:
            return
        version = self.house.row(dossier).version
        try:
            self.house.arranging.divide(self._who(who), dossier, seen[one % len(seen)], version, begins=begins)
        except ArchiveError:
            return

    @rule(who=WHO, at=AT, one=AT)
    def split(self, who: str, at: int, one: int) -> None:
        dossier, seen = self._seen(who, at)
        if not seen or len(self.dossiers) > 5:
            return
        version = self.house.row(dossier).version
        try:
            made = self.house.arranging.split(self._who(who), dossier, seen[one % len(seen)], "下卷", version)
        except ArchiveError:
            return
        self.dossiers.append(made)

    @rule(who=WHO, one=AT, other=AT)
    def merge(self, who: str, one: int, other: int) -> None:
        try:
            self.house.arranging.merge(self._who(who), self._seen(who, one)[0], self._seen(who, other)[0])
        except ArchiveError:
            return

    @rule(item=AT)
    def bin_and_take_back(self, item: int) -> None:
        key = self.items[item]
        try:
            self.house.records.bin(self.house.archivist, key, self.house.row(key).version)
        except ArchiveError:
            return
        self.house.records.restore(self.house.archivist, key)

    @rule(one=AT, item=AT, with_dossier=st.booleans())
    def file(self, one: int, item: int, with_dossier: bool) -> None:
        both = [self.dossiers[one % len(self.dossiers)], self.items[item]]
        for each in self.house.filing.file(self.house.archivist, both if with_dossier else both[1:]):
            self.numbers.setdefault(each.record_id, each.archive_number)
        for key in both:
            if self.house.row(key).state is RecordState.FILED:
                self.titles.setdefault(key, self.house.row(key).title)

    @rule(who=WHO, item=AT, title=st.sampled_from(["甲", "乙"]))
    def rename(self, who: str, item: int, title: str) -> None:
        row = self.house.row(self.items[item])
        try:
            self.house.records.describe(self._who(who), row.id, {"title": title}, row.version)
        except ArchiveError:
            return

    @rule(who=WHO, item=AT, title=st.sampled_from(["丙", "丁"]))
    def ask_correction(self, who: str, item: int, title: str) -> None:
        row = self.house.row(self.items[item])
        try:
            key = self.corrections.ask(self._who(who), row.id, {"title": title}, "题名有误", row.version)
        except ArchiveError:
            return
        self.asked.append((key, row.id, title))

    @rule(who=WHO, which=AT, approve=st.booleans())
    def decide_correction(self, who: str, which: int, approve: bool) -> None:
        if not self.asked:
            return
        key, record, title = self.asked[which % len(self.asked)]
        try:
            self.corrections.decide(self._who(who), key, "核对过", approve=approve)
        except ArchiveError:
            return
        if approve:
            self.titles[record] = title

    @rule(who=WHO, copy=AT, shelf=st.integers(0, 1))
    def shelve(self, who: str, copy: int, shelf: int) -> None:
        try:
            self.shelving.placing.place(self._who(who), self.copies[copy % 4], self.shelves[shelf])
        except ArchiveError:
            return

    @rule(who=WHO, copy=AT, to=WHO)
    def hand_out(self, who: str, copy: int, to: str) -> None:
        with self.house.db.reading() as session:
            row = session.get_one(Copy, self.copies[copy % 4])
        try:
            self.shelving.copies.hand(self._who(who), row.id, self._who(to).name, row.version)
        except ArchiveError:
            return

    @rule(item=AT, rank=st.integers(1, 3))
    def raise_level(self, item: int, rank: int) -> None:
        row = self.house.row(self.items[item])
        try:
            self.house.records.set_level(self.house.archivist, row.id, rank, "定密", row.version)
        except ArchiveError:
            return

    @invariant()
    def an_item_lies_in_one_place_and_places_have_no_gap(self) -> None:
        if not hasattr(self, "house"):
            return
        with self.house.db.reading() as session:
            rows = {row.id: row for row in session.scalars(select(Record))}
        lying: dict[UUID, list[Record]] = {}
        for row in rows.values():
            assert (row.dossier_id is None) == (row.position is None)
            assert row.dossier_id is not None or row.volume is None
            if row.dossier_id is not None:
                assert row.kind is RecordKind.ITEM
                assert row.state is not RecordState.BINNED
                lying.setdefault(row.dossier_id, []).append(row)
        for dossier, items in lying.items():
            items.sort(key=lambda row: row.position or 0)
            assert [row.position for row in items] == list(range(1, len(items) + 1))
            volumes = [row.volume for row in items]
            if any(volumes):
                assert volumes[0] == 1
                assert all(0 <= (b or 0) - (a or 0) <= 1 for a, b in pairwise(volumes))
                assert len(set(volumes)) > 1
            assert rows[dossier].level_rank >= max(row.level_rank for row in items)
            if rows[dossier].state is RecordState.FILED:
                filed = [row.id for row in items if row.state is RecordState.FILED]
                stood = self.order.get(dossier, [])
                assert [key for key in filed if key in stood] == stood
                self.order[dossier] = filed
        for key, number in self.numbers.items():
            assert rows[key].archive_number == number

    @invariant()
    def what_is_filed_stands_as_filed_or_corrected_and_registers_agree(self) -> None:
        if not hasattr(self, "house"):
            return
        with self.house.db.reading() as session:
            filed = session.scalars(select(Record).where(Record.state == RecordState.FILED)).all()
            entered = select(LogEntry.record_id).where(LogEntry.act == "record.file")
            register = session.scalars(entered).all()
        assert {row.id: row.title for row in filed} == self.titles
        assert sorted(filter(None, register)) == sorted(row.id for row in filed)
        for numbers in ([row.archive_number for row in filed], [row.registration_number for row in filed]):
            assert all(numbers)
            assert len(set(numbers)) == len(numbers)

    @invariant()
    def a_copy_is_on_one_shelf_or_with_one_person(self) -> None:
        if not hasattr(self, "house"):
            return
        with self.house.db.reading() as session:
            for row in session.scalars(select(Copy)):
                assert row.place_id is None or row.holder_id is None
            for shelf in session.scalars(select(ShelfPlace).where(ShelfPlace.id.in_(self.shelves))):
                lying = session.scalar(select(func.count()).where(Copy.place_id == shelf.id))
                assert shelf.taken == lying
                assert lying is not None
                assert lying <= 2


TestArranged = Arranged.TestCase
TestArranged.settings = settings(
    max_examples=6, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a run lasts too long to be made shorter
)  # fmt: skip
