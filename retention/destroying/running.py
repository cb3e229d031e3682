"""The last act before the engine: asked once more what may go, what stays of it written down, and handed over."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from archive.dossiers.extent import Extent, extents
from archive.errors import Fault, InvalidInput, NotAllowed, WrongState
from archive.identity import Identity
from archive.model import (
    Category,
    Content,
    DestroyedRecord,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionState,
    Duty,
    Fonds,
    JobKind,
    Record,
    RecordKind,
)
from retention.destroying.means import (
    Means,
    carriers,
    chunks,
    duties_of,
    listed,
    locked,
    recheck,
    records_of,
    required,
    say,
)
from retention.destroying.rules import all_apart, lacking, move, require_state
from retention.destroying.tally import digest_of, duties, forget_count
from retention.destroying.weighing import forget_weight
from retention.last_check import days
from retention.reckoning import Reckoned


class Running:
    """Handing a counted list over."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def run(self, identity: Identity, key: UUID, typed: str) -> DestructionState:
        """Begin what cannot be undone; return ``RUNNING``, or ``CONFIRMED`` when something had to be pulled out.

        In one transaction everything is asked once more. If something may not go, it is pulled out, and the rest is to
        be counted again: only what was counted is destroyed. Else the register's lines are written, the items are
        doomed, and the job is left for the engine.

        Raises:
            NotFound, NotAllowed, Ended: there is none for them; they are not its executor; it is not counted.
            InvalidInput: ``number``: what was typed is not the destruction's number; ``records``: none is left.
            WrongState: its duties are not complete or not of different people, or the list is not as it was counted.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, part = required(means, session, identity, key)
            if Duty.EXECUTOR not in part.duties:
                raise NotAllowed(act="destruction.run")
            require_state(row, "destruction.run", DestructionState.COUNTED)
            if typed.strip() != row.number:
                raise InvalidInput(Fault("number", "not_the_code", {"wanted": row.number}))
            if recheck(means, session, identity, row):
                self._count_again(session, identity, row)
                means.turns.tell(work, row)
                work.commit()
                return row.state
            if not listed(session, key):
                raise InvalidInput(Fault("records", "none_to_destroy"))
            self._require_whole(session, row)
            self._hand_over(session, identity, row)
            means.outbox.add(work, JobKind.DESTROY, key)
            work.commit()
            return row.state

    def _count_again(self, session: Session, identity: Identity, row: Destruction) -> None:
        move(row, DestructionState.CONFIRMED, "destruction.run")
        row.counted_at, row.digest = None, None
        forget_count(session, row.id)
        forget_weight(row)
        say(self._means, session, identity, "recount", row)

    def _require_whole(self, session: Session, row: Destruction) -> None:
        """Refuse when the chain of people or the list is not whole. Raises ``WrongState``."""
        who = duties_of(session, row)
        _paper, files = carriers(session, row.id)
        appointed = [each.duty for each in duties(session, row.id)]
        whole = (
            all_apart(who)
            and bool(who.get(Duty.DECIDER)) and bool(who.get(Duty.CONFIRMER))
            and not lacking(appointed, electronic=files)
            and row.digest is not None and row.digest == digest_of(session, row.id)
        )  # fmt: skip
        if not whole:
            raise WrongState(state=row.state.value, act="destruction.run")

    def _hand_over(self, session: Session, identity: Identity, row: Destruction) -> None:
        means, items = self._means, listed(session, row.id)
        lines = lines_of(means, session, row.id, items)
        session.execute(insert(DestroyedRecord), lines)
        session.execute(
            update(DestructionItem)
            .where(DestructionItem.destruction_id == row.id, DestructionItem.state == DestructionItemState.LISTED)
            .values(state=DestructionItemState.DOOMED)
            .execution_options(synchronize_session=False)
        )
        move(row, DestructionState.RUNNING, "destruction.run")
        row.run_by, row.run_at = identity.person_id, means.clock.now()
        say(means, session, identity, "run", row, count=len(lines), digest=row.digest)


def lines_of(means: Means, session: Session, key: UUID, items: Sequence[DestructionItem]) -> Sequence[dict[str, Any]]:
    """Return what the register keeps of each record."""
    ids = [each.record_id for each in items]
    records = records_of(session, ids)
    categories = dict(session.execute(select(Category.id, Category.code)).all())
    fonds = dict(session.execute(select(Fonds.id, Fonds.code)).all())
    due = {key: day for part in chunks(ids) for key, day in days(session, part).items()}  # as the last check asked
    files, reach = _files(session, ids), _extents(session, records)
    clocks = means.due_days.reckon(session, ids)
    titles = [each.neutral or records[each.record_id].title for each in items]
    sealed = means.vault.seal_many(
        session,
        [(key, title.encode(), title_context(key, each.record_id)) for each, title in zip(items, titles, strict=True)],
    )
    today = means.guard.day()
    return [
        {
            "destruction_id": key, "record_id": record.id, "position": item.position,
            "fonds": fonds[record.fonds_id], "category": categories[record.category_id],
            "level_rank": record.level_rank, "registration_number": record.registration_number,
            "archive_number": record.archive_number, "sealed": title, "neutral": item.neutral is not None,
            "dossier": record.kind is RecordKind.DOSSIER, "volumes": reach[record.id].volumes,
            "year": reach[record.id].first, "year_to": reach[record.id].last, "drawn_up": record.drawn_up,
            "filed_on": filed_on,
            "due": due[record.id], "term": _term(record, clocks.get(record.id)),
            "kept_years": kept_years(record.drawn_to or filed_on or today, today),
            "pages": record.pages, "medium": record.medium.value,
            "files": files.get(record.id, (0, 0))[0], "bytes": files.get(record.id, (0, 0))[1],
        }
        for item, title in zip(items, sealed, strict=True)
        for record in (records[item.record_id],)
        for filed_on in (means.guard.day(record.filed_at) if record.filed_at else None,)
    ]  # fmt: skip


def _term(record: Record, clock: Reckoned | None) -> str:
    """Return the term that a record was to be kept for: the longer of its schedule's and its own, as its clock says."""
    return clock.due.term.code if clock and clock.due.term else record.term


def kept_years(counted: date, today: date) -> int:
    """Return for how many whole years a record was kept, from the end of the year of the day that counts."""
    return max(0, today.year - counted.year - 1)


def title_context(key: UUID, record: UUID) -> str:
    """Return what a register title is sealed for."""
    return f"destroyed:{key.hex}:{record.hex}"


def _extents(session: Session, records: Mapping[UUID, Record]) -> Mapping[UUID, Extent]:
    """Return how far each reaches: what lies in a dossier on the list is no volume of its own."""
    found: dict[UUID, Extent] = {}
    for key, each in records.items():
        first, last = (day.year if day else None for day in (each.drawn_from, each.drawn_to))
        found[key] = Extent(0 if each.dossier_id in records else 1, first, last)
    for part in chunks([key for key, each in records.items() if each.kind is RecordKind.DOSSIER]):
        for key, inside in extents(session, part).items():
            own = found[key]
            found[key] = Extent(inside.volumes, inside.first or own.first, inside.last or own.last)
    return found


def _files(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, tuple[int, int]]:
    found: dict[UUID, tuple[int, int]] = {}
    for part in chunks(ids):
        query = select(Content.record_id, func.count(), func.coalesce(func.sum(Content.size), 0))
        rows = session.execute(query.where(Content.record_id.in_(part)).group_by(Content.record_id))
        found |= {key: (count, int(size or 0)) for key, count, size in rows}
    return found
