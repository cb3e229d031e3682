"""Looking at destructions: lists by state, one with its way and people, its items as far as a person may see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of, waiting
from archive.database.newest import newest_first
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.model import (
    Appraisal,
    AppraisalMember,
    Approval,
    ApprovalDecider,
    ApprovalKind,
    ApprovalStep,
    ApprovalWord,
    Copy,
    DestroyedRecord,
    Destruction,
    DestructionDuty,
    DestructionFile,
    DestructionItem,
    DestructionItemState,
    DestructionObjection,
    DestructionScan,
    DestructionState,
    Duty,
    Record,
    RecordDue,
    Said,
)
from archive.policy.rules import Act, may
from retention.destroying.means import (
    Means,
    Part,
    carriers,
    chunks,
    needs_neutral,
    opened,
    outsiders,
    part_of,
    records_of,
    required,
    say,
    seal,
    stopped,
    uncounted,
)
from retention.destroying.rules import (
    APPOINTED,
    BEFORE_RUNNING,
    OPEN,
    cooled,
    lacking,
    missing_and_extra,
    require_state,
)
from retention.destroying.shown import DutyShown, ItemShown, Shown, StepShown
from retention.destroying.tally import duties, expected, unscanned
from retention.destroying.turns import before_running, counting_and_after

MOST_BYTES = 5 * 1024 * 1024
MOST_FILES = 40
_KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"%PDF": "application/pdf"}


class Looks:
    """What people see of destructions, and the pictures that are kept with one."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def every(
        self, identity: Identity, state: DestructionState | None = None, *,
        after: tuple[datetime, UUID] | None = None, limit: int,
    ) -> Sequence[tuple[Destruction, int]]:  # fmt: skip
        """Return destructions with the number of their records, the newest first."""
        with self._means.db.reading() as session:
            count = (
                select(func.count())
                .where(DestructionItem.destruction_id == Destruction.id, DestructionItem.state != "pulled")
                .scalar_subquery()
            )
            query = select(Destruction, count).where(self._mine(session, identity))
            if state is not None:
                query = query.where(Destruction.state == state)
            rows = session.execute(newest_first(query, Destruction.begun_at, Destruction.id, after).limit(limit))
            return [(row, number) for row, number in rows]

    def states(self, identity: Identity) -> Mapping[DestructionState, int]:
        """Return how many of those that a person sees stand in each state."""
        with self._means.db.reading() as session:
            query = select(Destruction.state, func.count()).where(self._mine(session, identity))
            return dict(session.execute(query.group_by(Destruction.state)).all())

    def waiting(self, session: Session, identity: Identity) -> int:
        """Count the destructions in which a person is to do something now."""
        means, person, state = self._means, identity.person_id, DestructionState
        if person is None:
            return 0
        turn = waiting(person, hands_of(session, person, means.guard.day()))
        theirs = select(DestructionDuty.destruction_id).where(DestructionDuty.person_id == person)
        ways = [
            and_(Destruction.state == state.DRAFT, Destruction.begun_by == person),
            and_(Destruction.state == state.ASKED, Destruction.approval_id.in_(turn)),
            and_(Destruction.state.in_((state.CONFIRMED, state.COUNTED, state.GONE)), Destruction.id.in_(theirs)),
        ]
        if may(Act.CONFIRM_DESTRUCTION, means.guard.reach(session, identity)):
            ways.append(and_(Destruction.state == state.COOLING, Destruction.cooling_until <= means.clock.now()))
        rows = session.scalars(select(Destruction).where(or_(*ways)))
        acts = {"ask", "decide", "confirm", "sign", "run"}
        parts = ((row, part_of(means, session, identity, row)) for row in rows)
        return sum(1 for row, part in parts if self._acts(session, identity, row, part) & acts)

    def to_object(self, session: Session, identity: Identity) -> int:
        """Count the destructions that cool off with a record that a person reads, but for those that they asked for."""
        read = select(DestructionItem.destruction_id).where(
            DestructionItem.destruction_id == Destruction.id, DestructionItem.state == DestructionItemState.LISTED,
            self._means.guard.opens(session, identity, DestructionItem.record_id),
        )  # fmt: skip
        query = select(func.count()).select_from(Destruction).where(
            Destruction.state == DestructionState.COOLING, Destruction.begun_by != identity.person_id,
            read.correlate(Destruction).exists(),
        )  # fmt: skip
        return session.scalar(query) or 0

    def show(self, identity: Identity, key: UUID) -> Shown:
        """Return one. Raises ``NotFound``."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            row, part = required(means, session, identity, key)
            paper, electronic = carriers(session, key)
            counted = select(DestructionItem.state, func.count()).where(DestructionItem.destruction_id == key)
            rows = duties(session, key)
            names = outsiders(means, session, rows) if part.numbers else {}
            due = expected(session, key) if row.state in BEFORE_RUNNING else ()
            scans = session.scalars(select(DestructionScan).where(DestructionScan.destruction_id == key)).all()
            missing, _count = missing_and_extra(due, [each.copy_id for each in scans])
            extra = _extra(session, [e for e in scans if e.copy_id not in due]) if row.state in BEFORE_RUNNING else []
            inside = part.numbers
            return Shown(
                row=row, part=part, acts=self._acts(session, identity, row, part),
                counts=dict(session.execute(counted.group_by(DestructionItem.state)).all()) if inside else {},
                paper=paper, electronic=electronic,
                duties=[DutyShown(each, names.get(each.id)) for each in rows] if inside else [],
                lacking=lacking([each.duty for each in rows], electronic=electronic),
                steps=self._steps(session, row) if inside else [],
                objections=self._objections(session, key) if inside else [],
                files=self._files(session, key) if inside else [],
                missing=len(missing), expected=len(due), extra=extra if inside else [],
                uncounted=_uncounted(session, key) if inside and row.state in BEFORE_RUNNING else 0,
                chairs=_chairs(session, key) if inside else [],
            )  # fmt: skip

    def items(
        self, identity: Identity, key: UUID, *, after: int = 0, limit: int, pulled: bool = False
    ) -> Sequence[ItemShown]:
        """Return lines of a list behind a position; ``pulled``: those that were taken out. Raises ``NotFound``.

        Who is only concerned gets those that they read. A title is shown to who reads the record, or, once it is gone,
        in the register alone.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            row, part = required(means, session, identity, key)
            out = DestructionItem.state == DestructionItemState.PULLED
            query = select(DestructionItem).where(
                DestructionItem.destruction_id == key, DestructionItem.position > after, out if pulled else ~out
            )
            if not part.numbers:
                mine = means.guard.visible(session, identity).with_only_columns(Record.id)
                query = query.where(DestructionItem.record_id.in_(mine))
            rows = session.scalars(query.order_by(DestructionItem.position).limit(limit)).all()
            ids = [each.record_id for each in rows]
            records, seen = records_of(session, ids), means.guard.seen(session, identity, ids)
            neutral = needs_neutral(session, ids)
            due = dict(
                session.execute(select(RecordDue.record_id, RecordDue.due).where(RecordDue.record_id.in_(ids))).all()
            )
            gone = select(DestroyedRecord).where(DestroyedRecord.destruction_id == key)
            lines = {row.record_id: row for row in session.scalars(gone)} if len(records) < len(ids) else {}
            asked = ids if part.numbers and not pulled and row.state in BEFORE_RUNNING else []
            stops = stopped(session, asked, means.guard.day())
            to_scan = unscanned(session, key) if asked and row.state is DestructionState.CONFIRMED else {}
            shown = []
            for each in rows:
                record, line = records.get(each.record_id), lines.get(each.record_id)
                read, facts = each.record_id in seen, record or line
                full = read or bool(part.duties) or part.decides  # who only sees the lists sees the neutral number
                own = facts.archive_number if facts and full else None
                shown.append(
                    ItemShown(
                        each.position, each.state, each.pulled, own or (facts.registration_number if facts else None),
                        record.title if record and read else None,
                        each.neutral, each.record_id if read else None, facts.pages if facts else None,
                        line.due if line else due.get(each.record_id), each.record_id in neutral, not own,
                        stops.get(each.record_id), to_scan.get(each.record_id, 0),
                    )
                )  # fmt: skip
            return shown

    def add_file(self, identity: Identity, key: UUID, name: str, data: bytes) -> UUID:
        """Keep a photograph or a scan with a destruction.

        Raises:
            NotFound: there is none for them, or they have no duty in it.
            InvalidInput: ``file``: empty, too large, too many, or neither picture nor PDF.
        """
        means = self._means
        kind = next((media for head, media in _KINDS.items() if data.startswith(head)), None)
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row, part = required(means, session, identity, key)
            if identity.person_id is None or not part.duties & {Duty.ASKER, *APPOINTED}:
                raise InvalidInput(Fault("file", "not_yours_to_add"))
            require_state(row, "destruction.attach", *OPEN)
            many = select(func.count()).select_from(DestructionFile).where(DestructionFile.destruction_id == key)
            if kind is None:
                raise InvalidInput(Fault("file", "no_picture"))
            if len(data) > MOST_BYTES:
                raise InvalidInput(Fault("file", "file_too_large", {"limit": "5 MiB"}))
            if (session.scalar(many) or 0) >= MOST_FILES:
                raise InvalidInput(Fault("file", "too_many", {"limit": MOST_FILES}))
            mine, told = new_id(), sha256(data).hexdigest()
            session.add(
                DestructionFile(
                    id=mine, destruction_id=key, media_type=kind, sha256=told, added_by=identity.person_id,
                    name=seal(means, session, key, f"name:{mine.hex}", {"name": name.strip()[:200]}),
                    sealed=means.vault.seal(session, key, data, context=f"destruction-file:{mine.hex}"),
                    added_at=means.clock.now(),
                )
            )  # fmt: skip
            say(means, session, identity, "attach", row, file=str(mine), sha256=told)
            work.commit()
            return mine

    def file(self, identity: Identity, key: UUID, file_id: UUID) -> tuple[str, bytes]:
        """Return a picture with its media type. Raises ``NotFound``."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            _row, part = required(means, session, identity, key)
            kept = session.get(DestructionFile, file_id)
            if kept is None or kept.destruction_id != key or not part.numbers:
                raise NotFound
            return kept.media_type, means.vault.open(
                session, key, kept.sealed, context=f"destruction-file:{kept.id.hex}"
            )

    def _mine(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Return the condition that a person sees a destruction: by role, by duty, by turn, or as one concerned."""
        means, person = self._means, identity.person_id
        if person is None:
            return Destruction.id.is_(None)
        if may(Act.SEE_DESTRUCTIONS, means.guard.reach(session, identity)):
            return Destruction.id.is_not(None)
        hands = hands_of(session, person, means.guard.day())
        turn = waiting(person, hands).where(Approval.kind == ApprovalKind.DESTRUCTION)
        appointed = select(DestructionDuty.destruction_id).where(DestructionDuty.person_id == person)
        mine = means.guard.visible(session, identity).with_only_columns(Record.id)
        read = select(DestructionItem.destruction_id).where(
            DestructionItem.state == DestructionItemState.LISTED, DestructionItem.record_id.in_(mine)
        )
        return or_(
            Destruction.begun_by == person, Destruction.confirmed_by == person, Destruction.id.in_(appointed),
            Destruction.approval_id.in_(turn), Destruction.approval_id.in_(_decided_by(person)),
            and_(Destruction.state == DestructionState.COOLING, Destruction.id.in_(read)),
        )  # fmt: skip

    def _acts(self, session: Session, identity: Identity, row: Destruction, part: Part) -> frozenset[str]:
        """Return what a person may do now; the acts ask again."""
        reach = self._means.guard.reach(session, identity)
        every = duties(session, row.id)
        mine = [each for each in every if each.person_id and each.person_id == identity.person_id]
        due = before_running(
            row,
            part,
            confirms=may(Act.CONFIRM_DESTRUCTION, reach),
            over=cooled(row.cooling_until, self._means.clock.now()),
        )
        signed = any(each.after for each in every)
        return frozenset(due | counting_and_after(row, part, mine, signed=signed))

    def _objections(self, session: Session, key: UUID) -> Sequence[tuple[UUID, datetime, str]]:
        query = select(DestructionObjection).where(DestructionObjection.destruction_id == key)
        rows = session.scalars(query.order_by(DestructionObjection.at)).all()
        told = [opened(self._means, session, key, f"objection:{each.id.hex}", each.sealed) for each in rows]
        return [(each.person_id, each.at, str(why["why"])) for each, why in zip(rows, told, strict=True)]

    def _files(self, session: Session, key: UUID) -> Sequence[tuple[UUID, str, str]]:
        query = select(DestructionFile).where(DestructionFile.destruction_id == key).order_by(DestructionFile.id)
        return [
            (each.id, str(opened(self._means, session, key, f"name:{each.id.hex}", each.name)["name"]), each.sha256)
            for each in session.scalars(query)
        ]

    def _steps(self, session: Session, row: Destruction) -> Sequence[StepShown]:
        approval = session.get(Approval, row.approval_id) if row.approval_id else None
        if approval is None:
            return []
        said = [
            each for each in self._means.approvals.spoken(session, approval)
            if each.word.said in {Said.APPROVED, Said.REFUSED}
        ]  # fmt: skip
        shown = []
        steps = select(ApprovalStep).where(ApprovalStep.approval_id == approval.id).order_by(ApprovalStep.number)
        for step in session.scalars(steps):
            tokens = select(ApprovalDecider.token).where(
                ApprovalDecider.approval_id == approval.id, ApprovalDecider.number == step.number
            )
            done = [
                (each.word.person_id, each.word.said is Said.APPROVED, each.word.at, each.text)
                for each in said
                if each.word.number == step.number
            ]
            here = row.state is DestructionState.ASKED and approval.step == step.number
            shown.append(StepShown(step.number, session.scalars(tokens).all(), done, here))
        return shown


