"""The command that tells whose copy a picture or a PDF is: trace."""

import getpass
from pathlib import Path

import click

from runtime.cli.common import command, opened
from runtime.cli.out import Out
from runtime.processes.pages import services
from web.reading.marked import traced
from web.words import mark

FOUND = mark("%(person)s (%(login)s), %(at)s, loan %(loan)s, record %(record)s, pages %(pages)s")
NOTHING = mark("No mark of this house was found.")


@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "login", required=True, help="Whose rights to trace with (their login).")
@command("trace", "Tell whose copy a leaked picture or PDF is.")
def trace(out: Out, file: Path, login: str) -> None:
    """Trace a copy."""
    with opened() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        found = traced(services(parts), who, file.name, file.read_bytes())
    document = [
        {
            "person": each.person, "login": each.login, "at": each.at.isoformat(timespec="minutes"),
            "loan": each.loan, "record": each.record, "kind": each.mark.kind.value, "copy": each.mark.serial,
            "first": each.mark.first, "last": each.mark.last,
        }
        for each in found
    ]  # fmt: skip
    lines = [
        out.gettext(
            FOUND, person=each.person, login=each.login, at=each.at.strftime("%Y-%m-%d %H:%M"),
            loan=each.loan or "—", record=each.record or "—", pages=f"{each.mark.first}–{each.mark.last}",
        )
        for each in found
    ]  # fmt: skip
    out.end({"found": document}, lines or [out.gettext(NOTHING)], ok=bool(found))


COMMANDS = (trace,)
