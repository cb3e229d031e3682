"""Programs write as their persons do: the same rules, versions named, pieces gone on with, each request done once."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from archive import once as keeping
from archive.model import (
    ApiAnswer,
    Approval,
    Content,
    ContentState,
    LogEntry,
    Record,
    RecordState,
    RetentionEvent,
    TokenScope,
    UnsettledMatter,
)
from archive.ports import PIECE_BYTES
from archive.purging import forget_traces
from tests.factories.api_house import ApiHouse, an_api_house

NEW = {"fonds": "WY01", "category": "WYH", "title": "电梯维修合同", "drawn_up": "2026-03", "level": 1}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def new(house: ApiHouse, **more: object) -> tuple[str, int]:
    made = house.ask("POST", "/api/v1/records", json=NEW | more)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == f"/api/v1/records/{made.json['record']}"
    return made.json["record"], made.json["version"]


def count(house: ApiHouse, what: object = Record) -> int:
    with house.web.services.db.reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0  # type: ignore[arg-type]


def test_a_record_is_catalogued_described_and_filed(house: ApiHouse) -> None:
    record, version = new(house, fields={"partner": "通力电梯", "phone": "13812345678"}, place="A01", keywords=["电梯"])
    shown = house.get(f"/api/v1/records/{record}")
    assert shown.json["place"] == "A01/"
    tag = shown.headers["ETag"]
    told = house.ask(
        "PATCH",
        f"/api/v1/records/{record}",
        If_Match=tag,
        json={"notes": "第二稿", "importance": 3, "fields": {"partner": "迅达"}},
    )
    assert told.json == {"record": record, "version": version + 1}
    shown = house.get(f"/api/v1/records/{record}").json
    assert (shown["title"], shown["notes"], shown["fields"]["partner"]) == ("电梯维修合同", "第二稿", "迅达")
    assert shown["importance"] == 3
    assert shown["fields"]["phone"].endswith("5678")  # kept, though it was not sent again
    filed = house.ask("POST", f"/api/v1/records/{record}/file", If_Match=f'"{version + 1}"').json
    assert filed["number"]
    assert house.get(f"/api/v1/records/by-number/{filed['number']}").json["record"] == record
    assert {"record.create", "record.describe", "record.file"} <= set(house.acts())


def test_what_may_be_the_same_is_told_and_decided_as_far_as_the_person_may(house: ApiHouse) -> None:
    number = {"fields": {"document_number": "沪房〔2026〕77号"}}
    one, _ = new(house, **number)
    other, _ = new(house, **number, title="另一份")
    hidden, _ = new(house, **number, level=3)
    shown = house.get(f"/api/v1/records/{one}").json["alike"]
    assert {each["record"] for each in shown} == {other, hidden}
    assert {reason["why"] for each in shown for reason in each["reasons"]} == {"document_number"}
    path = f"/api/v1/records/{one}/alike/{other}"
    refused = [house.ask("PUT", path, who, json={"same": False}).status_code for who in ("staff", "auditor")]
    assert refused == [404, 404]
    assert house.ask("PUT", f"/api/v1/records/{one}/alike/{one}", json={"same": False}).status_code == 422
    told = house.ask("PUT", path, json={"same": False})
    assert told.json == {"record": one, "other": other, "same": False}
    assert [each["record"] for each in house.get(f"/api/v1/records/{one}").json["alike"]] == [hidden]
    house.ask("PUT", path, json={"same": True})
    assert len(house.get(f"/api/v1/records/{one}").json["alike"]) == 2


@pytest.mark.parametrize(
    ("sent", "pointer", "code"),
    [
        ({"colour": "red"}, "/colour", "unknown_field"),
        ({"state": "filed"}, "/state", "unknown_field"),
        ({"created_by": str(uuid4())}, "/created_by", "unknown_field"),
        ({"title": ""}, "/title", "required"),
        ({"title": 7}, "/title", "wrong_type"),
        ({"pages": -1}, "/pages", "out_of_range"),
        ({"importance": 4}, "/importance", "out_of_range"),
        ({"pages": "3"}, "/pages", "wrong_type"),
        ({"keywords": ["a", 5]}, "/keywords/1", "wrong_type"),
        ({"category": "none"}, "/category", "unknown"),
        ({"fonds": "none"}, "/fonds", "unknown"),
        ({"place": "Z99"}, "/place", "unknown"),
        ({"department": "none"}, "/department", "unknown"),
        ({"named": ["nobody"]}, "/named", "unknown"),
        ({"drawn_up": "2026-13"}, "/drawn_up", "bad_date"),
        ({"fields": {"phone": "12"}}, "/fields/phone", "bad_phone"),
        ({"fields": {"none": "12"}}, "/fields/none", "unknown_field"),
        ({"fields": {"partner": ["甲", "乙"]}}, "/fields/partner", "wrong_type"),
        ({"fields": {"partner": {"a": 1}}}, "/fields/partner", "wrong_type"),
        ({"fields": {"partner": True}}, "/fields/partner", "wrong_type"),
    ],
)
def test_each_field_at_fault_is_pointed_at(house: ApiHouse, sent: dict[str, object], pointer: str, code: str) -> None:
    before = count(house)
    reply = house.ask("POST", "/api/v1/records", json=NEW | sent)
    assert (reply.status_code, reply.mimetype) == (422, "application/problem+json")
    assert [(each["pointer"], each["code"]) for each in reply.json["fields"]] == [(pointer, code)]
    assert count(house) == before


def test_all_faults_of_a_body_are_told_at_once(house: ApiHouse) -> None:
    sent = {"category": "WYH", "drawn_up": "2026-13", "place": "Z99", "fields": {"phone": "12"}}
    for more in ({}, {"colour": "red"}):
        reply = house.ask("POST", "/api/v1/records", json=NEW | sent | more)
        pointers = {each["pointer"] for each in reply.json["fields"]}
        assert pointers == {"/drawn_up", "/place", "/fields/phone", *(f"/{name}" for name in more)}, reply.text


def test_what_is_no_json_or_says_to_be_something_else_is_refused(house: ApiHouse) -> None:
    for data, kind, status, code in (
        (b"{", "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b"\xff", "application/json", 422, "invalid"),
        (b"[" * 90_000, "application/json", 422, "invalid"),
        (json.dumps(NEW).encode(), "text/plain", 415, "wrong_type"),
        (b"x" * (1024 * 1024 + 1), "application/json", 413, "too_large"),
    ):
        reply = house.ask("POST", "/api/v1/records", data=data, Content_Type=kind)
        assert (reply.status_code, reply.json["code"]) == (status, code), (data[:20], reply.text)


def test_a_change_names_the_version_it_is_made_on(house: ApiHouse) -> None:
    record, version = new(house)
    path = f"/api/v1/records/{record}"
    for method, where, body in (
        ("PATCH", "", {"notes": "x"}),
        ("POST", "/level", {"level": 2, "reason": "更高"}),
        ("POST", "/group", {"group": None, "reason": "更高"}),
        ("POST", "/bin", None),
        ("POST", "/file", None),
    ):
        needed = house.ask(method, path + where, json=body)
        assert (needed.status_code, needed.json["code"]) == (428, "version_needed"), where
        for wrong in ('"99"', '"other"', 'W/"1"', '"1", "2"'):
            stale = house.ask(method, path + where, json=body, If_Match=wrong)
            assert (stale.status_code, stale.json["code"]) == (412, "stale"), (where, wrong)
    assert house.get(path).json["version"] == version


def test_what_is_unchanged_is_not_sent_again(house: ApiHouse) -> None:
    record, _ = new(house)
    path = f"/api/v1/records/{record}"
    first = house.get(path)
    again = house.get(path, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", "no-store")
    house.a_file(UUID(record))  # another answer of the same record
    assert house.get(path, If_None_Match=first.headers["ETag"]).status_code == 200


def test_a_record_goes_to_the_bin_and_back_and_its_level_rises(house: ApiHouse) -> None:
    record, version = new(house)
    path = f"/api/v1/records/{record}"
    level = house.ask("POST", f"{path}/level", json={"level": 2, "reason": "合同价"}, If_Match=f'"{version}"').json
    binned = house.ask("POST", f"{path}/bin", If_Match=f'"{level["version"]}"').json
    assert house.get(path).json["state"] == "binned"
    stale = house.ask("POST", f"{path}/restore", If_Match=f'"{version}"')
    assert stale.status_code == 412
    house.ask("POST", f"{path}/restore", If_Match=f'"{binned["version"]}"')
    shown = house.get(path).json
    assert (shown["state"], shown["level"], shown["version"]) == ("provisional", 2, binned["version"] + 1)


def test_many_are_filed_and_each_says_what_became_of_it(house: ApiHouse) -> None:
    good, bad = new(house)[0], new(house, drawn_up=None)[0]
    sent = {"records": [good, bad, str(uuid4())]}
    outcomes = house.ask("POST", "/api/v1/records/file", json=sent).json["outcomes"]
    assert [each["reason"] for each in outcomes] == [None, "fields_missing", "not_found"]
    assert outcomes[1]["missing"] == ["drawn_up"]


def test_a_list_goes_on_by_its_cursor_and_holds_only_what_is_seen(house: ApiHouse) -> None:
    mine = [new(house, title=f"清单{n}", level=1 + n % 2)[0] for n in range(5)]
    hidden = new(house, title="绝密清单", level=4)[0]
    found, cursor = [], ""
    while True:
        page = house.get(f"/api/v1/records?limit=2&fonds=WY01&category=WYH{cursor}").json
        assert len(page["records"]) <= 2
        found += [each["record"] for each in page["records"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(found) == len(set(found))
    assert found.index(hidden) < found.index(mine[-1]) < found.index(mine[0])
    assert {each["level"] for each in house.get("/api/v1/records?level=2").json["records"]} == {2}
    assert house.get("/api/v1/records?fonds=none").json["records"] == []
    with house.web.services.db.writing() as work:
        for key in (*mine, hidden):
            work.session.get_one(Record, UUID(key)).state = RecordState.FILED
        work.commit()
    seen = house.get("/api/v1/records?limit=200", "staff")
    assert {mine[0], mine[2]} <= {each["record"] for each in seen.json["records"]}
    assert "绝密清单" not in seen.text
    assert mine[1] not in seen.text
    assert house.get("/api/v1/records", "auditor").json["records"] == []


def test_a_file_comes_in_pieces_and_is_gone_on_with(house: ApiHouse) -> None:
    record, _ = new(house)
    data = bytes(range(256)) * (PIECE_BYTES // 256) + b"rest"
    begun = house.ask("POST", f"/api/v1/records/{record}/uploads", json={"name": "大.bin", "size": len(data)})
    assert begun.status_code == 201
    path = f"/api/v1/uploads/{begun.json['upload']}"
    assert house.get(path).json["offset"] == 0
    missing = house.ask("PUT", f"{path}?offset={PIECE_BYTES}", data=data[PIECE_BYTES:])
    assert missing.status_code == 409
    assert house.ask("PUT", f"{path}?offset=5", data=b"x").json["fields"][0]["code"] == "bad_offset"
    assert house.ask("POST", f"{path}/finish").status_code == 409
    first = house.ask("PUT", f"{path}?offset=0", data=data[:PIECE_BYTES])
    assert first.json["offset"] == PIECE_BYTES
    assert house.ask("PUT", f"{path}?offset=0", data=data[:PIECE_BYTES]).json == first.json
    assert house.get(path, "clerk").status_code == house.get(f"/api/v1/uploads/{uuid4()}", "clerk").status_code == 404
    assert house.get(path).json["offset"] == PIECE_BYTES
    house.ask("PUT", f"{path}?offset={PIECE_BYTES}", data=data[PIECE_BYTES:])
    done = house.ask("POST", f"{path}/finish").json
    assert done["size"] == len(data)
    assert house.get(f"/api/v1/files/{done['content']}").data == data


def test_a_small_file_comes_at_once_and_an_upload_is_given_up(house: ApiHouse) -> None:
    record, _ = new(house)
    taken = house.ask("POST", f"/api/v1/records/{record}/files?name=a.txt", data="电梯".encode())
    assert (taken.status_code, taken.json["size"]) == (201, 6)
    assert house.ask("POST", f"/api/v1/records/{record}/files?name=a.txt", data=b"").status_code == 422
    large = house.ask("POST", f"/api/v1/records/{record}/files?name=a.txt", data=b"x" * (PIECE_BYTES + 1))
    assert (large.status_code, large.json["code"]) == (413, "too_large")
    begun = house.ask("POST", f"/api/v1/records/{record}/uploads", json={"name": "b.txt", "size": 5}).json
    gone = house.ask("DELETE", f"/api/v1/uploads/{begun['upload']}")
    assert (gone.status_code, gone.data) == (204, b"")
    assert house.get(f"/api/v1/uploads/{begun['upload']}").status_code == 404


def test_what_was_put_aside_is_decided_on(house: ApiHouse) -> None:
    record, _ = new(house)
    kept, off = house.a_file(UUID(record), "a.txt"), house.a_file(UUID(record), "b.txt", b"other")
    with house.web.services.db.writing() as work:
        for key in (kept, off):
            content = work.session.get_one(Content, UUID(key))
            content.state, content.reason = ContentState.QUARANTINED, "locked"
        work.commit()
    listed = [each for each in house.get("/api/v1/put-aside").json["files"] if each["record"] == record]
    assert {each["content"] for each in listed} == {kept, off}
    first = house.get("/api/v1/put-aside?limit=1").json
    then = house.get(f"/api/v1/put-aside?limit=1&cursor={first['next']}").json
    assert [each["content"] for page in (first, then) for each in page["files"]] == [kept, off]
    assert then["next"] is None
    assert house.ask("POST", f"/api/v1/files/{kept}/accept", json={"reason": " "}).status_code == 422
    assert house.ask("POST", f"/api/v1/files/{kept}/accept", json={"reason": "照原样"}).json == {"content": kept}
    assert house.ask("POST", f"/api/v1/files/{kept}/accept", json={"reason": "照原样"}).status_code == 409
    assert house.ask("POST", f"/api/v1/files/{off}/take-off", json={"reason": "错件"}).json == {"content": off}
    assert house.ask("POST", f"/api/v1/files/{off}/take-off", json={"reason": "错件"}).status_code == 404


def test_places_and_subjects_are_added_and_found(house: ApiHouse) -> None:
    names = {"zh_CN": "一号楼", "zh_TW": "一號樓", "en": "Building 1"}
    assert [each["fonds"] for each in house.get("/api/v1/fonds").json["fonds"]] == ["WY01"]
    [category] = house.get("/api/v1/fonds/WY01/categories").json["categories"]
    assert [each["name"] for each in category["fields"]] == ["partner", "document_number", "phone", "form"]
    assert [each["level"] for each in house.get("/api/v1/levels").json["levels"]] == [1, 2, 3, 4]
    place = {"kind": "building", "code": "7", "names": names, "parent": "A01"}
    assert house.ask("POST", "/api/v1/fonds/WY01/places", json=place).status_code == 201
    assert house.ask("POST", "/api/v1/fonds/WY01/places", json=place).json["code"] == "stands_already"
    assert "A01/07/" in [each["path"] for each in house.get("/api/v1/fonds/WY01/places?below=A01").json["places"]]
    assert house.ask("POST", "/api/v1/fonds/WY01/places", "staff", json=place).status_code == 403
    values = {"name": "王小明", "phone": "13812345678"}
    made = house.ask("POST", "/api/v1/fonds/WY01/subjects", json={"kind": "owner", "values": values}).json
    path = f"/api/v1/subjects/{made['subject']}"
    shown = house.get(path)
    assert "1381234" not in shown.text
    changed = house.ask(
        "PATCH", path, json={"values": {"moved_in_on": "2024-03-05"}}, If_Match=shown.headers["ETag"]
    ).json
    assert changed["version"] == made["version"] + 1
    assert house.ask("PATCH", path, json={"values": {}}, If_Match='"1"').status_code == 412
    found = house.ask("POST", "/api/v1/subjects/find", json={"number": "13812345678"}).json
    assert found == {"subjects": [made["subject"]]}
    record, _ = new(house)
    house.ask("PUT", f"/api/v1/records/{record}/subjects/{made['subject']}")
    assert [each["record"] for each in house.get(path).json["records"]] == [record]
    assert house.get(path, "staff").status_code == 403


def test_a_history_tells_telephones_as_a_page_does(house: ApiHouse) -> None:
    record, _ = new(house, fields={"partner": "通力电梯", "phone": "13812345678"})
    tag = house.get(f"/api/v1/records/{record}").headers["ETag"]
    changed = {"fields": {"phone": "13912345678"}}
    assert house.ask("PATCH", f"/api/v1/records/{record}", If_Match=tag, json=changed).status_code == 200
    told = house.get(f"/api/v1/records/{record}/history").text
    assert "138****5678" in told
    assert "139****5678" in told
    assert "12345678" not in told
    (head, *_) = house.get(f"/api/v1/records/{record}/history").json["entries"]
    assert head["record"] == record, "an id stays as it is"
    tag = house.get(f"/api/v1/records/{record}").headers["ETag"]
    landline = {"fields": {"phone": "0755-26881234", "partner": "深圳通力"}}
    assert house.ask("PATCH", f"/api/v1/records/{record}", If_Match=tag, json=landline).status_code == 200
    page = house.web.browser("archivist").get(f"/records/{record}/history").text
    for told in (house.get(f"/api/v1/records/{record}/history").text, page):
        assert "26881234" not in told
        assert "0***********4" in told
        assert "深圳通力" in told, "other fields are told as they are"


def test_officers_keep_accounts_jobs_and_the_log(house: ApiHouse) -> None:
    account = {"login": "li", "name": "李某", "password": "梅花三弄-2026-秋", "roles": ["staff"]}
    assert house.ask("POST", "/api/v1/people", "security", json=account).status_code == 201
    assert house.ask("POST", "/api/v1/people", "security", json=account).status_code == 409
    assert house.ask("PUT", "/api/v1/people/li/roles", "security", json={"roles": ["clerk"]}).status_code == 200
    assert house.ask("PUT", "/api/v1/people/li/clearance", "security", json={"clearance": 2}).status_code == 200
    assert house.ask("POST", "/api/v1/people/li/deactivate", "security").status_code == 200
    listed = {each["login"]: each for each in house.get("/api/v1/people?limit=200", "security").json["people"]}
    assert (listed["li"]["roles"], listed["li"]["active"], listed["li"]["clearance"]) == (["clerk"], False, 2)
    house.ask("POST", "/api/v1/people/li/reactivate", "security")
    first = house.get("/api/v1/people?limit=1", "security").json
    assert house.get(f"/api/v1/people?cursor={first['next']}", "security").json["people"][0]["login"] > first["next"]
    for login in ("archivist", "staff", "auditor"):
        for person in ("li", "nobody"):
            assert house.ask("POST", f"/api/v1/people/{person}/deactivate", login).status_code == 403
    for _ in range(5):
        new(house)
    assert house.get("/api/v1/jobs", "system").json["jobs"]
    assert house.get("/api/v1/jobs", "staff").status_code == 403
    log = house.get("/api/v1/log?limit=2&act=record.", "auditor").json
    further = house.get(f"/api/v1/log?limit=2&act=record.&cursor={log['next']}", "auditor").json
    ids = [each["id"] for each in log["entries"] + further["entries"]]
    assert len(set(ids)) == 4
    assert house.get("/api/v1/log", "archivist").status_code == 403
    assert house.get("/api/v1/log?cursor=x", "auditor").status_code == 422
    record, _ = new(house, title="有经过")
    history = house.get(f"/api/v1/records/{record}/history").json["entries"]
    assert history[0]["body"] == {"title": "有经过"}


# Once


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("log?since=2026-01-01", "not_a_moment"),
        ("log?since=2026-01-01T00:00:00", "not_a_moment"),
        ("checks?until=2026-13-40", "not_a_day"),
        ("destroyed?until=9999-12-31", "out_of_range"),
        ("destroyed?since=0001-01-01", "out_of_range"),
        ("log?since=0001-01-01T00:00:00%2B08:00", "out_of_range"),
    ],
)
def test_a_day_and_a_moment_are_told_apart(house: ApiHouse, path: str, code: str) -> None:
    reply = house.get(f"/api/v1/{path}", "auditor" if "log" in path else "archivist", Accept_Language="en")
    assert reply.status_code == 422
    assert [each["code"] for each in reply.json["fields"]] == [code]


def test_the_same_request_is_done_once_and_answered_alike(house: ApiHouse) -> None:
    before, key = count(house), "k-1"
    first = house.ask("POST", "/api/v1/records", json=NEW, Idempotency_Key=key)
    again = house.ask("POST", "/api/v1/records", json=NEW, Idempotency_Key=key)
    assert (again.status_code, again.data) == (first.status_code, first.data) == (201, first.data)
    assert again.headers["Location"] == first.headers["Location"] == f"/api/v1/records/{first.json['record']}"
    assert count(house) == before + 1
    other = house.ask("POST", "/api/v1/records", json=NEW | {"title": "别的"}, Idempotency_Key=key)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    elsewhere = house.ask("POST", "/api/v1/records/file", json={"records": [first.json["record"]]}, Idempotency_Key=key)
    assert elsewhere.json["code"] == "idempotency_key_reused"
    with house.web.services.db.writing() as work:
        person = house.web.services.people.identity_of("clerk").person_id
        assert work.session.get(ApiAnswer, (person, key)) is None  # bound to the person
    for bad in ("", "k" * 256, "键"):
        reply = house.ask("POST", "/api/v1/records", json=NEW, Idempotency_Key=bad.encode().decode("latin-1"))
        assert reply.status_code == 422, bad


def test_eight_at_once_make_one_record(house: ApiHouse) -> None:
    before, replies = count(house), []
    headers = {"Authorization": f"Bearer {house.token('archivist')}", "Idempotency-Key": "eight"}
    start = threading.Barrier(8)

    def send() -> None:
        client = house.app.test_client()
        start.wait()
        while (reply := client.post("/api/v1/records", json=NEW, headers=headers)).status_code == 409:
            assert reply.json["code"] == "request_running"
            assert reply.headers["Retry-After"] == "1"
        replies.append((reply.status_code, reply.data))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(replies) == {replies[0]: 8}
    assert replies[0][0] == 201
    assert count(house) == before + 1


def test_what_was_refused_is_tried_anew_under_its_key(house: ApiHouse) -> None:
    record, version = new(house)
    sent = {"level": 2, "reason": "更高"}
    path = f"/api/v1/records/{record}/level"
    assert house.ask("POST", path, json=sent, If_Match='"77"', Idempotency_Key="again").status_code == 412
    done = house.ask("POST", path, json=sent, If_Match=f'"{version}"', Idempotency_Key="again")
    assert done.status_code == 200
    assert house.ask("POST", path, json=sent, If_Match=f'"{version}"', Idempotency_Key="again").data == done.data
    refused = house.ask("POST", "/api/v1/records", "staff", json=NEW, Idempotency_Key="staff")
    assert refused.status_code == 403
    assert house.ask("POST", "/api/v1/records", "staff", json=NEW, Idempotency_Key="staff").status_code == 403


def test_an_answer_that_was_lost_is_made_anew_and_nothing_is_done_twice(house: ApiHouse) -> None:
    first = house.ask("POST", "/api/v1/records", json=NEW, Idempotency_Key="lost")
    account = {"login": "lost", "name": "某", "password": "梅花三弄-2026-秋"}
    house.ask("POST", "/api/v1/people", "security", json=account, Idempotency_Key="lost")
    with house.web.services.db.writing() as work:  # the process ended between act and answer
        for row in work.session.scalars(select(ApiAnswer).where(ApiAnswer.key == "lost")):
            row.status = row.answer = None
        work.commit()
    before = count(house)
    again = house.ask("POST", "/api/v1/records", json=NEW, Idempotency_Key="lost")
    assert (again.status_code, again.json) == (201, first.json)
    assert count(house) == before
    lost = house.ask("POST", "/api/v1/people", "security", json=account, Idempotency_Key="lost")
    assert (lost.status_code, lost.json["code"]) == (409, "answer_lost")


OWNER = {"kind": "owner", "values": {"name": "张三", "phone": "13812345678"}}


def lose(house: ApiHouse) -> None:
    """Let the process end between act and answer, of all that was answered until now."""
    with house.web.services.db.writing() as work:
        work.session.execute(update(ApiAnswer).values(status=None, answer=None))
        work.commit()


def test_a_lost_answer_is_made_anew_of_what_was_acted_on_or_said_to_be_lost(house: ApiHouse) -> None:
    dossier, item = new(house, kind="dossier")[0], new(house)[0]
    house.ask("POST", f"/api/v1/records/{dossier}/contents", json={"records": [item]})
    version = house.get(f"/api/v1/records/{item}").json["version"]
    filed, seen = new(house)
    path = f"/api/v1/records/{filed}"
    numbered = house.ask("POST", f"{path}/file", If_Match=f'"{seen}"', Idempotency_Key="file")
    subject = house.ask("POST", "/api/v1/fonds/WY01/subjects", json=OWNER).json["subject"]
    mark = house.get(path).headers["ETag"]
    correction = {"title": "电梯维修合同（更正）", "reason": "题名有误"}
    matter, event = {"kind": "claim", "reason": "在诉"}, {"event": "contract_end", "day": "2026-01-05"}
    asked: list[tuple[str, dict[str, object], dict[str, str], bool]] = [
        (f"/api/v1/records/{item}/level", {"level": 2, "reason": "更高"}, {"If_Match": f'"{version}"'}, True),
        (f"{path}/corrections", correction, {"If_Match": mark}, False),
        (f"{path}/matters", matter, {}, False),
        (f"/api/v1/subjects/{subject}/matters", matter, {}, False),
        (f"{path}/events", event, {}, False),
    ]
    firsts = []
    for at, (where, sent, more, _anew) in enumerate(asked):
        firsts.append(house.ask("POST", where, json=sent, **more, Idempotency_Key=f"r{at}"))
        assert firsts[-1].status_code in {200, 201}, firsts[-1].text
    key = firsts[1].json["correction"]
    back = house.ask("POST", f"/api/v1/corrections/{key}/withdrawal", Idempotency_Key="back")
    closing = f"/api/v1/matters/{firsts[2].json['matter']}/closing"
    closed = house.ask("POST", closing, json={"reason": "已结"}, Idempotency_Key="close")
    assert (back.status_code, closed.status_code) == (200, 200)
    rows, acts = (Approval, UnsettledMatter, RetentionEvent), set(house.acts()) - {"token.issue"}
    before = [count(house, each) for each in rows]
    lose(house)
    for at, (where, sent, more, anew) in enumerate(asked):
        again = house.ask("POST", where, json=sent, **more, Idempotency_Key=f"r{at}")
        if anew:
            assert (again.status_code, again.json) == (firsts[at].status_code, firsts[at].json), where
        else:
            assert (again.status_code, again.json["code"]) == (409, "answer_lost"), where
    assert house.ask("POST", f"/api/v1/corrections/{key}/withdrawal", Idempotency_Key="back").json == back.json
    assert house.ask("POST", closing, json={"reason": "已结"}, Idempotency_Key="close").json == closed.json
    assert house.ask("POST", f"{path}/file", If_Match=f'"{seen}"', Idempotency_Key="file").json == numbered.json
    assert [count(house, each) for each in rows] == before
    assert set(house.acts()) - {"token.issue"} == acts
    with house.web.services.db.reading() as session:
        kept = json.dumps(session.scalars(select(ApiAnswer.answer)).all(), ensure_ascii=False)
    assert not [word for word in ("在诉", "已结", "更正") if word in kept]


def test_answers_name_nothing_that_was_destroyed_and_its_act_is_not_done_again(house: ApiHouse) -> None:
    gone, other = (house.a_record(title=title, level=1).id for title in ("甲", "乙"))
    for at, key in enumerate((gone, other)):
        house.ask("POST", "/api/v1/basket", json={"records": [str(key)]}, Idempotency_Key=f"basket{at}")
    assert house.ask("POST", "/api/v1/backups", "system", Idempotency_Key="backup").status_code == 204
    own = house.web.services
    with own.db.writing() as work:
        forget_traces(work.session, [gone], [])
        work.commit()
    with own.db.reading() as session:
        rows = session.scalars(select(ApiAnswer)).all()
        assert len(rows) == 3
        assert not [row for row in rows if row.answer and str(gone) in row.answer]
    again = house.ask("POST", "/api/v1/backups", "system", Idempotency_Key="backup")
    assert again.status_code == 204, "what says nothing names nothing"
    again = house.ask("POST", "/api/v1/basket", json={"records": [str(other)]}, Idempotency_Key="basket1")
    assert (again.status_code, again.json["code"]) == (409, "answer_lost")


def test_files_and_uploads_come_once_too(house: ApiHouse) -> None:
    record, _ = new(house)
    before = count(house, Content)
    for _ in range(2):
        begun = house.ask(
            "POST", f"/api/v1/records/{record}/uploads", json={"name": "a", "size": 3}, Idempotency_Key="begin"
        )
        sent = house.ask("POST", f"/api/v1/records/{record}/files?name=b", data=b"abc", Idempotency_Key="whole")
        assert (begun.status_code, sent.status_code) == (201, 201)
    assert count(house, Content) == before + 2


def test_an_answer_is_kept_seven_days_and_holds_no_words(house: ApiHouse) -> None:
    canary = "绝不外露的题名"
    house.ask("POST", "/api/v1/records", json=NEW | {"title": canary}, Idempotency_Key="words")
    own = house.web.services
    with own.db.reading() as session:
        rows = session.scalars(select(ApiAnswer)).all()
        assert rows
        assert canary not in json.dumps([(row.answer, row.request) for row in rows], ensure_ascii=False)
    assert own.once.forget() == 0
    with own.db.writing() as work:
        for row in work.session.scalars(select(ApiAnswer).where(ApiAnswer.key == "words")):
            row.created_at -= keeping.KEPT + timedelta(seconds=1)
        work.commit()
    before = count(house)
    assert house.ask("POST", "/api/v1/records", json=NEW, Idempotency_Key="words").status_code == 201
    assert count(house) == before + 1


# Rights


def test_a_token_for_reading_changes_nothing(house: ApiHouse) -> None:
    token = house.token("archivist", TokenScope.READ)
    headers = {"Authorization": f"Bearer {token}"}
    client = house.app.test_client()
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    before = count(house)
    reply = client.post("/api/v1/records", json=NEW, headers=headers)
    assert (reply.status_code, reply.json["code"]) == (403, "token_reads_only")
    assert client.delete(f"/api/v1/uploads/{uuid4()}", headers=headers).status_code == 403
    assert count(house) == before


@pytest.mark.parametrize("login", ["clerk", "staff", "auditor", "system", "security"])
def test_hidden_and_unknown_are_one_answer_to_every_act(house: ApiHouse, login: str) -> None:
    canary = f"绝密{uuid4().hex}"
    record, version = new(house, title=canary, level=4, fields={"partner": canary})
    content = house.a_file(UUID(record), f"{canary}.txt", canary.encode())
    begun = house.ask("POST", f"/api/v1/records/{record}/uploads", json={"name": canary, "size": 3}).json["upload"]
    tag = f'"{version}"'
    acts: list[tuple[str, str, object, bytes | None, dict[str, str]]] = [
        ("GET", "records/{}", None, None, {}),
        ("GET", "records/{}/history", None, None, {}),
        ("PATCH", "records/{}", {"notes": "x"}, None, {"If_Match": tag}),
        ("POST", "records/{}/file", None, None, {"If_Match": tag}),
        ("POST", "records/{}/level", {"level": 1, "reason": "x"}, None, {"If_Match": tag}),
        ("POST", "records/{}/group", {"group": None, "reason": "x"}, None, {"If_Match": tag}),
        ("POST", "records/{}/vital", {"review": None}, None, {}),
        ("POST", "records/{}/bin", None, None, {"If_Match": tag}),
        ("POST", "records/{}/restore", None, None, {"If_Match": tag}),
        ("PUT", "records/{}/schedule", {"schedule": None, "authority": "x", "reason": "x"}, None, {}),
        ("PUT", "records/{}/secrecy", {"since": "2026-01-01", "reason": "x"}, None, {"If_Match": tag}),
        ("POST", "records/{}/uploads", {"name": "x", "size": 3}, None, {}),
        ("POST", "records/{}/files?name=x", None, b"abc", {}),
        ("PUT", f"records/{{}}/subjects/{uuid4()}", None, None, {}),
        ("GET", "files/{}", None, None, {}),
        ("POST", "files/{}/accept", {"reason": "x"}, None, {}),
        ("POST", "files/{}/take-off", {"reason": "x"}, None, {}),
        ("GET", "uploads/{}", None, None, {}),
        ("PUT", "uploads/{}?offset=0", None, b"abc", {}),
        ("POST", "uploads/{}/finish", None, None, {}),
        ("DELETE", "uploads/{}", None, None, {}),
    ]
    hidden = {"records": record, "files": content, "uploads": begun}
    for method, where, body, data, headers in acts:
        replies = [
            house.ask(method, f"/api/v1/{where.format(key)}", login, json=body, data=data, **headers)
            for key in (hidden[where.partition("/")[0]], str(uuid4()))
        ]
        assert [reply.status_code for reply in replies] == [404, 404], (method, where, replies[0].text)
        assert replies[0].data == replies[1].data, where
        assert canary not in replies[0].text
    many = house.ask("POST", "/api/v1/records/file", login, json={"records": [record, str(uuid4())]}).json
    assert [each["reason"] for each in many["outcomes"]] == ["not_found", "not_found"]
    for path in ("records", "search?q=", "put-aside", "fonds", "levels", "fonds/WY01/places", "fonds/WY01/categories"):
        assert canary not in house.get(f"/api/v1/{path}", login).text
    if login == "auditor":
        assert canary not in house.get("/api/v1/log?limit=500", login).text


def test_every_refusal_is_in_the_log(house: ApiHouse) -> None:
    record, _ = new(house, level=4)
    before = count(house, LogEntry)
    house.ask("POST", f"/api/v1/records/{record}/bin", "staff", If_Match='"1"')
    house.ask("POST", "/api/v1/people/li/deactivate", "staff")
    assert count(house, LogEntry) >= before + 2
