"""The property tree: codes by width, unique under their parent, facts by property type."""

from pathlib import Path

import pytest

from archive.errors import Conflict, InvalidInput
from archive.house.places import Places, shipped_rules
from archive.identity import system
from archive.model import PlaceKind
from archive.policy.guard import Guard
from tests.factories.schemes import SchemeHouse, paper, scheme_house
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog

OPERATOR = system("operator")
NAMES = {"zh_CN": "名", "zh_TW": "名", "en": "Name"}


@pytest.fixture
def house(tmp_path: Path) -> SchemeHouse:
    return scheme_house(tmp_path)


@pytest.fixture
def places(house: SchemeHouse) -> Places:
    log = RememberingLog()
    return Places(house.db, Guard(house.db, log, FixedClock(), "Asia/Shanghai"), log)


def test_a_room_lies_in_unit_building_and_project(house: SchemeHouse, places: Places) -> None:
    parent = None
    for kind, code, types in (
        (PlaceKind.PROJECT, "a1", ["residential"]),
        (PlaceKind.BUILDING, "2", []),
        (PlaceKind.UNIT, "1", []),
        (PlaceKind.ROOM, "301", []),
    ):
        facts = {"area": "89.5"} if kind is PlaceKind.ROOM else {}
        parent = places.add(
            OPERATOR, house.fonds, kind=kind, code=code, names=NAMES, parent_id=parent, types=types, facts=facts
        )
    room = places.at(OPERATOR, house.fonds, "A1/02/001/0301")
    assert (room.id, room.facts) == (parent, {"area": "89.5"})


def _project(house: SchemeHouse, places: Places, code: str = "A1", **more: object) -> object:
    return places.add(OPERATOR, house.fonds, kind=PlaceKind.PROJECT, code=code, names=NAMES, **more)


@pytest.mark.parametrize("code", ["B1", "1", "A1234", "AB", "A-1", "甲1", ""])
def test_a_residential_project_has_the_letter_a_and_a_serial(house: SchemeHouse, places: Places, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _project(house, places, code, types=["residential"])
    assert refused.value.faults[0].field == "code"


def test_a_code_stands_once_below_its_parent_and_steps_are_not_skipped(house: SchemeHouse, places: Places) -> None:
    project = _project(house, places)
    with pytest.raises(Conflict):
        _project(house, places)
    with pytest.raises(InvalidInput) as refused:
        places.add(OPERATOR, house.fonds, kind=PlaceKind.ROOM, code="1", names=NAMES, parent_id=project)
    assert refused.value.faults[0].code == "wrong_step"


def test_an_owners_name_belongs_to_a_subject_not_to_a_place(house: SchemeHouse, places: Places) -> None:
    with pytest.raises(InvalidInput) as refused:
        _project(house, places, types=["residential"], facts={"owner": "王芳"})
    assert refused.value.faults[0].code == "belongs_to_subject"


def test_a_code_is_fixed_once_records_hang_on_it_but_the_name_is_not(house: SchemeHouse, places: Places) -> None:
    project = _project(house, places)
    assert places.change(OPERATOR, project, version=1, code="A7") == 2
    with house.db.writing() as work:
        work.session.add(paper(house, place_id=project, place_path="A7/"))
        work.commit()
    with pytest.raises(Conflict):
        places.change(OPERATOR, project, version=2, code="A8")
    assert places.change(OPERATOR, project, version=2, names={"zh_CN": "翠湖"}) == 3


def test_each_property_type_asks_for_its_own_facts() -> None:
    rules = shipped_rules()
    asked = {
        code: {f.name for f in rules.fields(PlaceKind.ROOM, [code])}
        for code in ("residential", "commercial", "industrial", "public_school", "public_hospital")
    }
    assert {"owner", "purchased_on"} <= asked["residential"]
    assert {"tenant", "rent", "visitors"} <= asked["commercial"]
    assert {"accidents", "environment"} <= asked["industrial"]
    assert {"public_use", "pupils"} <= asked["public_school"]
    protected = {f.name for f in rules.fields(PlaceKind.ROOM, ["public_hospital"]) if f.protected}
    assert protected == {"patient", "patient_identity"}


@pytest.mark.parametrize(("code", "ok"), [("010001", True), ("020000", True), ("990001", False), ("01", False)])
def test_a_maintenance_code_has_six_digits_and_a_known_kind(code: str, ok: bool) -> None:
    if ok:
        assert shipped_rules().check_maintenance_code(code) == code
    else:
        with pytest.raises(InvalidInput):
            shipped_rules().check_maintenance_code(code)
