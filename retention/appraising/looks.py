"""Appraisals as pages show them: to the panel what is disclosed to it, to others what they see anyway."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import NotFound
from archive.identity import Identity
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalMember,
    AppraisalOpinion,
    AppraisalState,
    Person,
    Record,
    Stop,
    Verdict,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from archive.ports import Vault
from retention.appraising.consulting import Advice, advice_on
from retention.appraising.judging import Filter, conditions, unmarked
from retention.appraising.report import Kept, Line, gone_lines, kept_reports, shown_all
from retention.appraising.rows import appraisal, opinion_context, panel_of, seen_items
from retention.last_check import stops


@dataclass(frozen=True)
class Row:
    """A line of the list of appraisals. ``mine``: the person sits on its panel."""

    row: Appraisal
    chair: str
    mine: bool


@dataclass(frozen=True)
class View:
    """One appraisal. ``panel``: names, who has the chair first; counts are of the items that the person is shown.

    ``unjudged`` are those that they have not judged; ``said`` how many each member has. ``whole``: it is closed and
    they are shown all of it, so that its report is theirs to print; ``reports`` are those that are kept. ``secret``:
    something on it has a secrecy period, which alone can be declassified.
    """

    row: Appraisal
    begun_by: str
    closed_by: str
    panel: Sequence[tuple[UUID, str, bool]]
    said: Mapping[UUID, int]
    verdicts: Mapping[Verdict | None, int]
    stopped: int
    unjudged: int
    member: bool
    chair: bool
    whole: bool
    reports: Sequence[Kept]
    secret: bool

    @property
    def total(self) -> int:
        """How many items the person is shown."""
        return sum(self.verdicts.values())


@dataclass(frozen=True)
class Opinion:
    """What one member says. ``why`` is "" for who may not be told, and once the record is gone."""

    person: UUID
    verdict: Verdict
    until: Any
    why: str


@dataclass(frozen=True)
class ItemShown:
    """An item. ``title`` None: the person does not read the record, or it is gone; ``reads``: its page is open to them.

    ``number`` is its archive number, or (``registered``) its registration number: to who is not shown the other.
    ``stop`` is what keeps it from being destroyed now, while the panel judges. ``line``: what the report says of a
    record that is gone, to whom the report is shown. ``advice`` is what one outside the panel was asked.
    """

    row: AppraisalItem
    title: str | None
    number: str
    registered: bool
    level_rank: int | None
    category: UUID | None
    drawn_up: str
    reads: bool
    stop: Stop | None
    opinions: Sequence[Opinion]
    advice: Sequence[Advice]
    line: Line | None = None


class Looks:
    """What there is to see of appraisals."""

    def __init__(self, db: Database, guard: Guard, vault: Vault) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault

    def every(self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int) -> Sequence[Row]:
        """Return the appraisals that this person may see, or sits on the panel of, the newest first."""
        with self._db.reading() as session:
            query = select(Appraisal)
            if not may(Act.SEE_APPRAISALS, self._guard.reach(session, identity)):
                sits = AppraisalMember.person_id == identity.person_id
                mine = select(AppraisalMember.appraisal_id).where(sits)
                query = query.where(Appraisal.id.in_(mine), Appraisal.state != AppraisalState.DRAFT)
            rows = session.scalars(newest_first(query, Appraisal.begun_at, Appraisal.id, after).limit(limit)).all()
            panels = panel_of(session, [row.id for row in rows])
            names = _names(session, {person for panel in panels.values() for person in panel})
            return [
                Row(
                    row,
                    next((names[person] for person, chair in panels[row.id].items() if chair), ""),
                    identity.person_id in panels[row.id],
                )
                for row in rows
            ]

    def show(self, identity: Identity, appraisal_id: UUID) -> View:
        """Return an appraisal. Raises ``NotFound``."""
        with self._db.reading() as session:
            row, panel, member = self._seen(session, identity, appraisal_id)
            shown = AppraisalItem.appraisal_id == row.id, seen_items(self._guard, session, identity, member=member)
            counted = select(AppraisalItem.verdict, func.count()).where(*shown).group_by(AppraisalItem.verdict)
            verdicts: dict[Verdict | None, int] = {row[0]: row[1] for row in session.execute(counted)}
            count = select(func.count()).select_from(AppraisalItem)
            stopped = session.scalar(count.where(*shown, AppraisalItem.stopped.is_not(None))) or 0
            todo = conditions(Filter(todo=True), identity.person_id)
            unjudged = session.scalar(count.where(*shown, *todo)) or 0 if member else 0
            of_item = and_(
                AppraisalOpinion.appraisal_id == AppraisalItem.appraisal_id,
                AppraisalOpinion.record_id == AppraisalItem.record_id,
            )
            counted_by = select(AppraisalOpinion.person_id, func.count()).join(AppraisalItem, of_item)
            opinions = counted_by.where(*shown)
            said: Any = session.execute(opinions.group_by(AppraisalOpinion.person_id)) if member else ()
            closed = row.state is AppraisalState.CLOSED
            marked = select(AppraisalItem.record_id).where(*shown, ~unmarked()).limit(1)
            names = _names(session, {*panel, row.begun_by, *([row.closed_by] if row.closed_by else [])})
            return View(
                row=row,
                begun_by=names.get(row.begun_by, ""),
                closed_by=names.get(row.closed_by, "") if row.closed_by else "",
                panel=[(person, names[person], chair) for person, chair in panel.items()],
                said={row[0]: row[1] for row in said},
                verdicts=verdicts,
                stopped=stopped,
                unjudged=unjudged,
                member=member,
                chair=bool(identity.person_id and panel.get(identity.person_id)),
                whole=closed and shown_all(self._guard, session, identity, row.id, sits=identity.person_id in panel),
                reports=kept_reports(session, row.id) if closed else (),
                secret=member and session.scalar(marked) is not None,
            )

    def items(
        self, identity: Identity, appraisal_id: UUID, which: Filter, *, after: int = 0, limit: int
    ) -> Sequence[ItemShown]:
        """Return items behind a position, in the order of the list. Raises ``NotFound``."""
        with self._db.reading() as session:
            row, _, member = self._seen(session, identity, appraisal_id)
            shown = seen_items(self._guard, session, identity, member=member)
            query = select(AppraisalItem).where(
                AppraisalItem.appraisal_id == row.id, AppraisalItem.position > after, shown,
                *conditions(which, identity.person_id),
            )  # fmt: skip
            rows = session.scalars(query.order_by(AppraisalItem.position).limit(limit)).all()
            found: list[ItemShown] = []
            for start in range(0, len(rows), 500):
                found += self._filled(session, identity, row, rows[start : start + 500], member=member)
            return found

    def _seen(self, session: Session, identity: Identity, key: UUID) -> tuple[Appraisal, Mapping[UUID, bool], bool]:
        panel = panel_of(session, [key])[key]
        row = appraisal(session, key)
        member = identity.person_id in panel and row.state is not AppraisalState.DRAFT
        if not member and not may(Act.SEE_APPRAISALS, self._guard.reach(session, identity)):
            raise NotFound
        return row, panel, member and row.state is AppraisalState.OPEN

    def _filled(
        self, session: Session, identity: Identity, row: Appraisal, items: Sequence[AppraisalItem], *, member: bool
    ) -> list[ItemShown]:
        ids = [each.record_id for each in items]
        reads = self._guard.seen(session, identity, ids)
        told = self._guard.visible(session, identity, Act.JUDGE if member else Act.READ)
        records = {each.id: each for each in session.scalars(told.where(Record.id.in_(ids)))}
        open_ = row.state in {AppraisalState.DRAFT, AppraisalState.OPEN}
        now = stops(session, ids, self._guard.day()) if open_ else {}
        shown = [key for key in ids if key in records]
        opinions, advice = self._opinions(session, row, shown), advice_on(session, self._vault, row.id, shown)
        lines = self._lines(session, identity, row, ids)
        found = []
        for each in items:
            record, line = records.get(each.record_id), lines.get(each.position)
            archive = line.archive if line else record.archive_number if record else None
            said = [Opinion(*one, "") for one in line.said] if line else opinions.get(each.record_id, ())
            found.append(
                ItemShown(
                    row=each,
                    title=record.title if record else None,
                    number=archive or each.number,
                    registered=not archive,
                    level_rank=record.level_rank if record else None,
                    category=record.category_id if record else None,
                    drawn_up=(record.drawn_up or "") if record else "",
                    reads=each.record_id in reads,
                    stop=now.get(each.record_id) if open_ else each.stopped,
                    opinions=said,
                    advice=advice.get(each.record_id, ()),
                    line=line,
                )
            )
        return found

    def _lines(self, session: Session, identity: Identity, row: Appraisal, ids: Sequence[UUID]) -> Mapping[int, Line]:
        """Return what the report says of records that are gone, by position; opinions end with their record."""
        if row.state is not AppraisalState.CLOSED:
            return {}
        gone = set(ids) - set(session.scalars(select(Record.id).where(Record.id.in_(ids))))
        sits = identity.person_id in panel_of(session, [row.id])[row.id]
        if not gone or not shown_all(self._guard, session, identity, row.id, sits=sits):
            return {}
        return gone_lines(session, row.id, gone)

    def _opinions(self, session: Session, row: Appraisal, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Opinion]]:
        if not ids:
            return {}
        query = select(AppraisalOpinion).where(
            AppraisalOpinion.appraisal_id == row.id, AppraisalOpinion.record_id.in_(ids)
        )
        rows = session.scalars(query.order_by(AppraisalOpinion.said_at, AppraisalOpinion.person_id)).all()
        sealed = [
            (each.record_id, each.sealed, opinion_context(row.id, each.record_id, each.person_id)) for each in rows
        ]
        found: dict[UUID, list[Opinion]] = {}
        for each, text in zip(rows, self._vault.open_many(session, sealed), strict=True):
            why = json.loads(text)["why"] if text else ""
            found.setdefault(each.record_id, []).append(Opinion(each.person_id, each.verdict, each.until, why))
        return found


def _names(session: Session, people: set[UUID]) -> Mapping[UUID, str]:
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))
    return {row.id: row.name for row in rows}
