"""The proof of a destruction: everything that is gone is looked for everywhere, and what was found is written down.

It changes nothing but its own rows, and may be made again. The rare words that it looks for end with the first proof
that finds nothing.
"""

import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import KeyUnavailable
from archive.ids import new_id
from archive.model import (
    DestructionItem,
    DestructionItemState,
    DestructionObject,
    DestructionProof,
    DestructionRun,
    DestructionTrace,
)
from archive.ports import WrappedKeyBackups
from retention.gone.batches import Means, words_context
from retention.gone.looks import last_rehearsal
from retention.gone.traces import Wanted, look


class Proofs:
    """Makes proofs."""

    def __init__(self, db: Database, means: Means, backups: WrappedKeyBackups, clock: Clock) -> None:
        self._db = db
        self._means = means
        self._backups = backups
        self._clock = clock

    def make(self, destruction_id: UUID) -> DestructionProof:
        """Look everywhere; keep what was found and return it.

        Raises:
            Unavailable: database, store or search engine does not answer; nothing is kept then.
        """
        begun = time.monotonic()
        with self._db.reading(long=True) as session:
            run = session.get_one(DestructionRun, destruction_id)
            ids = _gone(session, destruction_id)
            contents = session.execute(
                select(DestructionObject.content_id, DestructionObject.object_key).where(
                    DestructionObject.destruction_id == destruction_id
                )
            ).all()
            keys = [row.object_key for row in contents]
            numbers = session.scalars(select(DestructionTrace.number).where(*_of(destruction_id))).all()
            texts = {*keys, *(number for number in numbers if number)}
            tables = look(session, destruction_id, Wanted({*ids, *(row.content_id for row in contents)}, texts))
            words = self._words(session, run)
            gone_at = session.scalar(
                select(func.max(DestructionItem.gone_at)).where(DestructionItem.destruction_id == destruction_id)
            )
            rehearsed = last_rehearsal(session)
        objects = self._means.objects.standing(keys)
        entries = self._means.index.holding(ids)
        pictures = self._means.pictures.kept([row.content_id for row in contents])
        by_words = self._means.index.found_by(words or (), ids)
        found: dict[str, int] = {f"table {name}": count for name, count in tables.found.items()}
        found |= {"objects": sum(objects.values()), "pictures": pictures, "words": by_words}
        found |= {f"index {name}": count for name, count in entries.items()}
        facts: dict[str, Any] = {
            "records": len(ids), "contents": len(contents), "numbers": len(texts) - len(keys),
            "tables": tables.tables, "columns": tables.columns, "partitions": len(entries),
            "words": None if words is None else len(words),
            "found": {name: count for name, count in sorted(found.items()) if count}, "kept": tables.kept,
            "media": [
                {"name": name, "made_at": made.isoformat(), "ends": end.isoformat() if end else None}
                for name, made, end in (self._backups.older(gone_at) if gone_at else ())
            ],
            "pack_at": run.pack_at.isoformat() if run.pack_at else None,
            "rehearsed": rehearsed.made_at.isoformat() if rehearsed else None,
            "rehearsed_on": rehearsed.facts.get("on", {}) if rehearsed else {},
            "rehearsed_unread": rehearsed.facts.get("unread", []) if rehearsed else [],
        }  # fmt: skip
        facts |= {name: run.facts[name] for name in ("ring", "database", "expunge") if name in run.facts}
        facts["seconds"] = round(time.monotonic() - begun, 3)
        return self._keep(run, facts)

    def _words(self, session: Session, run: DestructionRun) -> list[str] | None:
        """Return the words noted before; None when they have ended."""
        if run.words_key is None:
            return None
        key, words = self._means.keys.passing(run.words_key), list[str]()
        rows = session.execute(
            select(DestructionTrace.record_id, DestructionTrace.sealed).where(*_of(run.destruction_id))
        )
        try:
            for row in rows:
                if row.sealed:
                    words += json.loads(key.open(row.sealed, context=words_context(row.record_id)))
        except KeyUnavailable:
            return None
        return sorted(set(words))

    def _keep(self, run: DestructionRun, facts: dict[str, Any]) -> DestructionProof:
        made = DestructionProof(
            id=new_id(), destruction_id=run.destruction_id, made_at=self._clock.now(), found=len(facts["found"]),
            facts=facts,
        )  # fmt: skip
        clean = not facts["found"]
        if clean and run.words_key:
            self._means.keys.passing(run.words_key).end()
        with self._db.writing() as work:
            work.session.add(made)
            if clean and run.words_key:
                emptied = update(DestructionTrace).where(*_of(run.destruction_id)).values(sealed=None)
                work.session.execute(emptied)
                ended = update(DestructionRun).where(DestructionRun.destruction_id == run.destruction_id)
                work.session.execute(ended.values(words_key=None))
            work.commit()
        return made


def _of(destruction_id: UUID) -> tuple[Any, ...]:
    return (DestructionTrace.destruction_id == destruction_id,)


def _gone(session: Session, destruction_id: UUID) -> Sequence[UUID]:
    return session.scalars(
        select(DestructionItem.record_id).where(
            DestructionItem.destruction_id == destruction_id, DestructionItem.state == DestructionItemState.GONE
        )
    ).all()
