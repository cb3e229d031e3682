"""Changes of schedules: nothing moves that nobody saw, and what was decided stands by itself."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import Conflict, InUse
from archive.model import CategorySchedule, ScheduleDraft
from tests.factories import records
from tests.factories.retained import RetainedHouse, retained_house


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RetainedHouse]:
    house = retained_house(tmp_path)
    yield house
    house.house.db.close()


def on(made: RetainedHouse, schedule: UUID) -> set[UUID]:
    with made.house.db.reading() as session:
        query = select(CategorySchedule.category_id).where(CategorySchedule.schedule_id == schedule)
        return set(session.scalars(query))


def test_a_draft_does_not_take_back_a_category_that_went_to_another_schedule_meanwhile(made: RetainedHouse) -> None:
    house, schedules = made.house, made.retention.schedules
    short = made.schedule("A", house.category, house.other, term="D10")
    long = made.schedule("B", term="D30")
    waits = made.draft(short, "A", house.category, house.other, term="D10", source="新依据")
    made.change(long, "B", house.category, term="D30")
    _standing, versions = schedules.show(house.archivist, short)
    assert [(each.version, each.categories) for each in versions] == [
        (2, [str(house.other.id)]), (1, sorted(map(str, (house.category.id, house.other.id)))),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        schedules.decide(house.colleague, waits, "同意", approve=True)
    assert (on(made, short), on(made, long)) == ({house.other.id}, {house.category.id})


def test_what_ships_is_put_on_no_category_that_one_above_has_a_schedule_for(made: RetainedHouse) -> None:
    house = made.house
    with house.db.writing() as work:
        fonds = records.a_fonds(work.session, "H077")
        above = records.a_category(work.session, fonds, "H077A")
        below = records.a_category(work.session, fonds, "WYH", above)
        free = records.a_category(work.session, records.a_fonds(work.session, "H078"), "WYH")
        work.commit()
    own = made.schedule("OWN", above, term="D30")
    made.retention.schedules.install(house.archivist)
    with house.db.reading() as session:
        kept = dict(session.execute(select(CategorySchedule.category_id, CategorySchedule.schedule_id)).all())
    assert on(made, own) == {above.id}
    assert (below.id in kept, free.id in kept) == (False, True)


def test_a_schedule_that_a_draft_once_changed_can_be_removed_and_the_draft_is_still_shown(made: RetainedHouse) -> None:
    house, schedules = made.house, made.retention.schedules
    key = made.schedule("A", house.category, term="D10")
    last = made.change(key, "A", term="D10")
    waits = made.draft(key, "A", term="D30")
    with pytest.raises(InUse):
        schedules.remove(house.archivist, key)
    schedules.withdraw(house.archivist, waits)
    schedules.remove(house.archivist, key)
    assert schedules.one_draft(house.archivist, last).code == "A"
    with house.db.reading() as session:
        assert set(session.scalars(select(ScheduleDraft.schedule_id))) == {None}


def test_a_schedule_is_not_removed_before_days_follow_what_was_approved_of_it(made: RetainedHouse) -> None:
    house, schedules = made.house, made.retention.schedules
    key = made.schedule("A", term="D10")
    draft = made.draft(key, "A", term="D30")
    schedules.decide(house.colleague, draft, "同意", approve=True)
    with pytest.raises(InUse):
        schedules.remove(house.archivist, key)
    made.work()
    schedules.remove(house.archivist, key)
    with house.db.reading() as session:
        row = session.get_one(ScheduleDraft, draft)
        assert (row.applied_at is not None, row.through) == (True, None), "a record that goes would go on being named"
