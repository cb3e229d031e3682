"""Who may ask for what, and what every reply keeps."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from archive.model import Record, RecordState
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of, token_on

ANYONE = "anyone"
SIGNED_IN = "signed in"

EXPECTED: dict[str, str] = {
    "static": ANYONE,
    "healthz": ANYONE,
    "health.ready": ANYONE,
    "health.live": ANYONE,
    "metrics.metrics": ANYONE,
    "signing.sign_in": ANYONE,
    "signing.signed_in": ANYONE,
    "signing.sign_out": ANYONE,
    "signing.language": ANYONE,
    "help.contents": ANYONE,
    "help.show": ANYONE,
    "help.picture": ANYONE,
    "desk.desk": SIGNED_IN,
    "desk.style": SIGNED_IN,
    "account.end_token": SIGNED_IN,
    "account.make_token": SIGNED_IN,
    "account.end_others": SIGNED_IN,
    "account.end_session": SIGNED_IN,
    "account.set_password": SIGNED_IN,
    "account.mine": SIGNED_IN,
    "records.new": SIGNED_IN,
    "records.create": SIGNED_IN,
    "records.show": SIGNED_IN,
    "records.edit": SIGNED_IN,
    "records.describe": SIGNED_IN,
    "records.file": SIGNED_IN,
    "records.put_into_bin": SIGNED_IN,
    "records.restore": SIGNED_IN,
    "records.set_level": SIGNED_IN,
    "records.set_group": SIGNED_IN,
    "records.by_number": SIGNED_IN,
    "dossiers.contents": SIGNED_IN,
    "dossiers.order": SIGNED_IN,
    "dossiers.add": SIGNED_IN,
    "dossiers.take_out": SIGNED_IN,
    "dossiers.move": SIGNED_IN,
    "dossiers.volume": SIGNED_IN,
    "dossiers.split": SIGNED_IN,
    "dossiers.merge": SIGNED_IN,
    "dossiers.put": SIGNED_IN,
    "relations.add": SIGNED_IN,
    "relations.remove": SIGNED_IN,
    "uploads.mine": SIGNED_IN,
    "bring_in.mine": SIGNED_IN,
    "bring_in.take": SIGNED_IN,
    "bring_in.columns": SIGNED_IN,
    "bring_in.say": SIGNED_IN,
    "bring_in.check": SIGNED_IN,
    "bring_in.start": SIGNED_IN,
    "bring_in.stop": SIGNED_IN,
    "bring_in.forget": SIGNED_IN,
    "bring_in.show": SIGNED_IN,
    "bring_in.faults": SIGNED_IN,
    "sheet_files.match_names": SIGNED_IN,
    "sheet_files.take": SIGNED_IN,
    "moving.move": SIGNED_IN,
    "deadlines.board": SIGNED_IN,
    "messages.mine": SIGNED_IN,
    "messages.show": SIGNED_IN,
    "messages.read": SIGNED_IN,
    "messages.ways": SIGNED_IN,
    "messages.choose": SIGNED_IN,
    "deliveries.every": SIGNED_IN,
    "deliveries.retry": SIGNED_IN,
    "calendar.show": SIGNED_IN,
    "calendar.week": SIGNED_IN,
    "calendar.days": SIGNED_IN,
    "calendar.forget": SIGNED_IN,
    "vital.waiting": SIGNED_IN,
    "vital.mark": SIGNED_IN,
    "why.ask": SIGNED_IN,
    "why.answer": SIGNED_IN,
    "why.reply": SIGNED_IN,
    "uploads.begin": SIGNED_IN,
    "uploads.progress": SIGNED_IN,
    "uploads.put_piece": SIGNED_IN,
    "uploads.finish": SIGNED_IN,
    "uploads.abandon": SIGNED_IN,
    "uploads.plain": SIGNED_IN,
    "files.download": SIGNED_IN,
    "files.page": SIGNED_IN,
    "files.picture": SIGNED_IN,
    "put_aside.waiting": SIGNED_IN,
    "scans.doubtful": SIGNED_IN,
    "scans.render": SIGNED_IN,
    "proposals.waiting": SIGNED_IN,
    "proposals.take_ticked": SIGNED_IN,
    "proposals.decide": SIGNED_IN,
    "put_aside.accept": SIGNED_IN,
    "put_aside.take_off": SIGNED_IN,
    "put_aside.replace": SIGNED_IN,
    "labels.choose": SIGNED_IN,
    "labels.output": SIGNED_IN,
    "labels.chosen": SIGNED_IN,
    "prints.choose": SIGNED_IN,
    "prints.output": SIGNED_IN,
    "prints.chosen": SIGNED_IN,
    "lists.columns": SIGNED_IN,
    "lists.chosen_sheet": SIGNED_IN,
    "drafts.keep": SIGNED_IN,
    "drafts.forget": SIGNED_IN,
    "put_aside.unlock": SIGNED_IN,
    "doubles.decide": SIGNED_IN,
    "doubles.waiting": SIGNED_IN,
    "corrections.new": SIGNED_IN,
    "corrections.ask": SIGNED_IN,
    "corrections.every": SIGNED_IN,
    "corrections.show": SIGNED_IN,
    "corrections.decide": SIGNED_IN,
    "corrections.withdraw": SIGNED_IN,
    "bulk.every": SIGNED_IN,
    "bulk.new": SIGNED_IN,
    "bulk.show": SIGNED_IN,
    "bulk.start": SIGNED_IN,
    "bulk.undo": SIGNED_IN,
    "bulk.stop": SIGNED_IN,
    "bulk.forget": SIGNED_IN,
    "bulk_moves.contents": SIGNED_IN,
    "bulk_moves.papers": SIGNED_IN,
    "bulk_moves.show": SIGNED_IN,
    "bulk_moves.go_on": SIGNED_IN,
    "bulk_moves.undo": SIGNED_IN,
    "bulk_moves.stop": SIGNED_IN,
    "bulk_moves.forget": SIGNED_IN,
    "papers.board": SIGNED_IN,
    "papers.show": SIGNED_IN,
    "papers.follow": SIGNED_IN,
    "papers.know": SIGNED_IN,
    "papers.attach": SIGNED_IN,
    "papers.note_copy": SIGNED_IN,
    "papers.name": SIGNED_IN,
    "papers.link": SIGNED_IN,
    "templates.every": SIGNED_IN,
    "templates.show": SIGNED_IN,
    "templates.keep": SIGNED_IN,
    "templates.withdraw": SIGNED_IN,
    "loans.borrow": SIGNED_IN,
    "loans.ask": SIGNED_IN,
    "loans.describing": SIGNED_IN,
    "loans.describe": SIGNED_IN,
    "loans.mine": SIGNED_IN,
    "loans.extend": SIGNED_IN,
    "loans.give_back": SIGNED_IN,
    "loans.effect": SIGNED_IN,
    "loan_requests.waiting": SIGNED_IN,
    "loan_requests.show": SIGNED_IN,
    "loan_requests.decide": SIGNED_IN,
    "loan_requests.answer": SIGNED_IN,
    "loan_requests.found": SIGNED_IN,
    "loan_requests.withdraw": SIGNED_IN,
    "loan_requests.deputies": SIGNED_IN,
    "loan_requests.name_deputy": SIGNED_IN,
    "loan_requests.end_deputy": SIGNED_IN,
    "counter.show": SIGNED_IN,
    "counter.take": SIGNED_IN,
    "counter.recall": SIGNED_IN,
    "counter.lose": SIGNED_IN,
    "counter.reports": SIGNED_IN,
    "counter.settle": SIGNED_IN,
    "counter.slip": SIGNED_IN,
    "marked_copies.every": SIGNED_IN,
    "marked_copies.sheet": SIGNED_IN,
    "marked_copies.compare": SIGNED_IN,
    "marked_copies.tracing": SIGNED_IN,
    "marked_copies.trace": SIGNED_IN,
    "loan_register.every": SIGNED_IN,
    "loan_register.sheet": SIGNED_IN,
    "loan_register.printed": SIGNED_IN,
    "loan_register.notices": SIGNED_IN,
    "basket.show": SIGNED_IN,
    "basket.add": SIGNED_IN,
    "basket.take_out": SIGNED_IN,
    "basket.ask": SIGNED_IN,
    "attached.read": SIGNED_IN,
    "attached.add_to_request": SIGNED_IN,
    "attached.add_to_loan": SIGNED_IN,
    "attached.add_to_report": SIGNED_IN,
    "attached.add_to_transfer": SIGNED_IN,
    "rounds.every": SIGNED_IN,
    "rounds.new": SIGNED_IN,
    "rounds.begin": SIGNED_IN,
    "rounds.show": SIGNED_IN,
    "rounds.sign": SIGNED_IN,
    "rounds.issue": SIGNED_IN,
    "rounds.take_back": SIGNED_IN,
    "rounds.lose": SIGNED_IN,
    "rounds.slip": SIGNED_IN,
    "paper_requests.every": SIGNED_IN,
    "paper_requests.show": SIGNED_IN,
    "paper_requests.decide": SIGNED_IN,
    "paper_requests.answer": SIGNED_IN,
    "paper_requests.withdraw": SIGNED_IN,
    "standing_custody.every": SIGNED_IN,
    "standing_custody.give": SIGNED_IN,
    "standing_custody.show": SIGNED_IN,
    "standing_custody.slip": SIGNED_IN,
    "standing_custody.issue": SIGNED_IN,
    "standing_custody.check": SIGNED_IN,
    "standing_custody.hand_over": SIGNED_IN,
    "standing_custody.sign": SIGNED_IN,
    "standing_custody.take_back": SIGNED_IN,
    "standing_custody.lose": SIGNED_IN,
    "outside_readers.every": SIGNED_IN,
    "outside_readers.show": SIGNED_IN,
    "outside_readers.reveal": SIGNED_IN,
    "outside_readers.erase": SIGNED_IN,
    "uses.every": SIGNED_IN,
    "uses.sheet": SIGNED_IN,
    "uses.printed": SIGNED_IN,
    "uses.find": SIGNED_IN,
    "uses.new": SIGNED_IN,
    "uses.register": SIGNED_IN,
    "uses.show": SIGNED_IN,
    "uses.reveal": SIGNED_IN,
    "uses.add": SIGNED_IN,
    "uses.effect": SIGNED_IN,
    "uses.letter": SIGNED_IN,
    "excerpts.every": SIGNED_IN,
    "excerpts.choose": SIGNED_IN,
    "excerpts.make": SIGNED_IN,
    "loan_figures.show": SIGNED_IN,
    "loan_figures.sheet": SIGNED_IN,
    "rule_books.routes": SIGNED_IN,
    "rule_books.keep_routes": SIGNED_IN,
    "rule_books.loans": SIGNED_IN,
    "rule_books.keep_loans": SIGNED_IN,
    "files.find": SIGNED_IN,
    "finding.search": SIGNED_IN,
    "browsing.scheme": SIGNED_IN,
    "sheets.found": SIGNED_IN,
    "browsing.category": SIGNED_IN,
    "browsing.projects": SIGNED_IN,
    "browsing.place": SIGNED_IN,
    "history.log": SIGNED_IN,
    "days.read": SIGNED_IN,
    "history.record_history": SIGNED_IN,
    "links.show": ANYONE,
    "links.choose": ANYONE,
    **{
        f"people.{each}": SIGNED_IN
        for each in (
            "every",
            "show",
            "link",
            "end_link",
            "end_sessions",
            "end_token",
            "unlock",
            "close",
            "reopen",
            "revoke",
        )
    },
    **{
        f"{family}.{each}": SIGNED_IN
        for family, pages in {
            "organisation": ("show", "new", "add", "renaming", "rename", "closing", "close", "new_post", "add_post"),
            "levels": (
                "show",
                "new",
                "distribute",
                "withdraw",
                "new_group",
                "add_group",
                "shelving",
                "set_shelving",
            ),
            "shelves": (
                "rooms",
                "at",
                "show",
                "new",
                "add",
                "changing",
                "change",
                "close",
                "move",
                "labels",
            ),
            "placing": ("show", "take", "to_move"),
            "blocks": ("new", "add", "lift"),
            "checks": ("due", "checking", "check", "rules", "new_rule", "set_rule", "drop_rule"),
            "stocktaking": (
                "every",
                "begin",
                "show",
                "scan",
                "scans",
                "close",
                "missing",
                "settle",
                "report",
                "report_sheet",
            ),
            "hand_ins": (
                "every",
                "new",
                "add",
                "show",
                "lines",
                "pasted",
                "sheet",
                "drafts",
                "add_drafts",
                "leave_out",
                "hand_in",
                "drop",
            ),
            "hand_in_check": ("show", "take", "finish", "report", "report_pdf"),
            "hand_in_sign": ("show", "sign", "register"),
            "steps": ("board", "file_many", "run", "stop", "go_on", "deadlines", "set_deadlines"),
            "sending_back": ("waiting", "send", "hand_in"),
            "copies": (
                "new",
                "add",
                "changing",
                "change",
                "withdrawing",
                "withdraw",
                "placing",
                "place",
                "moves",
            ),
            "fonds": ("every", "new", "add", "renaming", "rename", "closing", "close", "joining", "join"),
            "schemes": (
                "show",
                "export",
                "importing",
                "check",
                "apply",
                "category",
                "changing",
                "change",
                "close",
                "new",
                "add",
            ),
            "category_moves": ("asking", "move"),
            "category_fields": ("new", "add", "rules", "change"),
            "places": ("every", "show", "new", "add", "changing", "change"),
            "form_templates": ("every", "show", "preview", "keep", "back"),
            "terms_due": ("board", "sheet"),
            "events": ("every", "enter", "many", "undo"),
            "destructions": ("every", "show", "new", "begin", "file", "do"),
            "destroyed": ("every", "form", "sheet", "export"),
            "transfers": ("every", "new", "begin", "show", "ask", "decide", "withdraw", "receive", "close"),
            "transfer_bags": ("make", "stop", "download"),
            "transfer_list": ("pdf", "sheet"),
            "bags_in": ("every", "new", "begin", "show", "stop", "go_on"),
            "renewals": ("every", "new", "ask", "show", "decide", "withdraw"),
            "secrecy": (
                "board",
                "reviews",
                "new",
                "ask",
                "review",
                "decide",
                "withdraw",
                "period",
                "set_period",
                "periods",
                "set_periods",
            ),
            "deriving": ("sheet",),
            "holds": ("every", "show", "new", "place", "release"),
            "matters": ("every", "enter", "many", "close"),
            "forecast": ("show", "sheet"),
            "appraisals": (
                "every",
                "new",
                "begin",
                "show",
                "leave_out",
                "open_",
                "say",
                "read",
                "close",
                "withdraw",
            ),
            "consulting": ("mine", "ask", "answer"),
            "appraisal_report": ("pdf", "titles", "sheet"),
            "audits": ("every", "new", "plan", "show", "do"),
            "audit_findings": ("every", "show", "do"),
            "audit_checklists": ("every", "show", "keep", "withdraw"),
            "audit_report": ("pdf", "sheet"),
            "schedules": (
                "every",
                "install",
                "show",
                "remove",
                "new",
                "add",
                "changing",
                "change",
                "draft",
                "moves_sheet",
                "decide",
                "withdraw",
                "choosing",
                "choose",
            ),
            "rules": ("every", "new", "check", "add"),
            "subjects": (
                "every",
                "find",
                "show",
                "new",
                "add",
                "changing",
                "change",
                "merging",
                "merge",
                "splitting",
                "split",
            ),
            "system": ("show", "parts", "retry", "cancel"),
            "backups": ("show", "ask"),
            "fixity": ("show", "ask", "report"),
            "rereading": ("every", "start", "show", "stop", "go_on"),
        }.items()
        for each in pages
    },
    **{
        f"person.{each}": SIGNED_IN
        for each in (
            "new",
            "invite",
            "roles",
            "set_roles",
            "clearance",
            "set_clearance",
            "new_post",
            "give_post",
            "ending_post",
            "end_post",
            "new_grant",
            "give_grant",
            "custody",
            "set_custody",
        )
    },
}
"""Every endpoint and who may reach it at all; what they then see is decided by the guard."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _paths(house: WebHouse, kinds: set[str]) -> Iterator[tuple[str, str, str]]:
    adapter = house.app.url_map.bind("localhost")
    for rule in house.app.url_map.iter_rules():
        values = {
            name: uuid4() if name.endswith("_id") or name == "key" else 1 if name == "number" else "juanku.css"
            for name in rule.arguments
        }
        for method in sorted((rule.methods or set()) & kinds):
            yield rule.endpoint, method, adapter.build(rule.endpoint, values, method=method)


