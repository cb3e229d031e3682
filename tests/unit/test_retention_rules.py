"""The rules of keeping and letting go by examples, each at its very edge: mutation testing holds them against these."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from archive.errors import Ended, Fault
from archive.model import (
    Destruction,
    DestructionMethod,
    DestructionState,
    DueState,
    Duty,
    RecordState,
    SecrecyVerdict,
    Stop,
    Transfer,
    TransferState,
    Verdict,
)
from archive.terms import FOREVER, parse_term
from retention import last_check, renewal_rules
from retention.appraising.verdicts import Said, stands, verdict_of
from retention.destroying import rules as destroying
from retention.rules import KEPT, NEVER, UNDATED, UNRULED, WAITING, Due, Facts, Rule, Start, Trigger, own_due, together
from retention.secrecy import rules as secrecy_rules
from retention.transferring import rules as transfer_rules

TEN, TWO = parse_term("D10"), parse_term("D2")
FILED, DRAWN = date(2024, 5, 6), date(2020, 2, 29)


def facts(**more: Any) -> Facts:
    known: dict[str, Any] = {"term": TWO, "filed_on": FILED, "drawn_to": DRAWN}
    return Facts(**known | more)


@pytest.mark.parametrize(
    ("rule", "known", "due"),
    [
        (None, {}, UNRULED),
        (Rule(parse_term("Y")), {}, NEVER),
        (Rule(TEN), {"term": parse_term("Y")}, NEVER),
        (Rule(TEN), {"term": parse_term("Y"), "kept_until": FOREVER}, NEVER),
        (Rule(TEN), {"kept_until": FOREVER}, KEPT),
        (None, {"kept_until": FOREVER}, KEPT),
        (Rule(TEN), {"drawn_to": None}, UNDATED),
        (Rule(TEN, Trigger.EVENT, event="leaving"), {"events": {"handover": FILED}}, WAITING),
        (
            Rule(TEN, Trigger.EVENT, Start.SAME_DAY, event="leaving"), {"events": {"leaving": FILED}},
            Due(DueState.DATED, date(2034, 5, 6), FILED, FILED, TEN),
        ),
        (
            Rule(TEN, Trigger.FILING, Start.NEXT_DAY), {},
            Due(DueState.DATED, date(2034, 5, 7), FILED, date(2024, 5, 7), TEN),
        ),
        (
            Rule(TEN, Trigger.DRAWN_UP, Start.SAME_DAY), {},
            Due(DueState.DATED, date(2030, 3, 1), DRAWN, DRAWN, TEN),
        ),
        (Rule(TEN), {}, Due(DueState.DATED, date(2031, 1, 1), date(2020, 12, 31), date(2021, 1, 1), TEN)),
        (
            Rule(TWO), {"term": TEN},
            Due(DueState.DATED, date(2031, 1, 1), date(2020, 12, 31), date(2021, 1, 1), TEN),
        ),
        (
            Rule(TWO, exact=True), {"term": TEN},
            Due(DueState.DATED, date(2023, 1, 1), date(2020, 12, 31), date(2021, 1, 1), TWO),
        ),
        (Rule(None), {}, Due(DueState.DATED, date(2023, 1, 1), date(2020, 12, 31), date(2021, 1, 1), TWO)),
        (
            Rule(TWO, Trigger.FISCAL_YEAR_END, Start.NEXT_DAY, fiscal_end=(2, 31)), {},
            Due(DueState.DATED, date(2022, 3, 1), DRAWN, date(2020, 3, 1), TWO),
        ),
        (
            Rule(TWO, Trigger.FISCAL_YEAR_END, Start.NEXT_DAY, fiscal_end=(2, 28)), {},
            Due(DueState.DATED, date(2023, 3, 1), date(2021, 2, 28), date(2021, 3, 1), TWO),
        ),
        (
            Rule(TWO, Trigger.FISCAL_YEAR_END, Start.NEXT_DAY), {"drawn_to": date(2020, 12, 31)},
            Due(DueState.DATED, date(2023, 1, 1), date(2020, 12, 31), date(2021, 1, 1), TWO),
        ),
        (
            Rule(parse_term("M11"), Trigger.FILING, Start.SAME_DAY, exact=True), {"filed_on": date(2024, 1, 31)},
            Due(DueState.DATED, date(2024, 12, 31), date(2024, 1, 31), date(2024, 1, 31), parse_term("M11")),
        ),
        (
            Rule(parse_term("M1"), Trigger.FILING, Start.SAME_DAY, exact=True), {"filed_on": date(2024, 12, 31)},
            Due(DueState.DATED, date(2025, 1, 31), date(2024, 12, 31), date(2024, 12, 31), parse_term("M1")),
        ),
        (
            Rule(parse_term("M1"), Trigger.FILING, Start.SAME_DAY, exact=True), {"filed_on": date(2025, 1, 31)},
            Due(DueState.DATED, date(2025, 3, 1), date(2025, 1, 31), date(2025, 1, 31), parse_term("M1")),
        ),
        (
            Rule(parse_term("D1")), {"term": parse_term("M12")},
            Due(DueState.DATED, date(2022, 1, 1), date(2020, 12, 31), date(2021, 1, 1), parse_term("D1")),
        ),
        (
            Rule(TWO), {"kept_until": date(2023, 1, 1)},
            Due(DueState.DATED, date(2023, 1, 1), date(2020, 12, 31), date(2021, 1, 1), TWO),
        ),
        (
            Rule(TWO), {"kept_until": date(2023, 1, 2)},
            Due(DueState.DATED, date(2023, 1, 2), date(2020, 12, 31), date(2021, 1, 1), TWO, kept_on=True),
        ),
    ],
)  # fmt: skip
def test_when_a_term_has_run_out(rule: Rule | None, known: Mapping[str, Any], due: Due) -> None:
    assert own_due(rule, facts(**known)) == due


def test_of_a_dossier_the_first_state_without_a_day_counts_and_else_the_latest_day() -> None:
    early, late = Due(DueState.DATED, date(2021, 1, 1)), Due(DueState.DATED, date(2031, 1, 1))
    for longest in (late, WAITING, UNDATED, UNRULED, NEVER):
        assert together([early, longest]) is longest
    assert [together([one, other]) for one, other in ((UNDATED, WAITING), (UNRULED, UNDATED), (UNRULED, NEVER))] == [
        UNDATED, UNRULED, NEVER,
    ]  # fmt: skip


PEOPLE = [UUID(int=each) for each in range(5)]
DESTROY, KEEP, MORE = Said(Verdict.DESTROY), Said(Verdict.KEEP, date(2030, 1, 1)), Said(Verdict.KEEP, date(2040, 1, 1))
TRANSFER = Said(Verdict.TRANSFER)


@pytest.mark.parametrize(
    ("opinions", "panel", "verdict"),
    [
        ([], 3, None), ([KEEP], 3, None), ([DESTROY, DESTROY], 3, DESTROY), ([DESTROY, DESTROY], 4, None),
        ([KEEP, MORE], 3, MORE), ([MORE, KEEP, DESTROY], 3, MORE), ([KEEP, DESTROY, TRANSFER], 3, KEEP),
        ([DESTROY, KEEP, TRANSFER], 3, None), ([TRANSFER, DESTROY], 4, None), ([KEEP, KEEP, DESTROY, DESTROY], 4, KEEP),
        ([DESTROY, DESTROY, KEEP, KEEP], 4, None), ([TRANSFER, TRANSFER], 3, TRANSFER),
    ],
)  # fmt: skip
def test_what_a_panel_says_whose_chair_speaks_first(opinions: list[Said], panel: int, verdict: Said | None) -> None:
    assert verdict_of(dict(zip(PEOPLE, opinions, strict=False)), panel, PEOPLE[0]) == verdict


def test_a_verdict_stands_unless_it_would_destroy_what_is_kept() -> None:
    assert [stands(*each) for each in ((None, None), (DESTROY, None), (DESTROY, Stop.HELD), (KEEP, Stop.HELD))] == [
        False, True, False, True,
    ]  # fmt: skip


def test_the_states_of_a_destruction_follow_each_other_and_say_which_act_was_refused() -> None:
    row = Destruction(state=DestructionState.DRAFT, version=1)
    destroying.move(row, DestructionState.ASKED, "destruction.ask")
    assert (row.state, row.version) == (DestructionState.ASKED, 2)
    with pytest.raises(Ended) as refused:
        destroying.move(row, DestructionState.GONE, "destruction.gone")
    assert refused.value.facts == {"state": "asked", "act": "destruction.gone"}
    destroying.require_state(row, "destruction.decide", DestructionState.DRAFT, DestructionState.ASKED)
    with pytest.raises(Ended) as refused:
        destroying.require_state(row, "destruction.decide", DestructionState.DRAFT)
    assert refused.value.facts == {"state": "asked", "act": "destruction.decide"}
    assert (row.state, row.version) == (DestructionState.ASKED, 2)


def test_the_duties_of_a_destruction() -> None:
    executor, witness, supervisor = Duty.EXECUTOR, Duty.WITNESS, Duty.SUPERVISOR
    assert destroying.needed(electronic=True) == {executor: 1, witness: 2, supervisor: 1}
    assert destroying.needed(electronic=False) == {executor: 1, witness: 2, supervisor: 0}
    assert destroying.lacking([], electronic=False) == [executor, witness, witness]
    assert destroying.lacking([witness, executor], electronic=True) == [witness, supervisor]
    assert destroying.lacking([witness, witness, witness, executor, supervisor], electronic=True) == []
    assert {each for each in Duty if destroying.signs_before(each)} == {witness, supervisor}
    assert {each for each in Duty if destroying.signs_after(each)} == {witness, supervisor, executor}
    assert destroying.free_for({executor: [PEOPLE[0]], witness: []}, PEOPLE[1])
    assert not destroying.free_for({executor: [PEOPLE[0]], witness: [PEOPLE[1]]}, PEOPLE[1])
    assert destroying.all_apart({executor: [PEOPLE[0]], witness: [PEOPLE[1], PEOPLE[2]]})
    assert not destroying.all_apart({executor: [PEOPLE[0]], witness: [PEOPLE[1], PEOPLE[0]]})


def test_cooling_off_counting_and_what_a_method_destroys() -> None:
    now = datetime(2026, 3, 5, 4, tzinfo=UTC)
    assert [destroying.cooled(each, now) for each in (None, now, now + timedelta(seconds=1))] == [False, True, False]
    one, two, three = PEOPLE[:3]
    assert destroying.missing_and_extra([one, two], [one, None, three, three]) == ({two}, 3)
    assert destroying.missing_and_extra([one], [one]) == (set(), 0)
    fits = [
        (each, paper) for each in DestructionMethod for paper in (True, False) if not destroying.fits(each, paper=paper)
    ]
    assert fits == [(DestructionMethod.DELETION, True)]
    assert destroying.digest([{"b": "案卷", "a": 1}]) == destroying.digest([{"a": 1, "b": "案卷"}])
    assert destroying.digest([{"b": "案卷", "a": 1}]) == sha256('[{"a":1,"b":"案卷"}]'.encode()).hexdigest()
    assert destroying.digest([{"a": 1}, {"a": 2}]) != destroying.digest([{"a": 2}, {"a": 1}])


LATEST = date(2026, 3, 5)


def test_how_a_secrecy_period_stands_to_the_day() -> None:
    days = [
        None,
        LATEST,
        LATEST + timedelta(1),
        LATEST + secrecy_rules.AHEAD,
        LATEST + secrecy_rules.AHEAD + timedelta(1),
    ]
    assert [secrecy_rules.standing(each, LATEST) for each in days] == ["condition", "late", "soon", "soon", "runs"]
    assert secrecy_rules.ends(date(2024, 1, 31), 1) == date(2024, 3, 1)
    assert secrecy_rules.extended(None, 12, LATEST) == date(2027, 3, 5)
    assert secrecy_rules.extended(date(2020, 1, 1), 12, LATEST) == date(2021, 1, 1)


V, SECRET, PUBLIC = SecrecyVerdict, (3, True, date(2027, 1, 1), False), (1, False, None, False)


@pytest.mark.parametrize(
    ("verdict", "known", "target", "found"),
    [
        (V.LOWER, SECRET, {"level": 2}, {}),
        (V.LOWER, SECRET, {}, {"level": "required"}),
        (V.LOWER, SECRET, {"level": 3}, {"level": "level_not_lower"}),
        (V.LOWER, PUBLIC, {"level": 0}, {"verdict": "open_already"}),
        (V.RAISE, PUBLIC, {"level": 2}, {}),
        (V.RAISE, SECRET, {"level": 3}, {"level": "level_not_higher"}),
        (V.RAISE, SECRET, {}, {"level": "required"}),
        (V.DECLASSIFY, SECRET, {"level": 1}, {}),
        (V.DECLASSIFY, SECRET, {"level": 1, "secret": True}, {"level": "level_not_open"}),
        (V.DECLASSIFY, SECRET, {"level": 4}, {"level": "level_not_lower"}),
        (V.LOWER, SECRET, {"level": 2, "secret": True}, {}),
        (V.DERIVE, SECRET, {"level": 2, "months": 12}, {}),
        (V.DERIVE, SECRET, {"level": 2}, {"months": "required"}),
        (V.EXTEND, SECRET, {"months": 12}, {}),
        (V.EXTEND, SECRET, {"months": 1}, {}),
        (V.EXTEND, SECRET, {"months": secrecy_rules.MOST_MONTHS}, {}),
        (V.EXTEND, SECRET, {"months": secrecy_rules.MOST_MONTHS + 1}, {"months": "required"}),
        (V.EXTEND, SECRET, {"months": -1}, {"months": "required"}),
        (V.EXTEND, PUBLIC, {"months": 1}, {"verdict": "open_already"}),
        (V.EXTEND, (3, True, date(2025, 3, 5), False), {"months": 12}, {"months": "ends_in_the_past"}),
        (V.EXTEND, (3, True, date(2025, 3, 6), False), {"months": 12}, {}),
        (V.OPEN, PUBLIC, {}, {}),
        (V.OPEN, SECRET, {}, {"verdict": "still_secret"}),
        (V.OPEN, (1, False, None, True), {}, {"verdict": "still_secret"}),
        (V.CONTROL, PUBLIC, {"until": LATEST + timedelta(1)}, {}),
        (V.CONTROL, PUBLIC, {"until": LATEST}, {"until": "day_not_ahead"}),
        (V.CONTROL, PUBLIC, {}, {"until": "day_not_ahead"}),
        (V.CONTROL, SECRET, {"until": LATEST + timedelta(1)}, {"verdict": "still_secret"}),
    ],
)  # fmt: skip
def test_what_a_review_of_secrecy_may_come_to(
    verdict: SecrecyVerdict,
    known: tuple[int, bool, date | None, bool],
    target: Mapping[str, Any],
    found: dict[str, str],
) -> None:
    wanted = secrecy_rules.Target(**target)
    assert secrecy_rules.faults(verdict, secrecy_rules.Facts(*known), wanted, LATEST) == found


FREE: dict[str, Any] = {
    "state": RecordState.FILED,
    "due": LATEST,
    "held": False,
    "lent": False,
    "missing": False,
    "unsettled": False,
}


@pytest.mark.parametrize(
    ("known", "why", "keeps"),
    [
        ({}, None, None),
        ({"state": RecordState.BINNED}, Stop.UNFILED, Stop.UNFILED),
        ({"due": None}, Stop.UNDUE, None),
        ({"due": LATEST + timedelta(1)}, Stop.UNDUE, None),
        ({"held": True}, Stop.HELD, Stop.HELD),
        ({"unsettled": True}, Stop.UNSETTLED, Stop.UNSETTLED),
        ({"lent": True}, Stop.LENT, Stop.LENT),
        ({"missing": True}, Stop.MISSING, Stop.MISSING),
        ({"held": True, "unsettled": True, "lent": True, "missing": True}, Stop.HELD, Stop.HELD),
        ({"unsettled": True, "lent": True, "missing": True}, Stop.UNSETTLED, Stop.UNSETTLED),
        ({"lent": True, "missing": True}, Stop.LENT, Stop.LENT),
    ],
)
def test_what_keeps_a_record_from_destruction_and_from_transfer(
    known: dict[str, Any], why: Stop | None, keeps: Stop | None
) -> None:
    there = last_check.Facts(**FREE | known)
    assert last_check.stop(there, LATEST) is why
    assert transfer_rules.keeps(there, LATEST) is keeps


def test_a_transfer_moves_on_by_its_states_alone() -> None:
    row = Transfer(state=TransferState.DRAFT, version=1)
    transfer_rules.move(row, TransferState.ASKED)
    assert (row.state, row.version) == (TransferState.ASKED, 2)
    with pytest.raises(Ended) as refused:
        transfer_rules.move(row, TransferState.CLOSED)
    assert refused.value.facts == {"state": "asked", "act": "transfer.closed"}


def test_what_is_wrong_with_a_renewal_says_the_bounds() -> None:
    wrong, extent = renewal_rules.wrong, renewal_rules.Extent
    assert wrong(extent(through=2025), LATEST) == [Fault("through", "out_of_range", {"low": 2026, "high": 2126})]
    assert wrong(extent(years=101), LATEST) == [Fault("years", "out_of_range", {"low": 1, "high": 100})]
    assert wrong(extent(through=2030, years=5), LATEST) == [Fault("years", "one_of_both")]
