"""Where a category asks for it, an item's title must say what it is about; a title that stands is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.cataloguing.describing import Draft
from archive.errors import InvalidInput
from archive.ids import UUID
from archive.model import Category, RecordKind
from archive.scheme.document import parse
from tests.factories.arranged import ArrangedHouse, arranged_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArrangedHouse]:
    made = arranged_house(Path(tmp_path_factory.mktemp("titles")))
    with made.db.writing() as work:
        work.session.get_one(Category, made.category.id).required = ["title", "drawn_up", "title_form"]
        work.commit()
    yield made
    made.db.close()


def made(house: ArrangedHouse, title: str, kind: RecordKind = RecordKind.ITEM, *, asked: bool = True) -> UUID:
    category = house.category if asked else house.other
    draft = Draft(category.fonds_id, category.id, title, kind=kind, drawn_up="2026", term="D10")
    return house.records.create(house.archivist, draft)


@pytest.mark.parametrize("title", ["关于做好防汛工作的通知", "和园公司关于 电梯 维保的 请示", "關於裝修管理的函"])
def test_a_title_of_the_form_is_taken_and_filed(house: ArrangedHouse, title: str) -> None:
    [outcome] = house.filing.file(house.archivist, [made(house, title)])
    assert outcome.archive_number


@pytest.mark.parametrize("title", ["防汛通知", "关于防汛", "的关于", "关于的通知"])
def test_another_title_is_refused_by_its_field_in_that_category_alone(house: ArrangedHouse, title: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        made(house, title)
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [("title", "title_form")]
    assert made(house, title, asked=False)
    assert made(house, title, RecordKind.DOSSIER)


def test_a_category_takes_the_rule_from_its_parent_or_asks_otherwise() -> None:
    names, category = {"zh_CN": "类"}, {"level": 1, "term": "Y", "fields": [], "number_rule": "plain"}
    below = [{"code": "A1", "names": names}, {"code": "A2", "names": names, "required": ["title"]}]
    top = {"code": "A", "names": names, "required": ["title_form"], "categories": below, **category}
    rule = {"code": "plain", "names": names, "template": "{fonds}-{category}·{year}-{term}-{mark}{serial:4}"}
    found = parse({"format": 1, "code": "x", "names": names, "number_rules": [rule], "categories": [top]})
    asks = {each.code: "title_form" in each.required for each in found.categories}
    assert asks == {"A": True, "A1": True, "A2": False}
