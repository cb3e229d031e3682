"""Who has which duty, and the count: every paper is scanned against the list, and those who watch sign for it."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.errors import Ended, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.model import (
    Copy,
    Destruction,
    DestructionDuty,
    DestructionFile,
    DestructionScan,
    DestructionState,
    Duty,
    Person,
    Record,
    ShelfKind,
    ShelfPlace,
    SignedHow,
)
from archive.numbering.lookup import holders
from archive.spelling import number_key
from retention.destroying.means import (
    Means,
    carriers,
    duties_of,
    locked,
    outsiders,
    required,
    say,
    seal,
)
from retention.destroying.rules import (
    APPOINTED,
    free_for,
    lacking,
    missing_and_extra,
    move,
    needed,
    require_state,
    signs_after,
    signs_before,
)
from retention.destroying.tally import copies_scanned, digest_of, duties, expected

LONGEST = 100
CODE_HOURS = 24
WRONG = 5
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_BEFORE_COUNT = (
    DestructionState.DRAFT, DestructionState.ASKED, DestructionState.COOLING, DestructionState.CONFIRMED,
)  # fmt: skip


@dataclass(frozen=True)
class Scanned:
    """What a label said: papers of the list that it counted anew, and papers that are not on the list.

    ``box``: it is the label of a box. ``known`` False: it names no box and no record; nothing was counted or noted by
    it. ``place``: then it is the label of a place that is no box.
    """

    counted: int
    extra: int
    box: bool = False
    known: bool = True
    place: bool = False


@dataclass(frozen=True)
class _Meant:
    """What a label means: copies on the list; and of what is not on it, the copies that it may be, with a label."""

    mine: Sequence[UUID]
    extra: Sequence[tuple[AbstractSet[UUID], str]]
    box: bool = False
    known: bool = True
    place: bool = False


class Counting:
    """Appointing people, scanning papers, signing before and after."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def appoint(self, identity: Identity, key: UUID, duty: Duty, login: str = "", outsider: str = "") -> UUID:
        """Give a duty to a person of the house, or to an outsider by name; return the duty's id.

        Raises:
            NotFound, NotAllowed, Ended: there is none for them; they did not ask for it; it is counted already.
            InvalidInput: ``person`` (nobody of this name; needed; has a duty already), ``outsider`` (too long; has one
                already), ``duty`` (taken, or none to be given; the executor works here).
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._own(session, identity, key, "destruction.appoint", *_BEFORE_COUNT)
            person = self._person(session, row, login) if login.strip() else None
            name = outsider.strip()
            faults = []
            if person is None and not name:
                faults.append(Fault("person", "required"))
            if len(name) > LONGEST:
                faults.append(Fault("outsider", "too_long", {"limit": LONGEST, "length": len(name)}))
            rows = duties(session, key)
            known = {number_key(each) for each in outsiders(means, session, rows).values()}
            if person is None and name and number_key(name) in known:
                faults.append(Fault("outsider", "has_a_duty"))
            if duty not in APPOINTED or (duty is Duty.EXECUTOR and person is None):
                faults.append(Fault("duty", "unknown"))
            if sum(1 for each in rows if each.duty is duty) >= needed(electronic=True).get(duty, 0):
                faults.append(Fault("duty", "duty_taken"))
            if faults:
                raise InvalidInput(*faults)
            mine = new_id()
            session.add(
                DestructionDuty(
                    id=mine, destruction_id=key, duty=duty, person_id=person,
                    sealed=None if person else seal(means, session, key, f"duty:{mine.hex}", {"name": name}),
                )
            )  # fmt: skip
            row.version += 1
            say(means, session, identity, "appoint", row, duty=duty.value, person=str(person) if person else None)
            means.turns.tell(work, row)
            work.commit()
            return mine

    def dismiss(self, identity: Identity, key: UUID, duty_id: UUID) -> None:
        """Take a duty back from who has not signed yet. Raises as ``appoint``."""
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._own(session, identity, key, "destruction.dismiss", *_BEFORE_COUNT)
            theirs = self._duty(session, key, duty_id)
            if theirs.before is not None:
                raise Ended(state="signed", act="destruction.dismiss")
            session.delete(theirs)
            row.version += 1
            say(means, session, identity, "dismiss", row, duty=theirs.duty.value)
            work.commit()

    def code(self, identity: Identity, key: UUID, duty_id: UUID) -> str:
        """Make a one-time code for an outsider, valid a day; it is told this once, and a newer one ends it.

        Raises:
            NotFound, NotAllowed: there is none for them, or no outsider; they did not ask for the destruction.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._own(
                session, identity, key, "destruction.code", DestructionState.CONFIRMED, DestructionState.GONE
            )
            theirs = self._duty(session, key, duty_id)
            if theirs.person_id is not None:
                raise NotFound
            made = "".join(secrets.choice(_LETTERS) for _ in range(12))
            theirs.code, theirs.wrong = _hashed(theirs.id, made), 0
            theirs.code_until = means.clock.now() + timedelta(hours=CODE_HOURS)
            say(means, session, identity, "code", row, duty=theirs.duty.value)
            work.commit()
            return "-".join((made[:4], made[4:8], made[8:]))

    def scan(self, identity: Identity, key: UUID, label: str, *, addressed: bool = False) -> Scanned:
        """Count what a label means: a copy, a record's copies, or all that lies in a box.

        A paper that is not on the list is noted, once however often it is scanned, and stops the count until it is out
        of the pile. A code that names neither a box nor a record that ever had a number here is only told, unless the
        number was ``addressed`` as a record's label addresses it: then it is a paper that is not on the list.

        Raises:
            NotFound, NotAllowed, Ended: there is none for them; they neither watch nor run it; it is not being counted.
            InvalidInput: ``label``.
        """
        means = self._means
        text = label.strip()
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, part = required(means, session, identity, key)
            if identity.person_id is None or not part.duties & set(APPOINTED):
                raise NotAllowed(act="destruction.scan")
            require_state(row, "destruction.scan", DestructionState.CONFIRMED)
            if not text or len(text) > LONGEST:
                raise InvalidInput(Fault("label", "too_long" if text else "required", {"limit": LONGEST}))
            due = expected(session, key)
            meant = self._meant(session, due, text, addressed=addressed)
            before = session.execute(
                select(DestructionScan.copy_id, DestructionScan.label).where(DestructionScan.destruction_id == key)
            ).all()
            done, named = {row.copy_id for row in before}, {row.label for row in before if row.copy_id not in due}
            fresh = [each for each in meant.mine if each not in done]
            out = [what for copies, what in meant.extra if what not in named and not copies & done]
            scans = [(each, text) for each in fresh] + [(None, each) for each in out]
            session.add_all(
                DestructionScan(
                    id=new_id(), destruction_id=key, copy_id=copy, label=what[:LONGEST],
                    scanned_by=identity.person_id, scanned_at=means.clock.now(),
                )
                for copy, what in scans
            )  # fmt: skip
            unknown = {} if meant.known else {"unknown": 1}
            say(means, session, identity, "scan", row, counted=len(fresh), extra=len(meant.extra), **unknown)
            work.commit()
            return Scanned(len(fresh), len(meant.extra), meant.box, meant.known, meant.place)

    def take_out(self, identity: Identity, key: UUID, scan_id: UUID) -> None:
        """Say that a paper that is not on the list was taken out of the pile. Raises as ``scan``."""
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row, part = required(means, session, identity, key)
            if not part.duties & set(APPOINTED):
                raise NotAllowed(act="destruction.take_out")
            require_state(row, "destruction.take_out", DestructionState.CONFIRMED)
            scan = session.get(DestructionScan, scan_id)
            if scan is None or scan.destruction_id != key or scan.copy_id in expected(session, key):
                raise NotFound
            session.delete(scan)
            say(means, session, identity, "take_out", row)
            work.commit()

    def sign(self, identity: Identity, key: UUID) -> DestructionState:
        """Sign one's own duty: the count before, or the end. Whoever calls has asked for the password just now.

        Raises:
            NotFound, NotAllowed, Ended: there is none for them; they have no duty; nothing is to be signed now.
            InvalidInput: ``count``: papers are missing, or too many; ``duty``: someone has not been named yet.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, part = required(means, session, identity, key)
            mine = session.scalar(
                select(DestructionDuty).where(
                    DestructionDuty.destruction_id == key, DestructionDuty.person_id == identity.person_id
                )
            )
            if mine is None or not part.duties:
                raise NotAllowed(act="destruction.sign")
            self._sign(session, identity, row, mine, SignedHow.ACCOUNT)
            means.turns.tell(work, row)
            work.commit()
            return row.state

    def sign_for(
        self, identity: Identity, key: UUID, duty_id: UUID, code: str = "", paper: UUID | None = None
    ) -> DestructionState:
        """Take an outsider's signature: by the code that was handed to them, or on paper of which a picture is kept.

        The executor alone takes a code: who asked for the destruction makes it, and so knows it.

        Raises as ``sign``; ``InvalidInput``: ``code`` (wrong, or over), ``paper`` (no such picture).
        """
        means = self._means
        wrong = False
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, part = required(means, session, identity, key)
            theirs = self._duty(session, key, duty_id)
            takers = {Duty.EXECUTOR} if paper is None else {Duty.ASKER, Duty.EXECUTOR}
            if theirs.person_id is not None or not part.duties & takers:
                raise NotAllowed(act="destruction.sign")
            if paper is not None:
                if (kept := session.get(DestructionFile, paper)) is None or kept.destruction_id != key:
                    raise InvalidInput(Fault("paper", "unknown"))
                theirs.paper_id = paper
                self._sign(session, identity, row, theirs, SignedHow.PAPER, paper=kept.sha256)
            elif self._code_is(theirs, code):
                theirs.code = None
                self._sign(session, identity, row, theirs, SignedHow.CODE)
            else:
                theirs.wrong += 1
                wrong = True
            means.turns.tell(work, row)
            work.commit()
        if wrong:
            raise InvalidInput(Fault("code", "code_wrong"))
        return row.state

    def _sign(
        self, session: Session, identity: Identity, row: Destruction, theirs: DestructionDuty, how: SignedHow,
        **more: str,
    ) -> None:  # fmt: skip
        now = self._means.clock.now()
        if row.state is DestructionState.CONFIRMED and signs_before(theirs.duty):
            told = self._counted(session, row)
            theirs.before, theirs.before_at, theirs.before_how = told, now, how
        elif row.state is DestructionState.GONE and signs_after(theirs.duty) and theirs.after is None:
            told = row.digest or ""
            theirs.after, theirs.after_at, theirs.after_how = told, now, how
        else:
            raise Ended(state=row.state.value, act="destruction.sign")
        row.version += 1
        session.flush()
        say(
            self._means, session, identity, "sign", row, duty=theirs.duty.value, duty_id=str(theirs.id), digest=told,
            how=how.value, **more,
        )  # fmt: skip
        rows = duties(session, row.id)
        if row.state is DestructionState.CONFIRMED:
            _paper, files = carriers(session, row.id)
            watch = [each for each in rows if signs_before(each.duty)]
            if not lacking([each.duty for each in rows], electronic=files) and all(e.before == told for e in watch):
                move(row, DestructionState.COUNTED, "destruction.sign")
                row.counted_at, row.digest = now, told
                say(self._means, session, identity, "count", row, digest=told)
        elif all(each.after for each in rows if signs_after(each.duty)):
            move(row, DestructionState.CLOSED, "destruction.sign")
            row.closed_at = now
            say(self._means, session, identity, "close", row, digest=told)

    def _counted(self, session: Session, row: Destruction) -> str:
        """Return the digest of the list, once everything on it is counted and nothing else lies there."""
        scans = session.scalars(copies_scanned(row.id, every=True)).all()
        missing, extra = missing_and_extra(expected(session, row.id), scans)
        faults = [Fault("count", "papers_missing", {"count": len(missing)})] if missing else []
        faults += [Fault("count", "papers_extra", {"count": extra})] if extra else []
        if faults:
            raise InvalidInput(*faults)
        return digest_of(session, row.id)

    def _meant(self, session: Session, due: AbstractSet[UUID], text: str, *, addressed: bool) -> _Meant:
        box = session.scalar(select(ShelfPlace).where(ShelfPlace.path == text.upper()))
        if box is not None and box.kind is ShelfKind.BOX:
            columns = select(Copy.id, Copy.number, Record.registration_number)
            lies = session.execute(
                columns.join(Record, Record.id == Copy.record_id).where(Copy.place_id == box.id)
            ).all()
            extra = [({key}, f"{number or ''}*{copy} ({box.path})") for key, copy, number in lies if key not in due]
            return _Meant([key for key, _copy, _number in lies if key in due], extra, box=True)
        number, star, copy = text.rpartition("*")
        number, which = (number, int(copy)) if star and copy.isdecimal() else (text, None)
        records = {each.record_id for each in holders(session, number)}
        if not records:
            return _Meant([], [(set(), text)] if addressed else [], known=addressed, place=box is not None)
        copies = session.scalars(select(Copy).where(Copy.record_id.in_(records)))
        found = {each.id for each in copies if which in {None, each.number}}
        mine = sorted(found & due)
        return _Meant(mine, [] if mine else [(found, text)])

    def _person(self, session: Session, row: Destruction, login: str) -> UUID:
        key = session.scalar(select(Person.id).where(Person.login == folded(login), Person.active.is_(True)))
        if key is None:
            raise InvalidInput(Fault("person", "unknown"))
        if not free_for(duties_of(session, row), key):
            raise InvalidInput(Fault("person", "has_a_duty"))
        return key

    def _own(self, session: Session, identity: Identity, key: UUID, act: str, *states: DestructionState) -> Destruction:
        locked(session, key)
        row, part = required(self._means, session, identity, key)
        if Duty.ASKER not in part.duties:
            raise NotAllowed(act=act)
        require_state(row, act, *states)
        return row

    def _duty(self, session: Session, key: UUID, duty_id: UUID) -> DestructionDuty:
        found = session.get(DestructionDuty, duty_id)
        if found is None or found.destruction_id != key:
            raise NotFound
        return found

    def _code_is(self, theirs: DestructionDuty, code: str) -> bool:
        if theirs.code is None or theirs.code_until is None or theirs.wrong >= WRONG:
            return False
        if theirs.code_until <= self._means.clock.now():
            return False
        typed = "".join(each for each in code.upper() if each in _LETTERS)
        return hmac.compare_digest(theirs.code, _hashed(theirs.id, typed))


def _hashed(duty: UUID, code: str) -> str:
    return hashlib.sha256(duty.bytes + code.encode()).hexdigest()