def test_every_route_says_who_may_reach_it(house: WebHouse) -> None:
    assert {rule.endpoint for rule in house.app.url_map.iter_rules()} == set(EXPECTED)


def test_a_stranger_reaches_nothing_and_learns_nothing_of_what_exists(house: WebHouse) -> None:
    record = house.a_record(title="绝不外露")
    stranger = house.browser()
    for endpoint, method, path in _paths(house, {"GET"}):
        if EXPECTED[endpoint] == SIGNED_IN:
            reply = stranger.open(path, method=method)
            assert reply.status_code in {302, 401}, path
    there, absent = (stranger.get(f"/records/{key}") for key in (record.id, uuid4()))
    assert there.status_code == absent.status_code == 302
    assert "绝不外露" not in there.text


def test_every_change_without_its_form_token_is_refused(house: WebHouse) -> None:
    client = house.browser("archivist")
    for endpoint, method, path in _paths(house, {"POST", "PUT", "PATCH", "DELETE"}):
        reply = client.open(path, method=method, data={"title": "x"})
        assert reply.status_code == 400, (endpoint, reply.status_code)


def test_another_persons_form_token_is_refused(house: WebHouse) -> None:
    other = token_of(house.browser("clerk"))
    reply = house.browser("archivist").post("/records/file", data={"csrf_token": other})
    assert reply.status_code == 400


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "http://["}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_change_from_another_site_is_refused_even_with_a_token(house: WebHouse, headers: dict[str, str]) -> None:
    client = house.browser("archivist")
    token = token_of(client)
    assert client.post("/records/file", data={"csrf_token": token}, headers=headers).status_code == 400


