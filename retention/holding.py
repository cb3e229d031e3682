"""What a hold covers: pure functions of holds and a record's facts, and the one check before anything is destroyed.

A hold by category, place, shelf or query is a rule: it covers whatever fits now, whether or not its rows are written
yet, and what was once found to be covered stays so until the hold is released.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from archive.errors import Held
from archive.model import Category, Hold, HoldKind, HoldRecord, Record, ShelfPlace
from archive.scheme.tree import below
from archive.shelving.sealed import lying_at, papers
from archive.spelling import number_key


@dataclass(frozen=True)
class Facts:
    """What holds need to know of a record: its ids, the categories above and of it, its place, parts of it described.

    ``rows`` are the holds whose rows name it, ``shelved`` those on a place where its paper lies.
    """

    id: UUID
    dossier: UUID | None = None
    categories: frozenset[UUID] = frozenset()
    place: str = ""
    title: str = ""
    responsible: str = ""
    drawn_from: date | None = None
    drawn_to: date | None = None
    rows: frozenset[UUID] = frozenset()
    shelved: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Rule:
    """A standing hold as a rule.

    ``covers``: ``id`` (record, dossier, category, place of the store rooms), ``path``, or a query's conditions.

    A query's conditions all must fit: ``words`` (each stands in the title), ``responsible``, ``category``, ``path``,
    ``since`` and ``until`` (the days that its date may mean touch this time; what has no date may lie in it, so fits).
    """

    id: UUID
    kind: HoldKind
    covers: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


def covers(rule: Rule, facts: Facts) -> bool:
    """Return whether a hold covers a record."""
    if rule.kind is HoldKind.SHELF or rule.id in facts.rows:
        return rule.id in facts.rows | facts.shelved
    if rule.kind is HoldKind.PLACE:
        return bool(facts.place) and facts.place.startswith(rule.covers["path"])
    if rule.kind is HoldKind.QUERY:
        return _fits(rule.covers, facts)
    wanted = UUID(rule.covers["id"])
    if rule.kind is HoldKind.RECORD:
        return facts.id == wanted
    if rule.kind is HoldKind.DOSSIER:
        return wanted in {facts.id, facts.dossier}
    return wanted in facts.categories


def _fits(wanted: Mapping[str, Any], facts: Facts) -> bool:
    title, responsible = number_key(facts.title), number_key(facts.responsible)
    since, until = (date.fromisoformat(wanted[name]) if wanted.get(name) else None for name in ("since", "until"))
    return (
        all(number_key(each) in title for each in wanted.get("words", ()))
        and number_key(wanted.get("responsible") or "") in responsible
        and (not wanted.get("category") or UUID(wanted["category"]) in facts.categories)
        and (not wanted.get("path") or facts.place.startswith(wanted["path"]))
        and (since is None or facts.drawn_to is None or facts.drawn_to >= since)
        and (until is None or facts.drawn_from is None or facts.drawn_from <= until)
    )


def holds_on(rules: Iterable[Rule], facts: Facts) -> frozenset[UUID]:
    """Name every hold that keeps a record from being altered or destroyed now; empty: none does."""
    return frozenset(rule.id for rule in rules if covers(rule, facts))


_STANDING = select(Hold.id, Hold.kind, Hold.covers, Hold.name).where(Hold.released_at.is_(None))


def standing(session: Session) -> list[Rule]:
    """Return the holds that stand now."""
    session.flush()
    rows = session.connection().execute(_STANDING)
    return [Rule(row.id, row.kind, dict(row.covers), row.name) for row in rows]


def facts_of(session: Session, ids: Collection[UUID], rules: Iterable[Rule], *, rows: bool = True) -> dict[UUID, Facts]:
    """Return what these holds need to know of records. ``rows`` False leaves out what is written of holds already."""
    above = dict[UUID, UUID | None]()
    for category in session.execute(select(Category.id, Category.parent_id)):
        above[category.id] = category.parent_id
    written: dict[UUID, set[UUID]] = {}
    if rows:
        for row in session.execute(
            select(HoldRecord.hold_id, HoldRecord.record_id).where(HoldRecord.record_id.in_(list(ids)))
        ):
            written.setdefault(row.record_id, set()).add(row.hold_id)
    columns = (
        Record.id, Record.dossier_id, Record.category_id, Record.place_path, Record.title, Record.responsible,
        Record.drawn_from, Record.drawn_to,
    )  # fmt: skip
    found = session.execute(select(*columns).where(Record.id.in_(list(ids)))).all()
    shelved = _shelved(session, ids, rules)
    chains = {category: _chain(above, category) for category in {row.category_id for row in found}}
    return {
        row.id: Facts(
            row.id, row.dossier_id, chains[row.category_id], row.place_path or "", row.title,
            row.responsible or "", row.drawn_from, row.drawn_to, frozenset(written.get(row.id, ())),
            frozenset(shelved.get(row.id, ())),
        )
        for row in found
    }  # fmt: skip


def _shelved(session: Session, ids: Collection[UUID], rules: Iterable[Rule]) -> Mapping[UUID, set[UUID]]:
    """Return by record the holds on places where its paper lies: two statements, however many holds there are."""
    holds: dict[UUID, set[UUID]] = {}
    for rule in rules:
        if rule.kind is HoldKind.SHELF:
            holds.setdefault(UUID(rule.covers["id"]), set()).add(rule.id)
    if not holds:
        return {}
    held_places = select(ShelfPlace.path, ShelfPlace.id).where(ShelfPlace.id.in_(holds))
    on = {row.path: holds[row.id] for row in session.execute(held_places)}
    paper = papers(of=ids)
    found: dict[UUID, set[UUID]] = {}
    lies = select(paper.c.record_id, ShelfPlace.path).join(ShelfPlace, ShelfPlace.id == paper.c.place_id)
    for row in session.execute(lies):
        steps = row.path.split("-")
        for n in range(len(steps)):
            found.setdefault(row.record_id, set()).update(on.get("-".join(steps[: n + 1]), ()))
    return found


def _chain(above: Mapping[UUID, UUID | None], category: UUID) -> frozenset[UUID]:
    found, at = set[UUID](), category
    while at is not None and at not in found:
        found.add(at)
        at = above.get(at)  # type: ignore[assignment]  # None ends it
    return frozenset(found)


def held(session: Session, ids: Collection[UUID]) -> Mapping[UUID, Sequence[Rule]]:
    """Return of records those that are held now, each with every hold on it. To be asked in the act's transaction."""
    rules = standing(session)
    if not rules:
        return {}
    by_id = {rule.id: rule for rule in rules}
    found = {}
    for key, facts in facts_of(session, ids, rules).items():
        if on := holds_on(rules, facts):
            found[key] = sorted((by_id[each] for each in on), key=lambda each: each.id)
    return found


