"""Commands on subjects: add, show, change, find, link, merge, split."""

import getpass
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select

from archive.cataloguing.showing import number_of
from archive.errors import Fault, InvalidInput
from archive.model import Fonds, Subject
from archive.subject_facts import kinds
from archive.subjects import SubjectView
from runtime.cli.asked import OPERATOR, acting, open_fonds, pairs
from runtime.cli.common import command
from runtime.cli.finding import NUMBER, record_of, shown_field
from runtime.cli.keeping import AS, DONE, on_record
from runtime.cli.out import Out, locale
from runtime.wiring.parts import Parts
from web.words import mark, named

SUBJECT = click.argument("subject_id", metavar="SUBJECT_ID")
VALUES = click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE…")


@click.group("subject")
def subject() -> None:
    """Subjects: owners, tenants, contracts, equipment that records hang on."""


@VALUES
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


@SUBJECT
@AS
@command("show", "Show a subject, what was merged into it, and those of its records that may be read.")
def show(out: Out, subject_id: str, login: str) -> None:
    """Show a subject."""
    key = _id(subject_id, "subject")
    with acting() as parts:
        view = parts.subjects.show(parts.people.impersonate(getpass.getuser(), login), key)
        with parts.db.reading() as session:
            fonds = session.get_one(Fonds, view.subject.fonds_id).code
    document = {"id": str(key), "fonds": fonds, **_document(view)}
    out.end(document, [f"{name}: {value}" for name, value in document.items() if value not in (None, [], {})])


def _document(view: SubjectView) -> dict[str, Any]:
    row = view.subject
    return {
        "kind": row.kind,
        "code": row.code,
        "fields": {definition.name: shown_field(definition, value) for definition, value in view.fields},
        "merged_into": row.merged_into and str(row.merged_into),
        "merged": [str(key) for key in view.merged],
        "split_from": row.split_from and str(row.split_from),
        "records": [number_of(record) for record in view.records],
        "version": row.version,
    }


@VALUES
@SUBJECT
@AS
@command("change", "Change fields of a subject; NAME= empties one, what is not named stays.")
def change(out: Out, subject_id: str, values: Sequence[str], login: str) -> None:
    """Change a subject."""
    key, told = _id(subject_id, "subject"), pairs(values, "fields")
    with acting() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        view = parts.subjects.show(who, key, limit=1)
        kept = {definition.name: value for definition, value in view.fields} | told
        wanted = {name: value for name, value in kept.items() if str(value).strip()}
        version = parts.subjects.change(who, key, wanted, version=view.subject.version)
    out.end({"id": str(key), "version": version}, [out.gettext(DONE, number=key)])


@click.argument("number", metavar="NUMBER")
@AS
@command("find", "Find the subjects with exactly this phone or identity number.")
def find(out: Out, number: str, login: str) -> None:
    """Find by number."""
    with acting() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        views = [parts.subjects.show(who, key, limit=1) for key in parts.subjects.find(who, number)]
    shown: list[dict[str, Any]] = [
        {"id": str(view.subject.id), "kind": view.subject.kind, "code": view.subject.code,
         "fields": {definition.name: value for definition, value in view.fields}}
        for view in views
    ]  # fmt: skip
    lines = [f"{row['id']}  {row['kind']}  {row['fields'].get('name') or row['fields'].get('title')}" for row in shown]
    out.end({"total": len(shown), "subjects": shown}, [*lines, out.gettext(mark("%(total)s found."), total=len(shown))])


@SUBJECT
@NUMBER
@AS
@command("link", "Hang a record that waits to be filed on a subject.")
def link(out: Out, number: str, subject_id: str, login: str) -> None:
    """Link a record with a subject."""
    wanted = _id(subject_id, "subject")
    on_record(login, number, lambda parts, who, key, _version: parts.subjects.link(who, key, wanted))
    out.end({"number": number, "subject": str(wanted)}, [out.gettext(DONE, number=number)])


@click.argument("into_id", metavar="INTO_ID")
@SUBJECT
@AS
@command("merge", "Merge a subject into another: its records hang there, itself stays and leads there.")
def merge(out: Out, subject_id: str, into_id: str, login: str) -> None:
    """Merge two subjects."""
    key, into = _id(subject_id, "subject"), _id(into_id, "into")
    with acting() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        parts.subjects.merge(who, key, into)
    said = out.gettext(mark("%(id)s is merged into %(into)s and leads there."), id=key, into=into)
    out.end({"id": str(key), "merged_into": str(into)}, [said])


@VALUES
@SUBJECT
@click.option(
    "--record", "numbers", multiple=True, required=True, metavar="[FONDS:]NUMBER|ID",
    help="A record that hangs on the new subject from now on; may be given several times.",
)  # fmt: skip
@click.option("--code", "own_code", default=None, help="The house's own code for the new one.")
@AS
@command("split", "Give records of a subject a new subject of their own.")
def split(
    out: Out, subject_id: str, values: Sequence[str], numbers: Sequence[str], own_code: str | None, login: str
) -> None:
    """Split a subject."""
    key, told = _id(subject_id, "subject"), pairs(values, "fields")
    with acting() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        records = [record_of(parts, who, number) for number in numbers]
        made = parts.subjects.split(who, key, told, records, code=own_code)
        kind = _kind(parts, made)
    said = out.gettext(mark("%(kind)s %(id)s was split off."), kind=named(kinds()[kind]["names"], locale()), id=made)
    out.end({"id": str(made), "kind": kind, "split_from": str(key), "records": list(numbers)}, [said])


def _kind(parts: Parts, key: UUID) -> str:
    with parts.db.reading() as session:
        return session.scalars(select(Subject.kind).where(Subject.id == key)).one()


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(Fault(field, "unknown", {"value": text[:40]})) from None


for _command in (add_subject, show, change, find, link, merge, split):
    subject.add_command(_command)
COMMANDS = (subject,)
