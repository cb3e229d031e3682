"""Whatever clerks and archivists do with batches: a line is in one state, counts agree, and what is signed stands."""

from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from archive.cataloguing.records import RecordService
from archive.errors import ArchiveError
from archive.handin.checking import Looked
from archive.handin.lines import LineFacts
from archive.handin.listing import Given, NewBatch
from archive.handin.looking import Batch
from archive.handin.whole import HandIns
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    Carrier,
    Copy,
    Failing,
    HandIn,
    HandInCheck,
    HandInLine,
    HandInSignature,
    HandInState,
    LineState,
    Record,
    SignedBy,
)
from archive.policy.guard import Guard
from storage.ring import KeyRing
from storage.vault import RingVault
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.factories.web_house import SilentWaker
from tests.fakes.clock import FixedClock

WHO = st.sampled_from(("clerk", "second clerk", "archivist", "second archivist", "both"))
WHICH = st.integers(0, 30)
ENDS = {
    HandInState.OPEN: {LineState.LISTED},
    HandInState.HANDED_IN: {LineState.HANDED_IN, LineState.FAILED, LineState.PASSED, LineState.WITHDRAWN},
    HandInState.RETURNED: {LineState.RETURNED, LineState.PASSED, LineState.WITHDRAWN},
    HandInState.CHECKED: {LineState.PASSED, LineState.WITHDRAWN},
    HandInState.SIGNED: {LineState.PASSED, LineState.WITHDRAWN},
}


