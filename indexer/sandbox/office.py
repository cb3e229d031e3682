"""Office documents made into PDF by LibreOffice, if the system has it: one confined process for each, in memory.

It gets a folder of its own in memory (/dev/shm), which is watched and taken away when it ends, whichever way.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer import kinds
from indexer.extract.answer import Failure, Reason
from indexer.sandbox.office_run import REFUSED

OFF = "off"
"""The setting that leaves LibreOffice unused."""

_MEMORY = Path("/dev/shm")  # noqa: S108  (a folder in memory: no plain byte touches a disk)
_PREFIX = "juanku-office-"
_ROOT = Path(__file__).resolve().parents[2]
_ONCE_MORE = 81  # what LibreOffice ends with when it has made its profile
_MOST_ENTRIES = 5_000

_WRITER, _CALC, _IMPRESS = "writer", "calc", "impress"
_ODF = {"text": (_WRITER, "odt"), "spreadsheet": (_CALC, "ods"), "presentation": (_IMPRESS, "odp")}
_KINDS = {
    kinds.DOC: (_WRITER, "doc"),
    kinds.DOCX: (_WRITER, "docx"),
    kinds.RTF: (_WRITER, "rtf"),
    "application/rtf": (_WRITER, "rtf"),
    kinds.WORDPERFECT: (_WRITER, "wpd"),
    kinds.XLS: (_CALC, "xls"),
    kinds.XLSX: (_CALC, "xlsx"),
    kinds.PPT: (_IMPRESS, "ppt"),
    kinds.PPTX: (_IMPRESS, "pptx"),
    **{kinds.OPENDOCUMENT + name: how for name, how in _ODF.items()},
    **{f"{kinds.OPENDOCUMENT}{name}-template": how for name, how in _ODF.items()},
}

_SETTINGS = (
    ("Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Writer/Content/Update", "Link", "2"),
    ("Calc/Content/Update", "Link", "2"),
    ("Java/VirtualMachine", "Enable", "false"),
)
_ITEM = '<item oor:path="/org.openoffice.Office.{}"><prop oor:name="{}" oor:op="fuse"><value>{}</value></prop></item>'
_PROFILE = (
    '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry" '
    'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    + "".join(_ITEM.format(*setting) for setting in _SETTINGS)
    + "</oor:items>"
)


@dataclass(frozen=True)
class OfficeLimits:
    """What one conversion may use.

    Bytes of ``memory`` (address space), of its ``folder`` and of the ``pdf``; seconds of ``wall`` and ``cpu``;
    ``pages`` of the PDF: those after them are left out.
    """

    memory: int = 4 * 1024**3
    folder: int = 256 * 1024**2
    pdf: int = 64 * 1024**2
    wall: float = 120.0
    cpu: int = 120
    pages: int = 500


def found(setting: str) -> Path | None:
    """Return LibreOffice's program: the path set, or the one on PATH when nothing is; None where it is not used.

    Args:
        setting: "" (looked for), "off", or a path.
    """
    if setting == OFF or not _MEMORY.is_dir():
        return None
    there = shutil.which(setting or "soffice")
    if there is None:
        return None
    program = Path(there).resolve()
    inner = program.with_name("soffice.bin")  # what the script of that name starts
    return inner if inner.is_file() else program


def converts(media_type: str | None) -> bool:
    """Whether LibreOffice is asked for the pages of such a file."""
    return media_type in _KINDS


class Office:
    """LibreOffice, one conversion at a time. Thread-safe; a caller waits for its turn.

    Args:
        program: what ``found`` returned.
        limits: of one conversion.
        memory: a folder in memory, in which each gets its own.
    """

    def __init__(self, program: Path, limits: OfficeLimits | None = None, memory: Path = _MEMORY) -> None:
        self.program = program
        self._memory = memory
        self._limits = limits or OfficeLimits()
        self._turn = threading.Lock()
        self._closed = threading.Event()

    def version(self) -> str:
        """Return its name and version in its makers' words; "" when it does not start."""
        with _own_folder(self._memory) as folder:
            command = [str(self.program), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--version"]
            try:
                told = subprocess.run(  # noqa: S603  (the program that the administrator set)
                    command, env=_environment(folder), capture_output=True, timeout=20, check=False, cwd=folder
                )
            except (OSError, subprocess.TimeoutExpired):
                return ""
        return told.stdout.decode("utf-8", "replace").strip()[:100]

    def confined(self) -> bool:
        """Whether every wall can be put up that a conversion needs; without one there is none."""
        with _own_folder(self._memory) as folder:
            code = self._run(folder, [shutil.which("true") or "true"], time.monotonic() + 20)
        return code != REFUSED

    def pdf(self, media_type: str, data: Iterable[bytes], *, wall: float | None = None) -> bytes | Failure:
        """Convert one file; it takes seconds.

        Args:
            media_type: one that ``converts``.
            data: its bytes.
            wall: seconds that it may take at most, where less than the limits say.

        Returns:
            The PDF, or why there is none: ``unsupported`` (also where a wall is missing), ``broken``, ``time``,
            ``too_large`` (folder or PDF), ``crashed``.
        """
        if media_type not in _KINDS:
            return Failure(Reason.UNSUPPORTED)
        kind, ending = _KINDS[media_type]
        with self._turn, _own_folder(self._memory) as folder:
            given = folder / f"in.{ending}"
            with given.open("wb") as file:
                for piece in data:
                    file.write(piece)
            settings = folder / "profile" / "user" / "registrymodifications.xcu"
            settings.parent.mkdir(parents=True)
            settings.write_text(_PROFILE, "utf-8")
            code: int | Failure = _ONCE_MORE
            until = time.monotonic() + min(wall or self._limits.wall, self._limits.wall)
            for _ in range(2):
                if code == _ONCE_MORE:
                    code = self._run(folder, self._command(folder, given, kind), until)
            if isinstance(code, Failure):
                return code
            return _made(folder, self._limits.pdf) or _why(code)

    def close(self) -> None:
        """End the conversion under way and wait until its folder is gone; those that come later fail."""
        self._closed.set()
        with self._turn:
            pass

    def _command(self, folder: Path, given: Path, kind: str) -> list[str]:
        span = {"PageRange": {"type": "string", "value": f"1-{self._limits.pages}"}}
        return [
            str(self.program),
            f"-env:UserInstallation={(folder / 'profile').as_uri()}", f"-env:OSL_SOCKET_PATH={folder}",
            "--headless", "--nologo", "--nodefault", "--norestore", "--nolockcheck",
            "--convert-to", f"pdf:{kind}_pdf_Export:{json.dumps(span)}",
            "--outdir", str(folder), str(given),
        ]  # fmt: skip

    def _run(self, folder: Path, command: list[str], until: float) -> int | Failure:
        limits = json.dumps({name: getattr(self._limits, name) for name in ("memory", "cpu", "folder")})
        try:
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [sys.executable, "-m", "indexer.sandbox.office_run", str(folder), limits, *command],
                env=_environment(folder),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return Failure(Reason.CRASHED, "not started")
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(0.1)
                if self._closed.is_set():
                    return Failure(Reason.CRASHED, "closed")
                if time.monotonic() > until:
                    return Failure(Reason.TIME)
                if _size(folder) > self._limits.folder:
                    return Failure(Reason.TOO_LARGE)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _environment(folder: Path) -> dict[str, str]:
    home = str(folder)
    return {
        "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1",
        "SAL_USE_VCLPLUGIN": "svp",
    }  # fmt: skip


def _why(code: int) -> Failure:
    if code == REFUSED:
        return Failure(Reason.UNSUPPORTED, "walls")
    if code == -signal.SIGXCPU:
        return Failure(Reason.TIME)
    return Failure(Reason.CRASHED if code < 0 else Reason.BROKEN, f"ended with {code}")


@contextlib.contextmanager
def _own_folder(memory: Path) -> Iterator[Path]:
    """Yield a new folder in memory that is held as long as we live; those of the dead are taken away first."""
    for left in memory.glob(f"{_PREFIX}*"):
        _take_if_left(left)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory))
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _take_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.fstat(fd).st_uid == os.geteuid() and time.time() - os.fstat(fd).st_mtime > 5:  # younger: being made
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(fd)


def _size(folder: Path) -> int:
    """Return the bytes that a folder takes; more than any limit when it has too many entries."""
    total = entries = 0
    for where, folders, files in os.walk(folder):
        entries += len(folders) + len(files)
        if entries > _MOST_ENTRIES:
            return sys.maxsize
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(Path(where, name)).st_blocks * 512
    return total


def _made(folder: Path, limit: int) -> bytes | Failure | None:
    """Return the PDF that lies in a folder; nothing there is trusted: no link is followed, no pipe read."""
    try:
        fd = os.open(folder / "in.pdf", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        data = file.read(limit + 1)
    if len(data) > limit:
        return Failure(Reason.TOO_LARGE)
    return data if data.startswith(b"%PDF-") else None
