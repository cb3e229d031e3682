"""What the doctor looks at of the machine itself: its clock and its disks."""

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import func, select, text

from archive.model import LogCheckpoint, LogEntry, LogSeal
from runtime.stores import folder
from runtime.wiring.parts import Parts

MOST_AHEAD = timedelta(minutes=2)
"""By how much what was written before may lie in the future."""

LAST = 200
"""Entries of the log whose moments are looked at."""

MOST_APART = 5.0
"""Seconds by which the database server's clock may differ."""

LOW_SPACE = 2 * 1024**3
NO_SPACE = 200 * 1024**2
FEW_FILES = 10_000

Seen = Iterator[tuple[str, str, dict[str, Any]]]


def clock(parts: Parts) -> Seen:
    """Compare the clock with what was written before, and with the database server's."""
    now = parts.clock.now()
    with parts.db.reading() as session:
        last = select(LogSeal.entry_id).order_by(LogSeal.seq.desc()).limit(LAST)
        written = select(func.max(LogEntry.at)).where(LogEntry.id.in_(last))
        told = [session.scalar(query) for query in (written, select(func.max(LogCheckpoint.at)))]
        apart = 0.0
        if not parts.db.is_sqlite:
            server: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
            apart = (server.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    newest = max((each for each in told if each is not None), default=now)
    if newest > now + MOST_AHEAD:
        yield "broken", "clock_behind", {"now": f"{now:%Y-%m-%d %H:%M}", "newest": f"{newest:%Y-%m-%d %H:%M}"}
    else:
        yield "ok", "clock", {"now": f"{now:%Y-%m-%d %H:%M:%S}"}
    if abs(apart) > MOST_APART:
        yield "warning", "database_clock", {"seconds": round(apart)}


def places(parts: Parts) -> Mapping[str, Path]:
    """Return the folders that the settings name, by a word for each."""
    settings = parts.settings
    named = {"data": settings.home, "ring": settings.keys}
    if parts.minios is None:
        named["store"] = folder(settings)
    if settings.backup_url.startswith("file:"):
        named["backup"] = Path(unquote(urlsplit(settings.backup_url).path))
    return named


def disks(parts: Parts) -> Seen:
    """Look at the room that is left on each disk, once, whichever folders lie on it."""
    seen: dict[int, list[str]] = {}
    paths: dict[int, Path] = {}
    for name, path in places(parts).items():
        if path.is_dir():
            disk = path.stat().st_dev
            seen.setdefault(disk, []).append(name)
            paths.setdefault(disk, path)
    for disk, names in seen.items():
        free = shutil.disk_usage(paths[disk]).free
        facts = {"places": names, "path": str(paths[disk]), "megabytes": free // 1024**2}
        if free < NO_SPACE:
            yield "broken", "disk_full", facts
        else:
            yield ("warning", "disk_low", facts) if free < LOW_SPACE else ("ok", "disk", facts)
        left = os.statvfs(paths[disk])
        if left.f_files and left.f_favail < FEW_FILES:  # some file systems do not count them
            yield "warning", "few_files", facts | {"count": left.f_favail}


def rights(parts: Parts) -> Seen:
    """Look whether others on this machine can open the ring."""
    keys = parts.settings.keys
    others = keys.stat().st_mode & 0o077
    yield ("warning", "ring_open", {"keys": str(keys)}) if others else ("ok", "ring_own", {"keys": str(keys)})
