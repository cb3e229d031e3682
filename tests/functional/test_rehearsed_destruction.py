"""A rehearsal destroys on a scratch archive, finds nothing in raw bytes, restores the backup of before, and is kept."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from archive.model import DestructionRehearsal
from runtime.scratch import scanned
from tests.factories.archives import Archive


def test_a_rehearsal_finds_nothing_and_leaves_its_report_alone(archive: Archive, tmp_path: Path) -> None:
    answer = archive.run("rehearse", "destruction", "--in", tmp_path / "trial", "--json")
    assert answer.code == 0, answer.err + answer.out
    facts = answer.document
    assert facts["ok"]
    assert (set(facts["on"].values()), facts["unread"]) == ({"embedded"}, [])
    assert facts["seen_before"]["title"] > 0, "the scan sees what stands there"
    assert facts["left"] == {"file": 0, "title": 0, "protected": 0}
    assert facts["proof"] == {}
    assert facts["restored"] == {"ok": True, "neighbours": 3, "files": 3, "left": 0, "gone": 3}
    assert not (tmp_path / "trial").exists()
    with archive.parts().db.reading() as session:
        kept = session.scalars(select(DestructionRehearsal)).one()
        assert (kept.error, kept.facts["ok"]) == (None, True)


def test_raw_bytes_are_found_across_blocks(tmp_path: Path) -> None:
    mark = b"0123456789abcdef"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"x" * (4 * 1024 * 1024 - 7) + mark + b"y" * 100 + mark)
    assert scanned([tmp_path], [mark, b"absent-absent-ab"]) == 2


def test_what_a_server_takes_away_while_its_files_are_read_is_gone(tmp_path: Path) -> None:
    mark = b"0123456789abcdef"
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        (folder / "file").write_bytes(mark)

    class Wanted(list[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
            return super().__iter__()

    assert scanned([tmp_path], Wanted([mark])) == 1
