"""A number rule in words: what each part of its numbers is, and what begins a new count."""

from collections.abc import Callable, Mapping
from typing import Any

from archive.numbering.rule import Rule
from archive.numbering.words import explain
from web.words import mark, translator

PARTS: Mapping[str, str] = {
    "rule_fonds": mark("the fonds' code"),
    "rule_class": mark("the class: the root of the category's branch"),
    "rule_category": mark("the category's code"),
    "rule_year": mark("the year it was drawn up"),
    "rule_filed_year": mark("the year it was filed"),
    "rule_term": mark("the retention period"),
    "rule_department": mark("the department's code"),
    "rule_dossier": mark("the dossier's number"),
    "rule_project": mark("the project's code"),
    "rule_building": mark("the building's code"),
    "rule_unit": mark("the unit's code"),
    "rule_room": mark("the room's code"),
    "rule_date": mark("the day it was drawn up"),
    "rule_mark": mark("the neutral mark of the level or group"),
}
"""Fields of a rule, as they follow each other in its numbers."""

SERIAL = mark("the running number, at least %(width)s digits")
TEXT = mark("the text %(text)s")
WIDE = mark("%(part)s, in %(width)s places")
OPTIONAL = mark("if the record has it: %(parts)s")
COUNTS = mark("A new count begins with each: %(fields)s.")


def rule_lines(rule: Rule, locale: str) -> list[str]:
    """Return what stands in the rule's numbers, part by part, and by what they are counted."""
    gettext = translator(locale)
    return [_said(code, facts, gettext) for code, facts in explain(rule)]


def _said(code: str, facts: Mapping[str, Any], gettext: Callable[..., str]) -> str:
    joint = gettext(mark(", "))
    match code:
        case "rule_text":
            return gettext(TEXT, text=facts["text"])
        case "rule_serial":
            return gettext(SERIAL, width=facts["width"])
        case "rule_optional":
            return gettext(OPTIONAL, parts=joint.join(_said(inner, about, gettext) for inner, about in facts["parts"]))
        case "rule_counts_by":
            fields = (gettext(PARTS[f"rule_{name}"]) for name in facts["fields"])
            return gettext(COUNTS, fields=joint.join(fields))
        case _:
            part = gettext(PARTS[code])
            return gettext(WIDE, part=part, width=facts["width"]) if facts["width"] else part
