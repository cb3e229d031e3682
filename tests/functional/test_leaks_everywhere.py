"""Nothing tells anything of a record that a person may not see: every route, every person, every kind of search."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from archive.identity import system
from archive.policy.rules import Act
from tests.factories.secrets_house import ABSENT, PLACES_OF_WORDS, SECRET, SecretsHouse, a_secrets_house, fill, word
from tests.factories.web_house import token_of
from web.api.operations import OPERATIONS

PEOPLE = (
    "staff0", "staff1", "staff3", "nogrant", "placed", "branched", "insider", "archivist1", "archivist3", "clerk1",
    "clerk3", "secrecy", "audit_admin", "security_admin", "system_admin", "keeper",
)  # fmt: skip
SWEEPERS = ("staff1", "placed", "insider", "archivist1", "clerk1", "secrecy", "audit_admin", "keeper")
CHANGEABLE = frozenset({"Date", "Set-Cookie", "X-Request-ID"})  # random, each reply its own
TOKEN = re.compile(rb'(?<=name="csrf_token" value=")[^"]+')


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretsHouse]:
    """The house that nobody changes."""
    with a_secrets_house(tmp_path_factory.mktemp("secrets")) as made:
        fill(made)
        yield made


def said(reply: TestResponse) -> str:
    """Return all that a reply says."""
    headers = "\n".join(f"{name}: {value}" for name, value in reply.headers if name != "Set-Cookie")
    return f"{reply.status}\n{headers}\n{reply.get_data(as_text=False).decode('utf-8', 'replace')}"


def alike(reply: TestResponse) -> tuple[Any, ...]:
    """Return what must be the same of two replies."""
    headers = sorted((name, value) for name, value in reply.headers if name not in CHANGEABLE)
    return reply.status, headers, TOKEN.sub(b"TOKEN", reply.get_data())  # a form token tells the second


def told_of(text: str) -> set[int]:
    """Return the records that a text speaks of."""
    return {int(number) for number in SECRET.findall(text)}


def paths(house: SecretsHouse, record: UUID | None, content: UUID | None) -> Iterator[str]:
    """Yield every address that names a record or a content, and (without either) every other one."""
    adapter = house.app.url_map.bind("localhost")
    for rule in house.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        values: dict[str, Any] = {}
        if "record_id" in rule.arguments:
            values["record_id"] = record
        for name in ("content_id", "upload_id"):
            if name in rule.arguments:
                values[name] = content
        if "number" in rule.arguments:
            values["number"] = 1
        if all(values.values()) and bool(values) == bool(record or content):
            yield adapter.build(rule.endpoint, of_the_house(rule.arguments) | values)


def of_the_house(arguments: Iterable[str]) -> dict[str, Any]:
    """Return values for what pages of the house itself are asked for: nothing that is there."""
    return {name: "x" if name == "token" else UUID(int=7) for name in arguments}


@pytest.mark.parametrize("login", SWEEPERS)
def test_no_page_tells_of_a_record_that_is_not_theirs(house: SecretsHouse, login: str) -> None:
    client = house.browser(login)
    readable, seen = house.may(login), house.may(login, Act.SEE)
    nil = uuid4()
    absent = {path.replace(str(nil), "ID"): alike(client.get(path)) for path in paths(house, nil, nil)}
    for number, record in house.records.items():
        if number not in seen and number % 4:
            continue
        addresses = {path: path.replace(str(record), "ID") for path in paths(house, record, None)}
        for content in house.contents[number]:
            addresses |= {path: path.replace(str(content), "ID") for path in paths(house, None, content)}
        for path, pattern in addresses.items():
            reply = client.get(path)
            assert told_of(said(reply)) <= {number} & readable, path
            if number not in seen:
                assert alike(reply) == absent[pattern], path
    for path in [*paths(house, None, None), "/?state=binned", "/records/new?category=" + str(house.categories["WAGC"])]:
        assert told_of(said(client.get(path))) <= readable, path


@pytest.mark.parametrize("login", ["staff1", "clerk1", "archivist1"])
def test_every_change_of_a_hidden_record_answers_as_if_it_were_not_there(house: SecretsHouse, login: str) -> None:
    client = house.browser(login)
    token = token_of(client)
    hidden = [number for number in house.records if number not in house.may(login, Act.SEE)][::9]
    for rule in house.app.url_map.iter_rules():
        own = {"signing.sign_out", "signing.language", "signing.signed_in", "account.set_password"}  # of no record
        if rule.endpoint in {*own, "records.create"}:
            continue
        if rule.endpoint in {"account.set_password", "account.make_token"}:  # they count wrong passwords, of no record
            continue
        for method in (rule.methods or set()) & {"POST", "PUT"}:
            absent = change(client, house, rule, method, token, uuid4(), uuid4())
            for number in hidden:
                reply = change(client, house, rule, method, token, house.records[number], house.contents[number][0])
                assert reply == absent, (rule.endpoint, number)
                assert not reply[0].startswith("5"), (rule.endpoint, number)
                assert not told_of(str(reply))


def change(
    client: FlaskClient, house: SecretsHouse, rule: Rule, method: str, token: str, record: UUID, content: UUID
) -> tuple[Any, ...]:
    """Send a change, and return its reply without the ids that were sent."""
    with client.session_transaction() as kept:
        kept.pop("_flashes", None)  # what earlier changes have left to be told on the next page
    values = of_the_house(rule.arguments)
    values |= {"record_id": record, "content_id": content, "upload_id": content, "number": 0}
    named = {name: values[name] for name in rule.arguments}
    path = house.app.url_map.bind("localhost").build(rule.endpoint, named, method=method)
    headers = {"X-CSRFToken": token}
    if rule.endpoint == "uploads.begin":
        reply = client.open(path, method=method, json={"name": "a.txt", "size": 3}, headers=headers)
    else:
        data = {"record": str(record), "version": "1", "level": "2", "reason": "x", "title": "x"}
        reply = client.open(path, method=method, data=data, headers=headers)
    status, sent, body = alike(reply)
    return status, [pair for pair in sent if pair[0] != "Location"], re.sub(
        rb"[0-9a-f-]{36}", b"ID", body
    ), (reply.location or "").replace(str(record), "ID")  # fmt: skip


QUERIES = (
    "{}", '"{}"', "{}*", "NOT {}", "维修 AND {}", "维修 OR {}", "维修 -{}", "title:{}", "text:{}", "person:{}",
    "notes:{}", "fields:{}", "keywords:{}", "responsible:{}", "({} OR {}) 维修", "number:{}", "{} year:2000..2030",
)  # fmt: skip


@pytest.mark.parametrize("login", ["staff1", "staff3", "clerk1", "archivist1", "insider", "audit_admin", "nogrant"])
def test_a_query_for_hidden_words_answers_like_one_for_words_that_are_nowhere(house: SecretsHouse, login: str) -> None:
    client = house.browser(login)
    hidden = [number for number in house.records if number not in house.may(login)]
    for turn, query in enumerate(QUERIES):
        number = hidden[turn * 7 % len(hidden)]
        where = PLACES_OF_WORDS[turn % len(PLACES_OF_WORDS)]
        answers = []
        for asked in (number, ABSENT):
            typed = query.replace("{}", word(asked, where))
            reply = client.get("/search", query_string={"q": typed, "level": ["1", ""][turn % 2] or []})
            status, headers, body = alike(reply)
            answers.append((status, headers, body.replace(word(asked, where).encode(), b"WORD")))
        assert answers[0] == answers[1], (query, number)


@pytest.mark.parametrize("login", PEOPLE)
def test_totals_facets_and_hits_are_those_of_the_rules(house: SecretsHouse, login: str) -> None:
    who, search = house.who(login), house.parts.search
    wanted = house.searchable(login)
    page = search.search(who, "", limit=100)
    assert {house.numbers[hit.record_id] for hit in page.hits} == wanted
    assert page.total == len(wanted)
    rows = [house.row(number) for number in wanted]
    assert page.facets.get("level", {}) == Counter(str(row.level_rank) for row in rows)
    assert page.facets.get("fonds", {}) == Counter(row.fonds_id.hex for row in rows)
    assert page.facets.get("category", {}) == Counter(row.category_id.hex for row in rows)
    assert page.facets.get("project", {}) == Counter(row.place_path.strip("/") for row in rows if row.place_path)
    assert page.facets.get("year", {}) == Counter((row.drawn_up or "")[:4] for row in rows)
    for where in PLACES_OF_WORDS:
        having = [number for number in house.records if where != "pt" or number % 4 == 0]
        anyone = " OR ".join(word(number, where) for number in having)
        found = search.search(who, anyone, limit=100)
        assert {house.numbers[hit.record_id] for hit in found.hits} == wanted & set(having), where
        assert found.total == len(wanted & set(having))
    deep = search.search(who, "维修", offset=len(wanted), limit=20)
    assert (deep.total, list(deep.hits)) == (len(wanted), [])
    assert search.leaks == 0


@pytest.mark.parametrize("login", ["staff1", "placed", "keeper", "clerk1", "audit_admin"])
def test_numbers_open_what_may_be_seen_and_hidden_ones_are_like_none(house: SecretsHouse, login: str) -> None:
    client, seen = house.browser(login), house.may(login, Act.SEE)
    missing = alike(client.get("/number?n=WA-GC%C2%B72024-Y10-N9999"))
    for number in house.records:
        row = house.row(number)
        for given in filter(None, (row.archive_number, row.registration_number)):
            reply = client.get("/number", query_string={"n": given})
            if number in seen:
                assert reply.status_code == 302
            else:
                assert alike(reply) == missing
            found = house.parts.search.search(house.who(login), f'"{given}"', limit=100)
            assert {house.numbers[hit.record_id] for hit in found.hits} <= house.searchable(login)


@pytest.mark.parametrize("login", ["staff0", "staff3", "insider", "keeper", "archivist1", "audit_admin"])
def test_the_interface_for_programs_tells_no_more_than_the_pages(house: SecretsHouse, login: str) -> None:
    token = house.parts.people.issue_token(system("operator"), login, f"t{uuid4().hex}", 1)
    client, headers = house.app.test_client(), {"Authorization": f"Bearer {token}"}
    readable, seen = house.may(login), house.may(login, Act.SEE)
    absent = {kind: alike(client.get(f"/api/v1/{kind}/{uuid4()}", headers=headers)) for kind in ("records", "files")}
    for number, record in house.records.items():
        for kind, key in [("records", record)] + [("files", key) for key in house.contents[number]]:
            reply = client.get(f"/api/v1/{kind}/{key}", headers=headers)
            assert told_of(said(reply)) <= {number} & readable
            if number not in seen:
                assert alike(reply) == absent[kind]
    for query in ("", "维修", "level:4", "state:binned", "kind:item"):
        reply = client.get("/api/v1/search", query_string={"q": query, "limit": 100}, headers=headers)
        assert told_of(said(reply)) <= readable
    for name in ("dossier", "department", "fonds", "category", "place", "project", "kind", "state", "level"):
        reply = client.get(f"/api/v1/search?filter={name}:{house.fonds['WB']}", headers=headers)
        assert told_of(said(reply)) <= readable
    hidden = [house.records[number] for number in house.records if number not in seen][:2]
    asked = [each for each in OPERATIONS if each.method == "GET" and set(each.places) <= {"record_id"}]
    assert len(asked) > 30
    for each in asked:
        if not each.places:
            assert told_of(said(client.get(each.path, headers=headers))) <= readable, each.path
            continue
        none = alike(client.get(each.path.format(record_id=uuid4()), headers=headers))
        for record in hidden:
            assert alike(client.get(each.path.format(record_id=record), headers=headers)) == none, each.path


def test_custody_shows_number_and_dates_and_never_words_or_files(house: SecretsHouse) -> None:
    for login in ("keeper", "audit_admin", "security_admin"):
        client = house.browser(login)
        kept = house.may(login, Act.CUSTODY) - house.may(login)
        assert kept
        for number in kept:
            record = house.records[number]
            assert client.get(f"/records/{record}").status_code == 200
            history = client.get(f"/records/{record}/history")
            assert history.status_code == 200
            assert not told_of(history.text)
            for content in house.contents[number]:
                assert client.get(f"/files/{content}").status_code in {403, 404}
                assert client.get(f"/files/{content}/pages/1").status_code in {403, 404}


def test_the_log_shows_the_auditor_acts_alone(house: SecretsHouse) -> None:
    client = house.browser("audit_admin")
    address: str | None = "/log"
    pages = 0
    while address and pages < 40:
        page = client.get(address).text
        assert not told_of(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older.group(1).replace("&amp;", "&") if older else None
        pages += 1
    assert pages > 2


def test_numbers_of_two_sequences_never_meet_and_name_no_level(house: SecretsHouse) -> None:
    rows = [house.row(number) for number in house.records]
    for which in ("registration_number", "archive_number"):
        given = [(row.fonds_id, getattr(row, which)) for row in rows if getattr(row, which)]
        assert len(given) == len(set(given)) == 32
    for row in rows:
        assert not told_of(json.dumps([row.registration_number, row.archive_number]))
    counted: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        if row.registration_number:
            head, mark, serial = row.registration_number[:-7], row.registration_number[-7], row.registration_number[-6:]
            counted.setdefault((head, mark), []).append(int(serial))
            assert mark == ("X" if row.group_id else "NMJU"[row.level_rank - 1])
    for serials in counted.values():
        assert sorted(serials) == list(range(1, len(serials) + 1))
