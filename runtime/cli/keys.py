"""Commands on the key ring: keys rotate, copy, copies, forget."""

import getpass
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from archive.errors import ArchiveError, Fault, InvalidInput
from archive.identity import system
from runtime.cli.common import command, opened
from runtime.cli.out import Out
from runtime.doctor.machine import places
from runtime.jobs.destroying import KeyBackups
from runtime.processes.working import work_done
from runtime.wiring.parts import Parts
from storage.generations import copies_of_ring, forget_copy, register_copy, rotate
from web.words import mark
from web.words.proof import UNCONFIRMED


@click.group("keys")
def keys() -> None:
    """The key ring."""


@command("rotate", "Replace the root key and move every record's key to new generations.")
def keys_rotate(out: Out) -> None:
    """Rotate the keys."""
    with opened() as parts, work_done(parts, wait=False):
        backups = KeyBackups(parts.safekeeping, parts.clock, timedelta(days=parts.settings.backup_days))
        try:
            outcome = rotate(parts.db, parts.ring, parts.clock, backups.renew)
        except ArchiveError as error:
            _note_apart(parts, {"error": error.code})
            raise
        destroyed, unconfirmed = len(outcome.destroyed), list(outcome.unconfirmed)
        told = {"moved": outcome.moved, "destroyed": destroyed, "unconfirmed": unconfirmed}
        _note_apart(parts, told)
    lines = [out.gettext(mark("%(moved)s keys were moved."), moved=outcome.moved)]
    lines += [out.gettext(UNCONFIRMED, name=name) for name in outcome.unconfirmed]
    out.end({"complete": outcome.complete} | told, lines, ok=outcome.complete)


@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("name")
@command("copy", "Make a copy of the ring, or bring one up to date; backups and destructions reach it from now on.")
def keys_copy(out: Out, name: str, folder: Path) -> None:
    """Make or refresh a copy."""
    with opened() as parts:
        at = folder.resolve()
        if any(at.is_relative_to(each.resolve()) for each in places(parts).values()):
            raise InvalidInput(Fault("folder", "ring_copy_place"))
        noted = partial(_noted, parts, "key.copy", {"name": name, "folder": str(at)})
        register_copy(parts.db, parts.ring, name, at, parts.clock, noted)
        parts.sealer.seal_all()
    said = mark("The copy %(name)s in %(folder)s is up to date. Whoever holds it opens what the archive keeps.")
    out.end({"name": name, "folder": str(at)}, [out.gettext(said, name=name, folder=at)])


@command("copies", "List the copies of the ring, and when each was brought up to date.")
def keys_copies(out: Out) -> None:
    """List the copies."""
    with opened() as parts:
        rows = copies_of_ring(parts.db)
    said = mark("%(name)s  %(folder)s  up to date as of %(at)s")
    told = [
        {"name": each.name, "folder": each.location, "at": each.confirmed_at and f"{each.confirmed_at:%Y-%m-%d %H:%M}"}
        for each in rows
    ]
    lines = [out.gettext(said, **each) for each in told]
    out.end({"copies": told}, lines or [out.gettext(mark("No copy of the ring is registered."))])


@click.argument("name")
@command("forget", "No longer count on a copy of the ring: for one that was destroyed itself.")
def keys_forget(out: Out, name: str) -> None:
    """Forget a copy."""
    with opened() as parts:
        forget_copy(parts.db, name, partial(_noted, parts, "key.copy_end", {"name": name}))
        parts.sealer.seal_all()
    out.end({"name": name}, [out.gettext(mark("The copy %(name)s is no longer counted on."), name=name)])


def _note_apart(parts: Parts, facts: Mapping[str, Any]) -> None:
    with parts.db.writing() as work:
        _noted(parts, "key.rotate", facts, work.session)
        work.commit()


def _noted(parts: Parts, act: str, facts: Mapping[str, Any], session: Session) -> None:
    parts.log.note(session, system(f"operator:{getpass.getuser()}"), act, body=facts)


for each in (keys_rotate, keys_copy, keys_copies, keys_forget):
    keys.add_command(each)

COMMANDS = (keys,)
