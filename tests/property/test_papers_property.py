"""Conditions, completeness and clocks of required papers, as pure functions."""

from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from archive.errors import InvalidInput
from archive.reminding.workdays import Calendar, add_working_days
from archive.required.standing import Stands, clocks, judged, matches, stand
from archive.required.template import Match, Template, parse, parse_text, plain, shipped, told

FACTS = ("a", "b", "c")
KNOWN = st.dictionaries(st.sampled_from(FACTS), st.booleans() | st.none())
CONDITIONS = st.recursive(
    st.sampled_from(FACTS).map(lambda code: {"fact": code}),
    lambda inner: (
        inner.map(lambda each: {"not": each})
        | st.lists(inner, min_size=1, max_size=3).map(lambda some: {"all": some})
        | st.lists(inner, min_size=1, max_size=3).map(lambda some: {"any": some})
    ),
    max_leaves=8,
)
NAMES = {"zh_CN": "名"}
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def a_template(**more: object) -> Template:
    facts = [{"code": code, "names": NAMES, "kind": "yes_no"} for code in FACTS]
    facts += [{"code": code, "names": NAMES, "kind": "day"} for code in ("begun", "done")]
    papers = [{"code": "form", "names": NAMES}]
    return parse({"code": "t", "names": NAMES, "facts": facts, "papers": papers, **more})


def evaluated(condition: dict, facts: dict) -> bool:  # type: ignore[type-arg]
    """The plain reading of a condition whose facts are all known."""
    ((kind, value),) = condition.items()
    if kind == "fact":
        return bool(facts[value])
    if kind == "not":
        return not evaluated(value, facts)
    parts = [evaluated(each, facts) for each in value]
    return all(parts) if kind == "all" else any(parts)


@given(CONDITIONS, KNOWN, st.fixed_dictionaries({code: st.booleans() for code in FACTS}))
def test_what_is_judged_stays_so_whatever_comes_to_be_known(condition: dict, some: dict, rest: dict) -> None:  # type: ignore[type-arg]
    all_known = rest | {code: value for code, value in some.items() if value is not None}
    early = judged(condition, some)
    assert early is None or early == evaluated(condition, all_known)
    assert judged(condition, all_known) == evaluated(condition, all_known)


@given(CONDITIONS, KNOWN, st.integers(0, 3), st.integers(1, 3), st.booleans())
def test_complete_is_that_nothing_is_missing_and_nothing_waits(
    condition: dict,
    facts: dict,
    there: int,
    count: int,
    required: bool,  # type: ignore[type-arg]
) -> None:
    paper = {"code": "form", "names": NAMES, "when": condition, "count": count, "required": required}
    found = stand(a_template(papers=[paper]), facts, {"form": there}, ())
    [each] = found.papers
    assert found.complete == (each.stands not in {Stands.MISSING, Stands.WAITS})
    if there < count and required and judged(condition, facts) is not False:
        assert not found.complete
    more = stand(a_template(papers=[paper]), facts, {"form": there + count}, ())
    assert more.complete  # enough of everything is complete, whatever is known


def test_required_facts_people_and_the_other_dossier_are_asked_for_too() -> None:
    link = {"template": "other", "names": NAMES}
    template = a_template(people=[{"code": "head", "names": NAMES}], link=link)
    there = {"form": 1}
    assert stand(template, {}, there, ["head"], linked=True).complete
    assert stand(template, {}, there, [], linked=True).people == ["head"]
    assert not stand(template, {}, there, ["head"], linked=False).complete
    signed = a_template(facts=[{"code": "signed", "names": NAMES, "kind": "day", "required": True}])
    assert stand(signed, {}, there, []).facts == ["signed"]
    assert stand(signed, {"signed": "2024-03-05"}, there, []).complete


@given(DAYS, st.integers(-400, 400))
def test_working_days_are_counted_as_on_a_calendar(since: date, days: int) -> None:
    found = add_working_days(Calendar(), since, days)
    low, high = min(since, found), max(since, found)
    between = [low + timedelta(n) for n in range((high - low).days + 1)]
    counted = [day for day in between if day.weekday() < 5 and day != since]
    assert len(counted) == abs(days)
    assert days == 0 or found.weekday() < 5


