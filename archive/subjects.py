"""Subjects that records hang on beside places: owner, tenant, employee, contract, equipment, supplier.

Names, phones and identity numbers are sealed under the subject's own key; a phone or identity number is found whole
by its keyed token, never in part.

A merge leaves the merged subject as it was, under its own key: it only leads to the survivor from then on. Records are
moved in short batches; while that lasts, whoever asks through an old link is led to the survivor.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from archive.cataloguing.order import made_after
from archive.clock import Clock
from archive.database import Database, Work
from archive.database.newest import Place
from archive.errors import Conflict, Fault, InvalidInput, NotFound
from archive.identity import Identity, Role
from archive.ids import UUID, new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Fonds, JobKind, Record, RecordSubject, Subject, SubjectToken
from archive.personal import PersonalKind
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act
from archive.ports import Vault
from archive.scheme.fields import FieldDef, FieldKind
from archive.scheme.values import check
from archive.subject_facts import context, fields_of, find_by_number, opened

KEEPERS = frozenset({Role.ARCHIVIST, Role.CLERK})
"""Who describes subjects and finds them by a personal number."""

MOVED = 300
"""Records that change their subject in one transaction: it stays well under 100 ms."""

_NUMBERS = {FieldKind.PHONE: PersonalKind.PHONE, FieldKind.IDENTITY: PersonalKind.IDENTITY}


@dataclass(frozen=True)
class SubjectView:
    """A subject in clear, for someone who may see it, with those of its records that they may read.

    ``merged`` are the subjects that were merged into this one.
    """

    subject: Subject
    fields: Sequence[tuple[FieldDef, Any]]
    merged: Sequence[UUID]
    records: Sequence[Record]


class Subjects:
    """The acts on subjects."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def require(self, identity: Identity) -> None:
        """Check that ``identity`` is one of those who keep subjects. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._keeper(session, identity)

    def add(
        self, identity: Identity, fonds_id: UUID, kind: str, values: Mapping[str, Any], *, code: str | None = None
    ) -> UUID:
        """Add a subject and return its id.

        Raises:
            InvalidInput: names each field at fault; a required one is enforced.
            NotFound: there is no such fonds.
        """
        with self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            if session.get(Fonds, fonds_id) is None:
                raise NotFound
            row = self._insert(session, fonds_id, kind, values, code)
            self._log.note(session, identity, "subject.add", subject=row.id, body={"kind": kind})
            work.commit()
            return row.id

    def change(self, identity: Identity, subject_id: UUID, values: Mapping[str, Any], *, version: int) -> int:
        """Replace a subject's fields and return its new version.

        Raises:
            Conflict: someone changed it since ``version``.
            InvalidInput: names each field at fault.
        """
        with self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            row = self._standing(session, subject_id, "subject")
            if row.version != version:
                raise Conflict(what="subject")
            definitions = fields_of(row.kind)
            before = {**row.facts, **opened(session, self._vault, row)}
            ordinary, protected = check(definitions, values, complete=True)
            row.facts = ordinary
            row.version += 1
            self._seal(session, row, definitions, protected)
            body = {"before": before, "after": {**ordinary, **protected}}
            self._log.note(session, identity, "subject.change", subject=row.id, body=body)
            self._found_anew(work, _records_of(session, [row.id]))
            work.commit()
            return row.version

    def show(
        self, identity: Identity, subject_id: UUID, after: Place | None = None, *, limit: int | None = None
    ) -> SubjectView:
        """Return a subject in clear for those who keep them, and log it. A merged one is shown as it was.

        Of its records come the oldest first, behind a place, ``limit`` of them (None: all).
        """
        with self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            row = self._subject(session, subject_id)
            values = {**row.facts, **opened(session, self._vault, row)}
            merged = session.scalars(select(Subject.id).where(Subject.merged_into == row.id).order_by(Subject.id)).all()
            hung = select(RecordSubject.record_id).where(RecordSubject.subject_id == row.id)
            self._log.note(session, identity, "subject.read", subject=row.id)
            work.commit()
        with self._db.reading() as session:  # others may write meanwhile: there can be very many
            known = self._guard.visible(session, identity).where(Record.id.in_(hung))
            if after is not None:
                known = known.where(made_after(after))
            records = session.scalars(known.order_by(Record.created_at, Record.id).limit(limit)).all()
        fields = [(f, values[f.name]) for f in fields_of(row.kind) if f.name in values]
        return SubjectView(row, fields, merged, records)

    def hung(self, identity: Identity, subject_id: UUID, ids: Collection[UUID]) -> Sequence[Record]:
        """Return those of some records that hang on a subject and that the person reads, the oldest first.

        Raises ``NotAllowed``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._keeper(session, identity)
            on = select(RecordSubject.record_id).where(RecordSubject.subject_id == subject_id)
            query = self._guard.visible(session, identity).where(Record.id.in_(ids), Record.id.in_(on))
            return session.scalars(query.order_by(Record.created_at, Record.id)).all()

    def find(self, identity: Identity, number: str) -> Sequence[UUID]:
        """Return the ids of the subjects with exactly this phone or identity number, and log that it was asked."""
        with self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            ids = [row.id for row in find_by_number(session, self._vault, number)]
            self._log.note(session, identity, "subject.find", body={"found": len(ids)})
            work.commit()
        return ids

    def link(self, identity: Identity, record_id: UUID, subject_id: UUID) -> None:
        """Hang a record on a subject; twice is no error. Raises as ``Guard.require`` does.

        Instead of a merged subject its survivor is taken.
        """
        with self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.DESCRIBE, record_id)
            row = self._subject(session, subject_id)
            if row.fonds_id != record.fonds_id:
                raise InvalidInput(Fault("subject", "unknown"))
            into = row.merged_into or row.id
            if session.get(RecordSubject, (record_id, into)) is None:
                session.add(RecordSubject(record_id=record_id, subject_id=into))
                self._log.note(session, identity, "record.link", record=record_id, body={"subject": str(into)})
                self._found_anew(work, [record_id])
            work.commit()

    def merge(self, identity: Identity, subject_id: UUID, into: UUID) -> None:
        """Have ``into`` stand for a subject from now on: its records hang there, itself stays and leads there.

        Asked again after a break, it moves what is left.

        Raises:
            InvalidInput: another fonds or kind, the same subject twice, or one of the two was merged before.
        """
        with self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            row = self._subject(session, subject_id)
            if row.merged_into != into:
                target = self._target(session, row, into)
                earlier = select(Subject.id).where(Subject.merged_into == row.id)
                led = [row.id, *session.scalars(earlier)]
                before = {key: _count(session, key) for key in (row.id, target.id)}
                session.execute(
                    update(Subject)
                    .where(Subject.id.in_(led))
                    .values(merged_into=target.id, version=Subject.version + 1)
                    .execution_options(synchronize_session="fetch")
                )
                target.version += 1
                self._note_merge(session, identity, row.id, target.id, before)
            work.commit()
        self._move_all(identity, subject_id, into)

    def split(
        self,
        identity: Identity,
        subject_id: UUID,
        values: Mapping[str, Any],
        records: Sequence[UUID],
        *,
        code: str | None = None,
    ) -> UUID:
        """Give these records of a subject a new subject of its own, and return its id.

        Raises:
            InvalidInput: a field at fault, no record, too many at once, or one that does not hang on the subject.
            NotFound: a record that the person may not read, or that is not there.
        """
        if not 0 < len(records) <= MOVED:
            raise InvalidInput(Fault("records", "out_of_range", {"low": 1, "high": MOVED}))
        with self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            row = self._standing(session, subject_id, "subject")
            for key in records:
                self._guard.require(session, identity, Act.READ, key)
            if set(records) - set(_records_of(session, [row.id])):
                raise InvalidInput(Fault("records", "not_linked"))
            made = self._insert(session, row.fonds_id, row.kind, values, code)
            made.split_from = row.id
            row.version += 1
            taken = sorted(map(str, set(records)))
            body = {
                "before": {"records": _count(session, row.id)},
                "after": {"split_off": str(made.id), "records": taken},
            }
            self._log.note(session, identity, "subject.split", subject=row.id, body=body)
            body = {"before": {"records": []}, "after": {"split_from": str(row.id), "records": taken}}
            self._log.note(session, identity, "subject.split", subject=made.id, body=body)
            self._move(work, identity, list(dict.fromkeys(records)), row.id, made.id)
            work.commit()
            return made.id

    def _keeper(self, session: Session, identity: Identity) -> Reach:
        reach = self._guard.reach(session, identity)
        if not (reach.system or KEEPERS & reach.roles):
            raise self._guard.refused_house(session, identity, Act.CREATE)
        return reach

    @staticmethod
    def _subject(session: Session, subject_id: UUID) -> Subject:
        row = session.get(Subject, subject_id)
        if row is None:
            raise NotFound
        return row

    def _standing(self, session: Session, subject_id: UUID, field: str) -> Subject:
        """Return a subject that was not merged: what was stays as it was."""
        row = self._subject(session, subject_id)
        if row.merged_into is not None:
            raise InvalidInput(Fault(field, "merged", {"into": str(row.merged_into)}))
        return row

    def _target(self, session: Session, row: Subject, into: UUID) -> Subject:
        """Return the subject that may stand for ``row``."""
        self._standing(session, row.id, "subject")
        target = self._standing(session, into, "into")
        if target.id == row.id:
            raise InvalidInput(Fault("into", "same_subject"))
        if (target.fonds_id, target.kind) != (row.fonds_id, row.kind):
            raise InvalidInput(Fault("into", "other_kind"))
        return target

    def _note_merge(
        self, session: Session, identity: Identity, key: UUID, into: UUID, before: Mapping[UUID, int]
    ) -> None:
        """Write it of both, each under its own key."""
        for subject, after in ((key, {"merged_into": str(into)}), (into, {"merged": str(key)})):
            body = {"before": {"records": before[subject]}, "after": after}
            self._log.note(session, identity, "subject.merge", subject=subject, body=body)

    def _move_all(self, identity: Identity, key: UUID, into: UUID) -> None:
        while True:
            with self._db.writing() as work:
                records = _records_of(work.session, [key], limit=MOVED)
                if not records:
                    return
                self._move(work, identity, records, key, into)
                work.commit()

    def _move(self, work: Work, identity: Identity, records: Sequence[UUID], key: UUID, into: UUID) -> None:
        session = work.session
        hung = set(
            session.scalars(
                select(RecordSubject.record_id).where(
                    RecordSubject.record_id.in_(records), RecordSubject.subject_id == into
                )
            )
        )
        if fresh := [{"record_id": record, "subject_id": into} for record in records if record not in hung]:
            session.execute(insert(RecordSubject), fresh)
        old = delete(RecordSubject).where(RecordSubject.record_id.in_(records), RecordSubject.subject_id == key)
        session.execute(old.execution_options(synchronize_session=False))
        body = {"before": str(key), "after": str(into)}
        self._log.note_many(session, identity, "record.relink", [(record, body) for record in records])
        self._found_anew(work, records)

    def _found_anew(self, work: Work, records: Sequence[UUID]) -> None:
        """Have the index read records again: what their subjects say is found with them."""
        for start in range(0, len(records), MOVED):
            some = Record.id.in_(records[start : start + MOVED])
            changed = update(Record).where(some).values(version=Record.version + 1)
            work.session.execute(changed.execution_options(synchronize_session=False))
        self._outbox.add_many(work, JobKind.INDEX, records)

    def _insert(
        self, session: Session, fonds_id: UUID, kind: str, values: Mapping[str, Any], code: str | None
    ) -> Subject:
        definitions = fields_of(kind)
        ordinary, protected = check(definitions, values, complete=True)
        row = Subject(
            id=new_id(), fonds_id=fonds_id, kind=kind, code=_code(code), facts=ordinary, created_at=self._clock.now()
        )
        session.add(row)
        session.flush()
        self._vault.add_owner(session, row.id, due_year=None)
        self._seal(session, row, definitions, protected)
        return row

    def _seal(
        self, session: Session, row: Subject, definitions: Sequence[FieldDef], protected: Mapping[str, Any]
    ) -> None:
        data = json.dumps(dict(protected), ensure_ascii=False).encode()
        row.sealed = self._vault.seal(session, row.id, data, context=context(row.id)) if protected else None
        wanted = {
            self._vault.token(_NUMBERS[f.kind].value, protected[f.name])
            for f in definitions
            if f.kind in _NUMBERS and f.name in protected
        }
        there = {t.token: t for t in session.scalars(select(SubjectToken).where(SubjectToken.subject_id == row.id))}
        for token in there.keys() - wanted:
            session.delete(there[token])
        session.add_all(SubjectToken(subject_id=row.id, token=token) for token in wanted - there.keys())


def _code(code: str | None) -> str | None:
    if code is not None and not 0 < len(code.strip()) <= 64:
        raise InvalidInput(Fault("code", "bad_code", {"value": code[:40]}))
    return code and code.strip()


def _records_of(session: Session, ids: Sequence[UUID], limit: int | None = None) -> list[UUID]:
    query = select(RecordSubject.record_id).where(RecordSubject.subject_id.in_(ids)).order_by(RecordSubject.record_id)
    return list(session.scalars(query.limit(limit)))


def _count(session: Session, subject_id: UUID) -> int:
    query = select(func.count()).select_from(RecordSubject).where(RecordSubject.subject_id == subject_id)
    return session.scalar(query) or 0
