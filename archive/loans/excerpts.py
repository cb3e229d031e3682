"""Excerpts with their source: who makes one, who sees which, and that a loan may give an excerpt instead of the files.

The picture of each page is made at the edge, behind walls; what is kept is a PDF of these pictures, an attachment of
the excerpt under the record's key. Nothing of the file itself is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound
from archive.failpoints import reach
from archive.files.attachments import Owner
from archive.identity import Identity, system
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    AttachedTo,
    Attachment,
    ContentState,
    Excerpt,
    Fonds,
    Loan,
    LoanForm,
    LoanState,
    Person,
    Record,
    RecordState,
)
from archive.model.columns import Names
from archive.policy.guard import Guard
from archive.policy.rules import READERS, Act
from archive.ports import Vault

MOST_PAGES = 10
"""Pages of one excerpt."""

MOST_BOXES = 40
"""Black parts of one page."""

MADE_IN = timedelta(hours=1)
"""Until when the PDF of an excerpt is kept, or never."""

BATCH = 20

LONGEST = 200
"""Characters of what an excerpt is for."""


@dataclass(frozen=True)
class Source:
    """What an excerpt is taken from, as its pages say."""

    record_id: UUID
    content_id: UUID
    number: str
    title: str
    level: int
    name: str
    fonds: Names
    pages: int
    media_type: str


@dataclass(frozen=True)
class ExcerptShown:
    """An excerpt that is there, for who may make one. ``attachment``: its PDF."""

    row: Excerpt
    attachment: UUID
    purpose: str
    maker: str


class Excerpts:
    """The acts on excerpts, and whom the PDF of one concerns (``archive.files.attachments.Subject``)."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def source(self, identity: Identity, content_id: UUID) -> Source:
        """Return what an excerpt would be taken from, to who may make one.

        Raises:
            NotFound, NotAllowed: not theirs to hand out as it is.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            content, record, name = self._guard.require_content(
                session, identity, Act.ORIGINAL, content_id, ContentState.STORED
            )
            self._guard.require(session, identity, Act.LEND, record.id)
            fonds = session.get_one(Fonds, record.fonds_id)
            return Source(
                record.id, content.id, number_of(record), record.title, record.level_rank, name, fonds.names,
                content.pages or 0, content.media_type or "",
            )  # fmt: skip

    def begin(self, identity: Identity, content_id: UUID, purpose: str, pages: Sequence[int], masked: int) -> UUID:
        """Write down an excerpt whose PDF is made and is kept next; returns its id.

        Raises:
            NotFound, NotAllowed: as ``source``.
            InvalidInput: ``purpose``; ``pages``.
        """
        check(purpose, pages)
        source = self.source(identity, content_id)
        if not all(1 <= page <= source.pages for page in pages):
            raise InvalidInput(Fault("pages", "out_of_range", {"low": 1, "high": source.pages}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require(session, identity, Act.ORIGINAL, source.record_id)
            if identity.person_id is None:
                raise NotAllowed(act="excerpt.make")
            key = new_id()
            number = (session.scalar(select(func.max(Excerpt.number))) or 0) + 1
            sealed = self._vault.seal(session, source.record_id, purpose.strip().encode(), context=_context(key))
            session.add(
                Excerpt(
                    id=key, number=number, record_id=source.record_id, content_id=content_id, pages=list(pages),
                    masked=masked, made_by=identity.person_id, made_at=self._clock.now(), sealed=sealed,
                )
            )  # fmt: skip
            session.flush()
            body = {"excerpt": number, "pages": list(pages), "masked": masked}
            self._log.note(session, identity, "excerpt.make", record=source.record_id, body=body)
            work.commit()
        reach("excerpt.begun")
        return key

    def forget(self, identity: Identity, excerpt_id: UUID) -> None:
        """Remove an excerpt whose PDF could not be kept."""
        with self._db.writing() as work:
            row = work.session.get(Excerpt, excerpt_id)
            if row is not None:
                work.session.execute(delete(Excerpt).where(Excerpt.id == excerpt_id))
                self._log.note(
                    work.session, identity, "excerpt.drop", record=row.record_id, body={"excerpt": row.number}
                )
                work.commit()

    def sweep(self) -> int:
        """Remove excerpts whose PDF was not kept within ``MADE_IN``, at most ``BATCH``; return how many."""
        with self._db.reading() as session:
            old = Excerpt.made_at < self._clock.now() - MADE_IN
            left = session.scalars(select(Excerpt.id).where(old, ~_kept(Excerpt.id)).limit(BATCH)).all()
        for key in left:
            self.forget(system("loans"), key)
        return len(left)

    def of(self, identity: Identity, record_id: UUID) -> tuple[Record, Sequence[ExcerptShown]]:
        """Return a record and its excerpts, the newest first, to who may make some. Raises as ``source``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            record = self._guard.require(session, identity, Act.ORIGINAL, record_id)
            return record, self._of(session, record_id)

    def offered(self, identity: Identity, loan: Loan) -> Sequence[ExcerptShown]:
        """Return what may be given to read instead of the files, to who may choose it; to others nothing."""
        if loan.record_id is None or loan.form is not LoanForm.SCREEN:
            return ()
        with self._db.reading() as session:
            mine = self._guard.visible(session, identity, Act.ORIGINAL).where(Record.id == loan.record_id)
            if session.scalar(mine.with_only_columns(Record.id)) is None:
                return ()
            return self._of(session, loan.record_id)

    def given(self, identity: Identity, loans: Sequence[Loan]) -> Mapping[UUID, UUID]:
        """Return the attachments that stand for the files of loans, by the loan's id; open ones of one's own alone."""
        with self._db.reading() as session:
            own = [each for each in loans if each.excerpt_id and self._reads(session, identity, each)]
            wanted = {each.id: each.excerpt_id for each in own}
            query = select(Attachment.subject_id, Attachment.id).where(
                Attachment.about == AttachedTo.EXCERPT, Attachment.subject_id.in_(wanted.values()),
                Attachment.store_version.is_not(None),
            )  # fmt: skip
            there = {row.subject_id: row.id for row in session.execute(query)}
            return {loan: there[excerpt] for loan, excerpt in wanted.items() if excerpt in there}

    def owner(self, identity: Identity, subject_id: UUID, *, adding: bool) -> Owner:
        """Return whose an excerpt is: read by who makes some of its record, and by an open loan of it alone.

        Raises ``NotFound``, ``NotAllowed``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            row = session.get(Excerpt, subject_id)
            lent = select(Loan).where(Loan.excerpt_id == subject_id, Loan.borrower_id == identity.person_id)
            mine = any(self._reads(session, identity, each) for each in session.scalars(lent))
            if adding or not mine:
                self._guard.require(session, identity, Act.ORIGINAL, row.record_id if row else subject_id)
            if row is None:
                raise NotFound
            return Owner(row.record_id, row.record_id)

    def _reads(self, session: Session, identity: Identity, loan: Loan) -> bool:
        """Whether a loan gives its borrower the excerpt at this moment: open, in its days, and of a level of theirs."""
        if loan.borrower_id != identity.person_id or loan.state is not LoanState.OPEN or loan.record_id is None:
            return False
        reach, record = self._guard.reach(session, identity), session.get_one(Record, loan.record_id)
        cleared = record.level_rank in reach.levels and bool(reach.roles & READERS)
        in_time = loan.due_on is not None and loan.due_on >= self._guard.day()
        return cleared and in_time and record.state is RecordState.FILED

    def _of(self, session: Session, record_id: UUID) -> Sequence[ExcerptShown]:
        query = (
            select(Excerpt, Attachment.id, Person.name)
            .join(Attachment, Attachment.subject_id == Excerpt.id)
            .join(Person, Person.id == Excerpt.made_by)
            .where(
                Excerpt.record_id == record_id, Attachment.about == AttachedTo.EXCERPT,
                Attachment.store_version.is_not(None),
            )
        )  # fmt: skip
        found = session.execute(query.order_by(Excerpt.number.desc())).all()
        return [
            ExcerptShown(
                row, attachment,
                self._vault.open(session, record_id, row.sealed, context=_context(row.id)).decode(), maker,
            )
            for row, attachment, maker in found
        ]  # fmt: skip


def choose_excerpt(session: Session, guard: Guard, identity: Identity, loan: Loan, excerpt_id: UUID) -> None:
    """Have a loan give an excerpt to read instead of the files, inside the transaction of the decision.

    Raises:
        NotFound, NotAllowed: not theirs to hand out as it is.
        InvalidInput: ``excerpt``: it is of another record, or the loan is not of files.
    """
    row = session.scalar(select(Excerpt).where(Excerpt.id == excerpt_id, _kept(Excerpt.id)))
    if loan.record_id is None or loan.form is not LoanForm.SCREEN or row is None or row.record_id != loan.record_id:
        raise InvalidInput(Fault("excerpt", "unknown"))
    guard.require(session, identity, Act.ORIGINAL, loan.record_id)
    loan.excerpt_id = row.id


def check(purpose: str, pages: Sequence[int]) -> None:
    """Check what an excerpt is for, and its pages. Raises ``InvalidInput``: ``purpose``, ``pages``."""
    faults = []
    if not purpose.strip():
        faults.append(Fault("purpose", "required"))
    elif len(purpose.strip()) > LONGEST:
        faults.append(Fault("purpose", "too_long", {"limit": LONGEST, "length": len(purpose.strip())}))
    if not pages or len(set(pages)) < len(pages):
        faults.append(Fault("pages", "required"))
    elif len(pages) > MOST_PAGES:
        faults.append(Fault("pages", "too_many", {"limit": MOST_PAGES}))
    if faults:
        raise InvalidInput(*faults)


def _kept(excerpt: Any) -> ColumnElement[bool]:
    """Return the condition that the PDF of an excerpt is there."""
    pdf = select(Attachment.id).where(
        Attachment.about == AttachedTo.EXCERPT, Attachment.subject_id == excerpt, Attachment.store_version.is_not(None)
    )
    return pdf.correlate(Excerpt).exists()


def _context(key: UUID) -> str:
    return f"excerpt:{key.hex}"
