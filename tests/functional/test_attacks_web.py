"""Attacks through the browser's door: forged forms, planted sessions, lying headers, and random requests."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from archive.identity import Role
from archive.model import Department, Person, RecordState
from tests.factories import people as rights
from tests.factories.secrets_house import OPERATOR, SecretsHouse, a_secrets_house
from tests.factories.web_house import PASSWORD, token_of, token_on

FUZZ = int(os.environ.get("FUZZ_REQUESTS", "2500"))
"""How many random requests are sent; the whole trial is 10,000."""

ODD = (
    "", "0", "-1", "1", "99999999999999999999999", "9" * 5000, "\x00",
    "\r\nSet-Cookie: a=b", "'", '"', "<b>", "%", "%s",
    "{0}", "{{7*7}}", "../../etc/passwd", "..%2f", "\\\\host", "/", "a" * 3000, "绝密", "\U0001f600",
    "\ufffd", "é" * 300,
    "2024-02-31", "0000", "9999-12-31", "1000..2200", "..", "NOT", "AND OR", "((((", "((" * 40, '"',
    "a*", "*", "1*", "的*",
    "number:*", "year:x", "level:４", "title:", "-", "--", "~", "null", "true", "[]", "0x10", "1e9", "NaN", "１", "٣",
    "0001-01-01T00:00:00+23:59_" + "0" * 32, "9999-12-31T23:59:59-23:59_" + "f" * 32, "\u202e", "\u0000" * 3,
)  # fmt: skip
NAMES = (
    "q", "from", "level", "category", "year", "fonds", "department", "medium", "project", "state", "n", "next", "after",
    "act", "result", "record", "person", "since", "until", "filter", "offset", "limit", "title", "version", "reason",
    "pages", "place", "keywords", "drawn_up", "material", "f.partner", "f.identity", "login", "password", "locale",
    "csrf_token", "group", "role",
)  # fmt: skip


@contextmanager
def a_small_house(folder: Path) -> Iterator[SecretsHouse]:
    """Yield a house with an archivist, a clerk and a reader."""
    with a_secrets_house(folder) as made:
        made.add_person("archivist", [Role.ARCHIVIST], 2, "WA")
        made.add_person("clerk", [Role.CLERK], 1)
        made.add_person("reader", clearance=1, fonds="WA")
        made.add_person("auditor", [Role.AUDIT_ADMIN])
        with made.parts.db.writing() as work:
            person = work.session.get_one(Person, made.people["clerk"])
            office = work.session.get_one(Department, made.departments["OFFICE"])
            rights.holds_post(work.session, person, rights.a_post(work.session, "clerk"), office)
            work.commit()
        office_id = made.departments["OFFICE"]
        made.add_records({1: made.draft(1, level_rank=1)}, RecordState.FILED)
        made.add_records({2: made.draft(2, level_rank=1, department_id=office_id)}, RecordState.PROVISIONAL)
        made.work()
        yield made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretsHouse]:
    """A house that no trial leaves changed."""
    with a_small_house(tmp_path_factory.mktemp("attacks")) as made:
        yield made


def sent(client: FlaskClient, path: str, **data: Any) -> Any:
    """Send a form with its token."""
    return client.post(path, data={"csrf_token": token_of(client)} | data)


@pytest.mark.parametrize("token", ["", "x", "IjEyMyI.aaaa.bbbb", "\x00"])
def test_a_wrong_form_token_changes_nothing(house: SecretsHouse, token: str) -> None:
    client, before = house.browser("archivist"), house.row(2).version
    for path in (f"/records/{house.records[2]}/bin", f"/records/{house.records[2]}/edit", "/records/file", "/sign-out"):
        assert client.post(path, data={"csrf_token": token, "version": str(before)}).status_code == 400
    assert house.row(2).version == before
    assert client.get("/").status_code == 200


def test_a_form_token_from_before_signing_in_or_out_is_of_no_use_after(house: SecretsHouse) -> None:
    client = house.app.test_client()
    early = token_on(client.get("/sign-in").text)
    client.post("/sign-in", data={"login": "reader", "password": PASSWORD, "csrf_token": early})
    assert client.post("/sign-out", data={"csrf_token": early}).status_code == 400
    late = token_of(client)
    assert client.post("/sign-out", data={"csrf_token": late}).status_code == 303
    assert client.post("/sign-out", data={"csrf_token": late}).status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
        "/\r\nLocation: https://evil.example", "javascript:alert(1)", "///evil.example", "http:evil.example",
        " //evil.example",
        "/%0d%0aSet-Cookie:x=y", "/.//evil.example",
    ],
)  # fmt: skip
def test_no_redirect_leads_out_of_the_house(house: SecretsHouse, target: str) -> None:
    client = house.browser("reader")
    replies = [
        client.get("/sign-in", query_string={"next": target}),
        sent(client, "/language", locale="en", next=target),
    ]
    for reply in replies:
        where = urlsplit(reply.headers["Location"])
        assert not where.scheme
        assert not where.netloc
        assert reply.headers["Location"].startswith("/")
        assert not reply.headers["Location"].startswith(("//", "/\\"))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "a@b", "[::1", "x" * 300, "<script>"])
def test_a_lying_host_is_never_repeated(house: SecretsHouse, host: str) -> None:
    client = house.app.test_client()
    for path in ("/", "/sign-in", "/search?q=a", "/api/v1/me", "/openapi.json"):
        reply = client.get(path, headers={"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}"})
        assert reply.status_code < 500
        assert host not in reply.headers.get("Location", "")
        assert host not in reply.text


@pytest.mark.parametrize(
    "span",
    [
        "bytes=0-0,1-1", "bytes=-0", "bytes=5-2", "bytes=99999999999-", "bytes=0-" + "9" * 400, "lines=1-2", "bytes=,",
        "bytes=" + "0-1," * 2000, "bytes=--1", "bytes=a-b", "bytes", "bytes=-99999999", "bytes=0-18446744073709551616",
    ],
)  # fmt: skip
def test_ranges_are_answered_in_full_in_part_or_not_at_all(house: SecretsHouse, span: str) -> None:
    client, path = house.browser("reader"), f"/files/{house.contents[1][0]}"
    whole = client.get(path).data
    reply = client.get(path, headers={"Range": span})
    assert reply.status_code in {200, 206, 416}
    assert reply.data in whole
    assert int(reply.headers["Content-Length"]) == len(reply.data)


@pytest.mark.parametrize(
    "name",
    [
        'a"\r\nSet-Cookie: x=y.txt', "../../../etc/passwd", "..\\..\\boot.ini", "/abs/olute.txt", "\u202etxt.exe",
        "文件　名；\"'*.txt", "a" * 900, "%00%0d%0a.txt", ".", "...", "con.txt\x00.exe", "\U0001f4a9.txt", "a;b=c.txt",
    ],
)  # fmt: skip
def test_a_files_name_is_a_name_and_never_a_header_a_path_or_a_script(house: SecretsHouse, name: str) -> None:
    made = house.parts.records.create(OPERATOR, house.draft(3, level_rank=1))
    got = house.parts.intake.receive(OPERATOR, made, name, [b"<script>alert(1)</script>"])
    house.parts.filing.file(OPERATOR, [made])
    reply = house.browser("reader").get(f"/files/{got.content_id}")
    told = reply.headers["Content-Disposition"]
    assert told.startswith("attachment; filename=")
    assert told.isprintable()
    assert told.isascii()
    assert not any(sign in told.split('filename="')[1].split('"')[0] for sign in '/\\"')
    assert "x" not in reply.headers.get("Set-Cookie", "")
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    stored = [path for path in house.parts.settings.home.rglob("*") if "passwd" in path.name or "boot" in path.name]
    assert stored == []
    page = house.browser("reader").get(f"/records/{made}").text
    assert "<script>alert" not in page


def test_what_is_too_large_is_told_and_never_breaks(house: SecretsHouse) -> None:
    client = house.browser("archivist")
    token = token_of(client)
    path = f"/records/{house.records[2]}"
    big = {"csrf_token": token, "files": (BytesIO(b"x" * 10_000_000), "a.bin")}
    many = {"csrf_token": token} | {f"f.{number}": "x" for number in range(1200)}
    for turn, reply in enumerate(
        (
            client.post(f"{path}/files", data=big, content_type="multipart/form-data"),
            client.post(f"{path}/edit", data={"csrf_token": token, "notes": "x" * 9_600_000}),
            client.put(f"/uploads/{uuid4()}/0", data=b"x" * 10_000_000, headers={"X-CSRFToken": token}),
            client.post(f"{path}/edit", data=many, content_type="multipart/form-data"),
        )
    ):
        assert reply.status_code == 413, turn
    reply = sent(client, f"{path}/edit", title="x" * 1_000_000, version=str(house.row(2).version))
    assert reply.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "\\ud800.txt", "size": 3}', '{"name": 7, "size": true}', '{"name": "a", "size": 1e400}',
        "[" * 100_000,
        '{"name": "a", "size": -1}', '{"name": "a", "size": 99999999999999999999999999}', '{"name": null, "size": 1}',
        '{"name": ["a"], "size": 1}', '{"name": "a", "size": "1"}', "\x00", "nul", '{"name": "   ", "size": 1}',
    ],
)  # fmt: skip
def test_an_odd_announcement_of_a_file_is_taken_or_refused_and_never_breaks(house: SecretsHouse, body: str) -> None:
    client = house.browser("archivist")
    headers = {"X-CSRFToken": token_of(client)}
    path = f"/uploads/begin/{house.records[2]}"
    reply = client.post(path, data=body, content_type="application/json", headers=headers)
    assert reply.status_code < 500
    if reply.status_code == 200:
        client.post(f"/uploads/{reply.json['upload']}/abandon", headers=headers)


def test_what_no_form_offers_cannot_be_set_by_one(house: SecretsHouse) -> None:
    client, row = house.browser("clerk"), house.row(2)
    wanted = {
        "state": "filed", "registration_number": "X-1", "archive_number": "X-2", "level_rank": "4", "level": "4",
        "created_by": str(house.people["reader"]), "group_id": str(uuid4()), "id": str(uuid4()),
        "fonds_id": str(uuid4()),
        "named": str(house.people["clerk"]), "clearance": "4", "role": "archivist", "roles": "archivist", "uses": "9",
        "filed_at": "2026-01-01", "indexed_in": "4", "sealed_fields": "x", "secrecy_person_id": "x",
    }  # fmt: skip
    office = str(house.departments["OFFICE"])
    reply = sent(
        client, f"/records/{row.id}/edit", title="新题名", version=str(row.version), department=office, **wanted
    )
    assert reply.status_code == 303, reply.text
    after = house.row(2)
    assert after.title == "新题名"
    for name in ("state", "registration_number", "archive_number", "level_rank", "created_by", "group_id", "fonds_id",
                 "uses", "filed_at", "indexed_in", "secrecy_person_id"):  # fmt: skip
        assert getattr(after, name) == getattr(row, name), name
    wrong = {"title": "题名二", "version": str(after.version), "department": office}
    for step in ("9", "0", "-1", "x"):
        reply = sent(client, f"/records/{row.id}/edit", **wrong, importance=step)
        assert reply.status_code == 422, step
        assert 'id="fault-importance"' in reply.text
    assert house.row(2).importance is None
    assert house.who("clerk").roles == {Role.CLERK}
    reply = sent(client, "/records", category=str(house.categories["WAGC"]), title="高密", department=office, level="4")
    assert reply.status_code == 403
    house.parts.records.describe(OPERATOR, row.id, {"title": row.title}, after.version)


def test_a_clerk_hands_in_for_their_own_department_alone(house: SecretsHouse) -> None:
    client = house.browser("clerk")
    for department in ("", str(house.departments["FIELD"])):
        new = {"category": str(house.categories["WAGC"]), "title": "别处", "department": department}
        assert sent(client, "/records", **new).status_code == 403
    row = house.row(2)
    moved = {"title": row.title, "version": str(row.version), "department": str(house.departments["FIELD"])}
    assert sent(client, f"/records/{row.id}/edit", **moved).status_code == 403
    assert house.row(2).department_id == house.departments["OFFICE"]


def test_thousands_of_random_requests_break_nothing(tmp_path: Path) -> None:
    with a_small_house(tmp_path) as own:  # nobody knows what they change
        assert _broken_by_random_requests(own) == []


def _broken_by_random_requests(house: SecretsHouse) -> list[Any]:
    chance = random.Random(20261122)
    clients = [(house.browser(login), login) for login in ("archivist", "clerk", "reader", "auditor")]
    tokens = {login: token_of(client) for client, login in clients}
    bearer = house.parts.people.issue_token(OPERATOR, "reader", "fuzz", 1)
    routes = [rule for rule in house.app.url_map.iter_rules() if rule.endpoint not in {"static", "signing.sign_out"}]
    apis = ("/api/v1/me", "/api/v1/search", "/api/v1/records/", "/api/v1/records/by-number/", "/api/v1/files/")
    ids: list[UUID] = [*house.records.values(), house.contents[1][0], house.contents[2][0], uuid4()]
    broken = []
    for _ in range(FUZZ):
        client, login = chance.choice(clients)
        fields = {chance.choice(NAMES): chance.choice(ODD) for _ in range(chance.randrange(4))}
        if chance.random() < 0.25:
            path = chance.choice(apis)
            path += str(chance.choice(ids)) if path.endswith("/") and chance.random() < 0.7 else ""
            method, more = "GET", {"query_string": fields, "headers": {"Authorization": f"Bearer {bearer}"}}
        else:
            path, method, more = _request(chance, chance.choice(routes), ids, fields, tokens[login])
        reply = client.open(path, method=method, **more)
        if reply.status_code >= 500 or b"Traceback" in reply.data:
            broken.append((reply.status_code, method, path, fields))
        reply.close()
    return broken


def _request(
    chance: random.Random, rule: Any, ids: list[UUID], fields: dict[str, str], token: str
) -> tuple[str, str, dict[str, Any]]:
    path = rule.rule
    for name, converter in rule._converters.items():
        kind = type(converter).__name__
        good = str(chance.choice(ids)) if kind == "UUIDConverter" else chance.choice(["0", "1", "7", "9" * 30])
        value = good if chance.random() < 0.9 else chance.choice(ODD[:12]).replace("\r\n", "").replace("\x00", "")
        path = path.replace(f"<{'uuid' if kind == 'UUIDConverter' else 'int'}:{name}>", value)
    method = chance.choice(sorted((rule.methods or {"GET"}) - {"OPTIONS"}))
    if method in {"GET", "HEAD"}:
        headers = {"Range": chance.choice(["bytes=0-1", "bytes=9-", "x", "bytes=-5"])} if "files" in path else {}
        return path, method, {"query_string": fields, "headers": headers}
    if chance.random() < 0.1:
        return path, method, {"json": fields, "headers": {"X-CSRFToken": token}}
    return path, method, {"data": fields | {"csrf_token": token}}
