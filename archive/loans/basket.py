"""The basket: records that someone lays aside, to ask for all of them with one form, each by a request of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.loans.asking import LoanRequests, Wish
from archive.loans.standing import Availability, availability
from archive.loans.states import RUNNING
from archive.model import BasketItem, Loan, LoanForm, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act

MOST = 50
"""Records of one basket."""


@dataclass(frozen=True)
class Line:
    """A record in a basket, how it stands, and one's own loan of it that runs."""

    record: Record
    standing: Availability
    has: Loan | None


@dataclass(frozen=True)
class Asked:
    """What became of a basket: the loans that were asked for, and by record why others were not."""

    loans: Sequence[UUID]
    left: Mapping[UUID, ArchiveError]


class Basket:
    """What one person laid aside. Nobody else sees it, and it opens nothing: rights are asked each time."""

    def __init__(self, db: Database, guard: Guard, clock: Clock, requests: LoanRequests) -> None:
        self._db = db
        self._guard = guard
        self._clock = clock
        self._requests = requests

    def add(self, identity: Identity, ids: Sequence[UUID]) -> int:
        """Lay records aside, and return how many of them lie in the basket now; others may not be borrowed.

        Raises:
            NotAllowed: whoever asks is no person.
            InvalidInput: field ``record``: the basket would hold more than ``MOST``.
        """
        if identity.person_id is None:
            raise NotAllowed(act=Act.ASK_LOAN.value)
        with self._db.writing() as work:
            session = work.session
            mine = self._guard.visible(session, identity, Act.ASK_LOAN).where(Record.id.in_(ids))
            may = set(session.scalars(mine.with_only_columns(Record.id)))
            own = select(BasketItem.record_id).where(BasketItem.person_id == identity.person_id)
            there = set(session.scalars(own))
            if len(may | there) > MOST:
                raise InvalidInput(Fault("record", "too_many", {"limit": MOST}))
            now = self._clock.now()
            for key in dict.fromkeys(ids):
                if key in may - there:
                    session.add(BasketItem(person_id=identity.person_id, record_id=key, added_at=now))
            work.commit()
            return len(may)

    def take_out(self, identity: Identity, ids: Sequence[UUID] | None = None) -> None:
        """Take records out of the basket; None: all of them."""
        gone = delete(BasketItem).where(BasketItem.person_id == identity.person_id)
        with self._db.writing() as work:
            work.session.execute(gone if ids is None else gone.where(BasketItem.record_id.in_(ids)))
            work.commit()

    def count(self, session: Session, identity: Identity) -> int:
        """Count what lies in one's basket, as far as one may borrow it still."""
        may = self._guard.opens(session, identity, BasketItem.record_id, Act.ASK_LOAN)
        own = BasketItem.person_id == identity.person_id
        return session.scalar(select(func.count(BasketItem.record_id)).where(own, may)) or 0

    def lines(self, identity: Identity) -> Sequence[Line]:
        """Return what lies in one's basket, the first laid in first. What is closed to one by now is left out."""
        with self._db.reading() as session:
            rows = session.scalars(self._rows(session, identity).order_by(BasketItem.added_at, Record.id)).all()
            own = select(Loan).where(Loan.borrower_id == identity.person_id, Loan.state.in_(RUNNING))
            has = {each.record_id: each for each in session.scalars(own)}
            return [
                Line(row, availability(session, row, has[row.id].id if row.id in has else None), has.get(row.id))
                for row in rows
            ]

    def ask(self, identity: Identity, wish: Wish, forms: Mapping[UUID, LoanForm]) -> Asked:
        """Ask for all that lies in the basket; what is asked for leaves it, what may not be lent so stays.

        ``forms``: how a record is wanted, when otherwise than ``wish`` says.

        Raises:
            InvalidInput: what is wrong with all of them alike: ``purpose``, ``reason``, ``copies``, ``borrower``; or
                ``record``: nothing lies in it.
        """
        rows = [each.record for each in self.lines(identity)]
        if not rows:
            raise InvalidInput(Fault("record", "empty_basket"))
        self._requests.check(identity, wish)
        loans: list[UUID] = []
        left: dict[UUID, ArchiveError] = {}
        for row in rows:
            try:
                wanted = replace(wish, form=forms.get(row.id, wish.form))
                loans.append(self._requests.ask(identity, row.id, wanted))
            except NotFound:
                continue  # closed to them since: nothing is said of it
            except ArchiveError as error:
                left[row.id] = error
                continue
            self.take_out(identity, [row.id])
        return Asked(loans, left)

    def _rows(self, session: Session, identity: Identity) -> Select[Record]:
        mine = self._guard.visible(session, identity, Act.ASK_LOAN)
        return mine.join(BasketItem, BasketItem.record_id == Record.id).where(
            BasketItem.person_id == identity.person_id
        )
