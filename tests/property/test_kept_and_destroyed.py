"""Decades of a house against a model of a page: only what may go is ever destroyed, and everything agrees about it.

People enter events, hold, lend, open matters, renew, appraise and destroy over the product's own parts, and time jumps
from days to decades and onto leap days. The model knows each record by a card, and nothing that the house says.
"""

from calendar import isleap
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from archive.cataloguing.describing import Draft
from archive.errors import ArchiveError
from archive.identity import Identity
from archive.loans.asking import Wish as LoanWish
from archive.model import (
    Appraisal,
    AppraisalItem,
    ApprovalWord,
    Category,
    Content,
    DestroyedRecord,
    Destruction,
    DestructionDuty,
    DestructionItem,
    DestructionItemState,
    DestructionMethod,
    DestructionState,
    DueState,
    Duty,
    Fonds,
    HoldKind,
    Job,
    JobKind,
    JobState,
    LoanForm,
    LogEntry,
    MatterKind,
    OwnerKey,
    Record,
    RecordDue,
    RetentionSchedule,
    Said,
    Verdict,
)
from benchmarks._rough_proxy import RoughProxy
from retention.appraising.listing import Chosen as Due
from retention.appraising.verdicts import Said as Opinion
from retention.board import Asked
from retention.destroying.listing import Chosen, How
from retention.holds import Wanted
from retention.renewal_rules import Extent
from retention.renewals import Wish
from runtime.fsck import fsck
from runtime.wiring.parts import Parts
from tests.factories import minio_server
from tests.factories.archives import Archive
from tests.fakes.clock import FixedClock
from tests.integration.test_minio_faults import Bucketed

FOREVER = date.max


def years_after(day: date, years: int) -> date:
    """The same day so many years later; the first of March where that year has no leap day."""
    while True:
        try:
            return day.replace(year=day.year + years)
        except ValueError:
            day += timedelta(1)


@dataclass
class Card:
    """What is known of a record. ``start``: its clock counts from that day; None: what starts it has not happened."""

    years: int | None  # None: permanent
    start: date | None
    waits: bool = False  # for an event
    kept: date | None = None
    given_up: bool = False
    judged: bool = False  # by a panel that has not ended
    held: list[UUID] = field(default_factory=list)
    lent: list[UUID] = field(default_factory=list)
    matters: list[UUID] = field(default_factory=list)

    @property
    def for_good(self) -> bool:
        return self.years is None or self.kept == FOREVER

    def due(self) -> date | None:
        """The first day on which its term is over; None: there is none."""
        if self.years is None or self.start is None or self.kept == FOREVER:
            return None
        return max(years_after(self.start, self.years), self.kept or date.min)

    def free(self, today: date) -> bool:
        """Whether its term is over, and nothing keeps it."""
        due = self.due()
        return due is not None and due <= today and not (self.held or self.lent or self.matters)

    def may_go(self, today: date) -> bool:
        return self.given_up and not self.judged and self.free(today)


PANEL = ("archivist", "manager", "director")
DECIDE = ("secrecy", "manager", "director")
DUTIES = ((Duty.EXECUTOR, "clerk"), (Duty.WITNESS, "staff"), (Duty.WITNESS, "resident"), (Duty.SUPERVISOR, "system"))
ENDED = (DestructionState.REFUSED, DestructionState.WITHDRAWN, DestructionState.CLOSED, DestructionState.GONE)
ON_IT = (DestructionItem.standing, DestructionItem.state != DestructionItemState.PULLED)
ACTS = (
    *["destroy"] * 12, *["appraise"] * 4, *["judge"] * 2, *["wait"] * 3, *["happen"] * 2,
    *["release", "take_back", "settle"] * 2, *["hold"] * 2, "lend", "open", "undo", "renew", *["carry_out"] * 2,
)  # fmt: skip


