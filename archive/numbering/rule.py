"""Number rules: checked templates such as ``{fonds}-{class}·{year}-{term}-[{department}-]{mark}{serial:4}``.

A template is text with fields in braces. ``{name:width}`` pads a code of digits with zeros and refuses a longer one;
for the serial it is the least width. What stands in brackets is left out when a record lacks its field. A formal rule
holds codes, places, dates and a serial, never a person's name or free text, and is checked when it is written so that
it cannot give one number twice: it has one serial, with the mark of the level or group before it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from archive.errors import Fault, InvalidInput

LONGEST_TEMPLATE = 400
LONGEST_NUMBER = 100
SEPARATORS = frozenset("-·./_:()（）〔〕")
"""What may stand between fields, beside letters and digits."""


class NumberField(StrEnum):
    """What a formal number may hold."""

    FONDS = "fonds"
    CLASS = "class"
    CATEGORY = "category"
    YEAR = "year"
    FILED_YEAR = "filed_year"
    TERM = "term"
    DEPARTMENT = "department"
    DOSSIER = "dossier"
    PROJECT = "project"
    BUILDING = "building"
    UNIT = "unit"
    ROOM = "room"
    DATE = "date"
    MARK = "mark"
    SERIAL = "serial"


WIDTHS: Mapping[NumberField, int] = {
    NumberField.FONDS: 8,
    NumberField.CLASS: 8,
    NumberField.CATEGORY: 16,
    NumberField.TERM: 5,
    NumberField.DEPARTMENT: 8,
    NumberField.DOSSIER: 8,
    NumberField.PROJECT: 6,
    NumberField.BUILDING: 6,
    NumberField.UNIT: 6,
    NumberField.ROOM: 8,
    NumberField.SERIAL: 9,
}
"""The widest width a field may be given, in characters; fields not named here take no width."""

USUAL = {NumberField.YEAR: 4, NumberField.FILED_YEAR: 4, NumberField.DATE: 8, NumberField.MARK: 2}
"""The widths of fields that have their own."""

PERSONAL = frozenset(
    {
        "complainant",
        "content",
        "identity",
        "name",
        "note",
        "notes",
        "owner",
        "person",
        "phone",
        "responsible",
        "result",
        "tenant",
        "title",
    }
)
"""Fields that stand only in a reference 参考编号, never in a formal number."""

_SERIAL, _DOSSIER = "\0", "\1"
"""Where the serial stands, and where the dossier's number begins: no code or literal may hold either."""

_FIELD = re.compile(r"([a-z][a-z_]*)(?::(\d{1,2}))?")


@dataclass(frozen=True)
class Literal:
    """Text that stands as it is."""

    text: str


@dataclass(frozen=True)
class Slot:
    """A field of the template. ``width`` is 0 when none was written; ``at`` is its place in the template."""

    name: NumberField
    width: int
    at: int


@dataclass(frozen=True)
class Bracketed:
    """A part that is left out when the record lacks one of its fields."""

    parts: tuple["Literal | Slot", ...]


Part = Literal | Slot | Bracketed


@dataclass(frozen=True)
class NumberFacts:
    """What a number is made of; None where the record has none.

    ``dossier`` is the whole number of the dossier; ``places`` are codes from the project down.
    """

    fonds: str
    branch: str
    category: str
    year: int
    filed_year: int
    term: str
    mark: str
    department: str | None = None
    dossier: str | None = None
    places: tuple[str, ...] = ()
    date: str | None = None

    def value(self, name: NumberField) -> str | None:
        """Return a field's text (the serial has none)."""
        match name:
            case NumberField.CLASS:
                return self.branch
            case NumberField.YEAR:
                return f"{self.year:04}"
            case NumberField.FILED_YEAR:
                return f"{self.filed_year:04}"
            case NumberField.PROJECT | NumberField.BUILDING | NumberField.UNIT | NumberField.ROOM:
                step = ("project", "building", "unit", "room").index(name.value)
                return self.places[step] if step < len(self.places) else None
            case NumberField.SERIAL:
                return None
            case _:
                found: str | None = getattr(self, name.value)
                return found


