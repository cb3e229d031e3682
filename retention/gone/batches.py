"""One batch of a destruction: asked once more whether each record may go, then all rows of it in one transaction.

Bytes go after the rows: what a crash leaves between stands in ``destruction_object``, has no key any more, and is
removed by the next run. So an item is whole or gone, and no item goes twice.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, insert, null, select, update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.blocks import end_caused
from archive.database import Base, Database, Work
from archive.dossiers.order import close_gaps
from archive.fence import raise_fences
from archive.identity import system
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    Attachment,
    BlockCause,
    Content,
    DestructionItem,
    DestructionItemState,
    DestructionObject,
    DestructionRun,
    DestructionTrace,
    Fence,
    JobKind,
    Record,
    RecordKind,
    Stop,
)
from archive.policy.guard import Guard
from archive.ports import IndexTraces, KeyErasing, ObjectErasing, ObjectStore, PictureTraces
from archive.purging import drafts_of, forget_traces, remove_records
from retention.elsewhere import kept_from_destruction
from retention.last_check import stops

BATCH = 100
"""Records whose rows one transaction removes."""

OBJECTS = 200
FENCED = 700
"""With so many gone records that the index has not forgotten yet, no more go: a search lists no more than 1,000."""

ACTOR = system("destruction")
_ITEM = Base.metadata.tables["destruction_item"]


def words_context(record_id: UUID) -> str:
    """Return what the rare words of a record are sealed for."""
    return f"gone:{record_id.hex}"


@dataclass(frozen=True)
class Means:
    """What a destruction reaches outside the database."""

    objects: ObjectErasing
    store: ObjectStore
    keys: KeyErasing
    index: IndexTraces
    pictures: PictureTraces


class Batches:
    """Removes what a running destruction lists."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox, means: Means) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._means = means

    def next(self, destruction_id: UUID) -> bool | None:
        """Remove the next batch; return whether there was one, None when the index must catch up first."""
        with self._db.reading() as session:
            ids = _doomed(session, destruction_id)
            fenced = session.scalar(select(func.count()).select_from(Fence).where(Fence.fact == "record")) or 0
            if ids and fenced > FENCED:
                return None
            contents = session.execute(_CONTENTS.where(Content.record_id.in_(ids))).all()
            words = self._means.index.rare_words(session, ids)
        if not ids:
            return False
        failpoints.reach("destroy.batch")
        holding = self._means.objects.held({row.object_key: row.store_version for row in contents})
        held = {row.record_id for row in contents if row.object_key in holding}
        with self._db.writing() as work:
            run = work.session.get_one(DestructionRun, destruction_id)
            still = set(_doomed(work.session, destruction_id))  # another worker may have been faster
            self._batch(work, run, [key for key in ids if key in still], held, words)
            failpoints.reach("destroy.before_commit")
            work.commit()
        failpoints.reach("destroy.removed")
        self.erase(destruction_id)
        return True

    def _batch(
        self, work: Work, run: DestructionRun, ids: Sequence[UUID], held: Collection[UUID],
        words: Mapping[UUID, Sequence[str]],
    ) -> None:  # fmt: skip
        session = work.session
        pulled = dict(stops(session, ids, self._guard.day(), kept_from_destruction))
        pulled |= {key: Stop.HELD for key in ids if key in held and key not in pulled}
        pulled |= _not_empty(session, run.destruction_id, [key for key in ids if key not in pulled], pulled)
        for why in set(pulled.values()):
            some = [key for key, each in pulled.items() if each is why]
            _mark(session, run.destruction_id, some, state=DestructionItemState.PULLED, pulled=why)
        end_caused(session, ACTOR, BlockCause.DESTRUCTION, run.destruction_id, list(pulled), self._guard)
        if going := [key for key in ids if key not in pulled]:
            self._remove(work, run, going, words)

    def _remove(
        self, work: Work, run: DestructionRun, ids: Sequence[UUID], words: Mapping[UUID, Sequence[str]]
    ) -> None:
        session, now = work.session, self._guard.now()
        contents = [
            {
                "content_id": row.id, "destruction_id": run.destruction_id, "record_id": row.record_id,
                "object_key": row.object_key, "store_version": row.store_version, "upload": row.upload,
            }
            for asked in (_CONTENTS.where(Content.record_id.in_(ids)), _ATTACHED.where(Attachment.record_id.in_(ids)))
            for row in session.execute(asked)
        ]  # fmt: skip
        rows = session.execute(_RECORDS.where(Record.id.in_(ids))).all()
        if contents:
            session.execute(insert(DestructionObject), contents)
        session.execute(insert(DestructionTrace), [self._trace(run, row, words.get(row.id, ())) for row in rows])
        run.partitions = sorted({*run.partitions, *(each for row in rows for each in row.indexed_in)})
        left = {row.dossier_id for row in rows if row.dossier_id} - set(ids)
        for dossier in sorted(left):
            close_gaps(session, dossier, set(ids))
        self._means.keys.doom(session, [*ids, *drafts_of(session, ids)])
        forget_traces(session, ids, [each["content_id"] for each in contents])
        remove_records(session, ids)
        raise_fences(session, "record", [str(key) for key in ids], now)
        self._log.note_many(session, ACTOR, "record.destroy", [(key, None) for key in ids])
        _mark(session, run.destruction_id, ids, state=DestructionItemState.GONE, gone_at=now)
        self._outbox.add_many(work, JobKind.INDEX, [*ids, *sorted(left)])

    def _trace(self, run: DestructionRun, row: Any, words: Sequence[str]) -> dict[str, Any]:
        sealed = None
        if words and run.words_key:
            data = json.dumps(list(words), ensure_ascii=False).encode()
            sealed = self._means.keys.passing(run.words_key).seal(data, context=words_context(row.id))
        number = row.archive_number or row.registration_number
        return {"destruction_id": run.destruction_id, "record_id": row.id, "number": number, "sealed": sealed}

    def erase(self, destruction_id: UUID, *, again: bool = False) -> int:
        """Remove the bytes whose rows are gone; return of how many contents something refused to go.

        ``again`` removes once more what was removed before, whatever its version: something may have come back since.
        """
        after, refused = UUID(int=0), 0
        waiting = select(DestructionObject).where(DestructionObject.destruction_id == destruction_id)
        if not again:
            waiting = waiting.where(DestructionObject.removed_at.is_(None))
        while True:
            page = waiting.where(DestructionObject.content_id > after).order_by(DestructionObject.content_id)
            with self._db.reading() as session:
                rows = session.scalars(page.limit(OBJECTS)).all()
            if not rows:
                return refused
            for row in rows:
                if row.upload:
                    self._means.store.abort(row.object_key, row.upload)
            stays = self._means.objects.erase({row.object_key: None if again else row.store_version for row in rows})
            self._means.pictures.forget([row.content_id for row in rows])
            failpoints.reach("destroy.objects")
            done = [row.content_id for row in rows if row.object_key not in stays]
            with self._db.writing() as work:
                gone = update(DestructionObject).where(DestructionObject.content_id.in_(done))
                work.session.execute(gone.values(removed_at=self._guard.now()))
                work.commit()
            after, refused = rows[-1].content_id, refused + len(rows) - len(done)


