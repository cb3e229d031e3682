"""What the loan register 借阅登记簿 says of a loan beside the loan itself: who decided, and what came of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.approving.deciders import DECISIONS
from archive.database import Database, rows_by_id
from archive.loans.looks import LoanShown
from archive.loans.standing import rules_now
from archive.model import ApprovalWord, Department, Loan, Person
from archive.model.columns import Names
from archive.ports import Vault


@dataclass(frozen=True)
class Registered:
    """``extended``: days beyond those that were asked for; ``staff``: who handed it out, and who took it back.

    ``purpose`` None: the house names it no more (``code``). ``effect`` "" where its record is not read, too.
    """

    department: Names | None
    purpose: Names | None
    code: str
    decided_by: Sequence[str]
    extended: int
    staff: Sequence[str]
    effect: str


class LoanRegister:
    """Completes the lines of the register, with a handful of questions for all."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    def of(self, found: Sequence[LoanShown]) -> Mapping[UUID, Registered]:
        """Return what is said of loans, by id. Asks nobody: whoever shows them has."""
        loans = [each.loan for each in found]
        with self._db.reading() as session:
            departments = rows_by_id(session, Department, {row.department_id for row in loans if row.department_id})
            purposes = {each.code: dict(each.names) for each in rules_now(session).purposes}
            deciders = _deciders(session, loans)
            handled = {key for row in loans for key in (row.issued_by, row.received_by) if key}
            people = {key for each in deciders.values() for key in each} | handled
            names = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
            effects = self._effects(session, [each.loan for each in found if each.title is not None])
        return {
            row.id: Registered(
                department=departments[row.department_id].names if row.department_id else None,
                purpose=purposes.get(row.purpose), code=row.purpose,
                decided_by=[names[key] for key in deciders.get(row.approval_id, ()) if key in names],
                extended=_extended(row),
                staff=list(dict.fromkeys(names[key] for key in (row.issued_by, row.received_by) if key in names)),
                effect=effects.get(row.id, ""),
            )
            for row in loans
        }  # fmt: skip

    def _effects(self, session: Session, loans: Sequence[Loan]) -> Mapping[UUID, str]:
        said = [
            (row.id, (row.record_id, row.effect, f"effect:{row.id.hex}"))
            for row in loans if row.effect is not None and row.record_id is not None
        ]  # fmt: skip
        opened = self._vault.open_many(session, [sealed for _, sealed in said])
        return {key: str(json.loads(data)) for (key, _), data in zip(said, opened, strict=True) if data is not None}


def _deciders(session: Session, loans: Sequence[Loan]) -> Mapping[UUID, Sequence[UUID]]:
    """Return who said yes or no to each request, in turn, by the request's id."""
    query = select(ApprovalWord.approval_id, ApprovalWord.person_id).where(
        ApprovalWord.approval_id.in_({row.approval_id for row in loans}), ApprovalWord.said.in_(DECISIONS)
    )
    found: dict[UUID, list[UUID]] = {}
    for approval, person in session.execute(query.order_by(ApprovalWord.at, ApprovalWord.id)):
        found.setdefault(approval, []).append(person)
    return found


def _extended(row: Loan) -> int:
    if row.issued_on is None or row.due_on is None:
        return 0
    return max(0, (row.due_on - row.issued_on - timedelta(days=row.days)).days)
