"""Secrecy periods at the pages: kept from filing on, noticed ahead, reviewed, decided by another, and then done."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive import failpoints
from archive.failpoints import Injected
from archive.identity import Identity, Role, system
from archive.model import (
    Deadline,
    DeadlineState,
    Job,
    JobKind,
    Message,
    Person,
    Record,
    RecordKind,
    RecordOpening,
    RecordRelation,
    RecordSecrecy,
    RecordState,
    RelationKind,
    SecrecyOutcome,
    SecrecyReviewItem,
)
from retention.secrecy.rules import ends
from tests.factories.people import grants
from tests.factories.retained import claimed
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of


@contextmanager
def a_secrecy_house(folder: Path) -> Iterator[WebHouse]:
    """Yield a house whose levels have periods, with approvers."""
    with a_web_house(folder) as made:
        for login, clearance in (("approver", 4), ("low", 2)):
            made.services.people.add_person(
                system("set-up"), login=login, name=login, password=PASSWORD, roles=[Role.APPROVER]
            )
            with made.services.db.writing() as work:
                person = work.session.get_one(Person, made.services.people.identity_of(login).person_id)
                person.clearance = clearance
                grants(work.session, person, fonds=made.category.fonds_id)
                work.commit()
        for rank, years in ((4, 30), (3, 20), (2, 10)):
            made.services.retention.secrecy.set_level_period(who(made, "secrecy"), rank, years * 12)
        yield made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_secrecy_house(tmp_path) as made:
        yield made


def who(house: WebHouse, login: str) -> Identity:
    return house.services.people.identity_of(login)


def post(house: WebHouse, login: str, path: str, **data: Any) -> tuple[int, str]:
    browser = house.browser(login)
    reply = browser.post(path, data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def filed(house: WebHouse, title: str, level: int, **more: Any) -> UUID:
    known = {"drawn_up": "2024", "drawn_from": date(2024, 1, 1), "drawn_to": date(2024, 12, 31)}
    record = house.a_record(title=title, state=RecordState.PROVISIONAL, level=level, **known, **more)
    with house.services.db.writing() as work:
        work.session.get_one(Record, record.id).term = "D10"
        work.commit()
    [outcome] = house.services.filing.file(who(house, "archivist"), [record.id])
    assert outcome.reason is None
    return record.id


def kept(house: WebHouse, key: UUID) -> RecordSecrecy | None:
    with house.services.db.reading() as session:
        return session.get(RecordSecrecy, key)


def level(house: WebHouse, key: UUID) -> int:
    with house.services.db.reading() as session:
        return session.get_one(Record, key).level_rank


def marked(house: WebHouse, key: UUID, day: date, months: int) -> None:
    with house.services.db.reading() as session:
        version = session.get_one(Record, key).version
    house.services.retention.secrecy.set_period(who(house, "secrecy"), key, day, months, "原件标密日期", version)


def daily(house: WebHouse, subject: UUID | None = None) -> None:
    [keep] = [each for each in house.services.retention.handlers if each.kind is JobKind.SECRECY]
    keep.run([claimed(subject)])


def asked(house: WebHouse, *keys: UUID, **wish: Any) -> UUID:
    status, page = post(
        house, "secrecy", "/secrecy/reviews/new", records=",".join(map(str, keys)), reason="保密期限届满审核", **wish
    )
    assert status == 200, page
    found = re.search(r"/secrecy/reviews/([0-9a-f-]{36})/withdraw", page)
    assert found, page
    return UUID(found[1])


def decided(house: WebHouse, review: UUID, login: str = "approver", decision: str = "approve") -> int:
    return post(house, login, f"/secrecy/reviews/{review}/decide", decision=decision, reason="同意")[0]


def test_a_period_begins_with_filing_by_its_level_and_an_open_level_has_none(house: WebHouse) -> None:
    secret, opened = filed(house, "投标底价", 3), filed(house, "会议通知", 1)
    period = kept(house, secret)
    today = house.services.guard.day()
    assert period is not None
    assert (period.since, period.months, period.ends) == (today, 240, ends(today, 240))
    assert kept(house, opened) is None
    page = house.browser("secrecy").get(f"/records/{secret}").text
    assert ends(today, 240).isoformat() in page
    assert "投标底价" in house.browser("secrecy").get("/secrecy?which=runs").text
    assert "投标底价" not in house.browser("low").get("/secrecy?which=runs").text
    assert house.browser("staff").get("/secrecy").status_code == 403


def test_an_end_is_noticed_ahead_said_when_it_is_late_and_the_level_holds(house: WebHouse) -> None:
    key = filed(house, "投标底价", 3)
    today = house.services.guard.day()
    marked(house, key, date(today.year - 1, 1, 1), 12)
    assert "投标底价" in house.browser("secrecy").get("/secrecy").text
    daily(house)
    with house.services.db.reading() as session:
        [deadline] = session.scalars(select(Deadline))
        assert (deadline.due, deadline.record_id) == (date(today.year, 1, 1), key)
    house.services.telling.sweep.run()
    with house.services.db.reading() as session:
        told = set(session.scalars(select(Message.person_id)))
    assert who(house, "secrecy").person_id in told
    assert who(house, "low").person_id not in told
    assert level(house, key) == 3
    assert "已届满，尚未决定" in house.browser("secrecy").get(f"/records/{key}").text
    review = asked(house, key, verdict="extend", years="5")
    assert decided(house, review) == 200
    period = kept(house, key)
    assert period is not None
    assert period.ends == date(today.year + 5, 1, 1)
    with house.services.db.reading() as session:
        assert session.scalars(select(Deadline.state)).all() == [DeadlineState.MET]


def test_a_downgrade_waits_for_another_who_reads_it_and_then_holds_everywhere(house: WebHouse) -> None:
    key = filed(house, "投标底价", 3)
    assert post(house, "archivist", "/secrecy/reviews/new", records=str(key), verdict="lower", level="2", reason="x")[
        0
    ] == 403  # fmt: skip
    review = asked(house, key, verdict="lower", level="2")
    assert level(house, key) == 3
    assert decided(house, review, "secrecy") == 403
    assert decided(house, review, "low") == 404
    assert "投标底价" not in house.browser("low").get("/secrecy/reviews").text
    assert str(review) not in house.browser("low").get("/secrecy/reviews").text
    status, page = post(
        house, "secrecy", "/secrecy/reviews/new", records=str(key), verdict="lower", level="1", reason="again"
    )
    assert status == 422
    assert "审核尚未决定" in page
    assert "待您决定的密级审核" in house.browser("approver").get("/").text
    assert decided(house, review) == 200
    assert level(house, key) == 2
    period = kept(house, key)
    assert period is not None
    assert (period.level_rank, period.months) == (2, 120)
    assert "投标底价" in house.browser("low").get("/secrecy?which=runs").text
    assert decided(house, review) == 409
    with house.services.db.reading() as session:
        assert session.scalars(select(Job.kind).where(Job.subject_id == key, Job.kind == JobKind.INDEX)).first()


def test_a_refusal_changes_nothing_and_what_was_changed_meanwhile_is_left_alone(house: WebHouse) -> None:
    key = filed(house, "投标底价", 3)
    assert decided(house, asked(house, key, verdict="declassify", level="1"), decision="refuse") == 200
    assert level(house, key) == 3
    review = asked(house, key, verdict="declassify", level="1")
    with house.services.db.reading() as session:
        version = session.get_one(Record, key).version
    house.services.records.set_level(who(house, "secrecy"), key, 4, "升级", version)
    assert decided(house, review) == 200
    assert level(house, key) == 4
    with house.services.db.reading() as session:
        outcomes = session.scalars(select(SecrecyReviewItem.outcome).where(SecrecyReviewItem.review_id == review))
        assert outcomes.all() == [SecrecyOutcome.CHANGED]


def test_a_derived_text_is_issued_at_the_lower_level_and_the_original_stays(house: WebHouse) -> None:
    key = filed(house, "投标底价", 3, fields={"partner": "甲方机密"})
    review = asked(house, key, verdict="derive", level="2", years="3", title="投标工作情况")
    before = kept(house, key)
    assert decided(house, review) == 200
    assert level(house, key) == 3
    after = kept(house, key)
    assert before is not None
    assert after is not None
    assert before.ends is not None
    assert after.ends == ends(before.ends, 36)
    with house.services.db.reading() as session:
        [relation] = session.scalars(select(RecordRelation))
        derived = session.get_one(Record, relation.record_id)
        assert (relation.kind, relation.other_id) == (RelationKind.DERIVED_FROM, key)
        assert (derived.title, derived.level_rank, derived.state) == ("投标工作情况", 2, RecordState.PROVISIONAL)
        assert derived.fields == {}
    assert post(house, "secrecy", "/secrecy/reviews/new", records=str(key), verdict="derive", level="2", years="1",
                title="", reason="x")[0] == 422  # fmt: skip


def test_a_dossier_never_falls_below_what_it_holds_and_comes_down_with_it(house: WebHouse) -> None:
    dossier = filed(house, "招标案卷", 3, kind=RecordKind.DOSSIER)
    item = filed(house, "评标记录", 3)
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, item)
        row.dossier_id, row.position = dossier, 1
        work.commit()
    alone = asked(house, dossier, verdict="lower", level="2")
    assert decided(house, alone) == 200
    assert level(house, dossier) == 3
    assert decided(house, asked(house, dossier, item, verdict="lower", level="2")) == 200
    assert (level(house, dossier), level(house, item)) == (2, 2)


def test_many_are_done_by_a_job_that_goes_on_where_it_was_broken_off(house: WebHouse) -> None:
    keys = [filed(house, f"合同{n}", 2) for n in range(50)]
    status, page = post(house, "secrecy", "/secrecy/reviews/new", what="all", which="runs")
    assert status == 200
    records = re.search(r'name="records" value="([^"]+)"', page)
    assert records
    review = asked(house, *map(UUID, records[1].split(",")), verdict="declassify", level="1")
    assert decided(house, review) == 200
    done = sum(level(house, key) == 1 for key in keys)
    assert 0 < done < 50
    failpoints.arm("secrecy.part_done:raise")
    try:
        with pytest.raises(Injected):
            daily(house, review)
    finally:
        failpoints.arm("")
    assert sum(level(house, key) == 1 for key in keys) == done
    daily(house, review)
    assert all(level(house, key) == 1 for key in keys)
    assert all(kept(house, key) is None for key in keys)


def test_release_after_opening_appraisal_is_for_open_records_and_ends_when_one_is_marked_again(
    house: WebHouse,
) -> None:
    secret, plain = filed(house, "投标底价", 3), filed(house, "小区简介", 1)
    assert post(house, "secrecy", "/secrecy/reviews/new", records=str(secret), verdict="open", reason="开放")[0] == 422
    assert decided(house, asked(house, plain, verdict="open")) == 200
    assert "已开放" in house.browser("staff").get(f"/records/{plain}").text
    with house.services.db.reading() as session:
        version = session.get_one(Record, plain).version
    house.services.records.set_level(who(house, "secrecy"), plain, 2, "补标密", version)
    with house.services.db.reading() as session:
        assert session.get(RecordOpening, plain) is None
    other = filed(house, "业主名册", 1)
    until = house.services.guard.day() + timedelta(days=3650)
    assert decided(house, asked(house, other, verdict="control", until=until.isoformat())) == 200
    assert until.isoformat() in house.browser("secrecy").get(f"/records/{other}").text


def test_what_stood_before_gets_its_period_by_the_daily_job(house: WebHouse) -> None:
    key = filed(house, "旧密件", 4)
    with house.services.db.writing() as work:
        work.session.delete(work.session.get_one(RecordSecrecy, key))
        work.commit()
    daily(house)
    period = kept(house, key)
    assert period is not None
    assert period.months == 360


def test_the_periods_of_levels_are_changed_by_whoever_manages_levels_and_bad_input_names_its_field(
    house: WebHouse,
) -> None:
    assert post(house, "archivist", "/secrecy/periods", **{"level-4": "25"})[0] == 403
    key = filed(house, "旧密件", 4)
    status, _page = post(house, "secrecy", "/secrecy/periods", **{"level-4": "25", "level-3": "20", "level-2": "10"})
    assert status == 200
    later = filed(house, "新密件", 4)
    assert [period.months for period in (kept(house, key), kept(house, later)) if period] == [360, 300]
    assert post(house, "secrecy", "/secrecy/periods", **{"level-3": "20", "level-2": "10"})[0] == 422
    status, page = post(house, "secrecy", "/secrecy/reviews/new", records=str(key), verdict="extend", reason="x")
    assert status == 422
    assert 'id="fault-months"' in page
