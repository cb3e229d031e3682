"""What is left behind: logs, jobs, index and page text hold no secret word and no personal number in plain."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from archive.errors import SignInFailed
from archive.identity import Role
from archive.model import IssuedNumber, LogEntry, RecordState
from archive.policy.rules import Act
from indexer.pagetext import load_pages
from tests.factories.secrets_house import OPERATOR, SECRET, SecretsHouse, a_secrets_house, word
from tests.factories.web_house import PASSWORD, token_of

IDENTITY, PHONE, CARD, LINE = "11010519491231002X", "13812345678", "6228481234567890123", "02087654321"
OTHER_IDENTITY = "110101199003070134"
HEADS = (
    "id", "at", "log_class", "act", "result", "actor", "person_id", "operator", "address", "record_id", "subject_id",
)  # fmt: skip


def luhn(number: str) -> str:
    """Return the number with its right last digit."""
    for last in "0123456789":
        digits = [int(one) for one in number[:-1] + last][::-1]
        if sum(d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits)) % 10 == 0:
            return number[:-1] + last
    raise AssertionError(number)


def checked(number: str) -> str:
    """Return an identity number with its right last sign."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return number[:17] + "10X98765432"[sum(w * int(d) for w, d in zip(weights, number, strict=False)) % 11]


NUMBERS = (IDENTITY, PHONE, luhn(CARD), LINE, checked(OTHER_IDENTITY))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretsHouse]:
    """A house with one record that holds personal numbers everywhere, and one hidden one."""
    with a_secrets_house(tmp_path_factory.mktemp("traces")) as made:
        made.add_person("reader", clearance=2, fonds="WA")
        made.add_person("clerk", [Role.CLERK], 1)
        made.add_person("archivist", [Role.ARCHIVIST], 2, "WA")
        made.add_person("auditor", [Role.AUDIT_ADMIN])
        identity, phone, card, line, broken = NUMBERS
        told = {
            "title": f"业主 {word(1, 'ti')} 电话{phone}",
            "notes": f"身份证\r\n{broken[:9]}\r\n{broken[9:]} 卡 {card}",
            "keywords": (identity,),
            "fields": {"owner": word(1, "pf"), "phone": line, "identity": identity, "partner": f"联系 {phone}"},
        }
        made.add_records({1: made.draft(1, level_rank=1, **told)}, RecordState.PROVISIONAL, files=False)
        spaced = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
        body = f"住户登记 {identity} 电话 138 1234 5678，卡号 {spaced}。"
        got = made.parts.intake.receive(OPERATOR, made.records[1], f"{phone}.txt", [body.encode()])
        made.contents[1] = [got.content_id]
        made.parts.filing.file(OPERATOR, [made.records[1]])
        made.add_records({4: made.draft(4, level_rank=4)}, RecordState.FILED)
        made.add_records({5: made.draft(5, level_rank=1)}, RecordState.PROVISIONAL)
        made.work()
        yield made


def dump(house: SecretsHouse, table: str, columns: str = "*") -> str:
    """Return a table's rows as text; sealed bytes as they lie there."""
    with house.parts.db.engine.connect() as connection:
        return str([tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))])  # noqa: S608


def test_numbers_are_found_whole_and_never_in_part(house: SecretsHouse) -> None:
    reader, search = house.who("reader"), house.parts.search
    given = f"{house.row(1).archive_number} {house.row(1).registration_number}"
    for number in NUMBERS:
        assert search.search(reader, number).total == 1, number
        for size in (3, 5, 8, len(number) - 1):
            for start in range(0, len(number) - size + 1, 2):
                part = number[start : start + size]
                if part in given:
                    continue
                for query in (part, f"{part}*", f'"{part}"', f"text:{part}", f"person:{part}*", f"notes:{part}"):
                    assert search.search(reader, query, passages=False).total == 0, query


def test_page_text_and_passages_hold_no_number(house: SecretsHouse) -> None:
    parts = house.parts
    with parts.db.reading() as session:
        pages = list(load_pages(session, parts.vault, house.records[1], house.contents[1][0]))
    passages = parts.search.search(house.who("reader"), "住户登记").hits[0].passages
    for shown in [*(page.text for page in pages), *(passage.text for passage in passages)]:
        assert not any(sign.isdigit() for sign in shown), shown
    page = house.browser("reader").get(f"/files/{house.contents[1][0]}/pages/1").text
    assert not any(number in page.partition('class="page-text"')[2] for number in NUMBERS)  # above: the file's name


