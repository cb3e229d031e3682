"""Whatever people do with loans, in whatever order: papers are with one person, periods hold, nobody decides alone."""

from collections import Counter
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from archive.approving.deciders import DECISIONS, hands_of, waiting
from archive.approving.engine import OPEN as UNDECIDED
from archive.errors import ArchiveError
from archive.ids import new_id
from archive.loans.asking import Wish
from archive.loans.counter import Seen
from archive.loans.paper_requests import KINDS as PAPERS
from archive.loans.papers import AtCounter
from archive.loans.slips import Slip
from archive.loans.states import NEXT, PAPER, RUNNING
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    ApprovalWord,
    Circulation,
    CirculationState,
    CirculationStop,
    Copy,
    Deadline,
    DeadlineKind,
    DeadlineState,
    Loan,
    LoanForm,
    LoanState,
    LogEntry,
    Record,
    StandingCustody,
)
from archive.uses import REGISTERED
from tests.factories.lending import ZONE, LendingHouse, a_lending_house

WHO = st.sampled_from(["archivist", "archivist2", "head", "staff", "staff2", "secrecy", "director", "low"])
WHICH = st.integers(0, 40)
DAYS = st.none() | st.integers(0, 9)
FAR = st.sampled_from([0, 1, 2, 2])
"""How far a loan gets at once: asked for, agreed to, fetched."""

# What the house's rules say, said here again: what the product reads and reckons is held against this.
LEVELS = (1, 1, 2, 3, 4)
DAYS_OF = {1: 7, 2: 7, 3: 7, 4: 1}
EXTENDED = {1, 2, 3}
LEAVES = {1, 2, 3}
COLLECTED_IN = timedelta(days=7)


