"""The scheme: categories added, changed, moved, closed and removed, and rules by which numbers are given."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from archive.errors import Fault, InvalidInput, NotFound
from archive.model import Category
from archive.policy.rules import Act
from archive.scheme.categories import Node
from web import paging
from web.api import made_of_schemes as made
from web.api.made_of_schedules import record_moves
from web.api.names import behind, fonds_at, page
from web.api.operations import operation
from web.asking import require
from web.services import identity, services


@operation("/fonds/{code}/categories/{category}", 403, 404, tagged=True)
def category(code: str, category: str) -> made.CategoryKept:
    """Show a category, a closed one too, to those who keep the scheme."""
    require(Act.MANAGE_SCHEME)
    return _kept(code, category)


@operation("/fonds/{code}/categories", 404, method="POST", status=201, made_at="/fonds/{fonds}/categories/{category}")
def add_category(code: str, body: made.NewCategory) -> made.CategoryStands:
    """Add a category to a fonds."""
    require(Act.MANAGE_SCHEME)
    data = body.sent() | {"code": body.code}
    services().house.scheme.add(identity(), fonds_at(code), data, parent_id=_parent(code, body.parent))
    return _stands(code, body.code)


@operation("/fonds/{code}/categories/{category}", 404, 409, method="PATCH")
def change_category(code: str, category: str, body: made.CategoryFacts, version: int) -> made.CategoryStands:
    """Change what a category says; what is left out stays. Records keep the version that they were made under."""
    require(Act.MANAGE_SCHEME)
    row = _row(code, category)
    services().house.scheme.change(identity(), row.id, body.sent(), version=version)
    return _stands(code, category)


@operation("/fonds/{code}/categories/{category}/parent", 404, 409, method="PUT")
def move_category(code: str, category: str, body: made.CategoryParent, version: int) -> made.CategoryStands:
    """Put a category, with all below it, under another, or at the top; rights by branches hold so at once.

    Refused (`terms_shorter`) where a term would end sooner: that is brought about by a schedule's draft alone.
    """
    require(Act.MANAGE_SCHEME)
    row = _row(code, category)
    parent = _parent(code, body.parent)
    services().house.scheme.move(identity(), row.id, parent, version=version, reason=body.reason)
    return _stands(code, category)


@operation("/fonds/{code}/categories/{category}/move", 403, 404)
def category_move(code: str, category: str, query: made.MoveAsked) -> made.MoveSeen:
    """Show what a move would do to the terms of records that you read. Nothing is written.

    What is counted is told on the first page alone.
    """
    require(Act.MANAGE_SCHEME)
    row, parent = _row(code, category), _parent(code, query.parent)
    services().house.scheme.check_move(identity(), row.id, parent)
    branches = services().retention.branches
    after = behind(query.cursor, paging.read_id)
    seen = branches.look(identity(), row.id, parent) if after is None else None
    shown, following = page(
        branches.moves(identity(), row.id, parent, after=after, limit=query.limit + 1), query.limit,
        lambda each: each.record_id.hex,
    )  # fmt: skip
    return made.MoveSeen(
        moves=dict(seen.preview.counts) if seen else None, same=seen.preview.same if seen else None,
        shorter=seen.shorter if seen else None,
        records=[record_moves(each) for each in shown], next=following,
    )  # fmt: skip


@operation("/fonds/{code}/categories/{category}/closing", 404, method="POST")
def close_category(code: str, category: str) -> made.CategoryStands:
    """Close a category and all below it: what lies there stays, nothing new comes in."""
    require(Act.MANAGE_SCHEME)
    services().house.scheme.close(identity(), _row(code, category).id)
    return _stands(code, category)


@operation("/fonds/{code}/categories/{category}", 404, 409, method="DELETE", status=204)
def remove_category(code: str, category: str) -> None:
    """Remove a category that was never used; one that was is closed."""
    require(Act.MANAGE_SCHEME)
    services().house.scheme.remove(identity(), _row(code, category).id)


@operation("/number-rules", method="POST", status=201)
def add_number_rule(body: made.NewRule) -> made.RuleMade:
    """Add a rule by which numbers are given. One in use is never rewritten: add another."""
    names = {str(locale): name for locale, name in body.names.items()}
    services().house.scheme.add_rule(identity(), body.rule, names, body.template)
    return made.RuleMade(rule=body.rule)


def _rows(code: str) -> list[Category]:
    """Return the categories of a fonds, closed ones too."""
    return list(_flat(services().house.scheme.tree(identity(), fonds_at(code), closed=True)))


def _flat(nodes: Sequence[Node]) -> Iterator[Category]:
    for node in nodes:
        yield node.category
        yield from _flat(node.below)


def _row(code: str, category: str) -> Category:
    found = [row for row in _rows(code) if row.code == category]
    if not found:
        raise NotFound
    return found[0]


def _parent(code: str, parent: str | None) -> UUID | None:
    if parent is None:
        return None
    try:
        return _row(code, parent).id
    except NotFound:
        raise InvalidInput(Fault("parent", "unknown")) from None


def _stands(code: str, category: str) -> made.CategoryStands:
    return made.CategoryStands(fonds=code, category=category, version=_row(code, category).version)


def _kept(code: str, category: str) -> made.CategoryKept:
    rows = {row.id: row for row in _rows(code)}
    row = _row(code, category)
    rules = {rule.id: rule.code for rule in services().house.scheme.rules(identity())}
    return made.CategoryKept(
        id=row.id, fonds=code, category=row.code, version=row.version, names=row.names,
        parent=rows[row.parent_id].code if row.parent_id else None, level=row.level_rank, term=row.term,
        importance=row.importance, number_rule=rules.get(row.number_rule_id) if row.number_rule_id else None,
        reference_rule=rules.get(row.reference_rule_id) if row.reference_rule_id else None, fields=list(row.fields),
        required=list(row.required), documents=list(row.documents), closed_on=row.closed_on,
    )  # fmt: skip
