"""Programs reach the archive by a token, see what its person may see, and find the description true."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner

from archive.errors import Unavailable
from archive.identity import Role
from archive.model import Content, RecordOpening, RecordState
from runtime.cli.main import cli
from tests.factories.api_house import TEXT, ApiHouse, an_api_house
from web.api.application import create_api
from web.api.document import document
from web.api.operations import OPERATIONS

ANYONE = "anyone"
OWN = {"Date", "X-Request-ID"}
"""Headers that differ from reply to reply, whatever is asked for."""

TOKEN = "with a token"

EXPECTED = {each.name: TOKEN for each in OPERATIONS} | {"openapi": ANYONE}
"""Every endpoint and who may reach it at all; what they then see is decided by the guard."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def test_every_route_says_who_may_reach_it_and_is_in_the_document(house: ApiHouse) -> None:
    rules = list(create_api(house.web.services).url_map.iter_rules())
    assert {rule.endpoint for rule in rules} == set(EXPECTED)
    routed = {
        (re.sub(r"<\w+:(\w+)>", r"{\1}", rule.rule), frozenset((rule.methods or set()) - {"HEAD"})) for rule in rules
    }
    told = {(path, method.upper()) for path, methods in document()["paths"].items() for method in methods}
    assert {(path, method) for path, methods in routed for method in methods} == told | {("/openapi.json", "GET")}


