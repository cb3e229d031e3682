"""Questions of an appraisal's chair to people outside the panel: asked of items, answered in words, counted nowhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from archive.accounts import folded, login_identity
from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Appraisal, AppraisalItem, AppraisalState, Person, Record
from archive.model.leaving import AppraisalAdvice
from archive.policy.guard import Guard
from archive.ports import Vault
from archive.reasons import LONGEST_REASON
from archive.reasons import checked as reason_checked
from retention.appraising.rows import appraisal, packed, panel_of, require_state, seen_items

AT_ONCE = 100
"""Items of which one question is asked at most."""


@dataclass(frozen=True)
class Advice:
    """What was asked of one person about an item; ``answer`` "": they have not answered, or it may not be told."""

    person: UUID
    asked_by: UUID
    asked_at: datetime
    question: str
    answered_at: datetime | None
    answer: str


@dataclass(frozen=True)
class Asked:
    """A question that waits for the person: of which record, in which appraisal."""

    appraisal: Appraisal
    record: Record
    advice: Advice


class Consulting:
    """The acts of asking and answering."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def ask(
        self, identity: Identity, appraisal_id: UUID, record_ids: Sequence[UUID], person: str, question: str
    ) -> int:
        """Ask one outside the panel about items, as the chair, and return of how many.

        Args:
            identity: who has the chair.
            appraisal_id: an open appraisal.
            record_ids: items of its list that the chair is shown.
            person: the sign-in name of one who reads all of these records by rights of their own.
            question: in words.

        Raises:
            NotFound: there is no appraisal on whose panel the asker sits, or none of the records is theirs to judge.
            NotAllowed: they have not the chair.
            Ended: it is not open.
            InvalidInput: field ``question`` or ``person``: nobody, on the panel, reads not all, or was asked already.
        """
        words = _question(question)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row, panel = self._chaired(session, identity, appraisal_id)
            ids = self._items(session, identity, row, record_ids)
            who = self._adviser(session, row, person, panel, ids)
            texts = [(key, packed(question=words), _context(row.id, key, who.id, "question")) for key in ids]
            now = self._clock.now()
            session.add_all(
                AppraisalAdvice(
                    appraisal_id=row.id, record_id=key, person_id=who.id, asked_by=identity.person_id, asked_at=now,
                    sealed=sealed,
                )
                for key, sealed in zip(ids, self._vault.seal_many(session, texts), strict=True)
            )  # fmt: skip
            session.flush()
            told = {"appraisal": row.number, "person": who.login, "reason": words}
            self._log.note_many(session, identity, "appraisal.consult", [(key, told) for key in ids])
            work.commit()
        return len(ids)

    def answer(self, identity: Identity, appraisal_id: UUID, record_id: UUID, words: str) -> None:
        """Answer a question; the answer stays as it was given.

        Raises:
            NotFound: nothing was asked of them, or they do not read the record any more.
            Ended: the appraisal is over, or being worked on.
            InvalidInput: field ``reason``: what is said; ``answered_already``.
        """
        said = reason_checked(words)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            key = appraisal_id, record_id, identity.person_id
            row = session.get(AppraisalAdvice, key) if identity.person_id else None
            if row is None or record_id not in self._guard.seen(session, identity, [record_id]):
                raise NotFound
            of = appraisal(session, appraisal_id)
            require_state(of, "appraisal.advise", AppraisalState.OPEN)
            if row.answered_at is not None:
                raise InvalidInput(Fault("reason", "answered_already"))
            context = _context(appraisal_id, record_id, row.person_id, "answer")
            row.answer = self._vault.seal(session, record_id, packed(answer=said), context=context)
            row.answered_at = self._clock.now()
            session.flush()
            body = {"appraisal": of.number, "reason": said}
            self._log.note(session, identity, "appraisal.advise", record=record_id, body=body)
            work.commit()

    def mine(self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int) -> Sequence[Asked]:
        """Return the questions that wait for the person's answer, the oldest first, behind a moment and a record."""
        with self._db.reading() as session:
            query = self._waiting(session, identity, AppraisalAdvice, Appraisal, Record)
            if after is not None:
                at, key = after
                same = and_(AppraisalAdvice.asked_at == at, AppraisalAdvice.record_id > key)
                query = query.where(or_(AppraisalAdvice.asked_at > at, same))
            rows = session.execute(query.order_by(AppraisalAdvice.asked_at, AppraisalAdvice.record_id).limit(limit))
            found = rows.all()
            told = opened(session, self._vault, [advice for advice, _, _ in found])
            return [Asked(of, record, each) for (_, of, record), each in zip(found, told, strict=True)]

    def count(self, session: Session, identity: Identity) -> int:
        """Count the questions that wait for the person's answer, as their desk tells it."""
        if identity.person_id is None:
            return 0
        return session.scalar(self._waiting(session, identity, func.count())) or 0

    def _waiting(self, session: Session, identity: Identity, *columns: Any) -> Select[Any]:
        mine = self._guard.visible(session, identity).with_only_columns(Record.id)
        query: Select[Any] = select(*columns)
        return (
            query.select_from(AppraisalAdvice)
            .join(Appraisal, Appraisal.id == AppraisalAdvice.appraisal_id)
            .join(Record, Record.id == AppraisalAdvice.record_id)
            .where(
                AppraisalAdvice.person_id == identity.person_id, AppraisalAdvice.answered_at.is_(None),
                Appraisal.state == AppraisalState.OPEN, Record.id.in_(mine),
            )
        )  # fmt: skip

    def _chaired(self, session: Session, identity: Identity, key: UUID) -> tuple[Appraisal, Mapping[UUID, bool]]:
        panel = panel_of(session, [key])[key]
        if identity.person_id is None or identity.person_id not in panel:
            raise NotFound
        if not panel[identity.person_id]:
            raise NotAllowed(act="appraisal.consult")
        row = appraisal(session, key)
        require_state(row, "appraisal.consult", AppraisalState.OPEN)
        return row, panel

    def _items(self, session: Session, identity: Identity, row: Appraisal, ids: Sequence[UUID]) -> Sequence[UUID]:
        there = select(Record.id).where(Record.id == AppraisalItem.record_id).correlate(AppraisalItem).exists()
        query = select(AppraisalItem.record_id).where(
            AppraisalItem.appraisal_id == row.id, AppraisalItem.record_id.in_(ids[:AT_ONCE]), there,
            seen_items(self._guard, session, identity, member=True),
        )  # fmt: skip
        found = session.scalars(query.order_by(AppraisalItem.position)).all()
        if not found:
            raise NotFound
        return found

    def _adviser(
        self, session: Session, row: Appraisal, login: str, panel: Mapping[UUID, bool], ids: Sequence[UUID]
    ) -> Person:
        """Return who is asked. Raises ``InvalidInput`` (field ``person``)."""
        if not login.strip():
            raise InvalidInput(Fault("person", "required"))
        who = session.scalars(select(Person).where(Person.login == folded(login), Person.active)).one_or_none()
        if who is None:
            raise InvalidInput(Fault("person", "nobody", {"value": login.strip()[:100]}))
        if who.id in panel:
            raise InvalidInput(Fault("person", "on_the_panel"))
        if unread := len(ids) - len(self._guard.seen(session, login_identity(session, who), list(ids))):
            raise InvalidInput(Fault("person", "reads_them_not", {"count": unread}))
        earlier = select(func.count()).select_from(AppraisalAdvice).where(
            AppraisalAdvice.appraisal_id == row.id, AppraisalAdvice.person_id == who.id,
            AppraisalAdvice.record_id.in_(ids),
        )  # fmt: skip
        if asked := session.scalar(earlier):
            raise InvalidInput(Fault("person", "consulted_already", {"count": asked}))
        return who


