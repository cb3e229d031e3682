"""An edit or a move of many whose worker is killed is gone on with: nothing is done twice, nothing is left out."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from archive.cataloguing.change import Change
from archive.cataloguing.describing import Draft
from archive.model import BulkState, LogEntry, Record, RecordKind, RowState
from tests.factories.archives import Archive

ROOT = Path(__file__).parents[2]

KILLED = """
import os
import sys
from dataclasses import replace
from uuid import UUID
from runtime.settings import load
from runtime.wiring.parts import NoWaker, build
parts = build(replace(load(os.environ), failpoint=sys.argv[2]), NoWaker())
for _ in getattr(parts, sys.argv[3]).run(parts.people.identity_of("archivist"), UUID(sys.argv[1])):
    pass
"""


def kill(archive: Archive, key: UUID, failpoint: str, means: str) -> None:
    """Run it in a process that dies at the failpoint."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(key), failpoint, means], cwd=ROOT, env=archive.environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL


def test_an_edit_whose_worker_is_killed_goes_on(archive: Archive) -> None:
    parts = archive.parts()
    who = parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        other = session.scalars(select(Record)).first()
        assert other is not None
    ids = [
        parts.records.create(who, Draft(other.fonds_id, other.category_id, f"通知{at}", drawn_up="2026-03"))
        for at in range(3)
    ]
    edit = parts.bulk.prepare(who, ids, Change({"notes": "待核对"}))
    parts.bulk.start(who, edit)
    kill(archive, edit, "bulk.changed:kill", "bulk")
    assert parts.bulk.show(who, edit).state is BulkState.RUNNING
    archive.work(parts)
    assert parts.bulk.show(who, edit).state is BulkState.DONE
    with parts.db.reading() as session:
        rows = session.scalars(select(Record).where(Record.id.in_(ids))).all()
        assert [(row.notes, row.version) for row in rows] == [("待核对", 2)] * 3


@pytest.mark.faults
def test_a_move_whose_worker_is_killed_goes_on_and_so_does_its_undoing(archive: Archive) -> None:
    parts = archive.parts()
    who = parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        other = session.scalars(select(Record)).first()
        assert other is not None
    draft = Draft(other.fonds_id, other.category_id, "旧卷", drawn_up="2026-03")
    source, into = (
        parts.records.create(who, replace(draft, kind=RecordKind.DOSSIER, title=each)) for each in ("旧卷", "新卷")
    )
    items = [parts.records.create(who, replace(draft, title=f"件{at}")) for at in range(120)]
    for some in (items[:60], items[60:]):
        parts.arranging.put_in(who, source, some, source=None)

    def lying() -> dict[UUID | None, int]:
        with parts.db.reading() as session:
            query = select(Record.dossier_id, func.count()).where(Record.id.in_(items)).group_by(Record.dossier_id)
            return dict(session.execute(query).all())

    move = parts.bulk_moves.into_dossier(who, into, source)
    kill(archive, move, "bulk.moved:kill", "bulk_moves")
    assert lying() == {into: 100, source: 20}
    archive.work(parts)
    assert parts.bulk_moves.show(who, move).counts == {RowState.CHANGED: 120}
    assert lying() == {into: 120}
    parts.bulk_moves.undo(who, move)
    kill(archive, move, "bulk.moved:kill", "bulk_moves")
    assert lying() == {into: 20, source: 100}
    archive.work(parts)
    assert parts.bulk_moves.show(who, move).state is BulkState.UNDONE
    assert lying() == {source: 120}
    with parts.db.reading() as session:
        put = select(func.count()).where(LogEntry.act == "record.put_in", LogEntry.record_id == items[0])
        assert session.scalar(put) == 3  # at first, by the move, and back
