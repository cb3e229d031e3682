"""``juanku upgrade``: tables of an older version become this program's, and nothing else works meanwhile."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from archive.database import Database
from archive.errors import WrongState
from archive.model import LogEntry
from runtime import upgrading
from runtime.cli.main import cli
from runtime.doctor import State, doctor
from runtime.locks import shared
from runtime.revisions import MIGRATIONS, migrate, newest_revision
from runtime.settings import Settings, load
from runtime.upgrading import LOCKS, AtWork, Upgraded, upgrade
from storage.ring import KeyRing
from tests.factories.archives import Archive

BEFORE, NOW = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))[-2:]


@pytest.fixture
def older(tmp_path: Path) -> Settings:
    settings = load({"JUANKU_HOME": str(tmp_path / "home"), "JUANKU_KEYS": str(tmp_path / "keys")})
    settings.home.mkdir()
    KeyRing.create(settings.keys)
    db = Database(settings.database_url)
    migrate(db, to=BEFORE)
    db.close()
    return settings


def version(file: Path) -> str:
    with closing(sqlite3.connect(file)) as db:
        [[found]] = db.execute("SELECT version_num FROM alembic_version")
    return str(found)


def test_tables_are_brought_up_and_the_database_as_it_was_is_kept(older: Settings) -> None:
    done = upgrade(older)
    assert (done.before, done.after) == (BEFORE, NOW)
    assert NOW == newest_revision() == version(older.home / "juanku.db")
    assert done.copy
    assert version(done.copy) == BEFORE
    assert stat.S_IMODE(done.copy.stat().st_mode) == 0o600
    assert [part.facts["path"] for part in doctor(older) if part.message == "upgrade_copy"] == [str(done.copy)]
    again = upgrade(older)
    assert (again.before, again.after, again.copy) == (NOW, NOW, None)


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_is_changed_while_something_works(older: Settings, lock: str) -> None:
    with shared(older.run / lock), pytest.raises(AtWork):
        upgrade(older)
    assert version(older.home / "juanku.db") == BEFORE


def test_tables_of_a_newer_version_are_left(older: Settings) -> None:
    with closing(sqlite3.connect(older.home / "juanku.db")) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    with pytest.raises(WrongState) as refused:
        upgrade(older)
    assert refused.value.facts["state"] == "other_version"
    assert version(older.home / "juanku.db") == "9999"


def test_the_doctor_says_what_an_older_archive_needs_and_nothing_that_only_follows_from_it(older: Settings) -> None:
    broken = [(part.name, part.message) for part in doctor(older) if part.state is State.BROKEN]
    assert broken == [("database", "other_version")]


def test_who_brought_the_tables_up_stands_in_the_log(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "upgrade", lambda _: Upgraded(BEFORE, NOW, None))  # the tables are new already
    answer = CliRunner(env=archive.environment).invoke(cli, ["upgrade", "--json"])
    assert answer.exit_code == 0, answer.output
    with archive.parts().db.reading() as session:
        (entry,) = session.scalars(select(LogEntry).where(LogEntry.act == "system.upgrade"))
    assert entry.actor.startswith("system:operator:")
