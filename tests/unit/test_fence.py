"""Fences keep a record out of search until the index has caught up (C4)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from archive.errors import Unavailable
from archive.fence import LIMIT, fences, lift, raise_fence
from archive.ids import new_id
from archive.policy.condition import Has, Within
from tests.factories.databases import an_engine
from tests.factories.people import NOW

LATER = NOW + timedelta(seconds=1)


@pytest.fixture
def session() -> Iterator[Session]:
    engine = an_engine()
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_a_fence_stands_until_it_is_lifted(session: Session) -> None:
    record, branch = new_id(), new_id()
    raise_fence(session, "record", str(record), NOW)
    raise_fence(session, "category", str(branch), NOW)
    raise_fence(session, "place", "P1/B1/", NOW)
    assert fences(session) == [
        Has("category", frozenset({branch})),
        Within("place", frozenset({"P1/B1/"})),
        Has("record", frozenset({record})),
    ]
    lift(session, "record", str(record), NOW)
    assert Has("record", frozenset({record})) not in fences(session)


def test_a_job_that_began_before_the_fence_was_raised_again_does_not_lift_it(session: Session) -> None:
    record = str(new_id())
    raise_fence(session, "record", record, NOW)
    raise_fence(session, "record", record, LATER)
    lift(session, "record", record, NOW)
    assert fences(session)
    lift(session, "record", record, LATER)
    assert fences(session) == []


def test_more_fences_than_a_search_lists_are_noticed(session: Session) -> None:
    for _ in range(LIMIT):
        raise_fence(session, "record", str(new_id()), NOW)
    (all_of_them,) = fences(session)
    assert isinstance(all_of_them, Has)
    assert len(all_of_them.values) == LIMIT
    raise_fence(session, "place", "P1/", NOW)
    with pytest.raises(Unavailable, match="index_updating"):
        fences(session)


@pytest.mark.parametrize(("fact", "value"), [("title", "x"), ("place", "P1"), ("record", "not an id")])
def test_what_no_search_could_leave_out_is_refused(session: Session, fact: str, value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (the kind is the contract)
        raise_fence(session, fact, value, NOW)
