"""Records that may be the same: told on the page with why, only to whoever may see both, until someone decides."""

import random
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from archive.files.pairing import Why
from archive.identity import system
from archive.model import AlikeRecord, Content, Department, LogEntry, NotTheSame, Person, Record
from archive.spelling import number_key
from tests.factories.people import is_custodian
from tests.factories.web_house import WebHouse, a_web_house, token_of
from web.describing.record_form import OWN

FIELD = OWN + "document_number"
HEAD = "可能重复"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def post(client: FlaskClient, path: str, **data: object) -> str:
    token = token_of(client)
    reply = client.post(path, data={"csrf_token": token, **data}, follow_redirects=True)
    return f"{reply.status_code} {reply.text}"


def a_record(house: WebHouse, client: FlaskClient, title: str, text: str = "", **more: str) -> str:
    values = {"category": str(house.category.id), "title": title, "level": "1", **more}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(client, "/records", **values)))
    if text:
        post(client, f"/records/{record}/files", files=(BytesIO(text.encode()), "文.txt"))
        house.read_texts()
    return record


def office(house: WebHouse) -> str:
    with house.services.db.reading() as session:
        return str(session.scalars(select(Department.id)).one())


def a_text(seed: int) -> str:
    dice = random.Random(seed)
    return "".join(chr(0x4E00 + dice.randrange(2500)) for _ in range(1200))


def test_a_near_text_is_told_on_both_pages_with_its_share(house: WebHouse, archivist: FlaskClient) -> None:
    text = a_text(1)
    one = a_record(house, archivist, "甲号合同", text)
    assert HEAD not in archivist.get(f"/records/{one}").text
    other = a_record(house, archivist, "乙号合同", text[:1150] + a_text(2)[:50])
    for page, title in ((one, "乙号合同"), (other, "甲号合同")):
        told = archivist.get(f"/records/{page}").text
        assert HEAD in told
        assert title in told
        assert re.search(r"文字几乎相同（(8|9)\d%）", told)


def test_number_and_title_with_date_are_told_however_they_are_written(house: WebHouse, archivist: FlaskClient) -> None:
    one = a_record(house, archivist, "关于 电梯的通知", drawn_up="2024-03-05", **{FIELD: "沪房〔2024〕3号"})
    number = a_record(house, archivist, "别的题名", **{FIELD: "沪房[2024]3号"})
    title = a_record(house, archivist, "关于电梯的通知", drawn_up="2024-03-05")
    a_record(house, archivist, "关于电梯的通知", drawn_up="2024-03")
    told = house.services.doubles.of(system("test"), UUID(one))
    assert {(str(d.record.id), r.why) for d in told for r in d.reasons} == {
        (number, Why.DOCUMENT_NUMBER),
        (title, Why.TITLE_AND_DATE),
    }
    page = archivist.get(f"/records/{one}").text
    assert "文号相同" in page
    assert "题名与日期相同" in page


def test_who_may_not_see_the_other_gets_the_very_page_of_a_record_without_doubles(
    house: WebHouse, archivist: FlaskClient
) -> None:
    text = a_text(3)
    alone = {"drawn_up": "2024-03-05", FIELD: "沪房〔2024〕3号"}
    clerk = house.browser("clerk")
    open_ = a_record(house, clerk, "公开的合同", text, department=office(house), **alone)
    before = _plain(clerk.get(f"/records/{open_}").text)
    hidden = a_record(house, archivist, "公开的合同", text, level="3", **alone)
    assert "文件完全相同" in archivist.get(f"/records/{open_}").text
    assert _plain(clerk.get(f"/records/{open_}").text) == before
    assert post(clerk, f"/records/{open_}/doubles", other=hidden).startswith("403")
    assert post(archivist, f"/records/{open_}/doubles", other=hidden).startswith("200")
    assert _plain(clerk.get(f"/records/{open_}").text) == before
    assert "不重复" not in clerk.get(f"/records/{open_}/history").text


def test_a_decision_stays_is_logged_and_can_be_taken_back(house: WebHouse, archivist: FlaskClient) -> None:
    one, other = (a_record(house, archivist, "同一份", a_text(4)) for _ in range(2))
    assert HEAD in archivist.get(f"/records/{one}").text
    for _ in range(2):
        post(archivist, f"/records/{one}/doubles", other=other)
    for page in (one, other):
        told = archivist.get(f"/records/{page}").text
        assert "已判定与 1 份其他档案不重复" in told
        assert "文件完全相同" not in told
    with house.services.db.reading() as session:
        acts = session.scalars(select(LogEntry.act).where(LogEntry.act.like("double.%"))).all()
        assert acts == ["double.dismiss"]
    post(archivist, f"/records/{other}/doubles", other=one, same="perhaps")
    assert "文件完全相同" in archivist.get(f"/records/{one}").text
    with house.services.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(NotTheSame)) == 0


