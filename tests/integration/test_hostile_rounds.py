"""The short form of ``juanku bench hostile``: whatever a parser that was taken over tries is contained."""

import sys

import pytest

from benchmarks._hostile_rounds import ACTS, attempt, hostile


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's walls are Linux's")
def test_each_act_is_contained_round_for_round() -> None:
    with hostile() as extractor:
        rows = [attempt(extractor, act, 4) for act in ACTS]
    assert {row.name: row.faults for row in rows if row.faults} == {}
    assert all(sum(row.ends.values()) == 4 for row in rows)
