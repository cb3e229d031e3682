"""Making an archive: its folder, its ring, its tables, its first row."""

import sys
import time
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.engine import Connection

from archive.clock import SystemClock
from archive.database import Database
from archive.errors import ArchiveError, Unavailable, WrongState
from archive.house import founding
from archive.house.founding import Plan
from archive.house.levels import choose
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import House
from runtime.ready import NOT_READY, require_files
from runtime.revisions import migrate, revisions
from runtime.settings import Settings
from storage.ring import KeyRing
from storage.vault import RingVault
from web.words.faults import explain


def create(settings: Settings, names: Mapping[str, str], naming: str, zone: str = "Asia/Shanghai") -> bool:
    """Make the archive where it is not made yet; return whether anything was made. Safe to run again after a break.

    Args:
        settings: where.
        names: the house's name in its languages.
        naming: which naming of the levels (see ``archive.house.levels``).
        zone: the house's time zone, an IANA name.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.run.mkdir(exist_ok=True, mode=0o700)
    if not KeyRing.exists(settings.keys):
        KeyRing.create(settings.keys)
    db = Database(settings.database_url)
    try:
        migrate(db, settings.database_owner_url)
        with db.writing() as work:
            if work.session.scalar(select(House.id)) is not None:
                return False
            now = SystemClock().now()
            work.session.add(House(id=new_id(), names=dict(names), zone=zone, created_at=now))
            choose(work.session, naming)
            work.commit()
        return True
    finally:
        db.close()


def found(settings: Settings, plan: Plan) -> None:
    """Make the archive with all that it begins with (see ``archive.house.founding``). Safe to run again after a break.

    Raises:
        StandsAlready: there is a house.
        InvalidInput: names what is at fault.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.run.mkdir(exist_ok=True, mode=0o700)
    if not KeyRing.exists(settings.keys):
        KeyRing.create(settings.keys)
    clock = SystemClock()
    db = Database(settings.database_url)  # nobody waits for the seal of these entries: the worker chains them
    try:
        migrate(db, settings.database_owner_url)
        founding.found(db, Log(RingVault(KeyRing.open(settings.keys)), clock), clock, plan)
    finally:
        db.close()


def stands(settings: Settings) -> bool:
    """Return whether there is a house."""
    try:
        require_ready(settings)
    except ArchiveError:
        return False
    db = Database(settings.database_url)
    try:
        with db.reading() as session:
            return session.scalar(select(House.id)) is not None
    finally:
        db.close()


def require_ready(settings: Settings) -> None:
    """Refuse to go on where there is no archive, or one of another version.

    Raises:
        WrongState: facts ``state`` (``no_archive``, ``other_version``, ``moved`` or ``arriving``) and ``act``.
    """
    require_files(settings)
    db = Database(settings.database_url, place=settings.store_url)
    try:
        with db.reading() as session:  # a look: it waits for no writer, and takes none for a missing archive
            require_version(session.connection())
        if (state := db.closed()) in {"moved", "arriving"}:
            raise WrongState(state=state, act="open")
    finally:
        db.close()


def require_version(connection: Connection) -> None:
    """Refuse tables of another version.

    Raises:
        WrongState: facts ``state`` (``no_archive`` or ``other_version``), ``is`` and ``wanted``.
    """
    found, wanted = revisions(connection)
    if found != wanted:
        state = "other_version" if found else "no_archive"
        raise WrongState(state=state, act="open", **{"is": found, "wanted": wanted})


def stop_unless_ready(settings: Settings) -> None:
    """End a child of ``serve`` that cannot work, saying why; the tree then ends too instead of starting it again.

    A server's database that does not answer is waited for: it may be starting, as after a power cut, and ``serve`` with
    it.
    """
    told = False
    while True:
        try:
            require_ready(settings)
        except ArchiveError as error:
            away = isinstance(error, Unavailable) and error.facts.get("part") == "database"
            if not told:
                waiting = ["This process waits for it; juanku doctor says why it does not answer."] if away else []
                print(*explain(error, "en"), *waiting, sep="\n", file=sys.stderr)  # noqa: T201 (a child has no other voice yet)
            if not away:
                sys.exit(NOT_READY)
            told = True
            time.sleep(1)
        else:
            return
