"""From the request to the confirmation: approvals by the house's route, the cooling-off, objections."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.approving.deciders import hands_of
from archive.approving.planning import Planned, branch, plan_of, require
from archive.approving.routes import Asked
from archive.errors import Fault, InvalidInput, NotAllowed, OwnRequest, WrongState
from archive.identity import Identity
from archive.ids import new_id
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionObjection,
    DestructionState,
    Duty,
    Medium,
    Record,
    Stop,
)
from archive.policy.rules import Act
from archive.reasons import checked
from retention.destroying.means import (
    Means,
    carriers,
    duties_of,
    end_standing,
    listed,
    locked,
    needs_neutral,
    pull,
    recheck,
    required,
    say,
    seal,
)
from retention.destroying.rules import all_apart, cooled, fits, free_for, move, require_state


class Deciding:
    """Asking, deciding, objecting and confirming."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def ask(self, identity: Identity, key: UUID, why: str) -> int:
        """Ask for a destruction; return how many records were pulled out as they may not go.

        Raises:
            NotFound, NotAllowed, Ended: there is none for them; it is another's; it is asked for already.
            InvalidInput: ``reason``; ``records`` (none is left), ``method`` (paper is not deleted), ``neutral`` (titles
                are lacking), ``route`` (nobody could decide at one of its steps).
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, part = required(means, session, identity, key)
            if Duty.ASKER not in part.duties:
                raise NotAllowed(act="destruction.ask")
            means.guard.require_house(session, identity, Act.ASK_DESTRUCTION)
            require_state(row, "destruction.ask", DestructionState.DRAFT)
            checked(why)
            pulled = recheck(means, session, identity, row)
            self._complete(session, row)
            steps = self._steps(session, row)
            items = listed(session, key)
            what = {"destruction": str(key), "number": row.number, "count": len(items)}
            row.approval_id = means.approvals.ask(
                session, identity, ApprovalKind.DESTRUCTION, None, what, why, about=key, steps=steps
            )
            move(row, DestructionState.ASKED, "destruction.ask")
            say(means, session, identity, "submit", row, count=len(items), reason=why.strip())
            means.turns.tell(work, row)
            work.commit()
            return len(pulled)

    def decide(self, identity: Identity, key: UUID, why: str, *, approve: bool) -> DestructionState:
        """Say yes or no at the present step; the last yes begins the cooling-off, a no ends it.

        Raises:
            NotFound: there is none for them.
            OwnRequest: they have another duty in it.
            NotAllowed, Ended, InvalidInput: as ``Approvals.decide``.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, _part = required(means, session, identity, key)
            require_state(row, "destruction.decide", DestructionState.ASKED)
            self._free(session, row, identity, "destruction.decide")
            approval = session.get_one(Approval, row.approval_id)
            hands = hands_of(session, identity.person_id, means.guard.day())
            state = means.approvals.decide(session, identity, approval, hands, why, approve=approve)
            if not all_apart(duties_of(session, row)):  # they stood in for someone who has another duty
                raise OwnRequest(act="destruction.decide")
            if state is ApprovalState.APPROVED:
                recheck(means, session, identity, row)
                if not self._ended(session, identity, row):
                    move(row, DestructionState.COOLING, "destruction.approve")
                    row.cooling_until = means.clock.now() + means.cooling
                    say(means, session, identity, "cool", row, until=row.cooling_until.isoformat())
            elif state is ApprovalState.REFUSED:
                move(row, DestructionState.REFUSED, "destruction.refuse")
                end_standing(means, session, identity, row)
                say(means, session, identity, "end", row, reason=why.strip())
            means.turns.tell(work, row)
            work.commit()
            return row.state

    def object(self, identity: Identity, key: UUID, record_id: UUID, why: str) -> None:
        """Object to one record's destruction, as anyone who reads it may while it cools off: it is pulled out.

        Raises:
            NotFound: there is none for them, or they do not read the record.
            Ended: it does not cool off.
            InvalidInput: ``reason``; ``record``: it does not stand on the list.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, _part = required(means, session, identity, key)
            means.guard.require(session, identity, Act.READ, record_id)
            require_state(row, "destruction.object", DestructionState.COOLING)
            if identity.person_id is None:
                raise NotAllowed(act="destruction.object")
            checked(why)
            item = session.get(DestructionItem, (key, record_id))
            if item is None or item.state is not DestructionItemState.LISTED:
                raise InvalidInput(Fault("record", "unknown"))
            pull(means, session, identity, row, {record_id: Stop.OBJECTED})
            mine = new_id()
            session.add(
                DestructionObjection(
                    id=mine, destruction_id=key, record_id=record_id, person_id=identity.person_id,
                    sealed=seal(means, session, key, f"objection:{mine.hex}", {"why": why.strip()}),
                    at=means.clock.now(),
                )
            )  # fmt: skip
            row.version += 1
            say(means, session, identity, "object", row, record=str(record_id), reason=why.strip())
            work.commit()

    def confirm(self, identity: Identity, key: UUID) -> DestructionState:
        """Confirm once the cooling-off is over; what may not go now is pulled out, and with the last one it ends.

        Raises:
            NotFound, NotAllowed: there is none for them; they confirm none.
            OwnRequest: they have another duty in it.
            Ended: it does not cool off.
            WrongState: it still does.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, _part = required(means, session, identity, key)
            means.guard.require_house(session, identity, Act.CONFIRM_DESTRUCTION)
            require_state(row, "destruction.confirm", DestructionState.COOLING)
            self._free(session, row, identity, "destruction.confirm")
            if not cooled(row.cooling_until, means.clock.now()):
                raise WrongState(state=row.state.value, act="destruction.confirm")
            pulled = recheck(means, session, identity, row)
            if not self._ended(session, identity, row):
                move(row, DestructionState.CONFIRMED, "destruction.confirm")
                row.confirmed_by, row.confirmed_at = identity.person_id, means.clock.now()
                say(means, session, identity, "confirm", row, pulled=len(pulled))
            means.turns.tell(work, row)
            work.commit()
            return row.state

    def _ended(self, session: Session, identity: Identity, row: Destruction) -> bool:
        """End a destruction of which everything was pulled out; return whether it was."""
        if listed(session, row.id):
            return False
        move(row, DestructionState.WITHDRAWN, "destruction.withdraw")
        end_standing(self._means, session, identity, row)
        say(self._means, session, identity, "withdraw", row)
        return True

    def _free(self, session: Session, row: Destruction, identity: Identity, act: str) -> None:
        """Refuse a duty to who has another already, or stands in for them. Raises ``OwnRequest``."""
        duties = duties_of(session, row)
        if identity.person_id is None or not free_for(duties, identity.person_id):
            raise OwnRequest(act=act)

    def _complete(self, session: Session, row: Destruction) -> None:
        """Raise ``InvalidInput`` when something lacks that must stand before it is asked for."""
        items = listed(session, row.id)
        paper, _files = carriers(session, row.id)
        named = {each.record_id: each.neutral for each in items}
        lack = [each for each in needs_neutral(session, list(named)) if not named[each]]
        faults = [] if items else [Fault("records", "none_to_destroy")]
        if not fits(row.method, paper=paper):
            faults.append(Fault("method", "paper_is_not_deleted"))
        if lack:
            faults.append(Fault("neutral", "titles_lacking", {"count": len(lack)}))
        if faults:
            raise InvalidInput(*faults)

    def _steps(self, session: Session, row: Destruction) -> list[Planned]:
        """Return the steps of its route, by the highest level and every category on the list."""
        means = self._means
        on_it = select(DestructionItem.record_id).where(
            DestructionItem.destruction_id == row.id, DestructionItem.state == DestructionItemState.LISTED
        )
        rows = session.execute(
            select(Record.level_rank, Record.category_id, Record.medium).where(Record.id.in_(on_it)).distinct()
        ).all()
        level = max(each.level_rank for each in rows)
        codes = frozenset(code for each in {row.category_id for row in rows} for code in branch(session, each))
        media = {each.medium for each in rows}
        medium = media.pop() if len(media) == 1 else Medium.BOTH
        known: dict[UUID, bool] = {}

        def cleared(person: UUID) -> bool:
            if person not in known:
                known[person] = level in means.guard.reach(session, Identity("", person)).levels
            return known[person]

        busy = frozenset(person for people in duties_of(session, row).values() for person in people)
        asked = Asked(ApprovalKind.DESTRUCTION, level, codes, medium, frozenset())
        return list(require(plan_of(session, means.guard, asked, cleared, busy, row.begun_by)))
