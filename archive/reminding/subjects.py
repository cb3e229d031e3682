"""What deadlines and messages are about: the rows of their subjects, and the records of these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive.model import Deadline, DeadlineKind, Message

Needs = Sequence[InstrumentedAttribute[Any]]
"""Columns of one table."""


class Needing(Protocol):
    """A kind of deadline that says what is needed of its subjects, beside their ids."""

    @property
    def needs(self) -> Needs:
        """Which columns; none: no row."""
        ...


@dataclass(frozen=True)
class _Told:
    message: UUID
    kind: DeadlineKind
    subject_id: UUID


def subject_rows(
    session: Session, watches: Mapping[DeadlineKind, Any], found: "Iterable[Deadline | _Told]"
) -> Mapping[UUID, Any]:
    """Return by id what is needed of subjects: a question for each kind of row. ``watches``: each a ``Needing``."""
    wanted: dict[Any, list[UUID]] = {}
    for each in found:
        if needs := tuple(watches[each.kind].needs):
            wanted.setdefault(needs, []).append(each.subject_id)
    return {
        row.id: row
        for needs, ids in wanted.items()
        for row in session.connection().execute(_needed(needs), {"ids": ids})
    }


def records_of(
    session: Session, watches: Mapping[DeadlineKind, Needing], messages: Sequence[Message]
) -> Mapping[UUID, UUID]:
    """Return, by the message's id, of which record messages are that name none."""
    told = [
        _Told(each.id, kind, each.subject_id)
        for each in messages
        if each.record_id is None and each.subject_id and (kind := _kind_of(each.topic)) in watches
    ]
    rows = subject_rows(session, watches, told)
    found = {each.message: getattr(rows.get(each.subject_id), "record_id", None) for each in told}
    return {key: record for key, record in found.items() if record}


def _kind_of(topic: str) -> DeadlineKind:
    """Return whose watch knows of what a message is; what is told of a request for a loan at once is of one, too."""
    kind = topic.removeprefix("due.")
    return DeadlineKind(kind) if kind in set(DeadlineKind) else DeadlineKind.LOAN_DECISION


@cache
def _needed(needs: tuple[InstrumentedAttribute[Any], ...]) -> Select[Any]:
    key = needs[0].class_.__table__.c.id
    return select(key, *needs).where(key.in_(bindparam("ids", expanding=True)))
