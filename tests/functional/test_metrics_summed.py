"""Where several processes serve, one of them tells the sum of their requests."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COUNT = """
from web.metrics import count
for _ in range({times}):
    count("GET", "/records/<uuid:record_id>", "200", 0.02)
"""
TELL = """
from prometheus_client import generate_latest
from web.metrics import counted
print(generate_latest(counted()).decode())
"""


def run(code: str, folder: Path) -> str:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def test_what_two_processes_counted_is_told_by_one(tmp_path: Path) -> None:
    run(COUNT.format(times=3), tmp_path)  # processes of their own: where to count is read once, at the import
    told = run(COUNT.format(times=4) + TELL, tmp_path)
    assert 'juanku_requests_total{method="GET",route="/records/<uuid:record_id>",status="200"} 7.0' in told
    assert 'juanku_request_seconds_count{route="/records/<uuid:record_id>"} 7.0' in told
