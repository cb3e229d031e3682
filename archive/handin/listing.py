"""The clerk's side of a batch: opened, listed, handed in, and mended where lines came back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from archive.closing import is_closed
from archive.errors import Conflict, Fault, InvalidInput, WrongState
from archive.handin.lines import MOST_LINES, LineFacts, checked, seal_lines
from archive.handin.looking import Means, act_for, facts_of_batch, lines_of, required
from archive.identity import Identity
from archive.ids import new_id
from archive.model import (
    Carrier,
    Category,
    HandIn,
    HandInLine,
    HandInState,
    Level,
    LineState,
    Medium,
    OwnerKey,
    Record,
    RecordState,
    SignedBy,
)
from archive.policy.rules import Act

LONGEST_NAME = 100

IN_HAND = (LineState.LISTED, LineState.RETURNED)
"""Lines that lie with the clerk."""

LIVE = (LineState.LISTED, LineState.HANDED_IN, LineState.FAILED, LineState.RETURNED, LineState.PASSED)
"""Lines that hold their record: no other line may speak of it."""


@dataclass(frozen=True)
class NewBatch:
    """A batch to be opened. ``level_rank`` None: the category's."""

    name: str
    category_id: UUID
    department_id: UUID | None = None
    level_rank: int | None = None


@dataclass(frozen=True)
class Given:
    """A line as it is given: a new one, or (``line_id``) one that is there."""

    facts: LineFacts
    line_id: UUID | None = None


