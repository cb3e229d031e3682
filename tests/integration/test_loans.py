"""Borrowing, from the request to the shelf and back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from archive.errors import Ended, InvalidInput, NotAllowed, NotFound, OwnRequest
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.loans.asking import Wish
from archive.loans.counter import Seen
from archive.loans.watches import LoanWatch
from archive.model import (
    AccessGrant,
    Approval,
    ApprovalState,
    Copy,
    CopyCondition,
    Deadline,
    DeadlineKind,
    DeadlineState,
    Department,
    HouseRule,
    LoanForm,
    LoanReport,
    LoanState,
    Medium,
    Person,
    PersonPost,
    PersonRole,
    Post,
    RuleBook,
)
from archive.policy.rules import Act
from tests.factories import people as rights
from tests.factories.lending import LendingHouse, a_lending_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LendingHouse]:
    with a_lending_house(tmp_path) as made:
        yield made


def faults(caught: pytest.ExceptionInfo[InvalidInput]) -> dict[str, str]:
    return {each.field: each.code for each in caught.value.faults}


def test_an_internal_record_goes_out_on_the_archivists_word_and_comes_back(house: LendingHouse) -> None:
    record = house.record()
    loan = house.ask("staff", record)
    assert loan.state is LoanState.ASKED
    assert house.decide("archivist", loan).state is LoanState.READY
    handed = house.issue(loan)
    out = house.loan(loan.id)
    assert (out.state, out.pages_out, out.due_on) == (LoanState.OPEN, 12, house.guard.day() + timedelta(days=7))
    with house.db.reading() as session:
        copy = session.get_one(Copy, out.copy_id)
        assert copy.holder_id == house.person("staff")
    back = house.lending.counter.take_back(
        house.who["archivist2"], record, Seen(brought_by="staff2", effect="解决了合同争议")
    )
    assert back.report is None
    assert handed.number == back.number
    done = house.loan(loan.id)
    assert (done.state, done.brought_by) == (LoanState.RETURNED, house.person("staff2"))
    assert house.lending.looks.effect(house.who["archivist"], loan.id) == "解决了合同争议"
    with house.db.reading() as session:
        assert session.get_one(Copy, out.copy_id).holder_id is None


@pytest.mark.parametrize(
    ("level", "deciders"),
    [
        (2, ["head", "archivist"]),
        (3, ["head", "archivist", "secrecy"]),
        (4, ["archivist", "secrecy", "director"]),
    ],
)
def test_each_level_goes_its_own_way_step_by_step(house: LendingHouse, level: int, deciders: list[str]) -> None:
    record = house.record(level)
    with house.db.writing() as work:
        work.session.get_one(Person, house.person("staff")).clearance = 4
        work.commit()
    loan = house.ask("staff", record, LoanForm.ROOM)
    for n, login in enumerate(deciders):
        for other in set(deciders[n + 1 :]):
            with pytest.raises(NotAllowed):
                house.decide(other, loan)
        loan = house.decide(login, loan)
        assert loan.state is (LoanState.READY if n == len(deciders) - 1 else LoanState.ASKED)


def test_the_top_level_stays_in_the_reading_room(house: LendingHouse) -> None:
    record = house.record(4)
    with pytest.raises(InvalidInput) as caught:
        house.ask("director", record)
    assert faults(caught) == {"form": "stays"}


def test_nobody_decides_on_their_own_nor_on_what_they_asked_for_another(house: LendingHouse) -> None:
    record = house.record()
    own = house.ask("archivist", record)
    with pytest.raises(OwnRequest):
        house.decide("archivist", own)
    assert house.decide("archivist2", own).state is LoanState.READY
    other = house.ask("archivist", record, borrower="staff")
    with pytest.raises(OwnRequest):
        house.decide("archivist", other)
    forme = house.ask("archivist", record, borrower="archivist2")
    with pytest.raises(OwnRequest):
        house.decide("archivist2", forme)


def test_nobody_decides_at_two_steps_not_even_for_someone_absent(house: LendingHouse) -> None:
    day = house.guard.day()
    house.lending.deputies.name(house.who["archivist"], "head", day, day + timedelta(days=3))
    loan = house.decide("head", house.ask("staff", house.record(2)))
    with pytest.raises(NotAllowed):
        house.decide("head", loan)
    assert house.decide("archivist2", loan).state is LoanState.READY


def test_a_deputy_decides_in_ones_place_while_one_is_absent_and_never_on_ones_own(house: LendingHouse) -> None:
    day = house.guard.day()
    house.lending.deputies.name(house.who["head"], "director", day + timedelta(days=1), day + timedelta(days=2))
    loan = house.ask("staff", house.record(2))
    with pytest.raises(NotAllowed):
        house.decide("director", loan)
    house.clock.moment += timedelta(days=1)
    house.decide("director", loan)
    shown = house.lending.asked.request(house.who["staff"], loan.approval_id)
    assert shown.spoken[0].word.instead_of == house.person("head")
    house.lending.deputies.name(house.who["archivist"], "staff2", house.guard.day(), day + timedelta(days=9))
    own = house.ask("archivist", house.record())
    with pytest.raises(NotAllowed):
        house.decide("staff2", own)


def test_a_question_comes_back_answered_and_a_refusal_has_its_reason(house: LendingHouse) -> None:
    requests, loan = house.lending.requests, house.ask("staff", house.record())
    requests.question(house.who["archivist"], loan.approval_id, "要原件还是复印件?")
    with pytest.raises(Ended):
        house.decide("archivist2", loan)
    with pytest.raises(NotAllowed):
        requests.answer(house.who["staff2"], loan.approval_id, "别人")
    requests.answer(house.who["staff"], loan.approval_id, "原件")
    house.decide("archivist2", loan, approve=False)
    assert house.loan(loan.id).state is LoanState.REFUSED
    shown = house.lending.asked.request(house.who["staff"], loan.approval_id)
    assert [each.text for each in shown.spoken] == ["要原件还是复印件?", "原件", "不同意"]
    with pytest.raises(Ended):
        house.decide("archivist", loan)


def test_a_step_that_takes_too_long_goes_on_to_others(house: LendingHouse) -> None:
    loan = house.ask("staff", house.record())
    with pytest.raises(NotAllowed):
        house.decide("secrecy", loan)
    house.clock.moment += timedelta(days=4)
    while house.lending.care.sweep():
        pass
    assert house.decide("secrecy", loan).state is LoanState.READY


def test_no_step_goes_on_to_others_while_who_asked_is_the_one_to_answer(house: LendingHouse) -> None:
    requests, loan = house.lending.requests, house.ask("staff", house.record())
    requests.question(house.who["archivist"], loan.approval_id, "要原件还是复印件?")
    house.clock.moment += timedelta(days=4)
    while house.lending.care.sweep():
        pass
    requests.answer(house.who["staff"], loan.approval_id, "原件")
    with pytest.raises(NotAllowed):
        house.decide("secrecy", loan)
    assert house.decide("archivist", loan).state is LoanState.READY


def test_who_may_agree_by_two_tokens_leaves_a_colleague_the_only_one_of_theirs(house: LendingHouse) -> None:
    route = {"steps": [{"who": ["post:office_head", "role:approver"], "every": True}]}
    with house.db.writing() as work:
        session = work.session
        session.add(a_book(RuleBook.ROUTES, {"format": 1, "routes": [route]}))
        session.add(a_post_of(session, house.person("head"), "office_head"))
        work.commit()
    loan = house.decide("head", house.ask("staff", house.record()))
    assert loan.state is LoanState.ASKED
    assert house.decide("archivist", loan).state is LoanState.READY


def test_an_officer_decides_by_no_post_and_as_no_deputy(house: LendingHouse) -> None:
    day = house.guard.day()
    with pytest.raises(InvalidInput) as caught:
        house.lending.deputies.name(house.who["archivist"], "security", day, day)
    assert faults(caught) == {"deputy": "unknown"}
    house.lending.deputies.name(house.who["archivist"], "low", day, day)
    with house.db.writing() as work:
        session = work.session
        session.execute(delete(PersonRole).where(PersonRole.person_id == house.person("low")))
        session.add(PersonRole(person_id=house.person("low"), role=Role.SYSTEM_ADMIN))
        session.execute(delete(PersonPost).where(PersonPost.person_id == house.person("director")))
        session.add(a_post_of(session, house.person("security"), "general_manager"))
        work.commit()
    loan = house.ask("staff", house.record())
    officer = Identity("low", house.person("low"), frozenset({Role.SYSTEM_ADMIN}))
    with pytest.raises(NotAllowed):
        house.lending.requests.decide(officer, loan.approval_id, "同意", approve=True)
    with pytest.raises(InvalidInput) as caught:
        house.ask("archivist", house.record(4), LoanForm.ROOM)
    assert faults(caught) == {"route": "nobody_decides"}


def test_who_may_decide_is_found_behind_many_who_may_not(house: LendingHouse) -> None:
    with house.db.writing() as work:
        session = work.session
        for login in ("archivist", "archivist2"):
            session.get_one(Person, house.person(login)).active = False
        for number in range(45):
            rights.a_person(session, f"low{number}", roles=[Role.ARCHIVIST], clearance=0)
        able = rights.a_person(session, "able", roles=[Role.ARCHIVIST], clearance=4)
        rights.grants(session, able, fonds=house.category.fonds_id)
        work.commit()
    house.who["able"] = Identity("able", able.id, frozenset({Role.ARCHIVIST}))
    assert house.decide("able", house.ask("staff", house.record())).state is LoanState.READY


def a_book(book: RuleBook, document: dict[str, Any]) -> HouseRule:
    return HouseRule(book=book, version=1, source="", document=document, reason="", kept_at=rights.NOW)


def a_post_of(session: Session, person: UUID, code: str) -> PersonPost:
    post, department = (
        session.scalars(select(each.id).where(each.code == name)).one()
        for each, name in ((Post, code), (Department, "OFF"))
    )
    return PersonPost(id=new_id(), person_id=person, post_id=post, department_id=department)


def test_what_is_described_is_taken_alike_and_goes_on_once_it_is_found(house: LendingHouse) -> None:
    wish = Wish(form=LoanForm.SCREEN, purpose="work", words="核对条款")
    hidden = house.record(2, title="绝不能让低密级人员看到的题名")
    with pytest.raises(NotFound):
        house.lending.requests.ask(house.who["low"], hidden, wish)
    key = house.lending.requests.describe(house.who["staff"], "去年三号楼的电梯维保合同", wish)
    loan = house.loan(key)
    assert loan.record_id is None
    with pytest.raises(NotFound):
        house.lending.asked.request(house.who["head"], loan.approval_id)
    with pytest.raises(NotAllowed):
        house.decide("archivist", loan)
    record = house.record()
    house.lending.requests.found(house.who["archivist"], loan.approval_id, record)
    assert house.decide("archivist", loan).state is LoanState.OPEN
    low = house.loan(house.lending.requests.describe(house.who["low"], "三号楼的秘密合同", wish))
    with pytest.raises(InvalidInput) as caught:
        house.lending.requests.found(house.who["archivist"], low.approval_id, hidden)
    assert faults(caught) == {"record": "not_cleared"}
    with house.db.reading() as session:
        sealed = session.get_one(Approval, loan.approval_id).sealed
    assert "电梯".encode() not in sealed


def test_an_electronic_loan_opens_the_record_and_ends_by_itself(house: LendingHouse) -> None:
    record = house.record(medium=Medium.ELECTRONIC, group=None)
    with house.db.writing() as work:
        work.session.execute(delete(AccessGrant).where(AccessGrant.person_id == house.person("low")))
        work.commit()
    low = house.who["low"]
    wish = Wish(form=LoanForm.SCREEN, purpose="work", words="核对条款", days=3)
    loan = house.loan(house.lending.requests.describe(low, "电梯维修的请示", wish))

    def may(act: Act) -> bool:
        with house.db.reading() as session:
            return session.scalar(house.guard.visible(session, low, act)) is not None

    assert not may(Act.READ)
    house.lending.requests.found(house.who["archivist"], loan.approval_id, record)
    house.decide("archivist", loan)
    assert may(Act.READ)
    assert not may(Act.TAKE)
    house.clock.moment += timedelta(days=4)
    assert not may(Act.READ)
    house.lending.care.sweep()
    assert house.loan(loan.id).state is LoanState.ENDED


def test_a_loan_is_extended_by_its_borrower_up_to_a_month_and_not_when_someone_waits(house: LendingHouse) -> None:
    record = house.record()
    loan = house.decide("archivist", house.ask("staff", record))
    house.issue(loan)
    start = house.guard.day()
    for _ in range(4):
        assert house.lending.extensions.extend(house.who["staff"], loan.id)
    assert house.loan(loan.id).due_on == start.replace(month=start.month + 1)
    with pytest.raises(InvalidInput) as caught:
        house.lending.extensions.extend(house.who["staff"], loan.id)
    assert faults(caught) == {"days": "no_longer"}
    other = house.record()
    second = house.decide("archivist", house.ask("staff", other))
    house.issue(second)
    house.ask("staff2", other)
    mine = {each.loan.id: each for each in house.lending.looks.mine(house.who["staff"], limit=10)}
    assert (mine[second.id].extendable, mine[second.id].waited) == (False, True)
    with pytest.raises(InvalidInput) as caught:
        house.lending.extensions.extend(house.who["staff"], second.id)
    assert faults(caught) == {"days": "someone_waits"}


def test_where_the_rule_says_so_someone_decides_on_an_extension(house: LendingHouse) -> None:
    loan = house.ask("staff", house.record(3))
    for login in ("head", "archivist", "secrecy"):
        loan = house.decide(login, loan)
    house.issue(loan)
    before = house.loan(loan.id).due_on
    assert not house.lending.extensions.extend(house.who["staff"], loan.id)
    with house.db.reading() as session:
        asked = session.scalars(select(Approval.id).where(Approval.about_id == loan.id)).one()
    for login in ("head", "archivist", "secrecy"):
        house.lending.requests.decide(house.who[login], asked, "同意", approve=True)
    after = house.loan(loan.id).due_on
    assert before
    assert after == before + timedelta(days=7)


def test_who_waits_is_served_in_order_and_the_queue_is_told(house: LendingHouse) -> None:
    record = house.record()
    first, second, third = (
        house.decide("archivist", house.ask(who, record)) for who in ("staff", "staff2", "director")
    )
    with pytest.raises(InvalidInput) as caught:
        house.issue(second)
    assert faults(caught) == {"record": "another_first"}
    house.issue(first)
    offer = house.lending.looks.offer(house.who["head"], record)
    assert (offer.standing.there, offer.standing.waiting) == (0, 2)
    assert offer.standing.out_until == house.loan(first.id).due_on
    with pytest.raises(InvalidInput) as caught:
        house.issue(second)
    assert faults(caught) == {"record": "no_copy"}
    assert house.lending.counter.take_back(house.who["archivist"], record, Seen()).waiting
    house.issue(second)
    assert house.loan(third.id).state is LoanState.READY


def test_a_difference_opens_a_report_which_is_settled(house: LendingHouse) -> None:
    record = house.record()
    house.issue(house.decide("archivist", house.ask("staff", record)))
    seen = Seen(pages=10, condition=CopyCondition.DAMAGED, words="缺第3、4页")
    back = house.lending.counter.take_back(house.who["archivist"], record, seen)
    assert back.report
    (report,) = house.lending.reports.every(house.who["archivist"])
    assert (report.found, report.done) == ("缺第3、4页", "")
    house.lending.reports.settle(house.who["archivist"], back.report, "已补复印件", 2050)
    (report,) = house.lending.reports.every(house.who["archivist"])
    assert (report.done, report.report.cost) == ("已补复印件", 2050)
    with house.db.reading() as session:
        row = session.get_one(LoanReport, back.report)
        assert "缺".encode() not in row.found


def test_overdue_borrowers_and_those_over_the_limit_are_stopped(house: LendingHouse) -> None:
    house.issue(house.decide("archivist", house.ask("staff", house.record())))
    house.clock.moment += timedelta(days=8)
    with pytest.raises(InvalidInput) as caught:
        house.ask("staff", house.record())
    assert faults(caught) == {"borrower": "overdue"}
    looks = house.lending.looks
    assert [looks.hindrance(house.who[each]) for each in ("staff", "staff2")] == ["overdue", None]
    (late,) = house.lending.looks.register(house.who["archivist"], overdue=True, limit=10)
    assert late.overdue == 1
    for _ in range(10):
        house.ask("staff2", house.record())
    with pytest.raises(InvalidInput) as caught:
        house.ask("staff2", house.record())
    assert faults(caught) == {"borrower": "too_many_loans"}


def test_lost_rights_end_loans_and_what_is_not_collected_lapses(house: LendingHouse) -> None:
    screen = house.decide("archivist", house.ask("staff", house.record(), LoanForm.SCREEN))
    ready = house.decide("archivist", house.ask("staff2", house.record()))
    asked = house.ask("staff", house.record())
    with house.db.writing() as work:
        work.session.get_one(Person, house.person("staff")).active = False
        work.commit()
    house.clock.moment += timedelta(days=8)
    while house.lending.care.sweep():
        pass
    states = [house.loan(each.id).state for each in (screen, ready, asked)]
    assert states == [LoanState.ENDED, LoanState.LAPSED, LoanState.LAPSED]
    with house.db.reading() as session:
        assert session.get_one(Approval, asked.approval_id).state is ApprovalState.WITHDRAWN


def test_a_copy_that_is_lent_comes_back_by_the_counter_alone(house: LendingHouse) -> None:
    loan = house.decide("archivist", house.ask("staff", house.record()))
    house.issue(loan)
    copy_id = house.loan(loan.id).copy_id
    assert copy_id
    with house.db.reading() as session:
        version = session.get_one(Copy, copy_id).version
    with pytest.raises(InvalidInput) as caught:
        house.shelving.copies.withdraw(house.who["archivist"], copy_id, "没有了", version)
    assert faults(caught) == {"copy": "is_lent"}


def test_a_recalled_screen_loan_closes_at_once(house: LendingHouse) -> None:
    loan = house.decide("archivist", house.ask("staff", house.record(), LoanForm.SCREEN))
    house.lending.counter.recall(house.who["archivist"], loan.id)
    assert house.loan(loan.id).state is LoanState.ENDED


def test_a_request_that_nobody_could_decide_is_not_taken(house: LendingHouse) -> None:
    with house.db.writing() as work:
        for login in ("archivist", "archivist2", "head", "secrecy", "director"):
            work.session.get_one(Person, house.person(login)).active = False
        work.commit()
    with pytest.raises(InvalidInput) as caught:
        house.ask("staff", house.record())
    assert faults(caught) == {"route": "nobody_decides"}


def test_what_is_lent_falls_due_until_it_is_back_and_those_above_are_told_late(house: LendingHouse) -> None:
    loan = house.decide("archivist", house.ask("staff", house.record()))
    house.issue(loan)
    house.lending.counter.recall(house.who["archivist"], loan.id)

    def due() -> dict[DeadlineKind, tuple[DeadlineState, object]]:
        with house.db.reading() as session:
            rows = session.scalars(select(Deadline).where(Deadline.subject_id == loan.id)).all()
            return {each.kind: (each.state, each.due) for each in rows}

    day = house.guard.day()
    assert due() == {
        DeadlineKind.LOAN: (DeadlineState.OPEN, day + timedelta(days=7)),
        DeadlineKind.LOAN_RECALL: (DeadlineState.OPEN, day),
    }
    watch = LoanWatch(house.guard, DeadlineKind.LOAN)
    with house.db.reading() as session:
        told = {stage.code: set(watch.recipients(session, stage, loan)) for stage in watch.rule.stages}
    assert told["on"] == {house.person("staff")}
    assert told["head_14"] >= {house.person(each) for each in ("staff", "head", "archivist")}
    house.lending.counter.take_back(house.who["archivist"], house.loan(loan.id).record_id or loan.id, Seen())
    assert {state for state, _ in due().values()} == {DeadlineState.MET}
