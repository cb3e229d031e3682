"""A rehearsal of destruction on a scratch archive, down to the raw bytes: destroyed means gone.

Records are filed whose words exist nowhere else, a backup is made, some of them are destroyed. Then every file of the
scratch archive and of its backups is read raw for what they held, and the backup of before is restored with the newest
key pack and the ring as it is: it must read the neighbours and nothing else. The scratch archive lies on the kinds of
servers that the house has (``runtime.scratch``), or is embedded where that is asked for.
"""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select

from archive.cataloguing.describing import Draft
from archive.errors import StandsAlready
from archive.house.founding import Founder, Plan
from archive.identity import Role, system
from archive.ids import new_id
from archive.model import (
    Category,
    Content,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionRehearsal,
    DestructionState,
    DueState,
    Fonds,
    JobKind,
    Record,
    RecordDue,
)
from archive.policy.rules import Act
from archive.scheme.shipped import scheme
from retention.gone import looks
from runtime.processes.working import work_done
from runtime.restoring import restore
from runtime.scratch import Scratch, scanned, scratch
from runtime.setting_up.making import found
from runtime.settings import Settings
from runtime.wiring.parts import NoWaker, Parts, build

EACH = 3
"""So many records are destroyed, and so many stay."""

LOGIN = "rehearsal"
_LONG_AGO = date(2020, 1, 1)

Told = Callable[[str], None]


@dataclass(frozen=True)
class Marks:
    """What a record holds that nothing else does: in its file, in its title, and in a protected field."""

    file: bytes
    title: str
    protected: str

    @classmethod
    def new(cls) -> "Marks":
        """Return marks that exist nowhere else."""
        return cls(f"file{secrets.token_hex(16)}".encode(), f"title{secrets.token_hex(16)}", secrets.token_hex(16))

    def raw(self) -> Mapping[str, bytes]:
        """Return them as bytes, by name."""
        return {"file": self.file, "title": self.title.encode(), "protected": self.protected.encode()}


def rehearse(
    parts: Parts,
    folder: Path,
    told: Told = lambda _: None,
    *,
    embedded: bool = False,
    files: Sequence[tuple[str, Path]] = (),
) -> Mapping[str, Any]:
    """Rehearse in an empty folder, which is removed again; keep the report in the living archive and return it.

    Raises:
        StandsAlready: the folder is not empty.
        Unavailable: as ``runtime.scratch.scratch``.
    """
    who = system("rehearsal")
    with parts.db.reading() as session:
        parts.guard.require_house(session, who, Act.RUN_SYSTEM)
    if folder.exists() and any(folder.iterdir()):
        raise StandsAlready(what="folder", field="folder")
    try:
        with scratch(parts.settings, folder, embedded=embedded, files=files) as made:
            facts = played(made, folder, told)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    with parts.db.writing() as work:
        error = None if facts["ok"] else "found"
        work.session.add(DestructionRehearsal(id=new_id(), made_at=parts.clock.now(), error=error, facts=facts))
        parts.log.note(work.session, who, "destruction.rehearse", body=facts)
        work.commit()
    return facts


def played(made: Scratch, folder: Path, told: Told) -> dict[str, Any]:
    """Play it on a scratch archive; return what was seen."""
    begun = time.monotonic()
    chosen = made.settings
    going, staying = ([Marks.new() for _ in range(EACH)] for _ in range(2))
    with _opened(chosen, folder) as parts:
        told("records")
        ids = _filed(parts, [*going, *staying])
        told("backup")
        before = parts.safekeeping.make(system("rehearsal"))
        seen = _left(made, going)
        told("destruction")
        key = doom(parts, ids[:EACH])
        with work_done(parts, wait=True):
            pass
        with parts.db.reading() as session:
            proof = looks.findings(session, key)
    told("raw bytes")
    left = _left(made, going)
    others = made.scanned([marks.title.encode() for marks in staying])
    told("restore")
    again = _restored(chosen, folder, before.id, going, staying)
    good = not any(left.values()) and others >= EACH and bool(proof) and proof[0].clean and again["ok"]
    return {
        "ok": good, "on": made.on, "unread": made.unread, "destroyed": EACH, "seen_before": seen, "left": left,
        "neighbours_seen": others, "proof": dict(proof[0].found) if proof else None, "restored": again,
        "seconds": round(time.monotonic() - begun, 1),
    }  # fmt: skip


