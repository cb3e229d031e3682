"""Appraisals against a small model: nothing that may not go is to be destroyed; what is kept on has its day."""

import tempfile
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from archive.errors import ArchiveError
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    HoldKind,
    MatterKind,
    RecordDue,
    RecordExtension,
    Verdict,
)
from retention.appraising.listing import Chosen
from retention.appraising.verdicts import Said, verdict_of
from retention.holds import Wanted
from tests.factories.retained import RetainedHouse, retained_house

DAYS = st.dates(date(2026, 4, 1), date(2060, 12, 31))
SAID = st.sampled_from([Said(each) for each in Verdict if each is not Verdict.KEEP]) | DAYS.map(
    lambda day: Said(Verdict.KEEP, day)
)
PANEL = [UUID(int=at) for at in range(5)]


@given(st.dictionaries(st.sampled_from(PANEL), SAID), st.integers(3, 5))
def test_one_voice_never_destroys_and_the_longest_day_counts(opinions: dict[UUID, Said], panel: int) -> None:
    opinions = {key: said for key, said in opinions.items() if key.int < panel}
    found = verdict_of(opinions, panel, PANEL[0])
    if found is None:
        return
    same = [each for each in opinions.values() if each.verdict is found.verdict]
    if found.verdict is Verdict.DESTROY:
        assert len(same) * 2 > panel
    if len(same) * 2 <= panel:
        assert len(opinions) == panel
        assert found == opinions[PANEL[0]]
    elif found.verdict is Verdict.KEEP:
        assert found.until == max(each.until for each in same if each.until)
    else:
        assert found.until is None


AT = st.integers(0, 5)
OLD, LATE = date(1990, 12, 31), date(2024, 12, 31)


class Panels(RuleBasedStateMachine):
    """Six records: three due (two in one dossier's company), one undue, one permanent, one undated."""

    made: RetainedHouse

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.made = made = retained_house(Path(self.folder.name))
        house = made.house
        made.schedule("A", house.category, term="D10")
        self.items = [house.add(f"件{n}", drawn_up="1990", drawn_to=OLD) for n in range(3)]
        self.items.append(house.add("未到期", drawn_up="2024", drawn_to=LATE))
        self.items.append(house.add("永久", drawn_up="1990", drawn_to=OLD))
        self.items.append(house.add("无日期", drawn_up="1990", drawn_to=None))
        with house.db.writing() as work:
            work.session.get_one(type(house.row(self.items[4])), self.items[4]).term = "Y"
            work.commit()
        made.filed(*self.items)
        self.members = [house.archivist, house.colleague, house.branch]
        self.current: UUID | None = None
        self.holds: list[UUID] = []
        self.destroyed: set[UUID] = set()
        self.longest: dict[UUID, date] = {}

    def teardown(self) -> None:
        if hasattr(self, "made"):
            self.made.house.db.close()
            self.folder.cleanup()

    def row(self) -> Appraisal:
        assert self.current is not None
        with self.made.house.db.reading() as session:
            return session.get_one(Appraisal, self.current)

    @rule()
    def draw_up(self) -> None:
        if self.current is not None:
            return
        listing, who = self.made.retention.appraisals.listing, self.made.house.archivist
        try:
            self.current = listing.begin(who, "鉴定", ("张", "李", "王"), "李", Chosen())
        except ArchiveError:
            return
        listing.open(who, self.current, self.row().version)
        self.made.work()

    @rule(at=AT, who=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True), said=SAID)
    def say(self, at: int, who: list[int], said: Said) -> None:
        for each in who if self.current else ():
            try:
                self.made.retention.appraisals.judging.say(
                    self.members[each], self.current or uuid4(), [self.items[at]], said, "理由"
                )
            except ArchiveError:
                return

    @rule(at=AT)
    def hold(self, at: int) -> None:
        wanted = Wanted(HoldKind.RECORD, {"id": str(self.items[at])}, "诉讼", "保全", "法院", date(2030, 1, 1))
        self.holds.append(self.made.retention.holds.place(self.made.house.archivist, wanted))

    @rule(at=AT)
    def release(self, at: int) -> None:
        if self.holds:
            key = self.holds.pop(at % len(self.holds))
            self.made.retention.holds.release(self.made.house.colleague, key, "结案")

    @rule(at=AT)
    def claim(self, at: int) -> None:
        who = self.made.house.archivist
        self.made.retention.matters.open_of_record(who, self.items[at], MatterKind.CLAIM, "未结")

    @rule()
    def settle(self) -> None:
        matters, who = self.made.retention.matters, self.made.house.archivist
        for each in matters.list(who, limit=50):
            matters.close(who, each.matter.id, "已结")

    @rule(withdrawn=st.booleans())
    def end(self, withdrawn: bool) -> None:
        if self.current is None:
            return
        house, listing, row = self.made.house, self.made.retention.appraisals.listing, self.row()
        kept = self.kept_back()
        if withdrawn:
            listing.withdraw(house.archivist, row.id, row.version, "重来")
        else:
            listing.close(house.colleague, row.id, row.version)
        self.made.work()
        with house.db.reading() as session:
            items = session.scalars(select(AppraisalItem).where(AppraisalItem.appraisal_id == row.id)).all()
        for each in items if not withdrawn else ():
            if each.verdict is Verdict.DESTROY:
                assert each.record_id in self.items[:3]
                assert each.record_id not in kept
            if each.verdict is Verdict.KEEP:
                assert each.until is not None
                self.longest[each.record_id] = max(each.until, self.longest.get(each.record_id, date.min))
        self.current = None

    def kept_back(self) -> set[UUID]:
        """Return what a hold or a matter keeps, said without the code under test."""
        who, held = self.made.house.archivist, set[UUID]()
        for each in self.items:
            if self.made.retention.holds.on(who, each):
                held.add(each)
            if any(one.matter.closed_at is None for one in self.made.retention.matters.of_record(who, each)):
                held.add(each)
        return held

    @invariant()
    def days_are_true(self) -> None:
        if not hasattr(self, "made"):
            return
        assert self.made.wrong() == []
        with self.made.house.db.reading() as session:
            days = {row.record_id: row.due for row in session.scalars(select(RecordDue))}
            assert {row.record_id for row in session.scalars(select(RecordExtension))} == set(self.longest)
            running = select(AppraisalItem.record_id).join(Appraisal, Appraisal.id == AppraisalItem.appraisal_id)
            listed = set(session.scalars(running.where(Appraisal.state == AppraisalState.OPEN)))
        assert listed <= set(self.items[:3])
        for at, key in enumerate(self.items[:3]):
            assert days[key] == max(date(2001, 1, 1), self.longest.get(key, date.min)), at
        assert days[self.items[3]] == date(2035, 1, 1)
        assert days[self.items[4]] is None
        assert days[self.items[5]] is None


TestPanels = Panels.TestCase
TestPanels.settings = settings(
    max_examples=6, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip
