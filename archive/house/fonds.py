"""The fonds of the house: added with or without a scheme, renamed, closed. A code that numbers hold never changes."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.closing import is_closed, open_on
from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput, NotFound, StandsAlready
from archive.identity import Identity
from archive.ids import UUID, new_id
from archive.log.writer import Log
from archive.model import Category, Fonds
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.scheme import install as installing
from archive.scheme.document import Scheme
from archive.scheme.fields import check_names

_CODE = re.compile(r"[A-Za-z0-9]{1,8}")
"""A fonds' code stands first in its numbers, before a separator."""


def check_fonds(code: str, names: Mapping[str, str]) -> None:
    """Check what a fonds is called. Raises ``InvalidInput``: the code or the names are at fault."""
    faults = check_names(names, "names")
    if not _CODE.fullmatch(code):
        faults.append(Fault("code", "not_fonds_code"))
    if faults:
        raise InvalidInput(*faults)


class FondsService:
    """The acts on fonds."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def add(self, identity: Identity, code: str, names: Mapping[str, str], scheme: Scheme | None = None) -> UUID:
        """Add a fonds, with its scheme in the same transaction, and return its id.

        Raises:
            InvalidInput: the code (letters and digits, at most eight), the names or the scheme are at fault.
            StandsAlready: the code stands already.
        """
        check_fonds(code, names)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            if session.scalar(select(Fonds.id).where(Fonds.code == code)) is not None:
                raise StandsAlready(what="fonds", field="code")
            row = Fonds(id=new_id(), code=code, names=dict(names), opened_on=self._guard.day())
            session.add(row)
            session.flush()
            if scheme is not None:
                installing.install(session, row, scheme, now=self._clock.now())
            body = {"code": code, "names": dict(names), "scheme": scheme and scheme.code}
            self._log.note(session, identity, "fonds.add", body=body)
            work.commit()
            return row.id

    def every(self, identity: Identity) -> Sequence[Fonds]:
        """Return the fonds by code, closed ones too, for those who manage schemes. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            return session.scalars(select(Fonds).order_by(Fonds.code)).all()

    def rename(self, identity: Identity, fonds_id: UUID, names: Mapping[str, str], *, version: int) -> int:
        """Rename a fonds and return its new version; its code, which numbers hold, stays.

        Raises:
            Conflict: someone changed it since ``version``.
            InvalidInput: the names are at fault, or the fonds is closed.
        """
        faults = check_names(names, "names")
        if faults:
            raise InvalidInput(*faults)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._open(session, identity, fonds_id, version)
            body = {"code": row.code, "before": dict(row.names), "after": dict(names)}
            row.names = dict(names)
            row.version += 1
            self._log.note(session, identity, "fonds.rename", body=body)
            work.commit()
            return row.version

    def close(self, identity: Identity, fonds_id: UUID, on: date, *, version: int) -> int:
        """Close a fonds and its categories on a day; what lies there stays, nothing new comes in. Returns its version.

        Raises:
            Conflict: someone changed it since ``version``.
            InvalidInput: it is closed already.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._open(session, identity, fonds_id, version)
            self._close(session, row, on)
            self._log.note(session, identity, "fonds.close", body={"code": row.code, "on": on.isoformat()})
            work.commit()
            return row.version

    def join(self, identity: Identity, fonds_id: UUID, into_id: UUID, on: date, *, version: int) -> int:
        """Join a fonds to another on a day: it is closed as ``close`` does, and leads to the other.

        Its papers and numbers stay as they are; what comes later goes to the other. Returns its version.

        Raises:
            InvalidInput: it is closed already, or the other is closed, is the same, or is not there.
            Conflict: someone changed it since ``version``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row = self._open(session, identity, fonds_id, version)
            into = session.get(Fonds, into_id)
            if into is None or into.id == row.id or is_closed(into.closed_on, max(on, self._guard.day())):
                raise InvalidInput(Fault("successor", "unknown" if into is None else "cannot_take_over"))
            self._close(session, row, on)
            row.successor_id = into.id
            body = {"code": row.code, "into": into.code, "on": on.isoformat()}
            self._log.note(session, identity, "fonds.join", body=body)
            work.commit()
            return row.version

    def _close(self, session: Session, row: Fonds, on: date) -> None:
        standing = select(Category).where(
            Category.fonds_id == row.id, or_(open_on(Category.closed_on, on), Category.closed_on == row.closed_on)
        )
        row.closed_on = on
        row.version += 1
        for category in session.scalars(standing).all():
            installing.change(session, category, {"closed_on": on}, self._clock.now())

    def _open(self, session: Session, identity: Identity, fonds_id: UUID, version: int) -> Fonds:
        self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
        row = session.get(Fonds, fonds_id)
        if row is None:
            raise NotFound
        if is_closed(row.closed_on, self._guard.day()):
            raise InvalidInput(Fault("fonds", "fonds_closed", {"fonds": row.code}))
        if row.version != version:
            raise Conflict(what="fonds")
        return row
