"""What is to be closed on a day takes papers in until that day begins in the house's zone, and none from then on."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.errors import InvalidInput
from archive.house.fonds import FondsService
from archive.house.organisation import Organisation
from archive.identity import system
from archive.log.writer import Log
from archive.model import Department, Fonds
from tests.factories.web_house import WebHouse, a_web_house
from tests.fakes.clock import FixedClock

OPERATOR = system("operator")
NAMES = {"zh_CN": "甲", "zh_TW": "甲", "en": "A"}
CLOSES = date(2026, 5, 1)
EVE = datetime(2026, 4, 30, 15, 59, tzinfo=UTC)  # 30 April in Shanghai
MORNING = datetime(2026, 4, 30, 16, 1, tzinfo=UTC)  # 1 May there, still 30 April in UTC


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def house(tmp_path: Path, clock: FixedClock) -> Iterator[WebHouse]:
    with a_web_house(tmp_path, clock=clock) as made:
        yield made


@pytest.fixture
def log(house: WebHouse, clock: FixedClock) -> Log:
    return Log(house.services.vault, clock)


def test_a_fonds_takes_papers_until_its_day_begins_and_none_from_then_on(
    house: WebHouse, clock: FixedClock, log: Log
) -> None:
    work = house.services
    fonds = FondsService(work.db, work.guard, log, clock)
    key = house.category.fonds_id
    fonds.close(OPERATOR, key, CLOSES, version=1)
    form = f"/records/new?category={house.category.id}"
    draft = Draft(fonds_id=key, category_id=house.category.id, title="通知", drawn_up="2026-04-01")

    clock.moment = EVE
    archivist = house.browser("archivist")
    assert "WYH" in archivist.get("/records/new").text
    assert archivist.get(form).status_code == 200
    assert work.records.create(OPERATOR, draft)
    assert fonds.rename(OPERATOR, key, NAMES, version=2) == 3

    clock.moment = MORNING
    archivist = house.browser("archivist")
    assert "WYH" not in archivist.get("/records/new").text
    with pytest.raises(InvalidInput) as refused:
        work.records.create(OPERATOR, draft)
    assert [(f.field, f.code) for f in refused.value.faults] == [("category", "closed")]
    with pytest.raises(InvalidInput) as refused:
        fonds.rename(OPERATOR, key, NAMES, version=3)
    assert refused.value.faults[0].code == "fonds_closed"


def test_a_closing_day_may_be_moved_while_the_fonds_is_open(house: WebHouse, clock: FixedClock, log: Log) -> None:
    work = house.services
    fonds = FondsService(work.db, work.guard, log, clock)
    key = house.category.fonds_id
    fonds.close(OPERATOR, key, CLOSES, version=1)
    fonds.close(OPERATOR, key, date(2026, 9, 1), version=2)
    clock.moment = MORNING
    draft = Draft(fonds_id=key, category_id=house.category.id, title="通知", drawn_up="2026-04-01")
    assert work.records.create(OPERATOR, draft)
    with work.db.reading() as session:
        assert session.scalars(select(Fonds.closed_on)).one() == date(2026, 9, 1)


def test_a_department_is_offered_and_taken_until_its_day_begins(house: WebHouse, clock: FixedClock, log: Log) -> None:
    work = house.services
    with work.db.reading() as session:
        office = session.scalars(select(Department.id).where(Department.code == "OFFICE")).one()
    Organisation(work.db, work.guard, log).close_department(OPERATOR, office, CLOSES, version=1)
    form = f"/records/new?category={house.category.id}"
    draft = Draft(fonds_id=house.category.fonds_id, category_id=house.category.id, title="通知", department_id=office)

    clock.moment = EVE
    assert str(office) in house.browser("archivist").get(form).text
    assert work.records.create(OPERATOR, draft)

    clock.moment = MORNING
    assert str(office) not in house.browser("archivist").get(form).text
    with pytest.raises(InvalidInput) as refused:
        work.records.create(OPERATOR, draft)
    assert [(f.field, f.code) for f in refused.value.faults] == [("department", "department_closed")]
