"""The log in a backup: its rows never change, so each set writes only those that came since the set before.

A part ``logs/<id>`` is a dump of the entries and seals from one place of the chain to another, sealed under a key of
its own. A set names all parts that it needs, from the first place to its last; a part goes when no set names it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from archive.errors import Damaged
from archive.model import LogEntry, LogSeal, LogUnsealed

MOST = 100
"""So many parts a set names at most; the next set writes the log anew in one."""

TABLES = ("log_entry", "log_seal")


@dataclass(frozen=True)
class LogPart:
    """The rows behind place ``after`` of the chain, up to ``upto``. ``size`` and ``sha256`` are of its cipher bytes."""

    id: UUID
    after: int
    upto: int
    size: int
    sha256: str

    @property
    def key(self) -> str:
        """Where it lies."""
        return f"logs/{self.id}"

    def plain(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return asdict(self) | {"id": str(self.id)}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "LogPart":
        """Read it from a JSON document. Raises ``Damaged``."""
        try:
            after, upto, size = (int(document[name]) for name in ("after", "upto", "size"))
            return cls(UUID(document["id"]), after, upto, size, str(document["sha256"]))
        except (KeyError, TypeError, ValueError):
            raise Damaged(what="backup") from None


class EarlierSet(Protocol):
    """What an earlier set says of its log."""

    @property
    def logs(self) -> Sequence[LogPart]:
        """Its parts."""
        ...

    @property
    def log_hash(self) -> str:
        """The chain's hash at its end."""
        ...


def rows_after(place: int) -> dict[str, ColumnElement[bool]]:
    """Return which rows of ``TABLES`` lie behind a place of the chain."""
    later = select(LogSeal.entry_id).where(LogSeal.seq > place)
    return {"log_entry": LogEntry.id.in_(later), "log_seal": LogSeal.seq > place}


def rows_beside() -> dict[str, ColumnElement[bool]]:
    """Return which rows of ``TABLES`` no part has: entries that wait for their seal."""
    return {"log_entry": LogEntry.id.in_(select(LogUnsealed.entry_id)), "log_seal": false()}


def still_good(
    session: Session, last: "EarlierSet", there: Callable[[str], int | None], damaged: Collection[str]
) -> Sequence[LogPart]:
    """Return an earlier set's parts if a new one can go on behind them: whole, and of this very chain; else none.

    ``there`` tells the size of what lies whole under a key.
    """
    parts = last.logs
    if not parts or len(parts) >= MOST or any(part.key in damaged for part in parts):
        return ()
    if any(there(part.key) != part.size for part in parts):
        return ()
    chain = session.scalar(select(LogSeal.chain).where(LogSeal.seq == parts[-1].upto))
    return parts if chain is not None and chain.hex() == last.log_hash else ()


def unnamed(keys: Iterable[str], sets: Iterable[Sequence[LogPart]]) -> list[str]:
    """Return the keys of parts that no set names."""
    named = {part.key for parts in sets for part in parts}
    return [key for key in keys if key.startswith("logs/") and key not in named]
