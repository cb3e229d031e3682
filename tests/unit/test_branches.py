"""A category moved elsewhere in the tree: no term ends sooner by one hand, and who moves it sees what changes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from archive.errors import Conflict, InvalidInput, NotAllowed
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Category, DueState
from archive.scheme.categories import SchemeService
from retention.previewing import Moved
from retention.rules import sooner
from tests.factories.retained import Nobody, RetainedHouse, retained_house

DAY, LATER = date(2031, 1, 1), date(2041, 1, 1)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RetainedHouse]:
    house = retained_house(tmp_path)
    yield house
    house.house.db.close()


def scheme_of(made: RetainedHouse) -> SchemeService:
    house = made.house
    outbox = Outbox(made.clock, Nobody(), made.retention.due_days.follow)
    return SchemeService(
        house.db, house.guard, Log(house.vault, made.clock), outbox, made.clock, made.retention.branches
    )


def row(made: RetainedHouse, category: Category) -> Category:
    with made.house.db.reading() as session:
        return session.get_one(Category, category.id)


def move(made: RetainedHouse, category: Category, parent: Category | None) -> None:
    to, version = parent.id if parent else None, row(made, category).version
    scheme_of(made).move(made.house.archivist, category.id, to, version=version, reason="归并")


def below(made: RetainedHouse) -> Category:
    """Add a category below the house's, without a schedule of its own."""
    house = made.house
    with house.db.writing() as work:
        leaf = Category(
            fonds_id=house.category.fonds_id, code="LEAF", names={}, level_rank=1, term="D10", position=9,
            parent_id=house.category.id, version=1, number_rule_id=house.category.number_rule_id, fields=[],
            required=[], documents=[],
        )  # fmt: skip
        work.session.add(leaf)
        work.commit()
    return leaf


def code_of(refused: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in refused.value.faults]


@pytest.mark.parametrize(
    ("before", "after", "is_sooner"),
    [
        ((DueState.DATED, LATER), (DueState.DATED, DAY), True),
        ((DueState.DATED, DAY), (DueState.DATED, LATER), False),
        ((DueState.DATED, DAY), (DueState.DATED, DAY), False),
        ((DueState.NEVER, None), (DueState.DATED, LATER), True),
        ((DueState.NEVER, None), (DueState.WAITING, None), True),
        ((DueState.UNRULED, None), (DueState.DATED, LATER), True),
        ((DueState.DATED, DAY), (DueState.UNRULED, None), False),
        ((DueState.DATED, DAY), (DueState.NEVER, None), False),
        ((None, None), (DueState.DATED, DAY), False),
    ],
)
def test_what_comes_to_an_end_sooner(
    before: tuple[DueState | None, date | None], after: tuple[DueState, date | None], *, is_sooner: bool
) -> None:
    assert sooner(before, after) is is_sooner


def test_a_move_to_a_shorter_term_is_refused_even_for_what_the_mover_does_not_read(made: RetainedHouse) -> None:
    house = made.house
    made.schedule("A", house.other, term="D10")
    [open_] = made.filed(house.add("会议纪要", drawn_to=date(2024, 12, 31)))
    secret = house.add("秘密底价", drawn_to=date(2024, 12, 31))
    made.filed(secret)
    branches = made.retention.branches
    seen = branches.look(house.archivist, house.category.id, house.other.id)
    assert (seen.preview.counts, seen.shorter) == ({Moved.GETS_DAY: 2}, True)
    with house.db.writing() as work:
        work.session.get_one(type(house.row(secret)), secret).level_rank = 4
        work.session.get_one(type(house.row(open_)), open_).term = "Y"
        work.session.flush()
        made.retention.due_days.follow(work.session, [open_])
        work.commit()
    seen = branches.look(house.archivist, house.category.id, house.other.id)
    assert (seen.preview.counts, seen.preview.same, seen.shorter) == ({}, 1, True)
    assert branches.moves(house.archivist, house.category.id, house.other.id, limit=9) == []
    with pytest.raises(InvalidInput) as refused:
        move(made, house.category, house.other)
    assert code_of(refused) == [("parent", "terms_shorter")]
    assert row(made, house.category).parent_id is None
    with pytest.raises(NotAllowed):
        branches.look(house.staff, house.category.id, house.other.id)


