"""How rows become index entries: a batch of records is read with a fixed number of queries, whatever its size.

What an entry must not hold is taken out here: personal numbers are blotted out of every text and come in as keyed
tokens, and no key or cipher goes along.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, String, bindparam, select, type_coerce
from sqlalchemy.orm import Session

from archive.database import Base
from archive.errors import Damaged, KeyUnavailable
from archive.model import RecordOpening, RecordState, RecordSubject, Subject, SubjectToken
from archive.personal import mask
from archive.policy.facts import facts_of, people_named
from archive.ports import Vault
from archive.subject_facts import survivors
from indexer.engine import IndexEntry, partition_of
from indexer.fields import OPENING_WORDS, VITAL, VITAL_WORDS
from indexer.pagetext import Page, texts_of_records
from indexer.ranges import day_number
from indexer.surroundings import NUMBERS, Surroundings

GONE = frozenset({RecordState.BINNED, RecordState.DESTROYED})
"""Records in these states are in no partition."""


class _Row(NamedTuple):
    """What of a record's row its entry is made of."""

    id: UUID
    version: int
    indexed_in: list[str]
    fonds_id: UUID
    category_id: UUID
    place_path: str | None
    department_id: UUID | None
    level_rank: int
    group_id: UUID | None
    state: str
    kind: str
    created_by: UUID | None
    dossier_id: UUID | None
    medium: str
    material: str
    term: str
    vital_review: date | None
    drawn_from: date | None
    drawn_to: date | None
    archive_number: str | None
    registration_number: str | None
    title: str
    responsible: str | None
    keywords: list[str]
    notes: str | None
    fields: dict[str, Any]
    sealed_fields: bytes | None


def _columns() -> Iterator[Any]:
    """Yield the columns of ``_Row``; the words of enums as they stand, for entries have the words."""
    table = Base.metadata.tables["record"]
    for name in _Row._fields:
        column = table.c[name]
        yield type_coerce(column, String).label(name) if name in {"state", "kind", "medium"} else column


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_RECORDS = select(*_columns()).where(Base.metadata.tables["record"].c.id.in_(_IDS))
_LINKS = select(RecordSubject.record_id, RecordSubject.subject_id).where(RecordSubject.record_id.in_(_IDS))
_OPENINGS = select(RecordOpening.record_id, RecordOpening.released).where(RecordOpening.record_id.in_(_IDS))
"""Built once: for a batch, building them costs as much as asking."""

_MANY_DIGITS = re.compile(r"[0-9０-９](?:.{0,4}?[0-9０-９]){10}", re.DOTALL)  # line ends may stand between
_DIGIT = re.compile("[0-9０-９]")
_LEAST_DIGITS = 11


class Kept(NamedTuple):
    """A record as its row stands: the version, where it has been indexed, and its entry (None: in no partition)."""

    record_id: UUID
    version: int
    indexed_in: Sequence[str]
    entry: IndexEntry | None