def test_the_document_is_whole_and_the_same_from_the_command_line(house: ApiHouse) -> None:
    served = house.app.test_client().get("/openapi.json")
    assert served.status_code == 200
    whole = served.json
    assert whole == document()
    same = house.app.test_client().get("/openapi.json", headers={"If-None-Match": served.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert whole["openapi"].startswith("3.1.")
    text = json.dumps(whole)
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in whole["components"]["schemas"]
    operations = [(path, one) for path, methods in whole["paths"].items() for one in methods.values()]
    ids = [one["operationId"] for _, one in operations]
    assert len(ids) == len(set(ids))
    for template, one in operations:
        assert one["summary"]
        places = {each["name"] for each in one["parameters"] if each["in"] == "path"}
        assert places == {part.partition("}")[0] for part in template.split("{")[1:]}


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_document_is_printed_without_an_archive(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUANKU_HOME", str(tmp_path / "none"))
    printed = CliRunner().invoke(cli, ["openapi", *options])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == document()
    assert not (tmp_path / "none").exists()


def test_without_a_token_nothing_is_told_of_what_exists(house: ApiHouse) -> None:
    record = house.a_record(title="绝不外露")
    paths = ["/api/v1/me", "/api/v1/search?q=绝不", f"/api/v1/records/{record.id}", "/api/v1/nothing", "/api/"]
    client = house.app.test_client()
    ended = house.token("staff")
    house.web.clock.move(days=31)  # type: ignore[attr-defined]
    tokens = [
        {}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"},
        {"Authorization": f"Bearer {ended}"}, {"Authorization": f"Token {house.token('staff')}"},
    ]  # fmt: skip
    replies = [client.get(path, headers=headers) for path in paths for headers in tokens]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.data for reply in replies}) == 1
    assert {reply.mimetype for reply in replies} == {"application/problem+json"}
    assert {reply.headers["WWW-Authenticate"] for reply in replies} == {'Bearer realm="juanku"'}


def test_a_cookie_or_a_token_in_the_address_opens_nothing(house: ApiHouse) -> None:
    browser = house.web.browser("archivist")
    assert browser.get("/").status_code == 200
    assert browser.get("/api/v1/me").status_code == 401
    assert house.app.test_client().get(f"/api/v1/me?access_token={house.token('archivist')}").status_code == 401


def test_a_token_opens_no_page(house: ApiHouse) -> None:
    headers = {"Authorization": f"Bearer {house.token('archivist')}"}
    assert house.app.test_client().get("/search", headers=headers).status_code == 302


def test_a_token_stands_for_its_person_until_the_account_ends(house: ApiHouse) -> None:
    assert house.get("/api/v1/me").json == {"login": "archivist", "name": "archivist某", "roles": ["archivist"]}
    token = house.token("staff")
    with house.web.services.db.writing() as work:
        work.session.merge(house.web.people["staff"]).active = False
        work.commit()
    reply = house.app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 401


def test_a_search_finds_what_the_person_may_read_and_nothing_else(house: ApiHouse) -> None:
    seen, hidden = house.a_record(title="电梯维修合同"), house.a_record(title="电梯绝密", level=4)
    found = house.get("/api/v1/search?q=電梯").json
    assert (found["total"], {hit["record"] for hit in found["hits"]}) == (2, {str(seen.id), str(hidden.id)})
    found = house.get("/api/v1/search?q=電梯", "staff", Accept_Language="en").json
    assert found["total"] == 1
    [hit] = found["hits"]
    assert (hit["record"], hit["title"], hit["level"]) == (str(seen.id), "电梯维修合同", 1)
    assert hit["mark"].startswith("商业秘密·")
    assert found["facets"]["level"] == {"1": 1}
    assert house.get("/api/v1/search?q=電梯", "auditor").json["total"] == 0


def test_what_an_opening_appraisal_came_to_is_found_counted_and_narrowed_by_for_readers_alone(house: ApiHouse) -> None:
    records = [house.a_record(title=f"电梯{at}", level=level) for at, level in enumerate((1, 1, 4, 1))]
    day = date(2026, 1, 5)
    with house.web.services.db.writing() as work:
        for record, released in zip(records[:3], (True, False, True), strict=True):
            until = None if released else date(2036, 1, 5)
            work.session.add(RecordOpening(record_id=record.id, released=released, since=day, until=until))
        work.commit()
    house.indexing.index([each.id for each in records])
    for asked, there in (("opening:open", {0, 2}), ("开放:是", {0, 2}), ("開放:控制", {1})):
        hits = house.get(f"/api/v1/search?q=电梯 {asked}").json["hits"]
        assert {hit["title"] for hit in hits} == {f"电梯{at}" for at in there}, asked
    found = house.get("/api/v1/search?q=电梯&filter=opening:open", "staff").json
    assert ([hit["title"] for hit in found["hits"]], found["facets"]["opening"]) == (["电梯0"], {"open": 1})
    browser = replace(house.web, app=house.app).browser("staff")
    page = browser.get("/search?q=电梯").text
    assert ("opening=open" in page, "已开放" in page, "电梯2" in page) == (True, True, False)
    page = browser.get("/search?q=电梯&opening=kept").text
    assert ("电梯1" in page, "电梯0" in page, "控制使用" in page) == (True, False, True)


def test_a_search_goes_on_from_where_it_stood_and_is_narrowed_by_filters(house: ApiHouse) -> None:
    for number in range(3):
        house.a_record(title=f"电梯{number}", level=1 + number % 2)
    pages = [house.get(f"/api/v1/search?q=电梯&offset={at}&limit=2").json for at in (0, 2)]
    assert [len(page["hits"]) for page in pages] == [2, 1]
    assert len({hit["record"] for page in pages for hit in page["hits"]}) == 3
    narrowed = house.get("/api/v1/search?filter=level:1&filter=medium:electronic").json
    assert narrowed["total"] == 2


def test_every_filter_that_the_document_names_is_taken(house: ApiHouse) -> None:
    some = dict.fromkeys(("category", "fonds", "department", "dossier"), str(uuid4()))
    some |= dict.fromkeys(("level", "year"), "1") | dict.fromkeys(("medium", "kind", "state", "project"), "x")
    some |= {"place": "A01/", "date": "2023..2024-05"}
    parameters = document()["paths"]["/api/v1/search"]["get"]["parameters"]
    told = next(each["description"] for each in parameters if each["name"] == "filter")
    for name, value in some.items():
        assert name in told
        assert house.get(f"/api/v1/search?filter={name}:{value}").status_code == 200, name


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ('q="电梯', "q", "unclosed_quote"),
        ("q=" + "梯" * 1001, "q", "too_long"),
        ("offset=-1", "offset", "out_of_range"),
        ("offset=10001", "offset", "out_of_range"),
        ("limit=0", "limit", "out_of_range"),
        ("limit=many", "limit", "not_a_number"),
        ("limit=1&limit=2", "limit", "repeated"),
        ("filter=colour:red", "filter", "unknown_filter"),
        ("filter=level", "filter", "bad_filter"),
        ("filter=category:x", "filter", "bad_filter"),
        ("&".join(["filter=level:1"] * 51), "filter", "too_long"),
        ("query=电梯", "query", "unknown_field"),
    ],
)
def test_a_parameter_that_cannot_be_taken_is_named(house: ApiHouse, query: str, field: str, code: str) -> None:
    reply = house.get(f"/api/v1/search?{query}")
    assert reply.status_code == 422
    [fault] = reply.json["fields"]
    assert (fault["field"], fault["code"]) == (field, code)
    assert "…" not in fault["detail"]
    assert fault["detail"] in reply.json["detail"]


