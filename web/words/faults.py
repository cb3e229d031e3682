"""The one table from what went wrong to what a person reads, and to the HTTP status.

Pages and the command line use it. Each error says what happened, what was kept and what to do; each fault of a
field says how to mend it. Messages are marked here and translated where they are shown.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archive.errors import ArchiveError, Fault, InUse, InvalidInput, Quarantined, Unavailable
from web.words import mark, named, size, translator
from web.words.blocks import BLOCKS
from web.words.errors import ERRORS, Words
from web.words.field_faults import (
    FAULTS,
    NAMING,
    NUMBER_REASONS,
    PARTS,
    SETTING_REASONS,
    STANDING,
    STATES,
    USED,
    WAITING,
)
from web.words.fields import FIELDS
from web.words.loans import LIMITS
from web.words.put_aside import REASONS
from web.words.shelves import SECURITIES

LONGEST = 500
"""Characters of a fact that a sentence repeats: what was given may be a megabyte."""

NAMED_FACTS: Mapping[str, Mapping[str, str]] = {
    "part": PARTS,
    "state": STATES,
    "what": {**STANDING, **USED, **LIMITS},
    "kinds": BLOCKS,
    "needed": SECURITIES,
    "found": SECURITIES,
    "reason": {**SETTING_REASONS, **NUMBER_REASONS, **{code: words[0] for code, words in REASONS.items()}},
}
"""Facts whose values have words of their own."""


def status_of(error: ArchiveError) -> int:
    """Return the HTTP status that tells this error."""
    return _words_of(error).status


def explain(error: ArchiveError, locale: str) -> list[str]:
    """Return the sentences that tell an error to a person: what happened, what was kept, what to do, each field.

    Args:
        error: the error, with its facts.
        locale: one of ``web.words.LOCALES``.
    """
    gettext = translator(locale)
    entry = _words_of(error)
    facts = _told(error.facts, gettext, locale)
    lines = [_fill(gettext(text), facts) for text in (entry.happened, entry.kept, entry.todo) if text]
    if isinstance(error, InvalidInput):
        lines += _fields(error, locale)
    if isinstance(error, Quarantined):
        lines.append(explain_reason(str(error.facts.get("reason", "")), locale)[1])
    return [line for line in lines if line]


def explain_scan(error: ArchiveError, locale: str) -> list[str]:
    """Return why a scan did nothing: as ``explain``, but who scans has no form to go back to, so the reason alone."""
    return _fields(error, locale) if isinstance(error, InvalidInput) else explain(error, locale)


def _fields(error: InvalidInput, locale: str) -> list[str]:
    words = ((field_label(fault.field, locale), explain_fault(fault, locale)) for fault in error.faults)
    return [translator(locale)("%(field)s: %(fault)s", field=field, fault=fault) for field, fault in words]


def explain_fault(fault: Fault, locale: str) -> str:
    """Return the sentence that tells one field's fault and how to mend it."""
    gettext = translator(locale)
    code, fact = NAMING.get(fault.code, (fault.code, ""))
    code = code if fault.facts.get(fact, fault.field) != fault.field else fault.code
    message = FAULTS.get(code) or mark("this value cannot be taken (%(code)s)")
    return _fill(gettext(message), {"code": fault.code, **_told(fault.facts, gettext, locale)})


def explain_reason(reason: str, locale: str) -> tuple[str, str]:
    """Return why a file was put aside or has no text, and what to do about it."""
    gettext = translator(locale)
    words = REASONS.get(reason)
    if words is None:
        return reason, gettext("Ask your archivist to look at the file.")
    return gettext(words[0]), gettext(words[1])


def explain_waiting(reason: str, missing: Sequence[str], locale: str) -> str:
    """Return why a record could not be filed yet, and what to do."""
    gettext = translator(locale)
    if reason not in WAITING and reason in FAULTS:
        field = missing[0] if missing else "number"
        fault = explain_fault(Fault(field, reason), locale)
        return gettext("%(field)s: %(fault)s", field=field_label(field, locale), fault=fault)
    if reason not in WAITING:
        return _why_and_what(reason, locale)
    fields = ", ".join(field_label(name, locale) for name in missing)
    return _fill(gettext(WAITING[reason]), {"fields": fields})


def _why_and_what(reason: str, locale: str) -> str:
    why, what = explain_reason(reason, locale)
    return translator(locale)(mark("%(why)s. %(what)s"), why=why, what=what)


def explain_failed(error: ArchiveError | OSError, locale: str) -> str:
    """Return why a file did not come in, and what to do, on one line."""
    if isinstance(error, OSError):
        return _why_and_what("unreadable", locale)
    if isinstance(error, InvalidInput):
        return " ".join(explain_fault(fault, locale) for fault in error.faults)
    return " ".join(explain(error, locale))


def state_words(state: str, locale: str) -> str:
    """Return the state of a record or a file in words."""
    return translator(locale)(STATES[state]) if state in STATES else state


def field_label(name: str, locale: str) -> str:
    """Return what a field is called; a category's own field keeps the name it was given."""
    plain = name.removeprefix("fields.")
    return translator(locale)(FIELDS[plain]) if plain in FIELDS else plain


def _words_of(error: ArchiveError) -> Words:
    state = error.facts.get("state")
    if state in {"no_archive", "other_version", "restoring", "moved", "arriving", "preparing"}:
        return ERRORS[state]
    if isinstance(error, InUse) and error.facts.get("what") in ERRORS:
        return ERRORS[error.facts["what"]]
    if type(error) is Unavailable and error.facts.get("part") == "store":
        return ERRORS["store_unavailable"]
    for kind in type(error).__mro__:
        code = getattr(kind, "code", "")
        if code in ERRORS:
            return ERRORS[code]
    return ERRORS["error"]


def _told(facts: Mapping[str, Any], gettext: Callable[..., str], locale: str) -> dict[str, str]:
    """Turn facts into words: parts, states and reasons by name, names by language, sizes, lists joined."""
    told = {
        name: named(value, locale) if isinstance(value, Mapping) else _joined(value) for name, value in facts.items()
    }
    for name, table in NAMED_FACTS.items():
        value = told.get(name, "")
        if isinstance(facts.get(name), list):
            told[name] = ", ".join(gettext(table.get(each, each)) for each in facts[name])
        elif value in table:
            told[name] = gettext(table[value])
    if "limit" in facts and "size" in facts:
        told["limit"], told["size"] = size(int(facts["limit"])), size(int(facts["size"]))
    return told


def _joined(value: Any) -> str:
    many = isinstance(value, list | tuple | set | frozenset)
    text = ", ".join(str(item) for item in value) if many else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _fill(message: str, facts: Mapping[str, str]) -> str:
    """Fill a message; a fact that is missing shows as a gap rather than as a second fault."""
    gaps: defaultdict[str, str] = defaultdict(lambda: "…", facts)
    return message % gaps if "%(" in message else message
