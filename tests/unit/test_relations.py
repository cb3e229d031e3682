"""Records are related; both ends tell it, each only to who may read the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.errors import InvalidInput, NotAllowed, NotFound
from archive.ids import new_id
from archive.model import LogEntry, RecordState, RelationKind
from archive.purging import remove_records
from tests.factories.arranged import ArrangedHouse, arranged_house

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ArrangedHouse]:
    made = arranged_house(tmp_path)
    yield made
    made.db.close()


def told(house: ArrangedHouse, record: object, who: object = None) -> list[tuple[str, bool, object]]:
    found = house.relations.of(who or house.archivist, record)  # type: ignore[arg-type]
    return [(each.kind.value, each.outward, each.other.id) for each in found]


def test_a_relation_is_told_at_both_ends_and_taken_away(house: ArrangedHouse) -> None:
    new, old = house.add("新制度"), house.add("旧制度")
    for _ in range(2):
        house.relations.add(house.archivist, new, RelationKind.REPLACES, old)
    assert told(house, new) == [("replaces", True, old)]
    assert told(house, old) == [("replaces", False, new)]
    house.relations.remove(house.archivist, new, RelationKind.REPLACES, old)
    assert told(house, new) == told(house, old) == []
    with pytest.raises(NotFound):
        house.relations.remove(house.archivist, new, RelationKind.REPLACES, old)
    with house.db.reading() as session:
        acts = select(LogEntry.act, LogEntry.record_id).where(LogEntry.act.startswith("relation."))
        assert sorted(tuple(row) for row in session.execute(acts)) == [
            ("relation.add", None),
            ("relation.remove", None),
        ]


def test_the_same_matter_stands_once_whichever_end_says_it(house: ArrangedHouse) -> None:
    one, two = house.add("请示"), house.add("批复")
    house.relations.add(house.archivist, one, RelationKind.SAME_MATTER, two)
    house.relations.add(house.archivist, two, RelationKind.SAME_MATTER, one)
    assert told(house, two) == [("same_matter", True, one)]
    house.relations.remove(house.archivist, two, RelationKind.SAME_MATTER, one)
    assert told(house, one) == []


def test_a_relation_to_what_is_hidden_is_not_told_and_not_made(house: ArrangedHouse) -> None:
    seen, hidden = house.add("件", category=house.other), house.add("密件", level=3)
    house.relations.add(house.archivist, seen, RelationKind.SAME_MATTER, hidden)
    assert told(house, seen, house.branch) == []
    for other in (hidden, new_id()):
        with pytest.raises(NotFound):
            house.relations.add(house.branch, seen, RelationKind.REPLIES_TO, other)
        with pytest.raises(NotFound):
            house.relations.remove(house.branch, seen, RelationKind.SAME_MATTER, other)


def test_only_archivists_relate_and_what_is_derived_is_lower(house: ArrangedHouse) -> None:
    high, low = (house.add("件", level=level, state=RecordState.FILED) for level in (3, 1))
    with pytest.raises(NotAllowed):
        house.relations.add(house.staff, low, RelationKind.DERIVED_FROM, high)
    with pytest.raises(InvalidInput) as refused:
        house.relations.add(house.archivist, high, RelationKind.DERIVED_FROM, low)
    assert refused.value.faults[0].code == "not_lower"
    house.relations.add(house.archivist, low, RelationKind.DERIVED_FROM, high)
    with pytest.raises(InvalidInput):
        house.relations.add(house.archivist, low, RelationKind.SAME_MATTER, low)


def test_a_relation_goes_with_either_end(house: ArrangedHouse) -> None:
    one, two = house.add("请示"), house.add("批复")
    house.relations.add(house.archivist, two, RelationKind.REPLIES_TO, one)
    with house.db.writing() as work:
        remove_records(work.session, [one])
        work.commit()
    assert told(house, two) == []