def test_an_operation_without_parameters_takes_none(house: ApiHouse) -> None:
    reply = house.app.test_client().get(
        "/api/v1/me?x=1", headers={"Authorization": f"Bearer {house.token('archivist')}"}
    )
    assert (reply.status_code, reply.json["fields"][0]["field"]) == (422, "x")


def test_a_fault_in_a_query_is_pointed_at(house: ApiHouse) -> None:
    [fault] = house.get('/api/v1/search?q=合同 "电梯').json["fields"]
    assert fault["facts"]["at"] == 3


@pytest.mark.parametrize(
    ("asked", "words"),
    [("zh-CN", "系统的一部分没有应答"), ("zh-TW", "系統的一部分沒有回應"), ("en", "A part of the system does not")],
)
def test_errors_are_told_in_the_language_asked_for(house: ApiHouse, asked: str, words: str) -> None:
    house.web.search.broken = Unavailable(part="search")
    headers = {"Authorization": f"Bearer {house.token('archivist')}", "Accept-Language": asked}
    reply = house.web.app.test_client().get("/api/v1/search?q=电梯", headers=headers)
    assert (reply.status_code, reply.json["code"]) == (503, "unavailable")
    assert words in reply.json["detail"]


def test_a_reader_sees_the_record_in_full_with_personal_numbers_masked(house: ApiHouse) -> None:
    fields = {"partner": "通力电梯", "phone": "13812345678"}
    record = house.a_record(title="电梯合同", fields=fields, drawn_up="2026-03", state=RecordState.PROVISIONAL)
    content = house.a_file(record.id)
    shown = house.get(f"/api/v1/records/{record.id}").json
    assert (shown["view"], shown["title"], shown["state"]) == ("full", "电梯合同", "provisional")
    assert shown["fields"]["partner"] == "通力电梯"
    assert "1381234" not in json.dumps(shown)
    assert [(each["content"], each["name"]) for each in shown["files"]] == [(content, "合同.txt")]
    assert shown["mark"].startswith("商业秘密·")
    assert "record.read" in house.acts()


def test_who_keeps_custody_sees_number_and_dates_alone(house: ApiHouse) -> None:
    record = house.a_draft("电梯合同")
    content = house.a_file(record)
    number = house.file(record)
    reply = house.get(f"/api/v1/records/{record}", "auditor")
    assert (reply.json["view"], reply.json["number"]) == ("custody", number)
    assert "电梯" not in reply.text
    refused = house.get(f"/api/v1/files/{content}", "auditor")
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")


def test_a_record_is_found_by_its_number_with_or_without_its_fonds(house: ApiHouse) -> None:
    record = house.a_draft("电梯合同")
    number = house.file(record)
    for written in (number, f"WY01:{number}"):
        assert house.get(f"/api/v1/records/by-number/{written}").json["record"] == str(record)
    assert house.get(f"/api/v1/records/by-number/XX:{number}").status_code == 404


def test_hidden_and_absent_answer_byte_for_byte_alike(house: ApiHouse) -> None:
    record = house.a_draft("绝密人事", level=4)
    content = house.a_file(record)
    number = house.file(record)
    for login in ("staff", "clerk"):
        replies = [
            house.get(f"/api/v1/{path}", login)
            for path in (
                f"records/{record}", f"records/{uuid4()}",
                f"records/by-number/{number}", "records/by-number/no/such",
                f"files/{content}", f"files/{uuid4()}",
                "nothing/at/all", "records/not-an-id",
            )
        ]  # fmt: skip
        assert {reply.status_code for reply in replies} == {404}
        assert len({reply.data for reply in replies}) == 1
        assert len({str(sorted(each for each in reply.headers if each[0] not in OWN)) for reply in replies}) == 1


