"""Checkpoints: signed statements of how long the chain is and what its Merkle root is.

The statement is canonical JSON (sorted keys, no spaces, UTF-8)::

    {"format":1,"head":hex,"house":hex or null,"key_id":…,"kind":"juanku-log-checkpoint","root":hex,"size":n,"time":…}

and the signature is Ed25519 over its bytes. A witness file outside the database holds one line per checkpoint,
``{"signature":hex,"statement":"…"}``; only with it are a cut tail, a rollback or a chain signed anew found.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Damaged, Unavailable
from archive.log.entry import moment
from archive.log.merkle import Frontier
from archive.model.house import House
from archive.model.log import LogCheckpoint, LogEntry, LogSeal

STATEMENT_FORMAT = 1
_KIND = "juanku-log-checkpoint"
_ROWS = 1000
_TAIL = 65_536  # bytes: a hundred lines and more


class Signer(Protocol):
    """Signs for the house with a key that is not in the database, and knows the public keys of all earlier ones."""

    @property
    def key_id(self) -> str:
        """Name of the key that signs now, at most 64 characters."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the Ed25519 signature of ``data``."""
        ...

    def verify(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """Whether the key named ``key_id`` signed ``data``; False when there is no such key."""
        ...


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint states."""

    size: int
    at: datetime
    root: bytes
    head: bytes
    house: UUID | None
    key_id: str

    def statement(self) -> bytes:
        """Return the canonical bytes that are signed."""
        facts = {
            "format": STATEMENT_FORMAT,
            "head": self.head.hex(),
            "house": self.house.hex if self.house else None,
            "key_id": self.key_id,
            "kind": _KIND,
            "root": self.root.hex(),
            "size": self.size,
            "time": moment(self.at),
        }
        return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class WitnessLine:
    """One line of the witness file, as written: the signed bytes, the signature, and what they say."""

    statement: bytes
    signature: bytes
    size: int
    root: bytes
    head: bytes
    key_id: str


def stated(row: LogCheckpoint) -> Checkpoint:
    """Return what a checkpoint row states."""
    return Checkpoint(row.size, row.at, row.root, row.head, row.house_id, row.key_id)


def read_witness(path: Path, length: int | None = None) -> Iterator[WitnessLine]:
    """Yield the lines in the first ``length`` bytes (None: all) of a witness file; a missing file has none.

    Raises:
        Damaged: a whole line is not what ``Checkpoints`` writes. (A torn last line, without its end, is left out.)
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        left = path.stat().st_size if length is None else length
        for number, line in enumerate(file, 1):
            left -= len(line)
            if left < 0 or not line.endswith(b"\n"):
                return
            yield _parse(line, number)


class Checkpoints:
    """Makes checkpoints.

    Args:
        witness: a file outside the database, best on other storage or under other rights; None keeps none.
    """

    def __init__(self, db: Database, signer: Signer, clock: Clock, witness: Path | None = None) -> None:
        self._db = db
        self._signer = signer
        self._clock = clock
        self._witness = witness

    def make(self) -> Checkpoint | None:
        """State and sign the chain as it is sealed now; None when nothing was sealed since the last one.

        Raises:
            Damaged: the chain is no longer the one of the last checkpoint; nothing is signed over it.
            Unavailable: the witness file cannot be written (the checkpoint stands; the next call catches up).
        """
        with self._db.reading() as session:
            last = _last(session)
            tree, head = _grow(session, last)
            house = session.scalar(select(House.id))
        made = None
        if tree.size > (last.size if last else 0):
            made = Checkpoint(tree.size, self._clock.now(), tree.root(), head, house, self._signer.key_id)
            made = self._keep(made, tree)
        if self._witness:
            self._tell(self._witness)
        return made

    def _keep(self, made: Checkpoint, tree: Frontier) -> Checkpoint | None:
        signature = self._signer.sign(made.statement())
        with self._db.writing() as work:
            if work.session.get(LogCheckpoint, made.size) is not None:
                return None  # another process was faster
            row = {"size": made.size, "at": made.at, "root": made.root, "head": made.head, "house_id": made.house}
            row |= {"frontier": tree.to_bytes(), "key_id": made.key_id, "signature": signature}
            work.session.execute(insert(LogCheckpoint), [row])
            work.commit()
        return made

    def _tell(self, witness: Path) -> None:
        """Append every checkpoint that the witness has not seen yet: a crash in between loses none."""
        try:
            told = _told(witness)
            with self._db.reading() as session:
                lines = [line for _size, _at, line in untold(session, told)]
            if lines:
                _append(witness, b"".join(lines))
        except OSError as error:
            raise Unavailable(part="witness") from error


def untold(session: Session, told: int) -> Iterator[tuple[int, datetime, bytes]]:
    """Yield size, time and witness line of every checkpoint of a log longer than ``told``, in order of size."""
    for row in session.scalars(select(LogCheckpoint).where(LogCheckpoint.size > told).order_by(LogCheckpoint.size)):
        yield row.size, row.at, _line(row)


def _last(session: Session) -> LogCheckpoint | None:
    return session.scalar(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1))


def _grow(session: Session, last: LogCheckpoint | None) -> tuple[Frontier, bytes]:
    tree, head = _resume(session, last) if last else (Frontier(), b"")
    while True:
        rows = session.execute(
            select(LogSeal.seq, LogSeal.chain, LogEntry.hash)
            .join(LogEntry, LogEntry.id == LogSeal.entry_id)
            .where(LogSeal.seq > tree.size)
            .order_by(LogSeal.seq)
            .limit(_ROWS)
        ).all()
        for row in rows:
            if row.seq != tree.size + 1:
                raise Damaged(what="log", seq=tree.size + 1)
            tree.add(row.hash)
            head = row.chain
        if not rows:
            return tree, head


def _resume(session: Session, last: LogCheckpoint) -> tuple[Frontier, bytes]:
    try:
        tree = Frontier.from_bytes(last.size, last.frontier)
    except ValueError as error:
        raise Damaged(what="log_checkpoint", seq=last.size) from error
    head = session.scalar(select(LogSeal.chain).where(LogSeal.seq == last.size))
    if head != last.head or tree.root() != last.root:
        raise Damaged(what="log", seq=last.size)
    return tree, last.head


def _line(row: LogCheckpoint) -> bytes:
    line = {"signature": row.signature.hex(), "statement": stated(row).statement().decode()}
    return json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _parse(line: bytes, number: int | None = None) -> WitnessLine:
    try:
        outer = json.loads(line)
        said = json.loads(outer["statement"])
        if said["kind"] != _KIND or said["format"] != STATEMENT_FORMAT:
            raise Damaged(what="witness", line=number)
        return WitnessLine(
            statement=outer["statement"].encode(),
            signature=bytes.fromhex(outer["signature"]),
            size=int(said["size"]),
            root=bytes.fromhex(said["root"]),
            head=bytes.fromhex(said["head"]),
            key_id=str(said["key_id"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(what="witness", line=number) from error


def _told(path: Path) -> int:
    """Return how long a log the witness has seen; cut a torn last line first, left by a crash while it was written.

    Only the end is read: sizes rise, but for two processes that told the same ones at once.
    """
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        begin = max(0, file.seek(0, os.SEEK_END) - _TAIL)
        file.seek(begin)
        data = file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            file.truncate(begin + whole)
    lines = data[:whole].splitlines()[1 if begin else 0 :]
    return max((_parse(line).size for line in lines), default=0)


def _append(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
