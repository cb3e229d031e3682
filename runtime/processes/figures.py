"""How the house stands, in figures for whatever watches it: computed when asked for, and kept for a while.

Every label is a word of the program; counts alone tell of records.
"""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import func, select

from archive.errors import ArchiveError
from archive.jobs.outbox import queue_of
from archive.jobs.status import status
from archive.model import (
    Content,
    ContentState,
    JobKind,
    JobState,
    LogUnsealed,
    Proposal,
    ProposalState,
    Record,
    RecordState,
    ScannedPage,
    ScanState,
)
from runtime.celery_app import answers, networked
from runtime.processes.health import looks
from runtime.stores import folder
from runtime.wiring.parts import Parts
from web.services import Figure

QUICK_SECONDS = 15.0
"""How long figures are kept that one look at an index gives."""

SLOW_SECONDS = 300.0
"""How long figures are kept for which all contents or records are counted."""


class Kept:
    """Figures that are made anew when they are older than some seconds, by one thread.

    Others get those that were made before: only the first are waited for. A part that hangs so holds up one thread.
    """

    def __init__(
        self, seconds: float, make: Callable[[], Sequence[Figure]], timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._make = make
        self._timer = timer
        self._turn = threading.Lock()
        self._made: tuple[float, Sequence[Figure]] | None = None

    def __call__(self) -> Sequence[Figure]:
        """Return them."""
        made = self._made
        if not self._turn.acquire(blocking=made is None):
            return made[1] if made else ()
        try:
            now = self._timer()
            if self._made is None or now - self._made[0] >= self._seconds:
                self._made = now, self._make()
            return self._made[1]
        finally:
            self._turn.release()


def figures(parts: Parts) -> Callable[[], Sequence[Figure]]:
    """Return what tells the figures of a house. A part that does not answer is told as 0 by ``part_up``, no more."""
    quick = Kept(QUICK_SECONDS, lambda: _told(parts, QUICK))
    slow = Kept(SLOW_SECONDS, lambda: _told(parts, SLOW))
    return lambda: _joined([*quick(), *slow()])


def _told(parts: Parts, looks: Mapping[str, Callable[[Parts], Sequence[Figure]]]) -> list[Figure]:
    found: list[Figure] = []
    for name, look in looks.items():
        try:
            found += look(parts)
        except ArchiveError:
            up = 0.0
        else:
            up = 1.0
        found.append(Figure("part_up", UP, ("part",), {(name,): up}))
    return found


UP = "Whether a part gave its figures."


def _joined(found: Sequence[Figure]) -> list[Figure]:
    """Put figures of one name together: a name is told once."""
    by_name: dict[str, Figure] = {}
    for each in found:
        known = by_name.get(each.name)
        values = {**known.values, **each.values} if known else each.values
        by_name[each.name] = Figure(each.name, each.says, each.labels, values)
    return list(by_name.values())


def _one(name: str, says: str, value: float) -> Figure:
    return Figure(name, says, (), {(): value})


def _age(parts: Parts, moment: datetime | None) -> float:
    return max(0.0, (parts.clock.now() - moment).total_seconds()) if moment else 0.0


def _program(_parts: Parts) -> Sequence[Figure]:
    try:
        own = version("juanku")
    except PackageNotFoundError:
        own = "source"
    return [Figure("build", "The program's version.", ("version",), {(own,): 1.0})]


def _answering(parts: Parts) -> Sequence[Figure]:
    asked = dict(looks(parts))
    if networked(parts.settings):
        asked["broker"] = lambda: answers(parts.settings)
    values: dict[tuple[str, ...], float] = {(name,): float(_works(look)) for name, look in asked.items()}
    return [Figure("part_answers", "Whether a part, its server with it, answers now.", ("part",), values)]


def _works(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except Exception:  # noqa: BLE001 (whatever it raises: it does not work)
        return False


def _jobs(parts: Parts) -> Sequence[Figure]:
    with parts.db.reading() as session:
        counts = status(session)
    known = set(JobKind)
    jobs: Counter[tuple[str, ...]] = Counter()
    oldest: dict[tuple[str, ...], float] = {}
    for each in counts:
        kind = each.kind if each.kind in known else "newer"
        queue = queue_of(JobKind(each.kind)) if each.kind in known else "newer"
        jobs[queue, kind, each.state.value] += each.count
        if each.state is JobState.QUEUED:
            oldest[queue, kind] = _age(parts, each.due)
    return [
        Figure("jobs", "Jobs by state.", ("queue", "kind", "state"), dict(jobs)),
        Figure("job_oldest_seconds", "How long ago the job that waits longest was to run.", ("queue", "kind"), oldest),
    ]


def _index(parts: Parts) -> Sequence[Figure]:
    lag = parts.rebuilder.lag()
    return [
        _one("index_waiting", "Changes that wait to be found.", lag.waiting),
        _one("index_lag_seconds", "Age of the oldest of them.", _age(parts, lag.since)),
    ]


def _log(parts: Parts) -> Sequence[Figure]:
    with parts.db.reading() as session:
        waiting = session.scalar(select(func.count()).select_from(LogUnsealed)) or 0
    return [_one("log_unsealed", "Entries of the log that wait for their seal.", waiting)]


def _backup(parts: Parts) -> Sequence[Figure]:
    kept = parts.safekeeping
    last = kept.last_good()
    found = [
        _one("backup_late", "Whether the last good backup is too old, or there is none.", float(kept.is_late(last)))
    ]
    if last:
        found.append(_one("backup_age_seconds", "Age of the last good backup.", _age(parts, last)))
    return found


def _disk(parts: Parts) -> Sequence[Figure]:
    places = {"home": parts.settings.home, "keys": parts.settings.keys}
    if parts.minios is None:
        places["store"] = folder(parts.settings)
    free: dict[tuple[str, ...], float] = {
        (name,): float(shutil.disk_usage(path).free) for name, path in places.items() if path.is_dir()
    }
    return [Figure("disk_free_bytes", "Free bytes on the disk of a folder.", ("place",), free)]


def _store(parts: Parts) -> Sequence[Figure]:
    found = parts.fixity.standing()
    return [
        _one("objects", "Stored files.", found.objects),
        _one("object_bytes", "Their bytes, as they lie encrypted.", found.bytes),
        _one("fixity_checked", "Stored files that were checked within the period.", found.checked),
        _one("fixity_not_whole", "Stored files that are altered, missing or unreadable.", found.bad),
        _one("fixity_oldest_seconds", "Time since the check that is longest ago.", _age(parts, found.waiting)),
        _one("fixity_late", "Whether checks are behind.", float(found.late)),
    ]


def _due(parts: Parts) -> Sequence[Figure]:
    """Count what waits for a person."""
    counted = {
        "to_file": select(func.count()).select_from(Record).where(Record.state == RecordState.PROVISIONAL),
        "in_bin": select(func.count()).select_from(Record).where(Record.state == RecordState.BINNED),
        "put_aside": select(func.count()).select_from(Content).where(Content.state == ContentState.QUARANTINED),
        "proposals": select(func.count()).select_from(Proposal).where(Proposal.state == ProposalState.WAITING),
        "scans": select(func.count()).select_from(ScannedPage).where(ScannedPage.state == ScanState.WAITING),
    }
    with parts.db.reading() as session:
        values: dict[tuple[str, ...], float] = {
            (name,): float(session.scalar(query) or 0) for name, query in counted.items()
        }
    return [Figure("due", "What waits for a person, or for its time.", ("what",), values)]


QUICK = {
    "program": _program, "answers": _answering, "jobs": _jobs, "index": _index, "log": _log, "backup": _backup,
    "disk": _disk,
}  # fmt: skip
SLOW = {"store": _store, "due": _due}
