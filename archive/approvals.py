"""The engine of requests that need a yes: asked by one, decided by another, and fixed from then on.

What a yes does is the business of each kind of request (``archive.corrections``); what holds for all of them is here.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.errors import Ended, Fault, InvalidInput, NotAllowed, OwnRequest
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Approval, ApprovalKind, ApprovalState
from archive.ports import Vault

NEXT: Mapping[ApprovalState, frozenset[ApprovalState]] = {
    ApprovalState.ASKED: frozenset({ApprovalState.APPROVED, ApprovalState.REFUSED, ApprovalState.WITHDRAWN}),
    ApprovalState.APPROVED: frozenset(),
    ApprovalState.REFUSED: frozenset(),
    ApprovalState.WITHDRAWN: frozenset(),
}
"""Which state may follow which: what was decided never changes."""

LONGEST_REASON = 500
"""Characters."""

REASONED = frozenset({ApprovalState.APPROVED, ApprovalState.REFUSED})
"""Ends that are decisions: by another person than who asked, and with a reason."""


class Approvals:
    """Requests and their ends, inside the caller's transaction. Who may decide is asked of the policy by the caller."""

    def __init__(self, vault: Vault, log: Log, clock: Clock) -> None:
        self._vault = vault
        self._log = log
        self._clock = clock

    def ask(
        self, session: Session, identity: Identity, kind: ApprovalKind, record: UUID, what: Mapping[str, Any], why: str
    ) -> UUID:
        """Put a request.

        Args:
            session: of the transaction.
            identity: who asks: a person.
            kind: of the request.
            record: that it is about; what is asked is sealed under its key.
            what: what is asked for, as JSON values.
            why: the reason, in words.

        Raises:
            InvalidInput: field ``reason``.
            NotAllowed: parts of the system ask for nothing.
        """
        if identity.person_id is None:
            raise NotAllowed(act=f"{kind}.ask")
        checked(why)
        key = new_id()
        session.add(
            Approval(
                id=key, kind=kind, record_id=record, asked_by=identity.person_id, asked_at=self._clock.now(),
                sealed=self._seal(session, record, f"approval:{key.hex}", {"what": what, "why": why.strip()}),
            )
        )  # fmt: skip
        session.flush()
        body = {"approval": str(key), "reason": why.strip(), **what}
        self._log.note(session, identity, f"{kind}.ask", record=record, body=body)
        return key

    def end(self, session: Session, identity: Identity, approval: Approval, state: ApprovalState, why: str) -> None:
        """Decide a request, or take it back.

        Raises:
            Ended: it has ended already.
            OwnRequest: it is one's own, and is to be decided.
            NotAllowed: it is another's, and is to be taken back.
            InvalidInput: field ``reason``.
        """
        act = f"{approval.kind}.{_VERBS[state]}"
        own = approval.asked_by == identity.person_id
        if own is (state in REASONED):
            raise OwnRequest(act=act) if own else NotAllowed(act=act)
        if state not in NEXT[approval.state]:
            raise Ended(state=approval.state.value, act=act)
        if state in REASONED:
            checked(why)
        approval.state, approval.version = state, approval.version + 1
        approval.decided_by, approval.decided_at = identity.person_id, self._clock.now()
        if why.strip():
            context = f"approval-answer:{approval.id.hex}"
            approval.answer = self._seal(session, approval.record_id, context, {"why": why.strip()})
        session.flush()
        body = {"approval": str(approval.id), "reason": why.strip()}
        self._log.note(session, identity, act, record=approval.record_id, body=body)

    def opened(self, session: Session, approval: Approval) -> tuple[Mapping[str, Any], str, str]:
        """Return what was asked for, why, and why it was decided so ("": no decision, or none was given)."""
        asked = self._open(session, approval.record_id, f"approval:{approval.id.hex}", approval.sealed)
        answer = {"why": ""}
        if approval.answer is not None:
            answer = self._open(session, approval.record_id, f"approval-answer:{approval.id.hex}", approval.answer)
        return asked["what"], asked["why"], answer["why"]

    def _seal(self, session: Session, record: UUID, context: str, values: Mapping[str, Any]) -> bytes:
        data = json.dumps(values, ensure_ascii=False).encode()
        return self._vault.seal_many(session, [(record, data, context)])[0]

    def _open(self, session: Session, record: UUID, context: str, sealed: bytes) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self._vault.open(session, record, sealed, context=context))
        return values


_VERBS: Mapping[ApprovalState, str] = {
    ApprovalState.ASKED: "ask",
    ApprovalState.APPROVED: "approve",
    ApprovalState.REFUSED: "refuse",
    ApprovalState.WITHDRAWN: "withdraw",
}


def checked(why: str) -> None:
    """Refuse a reason that says nothing, or too much.

    Raises:
        InvalidInput: field ``reason``.
    """
    if not why.strip():
        raise InvalidInput(Fault("reason", "required"))
    if len(why) > LONGEST_REASON:
        raise InvalidInput(Fault("reason", "too_long", {"limit": LONGEST_REASON, "length": len(why)}))