def test_every_reply_carries_its_headers(house: WebHouse) -> None:
    client = house.browser("archivist")
    for endpoint, method, path in _paths(house, {"GET"}):
        headers = client.open(path, method=method).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Referrer-Policy"] == "same-origin"
        if endpoint != "static":
            assert headers["Cache-Control"] == "no-store", path
            assert "Cookie" in headers["Vary"], path


@pytest.mark.parametrize("suffix", ["", "/edit", "/history"])
@pytest.mark.parametrize("login", ["staff", "clerk", "auditor", "archivist"])
def test_hidden_and_absent_answer_byte_for_byte_alike(house: WebHouse, login: str, suffix: str) -> None:
    house.services.db.close()
    with house.services.db.writing() as work:
        person = work.session.merge(house.people["archivist"])
        person.clearance = 1
        work.commit()
    hidden = house.a_record(title="绝密人事", level=4, state=RecordState.PROVISIONAL)
    client = house.browser(login)
    own = {"X-Request-ID": "the-same-for-both"}  # else each reply has a new one
    answers = [client.get(f"/records/{key}{suffix}", headers=own) for key in (hidden.id, uuid4())]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].data == answers[1].data
    assert _headers(answers[0]) == _headers(answers[1])


def _headers(reply: object) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in reply.headers if name != "Date")  # type: ignore[attr-defined]


