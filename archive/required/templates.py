"""The dossier templates of a house: shipped ones, and the versions that it has made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import InUse, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import DossierTemplate, RequiredPapers
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reasons import checked
from archive.required.template import Template, parse, plain, shipped
from archive.versions import offered, require_newest, versions_of

LONGEST_REASON = 200


@dataclass(frozen=True)
class Offered:
    """A template as it is offered. ``version`` 0: shipped, changed by nobody; ``used``: by how many dossiers."""

    template: Template
    version: int
    is_own: bool
    used: int = 0


def offered_in(session: Session) -> dict[str, Offered]:
    """Return the templates that are offered now, by code: the shipped ones first, then the house's own."""
    return {code: Offered(*each) for code, each in offered(session, DossierTemplate, shipped(), parse).items()}


def template_of(session: Session, code: str, version: int) -> Template:
    """Return a template as a dossier follows it. Raises ``NotFound``."""
    row = session.get(DossierTemplate, (code, version)) if version else None
    if row is not None and row.body is not None:
        return parse(row.body)
    if code not in shipped():
        raise NotFound
    return shipped()[code]


class DossierTemplates:
    """Keeps templates. What a dossier follows stays as it was until someone has it follow the newest."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def offered(self, _identity: Identity) -> Mapping[str, Offered]:
        """Return the templates that are offered now, by code; they are open to everyone signed in."""
        with self._db.reading() as session:
            return offered_in(session)

    def managed(self, identity: Identity) -> Sequence[Offered]:
        """Return the templates with how many dossiers follow each, for those who manage schemes.

        Raises:
            NotAllowed: not one of those.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            counts = select(RequiredPapers.template, func.count()).group_by(RequiredPapers.template)
            used: dict[str, int] = {row[0]: row[1] for row in session.execute(counts)}
            return [
                Offered(each.template, each.version, is_own=each.is_own, used=used.get(code, 0))
                for code, each in offered_in(session).items()
            ]

    def versions(self, identity: Identity, code: str) -> Sequence[DossierTemplate]:
        """Return every version of a template that the house made, the newest first. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            return versions_of(session, DossierTemplate, code)

    def keep(self, identity: Identity, template: Template, reason: str, *, version: int) -> int:
        """Keep a template as the newest version of its code, and return its number.

        Args:
            identity: who asks.
            template: what is kept; another code than those that are offered makes a new template.
            reason: what was changed, for those who come after.
            version: the version that it was made from (0: the shipped one, or none).

        Raises:
            InvalidInput: ``reason`` is missing or too long.
            Conflict: someone kept another meanwhile.
            NotAllowed: not one of those who manage schemes.
        """
        return self._add(identity, template.code, template, checked(reason, LONGEST_REASON), version)

    def withdraw(self, identity: Identity, code: str, *, version: int) -> None:
        """Offer the shipped template of a code again, or none.

        Raises:
            InUse: it is the house's own alone, and a dossier follows it.
            NotFound: there is none. Else as ``keep``.
        """
        self._add(identity, code, None, "", version)

    def _add(self, identity: Identity, code: str, template: Template | None, reason: str, base: int) -> int:
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            require_newest(session, DossierTemplate, code, base, "template")
            if template is None:
                self._may_go(session, code)
            row = DossierTemplate(
                code=code, version=base + 1, body=plain(template) if template else None, reason=reason.strip(),
                kept_at=self._clock.now(), kept_by=identity.person_id,
            )  # fmt: skip
            session.add(row)
            act = "template.keep" if template else "template.withdraw"
            self._log.note(
                session, identity, act, body={"template": code, "version": row.version, "reason": row.reason}
            )
            work.commit()
        return base + 1

    @staticmethod
    def _may_go(session: Session, code: str) -> None:
        if code not in offered_in(session):
            raise NotFound
        if code not in shipped() and session.scalar(select(RequiredPapers).where(RequiredPapers.template == code)):
            raise InUse(what="template_in_use")
