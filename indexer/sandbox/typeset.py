"""Forms set by Typst, each in a confined process of its own, in memory: a house's own template is a program."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.errors import Unavailable
from indexer.extract.answer import Reason
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.office_run import REFUSED

FONTS = Path(__file__).resolve().parents[1] / "fonts"

LONGEST_DATA = 64 * 1024 * 1024

_ROOT = Path(__file__).resolve().parents[2]
_PLACE = re.compile(r"__typst_py_bytes__\.typ:(\d+):(\d+)")
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class TypesetLimits:
    """What one form may use: bytes of ``memory`` beyond what the program takes, and of the ``size`` that is made;
    seconds of ``cpu`` and ``wall``.
    """  # noqa: D205  (one sentence)

    memory: int = 1024**3
    size: int = 64 * 1024**2
    cpu: int = 60
    wall: float = 240.0


TRIAL = TypesetLimits(memory=512 * 1024**2, size=16 * 1024**2, cpu=10, wall=60.0)
"""What a template may use while it is tried."""


@dataclass(frozen=True)
class NotSet:
    """A form that was not set. ``reason`` is ``broken`` (the compiler's ``words``, with the ``line`` of the template),
    ``time``, ``memory``, ``too_large``, ``crashed``, or ``unsupported`` (a wall is missing here).
    """  # noqa: D205  (one sentence)

    reason: Reason
    words: str = ""
    line: int | None = None


class Typesetter:
    """Sets forms. Thread-safe; more callers than ``parallel`` wait.

    Args:
        root: the folder of what templates may import; nothing else is open to them.
        parallel: how many are set at once.
    """

    def __init__(self, root: Path, *, parallel: int = 2) -> None:
        self._root = root
        self._places = threading.BoundedSemaphore(parallel)

    def pdf(
        self, source: str, data: Any, *, limits: TypesetLimits | None = None, hostile: bool = True
    ) -> bytes | NotSet:
        """Return the PDF/A of a form.

        Args:
            source: the template, in Typst.
            data: what it reads as ``sys.inputs.data`` (JSON). No word of it is markup.
            limits: what it may use.
            hostile: whether it is refused where a wall is missing; False for a template that is shipped.

        Raises:
            Unavailable: no process can be started.
        """
        made = self._set(source, data, 0, limits or TypesetLimits(), hostile=hostile)
        if isinstance(made, NotSet):
            return made
        [body] = made[1] or [b""]
        return body if body.startswith(b"%PDF-") else NotSet(Reason.CRASHED)

    def pictures(self, source: str, data: Any, most: int) -> tuple[list[bytes], int] | NotSet:
        """Return the first pages of a form that is tried, as PNG, and how many there are. Arguments as of ``pdf``."""
        made = self._set(source, data, most, TRIAL, hostile=True)
        if isinstance(made, NotSet):
            return made
        head, bodies = made
        count = head.get("count")
        whole = isinstance(count, int) and 0 < len(bodies) <= min(count, most)
        return (bodies, int(head["count"])) if whole and all(map(_is_png, bodies)) else NotSet(Reason.CRASHED)

    def _set(
        self, source: str, data: Any, draw: int, limits: TypesetLimits, *, hostile: bool
    ) -> tuple[dict[str, Any], list[bytes]] | NotSet:
        asked = {
            "source": source, "data": json.dumps(data, ensure_ascii=False), "draw": draw, "hostile": hostile,
            "root": str(self._root), "fonts": str(FONTS),
        }  # fmt: skip
        given = json.dumps(asked).encode()
        with self._places, contextlib.closing(MemoryFile([given], size=len(given), limit=LONGEST_DATA)) as file:
            os.lseek(file.fd, 0, os.SEEK_SET)
            return _run(file.fd, limits)


def _run(given: int, limits: TypesetLimits) -> tuple[dict[str, Any], list[bytes]] | NotSet:
    told = json.dumps({name: getattr(limits, name) for name in ("memory", "cpu", "size")})
    with os.fdopen(os.memfd_create("juanku-form"), "r+b") as made:
        command = [sys.executable, "-m", "indexer.sandbox.typeset_run", str(given), str(made.fileno()), told]
        try:
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                command, env=_environment(), cwd="/", pass_fds=(given, made.fileno()), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            raise Unavailable(part="typesetter") from error
        try:
            code = process.wait(limits.wall)
        except subprocess.TimeoutExpired:
            return NotSet(Reason.TIME)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code:
            return _why(code)
        made.seek(0)
        return _read(made.read(limits.size + 1))


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "RAYON_NUM_THREADS": "2"}


def _why(code: int) -> NotSet:
    reasons = {
        REFUSED: Reason.UNSUPPORTED, -signal.SIGXCPU: Reason.TIME, -signal.SIGKILL: Reason.TIME,
        **dict.fromkeys((-signal.SIGABRT, -signal.SIGSEGV), Reason.MEMORY),  # how it ends when it gets no more
    }  # fmt: skip
    return NotSet(reasons.get(code, Reason.TOO_LARGE if code == 1 else Reason.CRASHED))


def _read(answer: bytes) -> tuple[dict[str, Any], list[bytes]] | NotSet:
    """Read an answer, trusting none of it."""
    line, _, rest = answer.partition(b"\n")
    try:
        head = json.loads(line)
    except ValueError:
        return NotSet(Reason.CRASHED)
    sizes = head.get("sizes") if isinstance(head, dict) else None
    if not isinstance(sizes, list) or not all(isinstance(each, int) and each >= 0 for each in sizes):
        return NotSet(Reason.CRASHED)
    if isinstance(fault := head.get("fault"), dict):
        return _broken(fault)
    if sum(sizes) != len(rest):
        return NotSet(Reason.CRASHED)
    ends = [sum(sizes[: at + 1]) for at in range(len(sizes))]
    return head, [rest[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _broken(fault: dict[str, Any]) -> NotSet:
    message, hints = str(fault.get("message", "")), str(fault.get("hints", ""))
    found = _PLACE.search(str(fault.get("diagnostic", "")))
    message = message.replace(str(_ROOT), "…")
    words = f"{message} ({hints})" if hints else message
    return NotSet(Reason.BROKEN, words[:500], int(found.group(1)) if found else None)


def _is_png(data: bytes) -> bool:
    return data.startswith(_PNG)
