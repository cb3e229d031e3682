"""The engine of requests that need a yes: asked by one, decided by others in one or several steps, fixed from then on.

What a yes does is the business of each kind of request (``archive.cataloguing.corrections``, ``archive.loans``); what
holds for all of them is here. A request without steps is decided once, by whom the policy says; one with steps by those
who hold the tokens of each (``archive.approving.deciders``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.approving.deciders import Hand, open_tokens, waiting
from archive.approving.planning import Planned, fitting
from archive.approving.states import NEXT, OPEN
from archive.clock import Clock
from archive.closing import house_day
from archive.errors import Ended, NotAllowed, OwnRequest
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    Approval,
    ApprovalDecider,
    ApprovalKind,
    ApprovalState,
    ApprovalStep,
    ApprovalWord,
    Said,
)
from archive.ports import Vault
from archive.reasons import checked

REASONED = frozenset({ApprovalState.APPROVED, ApprovalState.REFUSED})
"""Ends that are decisions: by another person than who asked, and with a reason."""


@dataclass(frozen=True)
class Spoken:
    """What someone said on a request, opened."""

    word: ApprovalWord
    text: str


class Approvals:
    """Requests and their ends, inside the caller's transaction. What the policy says of a record the caller asks."""

    def __init__(self, vault: Vault, log: Log, clock: Clock) -> None:
        self._vault = vault
        self._log = log
        self._clock = clock

    def ask(
        self,
        session: Session,
        identity: Identity,
        kind: ApprovalKind,
        record: UUID | None,
        what: Mapping[str, Any],
        why: str,
        *,
        borrower: UUID | None = None,
        about: UUID | None = None,
        steps: Sequence[Planned] = (),
    ) -> UUID:
        """Put a request.

        Args:
            session: of the transaction.
            identity: who asks: a person.
            kind: of the request.
            record: that it is about; what is asked is sealed under its key. None: under the key of the year's log.
            what: what is asked for, as JSON values.
            why: the reason, in words.
            borrower: for whom, if not for themselves.
            about: what is changed by it, if that is no record.
            steps: in which it is decided; none: once, by whom the policy lets.

        Raises:
            InvalidInput: field ``reason``.
            NotAllowed: parts of the system ask for nothing.
        """
        if identity.person_id is None:
            raise NotAllowed(act=f"{kind}.ask")
        checked(why)
        now = self._clock.now()
        row = Approval(
            id=new_id(), kind=kind, record_id=record, asked_by=identity.person_id, asked_at=now, about_id=about,
            owner_id=None if record else self._vault.log_owner(session, now.year), sealed=b"",
            for_id=borrower if borrower != identity.person_id else None,
        )  # fmt: skip
        row.sealed = self._seal(session, row, f"approval:{row.id.hex}", {"what": what, "why": why.strip()})
        session.add(row)
        session.flush()
        self._add_steps(session, row, steps)
        body = {"approval": str(row.id), "reason": why.strip(), **what}
        if row.for_id:
            body["borrower"] = str(row.for_id)
        self._log.note(session, identity, f"{kind}.ask", record=record, body=body)
        return row.id

    def decide(
        self,
        session: Session,
        identity: Identity,
        approval: Approval,
        hands: Sequence[Hand],
        why: str,
        *,
        approve: bool,
    ) -> ApprovalState:
        """Say yes or no at the present step, and return where the request stands then.

        A no ends it. The last step's yes approves it; the caller then does what was asked for.

        Raises:
            Ended: it has ended already, or an answer is waited for.
            OwnRequest: it is one's own, or for oneself.
            NotAllowed: it is not theirs to decide at this step, or they decided at another.
            InvalidInput: field ``reason``.
        """
        said = Said.APPROVED if approve else Said.REFUSED
        act = f"{approval.kind}.{_VERBS[ApprovalState.APPROVED if approve else ApprovalState.REFUSED]}"
        instead, token = self._hand(session, identity, approval, hands, act)
        step = session.get_one(ApprovalStep, (approval.id, approval.step))
        if step.finds and approve:
            raise NotAllowed(act=act)
        checked(why)
        decider = session.get_one(ApprovalDecider, (approval.id, approval.step, token))
        decider.done_by = identity.person_id
        self._speak(session, identity, approval, said, why, instead)
        session.flush()
        if approve and step.every and self._missing(session, approval):
            return self._passed(session, identity, approval, why)
        following = session.get(ApprovalStep, (approval.id, approval.step + 1))
        if approve and following is not None:
            self._begin(approval, following)
            return self._passed(session, identity, approval, why)
        self._end(session, identity, approval, ApprovalState.APPROVED if approve else ApprovalState.REFUSED, why)
        return approval.state

    def question(
        self, session: Session, identity: Identity, approval: Approval, hands: Sequence[Hand], text: str
    ) -> None:
        """Ask back: the request waits until who asked has answered. Raises as ``decide``."""
        instead, _ = self._hand(session, identity, approval, hands, f"{approval.kind}.question")
        checked(text)
        approval.state, approval.version = ApprovalState.QUESTIONED, approval.version + 1
        self._speak(session, identity, approval, Said.QUESTION, text, instead)
        self._note(session, identity, approval, "question", text)

    def answer(self, session: Session, identity: Identity, approval: Approval, text: str) -> None:
        """Answer what was asked back; the step's days begin anew.

        Raises:
            NotAllowed: they did not ask for it.
            Ended: nothing was asked back.
            InvalidInput: field ``reason``.
        """
        if identity.person_id not in {approval.asked_by, approval.for_id}:
            raise NotAllowed(act=f"{approval.kind}.answer")
        if approval.state is not ApprovalState.QUESTIONED:
            raise Ended(state=approval.state.value, act=f"{approval.kind}.answer")
        checked(text)
        approval.state, approval.version = ApprovalState.ASKED, approval.version + 1
        self._begin(approval, session.get_one(ApprovalStep, (approval.id, approval.step)))
        self._speak(session, identity, approval, Said.ANSWER, text, None)
        self._note(session, identity, approval, "answer", text)

    def found(
        self,
        session: Session,
        identity: Identity,
        approval: Approval,
        hands: Sequence[Hand],
        record: UUID,
        steps: Sequence[Planned],
    ) -> None:
        """Say which record was meant, and by which steps it goes on. This is no decision. Raises as ``decide``."""
        instead, token = self._hand(session, identity, approval, hands, f"{approval.kind}.find")
        if not session.get_one(ApprovalStep, (approval.id, approval.step)).finds:
            raise Ended(state=approval.state.value, act=f"{approval.kind}.find")
        session.get_one(ApprovalDecider, (approval.id, approval.step, token)).done_by = identity.person_id
        approval.record_id, approval.version = record, approval.version + 1
        self._speak(session, identity, approval, Said.FOUND, "", instead)
        self._add_steps(session, approval, steps)
        self._note(session, identity, approval, "find", "")

    def end(self, session: Session, identity: Identity, approval: Approval, state: ApprovalState, why: str) -> None:
        """Decide a request without steps, or take any back.

        Raises:
            Ended: it has ended already.
            OwnRequest: it is one's own, and is to be decided.
            NotAllowed: it is another's, and is to be taken back; or it goes by steps.
            InvalidInput: field ``reason``.
        """
        act = f"{approval.kind}.{_VERBS[state]}"
        own = identity.person_id in {approval.asked_by, approval.for_id}
        if own is (state in REASONED):
            raise OwnRequest(act=act) if own else NotAllowed(act=act)
        if state in REASONED and approval.step:
            raise NotAllowed(act=act)
        if state not in NEXT[approval.state]:
            raise Ended(state=approval.state.value, act=act)
        if state in REASONED:
            checked(why)
        self._end(session, identity, approval, state, why)

    def drop(self, session: Session, identity: Identity, approval: Approval, why: str) -> None:
        """Take a request back for someone who can no longer ask for it. Asks nobody: the caller has."""
        if approval.state in OPEN:
            self._end(session, identity, approval, ApprovalState.WITHDRAWN, why)

    def escalate(self, session: Session, identity: Identity, limit: int) -> int:
        """Let others decide too at steps whose days are over, at most ``limit`` of them; return how many."""
        now = self._clock.now()
        due = session.execute(
            select(Approval, ApprovalStep)
            .join(ApprovalStep, (ApprovalStep.approval_id == Approval.id) & (ApprovalStep.number == Approval.step))
            .where(
                Approval.state == ApprovalState.ASKED,  # while an answer is waited for, no decider is late
                ApprovalStep.due_at <= now,
                ApprovalStep.escalated_at.is_(None),
            )
            .limit(limit)
        ).all()
        for approval, step in due:
            step.escalated_at = now
            there = select(ApprovalDecider.token).where(
                ApprovalDecider.approval_id == approval.id, ApprovalDecider.number == step.number
            )
            more = [token for token in step.escalate if token not in set(session.scalars(there))]
            if more:
                step.every = False
                session.add_all(
                    ApprovalDecider(approval_id=approval.id, number=step.number, token=token) for token in more
                )
                self._note(session, identity, approval, "escalate", "")
        session.flush()
        return len(due)

    def opened(self, session: Session, approval: Approval) -> tuple[Mapping[str, Any], str, str]:
        """Return what was asked for, why, and why it was decided so ("": no decision, or none was given)."""
        asked = self._open(session, approval, f"approval:{approval.id.hex}", approval.sealed)
        answer = {"why": ""}
        if approval.answer is not None:
            answer = self._open(session, approval, f"approval-answer:{approval.id.hex}", approval.answer)
        return asked["what"], asked["why"], answer["why"]

    def spoken(self, session: Session, approval: Approval) -> Sequence[Spoken]:
        """Return what was said on a request, the first first."""
        query = select(ApprovalWord).where(ApprovalWord.approval_id == approval.id)
        rows = session.scalars(query.order_by(ApprovalWord.at, ApprovalWord.id)).all()
        return [Spoken(row, self._open(session, approval, f"word:{row.id.hex}", row.sealed)["text"]) for row in rows]

    def may_decide(self, session: Session, person: UUID | None, approval: Approval, hands: Sequence[Hand]) -> bool:
        """Whether these hands may decide at the present step."""
        return self._of(session, person, approval, hands) is not None

    def _hand(
        self, session: Session, identity: Identity, approval: Approval, hands: Sequence[Hand], act: str
    ) -> tuple[UUID | None, str]:
        """Return in whose place someone decides (None: in their own), and by which token."""
        if identity.person_id in {approval.asked_by, approval.for_id}:
            raise OwnRequest(act=act)
        if approval.state is not ApprovalState.ASKED:
            raise Ended(state=approval.state.value, act=act)
        found = self._of(session, identity.person_id, approval, hands)
        if found is None:
            raise NotAllowed(act=act)
        return found

    def _of(
        self, session: Session, person: UUID | None, approval: Approval, hands: Sequence[Hand]
    ) -> tuple[UUID | None, str] | None:
        if person is None or not approval.step:
            return None
        session.flush()
        for hand in hands:
            if session.scalar(waiting(person, [hand]).where(Approval.id == approval.id)) is not None:
                open_to = open_tokens(approval).where(ApprovalDecider.token.in_(hand.tokens))
                own = session.scalars(open_to.order_by(ApprovalDecider.token)).all()
                day = house_day(session, self._clock.now())
                return hand.person, fitting(session, approval, own, {person, hand.person}, day)
        return None

    def _add_steps(self, session: Session, approval: Approval, steps: Sequence[Planned]) -> None:
        first: ApprovalStep | None = None
        for number, each in enumerate(steps, start=approval.step + 1):
            row = ApprovalStep(
                approval_id=approval.id, number=number, every=each.every, finds=each.finds, days=each.days,
                escalate=list(each.escalate),
            )  # fmt: skip
            session.add(row)
            session.add_all(
                ApprovalDecider(approval_id=approval.id, number=number, token=token) for token in each.tokens
            )
            first = first or row
        if first is not None:
            self._begin(approval, first)
        session.flush()

    def _begin(self, approval: Approval, step: ApprovalStep) -> None:
        approval.step = step.number
        step.due_at = self._clock.now() + timedelta(days=step.days) if step.days else None

    def _missing(self, session: Session, approval: Approval) -> bool:
        return session.scalars(open_tokens(approval)).first() is not None

    def _passed(self, session: Session, identity: Identity, approval: Approval, why: str) -> ApprovalState:
        approval.version += 1
        self._note(session, identity, approval, "pass", why)
        return approval.state

    def _end(self, session: Session, identity: Identity, approval: Approval, state: ApprovalState, why: str) -> None:
        approval.state, approval.version = state, approval.version + 1
        approval.decided_by, approval.decided_at = identity.person_id, self._clock.now()
        if why.strip():
            context = f"approval-answer:{approval.id.hex}"
            approval.answer = self._seal(session, approval, context, {"why": why.strip()})
        self._note(session, identity, approval, _VERBS[state], why)

    def _speak(
        self, session: Session, identity: Identity, approval: Approval, said: Said, text: str, instead: UUID | None
    ) -> None:
        if identity.person_id is None:
            raise NotAllowed(act=f"{approval.kind}.{said}")
        key = new_id()
        sealed = self._seal(session, approval, f"word:{key.hex}", {"text": text.strip()})
        session.add(
            ApprovalWord(
                id=key, approval_id=approval.id, number=approval.step, person_id=identity.person_id, said=said,
                instead_of=instead, at=self._clock.now(), sealed=sealed,
            )
        )  # fmt: skip

    def _note(self, session: Session, identity: Identity, approval: Approval, verb: str, why: str) -> None:
        session.flush()
        body = {"approval": str(approval.id), "reason": why.strip()}
        if approval.step:
            body["step"] = str(approval.step)
        self._log.note(session, identity, f"{approval.kind}.{verb}", record=approval.record_id, body=body)

    def _seal(self, session: Session, approval: Approval, context: str, values: Mapping[str, Any]) -> bytes:
        data = json.dumps(values, ensure_ascii=False).encode()
        return self._vault.seal_many(session, [(_owner(approval), data, context)])[0]

    def _open(self, session: Session, approval: Approval, context: str, sealed: bytes) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self._vault.open(session, _owner(approval), sealed, context=context))
        return values


def _owner(approval: Approval) -> UUID:
    """Return under whose key a request's texts lie: that of its record, or of the year in which none was named."""
    owner = approval.owner_id or approval.record_id
    if owner is None:
        raise ValueError(approval.id)
    return owner


_VERBS: Mapping[ApprovalState, str] = {
    ApprovalState.ASKED: "ask",
    ApprovalState.QUESTIONED: "question",
    ApprovalState.APPROVED: "approve",
    ApprovalState.REFUSED: "refuse",
    ApprovalState.WITHDRAWN: "withdraw",
}
