"""What a change of the calendar does to days that are counted in working days and are still to come about.

Clocks of required papers that are not met, and the days by which corrections are to be decided, are reckoned anew in a
job: it asks what is otherwise by the calendar of now, so that it may run twice, and break off. Each day that moves is
logged on its record, and told once to whom its reminders go.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.cataloguing.corrections import DAYS
from archive.database import Database, Work, rows_by_id
from archive.errors import NotFound
from archive.identity import Identity, system
from archive.log.writer import Log
from archive.model import Approval, ApprovalState, Deadline, DeadlineKind, DeadlineState, DossierClock, Record
from archive.model.required import NEVER, RequiredPapers
from archive.policy.facts import facts_of_many
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Allowed, Deadlines, Watch, find_deadline
from archive.reminding.messages import Messages, Told
from archive.reminding.rules import Stage
from archive.reminding.subjects import subject_rows
from archive.reminding.workdays import Calendar, add_working_days, calendar_of
from archive.required.standing import clocks
from archive.required.template import Template
from archive.required.templates import template_of

BATCH = 200
"""Dossiers, or requests, that are looked at at once."""

MOVED = "moved"
"""The stage of the message that says that a day has moved."""


@dataclass(frozen=True)
class Shift:
    """A day that is otherwise by a calendar. ``clock`` is the code of a dossier's clock; "": a correction's day."""

    kind: DeadlineKind
    subject_id: UUID
    record_id: UUID
    clock: str
    before: date
    after: date


class CalendarMoves:
    """Says what a calendar would move, and moves it."""

    def __init__(self, db: Database, guard: Guard, log: Log, messages: Messages, watches: Sequence[Watch]) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._messages = messages
        self._watches = {each.kind: each for each in watches}
        self._deadlines = Deadlines(guard)

    def preview(self, identity: Identity, change: Callable[[Calendar], Calendar]) -> list[Shift]:
        """Return what would move by a changed calendar, of records that this person reads.

        Raises:
            NotAllowed: not one of those who manage schemes.
        """
        found: list[Shift] = []
        with self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            calendar = change(calendar_of(session))
            for shifts in self._shifts(session, calendar):
                seen = self._guard.seen(session, identity, list({each.record_id for each in shifts}))
                found += [each for each in shifts if each.record_id in seen]
        return found

    def run(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Move what is otherwise by the calendar of now; return how many dossiers and requests moved."""
        with self._db.reading() as session:
            calendar = calendar_of(session)
            late = dict.fromkeys((e.kind, e.subject_id) for part in self._shifts(session, calendar) for e in part)
        moved = 0
        for kind, subject in late:
            if not go_on():
                break
            with self._db.writing() as work:
                move = self._move_clocks if kind is DeadlineKind.DOSSIER_CLOCK else self._move_correction
                moved += move(work, subject)
                work.commit()
        return moved

    def _shifts(self, session: Session, calendar: Calendar) -> Iterator[list[Shift]]:
        """Yield what is otherwise by a calendar, in batches."""
        templates: dict[tuple[str, int], Template | None] = {}
        running = select(DossierClock.dossier_id).where(DossierClock.met_on.is_(None)).distinct()
        after: UUID | None = None
        while True:
            query = select(RequiredPapers).where(RequiredPapers.dossier_id.in_(running))
            if after is not None:
                query = query.where(RequiredPapers.dossier_id > after)
            rows = session.scalars(query.order_by(RequiredPapers.dossier_id).limit(BATCH)).all()
            if not rows:
                break
            yield [shift for row in rows for shift in _of_dossier(session, row, calendar, templates)]
            after = rows[-1].dossier_id
        waiting = select(Deadline).where(Deadline.kind == DeadlineKind.CORRECTION, Deadline.state == DeadlineState.OPEN)
        due = session.scalars(waiting.order_by(Deadline.id)).all()
        for start in range(0, len(due), BATCH):
            yield [s for row in due[start : start + BATCH] if (s := self._of_correction(session, row, calendar))]

    def _of_correction(self, session: Session, row: Deadline, calendar: Calendar) -> Shift | None:
        asked = session.get(Approval, row.subject_id)
        if asked is None or asked.state is not ApprovalState.ASKED or row.record_id is None:
            return None
        due = add_working_days(calendar, self._guard.day(asked.asked_at), DAYS)
        return Shift(row.kind, row.subject_id, row.record_id, "", row.due, due) if due != row.due else None

    def _move_clocks(self, work: Work, dossier_id: UUID) -> bool:
        session = work.session
        row = session.get(RequiredPapers, dossier_id, with_for_update=True)
        shifts = _of_dossier(session, row, calendar_of(session), {}) if row is not None else []
        if row is None or not shifts:
            return False
        own = select(DossierClock).where(DossierClock.dossier_id == row.dossier_id)
        kept = {each.clock: each for each in session.scalars(own)}
        for shift in shifts:
            kept[shift.clock].due = shift.after
        row.next_due = min((each.due for each in kept.values() if each.met_on is None), default=NEVER)
        body = {"clocks": {each.clock: [str(each.before), str(each.after)] for each in shifts}}
        self._log.note(session, system("calendar"), "dossier.clock", record=dossier_id, body=body)
        self._due(work, DeadlineKind.DOSSIER_CLOCK, dossier_id, row.next_due, dossier_id)
        return True

    def _move_correction(self, work: Work, approval_id: UUID) -> bool:
        session = work.session
        row = find_deadline(session, DeadlineKind.CORRECTION, approval_id)
        shift = self._of_correction(session, row, calendar_of(session)) if row is not None else None
        if row is None or shift is None or row.state is not DeadlineState.OPEN:
            return False
        body = {"before": str(shift.before), "after": str(shift.after)}
        self._log.note(session, system("calendar"), "correction.due", record=shift.record_id, body=body)
        self._due(work, shift.kind, approval_id, shift.after, shift.record_id)
        return True

    def _due(self, work: Work, kind: DeadlineKind, subject: UUID, due: date, record_id: UUID) -> None:
        """Note the day on which it falls due now, and tell it if it is another one."""
        session, watch = work.session, self._watches[kind]
        row = find_deadline(session, kind, subject)
        if row is None or row.due == due:
            return
        self._deadlines.set(session, kind, subject, due, record_id)
        facts = facts_of_many(session, rows_by_id(session, Record, [record_id]).values())
        allowed = Allowed(self._guard, session, facts)
        about = subject_rows(session, self._watches, [row]).get(subject)
        people = dict.fromkeys(watch.recipients(session, Stage(0), about))
        once = f"due:{row.id.hex}:{due}:{MOVED}"
        notes = [
            Told(each, f"due.{kind.value}", once, stage=MOVED, due=due, record=record_id, subject=subject)
            for each in people if allowed.is_told(each, watch.act, record_id)
        ]  # fmt: skip
        if count := self._messages.tell(work, notes):
            self._log.note(session, system("calendar"), "message.tell", body={"count": count})


def _of_dossier(
    session: Session, row: RequiredPapers, calendar: Calendar, kept: dict[tuple[str, int], Template | None]
) -> list[Shift]:
    """Return the running clocks of a dossier whose day is another one by a calendar."""
    key = (row.template, row.template_version)
    if key not in kept:
        try:
            kept[key] = template_of(session, *key)
        except NotFound:
            kept[key] = None
    template = kept[key]
    if template is None or not any(each.working for each in template.clocks):
        return []
    own = select(DossierClock).where(DossierClock.dossier_id == row.dossier_id, DossierClock.met_on.is_(None))
    stood = {each.clock: each.due for each in session.scalars(own)}
    counted = [each for each in clocks(template, row.facts, calendar) if each.rule.working]
    return [
        Shift(
            DeadlineKind.DOSSIER_CLOCK, row.dossier_id, row.dossier_id, each.rule.code, stood[each.rule.code], each.due
        )
        for each in counted
        if stood.get(each.rule.code, each.due) != each.due
    ]