SAMPLE = NumberFacts(
    fonds="Z109",
    branch="WYH",
    category="WYH01",
    year=2026,
    filed_year=2026,
    term="D30",
    mark="A",
    department="BGS",
    dossier="Z109-WYH01·2026-D30-A0003",
    places=("A1", "01", "001", "0001"),
    date="20260305",
)
"""Facts for a preview."""


@dataclass(frozen=True)
class Rule:
    """A checked template."""

    template: str
    parts: tuple[Part, ...] = field(repr=False)

    def slots(self) -> Iterator[Slot]:
        """Yield the fields in order, those in brackets too."""
        for part in self.parts:
            if isinstance(part, Slot):
                yield part
            elif isinstance(part, Bracketed):
                yield from (inner for inner in part.parts if isinstance(inner, Slot))

    @cached_property
    def serial_width(self) -> int:
        """Return the least width of the serial."""
        return next(slot.width for slot in self.slots() if slot.name is NumberField.SERIAL)

    def around(self, facts: NumberFacts) -> tuple[str, str]:
        """Return what stands before and after the serial. Together they name the sequence that is counted.

        An item's number extends its dossier's: this takes the place of all that the rule has before it.

        Raises:
            InvalidInput: a field that the rule needs is missing (``needed_by_number``) or wider than the rule
                allows (``too_wide``); the fault names the field.
        """
        text = "".join(self._render(part, facts) for part in self.parts)
        before, _, after = text.rpartition(_DOSSIER)[2].partition(_SERIAL)
        if len(before) + len(after) + self.serial_width > LONGEST_NUMBER:
            raise InvalidInput(Fault("dossier", "too_wide", {"value": before[:40], "width": LONGEST_NUMBER}))
        return before, after

    def render(self, facts: NumberFacts, serial: int) -> str:
        """Return the number of a serial. Raises as ``around`` does."""
        before, after = self.around(facts)
        return f"{before}{serial:0{self.serial_width}}{after}"

    def preview(self, serial: int = 1) -> str:
        """Return the number of made-up facts, to show while a rule is written; the dossier's follows the rule too."""
        inner = (slot for part in self.parts if isinstance(part, Bracketed) for slot in part.parts)
        if any(isinstance(slot, Slot) and slot.name is NumberField.DOSSIER for slot in inner):
            return self.render(replace(SAMPLE, dossier=self.render(replace(SAMPLE, dossier=None), 3)), serial)
        return self.render(SAMPLE, serial)

    def _render(self, part: Part, facts: NumberFacts) -> str:
        if isinstance(part, Literal):
            return part.text
        if isinstance(part, Slot):
            return _shown(part, facts)
        wanted = (inner for inner in part.parts if isinstance(inner, Slot))
        if any(facts.value(slot.name) is None for slot in wanted):
            return ""
        return "".join(self._render(inner, facts) for inner in part.parts)


def _shown(slot: Slot, facts: NumberFacts) -> str:
    if slot.name is NumberField.SERIAL:
        return _SERIAL
    value = facts.value(slot.name)
    if value is None:
        raise InvalidInput(Fault(slot.name.value, "needed_by_number"))
    if slot.name is NumberField.DOSSIER:
        return _DOSSIER + value
    if slot.width and value.isdecimal():
        value = value.rjust(slot.width, "0")
    if len(value) > (slot.width or WIDTHS.get(slot.name, LONGEST_NUMBER)):
        raise InvalidInput(Fault(slot.name.value, "too_wide", {"value": value[:40], "width": slot.width}))
    return value


def parse(template: str) -> Rule:
    """Read and check a formal rule.

    Raises:
        InvalidInput: one fault of ``template``, with ``at``, the position (from 0) where it is at fault.
    """
    if not template.strip():
        raise _wrong("rule_empty", 0)
    if len(template) > LONGEST_TEMPLATE:
        raise _wrong("rule_too_long", LONGEST_TEMPLATE, limit=LONGEST_TEMPLATE)
    rule = Rule(template, tuple(_parts(template)))
    _check(rule)
    return rule


