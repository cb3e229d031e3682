"""Dossiers are put in order, divided, split and merged; what a person does not see stays and tells nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.errors import Conflict, InvalidInput, NotAllowed, NotFound
from archive.ids import new_id
from archive.model import Fence, Medium, RecordKind, RecordState
from tests.factories.arranged import ArrangedHouse, arranged_house

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ArrangedHouse]:
    made = arranged_house(tmp_path)
    yield made
    made.db.close()


def codes(error: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    return [fault.code for fault in error.value.faults]


def test_items_lie_in_the_order_they_are_put_in_and_pages_are_counted_over_it(house: ArrangedHouse) -> None:
    dossier = house.dossier()
    items = [house.add(f"件{n}", pages=n, medium=Medium.PAPER) for n in (3, 1, 2)]
    house.arranging.put_in(house.archivist, dossier, items)
    shown = house.shown(dossier)
    assert [(each.place, each.title, each.first, each.last) for each in shown.entries] == [
        (1, "件3", 1, 3), (2, "件1", 4, 4), (3, "件2", 5, 6),
    ]  # fmt: skip
    assert (shown.pages, shown.volumes) == (6, 1)


def test_after_a_paper_that_nobody_counted_no_page_number_is_made_up(house: ArrangedHouse) -> None:
    dossier = house.dossier()
    counts = ((2, Medium.PAPER), (None, Medium.ELECTRONIC), (None, Medium.BOTH), (4, Medium.PAPER))
    items = [house.add("件", pages=pages, medium=medium) for pages, medium in counts]
    house.arranging.put_in(house.archivist, dossier, items)
    assert [(each.first, each.last) for each in house.shown(dossier).entries] == [
        (1, 2), (None, None), (None, None), (None, None),
    ]  # fmt: skip


def test_an_item_is_put_in_at_a_place_and_only_once(house: ArrangedHouse) -> None:
    dossier, (one, two) = house.filled(2)
    new = house.add("插页")
    assert house.arranging.put_in(house.archivist, dossier, [new, new], place=2) == 1
    assert house.arranging.put_in(house.archivist, dossier, [new]) == 0
    assert house.order(dossier) == [one, new, two]


def test_items_move_to_another_dossier_with_numbers_and_leave_no_gap(house: ArrangedHouse) -> None:
    dossier, items = house.filled(3)
    house.filing.file(house.archivist, [items[0]])
    number = house.row(items[0]).archive_number
    other, _ = house.filled(1)
    house.arranging.put_in(house.archivist, other, [items[0]], source=dossier)
    assert house.order(dossier) == items[1:]
    assert [house.row(key).position for key in items[1:]] == [1, 2]
    assert house.order(other)[-1] == items[0]
    assert house.row(items[0]).archive_number == number
    assert house.acts(items[0]).count("record.put_in") == 2
    assert house.acts(dossier).count("dossier.arrange") == 2


def test_an_item_of_another_dossier_is_taken_only_from_where_it_is_said_to_lie(house: ArrangedHouse) -> None:
    _, items = house.filled(1)
    other = house.dossier()
    with pytest.raises(InvalidInput) as refused:
        house.arranging.put_in(house.archivist, other, items)
    assert codes(refused) == ["lies_elsewhere"]
    free = house.add("散件")
    with pytest.raises(Conflict):
        house.arranging.put_in(house.archivist, other, [free], source=house.dossier())


def test_a_dossier_or_a_record_of_another_kind_or_of_the_bin_is_not_put_in(house: ArrangedHouse) -> None:
    dossier, (item,) = house.filled(1)
    with pytest.raises(InvalidInput) as refused:
        house.arranging.put_in(house.archivist, dossier, [house.dossier()])
    assert codes(refused) == ["no_item"]
    with pytest.raises(InvalidInput) as refused:
        house.arranging.put_in(house.archivist, item, [house.add("散件")])
    assert codes(refused) == ["no_dossier"]
    with pytest.raises(NotAllowed):
        house.arranging.put_in(house.archivist, dossier, [house.add("废件", state=RecordState.BINNED)])
    with pytest.raises(NotFound):
        house.arranging.put_in(house.archivist, dossier, [new_id()])
    with pytest.raises(NotFound):  # staff reads nothing that is provisional
        house.arranging.put_in(house.staff, dossier, [house.add("散件")])


def test_the_order_is_changed_by_places_and_the_one_who_comes_second_is_told(house: ArrangedHouse) -> None:
    dossier, (a, b, c, d) = house.filled(4)
    house.arranging.reorder(house.archivist, dossier, {a: (1, 1), b: (2, 2), c: (3, 3), d: (4, 2)})
    assert house.order(dossier) == [a, d, b, c]
    with pytest.raises(Conflict):
        house.arranging.reorder(house.colleague, dossier, {b: (2, 1)})
    assert house.order(dossier) == [a, d, b, c]
    house.arranging.reorder(house.colleague, dossier, {a: (1, 4)})  # nothing that it names has moved
    assert house.order(dossier) == [d, b, c, a]


def test_programs_give_the_whole_order_with_the_version_they_know(house: ArrangedHouse) -> None:
    dossier, items = house.filled(3)
    version = house.row(dossier).version
    house.arranging.order(house.archivist, dossier, items[::-1], version)
    assert house.order(dossier) == items[::-1]
    with pytest.raises(Conflict):
        house.arranging.order(house.archivist, dossier, items, version)
    with pytest.raises(InvalidInput):
        house.arranging.order(house.archivist, dossier, items[:2], version + 1)


def test_what_is_hidden_is_neither_counted_nor_moved_nor_in_the_way(house: ArrangedHouse) -> None:
    dossier = house.dossier(category=house.other)
    items = [
        house.add(f"件{n}", pages=1, medium=Medium.PAPER, category=house.category if n % 2 else house.other)
        for n in range(6)
    ]
    house.arranging.put_in(house.archivist, dossier, items)
    house.arranging.divide(house.archivist, dossier, items[1], house.row(dossier).version)
    mine = [items[0], items[2], items[4]]
    shown = house.shown(dossier, house.branch)
    assert [(each.record_id, each.place, each.first) for each in shown.entries] == list(
        zip(mine, (1, 2, 3), (1, 1, 2), strict=True)
    )
    house.arranging.reorder(house.branch, dossier, {items[4]: (3, 1)})
    assert house.order(dossier, house.branch) == [items[4], items[0], items[2]]
    assert [key for key in house.order(dossier) if key not in mine] == [items[1], items[3], items[5]]
    # what others do beside does not stop who cannot see it
    house.arranging.reorder(house.archivist, dossier, {items[5]: (6, 2)})
    house.arranging.reorder(house.branch, dossier, {items[2]: (3, 1)})
    assert house.order(dossier, house.branch) == [items[2], items[4], items[0]]


def test_an_item_whose_dossier_is_hidden_answers_like_one_that_may_not_be_moved(house: ArrangedHouse) -> None:
    dossier = house.dossier()
    item = house.add("件", category=house.other)
    house.arranging.put_in(house.archivist, dossier, [item])
    with pytest.raises(NotAllowed) as refused:
        house.arranging.put_in(house.branch, house.dossier(category=house.other), [item])
    assert refused.value.facts == {"act": "dossier.arrange"}


def test_a_dossier_takes_the_level_of_what_is_put_in_and_is_fenced(house: ArrangedHouse) -> None:
    dossier, _ = house.filled(1)
    house.arranging.put_in(house.archivist, dossier, [house.add("机密件", level=3)])
    assert house.row(dossier).level_rank == 3
    assert "record.set_level" in house.acts(dossier)
    with house.db.reading() as session:
        assert str(dossier) in session.scalars(select(Fence.value)).all()


def test_a_dossier_rises_with_an_item_and_does_not_fall_below_one(house: ArrangedHouse) -> None:
    dossier, (item,) = house.filled(1)
    house.records.set_level(house.archivist, item, 2, "补定", house.row(item).version)
    assert house.row(dossier).level_rank == 2
    with pytest.raises(InvalidInput) as refused:
        house.records.set_level(house.archivist, dossier, 1, "降", house.row(dossier).version)
    assert codes(refused) == ["below_contents"]


def test_a_dossier_held_up_by_what_is_hidden_is_not_lowered_and_nothing_is_said_of_it(house: ArrangedHouse) -> None:
    dossier = house.dossier(category=house.other, level=2)
    house.arranging.put_in(house.archivist, dossier, [house.add("件", level=2)])
    with pytest.raises(NotAllowed):
        house.records.set_level(house.branch, dossier, 1, "降", house.row(dossier).version)


def test_a_filed_dossier_keeps_its_filed_items_and_takes_new_ones_behind_them(house: ArrangedHouse) -> None:
    dossier, items = house.filled(3)
    house.filing.file(house.archivist, [dossier, *items])
    numbers = [house.row(key).archive_number for key in items]
    new, more = house.add("补充协议"), house.add("验收单")
    for act in (
        lambda: house.arranging.reorder(house.archivist, dossier, {items[2]: (3, 1)}),
        lambda: house.arranging.take_out(house.archivist, dossier, [items[1]]),
        lambda: house.arranging.put_in(house.archivist, dossier, [new], place=2),
        lambda: house.arranging.divide(house.archivist, dossier, items[1], house.row(dossier).version),
        lambda: house.arranging.split(house.archivist, dossier, items[1], "下卷", house.row(dossier).version),
    ):
        with pytest.raises(InvalidInput) as refused:
            act()
        assert codes(refused) == ["filed_order"]
    house.arranging.put_in(house.archivist, dossier, [new, more])
    house.arranging.reorder(house.archivist, dossier, {more: (5, 4)})
    assert house.order(dossier) == [*items, more, new]
    house.arranging.take_out(house.archivist, dossier, [more])
    assert house.order(dossier) == [*items, new]
    assert [house.row(key).archive_number for key in items] == numbers
    with pytest.raises(InvalidInput) as refused:
        house.arranging.put_in(house.archivist, dossier, [house.add("机密件", level=3)])
    assert codes(refused) == ["above_filed_dossier"]


def test_a_dossier_is_divided_into_volumes_and_items_follow_where_they_are_put(house: ArrangedHouse) -> None:
    dossier, (a, b, c, d) = house.filled(4, pages=2)

    def volumes() -> list[tuple[object, ...]]:
        return [(each.record_id, each.volume, each.first) for each in house.shown(dossier).entries]

    house.arranging.divide(house.archivist, dossier, c, house.row(dossier).version)
    assert volumes() == [(a, 1, 1), (b, 1, 3), (c, 2, 1), (d, 2, 3)]
    house.arranging.reorder(house.archivist, dossier, {d: (4, 2)})
    assert volumes() == [(a, 1, 1), (d, 1, 3), (b, 1, 5), (c, 2, 1)]
    house.arranging.divide(house.archivist, dossier, c, house.row(dossier).version, begins=False)
    assert volumes() == [(a, None, 1), (d, None, 3), (b, None, 5), (c, None, 7)]


def test_a_dossier_is_split_and_merged_again(house: ArrangedHouse) -> None:
    dossier, items = house.filled(4)
    made = house.arranging.split(house.archivist, dossier, items[2], "电梯维保合同卷（下）", house.row(dossier).version)
    assert (house.order(dossier), house.order(made)) == (items[:2], items[2:])
    assert (house.row(made).kind, house.row(made).title) == (RecordKind.DOSSIER, "电梯维保合同卷（下）")
    assert house.arranging.merge(house.archivist, dossier, made) == 2
    assert (house.order(dossier), house.order(made)) == (items, [])
    with pytest.raises(InvalidInput):
        house.arranging.merge(house.archivist, dossier, dossier)


def test_an_item_that_goes_into_the_bin_leaves_its_dossier_whole(house: ArrangedHouse) -> None:
    dossier, (a, b, c) = house.filled(3)
    house.records.bin(house.archivist, b, house.row(b).version)
    assert house.order(dossier) == [a, c]
    assert house.row(c).position == 2
    house.records.restore(house.archivist, b)
    assert house.row(b).dossier_id is None