def _change(client: FlaskClient, path: str, data: dict[str, str]) -> bytes:
    token = token_of(client)
    reply = client.post(path, data={"csrf_token": token, **data})
    return b"%d " % reply.status_code + reply.data


@pytest.mark.parametrize(
    ("act", "data"),
    [("edit", {"title": "x", "version": "1"}), ("bin", {"version": "1"}), ("restore", {}), ("level", {"level": "1"})],
)
def test_changes_to_hidden_and_absent_answer_alike(house: WebHouse, act: str, data: dict[str, str]) -> None:
    hidden = house.a_record(level=4)
    client = house.browser("clerk")
    there, absent = (_change(client, f"/records/{key}/{act}", data) for key in (hidden.id, uuid4()))
    assert there == absent
    assert there.startswith(b"404")


def test_files_of_hidden_records_answer_like_files_that_are_not_there(house: WebHouse) -> None:
    record = house.a_record(state=RecordState.PROVISIONAL, level=2)
    content = _upload(house.browser("archivist"), record.id)
    client = house.browser("staff")
    for path in ("/files/{}", "/files/{}/pages/1", "/uploads/{}"):
        there, absent = (client.get(path.format(key)) for key in (content, uuid4()))
        assert there.status_code == absent.status_code == 404
        assert there.data == absent.data


