"""What is missing or in work is neither lent nor moved out: set once, ended by an act, never forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from archive.blocks import Cause
from archive.errors import Blocked, InvalidInput, NotAllowed, NotFound, StandsAlready
from archive.model import Block, BlockCause, BlockKind, Record
from archive.purging import remove_records
from archive.shelving.copies import CopyFacts
from tests.factories.stock_house import House, a_stock_house

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_stock_house(tmp_path) as made:
        yield made


def test_a_missing_copy_is_not_handed_out_until_it_is_found(house: House) -> None:
    record, copy = house.a_copy()
    block = house.missing(record, copy)
    version = house.shelving.copies.of(house.who["archivist"], record)[0].copy.version
    with pytest.raises(Blocked) as told:
        house.shelving.copies.hand(house.who["archivist"], copy, "archivist", version)
    assert told.value.facts == {"kinds": ["missing"]}
    house.blocks.end(house.who["archivist"], block, "lay behind the rack")
    house.shelving.copies.hand(house.who["archivist"], copy, "archivist", version)
    assert not house.open_ones(record)


def test_a_block_of_the_record_holds_every_copy_and_one_of_a_copy_only_that(house: House) -> None:
    record, first = house.a_copy()
    archivist = house.who["archivist"]
    second = house.shelving.copies.add(archivist, record, CopyFacts(original=False))
    house.missing(record, first)
    house.shelving.copies.hand(archivist, second.id, "archivist", second.version)
    house.blocks.block(archivist, record, BlockKind.IN_RESTORATION, "mould")
    third = house.shelving.copies.add(archivist, record, CopyFacts(original=False))
    with pytest.raises(Blocked):
        house.shelving.copies.hand(archivist, third.id, "archivist", third.version)


def test_one_open_block_of_a_kind_stands_and_another_after_its_end(house: House) -> None:
    record, copy = house.a_copy()
    block = house.missing(record, copy)
    for again in (copy, copy):
        with pytest.raises(StandsAlready):
            house.missing(record, again)
    house.missing(record)  # the whole record is another matter
    with pytest.raises(StandsAlready):
        house.missing(record)
    house.blocks.end(house.who["archivist"], block, "found")
    with pytest.raises(NotFound):
        house.blocks.end(house.who["archivist"], block, "found twice")
    house.missing(record, copy)
    with house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Block)) == 3


def test_what_is_shelved_again_is_no_longer_missing(house: House) -> None:
    record, copy = house.a_copy()
    house.missing(record, copy)
    house.shelving.placing.place(house.who["archivist"], copy, house.boxes[0])
    (told,) = house.blocks.of(house.who["archivist"], record)
    assert told.block.ended_cause is BlockCause.PLACING
    assert [act for act, *_ in house.log.acts][-2:] == ["block.set", "block.lift"]


def test_what_is_missing_may_be_given_up_and_what_is_in_work_may_not(house: House) -> None:
    archivist = house.who["archivist"]
    record, copy = house.a_copy()
    house.missing(record, copy)
    restoring = house.blocks.block(archivist, record, BlockKind.IN_RESTORATION, "mould", copy)
    version = house.shelving.copies.of(archivist, record)[0].copy.version
    with pytest.raises(Blocked):
        house.shelving.copies.withdraw(archivist, copy, "lost for good", version)
    house.blocks.end(archivist, restoring, "cleaned")
    house.shelving.copies.withdraw(archivist, copy, "lost for good", version)
    assert not house.open_ones(record)
    with pytest.raises(InvalidInput):
        house.missing(record, copy)


def test_reasons_are_needed_and_read_by_readers_alone(house: House) -> None:
    record, copy = house.a_copy()
    with pytest.raises(InvalidInput):
        house.blocks.block(house.who["archivist"], record, BlockKind.MISSING, "  ", copy)
    block = house.missing(record, copy, "custodian")
    assert house.blocks.of(house.who["archivist"], record)[0].why == "not on the shelf"
    assert house.blocks.of(house.who["custodian"], record)[0].why == ""
    with pytest.raises(NotAllowed):
        house.missing(record, None, "staff")
    with pytest.raises(NotAllowed):
        house.blocks.end(house.who["staff"], block, "found")


def test_who_knows_nothing_of_a_record_learns_nothing_of_its_blocks(house: House) -> None:
    record, copy = house.a_copy(level=3, box=None)
    block = house.missing(record, copy)
    for ask in (
        lambda: house.blocks.of(house.who["staff"], record),
        lambda: house.missing(record, copy, "staff"),
        lambda: house.blocks.end(house.who["custodian"], block, "found"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_what_belongs_to_a_destruction_is_neither_set_nor_ended_by_hand(house: House) -> None:
    record, _ = house.a_copy()
    archivist = house.who["archivist"]
    with pytest.raises(InvalidInput):
        house.blocks.block(archivist, record, BlockKind.UNDER_DESTRUCTION, "old")
    with house.db.writing() as work:
        block = house.blocks.set(
            work.session, archivist, record, BlockKind.UNDER_DESTRUCTION, "", cause=Cause(BlockCause.STOCKTAKING)
        )
        work.commit()
    with pytest.raises(NotAllowed):
        house.blocks.end(archivist, block.id, "kept")
    assert house.open_ones(record) == [BlockKind.UNDER_DESTRUCTION]


def test_blocks_go_with_their_record(house: House) -> None:
    record, copy = house.a_copy()
    house.missing(record, copy)
    with house.db.writing() as work:
        remove_records(work.session, [record])
        work.commit()
    with house.db.reading() as session:
        assert session.get(Record, record) is None
        assert session.scalar(select(func.count()).select_from(Block)) == 0
