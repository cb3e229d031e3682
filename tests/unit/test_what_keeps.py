"""What keeps a record where it is, asked straight of the rows: examples that mutation testing is held against."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from archive.errors import Held
from archive.identity import system
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    Afterwards,
    Appraisal,
    AppraisalItem,
    AppraisalState,
    ApprovalState,
    Block,
    BlockCause,
    BlockKind,
    Category,
    CategorySchedule,
    Circulation,
    CirculationState,
    CopyCondition,
    DestructionItem,
    DueState,
    Hold,
    HoldKind,
    HoldRecord,
    Job,
    JobKind,
    JobState,
    Loan,
    LoanForm,
    LoanState,
    LogEntry,
    MatterKind,
    Record,
    RecordDue,
    RecordExtension,
    RecordState,
    RetentionSchedule,
    ScheduleDraft,
    StandingCustody,
    Stop,
    Transfer,
    TransferItem,
    TransferItemState,
    TransferState,
    UnsettledMatter,
)
from retention import elsewhere, last_check
from retention.holding import Facts, HoldCheck, Rule, covers, facts_of, held, holds_on, may_cover, standing
from retention.keeping_on import Keep, Longer
from retention.reckoning import DueDays
from retention.transferring.rules import RUNNING as GOING
from tests.factories import records
from tests.factories.databases import an_engine, without_what_it_hangs_on
from tests.fakes.clock import FixedClock
from tests.fakes.vault import MemoryVault

NOW, TODAY, PAST = datetime(2026, 3, 4, 12, tzinfo=UTC), date(2026, 3, 4), date(2020, 1, 1)


class Room:
    """Two categories, ``low`` below ``top``, and one apart; all that is put in lies in a transaction taken back."""

    def __init__(self, session: Session) -> None:
        self.session = session
        records.a_house(session)
        fonds = records.a_fonds(session, "H001")
        self.top = records.a_category(session, fonds, "T")
        self.low = records.a_category(session, fonds, "TL", self.top)
        self.apart = records.a_category(session, fonds, "N")
        self.place = records.a_place(session, fonds, "P1/B2/")
        without_what_it_hangs_on(session)

    def add(self, category: Category | None = None, due: date | None = PAST, **more: Any) -> UUID:
        row = records.a_record(self.session, category or self.low, **more)
        if due:
            self.session.add(RecordDue(record_id=row.id, state=DueState.DATED, due=due))
        self.session.flush()
        return row.id

    def hold(self, kind: HoldKind, *, released: bool = False, rows: tuple[UUID, ...] = (), **covered: Any) -> UUID:
        key = new_id()
        self.put(
            Hold(
                id=key, kind=kind, covers=covered, name=kind.value, reason="诉讼", authority="法务", review_on=TODAY,
                placed_by=new_id(), placed_at=NOW, released_at=NOW if released else None,
            )
        )  # fmt: skip
        self.put(*(HoldRecord(hold_id=key, record_id=each, since=NOW) for each in rows))
        return key

    def put(self, *rows: Any) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def stops(self, *ids: UUID) -> list[Stop | None]:
        found = last_check.stops(self.session, ids, TODAY)
        assert set(found) <= set(ids)
        return [found.get(each) for each in ids]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return an_engine()


@pytest.fixture
def room(engine: Engine) -> Iterator[Room]:
    with Session(engine) as session:
        yield Room(session)


def test_what_a_hold_covers_and_what_it_leaves() -> None:
    one, two, three = uuid4(), uuid4(), uuid4()
    it = Facts(
        one, two, frozenset({three}), "P1/B2/", "关于电梯 维修的请示", "工程部", date(2020, 1, 1), date(2020, 12, 31)
    )
    bare = Facts(one)
    assert (bare.place, bare.title, bare.responsible, bare.categories, bare.rows) == (
        "",
        "",
        "",
        frozenset(),
        frozenset(),
    )

    def fits(kind: HoldKind, facts: Facts = it, **covered: Any) -> bool:
        return covers(Rule(uuid4(), kind, covered), facts)

    for kind, yes, no in (
        (HoldKind.RECORD, [one], [two, three]),
        (HoldKind.DOSSIER, [one, two], [three]),
        (HoldKind.CATEGORY, [three], [one, two]),
    ):
        assert all(fits(kind, id=str(each)) for each in yes), kind
        assert not any(fits(kind, id=str(each)) for each in no), kind
    assert [fits(HoldKind.PLACE, path=each) for each in ("P1/", "P1/B2/", "P1/B2/U1/", "B2/")] == [
        True,
        True,
        False,
        False,
    ]
    assert not fits(HoldKind.PLACE, bare, path="")
    written = Rule(uuid4(), HoldKind.RECORD, {"id": str(two)})
    assert covers(written, replace(it, rows=frozenset({written.id, uuid4()}))), "what was once covered stays so"
    assert holds_on([written, Rule(three, HoldKind.CATEGORY, {"id": str(three)})], it) == {three}
    for wanted in (
        {}, {"words": ["电梯", "维修"]}, {"words": ["电梯维修"]}, {"responsible": "工程"}, {"category": str(three)},
        {"path": "P1/"}, {"since": "2020-12-31"}, {"until": "2020-01-01"}, {"since": "", "until": None},
    ):  # fmt: skip
        assert fits(HoldKind.QUERY, **wanted), wanted
    for missed in (
        {"words": ["电梯", "锅炉"]}, {"responsible": "财务"}, {"category": str(one)}, {"path": "P2/"},
        {"since": "2021-01-01"}, {"until": "2019-12-31"}, {"words": ["电梯"], "responsible": "财务"},
    ):  # fmt: skip
        assert not fits(HoldKind.QUERY, **missed), missed
    assert fits(HoldKind.QUERY, bare, since="2021-01-01", until="2019-01-01"), "what has no date may lie in any time"
    assert not fits(HoldKind.QUERY, bare, path="P1/")
    assert not fits(HoldKind.QUERY, bare, words=["电梯"])


def test_holds_that_stand_are_found_by_rule_and_by_row(room: Room) -> None:
    dossier = room.add(title="卷", responsible="办公室")
    day: dict[str, Any] = {"drawn_from": date(2020, 2, 1), "drawn_to": date(2020, 2, 29)}
    item = room.add(dossier_id=dossier, position=1, place=room.place, **day)
    other = room.add(room.apart)
    assert held(room.session, [item, other]) == {}
    assert standing(room.session) == []
    known = facts_of(room.session, [item, dossier], ())
    chain = frozenset({room.low.id, room.top.id})
    assert known[item] == Facts(item, dossier, chain, "P1/B2/", "关于电梯维修的请示", "", *day.values())
    assert known[dossier] == Facts(dossier, None, chain, "", "卷", "办公室")
    first = room.hold(HoldKind.CATEGORY, id=str(room.top.id))
    room.hold(HoldKind.CATEGORY, id=str(room.apart.id), released=True)
    second = room.hold(HoldKind.DOSSIER, id=str(dossier))
    third = room.hold(HoldKind.QUERY, words=["没有"], rows=(item,))
    assert {(each.id, each.kind, each.name) for each in standing(room.session)} == {
        (first, HoldKind.CATEGORY, "category"), (second, HoldKind.DOSSIER, "dossier"), (third, HoldKind.QUERY, "query"),
    }  # fmt: skip
    found = held(room.session, [item, dossier, other])
    assert {key: [each.id for each in on] for key, on in found.items()} == {
        item: [first, second, third], dossier: [first, second],
    }  # fmt: skip
    assert found[item][0] == Rule(first, HoldKind.CATEGORY, {"id": str(room.top.id)}, "category")
    assert facts_of(room.session, [item], ())[item].rows == {third}
    assert facts_of(room.session, [item], (), rows=False)[item].rows == frozenset()
    assert HoldCheck().held(room.session, [item, other]) == {item}
    HoldCheck().require_free(room.session, other, "record.correct")
    with pytest.raises(Held) as refused:
        HoldCheck().require_free(room.session, item, "record.correct")
    assert refused.value.facts == {"act": "record.correct", "count": 3}


def test_a_category_above_itself_ends_the_look(room: Room) -> None:
    room.top.parent_id = room.low.id
    key = room.add()
    assert facts_of(room.session, [key], ())[key].categories == {room.low.id, room.top.id}


def test_what_a_hold_may_cover_leaves_out_nothing_that_it_covers(room: Room) -> None:
    years: list[dict[str, Any]] = [
        {"drawn_from": date(year, 1, 1), "drawn_to": date(year, 12, 31)} for year in (2019, 2021)
    ]
    early, late = years
    dossier = room.add(room.apart)
    item = room.add(room.apart, dossier_id=dossier, position=1)
    old, new = room.add(**early, place=room.place), room.add(room.top, **late)
    every = {dossier, item, old, new}

    def may(kind: HoldKind, **covered: Any) -> set[UUID]:
        rule = Rule(new_id(), kind, covered)
        found = set(room.session.scalars(select(Record.id).where(Record.id.in_(every), may_cover(rule))))
        known = facts_of(room.session, every, [rule])
        assert {key for key in every if covers(rule, known[key])} <= found or not covered
        return found

    assert may(HoldKind.RECORD, id=str(dossier)) == {dossier}
    assert may(HoldKind.DOSSIER, id=str(dossier)) == {dossier, item}
    assert may(HoldKind.CATEGORY, id=str(room.top.id)) == {old, new}
    assert may(HoldKind.CATEGORY, id=str(room.low.id)) == {old}
    assert may(HoldKind.PLACE, path="P1/") == {old}
    assert may(HoldKind.PLACE, path="P_/") == set()
    assert may(HoldKind.QUERY, category=str(room.top.id)) == {old, new}
    assert may(HoldKind.QUERY, path="P1/B2/") == {old}
    assert may(HoldKind.QUERY, since="2019-12-31") == every
    assert may(HoldKind.QUERY, since="2020-01-01") == {dossier, item, new}
    assert may(HoldKind.QUERY, until="2021-01-01") == every
    assert may(HoldKind.QUERY, until="2020-12-31") == {dossier, item, old}
    assert may(HoldKind.QUERY, words=["电梯"]) == every
    assert may(HoldKind.QUERY) == set()


def test_each_thing_that_keeps_a_record_is_found_and_named(room: Room) -> None:
    free, today = room.add(), room.add(due=TODAY)
    undue, undated = room.add(due=date(2026, 3, 5)), room.add(due=None)
    draft, nowhere = room.add(state=RecordState.PROVISIONAL), new_id()
    kept = room.add(due=None)
    room.put(RecordDue(record_id=kept, state=DueState.NEVER))
    assert room.stops(free, today, undue, undated, draft, nowhere, kept) == [
        None, None, Stop.UNDUE, Stop.UNDUE, Stop.UNFILED, Stop.NOT_THERE, Stop.UNDUE,
    ]  # fmt: skip
    on_hold, open_one, closed = room.add(room.apart), room.add(), room.add()
    room.hold(HoldKind.RECORD, id=str(on_hold))
    for record, at in ((open_one, None), (closed, NOW)):
        room.put(
            UnsettledMatter(
                id=new_id(), kind=MatterKind.CLAIM, record_id=record, opened_at=NOW, sealed=b"", closed_at=at,
                closed_by=at and new_id(), closed_why=at and b"",
            )
        )  # fmt: skip
    assert room.stops(on_hold, open_one, closed) == [Stop.HELD, Stop.UNSETTLED, None]
    lent, back, round_, returned, custody, given_up = (room.add() for _ in range(6))
    for number, (record, state) in enumerate(((lent, LoanState.OPEN), (back, LoanState.RETURNED))):
        room.put(
            Loan(
                id=new_id(), number=number + 1, approval_id=new_id(), record_id=record, borrower_id=new_id(),
                form=LoanForm.OUT, purpose="work", days=7, state=state, asked_at=NOW,
            )
        )  # fmt: skip
    for number, (record, goes) in enumerate(((round_, CirculationState.ROUND), (returned, CirculationState.RETURNED))):
        room.put(
            Circulation(
                id=new_id(), number=number + 1, record_id=record, copy_id=new_id(), sealed=b"", until=TODAY, state=goes,
                begun_by=new_id(), begun_at=NOW, condition_out=CopyCondition.GOOD,
            )
        )  # fmt: skip
    for record, end in ((custody, None), (given_up, NOW)):
        room.put(
            StandingCustody(
                id=new_id(), record_id=record, copy_id=new_id(), post_id=new_id(), department_id=new_id(),
                person_id=new_id(), months=6, check_on=TODAY, begun_at=NOW, begun_by=new_id(), ended_at=end,
            )
        )  # fmt: skip
    assert room.stops(lent, back, round_, returned, custody, given_up) == [Stop.LENT, None] * 3
    lost, found, listed = room.add(), room.add(), room.add()
    for record, kind, end in (
        (lost, BlockKind.MISSING, None), (found, BlockKind.MISSING, NOW), (listed, BlockKind.UNDER_DESTRUCTION, None),
    ):  # fmt: skip
        room.put(
            Block(
                id=new_id(), kind=kind, record_id=record, set_at=NOW, cause=BlockCause.PERSON, set_by=new_id(),
                ended_at=end, ended_cause=end and BlockCause.PERSON, ended_by=end and new_id(),
            )
        )  # fmt: skip
    assert room.stops(lost, found, listed) == [Stop.MISSING, None, None]
    facts = last_check.facts_of(room.session, [lost, lent, on_hold, open_one, nowhere])
    assert nowhere not in facts
    plain = last_check.Facts(RecordState.FILED, PAST, held=False, lent=False, missing=False, unsettled=False)
    assert [facts[each] for each in (lost, lent, on_hold, open_one)] == [
        replace(plain, missing=True), replace(plain, lent=True), replace(plain, held=True),
        replace(plain, unsettled=True),
    ]  # fmt: skip


def test_a_day_that_is_still_to_follow_is_reckoned_by_the_last_question(room: Room) -> None:
    def ten_or(term: str) -> dict[str, Any]:
        return {"trigger": "drawn_up", "start": "same_day", "source": "x", "exact": True, "term": term}

    schedule = RetentionSchedule(id=new_id(), code="one", names={}, definition=ten_or("D10"))
    room.put(schedule)
    room.put(CategorySchedule(category_id=room.top.id, schedule_id=schedule.id))
    drawn: dict[str, Any] = {"drawn_from": date(2010, 1, 1), "drawn_to": date(2010, 1, 1), "filed_at": NOW}
    record, apart = room.add(**drawn), room.add(room.apart, **drawn)
    for key in (record, apart):
        room.session.get_one(Record, key).term = "D1"
    assert room.stops(record) == [None]
    schedule.definition = ten_or("D30")  # approved: the kept day follows by a job
    job = Job(id=new_id(), kind=JobKind.RECKON, state=JobState.QUEUED, run_after=NOW, created_at=NOW)
    room.put(job)
    waiting = JobState.QUEUED, JobState.RUNNING, JobState.FAILED, JobState.CANCELLED
    for job.kind, job.state in product((JobKind.RECKON, JobKind.FOLLOW_SCHEME), waiting):
        room.session.flush()
        assert room.stops(record) == [Stop.UNDUE]
    schedule.definition = ten_or("D10")
    assert room.stops(record, apart) == [None, Stop.UNDUE]
    job.state, schedule.definition = JobState.DONE, ten_or("D30")
    draft = ScheduleDraft(
        id=new_id(), schedule_id=schedule.id, code="one", names={}, definition={}, categories=[], why="x",
        asked_by=new_id(), asked_at=NOW, state=ApprovalState.APPROVED,
    )  # fmt: skip
    room.put(draft)
    assert room.stops(record) == [Stop.UNDUE]
    draft.applied_at = NOW
    room.session.flush()
    assert room.stops(record) == [None], "then the kept day is the one"


def test_what_other_work_has_is_told_to_who_must_keep_clear_of_it(room: Room) -> None:
    panels = {
        state: Appraisal(
            id=new_id(), number=state, purpose="x", state=state, begun_by=new_id(), begun_at=NOW, closed_at=NOW
        )
        for state in AppraisalState
    }  # fmt: skip
    transfers = {
        state: Transfer(
            id=new_id(), number=state, receiver="x", purpose="x", state=state, begun_by=new_id(), begun_at=NOW,
            afterwards=Afterwards.KEEP,
        )
        for state in TransferState
    }  # fmt: skip
    room.put(*panels.values(), *transfers.values())
    judged = {state: room.add() for state in panels}
    carried = {state: room.add() for state in transfers}
    pulled, listed, free = room.add(), room.add(), room.add()
    room.put(
        *(
            AppraisalItem(appraisal_id=panels[state].id, record_id=key, position=1, number="1", due=PAST)
            for state, key in judged.items()
        ),
        *(TransferItem(transfer_id=transfers[state].id, record_id=key, position=1) for state, key in carried.items()),
        TransferItem(
            transfer_id=transfers[TransferState.PACKED].id, record_id=pulled, position=2,
            state=TransferItemState.PULLED,
        ),
        DestructionItem(destruction_id=new_id(), record_id=listed, position=1),
    )  # fmt: skip

    def kept(by: Any, *ids: UUID) -> set[UUID]:
        found = last_check.stops(room.session, ids, TODAY, by)
        assert set(found.values()) <= {Stop.ELSEWHERE}
        return set(found)

    every = [*judged.values(), *carried.values(), pulled, listed, free]
    assert kept(elsewhere.judged, *every) == {judged[each] for each in (AppraisalState.DRAFT, AppraisalState.OPEN)}
    assert kept(elsewhere.carried, *every) == {carried[each] for each in GOING}
    assert kept(elsewhere.doomed, *every) == {listed}
    assert kept(elsewhere.kept_from_destruction, *every) == kept(elsewhere.judged, *every) | kept(
        elsewhere.carried, *every
    )
    assert room.stops(*every) == [None] * len(every)


def test_what_is_kept_on_says_by_whom_and_moves_its_day(room: Room) -> None:
    vault: Any = MemoryVault()
    clock = FixedClock(NOW)
    log, days = Log(vault, clock), DueDays(lambda: "Asia/Shanghai")
    definition = {"trigger": "drawn_up", "start": "same_day", "source": "x", "exact": True, "term": "D1"}
    schedule = RetentionSchedule(id=new_id(), code="one", names={}, definition=definition)
    room.put(schedule)
    room.put(CategorySchedule(category_id=room.top.id, schedule_id=schedule.id))
    drawn: dict[str, Any] = {"drawn_from": PAST, "drawn_to": PAST, "filed_at": NOW, "due": None}
    by_panel, by_renewal, other = (room.add(**drawn) for _ in range(3))
    for key in (by_panel, by_renewal, other):
        vault.add_owner(room.session, key, due_year=None)
        room.session.get_one(Record, key).term = "D1"
    days.again(room.session, [by_panel, by_renewal, other])
    keep, appraisal, approval = Keep(vault, log, clock, days), new_id(), new_id()
    longer = Longer(date(2031, 5, 6), "档案委员会", "仍有凭证价值")
    keep.on(room.session, system("trial"), {by_panel: longer}, {"appraisal": "1"}, appraisal=appraisal)
    keep.on(room.session, system("trial"), {by_renewal: longer}, {}, approval=approval)
    room.session.expire_all()
    rows = {row.record_id: row for row in room.session.scalars(select(RecordExtension))}
    assert {key: (row.until, row.appraisal_id, row.approval_id, row.set_at) for key, row in rows.items()} == {
        by_panel: (longer.until, appraisal, None, NOW), by_renewal: (longer.until, None, approval, NOW),
    }  # fmt: skip
    row = rows[by_panel]
    sealed = vault.open(room.session, by_panel, row.sealed, context=f"extension:{row.id.hex}").decode()
    assert sealed == '{"authority": "档案委员会", "reason": "仍有凭证价值"}'
    due = dict(room.session.execute(select(RecordDue.record_id, RecordDue.due)).all())
    assert [due[each] for each in (by_panel, by_renewal, other)] == [longer.until, longer.until, date(2021, 1, 1)]
    entries = room.session.scalars(select(LogEntry)).all()
    told = log.opened_many(room.session, entries)
    assert {each.act for each in entries} == {"record.keep_on"}
    assert {entry.record_id: body for entry, body in zip(entries, told, strict=True)} == {
        by_panel: {"appraisal": "1", "until": "2031-05-06"}, by_renewal: {"until": "2031-05-06"},
    }  # fmt: skip
