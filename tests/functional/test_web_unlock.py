"""A locked file is read with its password, which is kept nowhere; a wrong one changes nothing and is limited."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.log.writer import Log
from archive.model import Content, ContentState, Job, JobKind, LogEntry, PageText, TextState
from indexer.scanner import Verdict
from tests.factories.hostile_files import a_locked_pdf
from tests.factories.web_house import WebHouse, a_web_house
from tests.fakes.clock import FixedClock
from tests.functional.test_web_put_aside import post, with_file

PASSWORD = "Zx81-geheim-qv"  # plain letters: it would stand in JSON as it is


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def house(tmp_path: Path, clock: FixedClock) -> Iterator[WebHouse]:
    with a_web_house(tmp_path, clock=clock) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def standing(house: WebHouse) -> tuple[object, ...]:
    """Return all that an unlocking would change."""
    with house.services.db.reading() as session:
        row = session.scalars(select(Content)).one()
        index = session.scalars(select(Job.id).where(Job.kind == JobKind.INDEX)).all()
        log = session.scalars(select(LogEntry.id)).all()
        texts = session.scalars(select(PageText.sealed)).all()
    return row.state, row.text_state, row.text_version, row.reason, len(index), len(log), len(texts)


def test_the_right_password_gives_the_text_and_is_kept_nowhere(
    house: WebHouse, archivist: FlaskClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    record, content = with_file(house, archivist, a_locked_pdf(PASSWORD))
    assert "提供密码" in archivist.get(f"/records/{record}").text
    page = post(archivist, f"/files/{content}/unlock", record=record, password=PASSWORD)
    assert page.startswith("200")
    assert "已用密码读取文件" in page
    assert standing(house)[:2] == (ContentState.STORED, TextState.TEXT)
    assert "提供密码" not in page
    assert "/pages/1?" not in page, "no picture of it is asked for"
    viewer = archivist.get(f"/files/{content}/pages/1").text
    assert "密" in viewer
    assert "没有图像：文件有密码" in viewer
    assert "<img" not in viewer.split("<main", 1)[1].split("</main", 1)[0]
    assert archivist.get(f"/files/{content}").data == a_locked_pdf_as_sent(house, content), "the bytes stay locked"
    assert "用密码读取加锁文件" in archivist.get(f"/records/{record}/history").text
    assert "WY01-WYH" in post(archivist, "/records/file", record=record)
    secret = PASSWORD.encode()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()] == []
    assert PASSWORD not in caplog.text
    assert PASSWORD not in opened_log(house), "what is sealed is looked into"
    for each in Path("/proc").glob("[0-9]*"):
        assert secret not in shown(each / "cmdline") + shown(each / "environ")


def opened_log(house: WebHouse) -> str:
    log = Log(house.services.vault, house.clock)
    with house.services.db.reading() as session:
        bodies = log.opened_many(session, session.scalars(select(LogEntry)).all())
    assert any(body and body.get("name") == "合同.pdf" for body in bodies)
    return str(bodies)


def shown(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def a_locked_pdf_as_sent(house: WebHouse, _content: str) -> bytes:
    with house.services.db.reading() as session:
        row = session.scalars(select(Content)).one()
        key = house.services.vault.unlock(session, row.record_id)
    reader = key.content_reader(row.id, house.services.store, row.object_key, row.store_version or "")
    data = b"".join(reader.read())
    assert b"/Encrypt" in data
    return data


def test_a_wrong_password_changes_nothing_and_five_are_enough(
    house: WebHouse, archivist: FlaskClient, clock: FixedClock
) -> None:
    record, content = with_file(house, archivist, a_locked_pdf(PASSWORD))
    before = standing(house)
    for _ in range(5):
        page = post(archivist, f"/files/{content}/unlock", record=record, password="falsch-77")
        assert page.startswith("422")
        assert "不正确；没有任何变动" in page
        assert "falsch-77" not in page
    assert post(archivist, f"/files/{content}/unlock", record=record, password=PASSWORD).startswith("429")
    assert standing(house) == before
    clock.move(minutes=11)
    assert post(archivist, f"/files/{content}/unlock", record=record, password=PASSWORD).startswith("200")


class Watch:
    """A scanner that learned of a virus since the file came in."""

    def scan(self, _file: object) -> Verdict:
        return Verdict("Eicar-Test-Signature", "Watch 1/new")


def test_a_virus_found_on_the_way_is_told_and_kept(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_file(house, archivist, a_locked_pdf(PASSWORD))
    house.services.unlocking._reader._scanner = Watch()
    page = post(archivist, f"/files/{content}/unlock", record=record, password=PASSWORD)
    assert page.startswith("422")
    assert "发现病毒（Eicar-Test-Signature）" in page
    with house.services.db.reading() as session:
        row = session.scalars(select(Content)).one()
        acts = list(session.scalars(select(LogEntry.act).where(LogEntry.act == "file.infected")))
    assert (row.state, row.reason, row.virus) == (ContentState.QUARANTINED, "infected", "Eicar-Test-Signature")
    assert acts == ["file.infected"]
    assert "提供密码" not in archivist.get(f"/records/{record}").text


def test_only_who_may_decide_on_the_file_gives_a_password(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_file(house, archivist, a_locked_pdf(PASSWORD))
    before = standing(house)[:5]
    for login in ("clerk", "auditor"):
        reply = post(house.browser(login), f"/files/{content}/unlock", record=record, password=PASSWORD)
        assert reply.startswith(("403", "404")), reply[:300]
    assert standing(house)[:5] == before
    assert post(archivist, f"/files/{content}/unlock", record=record, password=PASSWORD).startswith("200")
    assert post(archivist, f"/files/{content}/unlock", record=record, password=PASSWORD).startswith("409")
