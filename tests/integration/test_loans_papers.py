"""Papers with people without a loan, and what waits: one at a time, by rule, and reminded of."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, event, select

from archive.approving import routes
from archive.errors import Ended, InvalidInput, NotAllowed, NotFound, OwnRequest
from archive.loans.asking import Wish
from archive.loans.counter import Seen
from archive.loans.papers import AtCounter
from archive.loans.rules import SHIPPED
from archive.loans.slips import Slip
from archive.loans.standing import availability
from archive.loans.watches import loan_watches
from archive.model import (
    AccessGrant,
    ApprovalState,
    Copy,
    CopyCondition,
    Deadline,
    DeadlineKind,
    DeadlineState,
    Harm,
    LoanForm,
    LoanState,
    Message,
    Person,
    RuleBook,
    Stop,
)
from archive.reminding.deadlines import DueBoard, DueSweep
from archive.reminding.messages import Messages
from archive.shelving.rules import check_not_lent
from retention.last_check import stops
from tests.factories.lending import LendingHouse, a_lending_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LendingHouse]:
    with a_lending_house(tmp_path) as made:
        yield made


def faults(caught: pytest.ExceptionInfo[InvalidInput]) -> dict[str, str]:
    return {each.field: each.code for each in caught.value.faults}


def told(house: LendingHouse, topic: str) -> set[UUID]:
    """Run the reminders, and return who was told of a topic so far."""
    DueSweep(
        house.db, house.guard, house.log, Messages(house.db, house.guard), loan_watches(house.guard)
    ).run()  # fmt: skip
    with house.db.reading() as session:
        return set(session.scalars(select(Message.person_id).where(Message.topic == topic)))


def slip(house: LendingHouse, *receivers: str, days: int = 5) -> Slip:
    return Slip("传阅", "全文", house.guard.day() + timedelta(days=days), receivers)


def copy_of(house: LendingHouse, record: UUID) -> Copy:
    with house.db.reading() as session:
        return session.scalars(select(Copy).where(Copy.record_id == record)).one()


def test_a_paper_that_goes_round_is_with_one_after_the_other(house: LendingHouse) -> None:
    rounds, record = house.lending.rounds, house.record()
    key = rounds.begin(house.who["archivist"], record, slip(house, "staff", "low"))
    assert copy_of(house, record).holder_id == house.person("archivist")
    with pytest.raises(NotAllowed):
        rounds.sign(house.who["low"], key)
    rounds.sign(house.who["staff"], key)
    assert copy_of(house, record).holder_id == house.person("staff")
    with pytest.raises(NotAllowed):
        rounds.sign(house.who["staff"], key)
    with pytest.raises(NotFound):
        rounds.sign(house.who["staff2"], key)
    rounds.sign(house.who["low"], key)
    with house.db.reading() as session, pytest.raises(InvalidInput) as refused:
        check_not_lent(session, copy_of(house, record))
    assert faults(refused) == {"copy": "is_with_people"}
    loan = house.decide("archivist", house.ask("staff2", record))
    with pytest.raises(InvalidInput) as refused:
        house.issue(loan)
    assert faults(refused) == {"record": "no_copy"}
    assert rounds.take_back(house.who["archivist"], key, AtCounter(pages=11))
    with pytest.raises(Ended):
        rounds.take_back(house.who["archivist"], key)
    house.issue(loan)


def test_a_slip_is_refused_where_others_decide_or_someone_does_not_read(house: LendingHouse) -> None:
    begin, archivist = house.lending.rounds.begin, house.who["archivist"]
    for level, receivers, days, said in (
        (2, ("staff",), 5, {"record": "needs_a_loan"}),
        (4, ("staff",), 5, {"record": "stays"}),
        (1, ("nobody",), 5, {"receivers": "unknown_person"}),
        (1, ("security",), 5, {"receivers": "reads_not"}),
        (1, ("staff", "Staff "), 5, {"receivers": "twice"}),
        (1, (), 5, {"receivers": "required"}),
        (1, ("staff",), 40, {"until": "not_within"}),
        (1, ("staff",), -1, {"until": "not_within"}),
    ):
        record = house.record(level)
        with pytest.raises(InvalidInput) as refused:
            begin(archivist, record, slip(house, *receivers, days=days))
        assert faults(refused) == said
        assert copy_of(house, record).holder_id is None
    with pytest.raises(NotAllowed):
        begin(house.who["staff"], house.record(), slip(house, "staff2"))


def test_a_paper_of_a_higher_level_goes_round_once_all_of_its_route_have_agreed(house: LendingHouse) -> None:
    papers, record = house.lending.papers, house.record(3)
    begun = papers.send_round(house.who["archivist"], record, slip(house, "staff"))
    assert begun.asked
    assert copy_of(house, record).holder_id is None
    with pytest.raises(InvalidInput) as refused:
        papers.send_round(house.who["archivist"], record, slip(house, "staff"))
    assert faults(refused) == {"record": "asked_already"}
    for who, error in (("archivist", OwnRequest), ("staff", OwnRequest), ("low", NotFound)):
        with pytest.raises(error):
            papers.decide(house.who[who], begun.id, "可以", approve=True)
    assert told(house, "due.paper_decision") == set()
    house.clock.moment += timedelta(days=2)
    assert told(house, "due.paper_decision") == {house.person("head")}
    for place, who in enumerate(("head", "archivist2", "secrecy")):
        waits = papers.list(house.who[who], own=False, limit=9)
        assert [each.id for each, _record, _reads in waits] == [begun.id]
        with house.db.reading() as session:
            assert papers.count(session, house.who[who]) == 1
        state = papers.decide(house.who[who], begun.id, "同意", approve=True)
        assert (state is ApprovalState.APPROVED) is (place == 2)
        if place < 2:
            with pytest.raises((NotAllowed, NotFound)):
                papers.decide(house.who[who], begun.id, "同意", approve=True)
    key = papers.show(house.who["archivist"], begun.id).begun
    assert key is not None
    assert copy_of(house, record).holder_id is None
    with pytest.raises(Ended):
        house.lending.rounds.sign(house.who["staff"], key)
    counter, out = house.lending.counter_papers, AtCounter(pages=11, condition=CopyCondition.WORN)
    assert counter.issue(house.who["archivist"], house.person("low"), record, out) is None
    assert [each.id for each in counter.waiting(house.who["archivist"], "staff")] == [key]
    handed = counter.issue(house.who["archivist"], house.person("archivist"), record, out)
    assert handed is not None
    assert handed.id == key
    with pytest.raises(Ended):
        house.lending.rounds.issue(house.who["archivist"], key, house.person("staff"), out)
    assert copy_of(house, record).holder_id == house.person("archivist")
    row = house.lending.rounds.show(house.who["archivist"], key).row
    assert (row.pages_out, row.condition_out) == (11, CopyCondition.WORN)
    shown = house.lending.rounds.show(house.who["staff"], key)
    assert (shown.purpose, shown.scope, shown.turn) == ("传阅", "全文", house.person("staff"))
    house.lending.rounds.sign(house.who["staff"], key)
    assert copy_of(house, record).holder_id == house.person("staff")


def test_a_custody_is_applied_for_refused_and_begins_only_while_what_it_needs_holds(house: LendingHouse) -> None:
    papers, archivist = house.lending.papers, house.who["archivist"]
    record = house.record(2)
    with pytest.raises(InvalidInput) as refused:
        papers.give(archivist, record, "staff", 6, " ")
    assert faults(refused) == {"reason": "required"}
    first = papers.give(archivist, record, "staff", 6, "片区业主档案日常查用")
    papers.question(house.who["head"], first.id, "为何长期留用？")
    papers.answer(archivist, first.id, "每日接待业主")
    assert papers.decide(house.who["head"], first.id, "不需要", approve=False) is ApprovalState.REFUSED
    second = papers.give(archivist, record, "staff", 6, "重新申请")
    papers.withdraw(archivist, second.id)
    third = papers.give(archivist, record, "staff", 6, "第三次申请")
    assert papers.decide(house.who["head"], third.id, "同意", approve=True) is ApprovalState.ASKED
    loan = house.decide("archivist", house.decide("head", house.ask("staff2", record)))
    with pytest.raises(InvalidInput) as refused:
        papers.decide(house.who["archivist2"], third.id, "同意", approve=True)
    assert faults(refused) == {"record": "another_first"}
    house.issue(loan)
    house.lending.counter.take_back(archivist, record, Seen())
    papers.decide(house.who["archivist2"], third.id, "同意", approve=True)
    key = papers.show(archivist, third.id).begun
    assert key is not None
    assert house.lending.custody.show(archivist, key).row.person_id == house.person("staff")
    assert copy_of(house, record).holder_id is None
    with pytest.raises(Ended):
        house.lending.custody.check(archivist, key, 12, CopyCondition.GOOD)
    house.decide("archivist", house.decide("head", house.ask("director", record)))
    with pytest.raises(InvalidInput) as refused:
        house.lending.custody.issue(archivist, key, AtCounter())
    assert faults(refused) == {"record": "another_first"}
    house.lending.custody.take_back(archivist, key)
    with pytest.raises(Ended):
        house.lending.custody.issue(archivist, key, AtCounter())
    assert told(house, "due.custody_check") == set()
    assert [each.state for each, _record, _reads in papers.list(archivist, own=True, limit=9)] == [
        ApprovalState.APPROVED, ApprovalState.WITHDRAWN, ApprovalState.REFUSED,
    ]  # fmt: skip


def test_where_the_archive_alone_decides_it_begins_at_once_and_a_route_may_name_it(house: LendingHouse) -> None:
    papers, archivist = house.lending.papers, house.who["archivist"]
    assert not papers.give(archivist, house.record(), "staff", 6, "").asked
    named = routes.SHIPPED.replace(
        "  - levels: [1]\n",
        '  - for: [custody]\n    levels: [1]\n    steps:\n      - {who: ["role:secrecy_officer"]}\n  - levels: [1]\n',
        1,
    )
    house.lending.books.keep(house.who["secrecy"], RuleBook.ROUTES, named, "一级也要审批", version=0)
    record = house.record()
    asked = papers.give(archivist, record, "staff", 6, "日常查用")
    assert asked.asked
    assert not papers.send_round(archivist, house.record(), slip(house, "staff")).asked
    papers.decide(house.who["secrecy"], asked.id, "同意", approve=True)
    counter = house.lending.counter_papers
    assert not counter.is_out(archivist, record)
    counter.issue(archivist, house.person("staff"), record, AtCounter())
    assert copy_of(house, record).holder_id == house.person("staff")
    back = counter.take_back(archivist, record, AtCounter(pages=9))
    assert back is not None
    assert (back.custody, back.report is not None) == (True, True)
    assert copy_of(house, record).holder_id is None
    assert counter.take_back(archivist, record, AtCounter()) is None


def test_a_loan_through_a_year_with_the_clock_stopped_for_a_week_is_told_of_once_and_late_words_say_so(
    house: LendingHouse,
) -> None:
    loan = house.decide("archivist", house.ask("staff", house.record()))
    house.issue(loan)
    messages = Messages(house.db, house.guard)
    sweep = DueSweep(house.db, house.guard, house.log, messages, loan_watches(house.guard))
    for number in [*range(30), *range(30, 365, 30)]:
        if not 5 <= number < 12:  # two days before it is due, its day, and the day after
            sweep.run()
            sweep.run()
        house.clock.move(days=1 if number < 30 else 30)
    with house.db.reading() as session:
        query = select(Person.login, Message.stage, Message.late).join(Person, Person.id == Message.person_id)
        said = session.execute(query.where(Message.topic == "due.loan").order_by(Message.id)).all()
    assert [(stage, late) for login, stage, late in said if login == "staff"] == [
        ("after_1", True), ("after_7", False), ("head_14", False),
    ]  # fmt: skip
    assert sorted(login for login, stage, _late in said if stage == "head_14") == [
        "archivist", "archivist2", "head", "staff",
    ]  # fmt: skip
    assert len(said) == len({*said})


def test_heads_and_records_of_many_late_loans_are_asked_for_once(house: LendingHouse) -> None:
    for record in (house.record(), house.record(), house.record()):
        house.issue(house.decide("archivist", house.ask("staff", record)))
    house.clock.move(days=25)
    asked: list[str] = []
    note = partial(_note, asked)
    event.listen(house.db.engine, "before_cursor_execute", note)
    try:
        assert told(house, "due.loan") == {house.person(each) for each in ("staff", "head", "archivist", "archivist2")}
        seen = DueBoard(house.db, house.guard, loan_watches(house.guard)).list(house.who["archivist"], limit=9)
    finally:
        event.remove(house.db.engine, "before_cursor_execute", note)
    assert len({each.record.id for each in seen if each.record}) == 3
    assert sum("ORDER BY person_post.id" in each for each in asked) == 1, "the department, of which the head is told"
    assert sum("FROM loan" in each for each in asked) == 2, "one for the sweep, one for the board"


def _note(asked: list[str], _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
    asked.append(" ".join(statement.split()))


def test_a_difference_on_a_round_or_in_custody_opens_a_report_that_is_settled(house: LendingHouse) -> None:
    archivist, reports = house.who["archivist"], house.lending.reports
    first, second = house.record(), house.record()
    round_ = house.lending.rounds.begin(archivist, first, slip(house, "staff"))
    house.lending.rounds.sign(house.who["staff"], round_)
    kept = house.lending.custody.give(archivist, second, "staff", 6)
    torn = AtCounter(pages=11, words="缺一页")
    missing = house.lending.rounds.take_back(archivist, round_, torn)
    worse = house.lending.custody.take_back(archivist, kept, AtCounter(condition=CopyCondition.DAMAGED, words="水渍"))
    found = {each.report.id: each for each in reports.every(archivist)}
    assert missing
    assert worse
    assert [(found[each].report.harm, found[each].found, found[each].holder) for each in (missing, worse)] == [
        (Harm.PAGES, "缺一页", "staff"), (Harm.DAMAGED, "水渍", "staff"),
    ]  # fmt: skip
    assert (found[missing].report.pages_out, found[missing].report.pages_in) == (12, 11)
    reports.settle(archivist, missing, "已补复印件", 2050)
    assert [each.done for each in reports.every(archivist)] == ["", "已补复印件"], "open ones come first"
    with pytest.raises(NotAllowed):
        reports.settle(house.who["low"], worse, "已修复", None)


def test_what_is_lost_on_a_round_or_in_custody_ends_it_and_its_copy_is_withdrawn(house: LendingHouse) -> None:
    archivist, lending = house.who["archivist"], house.lending
    first, second = house.record(), house.record()
    round_, kept = lending.rounds.begin(archivist, first, slip(house, "staff")), lending.custody.give(
        archivist, second, "staff", 6
    )  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        lending.rounds.lose(archivist, round_, " ")
    assert faults(refused) == {"words": "required"}
    for lose, key, record in ((lending.rounds.lose, round_, first), (lending.custody.lose, kept, second)):
        with pytest.raises(NotAllowed):
            lose(house.who["staff"], key, "遗失")
        report = lose(archivist, key, "遗失在出差途中")
        copy = copy_of(house, record)
        assert (copy.holder_id, copy.withdrawn_at is not None) == (None, True)
        assert next(each for each in lending.reports.every(archivist) if each.report.id == report).found
        with pytest.raises(Ended):
            lose(archivist, key, "再次遗失")
    with pytest.raises(Ended):
        lending.rounds.take_back(archivist, round_)
    house.clock.move(days=400)
    told(house, "due.custody_check")
    with house.db.reading() as session:
        assert {each.state for each in session.scalars(select(Deadline))} <= {DeadlineState.LAPSED, DeadlineState.MET}


def heard(house: LendingHouse, login: str) -> list[str]:
    with house.db.reading() as session:
        mine = select(Message.topic).where(Message.person_id == house.person(login)).order_by(Message.id)
        return list(session.scalars(mine))


def test_borrowers_are_told_at_once_what_became_of_it_and_nobody_else_is(house: LendingHouse) -> None:
    record, archivist = house.record(), house.who["archivist"]
    first, second = house.ask("staff", record), house.ask("staff2", record)
    house.lending.requests.question(archivist, first.approval_id, "哪一页？")
    house.lending.requests.answer(house.who["staff"], first.approval_id, "全部")
    house.issue(house.decide("archivist", first))
    house.decide("archivist", second)
    assert heard(house, "staff") == ["loan.question", "loan.approved"]
    assert heard(house, "staff2") == ["loan.approved"]
    house.lending.counter.recall(archivist, first.id)
    assert heard(house, "staff")[-1] == "due.loan_recall"
    told(house, "due.loan_recall")
    assert heard(house, "staff").count("due.loan_recall") == 1, "the reminders of the day tell it no second time"
    house.lending.counter.take_back(archivist, record, Seen())
    assert heard(house, "staff2") == ["loan.approved", "loan.there"]
    house.decide("archivist", house.ask("low", house.record()), approve=False)
    assert heard(house, "low") == ["loan.refused"]
    assert heard(house, "archivist") == heard(house, "security") == []


def test_who_waits_hears_of_a_paper_that_comes_back_from_a_post_and_of_files_called_back(house: LendingHouse) -> None:
    record, archivist = house.record(), house.who["archivist"]
    kept = house.lending.custody.give(archivist, record, "staff", 6)
    waiting = house.ask("staff2", record)
    house.decide("archivist", waiting)
    assert heard(house, "staff2") == ["loan.approved"]
    house.lending.custody.take_back(archivist, kept)
    assert heard(house, "staff2") == ["loan.approved", "loan.there"]
    with house.db.writing() as work:
        work.session.add(Copy(record_id=record, number=2, pages=12, created_at=house.clock.now()))
        work.commit()
    house.clock.move(hours=1)
    other = house.lending.rounds.begin(archivist, record, slip(house, "staff"))
    house.lending.rounds.take_back(archivist, other)
    assert heard(house, "staff2").count("loan.there") == 1, "the one who was told has theirs; nobody else waits"
    screen = house.decide("archivist", house.ask("low", house.record(), LoanForm.SCREEN))
    house.lending.counter.recall(archivist, screen.id)
    assert heard(house, "low") == ["loan.approved", "loan.ended"]


def test_who_asked_for_another_is_not_told_the_level_of_what_was_found(house: LendingHouse) -> None:
    record = house.record(3)
    wish = Wish(form=LoanForm.OUT, purpose="work", words="审计", borrower="director")
    house.lending.deputies.name(house.who["director"], "low", house.guard.day(), house.guard.day())
    loan = house.loan(house.lending.requests.describe(house.who["low"], "现金盘点表", wish))
    house.lending.requests.found(house.who["archivist"], loan.approval_id, record)
    steps = {
        who: len(house.lending.asked.request(house.who[who], loan.approval_id).steps) for who in ("low", "director")
    }
    assert steps["low"] == 1 < steps["director"]


def test_a_loan_waits_while_its_paper_goes_round_and_lapses_when_it_lay_there_long_enough(house: LendingHouse) -> None:
    record = house.record()
    key = house.lending.rounds.begin(house.who["archivist"], record, slip(house, "staff", days=20))
    loan = house.decide("archivist", house.ask("staff2", record))
    with house.db.reading() as session:
        now = availability(session, house.row(record))
    assert now.out_until == house.guard.day() + timedelta(days=20)
    house.clock.move(days=9)
    house.lending.care.sweep()
    assert house.loan(loan.id).state is LoanState.READY
    house.lending.rounds.take_back(house.who["archivist"], key)
    house.clock.move(days=8)
    house.lending.care.sweep()
    assert house.loan(loan.id).state is LoanState.LAPSED


def test_a_loan_waits_while_its_paper_is_in_standing_custody(house: LendingHouse) -> None:
    record = house.record()
    key = house.lending.custody.give(house.who["archivist"], record, "staff", 6)
    loan = house.decide("archivist", house.ask("staff2", record))
    for days, state in ((9, LoanState.READY), (8, LoanState.LAPSED)):
        house.clock.move(days=days)
        house.lending.care.sweep()
        assert house.loan(loan.id).state is state
        if state is LoanState.READY:
            house.lending.custody.take_back(house.who["archivist"], key)


def test_what_was_just_handed_out_at_the_counter_is_told_from_what_was_signed_for_elsewhere(
    house: LendingHouse,
) -> None:
    counter, archivist, record, other = house.lending.counter, house.who["archivist"], house.record(), house.record()
    loan = house.decide("archivist", house.ask("staff", record))
    house.issue(loan)
    assert counter.was_just_handed(archivist, record, None, "staff")
    assert counter.was_just_handed(archivist, record, 1, "staff")
    assert not counter.was_just_handed(archivist, record, 2, "staff")
    assert not counter.was_just_handed(archivist, record, None, "staff2")
    key = house.lending.rounds.begin(archivist, other, slip(house, "staff"))
    house.lending.rounds.sign(house.who["staff"], key)
    assert not counter.was_just_handed(archivist, other, None, "staff")
    house.clock.move(days=1)
    assert not counter.was_just_handed(archivist, record, None, "staff")


def test_who_has_a_late_paper_and_the_archive_are_told(house: LendingHouse) -> None:
    key = house.lending.rounds.begin(house.who["archivist"], house.record(), slip(house, "staff"))
    house.lending.rounds.sign(house.who["staff"], key)
    house.clock.moment += timedelta(days=6)
    assert told(house, "due.circulation") == {house.person(each) for each in ("staff", "archivist", "archivist2")}


def test_a_post_keeps_a_paper_and_a_supervisor_signs_its_hand_over(house: LendingHouse) -> None:
    custody, record, archivist = house.lending.custody, house.record(), house.who["archivist"]
    key = custody.give(archivist, record, "staff", 6)
    with house.db.reading() as session:
        now = availability(session, house.row(record))
        assert (now.there, now.with_post is not None) == (0, True)
        assert stops(session, [record], house.guard.day())[record] in {Stop.LENT, Stop.UNDUE}
    for again in (
        lambda: custody.give(archivist, record, "staff2", 6),
        lambda: house.lending.rounds.begin(archivist, record, slip(house, "staff2")),
    ):
        with pytest.raises(InvalidInput) as refused:
            again()
        assert faults(refused) == {"record": "no_copy"}
    with pytest.raises(InvalidInput) as refused:
        custody.hand_over(house.who["staff"], key, "director")
    assert faults(refused) == {"holder": "holds_not_the_post"}
    with pytest.raises(NotFound):
        custody.sign(house.who["head"], key)
    custody.hand_over(house.who["staff"], key, "staff2")
    for who, error in (("staff2", OwnRequest), ("archivist", NotFound), ("low", NotFound)):
        with pytest.raises(error):
            custody.sign(house.who[who], key)
    custody.sign(house.who["head"], key)
    assert copy_of(house, record).holder_id == house.person("staff2")
    house.clock.moment += timedelta(days=200)
    assert told(house, "due.custody_check") == {house.person(each) for each in ("staff2", "archivist", "archivist2")}
    custody.check(archivist, key, 12, CopyCondition.WORN)
    with house.db.reading() as session:
        due = session.scalars(select(Deadline).where(Deadline.subject_id == key)).one().due
    assert due > house.guard.day() + timedelta(days=150)
    custody.take_back(archivist, key)
    assert copy_of(house, record).holder_id is None
    with pytest.raises(Ended):
        custody.check(archivist, key, 12, CopyCondition.GOOD)


def test_who_decides_is_reminded_until_it_is_decided_and_the_board_names_the_record(house: LendingHouse) -> None:
    record = house.record()
    loan = house.ask("staff", record)
    house.clock.moment += timedelta(days=2)
    assert told(house, "due.loan_decision") == {house.person("archivist"), house.person("archivist2")}
    board = DueBoard(house.db, house.guard, loan_watches(house.guard))
    assert [each.record.id for each in board.list(house.who["archivist"], limit=9) if each.record] == [record]
    assert board.list(house.who["staff"], limit=9) == []
    house.decide("archivist", loan)
    with house.db.reading() as session:
        assert [each.state for each in session.scalars(select(Deadline))] == [DeadlineState.MET]
    house.issue(house.loan(loan.id))

    def named(who: str) -> list[tuple[DeadlineKind, UUID | None]]:
        found = board.list(house.who[who], limit=9)
        return [(each.deadline.kind, each.record.id if each.record else None) for each in found]

    assert named("archivist") == named("head") == [(DeadlineKind.LOAN, record)]
    with house.db.writing() as work:
        work.session.execute(delete(AccessGrant).where(AccessGrant.person_id == house.person("head")))
        work.commit()
    assert named("head") == [(DeadlineKind.LOAN, None)]


def test_one_person_borrows_a_record_so_often_and_no_more(house: LendingHouse) -> None:
    source = SHIPPED.replace("times: 12", "times: 1")
    house.lending.books.keep(house.who["secrecy"], RuleBook.LOANS, source, "每年一次", version=0)
    record = house.record()
    loan = house.decide("archivist", house.ask("staff", record, LoanForm.SCREEN))
    house.lending.extensions.give_back(house.who["staff"], loan.id)
    with pytest.raises(InvalidInput) as refused:
        house.ask("staff", record)
    assert faults(refused) == {"record": "too_often"}
    house.ask("staff2", record)
    house.clock.moment += timedelta(days=366)
    house.ask("staff", record)


def test_a_basket_asks_for_what_it_can_and_says_of_the_rest_why(house: LendingHouse) -> None:
    basket, staff = house.lending.basket, house.who["staff"]
    fine, twice, hidden = house.record(), house.record(), house.record(4)
    house.ask("staff", twice)
    assert basket.add(staff, [fine, twice, hidden]) == 2
    done = basket.ask(staff, Wish(form=LoanForm.OUT, purpose="work", words="查阅"), {})
    assert len(done.loans) == 1
    assert {key: error.code for key, error in done.left.items()} == {twice: "invalid"}
    assert [each.record.id for each in basket.lines(staff)] == [twice]
    with pytest.raises(InvalidInput):
        basket.ask(staff, Wish(form=LoanForm.OUT, purpose="no", words=""), {})
    assert basket.lines(house.who["staff2"]) == []
