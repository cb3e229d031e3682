"""Editing many records at once: looked at before, done in a job in short transactions, undone as one act.

What became of each record is written in the transaction that changes it, so that a run that broke off or was stopped
is gone on with and changes nothing twice, and an undo knows what the edit left.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from archive.cataloguing import describing
from archive.cataloguing.change import SETTABLE, Change, typed_of, values_of
from archive.cataloguing.records import RecordService
from archive.clock import Clock
from archive.database import Database, Work
from archive.errors import ArchiveError, Conflict, Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.failpoints import reach
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    BulkEdit,
    BulkEditRow,
    BulkState,
    Category,
    JobKind,
    OwnerKey,
    Record,
    RecordState,
    RowState,
)
from archive.own_work import own, sweep, unfinished
from archive.policy.condition import holds
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import Vault
from archive.scheme.fields import parse_fields

MOST = 3_000
"""Records of one edit."""

MOST_OPEN = 50
"""Edits that one person has kept."""


@dataclass(frozen=True)
class Line:
    """One record of an edit: what differs, before and after, by name; and why it is or would be refused.

    ``record`` None: the person does not read it any more. ``at``: its place in the edit.
    """

    at: int
    record_id: UUID
    record: Record | None
    state: RowState
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    error: ArchiveError | None = None


@dataclass(frozen=True)
class Standing:
    """An edit as it stands; ``counts`` are its records by what became of them, ``unfinished``: a job waits or runs."""

    id: UUID
    state: BulkState
    change: Change
    counts: Mapping[RowState, int]
    created_at: datetime
    unfinished: bool

    @property
    def total(self) -> int:
        """How many records it is for."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class _Plan:
    """What each line of a preview is made with."""

    change: Change
    drafts: Mapping[UUID, describing.Draft]
    catalogue: describing.Catalogue


def _check_fields(session: Session, ids: Sequence[UUID], change: Change) -> None:
    """Check that no number or name of a person would be set alike in many records. Raises ``InvalidInput``."""
    kinds: set[UUID] = set()
    for at in range(0, len(ids) if change.fields else 0, 500):
        kinds.update(session.scalars(select(Record.category_id).where(Record.id.in_(ids[at : at + 500])).distinct()))
    own = [each for kind in kinds for each in parse_fields(session.get_one(Category, kind).fields)]
    if faults := [
        Fault(name, "one_by_one")
        for name in sorted({each.name for each in own if each.protected})
        if name in change.fields
    ]:
        raise InvalidInput(*faults)


