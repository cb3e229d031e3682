"""Reviews of secrecy: asked for by a secrecy officer, decided by others by the house's routes, then done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.approving.deciders import hands_of, waiting_for
from archive.approving.engine import Approvals
from archive.approving.planning import plan, require
from archive.approving.states import OPEN
from archive.database import Database, Work, rows_by_id
from archive.database.newest import newest_first
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity, system
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Approval,
    ApprovalKind,
    ApprovalState,
    JobKind,
    Level,
    Record,
    RecordKind,
    RecordSecrecy,
    SecrecyOutcome,
    SecrecyReview,
    SecrecyReviewItem,
    SecrecyVerdict,
    Verdict,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from archive.ports import Vault
from archive.reasons import checked
from retention.elsewhere import outdated
from retention.secrecy import deriving
from retention.secrecy.acts import SecrecyActs
from retention.secrecy.rules import Facts, Target, faults
from retention.waiting import count_whole

MOST = 500
"""Records of one review."""

AT_ONCE = 20
"""Records that one transaction does; it stays well under 100 ms."""


@dataclass(frozen=True)
class Wish:
    """A review as it is asked for.

    ``title`` is that of a derived text, which readers of its lower level see; of several ``titles``, by their records.
    """

    verdict: SecrecyVerdict
    records: Sequence[UUID]
    why: str
    level: int | None = None
    months: int | None = None
    until: date | None = None
    title: str = ""
    titles: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReviewShown:
    """A review as one person sees it: ``items`` are its records that they read; ``whole``: these are all.

    ``titles`` are those of derived texts, ``derived`` the texts that they read, both by the record they come from.
    ``texts``: how many there are or are still to be made, of these items, whoever reads them; ``filed`` of them are.
    """

    review: SecrecyReview
    approval: Approval
    items: Sequence[tuple[SecrecyReviewItem, Record]]
    derived: Mapping[UUID, Record]
    titles: Mapping[UUID, str]
    why: str
    answer: str
    texts: int
    filed: int
    whole: bool
    may_decide: bool
    may_withdraw: bool


class SecrecyReviews:
    """The acts on reviews. One is seen by who reads a record of it, and decided by who reads them all."""

    def __init__(
        self, db: Database, vault: Vault, guard: Guard, approvals: Approvals, outbox: Outbox, acts: SecrecyActs
    ) -> None:
        self._db = db
        self._vault = vault
        self._guard = guard
        self._approvals = approvals
        self._outbox = outbox
        self._acts = acts

    def ask(self, identity: Identity, wish: Wish) -> UUID:
        """Ask for a review of filed records. Until it is decided their levels hold.

        Raises:
            NotFound, NotAllowed: one of the records is not there for this person, or not theirs to review.
            InvalidInput: names each field at fault; ``records``: none, too many, or under review already;
                ``route``: nobody could decide.
        """
        checked(wish.why)
        ids = list(dict.fromkeys(wish.records))
        if not 0 < len(ids) <= MOST:
            raise InvalidInput(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            records = self._asked(session, identity, ids)
            self._check(session, identity, wish, records)
            highest = max(records, key=lambda each: each.level_rank)
            asker = identity.person_id
            if asker is None:
                raise NotAllowed(act="secrecy.ask")
            steps = require(plan(session, self._guard, ApprovalKind.SECRECY, highest, frozenset(), asker, asker))
            key = new_id()
            one = records[0].id if len(records) == 1 else None
            what: dict[str, Any] = {"verdict": wish.verdict.value, "level": wish.level, "months": wish.months}
            what |= {"until": wish.until.isoformat() if wish.until else None, "title": ""}
            titles: Mapping[UUID, bytes] = {}
            if wish.verdict is SecrecyVerdict.DERIVE:
                said = deriving.titles_of(ids, wish.title, wish.titles)
                what |= deriving.asked_titles(said)
                titles = deriving.seal_titles(session, self._vault, key, said)
            approval = self._approvals.ask(
                session, identity, ApprovalKind.SECRECY, one, what, wish.why, about=key, steps=steps
            )
            session.add(
                SecrecyReview(
                    id=key, approval_id=approval, verdict=wish.verdict, to_level=wish.level, months=wish.months,
                    until=wish.until,
                )
            )  # fmt: skip
            session.flush()
            # items before the dossiers that hold them, so that both may come down together
            records.sort(key=lambda each: each.kind is RecordKind.DOSSIER)
            session.add_all(
                SecrecyReviewItem(
                    review_id=key,
                    record_id=each.id,
                    position=place,
                    level_rank=each.level_rank,
                    title=titles.get(each.id),
                )
                for place, each in enumerate(records, start=1)
            )
            work.commit()
        return key

    def proposed(self, session: Session, identity: Identity) -> Mapping[SecrecyVerdict, Sequence[UUID]]:
        """Return what the last appraisals say is to be opened or declassified, and can be, until it is reviewed so.

        What is under another review waits for that: ``ask`` would refuse all that is asked for together with it.
        """
        if not may(Act.SEE_SECRECY, self._guard.reach(session, identity)):
            return {}
        secret = Record.id.in_(select(RecordSecrecy.record_id))
        found = {}
        for verdict, can in (
            (SecrecyVerdict.DECLASSIFY, secret),
            (SecrecyVerdict.OPEN, and_(~secret, Record.group_id.is_(None))),
        ):
            reviewed = (
                select(SecrecyReviewItem.record_id)
                .join(SecrecyReview, SecrecyReview.id == SecrecyReviewItem.review_id)
                .join(Approval, Approval.id == SecrecyReview.approval_id)
                .where(SecrecyReviewItem.record_id == AppraisalItem.record_id, SecrecyReview.verdict == verdict)
                .where(Approval.state != ApprovalState.WITHDRAWN, Approval.asked_at >= Appraisal.closed_at)
            )
            judged = (
                select(AppraisalItem.record_id)
                .join(Appraisal, Appraisal.id == AppraisalItem.appraisal_id)
                .where(Appraisal.state == AppraisalState.CLOSED, AppraisalItem.verdict == Verdict(verdict.value))
                .where(~reviewed.exists(), ~outdated())
            )
            mine = self._guard.visible(session, identity, Act.SET_LEVEL).with_only_columns(Record.id)
            query = mine.where(Record.id.in_(judged), can, Record.id.not_in(_under_review()))
            found[verdict] = session.scalars(query.order_by(Record.id).limit(MOST)).all()
        return found

    def to_title(self, identity: Identity, ids: Collection[UUID]) -> deriving.ToTitle:
        """Return those of some filed records, at most ``2 * MOST``, from which this person may have texts derived."""
        with self._db.reading() as session:
            mine = self._guard.visible(session, identity, Act.SET_LEVEL)
            mine = mine.where(Record.id.in_(ids), Record.filed_at.is_not(None))
            rows = session.scalars(mine.order_by(Record.archive_number, Record.id)).all()
            busy = set(session.scalars(_under_review().where(SecrecyReviewItem.record_id.in_(ids))))
            free = [each for each in rows if each.id not in busy]
            taken = free[: deriving.MOST_DERIVED]
            return deriving.ToTitle(taken, len(rows) - len(free), len(free) - len(taken), len(set(ids)) - len(rows))

    def show(self, identity: Identity, review_id: UUID) -> ReviewShown:
        """Show a review. Raises ``NotFound``: there is none of which this person reads a record."""
        with self._db.reading() as session:
            review, items, whole = self._seen(session, identity, review_id)
            approval = session.get_one(Approval, review.approval_id)
            what, why, answer = self._approvals.opened(session, approval)
            hands = hands_of(session, identity.person_id, self._guard.day())
            waits = approval.state is ApprovalState.ASKED
            decides = waits and whole and self._approvals.may_decide(session, identity.person_id, approval, hands)
            said = approval.decided_by == identity.person_id
            if not decides and not said and not may(Act.SEE_SECRECY, self._guard.reach(session, identity)):
                raise NotFound
            texts = {item.derived_id: item.record_id for item, _ in items if item.derived_id}
            derived = rows_by_id(session, Record, self._guard.seen(session, identity, list(texts)))
            rows = [item for item, _ in items]
            titles = deriving.kept_titles(session, self._vault, what, rows)
            all_texts, filed = deriving.texts_of(session, review, approval, rows)
            return ReviewShown(
                review, approval, items, {texts[key]: row for key, row in derived.items()}, titles, why, answer,
                texts=all_texts, filed=filed, whole=whole,
                may_decide=decides,
                may_withdraw=approval.state in OPEN and approval.asked_by == identity.person_id,
            )  # fmt: skip

    def every(
        self, identity: Identity, *, decided: bool = False, after: tuple[datetime, UUID] | None = None, limit: int
    ) -> Sequence[tuple[SecrecyReview, Approval, int]]:
        """Return reviews with their requests and how many of their records this person reads, the newest first.

        Who does not see all that is secret sees those that wait for them.
        """
        with self._db.reading() as session:
            seen = (
                select(SecrecyReviewItem.review_id, func.count().label("counted"))
                .where(self._guard.opens(session, identity, SecrecyReviewItem.record_id))
                .group_by(SecrecyReviewItem.review_id)
                .subquery()
            )
            query = (
                select(SecrecyReview, Approval, seen.c.counted)
                .join(Approval, Approval.id == SecrecyReview.approval_id)
                .join(seen, seen.c.review_id == SecrecyReview.id)
                .where(Approval.state.not_in(OPEN) if decided else Approval.state.in_(OPEN))
            )
            if not may(Act.SEE_SECRECY, self._guard.reach(session, identity)):
                query = query.where(Approval.id.in_(self._mine(session, identity)))
            rows: Any = session.execute(newest_first(query, Approval.asked_at, SecrecyReview.id, after).limit(limit))
            return [(row[0], row[1], row[2]) for row in rows]

    def count(self, session: Session, identity: Identity) -> int:
        """Count the reviews that this person may decide now."""
        listed = (
            select(SecrecyReviewItem.record_id)
            .join(SecrecyReview, SecrecyReview.id == SecrecyReviewItem.review_id)
            .where(SecrecyReview.approval_id == Approval.id)
        )
        return count_whole(session, self._guard, identity, ApprovalKind.SECRECY, listed)

    def _mine(self, session: Session, identity: Identity) -> Select[UUID]:
        return waiting_for(session, identity.person_id, ApprovalKind.SECRECY, self._guard.day())

    def decide(self, identity: Identity, review_id: UUID, why: str, *, approve: bool) -> ApprovalState:
        """Decide at the present step; the last yes does what was asked for, at once or (of many records) by a job.

        Raises:
            NotFound: no such review for this person.
            NotAllowed, OwnRequest, Ended: as ``Approvals.decide``; also who does not read all its records, or is not
                cleared for the level that they would come to.
            InvalidInput: field ``reason``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            review, _, whole = self._seen(session, identity, review_id)
            cleared = self._guard.reach(session, identity).levels
            if not whole or (review.to_level is not None and review.to_level not in cleared):
                raise NotAllowed(act="secrecy.approve" if approve else "secrecy.refuse")
            approval = session.get_one(Approval, review.approval_id, with_for_update=True)
            hands = hands_of(session, identity.person_id, self._guard.day())
            state = self._approvals.decide(session, identity, approval, hands, why, approve=approve)
            if state is ApprovalState.APPROVED and self._do(work, identity, review):
                self._outbox.add(work, JobKind.SECRECY, review.id)
            work.commit()
            return state

    def withdraw(self, identity: Identity, review_id: UUID) -> None:
        """Take back what one asked for. Raises as ``decide``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            review, _, _ = self._seen(work.session, identity, review_id)
            approval = work.session.get_one(Approval, review.approval_id)
            self._approvals.end(work.session, identity, approval, ApprovalState.WITHDRAWN, "")
            work.commit()

    def go_on(self, review_id: UUID) -> bool:
        """Do the next records of an approved review; return whether more are left. What is done is not done again."""
        with self._db.writing() as work:
            review = work.session.get(SecrecyReview, review_id)
            if review is None:
                return False
            approval = work.session.get_one(Approval, review.approval_id)
            if approval.state is not ApprovalState.APPROVED:
                return False
            more = self._do(work, system("retention"), review)
            failpoints.reach("secrecy.part_done")
            work.commit()
        return more

    def _do(self, work: Work, identity: Identity, review: SecrecyReview) -> bool:
        approval = work.session.get_one(Approval, review.approval_id)
        what = self._approvals.opened(work.session, approval)[0]
        query = (
            select(SecrecyReviewItem)
            .where(SecrecyReviewItem.review_id == review.id, SecrecyReviewItem.outcome == SecrecyOutcome.WAITING)
            .order_by(SecrecyReviewItem.position)
            .limit(AT_ONCE + 1)
        )
        items = work.session.scalars(query).all()
        titles = deriving.kept_titles(work.session, self._vault, what, items[:AT_ONCE])
        for item in items[:AT_ONCE]:
            self._acts.do(work, identity, review, item, titles.get(item.record_id, ""))
        return len(items) > AT_ONCE

    def _asked(self, session: Session, identity: Identity, ids: Sequence[UUID]) -> list[Record]:
        mine = self._guard.visible(session, identity, Act.SET_LEVEL)
        mine = mine.where(Record.id.in_(ids), Record.filed_at.is_not(None))
        found = {row.id: row for row in session.scalars(mine)}
        for key in ids:
            if key not in found:
                self._guard.require(session, identity, Act.SET_LEVEL, key)
                raise NotAllowed(act=Act.SET_LEVEL.value)
        return [found[key] for key in ids]

    def _check(self, session: Session, identity: Identity, wish: Wish, records: Sequence[Record]) -> None:
        level = session.get(Level, wish.level) if wish.level is not None else None
        wrong = [Fault("level", "unknown")] if wish.level is not None and level is None else []
        if wish.verdict is SecrecyVerdict.RAISE and wish.level not in self._guard.reach(session, identity).levels:
            raise NotAllowed(act=Act.SET_LEVEL.value)
        ids = [each.id for each in records]
        if wish.verdict is SecrecyVerdict.DERIVE:
            wrong += deriving.title_faults(records, deriving.titles_of(ids, wish.title, wish.titles))
        busy = set(session.scalars(_under_review().where(SecrecyReviewItem.record_id.in_(ids))))
        if busy:
            wrong.append(Fault("records", "under_review"))
        kept = session.scalars(select(RecordSecrecy).where(RecordSecrecy.record_id.in_(ids)))
        periods = {row.record_id: row for row in kept}
        target = Target(wish.level, level is not None and level.secrecy_months is not None, wish.months, wish.until)
        told: dict[str, str] = {}
        at_fault: list[Record] = []
        for each in records:
            period = periods.get(each.id)
            facts = Facts(each.level_rank, period is not None, period.ends if period else None, bool(each.group_id))
            mine = faults(wish.verdict, facts, target, self._guard.day())
            told |= mine
            if mine or each.id in busy:
                at_fault.append(each)
        wrong += [Fault(name, code) for name, code in told.items()]
        if 0 < len(at_fault) < len(records):
            wrong.append(Fault("records", "records_at_fault", {"numbers": deriving.numbers(at_fault)}))
        if wrong:
            raise InvalidInput(*wrong)

    def _seen(
        self, session: Session, identity: Identity, review_id: UUID
    ) -> tuple[SecrecyReview, Sequence[tuple[SecrecyReviewItem, Record]], bool]:
        """Return a review, those of its records that this person reads, and whether these are all."""
        review = session.get(SecrecyReview, review_id)
        rows = session.scalars(
            select(SecrecyReviewItem)
            .where(SecrecyReviewItem.review_id == review_id)
            .order_by(SecrecyReviewItem.position)
        ).all()
        seen = self._guard.seen(session, identity, [each.record_id for each in rows])
        records = rows_by_id(session, Record, seen)
        items = [(each, records[each.record_id]) for each in rows if each.record_id in records]
        if review is None or not items:
            raise NotFound
        return review, items, len(items) == len(rows)


def _under_review() -> Select[UUID]:
    """Select the records of reviews that are not decided."""
    return (
        select(SecrecyReviewItem.record_id)
        .join(SecrecyReview, SecrecyReview.id == SecrecyReviewItem.review_id)
        .join(Approval, Approval.id == SecrecyReview.approval_id)
        .where(Approval.state.in_(OPEN))
    )
