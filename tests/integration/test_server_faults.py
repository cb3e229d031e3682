"""Faults of the four servers, a third of them a day: nothing is lost, nothing doubled, nothing hidden is shown.

``JUANKU_FAULTS_THIRD`` (0 to 2) chooses another third than the day does. ``juanku bench server_faults`` runs each as
often as it is told.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from benchmarks._faults_database import disk_full
from benchmarks._server_house import House, a_house, missing
from benchmarks.server_faults import FAULTS, THIRDS, TURN, Fault, of_third, third, trial


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    if absent := missing():
        pytest.skip(f"not there: {', '.join(absent)}")
    # not below pytest's own folder: PostgreSQL runs as someone else, who may not go there
    with tempfile.TemporaryDirectory(prefix="juanku-faults-") as name, a_house(Path(name)) as made:
        yield made


def test_all_thirds_together_are_all_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(one.name for which in range(THIRDS) for one in of_third(which)) == sorted(one.name for one in FAULTS)
    assert len({one.name for one in FAULTS}) == len(FAULTS)
    monkeypatch.setenv(TURN, "2")
    assert third() == 2
    monkeypatch.delenv(TURN)
    with time_machine.travel(datetime(2026, 3, 5, 23, 59, tzinfo=UTC), tick=False):
        assert third() == 64 % THIRDS


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", of_third(third()), ids=lambda one: one.name)
def test_after_a_fault_of_a_server_nothing_is_wrong(house: House, fault: Fault) -> None:
    if house.small is None and fault.act is disk_full:
        pytest.skip("may not mount a disk of its own, that could fill up")
    assert trial(house, fault, datetime.now(UTC).timetuple().tm_yday) == []
