"""The key pack: every wrapped key as of now, apart from the data that never changes.

A backup's data may be old; its key pack must be the newest, made anew after each destruction. The pack opens nothing
without the ring. Format: the line ``juanku key pack 1``, one JSON line with the generations and the number of owners,
the owners, and the SHA-256 of all before it. An owner is, big-endian,
``id 16 | generation 16 | log year i32 (0: none) | length u16 | wrapped key``.
"""

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Damaged
from archive.model import Generation, OwnerKey

_MAGIC = b"juanku key pack 1\n"
_OWNER = struct.Struct(">16s16siH")
_BATCH = 1_000
_LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True)
class PackCounts:
    """How many generations and owners a pack holds."""

    generations: int
    owners: int


class KeyPack:
    """The key pack of now. ``counts`` are known when all has passed."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.counts = PackCounts(0, 0)

    def blocks(self) -> Iterator[bytes]:
        """Yield its bytes, from one snapshot."""
        digest = hashlib.sha256()
        with self._db.reading(long=True) as session:
            generations = session.scalars(select(Generation).order_by(Generation.id)).all()
            owners = session.execute(select(func.count()).select_from(OwnerKey)).scalar_one()
            head = {"generations": [_plain(each) for each in generations], "owners": owners}
            for block in chain([_MAGIC, json.dumps(head).encode() + b"\n"], _owner_blocks(session)):
                digest.update(block)
                yield block
        self.counts = PackCounts(len(generations), owners)
        yield digest.digest()


def _owner_blocks(session: Session) -> Iterator[bytes]:
    query = select(OwnerKey.owner_id, OwnerKey.generation_id, OwnerKey.log_year, OwnerKey.wrapped)
    query = query.order_by(OwnerKey.owner_id)
    for rows in session.execute(query, execution_options={"yield_per": _BATCH}).partitions():
        yield b"".join(
            _OWNER.pack(owner.bytes, generation.bytes, year or 0, len(wrapped)) + wrapped
            for owner, generation, year, wrapped in rows
        )


def write_pack(db: Database, target: BinaryIO) -> PackCounts:
    """Write the key pack of now, from one snapshot, to ``target``."""
    pack = KeyPack(db)
    target.writelines(pack.blocks())
    return pack.counts


def load_pack(db: Database, source: BinaryIO) -> PackCounts:
    """Put a key pack in place of the wrapped keys of a restored database; keys it does not hold are gone afterwards.

    The pack is checked whole before the first row changes; ``source`` is read twice and must be seekable. Short
    transactions: repeat it after a crash, and open the archive only when it is done.

    Raises:
        Damaged: the pack is cut or changed.
    """
    start = source.tell()
    for _ in _owners(source, _head(source)["owners"]):
        pass
    _check(source, start)
    source.seek(start)
    head = _head(source)
    _clear(db)
    with db.writing() as work:
        rows = [
            {**each, "id": UUID(each["id"]), "created_at": datetime.fromisoformat(each["created_at"])}
            for each in head["generations"]
        ]
        if rows:
            work.session.execute(insert(Generation), rows)
        work.commit()
    batch: list[dict[str, Any]] = []
    for owner in _owners(source, head["owners"]):
        batch.append(owner)
        if len(batch) == _BATCH:
            _insert(db, batch)
            batch = []
    if batch:
        _insert(db, batch)
    return PackCounts(len(head["generations"]), head["owners"])


def _plain(generation: Generation) -> dict[str, Any]:
    return {
        "id": str(generation.id),
        "due_year": generation.due_year,
        "open": generation.open,
        "created_at": generation.created_at.isoformat(),
    }


def _head(source: BinaryIO) -> dict[str, Any]:
    if source.readline(len(_MAGIC)) != _MAGIC:
        raise Damaged(what="key_pack")
    try:
        head = json.loads(source.readline(_LONGEST_LINE))
        valid = isinstance(head["generations"], list) and isinstance(head["owners"], int)
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise Damaged(what="key_pack")
    return dict(head)


def _owners(source: BinaryIO, count: int) -> Iterator[dict[str, Any]]:
    for _ in range(count):
        head = source.read(_OWNER.size)
        if len(head) != _OWNER.size:
            raise Damaged(what="key_pack")
        owner, generation, year, length = _OWNER.unpack(head)
        wrapped = source.read(length)
        yield {
            "owner_id": UUID(bytes=owner),
            "generation_id": UUID(bytes=generation),
            "log_year": year or None,
            "wrapped": wrapped,
        }


def _check(source: BinaryIO, start: int) -> None:
    left = source.tell() - start
    expected = source.read()
    source.seek(start)
    digest = hashlib.sha256()
    while left:
        part = source.read(min(left, 1024 * 1024))
        if not part:
            break
        digest.update(part)
        left -= len(part)
    if digest.digest() != expected:
        raise Damaged(what="key_pack")


def _clear(db: Database) -> None:
    while True:
        with db.writing() as work:
            some = select(OwnerKey.owner_id).limit(_BATCH)
            gone = work.session.execute(
                delete(OwnerKey).where(OwnerKey.owner_id.in_(some)).returning(OwnerKey.owner_id)
            ).all()
            if not gone:
                work.session.execute(delete(Generation))
            work.commit()
        if not gone:
            return


def _insert(db: Database, rows: list[dict[str, Any]]) -> None:
    with db.writing() as work:
        work.session.execute(insert(OwnerKey), rows)
        work.commit()
