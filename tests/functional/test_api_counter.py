"""Programs lend: a request with its steps, asking back, the counter out and in, losses, the register, deputies."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from archive.loans.slips import Slip
from archive.model import Copy, Medium, Person, Record
from tests.factories import people as rights
from tests.factories.api_house import ApiHouse, an_api_house

ASKED = {"purpose": "work", "reason": "查阅合同条款"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def a_paper(house: ApiHouse, title: str) -> UUID:
    record = house.a_record(title=title, level=1, medium=Medium.PAPER)
    with house.web.services.db.writing() as work:
        work.session.add(Copy(record_id=record.id, number=1, pages=12, created_at=rights.NOW))
        work.commit()
    key: UUID = record.id
    return key


def asked(house: ApiHouse, record: UUID, **more: object) -> dict[str, str]:
    reply = house.ask("POST", f"/api/v1/records/{record}/loans", "staff", json=ASKED | more)
    assert reply.status_code == 201, reply.text
    found: dict[str, str] = reply.json
    return found


def approved(house: ApiHouse, record: UUID) -> dict[str, str]:
    loan = asked(house, record)
    say = {"approve": True, "reason": "同意"}
    reply = house.ask("POST", f"/api/v1/requests/{loan['request']}/decision", json=say)
    assert reply.json["state"] == "approved", reply.text
    return loan


def act(house: ApiHouse, path: str, login: str = "archivist", **body: object) -> TestResponse:
    return house.ask("POST", f"/api/v1{path}", login, json=body or None)


def reports_of(house: ApiHouse, record: UUID) -> list[dict[str, object]]:
    return [each for each in house.get("/api/v1/loan-reports").json["reports"] if each["record"] == str(record)]


def test_a_request_is_seen_asked_back_on_and_answered(house: ApiHouse) -> None:
    loan = asked(house, a_paper(house, "甲"))
    at = f"/requests/{loan['request']}"
    seen = house.get(f"/api/v1{at}").json
    assert (seen["may"], seen["title"], seen["steps"][0]["passed"], seen["said"]) == (["decide"], "甲", False, [])
    assert house.get(f"/api/v1{at}", "staff").json["may"] == ["withdraw"]
    assert house.get(f"/api/v1{at}", "clerk").status_code == 404
    assert act(house, f"{at}/question", "staff", reason="为何").status_code == 403
    assert act(house, f"{at}/question", reason="").status_code == 422
    assert act(house, f"{at}/question", reason="要哪一页？").json["state"] == "questioned"
    assert "answer" in house.get(f"/api/v1{at}", "staff").json["may"]
    assert act(house, f"{at}/answer", "staff", reason="第三页").json["state"] == "asked"
    said = house.get(f"/api/v1{at}").json["said"]
    assert [each["words"] for each in said] == ["要哪一页？", "第三页"]
    assert act(house, f"{at}/answer", "staff", reason="再答").status_code == 409


def test_what_was_described_is_found(house: ApiHouse) -> None:
    record = a_paper(house, "乙")
    made = house.ask("POST", "/api/v1/loans", "staff", json=ASKED | {"sought": "电梯的合同"}).json
    at = f"/requests/{made['request']}"
    assert house.get(f"/api/v1{at}").json["may"] == ["find"]
    assert act(house, f"{at}/found", record=str(uuid4())).status_code == 404
    assert act(house, f"{at}/found", record=str(record)).json["state"] == "asked"
    assert house.get(f"/api/v1{at}").json["record"] == str(record)


def test_what_was_described_is_asked_back_on_or_refused_before_it_is_found(house: ApiHouse) -> None:
    for path, body, state in (
        ("question", {"reason": "哪一台电梯？"}, "questioned"),
        ("decision", {"approve": False, "reason": "没有这样的档案"}, "refused"),
    ):
        made = house.ask("POST", "/api/v1/loans", "staff", json=ASKED | {"sought": "电梯的合同"}).json
        said = act(house, f"/requests/{made['request']}/{path}", **body)
        assert (said.status_code, said.json["state"]) == (200, state), said.text
        assert house.get(f"/api/v1/requests/{made['request']}", "clerk").status_code == 404


def test_one_copy_lent_and_another_on_its_round_come_back_each_by_its_number(house: ApiHouse) -> None:
    record = a_paper(house, "丁")
    with house.web.services.db.writing() as work:
        work.session.add(Copy(record_id=record, number=2, pages=12, created_at=rights.NOW))
        work.commit()
    out = {"record": str(record), "person": "staff"}
    lent = approved(house, record)["loan"]
    assert act(house, "/counter/issues", **out, copy_number=1).json["id"] == lent
    archivist = house.web.services.people.identity_of("archivist")
    slip = Slip("传阅", "全文", house.web.services.guard.day() + timedelta(days=5), ("staff",))
    round_ = house.web.services.lending.rounds.begin(archivist, record, slip)
    which = act(house, "/counter/returns", record=str(record))
    assert [each["code"] for each in which.json["fields"]] == ["which_copy"]
    back = act(house, "/counter/returns", record=str(record), copy_number=2)
    assert (back.json["what"], back.json["id"]) == ("circulation", str(round_)), back.text
    assert act(house, "/counter/returns", record=str(record)).json["id"] == lent


def test_a_paper_goes_out_and_comes_back_at_the_counter(house: ApiHouse) -> None:
    record = a_paper(house, "丙")
    out, back = {"record": str(record), "person": "staff"}, {"record": str(record)}
    not_yet = act(house, "/counter/issues", **out)
    assert [each["code"] for each in not_yet.json["fields"]] == ["not_approved"]
    nobody = act(house, "/counter/issues", **out | {"person": "nobody"})
    assert [each["field"] for each in nobody.json["fields"]] == ["person"]
    loan = approved(house, record)
    waits = house.get("/api/v1/counter/waiting?person=staff").json["papers"]
    assert [(each["what"], each["id"]) for each in waits if each["record"] == str(record)] == [("loan", loan["loan"])]
    for path in ("/counter/waiting?person=staff", "/loan-register", "/loan-reports"):
        assert house.get(f"/api/v1{path}", "staff").status_code == 403
    assert act(house, "/counter/issues", "staff", **out).status_code == 403
    assert act(house, "/counter/issues", **out | {"record": str(uuid4())}).status_code == 404
    issued = house.ask("POST", "/api/v1/counter/issues", json=out | {"pages": 12}, Idempotency_Key="out-1")
    assert (issued.json["what"], issued.json["id"], issued.json["copy_number"]) == ("loan", loan["loan"], 1)
    again = house.ask("POST", "/api/v1/counter/issues", json=out | {"pages": 12}, Idempotency_Key="out-1")
    assert again.json == issued.json
    [open_one] = house.get(f"/api/v1/loan-register?state=open&person=staff&record={record}").json["loans"]
    assert (open_one["title"], open_one["copy_number"], open_one["recalled"]) == ("丙", 1, False)
    assert act(house, f"/loans/{loan['loan']}/recall").status_code == 200
    assert house.get(f"/api/v1/loan-register?record={record}").json["loans"][0]["recalled"]
    returned = act(house, "/counter/returns", **back | {"pages": 10, "words": "缺两页", "effect": "查清了条款"})
    assert (returned.json["differs"], returned.json["waiting"]) == (True, False)
    twice = act(house, "/counter/returns", **back)
    assert [each["code"] for each in twice.json["fields"]] == ["not_out"]
    [report] = reports_of(house, record)
    assert (report["report"], report["harm"], report["found"]) == (returned.json["report"], "pages", "缺两页")
    settle = f"/loan-reports/{report['report']}/settlement"
    assert act(house, settle, words="").status_code == 422
    assert act(house, settle, words="已补", cost=5000).status_code == 204
    assert act(house, settle, words="已补").status_code == 409
    assert reports_of(house, record)[0]["cost"] == 5000
    effect = f"/api/v1/loans/{loan['loan']}/effect"
    assert house.ask("PUT", effect, "staff", json={"effect": "用于续签"}).status_code == 204
    assert house.ask("PUT", effect, "clerk", json={"effect": "别人的"}).status_code == 404


def test_a_lost_paper_ends_its_loan_and_a_register_goes_on_by_its_cursor(house: ApiHouse) -> None:
    record = a_paper(house, "丁")
    loan = approved(house, record)["loan"]
    assert act(house, f"/loans/{loan}/loss", words="水淹").status_code == 409
    act(house, "/counter/issues", record=str(record), person="staff")
    assert act(house, f"/loans/{loan}/end", "staff").status_code == 409  # a paper is brought back
    assert act(house, f"/loans/{loan}/loss", words="").status_code == 422
    lost = act(house, f"/loans/{loan}/loss", words="水淹")
    assert (lost.status_code, lost.json["loan"]) == (201, loan)
    approved(house, a_paper(house, "己"))
    seen, cursor = [], ""
    while True:
        page = house.get(f"/api/v1/loan-register?limit=1{cursor}").json
        seen += [each["number"] for each in page["loans"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) > 1
    assert house.get("/api/v1/loan-register?cursor=x").status_code == 422


def test_a_paper_without_a_loan_goes_over_the_same_counter(house: ApiHouse) -> None:
    own, record = house.web.services, a_paper(house, "戊")
    with own.db.writing() as work:
        who = work.session.scalars(select(Person).where(Person.login == "staff")).one()
        rights.holds_post(work.session, who, rights.a_post(work.session), rights.a_department(work.session))
        work.commit()
    with own.db.writing() as work:  # as the last yes of an application does
        archivist, row = own.people.identity_of("archivist"), work.session.get_one(Record, record)
        assert archivist.person_id
        held = own.lending.custody.holder(work.session, row, "staff", 6)
        own.lending.custody.begin_in(work.session, archivist, row, held, 6, uuid4(), archivist.person_id)
        work.commit()
    waits = house.get("/api/v1/counter/waiting?person=staff").json["papers"]
    assert [each["what"] for each in waits if each["record"] == str(record)] == ["custody"]
    assert act(house, "/counter/issues", record=str(record), person="staff").json["what"] == "custody"
    back = act(house, "/counter/returns", record=str(record), pages=1)
    assert (back.json["what"], back.json["differs"]) == ("custody", True)
    reports = {each["report"]: each for each in house.get("/api/v1/loan-reports").json["reports"]}
    assert (reports[back.json["report"]]["custody"], reports[back.json["report"]]["loan"]) == (back.json["id"], None)


def test_a_deputy_is_named_and_ended(house: ApiHouse) -> None:
    days = {"since": "2099-05-01", "until": "2100-05-01"}
    long = act(house, "/deputies", "staff", deputy="clerk", **days | {"until": "2100-05-02"})
    assert [(each["field"], each["code"]) for each in long.json["fields"]] == [("until", "too_many_days")]
    made = act(house, "/deputies", "staff", deputy="clerk", **days)
    assert made.status_code == 201, made.text
    assert act(house, "/deputies", "staff", deputy="staff", **days).status_code == 422
    assert [each["deputy"] for each in house.get("/api/v1/deputies", "staff").json["for_me"]] == [made.json["deputy"]]
    assert len(house.get("/api/v1/deputies", "clerk").json["by_me"]) == 1
    end = f"/api/v1/deputies/{made.json['deputy']}"
    assert house.ask("DELETE", end, "clerk").status_code == 404
    assert house.ask("DELETE", end, "staff").status_code == 204
    assert house.get("/api/v1/deputies", "staff").json["for_me"] == []
