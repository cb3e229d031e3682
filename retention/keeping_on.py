"""Records kept on until a day: a fact that their clocks read, written by whoever may decide so and by nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import RecordExtension
from archive.ports import Vault
from retention.reckoning import DueDays


@dataclass(frozen=True)
class Longer:
    """Until when a record is kept on, by whose authority, and why."""

    until: date
    authority: str
    reason: str


class Keep:
    """Keeps records on, inside the caller's transaction."""

    def __init__(self, vault: Vault, log: Log, clock: Clock, due_days: DueDays) -> None:
        self._vault = vault
        self._log = log
        self._clock = clock
        self._due_days = due_days

    def on(
        self,
        session: Session,
        identity: Identity,
        longer: Mapping[UUID, Longer],
        told: Mapping[str, Any],
        *,
        appraisal: UUID | None = None,
        approval: UUID | None = None,
    ) -> None:
        """Keep records on by what an appraisal or an approved request said; their days follow, and are never sooner.

        ``told`` is what the log says beside the day. Asks nobody: the caller has.
        """
        now, keys = self._clock.now(), {record: new_id() for record in longer}
        texts = [
            (
                record,
                json.dumps({"authority": each.authority, "reason": each.reason}, ensure_ascii=False).encode(),
                f"extension:{keys[record].hex}",
            )
            for record, each in longer.items()
        ]
        rows = [
            {
                "id": keys[record], "record_id": record, "until": each.until, "appraisal_id": appraisal,
                "approval_id": approval, "set_at": now, "sealed": sealed,
            }
            for (record, each), sealed in zip(longer.items(), self._vault.seal_many(session, texts), strict=True)
        ]  # fmt: skip
        session.execute(insert(RecordExtension), rows)
        self._due_days.follow(session, list(longer))
        said = [(record, {**told, "until": each.until.isoformat()}) for record, each in longer.items()]
        self._log.note_many(session, identity, "record.keep_on", said)
