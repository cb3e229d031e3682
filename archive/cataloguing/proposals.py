"""What the words of files propose for the fields of their records, kept sealed until a person confirms it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from archive.cataloguing.describing import definitions, definitions_in
from archive.dates import named_day
from archive.model import Category, Content, ContentState, File, Proposal, ProposalState, Record
from archive.ports import Unlocked, Vault
from archive.scheme.fields import FieldDef, FieldKind

Source = Literal["text", "property", "name"]
TEXT: Source = "text"
PROPERTY: Source = "property"
NAME: Source = "name"
"""Where a value was found: on a page, in the file's own properties, in its name."""

NUMBER = "document_number"
"""The field of a category that a document's number 文号 goes into."""

FIELDS = ("title", "drawn_up", NUMBER, "responsible")
"""What is proposed, in the order of the form."""


@dataclass(frozen=True)
class Finding:
    """A value found for a field.

    Attributes:
        field: one of ``FIELDS``.
        value: as it would be written into the field.
        rule: the code of the rule that found it; its words explain where such values stand.
        source: ``TEXT``, ``PROPERTY`` or ``NAME``.
        page: where it stands (from 1), for ``TEXT``.
        start: where it begins in the page's text as kept, in characters.
        end: where it ends there.
    """

    field: str
    value: str
    rule: str
    source: Source
    page: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Proposed:
    """A finding that waits for a person: in which file it stands.

    ``fills`` is whether it would fill what is empty, take the place of a file's name, or confirm what stands there
    unconfirmed (``stands``); else the record has another value, and ``found`` is only what the text says.
    """

    found: Finding
    content_id: UUID | None
    file_name: str
    fills: bool
    stands: bool = False

    @property
    def field(self) -> str:
        """The field it is proposed for."""
        return self.found.field


def seal(key: Unlocked, content_id: UUID, findings: Sequence[Finding]) -> dict[str, bytes]:
    """Seal findings by field, without writing anything."""
    return {each.field: key.seal(_pack(each), context=_context(content_id, each.field)) for each in findings}


def replace(session: Session, sealed: Mapping[UUID, Mapping[str, bytes]], keys: Mapping[UUID, Unlocked]) -> None:
    """Make these the proposals of their contents, in the caller's transaction.

    What a person decided stands as long as the same value is found.

    Args:
        session: of the transaction.
        sealed: by content, as ``seal`` gives them.
        keys: of the contents that may have had proposals before.
    """
    rows = session.scalars(select(Proposal).where(Proposal.content_id.in_(sealed))).all()
    before = {(row.content_id, row.field): row for row in rows}
    session.execute(delete(Proposal).where(Proposal.content_id.in_(sealed)))
    fresh = [
        {
            "content_id": content,
            "field": field,
            "sealed": data,
            "state": _state(before.get((content, field)), keys, data),
        }
        for content, each in sealed.items()
        for field, data in each.items()
    ]
    if fresh:
        session.execute(insert(Proposal), fresh)


def join(session: Session, content_id: UUID, sealed: Mapping[str, bytes], key: Unlocked) -> None:
    """Put proposals beside those that a content has, in place of those of the same fields."""
    kept = select(Proposal).where(Proposal.content_id == content_id, Proposal.field.not_in(sealed))
    others = {row.field: row.sealed for row in session.scalars(kept)}
    replace(session, {content_id: {**others, **sealed}}, {content_id: key})


def _state(before: Proposal | None, keys: Mapping[UUID, Unlocked], sealed: bytes) -> ProposalState:
    if before is None or before.state is ProposalState.WAITING or before.content_id not in keys:
        return ProposalState.WAITING
    context, key = _context(before.content_id, before.field), keys[before.content_id]
    same = _unpack(key.open(before.sealed, context=context)).value == _unpack(key.open(sealed, context=context)).value
    return before.state if same else ProposalState.WAITING


def proposed(
    session: Session, vault: Vault, record: Record, category: Category, values: Mapping[str, Any],
    key: Unlocked | None = None,
) -> list[Proposed]:  # fmt: skip
    """Return what waits for a person to confirm on a record: the first file's, field by field.

    Args:
        session: to read from.
        vault: opens the record's key.
        record: a provisional one.
        category: the record's.
        values: of the category's own fields.
        key: the record's, where it is at hand.
    """
    first: dict[str, Proposed] = {}
    standing: Proposed | None = None
    now, unconfirmed = _now(record, values), record.drawn_up is not None and record.drawn_up_proposed
    own: Unlocked | None = None
    for row, name in _rows(session, record, ProposalState.WAITING):
        if row.field == NUMBER and not has_number(category):
            continue
        if row.field in first and (row.field != "drawn_up" or standing or not unconfirmed):
            continue
        own = own or key or vault.unlock(session, record.id)
        found = _opened(own, row)
        if _stands(record, found):
            standing = standing or Proposed(found, row.content_id, name, fills=True, stands=True)
        elif found.value != now[row.field]:
            first.setdefault(row.field, Proposed(found, row.content_id, name, _fills(record, values, found, name)))
    waiting = [first[field] for field in FIELDS if field in first]
    if record.drawn_up is not None and record.drawn_up_proposed:
        waiting.insert(0, standing or _unread(session, record, record.drawn_up))
    return waiting


