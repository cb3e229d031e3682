"""Commands for transfers to and from other archives: pack, verify-bag, receive."""

from pathlib import Path

import click

from archive.bag import bag_hash
from archive.bag import verify as verified
from archive.cataloguing.describing import Draft
from archive.identity import system
from runtime.cli.common import command, opened
from runtime.cli.files import draft_of
from runtime.cli.out import Out
from runtime.handing_over import pack as make_bag
from runtime.handing_over import receive as take_in
from runtime.processes.beside import second_process
from runtime.processes.working import work_done
from web.words import mark


@click.argument("number")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="An empty folder, best on media.")
@command("pack", "Make the bag of an approved transfer; after a break it goes on.")
def pack(out: Out, number: str, folder: Path) -> None:
    """Make a bag."""
    with opened() as parts:
        made = make_bag(parts, system("transfer"), number, folder, lambda done, of: out.progress(f"{done}/{of}"))
        parts.sealer.seal_all()
    said = mark("The bag of %(number)s is whole: %(records)s records, %(files)s files. It stands for %(hash)s.")
    line = out.gettext(said, number=made.number, records=made.records, files=made.files, hash=made.bag_sha256)
    out.end(
        {"number": made.number, "records": made.records, "files": made.files, "bag_sha256": made.bag_sha256}, [line]
    )


@click.argument("bag", type=click.Path(exists=True, file_okay=False, path_type=Path))
@command("verify-bag", "Check every byte of a bag against its manifests; no archive is needed.")
def verify_bag(out: Out, bag: Path) -> None:
    """Check a bag."""
    wrong = verified(bag)
    lines = [out.gettext(mark("%(path)s: %(why)s"), path=each.path, why=out.gettext(_WHY[each.code])) for each in wrong]
    whole = [out.gettext(mark("The bag is whole. It stands for %(hash)s."), hash=bag_hash(bag))] if not wrong else []
    out.end({"ok": not wrong, "wrong": [[each.path, each.code] for each in wrong]}, [*lines, *whole], ok=not wrong)


_WHY = {
    "missing": mark("is missing"),
    "changed": mark("is not as it was packed"),
    "unlisted": mark("is in no manifest"),
    "unsafe": mark("leads out of the bag"),
    "unreadable": mark("cannot be read"),
}


@click.argument("bag", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--category", required=True, help="Code of the category.")
@click.option("--fonds", default=None, help="Code of the fonds; needed when the house has several with this category.")
@click.option("--level", default=None, help="Code or rank of the level for records whose own is not known here.")
@command("receive", "Verify a bag of another archive and bring it in as drafts; after a break it goes on.")
def receive(out: Out, bag: Path, category: str, fonds: str | None, level: str | None) -> None:
    """Bring a bag in."""
    with second_process("index") as second, opened() as parts:
        with parts.db.reading() as session:
            draft: Draft = draft_of(session, category, fonds, (), None, level)
        with work_done(parts, wait=True, beside=second):
            came = take_in(parts, system("import"), bag, draft, lambda done, of: out.progress(f"{done}/{of}"))
    said = mark("Of %(number)s %(records)s records with %(files)s files came in as drafts.")
    line = out.gettext(said, number=came.number, records=came.records, files=came.files)
    out.end(vars(came), [line])


COMMANDS = (pack, verify_bag, receive)
