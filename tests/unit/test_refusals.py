"""What the system refuses comes out in our words: no room, no right."""

import errno
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from archive.errors import ArchiveError, NoAccess, StorageFull
from runtime.refusals import as_ours


def refused(url: str, *statements: str) -> ArchiveError | None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    except OperationalError as error:
        return as_ours(error)
    finally:
        engine.dispose()
    raise AssertionError


def test_a_database_that_may_only_be_read_or_not_opened_or_is_full_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "juanku.db"
    file.touch()
    assert isinstance(refused(f"sqlite:///file:{file}?mode=ro&uri=true", "CREATE TABLE a (b)"), NoAccess)
    assert isinstance(refused(f"sqlite:///{tmp_path}"), NoAccess)
    assert isinstance(
        refused(f"sqlite:///{file}", "PRAGMA max_page_count=1", "CREATE TABLE a (b)", "CREATE TABLE c (d)"), StorageFull
    )


def test_what_is_not_known_stays_what_it_was() -> None:
    assert as_ours(OSError(errno.EIO, "Input/output error", "disk")) is None
    assert as_ours(ValueError("full")) is None


@pytest.mark.parametrize(("number", "ours"), [(errno.ENOSPC, StorageFull), (errno.EROFS, NoAccess)])
def test_files_are_told_alike(number: int, ours: type[ArchiveError]) -> None:
    assert isinstance(as_ours(OSError(number, "no", "file")), ours)
