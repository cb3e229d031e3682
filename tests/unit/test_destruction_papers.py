"""Papers of a destruction at the scales and under the scanner: what is noted as they go, and what a label stops."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from archive.errors import Conflict, Ended, InvalidInput, NotAllowed, NotFound
from archive.ids import new_id
from archive.model import (
    Copy,
    DestructionItem,
    DestructionItemState,
    DestructionMethod,
    DestructionScan,
    DestructionState,
    LogEntry,
    Medium,
    Record,
    ShelfKind,
    ShelfPlace,
)
from retention.destroying.counting import Scanned
from retention.destroying.listing import How
from tests.factories.destroying import DestroyingHouse, a_destroying_house
from tests.unit.test_destroying import fields, hold

State = DestructionState


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DestroyingHouse]:
    with a_destroying_house(tmp_path) as made:
        yield made


def weigh(house: DestroyingHouse, login: str, key: UUID, weighed: str = "1,240 kg", taken_by: str = "") -> None:
    house.acts.weighing.note(house.who(login), key, house.row(key).version, weighed, taken_by)


def offered(house: DestroyingHouse, login: str, key: UUID) -> bool:
    return "weigh" in house.acts.looks.show(house.who(login), key).acts


def bodies(house: DestroyingHouse, act: str) -> Sequence[Mapping[str, Any]]:
    with house.lent.db.reading() as session:
        rows = session.scalars(select(LogEntry).where(LogEntry.act == act).order_by(LogEntry.id)).all()
        return [body for body in house.lent.log.opened_many(session, rows) if body]


def boxed(house: DestroyingHouse, *records: UUID) -> str:
    with house.lent.db.writing() as work:
        box, path = new_id(), "K1-01-1-01"
        work.session.add(ShelfPlace(id=box, kind=ShelfKind.BOX, code="01", path=path, strength=4))
        work.session.flush()
        work.session.execute(update(Copy).where(Copy.record_id.in_(records)).values(place_id=box))
        work.commit()
    return path


def test_paper_is_weighed_from_the_confirmation_until_somebody_signs_at_the_end(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.COOLING)
    assert not offered(house, "archivist", key)
    with pytest.raises(Ended):
        weigh(house, "archivist", key)
    house.cool()
    house.acts.deciding.confirm(house.who("secrecy"), key)
    weigh(house, "archivist", key)
    for refused in ("witness", "secrecy", "system"):
        assert not offered(house, refused, key)
        with pytest.raises((NotAllowed, NotFound)):
            weigh(house, refused, key)
    house.count(key)
    house.acts.running.run(house.who("executor"), key, house.row(key).number)
    house.erase(key)
    weigh(house, "executor", key, "1,260 kg", "洁安公司 京A·12345")
    row = house.row(key)
    assert (row.weighed, row.taken_by) == ("1,260 kg", "洁安公司 京A·12345")
    house.acts.counting.sign(house.who("witness"), key)
    assert not offered(house, "executor", key)
    with pytest.raises(Ended):
        weigh(house, "executor", key, "2 t")
    assert house.row(key).weighed == "1,260 kg"
    noted = bodies(house, "destruction.weigh")
    changes = {(each["before"]["weighed"], each["after"]["weighed"]) for each in noted}
    assert changes == {(None, "1,240 kg"), ("1,240 kg", "1,260 kg")}


def test_what_was_agreed_to_stays_beside_what_was_weighed(house: DestroyingHouse) -> None:
    house.record()
    how = How("到期", DestructionMethod.SHREDDING, "市保密销毁中心", "洁安公司", "约 1 t")
    key = house.to(State.CONFIRMED, house.begin(how))
    weigh(house, "executor", key)
    row = house.row(key)
    assert (row.method, row.place, row.contractor, row.weight) == (how.method, how.place, how.contractor, how.weight)
    with pytest.raises(Ended):
        house.acts.listing.change(house.who("archivist"), key, row.version, How("到期", DestructionMethod.PULPING))


def test_a_weight_is_refused_by_its_field(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.CONFIRMED)
    for weighed, taken_by, fault in (
        (" ", "", "weighed:required"),
        ("1" * 41, "", "weighed:too_long"),
        ("1 t", "甲" * 201, "taken_by:too_long"),
    ):
        with pytest.raises(InvalidInput) as raised:
            weigh(house, "executor", key, weighed, taken_by)
        assert fields(raised.value) == [fault]
    with pytest.raises(Conflict):
        house.acts.weighing.note(house.who("executor"), key, house.row(key).version - 1, "1 t")
    with pytest.raises(NotFound):
        house.acts.weighing.note(house.who("executor"), new_id(), 1, "1 t")


def test_of_files_alone_nothing_is_weighed(house: DestroyingHouse) -> None:
    record = house.record(medium=Medium.ELECTRONIC)
    with house.lent.db.writing() as work:
        work.session.execute(delete(Copy).where(Copy.record_id == record))
        work.commit()
    key = house.to(State.CONFIRMED, house.begin(How("到期", DestructionMethod.DELETION)))
    assert not offered(house, "executor", key)
    with pytest.raises(InvalidInput, match="nothing_to_weigh"):
        weigh(house, "executor", key)


def test_what_was_weighed_is_weighed_again_once_something_was_taken_out(house: DestroyingHouse) -> None:
    held, _stays = house.record(), house.record()
    key = house.to(State.COUNTED)
    weigh(house, "executor", key, "1 t", "洁安公司")
    hold(house, held)
    assert house.acts.running.run(house.who("executor"), key, house.row(key).number) is State.CONFIRMED
    assert (house.row(key).weighed, house.row(key).taken_by) == (None, None)


def test_a_code_that_names_no_record_is_told_and_the_count_goes_on(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.CONFIRMED)
    scan = house.acts.counting.scan
    for foreign in ("6901234567892", "https://example.org/x", "K9-99-9-99", "*1"):
        assert scan(house.who("witness"), key, foreign) == Scanned(0, 0, known=False), foreign
    with house.lent.db.reading() as session:
        assert session.scalars(select(DestructionScan)).all() == []
    assert [each["unknown"] for each in bodies(house, "destruction.scan")] == [1, 1, 1, 1]
    house.count(key)
    assert house.row(key).state is State.COUNTED


def test_a_paper_of_what_is_gone_stops_the_count_as_any_other_that_is_not_on_the_list(house: DestroyingHouse) -> None:
    house.record()
    other = house.record(verdict=None)
    number = house.lent.row(other).archive_number or ""
    key = house.to(State.CONFIRMED)
    with house.lent.db.writing() as work:
        work.session.execute(delete(Copy).where(Copy.record_id == other))
        work.commit()
    assert house.acts.counting.scan(house.who("witness"), key, number) == Scanned(0, 1)
    for label in house.labels(key):
        house.acts.counting.scan(house.who("witness"), key, label)
    with pytest.raises(InvalidInput, match="papers_extra"):
        house.acts.counting.sign(house.who("witness"), key)


def test_a_paper_that_was_counted_and_pulled_is_to_be_taken_out_once_and_by_its_number(house: DestroyingHouse) -> None:
    pulled, _stays = house.record(), house.record()
    key = house.to(State.CONFIRMED)
    box = boxed(house, pulled)
    with house.lent.db.writing() as work:
        work.session.execute(update(Record).where(Record.id == pulled).values(registration_number="H001-2010-A000009"))
        work.commit()
    scan = house.acts.counting.scan
    assert scan(house.who("witness"), key, box) == Scanned(1, 0, box=True)
    with house.lent.db.writing() as work:
        item = work.session.get_one(DestructionItem, (key, pulled))
        item.state = DestructionItemState.PULLED
        work.commit()
    assert scan(house.who("witness2"), key, box) == Scanned(0, 1, box=True)
    assert scan(house.who("witness2"), key, house.lent.row(pulled).archive_number or "") == Scanned(0, 1)
    [(out, label)] = house.acts.looks.show(house.who("witness"), key).extra
    assert label == f"H001-2010-A000009*1 ({box})"
    house.acts.counting.take_out(house.who("witness"), key, out)
    assert house.acts.looks.show(house.who("witness"), key).extra == []


def test_a_number_that_a_label_addresses_is_of_a_paper_even_if_nobody_knows_it(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.CONFIRMED)
    scan = house.acts.counting.scan
    assert scan(house.who("witness"), key, "WY09:XH·2001-0001", addressed=True) == Scanned(0, 1)
    assert [label for _scan, label in house.acts.looks.show(house.who("witness"), key).extra] == ["WY09:XH·2001-0001"]


def test_a_place_that_is_no_box_is_told_as_one(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.CONFIRMED)
    with house.lent.db.writing() as work:
        work.session.add(ShelfPlace(id=new_id(), kind=ShelfKind.ROOM, code="K1", path="K1", strength=4))
        work.commit()
    assert house.acts.counting.scan(house.who("witness"), key, "k1") == Scanned(0, 0, known=False, place=True)
