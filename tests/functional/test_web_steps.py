"""The way into custody: counts and lateness on the board, deadlines of categories, many filed in one act."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from archive.filing.deadlines import Deadline, overdue
from archive.filing.steps import AT, Step, Which
from archive.model import Category, CountedFrom, Job, JobState, Medium, Record, RecordState
from tests.factories import records as rows
from tests.factories.web_house import WebHouse, a_web_house, token_of

DAYS = [date(2024, 1, 1), date(2024, 2, 29), date(2024, 12, 31), date(2025, 3, 31), date(2025, 12, 30)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def post(client: FlaskClient, path: str, **data: object) -> str:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return f"{reply.status_code} {reply.text}"


def confirmed(page: str) -> dict[str, str]:
    """Return what the form of a question sends when its button is pressed."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.split("<main")[1]))
    del fields["csrf_token"]
    return {name: unescape(value) for name, value in fields.items()}


def waits_first_and_is_dropped(house: WebHouse, record: UUID) -> None:
    """Have a draft wait before all others, and drop it for a while."""
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, record)
        row.created_at, row.state = row.created_at - timedelta(days=9_000), RecordState.BINNED
        work.commit()


def states(house: WebHouse, *records: UUID) -> list[RecordState]:
    with house.services.db.reading() as session:
        return [session.get_one(Record, each).state for each in records]


def a_draft(house: WebHouse, title: str, day: date | None = date(2000, 5, 1)) -> UUID:
    record = house.a_record(title=title, level=1)
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, record.id)
        row.state, row.term, row.medium = RecordState.PROVISIONAL, "D10", Medium.ELECTRONIC
        row.drawn_from = row.drawn_to = day
        row.drawn_up = day.isoformat() if day else None
        work.commit()
    return record.id


@pytest.mark.parametrize("start", CountedFrom)
@pytest.mark.parametrize("days", [0, 1, 30, 366])
@pytest.mark.parametrize("today", DAYS)
def test_the_database_and_the_page_agree_on_what_is_late(start: CountedFrom, days: int, today: date) -> None:
    deadline = Deadline(days, start, UUID(int=1))
    for ordinal in range(today.toordinal() - 800, today.toordinal() + 3):
        drawn = date.fromordinal(ordinal)
        assert (drawn <= deadline.newest_late(today)) == (overdue(deadline, drawn, today) > 0), drawn


def test_what_is_late_is_said_with_its_days_and_many_are_filed_in_one_act(
    house: WebHouse, archivist: FlaskClient
) -> None:
    ready = [a_draft(house, f"待登记{at}") for at in range(3)]
    undated = a_draft(house, "没有日期的草稿", None)
    key = str(house.category.id)
    assert post(house.browser("clerk"), "/steps/deadlines", category=key).startswith("403")
    wrong = post(archivist, "/steps/deadlines", **{"category": key, f"days-{key}": "99999", f"version-{key}": "0"})
    assert wrong.startswith("422")
    kept = post(
        archivist,
        "/steps/deadlines",
        **{"category": key, f"days-{key}": "30", f"from-{key}": "drawn_up", f"version-{key}": "0"},
    )
    assert "设定了 1 个期限" in kept
    board = archivist.get("/steps?step=received&late=1").text
    assert ["待登记0" in board, "没有日期的草稿" in board, "逾期" in board] == [True, False, True]
    assert "逾期未归档" in archivist.get("/").text
    whole = {"all": "1", "step": "received", "category": key}
    asked = post(archivist, "/steps/file", **whole)
    who = house.services.people.identity_of("archivist")
    there = house.services.steps.at(who, Step.RECEIVED, Which(category_id=house.category.id), limit=1_000)
    told = [f"将归档 {len(there)} 件" in asked, "不能撤回" in asked, there[0].record.title in asked]
    assert told == [True] * 3
    assert re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", asked)[:2] == [
        ("所在步骤", "已收到，待整理"),
        ("类目", f"{house.category.code} {house.category.names['zh_CN']}"),
    ]
    house.file_many()
    with house.services.db.reading() as session:
        states = {session.get_one(Record, each).state for each in ready}
    assert states == {RecordState.PROVISIONAL}, "though nobody said yet that it is meant"
    assert "停止" in post(archivist, "/steps/file", **confirmed(asked))
    house.file_many()
    with house.services.db.reading() as session:
        assert {session.get_one(Record, each).state for each in ready} == {RecordState.FILED}
        states = {each: session.get_one(Record, each).state for each in (undated,)}
    counts = house.services.steps.counts(who, Which(), most=1_000)
    assert counts[Step.SHELVED][0] >= 3
    assert states[undated] in {RecordState.FILED, RecordState.PROVISIONAL}