class BulkEditing:
    """The acts on a person's own edits; another person's are not there."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, records: RecordService, outbox: Outbox, clock: Clock
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._records = records
        self._outbox = outbox
        self._clock = clock

    def prepare(self, identity: Identity, record_ids: Sequence[UUID], change: Change) -> UUID:
        """Keep an edit of records to be looked at; nothing of them is changed. Those not read are left out.

        Raises:
            InvalidInput: nothing to change, no record, too many, or too many edits kept.
            NotAllowed: who asks is no person.
        """
        ids = list(dict.fromkeys(record_ids))
        if identity.person_id is None:
            raise NotAllowed(act=Act.DESCRIBE.value)
        unknown = sorted(set(change.values) - SETTABLE)
        if unknown or change.empty:
            raise InvalidInput(Fault(unknown[0] if unknown else "change", "unknown_field" if unknown else "required"))
        if not 0 < len(ids) <= MOST:
            raise InvalidInput(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            mine = select(func.count()).select_from(BulkEdit).where(BulkEdit.person_id == identity.person_id)
            if (session.scalar(mine) or 0) >= MOST_OPEN:
                raise InvalidInput(Fault("records", "too_many_edits", {"limit": MOST_OPEN}))
            read = self._guard.seen(session, identity, ids)
            if not read:
                raise InvalidInput(Fault("records", "required"))
            _check_fields(session, [each for each in ids if each in read], change)
            key, now = new_id(), self._clock.now()
            self._vault.add_owner(session, key, due_year=now.year)
            data = json.dumps(change.plain(), ensure_ascii=False).encode()
            sealed = self._vault.seal(session, key, data, context=f"bulk:{key.hex}")
            session.add(BulkEdit(id=key, person_id=identity.person_id, sealed=sealed, created_at=now))
            session.flush()
            kept = [each for each in ids if each in read]
            session.execute(
                insert(BulkEditRow),
                [
                    {"edit_id": key, "record_id": each, "at": at, "state": RowState.WAITING}
                    for at, each in enumerate(kept)
                ],
            )
            self._log.note(session, identity, "edit.prepare", body={"edit": str(key), "records": len(kept)})
            work.commit()
        return key

    def category_of(self, identity: Identity, record_ids: Sequence[UUID]) -> Category | None:
        """Return the category of records that this person reads, if it is one: its own fields can be changed too."""
        with self._db.reading() as session:
            seen = self._guard.visible(session, identity).where(Record.id.in_(record_ids[:500]))
            kinds = session.scalars(seen.with_only_columns(Record.category_id).distinct()).all()
            return session.get(Category, kinds[0]) if len(kinds) == 1 else None

    def mine(self, identity: Identity) -> list[Standing]:
        """Return a person's edits, the newest first."""
        with self._db.reading() as session:
            own = select(BulkEdit).where(BulkEdit.person_id == identity.person_id).order_by(BulkEdit.created_at.desc())
            return [self._standing(session, row) for row in session.scalars(own)]

    def show(self, identity: Identity, edit_id: UUID) -> Standing:
        """Return one of a person's own. Raises ``NotFound``."""
        with self._db.reading() as session:
            return self._standing(session, own(session, BulkEdit, identity, edit_id))

    def preview(self, identity: Identity, edit_id: UUID) -> list[Line]:
        """Say of every record that waits what would change, or why it is refused; nothing is written."""
        with self._db.reading() as session:
            edit = own(session, BulkEdit, identity, edit_id)
            change = self._change(session, edit)
            rows = self._rows(session, edit_id, RowState.WAITING)
            seen = self._seen(session, identity, rows)
            drafts = self._records.drafts_of(session, list(seen.values()))
            plan = _Plan(change, drafts, describing.Catalogue(session, self._guard.day()))
            return [self._planned(session, identity, seen.get(row.record_id), row, plan) for row in rows]

    def told(
        self, identity: Identity, edit_id: UUID, *states: RowState, after: int = -1, limit: int | None = None
    ) -> list[tuple[Record | None, BulkEditRow]]:
        """Return the rows of an edit in some states, in order, each with its record if the person reads it still.

        Those behind a place in the order.
        """
        with self._db.reading() as session:
            own(session, BulkEdit, identity, edit_id)
            rows = self._rows(session, edit_id, *states, after=after, limit=limit)
            seen = self._seen(session, identity, rows)
            return [(seen.get(row.record_id), row) for row in rows]

    def start(self, identity: Identity, edit_id: UUID, *, undo: bool = False) -> None:
        """Have an edit done, or undone, or go on with it; asked again while it runs, nothing changes.

        Raises:
            NotFound: it is not this person's.
            WrongState: it is undone already, or (``undo``) was never begun.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            edit = own(work.session, BulkEdit, identity, edit_id)
            undone = edit.state in {BulkState.UNDONE, BulkState.UNDOING}
            if (undone and not undo) or (undo and edit.state is BulkState.PREPARED):
                raise WrongState(state=edit.state.value, act="edit.undo" if undo else "edit.start")
            if edit.state is BulkState.UNDONE or (edit.state is BulkState.DONE and not undo):
                return
            running = edit.state in {BulkState.RUNNING, BulkState.UNDOING}
            if running and undone == undo and unfinished(work.session, edit_id):
                return
            edit.state = BulkState.UNDOING if undo else BulkState.RUNNING
            self._outbox.add(work, JobKind.BULK_EDIT, edit_id, requested_by=identity.person_id)
            act = "edit.undo" if undo else "edit.start"
            self._log.note(work.session, identity, act, body={"edit": str(edit_id)})
            work.commit()

    def stop(self, identity: Identity, edit_id: UUID) -> None:
        """Stop an edit after the record that is under way; what is changed stays."""
        with self._db.writing() as work:
            edit = own(work.session, BulkEdit, identity, edit_id)
            if edit.state is BulkState.RUNNING:
                edit.state = BulkState.STOPPED
                self._log.note(work.session, identity, "edit.stop", body={"edit": str(edit_id)})
                work.commit()

    def forget(self, identity: Identity, edit_id: UUID) -> None:
        """Forget an edit: what it changed stays, and can no longer be undone as one."""
        with self._db.writing() as work:
            own(work.session, BulkEdit, identity, edit_id)
            _remove(work.session, edit_id)
            self._log.note(work.session, identity, "edit.forget", body={"edit": str(edit_id)})
            work.commit()

    def sweep(self, before: datetime) -> None:
        """Forget every edit that was prepared before a moment."""
        sweep(self._db, BulkEdit, before, _remove)

    def run(self, identity: Identity, edit_id: UUID) -> Iterator[UUID]:
        """Change, or undo, record after record; yields each. Ends early when stopped."""
        with self._db.reading() as session:
            edit = session.get(BulkEdit, edit_id)
            if edit is None or edit.state not in {BulkState.RUNNING, BulkState.UNDOING}:
                return
            doing, change = edit.state, self._change(session, edit)
            states = (RowState.WAITING,) if doing is BulkState.RUNNING else (RowState.CHANGED,)
            waiting = [row.record_id for row in self._rows(session, edit_id, *states)]
        for record_id in waiting:
            if not self._one(identity, edit_id, record_id, doing, change):
                return
            reach("bulk.changed")
            yield record_id
        with self._db.writing() as work:
            edit = work.session.get(BulkEdit, edit_id)
            if edit is not None and edit.state is doing:
                edit.state = BulkState.DONE if doing is BulkState.RUNNING else BulkState.UNDONE
                self._log.note(work.session, identity, "edit.end", body={"edit": str(edit_id), "to": edit.state.value})
                work.commit()

    def _one(self, identity: Identity, edit_id: UUID, record_id: UUID, doing: BulkState, change: Change) -> bool:
        """Do one record, or write why not; False: the edit was stopped."""
        try:
            with self._guard.refusals(identity), self._db.writing() as work:
                edit = work.session.get(BulkEdit, edit_id)
                if edit is None or edit.state is not doing:
                    return False
                row = work.session.get(BulkEditRow, (edit_id, record_id))
                if row is not None:
                    (self._change_one if doing is BulkState.RUNNING else self._undo_one)(work, identity, row, change)
                    work.commit()
        except ArchiveError as error:
            with self._db.writing() as work:
                if (row := work.session.get(BulkEditRow, (edit_id, record_id))) is not None:
                    row.state = RowState.REFUSED if doing is BulkState.RUNNING else RowState.KEPT
                    row.reason = _code(error)
                    work.commit()
        return True

    def _change_one(self, work: Work, identity: Identity, row: BulkEditRow, change: Change) -> None:
        record = self._open(work.session, identity, row.record_id)
        standing = self._records.draft_of(work.session, record)
        changes = change.of(standing)
        row.state = RowState.CHANGED if changes else RowState.SAME
        if changes:
            self._records.describe_in(work, identity, record.id, changes, record.version)
            now = self._records.draft_of(work.session, record)
            body = {"before": values_of(standing, changes), "after": values_of(now, changes)}
            data = json.dumps(body, ensure_ascii=False).encode()
            row.sealed = self._vault.seal(work.session, record.id, data, context=_context(row))

    def _undo_one(self, work: Work, identity: Identity, row: BulkEditRow, _change: Change) -> None:
        record = self._open(work.session, identity, row.record_id)
        body = json.loads(self._vault.open(work.session, record.id, row.sealed or b"", context=_context(row)))
        if values_of(self._records.draft_of(work.session, record), body["after"]) != body["after"]:
            raise Conflict(what="record", version=record.version)
        self._records.describe_in(work, identity, record.id, typed_of(body["before"]), record.version)
        row.state, row.sealed = RowState.UNDONE, None

    def _open(self, session: Session, identity: Identity, record_id: UUID) -> Record:
        """Return a record that may still change; who may change it is asked by ``describe_in``."""
        record = self._guard.require(session, identity, Act.READ, record_id)
        if record.state is not RecordState.PROVISIONAL:
            raise WrongState(state=record.state.value, act=Act.DESCRIBE.value)
        return record

    def _planned(
        self, session: Session, identity: Identity, record: Record | None, row: BulkEditRow, plan: "_Plan"
    ) -> Line:
        if record is None:
            return Line(row.at, row.record_id, None, row.state, {}, {}, NotFound())
        try:
            if record.state is not RecordState.PROVISIONAL:
                raise WrongState(state=record.state.value, act=Act.DESCRIBE.value)
            # one that does not open is asked for alone, which says why
            draft = plan.drafts.get(record.id) or self._records.draft_of(session, record)
            changes = plan.change.of(draft)
            after = replace(draft, **describing.typed(changes))
            item = describing.describe(plan.catalogue, after)
            may = condition(Act.CREATE, self._guard.reach(session, identity))
            if not holds(may, item.facts(identity)):
                raise NotAllowed(act=Act.DESCRIBE.value)
            return Line(row.at, row.record_id, record, row.state, values_of(draft, changes), values_of(after, changes))
        except ArchiveError as error:
            return Line(row.at, row.record_id, record, row.state, {}, {}, error)

    def _seen(self, session: Session, identity: Identity, rows: Sequence[BulkEditRow]) -> dict[UUID, Record]:
        found: dict[UUID, Record] = {}
        for start in range(0, len(rows), 500):
            ids = [row.record_id for row in rows[start : start + 500]]
            query = self._guard.visible(session, identity).where(Record.id.in_(ids))
            found |= {record.id: record for record in session.scalars(query)}
        return found

    @staticmethod
    def _rows(
        session: Session, edit_id: UUID, *states: RowState, after: int = -1, limit: int | None = None
    ) -> Sequence[BulkEditRow]:
        query = select(BulkEditRow).where(BulkEditRow.edit_id == edit_id, BulkEditRow.state.in_(states))
        return session.scalars(query.where(BulkEditRow.at > after).order_by(BulkEditRow.at).limit(limit)).all()

    def _change(self, session: Session, edit: BulkEdit) -> Change:
        return Change.read(json.loads(self._vault.open(session, edit.id, edit.sealed, context=f"bulk:{edit.id.hex}")))

    def _standing(self, session: Session, edit: BulkEdit) -> Standing:
        counted = select(BulkEditRow.state, func.count()).where(BulkEditRow.edit_id == edit.id)
        counts = {row[0]: row[1] for row in session.execute(counted.group_by(BulkEditRow.state))}
        change, busy = self._change(session, edit), unfinished(session, edit.id)
        return Standing(edit.id, edit.state, change, counts, edit.created_at, busy)


def _code(error: ArchiveError) -> str:
    return error.faults[0].code if isinstance(error, InvalidInput) and error.faults else error.code


def _context(row: BulkEditRow) -> str:
    return f"bulk-row:{row.edit_id.hex}:{row.record_id.hex}"


def _remove(session: Session, edit_id: UUID) -> None:
    session.execute(delete(BulkEditRow).where(BulkEditRow.edit_id == edit_id))
    session.execute(delete(BulkEdit).where(BulkEdit.id == edit_id))
    session.execute(delete(OwnerKey).where(OwnerKey.owner_id == edit_id))
