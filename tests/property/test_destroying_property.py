"""Whatever people do, in whatever order: only what may go reaches the engine, by a chain of different people."""

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from archive.errors import ArchiveError
from archive.ids import new_id
from archive.loans.states import RUNNING
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    ApprovalWord,
    DestroyedRecord,
    Destruction,
    DestructionDuty,
    DestructionItem,
    DestructionItemState,
    DestructionState,
    Duty,
    Hold,
    HoldKind,
    Loan,
    LoanForm,
    LoanState,
    RecordDue,
    Said,
    SignedHow,
    Verdict,
)
from retention.destroying.rules import NEXT, all_apart, free_for
from retention.holds import Wanted
from tests.factories import people as rights
from tests.factories.destroying import DUTIES, DestroyingHouse, a_destroying_house

WHO = st.sampled_from(
    [
        "archivist",
        "archivist2",
        "head",
        "director",
        "secrecy",
        "security",
        "staff",
        "witness",
        "witness2",
        "executor",
        "system",
    ]
)
WHICH = st.integers(0, 30)
PEOPLE = st.integers(0, 5).map(lambda each: UUID(int=each))
DUTIES_TAKEN = st.dictionaries(st.sampled_from(Duty), st.lists(PEOPLE, max_size=3))


@given(DUTIES_TAKEN, PEOPLE, st.sampled_from(Duty))
def test_taking_a_duty_that_is_free_keeps_everyone_apart(taken: dict[Duty, list[UUID]], who: UUID, duty: Duty) -> None:
    after = {**taken, duty: [*taken.get(duty, []), who]}
    if all_apart(taken):
        assert all_apart(after) is free_for(taken, who)
    else:
        assert not all_apart(after)


def test_nothing_leads_back_from_running() -> None:
    reached, at = set(), {DestructionState.RUNNING}
    while at:
        reached |= at
        at = {following for each in at for following in NEXT[each]} - reached
    assert reached == {DestructionState.RUNNING, DestructionState.GONE, DestructionState.CLOSED}


