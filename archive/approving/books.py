"""Rule books of the house: versioned, checked before they hold, and noted in the log with a reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from archive.approving.planning import newest
from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import HouseRule, RuleBook
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reasons import checked

LONGEST = 100_000
"""Characters of a rule book."""

LONGEST_REASON = 200

ACTS: Mapping[RuleBook, Act] = {RuleBook.ROUTES: Act.MANAGE_ROUTES, RuleBook.LOANS: Act.MANAGE_LOANS}


@dataclass(frozen=True)
class Book:
    """A rule book as it holds now. ``version`` 0: as it is shipped."""

    source: str
    version: int


class Books:
    """Keeps rule books.

    Args:
        db: the house's database.
        guard: asked before each act.
        log: where acts are noted.
        clock: tells when a version was kept.
        shipped: the text of each book as it is shipped.
        parse: reads a book's text, or raises ``InvalidInput``.
    """

    def __init__(
        self,
        db: Database,
        guard: Guard,
        log: Log,
        clock: Clock,
        shipped: Mapping[RuleBook, str],
        parse: Mapping[RuleBook, Callable[[str], Mapping[str, Any]]],
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock
        self._shipped = shipped
        self._parse = parse

    def current(self, identity: Identity, book: RuleBook) -> Book:
        """Return a book for those who change it. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, ACTS[book])
            row = newest(session, book)
            return Book(row.source, row.version) if row else Book(self._shipped[book], 0)

    def versions(self, identity: Identity, book: RuleBook) -> Sequence[HouseRule]:
        """Return every version that was kept, the newest first. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, ACTS[book])
            query = select(HouseRule).where(HouseRule.book == book).order_by(HouseRule.version.desc())
            return session.scalars(query).all()

    def keep(self, identity: Identity, book: RuleBook, source: str, reason: str, *, version: int) -> int:
        """Keep a text as the newest version, and return its number. Requests that were asked keep their steps.

        Raises:
            InvalidInput: each fault in the text by its path, or ``reason``.
            Conflict: someone kept another since ``version``.
            NotAllowed: not one of those who change it.
        """
        reason = checked(reason, LONGEST_REASON)
        if len(source) > LONGEST:
            raise InvalidInput(Fault(book.value, "too_long", {"limit": LONGEST, "length": len(source)}))
        source = source.replace("\r\n", "\n")
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, ACTS[book])
            document = self._parse[book](source)
            row = newest(session, book)
            if (row.version if row else 0) != version:
                raise Conflict(what="rules")
            session.add(
                HouseRule(
                    book=book, version=version + 1, source=source, document=dict(document), reason=reason,
                    kept_at=self._clock.now(), kept_by=identity.person_id,
                )
            )  # fmt: skip
            body = {"book": book.value, "version": version + 1, "reason": reason, "source": source}
            self._log.note(session, identity, ACTS[book].value, body=body)
            work.commit()
        return version + 1
