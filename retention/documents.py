"""Schedules as plain data: read, checked, written; and those that ship."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from archive.errors import Fault, InvalidInput
from archive.scheme.document import read_yaml
from archive.scheme.fields import check_names
from archive.terms import BadTerm, parse_term
from retention.rules import Action, Rule, Start, Trigger

EVENTS = ("contract_end", "leaving", "scrapping", "handover", "case_closed")
"""Kinds of events that every house has; others are a house's own codes."""

EVENT_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_KEYS = frozenset({"term", "trigger", "start", "action", "exact", "event", "fiscal_end", "source"})
_SOURCE = 300


def rule_of(definition: Mapping[str, Any]) -> Rule:
    """Read a rule from a definition that was checked before."""
    term, month_day = definition.get("term"), str(definition.get("fiscal_end") or "12-31")
    month, day = (int(part) for part in month_day.split("-"))
    return Rule(
        term=parse_term(str(term)) if term else None,
        trigger=Trigger(definition.get("trigger", Trigger.YEAR_END)),
        start=Start(definition.get("start", Start.NEXT_JANUARY)),
        action=Action(definition.get("action", Action.APPRAISE)),
        exact=bool(definition.get("exact")),
        event=str(definition.get("event") or ""),
        fiscal_end=(month, day),
        source=str(definition.get("source") or ""),
    )


def checked(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition in its one form, with every key.

    Raises:
        InvalidInput: names each field at fault.
    """
    faults = [Fault(str(key)[:40], "unknown_key") for key in definition if key not in _KEYS]
    for name, kind in (("trigger", Trigger), ("start", Start), ("action", Action)):
        if name in definition and definition[name] not in list(kind):
            faults.append(Fault(name, "unknown"))
    if definition.get("term"):
        try:
            parse_term(str(definition["term"]))
        except BadTerm as bad:
            faults += bad.faults
    event = str(definition.get("event") or "")
    waits = definition.get("trigger") == Trigger.EVENT
    if waits and not EVENT_CODE.fullmatch(event):
        faults.append(Fault("event", "bad_code", {"value": event[:40]} if event else {"value": ""}))
    source = str(definition.get("source") or "").strip()
    if not source:
        faults.append(Fault("source", "required"))
    if len(source) > _SOURCE:
        faults.append(Fault("source", "too_long", {"limit": _SOURCE, "length": len(source)}))
    ends = str(definition.get("fiscal_end") or "12-31")
    if not re.fullmatch(r"(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])", ends):
        faults.append(Fault("fiscal_end", "bad_date", {"text": ends[:40], "part": "form"}))
    if faults:
        raise InvalidInput(*faults)
    rule = rule_of(definition)
    return {
        "term": rule.term.code if rule.term else None,
        "trigger": rule.trigger.value,
        "start": rule.start.value,
        "action": rule.action.value,
        "exact": rule.exact,
        "event": rule.event if rule.trigger is Trigger.EVENT else "",
        "fiscal_end": f"{rule.fiscal_end[0]:02}-{rule.fiscal_end[1]:02}",
        "source": source,
    }


def check_code(code: str, names: Mapping[str, str]) -> None:
    """Check what a schedule is called. Raises ``InvalidInput``."""
    faults = check_names(names, "names")
    if not _CODE.fullmatch(code):
        faults.append(Fault("code", "bad_code", {"value": code[:40]}))
    if faults:
        raise InvalidInput(*faults)


@dataclass(frozen=True)
class Shipped:
    """A schedule that ships, and the codes of the shipped schemes' categories that it stands on."""

    code: str
    names: Mapping[str, str]
    definition: Mapping[str, Any]
    categories: Sequence[str]


@cache
def shipped() -> Sequence[Shipped]:
    """Return the schedules that ship, in the order of their file."""
    data = read_yaml((Path(__file__).parent / "schedules.yaml").read_bytes(), "schedules")
    return tuple(
        Shipped(
            each["code"],
            each["names"],
            checked({key: each[key] for key in _KEYS if key in each}),
            tuple(each.get("categories", ())),
        )
        for each in data["schedules"]
    )
