"""How rows become index entries: a batch of records is read with a fixed number of queries, whatever its size.

What an entry must not hold is taken out here: personal numbers are blotted out of every text and come in as keyed
tokens, and no key or cipher goes along.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from archive.cataloguing.describing import definitions
from archive.database import Base
from archive.errors import Damaged, KeyUnavailable
from archive.model import (
    Category,
    Department,
    Fonds,
    Level,
    Place,
    Record,
    RecordOpening,
    RecordState,
    RecordSubject,
    Subject,
    SubjectToken,
)
from archive.personal import PersonalKind, mask
from archive.policy.facts import facts_of, people_named
from archive.ports import Vault
from archive.scheme.fields import FieldKind
from archive.subject_facts import survivors
from indexer.engine import IndexEntry, partition_of
from indexer.fields import OPENING_WORDS, VITAL, VITAL_WORDS
from indexer.pagetext import Page, texts_of_records
from indexer.ranges import day_number

GONE = frozenset({RecordState.BINNED, RecordState.DESTROYED})
"""Records in these states are in no partition."""

NUMBERS = {FieldKind.PHONE: PersonalKind.PHONE, FieldKind.IDENTITY: PersonalKind.IDENTITY}
"""Kinds of fields that are found by a token alone."""

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_RECORDS = select(
    *(
        Base.metadata.tables["record"].c[name]
        for name in (
            "id", "version", "indexed_in", "fonds_id", "category_id", "place_path", "department_id", "level_rank",
            "group_id", "state", "kind", "created_by", "dossier_id", "medium", "material", "term", "vital_review",
            "drawn_from", "drawn_to", "archive_number", "registration_number", "title", "responsible", "keywords",
            "notes", "fields", "sealed_fields",
        )
    )
).where(Record.id.in_(_IDS))  # fmt: skip
_LINKS = select(RecordSubject.record_id, RecordSubject.subject_id).where(RecordSubject.record_id.in_(_IDS))
_OPENINGS = select(RecordOpening.record_id, RecordOpening.released).where(RecordOpening.record_id.in_(_IDS))
_CATEGORIES = select(Category.id, Category.parent_id, Category.code, Category.names)
_DEPARTMENTS = select(Department.id, Department.parent_id, Department.code, Department.names)
_FONDS = select(Fonds.id, Fonds.code, Fonds.names)
_LEVELS = select(Level.rank, Level.code, Level.names)
_PLACES = select(Place.fonds_id, Place.path, Place.code, Place.names).where(
    Place.path.in_(bindparam("paths", expanding=True))
)
"""Built once: for a batch, building them costs as much as asking."""

_MANY_IDS = 500
_MANY_DIGITS = re.compile(r"[0-9０-９](?:.{0,4}?[0-9０-９]){10}", re.DOTALL)  # line ends may stand between


@dataclass(frozen=True)
class Kept:
    """A record as its row stands: the version, where it has been indexed, and its entry (None: in no partition)."""

    record_id: UUID
    version: int
    indexed_in: Sequence[str]
    entry: IndexEntry | None


@dataclass
class _Words:
    """Codes and names of what records point to, and what lies above each."""

    fonds: dict[UUID, list[str]]
    departments: dict[UUID, list[str]]
    levels: dict[int, list[str]]
    categories: dict[UUID, list[str]]
    branches: dict[UUID, frozenset[UUID]]
    numbers: dict[UUID, Mapping[str, str]]
    places: dict[tuple[UUID, str], list[str]] = field(default_factory=dict)
    openings: dict[UUID, Sequence[str]] = field(default_factory=dict)


class Entries:
    """Builds the entries of batches of records.

    Args:
        vault: opens protected fields, subjects and page text.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def read(self, session: Session, ids: Sequence[UUID]) -> list[Kept]:
        """Return the records of ``ids`` that there are, with their entries, as of this snapshot."""
        records = session.connection().execute(_RECORDS, {"ids": list(ids)}).all() if ids else []
        live = [record for record in records if record.state not in GONE]
        keys = [record.id for record in live]
        words = _load_words(session, live)
        named = people_named(session, keys)
        sealed = self._opened_fields(session, live, words.numbers)
        subjects = self._subjects(session, keys)
        texts = texts_of_records(session, self._vault, keys)
        made = {
            record.id: self._entry(
                record, words, named.get(record.id, ()), [*sealed.get(record.id, ()), *subjects[record.id]],
                texts.get(record.id, ()),
            )
            for record in live
        }  # fmt: skip
        return [Kept(record.id, record.version, record.indexed_in, made.get(record.id)) for record in records]

    def _entry(
        self,
        record: Any,
        words: _Words,
        named: Iterable[UUID],
        people: Sequence["str | _Token"],
        pages: Iterable[Iterable[Page]],
    ) -> IndexEntry:
        tokens = {one.value for one in people if isinstance(one, _Token)}

        def clean(values: Iterable[str | None]) -> list[str]:
            return [self._masked(value, tokens) for value in values if value]

        texts = {
            "number": [number for number in (record.archive_number, record.registration_number) if number],
            "title": clean([record.title]),
            "responsible": clean([record.responsible]),
            "keywords": clean(record.keywords),
            "notes": clean([record.notes]),
            "person": clean(one for one in people if isinstance(one, str)),
            "fields": clean(_plain_values(record.fields)),
        }
        texts["text"] = _page_texts(pages, tokens)
        return IndexEntry(
            record.id,
            record.version,
            partition_of(record.level_rank, record.group_id is not None),
            _facts(record, words, named),
            {name: values for name, values in texts.items() if values},
            sorted(tokens),
            _codes(record, words),
        )

    def _masked(self, text: str, tokens: set[str]) -> str:
        if not _MANY_DIGITS.search(text):
            return text
        masked, numbers = mask(text)
        tokens.update(self._vault.token(kind.value, number) for kind, number in numbers)
        return masked

    def _opened_fields(
        self, session: Session, records: Sequence[Any], numbers: Mapping[UUID, Mapping[str, str]]
    ) -> dict[UUID, list["str | _Token"]]:
        """Return what protected fields say: names as words, numbers (fixed lines too) as tokens."""
        kinds = {record.id: numbers.get(record.category_id, {}) for record in records}
        items = [
            (record.id, record.sealed_fields, f"record-fields:{record.id.hex}")
            for record in records
            if record.sealed_fields is not None
        ]
        opened = self._vault.open_many(session, items) if items else []
        return {
            owner: [
                _Token(self._vault.token(kinds[owner][name], str(value))) if name in kinds[owner] else str(value)
                for name, value in json.loads(data).items()
            ]
            for (owner, _, _), data in zip(items, opened, strict=True)
            if data is not None
        }

    def _subjects(self, session: Session, keys: Sequence[UUID]) -> Mapping[UUID, list["str | _Token"]]:
        found: dict[UUID, list[str | _Token]] = defaultdict(list)
        links = session.connection().execute(_LINKS, {"ids": list(keys)}).all()
        if not links:
            return found
        today = survivors(session, sorted({subject for _, subject in links}))
        hung = sorted({(record, today[subject]) for record, subject in links})
        earlier = _merged_into(session, set(today.values()))
        wanted = sorted({*today.values(), *earlier})
        rows = session.execute(
            select(Subject.id, Subject.code, Subject.facts, Subject.sealed).where(Subject.id.in_(wanted))
        ).all()
        items = [(row.id, row.sealed, f"subject:{row.id.hex}") for row in rows if row.sealed is not None]
        opened = self._vault.open_many(session, items) if items else []
        sealed = {owner: data for (owner, _, _), data in zip(items, opened, strict=True) if data is not None}
        about: dict[UUID, list[str | _Token]] = {
            row.id: [
                *([row.code] if row.code else []),
                *_plain_values(row.facts),
                *(_plain_values(json.loads(sealed[row.id])) if row.id in sealed else ()),
            ]
            for row in rows
        }
        tokens = select(SubjectToken.subject_id, SubjectToken.token).where(SubjectToken.subject_id.in_(wanted))
        for subject, token in session.execute(tokens):
            about[subject] = [*(one for one in about[subject] if not self._is_number(one, token)), _Token(token)]
        for merged, into in earlier.items():  # the papers still say the old name and number
            about[into] = [*about[into], *about[merged]]
        for record_id, subject in hung:
            found[record_id] += about[subject]
        return found

    def _is_number(self, one: "str | _Token", token: str) -> bool:
        """Tell whether a word of a subject is the number that a token stands for: it is then found by that alone."""
        return isinstance(one, str) and any(self._vault.token(kind.value, one) == token for kind in NUMBERS.values())