def _extra(session: Session, scans: Sequence[DestructionScan]) -> Sequence[tuple[UUID, str]]:
    """Return scans of what is not on a list, or no more, each with what is to be taken out: never a whole box."""
    known = [each.copy_id for each in scans if each.copy_id]
    query = select(Copy.id, Copy.number, Record.registration_number).join(Record, Record.id == Copy.record_id)
    names = {
        key: f"{number or ''}*{copy}"
        for part in chunks(known)
        for key, copy, number in session.execute(query.where(Copy.id.in_(part)))
    }
    told = [(each, names.get(each.copy_id) if each.copy_id else None) for each in scans]
    return [(each.id, f"{name} ({each.label})" if name else each.label) for each, name in told]


def _decided_by(person: UUID) -> Select[UUID]:
    return select(ApprovalWord.approval_id).where(ApprovalWord.person_id == person)


def _uncounted(session: Session, key: UUID) -> int:
    return session.scalar(select(func.count()).select_from(uncounted(key).subquery())) or 0


def _chairs(session: Session, key: UUID) -> Sequence[tuple[UUID, datetime]]:
    from_ = select(DestructionItem.appraisal_id).where(DestructionItem.destruction_id == key).distinct()
    query = (
        select(AppraisalMember.person_id, Appraisal.closed_at)
        .join(Appraisal, Appraisal.id == AppraisalMember.appraisal_id)
        .where(AppraisalMember.chair.is_(True), Appraisal.id.in_(from_))
        .order_by(Appraisal.closed_at, Appraisal.id)
    )
    return [(person, closed) for person, closed in session.execute(query) if closed]
