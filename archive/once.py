"""A request that may come twice is done once: its key is kept in the transaction of the act, its answer beside it.

A row without an answer means that the act was done and its process ended before it answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import ACTED, REFUSED, Database, beside
from archive.errors import Conflict
from archive.model import ApiAnswer

KEPT: Final = timedelta(days=7)
"""How long an answer is kept; afterwards the same key is a new request."""

BATCH = 500


class Once:
    """Keeps which requests were done, by person and key."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def found(self, person_id: UUID, key: str) -> ApiAnswer | None:
        """Return what is kept of a key, None when it is new or older than is kept."""
        with self._db.reading() as session:
            row = session.get(ApiAnswer, (person_id, key))
        return row if row is not None and row.created_at > self._clock.now() - KEPT else None

    @contextmanager
    def keeping(self, person_id: UUID, key: str, request: str, *, unlogged: bool = False) -> Iterator[None]:
        """Write the key into the transaction in which the act inside is logged; for ``unlogged``, into its first.

        Raises:
            Conflict: another process did the same request at this moment; the act was not done here (fact ``what``).
        """
        written = False

        def write(session: Session) -> None:
            nonlocal written
            acted = ACTED in session.info or (unlogged and REFUSED not in session.info)
            if written or not acted:
                return
            written = True
            session.execute(
                delete(ApiAnswer).where(ApiAnswer.created_at <= self._clock.now() - KEPT, *_of(person_id, key))
            )
            session.add(
                ApiAnswer(
                    person_id=person_id, key=key, request=request, made=session.info.get(ACTED),
                    created_at=self._clock.now(),
                )
            )  # fmt: skip
            try:
                session.flush()
            except IntegrityError as error:
                raise Conflict(what="request") from error

        with beside(write):
            yield

    def keep(self, person_id: UUID, key: str, status: int, answer: str) -> None:
        """Keep the answer of an act that was done."""
        with self._db.writing() as work:
            work.session.execute(update(ApiAnswer).where(*_of(person_id, key)).values(status=status, answer=answer))
            work.commit()

    def forget(self) -> int:
        """Forget some of what is older than is kept; return how many."""
        due = select(ApiAnswer).where(ApiAnswer.created_at <= self._clock.now() - KEPT).limit(BATCH)
        with self._db.writing() as work:
            rows = work.session.scalars(due).all()
            for row in rows:
                work.session.delete(row)
            work.commit()
        return len(rows)


def _of(person_id: UUID, key: str) -> tuple[ColumnElement[bool], ...]:
    return ApiAnswer.person_id == person_id, ApiAnswer.key == key
