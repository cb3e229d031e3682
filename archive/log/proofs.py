"""Proofs of single entries for whoever has no access: each entry's bytes, and its path to the root of a checkpoint."""

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.log.checkpoints import stated
from archive.log.entry import entry_bytes
from archive.log.merkle import inclusion_proofs
from archive.model.log import LogCheckpoint, LogEntry, LogSeal

_ROWS = 1000


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
    covered = {seq - 1 for seq in seqs.values() if seq <= size}
    paths = inclusion_proofs(_leaves(session, size) if covered else (), size, covered)
    told = []
    for each in entries:
        seq = seqs.get(each.id)
        path = paths.get(seq - 1) if seq is not None else None
        steps = None if path is None else [step.hex() for step in path]
        told.append({"seq": seq, "entry": base64.b64encode(entry_bytes(each)).decode(), "path": steps})
    checkpoint = None
    if last is not None:
        checkpoint = {"statement": stated(last).statement().decode(), "signature": last.signature.hex()}
    return {"checkpoint": checkpoint, "entries": told}


def _leaves(session: Session, size: int) -> Iterable[bytes]:
    query = select(LogEntry.hash).join(LogSeal, LogSeal.entry_id == LogEntry.id).where(LogSeal.seq <= size)
    return session.scalars(query.order_by(LogSeal.seq).execution_options(yield_per=_ROWS))
