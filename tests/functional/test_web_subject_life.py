"""The page of a subject: what happened to it, and the dossiers that name it, as far as a person reads them."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from archive.model import RecordKind, RecordState
from tests.factories.web_house import WebHouse, a_web_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def test_what_happened_to_a_subject_stands_on_its_page_the_undone_too(house: WebHouse) -> None:
    own = house.services
    who = own.people.identity_of("archivist")
    person = own.subjects.add(who, house.category.fonds_id, "employee", {"name": "周立"})
    event = own.retention.events.enter_of_subject(who, person, "person_left", date(2026, 2, 1), "退休")
    page = house.browser("archivist").get(f"/house/subjects/{person}").text
    assert "2026-02-01" in page
    assert "退休" in page
    assert "已撤销" not in page
    own.retention.events.undo(who, event, "记错了人")
    assert "已撤销" in house.browser("archivist").get(f"/house/subjects/{person}").text


def test_it_lists_the_dossiers_that_name_it_as_far_as_one_reads_them(house: WebHouse) -> None:
    own = house.services
    who = own.people.identity_of("archivist")
    person = own.subjects.add(who, house.category.fonds_id, "employee", {"name": "钱程"})
    firm = house.a_record(title="企业卷", kind=RecordKind.DOSSIER, state=RecordState.PROVISIONAL, level=4)
    own.papers.follow(who, firm.id, "enterprise")
    own.papers.name(who, firm.id, "project_manager", person)
    assert "企业卷" in house.browser("archivist").get(f"/house/subjects/{person}").text
    assert "企业卷" not in house.browser("clerk").get(f"/house/subjects/{person}").text
