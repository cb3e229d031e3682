"""The short form of ``juanku bench faults``: kill -9 at each failpoint and at some random moments loses nothing."""

import json
import os
import subprocess
import sys

import pytest

from archive.failpoints import INTAKE
from tests.factories.archives import ROOT


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_kill_9_at_each_failpoint_and_at_random_moments_loses_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runtime", "bench", "faults", "--trials", "1", "--random", "6", "--json"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.stdout, done.stderr.decode()
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["ok"], (found["seed"], [row for row in found["rows"] if row["violations"]])
    rows = {row["name"]: row for row in found["rows"]}
    assert [name for name in INTAKE if rows[name]["died"] != 1] == [], "a failpoint was not reached"
    assert done.returncode == 0