def opened(session: Session, vault: Vault, rows: Sequence[AppraisalAdvice]) -> Sequence[Advice]:
    """Return questions and answers in words. Asks nobody: the caller has."""

    def context(each: AppraisalAdvice, what: str) -> str:
        return _context(each.appraisal_id, each.record_id, each.person_id, what)

    asked = vault.open_many(session, [(each.record_id, each.sealed, context(each, "question")) for each in rows])
    said = [(each.record_id, each.answer or b"", context(each, "answer")) for each in rows if each.answer]
    answered = {context: text for (_, _, context), text in zip(said, vault.open_many(session, said), strict=True)}
    found = []
    for each, question in zip(rows, asked, strict=True):
        answer = answered.get(context(each, "answer"))
        found.append(
            Advice(
                each.person_id, each.asked_by, each.asked_at, json.loads(question)["question"] if question else "",
                each.answered_at, json.loads(answer)["answer"] if answer else "",
            )
        )  # fmt: skip
    return found


def advice_on(session: Session, vault: Vault, key: UUID, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Advice]]:
    """Return by record what was asked and answered in an appraisal. Asks nobody: the caller has."""
    query = select(AppraisalAdvice).where(AppraisalAdvice.appraisal_id == key, AppraisalAdvice.record_id.in_(ids))
    rows = session.scalars(query.order_by(AppraisalAdvice.asked_at, AppraisalAdvice.person_id)).all() if ids else []
    found: dict[UUID, list[Advice]] = {}
    for row, each in zip(rows, opened(session, vault, rows), strict=True):
        found.setdefault(row.record_id, []).append(each)
    return found


def _question(text: str) -> str:
    """Return a question as it is kept. Raises ``InvalidInput`` (field ``question``)."""
    words = text.strip()
    if not words:
        raise InvalidInput(Fault("question", "required"))
    if len(words) > LONGEST_REASON:
        raise InvalidInput(Fault("question", "too_long", {"limit": LONGEST_REASON, "length": len(words)}))
    return words


def _context(appraisal_id: UUID, record_id: UUID, person_id: UUID, what: str) -> str:
    return f"advice:{appraisal_id.hex}:{record_id.hex}:{person_id.hex}:{what}"
