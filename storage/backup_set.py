"""What the manifest of a backup set says."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from archive.errors import Damaged, Unavailable
from storage.log_parts import LogPart

_LATER = frozenset({"logs", "turn", "packs"})
"""What sets of earlier versions do not say."""


@dataclass(frozen=True)
class BackupSet:
    """What a set's manifest says. ``copied`` and ``copied_bytes`` are what this set added; bytes are cipher bytes.

    ``turn`` counts the sets of a place, whatever its clock says. ``packs`` is how often the key pack was put. Sets of
    earlier versions have turn 0 and one pack.
    """

    id: UUID
    made_at: datetime
    ring: str
    schema: str
    records: int
    objects: int
    bytes: int
    copied: int
    copied_bytes: int
    faults: tuple[str, ...]
    log_seq: int
    log_hash: str
    database_size: int
    database_sha256: str
    objects_sha256: str
    keys_sha256: str
    logs: tuple[LogPart, ...] = ()
    turn: int = 0
    packs: int = 1

    def plain(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        said = {"id": str(self.id), "made_at": self.made_at.isoformat(), "faults": list(self.faults)}
        return asdict(self) | said | {"logs": [part.plain() for part in self.logs]}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "BackupSet":
        """Read it from a JSON document. Raises ``Damaged``."""
        try:
            values = {each.name: document[each.name] for each in fields(cls) if each.name not in _LATER}
            values["turn"], values["packs"] = int(document.get("turn", 0)), int(document.get("packs", 1))
            values["logs"] = tuple(LogPart.read(each) for each in document.get("logs", ()))  # none in format 1
            values["id"], values["faults"] = UUID(values["id"]), tuple(values["faults"])
            values["made_at"] = datetime.fromisoformat(values["made_at"])
            return cls(**values)
        except (KeyError, TypeError, ValueError):
            raise Damaged(what="backup") from None


@dataclass(frozen=True)
class LastRun:
    """What is known of a place of backups before a run.

    Attributes:
        set_id: the set that was finished last; None: there is none yet.
        changed: keys of what was found changed since, and of what could not be copied whole into it.
        damaged: ids of older sets that did not verify then.
    """

    set_id: UUID | None = None
    changed: Collection[str] = ()
    damaged: Collection[UUID] = ()


NO_RUN = LastRun()


@dataclass(frozen=True)
class Made:
    """What a run did: the set it made, how many of old it forgot, and the ids of older sets that do not verify.

    ``fault`` is what broke the forgetting off; the set stands all the same, and the next run forgets.
    """

    set: BackupSet
    forgotten: int
    damaged: tuple[UUID, ...]
    fault: Unavailable | None = None
