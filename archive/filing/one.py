"""Filing 归档登记: a provisional record gets its numbers and is fixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from archive.cataloguing import describing
from archive.clock import Clock
from archive.database import Base, Database, Work, once_more, rows_by_id
from archive.errors import Damaged, InvalidInput, KeyUnavailable
from archive.failpoints import reach
from archive.files.arrivals import drop_broken
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log, Note
from archive.model import Category, Content, ContentState, JobKind, Record, RecordState, SentBack
from archive.model.log import LogResult
from archive.numbering.giver import Gap, Numbers, give
from archive.policy.condition import holds
from archive.policy.facts import facts_of_many
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import Vault
from archive.terms import due_year

BATCH = 100
"""Records filed in one transaction: a write may last 100 ms, and others wait for it."""

REFUSALS = frozenset({"not_found", "not_allowed"})
"""Reasons that are refusals, and are logged as such."""


@dataclass(frozen=True)
class Filed:
    """What became of one record: its numbers, or why it waits (``reason`` is a code, ``missing`` names fields)."""

    record_id: UUID
    archive_number: str | None = None
    registration_number: str | None = None
    reason: str | None = None
    missing: tuple[str, ...] = ()


_TABLE = Base.metadata.tables["record"]
_NOT_STORED = select(Content.record_id, Content.state).where(
    Content.record_id.in_(bindparam("ids", expanding=True)), Content.state != ContentState.STORED
)
_SENT_BACK = select(SentBack.record_id).where(
    SentBack.record_id.in_(bindparam("ids", expanding=True)), SentBack.ended_at.is_(None)
)
_FILED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("key"))
    .values(
        state=RecordState.FILED,
        filed_at=bindparam("now"),
        registration_number=bindparam("registration"),
        archive_number=bindparam("archive"),
        version=_TABLE.c.version + 1,
    )
)
"""Bulk work reads rows and writes them without entities: half the time."""


class FilingService:
    """Files records. Numbers are given inside the filing's transaction, counters last.

    ``locks``: the store can lock objects, and what is filed is to be locked.
    """

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, clock: Clock, *, locks: bool = False
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._locks = locks

    def file(
        self, identity: Identity, record_ids: Sequence[UUID], *, versions: Mapping[UUID, int] | None = None
    ) -> list[Filed]:
        """File records in batches; one that cannot be filed yet says why and holds up no other.

        One that is no longer at its version of ``versions`` answers ``changed_since``.

        A record that the person may not see answers ``not_found``, like one that does not exist.
        """
        outcomes: list[Filed] = []
        for start in range(0, len(record_ids), BATCH):
            outcomes += self._batch(identity, record_ids[start : start + BATCH], versions or {})
            reach("filing.done")
        self._log_refused(identity, [each.record_id for each in outcomes if each.reason in REFUSALS])
        return outcomes

    def _batch(self, identity: Identity, record_ids: Sequence[UUID], versions: Mapping[UUID, int]) -> list[Filed]:
        """File one batch; where a number cannot be given, file its records one by one, and say so of that record."""
        try:
            outcomes = self._together(identity, record_ids, versions)
        except (InvalidInput, KeyUnavailable, Damaged) as error:
            if len(record_ids) == 1:
                if not isinstance(error, InvalidInput):
                    return [Filed(record_ids[0], reason=error.code)]
                return [Filed(record_ids[0], reason=error.faults[0].code, missing=(error.faults[0].field,))]
            return [each for key in record_ids for each in self._batch(identity, [key], versions)]
        return outcomes

    @once_more
    def _together(self, identity: Identity, record_ids: Sequence[UUID], versions: Mapping[UUID, int]) -> list[Filed]:
        with self._db.writing(shared=True) as work:
            outcomes = self.in_work(work, identity, record_ids, versions)
            reach("filing.before_commit")
            work.commit()
        return outcomes

    def _log_refused(self, identity: Identity, ids: Sequence[UUID]) -> None:
        """Write what was refused, apart: record by record, as for an act on one."""
        for start in range(0, len(ids), BATCH):
            with self._db.writing() as work:
                notes = [
                    Note(identity, Act.FILE.value, key, result=LogResult.REFUSED) for key in ids[start : start + BATCH]
                ]
                self._log.write(work.session, notes)
                work.commit()

    def in_work(
        self, work: Work, identity: Identity, record_ids: Sequence[UUID], versions: Mapping[UUID, int] | None = None
    ) -> list[Filed]:
        """File a batch inside the caller's transaction."""
        session = work.session
        session.flush()
        found = rows_by_id(session, Record, record_ids, lock=True)
        answers = self._answers(session, identity, record_ids, found, versions or {})
        ready = [found[key] for key in record_ids if key not in answers]
        if ready:
            numbers = self._number(work, identity, ready)
            for row in ready:
                answers[row.id] = Filed(row.id, numbers.archive[row.id], numbers.registration[row.id])
        return [answers[key] for key in record_ids]

    def _answers(
        self,
        session: Session,
        identity: Identity,
        record_ids: Sequence[UUID],
        found: Mapping[UUID, Any],
        versions: Mapping[UUID, int],
    ) -> dict[UUID, Filed]:
        """Say of each record that is not to be filed now why."""
        rights = self._guard.reach(session, identity)
        may_see, may_file = condition(Act.READ, rights), condition(Act.FILE, rights)
        facts = facts_of_many(session, found.values())
        mine = {key for key in found if holds(may_file, facts[key])}
        put_aside = self._contents(session, identity, found, mine)
        sent_back = set(session.connection().execute(_SENT_BACK, {"ids": list(found)}).scalars()) if found else set()
        missing = self._missing(session, list(found.values()))
        answers: dict[UUID, Filed] = {}
        for key in record_ids:
            record = found.get(key)
            allowed = record is not None and holds(may_file, facts[key])
            if record is None or not (allowed or holds(may_see, facts[key])):
                answers[key] = Filed(key, reason="not_found")
            elif record.state is RecordState.FILED:
                answers[key] = Filed(key, record.archive_number, record.registration_number, reason="filed_before")
            elif not allowed:
                answers[key] = Filed(key, reason="not_allowed")
            elif versions.get(key, record.version) != record.version:
                answers[key] = Filed(key, reason="changed_since")
            elif key in sent_back:
                answers[key] = Filed(key, reason="sent_back")
            elif key in put_aside:
                answers[key] = Filed(key, reason=put_aside[key])
            elif absent := missing[key]:
                answers[key] = Filed(key, reason="fields_missing", missing=tuple(absent))
        return answers

    def _contents(
        self, session: Session, identity: Identity, found: Mapping[UUID, Any], mine: set[UUID]
    ) -> dict[UUID, str]:
        """Return which records wait for a file, and why; what broke off holds up none of those that may be filed."""
        asked = {"ids": list(found)}
        rows = session.connection().execute(_NOT_STORED, asked).all()
        coming = {key for key, state in rows if state is ContentState.RECEIVING and key in mine}
        if coming and (broken := drop_broken(session, coming, self._clock.now())):
            self._log.note_many(session, identity, "file.break", [(key, {"name": name}) for key, name in broken])
            rows = session.connection().execute(_NOT_STORED, asked).all()
        return {key: state.value for key, state in rows}

    def _missing(self, session: Session, records: Sequence[Any]) -> dict[UUID, list[str]]:
        waiting = [record for record in records if record.state is RecordState.PROVISIONAL]
        rows = rows_by_id(session, Category, {record.category_id for record in waiting})
        protected = describing.opened_many(self._vault, session, waiting)
        missing: dict[UUID, list[str]] = {record.id: [] for record in records}
        for record in waiting:
            missing[record.id] = describing.missing(record, rows[record.category_id], protected.get(record.id, {}))
        return missing

    def _number(self, work: Work, identity: Identity, records: Sequence[Any]) -> Numbers:
        session = work.session
        now, today = self._clock.now(), self._guard.day()
        self._vault.regroup(session, [(r.id, due_year(r.term, r.drawn_to or today)) for r in records])
        self._outbox.add_many(work, JobKind.INDEX, [r.id for r in records])
        if self._locks:
            self._outbox.add_many(work, JobKind.LOCK, [r.id for r in records])
        numbers = give(session, records, today=today)
        both = [(r.id, numbers.registration[r.id], numbers.archive[r.id]) for r in records]
        session.connection().execute(
            _FILED, [{"key": key, "now": now, "registration": first, "archive": second} for key, first, second in both]
        )
        self._log_gaps(session, identity, numbers.gaps)
        bodies = [(key, {"registration": first, "archive": second}) for key, first, second in both]
        self._log.note_many(session, identity, "record.file", bodies)
        return numbers

    def _log_gaps(self, session: Session, identity: Identity, gaps: Sequence[Gap]) -> None:
        for gap in gaps:
            body = {"sequence": gap.sequence, "serials": list(gap.serials), "reason": "number_in_use"}
            self._log.note(session, identity, "number.skip", body=body)