def _left(made: Scratch, every: Sequence[Marks]) -> dict[str, int]:
    """Return how often what these hold stands in raw bytes, by what it is."""
    return {name: made.scanned([marks.raw()[name] for marks in every]) for name in every[0].raw()}


def make_due(parts: Parts, ids: Sequence[UUID]) -> None:
    """Have the terms of records be over."""
    with parts.db.writing() as work:
        work.session.execute(delete(RecordDue).where(RecordDue.record_id.in_(ids)))
        rows = [{"record_id": key, "state": DueState.DATED, "due": _LONG_AGO} for key in ids]
        work.session.execute(insert(RecordDue), rows)
        work.commit()


def doom(parts: Parts, ids: Sequence[UUID], number: str = "REHEARSAL") -> UUID:
    """Put a destruction of records into the database as one that runs, with its job; return its id."""
    make_due(parts, ids)
    key, now = new_id(), parts.clock.now()
    with parts.db.writing() as work:
        session = work.session
        who = session.execute(select(Record.created_by).where(Record.id == ids[0])).scalar_one()
        session.add(
            Destruction(
                id=key, number=number, purpose=number, state=DestructionState.RUNNING, begun_by=who, begun_at=now,
                run_by=who, run_at=now,
            )
        )  # fmt: skip
        session.flush()
        items = [
            {"destruction_id": key, "record_id": each, "position": at, "state": DestructionItemState.DOOMED}
            for at, each in enumerate(ids, 1)
        ]
        session.execute(insert(DestructionItem), items)
        parts.outbox.add(work, JobKind.DESTROY, key)
        work.commit()
    return key


@contextmanager
def _opened(chosen: Settings, folder: Path) -> Iterator[Parts]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = {"zh_CN": "演练", "zh_TW": "演練", "en": "Rehearsal"}
    first = Founder(LOGIN, LOGIN, Role.ARCHIVIST, password_hash="")  # nobody signs in
    found(chosen, Plan(names, "Asia/Shanghai", "grades", "R001", names, scheme("property"), [first]))
    parts = build(chosen, NoWaker())
    try:
        yield parts
    finally:
        parts.close()


def _filed(parts: Parts, every: Sequence[Marks]) -> list[UUID]:
    who = parts.people.identity_of(LOGIN)
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds.id)).one()
        rows = session.scalars(select(Category).where(Category.fonds_id == fonds).order_by(Category.code))
        category, name = next((row.id, name) for row in rows if (name := _person(row)))
    ids = parts.records.create_many(
        who,
        [
            Draft(fonds, category, f"销毁演练 {each.title}", drawn_up="2010", fields={name: each.protected})
            for each in every
        ],
    )
    for key, each in zip(ids, every, strict=True):
        parts.intake.receive(who, key, "rehearsal.txt", [each.file * 40 + b"\n" + each.file])
    parts.filing.file(who, ids)
    with work_done(parts, wait=True):
        pass
    return list(ids)


def _person(category: Category) -> str | None:
    """Return the name of a field of persons, of a category that asks for nothing else."""
    known = {"title", "drawn_up"}
    names = [str(each["name"]) for each in category.fields if each.get("kind") == "person"]
    return next((name for name in names if set(category.required) <= {*known, name}), None)


def _restored(
    chosen: Settings, folder: Path, set_id: UUID, going: Sequence[Marks], staying: Sequence[Marks]
) -> dict[str, Any]:
    """Restore the backup of before; say what can be read of it."""
    home = folder / "restored"
    other = replace(
        chosen, home=home, database_url=f"sqlite:///{home / 'juanku.db'}", store_url=(home / "objects").as_uri(),
        search_url="embedded:",
    )  # fmt: skip
    report = restore(other, chosen.backup_url, set_id, lambda *_: None)
    parts = build(other, NoWaker())
    try:
        who = parts.people.identity_of(LOGIN)
        with parts.db.reading() as session:
            contents = session.scalars(select(Content.id)).all()
        texts = [b"".join(parts.intake.open_file(who, each).reader.read()) for each in contents]
    finally:
        parts.close()
    neighbours = sum(any(marks.file in text for text in texts) for marks in staying)
    left = scanned([home], [raw for marks in going for raw in marks.raw().values()])
    good = neighbours == EACH and len(texts) == EACH and not left and report.restored.gone == EACH
    return {"ok": good, "neighbours": neighbours, "files": len(texts), "left": left, "gone": report.restored.gone}
