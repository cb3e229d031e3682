"""What is asked after a trial of ``benchmarks.faults``: the client goes on where it was, and faults are looked for."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.clock import Clock
from archive.model import Content, ContentState, Record, RecordState
from benchmarks._faults_house import READER, WHO, Paper, send
from benchmarks._faults_processes import Say
from runtime.fsck import fsck
from runtime.processes.working import LocalWaker, work_done
from runtime.settings import Settings
from runtime.wiring.parts import Parts, build
from storage.sweep import sweep_orphans


def recover(
    chosen: Settings,
    sent: Mapping[str, Paper],
    acknowledged: Sequence[Mapping[str, Any]],
    say: Say,
    clock: Clock | None = None,
    expected: AbstractSet[tuple[str, str]] = frozenset(),
) -> None:
    """Start again: finish what a client would finish, run the jobs out, and look for what is wrong.

    With a ``clock`` later than the leases of what died, their jobs are taken up as another machine would.
    ``expected``: what an earlier trial damaged for good, as invariant and name; the check finds it at every look.
    """
    parts = build(chosen, LocalWaker(), clock)
    parts.runner.sweep()
    with work_done(parts, wait=True):
        _resume(parts, sent, acknowledged)
    swept = sweep_orphans(parts.db, parts.store, parts.clock, older_than=timedelta(0))
    wrong = [
        f"{v.invariant} {v.what} {v.fault}" for v in fsck(parts).violations if (v.invariant, v.what) not in expected
    ]
    wrong += _lost(parts, acknowledged)
    wrong += _left_over(parts)
    parts.close()
    say(did="checked", wrong=wrong, swept=[swept.objects, swept.uploads, swept.contents])


def _resume(parts: Parts, sent: Mapping[str, Paper], acknowledged: Sequence[Mapping[str, Any]]) -> None:
    """Be the client that asks how far its upload got, and goes on; then file what is not filed yet."""
    for told in acknowledged:
        if told["did"] != "begun":
            continue
        upload = UUID(told["upload"])
        with parts.db.reading() as session:
            row = session.get_one(Content, upload)
        if row.state is ContentState.RECEIVING:
            send(parts, upload, sent[told["name"]].data, parts.intake.progress(WHO, upload))
            parts.intake.finish(WHO, upload)
    records = [UUID(told["record"]) for told in acknowledged if told["did"] == "record"]
    with parts.db.reading() as session:
        stored = select(Content.record_id).where(Content.state == ContentState.STORED)
        ready = list(session.scalars(select(Record.id).where(Record.id.in_(records), Record.id.in_(stored))))
    parts.filing.file(WHO, ready)


def _lost(parts: Parts, acknowledged: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the client was told and is not so."""
    with parts.db.reading() as session:
        for told in acknowledged:
            if told["did"] == "stored":
                content = session.get(Content, UUID(told["content"]))
                if content is None or content.plain_sha256 != told["sha"] or content.text_version != 1:
                    yield f"ACK content {told['content']}"
            elif told["did"] in {"record", "filed"}:
                record = session.get(Record, UUID(told["record"]))
                if record is None:
                    yield f"ACK record {told['record']}"
                elif told.get("number") and (record.archive_number, record.state) != (
                    told["number"],
                    RecordState.FILED,
                ):
                    yield f"ACK number {told['number']}"
    for told in acknowledged:
        if told["did"] == "filed" and told["word"]:
            found = parts.search.search(parts.people.identity_of(READER), told["word"])
            if [str(hit.record_id) for hit in found.hits] != [told["record"]]:
                yield f"ACK not found once: {told['number']} ({found.total})"


def _left_over(parts: Parts) -> Iterator[str]:
    """After a sweep without a grace period nothing may be left that nobody owns."""
    with parts.db.reading() as session:
        rows = session.execute(select(Content.object_key, Content.store_version, Content.state)).all()
    owned = {(row.object_key, row.store_version) for row in rows}
    yield from (f"ORPHAN {info.key}" for info in parts.store.list() if (info.key, info.version) not in owned)
    yield from (f"UPLOAD {info.key}" for info in parts.store.uploads())
    yield from (f"RECEIVING {row.object_key}" for row in rows if row.state is ContentState.RECEIVING)
