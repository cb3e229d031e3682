"""Writing the log: an act's entry goes into the act's own transaction, without a lock."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import ACTED, REFUSED, SEAL_FIRST, Base, Database
from archive.identity import Identity
from archive.log.entry import (
    ACTOR_LENGTH,
    ADDRESS_LENGTH,
    FORMAT,
    body_bytes,
    body_context,
    check_act,
    clean,
    entry_hash,
)
from archive.model.log import LogClass, LogEntry, LogResult
from archive.ports import Vault

RECORD_NOUNS = frozenset(
    {
        "record",
        "correction",
        "file",
        "content",
        "dossier",
        "item",
        "copy",
        "block",
        "stocktaking",
        "check",
        "page",
        "number",
        "relation",
        "loan",
        "extension",
        "bin",
        "batch",
        "edit",
        "move",
        "export",
        "label",
        "shelf",
        "handin",
        "filing",
        "schedule",
        "event",
        "hold",
        "destruction",
        "secrecy",
        "transfer",
        "appraisal",
        "matter",
        "outside",
        "excerpt",
        "use",
    }
)
"""Acts on papers: the record log."""

SYSTEM_NOUNS = frozenset({"system", "job", "key", "ring", "backup", "log", "setting", "index", "store", "upgrade"})
"""Acts on the machine: the system log."""


@lru_cache(maxsize=512)
def class_of(act: str) -> LogClass:
    """Return the log that an act belongs to, by its noun; what is neither paper nor machine is a person's act."""
    noun = act.partition(".")[0]
    if noun in RECORD_NOUNS:
        return LogClass.RECORD
    return LogClass.SYSTEM if noun in SYSTEM_NOUNS else LogClass.USER


SEALED_FIRST = frozenset(
    (
        "record.set_level", "record.set_group", "record.name_people", "grant.add", "grant.remove", "custody.add",
        "custody.remove", "distribution.add", "distribution.remove", "person.add", "person.role", "person.clearance",
        "person.active", "post.assign", "post.end", "group.add", "setting.operator_acts",
    )
)  # fmt: skip
"""Changes of levels and rights: the act returns once its entry is in the chain."""

_ENTRY = insert(Base.metadata.tables["log_entry"])
_WAITING = insert(Base.metadata.tables["log_unsealed"])


@dataclass(frozen=True)
class Note:
    """What is to be written of one act. ``at`` is when it happened (None: now)."""

    identity: Identity
    act: str
    record: UUID | None = None
    subject: UUID | None = None
    result: LogResult = LogResult.DONE
    log_class: LogClass | None = None
    body: Mapping[str, Any] | None = None
    at: datetime | None = None


class Log:
    """Writes entries and opens their bodies.

    A body is sealed under the key of the record it speaks of, else of the subject, else of the year's log; it goes
    with that key. The words of a body are never in the head.
    """

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def note(
        self,
        session: Session,
        identity: Identity,
        act: str,
        *,
        record: UUID | None = None,
        subject: UUID | None = None,
        result: LogResult = LogResult.DONE,
        log_class: LogClass | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Write the entry of an act in the caller's transaction and return the entry's id.

        Raises:
            KeyUnavailable: the body's owner has no key any more; nothing was written.
        """
        return self.write(session, [Note(identity, act, record, subject, result, log_class, body)])[0]

    def note_many(
        self, session: Session, identity: Identity, act: str, items: Sequence[tuple[UUID, Mapping[str, Any] | None]]
    ) -> None:
        """Write one entry per (record, body), all of one moment, in the caller's transaction.

        At most some 500 at once on SQLite, where a write transaction must stay under 100 ms.
        """
        at = self._clock.now()
        self.write(session, [Note(identity, act, record, body=body, at=at) for record, body in items])

    def note_apart(
        self,
        db: Database,
        identity: Identity,
        act: str,
        *,
        record: UUID | None = None,
        subject: UUID | None = None,
        result: LogResult = LogResult.REFUSED,
        log_class: LogClass | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the entry of a refused or failed act in a transaction of its own, after the act's was rolled back.

        Must not be called inside ``db.writing()``: it would wait for its own caller.
        """
        with db.writing() as work:
            self.write(work.session, [Note(identity, act, record, subject, result, log_class, body)])
            work.commit()

    def write(self, session: Session, notes: Sequence[Note]) -> list[UUID]:
        """Write many entries in the caller's transaction; returns their ids in the notes' order."""
        if not notes:
            return []
        rows = [self._row(note) for note in notes]
        self._seal_bodies(session, notes, rows)
        for row in rows:
            row["hash"] = entry_hash(SimpleNamespace(**row))
        connection = session.connection()
        connection.execute(_ENTRY, rows)
        connection.execute(_WAITING, [{"entry_id": row["id"]} for row in rows])
        for row in rows:
            session.info.update(
                {ACTED: row["record_id"] or row["subject_id"]} if row["result"] is LogResult.DONE else {REFUSED: True}
            )
            if row["act"] in SEALED_FIRST and row["result"] is LogResult.DONE:
                session.info[SEAL_FIRST] = row["id"]
        return [row["id"] for row in rows]

    def opened(self, session: Session, entry: LogEntry) -> Mapping[str, Any] | None:
        """Return an entry's body, decrypted; None when it has none or when its key is gone or its bytes are damaged."""
        return self.opened_many(session, [entry])[0]

    def opened_many(self, session: Session, entries: Sequence[LogEntry]) -> list[Mapping[str, Any] | None]:
        """Return the decrypted bodies of many entries, in their order; None as for ``opened``."""
        sealed = [
            (entry.body_owner, entry.body, body_context(entry.id)) if entry.body_owner and entry.body else None
            for entry in entries
        ]
        plain = iter(self._vault.open_many(session, [item for item in sealed if item]))
        bodies: list[Mapping[str, Any] | None] = []
        for item in sealed:
            data = next(plain) if item else None
            bodies.append(json.loads(data) if data is not None else None)
        return bodies

    def _row(self, note: Note) -> dict[str, Any]:
        identity = note.identity
        return {
            "id": uuid4(),
            "format": FORMAT,
            "at": note.at or self._clock.now(),
            "log_class": note.log_class or class_of(note.act),
            "act": check_act(note.act),
            "result": note.result,
            "actor": clean(identity.name, ACTOR_LENGTH),
            "person_id": identity.person_id,
            "operator": None if identity.operator is None else clean(identity.operator, ACTOR_LENGTH),
            "address": clean(identity.address, ADDRESS_LENGTH),
            "record_id": note.record,
            "subject_id": note.subject,
            "body_owner": None,
            "body": None,
        }

    def _seal_bodies(self, session: Session, notes: Sequence[Note], rows: Sequence[dict[str, Any]]) -> None:
        speaking = [(note, row) for note, row in zip(notes, rows, strict=True) if note.body is not None]
        if not speaking:
            return
        years: dict[int, UUID] = {}
        for note, row in speaking:
            owner = note.record or note.subject
            if owner is None:
                year = row["at"].year
                owner = years.get(year) or years.setdefault(year, self._vault.log_owner(session, year))
            row["body_owner"] = owner
        sealed = self._vault.seal_many(
            session, [(row["body_owner"], body_bytes(note.body), body_context(row["id"])) for note, row in speaking]
        )
        for (_, row), body in zip(speaking, sealed, strict=True):
            row["body"] = body
