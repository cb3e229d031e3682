"""What an approved review does with one record, in the caller's transaction."""

from datetime import date
from uuid import UUID

from archive.cataloguing.describing import Draft
from archive.cataloguing.records import RecordService
from archive.database import Work
from archive.dossiers import level as dossier_level
from archive.dossiers.level import Means
from archive.fence import raise_fence
from archive.identity import Identity, system
from archive.log.writer import Log
from archive.model import (
    Medium,
    Record,
    RecordOpening,
    RecordRelation,
    RecordSecrecy,
    RecordState,
    RelationKind,
    SecrecyOutcome,
    SecrecyReview,
    SecrecyReviewItem,
    SecrecyVerdict,
)
from archive.policy.guard import Guard
from retention.secrecy.board import forget_notice
from retention.secrecy.rules import extended


class SecrecyActs:
    """Does what was decided. Asks nobody: the decision was the leave."""

    def __init__(self, guard: Guard, log: Log, records: RecordService, means: Means) -> None:
        self._guard = guard
        self._log = log
        self._records = records
        self._means = means

    def do(self, work: Work, identity: Identity, review: SecrecyReview, item: SecrecyReviewItem, title: str) -> None:
        """Do it to one record, and note on its line what became of it. Done twice it is no error."""
        session = work.session
        if item.outcome is not SecrecyOutcome.WAITING:
            return
        record = session.get_one(Record, item.record_id, with_for_update=True)
        if record.state is not RecordState.FILED or record.level_rank != item.level_rank:
            item.outcome = SecrecyOutcome.CHANGED
        elif _falls(review) and (review.to_level or 0) < dossier_level.highest(session, record.id):
            item.outcome = SecrecyOutcome.CONTENTS
        else:
            self._one(work, identity, review, item, record, title)
            item.outcome = SecrecyOutcome.DONE
        session.flush()

    def _one(
        self,
        work: Work,
        identity: Identity,
        review: SecrecyReview,
        item: SecrecyReviewItem,
        record: Record,
        title: str,
    ) -> None:
        match review.verdict:
            case SecrecyVerdict.LOWER | SecrecyVerdict.DECLASSIFY | SecrecyVerdict.RAISE:
                self._level(work, identity, review, record)
            case SecrecyVerdict.EXTEND:
                self._extend(work, identity, review, record)
            case SecrecyVerdict.DERIVE:
                self._extend(work, identity, review, record)
                item.derived_id = self._derive(work, review, record, title)
            case SecrecyVerdict.OPEN | SecrecyVerdict.CONTROL:
                self._release(work, identity, review, record)

    def _level(self, work: Work, identity: Identity, review: SecrecyReview, record: Record) -> None:
        before, rank = record.level_rank, review.to_level or record.level_rank
        if rank > before:
            raise_fence(work.session, "record", str(record.id), self._guard.now())
        record.level_rank = rank
        body = {"before": before, "after": rank, "review": str(review.id), "reason": review.verdict.value}
        self._records.changed(work, identity, record, "record.set_level", body)
        dossier_level.follow(work, identity, record, self._means)

    def _extend(self, work: Work, identity: Identity, review: SecrecyReview, record: Record) -> None:
        period = work.session.get(RecordSecrecy, record.id)
        if period is None or review.months is None:
            return
        before = period.ends
        today = self._guard.day()
        if period.months is None:
            period.since, period.months = today, 0
        period.ends = extended(before, review.months, today)
        period.months += review.months
        forget_notice(work.session, self._guard, period)
        body = {"before": before and before.isoformat(), "after": period.ends.isoformat(), "review": str(review.id)}
        self._log.note(work.session, identity, "secrecy.extend", record=record.id, body=body)

    def _derive(self, work: Work, review: SecrecyReview, record: Record, title: str) -> UUID:
        """Begin the derived text: a draft with the title that was approved, and nothing else that may be secret."""
        draft = Draft(
            fonds_id=record.fonds_id, category_id=record.category_id, title=title, drawn_up=record.drawn_up,
            level_rank=review.to_level, place_id=record.place_id, department_id=record.department_id, term=record.term,
            medium=Medium.ELECTRONIC,
        )  # fmt: skip
        [key] = self._records.insert(work, system("retention"), [draft])
        work.session.add(
            RecordRelation(
                record_id=key, kind=RelationKind.DERIVED_FROM, other_id=record.id, made_by=None,
                made_at=self._guard.now(),
            )
        )  # fmt: skip
        body = {"records": [str(key), str(record.id)], "kind": RelationKind.DERIVED_FROM.value}
        self._log.note(work.session, system("retention"), "relation.add", body=body)
        return key

    def _release(self, work: Work, identity: Identity, review: SecrecyReview, record: Record) -> None:
        released, today = review.verdict is SecrecyVerdict.OPEN, self._guard.day()
        row = work.session.get(RecordOpening, record.id)
        if row is None:
            row = RecordOpening(record_id=record.id)
            work.session.add(row)
        row.released, row.since, row.until = released, today, None if released else review.until
        act = "secrecy.release" if released else "secrecy.control"
        self._records.changed(work, identity, record, act, {"review": str(review.id), "until": _iso(row.until)})


def _falls(review: SecrecyReview) -> bool:
    return review.verdict in {SecrecyVerdict.LOWER, SecrecyVerdict.DECLASSIFY}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
