"""From what a person gives to a row: checks each field of a description, fills defaults, keeps protected ones apart."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from archive.closing import is_closed
from archive.database import Base, rows_by_id
from archive.dates import CivilDate, parse_civil
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.importance import faults_of as importance_faults
from archive.model import (
    Category,
    Department,
    Level,
    Medium,
    NeedToKnowGroup,
    Place,
    Record,
    RecordKind,
    RecordState,
)
from archive.ports import Vault
from archive.scheme.document import TITLE_FORM
from archive.scheme.fields import FieldDef, parse_fields
from archive.scheme.values import check
from archive.spelling import number_key
from archive.terms import check_term, due_year

LIMITS: Mapping[str, int] = {"title": 2_000, "responsible": 500, "notes": 20_000, "material": 32}
"""The longest text each plain field takes, in characters."""

MAX_KEYWORDS = 50
_ABOUT = re.compile(r".*(?:关于|關於).+的.+")
MATERIALS = ("document", "book", "manual", "sound", "drawing", "photograph", "video", "email", "web_page")


def fault(name: str, code: str, **facts: Any) -> Fault:
    """Shorthand for a fault of the field ``name``."""
    return Fault(name, code, facts)


@dataclass(frozen=True)
class Draft:
    """What is known of a record before it is catalogued. None takes the category's default where it has one."""

    fonds_id: UUID
    category_id: UUID
    title: str
    kind: RecordKind = RecordKind.ITEM
    responsible: str | None = None
    drawn_up: str | None = None
    level_rank: int | None = None
    group_id: UUID | None = None
    place_id: UUID | None = None
    department_id: UUID | None = None
    term: str | None = None
    pages: int | None = None
    medium: Medium = Medium.ELECTRONIC
    material: str = "document"
    keywords: tuple[str, ...] = ()
    importance: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    notes: str | None = None
    secrecy_person_id: UUID | None = None
    named: tuple[UUID, ...] = ()
    subjects: tuple[UUID, ...] = ()


class Catalogue:
    """What drafts refer to, read once per transaction: ``drafts`` with one query a table, any other when it comes.

    ``day`` is the house's: what is closed on a day is closed from then on.
    """

    def __init__(self, session: Session, day: date, drafts: Sequence[Draft] = ()) -> None:
        self._session = session
        self._categories: dict[UUID, tuple[Category, Sequence[FieldDef]] | None] = {}
        self._places: dict[UUID, Place | None] = {}
        self._groups: dict[UUID, UUID | None] = {}
        self._known: dict[tuple[type, Any], bool] = {}
        self._departments: dict[UUID, Department | None] = {}
        self.day = day
        for row in rows_by_id(session, Category, {draft.category_id for draft in drafts}).values():
            self._categories[row.id] = (row, definitions(row))
        self._places |= rows_by_id(session, Place, {draft.place_id for draft in drafts})

    def category(self, category_id: UUID) -> tuple[Category, Sequence[FieldDef]] | None:
        """Return a category and its field definitions, or None."""
        if category_id not in self._categories:
            row = rows_by_id(self._session, Category, [category_id]).get(category_id)
            self._categories[category_id] = (row, definitions(row)) if row else None
        return self._categories[category_id]

    def place(self, place_id: UUID) -> Place | None:
        """Return a place, or None."""
        if place_id not in self._places:
            self._places[place_id] = rows_by_id(self._session, Place, [place_id]).get(place_id)
        return self._places[place_id]

    def fonds_of_group(self, group_id: UUID) -> UUID | None:
        """Return the fonds of a need-to-know group, None when there is no such group."""
        if group_id not in self._groups:
            found = rows_by_id(self._session, NeedToKnowGroup, [group_id]).get(group_id)
            self._groups[group_id] = found.fonds_id if found else None
        return self._groups[group_id]

    def department(self, department_id: UUID) -> Department | None:
        """Return a department, or None."""
        if department_id not in self._departments:
            self._departments |= {
                department_id: rows_by_id(self._session, Department, [department_id]).get(department_id)
            }
        return self._departments[department_id]

    def has(self, kind: type[Base], key: Any) -> bool:
        """Whether a row of ``kind`` stands under ``key``."""
        if (kind, key) not in self._known:
            self._known[kind, key] = _there(self._session, kind, key)
        return self._known[kind, key]


def _there(session: Session, kind: type[Base], key: Any) -> bool:
    (column,) = kind.__table__.primary_key
    return session.connection().execute(_standing(column), {"key": key}).first() is not None


@cache
def _standing(column: Any) -> Select[Any]:
    return select(column).where(column == bindparam("key"))


def definitions(category: Category) -> Sequence[FieldDef]:
    """Return a category's field definitions."""
    return definitions_in(json.dumps(category.fields))


