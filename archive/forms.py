"""The templates of printed forms: shipped ones, and the versions that a house has made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import FormVersion
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reasons import reason_faults

LONGEST_SOURCE = 100_000
"""Characters of a template."""

LONGEST_REASON = 200


@dataclass(frozen=True)
class Template:
    """The template that a form is printed by. ``version`` 0: nobody has changed it yet."""

    form: str
    source: str
    version: int
    is_own: bool


class FormTemplates:
    """Keeps templates. One that cannot be set never takes the place of one that can.

    Args:
        db: the house's database.
        guard: asked before each act.
        log: where acts are noted.
        clock: tells when a version was kept.
        shipped: the shipped template of each form, by its key.
        try_out: sets a template with made data; raises ``InvalidInput`` (of ``source``) when that fails.
    """

    def __init__(
        self,
        db: Database,
        guard: Guard,
        log: Log,
        clock: Clock,
        shipped: Mapping[str, Callable[[], str]],
        try_out: Callable[[str, str], None],
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock
        self._shipped = shipped
        self._try_out = try_out

    def current(self, _identity: Identity, form: str) -> Template:
        """Return what a form is printed by now; it is open to everyone signed in.

        Raises:
            NotFound: there is no such form.
        """
        with self._db.reading() as session:
            newest = self._newest(session, form)
        source = newest.source if newest else None
        shown = self._shipped[form]() if source is None else source
        return Template(form, shown, newest.version if newest else 0, is_own=source is not None)

    def versions(self, identity: Identity, form: str) -> Sequence[FormVersion]:
        """Return every version of a form that was kept, the newest first, for those who manage forms.

        Raises:
            NotFound: there is no such form.
            NotAllowed: not one of those who manage forms.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_FORMS)
            self._known(form)
            query = select(FormVersion).where(FormVersion.form == form).order_by(FormVersion.version.desc())
            return session.scalars(query).all()

    def newest(self, identity: Identity) -> Mapping[str, FormVersion]:
        """Return the newest version of each form that was ever changed, for those who manage forms."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_FORMS)
            rows = session.scalars(select(FormVersion).order_by(FormVersion.version))
            return {row.form: row for row in rows}

    def keep(self, identity: Identity, form: str, source: str, reason: str, *, version: int) -> int:
        """Keep a template as a form's newest version, once it has been tried, and return its number.

        Args:
            identity: who asks.
            form: its key.
            source: the template, in Typst.
            reason: what was changed, for those who come after.
            version: the version that it was made from (0: the shipped one, changed by nobody before).

        Raises:
            InvalidInput: it is empty, too long or cannot be set (``source``), or ``reason`` is missing.
            Conflict: someone kept another meanwhile.
            NotFound, NotAllowed: as ``versions``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_FORMS)
            self._known(form)
        source = source.replace("\r\n", "\n")
        _check(source, reason)
        self._try_out(form, source)
        return self._add(identity, form, source, reason, version)

    def back(self, identity: Identity, form: str, *, version: int) -> int:
        """Have a form printed by its shipped template again; what the house made stays among its versions.

        Raises as ``keep``.
        """
        return self._add(identity, form, None, "", version)

    def _add(self, identity: Identity, form: str, source: str | None, reason: str, base: int) -> int:
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_FORMS)
            newest = self._newest(session, form)
            if (newest.version if newest else 0) != base:
                raise Conflict(what="form")
            row = FormVersion(
                form=form, version=base + 1, source=source, reason=reason.strip(), kept_at=self._clock.now(),
                kept_by=identity.person_id,
            )  # fmt: skip
            session.add(row)
            act = "form.back" if source is None else "form.keep"
            self._log.note(session, identity, act, body={"form": form, "version": row.version, "reason": row.reason})
            work.commit()
        return base + 1

    def _newest(self, session: Session, form: str) -> FormVersion | None:
        self._known(form)
        query = select(FormVersion).where(FormVersion.form == form).order_by(FormVersion.version.desc()).limit(1)
        return session.scalar(query)

    def _known(self, form: str) -> None:
        if form not in self._shipped:
            raise NotFound


def _check(source: str, reason: str) -> None:
    faults = []
    if not source.strip():
        faults.append(Fault("source", "required"))
    if len(source) > LONGEST_SOURCE:
        faults.append(Fault("source", "too_long", {"limit": LONGEST_SOURCE}))
    faults += reason_faults(reason, LONGEST_REASON)
    if faults:
        raise InvalidInput(*faults)
