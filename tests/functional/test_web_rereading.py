"""The page on which files are read again: counted first, begun, stopped, gone on with, and what changed is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from archive.identity import Role
from archive.identity import system as set_up
from archive.jobs.runner import JobRunner
from archive.model import Content, Job, JobKind, RecordState, TextState
from archive.model.contents import Reread, RereadState
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of, token_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def unread(house: WebHouse, title: str) -> None:
    """Take in a file of which nothing was read."""
    own = house.services
    record = house.a_record(title=title, state=RecordState.PROVISIONAL)
    archivist = own.people.identity_of("archivist")
    content = own.intake.receive(archivist, record.id, "通知.txt", [b"x" * 10]).content_id
    with own.db.writing() as work:
        values = {"text_state": TextState.NO_TEXT, "reason": "unsupported", "media_type": "text/plain"}
        work.session.execute(update(Content).where(Content.id == content).values(values))
        work.session.execute(update(Job).where(Job.subject_id == content).values(state="done"))
        work.commit()


def test_files_are_counted_read_again_stopped_and_gone_on_with(house: WebHouse) -> None:
    unread(house, "旧通知")
    browser, acts = house.browser("system"), house.services.rereading
    assert "重新读取文件" in browser.get("/system").text
    page = browser.get("/system/rereading").text
    assert "还没有重新读取过文件" in page
    counted = browser.get("/system/rereading?text=no_text").text
    assert "选中 1 个文件" in counted
    assert "没有符合这些条件的文件" in browser.get("/system/rereading?kind=application/ofd").text
    begun = browser.post("/system/rereading", data={"csrf_token": token_on(counted), "text": "no_text"})
    at = begun.headers["Location"]
    assert "可以离开此页" in browser.get(at).text
    with house.services.db.writing() as work:  # its job failed for good
        work.session.execute(update(Job).where(Job.kind == JobKind.REREAD).values(state="failed"))
        work.commit()
    shown = browser.get(at).text
    assert ["已中断" in shown, ">继续<" in shown, 'http-equiv="refresh"' in shown] == [True, True, False]
    browser.post(f"{at}/go-on", data={"csrf_token": token_on(counted)})
    browser.post(f"{at}/stop", data={"csrf_token": token_on(counted)})
    assert "已停止" in browser.get(at).text
    runner = JobRunner(house.services.db, house.clock, [acts])
    assert runner.run(JobKind.REREAD) == 1
    with house.services.db.reading() as session:
        assert session.scalars(select(Job.id).where(Job.kind == JobKind.EXTRACT, Job.state == "queued")).all() == []
    browser.post(f"{at}/go-on", data={"csrf_token": token_on(counted)})
    runner.run(JobKind.REREAD)
    with house.services.db.writing() as work:  # as the reader would leave it
        work.session.execute(update(Content).values(text_state=TextState.TEXT, reason=None))
        work.session.execute(update(Job).where(Job.kind == JobKind.EXTRACT).values(state="done"))
        work.commit()
    house.clock.move(seconds=1)
    runner.drain()
    shown = browser.get(at).text
    assert "已完成" in shown
    with house.services.db.reading() as session:
        row = session.scalars(select(Reread)).one()
    assert (row.state, row.done, row.changes) == (RereadState.DONE, 1, {"no_text:unsupported\ttext": 1})
    assert browser.post(f"{at}/go-on", data={"csrf_token": token_on(counted)}).status_code == 409


def test_an_archivist_means_what_they_read_and_sees_their_own_runs_alone(house: WebHouse) -> None:
    unread(house, "通知")
    house.services.people.add_person(
        set_up("set-up"), login="narrow", name="n", password=PASSWORD, roles=[Role.ARCHIVIST]
    )
    assert "没有符合这些条件的文件" in house.browser("narrow").get("/system/rereading?text=no_text").text
    archivist, system = house.browser("archivist"), house.browser("system")
    page = archivist.get("/system/rereading?text=no_text").text
    assert "选中 1 个文件" in page
    sent = {"csrf_token": token_of(system), "text": "no_text"}
    theirs = system.post("/system/rereading", data=sent).headers["Location"]
    assert archivist.get(theirs).status_code == 404
    own = archivist.post("/system/rereading", data={"csrf_token": token_on(page)}).headers["Location"]
    assert system.get(own).status_code == 200
    for login in ("staff", "clerk", "security"):
        assert house.browser(login).get("/system/rereading").status_code == 403
        assert house.browser(login).get(own).status_code == 403
