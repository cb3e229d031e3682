"""Restoring a backup into an empty archive, and rehearsing it beside the living one."""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, inspect, select, update

from archive import failpoints
from archive.database import Database
from archive.errors import StandsAlready
from archive.identity import Identity, system
from archive.log.checkpoints import read_witness
from archive.model import BackupAct, BackupRun, Delivery, DeliveryState, JobKind, LogSeal
from runtime.fsck import Violation, fsck
from runtime.locks import held
from runtime.ready import REHEARSAL, RESTORING
from runtime.revisions import clear, migrate
from runtime.setting_up.servers import set_up
from runtime.settings import Settings, place_of
from runtime.stores import backup_store
from runtime.wiring.parts import NoWaker, Parts, build
from storage.backup_set import BackupSet
from storage.copying import Told
from storage.restoring import Restored, Restoring
from storage.ring import KeyRing
from storage.safekeeping import DAMAGED, DAMAGED_KNOWN, run_facts, unknown

UNTOLD = frozenset({"witness_short"})
"""What is found of a log whose witnesses are new, and told by the next checkpoint."""

PAST_THE_SET = UNTOLD | {"witness_beyond", "witness_differs"}
"""What is found of a log by a witness of one that went on after the set."""


@dataclass(frozen=True)
class Report:
    """How a restore, or its rehearsal, went.

    Attributes:
        set: the set that was brought back.
        restored: what came back.
        seconds: how long it took, its checks included.
        age: seconds between the set and the restore's begin: what was done in them is lost.
        violations: what ``fsck`` found.
        log_lost: entries of the log that were witnessed after the set was made.
    """

    set: BackupSet
    restored: Restored
    seconds: float
    age: float
    violations: tuple[Violation, ...]
    log_lost: int

    @property
    def ok(self) -> bool:
        """Whether all came back, and agrees."""
        return not self.violations and not self.restored.lost

    def facts(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {
            "set": str(self.set.id),
            "made_at": self.set.made_at.isoformat(),
            "records": self.restored.records,
            "contents": self.restored.contents,
            "bytes": self.restored.bytes,
            "lost": list(self.restored.lost[:100]),
            "destroyed_since": self.restored.gone,
            "seconds": round(self.seconds, 1),
            "age_seconds": round(self.age, 1),
            "log_entries_lost": self.log_lost,
            "violations": [each.shown() for each in self.violations[:100]],
        }


def unfinished(settings: Settings) -> bool:
    """Whether a restore into this archive was begun and has not ended."""
    return (settings.home / RESTORING).exists()


def _begun_here(settings: Settings) -> bool:
    """Whether one was begun into the very database and store that the settings name: what is there may be dropped."""
    with suppress(FileNotFoundError, ValueError):
        return bool(json.loads((settings.home / RESTORING).read_text()).get("into") == place_of(settings))
    return False


def restore(settings: Settings, url: str, set_id: UUID | None, told: Told) -> Report:
    """Bring a set back into the archive that the settings name, which must be empty but for the ring.

    Servers whose administrators the settings name are set up first: accounts, database, buckets.
    One that broke off is begun anew by the next call; contents that came back already are not copied again.

    Raises:
        StandsAlready: there is an archive, or one that broke off went elsewhere and there is one here, or a restore
            into this archive is at work.
        BrokenSetting: the ring is not there.
        NotFound: no such set.
        KeyUnavailable, Damaged: as ``Restoring.restore``.
    """
    KeyRing.open(settings.keys)
    with held(settings.run / "restore.lock") as alone:
        if not alone:
            raise StandsAlready(what="restore_at_work", field="home")
        return _restored(settings, url, set_id, told)


def _restored(settings: Settings, url: str, set_id: UUID | None, told: Told) -> Report:
    set_up(settings)
    again = _begun_here(settings)
    if not again and _has_tables(settings):
        raise StandsAlready(what="restore_elsewhere" if unfinished(settings) else "archive", field="home")
    parts = build(settings, NoWaker())
    parts.db.heeds_gate = False  # it has no tables yet, and then old ones
    try:
        chosen = parts.backups_in(url).find(set_id)
        (settings.home / RESTORING).write_text(json.dumps({"set": str(chosen.id), "into": place_of(settings)}))
        if again:
            clear(parts.db, "" if parts.db.is_sqlite else settings.database_owner_url)
        report = _bring_back(parts, url, chosen, told, witness_aside=True)
        (settings.home / RESTORING).unlink()
        return report
    finally:
        parts.close()


def rehearse(parts: Parts, identity: Identity, set_id: UUID | None, folder: Path | None, told: Told) -> Report:
    """Bring a set back into an empty folder beside the living archive, check all of it, keep the report, and clear up.

    It lies there as an embedded archive, whatever the living one runs on. Without a folder it takes the one under
    ``JUANKU_HOME``, and what a rehearsal that was killed left in it goes first.

    One that fails is kept as a run, too, with its reason.

    Raises ``NotAllowed``, ``NotFound`` (no backup), ``StandsAlready`` (the folder is not empty, or another one
    runs there), as ``restore``.
    """
    chosen = parts.safekeeping.backups().find(set_id)
    with held(parts.settings.run / "rehearsal.lock") as alone:
        if folder is None:
            if not alone:
                raise StandsAlready(what="rehearsal_at_work")
            folder = parts.settings.run / REHEARSAL
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.exists() and any(folder.iterdir()):
            raise StandsAlready(what="folder", field="folder")
        with parts.safekeeping.running(identity, BackupAct.REHEARSE) as run:
            run.set_id = chosen.id
            report = _rehearsed(parts, chosen, folder, told)
            run.facts, run.error = report.facts(), None if report.ok else DAMAGED
        return report


def _rehearsed(parts: Parts, chosen: BackupSet, folder: Path, told: Told) -> Report:
    beside = replace(
        parts.settings,
        home=folder,
        database_url=f"sqlite:///{folder / 'juanku.db'}",
        store_url=(folder / "objects").as_uri(),
        search_url="embedded:",
    )
    beside.run.mkdir(parents=True, mode=0o700)
    trial = build(beside, NoWaker())
    trial.db.heeds_gate = False
    try:
        return _bring_back(trial, parts.settings.backup_url, chosen, told, witness_aside=False)
    finally:
        trial.close()
        shutil.rmtree(folder, ignore_errors=True)


def _bring_back(parts: Parts, url: str, chosen: BackupSet, told: Told, *, witness_aside: bool) -> Report:
    began = parts.clock.now()
    source = backup_store(parts.settings, url)
    restoring = Restoring(source, parts.ring, parts.log, parts.settings.run)
    owner = parts.settings.database_owner_url if not parts.db.is_sqlite else ""
    restored = restoring.restore(chosen, parts.db, parts.store, lambda db, to: migrate(db, owner, to), told)
    told("index", 0, 0)
    parts.rebuilder.rebuild()
    lost = _log_lost(parts, chosen)
    if witness_aside:
        _set_aside(parts.witness, chosen)
        _settle(parts, chosen)
        facts = {"records": restored.records, "log_entries_lost": lost, "lost": len(restored.lost)}
        parts.safekeeping.tell(
            system("restore"), BackupAct.RESTORE, chosen.id, began, facts, DAMAGED if restored.lost else None
        )
        parts.sealer.seal_all()
        parts.checkpoints.make()
    parts.sealer.seal_all()  # of a rehearsal too: it tells what it left out
    failpoints.reach("restore.told")
    told("fsck", 0, 0)
    violations = [
        each
        for each in fsck(parts).violations
        if each.invariant != "INV4" or each.fault not in (UNTOLD if witness_aside else PAST_THE_SET)
    ]
    ended = parts.clock.now()
    age = (began - chosen.made_at).total_seconds()
    return Report(chosen, restored, (ended - began).total_seconds(), age, tuple(violations), lost)


_ASIDE = "witness-before-restore-"


def _log_lost(parts: Parts, chosen: BackupSet) -> int:
    """Return how many entries were witnessed beyond the end of the restored log."""
    with parts.db.reading() as session:
        size = session.scalar(select(func.max(LogSeal.seq))) or 0
    asides = parts.witness.parent.glob(f"{_ASIDE}{chosen.id}*.jsonl")  # a restore of this set that broke off left one
    told = [parts.witness, *asides]
    return max(0, max((line.size for each in told for line in read_witness(each)), default=0) - size)


def _set_aside(witness: Path, chosen: BackupSet) -> None:
    """Begin a new witness file: the old one speaks of a log that went on after the set, and stays as evidence."""
    if witness.exists():
        there = len(list(witness.parent.glob(f"{_ASIDE}{chosen.id}*.jsonl")))
        witness.rename(witness.with_name(f"{_ASIDE}{chosen.id}{f'-{there + 1}' if there else ''}.jsonl"))


def _settle(parts: Parts, chosen: BackupSet) -> None:
    """Leave to a person which messages go out again: what waited in the set may be out. The store is told of holds.

    The run that made the set was at work when the rows were written; it ended well, or there would be no set.
    """
    before = parts.safekeeping.last_finished()
    damaged = before.facts.get("damaged_sets") if before else None  # the key of one that is taken away goes later
    with parts.db.writing() as work:
        own = select(BackupRun).where(BackupRun.act == BackupAct.MAKE, BackupRun.ended_at.is_(None))
        latest = own.where(BackupRun.began_at <= chosen.made_at).order_by(BackupRun.began_at.desc()).limit(1)
        if run := work.session.scalar(latest):
            run.set_id, run.ended_at = chosen.id, chosen.made_at
            if chosen.faults:
                run.error = DAMAGED if unknown(work.session, chosen.faults) else DAMAGED_KNOWN
            run.facts = run_facts(chosen) | ({"damaged_sets": damaged} if damaged else {})
        under_way = (DeliveryState.WAITING, DeliveryState.SENDING)
        unclear = {"state": DeliveryState.UNCLEAR, "reason": "broke_off", "changed_at": parts.clock.now()}
        work.session.execute(update(Delivery).where(Delivery.state.in_(under_way)).values(unclear))
        for kind in (JobKind.LOCK, JobKind.HOLD):
            parts.outbox.add(work, kind)
        work.commit()


def _has_tables(settings: Settings) -> bool:
    db = Database(settings.database_url)
    try:
        return bool(inspect(db.engine).get_table_names())
    finally:
        db.close()