@lru_cache(maxsize=1024)
def definitions_in(fields: str) -> Sequence[FieldDef]:
    """Return the definitions that stand in a category's ``fields`` as text; a reading of the same text is kept."""
    return parse_fields(json.loads(fields))


@dataclass(frozen=True)
class Described:
    """A checked description."""

    draft: Draft
    category_version: int
    level_rank: int
    term: str
    drawn: CivilDate | None
    path: str | None
    ordinary: Mapping[str, Any]
    protected: Mapping[str, Any]

    def row(self) -> dict[str, Any]:
        """Return the columns that a description decides."""
        d = self.draft
        return {
            "fonds_id": d.fonds_id,
            "category_id": d.category_id,
            "category_version": self.category_version,
            "kind": d.kind,
            "title": " ".join(d.title.split()),
            "title_key": number_key(d.title)[:200],
            "document_key": number_key(str(self.ordinary.get("document_number") or ""))[:100] or None,
            "responsible": d.responsible,
            "drawn_up": self.drawn.text if self.drawn else None,
            "drawn_from": self.drawn.first if self.drawn else None,
            "drawn_to": self.drawn.last if self.drawn else None,
            "level_rank": self.level_rank,
            "group_id": d.group_id,
            "place_id": d.place_id,
            "place_path": self.path,
            "department_id": d.department_id,
            "term": self.term,
            "pages": d.pages,
            "medium": d.medium,
            "material": d.material,
            "keywords": list(d.keywords),
            "importance": d.importance,
            "fields": dict(self.ordinary),
            "notes": d.notes,
            "secrecy_person_id": d.secrecy_person_id,
        }

    def facts(self, identity: Identity) -> dict[str, Any]:
        """Return the facts of the would-be record, for the policy."""
        d = self.draft
        return {
            "fonds": d.fonds_id,
            "category": d.category_id,
            "place": self.path,
            "department": d.department_id,
            "level": self.level_rank,
            "need_to_know": d.group_id is not None,
            "named": frozenset(d.named),
            "state": RecordState.PROVISIONAL.value,
            "kind": d.kind.value,
            "created_by": identity.person_id,
        }

    def due_year(self, today: date) -> int | None:
        """Return the year in which the record falls due, None when it is permanent."""
        return due_year(self.term, self.drawn.last if self.drawn else today)


def _closed_faults(catalogue: Catalogue, draft: Draft, category: Category, standing: Draft | None) -> Iterator[Fault]:
    if is_closed(category.closed_on, catalogue.day) and (standing is None or standing.category_id != category.id):
        yield fault("category", "closed", category=category.code)
    if draft.department_id is None or (standing is not None and standing.department_id == draft.department_id):
        return
    department = catalogue.department(draft.department_id)
    if department is None:
        yield fault("department", "unknown")
    elif is_closed(department.until, catalogue.day):
        yield fault("department", "department_closed", department=department.code)


def describe(catalogue: Catalogue, draft: Draft, standing: Draft | None = None) -> Described:
    """Check a draft whole and return what it comes to.

    Args:
        catalogue: what it refers to.
        draft: the description.
        standing: the description of a filed record as it stands: its category and department may have closed since.

    Raises:
        InvalidInput: with every field at fault, not only the first.
    """
    faults = list(_text_faults(draft))
    known = catalogue.category(draft.category_id)
    if known is None or known[0].fonds_id != draft.fonds_id:
        raise InvalidInput(*faults, fault("category", "unknown"))
    category, definitions = known
    faults += _closed_faults(catalogue, draft, category, standing)
    faults += _title_faults(draft, category, standing)
    drawn = _drawn(draft.drawn_up, faults)
    place = catalogue.place(draft.place_id) if draft.place_id else None
    if draft.place_id and (place is None or place.fonds_id != draft.fonds_id):
        faults.append(fault("place", "unknown"))
    if draft.level_rank is not None and not catalogue.has(Level, draft.level_rank):
        faults.append(fault("level", "unknown"))
    if draft.group_id is not None and catalogue.fonds_of_group(draft.group_id) != draft.fonds_id:
        faults.append(fault("group", "unknown"))
    term = draft.term or category.term
    try:
        check_term(term)
    except ValueError:
        faults.append(fault("term", "bad_term", term=term[:40]))
    ordinary: Mapping[str, Any] = {}
    protected: Mapping[str, Any] = {}
    try:
        ordinary, protected = check(definitions, draft.fields)
    except InvalidInput as invalid:
        faults.extend(invalid.faults)
    if faults:
        raise InvalidInput(*faults)
    return Described(
        draft=draft,
        category_version=category.version,
        level_rank=category.level_rank if draft.level_rank is None else draft.level_rank,
        term=term,
        drawn=drawn,
        path=place.path if place else None,
        ordinary=ordinary,
        protected=protected,
    )


