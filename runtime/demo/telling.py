"""What falls due in the demonstration: reviews, a request that waits, a right that ends, and the calendar of a year."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select

from archive.identity import Identity, Role
from archive.model import DayRule, Deadline, Person, PersonRole, Record, RecordKind, RecordState
from archive.reminding.workdays import NamedDay
from runtime.wiring.parts import Parts

REVIEWS = (-20, -2, 0, 5, 7, 30, 200)
"""Days from now on which vital records are to be reviewed; those before today were noted while it was still to come."""


def tell(parts: Parts) -> None:
    """Mark vital records, enter the calendar, let a right run out, and tell what is due; once."""
    with parts.db.reading() as session:
        if session.scalar(select(func.count()).select_from(DayRule)):
            return
        filed = select(Record.id).where(
            Record.state == RecordState.FILED, Record.kind == RecordKind.ITEM, Record.level_rank <= 2
        )
        records = session.scalars(filed.order_by(Record.id).limit(len(REVIEWS) + 1)).all()
        people = dict(session.execute(select(Person.login, Person.id)).all())
        archivist = session.scalar(select(Person.login).join(PersonRole).where(PersonRole.role == Role.ARCHIVIST))
        security = session.scalar(select(Person.login).join(PersonRole).where(PersonRole.role == Role.SECURITY_ADMIN))
    day = parts.guard.day()
    if archivist is None:
        return
    who = parts.people.identity_of(archivist)
    parts.telling.workdays.set_days(who, _holidays(day.year))
    for record, days in zip(records, REVIEWS, strict=False):
        parts.vital.mark(who, [record], day + timedelta(days if days > 0 else 1))
        if days <= 0:
            _as_if_noted_before(parts, record, day + timedelta(days))
    if security is not None and "staff" in people:
        _right_that_ends(parts, parts.people.identity_of(security), people["staff"], day + timedelta(3))
    parts.telling.sweep.run()


def _right_that_ends(parts: Parts, who: Identity, person: UUID, until: date) -> None:
    with parts.db.reading() as session:
        fonds = session.scalar(select(Record.fonds_id).limit(1))
    if fonds is not None:
        parts.rights.grant(who, person, fonds_id=fonds, until=until)


def _as_if_noted_before(parts: Parts, record: UUID, review: date) -> None:
    """Let the day of a review have come: as it would after the demonstration had stood for weeks."""
    with parts.db.writing() as work:
        row = work.session.scalars(select(Deadline).where(Deadline.subject_id == record)).one()
        row.due, row.since = review, None
        work.session.get_one(Record, record).vital_review = review
        work.commit()


def _holidays(year: int) -> list[NamedDay]:
    """Return a year's holidays on fixed days; those of the moon's calendar a house enters by its own notice."""
    fixed = [(1, 1, "元旦"), (5, 1, "劳动节"), (10, 1, "国庆节"), (10, 2, "国庆节"), (10, 3, "国庆节")]
    return [NamedDay(date(year, month, day), works=False, name=name) for month, day, name in fixed]
