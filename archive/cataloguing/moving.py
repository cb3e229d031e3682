"""Moving records that are not filed yet to another category of their fonds: what would be lost is named before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from archive.cataloguing import describing
from archive.cataloguing.records import RecordService
from archive.closing import is_closed
from archive.database import Database
from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, WrongState
from archive.identity import Identity
from archive.model import Category, Record, RecordState
from archive.policy.condition import holds
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import Vault
from archive.scheme.fields import FieldDef

MOST = 200
"""Records of one move."""


@dataclass(frozen=True)
class Planned:
    """What moving one record comes to.

    ``lost`` are values whose fields the new category lacks; protected ones never go into the notes. ``error`` is why it
    cannot move, None when it can.
    """

    record_id: UUID
    title: str
    version: int
    lost: Sequence[tuple[FieldDef, Any]]
    changes: Mapping[str, Any]
    error: ArchiveError | None


class Moving:
    """Moves records, each by itself: one that cannot move holds up no other."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, records: RecordService) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._records = records

    def plan(
        self, identity: Identity, record_ids: Sequence[UUID], category_id: UUID, *, into_notes: bool = True
    ) -> list[Planned]:
        """Say for each record what would become of it; nothing is written.

        Raises:
            NotFound: one of them is not there for this person.
            NotAllowed: they may not describe one of them.
            InvalidInput: no such category, or too many.
        """
        if len(record_ids) > MOST:
            raise InvalidInput(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        with self._db.reading() as session:
            target = session.get(Category, category_id)
            if target is None or is_closed(target.closed_on, self._guard.day()):
                raise InvalidInput(Fault("category", "unknown"))
            return [self._planned(session, identity, each, target, into_notes) for each in dict.fromkeys(record_ids)]

    def move(
        self, identity: Identity, record_ids: Sequence[UUID], category_id: UUID, *, into_notes: bool
    ) -> list[Planned]:
        """Move what can move, each in a transaction of its own, logged as a change of its description.

        Raises as ``plan``.
        """
        done = []
        for each in self.plan(identity, record_ids, category_id, into_notes=into_notes):
            error = each.error
            if error is None:
                try:
                    self._records.describe(identity, each.record_id, each.changes, each.version)
                except ArchiveError as refused:
                    error = refused
            done.append(replace(each, error=error))
        return done

    def _planned(
        self, session: Session, identity: Identity, record_id: UUID, target: Category, into_notes: bool
    ) -> Planned:
        record = self._guard.require(session, identity, Act.DESCRIBE, record_id)
        before = session.get_one(Category, record.category_id)
        known = {each.name for each in describing.definitions(target)}
        values = {**record.fields, **describing.opened(self._vault, session, record)}
        own = {each.name: each for each in describing.definitions(before)}
        lost = [(own[name], value) for name, value in values.items() if name not in known and name in own]
        changes: dict[str, Any] = {
            "category_id": target.id,
            "fields": {name: value for name, value in values.items() if name in known},
            "term": None if record.term == before.term else record.term,
        }
        written = [f"{each.label('zh_CN')}：{value}" for each, value in lost if not each.protected]
        if into_notes and written:
            changes["notes"] = "\n".join(filter(None, [record.notes, *written]))
        error = self._error(session, identity, record, target, changes)
        return Planned(record.id, record.title, record.version, lost, changes, error)

    def _error(
        self, session: Session, identity: Identity, record: Record, target: Category, changes: Mapping[str, Any]
    ) -> ArchiveError | None:
        if record.state is not RecordState.PROVISIONAL:
            return WrongState(state=record.state.value, act=Act.DESCRIBE.value)
        if record.fonds_id != target.fonds_id:
            return InvalidInput(Fault("category", "other_fonds"))
        if record.category_id == target.id:
            return InvalidInput(Fault("category", "same_category"))
        draft = replace(self._records.draft_of(session, record), **changes)
        try:
            item = describing.describe(describing.Catalogue(session, self._guard.day()), draft)
        except InvalidInput as invalid:
            return invalid
        allowed = condition(Act.CREATE, self._guard.reach(session, identity))
        return None if holds(allowed, item.facts(identity)) else NotAllowed(act=Act.CREATE.value)
