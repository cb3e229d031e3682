"""The embedded engine's files: reopened, read beside a writer, broken, locked, and without plain text."""

from pathlib import Path

import pytest

from archive.errors import Unavailable
from indexer.query.tree import Everything
from indexer.tantivy.engine import TantivyEngine
from tests.factories.engine_house import HOUSE, ask, entry, never_idle


def test_what_was_committed_is_there_after_reopening_and_the_rest_is_not(tmp_path: Path) -> None:
    first = TantivyEngine(tmp_path)
    first.write(HOUSE)
    first.commit()
    first.write([entry(800)])
    first.close()
    assert TantivyEngine(tmp_path).search(ask()).total == len(HOUSE)


def test_a_reader_in_another_process_sees_commits_rebuilds_and_drops(tmp_path: Path) -> None:
    writer, reader = (TantivyEngine(tmp_path, seconds=never_idle()) for _ in range(2))
    assert reader.search(ask()).total == 0
    writer.write(HOUSE)
    writer.commit()
    assert reader.search(ask()).total == len(HOUSE)
    with writer.rebuilding("3") as rebuild:
        rebuild.write([entry(1)])
        rebuild.finish()
    assert reader.search(ask(Everything(), "3")).total == 1
    writer.drop("3")
    assert reader.search(ask(Everything(), "3")).total == 0


@pytest.mark.parametrize("harm", ["meta gone", "meta torn", "segments gone", "pointer torn"])
def test_a_broken_partition_is_empty_and_known_until_it_is_made_anew(tmp_path: Path, harm: str) -> None:
    engine = TantivyEngine(tmp_path)
    engine.write(HOUSE)
    engine.commit()
    engine.close()
    [pointer] = tmp_path.glob("*-3/CURRENT")
    [meta] = tmp_path.glob("*-3/*/meta.json")
    if harm == "meta gone":
        meta.unlink()
    elif harm == "meta torn":
        meta.write_text(meta.read_text()[:40])
    elif harm == "pointer torn":
        pointer.write_text("{")
    else:
        for part in meta.parent.glob("*.store"):
            part.unlink()
    again = TantivyEngine(tmp_path, seconds=never_idle())
    assert (again.search(ask(Everything(), "3")).total, again.search(ask(Everything(), "3")).whole) == (0, False)
    assert (again.search(ask(Everything(), "2")).total, again.search(ask(Everything(), "2")).whole) == (20, True)
    assert again.needs_rebuild() == {"3"}
    again.write([entry(1)])
    again.commit()
    assert again.count("3") == 1
    assert TantivyEngine(tmp_path).needs_rebuild() == {"3"}
    assert [each.search(ask()).whole for each in (again, TantivyEngine(tmp_path))] == [False, False]
    with again.rebuilding("3") as rebuild:
        rebuild.write([one for one in HOUSE if one.partition == "3"])
        rebuild.finish()
    assert again.needs_rebuild() == frozenset()
    for each in (again, TantivyEngine(tmp_path)):
        assert (each.search(ask()).total, each.search(ask()).whole) == (len(HOUSE), True)


def test_two_processes_do_not_write_at_once(tmp_path: Path) -> None:
    first, second = TantivyEngine(tmp_path), TantivyEngine(tmp_path)
    first.write([entry(1)])
    with pytest.raises(Unavailable):
        second.write([entry(2)])
    first.close()


def test_no_text_and_no_other_engine_files_are_kept_in_plain(tmp_path: Path) -> None:
    engine = TantivyEngine(tmp_path)
    engine.write(HOUSE)
    engine.commit()
    engine.close()
    stores = [part.read_bytes() for part in tmp_path.rglob("*.store")]
    assert stores
    assert not any("合同".encode() in part for part in stores)
