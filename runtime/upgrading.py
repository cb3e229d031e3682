"""Bringing an archive's tables up to this program's version, while nothing else works on it."""

import os
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive.database import Database
from archive.errors import WrongState
from runtime.locks import held
from runtime.revisions import migrate, revisions
from runtime.settings import Settings

LOCKS = ("serve.lock", "worker.lock", "helpers.lock", "web.lock")
"""Held by what works on an archive from this machine."""


class AtWork(Exception):
    """Something works on the archive from this machine."""


@dataclass(frozen=True)
class Upgraded:
    """The tables' revision before and after; ``copy`` is the embedded database as it was before, if it was changed."""

    before: str
    after: str
    copy: Path | None


def upgrade(settings: Settings) -> Upgraded:
    """Change the tables, after a copy of an embedded database. What breaks off, the next call ends.

    Raises:
        AtWork: web or workers of this machine run. Of other machines nothing is known here.
        WrongState: there is no archive, or one of a newer version than this program.
    """
    with ExitStack() as stack:
        if not all(stack.enter_context(held(settings.run / name)) for name in LOCKS):
            raise AtWork
        db = Database(settings.database_url)
        stack.callback(db.close)
        with db.reading() as session:
            before, wanted = revisions(session.connection())
        if before is None or before > wanted:
            state = "no_archive" if before is None else "other_version"
            facts = {"home": str(settings.home), "is": before, "wanted": wanted}
            raise WrongState(state=state, act="upgrade", **facts)
        if before == wanted:
            return Upgraded(before, wanted, None)
        copy = _copied(settings, before) if db.is_sqlite else None
        migrate(db, settings.database_owner_url)
        return Upgraded(before, wanted, copy)


def copies(settings: Settings) -> list[tuple[Path, datetime]]:
    """Return the copies of the embedded database that upgrades left, and when: whoever finds one reads its titles."""
    found = sorted(settings.home.glob("juanku-*.db"))
    return [(path, datetime.fromtimestamp(path.stat().st_mtime, UTC)) for path in found]


def _copied(settings: Settings, revision: str) -> Path:
    path = settings.home / f"juanku-{revision}.db"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    url = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(url)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return path
