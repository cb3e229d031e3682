"""A demonstration that is there grows to what is asked for, with a destruction brought to its end."""

from pathlib import Path

from sqlalchemy import func, select

from archive.model import DestroyedRecord, Destruction, DestructionState, Record
from runtime.demo.destroying import LEAST
from tests.factories.archives import Archive


def test_a_small_demonstration_grows(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for size in (1, LEAST + 40):
        answer = archive.run("demo", "--no-serve", "--no-files", "--size", str(size), "--json")
        assert answer.code == 0, answer.err
    with archive.parts().db.reading() as session:
        records, gone = (session.scalar(select(func.count()).select_from(each)) for each in (Record, DestroyedRecord))
        assert session.scalars(select(Destruction.state)).all() == [DestructionState.CLOSED]
    assert records
    assert gone
    assert records + gone >= LEAST + 40
    archive.close()
