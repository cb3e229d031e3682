"""Commands on what people hold: user post, grant, revoke, custody, roles, clearance, password, deactivate, show."""

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import IO, Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput
from archive.identity import Role
from archive.model import AccessGrant, Department, Fonds, Person, PersonPost, Post
from archive.people.managing import People
from runtime.cli.asked import OPERATOR, acting, by_code, category, day, person, place, with_days
from runtime.cli.common import command, opened
from runtime.cli.out import Out
from runtime.cli.people import user
from runtime.cli.sheet import lines_of, sheet
from runtime.wiring.parts import Parts
from web.words import mark

DONE = mark("Done: %(login)s.")


@click.argument("login")
@click.option("--post", required=True, metavar="CODE", help="The post.")
@click.option("--department", required=True, metavar="CODE", help="The department they hold it in.")
@with_days
@command("post", "Let someone hold a post in a department; given again with --until, it ends with that day.")
def post(
    out: Out, login: str, post: str, department: str, since: datetime | None, until: datetime | None
) -> None:  # fmt: skip
    """Give a post, or end one."""
    begins, ends = day(since), day(until)
    _in_order(begins, ends)
    with acting() as parts:
        with parts.db.reading() as session:
            who = person(session, login)
            post_id = by_code(session, Post, "post", post).id
            department_id = by_code(session, Department, "department", department).id
            there = _holding(session, who.id, post_id, department_id, begins)
        if there is None:
            key = parts.people.assign_post(OPERATOR, who.id, post_id, department_id, begins, ends)
        else:
            key = there.id
            if ends is not None and ends != there.until:
                _in_order(there.since, ends)
                parts.people.end_post(OPERATOR, key, ends)
    document = {"id": str(key), "login": who.login, "post": post, "department": department, "added": there is None}
    out.end(document | {"until": ends}, [out.gettext(DONE, login=who.login)])


def _in_order(begins: date | None, ends: date | None) -> None:
    if begins is not None and ends is not None and ends < begins:
        raise InvalidInput(Fault("until", "before_since"))


def _holding(
    session: Session, person_id: UUID, post_id: UUID, department_id: UUID, begins: date | None
) -> PersonPost | None:
    query = select(PersonPost).filter_by(person_id=person_id, post_id=post_id, department_id=department_id)
    if begins is not None:
        query = query.where(PersonPost.since == begins)
    return session.scalars(query.order_by(PersonPost.since.desc()).limit(1)).first()


def _with_target(made: click.Command) -> click.Command:
    for option in (
        click.option("--place", "place_path", default=None, metavar="FONDS:PATH", help="A place and what lies below."),
        click.option("--category", "branch", default=None, metavar="FONDS:CODE", help="A branch of a scheme."),
        click.option("--fonds", default=None, metavar="CODE", help="A whole fonds."),
    ):
        made = option(made)
    return made


def _target(parts: Parts, session: Session, **given: str | None) -> dict[str, UUID]:
    """Return what was given as the one id that a grant holds."""
    chosen = {name: text for name, text in given.items() if text}
    if len(chosen) != 1:
        raise InvalidInput(*(Fault(name, "exactly_one_of", {"choices": list(given)}) for name in chosen or given))
    name, text = next(iter(chosen.items()))
    find: dict[str, Callable[[], Fonds | Any]] = {
        "fonds": lambda: by_code(session, Fonds, "fonds", text),
        "category": lambda: category(session, text),
        "place": lambda: place(session, parts.places.rules, text),
    }
    return {f"{name}_id": find[name]().id}


@click.argument("login")
@_with_target
@with_days
@command("grant", "Grant someone a fonds, a branch of a scheme, or a place.")
def grant(
    out: Out, login: str, fonds: str | None, branch: str | None, place_path: str | None, since: datetime | None,
    until: datetime | None,
) -> None:  # fmt: skip
    """Grant."""
    with acting() as parts:
        with parts.db.reading() as session:
            who = person(session, login)
            target = _target(parts, session, fonds=fonds, category=branch, place=place_path)
            same = select(AccessGrant.id).filter_by(person_id=who.id, since=day(since), until=day(until), **target)
            key = session.scalar(same.limit(1))
        is_new = key is None
        if key is None:
            key = parts.rights.grant(OPERATOR, who.id, since=day(since), until=day(until), **target)
    out.end({"id": str(key), "login": who.login, "added": is_new}, [out.gettext(DONE, login=who.login)])


@click.argument("login")
@_with_target
@command("revoke", "Take away every grant that someone has on exactly this; it holds at once.")
def revoke(out: Out, login: str, fonds: str | None, branch: str | None, place_path: str | None) -> None:
    """Revoke."""
    with acting() as parts:
        with parts.db.reading() as session:
            who = person(session, login)
            target = _target(parts, session, fonds=fonds, category=branch, place=place_path)
            keys = session.scalars(select(AccessGrant.id).filter_by(person_id=who.id, **target)).all()
        if not keys:
            raise InvalidInput(Fault(next(iter(target)).removesuffix("_id"), "not_granted", {"value": who.login}))
        for key in keys:
            parts.rights.revoke(OPERATOR, key)
    out.end({"login": who.login, "revoked": len(keys)}, [out.gettext(DONE, login=who.login)])


