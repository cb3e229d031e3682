"""What the manifest of a backup set says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from archive.errors import Damaged
from storage.log_parts import LogPart


@dataclass(frozen=True)
class BackupSet:
    """What a set's manifest says. ``copied`` and ``copied_bytes`` are what this set added; bytes are cipher bytes."""

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

    def plain(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        said = {"id": str(self.id), "made_at": self.made_at.isoformat(), "faults": list(self.faults)}
        return asdict(self) | said | {"logs": [part.plain() for part in self.logs]}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "BackupSet":
        """Read it from a JSON document. Raises ``Damaged``."""
        try:
            values = {each.name: document[each.name] for each in fields(cls) if each.name != "logs"}
            values["logs"] = tuple(LogPart.read(each) for each in document.get("logs", ()))  # none in format 1
            values["id"], values["faults"] = UUID(values["id"]), tuple(values["faults"])
            values["made_at"] = datetime.fromisoformat(values["made_at"])
            return cls(**values)
        except (KeyError, TypeError, ValueError):
            raise Damaged(what="backup") from None
