"""What schedules, clocks and events are called, and why a record is due when it is, in one sentence."""

from collections.abc import Mapping
from typing import Any

from archive.model import DueState, HoldKind
from retention.board import Told
from retention.previewing import Moved
from retention.rules import Action, Due, Rule, Start, Trigger
from web.words import mark, named, translator
from web.words.records import term_words, word

TRIGGERS: Mapping[str, str] = {
    Trigger.YEAR_END: mark("end of the year in which it was drawn up"),
    Trigger.DRAWN_UP: mark("day on which it was drawn up"),
    Trigger.FILING: mark("day of filing"),
    Trigger.FISCAL_YEAR_END: mark("end of the fiscal year"),
    Trigger.EVENT: mark("an event"),
}
STARTS: Mapping[str, str] = {
    Start.NEXT_JANUARY: mark("from the next 1 January"),
    Start.NEXT_DAY: mark("from the next day"),
    Start.SAME_DAY: mark("from the day itself"),
}
ACTIONS: Mapping[str, str] = {
    Action.APPRAISE: mark("appraise, and propose destruction"),
    Action.REVIEW: mark("review"),
    Action.TRANSFER: mark("transfer to another archive"),
    Action.KEEP: mark("keep on"),
}
EVENTS_SAID: Mapping[str, str] = {
    "contract_end": mark("end of the contract"),
    "leaving": mark("person left"),
    "scrapping": mark("equipment scrapped"),
    "handover": mark("project handed over"),
    "case_closed": mark("case closed"),
}
STATES: Mapping[str, str] = {
    DueState.DATED: mark("has a day"),
    DueState.NEVER: mark("kept for good"),
    DueState.WAITING: mark("waits for an event"),
    DueState.UNDATED: mark("its date is not known"),
    DueState.UNRULED: mark("has no schedule"),
}
HOLD_KINDS: Mapping[str, str] = {
    HoldKind.RECORD: mark("one record"),
    HoldKind.DOSSIER: mark("a dossier with all its items"),
    HoldKind.CATEGORY: mark("a category"),
    HoldKind.PLACE: mark("a place"),
    HoldKind.SHELF: mark("a room, cabinet, shelf or box with what lies there"),
    HoldKind.QUERY: mark("a saved query"),
}
MOVES: Mapping[str, str] = {
    Moved.DUE_AT_ONCE: mark("due at once"),
    Moved.SOONER: mark("due sooner"),
    Moved.LATER: mark("due later"),
    Moved.GETS_DAY: mark("gets a day"),
    Moved.LOSES_DAY: mark("loses its day"),
    Moved.OTHERWISE: mark("without a day for another reason"),
}


def said(table: Mapping[str, str], value: str, locale: str) -> str:
    """Return what one of these tables calls a value."""
    return word(table, value, locale)


def rule_words(rule: Rule, locale: str) -> str:
    """Write a rule in a line: term, what starts the clock, from when."""
    gettext = translator(locale)
    term = term_words(rule.term.code, locale) if rule.term else gettext(mark("each record's own term"))
    if rule.term and rule.term.permanent:
        return term
    trigger = (
        said(EVENTS_SAID, rule.event, locale) if rule.trigger is Trigger.EVENT else said(TRIGGERS, rule.trigger, locale)
    )
    exact = gettext(mark("exactly")) if rule.exact else gettext(mark("at least"))
    start = said(STARTS, rule.start, locale)
    facts = {"exact": exact, "term": term, "trigger": trigger, "start": start}
    if rule.term is None:
        return gettext(mark("%(term)s after: %(trigger)s, %(start)s"), **facts)
    return gettext(mark("%(exact)s %(term)s after: %(trigger)s, %(start)s"), **facts)


def due_words(state: DueState | None, day: Any, locale: str) -> str:
    """Write how a clock stands: its day, or why there is none."""
    if day is not None:
        return str(day.isoformat())
    return said(STATES, state, locale) if state else "—"


def reason_words(told: Told, locale: str) -> str:
    """Say in one sentence why a record is due when it is, or not."""
    gettext = translator(locale)
    if told.of_dossier:
        day = told.reckoned.due.day
        if day is None:
            facts = {"why": said(STATES, told.reckoned.due.state, locale)}
            return gettext(
                mark("A dossier's items are appraised together, and of another record of this one: %(why)s."), **facts
            )
        return gettext(
            mark("A dossier's items are appraised together; the longest of their terms runs out on %(day)s."),
            day=day.isoformat(),
        )
    return _own(told.reckoned.due, told, locale)


def _own(due: Due, told: Told, locale: str) -> str:
    gettext = translator(locale)
    rule = told.rule
    if due.state is DueState.NEVER:
        renewed, permanent = mark("A renewal keeps it for good."), mark("It is kept for good: its term is permanent.")
        return gettext(renewed if due.kept_on else permanent)
    if due.state is DueState.UNRULED or rule is None:
        return gettext(mark("No schedule says from when its term is counted, so it is never listed as due."))
    if due.state is DueState.WAITING:
        event = said(EVENTS_SAID, rule.event, locale)
        return gettext(mark("Its term begins with an event that has not been entered yet: %(event)s."), event=event)
    if due.state is DueState.UNDATED or due.trigger is None or due.start is None or due.term is None:
        return gettext(mark("The day that its term is counted from is not known: it has no date."))
    if due.kept_on:
        return gettext(
            mark("An appraisal or a renewal has kept it on until %(day)s."), day=due.day.isoformat() if due.day else ""
        )
    trigger = (
        said(EVENTS_SAID, rule.event, locale) if rule.trigger is Trigger.EVENT else said(TRIGGERS, rule.trigger, locale)
    )
    facts = {
        "trigger": trigger,
        "trigger_day": due.trigger.isoformat(),
        "start": due.start.isoformat(),
        "term": term_words(due.term.code, locale),
        "day": due.day.isoformat() if due.day else "",
    }
    return gettext(
        mark("Counted from %(start)s (%(trigger)s: %(trigger_day)s), its term of %(term)s runs out on %(day)s."),
        **facts,
    )


def schedule_name(row: Any, locale: str) -> str:
    """Return a schedule's name, or its code."""
    return named(row.names, locale) or str(row.code)