def _upload(client: FlaskClient, record_id: UUID) -> str:
    page = client.get(f"/records/{record_id}").text
    data = {"csrf_token": token_on(page), "files": (BytesIO("合同正文".encode()), "合同.txt")}
    client.post(f"/records/{record_id}/files", data=data, content_type="multipart/form-data")
    return client.get(f"/records/{record_id}").text.split('href="/files/', 1)[1].split('"', 1)[0]


def test_the_session_ends_on_the_server_when_a_person_signs_out(house: WebHouse) -> None:
    client = house.browser("archivist")
    cookie = client.get_cookie("juanku_session")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    client.post("/sign-out", data={"csrf_token": token_of(client)})
    thief = house.app.test_client()
    thief.set_cookie("juanku_session", cookie.value)
    assert thief.get("/").status_code == 302


def test_each_sign_in_begins_a_session_of_its_own(house: WebHouse) -> None:
    client = house.app.test_client()
    client.set_cookie("juanku_session", "a token chosen by someone else")
    token = token_on(client.get("/sign-in").text)
    reply = client.post("/sign-in", data={"login": "staff", "password": PASSWORD, "csrf_token": token})
    assert reply.status_code == 303
    cookie = client.get_cookie("juanku_session")
    assert cookie is not None
    assert cookie.value != "a token chosen by someone else"