class Destroying(RuleBasedStateMachine):
    """People who list, ask, decide, hold, lend, object, count, run and wait; the model is a set of facts of records."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        own = self.folder / new_id().hex
        own.mkdir()
        self.opened = a_destroying_house(own)
        self.house: DestroyingHouse = self.opened.__enter__()
        self.good = [self.house.record() for _ in range(3)]
        self.never = [
            self.house.record(due=None), self.house.record(due=date(2090, 1, 1)),
            self.house.record(verdict=Verdict.KEEP), self.house.record(verdict=None),
        ]  # fmt: skip
        self.judged: set[UUID] = set()

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)

    def _rows(self, kind: Any, *where: Any) -> list[Any]:
        with self.house.lent.db.reading() as session:
            return list(session.scalars(select(kind).where(*where)))

    def _one(self, which: int) -> UUID | None:
        rows = sorted(self._rows(Destruction), key=lambda each: each.begun_at)
        return rows[-1 - which % min(2, len(rows))].id if rows else None

    @rule()
    def begin(self) -> None:
        with suppress(ArchiveError):
            self.house.appoint(self.house.begin())

    @rule(which=WHICH, who=WHO, duty=st.sampled_from([Duty.WITNESS, Duty.EXECUTOR, Duty.SUPERVISOR]))
    def appoint(self, which: int, who: str, duty: Duty) -> None:
        if key := self._one(which):
            with suppress(ArchiveError):
                self.house.acts.counting.appoint(self.house.who("archivist"), key, duty, who)

    @rule(which=WHICH)
    def dismiss(self, which: int) -> None:
        key = self._one(which)
        rows = self._rows(DestructionDuty, DestructionDuty.destruction_id == key) if key else []
        if key and rows and which % 3 == 0:
            with suppress(ArchiveError):
                self.house.acts.counting.dismiss(self.house.who("archivist"), key, rows[which % len(rows)].id)

    @rule(which=WHICH)
    def ask(self, which: int) -> None:
        if key := self._one(which):
            with suppress(ArchiveError):
                self.house.acts.deciding.ask(self.house.who("archivist"), key, "到期")

    @rule(which=WHICH, who=WHO, approve=st.sampled_from([True, True, True, True, False]))
    def decide(self, which: int, who: str, approve: bool) -> None:
        if key := self._one(which):
            with suppress(ArchiveError):
                self.house.acts.deciding.decide(self.house.who(who), key, "看过了", approve=approve)

    @rule(which=WHICH)
    def go_on(self, which: int) -> None:
        """Everyone tries what is next, so that some come through."""
        key = self._one(which)
        if not key:
            return
        acts = self.house.acts
        for duty, login in DUTIES:
            with suppress(ArchiveError):
                acts.counting.appoint(self.house.who("archivist"), key, duty, login)
        state = self.house.row(key).state
        tries: dict[DestructionState, list[Any]] = {
            DestructionState.DRAFT: [lambda: acts.deciding.ask(self.house.who("archivist"), key, "到期")],
            DestructionState.ASKED: [
                lambda who=who: acts.deciding.decide(self.house.who(who), key, "同意", approve=True)
                for who in ("archivist2", "head", "director")
            ],
            DestructionState.COOLING: [lambda: acts.deciding.confirm(self.house.who("secrecy"), key)],
            DestructionState.CONFIRMED: [lambda: self.house.count(key)],
            DestructionState.COUNTED: [
                lambda: acts.running.run(self.house.who("executor"), key, self.house.row(key).number)
            ],
        }  # fmt: skip
        for each in tries.get(state, []):
            with suppress(ArchiveError):
                each()

    @rule(which=WHICH, who=WHO)
    def confirm_or_run(self, which: int, who: str) -> None:
        if key := self._one(which):
            row = self.house.row(key)
            with suppress(ArchiveError):
                self.house.acts.deciding.confirm(self.house.who(who), key)
            with suppress(ArchiveError):
                self.house.acts.running.run(self.house.who(who), key, row.number)

    @rule(which=WHICH, who=WHO)
    def sign(self, which: int, who: str) -> None:
        if key := self._one(which):
            with suppress(ArchiveError):
                self.house.acts.counting.sign(self.house.who(who), key)

    @rule(which=WHICH, who=WHO)
    def object(self, which: int, who: str) -> None:
        if key := self._one(which):
            with suppress(ArchiveError):
                self.house.acts.deciding.object(self.house.who(who), key, self.good[which % 3], "还要用")

    @rule(which=WHICH, who=WHO)
    def withdraw(self, which: int, who: str) -> None:
        key = self._one(which)
        if key and which % 4 == 0:
            with suppress(ArchiveError):
                self.house.acts.listing.withdraw(self.house.who(who), key, "暂缓")

    @rule(which=WHICH)
    def hold(self, which: int) -> None:
        wanted = Wanted(HoldKind.RECORD, {"id": str(self.good[which % 3])}, "诉讼", "涉诉", "法务部", date(2200, 1, 1))
        with suppress(ArchiveError):
            self.house.holds.place(self.house.who("archivist2"), wanted)

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        rows = self._rows(Hold)
        if rows:
            with suppress(ArchiveError):
                self.house.holds.release(self.house.who("head"), rows[which % len(rows)].id, "已结案")

    @rule(which=WHICH)
    def lend(self, which: int) -> None:
        """A loan that began before the record was listed, and has its row."""
        record = self.good[which % 3]
        with suppress(ArchiveError):
            self.house.lent.ask("staff", record, LoanForm.SCREEN)

    @rule(which=WHICH)
    def postpone(self, which: int) -> None:
        """A clock was started anew: the day lies ahead again."""
        with self.house.lent.db.writing() as work:
            row = work.session.get_one(RecordDue, self.good[which % 3])
            today = self.house.lent.guard.day()
            row.due = date(today.year + 1, 1, 1) if which % 2 else date(2020, 1, 1)
            work.commit()

    @rule(which=WHICH)
    def judge_anew(self, which: int) -> None:
        """A panel takes a record anew, or one that did gives up."""
        running = self._rows(Appraisal, Appraisal.state == AppraisalState.OPEN)
        with self.house.lent.db.writing() as work:
            if running and which % 2:
                work.session.get_one(Appraisal, running[which % len(running)].id).state = AppraisalState.WITHDRAWN
            else:
                row = Appraisal(
                    number=new_id().hex[:20], purpose="复审", state=AppraisalState.OPEN, begun_at=rights.NOW,
                    begun_by=self.house.lent.person("head"),
                )  # fmt: skip
                work.session.add(row)
                work.session.flush()
                item = {"record_id": self.good[which % 3], "position": 1, "number": "1", "due": date(2020, 1, 1)}
                work.session.add(AppraisalItem(appraisal_id=row.id, **item))
            work.commit()

    @rule(days=st.sampled_from([1, 7, 7, 30, 400, 4000]))
    def wait(self, days: int) -> None:
        self.house.cool(days)

    @invariant()
    def what_is_doomed_may_go(self) -> None:
        doomed = [
            each for each in self._rows(DestructionItem)
            if each.state is DestructionItemState.DOOMED and each.record_id not in self.judged
        ]  # fmt: skip
        today = self.house.lent.guard.day()
        for item in doomed:  # looked at right behind the act that doomed it
            assert item.record_id not in self.never[:1] + self.never[2:]
            (due,) = self._rows(RecordDue, RecordDue.record_id == item.record_id)
            assert due.due is not None
            assert due.due <= today
            held = [each for each in self._rows(Hold) if each.released_at is None]
            assert str(item.record_id) not in {each.covers["id"] for each in held}
            lent = self._rows(Loan, Loan.record_id == item.record_id, Loan.state.in_(RUNNING))
            assert not lent, LoanState
            judged = AppraisalItem.record_id == item.record_id, Appraisal.id == AppraisalItem.appraisal_id
            assert not self._rows(Appraisal, *judged, Appraisal.state == AppraisalState.OPEN)
            self.chain(item.destruction_id)
        self.judged |= {each.record_id for each in doomed}

    def chain(self, key: UUID) -> None:
        """Everyone who must have had a part had it, each another person, and the count was signed as the list is."""
        row = self.house.row(key)
        duties = self._rows(DestructionDuty, DestructionDuty.destruction_id == key)
        said = self._rows(ApprovalWord, ApprovalWord.approval_id == row.approval_id)
        agreed = [each.person_id for each in said if each.said is Said.APPROVED]
        everyone = [row.begun_by, row.confirmed_by, *agreed, *(each.person_id for each in duties)]
        assert len(agreed) >= 3
        assert len(set(everyone)) == len(everyone)
        assert None not in everyone
        assert [each.duty for each in duties].count(Duty.WITNESS) == 2
        assert {row.run_by} == {each.person_id for each in duties if each.duty is Duty.EXECUTOR}
        watch = [each for each in duties if each.duty is not Duty.EXECUTOR]
        assert {each.before for each in watch} == {row.digest}
        assert {each.before_how for each in watch} == {SignedHow.ACCOUNT}
        assert row.confirmed_at is not None
        assert row.cooling_until is not None
        assert row.confirmed_at >= row.cooling_until

    @invariant()
    def a_record_stands_on_one_list_and_the_register_agrees(self) -> None:
        items = self._rows(DestructionItem)
        live = [each.record_id for each in items if each.standing and each.state is not DestructionItemState.PULLED]
        assert len(live) == len(set(live))
        doomed = {(each.destruction_id, each.record_id) for each in items if each.state is DestructionItemState.DOOMED}
        kept = self._rows(DestroyedRecord)
        assert {(each.destruction_id, each.record_id) for each in kept} == doomed


def test_only_what_may_go_reaches_the_engine(tmp_path: Path) -> None:
    machine = type("Machine", (Destroying,), {"folder": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=4, stateful_step_count=40, deadline=None, phases=[Phase.generate], database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
