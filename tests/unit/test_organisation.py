"""Departments and posts: codes that numbers can hold, once each."""

from datetime import date
from pathlib import Path

import pytest

from archive.errors import Conflict, InvalidInput
from archive.house.organisation import Organisation
from archive.identity import system
from archive.policy.guard import Guard
from tests.factories.schemes import scheme_house
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog

OPERATOR = system("operator")
NAMES = {"zh_CN": "办公室", "zh_TW": "辦公室", "en": "Office"}


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    db = scheme_house(tmp_path).db
    log = RememberingLog()
    return Organisation(db, Guard(db, log, FixedClock(), "Asia/Shanghai"), log)


def test_a_department_stands_below_another_until_it_is_closed(organisation: Organisation) -> None:
    office = organisation.add_department(OPERATOR, "BGS", NAMES)
    organisation.add_department(OPERATOR, "DAS", NAMES, parent_id=office)
    organisation.close_department(OPERATOR, office, date(2026, 12, 31), version=1)
    shown = [(d.code, d.parent_id, d.until) for d in organisation.departments(OPERATOR)]
    assert shown == [("BGS", None, date(2026, 12, 31)), ("DAS", office, None)]
    with pytest.raises(Conflict):
        organisation.close_department(OPERATOR, office, date(2027, 12, 31), version=1)


@pytest.mark.parametrize("code", ["", "TOO-LONG-CODE", "A-B", "办公室", "A B"])
def test_a_department_code_fits_a_number(organisation: Organisation, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        organisation.add_department(OPERATOR, code, NAMES)
    assert refused.value.faults[0].field == "code"


def test_a_code_stands_once(organisation: Organisation) -> None:
    organisation.add_department(OPERATOR, "BGS", NAMES)
    organisation.add_post(OPERATOR, "manager", NAMES)
    with pytest.raises(Conflict):
        organisation.add_department(OPERATOR, "BGS", NAMES)
    with pytest.raises(Conflict):
        organisation.add_post(OPERATOR, "manager", NAMES)
