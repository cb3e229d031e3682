"""The list of contents in a backup set: a line for each, ``sets/<id>/objects``, written and read as a stream."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from archive.errors import Damaged
from archive.ports import ObjectStore
from storage.backup_set import BackupSet
from storage.items import Item

_LINES = 1_000


@dataclass
class Listed:
    """Lists items on their way into a set. Known when all passed: ``count``, ``size`` (bytes of all), ``sha256``."""

    items: Iterable[Item]
    count: int = 0
    size: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def blocks(self) -> Iterator[bytes]:
        """Yield the lines."""
        source = iter(self.items)
        while some := list(islice(source, _LINES)):
            self.count += len(some)
            self.size += sum(item.size for item in some)
            block = b"".join(f"{item.sha256} {item.size} {item.key}\n".encode() for item in some)
            self._digest.update(block)
            yield block

    @property
    def sha256(self) -> str:
        """The hash of the list."""
        return str(self._digest.hexdigest())


def key_of(chosen: BackupSet) -> str:
    """Return where the list of a set lies."""
    return f"sets/{chosen.id}/objects"


def require_whole(target: ObjectStore, chosen: BackupSet, version: str | None) -> None:
    """Read the list of a set; raise ``Damaged`` when it is missing (no version) or not what it was."""
    digest = hashlib.sha256()
    for block in target.read(key_of(chosen), version) if version is not None else ():
        digest.update(block)
    if digest.hexdigest() != chosen.objects_sha256:
        raise Damaged(what="backup", part=key_of(chosen))


def lines(target: ObjectStore, chosen: BackupSet, version: str) -> Iterator[Item]:
    """Yield the contents that the list of a set names; ``require_whole`` comes before."""
    waiting = b""
    for block in target.read(key_of(chosen), version):
        *whole, waiting = (waiting + block).split(b"\n")
        for line in whole:
            sha256, size, key = line.decode().split(" ")
            yield Item(key, int(size), sha256)


def listed(target: ObjectStore, chosen: BackupSet, version: str | None) -> Iterator[Item]:
    """Yield the contents that a set names, once its list was found whole. Raises ``Damaged``."""
    require_whole(target, chosen, version)
    yield from lines(target, chosen, version or "")
