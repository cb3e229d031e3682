"""Programs change the scheme, the organisation and whom levels reach; and carry an appraisal from begin to close."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from archive.identity import Role, system
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.model import (
    Appraisal,
    ApprovalState,
    Category,
    DueState,
    Job,
    JobKind,
    Person,
    Record,
    RecordDue,
    ScheduleDraft,
)
from archive.scheme.following import FollowScheme
from tests.factories import people as rights
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.retained import claimed
from tests.factories.web_house import PASSWORD, SilentWaker


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        for login in ("first", "second"):
            made.web.services.people.add_person(
                system("set-up"), login=login, name=f"委员{login}", password=PASSWORD, roles=[Role.STAFF]
            )
        with made.web.services.db.writing() as work:
            for row in work.session.scalars(select(Person).where(Person.login.in_(["first", "second"]))):
                row.clearance = 4
            work.commit()
        yield made


def at(house: ApiHouse) -> str:
    fonds = house.web.services.directory.fonds()[house.web.category.fonds_id].code
    return f"/api/v1/fonds/{fonds}/categories"


def rule(house: ApiHouse) -> str:
    rules = [each["rule"] for each in house.get("/api/v1/number-rules").json["rules"]]
    return next(each for each in rules if not each.startswith("reference."))


def tag(house: ApiHouse, path: str, login: str = "archivist") -> str:
    return house.get(path, login).headers["ETag"]


def test_categories_are_added_changed_moved_closed_and_removed(house: ApiHouse) -> None:
    here = at(house)
    new = {"code": "TOP", "names": {"zh_CN": "上级"}, "level": 1, "term": "D10", "number_rule": rule(house)}
    assert house.ask("POST", here, "staff", json=new).status_code == 403
    made = house.ask("POST", here, json=new, Idempotency_Key="top")
    assert (made.status_code, made.headers["Location"]) == (201, f"{here}/TOP")
    assert house.ask("POST", here, json=new, Idempotency_Key="top").json == made.json
    assert house.ask("POST", here, json=new).status_code == 409
    below = {"code": "LOW", "names": {"zh_CN": "下级"}, "parent": "TOP"}
    assert house.ask("POST", here, json=below | {"parent": "NONE"}).json["fields"][0]["field"] == "parent"
    assert house.ask("POST", here, json=below).status_code == 201
    assert house.get(f"{here}/LOW").json["term"] == "D10"  # as above it
    change = {"names": {"zh_CN": "下级类目"}, "term": "Y"}
    assert house.ask("PATCH", f"{here}/LOW", json=change).status_code == 428
    assert house.ask("PATCH", f"{here}/LOW", json=change, If_Match='"9"').status_code == 412
    old = tag(house, f"{here}/LOW")
    assert house.ask("PATCH", f"{here}/LOW", json=change, If_Match=old).json["version"] == 2
    shown = house.get(f"{here}/LOW").json
    assert (shown["names"]["zh_CN"], shown["term"], shown["parent"]) == ("下级类目", "Y", "TOP")
    move = {"parent": "LOW", "reason": "归并"}
    inside = house.ask("PUT", f"{here}/TOP/parent", json=move, If_Match=tag(house, f"{here}/TOP"))
    assert [each["code"] for each in inside.json["fields"]] == ["below_itself"]
    assert (
        house.ask("PUT", f"{here}/LOW/parent", json={"parent": None, "reason": "归并"}, If_Match=old).status_code == 412
    )
    moved = house.ask(
        "PUT", f"{here}/LOW/parent", json={"parent": None, "reason": "归并"}, If_Match=tag(house, f"{here}/LOW")
    )
    assert moved.status_code == 200, moved.text
    assert house.get(f"{here}/LOW").json["parent"] is None
    assert house.ask("DELETE", f"{here}/LOW").status_code == 204
    assert house.get(f"{here}/LOW").status_code == 404
    house.a_draft("在用的类目")
    assert house.ask("DELETE", f"{here}/{house.web.category.code}").status_code == 409
    assert house.ask("POST", f"{here}/TOP/closing").status_code == 200
    assert house.get(f"{here}/TOP").json["closed_on"]
    closed = house.ask("POST", here, json=below | {"parent": "TOP", "code": "NEW"})
    assert [each["code"] for each in closed.json["fields"]] == ["closed"], closed.text
    new_rule = {"rule": "by-year", "names": {"zh_CN": "按年"}, "template": "{fonds}-{year}-{mark}{serial:4}"}
    assert house.ask("POST", "/api/v1/number-rules", "staff", json=new_rule).status_code == 403
    bad = house.ask("POST", "/api/v1/number-rules", json=new_rule)
    assert [each["field"] for each in bad.json["fields"]] == ["code"]  # a scheme could not name it
    told = house.ask("POST", "/api/v1/number-rules", json=new_rule | {"rule": "by_year"})
    assert told.status_code == 201, told.text
    acts = {"scheme.add", "scheme.change", "scheme.move", "scheme.remove", "scheme.close", "scheme.add_rule"}
    assert acts <= set(house.acts())


def added(house: ApiHouse, code: str, **more: Any) -> None:
    new = {"code": code, "names": {"zh_CN": code}, "level": 1, "term": "Y", "number_rule": rule(house), **more}
    reply = house.ask("POST", at(house), json=new)
    assert reply.status_code == 201, reply.text


def test_a_category_that_a_waiting_schedule_names_is_not_removed(house: ApiHouse) -> None:
    added(house, "NAMED")
    own, here = house.web.services, f"{at(house)}/NAMED"
    with own.db.writing() as work:
        key = work.session.scalars(select(Category.id).where(Category.code == "NAMED")).one()
        by = work.session.scalars(select(Person.id).where(Person.login == "archivist")).one()
        draft = ScheduleDraft(
            id=new_id(), code="named", names={}, definition={}, categories=[str(key)], why="x", asked_by=by,
            asked_at=house.web.clock.now(),
        )  # fmt: skip
        work.session.add(draft)
        work.commit()
    named = house.ask("DELETE", here)
    assert (named.status_code, "category_in_use" in named.json["detail"]) == (409, False)
    with own.db.writing() as work:
        work.session.execute(update(ScheduleDraft).values(state=ApprovalState.WITHDRAWN))
        work.commit()
    assert house.ask("DELETE", here).status_code == 204


def test_records_of_a_moved_category_are_found_below_its_new_place(house: ApiHouse) -> None:
    here, own = at(house), house.web.services
    added(house, "OLD"), added(house, "NEW1"), added(house, "LEAF", parent="OLD")
    with own.db.reading() as session:
        keys = {row.code: row.id for row in session.scalars(select(Category))}
    record = house.web.a_record(title="移动的合同")
    with own.db.writing() as work:
        work.session.get_one(Record, record.id).category_id = keys["LEAF"]
        work.commit()
    house.indexing.index([record.id])

    def found(code: str) -> list[str]:
        hits = house.get(f"/api/v1/search?filter=category:{keys[code]}").json["hits"]
        return [each["record"] for each in hits]

    assert (found("OLD"), found("NEW1")) == ([str(record.id)], [])
    moved = house.ask(
        "PUT", f"{here}/LEAF/parent", json={"parent": "NEW1", "reason": "归并"}, If_Match=tag(house, f"{here}/LEAF")
    )
    assert moved.status_code == 200, moved.text
    runner = JobRunner(
        own.db, house.web.clock, [FollowScheme(own.db, Outbox(house.web.clock, SilentWaker())), house.indexing]
    )
    runner.drain()
    assert (found("OLD"), found("NEW1")) == ([], [str(record.id)])


def test_a_move_that_shortens_a_term_is_seen_and_refused_and_another_is_counted(house: ApiHouse) -> None:
    here, own = at(house), house.web.services
    added(house, "LONG"), added(house, "SHORT"), added(house, "LEAF2", parent="LONG")
    own.people.add_person(system("set-up"), login="other", name="o", password=PASSWORD, roles=[Role.ARCHIVIST])
    fonds = here.split("/")[4]
    for code, term in (("LONG", "D30"), ("SHORT", "D10")):
        rule_ = {"term": term, "trigger": "year_end", "start": "next_january", "action": "appraise", "source": "8号令"}
        draft = {
            "code": code.lower(), "names": {"zh_CN": code}, "rule": rule_, "reason": "期限表",
            "categories": [{"fonds": fonds, "category": code}],
        }  # fmt: skip
        made = house.ask("POST", "/api/v1/schedule-drafts", json=draft)
        assert made.status_code == 201, made.text
        decision, approve = f"{made.headers['Location']}/decision", {"approve": True, "reason": "同意"}
        assert house.ask("POST", decision, "other", json=approve).status_code == 200
    with own.db.reading() as session:
        keys = {row.code: row.id for row in session.scalars(select(Category))}
    record = house.a_draft("期限合同")
    with own.db.writing() as work:
        row = work.session.get_one(Record, record)
        row.category_id, row.term, row.drawn_to = keys["LEAF2"], "D5", date(2020, 12, 31)
        work.commit()
    house.file(record)

    def seen(parent: str) -> Any:
        return house.get(f"{here}/LEAF2/move{f'?parent={parent}' if parent else ''}").json

    def moved(parent: str | None) -> Any:
        to = {"parent": parent, "reason": "归并"}
        return house.ask("PUT", f"{here}/LEAF2/parent", json=to, If_Match=tag(house, f"{here}/LEAF2"))

    told = seen("SHORT")
    assert (told["moves"], told["same"], told["shorter"]) == ({"sooner": 1}, 0, True)
    assert [(each["before"], each["after"]) for each in told["records"]] == [("2051-01-01", "2031-01-01")]
    assert seen("LONG")["moves"] == {}, "it stands there already"
    behind = house.get(f"{here}/LEAF2/move?parent=SHORT&cursor={UUID(int=0).hex}").json
    assert [behind[name] for name in ("moves", "same", "shorter")] == [None] * 3, "the branch is counted once"
    assert behind["records"] == told["records"]
    assert seen("LEAF2")["fields"][0]["code"] == "below_itself"
    assert house.get(f"{here}/LEAF2/move", "staff").status_code == 403
    refused = moved("SHORT")
    assert [(each["field"], each["code"]) for each in refused.json["fields"]] == [("parent", "terms_shorter")]
    assert house.get(f"{here}/LEAF2").json["parent"] == "LONG"
    assert (seen("")["moves"], seen("")["shorter"]) == ({"loses_day": 1}, False)
    assert moved(None).status_code == 200
    said = [each for each in house.log_of("scheme.move") if each["category"] == "LEAF2"]
    assert said == [{"category": "LEAF2", "before": "LONG", "after": None, "reason": "归并", "terms": {"loses_day": 1}}]
    assert moved("SHORT").status_code == 422, "what was never to end comes to an end by another's hand, too"


def test_nobody_moves_a_branch_into_what_they_may_read(house: ApiHouse) -> None:
    here, own = at(house), house.web.services
    added(house, "MINE"), added(house, "OTHER")
    own.people.add_person(system("set-up"), login="branch", name="b", password=PASSWORD, roles=[Role.ARCHIVIST])
    with own.db.writing() as work:
        person = work.session.scalars(select(Person).where(Person.login == "branch")).one()
        mine = work.session.scalars(select(Category).where(Category.code == "MINE")).one()
        rights.grants(work.session, person, category=mine.id)
        work.commit()
    to = {"parent": "MINE", "reason": "归并"}
    refused = house.ask("PUT", f"{here}/OTHER/parent", "branch", json=to, If_Match=tag(house, f"{here}/OTHER"))
    assert refused.status_code == 403
    assert house.get(f"{here}/OTHER").json["parent"] is None
    moved = house.ask("PUT", f"{here}/OTHER/parent", json=to, If_Match=tag(house, f"{here}/OTHER"))
    assert moved.status_code == 200


def test_the_organisation_is_changed(house: ApiHouse) -> None:
    new = {"department": "OPS", "names": {"zh_CN": "运营"}}
    assert house.ask("POST", "/api/v1/departments", json=new).status_code == 403
    made = house.ask("POST", "/api/v1/departments", "security", json=new)
    assert made.headers["Location"] == "/api/v1/departments/OPS"
    under = {"department": "OPS1", "names": {"zh_CN": "一部"}, "parent": "OPS"}
    wrong = house.ask("POST", "/api/v1/departments", "security", json=under | {"parent": "NONE"})
    assert [each["field"] for each in wrong.json["fields"]] == ["parent"]
    assert house.ask("POST", "/api/v1/departments", "security", json=under).status_code == 201
    one = "/api/v1/departments/OPS1"
    assert house.get(one, "staff").json["above"] == "OPS"
    names = {"names": {"zh_CN": "第一部"}}
    assert house.ask("PATCH", one, "security", json=names, If_Match='"7"').status_code == 412
    renamed = house.ask("PATCH", one, "security", json=names, If_Match=tag(house, one, "security"))
    assert renamed.json == {"department": "OPS1", "version": 2}
    end, before, after = {"until": "2030-01-01"}, '"1"', tag(house, one, "security")
    assert house.ask("POST", f"{one}/closing", json=end, If_Match=after).status_code == 403
    assert house.ask("POST", f"{one}/closing", "security", json=end, If_Match=before).status_code == 412
    assert house.ask("POST", f"{one}/closing", "security", json=end, If_Match=after).json["version"] == 3
    assert house.get(one, "staff").json["until"] == "2030-01-01"
    assert house.ask("POST", "/api/v1/posts", json={"post": "cook", "names": {"zh_CN": "厨"}}).status_code == 403
    post = house.ask("POST", "/api/v1/posts", "security", json={"post": "cook", "names": {"zh_CN": "厨师"}})
    assert (post.status_code, post.json) == (201, {"post": "cook"})
    places = at(house).replace("categories", "places")
    project = {"kind": "project", "code": "A77", "names": {"zh_CN": "七七"}, "property_types": ["residential"]}
    assert house.ask("POST", places, json=project).status_code == 201
    change = {"names": {"zh_CN": "七七小区"}}
    assert house.ask("PATCH", f"{places}/A77", "staff", json=change, If_Match='"1"').status_code == 403
    assert house.ask("PATCH", f"{places}/A77", json=change, If_Match='"5"').status_code == 412
    changed = house.ask("PATCH", f"{places}/A77", json=change, If_Match=tag(house, f"{places}/A77"))
    assert changed.json["version"] == 2, changed.text
    assert house.get(f"{places}/A77").json["names"] == {"zh_CN": "七七小区"}


def test_whom_levels_reach_and_where_their_papers_lie(house: ApiHouse) -> None:
    with house.web.services.db.writing() as work:
        rights.a_department(work.session, "FIN")
        work.commit()
    reach = {"level": 2, "department": "FIN"}
    assert house.ask("POST", "/api/v1/distributions", json=reach).status_code == 403
    wrong = house.ask("POST", "/api/v1/distributions", "secrecy", json=reach | {"post": "none"})
    assert [each["field"] for each in wrong.json["fields"]] == ["post"]
    key = house.ask("POST", "/api/v1/distributions", "secrecy", json=reach).json["distribution"]
    assert house.ask("POST", "/api/v1/distributions", "secrecy", json=reach).status_code == 409
    told = house.get("/api/v1/level-rules", "secrecy").json
    assert {"distribution": key, "level": 2, "post": None, "department": "FIN"} in told["distributions"]
    assert house.get("/api/v1/level-rules").status_code == 403
    assert house.ask("DELETE", f"/api/v1/distributions/{key}", "secrecy").status_code == 204
    assert house.ask("DELETE", f"/api/v1/distributions/{key}", "secrecy").status_code == 404
    shelving = "/api/v1/levels/2/shelving"
    security = told["shelving"][-1]["security"]
    assert house.ask("PUT", shelving, json={"security": security}).status_code == 403
    assert house.ask("PUT", shelving, "secrecy", json={"security": security}).status_code == 204
    now = {each["level"]: each["security"] for each in house.get("/api/v1/level-rules", "secrecy").json["shelving"]}
    assert now[2] == security
    assert house.ask("PUT", "/api/v1/levels/98/shelving", "secrecy", json={"security": security}).status_code == 404
    groups = at(house).replace("categories", "groups")
    group = {"mark": "QX", "names": {"zh_CN": "专项"}}
    assert house.ask("POST", groups, json=group).status_code == 403
    assert house.ask("POST", groups, "secrecy", json=group).json == {"group": "QX"}
    assert "QX" in {each["group"] for each in house.get("/api/v1/groups", "secrecy").json["groups"]}
    assert house.get("/api/v1/groups").status_code == 403


def concluded(house: ApiHouse, path: str, login: str = "archivist", **body: str) -> None:
    reply = house.ask("POST", path, login, json=body or None, If_Match=tag(house, path.rpartition("/")[0], login))
    assert reply.status_code == 200, reply.text
    assert reply.json["busy"]
    house.web.services.retention.appraisals.conclude.run([claimed(UUID(reply.json["appraisal"]))])


def asked_outside(house: ApiHouse, here: str, record: UUID) -> None:
    """Have the chair ask one outside the panel, who answers."""
    ask = {"records": [str(record)], "person": "staff", "question": "业务上还用吗？"}
    assert house.ask("POST", f"{here}/questions", json=ask).status_code == 403  # the chair's alone
    wrong = house.ask("POST", f"{here}/questions", "second", json=ask | {"person": "first"})
    assert [(each["field"], each["code"]) for each in wrong.json["fields"]] == [("person", "on_the_panel")]
    assert house.ask("POST", f"{here}/questions", "second", json=ask).json["items"] == 1
    [waits] = house.get("/api/v1/appraisal-questions", "staff").json["questions"]
    assert (waits["record"], waits["question"], waits["asked_by"]) == (str(record), "业务上还用吗？", "second")
    assert house.get("/api/v1/appraisal-questions", "first").json["questions"] == []
    answer = f"{here}/questions/{record}/answer"
    assert house.ask("POST", answer, "first", json={"reason": "不用"}).status_code == 404
    assert house.ask("POST", answer, "staff", json={"reason": "仍在使用"}).status_code == 204
    assert house.get("/api/v1/appraisal-questions", "staff").json["questions"] == []


def test_an_appraisal_goes_from_its_beginning_to_its_close(house: ApiHouse) -> None:
    records = []
    for title in ("旧合同", "旧通知", "旧报告"):
        records.append(house.a_draft(title))
        house.file(records[-1])
    with house.web.services.db.writing() as work:
        for key in records:
            work.session.merge(RecordDue(record_id=key, state=DueState.DATED, due=date(2021, 1, 1)))
        work.commit()
    new = {"purpose": "到期鉴定", "panel": ["archivist", "first", "second"], "chair": "second"}
    assert house.ask("POST", "/api/v1/appraisals", "first", json=new).status_code == 403
    own = {each["category"]: each["id"] for each in house.get(at(house)).json["categories"]}
    of_it = new | {"category": own[house.web.category.code]}
    assert house.get(f"{at(house)}/{house.web.category.code}").json["id"] == of_it["category"]
    for name in ("category", "place", "schedule"):
        none = house.ask("POST", "/api/v1/appraisals", json=new | {name: str(new_id())})
        assert [(each["field"], each["code"]) for each in none.json["fields"]] == [(name, "unknown")]
    few = house.ask("POST", "/api/v1/appraisals", json=new | {"panel": ["second"]})
    assert [each["field"] for each in few.json["fields"]] == ["panel"]
    here = house.ask("POST", "/api/v1/appraisals", json=of_it).headers["Location"]
    assert house.ask("POST", f"{here}/leaving-out", json={"records": [str(records[2])]}).json["items"] == 1
    assert house.ask("POST", f"{here}/opening").status_code == 428
    assert house.ask("POST", f"{here}/opening", If_Match='"9"').status_code == 412
    concluded(house, f"{here}/opening")
    say = {"records": [str(records[0])], "verdict": "destroy", "reason": "无保存价值"}
    assert house.ask("POST", f"{here}/opinions", "clerk", json=say).status_code == 404  # not on the panel
    late = house.ask("POST", f"{here}/opinions", json=say | {"verdict": "keep"})
    assert [each["field"] for each in late.json["fields"]] == ["until"]
    for login in ("archivist", "first"):
        open_ = house.ask("POST", f"{here}/opinions", login, json=say | {"verdict": "declassify"})
        assert [(each["field"], each["code"]) for each in open_.json["fields"]] == [
            ("verdict", "nothing_to_declassify")
        ]
        for verdict in ("open", "destroy"):  # a later one takes the earlier one's place
            said_now = house.ask("POST", f"{here}/opinions", login, json=say | {"verdict": verdict})
            assert said_now.json == {"items": 1, "later": False}
    keep = {"which": "todo", "verdict": "keep", "until": "2035-12-31", "reason": "仍在使用"}
    assert house.ask("POST", f"{here}/opinions", "second", json=keep).json["items"] == 2  # a second opinion, of all
    assert house.ask("POST", f"{here}/opinions", "first", json=keep).json["items"] == 1
    asked_outside(house, here, records[0])
    assert house.ask("POST", f"{here}/disclosure", "first", json={"records": [str(records[0])]}).json["items"] == 1
    items = {each["record"]: each for each in house.get(f"{here}/items").json["items"]}
    assert items[str(records[0])]["verdict"] == "destroy"
    said = {(each["person"], each["verdict"], each["reason"]) for each in items[str(records[0])]["opinions"]}
    assert said == {
        ("archivist", "destroy", "无保存价值"), ("first", "destroy", "无保存价值"), ("second", "keep", "仍在使用"),
    }  # fmt: skip
    advice = [(each["person"], each["answer"]) for each in items[str(records[0])]["advice"]]
    assert advice == [("staff", "仍在使用")]
    version = tag(house, here)
    assert house.ask("POST", f"{here}/closing", If_Match=version).status_code == 403  # the chair's alone
    concluded(house, f"{here}/closing", "second")
    assert house.get(here).json["state"] == "closed"
    assert house.ask("POST", f"{here}/withdrawal", json={"reason": "x"}, If_Match=tag(house, here)).status_code == 409
    other = house.ask("POST", "/api/v1/appraisals", json=new).headers["Location"]
    concluded(house, f"{other}/withdrawal", reason="列错了")
    assert house.get(other).json["state"] == "withdrawn"
    with house.web.services.db.reading() as session:
        assert len(session.scalars(select(Appraisal)).all()) == 2


def test_renaming_a_category_has_its_records_indexed_anew(house: ApiHouse) -> None:
    path = f"{at(house)}/{house.web.category.code}"
    renamed = house.ask("PATCH", path, json={"names": {"zh_CN": "新名"}}, If_Match=tag(house, path))
    assert renamed.status_code == 200, renamed.text
    with house.web.services.db.reading() as session:
        jobs = session.scalars(select(Job.subject_id).where(Job.kind == JobKind.FOLLOW_SCHEME)).all()
    assert house.web.category.id in jobs
