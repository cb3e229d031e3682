"""Commands on need-to-know groups: group add, list."""

import click
from sqlalchemy import select

from archive.model import Fonds, NeedToKnowGroup
from runtime.cli.asked import OPERATOR, acting, added, like, names_of, open_fonds, with_names
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale
from web.words import mark, named

ADDED = mark("Group %(code)s was added. Who reads its records is said by 'record name'.")
STANDS = mark("%(code)s stands already.")


@click.group("group")
def group() -> None:
    """Need-to-know groups: what lies under one is read by named people alone."""


@click.argument("number_mark", metavar="MARK")
@click.option("--fonds", required=True, metavar="CODE", help="The fonds whose records it may hold.")
@with_names
@command("add", "Add a group. Its mark (one or two capitals) stands before the serial of its numbers.")
def add(out: Out, number_mark: str, fonds: str, name: str, name_tw: str | None, name_en: str | None) -> None:
    """Add a group."""
    with acting() as parts:
        with parts.db.reading() as session:
            row = open_fonds(session, fonds)
            query = select(NeedToKnowGroup).where(NeedToKnowGroup.number_mark == number_mark)
            there = session.scalars(query).one_or_none()
        names = names_of(name, name_tw, name_en)
        key, is_new = added(
            "number_mark",
            lambda: like(there, names=names, fonds_id=row.id),
            lambda: parts.groups.add(OPERATOR, row.id, number_mark, names),
        )
    said = ADDED if is_new else STANDS
    document = {"id": str(key), "mark": number_mark, "fonds": fonds, "added": is_new}
    out.end(document, [out.gettext(said, code=number_mark)])


@command("list", "List the groups with their fonds.")
def list_groups(out: Out) -> None:
    """List the groups."""
    with opened() as parts:
        found = parts.groups.every(OPERATOR)
        with parts.db.reading() as session:
            fonds = {row.fonds_id: session.get_one(Fonds, row.fonds_id).code for row in found}
    rows = [
        {"id": str(row.id), "mark": row.number_mark, "fonds": fonds[row.fonds_id], "names": dict(row.names)}
        for row in found
    ]
    lines = [f"{row.number_mark:<3} {fonds[row.fonds_id]:<8} {named(row.names, locale())}" for row in found]
    out.end({"groups": rows}, lines)


for _command in (add, list_groups):
    group.add_command(_command)
COMMANDS = (group,)
