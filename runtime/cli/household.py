"""Commands on the house itself: house show, acting."""

import click
from sqlalchemy import select

from archive.model import House
from runtime.cli.asked import OPERATOR, acting
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale
from web.words import mark, named

ON = mark("The machine's operator may act as a person (--as); each time is logged with both names.")
OFF = mark("The machine's operator may not act as a person: --as is refused.")


@click.group("house")
def house() -> None:
    """The house: its name, its time zone, and whether the operator may act for people."""


@command("show", "Show the house.")
def show(out: Out) -> None:
    """Show the house."""
    with opened() as parts, parts.db.reading() as session:
        row = session.scalars(select(House)).one()
    lines = [f"{named(row.names, locale())}  {row.zone}", out.gettext(ON if row.operator_may_impersonate else OFF)]
    out.end({"names": dict(row.names), "zone": row.zone, "acting": row.operator_may_impersonate}, lines)


@click.argument("switch", type=click.Choice(["on", "off"]))
@command("acting", "Let the machine's operator act as a person (--as), or forbid it.")
def switch_acting(out: Out, switch: str) -> None:
    """Switch the operator's acting for people."""
    allowed = switch == "on"
    with acting() as parts:
        parts.organisation.let_operator_act(OPERATOR, allowed)
    out.end({"acting": allowed}, [out.gettext(ON if allowed else OFF)])


for _command in (show, switch_acting):
    house.add_command(_command)
COMMANDS = (house,)
