"""Asking those who keep rights why a number is not open, and their answer: neither says whether a record is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session, aliased

from archive.database import Database
from archive.errors import Ended, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Person
from archive.model.messages import QuestionAnswer, RightQuestion
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.messages import Messages, Told
from archive.reminding.watches import people_with
from archive.why import EXPLAINERS

ASK: Final = "right.ask"
ANSWER: Final = "right.answer"
MOST: Final = 20
"""Questions of one person that may wait at once."""


@dataclass(frozen=True)
class Asked:
    """A question, who asked (name and sign-in name), and who answered."""

    question: RightQuestion
    name: str
    login: str
    answered_by: str | None


class Questions:
    """Keeps questions, tells those who keep rights, and brings their answer back."""

    def __init__(self, db: Database, guard: Guard, log: Log, messages: Messages) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._messages = messages

    def ask(self, identity: Identity, number: str) -> None:
        """Ask about a number; what waits already is not asked again.

        Raises:
            InvalidInput: there is no number, or too many of theirs wait for an answer.
        """
        if not number.strip():
            raise InvalidInput(Fault("number", "required"))
        with self._db.writing() as work:
            session = work.session
            waits = select(RightQuestion.number).where(
                RightQuestion.asked_by == identity.person_id, RightQuestion.answered_at.is_(None)
            )
            waiting = session.scalars(waits).all()
            if number in waiting or identity.person_id is None:
                return
            if len(waiting) >= MOST:
                raise InvalidInput(Fault("number", "too_many", {"limit": MOST}))
            row = RightQuestion(number=number, asked_by=identity.person_id, asked_at=self._guard.now())
            session.add(row)
            session.flush()
            self._log.note(session, identity, ASK, body={"number": number})
            told = set(people_with(session, *EXPLAINERS)) - {identity.person_id}
            self._messages.tell(work, [Told(each, ASK, f"{ASK}:{row.id}", subject=row.id) for each in sorted(told)])
            work.commit()

    def answer(self, identity: Identity, question_id: UUID, answer: QuestionAnswer) -> None:
        """Answer a question of another person.

        Raises:
            NotAllowed: they keep neither rights nor secrecy.
            NotFound: no such question of another person.
            Ended: it is answered already.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            if not self._guard.reach(session, identity).roles & EXPLAINERS:
                raise self._guard.refused_house(session, identity, Act.MANAGE_RIGHTS)
            row = session.get(RightQuestion, question_id, with_for_update=True)
            if row is None or row.asked_by == identity.person_id:
                raise NotFound
            if row.answered_at is not None:
                raise Ended(state=row.answer or "", act=ANSWER)
            row.answer, row.answered_by, row.answered_at = answer, identity.person_id, self._guard.now()
            self._log.note(session, identity, ANSWER, body={"number": row.number, "answer": answer.value})
            self._messages.tell(work, [Told(row.asked_by, ANSWER, f"{ANSWER}:{row.id}", subject=row.id)])
            work.commit()

    def count(self, session: Session, identity: Identity) -> int:
        """Count the questions that wait for this person."""
        return session.scalar(select(func.count(RightQuestion.id)).where(self._waiting(session, identity))) or 0

    def waiting(self, identity: Identity, limit: int) -> Sequence[Asked]:
        """Return the questions that wait for this person, the oldest first."""
        with self._db.reading() as session:
            return self._list(session, self._waiting(session, identity), RightQuestion.id, limit)

    def mine(self, identity: Identity, limit: int) -> Sequence[Asked]:
        """Return what this person asked, the newest first."""
        with self._db.reading() as session:
            own = RightQuestion.asked_by == identity.person_id
            return self._list(session, own, RightQuestion.id.desc(), limit)

    def _waiting(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        if not self._guard.reach(session, identity).roles & EXPLAINERS:
            return false()
        return RightQuestion.answered_at.is_(None) & (RightQuestion.asked_by != identity.person_id)

    @staticmethod
    def _list(session: Session, which: ColumnElement[bool], order: Any, limit: int) -> Sequence[Asked]:
        asker, answerer = aliased(Person), aliased(Person)
        query = (
            select(RightQuestion, asker.name, asker.login, answerer.name)
            .join(asker, asker.id == RightQuestion.asked_by)
            .outerjoin(answerer, answerer.id == RightQuestion.answered_by)
            .where(which)
        )
        return [Asked(*row) for row in session.execute(query.order_by(order).limit(limit))]
