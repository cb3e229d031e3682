"""Proofs of single entries for whoever has no access: each entry's bytes, and its path to the root of a checkpoint."""

import base64
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.log.checkpoints import stated
from archive.log.entry import entry_bytes
from archive.log.merkle import node
from archive.model.log import LogCheckpoint, LogEntry, LogSeal


def proved(session: Session, entries: Sequence[LogEntry]) -> dict[str, Any]:
    """Return the last checkpoint as it was signed, and each entry with its place and path.

    An entry that no checkpoint covers yet has no path: it is to be asked for again later.
    """
    last = session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)).first()
    seqs = dict(
        session.execute(
            select(LogSeal.entry_id, LogSeal.seq).where(LogSeal.entry_id.in_([each.id for each in entries]))
        ).all()
    )
    size = last.size if last else 0
    levels = _levels(session, size)
    told = []
    for each in entries:
        seq = seqs.get(each.id)
        covered = seq is not None and seq <= size
        path = [step.hex() for step in _path(levels, seq - 1)] if seq is not None and covered else None
        told.append({"seq": seq, "entry": base64.b64encode(entry_bytes(each)).decode(), "path": path})
    checkpoint = None
    if last is not None:
        checkpoint = {"statement": stated(last).statement().decode(), "signature": last.signature.hex()}
    return {"checkpoint": checkpoint, "entries": told}


def _levels(session: Session, size: int) -> list[list[bytes]]:
    """Return every level of the tree over the first ``size`` leaves, leaves first; a last one alone is carried up."""
    query = select(LogEntry.hash).join(LogSeal, LogSeal.entry_id == LogEntry.id).where(LogSeal.seq <= size)
    levels = [list(session.scalars(query.order_by(LogSeal.seq)))]
    while len(levels[-1]) > 1:
        low = levels[-1]
        pairs = [node(low[at], low[at + 1]) for at in range(0, len(low) - 1, 2)]
        levels.append(pairs + low[len(low) - len(low) % 2 :])
    return levels


def _path(levels: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    path = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index >>= 1
    return path