def test_the_index_holds_neither_numbers_nor_sentences(house: SecretsHouse) -> None:
    files = [path for path in (house.parts.settings.home / "index").rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        for number in NUMBERS:
            assert number.encode() not in data, path.name
            assert number[:8].encode() not in data, path.name


def test_a_number_on_a_record_and_in_its_history_is_masked(house: SecretsHouse) -> None:
    record, client = house.records[1], house.browser("reader")
    house.add_records({6: house.draft(6, level_rank=1)}, RecordState.PROVISIONAL, files=False)
    changed = {"fields": {"owner": "某", "phone": PHONE, "identity": IDENTITY, "partner": "乙"}}
    house.parts.records.describe(OPERATOR, house.records[6], changed, house.row(6).version)
    pages = [client.get(f"/records/{record}").text.partition("<dl>")[2]]
    pages.append(house.browser("archivist").get(f"/records/{house.records[6]}/history").text)
    assert "138****5678" in pages[1]
    assert LINE not in pages[0]
    assert IDENTITY not in pages[0].replace(IDENTITY, "", 1)  # the keyword is as it was typed; the field is masked
    for number in NUMBERS[:2]:
        assert number not in pages[1]


def test_nothing_secret_lies_in_the_plain_of_log_jobs_and_fences(house: SecretsHouse) -> None:
    token = house.parts.people.issue_token(OPERATOR, "reader", word(9, "tk"), 1)
    house.parts.search.search(house.who("reader"), f"{word(1, 'ti')} {PHONE}")
    for login, password in (("reader", word(9, "pw")), (word(9, "lo"), "x"), ("reader\r\n2026 root", "x")):
        with pytest.raises(SignInFailed):
            house.parts.people.sign_in(login, password, "192.0.2.9\r\nforged", word(9, "ua"))
    house.browser("reader").get(f"/records/{house.records[4]}")
    house.browser("reader").get(f"/number?n={word(9, 'nu')}")
    plain = [dump(house, "log_entry", ",".join(HEADS))]
    plain += [dump(house, table) for table in ("log_unsealed", "job", "fence", "sign_in_failures", "api_token")]
    for shown in plain[:-1]:
        assert not SECRET.search(shown)
        assert PASSWORD not in shown
        assert not any(number in shown for number in NUMBERS)
    assert token not in plain[-1]
    heads = dump(house, "log_entry", "actor, operator, address")
    assert "\\r" not in heads
    assert "\\n" not in heads
    whole = dump(house, "log_entry")
    assert not SECRET.search(whole)
    assert PHONE not in whole


def test_refused_acts_are_in_the_log_as_done_ones_are(house: SecretsHouse) -> None:
    def refused(act: Act) -> int:
        with house.parts.db.reading() as session:
            return session.query(LogEntry).filter_by(act=act.value, result="refused").count()

    clerk, hidden = house.browser("clerk"), house.records[4]
    before = {act: refused(act) for act in (Act.FILE, Act.READ, Act.SEE, Act.BIN, Act.SET_LEVEL, Act.READ_LOG)}
    token = token_of(clerk)
    clerk.post("/records/file", data={"csrf_token": token, "record": [str(hidden), str(house.records[5])]})
    clerk.get(f"/records/{hidden}")
    clerk.get(f"/files/{house.contents[4][0]}")
    clerk.post(f"/records/{hidden}/bin", data={"csrf_token": token, "version": "1"})
    clerk.post(f"/records/{hidden}/level", data={"csrf_token": token, "version": "1", "level": "1", "reason": "x"})
    clerk.get("/log")
    for act, count in before.items():
        assert refused(act) > count, act


def test_looking_for_what_is_hidden_and_what_is_absent_leaves_the_same_traces(house: SecretsHouse) -> None:
    def entries() -> int:
        with house.parts.db.reading() as session:
            return session.query(LogEntry).count()

    client, hidden = house.browser("reader"), house.row(4)
    nowhere = "01890000-0000-7000-8000-000000000000"
    for there, absent in (
        (f"/records/{hidden.id}", f"/records/{nowhere}"),
        (f"/number?n={hidden.archive_number}", "/number?n=WA-9999"),
        (f"/files/{house.contents[4][0]}", f"/files/{nowhere}"),
        (f"/files/{house.contents[4][0]}/pages/1", f"/files/{nowhere}/pages/1"),
        (f"/records/{hidden.id}/history", f"/records/{nowhere}/history"),
    ):
        written = []
        for path in (there, absent):
            before = entries()
            assert client.get(path).status_code == 404
            written.append(entries() - before)
        assert written == [1, 1], there


def test_a_number_that_a_hidden_record_of_another_fonds_has_too_still_opens_ones_own(house: SecretsHouse) -> None:
    number = house.row(1).archive_number
    hidden = house.records[4]
    with house.parts.db.writing() as work:
        work.session.add(IssuedNumber(fonds_id=house.fonds["WB"], number=number or "", record_id=hidden))
        work.commit()
    reply = house.browser("reader").get("/number", query_string={"n": number})
    assert reply.location == f"/records/{house.records[1]}"


def test_an_error_of_the_database_tells_the_process_log_no_value(
    house: SecretsHouse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        with house.parts.db.engine.begin() as connection:
            connection.execute(text("INSERT INTO fonds (code) VALUES (:title)"), {"title": word(9, "ti")})

    monkeypatch.setattr(type(house.parts.reader), "show", broken)
    with caplog.at_level(logging.ERROR):
        reply = house.browser("reader").get(f"/records/{house.records[1]}")
    assert reply.status_code == 500
    assert "IntegrityError" in caplog.text
    assert "zq" not in caplog.text + reply.text


def test_the_database_file_holds_no_protected_field_and_no_file_in_plain(house: SecretsHouse) -> None:
    path = Path(house.parts.settings.database_url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    for secret in (word(1, "pf"), word(4, "pf"), word(4, "tx"), LINE):
        assert secret.encode() not in data
    for stored in (house.parts.settings.home / "objects").rglob("*"):
        if stored.is_file():
            assert b"zq004" not in stored.read_bytes()
    assert json.dumps(word(4, "ti")).strip('"').encode() in data  # titles are columns, as the design says
