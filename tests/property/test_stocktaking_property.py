"""However people scan, move and lend meanwhile: each copy is counted once, the report is complete, blocks agree."""

from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from archive.errors import ArchiveError, Blocked
from archive.ids import new_id
from archive.model import Block, BlockKind, ScanVerdict, Tally
from archive.model.stocktaking import FollowUp
from tests.factories.stock_house import a_stock_house

WHICH, BOX = st.integers(0, 30), st.integers(0, 1)
PEOPLE = st.sampled_from(["archivist", "custodian"])


@dataclass
class Count:
    """What a count should know: where copies were expected (None: out), and where each was scanned last."""

    key: UUID
    expected: dict[UUID, int | None]
    scanned: dict[UUID, tuple[int, int | None]] = field(default_factory=dict)
    sent: dict[UUID, tuple[UUID, int, str, ScanVerdict]] = field(default_factory=dict)


class Counting(RuleBasedStateMachine):
    """Two people who count a shelf of two boxes while papers are moved, lent and brought back."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        own = self.folder / new_id().hex
        own.mkdir()
        self.stack = ExitStack()
        self.house = self.stack.enter_context(a_stock_house(own))
        self.copies: list[tuple[UUID, UUID]] = []
        self.lies: dict[UUID, int | None] = {}  # box; None: with someone or nowhere
        self.out: dict[UUID, bool] = {}  # with someone, from the shelf
        self.missing: set[UUID] = set()
        self.open: Count | None = None
        self.reports: dict[UUID, dict[UUID, Tally | None]] = {}
        self.settled: set[tuple[UUID, UUID]] = set()
        self.found_by: dict[UUID, set[UUID]] = defaultdict(set)
        for box in (0, 0, 1):
            self.come(box)
        self.begin()

    def teardown(self) -> None:
        self.stack.close()

    @rule(box=BOX)
    def come(self, box: int) -> None:
        record, copy = self.house.a_copy(box=box)
        self.copies.append((record, copy))
        self.lies[copy], self.out[copy] = box, False

    @rule()
    def begin(self) -> None:
        if self.open is not None:
            return
        expected = {copy: box for copy, box in self.lies.items() if box is not None}
        expected |= {copy: None for copy, out in self.out.items() if out}
        self.open = Count(self.house.begin(), expected)

    @rule(which=WHICH, box=BOX, login=PEOPLE)
    def scan(self, which: int, box: int, login: str) -> None:
        if self.open is None:
            return
        record, copy = self.copies[which % len(self.copies)]
        now, key, label = self.lies[copy], uuid4(), self.house.number(record)
        told = self.house.scan(self.open.key, label, box, login, key)
        if self.open.scanned.get(copy) == (box, now):
            assert told.verdict is ScanVerdict.TWICE
        else:
            assert told.verdict is (ScanVerdict.FOUND if now == box else ScanVerdict.MISPLACED)
        self.open.scanned[copy] = (box, now)
        self.found_by[self.open.key].add(copy)
        self.open.sent[key] = (copy, box, login, told.verdict)
        self.missing.discard(copy)

    @rule(which=WHICH)
    def send_again(self, which: int) -> None:
        if self.open is None or not self.open.sent:
            return
        key = list(self.open.sent)[which % len(self.open.sent)]
        copy, box, login, verdict = self.open.sent[key]
        record = next(record for record, each in self.copies if each == copy)
        assert self.house.scan(self.open.key, self.house.number(record), box, login, key).verdict is verdict

    @rule(login=PEOPLE)
    def scan_nonsense(self, login: str) -> None:
        if self.open is not None:
            assert self.house.scan(self.open.key, "no such label", 0, login).verdict is ScanVerdict.UNKNOWN

    @rule(which=WHICH, box=BOX)
    def move(self, which: int, box: int) -> None:
        _, copy = self.copies[which % len(self.copies)]
        self.house.place(copy, box)
        self.lies[copy], self.out[copy] = box, False
        self.missing.discard(copy)

    @rule(which=WHICH)
    def lend(self, which: int) -> None:
        record, copy = self.copies[which % len(self.copies)]
        if self.out[copy]:
            return
        try:
            self.house.hand(record, copy)
        except Blocked:
            assert copy in self.missing
            return
        assert copy not in self.missing
        self.lies[copy], self.out[copy] = None, True

    @rule()
    def close(self) -> None:
        if self.open is None:
            return
        count, self.open = self.open, None
        view = self.house.close(count.key)
        should = {copy: self._tally(count, copy) for copy in count.expected.keys() | count.scanned.keys()}
        assert Counter(each.copy_id for each in view.items) == Counter(should.keys()), "each once, none left out"
        assert {each.copy_id: each.tally for each in view.items} == should
        figures = view.figures
        assert figures.found + figures.missing + figures.misplaced + figures.out == len(should)
        assert (figures.expected, figures.scanned) == (len(count.expected), len(count.scanned))
        self.reports[count.key] = dict(should)

    def _tally(self, count: Count, copy: UUID) -> Tally:
        now = self.lies[copy]
        if copy in count.scanned:
            found, belonged = count.scanned[copy]
            return Tally.FOUND if now == found or now != belonged else Tally.MISPLACED
        lay = count.expected[copy]
        return Tally.MISSING if lay is not None and now == lay else Tally.OUT

    @rule(which=WHICH)
    def mark(self, which: int) -> None:
        if not self.reports:
            return
        key = list(self.reports)[which % len(self.reports)]
        before = {copy for copy, tally in self.reports[key].items() if tally is Tally.MISSING}
        self.house.stock.following.mark_missing(self.house.who["archivist"], key)
        view = self.house.stock.reports.show(self.house.who["archivist"], key)
        marked = {
            each.copy_id for each in view.items if each.follow_up is FollowUp.MARKED and each.tally is Tally.MISSING
        }
        fresh = {copy for copy in marked if (key, copy) not in self.settled}
        assert marked <= before
        later = {copy for found, copies in self.found_by.items() if found > key for copy in copies}
        assert not fresh & later, "what a later count found is not missing"
        self.missing |= fresh
        self.settled |= {(key, copy) for copy in fresh}

    @rule(which=WHICH, there=st.booleans())
    def settle(self, which: int, there: bool) -> None:
        wrong = [
            (key, copy) for key, each in self.reports.items() for copy, tally in each.items()
            if tally is Tally.MISPLACED
        ]  # fmt: skip
        if not wrong:
            return
        key, copy = wrong[which % len(wrong)]
        try:
            self.house.stock.following.settle(self.house.who["archivist"], key, copy, there=there)
        except ArchiveError:
            return
        if there:
            view = self.house.stock.reports.show(self.house.who["archivist"], key)
            found = next(each.found for each in view.items if each.copy_id == copy)
            self.lies[copy], self.out[copy] = int(str(found)[-1]) - 1, False
            self.missing.discard(copy)

    @invariant()
    def blocks_agree_and_closed_reports_stay(self) -> None:
        with self.house.db.reading() as session:
            open_ones = session.scalars(
                select(Block.copy_id).where(Block.ended_at.is_(None), Block.kind == BlockKind.MISSING)
            ).all()
        assert Counter(open_ones) == Counter(self.missing)
        for key, should in self.reports.items():
            items = self.house.stock.reports.show(self.house.who["archivist"], key).items
            assert {each.copy_id: each.tally for each in items} == should


def test_each_copy_is_counted_once_whoever_scans_and_whatever_moves(tmp_path: Path) -> None:
    Counting.folder = tmp_path
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Counting,
        settings=settings(
            max_examples=4,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # a run lasts too long to be made shorter
        ),
    )
