"""Browsing by category and by place: what a person may read, counted and listed, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.model import Category, Fonds, Place, RecordState
from tests.factories import records as rows
from tests.factories.web_house import WebHouse, a_web_house
from web import browsing

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _filed(house: WebHouse, title: str, level: int = 1, place: str | None = None) -> None:
    with house.services.db.writing() as work:
        category = work.session.get_one(Category, house.category.id)
        record = rows.a_record(work.session, category, title=title, level=level, state=RecordState.FILED)
        if place:
            record.place_id = work.session.scalars(select(Place.id).where(Place.path == place)).one()
            record.place_path = place
        work.commit()


def test_the_tree_counts_what_a_person_may_read(house: WebHouse) -> None:
    _filed(house, "电梯维保合同")
    _filed(house, "底价测算表", level=4)
    assert '物业服务合同 <span class="count">2</span>' in house.browser("archivist").get("/browse").text
    assert '物业服务合同 <span class="count">1</span>' in house.browser("staff").get("/browse").text


@pytest.mark.parametrize("complete", [True, False])
def test_lists_say_so_while_the_index_is_made_up_again(house: WebHouse, complete: bool) -> None:
    _filed(house, "电梯维保合同")
    house.services.search.complete = complete  # type: ignore[attr-defined]
    for address in (f"/browse/categories/{house.category.id}", "/search?q=电梯", "/search?q=没有"):
        page = house.browser("staff").get(address).text
        assert ("有些档案检索不到" not in page) is complete, address


def test_an_empty_category_is_shown_on_request_alone(house: WebHouse) -> None:
    staff = house.browser("staff")
    assert "物业服务合同" not in staff.get("/browse").text
    assert "物业服务合同" in staff.get("/browse?all=1").text


def test_a_branch_lists_its_records_and_hides_the_others(house: WebHouse) -> None:
    _filed(house, "电梯维保合同")
    _filed(house, "底价测算表", level=4)
    page = house.browser("staff").get(f"/browse/categories/{house.category.id}").text
    assert "电梯维保合同" in page
    assert "底价测算表" not in page
    assert "1 件" in page


def test_a_place_lists_what_hangs_on_it_or_below(house: WebHouse) -> None:
    with house.services.db.writing() as work:
        fonds = work.session.scalars(select(Fonds)).one()
        building = rows.a_place(work.session, fonds, "A01/02/")
        building.parent_id = work.session.scalars(select(Place.id).where(Place.path == "A01/")).one()
        work.commit()
    _filed(house, "二号楼竣工图", place="A01/02/")
    _filed(house, "全宗介绍")
    staff = house.browser("staff")
    assert "A01</span> " in staff.get("/browse/places").text
    page = staff.get("/browse/places/WY01/A01").text
    assert "二号楼竣工图" in page
    assert "全宗介绍" not in page
    assert "/browse/places/WY01/A01/02" in page


@pytest.mark.parametrize(
    "address",
    ["/browse/categories/00000000-0000-0000-0000-000000000000", "/browse/places/WY01/Z99", "/browse/places/NONE/A01"],
)
def test_what_is_not_there_is_told_as_not_found(house: WebHouse, address: str) -> None:
    assert house.browser("staff").get(address).status_code == 404


def test_officers_are_led_to_no_list_of_records(house: WebHouse) -> None:
    _filed(house, "电梯维保合同")
    auditor = house.browser("auditor")
    assert 'href="/browse"' not in auditor.get("/").text
    assert "电梯维保合同" not in auditor.get(f"/browse/categories/{house.category.id}").text


def _addresses(page: str) -> dict[str, str]:
    return {
        kind: address.replace("&amp;", "&") for kind, address in re.findall(r'rel="(prev|next)" href="([^"]+)"', page)
    }


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_long_list_is_walked_to_its_end_and_back(
    house: WebHouse, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "PAGE", 3)
    for number in range(8):
        _filed(house, f"第{number}号合同")
    staff = house.browser("staff")
    address = f"/browse/categories/{house.category.id}?order={order}"
    there = []
    pages = [staff.get(address).text]
    while further := _addresses(pages[-1]).get("next"):
        pages.append(staff.get(further).text)
    there = [re.findall("第[0-9]号合同", page) for page in pages]
    seen = [title for page in there for title in dict.fromkeys(page)]
    assert len(pages) == 3
    assert sorted(seen) == [f"第{number}号合同" for number in range(8)]
    back = pages[-1]
    for before in reversed(pages[:-1]):
        back = staff.get(_addresses(back)["prev"]).text
        assert list(dict.fromkeys(re.findall("第[0-9]号合同", back))) == list(
            dict.fromkeys(re.findall("第[0-9]号合同", before))
        )
    assert "prev" not in _addresses(back)


@pytest.mark.parametrize(
    "place", ["9950", "ffff_", "-1_00000000000000000000000000000001", "0_00000000000000000000000000000001"]
)
def test_a_place_that_cannot_be_or_is_gone_leads_to_the_first_page(house: WebHouse, place: str) -> None:
    _filed(house, "电梯维保合同")
    page = house.browser("staff").get(f"/browse/categories/{house.category.id}?after={place}")
    assert page.status_code == 200
    assert "电梯维保合同" in page.text
