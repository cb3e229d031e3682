"""Clocks of the demonstration: schedules that ship, a contract that ended, a hold, and a change that waits."""

from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from archive.identity import system
from archive.model import (
    Category,
    CategorySchedule,
    Hold,
    HoldKind,
    Record,
    RecordKind,
    RecordState,
    RetentionEvent,
    RetentionSchedule,
    ScheduleDraft,
)
from retention.holds import Wanted
from runtime.wiring.parts import Parts

CONTRACT, NOTICES = "2023年度", "minutes.D1"
ENDED = date(2023, 12, 31)


def install(parts: Parts) -> None:
    """Put the schedules that ship on the categories, before there are records."""
    parts.retention.schedules.install(system("demo"))


def wind_up(parts: Parts) -> None:
    """Let one contract have ended, hold another, and draft a change; each once."""
    who = parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        dossiers = select(Record).where(Record.kind == RecordKind.DOSSIER, Record.state == RecordState.FILED)
        found = session.scalars(dossiers.order_by(Record.title)).all()
        ended = next((each.id for each in found if CONTRACT in each.title), None)
        disputed = next((each.id for each in found if CONTRACT not in each.title), None)
        events, holds, drafts = (
            session.scalar(select(func.count()).select_from(table)) for table in (RetentionEvent, Hold, ScheduleDraft)
        )
    if ended and not events:
        parts.retention.events.enter_of_record(who, ended, "contract_end", ENDED, "合同期满，未续签")
    if disputed and not holds:
        day = parts.guard.day()
        wanted = Wanted(
            HoldKind.DOSSIER, {"id": str(disputed)}, "维保费用争议", "与维保单位就考核扣款发生争议，诉讼期间保全证据",
            "总经理办公会纪要〔2026〕3号", date(day.year + 1, 6, 30),
        )  # fmt: skip
        parts.retention.holds.place(who, wanted)
    if not drafts:
        _draft(parts)


def _draft(parts: Parts) -> None:
    with parts.db.reading() as session:
        row = session.scalars(select(RetentionSchedule).where(RetentionSchedule.code == NOTICES)).one_or_none()
        if row is None:
            return
        on = select(CategorySchedule.category_id).where(CategorySchedule.schedule_id == row.id)
        categories: list[UUID] = list(session.scalars(select(Category.id).where(Category.id.in_(on))))
    parts.retention.schedules.draft(
        parts.people.identity_of("archivist"), row.id, code=row.code, names=row.names,
        definition={**row.definition, "term": "D3"}, categories=categories,
        why="例会记录常被查用，拟由一年改为三年",
    )  # fmt: skip
