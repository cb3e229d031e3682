"""What stands of dossiers, as one person sees them: an item that is hidden from them meets no paper.

So neither a count nor a word tells of what they may not see: for them it is not there, as in the list of the contents.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.database import Base, rows_by_id
from archive.identity import Identity
from archive.model import Category, DossierClock, DossierPerson, PaperMet, Record, RequiredPapers
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.policy.sql import where
from archive.required.standing import ClockRuns, Standing, matches, stand
from archive.required.template import Template
from archive.required.templates import template_of

_TABLE = Base.metadata.tables["record"]
_ITEM = [_TABLE.c[name] for name in ("id", "dossier_id", "category_id", "keywords", "title", "archive_number", "state")]


@dataclass(frozen=True)
class Item:
    """An item that meets a paper. ``met`` is what was noted of it; None: it is marked by its category or keyword."""

    record_id: UUID
    title: str
    number: str | None
    met: PaperMet | None


@dataclass(frozen=True)
class Looked:
    """A dossier's required papers, as one person sees them. ``items`` are those that meet each paper, by its code.

    ``linked``: the other dossier, if they may read it. ``unplaced``: items that meet no paper.
    """

    dossier: Record
    row: RequiredPapers
    template: Template
    standing: Standing
    items: Mapping[str, Sequence[Item]]
    unplaced: Sequence[Item]
    people: Mapping[str, UUID]
    clocks: Sequence[ClockRuns]
    linked: Record | None


def look(session: Session, guard: Guard, identity: Identity, rows: Sequence[RequiredPapers]) -> dict[UUID, Looked]:
    """Return what stands of each dossier that the person may read, by its id."""
    seen = _look(session, guard, identity, rows)
    others = {each.row.linked_id for each in seen.values() if each.template.link} - {None}
    if others:
        beside = session.scalars(select(RequiredPapers).where(RequiredPapers.dossier_id.in_(others))).all()
        whole = _look(session, guard, identity, beside)
        for key, each in seen.items():
            other = whole.get(each.row.linked_id) if each.row.linked_id else None
            if each.template.link and other is not None and other.template.code == each.template.link.template:
                standing = replace(each.standing, linked=replace(other.standing, linked=None).complete)
                seen[key] = replace(each, standing=standing, linked=other.dossier)
    return seen


def _look(session: Session, guard: Guard, identity: Identity, rows: Sequence[RequiredPapers]) -> dict[UUID, Looked]:
    ids = [row.dossier_id for row in rows]
    dossiers = {each.id: each for each in session.scalars(guard.visible(session, identity).where(Record.id.in_(ids)))}
    may_read = where(condition(Act.READ, guard.reach(session, identity)))
    query = select(*_ITEM).where(Record.dossier_id.in_(dossiers), may_read).order_by(Record.position)
    inside = defaultdict(list)
    for item in session.connection().execute(query):
        inside[item.dossier_id].append(item)
    codes = {
        key: row.code
        for key, row in rows_by_id(session, Category, {i.category_id for some in inside.values() for i in some}).items()
    }
    noted = defaultdict(list)
    for met in session.scalars(select(PaperMet).where(PaperMet.dossier_id.in_(dossiers)).order_by(PaperMet.id)):
        noted[met.dossier_id, met.record_id].append(met)
    people: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    for each in session.scalars(select(DossierPerson).where(DossierPerson.dossier_id.in_(dossiers))):
        people[each.dossier_id][each.part] = each.subject_id
    running: dict[UUID, dict[str, DossierClock]] = defaultdict(dict)
    for clock in session.scalars(select(DossierClock).where(DossierClock.dossier_id.in_(dossiers))):
        running[clock.dossier_id][clock.clock] = clock
    templates: dict[tuple[str, int], Template] = {}
    found = {}
    for row in rows:
        if row.dossier_id not in dossiers:
            continue
        kind = row.template, row.template_version
        template = templates.get(kind) or templates.setdefault(kind, template_of(session, *kind))
        kept = {item.id: noted[row.dossier_id, item.id] for item in inside[row.dossier_id]}
        items, unplaced = _placed(template, inside[row.dossier_id], kept, codes)
        there = {code: len(some) for code, some in items.items()}
        named = {part.code for part in template.people} & people[row.dossier_id].keys()
        found[row.dossier_id] = Looked(
            dossiers[row.dossier_id], row, template, stand(template, row.facts, there, named, linked=False), items,
            unplaced, people[row.dossier_id], _clocks(template, running[row.dossier_id]), None,
        )  # fmt: skip
    return found


def _clocks(template: Template, kept: Mapping[str, DossierClock]) -> list[ClockRuns]:
    """Return a dossier's clocks as they are kept, in the order of its template."""
    rows = [(rule, kept[rule.code]) for rule in template.clocks if rule.code in kept]
    return [ClockRuns(rule, row.since, row.due, row.met_on) for rule, row in rows]


def _placed(
    template: Template, inside: Sequence[Any], noted: Mapping[UUID, Sequence[PaperMet]], codes: Mapping[UUID, str]
) -> tuple[dict[str, list[Item]], list[Item]]:
    """Return the items that meet each paper, by its code, and those that meet none; naming goes before marks."""
    items: dict[str, list[Item]] = defaultdict(list)
    unplaced = []
    for item in inside:
        bare = Item(item.id, item.title, item.archive_number, None)
        own = {met.paper: replace(bare, met=met) for met in noted[item.id] if template.paper(met.paper)}
        if not own:
            word = codes.get(item.category_id, "")
            own = {each.code: bare for each in template.papers if matches(each.match, word, item.keywords)}
        for code, which in own.items():
            items[code].append(which)
        if not own:
            unplaced.append(bare)
    return items, unplaced
