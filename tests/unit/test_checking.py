"""Records are held against their papers by turns: rules as data, due days, findings, and what follows."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from archive.checking import Checks, Findings
from archive.errors import InvalidInput, NotAllowed, NotFound
from archive.model import BlockCause, BlockKind, Record
from archive.policy.guard import Guard
from tests.factories.stock_house import House, a_stock_house
from tests.fakes.clock import FixedClock

pytestmark = pytest.mark.postgres

WHOLE = Findings(label_ok=True, number_ok=True, state_ok=True, description_ok=True)
EVER = date(9999, 1, 1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_stock_house(tmp_path) as made:
        yield made


@pytest.fixture
def checks(house: House) -> Checks:
    clock = FixedClock()
    guard = Guard(house.db, house.log, clock, "Asia/Shanghai")
    return Checks(house.db, guard, house.vault, house.log, clock, house.blocks)


def _filed(house: House, days_ago: int, level: int = 1, box: int | None = 0) -> Record:
    record, _ = house.a_copy(level, box)
    with house.db.writing() as work:
        at = FixedClock().now() - timedelta(days=days_ago)
        work.session.execute(update(Record).where(Record.id == record).values(filed_at=at))
        work.commit()
    with house.db.reading() as session:
        return session.get_one(Record, record)


def _due(house: House, checks: Checks, login: str = "archivist") -> dict[object, date]:
    return {record.id: check.due for check, record in checks.due(house.who[login], until=EVER)}


def test_the_nearest_rule_holds_and_no_turn_lies_before_it(house: House, checks: Checks) -> None:
    old, new = _filed(house, 1000), _filed(house, 10)
    upper = _filed(house, 10, level=2, box=None)
    today = FixedClock().now().date()
    archivist = house.who["archivist"]
    checks.set_rule(archivist, None, None, 12, 100)
    due = _due(house, checks)
    assert all(today <= due[each.id] <= today + timedelta(days=367) for each in (old, new, upper))
    checks.set_rule(archivist, 2, None, 1, 100)
    assert _due(house, checks)[upper.id] < due[upper.id]
    rule = checks.set_rule(archivist, None, house.category.id, 24, 100)
    assert _due(house, checks)[upper.id] > due[upper.id]
    checks.drop_rule(archivist, rule)
    for each in checks.rules(archivist):
        checks.drop_rule(archivist, each.id)
    assert not _due(house, checks)
    for months, share in ((0, 100), (12, 0), (601, 101)):
        with pytest.raises(InvalidInput):
            checks.set_rule(archivist, None, None, months, share)
    with pytest.raises(NotAllowed):
        checks.set_rule(house.who["staff"], None, None, 12, 100)


def test_a_sample_is_drawn_alike_whoever_plans(house: House, checks: Checks) -> None:
    for _ in range(12):
        _filed(house, 30)
    checks.set_rule(house.who["archivist"], None, None, 12, 30)
    due = _due(house, checks)
    assert len(set(due.values())) > 1, "not all have their turn at once"
    checks.plan()
    assert _due(house, checks) == due


def test_a_check_is_noted_with_what_it_found_and_the_next_is_planned(house: House, checks: Checks) -> None:
    record = _filed(house, 1000)
    archivist = house.who["archivist"]
    checks.set_rule(archivist, None, None, 6, 100)
    first = _due(house, checks)[record.id]
    with pytest.raises(InvalidInput):
        checks.check(archivist, record.id, Findings(True, True, True, False))  # noqa: FBT003
    found = Findings(
        label_ok=True, number_ok=True, state_ok=False, description_ok=True, remark="发霉", hold=BlockKind.IN_RESTORATION
    )
    key = checks.check(archivist, record.id, found)
    [(done, _)] = checks.done(archivist)
    assert (done.id, done.due, done.state_ok, done.label_ok) == (key, first, False, True)
    with house.db.reading() as session:
        assert checks.remarks(session, [done]) == {key: "发霉"}
    [block] = house.blocks.of(archivist, record.id)
    assert (block.block.kind, block.block.cause, block.block.cause_id) == (
        BlockKind.IN_RESTORATION, BlockCause.CHECK, key
    )  # fmt: skip
    assert _due(house, checks)[record.id] > FixedClock().now().date() + timedelta(days=150)
    assert "check.do" in [act for act, *_ in house.log.acts]


def test_only_who_reads_a_record_checks_it(house: House, checks: Checks) -> None:
    record, hidden = _filed(house, 5), _filed(house, 5, level=3, box=None)
    checks.set_rule(house.who["archivist"], None, None, 6, 100)
    for login in ("custodian", "staff"):
        assert not _due(house, checks, login)
        with pytest.raises(NotAllowed):
            checks.check(house.who[login], record.id, WHOLE)
        with pytest.raises(NotFound):
            checks.check(house.who[login], hidden.id, WHOLE)
    assert set(_due(house, checks)) == {record.id, hidden.id}
