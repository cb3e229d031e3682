"""What a record's page says of its clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from archive.identity import Role
from archive.model import DueState, Record, RecordState, Transfer
from retention.board import Told
from retention.rules import Due
from web.i18n import current_locale
from web.retention.events import kinds
from web.retention.matters import kinds as matter_kinds
from web.services import identity, services
from web.words.retention import ACTIONS, due_words, reason_words, rule_words, said


def kept_by(record: Record) -> Mapping[str, Any]:
    """Return what a record's page shows of holds and events; names of holds only to who may see them."""
    acts = services().retention
    return {
        "held_by": acts.holds.on(identity(), record.id),
        "handed_over": _handed_over(record),
        "secrecy": acts.secrecy.told(identity(), record.id),
        "events": acts.events.of_record(identity(), record.id),
        "event_kinds": kinds() if Role.ARCHIVIST in identity().roles else [],
        "matters": acts.matters.of_record(identity(), record.id),
        "matter_kinds": matter_kinds() if Role.ARCHIVIST in identity().roles else [],
    }


def _handed_over(record: Record) -> Transfer | None:
    with services().db.reading() as session:
        return services().retention.transfers.of_record(session, record.id)


@dataclass(frozen=True)
class Clock:
    """A filed record's clock in words: its day or state, why, its schedule's rule, and what is to be done then."""

    told: Told
    due: str
    fell: bool
    why: str
    rule: str
    action: str

    @property
    def other(self) -> Any:
        """The record of its dossier whose clock counts, if it may be seen."""
        return self.told.other


def retained(record: Record) -> Clock | None:
    """Return what its page says of a record's clock; None: it is not filed."""
    if record.state is not RecordState.FILED:
        return None
    told = services().retention.board.told(identity(), record.id)
    if told is None:
        return None
    locale, due = current_locale(), told.reckoned.due
    return Clock(
        told=told,
        due=due_words(due.state, due.day, locale),
        fell=_fell(due, services().guard.day()),
        why=reason_words(told, locale),
        rule=rule_words(told.rule, locale) if told.rule else "",
        action=said(ACTIONS, told.rule.action, locale) if told.rule else "",
    )


def _fell(due: Due, day: date) -> bool:
    return due.state is DueState.DATED and due.day is not None and due.day <= day
