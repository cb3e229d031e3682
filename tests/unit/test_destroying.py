"""A destruction, step by step: what may follow what, who may, what stops it, and what is told afterwards."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from archive.approving.engine import Approvals
from archive.errors import ArchiveError, Ended, InvalidInput, NotAllowed, NotFound, OwnRequest, WrongState
from archive.ids import new_id
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Approval,
    ApprovalKind,
    ApprovalState,
    Block,
    BlockKind,
    CategorySchedule,
    Content,
    ContentState,
    Copy,
    Deadline,
    DeadlineState,
    DestroyedRecord,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionMethod,
    DestructionState,
    Duty,
    File,
    FileRole,
    HoldKind,
    Job,
    JobKind,
    LogEntry,
    Medium,
    Record,
    RecordExtension,
    RecordKind,
    RetentionSchedule,
    ShelfKind,
    ShelfPlace,
    Stop,
    Transfer,
    TransferItem,
    TransferState,
    Verdict,
)
from archive.shelving.tree import PlaceFacts
from retention.destroying.counting import Scanned
from retention.destroying.register import Asked
from retention.holds import Wanted
from retention.transferring.transfers import Transfers
from tests.factories import people as rights
from tests.factories.destroying import DECIDE, HOW, DestroyingHouse, a_destroying_house

State = DestructionState


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DestroyingHouse]:
    with a_destroying_house(tmp_path) as made:
        yield made


def fields(error: InvalidInput) -> list[str]:
    return [f"{each.field}:{each.code}" for each in error.faults]


def put_on_another(house: DestroyingHouse, record: UUID) -> None:
    with house.lent.db.writing() as work:
        other = Destruction(
            id=new_id(), number="XH0", purpose="另一次", begun_by=house.lent.person("archivist"), begun_at=rights.NOW,
        )  # fmt: skip
        work.session.add(other)
        work.session.flush()
        work.session.add(DestructionItem(destruction_id=other.id, record_id=record, position=1))
        work.commit()


def hold(house: DestroyingHouse, record: object) -> UUID:
    wanted = Wanted(HoldKind.RECORD, {"id": str(record)}, "诉讼", "涉诉", "法务部", date(2030, 1, 1))
    return house.holds.place(house.who("archivist2"), wanted)


def test_one_goes_its_whole_way_and_every_duty_is_another_persons(house: DestroyingHouse) -> None:
    records = [house.record(), house.record(level=2)]
    key = house.to(State.GONE)
    row = house.row(key)
    assert (row.state, row.number) == (State.GONE, "XH2026-0001")
    assert {each.state for each in house.items(key).values()} == {DestructionItemState.GONE}
    for login in ("witness", "witness2", "executor", "system"):
        assert house.row(key).state is State.GONE
        house.acts.counting.sign(house.who(login), key)
    assert house.row(key).state is State.CLOSED
    lines = house.acts.register.lines(house.who("audit"), key)
    assert [each.row.record_id for each in lines] == sorted(records, key=lambda r: house.items(key)[r].position)
    assert {(each.row.pages, each.row.due) for each in lines} == {(12, date(2020, 1, 1))}
    with house.lent.db.reading() as session:
        assert session.scalars(select(Job.subject_id).where(Job.kind == JobKind.DESTROY)).all() == [key]
        acts = set(session.scalars(select(LogEntry.act).where(LogEntry.subject_id == key)))
    assert acts >= {f"destruction.{each}" for each in ("begin", "submit", "cool", "confirm", "count", "run", "close")}


def test_only_what_the_newest_closed_appraisal_gave_up_is_listed(house: DestroyingHouse) -> None:
    gone = house.record()
    house.record(verdict=Verdict.KEEP)
    house.record(verdict=None)
    house.record(due=date(2090, 1, 1))
    house.record(due=None)
    second, third = house.record(), house.record()
    with house.lent.db.writing() as work:
        later = Appraisal(
            id=new_id(), number="JD2", purpose="复审", state=AppraisalState.CLOSED, begun_by=house.lent.person("head"),
            begun_at=rights.NOW, closed_at=house.lent.clock.now().replace(year=2027),
        )  # fmt: skip
        running = Appraisal(
            id=new_id(), number="JD3", purpose="在审", state=AppraisalState.OPEN, begun_by=house.lent.person("head"),
            begun_at=rights.NOW,
        )  # fmt: skip
        work.session.add_all([later, running])
        work.session.flush()
        work.session.add_all(
            AppraisalItem(
                appraisal_id=kind.id,
                record_id=record,
                position=1,
                number="1",
                due=date(2021, 1, 1),
                verdict=Verdict.KEEP,
            )
            for kind, record in ((later, second), (running, third))
        )
        work.commit()
    assert set(house.items(house.begin())) == {gone}, "the third is judged anew"


def judge(house: DestroyingHouse, record: UUID, state: AppraisalState = AppraisalState.OPEN, **more: Any) -> UUID:
    """Have another appraisal judge a record."""
    with house.lent.db.writing() as work:
        row = Appraisal(
            id=new_id(), number=new_id().hex[:20], purpose="复审", state=state, begun_by=house.lent.person("head"),
            begun_at=rights.NOW,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        item = AppraisalItem(appraisal_id=row.id, record_id=record, position=1, number="1", due=date(2021, 1, 1))
        work.session.add(item)
        for name, value in more.items():
            setattr(row if name == "closed_at" else item, name, value)
        work.commit()
        return row.id


def transfers(house: DestroyingHouse) -> Transfers:
    lent = house.lent
    return Transfers(lent.db, lent.guard, Approvals(lent.vault, lent.log, lent.clock), lent.log)


def test_what_an_appraisal_judges_or_a_transfer_carries_is_pulled_and_not_listed_again(house: DestroyingHouse) -> None:
    judged, carried, plain = house.record(), house.record(), house.record()
    key = house.begin()
    judge(house, judged)
    with house.lent.db.writing() as work:
        going = Transfer(
            id=new_id(), number="YJ1", receiver="市档案馆", purpose="移交", state=TransferState.APPROVED,
            begun_by=house.lent.person("head"), begun_at=rights.NOW,
        )  # fmt: skip
        work.session.add(going)
        work.session.flush()
        work.session.add(TransferItem(transfer_id=going.id, record_id=carried, position=1))
        work.commit()
    house.to(State.ASKED, key)
    assert {each: item.pulled for each, item in house.items(key).items()} == {
        judged: Stop.ELSEWHERE, carried: Stop.ELSEWHERE, plain: None,
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="none_to_destroy"):
        house.begin()
    with house.lent.db.writing() as work:
        work.session.get_one(Transfer, going.id).state = TransferState.WITHDRAWN
        work.commit()
    assert set(house.items(house.begin())) == {carried}


def test_a_transfer_takes_by_the_newest_verdict_and_nothing_that_is_listed(house: DestroyingHouse) -> None:
    goes, kept, listed = house.record(verdict=Verdict.TRANSFER), house.record(verdict=Verdict.TRANSFER), house.record()
    acts, who = transfers(house), house.who("archivist")
    assert set(acts.proposed(who)) == {goes, kept}
    later = house.lent.clock.now().replace(year=2027)
    judge(house, kept, AppraisalState.CLOSED, verdict=Verdict.KEEP, until=date(2040, 1, 1), closed_at=later)
    judge(house, listed, AppraisalState.CLOSED, verdict=Verdict.TRANSFER, closed_at=later)
    assert set(acts.proposed(who)) == {goes, listed}
    put_on_another(house, listed)
    assert set(acts.proposed(who)) == {goes}
    key = acts.begin(who, "市档案馆", "移交", [goes, listed])
    shown = acts.show(who, key)
    assert {item.record_id: item.pulled for item, _ in shown.items} == {goes: None, listed: Stop.ELSEWHERE}


def test_what_a_change_of_schedules_keeps_is_pulled_before_its_days_have_followed(house: DestroyingHouse) -> None:
    record = house.record()
    key = house.to(State.COUNTED)
    with house.lent.db.writing() as work:  # no schedule gives it the day that is kept
        work.session.add(Job(id=new_id(), kind=JobKind.RECKON, run_after=rights.NOW, created_at=rights.NOW))
        work.commit()
    assert house.acts.running.run(house.who("executor"), key, house.row(key).number) is State.CONFIRMED
    assert house.items(key)[record].pulled is Stop.UNDUE


def test_the_register_names_the_day_by_which_the_last_check_let_it_go(house: DestroyingHouse) -> None:
    record = house.record(drawn_to=date(1990, 12, 31), filed_at=rights.NOW)
    key = house.to(State.COUNTED)
    rule = {"trigger": "year_end", "start": "next_january", "source": "8号令", "term": "D10"}
    with house.lent.db.writing() as work:  # it came meanwhile, and the kept day does not follow it yet
        schedule = RetentionSchedule(id=new_id(), code="S", names={}, definition=rule)
        work.session.get_one(Record, record).term = "D10"
        work.session.add(schedule)
        work.session.add(Job(id=new_id(), kind=JobKind.RECKON, run_after=rights.NOW, created_at=rights.NOW))
        work.session.flush()
        work.session.add(CategorySchedule(category_id=house.lent.category.id, schedule_id=schedule.id))
        work.commit()
    assert house.acts.running.run(house.who("executor"), key, house.row(key).number) is State.RUNNING
    with house.lent.db.reading() as session:
        line = session.get_one(DestroyedRecord, (key, record))
        assert (line.due, line.term) == (date(2001, 1, 1), "D10")


def test_it_ends_when_nothing_is_left_to_confirm(house: DestroyingHouse) -> None:
    for gate in (State.ASKED, State.COOLING):
        record = house.record()
        key = house.to(gate)
        hold(house, record)
        if gate is State.ASKED:
            house.approve(key)
        else:
            house.cool()
            assert house.acts.deciding.confirm(house.who("secrecy"), key) is State.WITHDRAWN
        assert (house.row(key).state, house.items(key)[record].pulled) == (State.WITHDRAWN, Stop.HELD)
        with house.lent.db.reading() as session:
            open_ = select(Deadline.id).where(Deadline.subject_id == key, Deadline.state == DeadlineState.OPEN)
            assert session.scalars(open_).all() == []


def test_paper_and_files_are_told_by_what_there_is_as_well_as_by_what_is_described(house: DestroyingHouse) -> None:
    never_shelved, scanned = house.record(medium=Medium.PAPER), house.record(medium=Medium.PAPER)
    inside, dossier = house.record(medium=Medium.PAPER), house.record(due=None, kind=RecordKind.DOSSIER)
    with house.lent.db.writing() as work:
        work.session.execute(delete(Copy).where(Copy.record_id.in_([never_shelved, inside])))
        work.session.get_one(Record, inside).dossier_id = dossier  # in the dossier's own paper
        file = File(record_id=scanned, name="a.pdf", role=FileRole.ORIGINAL)
        work.session.add(file)
        work.session.flush()
        work.session.add(
            Content(
                file_id=file.id, record_id=scanned, object_key="ab/cd", state=ContentState.STORED, size=5,
                created_at=rights.NOW,
            )
        )  # fmt: skip
        work.commit()
    looks, who = house.acts.looks, house.who("archivist")
    key = house.begin(replace(HOW, method=DestructionMethod.DELETION))
    shown = looks.show(who, key)
    assert (shown.paper, shown.electronic, shown.uncounted) == (True, True, 2)
    for each in (scanned, inside):
        house.acts.listing.leave_out(who, key, each)
    shown = looks.show(who, key)
    assert (shown.paper, shown.electronic, shown.uncounted) == (True, False, 1)
    house.appoint(key)
    with pytest.raises(InvalidInput, match="paper_is_not_deleted"):
        house.acts.deciding.ask(who, key, "到期")
    bound = house.begin(replace(HOW, method=DestructionMethod.DELETION))
    house.acts.listing.leave_out(who, bound, scanned)
    shown = looks.show(who, bound)
    assert (shown.paper, shown.electronic, shown.uncounted) == (True, False, 1), "it is bound with its dossier"


def test_numbers_go_on_behind_the_ten_thousandth_of_a_year(house: DestroyingHouse) -> None:
    house.record()
    year = house.lent.guard.day().year
    with house.lent.db.writing() as work:
        work.session.add_all(
            Destruction(
                id=new_id(), number=f"XH{year}-{at}", purpose="x", begun_by=house.lent.person("head"),
                begun_at=rights.NOW,
            )
            for at in ("0002", "9999", "10000")
        )  # fmt: skip
        work.commit()
    assert house.row(house.begin()).number == f"XH{year}-10001"


def test_a_day_that_was_set_stays_whoever_is_appointed_meanwhile(house: DestroyingHouse) -> None:
    house.record()
    key, who = house.to(State.COOLING), house.who("archivist")

    def days() -> list[tuple[str, date]]:
        with house.lent.db.reading() as session:
            query = select(Deadline.kind, Deadline.due).where(Deadline.subject_id == key).order_by(Deadline.kind)
            return [(kind, day) for kind, day in session.execute(query)]

    before = days()
    assert len(before) == 2
    house.cool(5)
    duty = next(e.row for e in house.acts.looks.show(who, key).duties if e.row.duty is Duty.SUPERVISOR)
    house.acts.counting.dismiss(who, key, duty.id)
    house.acts.counting.appoint(who, key, Duty.SUPERVISOR, "system")
    assert days() == before


def test_what_was_kept_on_since_its_appraisal_is_appraised_anew_before_it_goes(house: DestroyingHouse) -> None:
    kept, other = house.record(), house.record()
    dossier, item = house.record(due=None, kind=RecordKind.DOSSIER), house.record()
    with house.lent.db.writing() as work:
        work.session.get_one(Record, item).dossier_id = dossier
        for record in (kept, dossier):
            row = Approval(
                id=new_id(), kind=ApprovalKind.RENEWAL, record_id=record, asked_by=house.lent.person("archivist"),
                asked_at=rights.NOW, state=ApprovalState.APPROVED, sealed=b"",
            )  # fmt: skip
            work.session.add(row)
            work.session.flush()
            work.session.add(
                RecordExtension(
                    id=new_id(), record_id=record, until=date(2021, 1, 1), approval_id=row.id,
                    set_at=rights.NOW + timedelta(1), sealed=b"",
                )
            )  # fmt: skip
        work.commit()
    assert set(house.items(house.begin())) == {other}


def test_a_record_stands_on_one_list_at_a_time_and_stays_where_it_is(house: DestroyingHouse) -> None:
    record = house.record()
    key = house.begin()
    with pytest.raises(InvalidInput, match="none_to_destroy"):
        house.begin()
    with pytest.raises(IntegrityError):
        put_on_another(house, record)  # the database itself says so
    with house.lent.db.reading() as session:
        blocks = session.scalars(select(Block).where(Block.ended_at.is_(None))).all()
        assert [(each.record_id, each.kind) for each in blocks] == [(record, BlockKind.UNDER_DESTRUCTION)]
    house.acts.listing.withdraw(house.who("archivist"), key, "重新整理")
    again = house.begin()
    assert set(house.items(again)) == {record}
    with house.lent.db.reading() as session:
        assert len(session.scalars(select(Block).where(Block.ended_at.is_(None))).all()) == 1


def test_what_is_held_later_is_pulled_at_each_gate_and_listed_apart(house: DestroyingHouse) -> None:
    records = [house.record() for _ in range(4)]
    key = house.begin()
    hold(house, records[0])
    house.to(State.ASKED, key)
    assert house.items(key)[records[0]].pulled is Stop.HELD
    hold(house, records[1])
    house.approve(key)
    assert house.items(key)[records[1]].pulled is Stop.HELD
    house.cool()
    house.acts.deciding.confirm(house.who("secrecy"), key)
    house.count(key)
    hold(house, records[2])
    number = house.row(key).number
    assert house.acts.running.run(house.who("executor"), key, number) is State.CONFIRMED
    assert house.items(key)[records[2]].pulled is Stop.HELD
    with pytest.raises(Ended):
        house.acts.running.run(house.who("executor"), key, number)
    with pytest.raises(InvalidInput, match="papers_extra"):  # its paper still lies there
        house.acts.counting.sign(house.who("witness"), key)
    for scan, _label in house.acts.looks.show(house.who("witness"), key).extra:
        house.acts.counting.take_out(house.who("witness"), key, scan)
    for login in ("witness", "witness2", "system"):
        house.acts.counting.sign(house.who(login), key)
    assert house.acts.running.run(house.who("executor"), key, number) is State.RUNNING
    doomed = [each for each, item in house.items(key).items() if item.state is DestructionItemState.DOOMED]
    assert doomed == [records[3]]
    with house.lent.db.reading() as session:
        assert session.scalars(select(DestroyedRecord.record_id)).all() == [records[3]]


def test_whoever_reads_a_record_may_object_while_it_cools_off(house: DestroyingHouse) -> None:
    mine, hidden = house.record(), house.record(level=3)
    key = house.begin()
    house.acts.listing.name(house.who("archivist"), key, {hidden: "某项目文件"})
    house.appoint(key)
    with pytest.raises(NotFound):
        house.acts.deciding.object(house.who("low"), key, mine, "还要用")
    house.acts.deciding.ask(house.who("archivist"), key, "到期")
    for login in ("archivist2", "head", "secrecy", "director"):
        house.acts.deciding.decide(house.who(login), key, "同意", approve=True)
    shown = house.acts.looks.items(house.who("low"), key, limit=9)
    assert [each.record_id for each in shown] == [mine]
    assert house.acts.looks.show(house.who("low"), key).acts == {"object"}
    with pytest.raises(NotFound):
        house.acts.deciding.object(house.who("low"), key, hidden, "还要用")
    with pytest.raises(InvalidInput, match="reason"):
        house.acts.deciding.object(house.who("low"), key, mine, " ")
    house.acts.deciding.object(house.who("low"), key, mine, "还要用")
    assert house.items(key)[mine].pulled is Stop.OBJECTED
    assert [why for _who, _at, why in house.acts.looks.show(house.who("audit"), key).objections] == ["还要用"]
    with pytest.raises(NotFound):
        house.acts.looks.show(house.who("low"), key)


def test_nobody_has_two_duties(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.ASKED)
    appoint = house.acts.counting.appoint
    with pytest.raises(NotFound):
        house.acts.deciding.decide(house.who("staff"), key, "同意", approve=True)
    with pytest.raises((OwnRequest, NotAllowed)):
        house.acts.deciding.decide(house.who("archivist"), key, "同意", approve=True)
    house.approve(key)
    house.cool()
    for login in ("archivist", "archivist2", "head"):
        with pytest.raises(OwnRequest):
            house.acts.deciding.confirm(house.who(login), key)
    rows = {each.row.person_id: each.row.id for each in house.acts.looks.show(house.who("archivist"), key).duties}
    house.acts.counting.dismiss(house.who("archivist"), key, rows[house.lent.person("witness")])
    for login in ("archivist", "archivist2", "director", "executor", "witness2"):
        with pytest.raises(InvalidInput, match="has_a_duty"):
            appoint(house.who("archivist"), key, Duty.WITNESS, login)
    appoint(house.who("archivist"), key, Duty.WITNESS, "secrecy")
    with pytest.raises(OwnRequest):
        house.acts.deciding.confirm(house.who("secrecy"), key)
    assert house.acts.deciding.confirm(house.who("security"), key) is State.CONFIRMED


def test_it_cools_off_for_so_long(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.COOLING)
    house.cool(6)
    with pytest.raises(WrongState):
        house.acts.deciding.confirm(house.who("secrecy"), key)
    house.cool(1)
    with pytest.raises(NotAllowed):
        house.acts.deciding.confirm(house.who("audit"), key)
    house.acts.deciding.confirm(house.who("secrecy"), key)


def test_a_missing_or_extra_paper_stops_it(house: DestroyingHouse) -> None:
    house.record()
    second = house.record()
    with house.lent.db.writing() as work:
        work.session.add(Copy(record_id=second, number=2, created_at=rights.NOW))
        work.commit()
    key = house.to(State.CONFIRMED)
    other = house.record(verdict=None)
    sign, scan = house.acts.counting.sign, house.acts.counting.scan
    both = house.lent.row(second).archive_number or ""
    [first] = [each for each in house.labels(key) if each != both]
    assert scan(house.who("witness"), key, first) == Scanned(1, 0)
    assert scan(house.who("executor"), key, first) == Scanned(0, 0)  # once more counts nothing
    assert scan(house.who("witness"), key, f"{both}*2") == Scanned(1, 0)
    with pytest.raises(InvalidInput, match="papers_missing"):
        sign(house.who("witness"), key)
    assert scan(house.who("witness"), key, f"{both}*1") == Scanned(1, 0)
    sign(house.who("witness"), key)
    for _again in range(2):  # it is named once, and taken out once
        assert scan(house.who("witness2"), key, house.lent.row(other).archive_number or "") == Scanned(0, 1)
    with pytest.raises(InvalidInput, match="papers_extra"):
        sign(house.who("witness2"), key)
    for login in ("archivist", "staff", "secrecy"):
        with pytest.raises((NotAllowed, NotFound)):
            scan(house.who(login), key, first)
    shown = house.acts.looks.show(house.who("witness2"), key)
    assert (shown.missing, shown.expected, len(shown.extra)) == (0, 3, 1)
    house.acts.counting.take_out(house.who("witness2"), key, shown.extra[0][0])
    sign(house.who("witness2"), key)
    assert sign(house.who("system"), key) is State.COUNTED


def test_an_outsider_signs_with_a_code_or_on_paper(house: DestroyingHouse) -> None:
    house.record(medium=Medium.ELECTRONIC)
    key, asker, acts = house.begin(replace(HOW, method=DestructionMethod.DELETION)), house.who("archivist"), house.acts
    one = acts.counting.appoint(asker, key, Duty.WITNESS, outsider="街道办 王立")
    for duty in (Duty.WITNESS, Duty.SUPERVISOR):
        with pytest.raises(InvalidInput, match="has_a_duty"):
            acts.counting.appoint(asker, key, duty, outsider="街道办　王立")
    two = acts.counting.appoint(asker, key, Duty.WITNESS, outsider="审计所 李明")
    acts.counting.appoint(asker, key, Duty.EXECUTOR, "executor")
    with pytest.raises(InvalidInput, match="duty"):
        acts.counting.appoint(asker, key, Duty.WITNESS, "witness")
    acts.deciding.ask(asker, key, "到期")
    house.approve(key)
    house.cool()
    acts.deciding.confirm(house.who("secrecy"), key)
    code = acts.counting.code(asker, key, one)
    newer = acts.counting.code(asker, key, one)
    with pytest.raises(NotAllowed):  # who made it could sign for every witness alone
        acts.counting.sign_for(asker, key, one, newer)
    for wrong in (code, "", "AAAA-BBBB-CCCC"):
        with pytest.raises(InvalidInput, match="code_wrong"):
            acts.counting.sign_for(house.who("executor"), key, one, wrong)
    assert acts.counting.sign_for(house.who("executor"), key, one, newer.lower()) is State.CONFIRMED
    with pytest.raises(InvalidInput, match="code_wrong"):
        acts.counting.sign_for(house.who("executor"), key, one, newer)
    with pytest.raises(InvalidInput, match="no_picture"):
        acts.looks.add_file(asker, key, "签字.png", b"text")
    paper = acts.looks.add_file(asker, key, "签字.png", b"\x89PNG picture")
    acts.counting.sign_for(asker, key, two, paper=paper)
    assert acts.looks.file(house.who("audit"), key, paper) == ("image/png", b"\x89PNG picture")
    assert house.row(key).state is State.CONFIRMED  # files need who runs the system, too
    acts.counting.appoint(asker, key, Duty.SUPERVISOR, "system")
    assert acts.counting.sign(house.who("system"), key) is State.COUNTED


def test_a_code_ends_after_a_day_and_after_five_wrong_ones(house: DestroyingHouse) -> None:
    house.record()
    key, asker = house.begin(), house.who("archivist")
    one = house.acts.counting.appoint(asker, key, Duty.WITNESS, outsider="王立")
    for duty, login in ((Duty.WITNESS, "witness2"), (Duty.EXECUTOR, "executor"), (Duty.SUPERVISOR, "system")):
        house.acts.counting.appoint(asker, key, duty, login)
    house.acts.deciding.ask(asker, key, "到期")
    house.approve(key)
    house.cool()
    house.acts.deciding.confirm(house.who("secrecy"), key)
    house.acts.counting.scan(house.who("executor"), key, house.labels(key)[0])
    late = house.acts.counting.code(asker, key, one)
    house.cool(1)
    with pytest.raises(InvalidInput, match="code_wrong"):
        house.acts.counting.sign_for(house.who("executor"), key, one, late)
    guessed = house.acts.counting.code(asker, key, one)
    for _ in range(5):
        with pytest.raises(InvalidInput, match="code_wrong"):
            house.acts.counting.sign_for(house.who("executor"), key, one, "AAAABBBBCCCC")
    with pytest.raises(InvalidInput, match="code_wrong"):
        house.acts.counting.sign_for(house.who("executor"), key, one, guessed)


def test_paper_of_a_held_room_is_not_destroyed_though_its_box_left_nor_what_is_bound_in_with_it(
    house: DestroyingHouse,
) -> None:
    [gone, sealed, bound], tree, who = [house.record() for _ in range(3)], house.lent.shelving.tree, "archivist"

    def shelf(code: str) -> tuple[UUID, UUID]:
        room = tree.add(house.who(who), ShelfKind.ROOM, code, PlaceFacts({"zh_CN": code}))
        cabinet = tree.add(house.who(who), ShelfKind.CABINET, "1", PlaceFacts(), room)
        return room, tree.add(house.who(who), ShelfKind.SHELF, "1", PlaceFacts(capacity=9), cabinet)

    (room, there), (_, elsewhere) = shelf("K1"), shelf("K2")
    box = tree.add(house.who(who), ShelfKind.BOX, "1", PlaceFacts(capacity=9), there)
    with house.lent.db.writing() as work:
        work.session.execute(update(Copy).where(Copy.record_id == sealed).values(place_id=box))
        work.session.execute(delete(Copy).where(Copy.record_id == bound))
        work.session.get_one(Record, bound).dossier_id = sealed
        work.commit()
    key = house.to(State.COOLING)
    wanted = Wanted(HoldKind.SHELF, {"id": str(room)}, "诉讼", "涉诉", "法务部", date(2030, 1, 1))
    house.holds.place(house.who("archivist2"), wanted)
    tree.move(house.who(who), box, elsewhere)
    house.cool()
    house.acts.deciding.confirm(house.who("secrecy"), key)
    assert {each: item.pulled for each, item in house.items(key).items()} == {
        gone: None, sealed: Stop.HELD, bound: Stop.HELD,
    }  # fmt: skip


def test_a_list_from_which_all_was_pulled_does_not_run(house: DestroyingHouse) -> None:
    record = house.record()
    key = house.to(State.COUNTED)
    hold(house, record)
    number = house.row(key).number
    assert house.acts.running.run(house.who("executor"), key, number) is State.CONFIRMED
    for scan, _label in house.acts.looks.show(house.who("witness"), key).extra:
        house.acts.counting.take_out(house.who("witness"), key, scan)
    for login in ("witness", "witness2", "system"):
        house.acts.counting.sign(house.who(login), key)
    with pytest.raises(InvalidInput, match="none_to_destroy"):
        house.acts.running.run(house.who("executor"), key, number)
    house.acts.listing.withdraw(house.who("archivist"), key, "已无可销毁")
    assert house.row(key).state is State.WITHDRAWN
    with pytest.raises(Ended):  # what has ended takes no pictures
        house.acts.looks.add_file(house.who("archivist"), key, "签字.png", b"\x89PNG picture")


def test_titles_of_upper_levels_are_neutral_and_the_register_has_its_own_rights(house: DestroyingHouse) -> None:
    secret = house.record(level=3, title="并购谈判纪要")
    plain = house.record(title="关于绿化的通知")
    key, asker = house.begin(), house.who("archivist")
    house.appoint(key)
    with pytest.raises(InvalidInput, match="titles_lacking"):
        house.acts.deciding.ask(asker, key, "到期")
    house.acts.listing.name(asker, key, {secret: "某项目文件"})
    house.acts.deciding.ask(asker, key, "到期")
    for login in ("archivist2", "head", "secrecy", "director"):
        house.acts.deciding.decide(house.who(login), key, "同意", approve=True)
    house.cool()
    house.acts.deciding.confirm(house.who("security"), key)
    house.count(key)
    house.acts.running.run(house.who("executor"), key, house.row(key).number)
    house.erase(key)
    every = house.acts.register.every
    told = {
        login: {each.row.record_id: each.title for each in every(house.who(login), Asked(), limit=9)}
        for login in ("audit", "archivist", "system")
    }
    assert told["audit"] == told["archivist"] == {secret: "某项目文件", plain: "关于绿化的通知"}
    assert told["system"] == {secret: "某项目文件", plain: None}
    with pytest.raises(NotAllowed):
        house.acts.register.every(house.who("staff"), Asked(), limit=9)
    assert not house.acts.register.every(house.who("audit"), Asked(since=date(2030, 1, 1)), limit=9)


def test_paper_is_not_deleted_and_bad_input_names_its_field(house: DestroyingHouse) -> None:
    house.record()
    with pytest.raises(InvalidInput) as bad:
        house.begin(replace(HOW, purpose=" ", place="x" * 201))
    assert fields(bad.value) == ["purpose:required", "place:too_long"]
    key = house.begin(replace(HOW, method=DestructionMethod.DELETION))
    with pytest.raises(InvalidInput, match="paper_is_not_deleted"):
        house.acts.deciding.ask(house.who("archivist"), key, "到期")
    house.acts.listing.change(house.who("archivist"), key, house.row(key).version, HOW)
    with pytest.raises(ArchiveError):
        house.acts.listing.change(house.who("archivist"), key, 1, HOW)
    house.acts.deciding.ask(house.who("archivist"), key, "到期")


def test_it_is_withdrawn_at_any_time_before_it_runs_and_refused_with_a_reason(house: DestroyingHouse) -> None:
    house.record()
    for state in (State.ASKED, State.COOLING, State.CONFIRMED, State.COUNTED):
        key = house.to(state)
        with pytest.raises(InvalidInput, match="reason"):
            house.acts.listing.withdraw(house.who("archivist"), key, "")
        house.acts.listing.withdraw(house.who("archivist"), key, "暂缓")
        assert house.row(key).state is State.WITHDRAWN
    key = house.to(State.ASKED)
    house.acts.deciding.decide(house.who("archivist2"), key, "仍有查考价值", approve=False)
    assert house.row(key).state is State.REFUSED
    key = house.to(State.RUNNING)
    with pytest.raises(Ended):
        house.acts.listing.withdraw(house.who("archivist"), key, "暂缓")


def test_only_the_executor_runs_it_and_types_its_number(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.COUNTED)
    number = house.row(key).number
    for login in ("archivist", "witness", "secrecy"):
        with pytest.raises(NotAllowed):
            house.acts.running.run(house.who(login), key, number)
    with pytest.raises(InvalidInput, match="number"):
        house.acts.running.run(house.who("executor"), key, "XH")
    assert house.acts.running.run(house.who("executor"), key, f" {number} ") is State.RUNNING


def test_a_list_that_changed_since_it_was_counted_is_not_run(house: DestroyingHouse) -> None:
    record = house.record()
    key = house.to(State.COUNTED)
    with house.lent.db.writing() as work:
        work.session.get_one(DestructionItem, (key, record)).neutral = "别的"
        work.commit()
    with pytest.raises(WrongState):
        house.acts.running.run(house.who("executor"), key, house.row(key).number)


def test_each_sees_what_they_may(house: DestroyingHouse) -> None:
    record = house.record(title="关于绿化的通知")
    key = house.to(State.CONFIRMED)
    assert [each[0].id for each in house.acts.looks.every(house.who("witness"), limit=5)] == [key]
    assert not house.acts.looks.every(house.who("staff2"), limit=5)
    with pytest.raises(NotFound):
        house.acts.looks.show(house.who("staff2"), key)
    audit = house.acts.looks.items(house.who("audit"), key, limit=5)[0]
    assert (audit.title, audit.number) == (None, house.lent.row(record).registration_number)
    witness = house.acts.looks.items(house.who("witness"), key, limit=5)[0]
    assert witness.number == house.lent.row(record).archive_number  # which stands on the label
    assert house.acts.looks.items(house.who("archivist"), key, limit=5)[0].title == "关于绿化的通知"


def test_a_box_counts_what_is_on_the_list_and_names_each_paper_that_is_not(house: DestroyingHouse) -> None:
    mine = house.record()
    key = house.to(State.CONFIRMED)
    other = house.record(verdict=None)
    with house.lent.db.writing() as work:
        box = new_id()
        work.session.add(ShelfPlace(id=box, kind=ShelfKind.BOX, code="01", path="K1-01-1-01", strength=4))
        work.session.flush()
        work.session.execute(update(Copy).where(Copy.record_id.in_([mine, other])).values(place_id=box))
        work.session.execute(update(Record).where(Record.id == other).values(registration_number="H001-2010-A000009"))
        work.commit()
    assert house.acts.counting.scan(house.who("witness"), key, "k1-01-1-01") == Scanned(1, 1, box=True)
    assert house.acts.counting.scan(house.who("witness2"), key, "K1-01-1-01") == Scanned(0, 1, box=True)
    shown = house.acts.looks.show(house.who("witness"), key)
    [(_scan, label)] = shown.extra
    assert label == "H001-2010-A000009*1 (K1-01-1-01)"


def test_each_line_says_which_paper_the_count_waits_for(house: DestroyingHouse) -> None:
    first, second = house.record(), house.record()
    with house.lent.db.writing() as work:
        work.session.add(Copy(record_id=second, number=2, created_at=rights.NOW))
        work.commit()

    def waits(login: str = "witness") -> list[int]:
        lines = {each.position: each for each in house.acts.looks.items(house.who(login), key, limit=9)}
        return [lines[house.items(key)[each].position].to_scan for each in (first, second)]

    key = house.to(State.COOLING)
    assert waits() == [0, 0], "nothing is counted yet"
    house.cool()
    house.acts.deciding.confirm(house.who("secrecy"), key)
    assert waits() == [1, 2]
    house.acts.counting.scan(house.who("witness"), key, house.lent.row(first).archive_number or "")
    house.acts.counting.scan(house.who("witness"), key, f"{house.lent.row(second).archive_number}*2")
    assert waits("executor") == [0, 1]


def test_what_may_not_go_any_more_is_said_on_the_list_from_its_draft_until_it_runs(house: DestroyingHouse) -> None:
    kept, free = house.record(), house.record()

    def told(login: str) -> list[Stop | None]:
        lines = {each.position: each for each in house.acts.looks.items(house.who(login), key, limit=9)}
        return [lines[house.items(key)[each].position].stops for each in (kept, free)]

    for state, who in (
        (State.DRAFT, "archivist"), (State.ASKED, DECIDE[0]), (State.COOLING, "secrecy"), (State.CONFIRMED, "witness"),
        (State.COUNTED, "executor"),
    ):  # fmt: skip
        key = house.begin() if state is State.DRAFT else house.to(state)
        assert told(who) == [None, None], state
        held = hold(house, kept)
        assert told(who) == [Stop.HELD, None], state
        if state is State.COOLING:
            assert told("staff") == [None, None], "who may only object is told of no hold"
        house.holds.release(house.who("archivist"), held, "结案")
        house.acts.listing.withdraw(house.who("archivist"), key, "试走一遍")
