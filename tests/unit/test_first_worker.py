"""One first worker works on a machine at a time; another waits, and takes over."""

import threading
from pathlib import Path
from typing import Any

import pytest

from runtime.locks import held
from runtime.processes import worker
from runtime.settings import load


def test_a_first_worker_waits_for_the_end_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[Any] = []
    monkeypatch.setattr(worker, "work", lambda _settings, queues, first: worked.append((queues, first)))
    monkeypatch.setattr(worker, "AGAIN_SECONDS", 0.01)
    settings, waits = load({"JUANKU_HOME": str(tmp_path)}), threading.Event()
    with held(settings.run / "worker.lock") as ours:
        assert ours
        second = threading.Thread(target=worker.lead, args=(settings, ["light"], waits.set))
        second.start()
        assert waits.wait(30)
        assert worked == []
    second.join(30)
    assert worked == [(["light"], True)]
