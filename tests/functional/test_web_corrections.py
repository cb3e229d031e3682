"""What is filed changes only by a correction: one asks, another decides, and both are kept."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.identity import Role, system
from archive.log.entry import body_context
from archive.model import Approval, LogEntry, Record
from tests.factories import people as rights
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of
from web.describing.record_form import OWN

WHY = "文件落款为六月"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        second(made)
        yield made


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        second(made.web)
        yield made


def second(house: WebHouse) -> None:
    """Let a second archivist in, who may decide on what the first asks for."""
    key = house.services.people.add_person(
        system("set-up"), login="archivist2", name="第二位档案员", password=PASSWORD, roles=[Role.ARCHIVIST]
    )
    with house.services.db.writing() as work:
        person = work.session.get_one(type(house.people["archivist"]), key)
        person.clearance = 2
        rights.grants(work.session, person, fonds=house.category.fonds_id)
        work.commit()


def post(client: FlaskClient, path: str, **data: object) -> str:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return f"{reply.status_code} {reply.text}"


def a_filed_record(house: WebHouse, client: FlaskClient, **more: str) -> str:
    values = {"category": str(house.category.id), "title": "电梯维保合同", "drawn_up": "2024-05", "level": "1", **more}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(client, "/records", **values)))
    assert post(client, "/records/file", record=record).startswith("200")
    return record


def standing(house: WebHouse, record: str) -> Record:
    with house.services.db.reading() as session:
        return session.get_one(Record, UUID(record))


def ask(client: FlaskClient, record: str, **changes: str) -> str:
    """Change what the form shows, and send it; return the page that follows."""
    page = client.get(f"/records/{record}/correct").text
    shown = dict(re.findall(r'name="((?:f\.)?[a-z_]+)"[^>]* value="([^"]*)"', page)) | {"reason": WHY}
    for name, options in re.findall(r'<select id="field-[a-z_]+" name="([a-z_.]+)"(.*?)</select>', page, re.DOTALL):
        shown[name] = "".join(re.findall(r'<option value="([^"]+)" selected', options))
    shown.pop("csrf_token", None)
    return post(client, f"/records/{record}/correct", **(shown | changes))


def request_of(page: str) -> str:
    return re.findall(r"/corrections/([0-9a-f-]{36})/", page)[0]


def test_what_is_filed_changes_when_another_approves(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    record = a_filed_record(house, archivist)
    before = standing(house, record)
    page = ask(archivist, record, title="电梯维护保养合同", drawn_up="2024-06", term="D30", importance="2")
    key = request_of(page)
    assert "电梯维护保养合同" in page
    assert "批准" not in re.findall(r"<button[^>]*>([^<]*)", page)
    assert "更正正在等待审批" in archivist.get(f"/records/{record}").text
    assert "项更正待审批" in other.get("/").text
    assert "项更正待审批" not in archivist.get("/").text
    shown = other.get(f"/corrections/{key}").text
    assert [each in shown for each in ("2024-05", "2024-06", WHY, "电梯维保合同")] == [True] * 4
    assert standing(house, record).title == "电梯维保合同"
    done = post(other, f"/corrections/{key}/decide", decision="approve", reason="已核对原件")
    assert done.startswith("200")
    assert "已核对原件" in done
    after = standing(house, record)
    assert (after.title, after.drawn_up, after.term) == ("电梯维护保养合同", "2024-06", "D30")
    assert "<dt>重要程度</dt><dd>重要</dd>" in archivist.get(f"/records/{record}").text
    assert (after.archive_number, after.registration_number) == (before.archive_number, before.registration_number)
    assert (after.level_rank, after.version) == (before.level_rank, before.version + 1)
    assert "已批准" in archivist.get("/corrections?own=1").text
    assert "没有等您审批的更正" in other.get("/corrections").text


def test_the_log_keeps_who_asked_who_decided_and_both_descriptions(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    record = a_filed_record(house, archivist)
    post(
        other,
        f"/corrections/{request_of(ask(archivist, record, title='新题名'))}/decide",
        decision="approve",
        reason="是",
    )
    with house.services.db.reading() as session:
        rows = session.scalars(select(LogEntry).where(LogEntry.record_id == UUID(record)).order_by(LogEntry.at)).all()
        kept = {row.act: row for row in rows}
        acts = ("correction.ask", "correction.approve", "record.correct")
        people = [kept[act].person_id for act in acts]
        row = kept["record.correct"]
        assert row.body
        told = json.loads(house.services.vault.open(session, UUID(record), row.body, context=body_context(row.id)))
    assert people[0] == house.people["archivist"].id
    assert people[1] == people[2] != people[0]
    assert (told["before"]["title"], told["after"]["title"], told["reason"]) == ("电梯维保合同", "新题名", WHY)
    history = archivist.get(f"/records/{record}/history").text
    assert all(words in history for words in ("申请更正", "批准更正", "著录已更正"))


def test_nobody_decides_on_their_own_and_a_decision_stands(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    record = a_filed_record(house, archivist)
    key = request_of(ask(archivist, record, title="新题名"))
    assert post(archivist, f"/corrections/{key}/decide", decision="approve", reason="可以").startswith("403")
    assert standing(house, record).title == "电梯维保合同"
    assert post(other, f"/corrections/{key}/decide", decision="refuse", reason="").startswith("422")
    assert post(other, f"/corrections/{key}/decide", decision="refuse", reason="原题名无误").startswith("200")
    for client, path in ((other, "decide"), (archivist, "withdraw")):
        again = post(client, f"/corrections/{key}/{path}", decision="approve", reason="再看")
        assert again.startswith("409"), again
    assert standing(house, record).title == "电梯维保合同"
    assert "原题名无误" in archivist.get(f"/corrections/{key}").text


def test_one_takes_back_ones_own_alone(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    key = request_of(ask(archivist, a_filed_record(house, archivist), title="新题名"))
    assert post(other, f"/corrections/{key}/withdraw").startswith("403")
    assert post(archivist, f"/corrections/{key}/withdraw").startswith("200")
    assert post(other, f"/corrections/{key}/decide", decision="approve", reason="可以").startswith("409")


def test_two_corrections_of_one_field_and_the_second_cannot_pass(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    record = a_filed_record(house, archivist)
    first, second_ = (request_of(ask(archivist, record, title=title)) for title in ("甲题名", "乙题名"))
    third = request_of(ask(archivist, record, responsible="工程部"))
    assert post(other, f"/corrections/{first}/decide", decision="approve", reason="是").startswith("200")
    shown = other.get(f"/corrections/{second_}").text
    assert "现在只能驳回" in shown
    assert 'value="approve"' not in shown
    late = post(other, f"/corrections/{second_}/decide", decision="approve", reason="以原件为准")
    assert late.startswith("409")
    assert "现在只能驳回" in late
    assert "以原件为准" in late  # what was typed is still there
    assert post(other, f"/corrections/{third}/decide", decision="approve", reason="是").startswith(
        "200"
    )  # another field
    after = standing(house, record)
    assert (after.title, after.responsible) == ("甲题名", "工程部")
    with house.services.db.reading() as session:
        assert session.get_one(Approval, UUID(second_)).state == "asked"  # nothing half done


def test_a_form_that_is_wrong_or_empty_comes_back_with_what_was_typed(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    record = a_filed_record(house, archivist)
    assert "与现有内容没有任何不同" in ask(archivist, record)
    told = ask(archivist, record, title="新题名", drawn_up="2024-13-45", reason="")
    assert told.startswith("422")
    assert "新题名" in told
    assert "fault-drawn_up" in told
    assert "fault-reason" in ask(archivist, record, title="新题名", reason="  ")
    assert "fault-title" in ask(archivist, record, title=" ")
    assert ask(archivist, record, title="新题名", version="1").startswith("409")
    with house.services.db.reading() as session:
        assert not session.scalars(select(Approval)).all()


def test_a_protected_number_is_corrected_and_shown_masked(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    record = a_filed_record(house, archivist, **{OWN + "phone": "13812345678"})
    page = ask(archivist, record, **{OWN + "phone": "13987654321"})
    key = request_of(page)
    assert "13812345678" not in page
    assert "13987654321" not in page
    with house.services.db.reading() as session:
        assert b"13987654321" not in session.get_one(Approval, UUID(key)).sealed
    post(other, f"/corrections/{key}/decide", decision="approve", reason="是")
    view = house.services.reader.show(house.services.people.identity_of("archivist"), UUID(record))
    assert {field.name: value for field, value in view.fields}["phone"] == "13987654321"  # type: ignore[union-attr]


def test_staff_ask_and_do_not_decide(house: WebHouse) -> None:
    staff, archivist = house.browser("staff"), house.browser("archivist")
    record = a_filed_record(house, archivist)
    key = request_of(ask(staff, record, title="新题名"))
    own = request_of(ask(archivist, record, title="别的题名"))
    assert post(staff, f"/corrections/{own}/decide", decision="approve", reason="可以").startswith("403")
    assert post(archivist, f"/corrections/{key}/decide", decision="approve", reason="可以").startswith("200")
    assert standing(house, record).title == "新题名"


def test_of_a_record_that_one_does_not_read_nothing_is_told(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    key = request_of(ask(archivist, a_filed_record(house, archivist, level="4"), title="绝密的新题名"))
    for client in (staff, house.browser("archivist2")):
        hidden, absent = (client.get(f"/corrections/{each}") for each in (key, uuid4()))
        assert hidden.status_code == absent.status_code == 404
        assert "新题名" not in hidden.text + client.get("/corrections").text + client.get("/").text
        assert post(client, f"/corrections/{key}/decide", decision="approve", reason="是").startswith("404")
    auditor = house.browser("auditor")  # sees number and dates of every record, and no words
    assert "新题名" not in auditor.get(f"/corrections/{key}").text + auditor.get("/corrections").text


def test_a_correction_leaves_search_until_it_is_indexed_when_it_moves_who_may_read(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    record = a_filed_record(house, archivist)
    key = request_of(ask(archivist, record, place="A01"))
    assert post(other, f"/corrections/{key}/decide", decision="approve", reason="是").startswith("200")
    assert standing(house, record).place_path == "A01/"


def test_a_provisional_record_is_described_and_not_corrected(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    page = post(archivist, "/records", category=str(house.category.id), title="未归档", level="1")
    record = re.findall(r"/records/([0-9a-f-]{36})/files", page)[0]
    assert archivist.get(f"/records/{record}/correct").status_code == 409
    assert post(archivist, f"/records/{record}/correct", title="新", reason="x").split()[0] in {"403", "409", "422"}


def test_programs_ask_and_decide_by_the_same_rules(programs: ApiHouse) -> None:
    record = programs.a_draft("电梯合同")
    programs.file(record)
    tag = programs.get(f"/api/v1/records/{record}").headers["ETag"]
    at = f"/api/v1/records/{record}/corrections"
    asked = programs.ask("POST", at, json={"title": "电梯维保合同", "reason": WHY}, If_Match=tag)
    assert (asked.status_code, asked.json["state"]) == (201, "asked")
    key = asked.json["correction"]
    assert programs.ask("POST", at, json={"title": "别的", "reason": WHY}, If_Match='"99"').status_code == 412
    shown = programs.get(f"/api/v1/corrections/{key}").json
    assert (shown["before"]["title"], shown["after"]["title"], shown["reason"]) == ("电梯合同", "电梯维保合同", WHY)
    own = programs.ask("POST", f"/api/v1/corrections/{key}/decision", json={"approve": True, "reason": "是"})
    assert (own.status_code, own.json["code"]) == (403, "own_request")
    waiting = programs.get("/api/v1/corrections", login="archivist2").json["corrections"]
    assert [each["correction"] for each in waiting] == [key]
    assert programs.get("/api/v1/corrections").json["corrections"] == []
    assert [each["correction"] for each in programs.get("/api/v1/corrections?own=true").json["corrections"]] == [key]
    decided = programs.ask(
        "POST", f"/api/v1/corrections/{key}/decision", "archivist2", json={"approve": True, "reason": "是"}
    )
    assert decided.json["state"] == "approved"
    assert programs.get(f"/api/v1/records/{record}").json["title"] == "电梯维保合同"
    late = programs.ask("POST", f"/api/v1/corrections/{key}/withdrawal")
    assert (late.status_code, late.json["code"]) == (409, "request_ended")


def test_lists_of_corrections_go_on_behind_the_last(programs: ApiHouse) -> None:
    record = programs.a_draft("电梯合同")
    programs.file(record)
    own = programs.web.services
    who = own.people.identity_of("archivist")
    for number in range(5):
        version = standing(programs.web, str(record)).version
        own.corrections.ask(who, record, {"title": f"第{number}稿"}, WHY, version)
    seen, cursor = [], ""
    for _ in range(3):
        page = programs.get(f"/api/v1/corrections?own=true&limit=2{cursor}").json
        seen += [each["correction"] for each in page["corrections"]]
        cursor = f"&cursor={page['next'].replace('+', '%2B')}" if page["next"] else ""
    assert len(set(seen)) == len(seen) == 5
    assert not cursor
    assert programs.get("/api/v1/corrections?cursor=nowhere").status_code == 422
