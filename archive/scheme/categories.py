"""The acts on a scheme: install, add, change, close, show. Each change makes a new version; what is in use stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.closing import is_closed, open_on
from archive.database import Database, Work
from archive.errors import Conflict, Fault, InUse, InvalidInput, NotFound, StandsAlready
from archive.identity import Identity
from archive.ids import UUID, new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Category, CategoryVersion, Fonds, JobKind, Level, NumberRule
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act
from archive.ports import BranchTerms, TermsMoved
from archive.reasons import checked as reason_checked
from archive.scheme import install as installing
from archive.scheme.changes import Changed, Changes, changed, state_of
from archive.scheme.document import CategoryDef, Scheme, parse, rule_faults
from archive.scheme.fields import check_names
from archive.scheme.tree import in_use


@dataclass(frozen=True)
class Node:
    """A category in the tree, with what lies below it."""

    category: Category
    below: Sequence["Node"]


class SchemeService:
    """The acts on categories and number rules."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock, terms: BranchTerms) -> None:
        self._db = db
        self._terms = terms
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def install(self, identity: Identity, fonds_id: UUID, scheme: Scheme) -> dict[str, UUID]:
        """Bring a checked scheme into a fonds and return each category's id by code.

        Raises:
            NotFound: there is no such fonds.
            InvalidInput: see ``archive.scheme.install.install``; ``terms_shorter`` as ``move``.
            NotAllowed: facts ``reason`` ``own``: as ``move``.
            Conflict: schedules or the tree changed meanwhile.
        """
        terms = self._terms_in(identity, fonds_id, scheme)
        with self._db.writing() as work:
            session = work.session
            fonds = self._fonds(session, identity, fonds_id)
            if not self._terms.unchanged(session, terms):
                raise Conflict(what="scheme")
            before = self._guard.reach(session, identity)
            stood = {row.id: (row.parent_id, row.names) for row in _of(session, fonds.id)}
            ids = installing.install(session, fonds, scheme, now=self._clock.now())
            now = {row.id: (row.parent_id, row.names) for row in _of(session, fonds.id)}
            self._followed(work, identity, before, [key for key, was in stood.items() if now[key] != was])
            body = {"fonds": fonds.code, "scheme": scheme.code, "categories": len(ids), "terms": dict(terms.counts)}
            self._log.note(session, identity, "scheme.install", body=body)
            work.commit()
        return ids

    def preview(self, identity: Identity, fonds_id: UUID, scheme: Scheme) -> Changes:
        """Return what ``install`` would change, having changed nothing. Raises as ``install`` does."""
        terms = self._terms_in(identity, fonds_id, scheme)
        with self._db.writing() as work:  # never committed: what installing does is what is told
            session = work.session
            fonds = self._fonds(session, identity, fonds_id)
            known = set(session.scalars(select(NumberRule.code)))
            before = {row.code: state_of(row) for row in _of(session, fonds.id)}
            installing.install(session, fonds, scheme, now=self._clock.now())
            rows = _of(session, fonds.id)
            return Changes(
                new=[Changed(row.code, dict(row.names), ()) for row in rows if row.code not in before],
                changed=[each for row in rows if row.code in before and (each := changed(row, before[row.code]))],
                closed=[
                    Changed(row.code, dict(row.names), ())
                    for row in rows
                    if row.code in before and row.closed_on is not None and before[row.code]["closed_on"] is None
                ],
                rules=sorted(set(session.scalars(select(NumberRule.code))) - known),
                terms=sum(terms.counts.values()),
            )

    def _terms_in(self, identity: Identity, fonds_id: UUID, scheme: Scheme) -> TermsMoved:
        with self._db.reading(long=True) as session:
            fonds = self._fonds(session, identity, fonds_id)
            return self._terms.moved(session, installing.parents(session, fonds.id, scheme))

    def export(self, identity: Identity, fonds_id: UUID) -> Scheme:
        """Return a fonds' scheme (``to_yaml`` writes it)."""
        with self._db.reading() as session:
            fonds = self._fonds(session, identity, fonds_id)
            return installing.export(session, fonds, self._guard.day())

    def add(
        self, identity: Identity, fonds_id: UUID, data: Mapping[str, Any], *, parent_id: UUID | None = None
    ) -> UUID:
        """Add a category from plain data, as in a scheme document.

        Raises:
            InvalidInput: names the field.
            StandsAlready: the code stands in the fonds already.
        """
        with self._db.writing() as work:
            session = work.session
            fonds = self._fonds(session, identity, fonds_id)
            parent = self._category(session, parent_id) if parent_id else None
            if parent is not None and parent.fonds_id != fonds.id:
                raise InvalidInput(Fault("parent", "unknown"))
            if parent is not None and is_closed(parent.closed_on, self._guard.day()):
                raise InvalidInput(Fault("parent", "closed", {"category": parent.code}))
            values = self._values(session, data, parent)
            same = select(Category.id).where(Category.fonds_id == fonds.id, Category.code == values["code"])
            if session.scalar(same):
                raise StandsAlready(what="category", field="code")
            last = session.scalar(select(func.max(Category.position)).where(Category.fonds_id == fonds.id))
            values |= {"parent_id": parent_id, "position": (last or 0) + 1, "closed_on": fonds.closed_on}
            row = installing.add(session, fonds.id, values, self._clock.now())
            self._log.note(session, identity, "scheme.add", body={"fonds": fonds.code, "category": row.code})
            work.commit()
            return row.id

    def change(self, identity: Identity, category_id: UUID, data: Mapping[str, Any], *, version: int) -> int:
        """Change a category; its code and place in the tree stay. Records keep the version they were made under.

        Returns:
            The new version.

        Raises:
            Conflict: someone changed it since ``version``.
            InvalidInput: names the field.
        """
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            row = self._category(session, category_id)
            if row.version != version:
                raise Conflict(what="category")
            parent = session.get(Category, row.parent_id) if row.parent_id else None
            values = self._values(session, _as_data(session, row) | dict(data) | {"code": row.code}, parent)
            named = dict(row.names)
            if installing.change(session, row, values, self._clock.now()):
                body = {"category": row.code, "version": row.version, "changed": sorted(data)}
                self._log.note(session, identity, "scheme.change", body=body)
                if row.names != named:
                    self._outbox.add(work, JobKind.FOLLOW_SCHEME, row.id)
            work.commit()
            return row.version

    def check_move(self, identity: Identity, category_id: UUID, parent_id: UUID | None) -> None:
        """Check that a category may stand under another, having moved nothing. Raises as ``move``, but of terms."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            self._parent(session, self._category(session, category_id), parent_id)

    def move(self, identity: Identity, category_id: UUID, parent_id: UUID | None, *, version: int, reason: str) -> int:
        """Put a category, with all below it, under another of its fonds, or at the top; return its new version.

        What it says of its records stays. What hangs on the tree (grants, schedules, deadlines) follows from now on.

        Raises:
            Conflict: someone changed it since ``version``, or schedules and tree meanwhile.
            InvalidInput: field ``reason``; ``parent``: not of the fonds, closed, below the category itself, or
                ``terms_shorter``: a term would end sooner, which is brought about by a schedule's draft alone.
            NotAllowed: facts ``reason`` ``own``: it would open records to who moves it.
        """
        words = reason_checked(reason)
        self.check_move(identity, category_id, parent_id)
        with self._db.reading(long=True) as session:
            terms = self._terms.moved(session, {category_id: parent_id})
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            before = self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            row = self._category(session, category_id)
            if row.version != version or not self._terms.unchanged(session, terms):
                raise Conflict(what="category")
            self._parent(session, row, parent_id)
            above = row.parent_id
            if installing.change(session, row, {"parent_id": parent_id}, self._clock.now()):
                session.flush()
                self._followed(work, identity, before, [row.id])
                codes = [session.get_one(Category, key).code if key else None for key in (above, parent_id)]
                body: dict[str, Any] = {"category": row.code, "before": codes[0], "after": codes[1], "reason": words}
                body["terms"] = dict(terms.counts)
                self._log.note(session, identity, "scheme.move", body=body)
            work.commit()
            return row.version

    def _parent(self, session: Session, row: Category, parent_id: UUID | None) -> None:
        """Refuse a place that a category cannot have. Raises ``InvalidInput`` (field ``parent``)."""
        parent = session.get(Category, parent_id) if parent_id else None
        if parent_id and (parent is None or parent.fonds_id != row.fonds_id):
            raise InvalidInput(Fault("parent", "unknown"))
        if parent is not None and is_closed(parent.closed_on, self._guard.day()):
            raise InvalidInput(Fault("parent", "closed", {"category": parent.code}))
        if parent is not None and parent.id in {each.id for each in _branch(session, row)}:
            raise InvalidInput(Fault("parent", "below_itself"))

    def _followed(self, work: Work, identity: Identity, before: Reach, categories: Sequence[UUID]) -> None:
        """Let search and due days follow categories that were moved or renamed: their records hang on the tree."""
        if self._guard.reach(work.session, identity).categories - before.categories:
            raise self._guard.refused_house(work.session, identity, Act.MANAGE_SCHEME, reason="own")
        self._outbox.add_many(work, JobKind.FOLLOW_SCHEME, categories)

    def close(self, identity: Identity, category_id: UUID) -> None:
        """Close a category and all below it: what lies there stays, nothing new comes in."""
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            row = self._category(session, category_id)
            day = self._guard.day()
            for each in _branch(session, row):
                if not is_closed(each.closed_on, day):
                    installing.change(session, each, {"closed_on": day}, self._clock.now())
            self._log.note(session, identity, "scheme.close", body={"category": row.code})
            work.commit()

    def remove(self, identity: Identity, category_id: UUID) -> None:
        """Remove a category that was never used.

        Raises:
            InUse: something hangs on it, a record, a category, a schedule …; it can only be closed.
        """
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            row = self._category(session, category_id)
            if in_use(session, row.id):
                raise InUse(what="category_in_use")
            session.execute(delete(CategoryVersion).where(CategoryVersion.category_id == row.id))
            session.execute(delete(Category).where(Category.id == row.id))
            self._log.note(session, identity, "scheme.remove", body={"category": row.code})
            work.commit()

    def add_rule(self, identity: Identity, code: str, names: Mapping[str, str], template: str) -> UUID:
        """Add a number rule (or, with a code that begins ``reference.``, a reference rule).

        Raises:
            InvalidInput: the template is at fault; the facts hold the position.
            StandsAlready: the code stands already. A rule in use is never rewritten: add another.
        """
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            faults = rule_faults(code, template) + check_names(names, "names")
            if faults:
                raise InvalidInput(*faults)
            if session.scalar(select(NumberRule.id).where(NumberRule.code == code)):
                raise StandsAlready(what="number_rule", field="code")
            row = NumberRule(id=new_id(), code=code, names=dict(names), template=template)
            session.add(row)
            self._log.note(session, identity, "scheme.add_rule", body={"code": code, "template": template})
            work.commit()
            return row.id

    def rules(self, identity: Identity) -> Sequence[NumberRule]:
        """Return the number rules and reference rules by code, for those who manage schemes."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            return session.scalars(select(NumberRule).order_by(NumberRule.code)).all()

    def tree(self, _identity: Identity, fonds_id: UUID, *, closed: bool = False) -> Sequence[Node]:
        """Return the categories of a fonds as a tree. Names of categories are open to everyone signed in."""
        with self._db.reading() as session:
            query = select(Category).where(Category.fonds_id == fonds_id).order_by(Category.position, Category.code)
            standing = query.where(open_on(Category.closed_on, self._guard.day()))
            rows = session.scalars(query if closed else standing).all()
        return _nodes(rows, None)

    def history(self, identity: Identity, category_id: UUID) -> Sequence[CategoryVersion]:
        """Return every version of a category, oldest first."""
        with self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            query = select(CategoryVersion).where(CategoryVersion.category_id == category_id)
            return session.scalars(query.order_by(CategoryVersion.version)).all()

    def _fonds(self, session: Session, identity: Identity, fonds_id: UUID) -> Fonds:
        self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
        fonds = session.get(Fonds, fonds_id)
        if fonds is None:
            raise NotFound
        return fonds

    @staticmethod
    def _category(session: Session, category_id: UUID) -> Category:
        row = session.get(Category, category_id)
        if row is None:
            raise NotFound
        return row

    @staticmethod
    def _values(session: Session, data: Mapping[str, Any], parent: Category | None) -> dict[str, Any]:
        """Check one category as if it stood in a document, with its parent above it."""
        if "categories" in data:
            raise InvalidInput(Fault("categories", "unknown_key"))
        rules = {row.code: row for row in session.scalars(select(NumberRule))}
        checked = _checked(data, _as_data(session, parent) if parent else None, list(rules.values()))
        ranks: dict[int | str, int] = {}
        for rank, code in session.execute(select(Level.rank, Level.code)):
            ranks[rank] = ranks[code] = rank
        if checked.level not in ranks:
            raise InvalidInput(Fault("level", "unknown_level", {"level": checked.level}))
        return {
            "code": checked.code,
            "names": dict(checked.names),
            "level_rank": ranks[checked.level],
            "term": checked.term,
            "importance": checked.importance,
            "number_rule_id": rules[checked.number_rule].id if checked.number_rule else None,
            "reference_rule_id": rules[checked.reference_rule].id if checked.reference_rule else None,
            "fields": [f.as_data() for f in checked.fields],
            "required": list(checked.required),
            "documents": [dict(paper) for paper in checked.documents],
        }


