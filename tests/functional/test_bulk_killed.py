"""An edit of many records whose worker is killed is gone on with: no record is changed twice, none is left out."""

import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from archive.bulk_change import Change
from archive.describing import Draft
from archive.model import BulkState, Record
from tests.factories.archives import Archive

ROOT = Path(__file__).parents[2]

KILLED = """
import os
import sys
from dataclasses import replace
from uuid import UUID
from runtime.settings import load
from runtime.wiring import NoWaker, build
parts = build(replace(load(os.environ), failpoint="bulk.changed:kill"), NoWaker())
for _ in parts.bulk.run(parts.people.identity_of("archivist"), UUID(sys.argv[1])):
    pass
"""


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
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(edit)], cwd=ROOT,
        env=archive.environment, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    assert parts.bulk.show(who, edit).state is BulkState.RUNNING
    archive.work(parts)
    assert parts.bulk.show(who, edit).state is BulkState.DONE
    with parts.db.reading() as session:
        rows = session.scalars(select(Record).where(Record.id.in_(ids))).all()
        assert [(row.notes, row.version) for row in rows] == [("待核对", 2)] * 3
