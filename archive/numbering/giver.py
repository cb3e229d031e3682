"""Numbers are given here, at filing, inside the filing's own transaction.

What stands before and after the serial names the sequence; each sequence has one counter in its fonds, advanced once
for all records of a call, in sorted order and last before the commit, so that two filings never wait on each other
crosswise. A counter only grows, and every number given or taken over stays in ``issued_number`` for good, so no number
comes twice, not even after its record is gone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from archive.category_lines import with_above
from archive.database import Base, rows_by_id
from archive.errors import Fault, InvalidInput, StandsAlready
from archive.ids import UUID
from archive.model import (
    Category,
    Department,
    Fonds,
    IssuedNumber,
    Level,
    NeedToKnowGroup,
    NumberRule,
    Record,
    RecordKind,
)
from archive.numbering.rule import NumberFacts, NumberField, Rule, parse

REGISTRATION: Final = parse("{fonds}-{filed_year}-{mark}{serial:6}")
"""The registration number: fonds, year of filing, mark, running; neutral, shown in the log and to officers."""

_CHUNK = 400  # bound parameters of one query stay far below every driver's limit
_Sequence = tuple[UUID, str]
_COUNTER = Base.metadata.tables["counter"]
_COUNTERS = (
    select(_COUNTER.c.sequence, _COUNTER.c.last)
    .where(_COUNTER.c.fonds_id == bindparam("fonds"), _COUNTER.c.sequence.in_(bindparam("some", expanding=True)))
    .order_by(_COUNTER.c.sequence)
)
"""Of one fonds: SQLite answers ``(a, b) IN …`` by reading every counter."""
_LOCKED = _COUNTERS.with_for_update()
_NEW_COUNTER = {
    "postgresql": postgresql.insert(_COUNTER).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(_COUNTER).on_conflict_do_nothing(),
}
_STANDING = select(IssuedNumber.number).where(
    IssuedNumber.fonds_id == bindparam("fonds"), IssuedNumber.number.in_(bindparam("numbers", expanding=True))
)
_ISSUE = insert(Base.metadata.tables["issued_number"])
_MOVE = (
    update(_COUNTER)
    .where(_COUNTER.c.fonds_id == bindparam("of_fonds"), _COUNTER.c.sequence == bindparam("of_sequence"))
    .values(last=bindparam("to"))
)


@dataclass(frozen=True)
class Gap:
    """Serials of a sequence that were passed over because their numbers stand already; the caller logs them."""

    fonds_id: UUID
    sequence: str
    serials: tuple[int, ...]


@dataclass
class Numbers:
    """What was given: each record's registration number and archive number, and the gaps that came of it."""

    registration: dict[UUID, str] = field(default_factory=dict)
    archive: dict[UUID, str] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around the serials of one sequence, and their least width."""

    before: str
    after: str
    width: int

    def number(self, serial: int) -> str:
        return f"{self.before}{serial:0{self.width}}{self.after}"


@lru_cache(maxsize=512)
def _rule(template: str) -> Rule:
    return parse(template)


def give(session: Session, records: Sequence[Record], *, today: date) -> Numbers:
    """Give each record its registration number and archive number, in the order of ``records``.

    Writes their ``issued_number`` rows in the caller's transaction; the caller writes the numbers into the records and
    commits. A number that a record has already stays. A dossier that is filed with its items is numbered before them.

    Args:
        session: the caller's, writing.
        records: records, or rows with their columns.
        today: the day of filing in the house's zone.

    Raises:
        InvalidInput: a record's category has no rule (``no_number_rule`` of ``category``), or the record lacks what
            its rule needs (``needed_by_number``); the facts name the record. Nothing was counted.
    """
    numbers = Numbers()
    for record in records:
        if record.registration_number is not None:
            numbers.registration[record.id] = record.registration_number
        if record.archive_number is not None:
            numbers.archive[record.id] = record.archive_number
    for kind in (RecordKind.DOSSIER, RecordKind.ITEM):
        batch = [record for record in records if record.kind is kind]
        if batch:
            _give(session, batch, _Lookup(session, batch, numbers.archive), today, numbers)
    return numbers


def take(session: Session, record: Record, number: str) -> None:
    """Take over an old archive number as it is (import under a custodian).

    Raises:
        StandsAlready: the number stands already in the fonds.
        InvalidInput: it is empty or longer than 100 characters.
    """
    if not 0 < len(number.strip()) <= 100:
        raise InvalidInput(Fault("archive_number", "bad_number", {"limit": 100}))
    held = session.get(IssuedNumber, (record.fonds_id, number))
    if held is not None and held.record_id != record.id:
        raise StandsAlready(what="archive_number", field="archive_number")
    if held is None:
        session.add(IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
        session.flush()
    record.archive_number = number


def _give(session: Session, records: Sequence[Record], lookup: "_Lookup", today: date, numbers: Numbers) -> None:
    wanted: dict[_Sequence, tuple[_Around, list[tuple[UUID, dict[UUID, str]]]]] = {}
    for record in records:
        for given, around in (
            (numbers.registration, lookup.registration(record, today)),
            (numbers.archive, lookup.archive(record, today)),
        ):
            if record.id not in given:
                key = record.fonds_id, f"{around.before}#{around.after}"
                wanted.setdefault(key, (around, []))[1].append((record.id, given))
    last = _lock(session, sorted(wanted))
    first: dict[UUID, list[str]] = defaultdict(list)
    for key, (around, those) in wanted.items():
        first[key[0]] += [around.number(last[key] + n) for n in range(1, len(those) + 1)]
    taken = {fonds_id: _taken(session, fonds_id, tried) for fonds_id, tried in first.items()}
    moved: list[dict[str, Any]] = []
    issued: list[dict[str, Any]] = []
    for key in sorted(wanted):
        around, those = wanted[key]
        serial, passed, found = _serials(session, key[0], around, len(those), last[key], taken[key[0]])
        numbers.gaps += [Gap(*key, serials=tuple(passed))] if passed else []
        moved.append({"of_fonds": key[0], "of_sequence": key[1], "to": serial})
        for (record_id, given), number in zip(those, found, strict=True):
            given[record_id] = number
            issued.append({"fonds_id": key[0], "number": number, "record_id": record_id})
    if moved:
        connection = session.connection()
        connection.execute(_MOVE, moved)
        connection.execute(_ISSUE, issued)


def _lock(session: Session, keys: Sequence[_Sequence]) -> dict[_Sequence, int]:
    """Lock the counters in sorted order, making those that are new, and return where each stands."""
    connection = session.connection()
    on_postgres = connection.dialect.name == "postgresql"
    found: dict[_Sequence, int] = {}
    for fonds, of_fonds in groupby(keys, key=itemgetter(0)):
        for some in _chunks([sequence for _, sequence in of_fonds]):
            asked = {"fonds": fonds, "some": some}
            standing = {row.sequence: row.last for row in connection.execute(_COUNTERS, asked)}
            rows = [{"fonds_id": fonds, "sequence": one, "last": 0} for one in some if one not in standing]
            if rows:
                connection.execute(_NEW_COUNTER[connection.dialect.name], rows)
                standing |= {row["sequence"]: 0 for row in rows}
            if on_postgres:  # what stood a moment ago may have moved; SQLite holds its one lock since the beginning
                standing |= {row.sequence: row.last for row in connection.execute(_LOCKED, asked)}
            found |= {(fonds, sequence): last for sequence, last in standing.items()}
    return found


def _chunks(every: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(every), _CHUNK):
        yield every[at : at + _CHUNK]


def _serials(
    session: Session, fonds_id: UUID, around: _Around, wanted: int, last: int, known: AbstractSet[str]
) -> tuple[int, list[int], list[str]]:
    """Find the next free serials of one sequence: the last one used, those passed over, and the numbers.

    ``known`` holds which of the first numbers are taken; where none is, as nearly always, nothing more is asked.
    """
    passed: list[int] = []
    numbers: list[str] = [around.number(last + n) for n in range(1, wanted + 1)]
    if known.isdisjoint(numbers):
        return last + len(numbers), passed, numbers
    numbers = []
    serial = last
    while len(numbers) < wanted:
        count = min(wanted - len(numbers), _CHUNK)
        tried = [(serial + n, around.number(serial + n)) for n in range(1, count + 1)]
        taken = _taken(session, fonds_id, [number for _, number in tried])
        for serial, number in tried:
            if number in taken:
                passed.append(serial)
            else:
                numbers.append(number)
    return serial, passed, numbers


def _taken(session: Session, fonds_id: UUID, numbers: Sequence[str]) -> set[str]:
    """Return which of the numbers stand already in the fonds."""
    taken: set[str] = set()
    for some in _chunks(numbers):
        asked = {"fonds": fonds_id, "numbers": list(some)}
        taken.update(session.connection().execute(_STANDING, asked).scalars())
    return taken


class _Lookup:
    """What the numbers of a batch are made of, read with one query a table."""

    def __init__(self, session: Session, records: Sequence[Record], given: Mapping[UUID, str]) -> None:
        self._fonds = rows_by_id(session, Fonds, {r.fonds_id for r in records})
        self._groups = rows_by_id(session, NeedToKnowGroup, {r.group_id for r in records})
        self._departments = rows_by_id(session, Department, {r.department_id for r in records})
        self._marks = dict(session.connection().execute(_MARKS).all())
        self._lines = _lines(session, {r.category_id for r in records})
        rules = {c.number_rule_id for line in self._lines.values() for c in line}
        self._rules = {key: _rule(row.template) for key, row in rows_by_id(session, NumberRule, rules).items()}
        dossiers = {r.dossier_id for r in records} - {None, *given}
        query = select(Record.id, Record.archive_number).where(Record.id.in_(dossiers))
        rows = session.execute(query) if dossiers else ()
        self._dossiers: dict[UUID, str | None] = {row.id: row.archive_number for row in rows} | dict(given)
        self._known: dict[tuple[object, ...], _Around] = {}

    def registration(self, record: Record, today: date) -> _Around:
        """Return what stands around the serial of the record's registration number."""
        known = (record.fonds_id, record.level_rank, record.group_id)
        if known not in self._known:
            self._known[known] = self._around(REGISTRATION, record, today)
        return self._known[known]

    def archive(self, record: Record, today: date) -> _Around:
        """Return what stands around the serial of the record's archive number."""
        rule = self._rule_of(self._lines[record.category_id])
        known = (record.category_id, *_sources(rule)(record))
        if known not in self._known:
            self._known[known] = self._around(rule, record, today)
        return self._known[known]

    def _around(self, rule: Rule, record: Record, today: date) -> _Around:
        line = self._lines[record.category_id]
        try:
            before, after = rule.around(self._facts(record, line, today, rule))
        except InvalidInput as refused:
            faults = [Fault(f.field, f.code, f.facts | {"record": record.id}) for f in refused.faults]
            raise InvalidInput(*faults) from None
        return _Around(before, after, rule.serial_width)

    def _rule_of(self, line: Sequence[Category]) -> Rule:
        for category in line:
            if category.number_rule_id is not None:
                return self._rules[category.number_rule_id]
        raise InvalidInput(Fault("category", "no_number_rule", {"category": line[0].code}))

    def _facts(self, record: Record, line: Sequence[Category], today: date, rule: Rule) -> NumberFacts:
        fonds = self._fonds[record.fonds_id]
        department = self._departments.get(record.department_id) if record.department_id else None
        group = self._groups.get(record.group_id) if record.group_id else None
        drawn = record.drawn_from
        return NumberFacts(
            fonds=(fonds.registration_mark or fonds.code) if rule is REGISTRATION else fonds.code,
            branch=line[-1].code,
            category=line[0].code,
            year=drawn.year if drawn else today.year,
            filed_year=today.year,
            term=record.term,
            mark=group.number_mark if group else self._marks[record.level_rank],
            department=department.code if department else None,
            # a rule without it must not tell of a dossier, which whoever files may not see
            dossier=self._dossier(record) if any(s.name is NumberField.DOSSIER for s in rule.slots()) else None,
            places=tuple((record.place_path or "").split("/")[:-1]),
            date=(record.drawn_up or "").replace("-", "").ljust(8, "0") if drawn else None,
        )

    def _dossier(self, record: Record) -> str | None:
        """Return the number of the record's dossier."""
        if record.dossier_id is None:
            return None
        number = self._dossiers.get(record.dossier_id)
        if not number:
            raise InvalidInput(Fault("dossier", "not_numbered"))
        return number