def _of(session: Session, fonds_id: UUID) -> Sequence[Category]:
    query = select(Category).where(Category.fonds_id == fonds_id)
    return session.scalars(query.order_by(Category.position, Category.code)).all()


def _checked(data: Mapping[str, Any], parent: dict[str, Any] | None, rules: Sequence[NumberRule]) -> CategoryDef:
    told: list[dict[str, Any]] = [{"code": r.code, "names": dict(r.names), "template": r.template} for r in rules]
    top = [dict(data)] if parent is None else [parent | {"categories": [dict(data)]}]
    at = "categories[0]." if parent is None else "categories[0].categories[0]."
    document = {
        "format": 1,
        "code": "x",
        "names": {"zh_CN": "x"},
        "number_rules": [r for r in told if not r["code"].startswith("reference.")],
        "reference_rules": [r for r in told if r["code"].startswith("reference.")],
        "categories": top,
    }
    try:
        return parse(document).categories[-1]
    except InvalidInput as refused:
        raise InvalidInput(*(Fault(f.field.removeprefix(at), f.code, f.facts) for f in refused.faults)) from None


def _as_data(session: Session, row: Category) -> dict[str, Any]:
    def code(key: UUID | None) -> str | None:
        return session.get_one(NumberRule, key).code if key else None

    return {
        "code": row.code,
        "names": dict(row.names),
        "level": row.level_rank,
        "term": row.term,
        "importance": row.importance,
        "number_rule": code(row.number_rule_id),
        "reference_rule": code(row.reference_rule_id),
        "fields": list(row.fields),
        "required": list(row.required),
        "documents": list(row.documents),
    }


def _branch(session: Session, row: Category) -> list[Category]:
    below = session.scalars(select(Category).where(Category.parent_id == row.id)).all()
    return [row, *(each for child in below for each in _branch(session, child))]


def _nodes(rows: Sequence[Category], parent_id: UUID | None) -> list[Node]:
    return [Node(row, _nodes(rows, row.id)) for row in rows if row.parent_id == parent_id]