_CONTENTS = select(Content.id, Content.record_id, Content.object_key, Content.store_version, Content.upload)
_ATTACHED = select(
    Attachment.id, Attachment.record_id, Attachment.object_key, Attachment.store_version, null().label("upload")
)
_RECORDS = select(Record.id, Record.archive_number, Record.registration_number, Record.indexed_in, Record.dossier_id)


def _doomed(session: Session, destruction_id: UUID) -> Sequence[UUID]:
    """Return the next items that will go, dossiers last."""
    last = case((Record.kind == RecordKind.DOSSIER, 1), else_=0)
    return session.scalars(
        select(DestructionItem.record_id)
        .outerjoin(Record, Record.id == DestructionItem.record_id)
        .where(DestructionItem.destruction_id == destruction_id, DestructionItem.state == DestructionItemState.DOOMED)
        .order_by(last, DestructionItem.position)
        .limit(BATCH)
    ).all()


def _not_empty(
    session: Session, destruction_id: UUID, ids: Sequence[UUID], pulled: Mapping[UUID, Stop]
) -> dict[UUID, Stop]:
    """Return the dossiers that keep an item, for the reason for which it stays; one that is not listed is not due."""
    going = set(ids)
    inside = session.execute(select(Record.id, Record.dossier_id).where(Record.dossier_id.in_(ids))).all()
    staying = [row for row in inside if row.id not in going]
    listed = select(DestructionItem.record_id, DestructionItem.pulled).where(
        DestructionItem.destruction_id == destruction_id, DestructionItem.record_id.in_([row.id for row in staying])
    )
    reasons: dict[UUID, Stop | None] = dict(session.execute(listed).all())
    return {row.dossier_id: pulled.get(row.id) or reasons.get(row.id) or Stop.UNDUE for row in staying}


def _mark(session: Session, destruction_id: UUID, ids: Sequence[UUID], **values: Any) -> None:
    items = update(_ITEM).where(_ITEM.c.destruction_id == destruction_id, _ITEM.c.record_id.in_(ids))
    session.connection().execute(items.values(**values))
