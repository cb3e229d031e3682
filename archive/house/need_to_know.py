"""Need-to-know groups: a record under one is read only by the people named on it, and by approved loans.

A group's neutral mark stands before the serial of its records' numbers, and it counts in a sequence of its own, so that
no gap in another sequence shows that the group is there.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.closing import is_closed
from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.house.levels import check_number_mark
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Fonds, NeedToKnowGroup
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.scheme.fields import check_names


def group_of(session: Session, fonds_id: UUID, number_mark: str) -> NeedToKnowGroup:
    """Return the group of a fonds that has this mark.

    Raises:
        InvalidInput: ``unknown`` of ``group``; a group of another fonds is told no other way.
    """
    wanted = number_mark.strip().upper()
    query = select(NeedToKnowGroup).where(NeedToKnowGroup.fonds_id == fonds_id, NeedToKnowGroup.number_mark == wanted)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise InvalidInput(Fault("group", "unknown"))
    return row


class NeedToKnow:
    """The acts on groups. Records come under one by ``RecordService.set_group``."""

    def __init__(self, db: Database, guard: Guard, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._log = log

    def add(self, identity: Identity, fonds_id: UUID, number_mark: str, names: Mapping[str, str]) -> UUID:
        """Add a group to a fonds and return its id.

        Raises:
            InvalidInput: the names, the mark (one or two capitals, in use by no level and no group), or the fonds.
            NotAllowed: not one of those who manage levels.
        """
        faults = check_names(names, "names")
        if faults:
            raise InvalidInput(*faults)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_LEVELS)
            fonds = session.get(Fonds, fonds_id)
            if fonds is None:
                raise InvalidInput(Fault("fonds", "unknown"))
            if is_closed(fonds.closed_on, self._guard.day()):
                raise InvalidInput(Fault("fonds", "fonds_closed", {"fonds": fonds.code}))
            check_number_mark(session, number_mark)
            row = NeedToKnowGroup(id=new_id(), fonds_id=fonds_id, names=dict(names), number_mark=number_mark)
            session.add(row)
            session.flush()
            body = {"mark": number_mark, "fonds": fonds.code, "names": dict(names)}
            self._log.note(session, identity, "group.add", body=body)
            work.commit()
        return row.id

    def every(self, identity: Identity) -> Sequence[NeedToKnowGroup]:
        """Return the groups by their marks: for those who manage levels; to others they are not told."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_LEVELS)
            return session.scalars(select(NeedToKnowGroup).order_by(NeedToKnowGroup.number_mark)).all()
