"""Corrections of filed records: asked for by whoever reads one, decided by another, and done by the decision itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from archive.approving.engine import Approvals
from archive.cataloguing import describing
from archive.cataloguing.describing import Draft
from archive.cataloguing.records import RecordService
from archive.database import Database, rows_by_id
from archive.database.newest import newest_first
from archive.errors import Conflict, InvalidInput, NotAllowed, NotFound, WrongState
from archive.files.pairing import meet
from archive.identity import Identity
from archive.model import Approval, ApprovalKind, ApprovalState, Category, DeadlineKind, Medium, Record, RecordState
from archive.policy.condition import holds
from archive.policy.facts import facts_of
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import Holds
from archive.reminding.deadlines import Deadlines
from archive.reminding.workdays import add_working_days, calendar_of

CORRECTABLE = (
    "title", "drawn_up", "responsible", "department_id", "place_id", "term", "medium", "material", "pages", "keywords",
    "importance", "notes",
)  # fmt: skip
"""What of a description is corrected, beside the category's own fields; category, level and numbers are not."""

DAYS = 10
"""Working days within which a request is to be decided."""

_IDS = frozenset({"department_id", "place_id"})


@dataclass(frozen=True)
class Correction:
    """A request for a correction.

    ``before`` and ``after`` hold what would change, by name as JSON values; ``fields`` those of the category's own.
    ``passed``: the record stands otherwise by now, so that it cannot be approved any more.
    """

    approval: Approval
    record: Record
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: str
    answer: str
    may_decide: bool
    may_withdraw: bool
    passed: bool


