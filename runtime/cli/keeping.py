"""Commands on records and subjects as a person would act: record level|name|bin|restore, subject add|find|link.

``--as`` is the machine's operator acting for a person: the rights are the person's, and the log names both.
"""

import getpass
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select

from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.model import Record
from archive.subjects import kinds
from runtime.cli.asked import OPERATOR, acting, open_fonds, pairs, person
from runtime.cli.common import command
from runtime.cli.finding import record
from runtime.cli.out import Out, locale
from runtime.wiring import Parts
from web.words import mark, named

AS = click.option("--as", "login", required=True, help="Whose rights to act with (their login).")
NUMBER = click.argument("number", metavar="[FONDS:]NUMBER|ID")
DONE = mark("Done: %(number)s.")


@click.group("subject")
def subject() -> None:
    """Subjects: owners, tenants, contracts, equipment that records hang on."""


@click.argument("rank", type=int)
@NUMBER
@click.option("--reason", required=True, help="Why.")
@AS
@command("level", "Set a record's secrecy level; a raise hides it at once from those not cleared.")
def level(out: Out, number: str, rank: int, reason: str, login: str) -> None:
    """Set a level."""
    _on_record(
        login, number,
        lambda parts, who, key, version: parts.records.set_level(who, key, rank, reason, version),
    )  # fmt: skip
    out.end({"number": number, "level": rank}, [out.gettext(DONE, number=number)])


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

    _on_record(login, number, act)
    out.end({"number": number, "named": sorted(set(logins))}, [out.gettext(DONE, number=number)])


@NUMBER
@AS
@command("bin", "Put a record that waits to be filed into the bin, for 30 days.")
def bin_record(out: Out, number: str, login: str) -> None:
    """Put into the bin."""
    _on_record(login, number, lambda parts, who, key, version: parts.records.bin(who, key, version))
    out.end({"number": number, "state": "binned"}, [out.gettext(DONE, number=number)])


@NUMBER
@AS
@command("restore", "Take a record out of the bin.")
def restore(out: Out, number: str, login: str) -> None:
    """Take out of the bin."""
    _on_record(login, number, lambda parts, who, key, _version: parts.records.restore(who, key))
    out.end({"number": number, "state": "provisional"}, [out.gettext(DONE, number=number)])


def _on_record(login: str, number: str, act: Callable[[Parts, Identity, UUID, int], None]) -> None:
    with acting() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        key = _record(parts, who, number)
        with parts.db.reading() as session:
            version = session.scalar(select(Record.version).where(Record.id == key)) or 0
        act(parts, who, key, version)


def _record(parts: Parts, who: Identity, number: str) -> UUID:
    """Return the record of a number that ``who`` may see, or the id itself: the act on it asks again."""
    try:
        return UUID(number)
    except ValueError:
        return parts.records.find_number(who, number)


@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE…")
@click.argument("kind", metavar="KIND")
@click.argument("code", metavar="FONDS")
@click.option("--code", "own_code", default=None, help="The house's own code for it.")
@command("add", "Add a subject: owner, tenant, employee, project_manager, contract, equipment or supplier.")
def add_subject(out: Out, code: str, kind: str, values: Sequence[str], own_code: str | None) -> None:
    """Add a subject."""
    told = pairs(values, "fields")
    with acting() as parts:
        with parts.db.reading() as session:
            fonds = open_fonds(session, code)
        key = parts.subjects.add(OPERATOR, fonds.id, kind, told, code=own_code)
    said = out.gettext(mark("%(kind)s %(id)s was added."), kind=named(kinds()[kind]["names"], locale()), id=key)
    out.end({"id": str(key), "fonds": code, "kind": kind}, [said])


@click.argument("number", metavar="NUMBER")
@AS
@command("find", "Find the subjects with exactly this phone or identity number.")
def find(out: Out, number: str, login: str) -> None:
    """Find by number."""
    with acting() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        views = [parts.subjects.show(who, key) for key in parts.subjects.find(who, number)]
    shown: list[dict[str, Any]] = [
        {"id": str(view.subject.id), "kind": view.subject.kind, "code": view.subject.code,
         "fields": {definition.name: value for definition, value in view.fields}}
        for view in views
    ]  # fmt: skip
    lines = [f"{row['id']}  {row['kind']}  {row['fields'].get('name') or row['fields'].get('title')}" for row in shown]
    out.end({"total": len(shown), "subjects": shown}, [*lines, out.gettext(mark("%(total)s found."), total=len(shown))])


@click.argument("subject_id", metavar="SUBJECT_ID")
@NUMBER
@AS
@command("link", "Hang a record that waits to be filed on a subject.")
def link(out: Out, number: str, subject_id: str, login: str) -> None:
    """Link a record with a subject."""
    try:
        wanted = UUID(subject_id)
    except ValueError:
        raise InvalidInput(Fault("subject", "unknown", {"value": subject_id[:40]})) from None
    _on_record(login, number, lambda parts, who, key, _version: parts.subjects.link(who, key, wanted))
    out.end({"number": number, "subject": str(wanted)}, [out.gettext(DONE, number=number)])


for _command in (level, name_people, bin_record, restore):
    record.add_command(_command)
for _command in (add_subject, find, link):
    subject.add_command(_command)
COMMANDS = (record, subject)
