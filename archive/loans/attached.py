"""Whom the attachments of loans concern: documents of a request, photographs of a paper and of a report."""

from uuid import UUID

from sqlalchemy import Select, select

from archive.approving.states import OPEN
from archive.database import Database
from archive.errors import Ended, NotAllowed, NotFound
from archive.files.attachments import Owner, Subject
from archive.identity import Identity
from archive.loans.request_looks import RequestLooks
from archive.model import Approval, AttachedTo, Loan, LoanReport, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act


class RequestFiles:
    """Supporting documents of a request: seen by whoever sees the request, added by who asked, until it is decided."""

    def __init__(self, db: Database, looks: RequestLooks) -> None:
        self._db = db
        self._looks = looks

    def owner(self, identity: Identity, subject_id: UUID, *, adding: bool) -> Owner:
        """Return whose they are. Raises as ``Subject.owner``."""
        self._looks.request(identity, subject_id)
        with self._db.reading() as session:
            row = session.get_one(Approval, subject_id)
        if adding and identity.person_id not in {row.asked_by, row.for_id}:
            raise NotAllowed(act="attachment.add")
        if adding and row.state not in OPEN:
            raise Ended(state=row.state.value, act="attachment.add")
        owner = row.owner_id or row.record_id
        if owner is None:
            raise NotFound
        return Owner(owner, row.record_id)


class PaperPhotos:
    """Photographs of a lent paper, or of damage to one: seen by who had it and by who lends it and reads it.

    Who keeps custody of its level without reading it may add some; a photograph can show what is written there.
    """

    def __init__(self, db: Database, guard: Guard, about: AttachedTo) -> None:
        self._db = db
        self._guard = guard
        self._about = about

    def owner(self, identity: Identity, subject_id: UUID, *, adding: bool) -> Owner:
        """Return whose they are. Raises as ``Subject.owner``."""
        with self._db.reading() as session:
            of: Select[UUID | None, UUID] = select(Loan.record_id, Loan.borrower_id).where(Loan.id == subject_id)
            if self._about is AttachedTo.REPORT:
                of = select(LoanReport.record_id, LoanReport.holder_id).where(LoanReport.id == subject_id)
            record, holder = session.execute(of).one_or_none() or (None, None)
            mine = holder is not None and holder == identity.person_id
            if adding:
                self._guard.require(session, identity, Act.LEND, record or subject_id)
            elif not mine:  # to look is no act that is refused: who does not lend it is shown none
                lends = self._guard.visible(session, identity, Act.LEND).where(Record.id == (record or subject_id))
                if session.scalar(lends.with_only_columns(Record.id)) is None:
                    raise NotFound
            if record is None:
                raise NotFound
            reads = self._guard.visible(session, identity).where(Record.id == record).with_only_columns(Record.id)
            if not adding and session.scalar(reads) is None:
                raise NotFound
            return Owner(record, record)


def loan_subjects(
    db: Database, guard: Guard, looks: RequestLooks, uses: Subject, excerpts: Subject
) -> dict[AttachedTo, Subject]:
    """Return what knows of each kind of attachment that loans have whom it concerns."""
    return {
        AttachedTo.REQUEST: RequestFiles(db, looks),
        AttachedTo.LOAN: PaperPhotos(db, guard, AttachedTo.LOAN),
        AttachedTo.REPORT: PaperPhotos(db, guard, AttachedTo.REPORT),
        AttachedTo.USE: uses,
        AttachedTo.EXCERPT: excerpts,
    }