class Entries:
    """Builds the entries of batches of records.

    Args:
        vault: opens protected fields, subjects and page text.
        around: what records point to; None: it is read for each batch.
    """

    def __init__(self, vault: Vault, around: Surroundings | None = None) -> None:
        self._vault = vault
        self._around = around

    def together(self, session: Session) -> "Entries":
        """Return what reads the portions of one batch: what records point to is read now, once.

        A name that is given later is not in it; the jobs that follow a new name come later than the batch, too.
        """
        return Entries(self._vault, Surroundings.read(session))

    def read(self, session: Session, ids: Sequence[UUID]) -> list[Kept]:
        """Return the records of ``ids`` that there are, with their entries, as of this snapshot."""
        rows = session.connection().execute(_RECORDS, {"ids": list(ids)}) if ids else ()
        records = [_Row._make(row) for row in rows]
        live = [record for record in records if record.state not in GONE]
        keys = [record.id for record in live]
        around = self._around or Surroundings.read(session)
        around.meet(session, live)
        named = people_named(session, keys)
        openings = _openings(session, keys)
        sealed = self._opened_fields(session, live, around)
        subjects = self._subjects(session, keys)
        texts = texts_of_records(session, self._vault, keys)
        kept: list[Kept] = []
        for record in records:
            key, entry = record.id, None
            if record.state not in GONE:
                people = [*sealed.get(key, ()), *subjects.get(key, ())]
                said = self._texts(record, people, texts.get(key, ()))
                entry = _entry(record, around, named.get(key, ()), openings.get(key), *said)
            kept.append(Kept(key, record.version, record.indexed_in, entry))
        return kept

    def _texts(
        self, record: _Row, people: Sequence["str | _Token"], pages: Iterable[Iterable[Page]]
    ) -> tuple[dict[str, Sequence[str]], list[str]]:
        """Return the texts of a record by name, personal numbers blotted out, and the tokens of those."""
        tokens = {one.value for one in people if isinstance(one, _Token)}
        said: dict[str, Sequence[str]] = {
            "title": (record.title,) if record.title else (),
            "responsible": (record.responsible,) if record.responsible else (),
            "keywords": record.keywords,
            "notes": (record.notes,) if record.notes else (),
            "person": [one for one in people if isinstance(one, str)] if people else (),
            "fields": _plain_values(record.fields, []),
        }
        texts: dict[str, Sequence[str]] = {}
        if numbers := [number for number in (record.archive_number, record.registration_number) if number]:
            texts["number"] = numbers
        for name, values in said.items():
            if clean := [self._masked(value, tokens) for value in values if value]:
                texts[name] = clean
        if pages and (text := _page_texts(pages, tokens)):
            texts["text"] = text
        return texts, sorted(tokens)

    def _masked(self, text: str, tokens: set[str]) -> str:
        if len(text) < _LEAST_DIGITS or len(_DIGIT.findall(text)) < _LEAST_DIGITS or not _MANY_DIGITS.search(text):
            return text
        masked, numbers = mask(text)
        tokens.update(self._vault.token(kind.value, number) for kind, number in numbers)
        return masked

    def _opened_fields(
        self, session: Session, records: Sequence[_Row], around: Surroundings
    ) -> dict[UUID, list["str | _Token"]]:
        """Return what protected fields say: names as words, numbers (fixed lines too) as tokens."""
        sealed = [record for record in records if record.sealed_fields is not None]
        items = [(record.id, record.sealed_fields or b"", f"record-fields:{record.id.hex}") for record in sealed]
        opened = self._vault.open_many(session, items) if items else []
        said: dict[UUID, list[str | _Token]] = {}
        for record, data in zip(sealed, opened, strict=True):
            if data is not None:
                kinds = around.numbers(record.category_id)
                said[record.id] = [
                    _Token(self._vault.token(kinds[name], str(value))) if name in kinds else str(value)
                    for name, value in json.loads(data).items()
                ]
        return said

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
                *_plain_values(row.facts, []),
                *(_plain_values(json.loads(sealed[row.id]), []) if row.id in sealed else ()),
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


def _entry(
    record: _Row,
    around: Surroundings,
    named: Iterable[UUID],
    opening: Sequence[str] | None,
    texts: Mapping[str, Sequence[str]],
    tokens: Sequence[str],
) -> IndexEntry:
    partition = partition_of(record.level_rank, record.group_id is not None)
    facts, codes = _facts(record, around, named, opening), _codes(record, around, opening)
    return IndexEntry(record.id, record.version, partition, facts, texts, tokens, codes)


def _facts(record: _Row, around: Surroundings, named: Iterable[UUID], opening: Sequence[str] | None) -> dict[str, Any]:
    path, drawn = record.place_path, record.drawn_from
    return {
        **facts_of(record, named),
        "branch": around.branch(record.category_id),
        "dossier": record.dossier_id,
        "medium": record.medium,
        "material": record.material,
        "term": record.term,
        "vital": VITAL if record.vital_review else None,
        "opening": opening[0] if opening else None,
        "year": drawn.year if drawn else None,
        "drawn_from": day_number(drawn),
        "drawn_to": day_number(record.drawn_to),
        "project": path.partition("/")[0] if path else None,
    }


def _codes(record: _Row, around: Surroundings, opening: Sequence[str] | None) -> dict[str, Sequence[str]]:
    codes: dict[str, Sequence[str]] = {
        "fonds": around.fonds.get(record.fonds_id, ()),
        "category": around.categories.get(record.category_id, ()),
        "level": around.levels.get(record.level_rank, ()),
        "medium": (record.medium,),
        "kind": (record.kind,),
        "term": (record.term,),
        "material": (record.material,),
        "state": (record.state,),
    }
    if record.vital_review:
        codes["vital"] = VITAL_WORDS
    if opening:
        codes["opening"] = opening
    if record.department_id:
        codes["department"] = around.departments.get(record.department_id, ())
    if record.place_path:
        codes["place"] = around.place(record.fonds_id, record.place_path)
    return codes


def _openings(session: Session, ids: Sequence[UUID]) -> dict[UUID, Sequence[str]]:
    """Return the words of what opening appraisals came to."""
    said = session.connection().execute(_OPENINGS, {"ids": list(ids)})
    return {key: OPENING_WORDS[released] for key, released in said}


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


def _plain_values(values: Any, said: list[str]) -> list[str]:
    """Add what a JSON value says, piece by piece, without its names."""
    if isinstance(values, str):
        said.append(values)
    elif isinstance(values, dict | list):
        for value in values.values() if isinstance(values, dict) else values:
            _plain_values(value, said)
    elif values is not None and not isinstance(values, bool):
        said.append(str(values))
    return said