def _now(record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands in a record's fields."""
    own = {"title": record.title, "drawn_up": record.drawn_up, "responsible": record.responsible}
    return {**own, NUMBER: values.get(NUMBER)}


def has_number(category: Category) -> bool:
    """Whether a category has a field for a document's number."""
    return _has_number(definitions(category))


def numbered(session: Session) -> Sequence[UUID]:
    """Return the categories that have a field for a document's number."""
    rows = session.execute(select(Category.id, cast(Category.fields, Text))).all()
    return [key for key, fields in rows if _has_number(definitions_in(fields))]


def _has_number(fields: Sequence[FieldDef]) -> bool:
    return any(each.name == NUMBER and each.kind is FieldKind.TEXT for each in fields)


def confirm(
    session: Session, vault: Vault, record: Record, values: Mapping[str, Any], changed: Sequence[str]
) -> dict[str, str]:
    """Mark as taken what waits for these fields and now stands in the record; return the rule by field."""
    wanted = {NUMBER if field == "fields" else field for field in changed} & set(FIELDS)
    now = _now(record, values)
    taken: dict[str, str] = {}
    key: Unlocked | None = None
    for row, _ in _rows(session, record, ProposalState.WAITING) if wanted else ():
        if row.field not in wanted or not now[row.field]:
            continue
        key = key or vault.unlock(session, record.id)
        found = _opened(key, row)
        if found.value == now[row.field]:
            row.state = ProposalState.TAKEN
            taken.setdefault(row.field, found.rule)
    return taken


def dismiss(session: Session, record_id: UUID, field: str) -> int:
    """Hide what is proposed for a field of a record; return how many proposals that were."""
    mine = select(Content.id).where(Content.record_id == record_id)
    waiting = (Proposal.content_id.in_(mine), Proposal.field == field, Proposal.state == ProposalState.WAITING)
    gone = update(Proposal).where(*waiting).values(state=ProposalState.DISMISSED)
    found = session.execute(gone.execution_options(synchronize_session=False))
    return int(found.rowcount)  # type: ignore[attr-defined]  # a cursor's, for an update


def waiting_for(visible: Select[Any], numbered: Sequence[UUID]) -> Select[Any]:
    """Narrow a query for records to those where a proposal would fill something.

    Args:
        visible: records that a person may describe.
        numbered: categories with a field for a document's number.
    """
    stem = func.substr(File.name, 1, func.length(Record.title) + 1) == Record.title + "."
    number = func.coalesce(Record.fields[NUMBER].as_string(), "")
    fills = or_(
        and_(Proposal.field == "title", or_(File.name == Record.title, stem)),
        and_(Proposal.field == "responsible", func.coalesce(Record.responsible, "") == ""),
        and_(Proposal.field == "drawn_up", Record.drawn_up.is_(None)),
        and_(Proposal.field == NUMBER, number == "", Record.category_id.in_(numbered)),
    )
    there = (
        exists()
        .where(Proposal.content_id == Content.id, Content.record_id == Record.id, File.content_id == Content.id)
        .where(Content.state == ContentState.STORED, Proposal.state == ProposalState.WAITING, fills)
    )
    return visible.where(or_(there, _unconfirmed()))


def _unconfirmed() -> ColumnElement[bool]:
    return and_(Record.drawn_up_proposed, Record.drawn_up.is_not(None))


def _rows(session: Session, record: Record, state: ProposalState) -> Sequence[Any]:
    query = (
        select(Proposal, File.name)
        .join(Content, Content.id == Proposal.content_id)
        .join(File, File.content_id == Content.id)
        .where(Content.record_id == record.id, Content.state == ContentState.STORED, Proposal.state == state)
        .order_by(File.position, File.id, Proposal.field)
    )
    return session.execute(query).all()


def _opened(key: Unlocked, row: Proposal) -> Finding:
    return _unpack(key.open(row.sealed, context=_context(row.content_id, row.field)))


def _stands(record: Record, found: Finding) -> bool:
    return found.field == "drawn_up" and record.drawn_up_proposed and record.drawn_up == found.value


def _fills(record: Record, values: Mapping[str, Any], found: Finding, name: str) -> bool:
    if found.field == "title":
        return name == record.title or name.startswith(f"{record.title}.")
    if found.field == "drawn_up":
        return record.drawn_up is None
    return not (values.get(NUMBER) if found.field == NUMBER else record.responsible)


def _unread(session: Session, record: Record, day: str) -> Proposed:
    """Return the date that stands in a record unconfirmed and that no text tells: from a file's name, or its own."""
    names = session.scalars(select(File.name).where(File.record_id == record.id).order_by(File.position)).all()
    named = next((name for name in names if named_day(name, day)), None)
    found = Finding("drawn_up", day, "file_name", NAME) if named else Finding("drawn_up", day, "file_date", PROPERTY)
    return Proposed(found, None, named or "", fills=True, stands=True)


def _context(content_id: UUID, field: str) -> str:
    return f"proposal:{content_id.hex}:{field}"


def _pack(found: Finding) -> bytes:
    return json.dumps(asdict(found), ensure_ascii=False).encode()


def _unpack(plain: bytes) -> Finding:
    return Finding(**json.loads(plain))