def test_who_only_reads_or_names_the_record_itself_decides_nothing(house: WebHouse, archivist: FlaskClient) -> None:
    clerk = house.browser("clerk")
    one, other = (a_record(house, clerk, "同一份", a_text(5), department=office(house)) for _ in range(2))
    assert HEAD in clerk.get(f"/records/{one}").text
    assert "不是重复" not in clerk.get(f"/records/{one}").text
    assert post(clerk, f"/records/{one}/doubles", other=other).startswith("403")
    assert post(archivist, f"/records/{one}/doubles", other=one).startswith("422")
    assert post(archivist, f"/records/{one}/doubles", other="x").startswith("422")


def test_of_bytes_that_lie_in_many_records_the_newest_alone_are_looked_at(
    house: WebHouse, archivist: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.files.arrivals.LOOKED_AT", 2)
    made = [UUID(a_record(house, archivist, f"空表{at}", "同一张空表")) for at in range(4)]
    with house.services.db.reading() as session:
        content = session.scalars(select(Content.id).where(Content.record_id == made[0])).one()
    for who in (house.services.people.identity_of("archivist"), system("test")):
        assert set(house.services.intake.doubles(who, [content])[content]) == set(made[2:])


def test_what_is_in_the_bin_is_no_double(house: WebHouse, archivist: FlaskClient) -> None:
    one, other = (a_record(house, archivist, "同一份", a_text(6)) for _ in range(2))
    (version,) = set(re.findall(r'name="version" value="(\d+)"', archivist.get(f"/records/{other}").text))
    post(archivist, f"/records/{other}/bin", version=version)
    assert HEAD not in archivist.get(f"/records/{one}").text


def test_the_keys_of_every_record_follow_its_title_and_number(house: WebHouse, archivist: FlaskClient) -> None:
    record = a_record(house, archivist, "甲", **{FIELD: "沪房〔2024〕3号"})
    (version,) = set(re.findall(r'name="version" value="(\d+)"', archivist.get(f"/records/{record}/edit").text))
    values = {
        "title": "乙 号",
        "level": "1",
        "medium": "paper",
        "material": "document",
        "version": version,
        FIELD: "沪房〔2025〕4号",
    }
    assert post(archivist, f"/records/{record}/edit", **values).startswith("200")
    a_record(house, archivist, "没有文号")
    with house.services.db.reading() as session:
        for row in session.scalars(select(Record)):
            assert row.title_key == number_key(row.title)
            assert row.document_key == (number_key(row.fields.get("document_number") or "") or None)
        assert session.get_one(Record, UUID(record)).document_key == "沪房20254号"


def waiting(house: WebHouse) -> list[set[str]]:
    """Return the pairs that are kept, whoever may see them."""
    with house.services.db.reading() as session:
        return [{str(row.record_id), str(row.other_id)} for row in session.scalars(select(AlikeRecord))]


def test_the_list_tells_pairs_with_their_reasons_until_they_are_decided(
    house: WebHouse, archivist: FlaskClient
) -> None:
    assert "没有待判定的" in archivist.get("/doubles").text
    one = a_record(house, archivist, "甲号合同", a_text(7), drawn_up="2024-03-05")
    other = a_record(house, archivist, "甲号 合同", a_text(7), drawn_up="2024-03-05")
    page = archivist.get("/doubles").text
    assert f"/records/{one}" in page
    assert f"/records/{other}" in page
    for words in ("文件完全相同", "文字相同", "题名与日期相同"):
        assert words in page
    assert re.search(r"<strong>1</strong>\s*对可能重复", archivist.get("/").text)
    assert post(archivist, f"/records/{other}/doubles", other=one, **{"from": "list"}).startswith("200")
    assert "没有待判定的" in archivist.get("/doubles").text
    assert "对可能重复" not in archivist.get("/").text
    post(archivist, f"/records/{one}/doubles", other=other, same="perhaps")
    assert f"/records/{one}" in archivist.get("/doubles").text


def test_the_list_goes_on_after_fifty_pairs_without_loss(house: WebHouse, archivist: FlaskClient) -> None:
    for _ in range(11):
        a_record(house, archivist, "同一份", **{FIELD: "沪房〔2024〕9号"})
    told: list[str] = []
    page = archivist.get("/doubles").text
    while True:
        told += re.findall(r'name="other" value="([^"]+)"', page)
        more = re.search(r'href="(/doubles\?after=[^"]+)"', page)
        if more is None:
            break
        assert len(told) % 50 == 0
        page = archivist.get(more[1]).text
    assert len(told) == 55
    assert "同一份" in archivist.get("/doubles?after=nonsense").text


def test_the_list_and_the_desk_tell_no_pair_of_which_one_is_hidden(house: WebHouse, archivist: FlaskClient) -> None:
    clerk = house.browser("clerk")
    number = {FIELD: "沪房〔2024〕5号"}
    one = a_record(house, archivist, "公开的", **number)
    before = [_plain(clerk.get(path).text) for path in ("/", "/doubles")]
    other = a_record(house, archivist, "秘密的", level="3", **number)
    assert waiting(house) == [{one, other}]
    assert [_plain(clerk.get(path).text) for path in ("/", "/doubles")] == before
    with house.services.db.writing() as work:
        work.session.execute(update(Person).where(Person.login == "archivist").values(clearance=1))
        work.commit()
    assert "没有待判定的" in archivist.get("/doubles").text
    assert "对可能重复" not in archivist.get("/").text


def test_cataloguing_warns_of_number_or_title_and_date_that_stand_elsewhere(
    house: WebHouse, archivist: FlaskClient
) -> None:
    clerk = house.browser("clerk")
    values = {"category": str(house.category.id), "title": "电梯的通知", "level": "1", FIELD: "沪房〔2024〕6号"}
    assert "可能与另外" not in post(archivist, "/records", **values)
    told = post(archivist, "/records", **values | {"title": "别的"})
    assert "可能与另外 1 份档案重复。《电梯的通知》：文号相同" in told
    assert "可能与另外" not in post(clerk, "/records", **values, department=office(house))


def test_a_pair_ends_when_its_reason_does(house: WebHouse, archivist: FlaskClient) -> None:
    one = a_record(house, archivist, "甲", **{FIELD: "沪房〔2024〕7号"})
    other = a_record(house, archivist, "乙", **{FIELD: "沪房〔2024〕7号"})
    assert waiting(house) == [{one, other}]
    (version,) = set(re.findall(r'name="version" value="(\d+)"', archivist.get(f"/records/{other}/edit").text))
    values = {"title": "乙", "level": "1", "medium": "paper", "material": "document", "version": version}
    post(archivist, f"/records/{other}/edit", **values, **{FIELD: "沪房〔2024〕8号"})
    assert waiting(house) == []


def test_what_is_in_the_bin_waits_for_nobody(house: WebHouse, archivist: FlaskClient) -> None:
    _, other = (a_record(house, archivist, "同一份", a_text(8)) for _ in range(2))
    (version,) = set(re.findall(r'name="version" value="(\d+)"', archivist.get(f"/records/{other}").text))
    post(archivist, f"/records/{other}/bin", version=version)
    assert "没有待判定的" in archivist.get("/doubles").text
    post(archivist, f"/records/{other}/restore")
    assert f"/records/{other}" in archivist.get("/doubles").text


def test_a_custodian_is_told_by_number_alone_and_an_officer_nothing(house: WebHouse, archivist: FlaskClient) -> None:
    both = [a_record(house, archivist, "秘密的题名", drawn_up="2024-03-05", **{FIELD: "沪房〔2024〕4号"}) for _ in "ab"]
    hidden = a_record(house, archivist, "更高的", level="3", drawn_up="2024-03-05", **{FIELD: "沪房〔2024〕4号"})
    for record in (*both, hidden):
        post(archivist, "/records/file", record=record)
    with house.services.db.reading() as session:
        numbers = [session.get_one(Record, UUID(each)).archive_number or "none" for each in (*both, hidden)]
    assert HEAD not in house.browser("auditor").get(f"/records/{both[0]}").text
    with house.services.db.writing() as work:
        keeper = work.session.scalars(select(Person).where(Person.login == "staff")).one()
        keeper.clearance = 0
        is_custodian(work.session, keeper, 1)
        work.commit()
    page = house.browser("staff").get(f"/records/{both[0]}").text
    assert HEAD in page
    assert numbers[1] in page
    assert numbers[2] not in page
    assert "秘密的题名" not in page
    post(archivist, f"/records/{both[0]}/doubles", other=both[1])
    assert HEAD not in house.browser("staff").get(f"/records/{both[0]}").text


def _plain(page: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"|nonce="[^"]*"', "", page)
