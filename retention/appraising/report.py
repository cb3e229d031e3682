"""The report 鉴定意见书 of a closed appraisal: what it says is written at the close, and kept as it was printed first.

It names records by number, and no title and no reason, so that it may stay for good whatever becomes of a record.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import NotFound
from archive.identity import Identity, Role
from archive.log.writer import Log
from archive.model import (
    Appraisal,
    AppraisalForm,
    AppraisalItem,
    AppraisalLines,
    AppraisalOpinion,
    AppraisalState,
    Category,
    DestroyedRecord,
    Record,
    Stop,
    Verdict,
)
from archive.model.leaving import AppraisalAdvice
from archive.policy.guard import Guard
from archive.policy.rules import READERS, Act, may
from retention.appraising.rows import appraisal, panel_of

Said = tuple[UUID, Verdict, date | None]
"""A member, what they said, and until when."""


Advised = tuple[UUID, datetime | None]
"""One outside the panel who was asked, and when they answered; None: they did not."""


@dataclass(frozen=True)
class Line:
    """An item as the report has it. ``names`` and ``year``: of its category, and in which it was drawn up.

    ``number`` is its registration number, over which the digest is; ``archive`` its archive number, None: it has none.
    """

    number: str
    names: Mapping[str, str] | None
    year: str
    due: date
    verdict: Verdict | None
    until: date | None
    stopped: Stop | None
    said: Sequence[Said]
    archive: str | None = None
    advised: Sequence[Advised] = ()


@dataclass(frozen=True)
class Kept:
    """A report that is kept, in one language."""

    locale: str
    sha256: str
    kept_at: datetime


class Reports:
    """Reports of closed appraisals, for those who are shown all of their records."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def lines(self, identity: Identity, key: UUID) -> Sequence[Line]:
        """Return all items, in the order of the list. Raises ``NotFound``: not closed, or they are not shown all."""
        with self._db.reading() as session:
            self._closed(session, identity, key)
            row = session.get(AppraisalLines, key)
            # one that was closed by an earlier version has what is still there
            return _numbered(session, key, _read(row.lines)) if row else judged(session, key)

    def kept(self, identity: Identity, key: UUID, locale: str) -> bytes | None:
        """Return what was kept in a language; None: nothing was yet. Raises ``NotFound`` as ``lines``."""
        with self._db.reading() as session:
            self._closed(session, identity, key)
            row = session.get(AppraisalForm, (key, locale))
            return row.pdf if row else None

    def keep(self, identity: Identity, key: UUID, locale: str, pdf: bytes) -> bytes:
        """Keep a report with its hash in the log, unless one is kept; return what is. Raises as ``lines``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._closed(session, identity, key)
            if (there := session.get(AppraisalForm, (key, locale))) is not None:
                return there.pdf
            told = sha256(pdf).hexdigest()
            session.add(AppraisalForm(appraisal_id=key, locale=locale, pdf=pdf, sha256=told, kept_at=self._clock.now()))
            body = {"appraisal": row.number, "locale": locale, "sha256": told}
            self._log.note(session, identity, "appraisal.keep_report", body=body)
            work.commit()
            return pdf

    def _closed(self, session: Session, identity: Identity, key: UUID) -> Appraisal:
        row = appraisal(session, key)
        sits = identity.person_id in panel_of(session, [key])[key]
        if not sits and not may(Act.SEE_APPRAISALS, self._guard.reach(session, identity)):
            raise NotFound
        if row.state is not AppraisalState.CLOSED or not shown_all(self._guard, session, identity, key, sits=sits):
            raise NotFound
        return row


def gone_lines(session: Session, key: UUID, gone: Collection[UUID]) -> Mapping[int, Line]:
    """Return by position what was written at the close of records that are gone. Asks nobody: the caller has."""
    if (kept := session.get(AppraisalLines, key)) is None:
        return {}
    items = select(AppraisalItem.position, AppraisalItem.record_id).where(AppraisalItem.appraisal_id == key)
    rows = session.execute(items.order_by(AppraisalItem.position)).all()
    lines = zip(rows, _numbered(session, key, _read(kept.lines)), strict=True)
    return {row.position: line for row, line in lines if row.record_id in gone}


def _numbered(session: Session, key: UUID, lines: Sequence[Line]) -> Sequence[Line]:
    """Give lines that an earlier version wrote their archive numbers: of what is there, or in the register."""
    if all(each.archive for each in lines):
        return lines
    destroyed = select(func.max(DestroyedRecord.archive_number)).where(
        DestroyedRecord.record_id == AppraisalItem.record_id  # one taken out of a run stands in the next one's list too
    )
    items = (
        select(func.coalesce(Record.archive_number, destroyed.scalar_subquery()))
        .select_from(AppraisalItem)
        .outerjoin(Record, Record.id == AppraisalItem.record_id)
        .where(AppraisalItem.appraisal_id == key)
    )
    numbers = session.scalars(items.order_by(AppraisalItem.position)).all()
    return [replace(each, archive=each.archive or found) for each, found in zip(lines, numbers, strict=True)]


def judged(session: Session, key: UUID) -> Sequence[Line]:
    """Return what is said of the items of an appraisal now, in the order of the list. Asks nobody."""
    said: dict[UUID, list[Said]] = {}
    opinions = select(
        AppraisalOpinion.record_id, AppraisalOpinion.person_id, AppraisalOpinion.verdict, AppraisalOpinion.until
    ).where(AppraisalOpinion.appraisal_id == key)
    for row in session.execute(opinions.order_by(AppraisalOpinion.said_at, AppraisalOpinion.person_id)):
        said.setdefault(row.record_id, []).append((row.person_id, row.verdict, row.until))
    advised: dict[UUID, list[Advised]] = {}
    asked = select(AppraisalAdvice.record_id, AppraisalAdvice.person_id, AppraisalAdvice.answered_at)
    asked = asked.where(AppraisalAdvice.appraisal_id == key)
    for record, person, at in session.execute(asked.order_by(AppraisalAdvice.asked_at, AppraisalAdvice.person_id)):
        advised.setdefault(record, []).append((person, at))
    items = (
        select(AppraisalItem, Category.names, Record.drawn_up, Record.archive_number)
        .outerjoin(Record, Record.id == AppraisalItem.record_id)
        .outerjoin(Category, Category.id == Record.category_id)
        .where(AppraisalItem.appraisal_id == key)
    )
    return [
        Line(
            each.number, names, (drawn_up or "")[:4], each.due, each.verdict, each.until, each.stopped,
            said.get(each.record_id, ()), archive, advised.get(each.record_id, ()),
        )
        for each, names, drawn_up, archive in session.execute(items.order_by(AppraisalItem.position))
    ]  # fmt: skip


def written(lines: Sequence[Line]) -> bytes:
    """Return lines as they are kept."""
    return json.dumps([_plain(each) for each in lines], ensure_ascii=False, separators=(",", ":")).encode()


def _plain(each: Line) -> Mapping[str, Any]:
    said = [(person.hex, verdict, _told(until)) for person, verdict, until in each.said]
    asked = [(person.hex, at.isoformat() if at else None) for person, at in each.advised]
    return {**vars(each), "advised": asked, "due": each.due.isoformat(), "until": _told(each.until), "said": said}


def _told(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _read(kept: bytes) -> Sequence[Line]:
    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    return [
        Line(
            number=each["number"],
            names=each["names"],
            year=each["year"],
            due=date.fromisoformat(each["due"]),
            verdict=Verdict(each["verdict"]) if each["verdict"] else None,
            until=day(each["until"]),
            stopped=Stop(each["stopped"]) if each["stopped"] else None,
            archive=each.get("archive"),
            advised=[(UUID(who), datetime.fromisoformat(at) if at else None) for who, at in each.get("advised", ())],
            said=[(UUID(person), Verdict(verdict), day(until)) for person, verdict, until in each["said"]],
        )
        for each in json.loads(kept)
    ]


def shown_all(guard: Guard, session: Session, identity: Identity, key: UUID, *, sits: bool) -> bool:
    """Return whether every record of a list that is still there may be shown to a person; ``sits``: on its panel.

    Lines have archive number, category and year, which who only keeps a record does not see. Of what is gone they are
    for those alone who find it in the register of the destroyed by its archive number.
    """
    if not sits and not guard.reach(session, identity).roles & (READERS | {Role.AUDIT_ADMIN}):
        return False
    seen = guard.opens(session, identity, AppraisalItem.record_id, Act.JUDGE if sits else Act.READ)
    there = select(AppraisalItem.record_id).join(Record, Record.id == AppraisalItem.record_id)
    return session.execute(there.where(AppraisalItem.appraisal_id == key, ~seen).limit(1)).first() is None


def kept_reports(session: Session, key: UUID) -> Sequence[Kept]:
    """Return which reports of an appraisal are kept, the first one first. Asks nobody: the caller has."""
    columns = AppraisalForm.locale, AppraisalForm.sha256, AppraisalForm.kept_at
    query = select(*columns).where(AppraisalForm.appraisal_id == key)
    return [Kept(*row) for row in session.execute(query.order_by(AppraisalForm.kept_at))]
