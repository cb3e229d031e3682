"""Figures are made when asked for, kept a while, and a part that does not answer takes nothing from the others."""

import re
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archive.errors import Unavailable
from archive.model import BackupAct, BackupRun
from runtime.processes.figures import Kept, figures
from tests.factories.archives import Archive
from web.services import Figure


def test_they_are_kept_for_their_seconds() -> None:
    now, made = [0.0], []

    def make() -> list[Figure]:
        made.append(now[0])
        return [Figure("x", "X.")]

    kept = Kept(15.0, make, lambda: now[0])
    for moment in (0.0, 14.9, 15.0, 20.0, 30.0):
        now[0] = moment
        kept()
    assert made == [0.0, 15.0, 30.0]


def test_who_comes_while_they_are_made_gets_those_of_before() -> None:
    now, going, go_on = [0.0], threading.Event(), threading.Event()

    def make() -> list[Figure]:
        if now[0]:
            going.set()
            go_on.wait(60)
        return [Figure(f"at_{now[0]:.0f}", "X.")]

    kept = Kept(15.0, make, lambda: now[0])
    kept()
    now[0] = 20.0
    hanging = threading.Thread(target=kept)
    hanging.start()
    assert going.wait(60)
    assert [each.name for each in kept()] == ["at_0"]
    go_on.set()
    hanging.join()
    assert [each.name for each in kept()] == ["at_20"]


def _told(parts: Any) -> dict[str, dict[tuple[str, ...], float]]:
    return {each.name: dict(each.values) for each in figures(parts)()}


def test_a_house_tells_how_it_stands(archive: Archive) -> None:
    parts = archive.parts()
    told = _told(parts)
    assert told["objects"][()] > 0
    assert told["fixity_not_whole"] == {(): 0.0}
    assert told["backup_late"] == {(): 1.0}
    assert "backup_age_seconds" not in told
    assert told["due"][("to_file",)] >= 0
    assert set(told["part_up"].values()) == {1.0}
    assert told["disk_free_bytes"][("store",)] > 0
    assert told["part_answers"] == {(part,): 1.0 for part in ("database", "store", "index", "keys")}
    alarms = (Path(__file__).parents[2] / "deploy" / "alerts.yml").read_text()
    named = set(re.findall(r"juanku_(\w+)", alarms)) - {"requests_total", "request_seconds_bucket"}
    assert len(named) > 8
    assert named <= set(told), "an alarm waits for a figure that nobody tells"
    with parts.db.writing() as work:
        began = parts.clock.now() - timedelta(hours=2)
        work.session.add(BackupRun(act=BackupAct.MAKE, began_at=began, ended_at=began + timedelta(hours=1), facts={}))
        work.commit()
    assert _told(parts)["backup_age_seconds"][()] == pytest.approx(3600, abs=300)


def test_a_part_that_is_away_is_told_and_the_others_all_the_same(archive: Archive) -> None:
    parts = archive.parts()

    def away() -> None:
        raise Unavailable(part="search")

    parts.__dict__["rebuilder"] = SimpleNamespace(lag=away)
    parts.__dict__["engine"] = SimpleNamespace(needs_rebuild=away, close=lambda: None)
    told = _told(parts)
    assert told["part_answers"][("index",)] == 0.0
    assert told["part_answers"][("store",)] == 1.0
    assert told["part_up"][("index",)] == 0.0
    assert told["part_up"][("jobs",)] == 1.0
    assert "index_waiting" not in told