def _wrong(code: str, at: int, **facts: object) -> InvalidInput:
    return InvalidInput(Fault("template", code, {"at": at, **facts}))


def _parts(template: str) -> Iterator[Part]:
    at = 0
    while at < len(template):
        if template[at] == "[":
            end = template.find("]", at)
            if end < 0:
                raise _wrong("rule_unclosed", at)
            inner = tuple(_plain(template, at + 1, end))
            if not any(isinstance(part, Slot) for part in inner):
                raise _wrong("rule_empty_brackets", at)
            yield Bracketed(inner)
            at = end + 1
        else:
            end = template.find("[", at)
            end = len(template) if end < 0 else end
            yield from _plain(template, at, end)
            at = end


def _plain(template: str, at: int, end: int) -> Iterator[Literal | Slot]:
    while at < end:
        if template[at] == "{":
            close = template.find("}", at, end)
            if close < 0:
                raise _wrong("rule_unclosed", at)
            yield _slot(template[at + 1 : close], at)
            at = close + 1
        else:
            stop = template.find("{", at, end)
            stop = end if stop < 0 else stop
            for offset, char in enumerate(template[at:stop]):
                if char not in SEPARATORS and not (char.isascii() and char.isalnum()):
                    raise _wrong("rule_bad_separator", at + offset, char=char)
            yield Literal(template[at:stop])
            at = stop


def _slot(text: str, at: int) -> Slot:
    found = _FIELD.fullmatch(text)
    if not found:
        raise _wrong("rule_bad_field", at, text=text[:40])
    name, width = found.group(1), int(found.group(2) or 0)
    if name in PERSONAL:
        raise _wrong("rule_personal_field", at, name=name)
    try:
        known = NumberField(name)
    except ValueError:
        raise _wrong("rule_unknown_field", at, name=name, known=[f.value for f in NumberField]) from None
    if found.group(2) is not None and not 1 <= width <= WIDTHS.get(known, 0):
        raise _wrong("rule_bad_width", at, name=name, widest=WIDTHS.get(known, 0))
    return Slot(known, width or (4 if known is NumberField.SERIAL else 0), at)


def _check(rule: Rule) -> None:
    """Refuse what could give one number twice, or a number too long to print."""
    seen: dict[NumberField, int] = {}
    for slot in rule.slots():
        if slot.name in seen:
            raise _wrong("rule_repeated_field", slot.at, name=slot.name.value)
        seen[slot.name] = slot.at
    top = {part.name for part in rule.parts if isinstance(part, Slot)}
    end = len(rule.template)
    if NumberField.SERIAL not in top:
        raise _wrong("rule_no_serial", seen.get(NumberField.SERIAL, end))
    serial_at = seen[NumberField.SERIAL]
    if NumberField.MARK not in top or seen[NumberField.MARK] > serial_at:
        raise _wrong("rule_no_mark", seen.get(NumberField.MARK, serial_at))
    if _touches(rule.parts):
        raise _wrong("rule_serial_touches", serial_at)
    widest = sum(_widest(part) for part in rule.parts)
    if widest > LONGEST_NUMBER:
        raise _wrong("rule_too_long", end, limit=LONGEST_NUMBER, length=widest)


def _touches(parts: tuple[Part, ...]) -> bool:
    """Whether a digit may stand next to the serial, so that 1 and 12 could be read as 11 and 2."""
    at = next(i for i, part in enumerate(parts) if isinstance(part, Slot) and part.name is NumberField.SERIAL)
    before, after = parts[at - 1], parts[at + 1] if at + 1 < len(parts) else Literal("-")
    marked = isinstance(before, Slot) and before.name is NumberField.MARK
    open_before = not marked and not (isinstance(before, Literal) and not before.text[-1].isdigit())
    return open_before or not (isinstance(after, Literal) and not after.text[0].isdigit())


def _widest(part: Part) -> int:
    if isinstance(part, Literal):
        return len(part.text)
    if isinstance(part, Slot):
        return part.width or WIDTHS.get(part.name, 0) or USUAL[part.name]
    return sum(_widest(inner) for inner in part.parts)
