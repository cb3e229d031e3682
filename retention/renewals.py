"""Renewals 续期: an archivist proposes that records be kept longer than their terms say, and others decide.

What is granted is the same fact of the clock as an appraisal's verdict to keep on (``retention.keeping_on``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of, waiting_for
from archive.approving.engine import Approvals
from archive.approving.planning import plan, require
from archive.approving.states import OPEN
from archive.clock import Clock
from archive.database import Database, rows_by_id
from archive.database.newest import newest_first
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    DestructionItem,
    DestructionItemState,
    Record,
)
from archive.model.retention import RenewalItem
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from archive.ports import Vault
from archive.reasons import reason_faults
from retention.keeping_on import Keep, Longer
from retention.reckoning import DueDays, kept
from retention.renewal_rules import Extent, Facts, refused, until, wrong
from retention.waiting import count_whole

MOST = 100
"""Records of one request: one transaction does them all, and stays short."""

LONGEST_AUTHORITY = 200


@dataclass(frozen=True)
class Wish:
    """A renewal as it is asked for."""

    records: Sequence[UUID]
    extent: Extent
    why: str
    authority: str


@dataclass(frozen=True)
class RenewalShown:
    """A renewal as one person sees it: ``items`` are its records that they read; ``whole``: these are all."""

    approval: Approval
    items: Sequence[tuple[RenewalItem, Record]]
    extent: Extent
    authority: str
    why: str
    answer: str
    whole: bool
    may_decide: bool
    may_withdraw: bool


class Renewals:
    """The acts on renewals. One is seen by who reads a record of it, and decided by who reads them all."""

    def __init__(
        self,
        db: Database,
        guard: Guard,
        vault: Vault,
        log: Log,
        clock: Clock,
        approvals: Approvals,
        due_days: DueDays,
    ) -> None:
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._keep = Keep(vault, log, clock, due_days)

    def ask(self, identity: Identity, wish: Wish) -> UUID:
        """Ask for a renewal of filed records, and return its id. Until it is decided their days stay as they are.

        Raises:
            NotFound, NotAllowed: one of the records is not there for this person, or not theirs to renew.
            InvalidInput: names each field at fault; ``records``: none, too many, one that is kept for good, stands on
                the list of a destruction, is under another renewal, or would not be kept longer; ``route``: nobody
                could decide.
        """
        ids = list(dict.fromkeys(wish.records))
        today = self._guard.day()
        faults = [*_said(wish), *wrong(wish.extent, today)]
        if not 0 < len(ids) <= MOST:
            faults.append(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        if faults:
            raise InvalidInput(*faults)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            records = self._mine(session, identity, ids)
            asker = identity.person_id
            if asker is None:
                raise NotAllowed(act=Act.RENEW.value)
            facts = _facts(session, ids)
            days = {key: until(wish.extent, facts[key].due, today) for key in ids}
            _require([refused(facts[key], days[key]) for key in ids])
            highest = max(records, key=lambda each: each.level_rank)
            steps = require(plan(session, self._guard, ApprovalKind.RENEWAL, highest, frozenset(), asker, asker))
            what: dict[str, Any] = {"through": wish.extent.through, "years": wish.extent.years}
            what |= {"authority": wish.authority.strip(), "count": len(ids)}
            one = ids[0] if len(ids) == 1 else None
            key = self._approvals.ask(session, identity, ApprovalKind.RENEWAL, one, what, wish.why, steps=steps)
            session.add_all(
                RenewalItem(approval_id=key, record_id=each, position=place, until=days[each])
                for place, each in enumerate(ids, start=1)
            )
            work.commit()
        return key

    def show(self, identity: Identity, key: UUID) -> RenewalShown:
        """Show a renewal. Raises ``NotFound``: there is none of which this person reads a record."""
        with self._db.reading() as session:
            approval, items, whole = self._seen(session, identity, key)
            what, why, answer = self._approvals.opened(session, approval)
            hands = hands_of(session, identity.person_id, self._guard.day())
            waits = approval.state is ApprovalState.ASKED
            decides = waits and whole and self._approvals.may_decide(session, identity.person_id, approval, hands)
            had_part = identity.person_id in {approval.asked_by, approval.decided_by}
            if not decides and not had_part and not may(Act.SEE_APPRAISALS, self._guard.reach(session, identity)):
                raise NotFound
            return RenewalShown(
                approval, items, Extent(what["through"], what["years"]), what["authority"], why, answer, whole,
                may_decide=decides,
                may_withdraw=approval.state in OPEN and approval.asked_by == identity.person_id,
            )  # fmt: skip

    def every(
        self, identity: Identity, *, decided: bool = False, after: tuple[datetime, UUID] | None = None, limit: int
    ) -> Sequence[tuple[Approval, int]]:
        """Return requests and how many of their records this person reads, the newest first.

        Who may not see appraisals sees those that wait for them.
        """
        with self._db.reading() as session:
            seen = (
                select(RenewalItem.approval_id, func.count().label("counted"))
                .where(self._guard.opens(session, identity, RenewalItem.record_id))
                .group_by(RenewalItem.approval_id)
                .subquery()
            )
            query = (
                select(Approval, seen.c.counted)
                .join(seen, seen.c.approval_id == Approval.id)
                .where(Approval.state.not_in(OPEN) if decided else Approval.state.in_(OPEN))
            )
            if not may(Act.SEE_APPRAISALS, self._guard.reach(session, identity)):
                query = query.where(Approval.id.in_(self._waiting(session, identity)))
            rows: Any = session.execute(newest_first(query, Approval.asked_at, Approval.id, after).limit(limit))
            return [(row[0], row[1]) for row in rows]

    def count(self, session: Session, identity: Identity) -> int:
        """Count the renewals that this person may decide now."""
        listed = select(RenewalItem.record_id).where(RenewalItem.approval_id == Approval.id)
        return count_whole(session, self._guard, identity, ApprovalKind.RENEWAL, listed)

    def decide(self, identity: Identity, key: UUID, why: str, *, approve: bool) -> ApprovalState:
        """Decide at the present step; the last yes keeps the records on in the same transaction.

        Raises:
            NotFound: no such renewal for this person.
            NotAllowed, OwnRequest, Ended: as ``Approvals.decide``; also who does not read all its records.
            InvalidInput: field ``reason``; ``records``: one came onto the list of a destruction.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            _, items, whole = self._seen(session, identity, key)
            if not whole:
                raise NotAllowed(act="renewal.approve" if approve else "renewal.refuse")
            approval = session.get_one(Approval, key, with_for_update=True)
            hands = hands_of(session, identity.person_id, self._guard.day())
            state = self._approvals.decide(session, identity, approval, hands, why, approve=approve)
            if state is ApprovalState.APPROVED:
                ids = [item.record_id for item, _ in items]
                _require(["on_destruction_list" for key in ids if key in _leaving(session, ids)])
                what, asked, _ = self._approvals.opened(session, approval)
                longer = {item.record_id: Longer(item.until, what["authority"], asked) for item, _ in items}
                self._keep.on(session, identity, longer, {"approval": str(approval.id)}, approval=approval.id)
            work.commit()
            return state

    def withdraw(self, identity: Identity, key: UUID) -> None:
        """Take back what one asked for. Raises as ``decide``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            approval, _, _ = self._seen(work.session, identity, key)
            self._approvals.end(work.session, identity, approval, ApprovalState.WITHDRAWN, "")
            work.commit()

    def _waiting(self, session: Session, identity: Identity) -> Select[UUID]:
        return waiting_for(session, identity.person_id, ApprovalKind.RENEWAL, self._guard.day())

    def _mine(self, session: Session, identity: Identity, ids: Sequence[UUID]) -> list[Record]:
        mine = self._guard.visible(session, identity, Act.RENEW).where(Record.id.in_(ids))
        found = {row.id: row for row in session.scalars(mine)}
        for key in ids:
            if key not in found:
                self._guard.require(session, identity, Act.RENEW, key)
                raise NotAllowed(act=Act.RENEW.value)
        return [found[key] for key in ids]

    def _seen(
        self, session: Session, identity: Identity, key: UUID
    ) -> tuple[Approval, Sequence[tuple[RenewalItem, Record]], bool]:
        """Return a renewal, those of its records that this person reads, and whether these are all."""
        approval = session.get(Approval, key)
        query = select(RenewalItem).where(RenewalItem.approval_id == key).order_by(RenewalItem.position)
        rows = session.scalars(query).all()
        seen = self._guard.seen(session, identity, [each.record_id for each in rows])
        records = rows_by_id(session, Record, seen)
        items = [(each, records[each.record_id]) for each in rows if each.record_id in records]
        if approval is None or not items:
            raise NotFound
        return approval, items, len(items) == len(rows)


def _said(wish: Wish) -> list[Fault]:
    faults, length = reason_faults(wish.why), len(wish.authority.strip())
    if not length:
        faults.append(Fault("authority", "required"))
    elif length > LONGEST_AUTHORITY:
        faults.append(Fault("authority", "too_long", {"limit": LONGEST_AUTHORITY, "length": length}))
    return faults


def _require(refusals: Sequence[str | None]) -> None:
    if codes := dict.fromkeys(code for code in refusals if code):
        raise InvalidInput(*(Fault("records", code) for code in codes))


def _leaving(session: Session, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return which of these records stand on the list of a destruction."""
    listed = select(DestructionItem.record_id).where(
        DestructionItem.record_id.in_(ids), DestructionItem.standing,
        DestructionItem.state != DestructionItemState.PULLED,
    )  # fmt: skip
    return frozenset(session.scalars(listed))


def _facts(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Facts]:
    """Return how records stand. A fixed number of statements."""
    clocks, leaving = kept(session, ids), _leaving(session, ids)
    open_ones = (
        select(RenewalItem.record_id)
        .join(Approval, Approval.id == RenewalItem.approval_id)
        .where(RenewalItem.record_id.in_(ids), Approval.state.in_(OPEN))
    )
    asked = frozenset(session.scalars(open_ones))
    found = {}
    for key in ids:
        state, due, _ = clocks.get(key, (None, None, None))
        found[key] = Facts(state, due, leaving=key in leaving, asked=key in asked)
    return found
