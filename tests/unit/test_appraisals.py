"""Appraisals: what is due is judged by a panel; nothing is destroyed by one voice, and what is kept on has its day."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from archive.blocks import check_free
from archive.errors import ArchiveError, Blocked, Conflict, Ended, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity, Role
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Block,
    Category,
    Destruction,
    DestructionItem,
    HoldKind,
    Job,
    JobKind,
    JobState,
    LogClass,
    LogEntry,
    LogResult,
    MatterKind,
    ReadingRight,
    Record,
    Stop,
    Verdict,
)
from archive.model.leaving import AppraisalAdvice
from archive.purging import remove_records
from retention.appraising.concluding import digest_of
from retention.appraising.judging import Filter
from retention.appraising.listing import Chosen
from retention.appraising.saying_all import Saying, standing
from retention.appraising.verdicts import Said
from retention.board import Asked
from retention.holds import Wanted
from tests.factories import people
from tests.factories.retained import RetainedHouse, claimed, retained_house

DESTROY, KEEP, TRANSFER = Said(Verdict.DESTROY), Said(Verdict.KEEP, date(2040, 1, 1)), Said(Verdict.TRANSFER)
PANEL = ("张", "李", "王")
OLD: dict[str, Any] = {"drawn_up": "1990", "drawn_to": date(1990, 12, 31)}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RetainedHouse]:
    house = retained_house(tmp_path)
    house.schedule("A", house.house.category, term="D10")
    yield house
    house.house.db.close()


def due(made: RetainedHouse, count: int = 1, **more: Any) -> list[UUID]:
    keys = [made.house.add(f"件{at}", **OLD, **more) for at in range(1, count + 1)]
    return list(made.filed(*keys))


def begin(made: RetainedHouse, chosen: Chosen | None = None, who: Identity | None = None) -> UUID:
    acts = made.retention.appraisals
    return acts.listing.begin(who or made.house.archivist, "2026年到期档案鉴定", PANEL, "李", chosen or Chosen())


def row(made: RetainedHouse, key: UUID) -> Appraisal:
    with made.house.db.reading() as session:
        return session.get_one(Appraisal, key)


def opened(made: RetainedHouse) -> UUID:
    key = begin(made)
    made.retention.appraisals.listing.open(made.house.archivist, key, row(made, key).version)
    made.work()
    assert row(made, key).state is AppraisalState.OPEN
    return key


def say(made: RetainedHouse, key: UUID, records: list[UUID], said: Said, *who: Identity) -> None:
    for each in who:
        made.retention.appraisals.judging.say(each, key, records, said, "无保存价值")


def close(made: RetainedHouse, key: UUID) -> None:
    made.retention.appraisals.listing.close(made.house.colleague, key, row(made, key).version)
    made.work()


def item(made: RetainedHouse, key: UUID, record: UUID) -> AppraisalItem:
    with made.house.db.reading() as session:
        return session.get_one(AppraisalItem, (key, record))


def test_a_list_takes_what_is_due_and_nothing_else(made: RetainedHouse) -> None:
    house = made.house
    [old] = due(made)
    made.filed(house.add("未到期", drawn_up="2024", drawn_to=date(2024, 12, 31)))
    made.filed(house.add("无期限", **OLD, category=house.other))
    key = begin(made)
    with house.db.reading() as session:
        assert session.scalars(select(AppraisalItem.record_id)).all() == [old]
    assert row(made, key).number == "2026-0001"
    with pytest.raises(InvalidInput):  # it is on a list that runs already
        begin(made)


def test_all_but_these_are_left_out_by_hand(made: RetainedHouse) -> None:
    first, second = due(made, 2)
    key = begin(made)
    assert made.retention.appraisals.listing.leave_out(made.house.archivist, key, [second]) == 1
    with made.house.db.reading() as session:
        assert session.scalars(select(AppraisalItem.record_id)).all() == [first]


@pytest.mark.parametrize("act", ["file.read", "outside.register"])
def test_use_alone_proposes_nothing_and_what_was_used_lately_is_left_out(made: RetainedHouse, act: str) -> None:
    house, listing = made.house, made.retention.appraisals.listing
    read, unread = due(made, 2)
    made.filed(house.add("未到期", drawn_up="2024", drawn_to=date(2024, 12, 31)))
    with house.db.writing() as work:
        work.session.add(
            LogEntry(
                id=UUID(int=7), format=1, at=made.clock.now(), log_class=LogClass.RECORD, act=act,
                result=LogResult.DONE, actor="张", address="", record_id=read, hash=b"0" * 32,
            )
        )  # fmt: skip
        work.commit()
    assert listing.count(house.archivist, Chosen()) == 2
    assert listing.count(house.archivist, Chosen(unread_years=5)) == 1
    key = begin(made, Chosen(unread_years=5))
    assert item(made, key, unread)


def test_importance_narrows_what_is_due_by_what_a_person_or_the_category_says(made: RetainedHouse) -> None:
    house, listing = made.house, made.retention.appraisals.listing
    low, _unsaid, high = due(made, 3)

    def counts() -> list[int]:
        return [listing.count(house.archivist, Chosen(importance=step)) for step in (1, 2, 3)]

    with house.db.writing() as work:
        work.session.get_one(Record, low).importance = 1
        work.session.get_one(Record, high).importance = 3
        work.commit()
    assert counts() == [1, 1, 2]
    with house.db.writing() as work:
        for row in work.session.scalars(select(Category)):
            row.importance = 2
        work.commit()
    assert counts() == [1, 2, 3]
    made.filed(house.add("未到期", drawn_up="2024", drawn_to=date(2024, 12, 31), importance=1))
    assert counts() == [1, 2, 3]
    assert item(made, begin(made, Chosen(importance=1)), low)


@pytest.mark.parametrize(("panel", "chair"), [(("张", "李"), "张"), (PANEL, ""), (("张", "李", "无"), "张")])
def test_a_panel_is_three_known_people_with_a_chair(made: RetainedHouse, panel: tuple[str, ...], chair: str) -> None:
    due(made)
    with pytest.raises(InvalidInput):
        made.retention.appraisals.listing.begin(made.house.archivist, "鉴定", panel, chair, Chosen())


def test_an_officer_never_sits_on_a_panel_and_who_is_no_archivist_begins_none(made: RetainedHouse) -> None:
    due(made)
    with made.house.db.writing() as work:
        people.a_person(work.session, "审", roles=[Role.AUDIT_ADMIN])
        work.commit()
    with pytest.raises(InvalidInput):
        made.retention.appraisals.listing.begin(made.house.archivist, "鉴定", ("张", "李", "审"), "李", Chosen())
    with pytest.raises(NotAllowed):
        begin(made, who=made.house.staff)


def test_what_a_destruction_has_listed_meanwhile_leaves_the_list_as_it_is_opened(made: RetainedHouse) -> None:
    first, second = due(made, 2)
    key = begin(made)
    with made.house.db.writing() as work:  # begun while the list of the appraisal was being written
        other = Destruction(
            number="XH0", purpose="销毁", begun_by=made.house.archivist.person_id, begun_at=made.clock.now()
        )
        work.session.add(other)
        work.session.flush()
        work.session.add(DestructionItem(destruction_id=other.id, record_id=second, position=1))
        work.commit()
    made.retention.appraisals.listing.open(made.house.archivist, key, row(made, key).version)
    made.work()
    with made.house.db.reading() as session:
        assert session.scalars(select(AppraisalItem.record_id)).all() == [first]


def test_what_is_judged_is_not_lent_until_it_is_closed(made: RetainedHouse) -> None:
    [record] = due(made)
    key = opened(made)
    with made.house.db.reading() as session, pytest.raises(Blocked):
        check_free(session, record)
    say(made, key, [record], DESTROY, made.house.archivist, made.house.colleague)
    close(made, key)
    with made.house.db.reading() as session:
        check_free(session, record)
        [block] = session.scalars(select(Block)).all()
        assert block.ended_at is not None


def test_a_block_of_an_appraisal_is_not_ended_by_hand(made: RetainedHouse) -> None:
    due(made)
    opened(made)
    with made.house.db.reading() as session:
        block = session.scalars(select(Block.id)).one()
    with pytest.raises(NotAllowed):
        made.retention.appraisals.conclude._blocks.end(made.house.archivist, block, "要用")


def test_one_voice_never_destroys_and_a_second_opinion_takes_the_first_ones_place(made: RetainedHouse) -> None:
    [record] = due(made)
    key, house = opened(made), made.house
    say(made, key, [record], DESTROY, house.archivist)
    assert item(made, key, record).verdict is None
    say(made, key, [record], TRANSFER, house.colleague)
    assert item(made, key, record).verdict is None
    say(made, key, [record], DESTROY, house.colleague)
    assert item(made, key, record).verdict is Verdict.DESTROY
    say(made, key, [record], KEEP, house.colleague)
    assert item(made, key, record).verdict is None


def test_what_is_kept_on_has_its_new_day_which_no_recalculation_undoes(made: RetainedHouse) -> None:
    [record] = due(made)
    key, house = opened(made), made.house
    say(made, key, [record], KEEP, house.archivist)
    say(made, key, [record], Said(Verdict.KEEP, date(2036, 5, 1)), house.colleague)
    close(made, key)
    assert made.day(record) == date(2040, 1, 1)
    assert made.wrong() == []
    schedule = made.retention.schedules
    [standing] = schedule.every(house.archivist)
    made.change(standing.schedule.id, "A", house.category, term="D5")
    assert made.day(record) == date(2040, 1, 1)
    made.change(standing.schedule.id, "A", house.category, term="D60")
    assert made.day(record) == date(2051, 1, 1)
    assert made.wrong() == []
    assert "record.keep_on" in house.acts(record)


@pytest.mark.parametrize("how", ["hold", "matter", "kept_on"])
def test_what_is_kept_meanwhile_is_not_destroyed_at_the_close(made: RetainedHouse, how: str) -> None:
    house = made.house
    dossier, [record, other] = house.filled(2, **OLD)
    with house.db.writing() as work:
        work.session.get_one(type(house.row(dossier)), dossier).drawn_to = date(1990, 12, 31)
        work.commit()
    made.filed(record, other, dossier)
    key = opened(made)
    say(made, key, [record], DESTROY, house.archivist, house.colleague)
    if how == "hold":
        wanted = Wanted(HoldKind.DOSSIER, {"id": str(dossier)}, "诉讼", "证据", "法院", date(2030, 1, 1))
        made.retention.holds.place(house.archivist, wanted)
    elif how == "matter":
        made.retention.matters.open_of_record(house.archivist, dossier, MatterKind.LAWSUIT, "在诉")
    else:
        say(made, key, [other], KEEP, house.archivist, house.colleague)
    view = made.retention.appraisals.looks.items(house.archivist, key, Filter(), limit=10)
    assert next(each.stop for each in view if each.row.record_id == record) == {
        "hold": Stop.HELD, "matter": Stop.UNSETTLED, "kept_on": None
    }[how]  # fmt: skip
    close(made, key)
    found = item(made, key, record)
    assert found.verdict is None
    assert found.stopped == {"hold": Stop.HELD, "matter": Stop.UNSETTLED, "kept_on": Stop.UNDUE}[how]


def test_an_appraisal_is_closed_by_its_chair_alone_and_is_fixed_then(made: RetainedHouse) -> None:
    [record] = due(made)
    key, house, listing = opened(made), made.house, made.retention.appraisals.listing
    say(made, key, [record], DESTROY, house.archivist, house.colleague)
    with pytest.raises(NotAllowed):
        listing.close(house.archivist, key, row(made, key).version)
    with pytest.raises(Conflict):
        listing.close(house.colleague, key, 1)
    close(made, key)
    closed = row(made, key)
    assert (closed.state, closed.task) == (AppraisalState.CLOSED, None)
    with house.db.reading() as session:
        assert digest_of(session, closed)[0] == closed.digest
    with pytest.raises(Ended):
        say(made, key, [record], KEEP, house.archivist)
    with pytest.raises(Ended):
        listing.withdraw(house.archivist, key, closed.version, "误")


def test_what_was_said_in_a_withdrawn_one_does_not_count_and_its_records_are_free(made: RetainedHouse) -> None:
    [record] = due(made)
    key, house = opened(made), made.house
    say(made, key, [record], KEEP, house.archivist, house.colleague)
    made.retention.appraisals.listing.withdraw(house.archivist, key, row(made, key).version, "重新组织")
    made.work()
    assert row(made, key).state is AppraisalState.WITHDRAWN
    assert made.day(record) == date(2001, 1, 1)
    with house.db.reading() as session:
        check_free(session, record)
    begin(made)


def test_only_members_judge_and_only_what_they_are_cleared_for(made: RetainedHouse) -> None:
    house, judging = made.house, made.retention.appraisals.judging
    open_one, secret = due(made, 2)
    with house.db.writing() as work:
        work.session.get_one(type(house.row(secret)), secret).level_rank = 3
        for login in ("王",):
            person = work.session.scalars(select(people.Person).where(people.Person.login == login)).one()
            person.clearance = 1
        work.commit()
    key = opened(made)
    with pytest.raises(NotFound):
        say(made, key, [open_one], DESTROY, house.staff)
    with pytest.raises(NotFound):
        judging.say(house.branch, key, [secret], DESTROY, "无")
    shown = made.retention.appraisals.looks.items(house.branch, key, Filter(), limit=10)
    assert [each.row.record_id for each in shown] == [open_one]
    assert judging.say_all(house.branch, key, Filter(), DESTROY, "无") == 1


def test_files_are_disclosed_to_a_member_for_as_long_as_it_lasts(made: RetainedHouse) -> None:
    house, judging = made.house, made.retention.appraisals.judging
    [record] = due(made)  # of a category that the branch archivist has no grant on
    key = opened(made)

    def reads() -> bool:
        with house.db.reading() as session:
            return record in house.guard.seen(session, house.branch, [record])

    assert not reads()
    assert judging.disclose(house.branch, key, [record]) == 1
    assert judging.disclose(house.branch, key, [record]) == 0
    assert reads()
    assert "appraisal.disclose" in house.acts(record)
    with house.db.reading() as session:
        assert not session.scalars(select(ReadingRight)).one().copying
    close(made, key)
    assert not reads()


def asked(made: RetainedHouse) -> list[tuple[UUID, str]]:
    """Return the questions that wait for one outside the panel, as their list and their desk have them."""
    consulting = made.retention.appraisals.consulting
    with made.house.db.reading() as session:
        found = [(each.record.id, each.advice.question) for each in consulting.mine(made.house.staff, limit=9)]
        assert consulting.count(session, made.house.staff) == len(found)
    return found


def cleared(made: RetainedHouse, secret: UUID) -> None:
    """Let one outside the panel read to level 2, and make a record of level 3."""
    with made.house.db.writing() as work:
        work.session.get_one(Record, secret).level_rank = 3
        person = work.session.scalars(select(people.Person).where(people.Person.login == "赵")).one()
        person.clearance = 2
        work.commit()


def test_the_chair_alone_asks_one_outside_the_panel_who_reads_what_is_asked_of(made: RetainedHouse) -> None:
    house, consulting = made.house, made.retention.appraisals.consulting
    first, secret = due(made, 2)
    cleared(made, secret)
    key = opened(made)
    for who, error in ((house.archivist, NotAllowed), (house.staff, NotFound)):
        with pytest.raises(error):
            consulting.ask(who, key, [first], "赵", "业务上还用吗？")
    refusals: list[tuple[list[UUID], str, str, tuple[str, str]]] = [
        ([first], "赵", " ", ("question", "required")), ([first], " ", "问", ("person", "required")),
        ([first], "无此人", "问", ("person", "nobody")), ([first], "张", "问", ("person", "on_the_panel")),
        ([first, secret], "赵", "问", ("person", "reads_them_not")),
    ]  # fmt: skip
    for records, login, question, fault in refusals:
        with pytest.raises(InvalidInput) as refused:
            consulting.ask(house.colleague, key, records, login, question)
        assert [(each.field, each.code) for each in refused.value.faults] == [fault]
    with pytest.raises(NotFound):
        consulting.ask(house.colleague, key, [uuid4()], "赵", "问")
    assert asked(made) == []
    assert consulting.ask(house.colleague, key, [first], "赵", "业务上还用吗？") == 1
    assert asked(made) == [(first, "业务上还用吗？")]
    with pytest.raises(InvalidInput, match="consulted_already"):
        consulting.ask(house.colleague, key, [first], "赵", "再问")


def test_an_answer_from_outside_the_panel_stays_and_counts_in_no_verdict(made: RetainedHouse) -> None:
    house, consulting = made.house, made.retention.appraisals.consulting
    first, second = due(made, 2)
    key, chair = opened(made), house.colleague
    consulting.ask(chair, key, [first, second], "赵", "业务上还用吗？")
    say(made, key, [first], DESTROY, house.archivist)
    with pytest.raises(NotFound):
        consulting.answer(house.branch, key, first, "不用了")
    with pytest.raises(InvalidInput):
        consulting.answer(house.staff, key, first, " ")
    consulting.answer(house.staff, key, first, "还在用，请保留")
    with pytest.raises(InvalidInput, match="answered_already"):
        consulting.answer(house.staff, key, first, "改口")
    assert asked(made) == [(second, "业务上还用吗？")]
    assert item(made, key, first).verdict is None
    shown = {each.row.record_id: each for each in made.retention.appraisals.looks.items(chair, key, Filter(), limit=9)}
    assert [each.answer for each in shown[first].advice] == ["还在用，请保留"]
    assert [(each.answer, each.answered_at) for each in shown[second].advice] == [("", None)]
    cleared(made, second)
    assert asked(made) == [], "what they read no more is not shown to them, nor counted"
    with pytest.raises(NotFound):
        consulting.answer(house.staff, key, second, "晚了")
    assert {"appraisal.consult", "appraisal.advise"} <= set(house.acts(first))
    close(made, key)
    with pytest.raises(Ended):
        consulting.ask(chair, key, [first], "赵", "晚了")
    lines = {each.number: each.advised for each in made.retention.appraisals.reports.lines(chair, key)}
    assert lines[str(house.row(first).registration_number)] == [(house.staff.person_id, made.clock.now())]
    assert lines[str(house.row(second).registration_number)] == [(house.staff.person_id, None)]
    with house.db.writing() as work:
        remove_records(work.session, [first])
        assert work.session.scalars(select(AppraisalAdvice.record_id)).all() == [second]


def test_the_same_is_said_of_all_of_a_filter_and_counted(made: RetainedHouse) -> None:
    house, judging = made.house, made.retention.appraisals.judging
    records = due(made, 250)
    key = opened(made)
    say(made, key, records[:2], TRANSFER, house.archivist)
    with house.db.reading() as session:
        assert judging.count(session, house.archivist) == 248
    assert judging.say_all(house.archivist, key, Filter(todo=True), DESTROY, "到期无价值") == 248
    assert judging.say_all(house.colleague, key, Filter(), DESTROY, "同意") == 250
    view = made.retention.appraisals.looks.show(house.colleague, key)
    assert view.verdicts == {Verdict.DESTROY: 248, None: 2}
    assert (view.unjudged, view.chair, view.member) == (0, True, True)
    with house.db.reading() as session:
        assert judging.count(session, house.archivist) == 0


def said_later(made: RetainedHouse, *, held: int = 10**6) -> tuple[Outcome, dict[str, Any]]:
    """Do the job that says an opinion of many, which is lost after being asked ``held`` times; return what is left."""
    handler = made.retention.appraisals.say_all
    with made.house.db.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == JobKind.SAY_ALL)).one()
    left = iter([True] * held)
    claim = ClaimedJob(
        job.id, job.subject_id, job.payload, 1, uuid4(), lambda: next(left, False), requested_by=job.requested_by
    )  # fmt: skip
    outcome = handler.run([claim])[job.id]
    with made.house.db.reading() as session:
        return outcome, session.get_one(Job, job.id).payload


def test_an_opinion_of_many_is_said_by_a_job_that_goes_on_where_it_broke_off(made: RetainedHouse) -> None:
    house, acts = made.house, made.retention.appraisals
    acts.say_all.at_once = 100
    records = due(made, 250)
    key = opened(made)
    assert acts.say_all.ask(house.archivist, key, Filter(), DESTROY, "到期无价值") == (250, True)
    with pytest.raises(Conflict):
        acts.say_all.ask(house.archivist, key, Filter(), TRANSFER, "移交")
    with pytest.raises(Conflict):  # what is still being said would be lost
        acts.listing.close(house.colleague, key, row(made, key).version)
    outcome, left = said_later(made, held=2)
    assert outcome.state is JobState.QUEUED
    assert "到期无价值" not in str(left)
    with house.db.reading() as session:
        assert standing(session, house.archivist, key) == Saying(200, 250)
        assert standing(session, house.colleague, key) is None
    outcome, _ = said_later(made)
    assert outcome.state is JobState.DONE
    with house.db.reading() as session:
        assert acts.judging.count(session, house.archivist) == 0
    assert all(house.acts(each).count("appraisal.say") == 1 for each in (records[0], records[199], records[249]))


def test_a_few_are_said_at_once_and_nothing_is_said_once_the_appraisal_has_ended(made: RetainedHouse) -> None:
    house, acts = made.house, made.retention.appraisals
    acts.say_all.at_once = 2
    [first, *_] = due(made, 3)
    key = opened(made)
    say(made, key, [first], KEEP, house.archivist)
    assert acts.say_all.ask(house.archivist, key, Filter(todo=True), DESTROY, "到期无价值") == (2, False)
    with pytest.raises(InvalidInput):
        acts.say_all.ask(house.colleague, key, Filter(), DESTROY, " ")
    assert acts.say_all.ask(house.colleague, key, Filter(), DESTROY, "同意") == (3, True)
    acts.listing.withdraw(house.archivist, key, row(made, key).version, "误")
    outcome, left = said_later(made)
    assert (outcome.state, left) == (JobState.FAILED, {})


@pytest.mark.parametrize(
    ("said", "reason", "field"),
    [
        (DESTROY, " ", "reason"),
        (Said(Verdict.KEEP), "续存", "until"),
        (Said(Verdict.KEEP, date(2026, 3, 5)), "续存", "until"),
        (Said(Verdict.KEEP, date(2200, 1, 1)), "续存", "until"),
        (Said(Verdict.DESTROY, date(2040, 1, 1)), "无", "until"),
        (Said(Verdict.OPEN, date(2040, 1, 1)), "开放", "until"),
    ],
)
def test_an_opinion_names_what_it_lacks(made: RetainedHouse, said: Said, reason: str, field: str) -> None:
    [record] = due(made)
    key = opened(made)
    with pytest.raises(InvalidInput) as refused:
        made.retention.appraisals.judging.say(made.house.archivist, key, [record], said, reason)
    assert [each.field for each in refused.value.faults] == [field]


def test_a_job_that_breaks_off_goes_on(made: RetainedHouse) -> None:
    house = made.house
    records = due(made, 230)
    key = begin(made)
    made.retention.appraisals.listing.open(house.archivist, key, 1)
    conclude = made.retention.appraisals.conclude
    conclude.run([claimed(key, held=1)])
    assert row(made, key).state is AppraisalState.DRAFT
    with pytest.raises(ArchiveError):
        say(made, key, records[:1], DESTROY, house.archivist)
    conclude.run([claimed(key)])
    assert row(made, key).state is AppraisalState.OPEN
    with house.db.reading() as session:
        assert len(session.scalars(select(Block.id)).all()) == 230


def test_filters_of_the_board_make_the_list(made: RetainedHouse) -> None:
    house, listing = made.house, made.retention.appraisals.listing
    due(made, 2)
    made.filed(house.add("另一年", drawn_up="1991", drawn_to=date(1991, 12, 31)))
    assert listing.count(house.archivist, Chosen(Asked(year=2001))) == 2
    assert listing.count(house.archivist, Chosen(Asked(year=2002))) == 1
    assert listing.count(house.archivist, Chosen(Asked(category=house.other.id))) == 0
    assert listing.count(house.branch, Chosen()) == 0
