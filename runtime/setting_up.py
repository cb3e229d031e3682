"""Making an archive: its folder, its ring, its tables, its first row."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, select
from sqlalchemy.engine import Connection

from archive.clock import SystemClock
from archive.database import Database
from archive.errors import Unavailable, WrongState
from archive.ids import new_id
from archive.levels import choose
from archive.model import House
from runtime.settings import Settings
from storage.ring import KeyRing

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def create(settings: Settings, names: Mapping[str, str], naming: str, zone: str = "Asia/Shanghai") -> bool:
    """Make the archive where it is not made yet; return whether anything was made. Safe to run again after a break.

    Args:
        settings: where.
        names: the house's name in its languages.
        naming: which naming of the levels (see ``archive.levels``).
        zone: the house's time zone, an IANA name.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.run.mkdir(exist_ok=True, mode=0o700)
    if not KeyRing.exists(settings.keys):
        KeyRing.create(settings.keys)
    db = Database(settings.database_url)
    try:
        migrate(db)
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def migrate(db: Database) -> None:
    """Bring the tables up to this version of the product; forward only."""
    config = _config()
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revision(connection: Connection) -> tuple[str | None, str | None]:
    """Return the database's revision and the one this version of the product has."""
    context = MigrationContext.configure(connection)
    return context.get_current_revision(), ScriptDirectory.from_config(_config()).get_current_head()


def require_ready(settings: Settings) -> None:
    """Refuse to go on where there is no archive, or one of another version.

    Raises:
        WrongState: facts ``state`` (``no_archive`` or ``other_version``) and ``act``.
    """
    url = settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise WrongState(state="no_archive", act="open", home=str(settings.home))
    if not KeyRing.exists(settings.keys):
        raise Unavailable(part="ring", where=str(settings.keys))
    db = Database(url)
    try:
        _same_revision(db.engine)
    finally:
        db.close()


def _same_revision(engine: Engine) -> None:
    facts: dict[str, Any] = {}
    with engine.connect() as connection:
        facts["is"], facts["wanted"] = revision(connection)
    if facts["is"] != facts["wanted"]:
        raise WrongState(state="other_version" if facts["is"] else "no_archive", act="open", **facts)
