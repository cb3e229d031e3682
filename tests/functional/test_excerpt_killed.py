"""An excerpt whose maker is killed before its PDF is kept is offered to nobody, and is removed."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.clock import SystemClock
from archive.model import Content, ContentState, Excerpt, LogEntry, Record
from archive.policy.rules import Act
from tests.factories.archives import Archive
from tests.fakes.clock import FixedClock

ROOT = Path(__file__).parents[2]

KILLED = """
import os
import sys
from dataclasses import replace
from uuid import UUID
from runtime.settings import load
from runtime.wiring.parts import NoWaker, build
parts = build(replace(load(os.environ), failpoint="excerpt.begun:kill"), NoWaker())
parts.lending.excerpts.begin(parts.people.identity_of("archivist"), UUID(sys.argv[1]), "给业主核对", [1], 0)
"""


@pytest.mark.faults
def test_an_excerpt_whose_maker_is_killed_is_offered_to_nobody_and_removed(archive: Archive) -> None:
    parts = archive.parts()
    who = parts.people.identity_of("archivist")
    with parts.db.writing() as work:
        handed = parts.guard.visible(work.session, who, Act.LEND).with_only_columns(Record.id)
        stored = select(Content).where(Content.state == ContentState.STORED, Content.record_id.in_(handed))
        content = work.session.scalars(stored).first()
        assert content is not None
        content.pages = 2
        work.commit()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(content.id)], cwd=ROOT, env=archive.environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with parts.db.reading() as session:
        assert len(session.scalars(select(Excerpt)).all()) == 1
    assert parts.lending.excerpts.of(who, content.record_id)[1] == []
    parts.lending.care.sweep()
    with parts.db.reading() as session:
        assert len(session.scalars(select(Excerpt)).all()) == 1
    later = archive.parts(FixedClock(SystemClock().now() + timedelta(hours=2)))
    later.lending.care.sweep()
    with parts.db.reading() as session:
        assert session.scalars(select(Excerpt)).all() == []
        acts = session.scalars(select(LogEntry.act).where(LogEntry.act.like("excerpt.%"))).all()
    assert sorted(acts) == ["excerpt.drop", "excerpt.make"]
