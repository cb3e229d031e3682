"""Commands on fonds and their schemes: fonds add|list|rename|close, scheme check|install|export|list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.clock import today
from archive.house import levels
from archive.model import Category, Fonds, Level, NumberRule
from archive.scheme.categories import Node
from archive.scheme.document import Scheme
from runtime.cli.asked import (
    DAY,
    OPERATOR,
    acting,
    added,
    by_code,
    day,
    like,
    names_of,
    open_fonds,
    scheme_of,
    with_names,
)
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale
from web.words import mark, named


@click.group("fonds")
def fonds() -> None:
    """Fonds: the papers of one body."""


@click.argument("code")
@with_names
@click.option("--scheme", "scheme_name", default=None, metavar="property|university|FILE", help="Its first scheme.")
@command("add", "Add a fonds, with a scheme or without.")
def add(
    out: Out, code: str, name: str, name_tw: str | None, name_en: str | None, scheme_name: str | None
) -> None:  # fmt: skip
    """Add a fonds."""
    names = names_of(name, name_tw, name_en)
    chosen = scheme_of(scheme_name) if scheme_name else None
    with acting() as parts:
        with parts.db.reading() as session:
            there = session.scalars(select(Fonds).where(Fonds.code == code)).one_or_none()
            bare = there is None or not _standing(session, there.id)
        key, is_new = added(
            "code",
            lambda: like(there, names=names, closed_on=None),
            lambda: parts.fonds.add(OPERATOR, code, names, chosen),
        )
        if chosen and bare and not is_new:
            parts.scheme.install(OPERATOR, key, chosen)
    said = mark("Fonds %(code)s was added.") if is_new else mark("Fonds %(code)s stands already.")
    lines = [out.gettext(said, code=code)]
    if chosen and bare:  # a scheme that stands may have been changed since: only 'scheme install' brings it back
        lines.append(_installed(out, chosen))
    brought = len(chosen.categories) if chosen and bare else 0
    document = {"id": str(key), "code": code, "added": is_new, "categories": brought}
    out.end(document, lines)


def _installed(out: Out, chosen: Scheme) -> str:
    said = mark("It has the %(categories)s categories and %(rules)s number rules of the scheme %(code)s.")
    return out.gettext(said, categories=len(chosen.categories), rules=len(chosen.rules), code=chosen.code)


@command("list", "List the fonds.")
def list_fonds(out: Out) -> None:
    """List the fonds."""
    with opened() as parts, parts.db.reading() as session:
        found = session.scalars(select(Fonds).order_by(Fonds.code)).all()
    codes = {row.id: row.code for row in found}
    rows: list[dict[str, Any]] = [
        {"id": str(row.id), "code": row.code, "names": dict(row.names), "opened_on": row.opened_on,
         "closed_on": row.closed_on, "joined_to": codes[row.successor_id] if row.successor_id else None}
        for row in found
    ]  # fmt: skip
    lines = [
        f"{row['code']:<8} {named(row['names'], locale())}{_ended(out, row['closed_on'], row['joined_to'])}"
        for row in rows
    ]
    out.end({"fonds": rows}, lines)


def _ended(out: Out, on: object, into: str | None = None) -> str:
    if into:
        return f" ({out.gettext(mark('joined to %(into)s on %(day)s'), into=into, day=on)})"
    return f" ({out.gettext(mark('closed on %(day)s'), day=on)})" if on else ""


@click.argument("code")
@with_names
@command("rename", "Rename a fonds; its code, which numbers hold, stays.")
def rename(out: Out, code: str, name: str, name_tw: str | None, name_en: str | None) -> None:
    """Rename a fonds."""
    with acting() as parts:
        with parts.db.reading() as session:
            row = open_fonds(session, code)
        version = parts.fonds.rename(OPERATOR, row.id, names_of(name, name_tw, name_en), version=row.version)
    said = out.gettext(mark("Fonds %(code)s is now called %(name)s."), code=code, name=name)
    out.end({"id": str(row.id), "code": code, "version": version}, [said])


@click.argument("code")
@click.option("--on", type=DAY, default=None, help="The day (YYYY-MM-DD); today otherwise.")
@command("close", "Close a fonds: what lies there stays, nothing new comes in.")
def close(out: Out, code: str, on: datetime | None) -> None:
    """Close a fonds."""
    with acting() as parts:
        with parts.db.reading() as session:
            row = open_fonds(session, code)
        last = day(on) or today(parts.clock, parts.zone)
        parts.fonds.close(OPERATOR, row.id, last, version=row.version)
    said = out.gettext(mark("Fonds %(code)s is closed on %(day)s. What lies there stays."), code=code, day=last)
    out.end({"id": str(row.id), "code": code, "closed_on": last}, [said])


@click.argument("into", metavar="INTO")
@click.argument("code")
@click.option("--on", type=DAY, default=None, help="The day (YYYY-MM-DD); today otherwise.")
@command("join", "Join a fonds to another: it is closed and leads there; its papers and numbers stay.")
def join(out: Out, code: str, into: str, on: datetime | None) -> None:
    """Join a fonds to another."""
    with acting() as parts:
        with parts.db.reading() as session:
            row, other = open_fonds(session, code), by_code(session, Fonds, "successor", into)
        last = day(on) or today(parts.clock, parts.zone)
        parts.fonds.join(OPERATOR, row.id, other.id, last, version=row.version)
    said = out.gettext(
        mark("Fonds %(code)s is joined to %(into)s on %(day)s. Its papers and numbers stay."),
        code=code, into=into, day=last,
    )  # fmt: skip
    out.end({"id": str(row.id), "code": code, "into": into, "closed_on": last}, [said])


@click.group("scheme")
def scheme() -> None:
    """Schemes: the categories of a fonds, with level, term, rules and fields."""


@click.argument("source", metavar="FILE|property|university")
@command("check", "Check a scheme without bringing it in; each fault names its path in the file.")
def check(out: Out, source: str) -> None:
    """Check a scheme."""
    found = scheme_of(source)
    document = {
        "ok": True, "code": found.code, "categories": [each.code for each in found.categories],
        "rules": [each.code for each in found.rules],
    }  # fmt: skip
    said = mark("Nothing is wrong with it: %(categories)s categories, %(rules)s number rules.")
    out.end(document, [out.gettext(said, categories=len(found.categories), rules=len(found.rules))])


@click.argument("source", metavar="FILE|property|university")
@click.argument("code", metavar="FONDS")
@command("install", "Bring a scheme into a fonds; categories that it no longer names are closed.")
def install(out: Out, code: str, source: str) -> None:
    """Bring a scheme into a fonds."""
    found = scheme_of(source)
    with acting() as parts:
        with parts.db.reading() as session:
            row = open_fonds(session, code)
            before = _standing(session, row.id)
        parts.scheme.install(OPERATOR, row.id, found)
    wanted = {each.code for each in found.categories}
    closed = sorted(before - wanted)
    document = {"fonds": code, "scheme": found.code, "categories": len(wanted), "new": sorted(wanted - before)}
    lines = [_installed(out, found)]
    if closed:
        lines.append(
            out.gettext(mark("Closed, for the scheme no longer names them: %(codes)s"), codes=", ".join(closed))
        )
    out.end(document | {"closed": closed}, lines)


def _standing(session: Session, fonds_id: UUID) -> set[str]:
    query = select(Category.code).where(Category.fonds_id == fonds_id, Category.closed_on.is_(None))
    return set(session.scalars(query))


@click.argument("code", metavar="FONDS")
@command("export", "Print the scheme of a fonds as YAML; 'scheme install' reads it again.")
def export(out: Out, code: str) -> None:
    """Print a scheme."""
    with opened() as parts:
        with parts.db.reading() as session:
            row = by_code(session, Fonds, "fonds", code)
        text = parts.scheme.export(OPERATOR, row.id).to_yaml()
    out.end({"fonds": code, "yaml": text}, [text.rstrip("\n")])


@click.argument("code", metavar="FONDS")
@click.option("--closed", is_flag=True, help="Show closed categories too.")
@command("list", "Show the categories of a fonds as a tree, with level, term and number rule.")
def tree(out: Out, code: str, closed: bool) -> None:
    """Show a scheme."""
    with opened() as parts:
        with parts.db.reading() as session:
            row = by_code(session, Fonds, "fonds", code)
            marks = {level.rank: levels.mark(level, locale()) for level in session.scalars(select(Level))}
            rules = dict(session.execute(select(NumberRule.id, NumberRule.code)).all())
        nodes = [_node(each, marks, rules) for each in parts.scheme.tree(OPERATOR, row.id, closed=closed)]
    out.end({"fonds": code, "categories": nodes}, list(_lines(out, nodes, 0)))


def _node(node: Node, marks: Mapping[int, str], rules: Mapping[UUID, str]) -> dict[str, Any]:
    row = node.category
    return {
        "code": row.code,
        "names": dict(row.names),
        "level": row.level_rank,
        "mark": marks[row.level_rank],
        "term": row.term,
        "importance": row.importance,
        "rule": rules[row.number_rule_id] if row.number_rule_id else None,
        "reference_rule": rules[row.reference_rule_id] if row.reference_rule_id else None,
        "fields": [each["name"] for each in row.fields],
        "required": list(row.required),
        "version": row.version,
        "closed_on": row.closed_on,
        "categories": [_node(each, marks, rules) for each in node.below],
    }


def _lines(out: Out, nodes: Sequence[Mapping[str, Any]], depth: int) -> list[str]:
    lines = []
    for node in nodes:
        name = named(node["names"], locale())
        kept = f"{node['mark']}  {node['term']}  {node['rule'] or '–'}{_ended(out, node['closed_on'])}"
        lines += [f"{'  ' * depth}{node['code']:<8} {name}  [{kept}]", *_lines(out, node["categories"], depth + 1)]
    return lines


for _command in (add, list_fonds, rename, close, join):
    fonds.add_command(_command)
for _command in (check, install, export, tree):
    scheme.add_command(_command)
COMMANDS = (fonds, scheme)