def test_what_is_told_to_do_instead_brings_it_there(made: RetainedHouse) -> None:
    house = made.house
    made.schedule("A", house.other, term="D10")
    [record] = made.filed(house.add("会议纪要", drawn_to=date(2024, 12, 31)))
    [standing] = made.retention.schedules.every(house.archivist)
    made.change(standing.schedule.id, "A", house.other, house.category, term="D10")
    assert made.day(record) == date(2035, 1, 1)
    move(made, house.category, house.other)
    made.change(standing.schedule.id, "A", house.other, term="D10")
    assert made.day(record) == date(2035, 1, 1)
    assert made.wrong() == []


def test_a_move_to_a_longer_term_is_done_by_one_and_days_follow(made: RetainedHouse) -> None:
    house = made.house
    made.schedule("A", house.category, term="D10")
    leaf = below(made)
    made.schedule("B", house.other, term="D30")
    [record] = made.filed(house.add("会议纪要", drawn_to=date(2024, 12, 31), category=leaf))
    moves = made.retention.branches.moves(house.archivist, leaf.id, house.other.id, limit=9)
    assert [(each.record_id, each.before[1], each.after[1], each.how) for each in moves] == [
        (record, date(2035, 1, 1), date(2055, 1, 1), Moved.LATER)
    ]
    move(made, leaf, house.other)
    with house.db.writing() as work:  # as the job that follows a move asks for it
        made.retention.due_days.follow(work.session, [record])
        work.commit()
    assert made.day(record) == date(2055, 1, 1)


def test_a_longer_term_counts_from_its_approval_also_while_days_follow(made: RetainedHouse) -> None:
    house = made.house
    made.schedule("A", house.other, term="D10")
    longer = made.schedule("B", house.category, term="D10")
    leaf = below(made)
    [record] = made.filed(house.add("会议纪要", drawn_to=date(2024, 12, 31), category=leaf))
    draft = made.draft(longer, "B", house.category, term="D30")
    made.retention.schedules.decide(house.colleague, draft, "同意", approve=True)
    assert made.day(record) == date(2035, 1, 1), "its day has still to follow"
    with pytest.raises(InvalidInput) as refused:
        move(made, leaf, house.other)
    assert code_of(refused) == [("parent", "terms_shorter")]


def test_schedules_that_change_while_a_move_is_looked_at_make_it_begin_anew(
    made: RetainedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, branches = made.house, made.retention.branches
    look = branches.moved
    monkeypatch.setattr(
        branches, "moved", lambda *given: (look(*given), made.schedule("A", house.other, term="D10"))[0]
    )
    with pytest.raises(Conflict):
        move(made, house.category, house.other)
    assert row(made, house.category).parent_id is None


def test_a_scheme_that_is_brought_in_shortens_no_term_either(made: RetainedHouse) -> None:
    house, scheme = made.house, scheme_of(made)
    made.schedule("A", house.other, term="D10")
    made.filed(house.add("会议纪要", drawn_to=date(2024, 12, 31)))
    was = scheme.export(house.archivist, house.category.fonds_id)
    below = [replace(each, parent="HT") if each.code == "SB" else each for each in was.categories]
    wanted = replace(was, categories=tuple(sorted(below, key=lambda each: each.parent is not None)))
    for act in (scheme.preview, scheme.install):
        with pytest.raises(InvalidInput) as refused:
            act(house.archivist, house.category.fonds_id, wanted)
        assert code_of(refused) == [("parent", "terms_shorter")]
    assert row(made, house.category).parent_id is None
    made.schedule("B", house.category, term="D10")
    made.schedule("C", house.other, term="D50")
    assert scheme.preview(house.archivist, house.category.fonds_id, wanted).terms == 0
    scheme.install(house.archivist, house.category.fonds_id, wanted)
    assert row(made, house.category).parent_id == house.other.id