@given(DAYS, st.integers(0, 300), st.booleans(), st.booleans())
def test_a_clock_runs_from_its_event_and_is_late_behind_its_day(
    since: date, days: int, before: bool, working: bool
) -> None:
    rule = {"code": "k", "names": NAMES, "days": days, "event": "begun", "met": "done", "before": before,
            "working": working}  # fmt: skip
    template = a_template(clocks=[rule])
    assert clocks(template, {}) == []
    [runs] = clocks(template, {"begun": since.isoformat()})
    if not working:
        assert runs.due - since == timedelta(-days if before else days)
    assert (runs.due <= since) if before else (runs.due >= since)
    assert not runs.late(runs.due)
    assert runs.late(runs.due + timedelta(1))
    met = clocks(template, {"begun": since.isoformat(), "done": runs.due.isoformat()})
    assert not met[0].late(date.max)


def test_ten_working_days_pass_two_weekends() -> None:
    assert add_working_days(Calendar(), date(2026, 11, 26), 10) == date(2026, 12, 10)


def test_a_clock_with_a_condition_runs_only_where_it_holds() -> None:
    rule = {"code": "k", "names": NAMES, "days": 1, "event": "begun", "met": "done", "when": {"fact": "a"}}
    template = a_template(clocks=[rule])
    assert clocks(template, {"begun": "2024-01-01"}) == []
    assert len(clocks(template, {"begun": "2024-01-01", "a": True})) == 1


def test_an_item_matches_by_keyword_and_category() -> None:
    assert matches(Match(keywords=["营业执照"]), "WYH01", ["正本", "营业执照"])
    assert matches(Match(categories=["WYH01"]), "WYH01", [])
    assert not matches(Match(keywords=["营业执照"], categories=["WYH02"]), "WYH01", ["营业执照"])
    assert not matches(Match(), "WYH01", ["营业执照"])


def test_what_is_shipped_holds_the_papers_of_the_rules() -> None:
    def needed(code: str, **facts: bool) -> list[str]:
        template = shipped()[code]
        known = {each.code: False for each in template.facts if each.kind == "yes_no"} | facts
        return [each.paper.number for each in stand(template, known, {}, ()).papers if each.stands is Stands.MISSING]

    assert needed("contract_filing") == list("1234567")
    assert needed("contract_filing", de_facto=True, from_elsewhere=True) == list("12345678")
    assert needed("contract_filing", has_branch=True) == list("12344567")
    assert needed("preliminary_filing") == list("1234")
    assert needed("qualification_check", de_facto=True, by_agent=True) == list("123456789")
    assert needed("acceptance", from_former=True) == list("123456789")
    assert set(shipped()) == {
        "contract_filing", "preliminary_filing", "qualification_check", "enterprise", "project_manager", "move_in",
        "decoration", "equipment", "acceptance",
    }  # fmt: skip
    for template in shipped().values():
        assert parse_text(told(template)) == template
        for each in (template, *template.papers, *template.facts, *template.people, *template.clocks):
            assert set(each.names) == {"zh_CN", "zh_TW", "en"}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("papers", {"papers": []}),
        ("papers.0.when", {"papers": [{"code": "x", "names": NAMES, "when": {"fact": "nothing"}}]}),
        ("papers.0.when", {"papers": [{"code": "x", "names": NAMES, "when": {"fact": "a", "not": {"fact": "b"}}}]}),
        ("papers.1.code", {"papers": [{"code": "x", "names": NAMES}, {"code": "x", "names": NAMES}]}),
        ("papers.0.names", {"papers": [{"code": "x", "names": {"en": "x"}}]}),
        ("clocks.0.event", {"clocks": [{"code": "k", "names": NAMES, "days": 1, "event": "a", "met": "done"}]}),
        ("surprise", {"surprise": 1}),
    ],
)
def test_a_faulty_template_is_refused_with_the_place_of_the_fault(where: str, change: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(InvalidInput) as caught:
        parse(plain(a_template()) | change)
    assert caught.value.faults[0].facts == {"where": where}
