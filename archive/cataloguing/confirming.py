"""A person decides on what is proposed for a record: takes a value into its field, or wants it no more."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from archive.cataloguing import describing, proposals
from archive.cataloguing.order import made_before
from archive.cataloguing.proposals import NUMBER, Proposed
from archive.cataloguing.records import RecordService
from archive.database import Database
from archive.errors import Conflict, WrongState
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Category, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault

DISMISS = "record.dismiss_proposal"


class ProposalService:
    """The acts on proposals. Taking one is describing the record; what is filed keeps what it has."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, records: RecordService) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._records = records

    def take(self, identity: Identity, record_id: UUID, values: Mapping[str, str]) -> None:
        """Write proposed values into the fields they are proposed for.

        Args:
            identity: of who confirms.
            record_id: of the record.
            values: by field, as they were shown.

        Raises:
            NotFound: there is no such record for this person.
            NotAllowed: they may not describe it.
            WrongState: it is filed.
            Conflict: this is not, or no longer, what is proposed.
            InvalidInput: a field does not take the value.
        """
        with self._db.reading() as session:
            record = self._provisional(session, identity, record_id)
            version, own = record.version, {**record.fields, **describing.opened(self._vault, session, record)}
            category = session.get_one(Category, record.category_id)
            waiting = proposals.proposed(session, self._vault, record, category, own)
        there = {(each.field, each.found.value) for each in waiting}
        if not values or not set(values.items()) <= there:
            raise Conflict(what="proposal")
        changes: dict[str, Any] = {field: value for field, value in values.items() if field != NUMBER}
        if NUMBER in values:
            changes["fields"] = {**own, NUMBER: values[NUMBER]}
        self._records.describe(identity, record_id, changes, version)

    def dismiss(self, identity: Identity, record_id: UUID, field: str) -> None:
        """Hide what is proposed for a field of a record; it is kept, and stays hidden when it is found again.

        Raises:
            NotFound, NotAllowed, WrongState: as ``take``.
            Conflict: nothing is proposed for the field.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            record = self._provisional(work.session, identity, record_id)
            if not proposals.dismiss(work.session, record.id, field):
                raise Conflict(what="proposal")
            self._log.note(work.session, identity, DISMISS, record=record.id, body={"field": field})
            work.commit()

    def undecided(self, session: Session, identity: Identity) -> Select[Any]:
        """Return a query for the records that this person may describe and something waits for that fills a field."""
        mine = self._guard.visible(session, identity, Act.DESCRIBE).where(Record.state == RecordState.PROVISIONAL)
        return proposals.waiting_for(mine, proposals.numbered(session))

    def waiting(
        self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> Sequence[tuple[Record, Sequence[Proposed]]]:
        """Return records for which something waits that would fill a field, newest first, with what waits.

        Begins behind the record made at ``after`` with that id.
        """
        with self._db.reading() as session:
            query = self.undecided(session, identity).order_by(Record.created_at.desc(), Record.id.desc())
            if after is not None:
                query = query.where(made_before(after))
            records = session.scalars(query.limit(limit)).all()
            protected = describing.opened_many(self._vault, session, records)
            keys = self._vault.unlock_many(session, [record.id for record in records])
            found = []
            for record in records:
                category = session.get_one(Category, record.category_id)
                values = {**record.fields, **protected.get(record.id, {})}
                key = keys.get(record.id)
                all_of_it = proposals.proposed(session, self._vault, record, category, values, key)
                found.append((record, [each for each in all_of_it if each.fills]))
            return found

    def _provisional(self, session: Session, identity: Identity, record_id: UUID) -> Record:
        record = self._guard.require(session, identity, Act.DESCRIBE, record_id)
        if record.state is not RecordState.PROVISIONAL:
            raise WrongState(state=record.state.value, act=Act.DESCRIBE.value)
        return record
