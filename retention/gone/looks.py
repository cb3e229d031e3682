"""What pages and documents show of a destruction that runs, and of its proofs. Who may see it the caller has asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.model import (
    DestructionItem,
    DestructionItemState,
    DestructionObject,
    DestructionProof,
    DestructionRehearsal,
    DestructionRun,
    GoneStep,
)
from archive.scrubbing import BUSY, DONE, REFUSED

WIPES_AT = "wipes_at"
_OF_LOG = frozenset({"checkpoint", "switch_log"})


@dataclass(frozen=True)
class Progress:
    """How far a destruction is: items gone and pulled out of all, contents whose bytes wait, and its step.

    ``wipes_at``: the moment from which tables are written anew, as far as that is to come; None: it waits for none.
    ``held``: they were to be, but somebody held one.
    """

    step: GoneStep | None
    every: int
    gone: int
    pulled: int
    bytes_waiting: int
    wipes_at: datetime | None = None
    held: bool = False


@dataclass(frozen=True)
class Outlasting:
    """A backup that was made before the end, and until when it is kept (None: until a person removes it).

    Files in it cannot be read any more.
    """

    name: str
    made_at: datetime
    ends: datetime | None


@dataclass(frozen=True)
class Findings:
    """What a proof found.

    Attributes:
        made_at: when.
        seconds: how long it took.
        records, contents, tables, columns, partitions: how much was looked for, and looked at.
        words: how many rare words were looked for; None: they had ended with an earlier proof.
        found: places that still hold something, with how much; empty: nothing is left.
        kept: columns that go on naming what is gone, as the law asks.
        copies, unconfirmed: copies of the ring, and the names of those that did not confirm.
        database, expunge: how wiping dead pages and old entries ended (``done``, ``busy``, ``refused``, ``failed``).
        pack_at: when the survivors' keys were backed up.
        media: backups that outlast the destruction.
        rehearsed: when a rehearsal last found nothing.
        rehearsed_on, rehearsed_unread: on what kinds of servers; whose own files were not read at it.
    """

    made_at: datetime
    seconds: float
    records: int
    contents: int
    tables: int
    columns: int
    partitions: int
    words: int | None
    found: Mapping[str, int]
    kept: Mapping[str, int]
    copies: int
    unconfirmed: Sequence[str]
    database: Mapping[str, str]
    expunge: str | None
    pack_at: datetime | None
    media: Sequence[Outlasting]
    rehearsed: datetime | None
    rehearsed_on: Sequence[str]
    rehearsed_unread: Sequence[str]

    @property
    def clean(self) -> bool:
        """Whether nothing was found, no copy of the ring opens what is gone, and dead rows and entries are wiped.

        A server may refuse to shorten its log: what stands in it has no key.
        """
        wiped = all(said == DONE or (said == REFUSED and step in _OF_LOG) for step, said in self.database.items())
        return not self.found and self.unreadable and wiped and self.expunge in {None, DONE}

    @property
    def unreadable(self) -> bool:
        """Whether no registered copy of the ring opens what is gone."""
        return not self.unconfirmed


def progress(session: Session, destruction_id: UUID) -> Progress:
    """Return how far a destruction is."""
    counted = (
        select(DestructionItem.state, func.count())
        .where(DestructionItem.destruction_id == destruction_id)
        .group_by(DestructionItem.state)
    )
    states: dict[DestructionItemState, int] = dict(session.execute(counted).all())
    waiting = session.scalar(
        select(func.count())
        .select_from(DestructionObject)
        .where(DestructionObject.destruction_id == destruction_id, DestructionObject.removed_at.is_(None))
    )
    run = session.get(DestructionRun, destruction_id)
    step = run.step if run else None
    at, held = (wipes_at(run), BUSY in wiped(run).values()) if run and step is GoneStep.DATABASE else (None, False)
    gone, pulled = states.get(DestructionItemState.GONE, 0), states.get(DestructionItemState.PULLED, 0)
    return Progress(step, sum(states.values()), gone, pulled, waiting or 0, at, held)


def wipes_at(run: DestructionRun) -> datetime | None:
    """Return the moment from which its tables are written anew; None: none is noted."""
    return _moment(run.facts.get(WIPES_AT))


def wiped(run: DestructionRun) -> Mapping[str, str]:
    """Return how each step of wiping the database ended; empty: it was not tried."""
    ended: Mapping[str, str] = run.facts.get("database", {})
    return ended


def findings(session: Session, destruction_id: UUID, most: int = 20) -> Sequence[Findings]:
    """Return what the proofs of a destruction found, the latest first."""
    rows = session.scalars(
        select(DestructionProof)
        .where(DestructionProof.destruction_id == destruction_id)
        .order_by(DestructionProof.made_at.desc(), DestructionProof.id.desc())
        .limit(most)
    )
    return [of(row) for row in rows]


def last_rehearsal(session: Session) -> DestructionRehearsal | None:
    """Return the last rehearsal that found nothing."""
    good = select(DestructionRehearsal).where(DestructionRehearsal.error.is_(None))
    return session.scalar(good.order_by(DestructionRehearsal.made_at.desc()).limit(1))


def of(row: DestructionProof) -> Findings:
    """Return what a proof found."""
    facts: Mapping[str, Any] = row.facts
    ring = facts.get("ring", {})
    return Findings(
        row.made_at, facts["seconds"], facts["records"], facts["contents"], facts["tables"], facts["columns"],
        facts["partitions"], facts["words"], facts["found"], facts["kept"], ring.get("copies", 0),
        tuple(ring.get("unconfirmed", ())), facts.get("database", {}), facts.get("expunge"), _moment(facts["pack_at"]),
        [Outlasting(each["name"], datetime.fromisoformat(each["made_at"]), _moment(each["ends"]))
         for each in facts["media"]],
        _moment(facts["rehearsed"]), tuple(dict.fromkeys(facts.get("rehearsed_on", {}).values())),
        tuple(facts.get("rehearsed_unread", ())),
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
