"""Commands on secrecy levels: level list, distribute, withdraw."""

from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput
from archive.house import levels
from archive.model import Department, Distribution, Level, Post
from runtime.cli.asked import OPERATOR, acting, by_code
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale
from web.words import mark


@click.group("level")
def level() -> None:
    """Secrecy levels and to whom they are distributed."""


@command("list", "List the levels with their marks, and to whom each is distributed.")
def list_levels(out: Out) -> None:
    """List the levels."""
    with opened() as parts, parts.db.reading() as session:
        rows = [_level(session, row) for row in levels.every(session)]
    lines = [
        f"{row['rank']:>2}  {row['mark']}  {row['symbol']}  {row['number_mark']}  {_reaches(out, row['distribution'])}"
        for row in reversed(rows)
    ]
    out.end({"levels": rows}, lines)


def _level(session: Session, row: Level) -> dict[str, Any]:
    query = (
        select(Post.code.label("post"), Department.code.label("department"))
        .select_from(Distribution)
        .join(Post, Post.id == Distribution.post_id, isouter=True)
        .join(Department, Department.id == Distribution.department_id, isouter=True)
        .where(Distribution.level_rank == row.rank)
    )
    reached = [{"post": each.post, "department": each.department} for each in session.execute(query)]
    return {
        "rank": row.rank,
        "code": row.code,
        "names": dict(row.names),
        "mark": levels.mark(row, locale()),
        "symbol": row.symbol,
        "number_mark": row.number_mark,
        "distribution": sorted(reached, key=lambda each: (each["post"] or "", each["department"] or "")),
    }


def _reaches(out: Out, distribution: list[dict[str, str | None]]) -> str:
    told = [_to(out, each["post"], each["department"]) for each in distribution]
    return ", ".join(told) or out.gettext(mark("distributed to nobody of its own"))


def _to(out: Out, post: str | None, department: str | None) -> str:
    return "/".join(filter(None, (post, department))) or out.gettext(mark("all staff"))


def _whom(session: Session, post: str | None, department: str | None) -> tuple[UUID | None, UUID | None]:
    return (
        by_code(session, Post, "post", post).id if post else None,
        by_code(session, Department, "department", department).id if department else None,
    )


def _there(session: Session, rank: int, post_id: UUID | None, department_id: UUID | None) -> UUID | None:
    same = select(Distribution.id).filter_by(level_rank=rank, post_id=post_id, department_id=department_id)
    return session.scalar(same)


@click.argument("rank", type=int)
@click.option("--post", default=None, metavar="CODE", help="Those who hold this post.")
@click.option("--department", default=None, metavar="CODE", help="Those of this department and below it.")
@command("distribute", "Distribute a level and those below it to a post, a department, both, or (neither) all staff.")
def distribute(out: Out, rank: int, post: str | None, department: str | None) -> None:
    """Distribute a level."""
    with acting() as parts:
        with parts.db.reading() as session:
            post_id, department_id = _whom(session, post, department)
            key = _there(session, rank, post_id, department_id)
        is_new = key is None
        if key is None:
            key = parts.rights.distribute(OPERATOR, rank, post_id=post_id, department_id=department_id)
    said = mark("Level %(rank)s reaches: %(whom)s.")
    document = {"id": str(key), "level": rank, "post": post, "department": department, "added": is_new}
    out.end(document, [out.gettext(said, rank=rank, whom=_to(out, post, department))])


@click.argument("rank", type=int)
@click.option("--post", default=None, metavar="CODE", help="Those who hold this post.")
@click.option("--department", default=None, metavar="CODE", help="Those of this department and below it.")
@command("withdraw", "Take back a distribution of a level, as it was given.")
def withdraw(out: Out, rank: int, post: str | None, department: str | None) -> None:
    """Take back a distribution."""
    with acting() as parts:
        with parts.db.reading() as session:
            key = _there(session, rank, *_whom(session, post, department))
        if key is None:
            raise InvalidInput(Fault("level", "not_distributed", {"value": rank}))
        parts.rights.withdraw(OPERATOR, key)
    said = mark("Level %(rank)s no longer reaches by this: %(whom)s.")
    document = {"level": rank, "post": post, "department": department, "withdrawn": True}
    out.end(document, [out.gettext(said, rank=rank, whom=_to(out, post, department))])


for _command in (list_levels, distribute, withdraw):
    level.add_command(_command)
COMMANDS = (level,)
