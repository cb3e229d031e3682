"""How an entry of the log tells what it is about: one line a fact, in words."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from archive.people.sign_in import TOKEN_OPERATOR
from archive.personal import mask
from web.i18n import current_locale
from web.words import mark, translator
from web.words.appraisals import MATTERS
from web.words.appraisals import VERDICTS as APPRAISED
from web.words.channels import CHANNELS
from web.words.faults import field_label
from web.words.fields import FIELDS
from web.words.proposals import rule_words
from web.words.records import KINDS, masked
from web.words.retention import EVENTS_SAID
from web.words.secrecy import VERDICTS as REVIEWED
from web.words.shelves import CARRIERS, CONDITIONS

FACTS: Mapping[str, str] = {
    "about": mark("What it is about"),
    "appraisal": mark("Appraisal"),
    "authority": mark("Authority"),
    "channel": mark("Way out"),
    "circulation": mark("Circulation slip"),
    "day": mark("Day"),
    "excerpt": mark("Excerpt"),
    "first": mark("From page"),
    "found": mark("Found"),
    "last": mark("To page"),
    "loan": mark("Loan"),
    "masked": mark("Black parts"),
    "note": mark("Note"),
    "numbers": mark("Numbers"),
    "operator": mark("Operator"),
    "path": mark("Place"),
    "receiver": mark("Receiving archive"),
    "rows": mark("Rows"),
    "sha256": mark("SHA-256"),
    "state": mark("State"),
    "use": mark("Visit"),
    "years": mark("Years longer"),
}
"""What facts are called that no form asks for."""

VALUES: Mapping[str, str] = {
    **KINDS, **MATTERS, **EVENTS_SAID, **APPRAISED, **REVIEWED, **CARRIERS, **CONDITIONS,
    **{channel.value: words for channel, words in CHANNELS.items()},
    "excerpt": mark("excerpt"),
}  # fmt: skip
"""Values that are codes, in the facts of ``CODED``."""

PARTS: Mapping[str, str] = {
    "backup": mark("backups"),
    "bin": mark("the bin"),
    "calendar": mark("calendar of work"),
    "deadlines": mark("deadlines"),
    "demo": mark("demonstration"),
    "destruction": mark("destructions"),
    "extract": mark("reading of files"),
    "fixity": mark("checks of stored files"),
    "import": mark("import by the operator"),
    "loans": mark("loans"),
    "messages": mark("messages"),
    "move": mark("moving house"),
    "operator": mark("the machine's operator"),
    "rehearsal": mark("rehearsal of a restore"),
    "rendition": mark("renditions"),
    "restore": mark("restoring"),
    "retention": mark("retention"),
    "setup": mark("setting up"),
    "transfer": mark("transfers"),
    "unpack": mark("unpacking"),
}
"""What the parts of the system that act by themselves are called."""

CODED = frozenset({"about", "carrier", "channel", "condition", "event", "kind", "verdict"})
HIDDEN = frozenset({"before", "after", "content", "person"})
"""Facts that are shown by themselves, or not at all."""
OF_PEOPLE = frozenset({"phone", "identity"})
"""Fields of numbers that an act may tell by themselves; beside them a name such as ``number`` is a fact of the act."""
LISTED = frozenset({"names"})
"""Facts that are lists of words."""
LONGEST = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What names a row tells a reader nothing; programs get the entry as it is."""


def actor(name: str) -> str:
    """Write who acted when it was no person: a named part of the system."""
    part = name.removeprefix("system:")
    if part == name:
        return name
    gettext = translator(current_locale())
    return gettext("system (%(part)s)", part=gettext(PARTS[part]) if part in PARTS else part)


def operator(name: str) -> str:
    """Write by whose hand a person acted: the machine's operator, or a program with one of their tokens."""
    gettext, program = translator(current_locale()), name.removeprefix(TOKEN_OPERATOR)
    if program != name:
        return gettext("by a program (token %(name)s)", name=program)
    return gettext("by operator %(name)s", name=name)


def told_body(body: Mapping[str, Any] | None, numbers: Collection[str] = ()) -> list[str]:
    """Write the body of a log entry, one line a fact; before and after side by side.

    ``numbers``: names of fields that hold telephone or identity numbers, of which only the ends are told: those of a
    record or subject below ``before``, ``after`` and the like, and ``OF_PEOPLE`` beside them.
    """
    if not body:
        return []
    outside = OF_PEOPLE & frozenset(numbers)
    before, after = body.get("before"), body.get("after")
    lines = []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        lines = [
            f"{_label(name)}: {_short(numbers, name, before.get(name))} → {_short(numbers, name, after.get(name))}"
            for name in after
            if before.get(name) != after.get(name) and not (_is_id(before.get(name)) or _is_id(after.get(name)))
        ]
    elif "after" in body and not (_is_id(before) or _is_id(after)):
        lines = [f"{_short(numbers, '', before)} → {_short(numbers, '', after)}"]
    taken = body.get("proposed")
    if isinstance(taken, Mapping):
        gettext = translator(current_locale())
        told = ((_label(name), rule_words(str(rule), current_locale())) for name, rule in taken.items())
        lines.append(gettext("as proposed: %(fields)s", fields="; ".join(f"{label} ({rule})" for label, rule in told)))
    return (
        lines
        + [f"{_label(name)}: {_short(outside, name, value)}" for name, value in body.items() if _is_told(name, value)]
        + [
            f"{_label(name)}: {_short(outside, name, '; '.join(map(str, value)))}"
            for name, value in body.items()
            if name in LISTED and isinstance(value, list)
        ]
    )


def _is_told(name: str, value: Any) -> bool:
    if name in HIDDEN or isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return not _is_id(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _label(name: str) -> str:
    if name in FACTS and name not in FIELDS:
        return translator(current_locale())(FACTS[name])
    return field_label(name, current_locale())


def _short(numbers: Collection[str], name: str, value: Any) -> str:
    if value in (None, "", {}, []):
        text = "—"
    elif name in numbers and not isinstance(value, Mapping):
        text = masked(str(value))
    else:
        text = mask(_written(numbers, name, value), keep_ends=True)[0]
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _written(numbers: Collection[str], name: str, value: Any) -> str:
    """Write a value; those of named facts one after another."""
    if isinstance(value, Mapping):
        return "; ".join(
            f"{_label(each)}: {_short(numbers, each, one)}" for each, one in value.items() if not _is_id(one)
        )
    if isinstance(value, bool):
        gettext = translator(current_locale())
        return gettext("yes") if value else gettext("no")
    if name in CODED and value in VALUES:
        return translator(current_locale())(VALUES[value])
    return str(value)