class HoldCheck:
    """Answers other rooms whether something may be altered or destroyed now (see ``archive.ports.Holds``)."""

    def held(self, session: Session, ids: Collection[UUID]) -> frozenset[UUID]:
        """Return which of these records are held."""
        return frozenset(held(session, ids))

    def require_free(self, session: Session, record_id: UUID, act: str) -> None:
        """Refuse an act on a record that is held.

        Raises:
            Held: a hold stands on it.
        """
        if on := held(session, [record_id]).get(record_id):
            raise Held(act=act, count=len(on))


def may_cover(rule: Rule) -> ColumnElement[bool]:
    """Return a condition on records that a hold may cover: none that it covers is left out; ``covers`` has the word."""
    wanted = rule.covers
    if rule.kind is HoldKind.RECORD:
        return Record.id == UUID(wanted["id"])
    if rule.kind is HoldKind.SHELF:
        return Record.id.in_(select(papers(lying_at(UUID(wanted["id"]))).c.record_id))
    if rule.kind is HoldKind.DOSSIER:
        return or_(Record.id == UUID(wanted["id"]), Record.dossier_id == UUID(wanted["id"]))
    conditions: list[ColumnElement[bool]] = []
    if category := wanted.get("category") or (wanted.get("id") if rule.kind is HoldKind.CATEGORY else None):
        conditions.append(Record.category_id.in_(below(UUID(category))))
    if path := wanted.get("path"):
        conditions.append(Record.place_path.startswith(path, autoescape=True))
    if since := wanted.get("since"):
        conditions.append(or_(Record.drawn_to.is_(None), Record.drawn_to >= date.fromisoformat(since)))
    if until := wanted.get("until"):
        conditions.append(or_(Record.drawn_from.is_(None), Record.drawn_from <= date.fromisoformat(until)))
    if not wanted:
        return false()
    return and_(Record.id.is_not(None), *conditions)