def test_with_tls_cookies_are_bound_to_the_host(tmp_path: Path) -> None:
    with a_web_house(tmp_path, https=True) as made:
        client = made.app.test_client()
        page = client.get("/sign-in", base_url="https://localhost")
        reply = client.post(
            "/sign-in",
            base_url="https://localhost",
            data={"login": "staff", "password": PASSWORD, "csrf_token": token_on(page.text)},
        )
        cookies = reply.headers.getlist("Set-Cookie")
        assert any(each.startswith("__Host-juanku_session=") and "Secure" in each for each in cookies)
        assert reply.headers["Strict-Transport-Security"]


def test_a_wrong_password_and_an_unknown_name_are_told_alike(house: WebHouse) -> None:
    told = []
    for login in ("staff", "nobody"):
        client = house.app.test_client()
        token = token_on(client.get("/sign-in").text)
        reply = client.post("/sign-in", data={"login": login, "password": "wrong", "csrf_token": token})
        assert reply.status_code == 401
        told.append("登录名或密码不正确。" in reply.text)
    assert told == [True, True]


def test_too_many_failures_lock_out_and_say_how_long(house: WebHouse) -> None:
    client = house.app.test_client()
    token = token_on(client.get("/sign-in").text)
    codes = [
        client.post("/sign-in", data={"login": "staff", "password": "wrong", "csrf_token": token}).status_code
        for _ in range(12)
    ]
    assert 429 in codes