class Corrections:
    """The acts on corrections. A request is seen by whoever reads its record."""

    def __init__(
        self, db: Database, guard: Guard, approvals: Approvals, records: RecordService, holds: Holds | None = None
    ) -> None:
        self._holds = holds
        self._db = db
        self._guard = guard
        self._approvals = approvals
        self._records = records
        self._deadlines = Deadlines(guard)

    def ask(self, identity: Identity, record_id: UUID, changes: Mapping[str, Any], why: str, version: int) -> UUID:
        """Ask for a correction of a filed record. What is given and does not differ is no part of it.

        Args:
            identity: who asks.
            record_id: of the record.
            changes: by name (``CORRECTABLE``, and ``fields`` whole), as ``RecordService.describe`` takes them.
            why: the reason, in words.
            version: of the record that was looked at.

        Raises:
            NotFound, NotAllowed: this person does not read the record.
            WrongState: it is not filed, or (``Held``) a hold stands on it.
            Conflict: it changed since ``version``.
            InvalidInput: names each field at fault; field ``change``: nothing would change.
        """
        unknown = sorted(set(changes) - {*CORRECTABLE, "fields"})
        if unknown:
            raise InvalidInput(*(describing.fault(name, "unknown_field") for name in unknown))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._filed(session, identity, Act.ASK_CORRECTION, record_id)
            if record.version != version:
                raise Conflict(what="record", version=record.version)
            self._require_free(session, record.id, Act.ASK_CORRECTION)
            standing = self._records.draft_of(session, record)
            item = self._checked(session, standing, describing.typed(changes))
            before, after = _parts(standing), _parts(replace(item.draft, fields={**item.ordinary, **item.protected}))
            changed = {name for name in before if name != "fields" and before[name] != after[name]}
            own = {
                name
                for name in before["fields"].keys() | after["fields"].keys()
                if before["fields"].get(name) != after["fields"].get(name)
            }
            if not changed and not own:
                raise InvalidInput(describing.fault("change", "nothing_changed"))
            what = {"before": _only(before, changed, own), "after": _only(after, changed, own)}
            key = self._approvals.ask(session, identity, ApprovalKind.CORRECTION, record.id, what, why)
            due = add_working_days(calendar_of(session), self._guard.day(), DAYS)
            self._deadlines.set(session, DeadlineKind.CORRECTION, key, due, record.id)
            work.commit()
        return key

    def show(self, identity: Identity, approval_id: UUID) -> Correction:
        """Show a request.

        Raises:
            NotFound: there is none whose record this person reads.
        """
        with self._db.reading() as session:
            approval = _correction(session, approval_id)
            record = self._guard.require(session, identity, Act.READ, _record_of(approval, approval_id))
            if approval is None:
                raise NotFound
            return self._shown(session, identity, approval, record)

    def undecided(self, session: Session, identity: Identity) -> "Select[UUID]":
        """Return a query for the ids of the requests that this person may decide: never their own."""
        return select(Approval.id).where(
            Approval.state == ApprovalState.ASKED,
            Approval.kind == ApprovalKind.CORRECTION,
            Approval.asked_by != identity.person_id,
            self._guard.opens(session, identity, Approval.record_id, Act.DECIDE_CORRECTION),
        )

    def list(
        self, identity: Identity, *, own: bool, after: tuple[datetime, UUID] | None = None, limit: int
    ) -> Sequence[tuple[Approval, Record]]:
        """Return requests with their records, the newest first, behind the one asked at ``after`` with that id.

        ``own``: those that this person put, whatever became of them; else those that they may decide.
        """
        with self._db.reading() as session:
            if own:
                seen = self._guard.opens(session, identity, Approval.record_id)
                query = select(Approval).where(
                    Approval.asked_by == identity.person_id, Approval.kind == ApprovalKind.CORRECTION, seen
                )
            else:
                query = self.undecided(session, identity).with_only_columns(Approval)
            found = session.scalars(newest_first(query, Approval.asked_at, Approval.id, after).limit(limit)).all()
            records = rows_by_id(session, Record, {each.record_id for each in found})
            return [(each, records[each.record_id]) for each in found if each.record_id]

    def count(self, session: Session, identity: Identity) -> int:
        """Count the requests that wait for this person's decision."""
        found = self.undecided(session, identity).subquery()
        return session.scalar(select(func.count()).select_from(found)) or 0

    def decide(self, identity: Identity, approval_id: UUID, why: str, *, approve: bool) -> None:
        """Approve a request, which changes the record in the same transaction, or refuse it.

        Raises:
            NotFound: there is none whose record this person reads.
            OwnRequest: they asked for it themselves.
            NotAllowed: theirs is no role that decides, or the record would come where they could decide on it no more.
            Ended: it is decided or withdrawn already.
            Conflict: the record stands otherwise by now in what would change.
            InvalidInput: field ``reason``, or a field that no longer takes the value.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            approval, record = self._asked(session, identity, Act.DECIDE_CORRECTION, approval_id)
            end = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
            what, asked_why, _ = self._approvals.opened(session, approval)
            self._approvals.end(session, identity, approval, end, why)
            self._deadlines.meet(session, DeadlineKind.CORRECTION, approval.id)
            if approve:
                self._require_free(session, record.id, Act.DECIDE_CORRECTION)
                standing = self._records.draft_of(session, record)
                if _stands_otherwise(standing, what["before"]):
                    raise Conflict(what="record", version=record.version)
                item = self._checked(session, standing, _revived(standing, what["after"]))
                self._records.take_over(session, record, standing, item)
                reach = self._guard.reach(session, identity)
                if not holds(condition(Act.DECIDE_CORRECTION, reach), facts_of(record, standing.named)):
                    raise NotAllowed(act=Act.DECIDE_CORRECTION.value)
                body = {**what, "approval": str(approval.id), "reason": asked_why}
                self._records.changed(work, identity, record, "record.correct", body)
                meet(session, [record.id])
            work.commit()

    def withdraw(self, identity: Identity, approval_id: UUID) -> None:
        """Take back one's own request. Raises as ``decide``."""
        with self._guard.refusals(identity), self._db.writing() as work:
            approval, _ = self._asked(work.session, identity, Act.ASK_CORRECTION, approval_id)
            self._approvals.end(work.session, identity, approval, ApprovalState.WITHDRAWN, "")
            self._deadlines.lapse(work.session, DeadlineKind.CORRECTION, approval.id)
            work.commit()

    def _require_free(self, session: Session, record_id: UUID, act: Act) -> None:
        if self._holds is not None:
            self._holds.require_free(session, record_id, act.value)

    def _asked(self, session: Session, identity: Identity, act: Act, approval_id: UUID) -> tuple[Approval, Record]:
        """Return a request and its record."""
        approval = _correction(session, approval_id)
        record = self._guard.require(session, identity, act, _record_of(approval, approval_id))
        if approval is None:
            raise NotFound
        return approval, record

    def _filed(self, session: Session, identity: Identity, act: Act, record_id: UUID) -> Record:
        record = self._guard.require(session, identity, act, record_id)
        if record.state is not RecordState.FILED:
            raise WrongState(state=record.state.value, act=act.value)
        return record

    def _checked(self, session: Session, standing: Draft, changes: Mapping[str, Any]) -> describing.Described:
        """Check the description as it would be: what it had and needs it keeps, what it needs by this it is given."""
        item = describing.describe(
            describing.Catalogue(session, self._guard.day()), replace(standing, **changes), standing
        )
        now = item.row()
        category = session.get_one(Category, item.draft.category_id)
        values = {**now, **now["fields"], **item.protected}
        before = set(describing.needed(category, standing.fields))
        absent = [name for name in describing.needed(category, values) if not values.get(name)]
        if lost := [name for name in absent if name not in before or _had(standing, name)]:
            raise InvalidInput(*(describing.fault(name, "required") for name in lost))
        return item

    def _shown(self, session: Session, identity: Identity, approval: Approval, record: Record) -> Correction:
        what, why, answer = self._approvals.opened(session, approval)
        waits = approval.state is ApprovalState.ASKED
        own = approval.asked_by == identity.person_id
        mine = self.undecided(session, identity).where(Approval.id == approval.id)
        may_decide = waits and not own and session.scalar(mine) is not None
        passed = waits and _stands_otherwise(self._records.draft_of(session, record), what["before"])
        return Correction(
            approval, record, what["before"], what["after"], why, answer, may_decide, waits and own, passed
        )