def _title_faults(draft: Draft, category: Category, standing: Draft | None) -> Iterator[Fault]:
    """Yield the fault of an item's title that does not say what it is about, where its category asks for that."""
    asked = TITLE_FORM in category.required and draft.kind is RecordKind.ITEM
    stands = standing is not None and standing.title == draft.title
    if asked and not stands and draft.title.strip() and not _ABOUT.fullmatch(" ".join(draft.title.split())):
        yield fault("title", TITLE_FORM)


def _drawn(text: str | None, faults: list[Fault]) -> CivilDate | None:
    if not text or not text.strip():
        return None
    try:
        return _civil(text)
    except InvalidInput as invalid:
        faults.extend(replace(each, field="drawn_up") for each in invalid.faults)
    return None


@lru_cache(maxsize=4096)
def _civil(text: str) -> CivilDate:
    return parse_civil(text)


def _text_faults(draft: Draft) -> Sequence[Fault]:
    faults = []
    if not draft.title.strip():
        faults.append(fault("title", "required"))
    for name, limit in LIMITS.items():
        text = getattr(draft, name)
        if text and len(text) > limit:
            faults.append(fault(name, "too_long", limit=limit, length=len(text)))
    if len(draft.keywords) > MAX_KEYWORDS or any(len(word) > 100 for word in draft.keywords):
        faults.append(fault("keywords", "too_long", limit=MAX_KEYWORDS, length=len(draft.keywords)))
    if draft.material not in MATERIALS:
        faults.append(fault("material", "unknown"))
    if draft.pages is not None and not 0 <= draft.pages <= 1_000_000:
        faults.append(fault("pages", "out_of_range", low=0, high=1_000_000))
    faults += importance_faults(draft.importance)
    return faults


def check_level(session: Session, rank: int) -> None:
    """Refuse a rank that the house has not.

    Raises:
        InvalidInput: field ``level``.
    """
    if session.get(Level, rank) is None:
        raise InvalidInput(fault("level", "unknown"))


def typed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Turn plain values (from a form) into those of a draft."""
    values = dict(changes)
    if "medium" in values:
        values["medium"] = Medium(values["medium"])
    if "keywords" in values:
        values["keywords"] = tuple(values["keywords"])
    return values


def needed(category: Category, values: Mapping[str, Any]) -> Iterator[str]:
    """Name what a record with these values of its own fields needs to be filed, title and date first."""
    own = (name for name in category.required if name not in {"title", "drawn_up", TITLE_FORM})
    asked = (each.name for each in definitions(category) if each.asked(values))
    yield from dict.fromkeys(("title", "drawn_up", *own, *asked))


def missing(record: Record, category: Category, protected: Mapping[str, Any]) -> list[str]:
    """Name the fields that the record still needs before it can be filed."""
    values = {**record.fields, **protected}
    return [name for name in needed(category, values) if not (values.get(name) or getattr(record, name, None))]


def context(record_id: UUID) -> str:
    """Return the sealing context of a record's protected fields."""
    return f"record-fields:{record_id.hex}"


def sealed(vault: Vault, session: Session, ids: Sequence[UUID], items: Sequence[Described]) -> list[bytes | None]:
    """Seal the protected fields of many descriptions; None where there are none."""
    wanted = [(key, item.protected) for key, item in zip(ids, items, strict=True) if item.protected]
    if not wanted:
        return [None] * len(ids)
    data = [(key, json.dumps(values, ensure_ascii=False).encode(), context(key)) for key, values in wanted]
    made = dict(zip((key for key, _ in wanted), vault.seal_many(session, data), strict=True))
    return [made.get(key) for key in ids]


def opened(vault: Vault, session: Session, record: Record) -> dict[str, Any]:
    """Return a record's protected fields in clear."""
    if record.sealed_fields is None:
        return {}
    plain = vault.open(session, record.id, record.sealed_fields, context=context(record.id))
    values: dict[str, Any] = json.loads(plain)
    return values


def opened_many(vault: Vault, session: Session, records: Sequence[Record]) -> dict[UUID, dict[str, Any]]:
    """Return the protected fields of each record that has some, with one look-up of keys.

    Raises:
        KeyUnavailable: the key of one of them is destroyed.
        Damaged: what is kept of one is not what was kept.
    """
    found = openable(vault, session, records)
    # One that does not open is asked for alone, which says why.
    return {
        r.id: found[r.id] if r.id in found else opened(vault, session, r)
        for r in records
        if r.sealed_fields is not None
    }


def openable(vault: Vault, session: Session, records: Sequence[Record]) -> dict[UUID, dict[str, Any]]:
    """Return the protected fields of each record that has some, by one look-up of keys, where they open."""
    items = [(r.id, r.sealed_fields, context(r.id)) for r in records if r.sealed_fields is not None]
    plain = vault.open_many(session, items) if items else []
    return {key: json.loads(each) for (key, _, _), each in zip(items, plain, strict=True) if each is not None}
