"""Commands on records as a person would act: record level|group|name|bin|restore.

``--as`` is the machine's operator acting for a person: the rights are the person's, and the log names both.
"""

import getpass
from collections.abc import Callable, Sequence
from uuid import UUID

import click
from sqlalchemy import select

from archive.identity import Identity
from archive.model import Record
from runtime.cli.asked import acting, person
from runtime.cli.common import command
from runtime.cli.finding import NUMBER, record, record_of
from runtime.cli.out import Out
from runtime.wiring.parts import Parts
from web.words import mark

AS = click.option("--as", "login", required=True, help="Whose rights to act with (their login).")
DONE = mark("Done: %(number)s.")


@click.argument("rank", type=int)
@NUMBER
@click.option("--reason", required=True, help="Why.")
@AS
@command("level", "Set a record's secrecy level; a raise hides it at once from those not cleared.")
def level(out: Out, number: str, rank: int, reason: str, login: str) -> None:
    """Set a level."""
    on_record(
        login, number,
        lambda parts, who, key, version: parts.records.set_level(who, key, rank, reason, version),
    )  # fmt: skip
    out.end({"number": number, "level": rank}, [out.gettext(DONE, number=number)])


@click.argument("number_mark", metavar="[GROUP]", required=False)
@NUMBER
@click.option("--reason", required=True, help="Why.")
@AS
@command("group", "Put a record under a need-to-know group (its mark); without one, out of it.")
def group(out: Out, number: str, number_mark: str | None, reason: str, login: str) -> None:
    """Put a record under a need-to-know group."""
    on_record(
        login, number,
        lambda parts, who, key, version: parts.records.set_group(who, key, number_mark, reason, version),
    )  # fmt: skip
    said = number_mark and number_mark.upper()
    out.end({"number": number, "group": said}, [out.gettext(DONE, number=number)])


@click.argument("logins", nargs=-1)
@NUMBER
@AS
@command("name", "Set who is named on a record that waits to be filed; without logins nobody is.")
def name_people(out: Out, number: str, logins: Sequence[str], login: str) -> None:
    """Name people."""

    def act(parts: Parts, who: Identity, key: UUID, version: int) -> None:
        with parts.db.reading() as session:
            people = [person(session, each).id for each in logins]
        parts.records.name_people(who, key, people, version)

    on_record(login, number, act)
    out.end({"number": number, "named": sorted(set(logins))}, [out.gettext(DONE, number=number)])


@NUMBER
@AS
@command("bin", "Put a record that waits to be filed into the bin, for 30 days.")
def bin_record(out: Out, number: str, login: str) -> None:
    """Put into the bin."""
    on_record(login, number, lambda parts, who, key, version: parts.records.bin(who, key, version))
    out.end({"number": number, "state": "binned"}, [out.gettext(DONE, number=number)])


@NUMBER
@AS
@command("restore", "Take a record out of the bin.")
def restore(out: Out, number: str, login: str) -> None:
    """Take out of the bin."""
    on_record(login, number, lambda parts, who, key, _version: parts.records.restore(who, key))
    out.end({"number": number, "state": "provisional"}, [out.gettext(DONE, number=number)])


def on_record(login: str, number: str, act: Callable[[Parts, Identity, UUID, int], None]) -> None:
    """Do an act on a record as a person, with the version that the record has now."""
    with acting() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        key = record_of(parts, who, number)
        with parts.db.reading() as session:
            version = session.scalar(select(Record.version).where(Record.id == key)) or 0
        act(parts, who, key, version)


for _command in (level, group, name_people, bin_record, restore):
    record.add_command(_command)
COMMANDS = (record,)
