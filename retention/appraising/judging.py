"""What members of a panel say of records, one by one or many at once, and what is disclosed to them for it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Base, Database
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalMember,
    AppraisalOpinion,
    AppraisalState,
    ReadingRight,
    Record,
    RecordSecrecy,
    Verdict,
)
from archive.policy.guard import Guard
from archive.ports import Vault
from archive.reasons import reason_faults
from archive.scheme.tree import below
from retention.appraising.rows import appraisal, opinion_context, packed, panel_of, require_state, seen_items
from retention.appraising.verdicts import Said, verdict_of

BATCH = 100
"""Opinions that one transaction writes: it stays well under 100 ms."""

LONGEST_READING = timedelta(days=30)
"""How long a file stays disclosed to a member at most; it ends with the appraisal."""

FARTHEST = 100
"""Years ahead to which a record is kept on at most."""

_ITEMS = Base.metadata.tables["appraisal_item"]


@dataclass(frozen=True)
class Filter:
    """Which items of a list are meant. ``todo``: those that the person has not judged; ``category`` with all below."""

    todo: bool = False
    verdict: Verdict | None = None
    unsaid: bool = False
    category: UUID | None = None


def unmarked() -> ColumnElement[bool]:
    """Return a condition on items whose records are there and have no secrecy period: nothing to declassify."""
    period = select(RecordSecrecy.record_id).where(RecordSecrecy.record_id == AppraisalItem.record_id)
    there = select(Record.id).where(Record.id == AppraisalItem.record_id)
    return and_(there.correlate(AppraisalItem).exists(), ~period.correlate(AppraisalItem).exists())


def check_fits(session: Session, said: Said, *of: ColumnElement[bool]) -> None:
    """Refuse to declassify what is not secret, among these items. Raises ``InvalidInput`` (field ``verdict``)."""
    if said.verdict is Verdict.DECLASSIFY:
        query = select(func.count()).select_from(AppraisalItem).where(*of, unmarked())
        if count := session.scalar(query):
            raise InvalidInput(Fault("verdict", "nothing_to_declassify", {"count": count}))


def conditions(which: Filter, person: UUID | None) -> list[ColumnElement[bool]]:
    """Return a filter as conditions on items."""
    found: list[ColumnElement[bool]] = []
    if which.todo:
        mine = select(AppraisalOpinion.record_id).where(
            AppraisalOpinion.appraisal_id == AppraisalItem.appraisal_id,
            AppraisalOpinion.record_id == AppraisalItem.record_id,
            AppraisalOpinion.person_id == person,
        )
        found.append(~mine.correlate(AppraisalItem).exists())
    if which.verdict is not None:
        found.append(AppraisalItem.verdict == which.verdict)
    if which.unsaid:
        found.append(AppraisalItem.verdict.is_(None))
    if which.category is not None:
        inside = select(Record.id).where(
            Record.id == AppraisalItem.record_id, Record.category_id.in_(below(which.category))
        )
        found.append(inside.correlate(AppraisalItem).exists())
    return found


class Judging:
    """The acts of a panel."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def say(self, identity: Identity, appraisal_id: UUID, record_ids: Sequence[UUID], said: Said, reason: str) -> int:
        """Say the same of some records of a list, and return of how many. A later opinion takes an earlier one's place.

        Raises:
            NotFound: there is no appraisal on whose panel the person sits, or none of the records is theirs to judge.
            Ended: it is not open.
            InvalidInput: field ``until`` or ``reason``; ``verdict``: one of them has no secrecy period to end.
        """
        words = self.checked(said, reason)
        done = 0
        for start in range(0, len(record_ids), BATCH):
            part = AppraisalItem.record_id.in_(record_ids[start : start + BATCH])
            done += self.some(identity, appraisal_id, [part], said, words)[0]
        if not done:
            raise NotFound
        return done

    def say_all(self, identity: Identity, appraisal_id: UUID, which: Filter, said: Said, reason: str) -> int:
        """Say the same of all items that a filter means, and return of how many. Raises as ``say``."""
        words = self.checked(said, reason)
        done, last = 0, 0
        while True:
            fits = [*conditions(which, identity.person_id), AppraisalItem.position > last]
            count, last = self.some(identity, appraisal_id, fits, said, words)
            done += count
            if count < BATCH:
                return done

    def disclose(self, identity: Identity, appraisal_id: UUID, record_ids: Sequence[UUID]) -> int:
        """Let a member look at the files of records that they are to judge, until it ends. Return of how many.

        Raises:
            NotFound, Ended: as ``say``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row, _ = self.sits(session, identity, appraisal_id, "appraisal.disclose")
            fits = [AppraisalItem.record_id.in_(record_ids)]
            ids = [each.record_id for each in self._items(session, identity, row, fits)]
            if not ids:
                raise NotFound
            reads = self._guard.seen(session, identity, ids)
            closed = [key for key in ids if key not in reads]
            now = self._clock.now()
            session.add_all(
                ReadingRight(
                    id=new_id(), record_id=key, person_id=identity.person_id, since=now, until=now + LONGEST_READING,
                    copying=False, appraisal_id=row.id,
                )
                for key in closed
            )  # fmt: skip
            session.flush()
            self._log.note_many(
                session, identity, "appraisal.disclose", [(key, {"appraisal": row.number}) for key in closed]
            )
            work.commit()
        return len(closed)

    def count(self, session: Session, identity: Identity) -> int:
        """Count what waits for this person's opinion, as their desk tells it."""
        sits = select(AppraisalMember.appraisal_id).join(Appraisal, Appraisal.id == AppraisalMember.appraisal_id)
        mine = sits.where(AppraisalMember.person_id == identity.person_id, Appraisal.state == AppraisalState.OPEN)
        keys = session.scalars(mine).all()
        if not keys:
            return 0
        shown = seen_items(self._guard, session, identity, member=True)
        fits = [AppraisalItem.appraisal_id.in_(keys), shown, *conditions(Filter(todo=True), identity.person_id)]
        return session.scalar(select(func.count()).select_from(AppraisalItem).where(*fits)) or 0

    def some(
        self,
        identity: Identity,
        appraisal_id: UUID,
        fits: Sequence[ColumnElement[bool]],
        said: Said,
        words: str,
        note: Callable[[Session, int, int], None] | None = None,
    ) -> tuple[int, int]:
        """Say it of one batch of the items that fit; return of how many, and the position of the last.

        ``note`` is told both, in the same transaction.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            row, panel = self.sits(session, identity, appraisal_id, "appraisal.say")
            items = self._items(session, identity, row, fits)
            if items:
                mine = AppraisalItem.record_id.in_([each.record_id for each in items])
                check_fits(session, said, AppraisalItem.appraisal_id == row.id, mine)
                self._write(session, identity, row, [each.record_id for each in items], said, words)
                self._settle(session, row.id, [each.record_id for each in items], panel)
                if note is not None:
                    note(session, len(items), items[-1].position)
                work.commit()
        return len(items), items[-1].position if items else 0

    def sits(self, session: Session, identity: Identity, key: UUID, act: str) -> tuple[Appraisal, Mapping[UUID, bool]]:
        """Return an open appraisal and its panel, on which a person sits. Raises ``NotFound``, ``Ended``."""
        panel = panel_of(session, [key])[key]
        if identity.person_id not in panel:
            raise NotFound
        row = appraisal(session, key)
        require_state(row, act, AppraisalState.OPEN)
        return row, panel

    def _items(
        self, session: Session, identity: Identity, row: Appraisal, fits: Sequence[ColumnElement[bool]]
    ) -> Sequence[Any]:
        there = select(Record.id).where(Record.id == AppraisalItem.record_id).correlate(AppraisalItem).exists()
        shown = seen_items(self._guard, session, identity, member=True)
        query = select(AppraisalItem.record_id, AppraisalItem.position).where(
            AppraisalItem.appraisal_id == row.id, shown, there, *fits
        )
        return session.execute(query.order_by(AppraisalItem.position).limit(BATCH)).all()

    def _write(
        self, session: Session, identity: Identity, row: Appraisal, ids: Sequence[UUID], said: Said, words: str
    ) -> None:
        person = identity.person_id
        assert person is not None  # noqa: S101  (a member is a person)
        earlier = AppraisalOpinion.appraisal_id == row.id, AppraisalOpinion.person_id == person
        session.execute(delete(AppraisalOpinion).where(*earlier, AppraisalOpinion.record_id.in_(ids)))
        texts = [(key, packed(why=words), opinion_context(row.id, key, person)) for key in ids]
        now = self._clock.now()
        rows = [
            {
                "appraisal_id": row.id, "record_id": key, "person_id": person, "verdict": said.verdict,
                "until": said.until, "said_at": now, "sealed": sealed,
            }
            for key, sealed in zip(ids, self._vault.seal_many(session, texts), strict=True)
        ]  # fmt: skip
        session.execute(insert(AppraisalOpinion), rows)
        told = {"appraisal": row.number, "verdict": said.verdict.value, "reason": words}
        told |= {"until": said.until.isoformat()} if said.until else {}
        self._log.note_many(session, identity, "appraisal.say", [(key, told) for key in ids])

    @staticmethod
    def _settle(session: Session, key: UUID, ids: Collection[UUID], panel: Mapping[UUID, bool]) -> None:
        """Write what the panel says now of some items."""
        chair = next(person for person, has in panel.items() if has)
        said: dict[UUID, dict[UUID, Said]] = {each: {} for each in ids}
        columns = (
            AppraisalOpinion.record_id, AppraisalOpinion.person_id, AppraisalOpinion.verdict, AppraisalOpinion.until
        )  # fmt: skip
        query = select(*columns).where(AppraisalOpinion.appraisal_id == key, AppraisalOpinion.record_id.in_(ids))
        for row in session.execute(query):
            said[row.record_id][row.person_id] = Said(row.verdict, row.until)
        found = {each: verdict_of(opinions, len(panel), chair) for each, opinions in said.items()}
        there = _ITEMS.c.appraisal_id == key, _ITEMS.c.record_id == bindparam("key")
        change = update(_ITEMS).where(*there).values(verdict=bindparam("said"), until=bindparam("day"))
        rows = [
            {"key": each, "said": what.verdict if what else None, "day": what.until if what else None}
            for each, what in found.items()
        ]
        session.connection().execute(change, rows)

    def checked(self, said: Said, reason: str) -> str:
        """Return the reason as it is kept. Raises ``InvalidInput`` as ``say``."""
        faults = reason_faults(reason)
        today = self._guard.day()
        if said.verdict is Verdict.KEEP:
            last = date(today.year + FARTHEST, 12, 31)
            if said.until is None:
                faults.append(Fault("until", "required"))
            elif not today < said.until <= last:
                faults.append(Fault("until", "not_ahead", {"last": last.isoformat()}))
        elif said.until is not None:
            faults.append(Fault("until", "only_to_keep"))
        if faults:
            raise InvalidInput(*faults)
        return reason.strip()