class HandInListing:
    """What a clerk does with a batch while it lies with them."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def open(self, identity: Identity, new: NewBatch) -> UUID:
        """Open a batch.

        Raises:
            InvalidInput: no name, no such category, department or level.
            NotAllowed: the person could not catalogue there.
        """
        means = self._means
        name = " ".join(new.name.split())
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            category = session.get(Category, new.category_id)
            faults = []
            if not name or len(name) > LONGEST_NAME:
                faults.append(Fault("name", "too_long" if name else "required", {"limit": LONGEST_NAME}))
            if category is None or is_closed(category.closed_on, means.guard.day()):
                faults.append(Fault("category", "unknown"))
            rank = new.level_rank if new.level_rank is not None or category is None else category.level_rank
            if rank is not None and session.get(Level, rank) is None:
                faults.append(Fault("level", "unknown"))
            if faults or category is None or rank is None or identity.person_id is None:
                raise InvalidInput(*(faults or [Fault("category", "unknown")]))
            key, now = new_id(), means.clock.now()
            means.vault.add_owner(session, key, due_year=None)
            row = HandIn(
                id=key, fonds_id=category.fonds_id, category_id=category.id, department_id=new.department_id,
                level_rank=rank, sealed=means.vault.seal(session, key, name.encode(), context=f"hand-in:{key.hex}"),
                created_by=identity.person_id, created_at=now,
            )  # fmt: skip
            means.guard.require_facts(session, identity, Act.CREATE, facts_of_batch(row))
            session.add(row)
            session.flush()
            means.log.note(session, identity, "handin.open", body={"batch": str(key), "name": name})
            work.commit()
        return key

    def put_lines(self, identity: Identity, batch_id: UUID, given: Sequence[Given], version: int) -> None:
        """Say what the lines in the clerk's hands are, all of them: those that are not given are left out.

        A line that came back is mended, or (left out) withdrawn; it stays listed. Lines that speak of a draft stay.

        Raises:
            InvalidInput: see ``checked``; a new line after the first hand-in.
            WrongState: the batch does not lie with the clerk.
            Conflict: it changed since ``version``.
        """
        facts = checked([each.facts for each in given])
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._in_hand(session, identity, batch_id, version, "handin.list")
            typed = {each.id: each for each in lines_of(session, row.id, *IN_HAND) if not _is_draft(each)}
            new = [one for each, one in zip(given, facts, strict=True) if each.line_id not in typed]
            if new and row.round:
                raise InvalidInput(Fault("lines", "list_is_fixed"))
            _check_most(session, row.id, len(new) + sum(each.line_id in typed for each in given) - len(typed))
            kept = [(typed[each.line_id], one) for each, one in zip(given, facts, strict=True) if each.line_id in typed]
            self._change(session, row, kept)
            gone = [each for key, each in typed.items() if key not in {one.id for one, _ in kept}]
            for each in gone:
                if each.state is LineState.RETURNED:
                    each.state = LineState.WITHDRAWN
                else:
                    session.delete(each)
            self._add(session, row, [(facts, None) for facts in new])
            self._note(session, identity, "handin.list", row, lines=len(given), gone=len(gone))
            work.commit()

    def add_lines(self, identity: Identity, batch_id: UUID, facts: Sequence[LineFacts], version: int) -> None:
        """Add lines behind the others. Raises as ``put_lines``."""
        facts = checked(facts)
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._in_hand(session, identity, batch_id, version, "handin.list")
            if row.round:
                raise InvalidInput(Fault("lines", "list_is_fixed"))
            _check_most(session, row.id, len(facts))
            self._add(session, row, [(each, None) for each in facts])
            self._note(session, identity, "handin.list", row, added=len(facts))
            work.commit()

    def add_drafts(self, identity: Identity, batch_id: UUID, record_ids: Sequence[UUID], version: int) -> int:
        """Fill lines from drafts that the person prepares; return how many. One that a batch holds already is passed.

        Raises:
            NotFound, NotAllowed: a record is not theirs to describe.
            InvalidInput: it is no draft, of another fonds, or of a higher level than the batch.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._in_hand(session, identity, batch_id, version, "handin.list")
            if row.round:
                raise InvalidInput(Fault("lines", "list_is_fixed"))
            records = [means.guard.require(session, identity, Act.DESCRIBE, key) for key in dict.fromkeys(record_ids)]
            for record in records:
                _check_draft(row, record)
            taken = select(HandInLine.record_id).where(
                HandInLine.record_id.in_([each.id for each in records]), HandInLine.state.in_(LIVE)
            )
            held = set(session.scalars(taken))
            fresh = [each for each in records if each.id not in held]
            _check_most(session, row.id, len(fresh))
            self._add(session, row, [(_of_draft(each), each.id) for each in fresh])
            self._note(session, identity, "handin.list", row, drafts=len(fresh))
            work.commit()
        return len(fresh)

    def leave_out(self, identity: Identity, batch_id: UUID, line_id: UUID, version: int) -> None:
        """Take a line out of the list; one that came back is withdrawn, and stays listed as such. Raises as above."""
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._in_hand(session, identity, batch_id, version, "handin.list")
            line = next((each for each in lines_of(session, row.id, *IN_HAND) if each.id == line_id), None)
            if line is None:
                raise InvalidInput(Fault("lines", "unknown"))
            if line.state is LineState.RETURNED:
                line.state = LineState.WITHDRAWN
            else:
                session.delete(line)
            self._note(session, identity, "handin.list", row, gone=1)
            work.commit()

    def hand_in(self, identity: Identity, batch_id: UUID, version: int) -> None:
        """Hand the batch in: from then on its list is fixed. Where nothing is left to check, it is checked.

        Raises:
            InvalidInput: it has no line.
            OwnRequest: the person has checked it in an earlier round.
            WrongState, Conflict, NotFound, NotAllowed: as ``put_lines``.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._in_hand(session, identity, batch_id, version, "handin.hand_in")
            going = lines_of(session, row.id, *IN_HAND)
            if not going and not lines_of(session, row.id, LineState.PASSED, LineState.WITHDRAWN):
                raise InvalidInput(Fault("lines", "no_lines"))
            if going:
                row.round += 1
            for each in going:
                each.state, each.round = LineState.HANDED_IN, row.round
            row.state = HandInState.HANDED_IN if going else HandInState.CHECKED
            act_for(session, identity, row, SignedBy.HANDED, "handin.hand_in")
            row.handed_by, row.handed_at = identity.person_id, means.clock.now()
            self._note(session, identity, "handin.hand_in", row, lines=len(going), round=row.round)
            work.commit()

    def drop(self, identity: Identity, batch_id: UUID, version: int) -> None:
        """Give up a batch that was never handed in; its list and key go. Drafts stay. Raises as ``put_lines``."""
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._in_hand(session, identity, batch_id, version, "handin.drop")
            if row.round:
                raise WrongState(state=row.state.value, act="handin.drop")
            means.log.note(session, identity, "handin.drop", body={"batch": str(row.id)})
            session.execute(delete(HandInLine).where(HandInLine.batch_id == row.id))
            session.execute(delete(OwnerKey).where(OwnerKey.owner_id == row.id))
            session.delete(row)
            work.commit()

    def _in_hand(self, session: Session, identity: Identity, batch_id: UUID, version: int, act: str) -> HandIn:
        row = required(self._means, session, identity, Act.DESCRIBE, batch_id, act)
        if row.state not in {HandInState.OPEN, HandInState.RETURNED}:
            raise WrongState(state=row.state.value, act=act)
        if row.version != version:
            raise Conflict(what="batch")
        return row

    def _change(self, session: Session, row: HandIn, kept: Sequence[tuple[HandInLine, LineFacts]]) -> None:
        sealed = seal_lines(session, self._means.vault, row.id, [(line.id, facts) for line, facts in kept])
        for line, facts in kept:
            line.sealed = sealed[line.id]
            line.carrier, line.pages, line.copies = facts.carrier, facts.pages, facts.copies
        session.flush()

    def _add(self, session: Session, row: HandIn, lines: Sequence[tuple[LineFacts, UUID | None]]) -> None:
        session.flush()
        last = session.scalar(select(func.max(HandInLine.position)).where(HandInLine.batch_id == row.id)) or 0
        keyed = [(new_id(), facts, record) for facts, record in lines]
        sealed = seal_lines(session, self._means.vault, row.id, [(key, facts) for key, facts, _ in keyed])
        session.add_all(
            HandInLine(
                id=key, batch_id=row.id, position=last + at, carrier=facts.carrier, pages=facts.pages,
                copies=facts.copies, sealed=sealed[key], record_id=record,
            )
            for at, (key, facts, record) in enumerate(keyed, 1)
        )  # fmt: skip

    def _note(self, session: Session, identity: Identity, act: str, row: HandIn, **facts: object) -> None:
        row.version += 1
        session.flush()
        self._means.log.note(session, identity, act, body={"batch": str(row.id), **facts})


def _is_draft(line: HandInLine) -> bool:
    return line.record_id is not None


def _of_draft(record: Record) -> LineFacts:
    """Return a line that says nothing of its own: what it speaks of is told as the record stands."""
    carrier = None if record.medium is Medium.ELECTRONIC else Carrier.PAPER
    return replace(LineFacts(), pages=record.pages, carrier=carrier)


def _check_draft(row: HandIn, record: Record) -> None:
    if record.state is not RecordState.PROVISIONAL:
        raise InvalidInput(Fault("records", "no_draft"))
    if record.fonds_id != row.fonds_id:
        raise InvalidInput(Fault("records", "other_fonds"))
    if record.level_rank > row.level_rank or record.group_id is not None:
        raise InvalidInput(Fault("records", "above_the_batch"))


def _check_most(session: Session, batch_id: UUID, more: int) -> None:
    there = session.scalar(select(func.count()).select_from(HandInLine).where(HandInLine.batch_id == batch_id)) or 0
    if there + more > MOST_LINES:
        raise InvalidInput(Fault("lines", "too_many", {"limit": MOST_LINES}))
