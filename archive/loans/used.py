"""The use register 利用登记簿: who used which record, what for, and what came of it, from inside and outside alike."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from archive.cataloguing.showing import number_of
from archive.database import Database, rows_by_id
from archive.identity import Identity
from archive.loans.looks import LoanLooks
from archive.loans.outside import OutsideUses
from archive.loans.readers import Reader
from archive.loans.standing import rules_now
from archive.model import (
    Department,
    Loan,
    LoanForm,
    OutsideUse,
    Person,
    Record,
)
from archive.model.columns import Names
from archive.model.uses import IdentityPaper, OutsideUseRecord, UseHow
from archive.policy.guard import Guard
from archive.policy.rules import Act

After = tuple[datetime, UUID]
"""The line behind which a list goes on: its moment and id."""


class Came(StrEnum):
    """From where a reader comes."""

    INSIDE = "inside"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Wished:
    """What of the register is wanted. Days are of the house, both within; None: all."""

    came: Came | None = None
    since: date | None = None
    until: date | None = None
    staff: UUID | None = None
    record_id: UUID | None = None


@dataclass(frozen=True)
class Used:
    """One record used once. ``use_id``: of the visit; None: it was lent, as ``approval_id`` asked.

    ``need`` is what a reader from outside said, or None where a loan's purpose has names (``need_names``). ``title``
    and ``effect`` are None for who does not read the record.
    """

    id: UUID
    at: datetime
    number: int
    use_id: UUID | None
    approval_id: UUID | None
    reader: str
    organisation: str
    department: Names | None
    need: str | None
    need_names: Names | None
    record_id: UUID
    record: str
    title: str | None
    level: int
    how: LoanForm | UseHow
    pages: int | None
    staff: str
    effect: str | None


class UseRegister:
    """Shows the register, to who hands records out."""

    def __init__(self, db: Database, guard: Guard, outside: OutsideUses, looks: LoanLooks) -> None:
        self._db = db
        self._guard = guard
        self._outside = outside
        self._looks = looks

    def list(self, identity: Identity, wished: Wished, after: After | None = None, *, limit: int) -> Sequence[Used]:
        """Return what was used, the newest first, behind the line ``after``.

        Raises:
            NotAllowed: they hand nothing out.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOANS)
            found: list[Used] = []
            if wished.came is not Came.INSIDE:
                found += self._visits(session, identity, wished, after, limit)
            if wished.came is not Came.OUTSIDE:
                found += self._loans(session, identity, wished, after, limit)
            return sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit]

    def _visits(
        self, session: Session, identity: Identity, wished: Wished, after: After | None, limit: int
    ) -> Sequence[Used]:
        line = OutsideUseRecord
        query = select(line, OutsideUse).join(OutsideUse, OutsideUse.id == line.use_id)
        both = (self._guard.opens(session, identity, line.record_id, act) for act in (Act.LEND, Act.READ))
        query = query.where(*both)
        if wished.record_id is not None:
            query = query.where(line.record_id == wished.record_id)
        if wished.staff is not None:
            query = query.where(OutsideUse.staff_id == wished.staff)
        query = query.order_by(line.at.desc(), line.id.desc())
        rows = session.execute(query.where(*self._within(line.at, line.id, wished, after)).limit(limit)).all()
        records = rows_by_id(session, Record, {row.record_id for row, _ in rows})
        readers = self._outside.readers(session, list({use.id: use for _, use in rows}.values()))
        names = _people(session, {use.staff_id for _, use in rows})
        unknown = Reader("—", IdentityPaper.OTHER, "")
        found = []
        for row, use in rows:
            record, told = records[row.record_id], self._outside.texts(session, row)
            reader = readers.get(use.id, unknown)
            found.append(
                Used(
                    row.id, row.at, use.number, use.id, None, reader.name, reader.organisation, None, told["need"],
                    None, record.id, number_of(record), record.title, record.level_rank, row.how, row.pages,
                    names.get(use.staff_id, ""), told["effect"],
                )
            )  # fmt: skip
        return found

    def _loans(
        self, session: Session, identity: Identity, wished: Wished, after: After | None, limit: int
    ) -> Sequence[Used]:
        lends = self._guard.opens(session, identity, Loan.record_id, Act.LEND)
        query = select(Loan).where(Loan.issued_at.is_not(None), lends)
        if wished.record_id is not None:
            query = query.where(Loan.record_id == wished.record_id)
        if wished.staff is not None:
            query = query.where(Loan.issued_by == wished.staff)
        query = query.where(*self._within(Loan.issued_at, Loan.id, wished, after))
        rows = session.scalars(query.order_by(Loan.issued_at.desc(), Loan.id.desc()).limit(limit)).all()
        records = rows_by_id(session, Record, {row.record_id for row in rows if row.record_id})
        reads = self._guard.seen(session, identity, list(records))
        people = _people(session, {key for row in rows for key in (row.borrower_id, row.issued_by) if key})
        departments = rows_by_id(session, Department, {row.department_id for row in rows if row.department_id})
        purposes = {each.code: dict(each.names) for each in rules_now(session).purposes}
        found = []
        for row in rows:
            if row.record_id is None or row.issued_at is None:
                continue
            record, read = records[row.record_id], row.record_id in reads
            department = departments.get(row.department_id) if row.department_id else None
            found.append(
                Used(
                    row.id, row.issued_at, row.number, None, row.approval_id, people.get(row.borrower_id, ""), "",
                    department.names if department else None, None if row.purpose in purposes else row.purpose,
                    purposes.get(row.purpose), record.id, number_of(record), record.title if read else None,
                    record.level_rank, row.form, row.pages_out, people.get(row.issued_by, "") if row.issued_by else "",
                    self._looks.effect_of(session, row) if read else None,
                )
            )  # fmt: skip
        return found

    def _within(self, at: Any, key: Any, wished: Wished, after: After | None) -> Sequence[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if wished.since is not None:
            conditions.append(at >= self._guard.start_of(wished.since))
        if wished.until is not None and wished.until < date.max:
            conditions.append(at < self._guard.start_of(wished.until + timedelta(days=1)))
        if after is not None:
            conditions.append(or_(at < after[0], and_(at == after[0], key < after[1])))
        return conditions


def _people(session: Session, ids: Collection[UUID]) -> Mapping[UUID, str]:
    return dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(ids))).all())