def _correction(session: Session, approval_id: UUID) -> Approval | None:
    found = session.get(Approval, approval_id)
    return found if found is not None and found.kind is ApprovalKind.CORRECTION else None


def _record_of(approval: Approval | None, approval_id: UUID) -> UUID:
    """Return the record of a request, or what stands for it where there is none: both are asked for alike."""
    return approval.record_id if approval is not None and approval.record_id is not None else approval_id


def _parts(draft: Draft) -> dict[str, Any]:
    """Return what of a description may be corrected, as JSON values."""
    values = {name: getattr(draft, name) for name in CORRECTABLE}
    values["title"] = " ".join(draft.title.split())
    values |= {name: str(values[name]) if values[name] else None for name in _IDS}
    return values | {"medium": draft.medium.value, "keywords": list(draft.keywords), "fields": dict(draft.fields)}


def _only(parts: Mapping[str, Any], names: set[str], own: set[str]) -> dict[str, Any]:
    kept = {name: parts[name] for name in CORRECTABLE if name in names}
    return kept | {"fields": {name: parts["fields"].get(name) for name in sorted(own)}}


def _stands_otherwise(standing: Draft, before: Mapping[str, Any]) -> bool:
    """Whether a record stands otherwise than what a correction of it began from."""
    now = _parts(standing)
    own = before["fields"]
    return any(now[name] != value for name, value in before.items() if name != "fields") or any(
        now["fields"].get(name) != value for name, value in own.items()
    )


def _revived(standing: Draft, after: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what was asked for back into the values of a draft."""
    changes: dict[str, Any] = {name: value for name, value in after.items() if name != "fields"}
    changes |= {name: UUID(changes[name]) for name in _IDS & changes.keys() if changes[name]}
    if "medium" in changes:
        changes["medium"] = Medium(changes["medium"])
    if "keywords" in changes:
        changes["keywords"] = tuple(changes["keywords"])
    own = {**standing.fields, **after["fields"]}
    return changes | {"fields": {name: value for name, value in own.items() if value is not None}}


def _had(standing: Draft, name: str) -> bool:
    return bool(standing.fields.get(name) or getattr(standing, name, None))
