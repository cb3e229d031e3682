"""The command that has a searchable rendition of a scan made: rendition."""

import getpass
from uuid import UUID

import click

from archive.model import Content, File
from runtime.cli.common import command, opened
from runtime.cli.out import Out
from runtime.processes.working import work_done
from web.words import mark

MADE = mark("Made: %(name)s (%(content)s).")
NOT_MADE = mark("The rendition was not made; the list of jobs says why.")


@click.argument("content", type=click.UUID)
@click.option("--as", "login", required=True, help="Whose rights to act with (their login).")
@command("rendition", "Have a searchable PDF/A made of a scan that was read by OCR.")
def rendition(out: Out, content: UUID, login: str) -> None:
    """Make a rendition."""
    with opened() as parts:
        who = parts.people.impersonate(getpass.getuser(), login)
        with work_done(parts, wait=True, told=lambda waiting: out.progress(str(waiting))):
            key = parts.renditions.ask(who, content)
        with parts.db.reading() as session:
            made = session.get(Content, key)
            name = session.get_one(File, made.file_id).name if made else ""
    document = {"content": str(content), "rendition": str(key) if name else None, "name": name}
    said = out.gettext(MADE, name=name, content=key) if name else out.gettext(NOT_MADE)
    out.end(document, [said], ok=bool(name))


COMMANDS = (rendition,)
