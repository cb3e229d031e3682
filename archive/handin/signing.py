"""The end of a batch: signed by both sides, each by their own hand, and its register forms kept."""

from uuid import UUID

from archive.errors import NotAllowed, NotFound, OwnRequest, WrongState
from archive.handin.looking import Means, digest, duties_of, required, sides_of, signatures_of
from archive.identity import Identity
from archive.model import HandInForm, HandInSignature, HandInState, SignedBy
from archive.policy.rules import Act

FORMS = ("handover_receipt", "filing_register")
"""移交接收登记表 and 归档登记表."""


class HandInSigning:
    """Signatures. Whoever calls has asked for the person's password just now."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def sign(self, identity: Identity, batch_id: UUID, side: SignedBy) -> HandInState:
        """Sign for a side; with the second signature the batch is signed, and never changes.

        Raises:
            OwnRequest: the person has signed for the other side.
            NotAllowed: it is not theirs to sign for (they checked, or handed in what they would receive), or no person
                asks.
            WrongState: it is not checked to its end, or this side has signed.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = required(means, session, identity, Act.READ, batch_id, "handin.sign")
            signed, duties = signatures_of(session, [row])[row.id], duties_of(session, [row])[row.id]
            if row.state is not HandInState.CHECKED or side in signed:
                raise WrongState(state=row.state.value, act="handin.sign")
            reach = means.guard.reach(session, identity)
            if identity.person_id in {each.person_id for each in signed.values()}:
                raise OwnRequest(act="handin.sign")
            if identity.person_id is None or side not in sides_of(reach, row, duties):
                raise NotAllowed(act="handin.sign")
            told = digest(session, means.vault, row)
            now = means.clock.now()
            session.add(
                HandInSignature(batch_id=row.id, side=side, person_id=identity.person_id, signed_at=now, digest=told)
            )
            if signed:
                row.state, row.signed_at = HandInState.SIGNED, now
            row.version += 1
            session.flush()
            body = {"batch": str(row.id), "side": side.value, "digest": told}
            means.log.note(session, identity, "handin.sign", body=body)
            work.commit()
            return row.state

    def keep_form(self, identity: Identity, batch_id: UUID, form: str, pdf: bytes) -> bool:
        """Keep a register form of a signed batch as it was printed first; a later one changes nothing.

        Returns whether it was kept. Raises ``WrongState`` when the batch is not signed.
        """
        means = self._means
        if form not in FORMS:
            raise NotFound
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = required(means, session, identity, Act.READ, batch_id, "handin.keep_form")
            if row.state is not HandInState.SIGNED:
                raise WrongState(state=row.state.value, act="handin.keep_form")
            if session.get(HandInForm, (row.id, form)) is not None:
                return False
            sealed = means.vault.seal(session, row.id, pdf, context=f"hand-in-form:{row.id.hex}:{form}")
            session.add(HandInForm(batch_id=row.id, form=form, sealed=sealed, kept_at=means.clock.now()))
            means.log.note(session, identity, "handin.keep_form", body={"batch": str(row.id), "form": form})
            work.commit()
            return True

    def form(self, identity: Identity, batch_id: UUID, form: str) -> bytes | None:
        """Return a register form that was kept; None when none was. Raises ``NotFound``."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            row = required(means, session, identity, Act.READ, batch_id, "handin.see")
            kept = session.get(HandInForm, (row.id, form))
            if kept is None:
                return None
            return means.vault.open(session, row.id, kept.sealed, context=f"hand-in-form:{row.id.hex}:{form}")
