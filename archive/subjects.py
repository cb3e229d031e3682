"""Subjects that records hang on beside places: owner, tenant, employee, contract, equipment, supplier.

Names, phones and identity numbers are sealed under the subject's own key; a phone or identity number is found whole
by its keyed token, never in part.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput, NotFound
from archive.identity import Identity, Role
from archive.ids import UUID, new_id
from archive.log.writer import Log
from archive.model import Fonds, RecordSubject, Subject, SubjectToken
from archive.personal import PersonalKind, check_identity, check_phone
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act
from archive.ports import Vault
from archive.scheme.fields import FieldDef, FieldKind, check, parse_fields
from archive.scheme.shipped import document

KEEPERS = frozenset({Role.ARCHIVIST, Role.CLERK})
"""Who describes subjects and finds them by a personal number."""

_NUMBERS = {FieldKind.PHONE: PersonalKind.PHONE, FieldKind.IDENTITY: PersonalKind.IDENTITY}


@dataclass(frozen=True)
class SubjectView:
    """A subject in clear, for someone who may see it."""

    subject: Subject
    fields: Sequence[tuple[FieldDef, Any]]


def kinds() -> Mapping[str, Mapping[str, Any]]:
    """Return the kinds of subjects by code, as data."""
    return {each["code"]: each for each in document("subjects")["kinds"]}


def fields_of(kind: str) -> tuple[FieldDef, ...]:
    """Return the fields of a kind of subject.

    Raises:
        InvalidInput: there is no such kind.
    """
    known = kinds()
    if kind not in known:
        raise InvalidInput(Fault("kind", "unknown_choice", {"value": kind[:40], "known": list(known)}))
    catalogue = document("subjects")["fields"]
    return parse_fields([{"name": name, **catalogue[name]} for name in known[kind]["fields"]])


def context(subject_id: UUID) -> str:
    """Return the sealing context of a subject's protected fields."""
    return f"subject:{subject_id.hex}"


def opened(session: Session, vault: Vault, subject: Subject) -> dict[str, Any]:
    """Return a subject's protected fields in clear. Raises as ``Vault.open`` does."""
    if subject.sealed is None:
        return {}
    values: dict[str, Any] = json.loads(vault.open(session, subject.id, subject.sealed, context=context(subject.id)))
    return values


def names_of_subjects(session: Session, vault: Vault, ids: Sequence[UUID]) -> list[str]:
    """Return how subjects are called, in the order of ``ids``: a person's name, a thing's title, or the code.

    A subject whose key is gone, or that is gone itself, is left out.
    """
    rows = {row.id: row for row in session.scalars(select(Subject).where(Subject.id.in_(ids)))} if ids else {}
    there = [rows[key] for key in ids if key in rows]
    sealed = [(row.id, row.sealed, context(row.id)) for row in there if row.sealed is not None]
    plain = dict(zip((key for key, _, _ in sealed), vault.open_many(session, sealed), strict=True))
    names = []
    for row in there:
        opened_bytes = plain.get(row.id)
        protected = json.loads(opened_bytes) if opened_bytes else {}
        name = protected.get("name") or row.facts.get("title") or row.code
        if name:
            names.append(str(name))
    return names


def find_by_number(session: Session, vault: Vault, number: str) -> Sequence[Subject]:
    """Return the subjects with exactly this phone or identity number."""
    tokens = []
    for kind, normal in ((PersonalKind.PHONE, check_phone), (PersonalKind.IDENTITY, check_identity)):
        try:
            tokens.append(vault.token(kind.value, normal(number)))
        except ValueError:
            continue
    if not tokens:
        tokens = [vault.token(PersonalKind.PHONE.value, number.strip())]
    query = select(Subject).join(SubjectToken, SubjectToken.subject_id == Subject.id)
    return session.scalars(query.where(SubjectToken.token.in_(tokens)).distinct()).all()


class Subjects:
    """The acts on subjects."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

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
            definitions = fields_of(kind)
            ordinary, protected = check(definitions, values, complete=True)
            row = Subject(
                id=new_id(),
                fonds_id=fonds_id,
                kind=kind,
                code=_code(code),
                facts=ordinary,
                created_at=self._clock.now(),
            )
            session.add(row)
            session.flush()
            self._vault.add_owner(session, row.id, due_year=None)
            self._seal(session, row, definitions, protected)
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
            row = self._subject(session, subject_id)
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
            work.commit()
            return row.version

    def show(self, identity: Identity, subject_id: UUID) -> SubjectView:
        """Return a subject in clear for those who keep them, and log it."""
        with self._db.writing() as work:
            session = work.session
            self._keeper(session, identity)
            row = self._subject(session, subject_id)
            values = {**row.facts, **opened(session, self._vault, row)}
            self._log.note(session, identity, "subject.read", subject=row.id)
            work.commit()
        return SubjectView(row, [(f, values[f.name]) for f in fields_of(row.kind) if f.name in values])

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
        """Hang a record on a subject; twice is no error. Raises as ``Guard.require`` does."""
        with self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.DESCRIBE, record_id)
            if self._subject(session, subject_id).fonds_id != record.fonds_id:
                raise InvalidInput(Fault("subject", "unknown"))
            if session.get(RecordSubject, (record_id, subject_id)) is None:
                session.add(RecordSubject(record_id=record_id, subject_id=subject_id))
                record.version += 1
                self._log.note(session, identity, "record.link", record=record_id, body={"subject": str(subject_id)})
            work.commit()

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
