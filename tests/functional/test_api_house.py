"""Programs keep the house: people's rights, schedules, backups, failed jobs, the log in its order."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from archive.identity import Role, system
from archive.ids import new_id
from archive.log.sealer import Sealer
from archive.model import (
    BackupAct,
    BackupRun,
    Category,
    Job,
    JobKind,
    JobState,
    RecordSubject,
    TokenScope,
)
from tests.factories import people as rights
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.web_house import PASSWORD


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        made.web.services.people.add_person(
            system("set-up"), login="approver", name="approver", password=PASSWORD, roles=[Role.APPROVER]
        )
        yield made


def test_rights_are_seen_given_and_taken_away(house: ApiHouse) -> None:
    own = house.web.services
    with own.db.writing() as work:
        rights.a_post(work.session, "engineer"), rights.a_department(work.session, "ENG")
        work.commit()
    assert "ENG" in {each["department"] for each in house.get("/api/v1/organisation", "staff").json["departments"]}
    at = "/api/v1/people/staff"
    for path, body in (("posts", {"post": "engineer", "department": "ENG"}), ("sessions/end", None), ("unlock", None)):
        assert house.ask("POST", f"{at}/{path}", json=body).status_code == 403
    assert house.get(at).status_code == 403
    assert house.get("/api/v1/people/nobody", "security").status_code == 404
    wrong = house.ask("POST", f"{at}/posts", "security", json={"post": "none", "department": "none"})
    assert [each["field"] for each in wrong.json["fields"]] == ["department", "post"]
    post = {"post": "engineer", "department": "ENG", "since": "2026-01-01"}
    holding = house.ask("POST", f"{at}/posts", "security", json=post).json["holding"]
    assert house.ask("POST", f"/api/v1/people/clerk/posts/{holding}/end", "security", json={"until": "2026-02-01"}
    ).status_code == 404  # it is another's  # fmt: skip
    ended = house.ask("POST", f"{at}/posts/{holding}/end", "security", json={"until": "2026-02-01"})
    assert ended.json == {"holding": holding}
    fonds = own.directory.fonds()[house.web.category.fonds_id].code
    none = house.ask("POST", f"{at}/grants", "security", json={"fonds": fonds, "category": "NONE"})
    assert [each["field"] for each in none.json["fields"]] == ["category"]
    branch = {"fonds": fonds, "category": house.web.category.code, "until": "2099-12-31"}
    grant = house.ask("POST", f"{at}/grants", "security", json=branch).json["grant"]
    assert house.ask("PUT", f"{at}/custody", "security", json={"levels": [1, 2]}).status_code == 204
    assert house.ask("PUT", f"{at}/custody", "security", json={"levels": [2]}).status_code == 204
    assert house.ask("PUT", f"{at}/custody", "security", json={"levels": [98]}).status_code == 422
    shown = house.get(at, "security").json
    assert shown["custody"] == [2]
    assert [(each["post"], each["until"]) for each in shown["posts"] if each["holding"] == holding] == [
        ("engineer", "2026-02-01")
    ]
    assert [(each["category"], each["until"]) for each in shown["grants"] if each["grant"] == grant] == [
        (house.web.category.code, "2099-12-31")
    ]
    assert house.ask("DELETE", f"/api/v1/people/clerk/grants/{grant}", "security").status_code == 404
    assert house.ask("DELETE", f"{at}/grants/{grant}", "security").status_code == 204
    assert grant not in {each["grant"] for each in house.get(at, "security").json["grants"]}
    assert house.ask("POST", f"{at}/sessions/end", "security").json == {"sessions": 0}
    assert house.ask("POST", f"{at}/unlock", "security").status_code == 204
    own_rights = house.ask("PUT", "/api/v1/people/security/custody", "security", json={"levels": [1]})
    assert own_rights.status_code == 403
    acts = {"post.assign", "post.end", "grant.add", "grant.remove", "custody.add", "custody.remove"}
    assert acts <= set(house.acts())


def test_single_tokens_of_a_person_are_listed_and_ended_by_who_manages_people(house: ApiHouse) -> None:
    people = house.web.services.people
    held = {
        name: people.issue_token(people.identity_of("staff"), "staff", name, 9, scope)
        for name, scope in (("扫描站", TokenScope.WRITE), ("门禁", TokenScope.READ))
    }
    at = "/api/v1/people/staff/tokens"
    for login in ("staff", "archivist"):
        assert house.get(at, login).status_code == 403
    reply = house.get(at, "security")
    listed = {each["name"]: each for each in reply.json["tokens"]}
    assert {name: listed[name]["writes"] for name in held} == {"扫描站": True, "门禁": False}
    assert not any(token in reply.text for token in held.values()), "a token is shown once, to who made it"
    gone = listed["门禁"]["token"]
    assert house.ask("DELETE", f"/api/v1/people/clerk/tokens/{gone}", "security").status_code == 404
    assert house.ask("DELETE", f"{at}/{gone}", "archivist").status_code == 403
    assert house.ask("DELETE", f"{at}/{gone}", "security").status_code == 204
    assert [people.resume_token(held[name]) is None for name in ("扫描站", "门禁")] == [False, True]
    assert gone not in {each["token"] for each in house.get(at, "security").json["tokens"]}
    assert house.ask("DELETE", f"{at}/{gone}", "security").status_code == 404
    own = house.get("/api/v1/people/security/tokens", "security").json["tokens"][0]
    assert house.ask("DELETE", f"/api/v1/people/security/tokens/{own['token']}", "security").status_code == 403
    assert "token.end" in house.acts()


RULE = {
    "term": "D10", "trigger": "year_end", "start": "next_january", "action": "appraise", "source": "档案保管期限规定",
}  # fmt: skip


def test_a_schedule_is_drafted_looked_at_and_decided_on_by_another(house: ApiHouse) -> None:
    fonds = house.web.services.directory.fonds()[house.web.category.fonds_id].code
    filed = house.a_draft("维保合同")
    house.file(filed)
    on = [{"fonds": fonds, "category": house.web.category.code}]
    draft = {"code": "lift", "names": {"zh_CN": "电梯"}, "rule": RULE, "categories": on, "reason": "按规定"}
    assert house.ask("POST", "/api/v1/schedule-drafts", "staff", json=draft).status_code == 403
    for wrong, field in (
        (draft | {"code": None}, "code"),
        (draft | {"rule": RULE | {"term": "D0x"}}, "term"),
        (draft | {"categories": [{"fonds": fonds, "category": "NONE"}]}, "categories"),
    ):
        refused = house.ask("POST", "/api/v1/schedule-drafts", json=wrong)
        assert (refused.status_code, [each["field"] for each in refused.json["fields"]]) == (422, [field])
    _close_category(house, house.web.services.guard.day())  # a schedule goes on for what lies in it
    at = house.ask("POST", "/api/v1/schedule-drafts", json=draft).headers["Location"]
    _close_category(house, None)
    seen = house.get(at).json
    assert (seen["state"], sum(seen["moves"].values()), seen["rule"]["term"]) == ("asked", 1, "D10")
    assert [each["record"] for each in house.get(f"{at}/moves").json["records"]] == [str(filed)]
    say = {"approve": True, "reason": "同意"}
    assert house.ask("POST", f"{at}/decision", json=say).status_code == 403  # one's own
    assert house.ask("POST", f"{at}/decision", "staff", json=say).status_code == 403
    decided = house.ask("POST", f"{at}/decision", "approver", json=say)
    assert decided.json["state"] == "approved", decided.text
    assert house.ask("POST", f"{at}/withdrawal").status_code == 409
    assert house.get(at).json["moves"] is None
    assert [each["state"] for each in house.get("/api/v1/schedule-drafts").json["drafts"]] == ["approved"]
    [schedule] = house.get("/api/v1/schedules", "staff").json["schedules"]
    assert (schedule["code"], schedule["categories"], schedule["records"]) == ("lift", on, 0)
    own = {"schedule": schedule["schedule"], "authority": "鉴定委员会", "reason": "特别"}
    assert house.ask("PUT", f"/api/v1/records/{filed}/schedule", json=own).status_code == 204
    one = house.get(f"/api/v1/schedules/{schedule['schedule']}")
    assert (one.json["records"], [each["version"] for each in one.json["versions"]]) == (1, [1])
    unchanged = house.get(f"/api/v1/schedules/{schedule['schedule']}", If_None_Match=one.headers["ETag"])
    assert unchanged.status_code == 304
    assert house.get("/api/v1/number-rules").json["rules"]
    assert house.get("/api/v1/number-rules", "staff").status_code == 403


def test_the_system_is_looked_after(house: ApiHouse) -> None:
    for path in ("backups", "jobs/failed", "parts"):
        assert house.get(f"/api/v1/{path}").status_code == 403
    stand = house.get("/api/v1/backups", "system").json
    assert (stand["configured"], stand["late"], stand["at_work"], stand["last_good"]) == (True, True, False, None)
    assert house.ask("POST", "/api/v1/backups", "system").status_code == 204
    assert house.get("/api/v1/backups", "system").json["at_work"]
    assert house.ask("POST", "/api/v1/backups", "system").status_code == 409
    with house.web.services.db.writing() as work:
        now = house.web.clock.now()
        work.session.add(
            failed := Job(
                kind=JobKind.INDEX, state=JobState.FAILED, run_after=now, created_at=now, finished_at=now, error="x",
                attempts=5,
            )
        )  # fmt: skip
        work.commit()
        key = failed.id
    assert [each["job"] for each in house.get("/api/v1/jobs/failed", "system").json["jobs"]] == [str(key)]
    assert house.ask("POST", f"/api/v1/jobs/{uuid4()}/retry", "system").status_code == 404
    assert house.ask("POST", f"/api/v1/jobs/{key}/retry", "system").status_code == 204
    assert house.ask("POST", f"/api/v1/jobs/{key}/cancel", "system").status_code == 409
    assert {each["state"] for each in house.get("/api/v1/parts", "system").json["parts"]} == {"ok"}


def test_long_lists_of_the_house_go_on_by_their_cursor(house: ApiHouse) -> None:
    own, now = house.web.services, house.web.clock.now()
    subject = own.subjects.add(
        own.people.identity_of("archivist"), house.web.category.fonds_id, "employee", {"name": "钱程"}
    )
    records = [house.web.a_record(title=f"合同{each}").id for each in range(5)]
    jobs = [
        Job(id=new_id(), kind=JobKind.INDEX, state=JobState.FAILED, run_after=now, created_at=now, finished_at=now)
        for _each in range(5)
    ]
    runs = [BackupRun(id=new_id(), act=BackupAct.MAKE, began_at=now) for _each in range(5)]
    wanted = [{str(each.id) for each in jobs}, {str(each.id) for each in runs}, {str(each) for each in records}]
    with own.db.writing() as work:
        work.session.add_all([*jobs, *runs, *(RecordSubject(record_id=each, subject_id=subject) for each in records)])
        work.commit()
    lists = [("jobs/failed", "system", "jobs", "job"), ("backups", "system", "runs", "run")]
    lists.append((f"subjects/{subject}", "archivist", "records", "record"))
    for (path, login, name, key), keys in zip(lists, wanted, strict=True):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = house.get(f"/api/v1/{path}?limit=2&cursor={quote(cursor)}", login).json
            assert len(page[name]) <= 2
            seen += [each[key] for each in page[name]]
            cursor = page["next"]
        assert keys <= set(seen), path
        assert len(seen) == len(set(seen)), path
        wrong = house.get(f"/api/v1/{path}?cursor=none", login)
        assert (wrong.status_code, [each["field"] for each in wrong.json["fields"]]) == (422, ["cursor"])


def test_the_log_is_followed_in_the_order_of_its_chain(house: ApiHouse) -> None:
    own = house.web.services
    sealer = Sealer(own.db, own.clock)

    def follow(after: int) -> tuple[list[int], int]:
        seen: list[int] = []
        while (page := house.get(f"/api/v1/log/sealed?after={after}&limit=7", "auditor").json)["entries"]:
            seen += [each["seq"] for each in page["entries"]]
            after = page["after"]
        return seen, after

    assert house.get("/api/v1/log/sealed").status_code == 403
    sealer.seal_all()
    seen, after = follow(0)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert len(seen) > 7
    assert follow(after) == ([], after)
    house.ask("POST", "/api/v1/people/li/deactivate", "staff")
    sealer.seal_all()
    later, end = follow(after)
    assert later == list(range(after + 1, end + 1))
    assert later


def _close_category(house: ApiHouse, on: date | None) -> None:
    with house.web.services.db.writing() as work:
        work.session.get_one(Category, house.web.category.id).closed_on = on
        work.commit()