def test_all_of_a_step_means_those_that_were_asked_about_and_none_that_came_since(house: WebHouse) -> None:
    archivist, whole = house.browser("archivist"), {"all": "1", "step": "received", "late": ""}
    meant = [a_draft(house, f"问过的{at}") for at in range(2)]
    asked = post(archivist, "/steps/file", **whole)
    late = a_draft(house, "后来的")
    assert "停止" in post(archivist, "/steps/file", **confirmed(asked))
    house.file_many()
    assert states(house, *meant, late) == [RecordState.FILED, RecordState.FILED, RecordState.PROVISIONAL]
    again = post(archivist, "/steps/file", **confirmed(asked))  # back in the browser, and pressed once more
    assert "停止" not in again
    house.file_many()
    assert states(house, late) == [RecordState.PROVISIONAL]


def test_all_of_a_step_is_asked_about_again_where_there_are_more_than_was_said(house: WebHouse) -> None:
    archivist, whole = house.browser("archivist"), {"all": "1", "step": "received", "late": ""}
    early, other = (a_draft(house, f"又来的{at}") for at in range(2))
    waits_first_and_is_dropped(house, early)
    asked = post(archivist, "/steps/file", **whole)
    with house.services.db.writing() as work:
        work.session.get_one(Record, early).state = RecordState.PROVISIONAL
        work.commit()
    for said, told in (({**whole, "sure": "1"}, False), (confirmed(asked), True)):
        again = post(archivist, "/steps/file", **said)
        assert [again.startswith("422"), "又有变化" in again, "又来的0" in again] == [True, told, True]
    house.file_many()
    assert states(house, early, other) == [RecordState.PROVISIONAL] * 2
    assert "停止" in post(archivist, "/steps/file", **confirmed(again))
    house.file_many()
    assert states(house, early, other) == [RecordState.FILED] * 2


def test_all_of_a_step_is_asked_about_again_where_one_came_back_in_the_place_of_another(house: WebHouse) -> None:
    archivist, whole = house.browser("archivist"), {"all": "1", "step": "received", "late": ""}
    back, gone = (a_draft(house, f"换了的{at}") for at in range(2))
    waits_first_and_is_dropped(house, back)
    asked = post(archivist, "/steps/file", **whole)
    with house.services.db.writing() as work:
        work.session.get_one(Record, back).state = RecordState.PROVISIONAL
        work.session.get_one(Record, gone).state = RecordState.BINNED
        work.commit()
    again = post(archivist, "/steps/file", **confirmed(asked))
    assert [again.startswith("422"), "又有变化" in again, "换了的0" in again] == [True] * 3
    house.file_many()
    assert states(house, back) == [RecordState.PROVISIONAL]


def test_who_files_nothing_is_refused_before_all_of_a_step_is_asked_about(house: WebHouse) -> None:
    a_draft(house, "别人归档的")
    refused = post(house.browser("clerk"), "/steps/file", all="1", step="received")
    assert [refused.startswith("403"), "别人归档的" in refused] == [True, False]


def test_a_run_names_each_refused_record_with_its_reason_and_belongs_to_who_began_it(
    house: WebHouse, archivist: FlaskClient
) -> None:
    good, back = a_draft(house, "可以登记"), a_draft(house, "已退回的")
    post(archivist, f"/records/{back}/send-back", reason="缺附件")
    reply = archivist.post(
        "/steps/file",
        data={"csrf_token": token_of(archivist), "record": [str(good), str(back)]},
    )
    house.file_many()
    page = archivist.get(reply.location).text
    assert ["登记了 1 / 2" in page, "已退回的" in page, "重新移交后才能登记" in page] == [True] * 3
    labels = archivist.get(re.findall(r'href="(/labels[?][^"]+)"', page)[0].replace("&amp;", "&")).text
    with house.services.db.reading() as session:
        number = session.get_one(Record, good).archive_number
    assert re.findall(r'name="record" value="([^"]*)" checked aria-label="([^"]*)"', labels) == [(str(good), number)]
    assert house.browser("clerk").get(f"/labels?run={reply.location.rpartition('/')[2]}").status_code == 404
    assert house.browser("clerk").get(reply.location).status_code == 404
    way = archivist.get(f"/records/{good}").text
    assert way.count('<li class="done">') == 5, "what is filed by itself, without a dossier, has taken every step"


