"""Whatever rule is accepted and whatever records it numbers: two sequences never give one number."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import InvalidInput
from archive.numbering.rule import SAMPLE, NumberFacts, Rule, parse
from archive.numbering.words import explain

FIELDS = ("fonds", "class", "category", "year", "term", "department", "dossier", "building", "date")
PIECES = st.sampled_from([*(f"{{{f}}}" for f in FIELDS), "[{department}-]", "-", "·", "X", "7", "{mark}", "{serial:2}"])
TEMPLATES = st.lists(PIECES, min_size=2, max_size=10).map("".join)
NEAR = st.sampled_from(["", "", "-", "7", "{year}", "{dossier}", "[{dossier}]"])
"""What might stand next to the serial."""
NEARLY_RIGHT = st.tuples(
    st.sampled_from(["", "{fonds}-", "{category}", "{department}-"]),
    st.just("{mark}"),
    NEAR,
    st.just("{serial:1}"),
    NEAR,
).map("".join)
CODES = st.text("A01", min_size=1, max_size=2)
FACTS = st.builds(
    lambda mark, category, department, dossier, year: dataclasses.replace(
        SAMPLE, mark=mark, category=category, department=department, dossier=dossier, year=year
    ),
    st.sampled_from(["A", "AA"]),
    CODES,
    st.none() | CODES,
    st.none() | CODES,
    st.sampled_from([2024, 2026]),
)


def accepted(template: str) -> Rule | None:
    try:
        return parse(template)
    except InvalidInput:
        return None


@given(TEMPLATES | st.text("{}[]-ab:4 号fonds", max_size=40))
def test_a_template_is_taken_or_refused_by_a_position_within_it(template: str) -> None:
    at: list[int] = []
    try:
        at += [len(explain(parse(template))) - 1]
    except InvalidInput as refused:
        at += [fault.facts["at"] for fault in refused.faults]
    assert all(0 <= each <= len(template) for each in at)


@settings(max_examples=400)
@given(NEARLY_RIGHT | TEMPLATES, FACTS, FACTS, st.integers(1, 120), st.integers(1, 120))
def test_two_sequences_never_meet(template: str, one: NumberFacts, other: NumberFacts, first: int, second: int) -> None:
    rule = accepted(template)
    if rule is None:
        return
    try:
        around = rule.around(one), rule.around(other)
        numbers = rule.render(one, first), rule.render(other, second)
    except InvalidInput:
        return
    if numbers[0] == numbers[1]:
        assert around[0] == around[1], "one number from two sequences"
        assert first == second


@settings(max_examples=200)
@given(NEARLY_RIGHT, FACTS)
def test_no_digit_stands_next_to_the_serial(template: str, facts: NumberFacts) -> None:
    rule = accepted(template)
    if rule is None:
        return
    try:
        before, after = rule.around(facts)
    except InvalidInput:
        return
    assert not before[-1:].isdigit()
    assert not after[:1].isdigit()