def test_signing_in_goes_on_to_the_page_asked_for_and_never_elsewhere(house: WebHouse) -> None:
    client = house.app.test_client()
    assert client.get("/search?q=a").headers["Location"].startswith("/sign-in?next=/search")
    token = token_on(client.get("/sign-in").text)
    data = {"login": "staff", "password": PASSWORD, "csrf_token": token, "next": "https://evil.example/"}
    assert client.post("/sign-in", data=data).headers["Location"] == "/"


def test_a_request_that_is_too_large_is_refused_with_words(house: WebHouse) -> None:
    client = house.browser("archivist")
    record = house.a_record(state=RecordState.PROVISIONAL)
    reply = client.post(f"/records/{record.id}/files", data={"files": (BytesIO(b"x" * 10_000_000), "a.bin")})
    assert reply.status_code == 413
    assert "超过了可接收的大小" in reply.text


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("lengths", [[6_000_000], [900_000] * 7], ids=["one field", "many fields"])
def test_a_form_of_6_mb_is_refused_with_words_of_its_own(house: WebHouse, kind: str, lengths: list[int]) -> None:
    client = house.browser("archivist")
    page = client.get(f"/records/new?category={house.category.id}").text
    data = {"csrf_token": token_on(page), "category": str(house.category.id)}
    data |= {f"f.{number}": "x" * length for number, length in enumerate(lengths)}
    reply = client.post("/records", data=data, content_type=kind)
    assert reply.status_code == 413
    assert "表单内容超过了可接收的大小（最多 4" in reply.text


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("title", "题名"), ("responsible", "责任者"), ("drawn_up", "成文日期"), ("notes", "附注"),
        ("keywords", "关键词"), ("pages", "页数"), ("level", "密级"), ("place", "位置"),
        ("f.partner", "对方单位"), ("f.phone", "联系电话"), ("f.form", "形式"),
    ],
)  # fmt: skip
def test_a_field_of_1_mb_is_refused_by_its_name(house: WebHouse, kind: str, name: str, label: str) -> None:
    client = house.browser("archivist")
    page = client.get(f"/records/new?category={house.category.id}").text
    data = {"csrf_token": token_on(page), "category": str(house.category.id), "title": "合同", "level": "1"}
    reply = client.post("/records", data=data | {name: "好" * 350_000}, content_type=kind)
    assert reply.status_code == 422
    [told] = re.findall(r'class="fault-summary".*?</ul>', reply.text, re.DOTALL)
    assert f">{label}</a>" in told
    assert len(told) < 2_000, "what was typed stands in its field, not in the sentence"
    with house.services.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Record)) == 0


def test_every_page_is_without_inline_script_or_style(house: WebHouse) -> None:
    client = house.browser("archivist")
    record = house.a_record(state=RecordState.PROVISIONAL)
    for path in (
        "/",
        "/records/new",
        f"/records/new?category={house.category.id}",
        f"/records/{record.id}",
        "/search?q=电梯",
    ):
        page = client.get(path).text
        assert "style=" not in page, path
        assert " onclick" not in page
        assert "<script>" not in page
        assert "http://" not in page.replace("http://localhost", "")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "' OR 1=1 --"]
)
def test_what_people_type_is_shown_as_text(house: WebHouse, text: str) -> None:
    record = house.a_record(title=text, notes=text, responsible=text)
    client = house.browser("archivist")
    for path in (f"/records/{record.id}", "/search?q=", f"/search?q={text}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert ">49<" not in client.get(f"/records/{record.id}").text