class Office(RuleBasedStateMachine):
    """Two clerks, two archivists and one who is both, who do whatever comes and are often refused."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        own = self.folder / new_id().hex
        own.mkdir()
        self.db, clock = a_database(own), FixedClock()
        vault = RingVault(KeyRing.create(own / "ring"), clock)
        log = Log(vault, clock)
        guard = Guard(self.db, log, clock, "Asia/Shanghai")
        service = RecordService(self.db, guard, vault, log, Outbox(clock, SilentWaker()), clock)
        self.hand_ins = HandIns(self.db, guard, vault, log, clock, service)
        self.who: dict[str, Identity] = {}
        with self.db.writing() as work:
            session = work.session
            records.a_house(session)
            self.category = records.a_category(session, records.a_fonds(session, "F"), "C")
            self.category.term = "D10"
            people.distributed_to(session, 1)
            office, post = people.a_department(session, "OFFICE"), people.a_post(session, "clerk")
            self.office = office.id
            for login, roles in (
                ("clerk", [Role.CLERK]),
                ("second clerk", [Role.CLERK]),
                ("archivist", [Role.ARCHIVIST]),
                ("second archivist", [Role.ARCHIVIST]),
                ("both", [Role.CLERK, Role.ARCHIVIST]),
            ):
                person = people.a_person(session, login.replace(" ", "-"), roles=roles, clearance=2)
                people.grants(session, person, fonds=self.category.fonds_id)
                people.holds_post(session, person, post, office)
                self.who[login] = Identity(login, person.id, frozenset(roles))
            work.commit()
        self.signed: dict[UUID, Any] = {}
        self.handed: dict[UUID, set[UUID | None]] = {}
        self.finished: dict[UUID, set[UUID | None]] = {}
        self.begin("clerk")
        self.write("clerk", 0, 3, Carrier.PAPER)
        self.hand_in("clerk", 0)
        self.check("archivist", 0, 0, passes=True, many=False)

    def teardown(self) -> None:
        self.db.close()

    def _batch(self, which: int) -> Batch | None:
        with self.db.reading() as session:
            keys = session.scalars(select(HandIn.id).order_by(HandIn.id)).all()
        return self.hand_ins.looks.show(self.who["archivist"], keys[which % len(keys)]) if keys else None

    def _try(self, act: Any) -> bool:
        try:
            act()
        except ArchiveError:
            return False  # refused: the invariants say that nothing is half done
        return True

    @rule(who=WHO)
    def begin(self, who: str) -> None:
        with self.db.reading() as session:
            if len(session.scalars(select(HandIn.id)).all()) > 1:
                return
        new = NewBatch("移交批次", self.category.id, self.office, 1)
        self._try(lambda: self.hand_ins.listing.open(self.who[who], new))

    @rule(who=WHO, which=WHICH, count=st.integers(0, 3), carrier=st.sampled_from([None, *Carrier]))
    def write(self, who: str, which: int, count: int, carrier: Carrier | None) -> None:
        if batch := self._batch(which):
            lines = [LineFacts(f"{at}", f"第{at}件", pages=at, carrier=carrier) for at in range(count)]
            self._try(lambda: self.hand_ins.listing.add_lines(self.who[who], batch.row.id, lines, batch.row.version))

    @rule(who=WHO, which=WHICH, keep=st.integers(0, 3))
    def mend(self, who: str, which: int, keep: int) -> None:
        if batch := self._batch(which):
            kept = [
                Given(LineFacts("改", "已改正", pages=1), each.row.id)
                for each in batch.lines
                if each.row.state in {LineState.LISTED, LineState.RETURNED}
            ][:keep]
            self._try(lambda: self.hand_ins.listing.put_lines(self.who[who], batch.row.id, kept, batch.row.version))

    @rule(who=WHO, which=WHICH)
    def hand_in(self, who: str, which: int) -> None:
        batch = self._batch(which)
        if batch and self._try(lambda: self.hand_ins.listing.hand_in(self.who[who], batch.row.id, batch.row.version)):
            self.handed.setdefault(batch.row.id, set()).add(self.who[who].person_id)

    @rule(who=WHO, which=WHICH, line=WHICH, passes=st.booleans(), many=st.booleans())
    def check(self, who: str, which: int, line: int, passes: bool, many: bool) -> None:
        batch = self._batch(which)
        if batch and batch.lines:
            looked = Looked() if passes else Looked(arrived=False, reason=Failing.NOT_THERE, words="没有到")
            chosen = batch.lines if many else [batch.lines[line % len(batch.lines)]]
            for each in chosen:
                self._try(
                    lambda each=each: self.hand_ins.checking.check(  # type: ignore[misc]
                        self.who[who], batch.row.id, each.row.id, looked
                    )
                )

    @rule(who=WHO, which=WHICH)
    def finish(self, who: str, which: int) -> None:
        batch = self._batch(which)
        if batch and self._try(lambda: self.hand_ins.checking.finish(self.who[who], batch.row.id)):
            self.finished.setdefault(batch.row.id, set()).add(self.who[who].person_id)

    @rule(who=WHO, which=WHICH, side=st.sampled_from(SignedBy))
    def sign(self, who: str, which: int, side: SignedBy) -> None:
        if batch := self._batch(which):
            self._try(lambda: self.hand_ins.signing.sign(self.who[who], batch.row.id, side))

    @rule(which=WHICH, passes=st.booleans())
    def go_on(self, which: int, passes: bool) -> None:
        """Take a batch one step further, as people who know their part do."""
        batch = self._batch(which)
        match batch.row.state if batch else None:
            case HandInState.OPEN | HandInState.RETURNED:
                self.hand_in("clerk", which)
            case HandInState.HANDED_IN:
                self.check("archivist", which, 0, passes, many=True)
                self.finish("archivist", which)
            case HandInState.CHECKED:
                self.sign("clerk", which, SignedBy.HANDED)
                self.sign("archivist", which, SignedBy.RECEIVED)

    @rule(which=WHICH)
    def hurry(self, which: int) -> None:
        """Take a batch as far as it goes when nothing is wrong."""
        for _ in range(4):
            self.go_on(which, passes=True)

    @rule(who=WHO, which=WHICH)
    def drop(self, who: str, which: int) -> None:
        if batch := self._batch(which):
            self._try(lambda: self.hand_ins.listing.drop(self.who[who], batch.row.id, batch.row.version))

    @invariant()
    def everything_stands_in_one_state_and_what_is_signed_stands(self) -> None:
        with self.db.reading() as session:
            for row in session.scalars(select(HandIn)):
                lines = session.scalars(select(HandInLine).where(HandInLine.batch_id == row.id)).all()
                assert {each.state for each in lines} <= ENDS[row.state], row.state
                assert all(each.round <= row.round for each in lines)
                for each in lines:
                    self._line_stands(session, each)
                signatures = session.scalars(select(HandInSignature).where(HandInSignature.batch_id == row.id)).all()
                assert len({each.person_id for each in signatures}) == len(signatures)
                assert (row.state is HandInState.SIGNED) == (len(signatures) == 2)
                handed = self.handed.get(row.id, set())
                checks = select(HandInCheck.checked_by).where(HandInCheck.batch_id == row.id)
                checked = set(session.scalars(checks)) | self.finished.get(row.id, set())
                assert not handed & checked
                for each in signatures:
                    assert each.person_id not in (checked if each.side is SignedBy.HANDED else handed)
            assert session.scalars(select(Copy)).all() == [] or session.scalars(select(Record)).all()
        for key, told in self.signed.items():
            assert self._told(key) == told
        self.signed |= {key: self._told(key) for key in self._signed()}

    def _line_stands(self, session: Any, line: HandInLine) -> None:
        checks = session.scalars(select(HandInCheck).where(HandInCheck.line_id == line.id)).all()
        by_round = {each.round for each in checks}
        assert by_round <= set(range(1, line.round + 1))
        passed = [each for each in checks if each.reason is None]
        assert (line.state is LineState.PASSED) == (len(passed) == 1)
        assert (line.record_id is not None) == (line.state is LineState.PASSED)
        if line.record_id is not None:
            copies = session.scalars(select(Copy).where(Copy.record_id == line.record_id)).all()
            assert len(copies) == (0 if line.carrier is None else line.copies)
        if line.state in {LineState.FAILED, LineState.RETURNED, LineState.WITHDRAWN}:
            assert line.round in by_round

    def _signed(self) -> list[UUID]:
        with self.db.reading() as session:
            return list(session.scalars(select(HandIn.id).where(HandIn.state == HandInState.SIGNED)))

    def _told(self, key: UUID) -> Any:
        shown = self.hand_ins.looks.show(self.who["archivist"], key)
        assert shown.whole
        assert not shown.acts
        lines = [(each.row.state, each.facts, each.number, len(each.found)) for each in shown.lines]
        return shown.name, lines, sorted((side.value, each.digest) for side, each in shown.signatures.items())


def test_a_batch_is_handed_in_checked_and_signed_whatever_is_done(tmp_path: Path) -> None:
    Office.folder = tmp_path
    run_state_machine_as_test(
        Office,
        settings=settings(
            max_examples=3,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # a run lasts too long to be made shorter
        ),
    )
