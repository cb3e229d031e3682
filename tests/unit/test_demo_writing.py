"""The demonstration's papers are of days that have been."""

from datetime import date

import pytest

from archive.dates import parse_civil
from archive.ids import new_id
from archive.model import Category, PlaceKind
from archive.scheme.fields import parse_fields
from archive.scheme.shipped import scheme
from runtime.demo.world import Spot
from runtime.demo.writing import Ground, Writer, papers

FIELDS = [{"name": "signed", "kind": "date", "names": {"zh_CN": "签订日", "zh_TW": "簽訂日", "en": "Signed"}}]


@pytest.mark.parametrize("today", [date(2026, 2, 10), date(2026, 11, 25), date(2024, 2, 29), date(2027, 6, 1)])
def test_no_record_is_dated_after_the_day_of_its_making(today: date) -> None:
    category = Category(id=new_id(), code="WYA02", names={"zh_CN": "资料"}, level_rank=1, required=["signed"])
    kinds = [(category, parse_fields(FIELDS))]
    writer = Writer(seed=7, today=today)
    ground = Ground(new_id(), kinds, [Spot(new_id(), PlaceKind.PROJECT, "A1/", ("一期",))], [new_id()])
    drafts = [writer.draft(ground, number) for number in range(1500)]
    days = [parse_civil(draft.drawn_up or "") for draft in drafts]
    assert max(day.last for day in days) <= today
    assert max(date.fromisoformat(draft.fields["signed"]) for draft in drafts) <= today
    assert today.year > 2026 or any(day.first.year == today.year for day in days)
    assert {len(day.text) for day in days} == {7, 10}


def _ground(kind: str, room: bool = True) -> Ground:
    places = [(PlaceKind.PROJECT, "A1/", ("一期",)), (PlaceKind.BUILDING, "A1/01/", ("一期", "1号楼"))]
    places += [(PlaceKind.ROOM, f"A1/01/001/0{n}01/", ("一期", "1号楼", f"{n}01室")) for n in (1, 2, 3)] if room else []
    categories = [
        (
            Category(id=new_id(), code=each.code, names=each.names, level_rank=1, required=list(each.required)),
            each.fields,
        )
        for each in scheme(kind).categories
        if each.code in papers(kind)
    ]
    return Ground(new_id(), categories, [Spot(new_id(), *each) for each in places], [new_id()], kind)


@pytest.mark.parametrize("kind", ["property", "university"])
def test_every_category_that_takes_records_has_papers_of_its_own(kind: str) -> None:
    parents = {each.parent for each in scheme(kind).categories}
    leaves = {each.code for each in scheme(kind).categories} - parents
    assert leaves == set(papers(kind))


@pytest.mark.parametrize("kind", ["property", "university"])
def test_description_and_paper_tell_the_same(kind: str) -> None:
    writer, ground = Writer(seed=3, today=date(2026, 11, 26)), _ground(kind)
    made = [writer.make(ground, number) for number in range(1, 1200)]
    assert len({each.draft.title for each in made}) == len(made)
    for each in made:
        text, fields = each.paper.text, each.draft.fields
        assert text.startswith(each.draft.title)
        if each.genre == "contract":
            assert f"{int(fields['amount']):,}元" in text if "amount" in fields else "每年人民币" in text
            assert fields.get("party", "") in text
        if each.genre == "ledger" and "amount" in fields:
            assert f"合计\t\t{fields['amount']}" in text
        if each.genre == "letter" and "complainant" in fields:
            assert fields["complainant"] in text
            assert fields["content"] in each.draft.title


def test_an_owner_is_the_same_in_every_paper_of_the_room() -> None:
    writer, ground = Writer(seed=5, today=date(2026, 11, 26)), _ground("property")
    owners: dict[object, set[object]] = {}
    for number in range(1, 1500):
        draft = writer.draft(ground, number)
        if "owner" in draft.fields and draft.place_id in {spot.id for spot in ground.spots[2:]}:
            owners.setdefault(draft.place_id, set()).add(draft.fields["owner"])
    assert len(owners) == 3
    assert all(len(names) == 1 for names in owners.values())


def test_papers_come_as_files_of_every_kind() -> None:
    writer, ground = Writer(seed=9, today=date(2026, 11, 26)), _ground("property")
    endings: dict[str, bytes] = {}
    for number in range(1, 120):
        name, data = writer.file(writer.make(ground, number))
        endings.setdefault(name.rpartition(".")[2], data)
    assert {ending: data[:4] for ending, data in endings.items() if ending != "txt"} == {
        "pdf": b"%PDF", "docx": b"PK\x03\x04", "xlsx": b"PK\x03\x04", "jpg": b"\xff\xd8\xff\xe0",
    }  # fmt: skip
