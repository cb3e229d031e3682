"""What lies there against what the books say: each copy counted once, by as many people as there are."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from archive.errors import Ended, InvalidInput, NotAllowed, NotFound, StandsAlready, WrongState
from archive.model import BlockCause, BlockKind, FollowUp, ScanVerdict, ShelfKind, Tally
from archive.purging import remove_records
from archive.shelving.copies import CopyFacts
from archive.shelving.tree import PlaceFacts
from archive.stocktaking.report import StocktakingView
from tests.factories.stock_house import House, a_stock_house

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_stock_house(tmp_path) as made:
        yield made


def _tallies(view: StocktakingView) -> dict[UUID, Tally | None]:
    return {each.copy_id: each.tally for each in view.items}


def test_each_scan_says_at_once_what_it_is(house: House) -> None:
    (here, _), (there, _) = house.a_copy(), house.a_copy(box=1)
    count = house.begin()
    first = house.scan(count, house.number(here))
    assert (first.verdict, first.label, first.place) == (ScanVerdict.FOUND, "N-1*1", "1-1-1-1")
    assert house.scan(count, "n 1").verdict is ScanVerdict.TWICE
    other = house.scan(count, house.number(there))
    assert (other.verdict, other.belongs) == (ScanVerdict.MISPLACED, "1-1-1-2")
    nothing = house.scan(count, "who knows")
    assert (nothing.verdict, nothing.label, nothing.belongs) == (ScanVerdict.UNKNOWN, "who knows", None)


def test_the_report_holds_each_copy_once_and_the_lent_apart(house: House) -> None:
    copies = [house.a_copy() for _ in range(4)] + [house.a_copy(box=1)]
    house.hand(*copies[3])
    count = house.begin()
    for record, box in ((copies[0][0], 0), (copies[1][0], 1)):
        house.scan(count, house.number(record), box)
    view = house.close(count)
    assert _tallies(view) == {
        copies[0][1]: Tally.FOUND,
        copies[1][1]: Tally.MISPLACED,
        copies[2][1]: Tally.MISSING,
        copies[3][1]: Tally.OUT,
        copies[4][1]: Tally.MISSING,
    }
    figures = view.figures
    assert (figures.expected, figures.found, figures.missing, figures.misplaced, figures.out) == (5, 1, 2, 1, 1)
    [out] = [each for each in view.items if each.tally is Tally.OUT]
    assert out.holder == "archivist"
    [misplaced] = [each for each in view.items if each.tally is Tally.MISPLACED]
    assert (misplaced.should, misplaced.found) == ("1-1-1-1", "1-1-1-2")


def test_a_scan_that_is_sent_again_counts_once_and_is_answered_alike(house: House) -> None:
    record, _ = house.a_copy()
    count, key = house.begin(), uuid4()
    first = house.scan(count, house.number(record), key=key)
    again = house.scan(count, house.number(record), key=key)
    assert first == again
    assert first.verdict is ScanVerdict.FOUND
    other = house.begin(place=house.boxes[1])
    with pytest.raises(InvalidInput):
        house.scan(other, house.number(record), key=key)


def test_what_is_moved_or_handed_out_while_counting_is_not_missing(house: House) -> None:
    (moved, moved_copy), (lent, lent_copy), (scanned, scanned_copy) = (house.a_copy() for _ in range(3))
    count = house.begin()
    house.scan(count, house.number(scanned))
    house.place(moved_copy, 1)
    house.place(scanned_copy, 1)
    house.hand(lent, lent_copy)
    assert _tallies(house.close(count)) == {
        moved_copy: Tally.OUT, lent_copy: Tally.OUT, scanned_copy: Tally.FOUND
    }  # fmt: skip
    assert house.number(moved)


def test_a_place_is_counted_once_at_a_time_and_what_ended_stays(house: House) -> None:
    record, _ = house.a_copy()
    count = house.begin()
    with pytest.raises(StandsAlready):
        house.begin()
    house.close(count)
    for late in (lambda: house.scan(count, house.number(record)), lambda: house.close(count)):
        with pytest.raises(Ended):
            late()
    house.begin()


def test_what_is_missing_is_marked_and_found_again_by_the_next_count(house: House) -> None:
    (record, copy), (other, _) = house.a_copy(), house.a_copy()
    count = house.begin()
    house.scan(count, house.number(other))
    archivist = house.who["archivist"]
    with pytest.raises(WrongState):
        house.stock.following.mark_missing(archivist, count)
    house.close(count)
    assert house.stock.following.mark_missing(archivist, count, "not found") == 1
    assert house.stock.following.mark_missing(archivist, count) == 0
    assert (house.open_ones(record), house.open_ones(other)) == ([BlockKind.MISSING], [])
    [marked] = house.blocks.of(archivist, record)
    assert (marked.block.cause, marked.block.cause_id, marked.why) == (BlockCause.STOCKTAKING, count, "not found")
    again = house.begin()
    assert house.scan(again, house.number(record), box=1).verdict is ScanVerdict.MISPLACED
    assert not house.open_ones(record)
    [ended] = house.blocks.of(archivist, record)
    assert (ended.block.ended_cause, ended.block.ended_cause_id) == (BlockCause.STOCKTAKING, again)
    assert copy in _tallies(house.close(again))


@pytest.mark.parametrize("boxes", [(1,), (0,), (1, 0)])
def test_what_turned_up_since_is_not_marked(house: House, boxes: tuple[int, ...]) -> None:
    record, copy = house.a_copy()
    count = house.begin()
    house.close(count)
    for box in boxes:
        house.place(copy, box)
    assert house.stock.following.mark_missing(house.who["archivist"], count) == 0
    assert not house.open_ones(record)


@pytest.mark.parametrize("boxes", [(1,), (1, 0)])
def test_what_is_not_found_is_marked_wherever_the_books_say_that_it_lies_now(
    house: House, boxes: tuple[int, ...]
) -> None:
    record, copy = house.a_copy()
    count = house.begin()
    house.close(count)
    archivist = house.who["archivist"]
    for box in boxes:  # as a whole box is moved: nobody has looked at each paper
        with house.db.writing() as work:
            house.shelving.placing.in_work(work.session, archivist, copy, house.boxes[box], seen=False)
            work.commit()
    assert house.stock.following.mark_missing(archivist, count) == 1
    assert house.open_ones(record) == [BlockKind.MISSING]


def test_what_is_with_someone_or_was_withdrawn_since_is_not_marked(house: House) -> None:
    (lent, lent_copy), (withdrawn, withdrawn_copy) = house.a_copy(), house.a_copy()
    count = house.begin()
    house.close(count)
    house.hand(lent, lent_copy)
    [copy] = house.shelving.copies.of(house.who["archivist"], withdrawn)
    house.shelving.copies.withdraw(house.who["archivist"], withdrawn_copy, "merged", copy.copy.version)
    assert house.stock.following.mark_missing(house.who["archivist"], count) == 0
    assert not house.open_ones(lent) + house.open_ones(withdrawn)


@pytest.mark.parametrize("there", [True, False])
def test_a_misplaced_copy_is_put_where_it_was_found_or_back(house: House, there: bool) -> None:
    record, copy = house.a_copy()
    count = house.begin()
    house.scan(count, house.number(record), box=1)
    house.close(count)
    settle = house.stock.following.settle
    archivist = house.who["archivist"]
    with pytest.raises(NotFound):
        settle(archivist, count, uuid4(), there=there)
    settle(archivist, count, copy, there=there)
    with pytest.raises(Ended):
        settle(archivist, count, copy, there=there)
    [lies] = house.shelving.copies.of(archivist, record)
    assert lies.place is not None
    assert lies.place.path == ("1-1-1-2" if there else "1-1-1-1")
    assert house.log.acts[-1][0] == ("copy.place" if there else "copy.put_back")
    [item] = house.stock.reports.show(archivist, count).items
    assert item.follow_up is (FollowUp.PUT_THERE if there else FollowUp.PUT_BACK)
    assert item.tally is Tally.MISPLACED  # the report stays as it was closed
    moves = house.shelving.looks.history(archivist, copy)
    assert len(moves) == 2


def test_a_custodian_counts_what_they_keep_and_learns_of_nothing_else(house: House) -> None:
    (own, own_copy), (_hidden, _) = house.a_copy(), house.a_copy(level=2, box=None)
    count = house.begin("custodian")
    assert house.scan(count, house.number(own), login="custodian").verdict is ScanVerdict.FOUND
    hidden, absent = (house.scan(count, label, login="custodian") for label in ("N-2", "N-9"))
    assert hidden.verdict is absent.verdict is ScanVerdict.UNKNOWN
    assert _tallies(house.close(count, "custodian")) == {own_copy: Tally.FOUND}
    for act in (lambda: house.begin("staff"), lambda: house.stock.reports.show(house.who["staff"], count)):
        with pytest.raises(NotAllowed):
            act()


def test_of_several_copies_a_label_means_the_one_that_is_to_lie_here(house: House) -> None:
    record, first = house.a_copy(box=1)
    second = house.shelving.copies.add(house.who["archivist"], record, CopyFacts(original=False)).id
    house.place(second, 0)
    count = house.begin()
    assert house.scan(count, house.number(record), box=0).label == "N-1*2"
    assert house.scan(count, house.number(record), box=1).label == "N-1*1"
    assert _tallies(house.close(count)) == {first: Tally.FOUND, second: Tally.FOUND}


def test_places_and_counts_are_shown_by_as_many_questions_however_many_there_are(house: House) -> None:
    archivist, looks, tree = house.who["archivist"], house.shelving.looks, house.shelving.tree
    asked: list[str] = []
    event.listen(house.db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    [room] = [each.place.id for each in looks.rooms(archivist)]

    def questions() -> tuple[int, int]:
        asked.clear()
        shown = looks.show(archivist, room)
        first = len(asked)
        views = house.stock.reports.every(archivist)
        assert [(each.figures.expected, each.may_take) for each in views] == [(1, True)] * len(views)
        assert shown.here.taken == sum(each.taken or 0 for each in shown.inside) == 2
        return first, len(asked) - first

    house.a_copy()
    house.close(house.begin())
    before = questions()
    for code in "23":
        cabinet = tree.add(archivist, ShelfKind.CABINET, code, PlaceFacts(), room)
        tree.add(archivist, ShelfKind.SHELF, "1", PlaceFacts(capacity=5), cabinet)
        house.close(house.begin())
    assert questions() == before
    shown = looks.show(archivist, room)
    assert [(each.place.path, each.taken, each.capacity) for each in shown.inside] == [
        ("1-1", 2, 5), ("1-2", 0, 5), ("1-3", 0, 5),
    ]  # fmt: skip
    assert [below.place.path for each in shown.inside for below in shown.standing[each.place.id]] == [
        "1-1-1", "1-2-1", "1-3-1",
    ]  # fmt: skip


def test_a_count_goes_with_the_records_it_named(house: House) -> None:
    record, _ = house.a_copy()
    count = house.begin()
    house.scan(count, house.number(record))
    with house.db.writing() as work:
        remove_records(work.session, [record])
        work.commit()
    assert not house.close(count).items
