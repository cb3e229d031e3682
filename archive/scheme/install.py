"""Bringing a scheme into a fonds, and out of it again.

Installing is repeatable: what is there is brought to the document's state, each change making a new version; what the
document no longer names is closed, never deleted.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.closing import house_day, is_closed, open_on
from archive.errors import Fault, InvalidInput
from archive.ids import UUID, new_id
from archive.model import Category, CategoryVersion, Fonds, Level, NumberRule
from archive.scheme.document import CategoryDef, RuleDef, Scheme
from archive.scheme.fields import parse_fields


def install(session: Session, fonds: Fonds, scheme: Scheme, *, now: datetime) -> dict[str, UUID]:
    """Bring a checked scheme into ``fonds``, in the caller's transaction.

    Number rules are the house's; one that another fonds uses under the same code must say the same.

    Returns:
        Each category's id by its code.

    Raises:
        InvalidInput: a level is not the house's (``unknown_level``), or a rule's code stands for another template
            (``rule_differs``). Nothing is written then.
    """
    ranks = _ranks(session, scheme)
    rules = _install_rules(session, scheme.rules)
    there = {row.code: row for row in session.scalars(select(Category).where(Category.fonds_id == fonds.id))}
    for position, each in enumerate(scheme.categories):
        values = _values(each, ranks, rules, there, position) | {"closed_on": fonds.closed_on}
        row = there.get(each.code)
        if row is None:
            there[each.code] = add(session, fonds.id, values, now)
        else:
            change(session, row, values, now)
    named, day = {each.code for each in scheme.categories}, house_day(session, now)
    for code, row in there.items():
        if code not in named and not is_closed(row.closed_on, day):
            change(session, row, {"closed_on": day}, now)
    session.flush()
    return {code: row.id for code, row in there.items()}


def parents(session: Session, fonds_id: UUID, scheme: Scheme) -> dict[UUID, UUID | None]:
    """Return below what each category would stand that ``scheme`` names; new ones have ids that were made up."""
    there = dict(session.execute(select(Category.code, Category.id).where(Category.fonds_id == fonds_id)).all())
    ids = {each.code: there.get(each.code) or new_id() for each in scheme.categories}
    return {ids[each.code]: ids[each.parent] if each.parent else None for each in scheme.categories}


def add(session: Session, fonds_id: UUID, values: Mapping[str, Any], now: datetime) -> Category:
    """Add a category and its first version."""
    row = Category(id=new_id(), fonds_id=fonds_id, version=1, **values)
    session.add(row)
    _keep(session, row, now)
    return row


def change(session: Session, row: Category, values: Mapping[str, Any], now: datetime) -> bool:
    """Bring a category to ``values``; when that changes anything, count it up and keep the new version."""
    changed = {key: value for key, value in values.items() if getattr(row, key) != value}
    for key, value in changed.items():
        setattr(row, key, value)
    if not set(changed) - {"position"}:  # a neighbour came or went: nothing of its own changed
        return False
    row.version += 1
    _keep(session, row, now)
    return True


def export(session: Session, fonds: Fonds, day: date) -> Scheme:
    """Return the fonds' categories that are open on a day, and their rules, as a scheme (``to_yaml`` writes it)."""
    query = select(Category).where(Category.fonds_id == fonds.id, open_on(Category.closed_on, day))
    rows = session.scalars(query.order_by(Category.position)).all()
    codes = {row.id: row.code for row in rows}
    wanted = {row.number_rule_id for row in rows} | {row.reference_rule_id for row in rows}
    rules = {row.id: row for row in session.scalars(select(NumberRule).where(NumberRule.id.in_(wanted - {None})))}
    shown = sorted(rules.values(), key=lambda row: row.code)
    return Scheme(
        code=fonds.code,
        names=dict(fonds.names),
        rules=tuple(RuleDef(row.code, dict(row.names), row.template) for row in shown),
        categories=tuple(_definition(row, codes, rules) for row in _parents_first(list(rows))),
    )


def _definition(row: Category, codes: Mapping[UUID, str], rules: Mapping[UUID, NumberRule]) -> CategoryDef:
    return CategoryDef(
        code=row.code,
        names=dict(row.names),
        parent=codes.get(row.parent_id) if row.parent_id else None,
        level=row.level_rank,
        term=row.term,
        importance=row.importance,
        number_rule=rules[row.number_rule_id].code if row.number_rule_id else None,
        reference_rule=rules[row.reference_rule_id].code if row.reference_rule_id else None,
        fields=parse_fields(row.fields),
        required=tuple(row.required),
        documents=tuple(dict(paper) for paper in row.documents),
    )


def _parents_first(rows: list[Category]) -> list[Category]:
    """Order rows as a tree is read: each branch whole, parents before children."""
    below: dict[UUID | None, list[Category]] = {}
    known = {row.id for row in rows}
    for row in rows:
        below.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)

    def walk(parent: UUID | None) -> list[Category]:
        return [each for row in below.get(parent, []) for each in (row, *walk(row.id))]

    return walk(None)


def _ranks(session: Session, scheme: Scheme) -> dict[int | str, int]:
    """Return the house's rank for every level the scheme names, by rank or by code."""
    known: dict[int | str, int] = {}
    for rank, code in session.execute(select(Level.rank, Level.code)):
        known[rank] = known[code] = rank
    faults = [
        Fault(f"{each.path}.level", "unknown_level", {"level": each.level})
        for each in scheme.categories
        if each.level not in known
    ]
    if faults:
        raise InvalidInput(*faults)
    return known


def _install_rules(session: Session, rules: tuple[RuleDef, ...]) -> dict[str, UUID]:
    there = {row.code: row for row in session.scalars(select(NumberRule))}
    for n, each in enumerate(rules):
        row = there.get(each.code)
        if row is not None and row.template != each.template:
            raise InvalidInput(Fault(f"rules[{n}].template", "rule_differs", {"code": each.code}))
        if row is None:
            row = NumberRule(id=new_id(), code=each.code, names=dict(each.names), template=each.template)
            there[each.code] = row
            session.add(row)
    session.flush()
    return {code: row.id for code, row in there.items()}


def _values(
    each: CategoryDef,
    ranks: Mapping[int | str, int],
    rules: Mapping[str, UUID],
    there: Mapping[str, Category],
    position: int,
) -> dict[str, Any]:
    return {
        "parent_id": there[each.parent].id if each.parent else None,
        "code": each.code,
        "names": dict(each.names),
        "position": position,
        "level_rank": ranks[each.level],
        "term": each.term,
        "importance": each.importance,
        "number_rule_id": rules[each.number_rule] if each.number_rule else None,
        "reference_rule_id": rules[each.reference_rule] if each.reference_rule else None,
        "fields": [f.as_data() for f in each.fields],
        "required": list(each.required),
        "documents": [dict(paper) for paper in each.documents],
        "closed_on": None,
    }


def _keep(session: Session, row: Category, now: datetime) -> None:
    definition = {
        key: _plain(getattr(row, key))
        for key in (
            "parent_id", "code", "names", "position", "level_rank", "term", "importance", "number_rule_id",
            "reference_rule_id", "fields", "required", "documents", "closed_on",
        )
    }  # fmt: skip
    session.add(CategoryVersion(category_id=row.id, version=row.version, since=now, definition=definition))


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