def _merged_into(session: Session, subjects: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return which subjects were merged into these, each with its survivor."""
    query = select(Subject.id, Subject.merged_into).where(Subject.merged_into.in_(subjects)).order_by(Subject.id)
    return {key: into for key, into in session.execute(query) if into is not None}


@dataclass(frozen=True)
class _Token:
    value: str


def _facts(record: Any, words: _Words, named: Iterable[UUID]) -> dict[str, Any]:
    path = record.place_path
    return {
        **facts_of(record, named),
        "branch": words.branches.get(record.category_id, frozenset({record.category_id})),
        "dossier": record.dossier_id,
        "medium": record.medium.value,
        "material": record.material,
        "term": record.term,
        "vital": VITAL if record.vital_review else None,
        "opening": next(iter(words.openings.get(record.id, ())), None),
        "year": record.drawn_from.year if record.drawn_from else None,
        "drawn_from": day_number(record.drawn_from),
        "drawn_to": day_number(record.drawn_to),
        "project": path.partition("/")[0] if path else None,
    }


def _codes(record: Any, words: _Words) -> dict[str, Sequence[str]]:
    codes: dict[str, Sequence[str]] = {
        "fonds": words.fonds.get(record.fonds_id, ()),
        "category": words.categories.get(record.category_id, ()),
        "level": words.levels.get(record.level_rank, ()),
        "medium": (record.medium.value,),
        "kind": (record.kind.value,),
        "term": (record.term,),
        "material": (record.material,),
        "state": (record.state.value,),
    }
    if record.vital_review:
        codes["vital"] = VITAL_WORDS
    if record.id in words.openings:
        codes["opening"] = words.openings[record.id]
    if record.department_id:
        codes["department"] = words.departments.get(record.department_id, ())
    if record.place_path:
        codes["place"] = words.places.get((record.fonds_id, record.place_path), ())
    return codes


def _load_words(session: Session, records: Sequence[Any]) -> _Words:
    connection = session.connection()
    categories = {row.id: row for row in connection.execute(_CATEGORIES)}
    branches: dict[UUID, frozenset[UUID]] = {}
    for key in {record.category_id for record in records}:
        branches[key] = frozenset(_line(key, lambda one: categories[one].parent_id if one in categories else None))
    departments = {row.id: row for row in connection.execute(_DEPARTMENTS)}
    lines = {key: _line(key, lambda one: departments[one].parent_id) for key in departments}
    return _Words(
        {row.id: _called(row) for row in connection.execute(_FONDS)},
        {key: [word for one in line for word in _called(departments[one])] for key, line in lines.items()},
        {row.rank: [str(row.rank), *_called(row)] for row in connection.execute(_LEVELS)},
        {key: [word for one in line if one in categories for word in _called(categories[one])]
         for key, line in branches.items()},
        branches,
        _number_fields(session, records),
        _place_words(session, records),
        _openings(session, [record.id for record in records]),
    )  # fmt: skip


def _openings(session: Session, ids: Sequence[UUID]) -> dict[UUID, Sequence[str]]:
    """Return the words of what opening appraisals came to."""
    said = session.connection().execute(_OPENINGS, {"ids": list(ids)})
    return {key: OPENING_WORDS[released] for key, released in said}


def _number_fields(session: Session, records: Sequence[Any]) -> dict[UUID, Mapping[str, str]]:
    """Return for each category which of its fields hold personal numbers, and the kind of their tokens."""
    wanted = {record.category_id for record in records if record.sealed_fields is not None}
    rows = session.scalars(select(Category).where(Category.id.in_(wanted))) if wanted else ()
    return {
        row.id: {one.name: NUMBERS[one.kind].value for one in definitions(row) if one.kind in NUMBERS} for row in rows
    }


def _place_words(session: Session, records: Sequence[Any]) -> dict[tuple[UUID, str], list[str]]:
    wanted = {(record.fonds_id, record.place_path) for record in records if record.place_path}
    paths = sorted({one for _, path in wanted for one in _steps(path)})
    known: dict[tuple[UUID, str], list[str]] = {}
    for start in range(0, len(paths), _MANY_IDS):
        for row in session.connection().execute(_PLACES, {"paths": paths[start : start + _MANY_IDS]}):
            known[row.fonds_id, row.path] = [row.path.rstrip("/"), *_called(row)]
    return {
        (fonds, path): [word for step in _steps(path) for word in known.get((fonds, step), ())]
        for fonds, path in wanted
    }


def _steps(path: str) -> Iterator[str]:
    end = path.find("/")
    while end >= 0:
        yield path[: end + 1]
        end = path.find("/", end + 1)


def _called(row: Any) -> list[str]:
    return [row.code, *dict.fromkeys(name for name in row.names.values() if name)]


def _line(key: UUID, above: Callable[[UUID], UUID | None]) -> list[UUID]:
    line: list[UUID] = []
    at: UUID | None = key
    while at is not None and at not in line:
        line.append(at)
        at = above(at)
    return line


def _page_texts(texts: Iterable[Iterable[Page]], tokens: set[str]) -> list[str]:
    pages: list[str] = []
    for text in texts:
        try:
            for page in text:
                pages.append(page.text)
                tokens.update(page.tokens)
        except (Damaged, KeyUnavailable):
            # What can't be read can't be found; fixity tells of the damage, not search.
            continue
    return pages


def _plain_values(values: Any) -> Iterator[str]:
    """Yield what a JSON value says, piece by piece, without its names."""
    match values:
        case None | bool():
            return
        case dict():
            for value in values.values():
                yield from _plain_values(value)
        case list() | tuple():
            for value in values:
                yield from _plain_values(value)
        case _:
            yield str(values)
