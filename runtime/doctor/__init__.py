"""``juanku doctor``: each part of the system, whether it works, and what to do."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from archive.database import postgres
from archive.errors import ArchiveError, Unavailable
from archive.jobs.status import status
from archive.model import BackupRun, House, JobState, LogUnsealed
from archive.model.log import INSERT_ONLY
from indexer.ocr.engines import AUTO, LANGUAGES, NONE, TESSERACT, chosen, tesseract_languages
from indexer.sandbox.office import OFF
from runtime.celery_app import answers, networked
from runtime.doctor import machine as doctor_machine
from runtime.doctor import messages as doctor_messages
from runtime.locks import held
from runtime.ready import REHEARSAL
from runtime.refusals import as_ours
from runtime.revisions import revisions
from runtime.settings import Settings
from runtime.upgrading import copies
from runtime.wiring.parts import NoWaker, Parts, build
from storage.generations import copies_of_ring
from storage.ring import KeyRing

WALLS = {"limits", "namespace", "no_new_privs", "landlock", "seccomp"}
"""What can stand around a process that reads a hostile file; not every kernel has all."""

UNPROVED = timedelta(days=100)
"""Backups are to be rehearsed each quarter."""

_TESSERACT = {"chi_sim": "tesseract-ocr-chi-sim", "chi_tra": "tesseract-ocr-chi-tra", "eng": "tesseract-ocr"}


KNOWN_SERVERS = ("8.19.", "9.")
"""Versions of Elasticsearch that this program is made for."""


class State(StrEnum):
    """How a part is. Only ``broken`` means that something does not work."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Part:
    """One part: its name, its state, a message code, and facts."""

    name: str
    state: State
    message: str
    facts: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Return the part as a document."""
        return {"name": self.name, "state": self.state.value, "message": self.message, "facts": self.facts}


def doctor(settings: Settings) -> list[Part]:
    """Look at every part; a part that cannot even be looked at is broken, and the others are looked at all the same.

    Where there is no archive, or one of another version, only what needs none is looked at.
    """
    parts = build(settings, NoWaker())
    found: list[Part] = []
    try:
        for name, look in LOOKS.items():
            if name in OF_AN_ARCHIVE and any(part.message in UNREADABLE for part in found):
                continue
            try:
                found += [Part(name, state, message, facts) for state, message, facts in look(parts)]
            except ArchiveError as error:
                told = Part(name, State.BROKEN, error.code, error.facts | _drivers_reason(error))
                if (told.message, told.facts) not in ((each.message, each.facts) for each in found):
                    found.append(told)  # a database that is away is told once, not by each part that asks it
            except Exception as error:  # noqa: BLE001 (whatever a broken part raises is what we came to tell)
                ours = as_ours(error)
                facts = ours.facts if ours else {"error": f"{type(error).__name__}: {error}"[:300]}
                found.append(Part(name, State.BROKEN, ours.code if ours else "error", facts))
    finally:
        parts.close()
    return found


def _drivers_reason(error: ArchiveError) -> dict[str, str]:
    """Return as ``reason`` why a database lets nobody in, in its driver's words. Of statements they may hold titles."""
    driver = error.__cause__.orig if isinstance(error.__cause__, DBAPIError) else None
    if driver is None or getattr(driver, "sqlstate", None) is not None:
        return {}
    return {"reason": str(driver).splitlines()[0][:300]}


Seen = Iterator[tuple[State, str, dict[str, Any]]]


