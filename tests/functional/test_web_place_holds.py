"""Holds by place at the pages: the place as people type it, all that is held page by page, and what leaves it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from archive.ids import new_id
from archive.model import Fonds, Hold, Person, Place, Record, ShelfKind, ShelfPlace
from retention.holding import held
from retention.holds import HoldRows
from tests.factories.records import a_place
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made, made.services.db.writing() as work:
        fonds = work.session.get_one(Fonds, made.category.fonds_id)
        for path in ("A001/", "A001/01/", "A001/01/0402/"):
            a_place(work.session, fonds, path)
        work.session.add(ShelfPlace(id=new_id(), kind=ShelfKind.BOX, code="1", path="K1-1-1-1", strength=4))
        work.commit()
        yield made


def place(house: WebHouse, where: str) -> tuple[int, str]:
    browser = house.browser("archivist")
    form: dict[str, Any] = {"name": "诉讼", "kind": "place", "place": where, "reason": "业主诉讼"}
    form |= {"authority": "法务部", "review_on": "2031-6-1", "csrf_token": token_of(browser)}
    reply = browser.post("/holds/new", data=form, follow_redirects=True)
    return reply.status_code, reply.text


def put(house: WebHouse, key: UUID, path: str) -> None:
    with house.services.db.writing() as work:
        where = select(Place.id).where(Place.path == path).scalar_subquery()
        work.session.execute(update(Record).where(Record.id == key).values(place_path=path, place_id=where))
        HoldRows(house.clock).follow(work.session, [key])
        work.commit()


@pytest.mark.parametrize("typed", ["A001/01", "a001/01/", " Ａ００１／０１ ", "/A001/01"])
def test_a_place_is_found_however_it_is_typed(house: WebHouse, typed: str) -> None:
    status, page = place(house, typed)
    assert (status, "A001/01 " in page) == (200, True), page
    with house.services.db.reading() as session:
        assert session.scalars(select(Hold.covers)).all() == [{"path": "A001/01/"}]


def test_a_box_of_the_store_rooms_is_refused_in_words_that_help(house: WebHouse) -> None:
    for typed in ("K1-1-1-1", "k1-1-1-1"):
        status, page = place(house, typed)
        assert (status, "是库房库位" in page) == (422, True)
    status, page = place(house, "A009")
    assert (status, "是库房库位" in page, "这里没有" in page) == (422, False, True)


def test_what_comes_to_a_place_is_held_and_stays_so_when_it_leaves(house: WebHouse) -> None:
    later = house.a_record(title="后来的通知").id
    assert place(house, "A001/01")[0] == 200
    for path, kept in (("A001/01/0402/", True), ("A001/", True)):
        put(house, later, path)
        with house.services.db.reading() as session:
            assert bool(held(session, [later])) is kept, path
    with house.services.db.reading() as session:
        key = session.scalars(select(Hold.id)).one()
    assert "后来的通知" in house.browser("archivist").get(f"/holds/{key}").text


def test_a_place_that_stands_hidden_behind_a_category_is_not_asked_about(house: WebHouse) -> None:
    browser = house.browser("archivist")
    form: dict[str, Any] = {
        "name": "诉讼",
        "kind": "category",
        "category": "WYH",
        "place": "A009",
        "reason": "业主诉讼",
    }
    form |= {"authority": "法务部", "review_on": "2031-6-1", "csrf_token": token_of(browser)}
    assert browser.post("/holds/new", data=form).status_code == 303
    with house.services.db.reading() as session:
        assert session.scalars(select(Hold.covers)).all() == [{"id": str(house.category.id)}]


def test_a_shelf_is_held_from_its_page_and_its_code_is_typed_or_scanned(house: WebHouse) -> None:
    with house.services.db.reading() as session:
        key = session.scalars(select(ShelfPlace.id)).one()
    browser = house.browser("archivist")
    page = browser.get(f"/shelves/{key}").text
    assert ("/holds/new?kind=shelf&amp;shelf=K1-1-1-1" in page, "此处的档案已冻结" in page) == (True, False)
    assert 'value="K1-1-1-1"' in browser.get("/holds/new?kind=shelf&shelf=K1-1-1-1").text
    form: dict[str, Any] = {"name": "封存", "kind": "shelf", "reason": "业主诉讼", "authority": "法务部"}
    form |= {"review_on": "2031-6-1", "csrf_token": token_of(browser)}
    for wrong, says in (("K9", "这里没有"), ("", "必须填写")):
        reply = browser.post("/holds/new", data=form | {"shelf": wrong})
        assert (reply.status_code, says in reply.text) == (422, True), wrong
    for typed in ("k1-1-1-1", f"http://archive.example/shelves/{key}"):
        reply = browser.post("/holds/new", data=form | {"shelf": typed}, follow_redirects=True)
        assert (reply.status_code, "K1-1-1-1" in reply.text) == (200, True), typed
    page = browser.get(f"/shelves/{key}").text
    assert "此处的档案已冻结" in page
    assert page.count(">封存</a>") == 2
    with house.services.db.reading() as session:
        assert {each["id"] for each in session.scalars(select(Hold.covers))} == {str(key)}


def test_a_place_above_ones_own_level_is_not_offered_to_be_held(house: WebHouse) -> None:
    with house.services.db.writing() as work:
        key = work.session.scalars(select(ShelfPlace.id)).one()
        work.session.execute(update(Person).where(Person.login == "archivist").values(clearance=3))
        work.commit()
    page = house.browser("archivist").get(f"/shelves/{key}")
    assert (page.status_code, "/holds/new" in page.text) == (200, False)
