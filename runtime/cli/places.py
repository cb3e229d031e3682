"""Commands on the organisation and the property tree: department, post, place."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import click
from sqlalchemy import select

from archive.clock import today
from archive.errors import Fault, InvalidInput
from archive.house.places import STEPS
from archive.model import Department, Fonds, Place, Post
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
    pairs,
    steps,
    with_names,
)
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale
from web.words import mark, named

ADDED = mark("%(code)s was added.")
STANDS = mark("%(code)s stands already.")


@click.group("department")
def department() -> None:
    """Departments: the tree of the organisation."""


@click.argument("code")
@with_names
@click.option("--parent", default=None, metavar="CODE", help="The department above it.")
@click.option("--since", type=DAY, default=None, help="From this day (YYYY-MM-DD).")
@command("add", "Add a department.")
def add_department(
    out: Out, code: str, name: str, name_tw: str | None, name_en: str | None, parent: str | None,
    since: datetime | None,
) -> None:  # fmt: skip
    """Add a department."""
    names = names_of(name, name_tw, name_en)
    with acting() as parts:
        with parts.db.reading() as session:
            above = by_code(session, Department, "parent", parent).id if parent else None
            there = session.scalars(select(Department).where(Department.code == code)).one_or_none()
        key, is_new = added(
            "code",
            lambda: like(there, names=names, parent_id=above, since=day(since)),
            lambda: parts.organisation.add_department(OPERATOR, code, names, parent_id=above, since=day(since)),
        )
    document = {"id": str(key), "code": code, "added": is_new}
    out.end(document, [out.gettext(ADDED if is_new else STANDS, code=code)])


@command("list", "List the departments.")
def list_departments(out: Out) -> None:
    """List the departments."""
    with opened() as parts:
        rows = parts.organisation.departments(OPERATOR)
    codes = {row.id: row.code for row in rows}
    shown = [
        {"id": str(row.id), "code": row.code, "names": dict(row.names),
         "parent": codes[row.parent_id] if row.parent_id else None, "since": row.since, "until": row.until}
        for row in rows
    ]  # fmt: skip
    lines = [f"{row.code:<8} {named(row.names, locale())}{_below(codes, row)}{_ended(out, row)}" for row in rows]
    out.end({"departments": shown}, lines)


@click.argument("code")
@with_names
@command("rename", "Rename a department; its code, which numbers hold, stays.")
def rename_department(out: Out, code: str, name: str, name_tw: str | None, name_en: str | None) -> None:
    """Rename a department."""
    with acting() as parts:
        with parts.db.reading() as session:
            row = by_code(session, Department, "code", code)
        names = names_of(name, name_tw, name_en)
        version = parts.organisation.rename_department(OPERATOR, row.id, names, version=row.version)
    said = out.gettext(mark("Department %(code)s is now called %(name)s."), code=code, name=name)
    out.end({"id": str(row.id), "code": code, "version": version}, [said])


@click.argument("code")
@click.option("--on", type=DAY, default=None, help="The day (YYYY-MM-DD) from which it is closed; today otherwise.")
@command("close", "End a department on a day; its records and history stay.")
def close_department(out: Out, code: str, on: datetime | None) -> None:
    """End a department."""
    with acting() as parts:
        with parts.db.reading() as session:
            row = by_code(session, Department, "code", code)
        last = day(on) or today(parts.clock, parts.zone)
        parts.organisation.close_department(OPERATOR, row.id, last, version=row.version)
    said = out.gettext(mark("Department %(code)s ends on %(day)s. Its records stay."), code=code, day=last)
    out.end({"id": str(row.id), "code": code, "until": last}, [said])


def _ended(out: Out, row: Department) -> str:
    return f" ({out.gettext(mark('closed on %(day)s'), day=row.until)})" if row.until else ""


def _below(codes: Mapping[UUID, str], row: Department) -> str:
    return f"  < {codes[row.parent_id]}" if row.parent_id else ""


@click.group("post")
def post() -> None:
    """Posts that people hold."""


@click.argument("code")
@with_names
@command("add", "Add a post.")
def add_post(out: Out, code: str, name: str, name_tw: str | None, name_en: str | None) -> None:
    """Add a post."""
    names = names_of(name, name_tw, name_en)
    with acting() as parts:
        with parts.db.reading() as session:
            there = session.scalars(select(Post).where(Post.code == code)).one_or_none()
        key, is_new = added(
            "code", lambda: like(there, names=names), lambda: parts.organisation.add_post(OPERATOR, code, names)
        )
    document = {"id": str(key), "code": code, "added": is_new}
    out.end(document, [out.gettext(ADDED if is_new else STANDS, code=code)])


@command("list", "List the posts.")
def list_posts(out: Out) -> None:
    """List the posts."""
    with opened() as parts:
        rows = parts.organisation.posts(OPERATOR)
    shown = [{"id": str(row.id), "code": row.code, "names": dict(row.names)} for row in rows]
    out.end({"posts": shown}, [f"{row.code:<20} {named(row.names, locale())}" for row in rows])


@click.group("place")
def place() -> None:
    """Places: project, building, unit, room."""


@click.argument("path", metavar="PATH")
@click.argument("code", metavar="FONDS")
@with_names
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Property types, the main one first.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="A fact, for example floors=18.")
@command("add", "Add a place: A001 is a project, A001/01 a building, A001/01/001 a unit, A001/01/001/0101 a room.")
def add_place(
    out: Out, code: str, path: str, name: str, name_tw: str | None, name_en: str | None, types: Sequence[str],
    facts: Sequence[str],
) -> None:  # fmt: skip
    """Add a place."""
    names, told = names_of(name, name_tw, name_en), pairs(facts, "fact")
    with acting() as parts:
        rules = parts.places.rules
        rules.check_types(types)
        codes = steps(rules, path, types if "/" not in path.strip("/") else ())
        whole = "".join(f"{each}/" for each in codes)
        with parts.db.reading() as session:
            fonds = open_fonds(session, code)
            here = select(Place).where(Place.fonds_id == fonds.id)
            there = session.scalars(here.where(Place.path == whole)).one_or_none()
            above = session.scalars(here.where(Place.path == whole.removesuffix(f"{codes[-1]}/"))).one_or_none()
        if above is None and len(codes) > 1:
            raise InvalidInput(Fault("place", "no_place_above", {"value": whole}))
        key, is_new = added(
            "place",
            lambda: like(there, names=names, property_types=list(types)) if _has(there, told) else None,
            lambda: parts.places.add(
                OPERATOR, fonds.id, kind=STEPS[len(codes) - 1], code=codes[-1], names=names,
                parent_id=above.id if above else None, types=types, facts=told,
            ),
        )  # fmt: skip
    document = {"id": str(key), "fonds": code, "path": whole, "kind": STEPS[len(codes) - 1].value, "added": is_new}
    out.end(document, [out.gettext(ADDED if is_new else STANDS, code=f"{code}:{whole}")])


def _has(there: Place | None, told: Mapping[str, str]) -> bool:
    return there is not None and all(str(there.facts.get(name)) == value.strip() for name, value in told.items())


@click.argument("code", metavar="FONDS")
@command("list", "List the places of a fonds.")
def list_places(out: Out, code: str) -> None:
    """List the places."""
    with opened() as parts, parts.db.reading() as session:
        fonds = by_code(session, Fonds, "fonds", code)
        rows = session.scalars(select(Place).where(Place.fonds_id == fonds.id).order_by(Place.path)).all()
        shown = [
            {"id": str(row.id), "path": row.path, "kind": row.kind.value, "names": dict(row.names),
             "types": list(row.property_types), "facts": dict(row.facts)}
            for row in rows
        ]  # fmt: skip
    out.end({"fonds": code, "places": shown}, [f"{row.path:<20} {named(row.names, locale())}" for row in rows])


for _command in (add_department, list_departments, rename_department, close_department):
    department.add_command(_command)
for _command in (add_post, list_posts):
    post.add_command(_command)
for _command in (add_place, list_places):
    place.add_command(_command)
COMMANDS = (department, post, place)
