"""Dossiers on pages: made, filled, put in order, divided, split, merged; and records related."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from archive.cataloguing.describing import Draft
from archive.model import RecordKind
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def client(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def add(house: WebHouse, title: str, kind: RecordKind = RecordKind.ITEM, **more: Any) -> UUID:
    who = house.services.people.identity_of("archivist")
    draft = Draft(house.category.fonds_id, house.category.id, title, kind=kind, drawn_up="2024-03-05", **more)
    return house.services.records.create(who, draft)


def filled(house: WebHouse, count: int = 4) -> tuple[UUID, list[UUID]]:
    dossier, items = (
        add(house, "电梯维保合同卷", RecordKind.DOSSIER),
        [add(house, f"件{n}") for n in range(1, count + 1)],
    )
    house.services.arranging.put_in(house.services.people.identity_of("archivist"), dossier, items)
    return dossier, items


def send(client: FlaskClient, path: str, **form: Any) -> TestResponse:
    return client.post(path, data={"csrf_token": token_of(client)} | form)


def order(client: FlaskClient, dossier: UUID) -> list[str]:
    return re.findall(r'class="wide"><a [^>]*>([^<]+)<', client.get(f"/records/{dossier}/contents").text)


def places(items: list[UUID], *to: int) -> dict[str, int]:
    return {f"place-{key}-{was}": place for was, (key, place) in enumerate(zip(items, to, strict=True), 1)}


def test_a_dossier_is_made_filled_by_number_and_opens_from_its_item(house: WebHouse, client: FlaskClient) -> None:
    assert "新建案卷" in client.get(f"/records/new?category={house.category.id}&kind=dossier").text
    form = {"category": house.category.id, "kind": "dossier", "title": "三号楼电梯合同卷", "drawn_up": "2024"}
    made = send(client, "/records", **form)
    path = made.location
    assert path.endswith("/contents")
    item = add(house, "维保合同")
    [filed] = house.services.filing.file(house.services.people.identity_of("archivist"), [item])
    for number in (filed.archive_number, f"https://juanku.example/records/{item}"):
        told = send(client, f"{path}/add", number=number)
        assert told.status_code == 303
    page = client.get(path).text
    assert ("维保合同" in page, str(filed.archive_number) in page, "它已在本案卷中" in page) == (True, True, True)
    shown = client.get(f"/records/{item}").text
    assert "三号楼电梯合同卷" in shown
    assert "第 1 件" in shown


def test_a_new_item_is_made_in_its_dossier(house: WebHouse, client: FlaskClient) -> None:
    dossier, _ = filled(house, 1)
    form = client.get(f"/records/new?category={house.category.id}&dossier={dossier}").text
    assert f'name="dossier" value="{dossier}"' in form
    send(client, "/records", category=house.category.id, dossier=dossier, title="补充协议", drawn_up="2024")
    assert order(client, dossier) == ["件1", "补充协议"]


def test_ticked_rows_are_put_in_taken_out_and_moved(house: WebHouse, client: FlaskClient) -> None:
    dossier, items = filled(house)
    other, loose = add(house, "另一卷", RecordKind.DOSSIER), add(house, "散件")
    asked = send(client, "/dossiers/put", record=[str(loose)], back="/")
    assert "电梯维保合同卷" in asked.text
    assert send(client, "/dossiers/put", record=[str(loose)], dossier=str(dossier), back="/").status_code == 303
    assert order(client, dossier) == ["件1", "件2", "件3", "件4", "散件"]
    at = f"/records/{dossier}/contents"
    send(client, f"{at}/out", record=[str(items[0])])
    send(client, f"{at}/move", record=[str(items[1]), str(items[2])], dossier=str(other))
    assert order(client, dossier) == ["件4", "散件"]
    assert order(client, other) == ["件2", "件3"]
    send(client, f"/records/{dossier}/contents/merge", dossier=str(other))
    assert order(client, dossier) == ["件4", "散件", "件2", "件3"]
    for act, form, words in (
        ("out", {}, "请先勾选"),
        ("add", {"number": "无此号"}, "没有您能看到的档案"),
        ("volume", {"record": [str(key) for key in items]}, "请只勾选一件"),
    ):
        send(client, f"{at}/{act}", **form)
        assert words in client.get(at).text


def test_places_are_written_and_the_order_kept(house: WebHouse, client: FlaskClient) -> None:
    dossier, items = filled(house)
    send(client, f"/records/{dossier}/contents/order", **places(items, 1, 2, 3, 1))
    assert order(client, dossier) == ["件4", "件1", "件2", "件3"]


def test_who_comes_second_is_told_what_changed_and_their_order_is_offered_again(
    house: WebHouse, client: FlaskClient
) -> None:
    dossier, items = filled(house)
    other = house.browser("archivist")
    send(other, f"/records/{dossier}/contents/order", **places(items, 2, 1, 3, 4))
    send(other, f"/records/{dossier}/contents/out", record=[str(items[2])])
    house.services.arranging.put_in(house.services.people.identity_of("archivist"), dossier, [add(house, "新来的")])
    told = send(client, f"/records/{dossier}/contents/order", **places(items, 1, 2, 4, 3))
    assert told.status_code == 409
    for words in ("期间移出：件3", "期间归入：新来的", "期间有人改了顺序"):
        assert words in told.text
    offered = re.findall(r'name="(place-[0-9a-f-]+-\d+)" value="(\d+)"', told.text)
    assert order(client, dossier) == ["件2", "件1", "件4", "新来的"]
    send(client, f"/records/{dossier}/contents/order", **dict(offered))
    assert order(client, dossier) == ["件1", "件2", "件4", "新来的"]


def test_a_dossier_is_divided_and_split_at_the_ticked_item(house: WebHouse, client: FlaskClient) -> None:
    dossier, items = filled(house)
    at = f"/records/{dossier}/contents"

    def version() -> int:
        return house.services.dossiers.contents(house.services.people.identity_of("archivist"), dossier).dossier.version

    send(client, f"{at}/volume", record=[str(items[2])], version=version())
    assert "第 2 册" in client.get(at).text
    send(client, f"{at}/volume", record=[str(items[2])], begins="0", version=version())
    assert "第 2 册" not in client.get(at).text
    told = send(client, f"{at}/split", record=[str(items[2])], title="电梯维保合同卷（下）", version=version())
    assert told.status_code == 303
    assert order(client, dossier) == ["件1", "件2"]
    assert "电梯维保合同卷（下）" in client.get(at).text
    late = send(client, f"{at}/split", record=[str(items[1])], title="再下", version=1)
    assert late.status_code == 303
    assert order(client, dossier) == ["件1", "件2"]


def test_staff_sees_what_is_filed_alone_and_no_act(house: WebHouse, client: FlaskClient) -> None:
    dossier, items = filled(house)
    house.services.filing.file(house.services.people.identity_of("archivist"), [dossier, items[1], items[3]])
    staff = house.browser("staff")
    page = staff.get(f"/records/{dossier}/contents").text
    assert re.findall(r'class="number right">(\d)<', page) == ["1", "2"]
    for words in ("件1", "件3", "保存顺序", "4 件"):
        assert words not in page
    assert send(staff, f"/records/{dossier}/contents/order", **places([items[1]], 2)).status_code == 403
    assert send(client, f"/records/{dossier}/contents/order", **places(items, 2, 1, 3, 4)).status_code == 303
    assert "已归档的件顺序和位次不变" in client.get(f"/records/{dossier}/contents").text
    assert order(client, dossier)[0] == "件1"


def test_a_filed_item_shows_its_dossier_to_staff_only_when_that_is_filed(house: WebHouse) -> None:
    dossier, items = filled(house)
    staff = house.browser("staff")
    for key, told in ((items[0], False), (dossier, True)):
        house.services.filing.file(house.services.people.identity_of("archivist"), [key])
        assert ("电梯维保合同卷" in staff.get(f"/records/{items[0]}").text) is told


def test_records_are_related_on_their_page_and_both_show_it(house: WebHouse, client: FlaskClient) -> None:
    new, old = add(house, "新合同"), add(house, "旧合同")
    send(client, f"/records/{new}/relations", kind="replaces", number=f"/records/{old}")
    assert re.search(r"替代\s+<a [^>]*>旧合同", client.get(f"/records/{new}").text)
    assert re.search(r"被替代于\s+<a [^>]*>新合同", client.get(f"/records/{old}").text)
    send(client, f"/records/{old}/relations/remove", kind="replaces", other=str(new), outward="0")
    assert "旧合同" not in client.get(f"/records/{new}").text
    told = send(client, f"/records/{new}/relations", kind="replaces", number=str(new))
    assert "就是本档案" in client.get(told.location).text


def test_all_items_of_a_dossier_are_moved_step_by_step_and_the_page_says_how_far(
    house: WebHouse, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.custody.dossiers.MOST", 3)
    (source, items), into = filled(house), add(house, "新卷", RecordKind.DOSSIER)
    begun = send(client, f"/records/{into}/contents/merge", dossier=str(source))
    assert "/bulk/moves/" in begun.location
    assert "尚未移动任何档案" in client.get(begun.location).text
    house.move_many()
    assert "可移动：4" in client.get(begun.location).text
    assert order(client, into) == []
    send(client, f"{begun.location}/go-on")
    assert "待处理：4" in client.get(begun.location).text
    assert send(client, f"{begun.location}/stop").location == begun.location
    house.move_many()
    assert "已停止" in client.get(begun.location).text
    send(client, f"{begun.location}/go-on")
    house.move_many()
    page = client.get(begun.location).text
    assert ("已移动：4" in page, "新卷" in page, "<button>停止" in page) == (True, True, False)
    assert order(client, into) == ["件1", "件2", "件3", "件4"]
    assert begun.location in client.get("/bulk").text
    back = send(client, f"/records/{into}/contents/move-all", dossier=str(source))
    house.move_many()
    send(client, f"{back.location}/go-on")
    house.move_many()
    assert order(client, source) == ["件1", "件2", "件3", "件4"]
    assert house.browser("staff").get(back.location).status_code == 404
    assert send(client, f"{back.location}/forget").location == "/bulk"
    assert client.get(back.location).status_code == 404
    nothing = send(client, f"/records/{into}/contents/move-all", dossier=str(source))
    assert nothing.location.endswith(f"/records/{into}/contents")
    assert len(items) == 4
