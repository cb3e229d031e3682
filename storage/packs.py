"""The key pack in a place of backups: that of the newest set, put there twice, so that one bad copy ends no restore."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID

from archive.database import Database
from archive.ports import ObjectStore
from archive.private_rows import translated
from storage.backup_set import BackupSet
from storage.copying import is_whole
from storage.items import Item
from storage.keypack import KeyPack
from storage.sealed import Sealed

_BLOCK = 1024 * 1024

ROOMS = ("keys/", "keys-again/")
"""Where its copies lie, each under the id of its set. Sets of earlier versions have one alone, in the first."""


def put_pack(db: Database, target: ObjectStore, key: bytes, set_id: UUID, folder: Path) -> str:
    """Write the keys of now into a place, in each room; return the SHA-256 of the cipher bytes, which are the same.

    They are sealed into a nameless file in ``folder`` first.

    Raises:
        StorageFull, Unavailable: the folder (part ``disk``) takes no more, or no file; the same of the place.
    """
    sealed = Sealed(key, set_id, KeyPack(db).blocks())
    with _nameless(folder) as file:
        for piece in sealed.pieces():
            with translated():
                file.write(piece)
        for room in ROOMS:
            with translated():
                file.seek(0)
            target.put(f"{room}{set_id}", iter(partial(file.read, _BLOCK), b""))
    return sealed.sha256


@contextmanager
def _nameless(folder: Path) -> Iterator[IO[bytes]]:
    with translated():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = TemporaryFile(dir=folder)  # noqa: SIM115 (closed below)
    try:
        yield file
    finally:
        with translated():  # what is written late fails late
            file.close()


def newest_first(there: Iterable[str]) -> list[UUID]:
    """Return the sets whose packs are among some keys, the newest first: ids follow time."""
    found = {UUID(key.removeprefix(room)) for key in there for room in ROOMS if key.startswith(room)}
    return sorted(found, reverse=True)


def bad_copies(target: ObjectStore, there: Mapping[str, str], packed: BackupSet) -> list[str]:
    """Return the keys of a set's pack whose copies are not there and whole; ``there``: keys and versions."""
    wanted = (Item(f"{room}{packed.id}", 0, packed.keys_sha256) for room in ROOMS[: packed.packs])
    return [each.key for each in wanted if each.key not in there or not is_whole(each, target, there[each.key])]