def test_a_file_comes_whole_or_in_the_range_asked_for(house: ApiHouse) -> None:
    data = TEXT.encode()
    content = house.a_file(house.a_draft("电梯合同"), "合同 “甲/乙”.txt", data)
    path = f"/api/v1/files/{content}"
    whole = house.get(path)
    assert (whole.status_code, whole.data) == (200, data)
    assert whole.headers["Content-Disposition"].startswith("attachment; ")
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    part = house.get(path, Range="bytes=5-14")
    assert (part.status_code, part.data) == (206, data[5:15])
    assert part.headers["Content-Range"] == f"bytes 5-14/{len(data)}"
    outside = house.get(path, Range="bytes=999999-")
    assert (outside.status_code, outside.json["code"]) == (416, "range_outside")
    assert outside.headers["Content-Range"] == f"bytes */{len(data)}"
    assert house.get(path, Range="pages=1-2").status_code == 200  # a unit that is not known counts for nothing
    assert "file.read" in house.acts()


def test_every_reply_carries_its_headers_and_sets_no_cookie(house: ApiHouse) -> None:
    record = house.a_record()
    for path in ("/api/v1/me", "/api/v1/search", f"/api/v1/records/{record.id}", "/api/v1/none", "/openapi.json"):
        for login in ("archivist", None):
            headers = house.get(path, login).headers
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert {"Authorization", "Accept-Language"} <= set(headers["Vary"].split(", "))
            assert "Set-Cookie" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_what_only_reads_takes_nothing_else(house: ApiHouse, method: str) -> None:
    headers = {"Authorization": f"Bearer {house.token('archivist')}"}
    reply = house.app.test_client().open("/api/v1/me", method=method, headers=headers)
    assert (reply.status_code, reply.json["code"]) == (405, "wrong_method")
    assert set(reply.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_what_breaks_unforeseen_tells_nothing_of_itself(house: ApiHouse) -> None:
    house.web.search.broken = RuntimeError("内部细节")
    headers = {"Authorization": f"Bearer {house.token('archivist')}"}
    reply = house.web.app.test_client().get("/api/v1/search", headers=headers)
    assert (reply.status_code, reply.json["code"]) == (500, "error")
    assert "内部细节" not in reply.text


def test_roles_are_told_as_they_are_now(house: ApiHouse) -> None:
    assert house.get("/api/v1/me", "system").json["roles"] == [Role.SYSTEM_ADMIN.value]


@pytest.mark.parametrize(("kind", "codes"), [("text/plain", ["type_mismatch"]), ("application/pdf", []), (None, [])])
def test_a_file_whose_name_claims_another_kind_says_so(house: ApiHouse, kind: str | None, codes: list[str]) -> None:
    record = house.a_draft("扫描件")
    content = house.a_file(record, "扫描件.pdf")
    with house.web.services.db.writing() as work:
        work.session.get_one(Content, UUID(content)).media_type = kind
        work.commit()
    (shown,) = house.get(f"/api/v1/records/{record}", Accept_Language="en").get_json()["files"]
    assert [each["code"] for each in shown["remarks"]] == codes
    if codes:
        assert shown["remarks"][0]["facts"] == {"claimed": "pdf", "type": "text/plain"}
        assert shown["remarks"][0]["detail"].endswith("plain text")


def test_who_may_describe_a_record_gets_what_its_files_propose(house: ApiHouse) -> None:
    record = house.a_draft("扫描件")
    content = house.a_file(record, "扫描件.txt", "关于电梯检修的通知\n各业主：\n照此办理。".encode())
    house.web.read_texts()
    shown = house.get(f"/api/v1/records/{record}", Accept_Language="en").get_json()["proposals"]
    assert shown == [
        {
            "field": "title", "value": "关于电梯检修的通知", "rule": "title_about",
            "detail": "the heading that says what it is about", "source": "text", "content": content,
            "page": 1, "start": 0, "end": 9, "fills": True,
        }
    ]  # fmt: skip
    filed = house.a_record(title="已登记")
    assert house.get(f"/api/v1/records/{filed.id}", "staff").get_json()["proposals"] == []