@click.argument("login")
@click.option("--level", "rank", type=int, required=True, help="Rank of the level.")
@click.option("--end", is_flag=True, help="End the custody.")
@command("custody", "Make someone custodian of a level, or end it: number, place and acts, never content.")
def custody(out: Out, login: str, rank: int, end: bool) -> None:
    """Entrust a level."""
    with acting() as parts:
        with parts.db.reading() as session:
            who = person(session, login)
        (parts.rights.relieve if end else parts.rights.entrust)(OPERATOR, who.id, rank)
    out.end({"login": who.login, "level": rank, "custodian": not end}, [out.gettext(DONE, login=who.login)])


@click.argument("login")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([r.value for r in Role]))
@command("roles", "Give someone these roles and no others, from the next request on.")
def roles_command(out: Out, login: str, roles: tuple[str, ...]) -> None:
    """Set roles."""
    who = _change(login, lambda people, key: people.set_roles(OPERATOR, key, {Role(role) for role in roles}))
    out.end({"login": who.login, "roles": sorted(set(roles))}, [out.gettext(DONE, login=who.login)])


@click.argument("rank", type=int)
@click.argument("login")
@command("clearance", "Clear someone for the levels up to a rank; 0 is none.")
def clearance(out: Out, login: str, rank: int) -> None:
    """Set the clearance."""
    who = _change(login, lambda people, key: people.set_clearance(OPERATOR, key, rank))
    out.end({"login": who.login, "clearance": rank}, [out.gettext(DONE, login=who.login)])


@click.argument("login")
@click.option(
    "--password-file", type=click.File("r"), default=None, help="Read the password from a file, - for standard input."
)
@command("password", "Set someone's password; their sessions end. Without --password-file one is made and shown once.")
def password(out: Out, login: str, password_file: IO[str] | None) -> None:
    """Set a password."""
    chosen = password_file.read().rstrip("\n") if password_file else secrets.token_urlsafe(15)
    who = _change(login, lambda people, key: people.set_password(OPERATOR, key, chosen))
    lines = [out.gettext(DONE, login=who.login)]
    if not password_file:
        lines.append(out.gettext(mark("Password (shown once): %(password)s"), password=chosen))
    out.end({"login": who.login} | ({} if password_file else {"password": chosen}), lines)


@click.argument("login")
@command("deactivate", "Close an account: sessions and tokens end at once; its rows stay for the log.")
def deactivate(out: Out, login: str) -> None:
    """Close an account."""
    who = _change(login, lambda people, key: people.deactivate(OPERATOR, key))
    out.end({"login": who.login, "active": False}, [out.gettext(DONE, login=who.login)])


@click.argument("login")
@command("reactivate", "Open a closed account again, with the rights it had.")
def reactivate(out: Out, login: str) -> None:
    """Open an account again."""
    who = _change(login, lambda people, key: people.reactivate(OPERATOR, key))
    out.end({"login": who.login, "active": True}, [out.gettext(DONE, login=who.login)])


@click.argument("login")
@command("unlock", "Forget an account's failed sign-ins.")
def unlock(out: Out, login: str) -> None:
    """Unlock an account."""
    who = _change(login, lambda people, key: people.unlock(OPERATOR, key))
    out.end({"login": who.login}, [out.gettext(DONE, login=who.login)])


def _change(login: str, act: Callable[[People, UUID], None]) -> Person:
    with acting() as parts:
        with parts.db.reading() as session:
            who = person(session, login)
        act(parts.people, who.id)
    return who


@click.argument("login")
@command("show", "Show an account: roles, clearance, posts, grants, custody.")
def show(out: Out, login: str) -> None:
    """Show an account."""
    with opened() as parts, parts.db.reading() as session:
        document = sheet(session, person(session, login))
    out.end(document, lines_of(out, document))


@command("list", "List the accounts.")
def list_users(out: Out) -> None:
    """List the accounts."""
    with opened() as parts, parts.db.reading() as session:
        rows = [sheet(session, row) for row in session.scalars(select(Person).order_by(Person.login))]
    lines = [
        f"{row['login']:<16} {row['name']}  {', '.join(row['roles'])}  {row['clearance']}"
        f"{'' if row['active'] else '  ' + out.gettext(mark('closed'))}"
        for row in rows
    ]
    out.end({"users": rows}, lines)


for _command in (
    post, grant, revoke, custody, roles_command, clearance, password, deactivate, reactivate, unlock, show, list_users,
):  # fmt: skip
    user.add_command(_command)
COMMANDS = (user,)