class Decades(RuleBasedStateMachine):
    """Six records in a house of the demonstration's people: one permanent, two whose clocks an event starts."""

    parts: Parts
    clock: FixedClock

    @initialize()
    def file(self) -> None:
        who, parts, this = self.who("archivist"), self.parts, self.today().year
        with parts.db.reading() as session:
            fonds = session.scalars(select(Fonds.id).where(Fonds.code == "H001")).one()
            query = select(Category.id).where(Category.fonds_id == fonds, Category.code == "WYS01")
            category = session.scalars(query).one()
            schedules = {row.code: row.id for row in session.scalars(select(RetentionSchedule))}
        self.schedules = [schedules["TEN"], schedules["END"]]
        years, terms = [this - 16, this - 16, this - 2, this - 16, this, this], ["D10", "D10", "D10", "Y", "D1", "D1"]
        drafts = [
            Draft(fonds, category, f"第{at}份", drawn_up=f"{year}-03-05", term=term)
            for at, (year, term) in enumerate(zip(years, terms, strict=True))
        ]
        self.ids = list(parts.records.create_many(who, drafts))
        parts.intake.receive(who, self.ids[0], "正文.txt", ["独一无二的养护条款".encode()])
        self.cards = {
            key: Card(3, None, waits=True) if at > 3 else Card(None if at == 3 else 10, date(years[at] + 1, 1, 1))
            for at, key in enumerate(self.ids)
        }
        for key, card in self.cards.items():
            chosen = self.schedules[card.waits]
            parts.retention.schedules.choose(who, key, chosen, authority="档案馆", reason="试用")
        assert [each.reason for each in parts.filing.file(who, self.ids)] == [None] * 6
        self.doomed: set[UUID] = set()
        self.gone: set[UUID] = set()
        self.events: dict[UUID, tuple[UUID, date]] = {}
        self.panels: list[UUID] = []

    def who(self, login: str) -> Identity:
        return self.parts.people.identity_of(login)

    def today(self) -> date:
        return self.parts.guard.day()

    def rows(self, kind: Any, *where: Any) -> list[Any]:
        with self.parts.db.reading() as session:
            return list(session.scalars(select(kind).where(*where)))

    @staticmethod
    def tried(act: Callable[..., Any], *words: Any, **more: Any) -> Any:
        """Return what an act gave; None where it was refused."""
        with suppress(ArchiveError):
            return act(*words, **more)
        return None

    @rule(what=st.sampled_from(ACTS), which=st.integers(0, 5), seed=st.integers(0, 9999))
    def act(self, what: str, which: int, seed: int) -> None:
        """Someone does something: one rule, so that all acts meet in every run. It is done to what still stands."""
        self.clock.move(seconds=1)
        draw = Random(seed)  # what is chosen from depends on the house, which Hypothesis may not draw from
        left = [key for key in self.ids if key not in self.doomed | self.gone]
        if what in {"wait", "appraise", "judge", "destroy", "undo", "carry_out"}:
            getattr(self, what)(draw)
        elif left:
            key = left[which % len(left)]
            getattr(self, what)(key, self.cards[key], draw)

    def happen(self, key: UUID, card: Card, draw: Random) -> None:
        """A contract ends, perhaps on a leap day."""
        today = self.today()
        leap = date(next(year for year in range(today.year, 0, -1) if isleap(year)), 2, 29)
        day = draw.choice([today, today - timedelta(400), today - timedelta(3000), leap])
        event = self.parts.retention.events.enter_of_record(self.who("archivist"), key, "contract_end", day)
        if card.waits:
            self.events[event] = (key, day)
            card.start = max(each for of, each in self.events.values() if of == key)

    def undo(self, draw: Random) -> None:
        left = {event: key for event, (key, _) in self.events.items() if key not in self.doomed | self.gone}
        if left:
            event = draw.choice(list(left))
            self.parts.retention.events.undo(self.who("archivist"), event, "误登")
            key, _ = self.events.pop(event)
            self.cards[key].start = max((each for of, each in self.events.values() if of == key), default=None)

    def hold(self, key: UUID, card: Card, _draw: Random | None = None) -> None:
        wanted = Wanted(HoldKind.RECORD, {"id": str(key)}, "诉讼", "涉诉", "法务部", date(9000, 1, 1))
        card.held.append(self.parts.retention.holds.place(self.who("archivist"), wanted))

    def release(self, _key: UUID, card: Card, _draw: Random) -> None:
        if card.held:
            self.parts.retention.holds.release(self.who("manager"), card.held.pop(), "结案")

    def lend(self, key: UUID, card: Card, _draw: Random) -> None:
        wish = LoanWish(form=LoanForm.SCREEN, purpose="work", words="查阅条款")
        if loan := self.tried(self.parts.lending.requests.ask, self.who("staff"), key, wish):
            card.lent.append(loan)

    def take_back(self, _key: UUID, card: Card, _draw: Random) -> None:
        if card.lent:
            loan = self.parts.lending.asked_loan(self.who("staff"), card.lent.pop()).loan
            self.parts.lending.requests.withdraw(self.who("staff"), loan.approval_id)

    def open(self, key: UUID, card: Card, _draw: Random) -> None:
        acts = self.parts.retention.matters
        card.matters.append(acts.open_of_record(self.who("archivist"), key, MatterKind.CLAIM, "索赔"))

    def settle(self, _key: UUID, card: Card, _draw: Random) -> None:
        if card.matters:
            self.parts.retention.matters.close(self.who("archivist"), card.matters.pop(), "已赔付")

    def renew(self, key: UUID, card: Card, draw: Random) -> None:
        """What is not kept for good, and on no list, can be renewed; nobody grants their own."""
        years, approve = draw.choice([1, 1, 5, 20, None]), draw.randint(0, 2) > 0
        acts, wish = self.parts.retention.renewals, Wish([key], Extent(years=years), "仍有查考价值", "鉴定委员会")
        listed = self.rows(DestructionItem, *ON_IT, DestructionItem.record_id == key)
        asked = self.tried(acts.ask, self.who("archivist"), wish)
        assert (asked is None) is (card.for_good or bool(listed))
        if asked is not None:
            assert self.tried(acts.decide, self.who("archivist"), asked, "同意", approve=True) is None
            acts.decide(self.who("manager"), asked, "看过了", approve=approve)
            if approve:
                since = max(card.due() or self.today(), self.today())
                until = years_after(since, years) if years else FOREVER
                card.kept, card.given_up = max(until, card.kept or until), False

    def appraise(self, draw: Random) -> None:
        """A panel of three is to judge what is due, now or later: until it has, none of it goes."""
        acts = self.parts.retention.appraisals
        for schedule in self.schedules:
            chosen = Due(Asked(schedule=schedule))
            begun = self.tried(acts.listing.begin, self.who("archivist"), "到期鉴定", PANEL, "director", chosen)
            if begun is None:
                continue
            acts.listing.open(self.who("archivist"), begun, self.rows(Appraisal, Appraisal.id == begun)[0].version)
            self.done(JobKind.APPRAISE)
            self.panels.append(begun)
            for key in self.judged_by(begun):
                self.cards[key].judged = True
            if draw.randint(0, 2):
                self.judge(draw)

    def done(self, kind: JobKind) -> None:
        """Run the jobs of a kind; on a busy machine a server may not answer one in time, which then waits a while."""
        for _ in range(20):
            self.parts.runner.run(kind)
            if not self.rows(Job.id, Job.kind == kind, Job.state.in_((JobState.QUEUED, JobState.RUNNING))):
                return
            with self.parts.db.writing() as work:
                work.session.execute(update(Job).where(Job.kind == kind).values(run_after=self.parts.clock.now()))
                work.commit()

    def judged_by(self, appraisal: UUID) -> list[UUID]:
        found = set(self.rows(AppraisalItem.record_id, AppraisalItem.appraisal_id == appraisal))
        return [key for key in self.ids if key in found]

    def judge(self, draw: Random) -> None:
        """A panel says what it has to; what something keeps is not given up."""
        verdicts = [*[Verdict.DESTROY] * 6, Verdict.KEEP, Verdict.TRANSFER]
        acts, until = self.parts.retention.appraisals, date(self.today().year + 2, 2, 28)
        while self.panels:
            begun = self.panels.pop()
            for key in self.judged_by(begun):
                verdict, card = draw.choice(verdicts), self.cards[key]
                card.judged = card.given_up = False
                said = Opinion(verdict, until if verdict is Verdict.KEEP else None)
                say = partial(acts.judging.say, appraisal_id=begun, record_ids=[key], said=said, reason="已阅")
                if sum(self.tried(say, self.who(login)) or 0 for login in PANEL) == len(PANEL):
                    card.given_up = verdict is Verdict.DESTROY and card.free(self.today())
                    if verdict is Verdict.KEEP:
                        card.kept = max(until, card.kept or until)
            acts.listing.close(self.who("director"), begun, self.rows(Appraisal, Appraisal.id == begun)[0].version)
            self.done(JobKind.APPRAISE)

    def destroy(self, draw: Random) -> None:
        """A destruction begins with exactly what may go, or goes on by some steps, or is taken back."""
        acts, today = self.parts.retention.destructions, self.today()
        rows = self.rows(Destruction, Destruction.state.not_in(ENDED))
        if not rows:
            how = How("到期销毁", DestructionMethod.DELETION, "机房")
            key = self.tried(acts.listing.begin, self.who("archivist"), how, Chosen())
            listed = self.rows(DestructionItem.record_id, DestructionItem.destruction_id == key) if key else []
            may_go = {each for each in set(self.ids) - self.gone if self.cards[each].may_go(today)}
            assert set(listed) == may_go, [self.cards.get(each) for each in may_go ^ set(listed)]
            for duty, login in DUTIES if key else ():
                acts.counting.appoint(self.who("archivist"), key, duty, login)
        elif draw.randint(0, 15) == 0:
            self.tried(acts.listing.withdraw, self.who("archivist"), rows[0].id, "暂缓")
        else:
            if rows[0].state is DestructionState.COOLING and draw.randint(0, 1):
                self.clock.move(days=8)
            for _ in range(draw.randint(1, 4)):
                self.step(self.rows(Destruction, Destruction.id == rows[0].id)[0], draw.choice(PANEL))

    def step(self, row: Destruction, other: str) -> None:
        """Do what comes next; first one tries it who has another part."""
        acts, key = self.parts.retention.destructions, row.id
        state = DestructionState
        steps: dict[DestructionState, tuple[Callable[..., Any], Sequence[str], Sequence[Any], dict[str, Any]]] = {
            state.DRAFT: (acts.deciding.ask, ["archivist"], ["已到期并经鉴定"], {}),
            state.ASKED: (acts.deciding.decide, DECIDE, ["同意"], {"approve": True}),
            state.COOLING: (acts.deciding.confirm, ["security"], [], {}),
            state.CONFIRMED: (acts.counting.sign, ["staff", "resident", "system"], [], {}),
            state.COUNTED: (acts.running.run, ["clerk"], [row.number], {}),
        }
        if row.state in steps:
            do, logins, words, more = steps[row.state]
            if other not in logins:
                assert self.tried(do, self.who(other), key, *words, **more) is None
            for login in logins:
                self.tried(do, self.who(login), key, *words, **more)

    def wait(self, draw: Random) -> None:
        if self.today().year < 2400:
            self.clock.move(days=draw.choice([1, 8, 8, 8, 8, 31, 366, 1461, 4000, 9131]))

    def carry_out(self, _draw: Random | None = None) -> None:
        """The engine does what runs, and asks once more; what may not go any more is pulled out."""
        for _ in range(20):
            if not self.rows(Destruction, Destruction.state == DestructionState.RUNNING):
                break
            for kind in (JobKind.INDEX, JobKind.EXPUNGE, JobKind.DESTROY):
                self.parts.runner.run(kind)
            self.clock.move(seconds=61)
        assert not self.rows(Destruction, Destruction.state == DestructionState.RUNNING)
        self.gone |= self.doomed
        self.doomed = set()

    @invariant()
    def only_what_may_go_is_doomed_by_a_whole_chain(self) -> None:
        doomed = DestructionItem.state == DestructionItemState.DOOMED
        for item in self.rows(DestructionItem, doomed, DestructionItem.record_id.in_(self.ids)):
            if item.record_id not in self.doomed:
                assert self.cards[item.record_id].may_go(self.today()), self.cards[item.record_id]
                self.chain(item.destruction_id)
                self.doomed.add(item.record_id)
        assert set(self.ids) - set(self.rows(Record.id, Record.id.in_(self.ids))) == self.gone

    def chain(self, key: UUID) -> None:
        """Everyone who must have had a part had one, and each is another person."""
        [row] = self.rows(Destruction, Destruction.id == key)
        duties = self.rows(DestructionDuty.person_id, DestructionDuty.destruction_id == key)
        words = (ApprovalWord.approval_id == row.approval_id, ApprovalWord.said == Said.APPROVED)
        agreed = self.rows(ApprovalWord.person_id, *words)
        everyone = {row.begun_by, row.confirmed_by, *agreed, *duties}
        assert (len(agreed), len(duties), len(everyone)) == (3, 4, 9)
        assert row.confirmed_at >= row.cooling_until

    @invariant()
    def every_day_is_what_the_card_says(self) -> None:
        kept = {row.record_id: row for row in self.rows(RecordDue, RecordDue.record_id.in_(self.ids))}
        for key in set(self.ids) - self.gone:
            assert (kept[key].due, kept[key].state is DueState.NEVER) == (
                self.cards[key].due(),
                self.cards[key].for_good,
            )

    @invariant()
    def register_log_and_database_agree(self) -> None:
        told = self.rows(LogEntry.record_id, LogEntry.act == "record.destroy", LogEntry.record_id.in_(self.ids))
        assert sorted(told) == sorted(self.gone)
        listed = self.rows(DestroyedRecord.record_id, DestroyedRecord.record_id.in_(self.ids))
        assert sorted(listed) == sorted(self.gone | self.doomed)
        for column in (Content.record_id, OwnerKey.owner_id):
            assert not self.rows(column, column.in_(self.gone))

    def teardown(self) -> None:
        """Leave the house to the next without anything that may still go, and look at all of it once more."""
        self.carry_out()
        for key in self.panels:
            version = self.rows(Appraisal, Appraisal.id == key)[0].version
            self.parts.retention.appraisals.listing.withdraw(self.who("archivist"), key, version, "暂缓")
        self.done(JobKind.APPRAISE)
        for row in self.rows(Destruction, Destruction.state.not_in(ENDED)):
            self.parts.retention.destructions.listing.withdraw(self.who("archivist"), row.id, "暂缓")
        for key in set(self.ids) - self.gone:
            self.hold(key, self.cards[key])
        self.parts.runner.run(JobKind.INDEX)
        self.parts.sealer.seal_all()
        faults = fsck(self.parts).violations
        assert not faults, faults


