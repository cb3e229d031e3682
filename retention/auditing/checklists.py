"""The checklists of a house: shipped ones, and the versions that it has made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from archive.errors import NotFound
from archive.identity import Identity
from archive.model.auditing import AuditChecklist
from archive.policy.rules import Act
from archive.reasons import checked
from archive.versions import offered, require_newest, versions_of
from retention.auditing.checklist import Checklist, parse, plain, shipped
from retention.auditing.means import Means

LONGEST_REASON = 200


@dataclass(frozen=True)
class Offered:
    """A checklist as it is offered. ``version`` 0: shipped, changed by nobody."""

    checklist: Checklist
    version: int
    is_own: bool


def offered_in(session: Session) -> Mapping[str, Offered]:
    """Return the checklists that are offered now, by code: the shipped ones first, then the house's own."""
    return {code: Offered(*each) for code, each in offered(session, AuditChecklist, shipped(), parse).items()}


class Checklists:
    """Keeps checklists. What is audited already keeps the one it was planned by."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def offered(self, identity: Identity) -> Mapping[str, Offered]:
        """Return the checklists that are offered now, by code. Raises ``NotAllowed``."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            means.guard.require_house(session, identity, Act.AUDIT)
            return offered_in(session)

    def versions(self, identity: Identity, code: str) -> Sequence[AuditChecklist]:
        """Return every version of a checklist that the house made, the newest first. Raises ``NotAllowed``."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            means.guard.require_house(session, identity, Act.AUDIT)
            return versions_of(session, AuditChecklist, code)

    def keep(self, identity: Identity, checklist: Checklist, reason: str, *, version: int) -> int:
        """Keep a checklist as the newest version of its code (another code makes a new one); return its number.

        Raises:
            NotAllowed: they plan no audits.
            InvalidInput: ``reason``.
            Conflict: someone kept another meanwhile.
        """
        return self._add(identity, checklist.code, checklist, checked(reason, LONGEST_REASON), version)

    def withdraw(self, identity: Identity, code: str, *, version: int) -> None:
        """Offer the shipped checklist of a code again, or none. Raises as ``keep``, and ``NotFound``."""
        self._add(identity, code, None, "", version)

    def _add(self, identity: Identity, code: str, checklist: Checklist | None, reason: str, base: int) -> int:
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            means.guard.require_house(session, identity, Act.AUDIT)
            require_newest(session, AuditChecklist, code, base, "checklist")
            if checklist is None and code not in offered_in(session):
                raise NotFound
            row = AuditChecklist(
                code=code, version=base + 1, body=plain(checklist) if checklist else None, reason=reason,
                kept_at=means.clock.now(), kept_by=identity.person_id,
            )  # fmt: skip
            session.add(row)
            session.flush()
            act = "audit.checklist" if checklist else "audit.checklist_back"
            body = {"checklist": code, "version": row.version, "reason": reason}
            means.log.note(session, identity, act, body=body)
            work.commit()
        return base + 1
