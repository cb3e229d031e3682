"""A change of the calendar moves what is counted in working days and still runs, logs it, and tells it once."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.cataloguing.corrections import DAYS
from archive.cataloguing.describing import Draft
from archive.errors import NotAllowed
from archive.model import (
    Deadline,
    DeadlineKind,
    DossierClock,
    LogEntry,
    Message,
    Record,
    RecordKind,
    RecordState,
    RequiredPapers,
)
from archive.reminding.workdays import NamedDay, add_working_days, with_days
from tests.factories.web_house import WebHouse, a_web_house

EVENT = date(2026, 3, 2)
"""A Monday; ten working days later is Monday the 16th."""

OFF = NamedDay(date(2026, 3, 10), works=False, name="馆庆")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _who(house: WebHouse, login: str = "archivist") -> Any:
    return house.services.people.identity_of(login)


def _dossier(house: WebHouse, level: int = 1, **facts: str) -> UUID:
    dossier = house.a_record(title="合同卷", kind=RecordKind.DOSSIER, state=RecordState.PROVISIONAL, level=level).id
    papers = house.services.papers
    papers.follow(_who(house), dossier, "contract_filing")
    shown = papers.show(_who(house), dossier)
    assert shown is not None
    papers.know(_who(house), dossier, {"accepted_on": EVENT.isoformat()} | facts, shown.row.version)
    return dossier


def _correction(house: WebHouse) -> tuple[UUID, UUID]:
    own, archivist = house.services, _who(house)
    record = own.records.create(archivist, Draft(house.category.fonds_id, house.category.id, "通知", drawn_up="2026"))
    own.filing.file(archivist, [record])
    with own.db.reading() as session:
        version = session.get_one(Record, record).version
    return record, own.corrections.ask(_who(house, "staff"), record, {"title": "新通知"}, "错字", version)


def _due(house: WebHouse, kind: DeadlineKind, subject: UUID) -> date:
    with house.services.db.reading() as session:
        query = select(Deadline.due).where(Deadline.kind == kind, Deadline.subject_id == subject)
        return session.scalars(query).one()


def _acts(house: WebHouse, record: UUID, act: str) -> int:
    with house.services.db.reading() as session:
        return len(session.scalars(select(LogEntry).where(LogEntry.record_id == record, LogEntry.act == act)).all())


def _told(house: WebHouse) -> list[tuple[str, date | None]]:
    with house.services.db.reading() as session:
        moved = session.scalars(select(Message).where(Message.stage == "moved")).all()
        return [(each.topic, each.due) for each in moved]


def test_running_clocks_and_requests_follow_a_holiday_and_are_told_once(house: WebHouse) -> None:
    house.clock.moment = house.clock.now().replace(year=2026, month=3, day=3)
    runs, met = _dossier(house), _dossier(house, answered_on="2026-03-05")
    record, asked = _correction(house)
    asked_on = house.services.guard.day()
    stood = _due(house, DeadlineKind.CORRECTION, asked)
    assert _due(house, DeadlineKind.DOSSIER_CLOCK, runs) == date(2026, 3, 16)
    days = house.services.telling.workdays
    days.set_days(_who(house), [OFF])
    assert _due(house, DeadlineKind.DOSSIER_CLOCK, runs) == date(2026, 3, 16)  # a job does it
    house.follow_calendar()
    house.follow_calendar()
    assert _due(house, DeadlineKind.DOSSIER_CLOCK, runs) == date(2026, 3, 17)
    with house.services.db.reading() as session:
        assert session.get_one(RequiredPapers, runs).next_due == date(2026, 3, 17)
        rows = session.scalars(select(DossierClock).order_by(DossierClock.due)).all()
        assert {row.dossier_id: row.due for row in rows} == {runs: date(2026, 3, 17), met: date(2026, 3, 16)}
    after = add_working_days(days.calendar(), asked_on, DAYS)
    assert (_due(house, DeadlineKind.CORRECTION, asked), after) == (after, stood + timedelta(1))
    assert (_acts(house, runs, "dossier.clock"), _acts(house, met, "dossier.clock")) == (1, 0)
    assert _acts(house, record, "correction.due") == 1
    told = _told(house)
    assert set(told) == {("due.dossier_clock", date(2026, 3, 17)), ("due.correction", after)}
    days.set_days(_who(house), [NamedDay(OFF.day, works=False, name="改名")])
    house.follow_calendar()
    assert _told(house) == told
    days.forget_day(_who(house), OFF.day)
    house.follow_calendar()
    assert _due(house, DeadlineKind.DOSSIER_CLOCK, runs) == date(2026, 3, 16)
    days.set_week(_who(house), range(7))
    house.follow_calendar()
    assert _due(house, DeadlineKind.DOSSIER_CLOCK, runs) == date(2026, 3, 12)


def test_a_preview_counts_what_this_person_reads_and_enters_nothing(house: WebHouse) -> None:
    house.clock.moment = house.clock.now().replace(year=2026, month=3, day=3)
    _dossier(house)
    moves = house.services.telling.calendar_moves
    [shift] = moves.preview(_who(house), lambda now: with_days(now, [OFF]))
    assert (shift.before, shift.after) == (date(2026, 3, 16), date(2026, 3, 17))
    assert moves.preview(_who(house), lambda now: now) == []
    with pytest.raises(NotAllowed):
        moves.preview(_who(house, "staff"), lambda now: now)
    client = house.browser("archivist")
    token = client.get("/account").text.split('name="csrf_token" value="')[1].split('"')[0]
    lines = f"{OFF.day} off 馆庆"
    page = client.post("/house/calendar/days", data={"csrf_token": token, "days": lines, "look": "1"}).text
    assert ("1 个未完成的期限会变动" in page, "2026-03-17" in page, lines in page) == (True, True, True)
    assert house.services.telling.workdays.year(2026) == []