def month_after(day: date) -> date:
    """Return the last day that a loan of a day may reach."""
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    last = (following + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return min(following + timedelta(days=day.day - 1), last)


class Loans(RuleBasedStateMachine):
    """People who ask, decide, fetch, bring, extend, stand in and wait, and are often refused."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        own = self.folder / new_id().hex
        own.mkdir()
        self.opened = a_lending_house(own)
        self.house: LendingHouse = self.opened.__enter__()
        self.records = [self.house.record(level) for level in LEVELS]
        self.level_of = dict(zip(self.records, LEVELS, strict=True))
        self.wished: dict[Any, int | None] = {}
        self.ends: dict[Any, tuple[Any, ...]] = {}

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)

    def _try(self, act: Any) -> Any:
        try:
            return act()
        except ArchiveError:
            return None  # refused: the invariants say that nothing is half done

    def _one(self, kind: Any, which: int, *where: Any) -> Any:
        with self.house.db.reading() as session:
            rows = session.scalars(select(kind).where(*where).order_by(kind.id)).all()
        return rows[which % len(rows)] if rows else None

    @initialize()
    def find_much_under_way(self) -> None:
        """Each run begins with what chance alone reaches seldom: out, read and extended, wanted, round."""
        lending, who = self.house.lending, self.house.who
        self.ask("staff", 0, LoanForm.OUT, None, 3, 2)
        self.ask("low", 0, LoanForm.OUT, None, None, 1)
        self.ask("archivist", 1, LoanForm.SCREEN, None, None, 1)
        self.extend(-1, 6)
        self.ask("head", 4, LoanForm.SCREEN, None, None, 1)
        self.extend(-1, 1)
        for days in (40, 3):  # the first is too long
            slip = Slip("传阅", "全文", self.house.guard.day() + timedelta(days=days), ["staff"])
            self._try(partial(lending.rounds.begin, who["archivist"], self.records[1], slip))
        with self.house.db.reading() as session:
            assert len(session.scalars(select(Loan).where(Loan.issued_on.is_not(None))).all()) == 3
            assert len(session.scalars(select(Circulation)).all()) == 1
        for way in range(4):
            self.want_what_another_has(0, "secrecy", way)

    @rule(who=WHO, which=WHICH, form=st.sampled_from(LoanForm), other=st.none() | WHO, days=DAYS, far=FAR)
    def ask(self, who: str, which: int, form: LoanForm, other: str | None, days: int | None, far: int) -> None:
        """Ask, and often go on: all try to agree, who asks first of all; then it is fetched."""
        wish = Wish(form=form, purpose="work", words="查阅", borrower=other or "", days=days)
        record = self.records[which % len(self.records)]
        if made := self._try(lambda: self.house.lending.requests.ask(self.house.who[who], record, wish)):
            self.wished[made] = days
        newest = self._one(Loan, -1)
        if far and newest:
            self._all_agree(newest.approval_id, who)
        if far > 1 and newest:
            self._try(lambda: self.house.lending.counter.issue(self.house.who["archivist"], newest.borrower_id, record))

    def _all_agree(self, asked: Any, *first: str) -> None:
        act = self.house.lending.requests.decide
        for who in (*first, "head", "archivist", "secrecy", "director", "archivist2"):
            self._try(partial(act, self.house.who[who], asked, "同意", approve=True))

    @rule(who=WHO, which=WHICH)
    def describe_and_find(self, who: str, which: int) -> None:
        requests, people = self.house.lending.requests, self.house.who
        wish = Wish(form=LoanForm.SCREEN, purpose="work", words="查阅")
        self._try(lambda: requests.describe(people[who], "那份合同", wish))
        asked = self._one(Approval, which, Approval.record_id.is_(None), Approval.state.in_(UNDECIDED))
        if asked:
            record = self.records[which % len(self.records)]
            self._try(lambda: requests.found(people["archivist"], asked.id, record))

    @rule(who=WHO, which=WHICH, approve=st.sampled_from([True, True, True, False]))
    def decide(self, who: str, which: int, approve: bool) -> None:
        asked = self._one(Approval, which, Approval.state.in_(UNDECIDED))
        if asked:
            act = self.house.lending.requests.decide
            self._try(lambda: act(self.house.who[who], asked.id, "看过了", approve=approve))

    @rule(which=WHICH)
    def go_through(self, which: int) -> None:
        """Everyone tries to agree to one request, so that some come through all their steps."""
        asked = self._one(Approval, which, Approval.state.in_(UNDECIDED))
        if asked:
            self._all_agree(asked.id)

    @rule(who=WHO, which=WHICH, back=st.booleans())
    def ask_back_or_withdraw(self, who: str, which: int, back: bool) -> None:
        asked = self._one(Approval, which)
        if not asked:
            return
        requests, person = self.house.lending.requests, self.house.who[who]
        if not back:
            self._try(lambda: requests.withdraw(person, asked.id))
        elif asked.state is ApprovalState.QUESTIONED:
            self._try(lambda: requests.answer(person, asked.id, "原件"))
        else:
            self._try(lambda: requests.question(person, asked.id, "要原件吗?"))

    @rule(which=WHICH, who=st.none() | WHO)
    def issue(self, which: int, who: str | None) -> None:
        loan = self._one(Loan, which, Loan.state == LoanState.READY)
        if loan:
            borrower = self.house.person(who) if who else loan.borrower_id
            counter = self.house.lending.counter
            self._try(lambda: counter.issue(self.house.who["archivist"], borrower, loan.record_id))

    @rule(which=WHICH, who=WHO, lost=st.sampled_from([False, False, False, True]))
    def bring_back(self, which: int, who: str, lost: bool) -> None:
        loan = self._one(Loan, which, Loan.state == LoanState.OPEN)
        counter, archivist = self.house.lending.counter, self.house.who["archivist"]
        if loan and lost and which % 5 == 0:
            self._try(lambda: counter.lose(archivist, loan.id, "找不到了"))
        elif loan:
            self._try(lambda: counter.take_back(archivist, loan.record_id, Seen(brought_by=who)))

    @rule(which=WHICH, times=st.sampled_from([1, 6]))
    def extend(self, which: int, times: int) -> None:
        """Once, or as often as would go beyond the longest."""
        loan = self._one(Loan, which, Loan.state == LoanState.OPEN, Loan.form != LoanForm.ROOM)
        if loan:
            who = next(each for each in self.house.who.values() if each.person_id == loan.borrower_id)
            for _ in range(times):
                self._try(lambda: self.house.lending.extensions.extend(who, loan.id))

    @rule(which=WHICH)
    def recall(self, which: int) -> None:
        loan = self._one(Loan, which, Loan.state == LoanState.OPEN)
        if loan and which % 4 == 0:
            self._try(lambda: self.house.lending.counter.recall(self.house.who["archivist"], loan.id))

    @rule(which=WHICH, one=WHO, two=WHO, who=WHO)
    def send_round_and_sign(self, which: int, one: str, two: str, who: str) -> None:
        """A paper goes round, or whoever it is signs for one that does."""
        rounds, archivist = self.house.lending.rounds, self.house.who["archivist"]
        going = self._one(Circulation, which, Circulation.state == CirculationState.ROUND)
        if going and which % 2:
            self._try(lambda: rounds.sign(self.house.who[who], going.id))
        elif going and which % 5 == 0:
            self._try(lambda: rounds.take_back(archivist, going.id))
        else:
            slip = Slip("传阅", "全文", self.house.guard.day() + timedelta(days=3), [one, two])
            self._try(lambda: rounds.begin(archivist, self.records[which % 3], slip))

    @rule(which=WHICH, one=WHO, who=WHO)
    def keep_and_hand_over(self, which: int, one: str, who: str) -> None:
        """A post is given a paper, or one that has it changes its holder or gives it back."""
        custody, archivist = self.house.lending.custody, self.house.who["archivist"]
        kept = self._one(StandingCustody, which, StandingCustody.ended_at.is_(None))
        if kept and which % 3 == 0:
            self._try(lambda: custody.hand_over(archivist, kept.id, one))
        elif kept and which % 3 == 1:
            self._try(lambda: custody.sign(self.house.who[who], kept.id))
        elif kept and which % 5 == 0:
            self._try(lambda: custody.take_back(archivist, kept.id))
        else:
            self._try(lambda: custody.give(archivist, self.records[which % 3], one, 3))

    @rule(which=WHICH, one=WHO, kind=st.booleans(), act=st.integers(0, 5))
    def ask_for_a_paper_and_fetch_it(self, which: int, one: str, kind: bool, act: int) -> None:
        """A slip or a custody is asked for, all try to agree; what waits is fetched, or comes back, at the counter."""
        papers, counter = self.house.lending.papers, self.house.lending.counter_papers
        archivist, record = self.house.who["archivist"], self.records[which % len(self.records)]
        if act < 2:
            self._try(lambda: counter.issue(archivist, self.house.person(one), record, AtCounter()))
        elif act == 2:
            self._try(lambda: counter.take_back(archivist, record, AtCounter()))
        elif kind:
            self._try(lambda: papers.give(archivist, record, one, 3, "日常查用"))
        else:
            slip = Slip("传阅", "全文", self.house.guard.day() + timedelta(days=3), [one])
            self._try(lambda: papers.send_round(archivist, record, slip))
        asked = self._one(Approval, which, Approval.state.in_(UNDECIDED), Approval.kind.in_(PAPERS))
        for who in ("head", "archivist2", "secrecy", "director") if asked else ():
            self._try(partial(papers.decide, self.house.who[who], asked.id, "同意", approve=True))

    @rule(which=WHICH, one=WHO, way=st.integers(0, 3))
    def want_what_another_has(self, which: int, one: str, way: int) -> None:
        """A paper is with someone; another tries to get it too: lent, sent round, in custody, or by asking at once."""
        copy, archivist = self._one(Copy, which, Copy.holder_id.is_not(None)), self.house.who["archivist"]
        if not copy:
            return
        lending, record = self.house.lending, copy.record_id
        slip = Slip("传阅", "全文", self.house.guard.day(), [one])
        if way == 0:
            self._try(lambda: lending.rounds.begin(archivist, record, slip))
        elif way == 1:
            self._try(lambda: lending.custody.give(archivist, record, one, 3))
        elif way == 2:
            self._try(lambda: lending.counter_papers.issue(archivist, self.house.person(one), record, AtCounter()))
        else:
            self.ask(one, self.records.index(record), LoanForm.OUT, None, None, 2)

    @rule(who=WHO, other=WHO)
    def stand_in(self, who: str, other: str) -> None:
        day = self.house.guard.day()
        name = self.house.lending.deputies.name
        self._try(lambda: name(self.house.who[who], other, day, day + timedelta(days=2)))

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.house.clock.moment += timedelta(days=days)
        for _ in range(50):
            if not self.house.lending.care.sweep():
                return
        raise AssertionError("the sweep does not end")

    @invariant()
    def papers_are_with_one_person_and_periods_hold(self) -> None:
        with self.house.db.reading() as session:
            loans = session.scalars(select(Loan)).all()
            out = [each for each in loans if each.state is LoanState.OPEN and each.form in PAPER]
            assert all(count == 1 for count in Counter(each.copy_id for each in out).values())
            for copy in session.scalars(select(Copy)):
                holders = [each.borrower_id for each in out if each.copy_id == copy.id]
                for slip in session.scalars(select(Circulation).where(Circulation.copy_id == copy.id)):
                    stops = select(CirculationStop).where(CirculationStop.circulation_id == slip.id)
                    signed = [each for each in session.scalars(stops) if each.signed_at]
                    last = max(signed, key=lambda each: each.position, default=None)
                    if slip.state is CirculationState.ROUND:
                        holders.append(last.person_id if last else slip.begun_by)
                kept = select(StandingCustody.person_id).where(StandingCustody.copy_id == copy.id)
                out_now = StandingCustody.issued_at.is_not(None), StandingCustody.ended_at.is_(None)
                holders += session.scalars(kept.where(*out_now)).all()
                assert holders == ([copy.holder_id] if copy.holder_id else [])
            for slip in session.scalars(select(Circulation)):
                assert slip.until <= month_after(slip.begun_at.astimezone(ZoneInfo(ZONE)).date())
                assert self.level_of[slip.record_id] in LEAVES
            extended = sum(self._extensions(loan) for loan in loans if loan.issued_on)
            assert extended == session.scalar(select(func.count()).where(LogEntry.act == "loan.extend"))

    def _extensions(self, loan: Loan) -> int:
        """Return how often a loan was extended, as its day tells; no other day than the rule's can be its last."""
        assert loan.issued_on
        assert loan.due_on
        assert loan.record_id
        level = self.level_of[loan.record_id]
        assert loan.form is not LoanForm.OUT or level in LEAVES
        wished = self.wished.get(loan.id)
        days = DAYS_OF[level] if wished is None else min(wished, DAYS_OF[level])
        first = loan.issued_on + timedelta(days=0 if loan.form is LoanForm.ROOM else days)
        times = -(-(loan.due_on - first).days // DAYS_OF[level])
        assert loan.due_on == min(first + timedelta(days=times * DAYS_OF[level]), month_after(loan.issued_on))
        assert not times or (level in EXTENDED and loan.form is not LoanForm.ROOM)
        return times

    @invariant()
    def nobody_decides_on_their_own_nor_at_two_steps(self) -> None:
        with self.house.db.reading() as session:
            for asked in session.scalars(select(Approval)):
                said = session.scalars(
                    select(ApprovalWord).where(ApprovalWord.approval_id == asked.id, ApprovalWord.said.in_(DECISIONS))
                ).all()
                people = [key for each in said for key in (each.person_id, each.instead_of) if key]
                assert len(people) == len(set(people))
                assert not {asked.asked_by, asked.for_id} & set(people)
                assert asked.state is not ApprovalState.APPROVED or said

    @invariant()
    def every_state_has_a_way_on_and_what_ended_stays(self) -> None:
        with self.house.db.reading() as session:
            day = self.house.guard.day()
            hands = {each.person_id: hands_of(session, each.person_id, day) for each in self.house.who.values()}
            able = {
                key
                for person, own in hands.items()
                if person
                for key in session.scalars(waiting(person, own).with_only_columns(Approval.id))
            }
            waits = set(session.scalars(select(Approval.id).where(Approval.state == ApprovalState.ASKED)))
            assert waits <= able, "nobody can decide"
            due = select(Deadline.subject_id, Deadline.due).where(
                Deadline.state == DeadlineState.OPEN, Deadline.kind.in_((DeadlineKind.LOAN, DeadlineKind.LOAN_END))
            )
            noted = [tuple(each) for each in session.execute(due)]
            loans = session.scalars(select(Loan)).all()
            assert sorted(noted) == sorted((each.id, each.due_on) for each in loans if each.state is LoanState.OPEN)
            for loan in loans:
                asked = session.get_one(Approval, loan.approval_id)
                assert (loan.state in RUNNING) == bool(NEXT[loan.state])
                assert (loan.state is LoanState.ASKED) == (asked.state in UNDECIDED)
                assert loan.state is not LoanState.OPEN or loan.form in PAPER or loan.due_on >= day
                if not NEXT[loan.state]:
                    end = (loan.state, loan.ended_at, loan.due_on, asked.state, asked.decided_by, asked.decided_at)
                    assert self.ends.setdefault(loan.id, end) == end

    @invariant()
    def the_register_equals_the_log(self) -> None:
        with self.house.db.reading() as session:
            acts = Counter(session.scalars(select(LogEntry.act).where(LogEntry.result == "done")))
            loans = session.scalars(select(Loan)).all()
            asked = session.scalars(select(Approval).where(Approval.kind == ApprovalKind.LOAN)).all()
            assert acts["loan.ask"] == len(loans) == len(asked)
            papers = [each for each in loans if each.form in PAPER]
            assert acts["loan.issue"] == sum(each.issued_on is not None for each in papers)
            used = Counter(each.record_id for each in loans if each.issued_at)
            assert {key: uses for key, uses in session.execute(select(Record.id, Record.uses)) if uses} == used
            assert sum(used.values()) == sum(acts[act] for act in REGISTERED)
            assert acts["loan.return"] == sum(each.state is LoanState.RETURNED for each in loans)
            assert acts["loan.lose"] == sum(each.state is LoanState.LOST for each in loans)
            assert acts["loan.refuse"] == sum(each.state is LoanState.REFUSED for each in loans)
            assert acts["loan.end"] == sum(each.state is LoanState.ENDED for each in loans)
            assert acts["loan.lapse"] == sum(each.state is LoanState.LAPSED for each in loans)
            slips, kept = session.scalars(select(Circulation)).all(), session.scalars(select(StandingCustody)).all()
            assert acts["circulation.begin"] == len(slips)
            assert acts["custody.give"] == len(kept)
            assert acts["circulation.return"] == sum(each.state is CirculationState.RETURNED for each in slips)
            assert acts["custody.issue"] == sum(each.issued_at is not None for each in kept)
            assert acts["custody.return"] == sum(each.ended_at is not None for each in kept)
            stops = session.scalars(select(CirculationStop)).all()
            assert acts["circulation.sign"] == sum(each.signed_at is not None for each in stops)


def test_loans_stand_as_they_should_whatever_is_done(tmp_path: Path) -> None:
    Loans.folder = tmp_path
    run_state_machine_as_test(
        Loans,
        settings=settings(
            max_examples=3,  # the first is always the shortest there is: it does nothing
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # a run lasts too long to be made shorter
        ),
    )