def test_records_of_one_moment_come_once_each_on_the_pages_of_a_step(house: WebHouse) -> None:
    made = [a_draft(house, f"同一时刻{at}") for at in range(5)]
    with house.services.db.writing() as work:
        rows_ = [work.session.get_one(Record, key) for key in made]
        for row in rows_:
            row.created_at = rows_[0].created_at
        work.commit()
    who = house.services.people.identity_of("archivist")
    found: list[UUID] = []
    place = None
    while page := house.services.steps.at(who, Step.RECEIVED, Which(), after=place, limit=2):
        found += [each.record.id for each in page]
        place = (page[-1].record.created_at, page[-1].record.id)
        assert len(found) == len(set(found))
    assert set(made) <= set(found)


def test_a_record_that_cannot_be_opened_holds_up_no_other(house: WebHouse, archivist: FlaskClient) -> None:
    one, spoilt, two = (a_draft(house, f"同批{at}") for at in range(3))
    with house.services.db.writing() as work:
        work.session.get_one(Record, spoilt).sealed_fields = b"spoilt"
        work.commit()
    reply = archivist.post(
        "/steps/file", data={"csrf_token": token_of(archivist), "record": [str(one), str(spoilt), str(two)]}
    )
    house.file_many()
    page = archivist.get(reply.location).text
    assert ["登记了 2 / 3" in page, "同批1" in page] == [True, True]


def test_a_run_that_broke_off_or_was_stopped_goes_on(house: WebHouse, archivist: FlaskClient) -> None:
    waiting = [a_draft(house, f"接着登记{at}") for at in range(2)]
    where = archivist.post(
        "/steps/file", data={"csrf_token": token_of(archivist), "record": [str(each) for each in waiting]}
    ).location
    run = UUID(where.rsplit("/", 1)[1])
    assert ">继续<" not in archivist.get(where).text
    with house.services.db.writing() as work:  # its job failed for good
        work.session.execute(update(Job).where(Job.subject_id == run).values(state=JobState.FAILED))
        work.commit()
    shown = archivist.get(where).text
    assert ["中断" in shown, 'http-equiv="refresh"' in shown] == [True, False]
    assert post(house.browser("clerk"), f"{where}/go-on").startswith("404")
    assert "停止" in post(archivist, f"{where}/go-on")
    assert "已停止" in post(archivist, f"{where}/stop")
    assert "已停止" not in post(archivist, f"{where}/go-on"), "though the batch under way is not at its end"
    assert "已停止" in post(archivist, f"{where}/stop")
    house.file_many()
    with house.services.db.reading() as session:
        assert {session.get_one(Record, each).state for each in waiting} == {RecordState.PROVISIONAL}
    post(archivist, f"{where}/go-on")
    with house.services.db.writing() as work:  # meanwhile someone filed one, long before the run
        row = work.session.get_one(Record, waiting[0])
        row.state, row.filed_at = RecordState.FILED, row.created_at - timedelta(days=1)
        work.commit()
    house.file_many()
    page = archivist.get(where).text
    assert ["登记了 1 / 2" in page, "接着登记0" in page] == [True, True]
    post(archivist, f"{where}/go-on")
    assert "登记了 1 / 2" in archivist.get(where).text
    house.services.filing_many.sweep(house.clock.now() + timedelta(days=1))
    assert archivist.get(where).status_code == 404


def test_every_record_stands_at_one_step(house: WebHouse) -> None:
    a_draft(house, "又一份")
    with house.services.db.writing() as work:
        category = work.session.get_one(Category, house.category.id)
        for medium in Medium:
            row = rows.a_record(work.session, category, level=1)
            row.medium = medium
        work.session.flush()
        at = [set(work.session.scalars(Record.__table__.select().with_only_columns(Record.id).where(each)))
              for each in AT.values()]  # fmt: skip
        standing = set(
            work.session.scalars(
                Record.__table__.select().with_only_columns(Record.id).where(
                    Record.state.in_((RecordState.PROVISIONAL, RecordState.FILED))
                )
            )
        )  # fmt: skip
    assert sum(map(len, at)) == len(standing)
    assert set().union(*at) == standing