_SOURCE = {
    NumberField.YEAR: "drawn_from",
    NumberField.TERM: "term",
    NumberField.DEPARTMENT: "department_id",
    NumberField.DOSSIER: "dossier_id",
    NumberField.PROJECT: "place_path",
    NumberField.BUILDING: "place_path",
    NumberField.UNIT: "place_path",
    NumberField.ROOM: "place_path",
    NumberField.DATE: "drawn_up",
}
"""What of a record a field of a number is made of, beside its category and its sequence."""


@lru_cache(maxsize=512)
def _sources(rule: Rule) -> Callable[[Record], tuple[object, ...]]:
    """Return what tells whether two records of one category are numbered in the same sequence."""
    names = {_SOURCE[slot.name] for slot in rule.slots() if slot.name in _SOURCE}
    get = attrgetter("level_rank", "group_id", *sorted(names))
    return lambda record: tuple(value.year if isinstance(value, date) else value for value in get(record))


_MARKS = select(Level.rank, Level.number_mark)


def _lines(session: Session, ids: set[UUID]) -> dict[UUID, list[Category]]:
    """Return for each category itself and its ancestors, up to the branch's root."""
    known = with_above(session, ids)
    lines = {}
    for key in ids:
        line = [known[key]]
        while line[-1].parent_id is not None:
            line.append(known[line[-1].parent_id])
        lines[key] = line
    return lines