def _python(_parts: Parts) -> Seen:
    yield State.OK, "version", {"python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version}


def _home(parts: Parts) -> Seen:
    home = parts.settings.home
    url = parts.settings.database_url
    if parts.db.is_sqlite and not Path(url.removeprefix("sqlite:///")).exists():
        yield State.BROKEN, "no_archive", {"home": str(home)}
        return
    if home.is_dir():  # on servers it holds locks and pictures alone, and is made when first used
        open_to_others = home.stat().st_mode & 0o077
        state, message = (State.WARNING, "open_to_others") if open_to_others else (State.OK, "folder")
        yield state, message, {"home": str(home)}
    plain_here = parts.db.is_sqlite or parts.settings.search_url.startswith("embedded")
    yield State.WARNING, "encrypt_volume" if plain_here else "encrypt_servers", {"home": str(home)}
    for path, at in copies(parts.settings):
        yield State.WARNING, "upgrade_copy", {"path": str(path), "when": f"{at:%Y-%m-%d}"}


def _ring(parts: Parts) -> Seen:
    ring = KeyRing.open(parts.settings.keys)
    yield State.OK, "ring", {"generations": len(ring.generations()), "keys": str(parts.settings.keys)}
    if parts.settings.keys_beside_home:
        yield State.WARNING, "ring_beside_home", {"keys": str(parts.settings.keys)}
    elif parts.settings.home.is_dir() and parts.settings.keys.stat().st_dev == parts.settings.home.stat().st_dev:
        yield State.WARNING, "ring_same_disk", {"keys": str(parts.settings.keys)}


def _machine(look: Callable[[Parts], Iterator[tuple[str, str, dict[str, Any]]]]) -> Callable[[Parts], Seen]:
    return lambda parts: ((State(state), message, facts) for state, message, facts in look(parts))


def _database(parts: Parts) -> Seen:
    with parts.db.reading() as session:
        current, wanted = revisions(session.connection())
    if current != wanted:
        yield State.BROKEN, "other_version" if current else "no_archive", {"is": current, "wanted": wanted}
        return
    with parts.db.reading() as session:
        house = session.scalar(select(House))
        if parts.db.is_sqlite:
            answer = session.execute(text("PRAGMA quick_check(1)")).scalar()
            yield (State.OK if answer == "ok" else State.BROKEN), "quick_check", {"answer": str(answer)[:200]}
        else:
            yield from _server(session.connection())
    yield (State.OK, "house", {"revision": current}) if house else (State.BROKEN, "no_house", {})


def _server(connection: Connection) -> Seen:
    """Look at a PostgreSQL server: whether what it says is kept, and who could change the log."""
    about = postgres.about(connection, INSERT_ONLY)
    yield State.OK, "server", {"version": about.version}
    if about.careless:
        yield State.WARNING, "not_durable", {"settings": ", ".join(about.careless)}
    if not about.guarded:
        yield State.BROKEN, "log_open", {}
    else:
        yield (State.WARNING, "log_by_trigger", {}) if about.owner else (State.OK, "log_by_role", {})


def _store(parts: Parts) -> Seen:
    if (minios := parts.minios) is not None:
        from runtime.doctor.store import looked_at  # noqa: PLC0415 (only a house with a bucket has the library)

        yield from ((State(state), message, facts) for state, message, facts in looked_at(parts.settings, minios))
        return
    key = f"doctor/{os.urandom(8).hex()}"
    stored = parts.store.put(key, [b"juanku"])
    try:
        back = b"".join(parts.store.read(key, stored.version))
    finally:
        parts.store.remove(key, stored.version)
    yield (State.OK if back == b"juanku" else State.BROKEN), "written_and_read", {}


def _broker(parts: Parts) -> Seen:
    scheme = parts.settings.broker_url.split(":", 1)[0]
    if not networked(parts.settings):
        yield State.OK, "broker_here", {}
    elif answers(parts.settings):
        yield State.OK, "broker", {"kind": scheme}
    else:
        yield State.WARNING, "broker_away", {"kind": scheme}


def _search(parts: Parts) -> Seen:
    about = parts.engine.about()
    yield (State.BROKEN if about.get("health") == "red" else State.OK), "search_engine", {"health": "–", **about}
    if about["engine"] == "elasticsearch" and not about["version"].startswith(KNOWN_SERVERS):
        yield State.WARNING, "search_version", {"version": about["version"]}
    lag = parts.rebuilder.lag()
    yield State.OK, "search_lag", {"waiting": lag.waiting, "since": f"{lag.since:%Y-%m-%d %H:%M}" if lag.since else ""}
    rebuild = sorted(parts.rebuilder.broken())
    if rebuild:
        yield State.BROKEN, "needs_rebuild", {"partitions": rebuild}
    else:
        yield State.OK, "partitions", {"count": len(parts.engine.partitions())}


def _sandbox(parts: Parts) -> Seen:
    walls = set(parts.extractor.capabilities())
    missing = sorted(WALLS - walls)
    facts = {"works": sorted(walls), "missing": missing}
    yield (State.WARNING, "sandbox_gap", facts) if missing else (State.OK, "sandbox", facts)
    signatures = parts.extractor.signatures()
    yield (State.OK, "formats", {"signatures": signatures}) if signatures else (State.WARNING, "no_formats", {})


def _ocr(parts: Parts) -> Seen:
    wanted, there = parts.settings.ocr, tesseract_languages()
    packages = " ".join(_TESSERACT[each] for each in LANGUAGES if each not in there)
    engine = chosen(wanted)
    if engine is None:
        if wanted in {AUTO, NONE}:
            yield State.OK, "ocr_off" if wanted == NONE else "no_ocr", {"packages": packages}
        else:
            yield State.WARNING, "ocr_absent", {"wanted": wanted}
        return
    facts = {"engine": engine.version, "languages": list(there), "packages": packages}
    if engine.name != TESSERACT:
        yield State.OK, "ocr", {"engine": engine.version}
    elif packages:
        yield State.WARNING, "ocr_languages", facts
    else:
        yield State.OK, "ocr_tesseract", facts


def _viruses(parts: Parts) -> Seen:
    if parts.scanner is None:
        yield State.OK, "no_scanner", {}
        return
    try:
        yield State.OK, "scanner", {"version": parts.scanner.version()}
    except Unavailable:
        yield State.BROKEN, "scanner_away", {"address": parts.settings.clamav}


def _office(parts: Parts) -> Seen:
    if parts.office is None:
        yield State.OK, "office_off" if parts.settings.soffice == OFF else "no_office", {}
        return
    facts = {"program": str(parts.office.program), "version": parts.office.version()}
    if not facts["version"]:
        yield State.WARNING, "office_silent", facts
    elif not parts.office.confined():
        yield State.WARNING, "office_open", facts
    else:
        yield State.OK, "office", facts


def _log(parts: Parts) -> Seen:
    with parts.db.reading() as session:
        waiting = session.scalar(select(func.count()).select_from(LogUnsealed)) or 0
    yield State.OK, "unsealed", {"count": waiting}


def _jobs(parts: Parts) -> Seen:
    with parts.db.reading() as session:
        counts = status(session)
    failed = sum(c.count for c in counts if c.state is JobState.FAILED)
    waiting = [c for c in counts if c.state is JobState.QUEUED]
    yield (State.WARNING, "failed_jobs", {"count": failed}) if failed else (State.OK, "no_failed_jobs", {})
    due = min((c.due for c in waiting), default=None)
    late = due is not None and parts.clock.now() - due > timedelta(minutes=10)
    count = {"count": sum(c.count for c in waiting)}
    yield (State.WARNING, "jobs_late", count) if late else (State.OK, "waiting_jobs", count)


def _served(parts: Parts) -> Seen:
    for name in ("serve.lock", "web.lock"):
        with held(parts.settings.run / name) as nobody:
            if not nobody:
                yield State.OK, "served", {}
                return
    yield State.OK, "not_served" if parts.db.is_sqlite else "not_served_here", {}


def _backup(parts: Parts) -> Seen:
    kept = parts.safekeeping
    if not kept.configured:
        yield State.WARNING, "no_backup_place", {}
        return
    last = kept.last_good()
    if last is None:
        yield State.WARNING, "no_backup", {}
    else:
        when = {"when": f"{last:%Y-%m-%d %H:%M}"}
        yield (State.WARNING, "last_backup_late", when) if kept.is_late(last) else (State.OK, "last_backup", when)
    vital, lacking = kept.vital()
    facts = {"count": lacking, "of": vital}
    if vital:
        yield (State.WARNING, "vital_not_saved", facts) if lacking else (State.OK, "vital_saved", facts)
    proved = kept.last_proved()
    if last is not None and (proved is None or parts.clock.now() - proved > UNPROVED):
        yield State.WARNING, "backup_unproved", {"when": proved.isoformat()[:10] if proved else ""}
    last_set = kept.last_finished()
    if last_set is not None:
        yield from _told_of(last_set)
    yield from _copies_of_ring(parts, last_set.began_at if last_set else None)
    if (parts.settings.run / REHEARSAL).exists():
        with held(parts.settings.run / "rehearsal.lock") as nobody:
            if nobody:
                yield State.WARNING, "rehearsal_left", {"path": str(parts.settings.run / REHEARSAL)}
    kept.backups().answers()
    yield State.OK, "backups_answer", {}


def _told_of(last: BackupRun) -> Seen:
    """Tell what the last set lacks, and which older ones do not verify."""
    if lacks := last.facts.get("faults"):
        yield State.WARNING, "backup_lacks", {"count": len(lacks)}
    if damaged := last.facts.get("damaged_sets"):
        yield State.WARNING, "backup_sets_damaged", {"sets": ", ".join(damaged)}


def _copies_of_ring(parts: Parts, since: datetime | None) -> Seen:
    """Look whether the registered copies open the last set: each has a key of its own."""
    copies = copies_of_ring(parts.db)
    late = [each.name for each in copies if since and (each.confirmed_at is None or each.confirmed_at < since)]
    if not copies:
        yield State.WARNING, "no_ring_copy", {}
    elif late:
        yield State.WARNING, "ring_copy_late", {"names": late}
    else:
        yield State.OK, "ring_copies", {"count": len(copies)}


def _fixity(parts: Parts) -> Seen:
    found = parts.fixity.standing()
    since = f"{found.waiting:%Y-%m-%d}" if found.waiting else ""
    facts = {"objects": found.objects, "checked": found.checked, "days": found.days, "since": since}
    if found.bad:
        yield State.BROKEN, "not_whole" if parts.mending.possible else "not_whole_alone", {"count": found.bad}
    yield (State.WARNING, "checks_late", facts) if found.late else (State.OK, "checked", facts)


def _trust(_parts: Parts) -> Seen:
    yield State.OK, "commercial_secrets_only", {}


LOOKS: dict[str, Callable[[Parts], Seen]] = {
    "python": _python,
    "home": _home,
    "disk": _machine(doctor_machine.disks),
    "ring": _ring,
    "rights": _machine(doctor_machine.rights),
    "database": _database,
    "clock": _machine(doctor_machine.clock),
    "store": _store,
    "broker": _broker,
    "search": _search,
    "sandbox": _sandbox,
    "ocr": _ocr,
    "viruses": _viruses,
    "office": _office,
    "log": _log,
    "jobs": _jobs,
    "messages": _machine(doctor_messages.messages),
    "serve": _served,
    "backup": _backup,
    "fixity": _fixity,
    "secrecy": _trust,
}
UNREADABLE = {"no_archive", "other_version"}
"""What was said of an archive of which nothing more can be told."""

OF_AN_ARCHIVE = {
    "disk",
    "ring",
    "rights",
    "clock",
    "database",
    "store",
    "broker",
    "search",
    "log",
    "jobs",
    "messages",
    "serve",
    "backup",
    "fixity",
}