def played(parts: Parts, clock: FixedClock) -> None:
    """Give the house two schedules, ten years from the end of the year, and three from a contract's end; then play."""
    definitions: dict[str, dict[str, Any]] = {
        "TEN": {"term": "D10", "trigger": "year_end", "start": "next_january", "exact": True},
        "END": {"term": "D3", "trigger": "event", "event": "contract_end", "start": "same_day", "exact": True},
    }
    acts, archivist = parts.retention.schedules, parts.people.identity_of("archivist")
    for code, rules in definitions.items():
        told: dict[str, Any] = {
            "code": code,
            "names": {"zh_CN": code},
            "definition": rules | {"source": "8号令"},
            "categories": [],
        }
        draft = acts.draft(archivist, None, why="试用", **told)
        acts.decide(parts.people.identity_of("manager"), draft, "同意", approve=True)
    parts.runner.run(JobKind.RECKON)
    machine = type("Machine", (Decades,), {"parts": parts, "clock": clock})
    how = settings(
        max_examples=5, stateful_step_count=60, deadline=None, phases=[Phase.generate], database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=how)


@pytest.fixture
def clock() -> FixedClock:
    """One that begins when the demonstration's own log has ended."""
    return FixedClock(datetime.now(UTC).replace(microsecond=0))


@pytest.mark.postgres
def test_decades_in_a_house_with_a_folder(archive: Archive, clock: FixedClock) -> None:
    played(archive.parts(clock), clock)


@pytest.mark.postgres
def test_decades_in_a_house_with_a_bucket(archive: Archive, clock: FixedClock) -> None:
    access = minio_server.needed()
    with RoughProxy(access.endpoint) as proxy:
        house = Bucketed(archive, access, proxy)
        played(house.parts(clock), clock)
        house.close()
