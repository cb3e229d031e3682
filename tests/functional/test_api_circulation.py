"""Programs lay records aside, see papers that go round or stay with a post, sign for one, and count loans."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from archive.loans.slips import Slip
from archive.model import Copy, Medium, Person
from tests.factories import people as rights
from tests.factories.api_house import ApiHouse, an_api_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def test_a_program_lays_records_aside_and_takes_them_out(house: ApiHouse) -> None:
    seen, hidden = house.a_record(title="电梯合同", level=1).id, house.a_record(title="看不到的", level=3).id
    assert house.get("/api/v1/basket", "staff").json == {"records": []}
    put = house.ask("POST", "/api/v1/basket", "staff", json={"records": [str(seen), str(hidden), str(uuid4())]})
    assert [each["record"] for each in put.json["records"]] == [str(seen)]
    assert house.get("/api/v1/basket").json == {"records": []}
    assert house.ask("POST", "/api/v1/basket", "staff", json={"records": []}).status_code == 422
    for _ in range(2):
        assert house.ask("DELETE", f"/api/v1/basket/{seen}", "staff").status_code == 204
    assert house.get("/api/v1/basket", "staff").json == {"records": []}


def test_a_program_sees_a_slip_and_signs_it_in_its_turn(house: ApiHouse) -> None:
    own = house.web.services
    record = house.a_record(title="会议纪要", level=1, medium=Medium.PAPER)
    with own.db.writing() as work:
        work.session.add(Copy(record_id=record.id, number=1, pages=3, created_at=rights.NOW))
        work.commit()
    slip = Slip("传阅", "全文", own.guard.day() + timedelta(days=2), ["staff"])
    key = own.lending.rounds.begin(own.people.identity_of("archivist"), record.id, slip)
    at = f"/api/v1/circulations/{key}"
    assert [each["circulation"] for each in house.get("/api/v1/circulations", "staff").json["circulations"]] == [
        str(key)
    ]
    assert house.get("/api/v1/circulations", "clerk").json == {"circulations": [], "next": None}
    assert house.get(at, "clerk").status_code == 404
    assert house.ask("POST", f"{at}/signature", json=None).status_code in {403, 404}
    signed = house.ask("POST", f"{at}/signature", "staff", json=None)
    assert (signed.status_code, signed.json["turn"], signed.json["purpose"]) == (200, None, "传阅")
    assert house.ask("POST", f"{at}/signature", "staff", json=None).status_code in {403, 409}
    assert house.ask("POST", f"{at}/loss", "staff", json={"words": "遗失"}).status_code == 403
    lost = house.ask("POST", f"{at}/loss", json={"words": "遗失在路上"})
    assert (lost.status_code, house.get(at).json["state"]) == (201, "lost")
    reports = {each["report"]: each["circulation"] for each in house.get("/api/v1/loan-reports").json["reports"]}
    assert reports[lost.json["report"]] == str(key)
    assert house.ask("POST", f"{at}/loss", json={"words": "又一次"}).status_code == 409


def a_paper(house: ApiHouse, title: str, level: int = 1) -> UUID:
    record = house.a_record(title=title, level=level, medium=Medium.PAPER)
    with house.web.services.db.writing() as work:
        work.session.add(Copy(record_id=record.id, number=1, pages=3, created_at=rights.NOW))
        work.commit()
    return record.id


def pages(house: ApiHouse, path: str, key: str, inner: str) -> list[list[str]]:
    """Walk a list two at a time; return the ids of each page."""
    found, cursor = [], None
    while True:
        page = house.get(f"{path}?limit=2" + (f"&cursor={cursor}" if cursor else "")).json
        found.append([each[inner] for each in page[key]])
        if not (cursor := page["next"]):
            return found


def test_slips_and_custodies_are_paged_by_key(house: ApiHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    own = house.web.services
    archivist = own.people.identity_of("archivist")
    slip = Slip("传阅", "全文", own.guard.day() + timedelta(days=2), ["staff"])
    slips = [str(own.lending.rounds.begin(archivist, a_paper(house, f"纪要{n}"), slip)) for n in range(5)]
    assert pages(house, "/api/v1/circulations", "circulations", "circulation") == [
        slips[:2:-1], slips[2:0:-1], slips[:1],
    ]  # fmt: skip
    with own.db.writing() as work:
        who = work.session.scalars(select(Person).where(Person.login == "staff")).one()
        rights.holds_post(work.session, who, rights.a_post(work.session), rights.a_department(work.session))
        work.commit()
    months = (6, 3, 6, 3, 9)
    kept = [str(own.lending.custody.give(archivist, a_paper(house, f"资料{n}"), "staff", n)) for n in months]
    in_turn = [kept[1], kept[3], kept[0], kept[2], kept[4]]
    assert pages(house, "/api/v1/standing-custodies", "custodies", "custody") == [
        in_turn[:2],
        in_turn[2:4],
        in_turn[4:],
    ]
    for path in ("circulations", "standing-custodies", "paper-requests"):
        assert house.get(f"/api/v1/{path}?cursor=x").status_code == 422
    monkeypatch.setattr("web.lending.rounds.PAGE", 2)
    monkeypatch.setattr("web.lending.custody.PAGE", 2)
    assert leafed(house, "/circulations") == [slips[:2:-1], slips[2:0:-1], slips[:1]]
    assert leafed(house, "/standing-custody") == [in_turn[:2], in_turn[2:4], in_turn[4:]]


def leafed(house: ApiHouse, at: str) -> list[list[str]]:
    """Leaf through a list at the pages; return the ids of each."""
    browser, found, path = house.web.browser("archivist"), [], at
    while path:
        text = browser.get(path).text
        found.append(list(dict.fromkeys(re.findall(rf'href="{at}/([0-9a-f-]{{36}})"', text))))
        path = "".join(re.findall(r'href="([^"]*[?&]after=[^"]*)"', text)[:1]).replace("&amp;", "&")
    return found


def test_a_program_sees_standing_custody_and_counts_loans_as_far_as_it_may(house: ApiHouse) -> None:
    assert house.get("/api/v1/standing-custodies").json == {"custodies": [], "next": None}
    assert house.get(f"/api/v1/standing-custodies/{uuid4()}").status_code == 404
    figures = house.get("/api/v1/loan-figures?since=2026-01-01&until=2026-12-31")
    assert (figures.status_code, figures.json["total"]) == (200, 0)
    assert house.get("/api/v1/loan-figures?since=2026-01-02&until=2026-01-01").status_code == 422
    for span in ("since=x&until=y", "since=0001-01-01&until=0001-01-02", "since=9999-12-30&until=9999-12-31"):
        assert house.get(f"/api/v1/loan-figures?{span}").status_code == 422
