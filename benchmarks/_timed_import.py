"""The command ``import``, with processor time, statements and requests to the store counted by step.

Run as ``python -m benchmarks._timed_import FOLDER import …``: each of the command's processes leaves a JSON file in
``FOLDER``, of what each step took itself, without the steps inside it.
"""

import functools
import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from urllib3 import PoolManager

from archive.bringing_in.imports import Imports
from archive.cataloguing.records import RecordService
from archive.files.arrivals import Arrivals
from archive.files.intake import IntakeService
from archive.filing.one import FilingService
from archive.jobs.runner import JobRunner
from archive.log.sealer import Sealer
from indexer.comparing import CompareTexts
from indexer.extraction import ExtractContents
from indexer.indexing import IndexRecords
from indexer.sandbox.client import Extractor
from runtime import importing
from runtime.cli import files
from runtime.processes import beside
from storage.locks import LockObjects
from storage.minio.objects import MinioStore
from storage.objects import FileStore

STEPS: dict[tuple[Any, str], str] = {
    (Imports, "begin"): "catalogue",
    (IntakeService, "receive_many"): "take in: seal, hash",
    (Arrivals, "announce"): "take in: announce",
    (MinioStore, "put"): "take in: put",
    (FileStore, "put"): "take in: put",
    (Arrivals, "stored"): "take in: make valid",
    (ExtractContents, "run"): "extract: batches",
    (ExtractContents, "_try_some"): "extract: make of it",
    (Extractor, "hold"): "extract: fetch, decrypt",
    (Extractor, "find_held"): "extract: ask the fork",
    (Extractor, "texts_held"): "extract: ask the fork",
    (Extractor, "pronom_held"): "extract: name the format",
    (ExtractContents, "_write"): "extract: write",
    (RecordService, "propose_dates"): "propose dates",
    (FilingService, "file"): "file",
    (CompareTexts, "run"): "compare",
    (IndexRecords, "run"): "index",
    (LockObjects, "run"): "lock objects",
    (JobRunner, "_claim"): "jobs: claim",
    (JobRunner, "_end"): "jobs: end",
    (JobRunner, "due"): "jobs: look",
    (Sealer, "seal_all"): "seal the log",
    (files, "extracting"): "wait: look",
    (importing.Importer, "run"): "import: the rest",
}


class Steps:
    """Seconds, statements and requests by step, of every thread of this process."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._statements: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._own = threading.local()
        self._lock = threading.Lock()

    def step(self, name: str, act: Any) -> Any:
        """Return ``act``, counted as a step."""

        @functools.wraps(act)
        def counted(*given: Any, **named: Any) -> Any:
            stack = self._stack()
            begun = time.thread_time()
            stack.append([name, 0.0])
            try:
                return act(*given, **named)
            finally:
                took = time.thread_time() - begun
                _, inside = stack.pop()
                if stack:
                    stack[-1][1] += took
                with self._lock:
                    self._seconds[name] += took - inside

        return counted

    def _stack(self) -> list[list[Any]]:
        stack: list[list[Any]] = self._own.__dict__.setdefault("stack", [])
        return stack

    def _now(self) -> str:
        stack = self._stack()
        return str(stack[-1][0]) if stack else "other"

    def statement(self, *_told: Any) -> None:
        """Count a statement."""
        self._statements[self._now()] += 1

    def request(self, method: str) -> None:
        """Count a request over HTTP."""
        self._requests[f"{self._now()}: {method}"] += 1

    def told(self) -> dict[str, Any]:
        """Return what was counted; "other" is what this process took beyond every step."""
        seconds = dict(self._seconds)
        seconds["other"] = time.process_time() - sum(seconds.values())
        return {"seconds": seconds, "statements": self._statements, "requests": self._requests}

    def forget(self) -> None:
        """Begin anew, as a process that was forked does."""
        for each in (self._seconds, self._statements, self._requests):
            each.clear()


def main() -> None:
    """Run the command and leave what was counted."""
    folder, *words = sys.argv[1:]
    steps = Steps()

    def leave() -> None:
        (Path(folder) / f"{os.getpid()}.json").write_text(json.dumps(steps.told()))

    for (owner, name), step in STEPS.items():
        setattr(owner, name, steps.step(step, getattr(owner, name)))
    event.listen(Engine, "before_cursor_execute", steps.statement)
    ask = PoolManager.urlopen

    def counted(self: PoolManager, method: str, *given: Any, **named: Any) -> Any:
        steps.request(method)
        return ask(self, method, *given, **named)

    PoolManager.urlopen = counted  # type: ignore[method-assign]
    work = beside._work_as_told  # noqa: SLF001 (it has no other edge)

    def worked(queues: list[str], lines: Iterable[str]) -> None:
        steps.forget()
        try:
            work(queues, lines)
        finally:
            leave()

    beside._work_as_told = worked  # noqa: SLF001 (as above)
    from runtime.cli.main import main as command  # noqa: PLC0415 (after what it calls was wrapped)

    sys.argv = ["juanku", *words]
    try:
        command()
    finally:
        leave()


if __name__ == "__main__":
    main()
