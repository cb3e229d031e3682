"""The register of what was destroyed 销毁清册: what stays, who may see it, and its forms, kept as they were printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.orm import Session

from archive.database.newest import newest_first
from archive.errors import NotFound, WrongState
from archive.identity import Identity, Role
from archive.model import (
    DestroyedRecord,
    Destruction,
    DestructionForm,
    DestructionItem,
    DestructionItemState,
    DestructionState,
)
from archive.policy.reach import Reach
from archive.policy.rules import READERS, Act
from retention.destroying.means import Means, required, say
from retention.destroying.running import title_context

FORMS = ("destruction_register", "destruction_certificate", "electronic_destruction")
"""销毁清册, the certificate of a destruction, and 电子档案销毁登记表."""


@dataclass(frozen=True)
class Gone:
    """A line of the register. ``title`` None: it is not theirs to see."""

    row: DestroyedRecord
    number: str
    destruction: UUID
    title: str | None
    gone_at: datetime | None


@dataclass(frozen=True)
class Asked:
    """What of the register is asked for: words of an archive number, and a time in which things went."""

    number: str = ""
    since: date | None = None
    until: date | None = None


def title_open(reach: Reach, rank: int, *, neutral: bool) -> bool:
    """Return whether a register title is shown.

    A neutral one to all who see the register; another to who is cleared for its level, and to the auditor.
    """
    return neutral or rank in reach.levels or Role.AUDIT_ADMIN in reach.roles


class Register:
    """Looking into the destroyed store, and its forms."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def every(
        self, identity: Identity, asked: Asked, *, after: tuple[datetime, UUID] | None = None, limit: int
    ) -> Sequence[Gone]:
        """Return what is gone, the last first. Raises ``NotAllowed``: it is not theirs to see."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            reach = means.guard.require_house(session, identity, Act.SEE_DESTRUCTIONS)
            query = _lines().where(DestructionItem.state == DestructionItemState.GONE)
            if asked.number:
                like = DestroyedRecord.registration_number.contains(asked.number, autoescape=True)
                if reach.roles & (READERS | {Role.AUDIT_ADMIN}):  # the others see the neutral number alone
                    like = or_(like, DestroyedRecord.archive_number.contains(asked.number, autoescape=True))
                query = query.where(like)
            if asked.since:
                query = query.where(DestructionItem.gone_at >= means.guard.start_of(asked.since))
            if asked.until:
                query = query.where(DestructionItem.gone_at < means.guard.start_of(asked.until + timedelta(days=1)))
            query = newest_first(query, DestructionItem.gone_at, DestroyedRecord.record_id, after)
            return self._opened(session, reach, session.execute(query.limit(limit)).all())

    def between(self, session: Session, identity: Identity, since: date, until: date) -> Sequence[Gone]:
        """Return all that went from one day to another, in the order of the lists. Asks nobody: the caller has."""
        guard = self._means.guard
        query = _lines().where(
            DestructionItem.state == DestructionItemState.GONE,
            DestructionItem.gone_at >= guard.start_of(since),
            DestructionItem.gone_at < guard.start_of(until + timedelta(days=1)),
        )
        rows = session.execute(query.order_by(Destruction.number, DestroyedRecord.position)).all()
        return self._opened(session, guard.reach(session, identity), rows)

    def lines(self, identity: Identity, key: UUID) -> Sequence[Gone]:
        """Return the lines of one destruction from the time it runs, in their order. Raises ``NotFound``."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            _row, part = required(means, session, identity, key)
            if not part.numbers:
                raise NotFound
            query = _lines().where(
                DestroyedRecord.destruction_id == key, DestructionItem.state != DestructionItemState.PULLED
            )
            rows = session.execute(query.order_by(DestroyedRecord.position)).all()
            return self._opened(session, means.guard.reach(session, identity), rows)

    def keep_form(self, identity: Identity, key: UUID, form: str, locale: str, pdf: bytes) -> bytes:
        """Keep a form of a closed destruction as it was printed first, with its hash in the log; return what is kept.

        Raises:
            NotFound: there is none for them, or no such form.
            WrongState: it is not closed.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row, part = required(means, session, identity, key)
            if form not in FORMS or not part.numbers:
                raise NotFound
            if row.state is not DestructionState.CLOSED:
                raise WrongState(state=row.state.value, act="destruction.keep_form")
            context = f"destruction-form:{key.hex}:{form}:{locale}"
            kept = session.get(DestructionForm, (key, form, locale))
            if kept is not None:
                return means.vault.open(session, key, kept.sealed, context=context)
            told = sha256(pdf).hexdigest()
            sealed = means.vault.seal(session, key, pdf, context=context)
            session.add(
                DestructionForm(
                    destruction_id=key, form=form, locale=locale, sealed=sealed, sha256=told, kept_at=means.clock.now()
                )
            )
            say(means, session, identity, "keep_form", row, form=form, locale=locale, sha256=told)
            work.commit()
            return pdf

    def form(self, identity: Identity, key: UUID, form: str, locale: str) -> bytes | None:
        """Return a form that was kept; None when none was. Raises ``NotFound``."""
        means = self._means
        with means.guard.refusals(identity), means.db.reading() as session:
            _row, part = required(means, session, identity, key)
            if not part.numbers:
                raise NotFound
            kept = session.get(DestructionForm, (key, form, locale))
            if kept is None:
                return None
            return means.vault.open(session, key, kept.sealed, context=f"destruction-form:{key.hex}:{form}:{locale}")

    def _opened(
        self, session: Session, reach: Reach, rows: Sequence[Row[DestroyedRecord, str, datetime | None]]
    ) -> Sequence[Gone]:
        lines = [each[0] for each in rows]
        titles = self._means.vault.open_many(
            session, [(e.destruction_id, e.sealed, title_context(e.destruction_id, e.record_id)) for e in lines]
        )
        return [
            Gone(
                line, each[1], line.destruction_id,
                title.decode() if title and title_open(reach, line.level_rank, neutral=line.neutral) else None,
                each[2],
            )
            for each, line, title in zip(rows, lines, titles, strict=True)
        ]  # fmt: skip


def _lines() -> Select[DestroyedRecord, str, datetime | None]:
    return (
        select(DestroyedRecord, Destruction.number, DestructionItem.gone_at)
        .join(Destruction, Destruction.id == DestroyedRecord.destruction_id)
        .join(
            DestructionItem,
            (DestructionItem.destruction_id == DestroyedRecord.destruction_id)
            & (DestructionItem.record_id == DestroyedRecord.record_id),
        )
    )
