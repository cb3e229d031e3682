"""Fixtures of tests that run the product on an archive of its own."""

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from archive.database import Database
from tests.factories import no_skips, postgres
from tests.factories.archives import Archive, make
from tests.factories.compiled import compile_once
from tests.factories.lent import lend

TESTS = Path(__file__).parent
TURNS = {"browser": 0, "integration": 0, "property": 0, "contracts": 1, "functional": 1, "unit": 2, "architecture": 2}
"""When a folder's files have their turn: one that takes minutes must not be left to one worker at the end."""

# no limit of wall time: it says nothing of the product where the machine is busy
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "the database: embedded, or the PostgreSQL server that JUANKU_TEST_POSTGRES names (as without this option)"
    parser.addoption("--on", choices=("embedded", "postgres"), help=words)


def pytest_configure(config: pytest.Config) -> None:
    # all workers, which take the name over, collect the tests of one day, though midnight passes meanwhile
    os.environ.setdefault("JUANKU_FAULTS_THIRD", str(datetime.now(UTC).timetuple().tm_yday))
    config.pluginmanager.register(no_skips)
    compile_once()
    lend()
    on = config.getoption("--on")
    if on == "embedded":
        postgres.SERVER = ""
    elif on == "postgres" and not postgres.used():
        words = "not tested on PostgreSQL: JUANKU_TEST_POSTGRES names no server"
        pytest.exit(words, returncode=1 if no_skips.asked() else 0)


def pytest_report_header() -> str:
    return f"databases: {'PostgreSQL' if postgres.used() else 'SQLite'}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest begin: by the turn of their folder, then by the number of a file's tests."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (TURNS.get(item.path.relative_to(TESTS).parts[0], 0), -tests[item.path]))


@pytest.fixture(autouse=True)
def _databases_given_back() -> Iterator[None]:
    """Let what one test made on the server serve the next."""
    before = postgres.taken()
    yield
    for folder in postgres.taken() - before:
        postgres.give_back(folder)


@pytest.fixture(scope="session")
def archive_template(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A small demonstration archive, made once for all workers of a run. Never change it: take a copy."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "archive-template"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            make(folder.with_suffix(".new"))
            if postgres.used():
                postgres.moved(folder.with_suffix(".new"), folder)
            folder.with_suffix(".new").rename(folder)
    return Archive(folder)


@pytest.fixture
def archive(archive_template: Archive, tmp_path: Path) -> Iterator[Archive]:
    """An archive with ten records and ten people, for this test alone."""
    copy = archive_template.copy(tmp_path / "archive")
    yield copy
    copy.close()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An empty database with every table."""
    from tests.factories.databases import a_database

    made = a_database(tmp_path)
    yield made
    made.close()
