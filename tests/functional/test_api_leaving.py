"""Destructions, the register of the destroyed, transfers and secrecy reviews, as programs read them."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from archive.identity import Role, system
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    DestroyedRecord,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionState,
    DueState,
    HoldKind,
    Person,
    Record,
    RecordDue,
    RecordRelation,
    Verdict,
)
from retention.holds import Wanted
from tests.factories import people as rights
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.web_house import PASSWORD
from tests.functional.test_web_loans import change_routes


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def given_up(house: ApiHouse, *titles: str) -> list[UUID]:
    """File records, and have a closed appraisal give them up."""
    keys = [house.a_draft(title) for title in titles]
    for key in keys:
        house.file(key)
    with house.web.services.db.writing() as work:
        session, now = work.session, house.web.clock.now()
        who = session.scalars(select(Person.id).where(Person.login == "archivist")).one()
        appraisal = Appraisal(
            number="JD2026-0001", purpose="到期鉴定", state=AppraisalState.CLOSED, begun_by=who, begun_at=now,
            closed_at=now,
        )  # fmt: skip
        session.add(appraisal)
        session.flush()
        for at, key in enumerate(keys, 1):
            session.merge(RecordDue(record_id=key, state=DueState.DATED, due=date(2021, 1, 1)))
            session.add(
                AppraisalItem(
                    appraisal_id=appraisal.id, record_id=key, position=at, number=str(at), due=date(2021, 1, 1),
                    verdict=Verdict.DESTROY,
                )
            )  # fmt: skip
        work.commit()
    return keys


def proposed(house: ApiHouse, **more: str) -> dict[str, object]:
    reply = house.ask("POST", "/api/v1/destructions", json={"purpose": "到期销毁", "method": "deletion"}, **more)
    assert reply.status_code == 201, reply.text
    found: dict[str, object] = reply.json
    return found


def test_a_program_proposes_a_destruction_once_and_reads_it_by_pages(house: ApiHouse) -> None:
    keys = given_up(house, "甲合同", "乙合同", "丙合同")
    made = proposed(house, Idempotency_Key="k1")
    assert proposed(house, Idempotency_Key="k1") == made
    at = f"/api/v1/destructions/{made['destruction']}"
    one = house.get(at)
    assert (one.json["state"], one.json["counts"]) == ("draft", {"listed": 3})
    assert "ask" in one.json["acts"]
    seen, cursor = [], ""
    while True:
        page = house.get(f"{at}/items?limit=2{cursor}").json
        seen += [UUID(each["record"]) for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == sorted(keys)
    listed = house.get("/api/v1/destructions?state=draft").json
    assert [each["number"] for each in listed["destructions"]] == [made["number"]]
    assert house.get("/api/v1/destructions?state=closed").json["destructions"] == []
    assert house.get("/api/v1/destructions?cursor=nonsense").status_code == 422


def test_a_program_has_the_report_of_an_appraisal_that_nobody_printed_before(house: ApiHouse) -> None:
    given_up(house, "甲合同")
    [closed] = house.get("/api/v1/appraisals").json["appraisals"]
    for locale in ("en", "zh-TW"):  # each language has a copy of its own
        sent = house.get(f"/api/v1/appraisals/{closed['appraisal']}/report", Accept_Language=locale)
        assert (sent.status_code, sent.data[:4]) == (200, b"%PDF")


def test_who_does_not_see_it_is_answered_as_if_there_were_none(house: ApiHouse) -> None:
    given_up(house, "甲合同")
    made = proposed(house)
    for path in (f"/api/v1/destructions/{made['destruction']}", f"/api/v1/destructions/{made['destruction']}/items"):
        hidden = house.get(path, "staff")
        absent = house.get(path.replace(str(made["destruction"]), str(uuid4())), "staff")
        assert (hidden.status_code, hidden.data) == (absent.status_code, absent.data) == (404, hidden.data)
    assert house.get("/api/v1/destructions", "staff").json["destructions"] == []
    items = house.get(f"/api/v1/destructions/{made['destruction']}/items", "auditor").json["items"]
    assert {(each["title"], each["record"]) for each in items} == {(None, None)}  # officers read no record
    body = {"purpose": "到期销毁", "method": "deletion"}
    assert house.ask("POST", "/api/v1/destructions", "staff", json=body).status_code == 403
    assert house.get("/api/v1/destroyed", "staff").status_code == 403


def test_how_it_is_done_is_changed_on_the_version_that_was_seen_and_it_is_taken_back(house: ApiHouse) -> None:
    given_up(house, "甲合同")
    at = f"/api/v1/destructions/{proposed(house)['destruction']}"
    tag = house.get(at).headers["ETag"]
    body = {"purpose": "到期销毁（改）", "method": "shredding", "place": "保密中心"}
    assert house.ask("PATCH", at, json=body).status_code == 428
    assert house.ask("PATCH", at, json=body, If_Match=tag).status_code == 200
    assert house.ask("PATCH", at, json=body, If_Match=tag).status_code == 412
    assert house.get(at).json["purpose"] == "到期销毁（改）"
    assert house.ask("POST", f"{at}/withdrawal", json={"reason": ""}).status_code == 422
    assert house.ask("POST", f"{at}/withdrawal", json={"reason": "重新整理"}).json["state"] == "withdrawn"
    assert house.ask("POST", f"{at}/withdrawal", json={"reason": "再"}).status_code == 409
    empty = house.ask("POST", "/api/v1/destructions", json={"purpose": "", "method": "deletion"})
    assert empty.status_code == 422
    assert empty.json["fields"][0]["field"] == "purpose"


def test_the_register_and_the_certificate_of_what_is_gone(house: ApiHouse) -> None:
    given_up(house, "甲合同")
    made = proposed(house)
    at = f"/api/v1/destructions/{made['destruction']}"
    assert house.get(f"{at}/certificate").status_code == 404  # nothing is gone yet
    key, now, own = UUID(str(made["destruction"])), house.web.clock.now(), house.web.services
    with own.db.writing() as work:
        session = work.session
        row = session.get_one(Destruction, key)
        row.state, row.run_at, row.gone_at, row.run_by = DestructionState.GONE, now, now, row.begun_by
        item = session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == key)).one()
        item.state, item.gone_at = DestructionItemState.GONE, now
        context = f"destroyed:{key.hex}:{item.record_id.hex}"
        session.add(
            DestroyedRecord(
                destruction_id=key, record_id=item.record_id, position=1, fonds="WY01", category="WYH", level_rank=1,
                registration_number="R1", archive_number="A1", neutral=False, due=date(2021, 1, 1), term="D10",
                kept_years=5, medium="electronic", files=1, bytes=9,
                sealed=own.vault.seal(session, key, "甲合同".encode(), context=context),
            )
        )  # fmt: skip
        work.commit()
    [line] = house.get("/api/v1/destroyed").json["records"]
    assert (line["title"], line["number"], line["destruction_number"]) == ("甲合同", "A1", made["number"])
    assert house.get("/api/v1/destroyed?since=2199-01-01").json["records"] == []
    for name in ("certificate", "register"):
        reply = house.get(f"{at}/{name}")
        assert (reply.status_code, reply.data[:4]) == (200, b"%PDF")
        assert house.get(f"{at}/{name}", "staff").status_code == 404
    assert "form.print" in house.acts()


def test_transfers_and_reviews_are_read_as_far_as_their_records_are(house: ApiHouse) -> None:
    own = house.web.services
    key = house.a_draft("移交的合同")
    house.file(key)
    who = own.people.identity_of("archivist")
    transfer = own.retention.transfers.begin(who, "青山区档案馆", "按范围移交", [key])
    [listed] = house.get("/api/v1/transfers").json["transfers"]
    assert listed["transfer"] == str(transfer)
    shown = house.get(f"/api/v1/transfers/{transfer}")
    assert [each["title"] for each in shown.json["items"]] == ["移交的合同"]
    assert shown.headers["ETag"]
    assert house.get(f"/api/v1/transfers/{transfer}", "staff").status_code == 404
    assert house.get("/api/v1/secrecy/reviews", "secrecy").json["reviews"] == []
    assert house.get(f"/api/v1/secrecy/reviews/{uuid4()}", "secrecy").status_code == 404


def an_approver(house: ApiHouse) -> None:
    own = house.web.services
    own.people.add_person(system("set-up"), login="approver", name="approver", password=PASSWORD, roles=[Role.APPROVER])
    with own.db.writing() as work:
        person = work.session.get_one(Person, own.people.identity_of("approver").person_id)
        person.clearance = 4
        rights.grants(work.session, person, fonds=house.web.category.fonds_id)
        work.commit()


def test_a_program_hands_records_over_and_another_person_decides(house: ApiHouse) -> None:
    an_approver(house)
    keys = [house.a_draft(title) for title in ("甲合同", "乙合同")]
    for key in keys:
        house.file(key)
    body = {"receiver": "青山区档案馆", "reason": "按范围移交", "records": [str(key) for key in keys]}
    assert house.ask("POST", "/api/v1/transfers", "staff", json=body).status_code == 403
    at = house.ask("POST", "/api/v1/transfers", json=body).headers["Location"]
    tag = house.get(at).headers["ETag"]
    assert house.ask("POST", f"{at}/request").status_code == 428
    asked = house.ask("POST", f"{at}/request", If_Match=tag)
    assert asked.json["state"] == "asked", asked.text
    assert house.ask("POST", f"{at}/request", If_Match=tag).status_code == 412
    say = {"approve": True, "reason": "同意"}
    assert house.ask("POST", f"{at}/decision", json=say).status_code == 403  # one's own
    assert house.ask("POST", f"{at}/decision", "staff", json=say).status_code == 403  # reads it, decides nothing
    assert house.ask("POST", f"{at}/decision", "approver", json=say).json["state"] == "approved"
    stands = house.get(at)
    receipt = {"signed_by": "李四", "signed_on": "2026-01-05"}
    early = house.ask("POST", f"{at}/receipt", json=receipt, If_Match=stands.headers["ETag"])
    assert (stands.json["state"], early.status_code) == ("approved", 409)  # nothing is packed yet
    assert house.ask("POST", f"{at}/closing", If_Match=stands.headers["ETag"]).status_code == 409
    given = house.ask("POST", f"{at}/withdrawal", If_Match=stands.headers["ETag"])
    assert given.json["state"] == "withdrawn"


def test_a_transfer_of_which_nothing_may_go_is_told_to_have_ended_by_the_last_yes(house: ApiHouse) -> None:
    an_approver(house)
    key, say = house.a_draft("涉诉合同"), {"approve": True, "reason": "同意"}
    house.file(key)

    def asked() -> str:
        body = {"receiver": "青山区档案馆", "reason": "按范围移交", "records": [str(key)]}
        at = str(house.ask("POST", "/api/v1/transfers", json=body).headers["Location"])
        house.ask("POST", f"{at}/request", If_Match=house.get(at).headers["ETag"])
        return at

    at = asked()
    goes = house.ask("POST", f"{at}/decision", "approver", json=say).json
    assert (goes["state"], goes["stands"]) == ("approved", "approved")
    assert house.ask("POST", f"{at}/withdrawal", If_Match=house.get(at).headers["ETag"]).status_code == 200
    at, own = asked(), house.web.services
    wanted = Wanted(HoldKind.RECORD, {"id": str(key)}, "诉讼", "涉诉", "法务部", date(2030, 1, 1))
    own.retention.holds.place(own.people.identity_of("archivist"), wanted)
    ended = house.ask("POST", f"{at}/decision", "approver", json=say).json
    assert (ended["state"], ended["stands"]) == ("approved", "withdrawn")


def test_a_program_notes_what_paper_weighed(house: ApiHouse) -> None:
    given_up(house, "甲合同")
    body = {"purpose": "到期销毁", "method": "shredding", "place": "销毁中心", "weight": "约 1 t"}
    at = house.ask("POST", "/api/v1/destructions", json=body).headers["Location"]
    weighed = {"weighed": "1,260 kg", "taken_by": "洁安公司"}
    tag = house.get(at).headers["ETag"]
    assert house.ask("PUT", f"{at}/weighing", json=weighed, If_Match=tag).status_code == 409, "a draft"
    with house.web.services.db.writing() as work:
        work.session.get_one(Destruction, UUID(at.rpartition("/")[2])).state = DestructionState.CONFIRMED
        work.commit()
    assert house.ask("PUT", f"{at}/weighing", "staff", json=weighed, If_Match=tag).status_code == 404
    assert house.ask("PUT", f"{at}/weighing", json={"weighed": ""}, If_Match=tag).status_code == 422
    done = house.ask("PUT", f"{at}/weighing", json=weighed, If_Match=tag)
    assert set(done.json) == {"destruction", "number", "state", "version"}
    assert house.ask("PUT", f"{at}/weighing", json=weighed, If_Match=tag).status_code == 412
    one = house.get(at).json
    assert {name: one[name] for name in (*body, *weighed)} == body | weighed


def test_a_program_asks_for_a_review_of_secrecy_and_another_person_decides(house: ApiHouse) -> None:
    own, key = house.web.services, house.a_draft("投标底价", 3)
    an_approver(house)
    own.retention.secrecy.set_level_period(own.people.identity_of("secrecy"), 3, 240)
    house.file(key)
    at = f"/api/v1/records/{key}"
    period = {"since": "2026-01-02", "months": 12, "reason": "原件标密日期"}
    tag = house.get(at, "secrecy").headers["ETag"]
    assert house.ask("PUT", f"{at}/secrecy", "archivist", json=period, If_Match=tag).status_code == 403
    assert house.ask("PUT", f"{at}/secrecy", "secrecy", json=period, If_Match='"99"').status_code == 412
    assert house.ask("PUT", f"{at}/secrecy", "secrecy", json=period, If_Match=tag).status_code == 200
    wish = {"verdict": "lower", "records": [str(key)], "reason": "已开标", "level": 2}
    assert house.ask("POST", "/api/v1/secrecy/reviews", "archivist", json=wish).status_code == 403
    review = house.ask("POST", "/api/v1/secrecy/reviews", "secrecy", json=wish).headers["Location"]
    assert house.ask("POST", f"{review}/decision", "secrecy", json={"approve": True, "reason": "x"}).status_code == 403
    decided = house.ask("POST", f"{review}/decision", "approver", json={"approve": True, "reason": "同意"})
    assert (decided.json["state"], house.get(at).json["level"]) == ("approved", 2)
    assert house.ask("POST", f"{review}/withdrawal", "secrecy").status_code == 409


def test_a_program_has_texts_derived_from_several_records_each_with_its_title(house: ApiHouse) -> None:
    own, keys = house.web.services, [str(house.a_draft(title, 3)) for title in ("投标底价甲", "投标底价乙")]
    an_approver(house)
    own.retention.secrecy.set_level_period(own.people.identity_of("secrecy"), 3, 240)
    for key in keys:
        house.file(UUID(key))
    wish = {"verdict": "derive", "records": keys, "reason": "已开标", "level": 2, "months": 12}
    refused = house.ask("POST", "/api/v1/secrecy/reviews", "secrecy", json=wish | {"titles": {keys[0]: "甲之情况"}})
    assert [(each["field"], each["code"]) for each in refused.json["fields"]] == [("titles", "derived_titles_lacking")]
    titles = dict(zip(keys, ("甲之情况", "乙之情况"), strict=True))
    review = house.ask("POST", "/api/v1/secrecy/reviews", "secrecy", json=wish | {"titles": titles}).headers["Location"]
    house.ask("POST", f"{review}/decision", "approver", json={"approve": True, "reason": "同意"})
    with own.db.reading() as session:
        query = select(RecordRelation.other_id, Record.title).join(Record, Record.id == RecordRelation.record_id)
        assert {str(key): title for key, title in session.execute(query)} == titles
        made = session.scalars(select(RecordRelation.record_id)).all()
    shown = house.get(review, "secrecy").json["items"]
    assert {each["record"]: each["derived_title"] for each in shown} == titles
    assert {each["derived"] for each in shown} == {None}, "drafts are not theirs to read"
    assert {each["derived"] for each in house.get(review, "archivist").json["items"]} == {str(key) for key in made}


def test_who_agrees_at_a_step_that_is_not_the_last_is_answered(house: ApiHouse) -> None:
    an_approver(house)
    own = house.web.services
    with own.db.writing() as work:
        person = work.session.get_one(Person, own.people.identity_of("secrecy").person_id)
        rights.grants(work.session, person, fonds=house.web.category.fonds_id)
        work.commit()
    steps = "".join(f"      - {{who: ['role:{each}']}}\n" for each in ("secrecy_officer", "approver"))
    routes = f"format: 1\nroutes:\n  - for: [transfer]\n    steps:\n{steps}"
    routes += "  - steps:\n      - {who: ['role:archivist']}\n"
    assert change_routes(house.web.browser("secrecy"), routes)[0] == 200
    key = house.a_draft("甲合同")
    house.file(key)
    body = {"receiver": "青山区档案馆", "reason": "按范围移交", "records": [str(key)]}
    at = str(house.ask("POST", "/api/v1/transfers", json=body).headers["Location"])
    house.ask("POST", f"{at}/request", If_Match=house.get(at).headers["ETag"])
    say = {"approve": True, "reason": "同意"}
    for login, state in (("secrecy", "asked"), ("approver", "approved")):
        done = house.ask("POST", f"{at}/decision", login, json=say)
        assert (done.status_code, done.json["state"], done.json["stands"]) == (200, state, state)
