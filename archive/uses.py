"""What counts as a use of a record, and how often it was used: one number beside it that agrees with the register."""

from uuid import UUID

from sqlalchemy import ScalarSelect, func, select, update
from sqlalchemy.orm import Session

from archive.model import Loan, Record
from archive.model.uses import OutsideUseRecord

REGISTERED = ("loan.issue", "loan.open", "outside.register")
"""Acts of the log each of which is a line of the use register: a paper lent, files opened to a borrower, a visit."""

USED = ("file.read", *REGISTERED)
"""Acts by which a record is used at all: whoever keeps it reads a file without a line in the register."""


def count_use(session: Session, record_id: UUID) -> None:
    """Count one line more of the use register, in the transaction that writes it. The description stays as it is."""
    mine = update(Record).where(Record.id == record_id).values(uses=Record.uses + 1)
    session.execute(mine.execution_options(synchronize_session=False))


def registered_uses() -> ScalarSelect[int]:
    """Return the number of a record's lines in the use register, for a query of records."""
    lent = select(func.count()).select_from(Loan).where(Loan.record_id == Record.id, Loan.issued_at.is_not(None))
    visits = select(func.count()).select_from(OutsideUseRecord).where(OutsideUseRecord.record_id == Record.id)
    both = lent.correlate(Record).scalar_subquery() + visits.correlate(Record).scalar_subquery()
    return select(both).correlate(Record).scalar_subquery()
