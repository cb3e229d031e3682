"""What ``fsck`` checks of secrecy periods and of appraisals."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Block,
    BlockCause,
    Level,
    Record,
    RecordExtension,
    RecordOpening,
    RecordSecrecy,
    RecordState,
    SecrecyOutcome,
    SecrecyReview,
    SecrecyReviewItem,
    SecrecyVerdict,
    Verdict,
)
from retention.appraising.concluding import digest_of
from retention.secrecy.rules import ends
from runtime.wiring.parts import Parts

_EXTENDING = (SecrecyVerdict.EXTEND, SecrecyVerdict.DERIVE)
_SHORT = timedelta(days=3)
"""By so much each extension may differ from one reckoning of all months: months have unlike lengths."""


def secrecy_faults(parts: Parts, most: int) -> Iterator[tuple[str, str]]:
    """Yield record and fault of its secrecy period, by batches of ``most``.

    ``stray``: it is not filed, or its level has no period; ``level``: the period is of another level; ``ends``: its end
    is not what its beginning and months come to; ``condition``: it has neither an end nor a condition in words;
    ``released``: it is released although it is secret.
    """
    last: UUID | None = None
    while True:
        with parts.db.reading() as session:
            rows = _periods(session, last, most)
            ids = [row.record_id for row, *_ in rows]
            times = _extensions(session, ids)
            released = set(
                session.scalars(
                    select(RecordOpening.record_id).where(
                        RecordOpening.record_id.in_(ids), RecordOpening.released.is_(True)
                    )
                )
            )
        for row, state, rank, months in rows:
            what = str(row.record_id)
            if state is not RecordState.FILED or months is None:
                yield what, "stray"
            elif row.level_rank != rank:
                yield what, "level"
            if row.months is None:
                if row.sealed is None:
                    yield what, "condition"
            elif row.ends is None or abs(row.ends - ends(row.since, row.months)) > _SHORT * times.get(row.record_id, 0):
                yield what, "ends"
            if row.record_id in released:
                yield what, "released"
        if len(rows) < most:
            return
        last = ids[-1]


def _periods(
    session: Session, last: UUID | None, most: int
) -> Sequence[tuple[RecordSecrecy, RecordState, int, int | None]]:
    query = (
        select(RecordSecrecy, Record.state, Record.level_rank, Level.secrecy_months)
        .join(Record, Record.id == RecordSecrecy.record_id)
        .join(Level, Level.rank == Record.level_rank)
        .order_by(RecordSecrecy.record_id)
        .limit(most)
    )
    rows = session.execute(query if last is None else query.where(RecordSecrecy.record_id > last)).all()
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _extensions(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how often the periods of records were extended."""
    query = (
        select(SecrecyReviewItem.record_id, func.count().label("times"))
        .join(SecrecyReview, SecrecyReview.id == SecrecyReviewItem.review_id)
        .where(SecrecyReviewItem.record_id.in_(ids), SecrecyReview.verdict.in_(_EXTENDING))
        .where(SecrecyReviewItem.outcome == SecrecyOutcome.DONE)
        .group_by(SecrecyReviewItem.record_id)
    )
    return {row.record_id: row.times for row in session.execute(query)}


def appraisal_faults(parts: Parts, most: int) -> Iterator[tuple[str, str]]:
    """Yield the number of an appraisal, or a record of it, and the fault.

    ``digest``: a closed one is not what was signed for; ``until``: its verdict to keep on has no day, or the day is not
    kept of the record; ``blocked``: a record stays blocked by one that has ended; ``unblocked``: a record of an open
    one may be lent. While a job opens or closes an appraisal, it is not looked at.
    """
    with parts.db.reading(long=True) as session:
        for row in session.scalars(select(Appraisal).where(Appraisal.task.is_(None)).order_by(Appraisal.id)):
            if row.state is AppraisalState.CLOSED:
                if row.digest != digest_of(session, row)[0]:
                    yield row.number, "digest"
                yield from ((str(key), "until") for key in session.scalars(_not_kept_on(row.id).limit(most)))
            blocked = select(Block.record_id).where(
                Block.cause == BlockCause.APPRAISAL, Block.cause_id == row.id, Block.ended_at.is_(None)
            )
            if row.state is AppraisalState.OPEN:
                free = _there(row.id).where(AppraisalItem.record_id.not_in(blocked))
                yield from ((str(key), "unblocked") for key in session.scalars(free.limit(most)))
            elif row.state is not AppraisalState.DRAFT:
                yield from ((str(key), "blocked") for key in session.scalars(blocked.limit(most)))


def _there(key: UUID) -> Select[UUID]:
    """Return a query for the records of an appraisal that are still kept."""
    query = select(AppraisalItem.record_id).join(Record, Record.id == AppraisalItem.record_id)
    return query.where(AppraisalItem.appraisal_id == key).order_by(AppraisalItem.position)


def _not_kept_on(key: UUID) -> Select[UUID]:
    kept = select(RecordExtension.id).where(
        RecordExtension.appraisal_id == key, RecordExtension.record_id == AppraisalItem.record_id,
        RecordExtension.until == AppraisalItem.until,
    )  # fmt: skip
    missing = or_(AppraisalItem.until.is_(None), ~kept.correlate(AppraisalItem).exists())
    return _there(key).where(AppraisalItem.verdict == Verdict.KEEP, missing)
