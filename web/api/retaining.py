"""What is due, events that start clocks, and holds. Each operation is one call of its service."""

from datetime import date
from typing import Any
from uuid import UUID

from archive.errors import NotFound, WrongState
from archive.model import Hold, HoldKind, Record, RetentionEvent
from retention.board import Asked
from retention.events import Entered
from retention.holds import Wanted
from web import paging
from web.api import clocks
from web.api.names import behind, page
from web.api.operations import operation
from web.i18n import current_locale
from web.services import identity, services
from web.words.retention import reason_words


@operation("/retention/due")
def terms_due(query: clocks.TermList) -> clocks.TermPage:
    """List what is due, by year, category and place. Nothing is ever destroyed by that."""
    asked = Asked(query.state, query.ahead, query.year, query.category, query.place)
    after = behind(query.cursor, _place)
    found = services().retention.board.list(identity(), asked, after=after, limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda row: f"{row.due or ''}_{row.record_id.hex}")
    records = [
        clocks.TermShown(
            record=row.record_id,
            registration_number=row.registration_number,
            number=row.archive_number,
            title=row.title,
            state=row.state,
            due=row.due,
            found_due_on=row.noticed_on,
        )
        for row in shown
    ]
    return clocks.TermPage(records=records, next=following)


def _place(text: str) -> tuple[date | None, UUID] | None:
    day, _bar, key = text.partition("_")
    try:
        return date.fromisoformat(day) if day else None, UUID(key)
    except ValueError:
        return None


@operation("/secrecy", 403)
def secrecy(query: clocks.SecrecyList) -> clocks.SecrecyPage:
    """List how long records are secret. The end of a period changes nothing by itself: a review decides."""
    place = behind(query.cursor, _place)
    after = (place[0] or date.min, place[1]) if place else None
    found = services().retention.secrecy.list(
        identity(), query.standing, category=query.category, after=after, limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda row: f"{row.period.ends or ''}_{row.record.id.hex}")
    records = [
        clocks.SecretShown(
            record=row.record.id,
            number=row.record.archive_number,
            title=row.record.title,
            level=row.record.level_rank,
            marked=row.period.since,
            until=row.period.ends,
            standing=row.standing,
        )
        for row in shown
    ]
    return clocks.SecrecyPage(records=records, next=following)


@operation("/records/{record_id}/term", 403, 404, 409)
def record_term(record_id: UUID) -> clocks.TermOfRecord:
    """Say when a filed record's term has run out, and why."""
    told = services().retention.board.told(identity(), record_id)
    if told is None:
        with services().db.reading() as session:
            row = session.get(Record, record_id)
        if row is None:
            raise NotFound
        raise WrongState(state=row.state.value, act="record.term")
    due_, own = told.reckoned.due, told.reckoned.own
    return clocks.TermOfRecord(
        record=record_id,
        state=due_.state,
        due=due_.day,
        schedule=told.schedule.code if told.schedule else None,
        trigger=own.trigger,
        counted_from=own.start,
        term=own.term.code if own.term else None,
        of_dossier=told.of_dossier,
        why=reason_words(told, current_locale()),
    )


@operation("/events")
def events(query: clocks.EventList) -> clocks.EventPage:
    """List the events of records that you read, and of subjects if you keep them."""
    found = services().retention.events.list(identity(), after=behind(query.cursor, paging.read), limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda each: paging.told((each.event.entered_at, each.event.id)))
    return clocks.EventPage(events=[_event(each) for each in shown], next=following)


def _event_again(event_id: UUID) -> clocks.EventShown:
    with services().db.reading() as session:
        return _event(Entered(session.get_one(RetentionEvent, event_id), "", "", None))


@operation("/records/{record_id}/events", 403, 404, method="POST", status=201)
def enter_event(record_id: UUID, body: clocks.NewEvent) -> clocks.EventShown:
    """Enter an event of a record; of a dossier it counts for all its items. Days follow at once."""
    key = services().retention.events.enter_of_record(identity(), record_id, body.event, body.day, body.note)
    return _event_again(key)


@operation("/subjects/{subject_id}/events", 403, 404, method="POST", status=201)
def enter_event_of_subject(subject_id: UUID, body: clocks.NewEvent) -> clocks.EventShown:
    """Enter an event of a subject: it counts for all its records."""
    key = services().retention.events.enter_of_subject(identity(), subject_id, body.event, body.day, body.note)
    return _event_again(key)


@operation("/events/{event_id}/undoing", 403, 404, 409, method="POST", again=_event_again)
def undo_event(event_id: UUID, body: clocks.Why) -> clocks.EventShown:
    """Undo an event that was entered wrongly; it stays, and counts no more."""
    services().retention.events.undo(identity(), event_id, body.reason)
    return _event_again(event_id)


def _event(each: Entered) -> clocks.EventShown:
    row = each.event
    return clocks.EventShown(
        event=row.id,
        kind=row.kind,
        day=row.day,
        record=row.record_id,
        subject=row.subject_id,
        note=each.note,
        entered_at=row.entered_at,
        undone_at=row.undone_at,
    )


@operation("/holds", 403)
def holds(query: clocks.HoldList) -> clocks.HoldPage:
    """List the holds that stand, or those that were released."""
    found = services().retention.holds.every(
        identity(), released=query.released, after=behind(query.cursor, paging.read), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda row: paging.told((row.placed_at, row.id)))
    return clocks.HoldPage(holds=[_hold(each) for each in shown], next=following)


def _hold_again(hold_id: UUID) -> clocks.HoldShown:
    with services().db.reading() as session:
        return _hold(session.get_one(Hold, hold_id))


@operation("/holds/{hold_id}", 403, 404)
def hold(hold_id: UUID) -> clocks.HoldShown:
    """Show a hold."""
    return _hold(services().retention.holds.show(identity(), hold_id, 1)[0])


@operation("/holds", 403, 404, method="POST", status=201, made_at="/holds/{hold}")
def place_hold(body: clocks.NewHold) -> clocks.HoldShown:
    """Place a hold: what it covers is neither corrected nor destroyed from now on, nor what comes under it later."""
    covers: dict[str, Any]
    if body.kind is HoldKind.QUERY and body.query is not None:
        covers = body.query.model_dump(mode="json")
    else:
        covers = {"path": body.path} if body.kind is HoldKind.PLACE else {"id": str(body.id)}
    wanted = Wanted(body.kind, covers, body.name, body.reason, body.authority, body.review_on)
    return _hold_again(services().retention.holds.place(identity(), wanted))


@operation("/holds/{hold_id}/release", 403, 404, 409, method="POST", again=_hold_again)
def release_hold(hold_id: UUID, body: clocks.Why) -> clocks.HoldShown:
    """Release a hold that another person placed."""
    services().retention.holds.release(identity(), hold_id, body.reason)
    return _hold_again(hold_id)


def _hold(row: Hold) -> clocks.HoldShown:
    return clocks.HoldShown(
        hold=row.id,
        kind=row.kind,
        name=row.name,
        reason=row.reason,
        authority=row.authority,
        review_on=row.review_on,
        placed_at=row.placed_at,
        released_at=row.released_at,
        ready=row.swept_at is not None,
    )
