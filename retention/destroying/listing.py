"""The list: begun by an archivist from what appraisals gave up, filled, changed, and withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, extract, func, insert, select
from sqlalchemy.orm import Session

from archive.errors import Conflict, Fault, InvalidInput, NotAllowed
from archive.identity import Identity
from archive.ids import new_id
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Approval,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionMethod,
    DestructionState,
    Duty,
    Record,
    RecordDue,
    RecordExtension,
    Stop,
    Verdict,
)
from archive.policy.guard import AT_ONCE
from archive.policy.rules import Act
from archive.reasons import checked
from archive.scheme.tree import below
from retention.destroying.means import (
    MOST,
    Means,
    block,
    end_standing,
    listed,
    locked,
    pull,
    required,
    say,
    stopped,
)
from retention.destroying.rules import BEFORE_RUNNING, move, require_state
from retention.elsewhere import doomed, kept_from_destruction, outdated
from retention.numbers import next_number

LONGEST = 200


@dataclass(frozen=True)
class Chosen:
    """Which records are to be listed: of one appraisal, in one category with all below it, due in one year."""

    appraisal: UUID | None = None
    category: UUID | None = None
    year: int | None = None


@dataclass(frozen=True)
class How:
    """How it is to be done."""

    purpose: str
    method: DestructionMethod
    place: str = ""
    contractor: str = ""
    weight: str = ""


class Listing:
    """The acts on a list before it is asked for, and taking it back."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def candidates(self, identity: Identity, chosen: Chosen) -> int:
        """Return how many records that the person reads could be listed."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            means.guard.require_house(session, identity, Act.ASK_DESTRUCTION)
            found = self._candidates(session, identity, chosen).order_by(None).subquery()
            return session.scalar(select(func.count(found.c.record_id.distinct()))) or 0

    def begin(self, identity: Identity, how: How, chosen: Chosen) -> UUID:
        """Begin a destruction with what appraisals gave up; return its id.

        Raises:
            NotAllowed: they ask for none.
            InvalidInput: ``purpose``, ``place``, ``contractor``, ``weight``, or ``records``: there are none.
        """
        means = self._means
        faults = _faults(how)
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            means.guard.require_house(session, identity, Act.ASK_DESTRUCTION)
            if identity.person_id is None:
                raise NotAllowed(act=Act.ASK_DESTRUCTION.value)
            if faults:
                raise InvalidInput(*faults)
            now, key = means.clock.now(), new_id()
            means.vault.add_owner(session, key, due_year=None)
            row = Destruction(
                id=key, number=next_number(session, Destruction.number, f"XH{means.guard.day().year}-"),
                purpose=how.purpose.strip(),
                method=how.method, place=how.place.strip() or None, contractor=how.contractor.strip() or None,
                weight=how.weight.strip() or None, begun_by=identity.person_id, begun_at=now,
            )  # fmt: skip
            session.add(row)
            session.flush()
            count = self._add(session, identity, row, chosen)
            if not count:
                raise InvalidInput(Fault("records", "none_to_destroy"))
            say(means, session, identity, "begin", row, count=count, method=how.method.value)
            work.commit()
            return key

    def change(self, identity: Identity, key: UUID, version: int, how: How) -> None:
        """Change how it is to be done, while it is a draft.

        Raises:
            NotFound, NotAllowed, Ended: there is none for them; it is another's; it is asked for already.
            Conflict: another changed it meanwhile.
            InvalidInput: names each field at fault.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            row = self._own(work.session, identity, key, "destruction.change")
            if row.version != version:
                raise Conflict(what="destruction")
            if faults := _faults(how):
                raise InvalidInput(*faults)
            row.purpose, row.method = how.purpose.strip(), how.method
            row.place, row.contractor = how.place.strip() or None, how.contractor.strip() or None
            row.weight, row.version = how.weight.strip() or None, row.version + 1
            say(means, work.session, identity, "change", row, method=how.method.value)
            work.commit()

    def leave_out(self, identity: Identity, key: UUID, record_id: UUID) -> None:
        """Take a record off a draft: it is as if it had never stood on it. Raises as ``change``."""
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._own(session, identity, key, "destruction.leave_out")
            item = session.get(DestructionItem, (key, record_id))
            if item is None or item.state is not DestructionItemState.LISTED:
                raise InvalidInput(Fault("record", "unknown"))
            pull(means, session, identity, row, {record_id: Stop.NOT_THERE})
            session.delete(item)
            say(means, session, identity, "leave_out", row, record=str(record_id))
            work.commit()

    def name(self, identity: Identity, key: UUID, titles: Mapping[UUID, str]) -> None:
        """Give items the neutral titles that the register is to show; an empty one takes it away. Raises as ``change``.

        Who approves the list approves them.
        """
        means = self._means
        long = [each for each in titles.values() if len(each.strip()) > LONGEST]
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._own(session, identity, key, "destruction.name")
            if long:
                raise InvalidInput(Fault("neutral", "too_long", {"limit": LONGEST, "length": len(long[0])}))
            for item in listed(session, key):
                if item.record_id in titles:
                    item.neutral = titles[item.record_id].strip() or None
            row.version += 1
            say(means, session, identity, "name", row, count=len(titles))
            work.commit()

    def withdraw(self, identity: Identity, key: UUID, why: str) -> None:
        """Take a destruction back, at any time before it runs. Who asked may, and whoever confirms destructions.

        Raises:
            NotFound, NotAllowed, Ended: as ``change``; it runs, or has ended.
            InvalidInput: field ``reason``.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, part = required(means, session, identity, key)
            if Duty.ASKER not in part.duties:
                means.guard.require_house(session, identity, Act.CONFIRM_DESTRUCTION)
            require_state(row, "destruction.withdraw", *BEFORE_RUNNING)
            checked(why)
            if row.state is DestructionState.ASKED and row.approval_id:
                means.approvals.drop(session, identity, session.get_one(Approval, row.approval_id), why)
            move(row, DestructionState.WITHDRAWN, "destruction.withdraw")
            end_standing(means, session, identity, row)
            say(means, session, identity, "withdraw", row, reason=why.strip())
            means.turns.tell(work, row)
            work.commit()

    def _own(self, session: Session, identity: Identity, key: UUID, act: str) -> Destruction:
        locked(session, key)
        row, part = required(self._means, session, identity, key)
        if Duty.ASKER not in part.duties:
            raise NotAllowed(act=act)
        require_state(row, act, DestructionState.DRAFT)
        return row

    def _add(self, session: Session, identity: Identity, row: Destruction, chosen: Chosen) -> int:
        """List what may go; what something stops is not listed."""
        means = self._means
        rows_found = session.execute(self._candidates(session, identity, chosen)).all()
        found = list({each.record_id: each for each in rows_found}.values())
        stop = stopped(session, [each.record_id for each in found], means.guard.day())
        free = [each for each in found if each.record_id not in stop]
        if len(free) > MOST:
            raise InvalidInput(Fault("records", "too_many", {"limit": MOST, "count": len(free)}))
        rows: list[dict[str, Any]] = [
            {
                "destruction_id": row.id, "record_id": each.record_id, "position": at,
                "appraisal_id": each.appraisal_id, "state": DestructionItemState.LISTED, "standing": True,
            }
            for at, each in enumerate(free, 1)
        ]  # fmt: skip
        if rows:
            session.execute(insert(DestructionItem), rows)
        block(means, session, identity, row.id, [each.record_id for each in free])
        for start in range(0, len(free), AT_ONCE):
            means.log.note_many(
                session, identity, "destruction.list",
                [(each.record_id, {"destruction": str(row.id)}) for each in free[start : start + AT_ONCE]],
            )  # fmt: skip
        return len(free)

    def _candidates(self, session: Session, identity: Identity, chosen: Chosen) -> Select[UUID, UUID | None]:
        """Select what its newest closed appraisal gave up, nobody has kept on since, and no other work has."""
        mine = self._means.guard.visible(session, identity).with_only_columns(Record.id)
        kept_on = exists().where(
            RecordExtension.record_id.in_([Record.id, Record.dossier_id]), RecordExtension.set_at > Appraisal.closed_at
        )
        query = (
            select(AppraisalItem.record_id, AppraisalItem.appraisal_id)
            .join(Appraisal, Appraisal.id == AppraisalItem.appraisal_id)
            .join(Record, Record.id == AppraisalItem.record_id)
            .join(RecordDue, RecordDue.record_id == Record.id)
            .where(
                Appraisal.state == AppraisalState.CLOSED, AppraisalItem.verdict == Verdict.DESTROY,
                ~outdated(), ~kept_on, ~doomed(), ~kept_from_destruction(), Record.id.in_(mine),
            )
            .order_by(Record.archive_number, AppraisalItem.record_id)
        )  # fmt: skip
        if chosen.appraisal:
            query = query.where(Appraisal.id == chosen.appraisal)
        if chosen.category:
            query = query.where(Record.category_id.in_(below(chosen.category)))
        if chosen.year:
            query = query.where(extract("year", RecordDue.due) == chosen.year)
        return query


def _faults(how: How) -> list[Fault]:
    faults = [] if how.purpose.strip() else [Fault("purpose", "required")]
    limits = {"purpose": (how.purpose, 500), "place": (how.place, LONGEST), "contractor": (how.contractor, LONGEST)}
    limits["weight"] = (how.weight, 40)
    return faults + [
        Fault(name, "too_long", {"limit": limit, "length": len(text.strip())})
        for name, (text, limit) in limits.items()
        if len(text.strip()) > limit
    ]
