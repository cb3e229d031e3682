"""A condition whose tree is walked once says the same of every record as the tree itself."""

from itertools import product

import pytest

from archive.policy.condition import All, AnyOf, Between, Condition, Has, Not, Within, holds
from archive.policy.condition import test_of as told_of

LEVEL, NAMED = Has("level", frozenset({1, 2})), Has("named", frozenset({"a"}))
BELOW, SPAN = Within("place", frozenset({"A/"})), Between("level", 2, None)


@pytest.mark.parametrize(
    "condition",
    [
        LEVEL, NAMED, BELOW, SPAN, Not(NAMED), All((LEVEL, Not(BELOW))), AnyOf((NAMED, All((SPAN, BELOW)))),
        Has("level", frozenset()), AnyOf(()), All(()),
    ],
)  # fmt: skip
def test_both_say_the_same(condition: Condition) -> None:
    told = told_of(condition)
    for level, named, place in product(
        (None, 1, 2, 3), (frozenset(), frozenset("a"), frozenset("ab")), (None, "A/1/", "B/")
    ):
        facts = {"level": level, "named": named, "place": place}
        assert told(facts) == holds(condition, facts), facts
