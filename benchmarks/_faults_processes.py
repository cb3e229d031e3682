"""Processes of a trial of ``benchmarks.faults``: forked, in groups of their own, reporting by a pipe, killed."""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 400.0
"""Seconds that a process of a trial may take before it counts as stuck."""

Say = Callable[..., object]


@dataclass
class Child:
    """A forked process and the pipe it reports to."""

    pid: int
    pipe: int
    status: int | None = None

    def wait(self) -> int:
        """Wait for its end; return the exit status, negative for a signal."""
        until = time.monotonic() + PATIENCE
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                os.killpg(self.pid, signal.SIGKILL)
                until += PATIENCE
            else:
                time.sleep(0.002)
        return self.status

    def kill(self) -> None:
        """Kill it and all it started."""
        if self.status is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def told(self) -> list[dict[str, Any]]:
        """Return what it reported until its end."""
        data = b""
        while block := os.read(self.pipe, 65536):
            data += block
        os.close(self.pipe)
        return [json.loads(line) for line in data.splitlines()]


def forked(log: Path, act: Callable[[Say], None]) -> Child:
    """Run ``act`` in a process of its own, in a process group of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    code = 1
    try:
        os.setsid()
        os.close(reading)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
        act(lambda **told: os.write(writing, json.dumps(told).encode() + b"\n"))
        code = 0
    except BaseException:  # noqa: BLE001 (a forked child must never return into its parent's code)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
