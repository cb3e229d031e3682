"""What happened to a subject is entered with its day, seen on its page, and undone with a trace."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from archive.model import LogEntry, RecordKind, RecordState
from tests.factories.web_house import WebHouse, a_web_house, token_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def post(house: WebHouse, path: str, login: str = "archivist", **data: Any) -> TestResponse:
    browser = house.browser(login)
    token = token_on(browser.get("/account").text)
    return browser.post(path, data={"csrf_token": token, **data}, follow_redirects=True)


def test_an_event_is_entered_seen_and_undone(house: WebHouse) -> None:
    own = house.services
    who = own.people.identity_of("archivist")
    person = own.subjects.add(who, house.category.fonds_id, "employee", {"name": "周立"})
    at = f"/house/subjects/{person}"
    page = post(house, f"{at}/events", event="left", day="2026-02-01").text
    assert re.search(r"2026-02-01</td>.*离职", page)
    assert "在将来" in post(house, f"{at}/events", event="left", day="2099-01-01").text
    assert "2099-01-01" not in house.browser("archivist").get(at).text
    assert post(house, f"{at}/events", event="scrapped", day="2026-02-01").text.count("2026-02-01") == page.count(
        "2026-02-01"
    )
    [undo] = re.findall(r"/house/subjects/events/[0-9a-f-]{36}/undo", page)
    for _ in range(2):
        page = post(house, undo).text
        assert "由 archivist某 撤销" in page
        assert undo not in page
    for login in ("staff", "auditor"):
        assert post(house, f"{at}/events", login, event="left", day="2026-02-01").status_code == 403
        assert post(house, undo, login).status_code == 403
    with own.db.reading() as session:
        acts = list(session.scalars(select(LogEntry.act).where(LogEntry.act.startswith("subject.event"))))
    assert sorted(acts).count("subject.event_undo") == 1


def test_its_page_lists_the_dossiers_that_name_it_as_far_as_one_reads_them(house: WebHouse) -> None:
    own = house.services
    who = own.people.identity_of("archivist")
    person = own.subjects.add(who, house.category.fonds_id, "employee", {"name": "周立"})
    firm = house.a_record(title="企业卷", kind=RecordKind.DOSSIER, state=RecordState.PROVISIONAL, level=4)
    own.papers.follow(who, firm.id, "enterprise")
    own.papers.name(who, firm.id, "project_manager", person)
    assert "企业卷" in house.browser("archivist").get(f"/house/subjects/{person}").text
    assert "企业卷" not in house.browser("clerk").get(f"/house/subjects/{person}").text
