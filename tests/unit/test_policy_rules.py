"""Who may do what, in the words of the requirements."""

from collections.abc import Iterator
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.identity import Identity, Role, system
from archive.ids import new_id
from archive.model import Person, Record, RecordPerson, RecordState
from archive.policy.condition import NEVER, holds
from archive.policy.facts import facts_of
from archive.policy.reach import Reach, load_reach
from archive.policy.rules import HOUSE_RULES, RULES, Act, condition, may, may_set_level
from tests.factories import people, records
from tests.factories.databases import an_engine
from tests.fakes.clock import FixedClock

TODAY = date(2026, 3, 5)


@pytest.fixture
def session() -> Iterator[Session]:
    engine = an_engine()
    with Session(engine) as session:
        records.a_house(session)
        yield session
    engine.dispose()


@pytest.fixture
def scheme(session: Session) -> SimpleNamespace:
    fonds = records.a_fonds(session, "F1")
    branch = records.a_category(session, fonds, "GC")
    return SimpleNamespace(
        fonds=fonds,
        branch=branch,
        leaf=records.a_category(session, fonds, "GC.1", branch),
        other=records.a_category(session, fonds, "RS"),
    )


def reach_of(session: Session, person: Person, **moved: float) -> Reach:
    clock = FixedClock()
    clock.move(**moved)
    return load_reach(session, people.identity_of(person), clock, "Asia/Shanghai")


def can(session: Session, person: Person, act: Act, record: Record, **moved: float) -> bool:
    named = session.scalars(select(RecordPerson.person_id).where(RecordPerson.record_id == record.id)).all()
    return holds(condition(act, reach_of(session, person, **moved)), facts_of(record, named))


