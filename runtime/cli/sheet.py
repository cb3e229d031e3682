"""What an account holds, on one sheet: roles, clearance, posts, grants, custody."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.model import (
    AccessGrant,
    Category,
    Custody,
    Department,
    Fonds,
    Person,
    PersonPost,
    PersonRole,
    Place,
    Post,
)
from runtime.cli.out import Out
from web.words import mark


def sheet(session: Session, who: Person) -> dict[str, Any]:
    """Return everything that an account holds, by codes."""
    roles = session.scalars(select(PersonRole.role).where(PersonRole.person_id == who.id))
    ranks = session.scalars(select(Custody.level_rank).where(Custody.person_id == who.id))
    return {
        "id": str(who.id),
        "login": who.login,
        "name": who.name,
        "active": who.active,
        "roles": sorted(role.value for role in roles),
        "clearance": who.clearance,
        "posts": _posts(session, who.id),
        "grants": _grants(session, who.id),
        "custody": sorted(ranks),
    }


def _posts(session: Session, person_id: UUID) -> list[dict[str, Any]]:
    query = (
        select(PersonPost, Post.code, Department.code)
        .join(Post, Post.id == PersonPost.post_id)
        .join(Department, Department.id == PersonPost.department_id)
        .where(PersonPost.person_id == person_id)
        .order_by(Post.code, Department.code)
    )
    return [
        {"id": str(row.id), "post": post, "department": department, "since": row.since, "until": row.until}
        for row, post, department in session.execute(query)
    ]


def _grants(session: Session, person_id: UUID) -> list[dict[str, Any]]:
    codes = dict(session.execute(select(Fonds.id, Fonds.code)).all())
    found = []
    for row in session.scalars(select(AccessGrant).where(AccessGrant.person_id == person_id).order_by(AccessGrant.id)):
        on: dict[str, str] = {}
        if row.fonds_id:
            on = {"fonds": codes[row.fonds_id]}
        elif row.category_id:
            category = session.get_one(Category, row.category_id)
            on = {"category": f"{codes[category.fonds_id]}:{category.code}"}
        elif row.place_id:
            place = session.get_one(Place, row.place_id)
            on = {"place": f"{codes[place.fonds_id]}:{place.path}"}
        found.append({"id": str(row.id), **on, "since": row.since, "until": row.until})
    return found


def lines_of(out: Out, document: Mapping[str, Any]) -> list[str]:
    """Return a sheet in words."""
    say = out.gettext
    lines = [
        f"{document['login']}  {document['name']}" + ("" if document["active"] else f"  ({say(mark('closed'))})"),
        say(mark("Roles: %(roles)s"), roles=", ".join(document["roles"])),
        say(mark("Clearance: %(rank)s"), rank=document["clearance"]),
    ]
    lines += [
        say(mark("Post: %(post)s in %(department)s"), post=each["post"], department=each["department"]) + _days(each)
        for each in document["posts"]
    ]
    lines += [
        say(mark("Grant: %(what)s"), what=each.get("fonds") or each.get("category") or each.get("place")) + _days(each)
        for each in document["grants"]
    ]
    if document["custody"]:
        lines.append(say(mark("Custody: %(ranks)s"), ranks=", ".join(map(str, document["custody"]))))
    return lines


def _days(each: Mapping[str, Any]) -> str:
    return f"  [{each['since'] or '…'} – {each['until'] or '…'}]" if each["since"] or each["until"] else ""
