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


def lines(target: ObjectStore, chosen: BackupSet, version: str | None) -> Iterator[Item]:
    """Yield the contents that the list of a set names, as it is read.

    Raises ``Damaged``, at its end at the latest, when the list is missing (no version) or not what it was: nothing
    may hang on what came before the end is reached.
    """
    if version is None:
        raise _damaged(chosen)
    digest, waiting = hashlib.sha256(), b""
    for block in target.read(key_of(chosen), version):
        digest.update(block)
        *whole, waiting = (waiting + block).split(b"\n")
        for line in whole:
            yield _item(chosen, line)
    if waiting or digest.hexdigest() != chosen.objects_sha256:
        raise _damaged(chosen)


def listed(target: ObjectStore, chosen: BackupSet, version: str | None) -> Iterator[Item]:
    """Hash the list of a set, and return the contents that it names, as ``lines`` reads them after that.

    Raises ``Damaged`` at once; the lines do, too, should the second reading differ.
    """
    if version is None:
        raise _damaged(chosen)
    digest = hashlib.sha256()
    for block in target.read(key_of(chosen), version):
        digest.update(block)
    if digest.hexdigest() != chosen.objects_sha256:
        raise _damaged(chosen)
    return lines(target, chosen, version)


def _item(chosen: BackupSet, line: bytes) -> Item:
    try:
        sha256, size, key = line.decode().split(" ")
        return Item(key, int(size), sha256)
    except ValueError:
        raise _damaged(chosen) from None


def _damaged(chosen: BackupSet) -> Damaged:
    return Damaged(what="backup", part=key_of(chosen))