class TestAReaderIsClearedAndHasAHold:
    """C2."""

    def test_a_grant_and_the_distribution_open_a_record_up_to_the_clearance(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        people.distributed_to(session, 4)
        reader = people.a_person(session, clearance=2)
        people.grants(session, reader, fonds=scheme.fonds.id)
        assert can(session, reader, Act.READ, records.a_record(session, scheme.leaf, level=2))
        assert not can(session, reader, Act.READ, records.a_record(session, scheme.leaf, level=3))

    def test_a_grant_without_the_distribution_opens_nothing(self, session: Session, scheme: SimpleNamespace) -> None:
        reader = people.a_person(session, clearance=4)
        people.grants(session, reader, fonds=scheme.fonds.id)
        assert not can(session, reader, Act.READ, records.a_record(session, scheme.leaf))

    def test_the_distribution_without_a_grant_opens_nothing(self, session: Session, scheme: SimpleNamespace) -> None:
        people.distributed_to(session, 4)
        assert not can(session, people.a_person(session, clearance=4), Act.READ, records.a_record(session, scheme.leaf))

    def test_a_branch_opens_what_lies_below_it_and_not_what_lies_beside(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        people.distributed_to(session, 1)
        reader = people.a_person(session, clearance=1)
        people.grants(session, reader, category=scheme.branch.id)
        assert can(session, reader, Act.READ, records.a_record(session, scheme.leaf))
        assert not can(session, reader, Act.READ, records.a_record(session, scheme.other))

    def test_a_place_opens_what_hangs_on_it_and_below(self, session: Session, scheme: SimpleNamespace) -> None:
        people.distributed_to(session, 1)
        project = records.a_place(session, scheme.fonds, "P1/")
        flat = records.a_place(session, scheme.fonds, "P1/B1/U1/101/")
        neighbour = records.a_place(session, scheme.fonds, "P12/")
        reader = people.a_person(session, clearance=1)
        people.grants(session, reader, place=project.id)
        assert can(session, reader, Act.READ, records.a_record(session, scheme.other, place=flat))
        assert not can(session, reader, Act.READ, records.a_record(session, scheme.other, place=neighbour))
        assert not can(session, reader, Act.READ, records.a_record(session, scheme.other))

    def test_being_named_opens_it_to_the_cleared_only(self, session: Session, scheme: SimpleNamespace) -> None:
        cleared, uncleared = people.a_person(session, clearance=3), people.a_person(session, clearance=2)
        record = records.a_record(session, scheme.leaf, level=3, named=[cleared, uncleared])
        assert can(session, cleared, Act.READ, record)
        assert not can(session, uncleared, Act.READ, record)

    def test_a_loan_opens_it_until_it_ends(self, session: Session, scheme: SimpleNamespace) -> None:
        reader = people.a_person(session, clearance=1)
        record = records.a_record(session, scheme.leaf)
        people.a_loan(session, reader, record.id, until=people.NOW + timedelta(days=7))
        assert can(session, reader, Act.READ, record)
        assert not can(session, reader, Act.READ, record, days=7)

    def test_need_to_know_leaves_only_the_named_and_the_borrowers(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        people.distributed_to(session, 4)
        granted, named, borrower = (people.a_person(session, clearance=4) for _ in range(3))
        people.grants(session, granted, fonds=scheme.fonds.id)
        group = records.a_group(session, scheme.fonds)
        record = records.a_record(session, scheme.leaf, group=group, named=[named])
        people.a_loan(session, borrower, record.id)
        assert [can(session, who, Act.READ, record) for who in (granted, named, borrower)] == [False, True, True]


class TestDistribution:
    """C2: by post and department; each contains those above it."""

    def test_the_manager_of_a_higher_level_stands_on_every_lower_one(self, session: Session) -> None:
        manager, clerk = people.a_post(session), people.a_post(session)
        office = people.a_department(session)
        people.distributed_to(session, 3, manager)
        people.distributed_to(session, 1, clerk)
        boss, hand = people.a_person(session), people.a_person(session)
        people.holds_post(session, boss, manager, office)
        people.holds_post(session, hand, clerk, office)
        assert reach_of(session, boss).distributed == {1, 2, 3}
        assert reach_of(session, hand).distributed == {1}

    def test_a_department_speaks_for_those_below_it(self, session: Session) -> None:
        head = people.a_department(session)
        below = people.a_department(session, parent=people.a_department(session, parent=head))
        post = people.a_post(session)
        people.distributed_to(session, 2, post, head)
        person, elsewhere = people.a_person(session), people.a_person(session)
        people.holds_post(session, person, post, below)
        people.holds_post(session, elsewhere, post, people.a_department(session))
        assert reach_of(session, person).distributed == {1, 2}
        assert reach_of(session, elsewhere).distributed == frozenset()

    def test_post_and_department_must_meet_in_one_holding(self, session: Session) -> None:
        manager, driver = people.a_post(session), people.a_post(session)
        office, garage = people.a_department(session), people.a_department(session)
        people.distributed_to(session, 4, manager, office)
        person = people.a_person(session)
        people.holds_post(session, person, manager, garage)
        people.holds_post(session, person, driver, office)
        assert reach_of(session, person).distributed == frozenset()

    def test_rights_of_a_post_end_with_its_last_day_in_the_house_s_zone(self, session: Session) -> None:
        post, office = people.a_post(session), people.a_department(session)
        people.distributed_to(session, 4, post)
        person = people.a_person(session)
        people.holds_post(session, person, post, office, until=TODAY)
        assert reach_of(session, person).distributed  # noon in Shanghai
        assert reach_of(session, person, hours=11).distributed  # 23:00 in Shanghai
        assert not reach_of(session, person, hours=13).distributed  # 01:00, the next day there


class TestNothingIsOpenWithoutARule:
    """C3."""

    def test_whoever_is_unknown_inactive_or_without_a_role_reaches_nothing(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        people.distributed_to(session, 4)
        gone = people.a_person(session, clearance=4, active=False, roles=list(Role)[:4])
        plain = people.a_person(session, clearance=4, roles=[])
        for person in (gone, plain):
            people.grants(session, person, fonds=scheme.fonds.id)
        stranger = load_reach(session, Identity(name="anonymous"), FixedClock(), "Asia/Shanghai")
        for reach in (reach_of(session, gone), reach_of(session, plain), stranger, Reach()):
            assert all(condition(act, reach) == NEVER for act in RULES)
            assert not any(may(act, reach) for act in HOUSE_RULES)

    def test_a_part_of_the_system_reads_nothing_and_only_files_what_is_imported(self, session: Session) -> None:
        reach = load_reach(session, system("index"), FixedClock(), "Asia/Shanghai")
        assert {act for act in RULES if condition(act, reach) != NEVER} == {
            Act.CREATE,
            Act.DESCRIBE,
            Act.FILE,
            Act.BIN,
            Act.KEEP_COPIES,
            Act.SHELVE,
            Act.BLOCK,
        }
        assert not may(Act.READ_LOG, reach)

    def test_a_destroyed_record_is_open_for_no_act(self, session: Session, scheme: SimpleNamespace) -> None:
        people.distributed_to(session, 4)
        record = records.a_record(session, scheme.leaf, state=RecordState.DESTROYED)
        for role in Role:
            person = people.a_person(session, roles=[role], clearance=4)
            people.grants(session, person, fonds=scheme.fonds.id)
            acts = [act for act in RULES if act is not Act.CREATE and can(session, person, act, record)]
            assert acts == []


class TestRoles:
    """C9."""

    def granted(self, session: Session, scheme: SimpleNamespace, role: Role, clearance: int = 2) -> Person:
        person = people.a_person(session, roles=[role], clearance=clearance)
        people.grants(session, person, fonds=scheme.fonds.id)
        return person

    def test_staff_see_a_record_once_it_is_filed(self, session: Session, scheme: SimpleNamespace) -> None:
        people.distributed_to(session, 4)
        reader = self.granted(session, scheme, Role.STAFF)
        archivist = self.granted(session, scheme, Role.ARCHIVIST)
        seen = {
            state: [
                can(session, person, Act.READ, records.a_record(session, scheme.leaf, state=state))
                for person in (reader, archivist)
            ]
            for state in RecordState
        }
        assert seen == {
            RecordState.FILED: [True, True],
            RecordState.PROVISIONAL: [False, True],
            RecordState.BINNED: [False, True],
            RecordState.DESTROYED: [False, False],
        }

    def test_a_clerk_prepares_what_their_own_department_hands_in_and_files_nothing(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        region, post = people.a_department(session), people.a_post(session)
        office = people.a_department(session, parent=region)
        clerk = people.a_person(session, roles=[Role.CLERK], clearance=1)
        people.holds_post(session, clerk, post, region)
        own = records.a_record(session, scheme.leaf, department=office, state=RecordState.PROVISIONAL)
        handed_in = records.a_record(session, scheme.leaf, created_by=clerk, state=RecordState.PROVISIONAL)
        other = records.a_record(
            session, scheme.leaf, department=people.a_department(session), state=RecordState.PROVISIONAL
        )
        above = records.a_record(session, scheme.leaf, department=office, level=2, state=RecordState.PROVISIONAL)
        for act in (Act.READ, Act.DESCRIBE, Act.BIN):
            assert [can(session, clerk, act, r) for r in (own, handed_in, other, above)] == [True, True, False, False]
        assert not can(session, clerk, Act.FILE, own)
        assert can(session, clerk, Act.CREATE, own)
        assert not can(session, clerk, Act.CREATE, other)

    def test_an_archivist_creates_where_they_hold_a_grant_and_up_to_their_clearance(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        people.distributed_to(session, 4)
        archivist = people.a_person(session, roles=[Role.ARCHIVIST], clearance=2)
        people.grants(session, archivist, category=scheme.branch.id)
        wanted = [
            records.a_record(session, category, level=level)
            for category, level in ((scheme.leaf, 2), (scheme.leaf, 3), (scheme.other, 2))
        ]
        assert [can(session, archivist, Act.CREATE, record) for record in wanted] == [True, False, False]

    def test_a_filed_record_s_level_is_only_raised_by_the_secrecy_officer_within_clearance(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        people.distributed_to(session, 4)
        officer = self.granted(session, scheme, Role.SECRECY_OFFICER, clearance=3)
        archivist = self.granted(session, scheme, Role.ARCHIVIST, clearance=3)
        record = records.a_record(session, scheme.leaf, level=2)
        assert can(session, officer, Act.SET_LEVEL, record)
        assert not can(session, archivist, Act.SET_LEVEL, record)
        reach = reach_of(session, officer)
        assert [may_set_level(reach, facts_of(record, ()), rank) for rank in (1, 2, 3, 4)] == [
            False, False, True, False,
        ]  # fmt: skip

    def test_a_provisional_record_s_level_is_set_by_the_archivist_up_to_their_clearance(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        people.distributed_to(session, 4)
        archivist = self.granted(session, scheme, Role.ARCHIVIST, clearance=3)
        record = records.a_record(session, scheme.leaf, level=2, state=RecordState.PROVISIONAL)
        assert can(session, archivist, Act.SET_LEVEL, record)
        reach = reach_of(session, archivist)
        assert [may_set_level(reach, facts_of(record, ()), rank) for rank in (1, 2, 3, 4)] == [True, True, True, False]

    def test_a_panel_is_shown_what_each_is_cleared_for_and_what_is_kept_apart_only_if_named(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        member = people.a_person(session, clearance=2)  # no grant at all
        record, above = (records.a_record(session, scheme.leaf, level=level) for level in (2, 3))
        waiting = records.a_record(session, scheme.leaf, level=1, state=RecordState.PROVISIONAL)
        assert [can(session, member, Act.JUDGE, each) for each in (record, above, waiting)] == [True, False, False]
        assert not can(session, member, Act.READ, record)
        group = records.a_group(session, scheme.fonds)
        apart = records.a_record(session, scheme.leaf, level=1, group=group)
        named = records.a_record(session, scheme.leaf, level=1, group=group, named=[member])
        assert [can(session, member, Act.JUDGE, each) for each in (apart, named)] == [False, True]


class TestOfficersAndCustodians:
    """C13, C15."""

    @pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
    def test_an_officer_reads_no_record_whatever_rows_say_and_has_the_custody_view(
        self, session: Session, scheme: SimpleNamespace, role: Role
    ) -> None:
        people.distributed_to(session, 4)
        officer = people.a_person(session, roles=[role, Role.ARCHIVIST], clearance=4)
        people.grants(session, officer, fonds=scheme.fonds.id)
        record = records.a_record(session, scheme.leaf, named=[officer])
        people.a_loan(session, officer, record.id)
        assert not can(session, officer, Act.READ, record)
        assert not can(session, officer, Act.READ_CONTENT, record)
        assert can(session, officer, Act.CUSTODY, record)
        waiting = records.a_record(session, scheme.leaf, state=RecordState.PROVISIONAL)
        assert not can(session, officer, Act.SEE, waiting)

    def test_a_custodian_has_custody_of_the_levels_entrusted_and_reads_none_of_it(
        self, session: Session, scheme: SimpleNamespace
    ) -> None:
        custodian = people.a_person(session)
        people.is_custodian(session, custodian, 3)
        entrusted, other = (records.a_record(session, scheme.leaf, level=level) for level in (3, 4))
        assert can(session, custodian, Act.CUSTODY, entrusted)
        assert not can(session, custodian, Act.READ, entrusted)
        assert not can(session, custodian, Act.SEE, other)

    def test_each_act_on_the_house_belongs_to_its_roles_alone(self) -> None:
        table = {
            role: {act.value for act in HOUSE_RULES if may(act, Reach(new_id(), frozenset({role})))} for role in Role
        }
        assert table == {
            Role.CLERK: {"schedule.see"},
            Role.STAFF: {"schedule.see"},
            Role.APPROVER: {
                "loan.figures",
                "schedule.see",
                "schedule.decide",
                "hold.see",
                "hold.manage",
                "destruction.see",
                "destruction.confirm",
                "transfer.see",
                "secrecy.see",
                "appraisal.see",
            },
            Role.ARCHIVIST: {
                "scheme.manage",
                "file.reread",
                "form.manage",
                "job.see",
                "store.see",
                "shelf.manage",
                "shelf.see",
                "loan.manage",
                "loan.see",
                "loan.figures",
                "stocktaking.take",
                "check.manage",
                "schedule.see",
                "schedule.draft",
                "schedule.decide",
                "hold.see",
                "hold.manage",
                "destruction.see",
                "destruction.ask",
                "destruction.confirm",
                "transfer.see",
                "transfer.manage",
                "secrecy.see",
                "appraisal.see",
                "appraisal.begin",
            },
            Role.SECRECY_OFFICER: {
                "level.manage",
                "route.manage",
                "loan.manage",
                "schedule.see",
                "destruction.see",
                "destruction.confirm",
                "secrecy.see",
            },
            Role.SYSTEM_ADMIN: {
                "scheme.manage",
                "file.reread",
                "form.manage",
                "system.manage",
                "job.see",
                "store.see",
                "shelf.see",
                "schedule.see",
                "hold.see",
                "destruction.see",
                "appraisal.see",
            },
            Role.SECURITY_ADMIN: {
                "person.manage",
                "right.manage",
                "level.manage",
                "log.read",
                "shelf.see",
                "route.manage",
                "copy.trace",
                "schedule.see",
                "hold.see",
                "destruction.see",
                "destruction.confirm",
                "appraisal.see",
            },
            Role.AUDIT_ADMIN: {
                "store.see",
                "audit.do",
                "log.read",
                "log.verify",
                "shelf.see",
                "schedule.see",
                "hold.see",
                "destruction.see",
                "appraisal.see",
            },
        }

    @pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
    def test_the_table_itself_opens_no_reading_to_an_officer(self, role: Role) -> None:
        everything = frozenset({1, 2, 3, 4})
        reach = Reach(new_id(), frozenset({role}), everything, everything, frozenset({new_id()}))
        opened = {act for act in RULES if condition(act, reach) != NEVER}
        assert opened == {Act.CUSTODY, Act.SEE}
