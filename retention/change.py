"""What a change of a schedule may move: the world as it would be, its categories and its records."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from archive.model import (
    Record,
    RecordSchedule,
    RecordState,
    ScheduleDraft,
)
from retention.documents import rule_of
from retention.reckoning import World


def drafted(here: World, draft: ScheduleDraft) -> tuple[World, UUID]:
    """Return the world as a draft would have it, and the schedule's id in it."""
    key = draft.schedule_id or draft.id
    return here.with_schedule(key, rule_of(draft.definition), [UUID(each) for each in draft.categories]), key


def affected(before: World, after: World, schedule: UUID) -> set[UUID]:
    """Return the categories whose records a change of a schedule may move."""
    return {
        key
        for key in after.parents
        if before.of_category(key) != after.of_category(key) or after.of_category(key) == schedule
    }


def candidates(categories: Collection[UUID], schedule: UUID | None = None) -> list[ColumnElement[bool]]:
    """Return conditions on the filed records that a change may move.

    They are of these categories, or have the schedule instead of their category's, or lie in one dossier with such.
    """
    one = aliased(Record)
    chosen = select(RecordSchedule.record_id).where(RecordSchedule.schedule_id == schedule)
    touched: Select[Any] = select(func.coalesce(one.dossier_id, one.id)).where(
        or_(one.category_id.in_(list(categories)), one.id.in_(chosen))
    )
    return [
        Record.state == RecordState.FILED,
        func.coalesce(Record.dossier_id, Record.id).in_(touched),
    ]
