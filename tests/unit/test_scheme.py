"""Schemes are data: shipped whole, refused by path when broken, installed, exported, changed by version."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from archive.errors import Conflict, InvalidInput, NotAllowed
from archive.identity import Identity, system
from archive.jobs.outbox import Outbox
from archive.model import Category, CategoryVersion, Fonds
from archive.policy.guard import Guard
from archive.scheme.categories import SchemeService
from archive.scheme.document import load, parse
from archive.scheme.install import export, install
from archive.scheme.shipped import SCHEMES, document, scheme
from retention.branches import Branches
from retention.reckoning import DueDays
from tests.factories.schemes import NOW, SchemeHouse, scheme_house
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog
from tests.unit.test_extract_job import Asleep

OPERATOR = system("operator")


@pytest.fixture
def house(tmp_path: Path) -> SchemeHouse:
    return scheme_house(tmp_path)


@pytest.fixture
def service(house: SchemeHouse) -> SchemeService:
    log = RememberingLog()
    guard, outbox = Guard(house.db, log, FixedClock(), "Asia/Shanghai"), Outbox(FixedClock(), Asleep())
    terms = Branches(house.db, guard, DueDays(lambda: "Asia/Shanghai"))
    return SchemeService(house.db, guard, log, outbox, FixedClock(), terms)


@pytest.mark.parametrize("code", SCHEMES)
def test_a_shipped_scheme_reads_back_as_written(code: str) -> None:
    assert load(scheme(code).to_yaml()) == scheme(code)


@pytest.mark.parametrize("code", SCHEMES)
def test_every_shipped_name_is_in_three_languages(code: str) -> None:
    for category in scheme(code).categories:
        for names in (category.names, *(f.names for f in category.fields)):
            assert {"zh_CN", "zh_TW", "en"} <= set(names), category.code


def test_wyyz_asks_for_title_and_date_only() -> None:
    (category,) = [c for c in scheme("property").categories if c.code == "WYYZ"]
    assert category.required == ("title", "drawn_up")


def test_persons_phones_and_identity_numbers_are_protected_fields() -> None:
    (category,) = [c for c in scheme("property").categories if c.code == "WYE01"]
    assert {f.name for f in category.fields if f.protected} == {"owner", "phone", "identity", "household"}


def test_the_contract_filings_list_eight_and_four_papers() -> None:
    papers = {c.code: len(c.documents) for c in scheme("property").categories}
    assert (papers["WYH01"], papers["WYH02"]) == (8, 4)


def test_every_list_of_the_seeds_lies_somewhere() -> None:
    lists = document("mapping")["lists"]
    assert {each["source"] for each in lists} == {"S0", "S1", "S2", "S3", "S4"}
    for each in lists:
        codes = {category.code for category in scheme(each["scheme"]).categories}
        assert set(each["terms"].values()) <= codes, each["list"]


def test_reference_rules_name_fields_that_their_categories_have() -> None:
    from archive.numbering import reference

    for code in SCHEMES:
        whole = scheme(code)
        templates = {rule.code: rule.template for rule in whole.rules}
        for category in whole.categories:
            if category.reference_rule and not category.parent:
                reference.parse(templates[category.reference_rule], {f.name for f in category.fields})


BROKEN = """
format: 1
code: small
names: {zh_CN: 小}
number_rules:
  - {code: r, names: {zh_CN: 则}, template: "{fonds}-{serial}"}
categories:
  - code: A
    names: {zh_CN: 甲}
    term: forever
    fields: [{name: x, kind: colour, names: {zh_CN: 色}}, nowhere]
    required: [y]
  - {code: A, names: {}, term: Y, number_rule: r, colour: red}
  - {code: B, names: {zh_CN: 乙}, number_rule: r,
     fields: [{name: d, kind: date, names: {zh_CN: 日}, not_before: e},
       {name: n, kind: number, names: {zh_CN: 数}, not_above: d, sum_of: [n, gone], required_if: {d: paid}}], term: Y}
"""


def test_a_broken_scheme_is_refused_with_every_path() -> None:
    with pytest.raises(InvalidInput) as refused:
        load(BROKEN)
    assert {(f.field, f.code) for f in refused.value.faults} >= {
        ("number_rules[0].template", "rule_no_mark"),
        ("categories[0].term", "bad_term"),
        ("categories[0].number_rule", "no_number_rule"),
        ("categories[0].fields[0].kind", "unknown_kind"),
        ("categories[0].fields[1]", "unknown_field"),
        ("categories[0].required[0]", "unknown_field"),
        ("categories[1].code", "repeated"),
        ("categories[1].names", "names_missing"),
        ("categories[1].colour", "unknown_key"),
        ("categories[2].fields.d.not_before", "unknown_field"),
        ("categories[2].fields.n.not_above", "unknown_field"),
        ("categories[2].fields.n.sum_of", "unknown_field"),
        ("categories[2].fields.n.required_if", "unknown_choice"),
    }


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "&a [*a]", "!!python/object:os.system {}", "\x00", "format: 9"])
def test_what_is_no_scheme_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        load(text)


@pytest.mark.parametrize("value", ["2024-02-30", "2024-13-45", "0b_", "9" * 5000])
def test_a_value_that_is_none_of_its_kind_is_refused_as_no_yaml(value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load(f"format: 1\nx: {value}\n")
    assert [each.code for each in refused.value.faults] == ["not_yaml"]


GOOD = """
format: 1
code: S
names: {zh_CN: 案}
number_rules: [{code: r, names: {zh_CN: 号}, template: "{category}-{mark}{serial}"}]
fields:
  a: {kind: choice, names: {zh_CN: 甲}, choices: [{code: x, names: {zh_CN: 乙}}], required: true}
  d: {kind: date, names: {zh_CN: 日}, not_before: e}
  e: {kind: date, names: {zh_CN: 日}, required_if: {a: x}}
  n: {kind: number, names: {zh_CN: 数}, minimum: 1, sum_of: [m]}
  m: {kind: number, names: {zh_CN: 数}, not_above: n}
  t: {kind: text, names: {zh_CN: 文}, pattern: "a+", example: a, limit: 5}
categories:
- {code: A, names: {zh_CN: 类}, level: 1, term: D10, importance: 1, number_rule: r, fields: [a, d, e, n, m, t],
   required: [title], documents: [{code: P, names: {zh_CN: 件}}], categories: [{code: B, names: {zh_CN: 类}}]}
"""
ODD = (None, 5, True, "", [], [["a"]], [{}], {"b": "c"}, {"b": ["c"]})


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value of a document."""
    yield at
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield from places(data[key], (*at, key))


def test_whatever_stands_in_the_place_of_a_value_it_is_taken_or_refused_in_words() -> None:
    whole = yaml.safe_load(GOOD)
    parse(whole)
    for at in places(whole):
        for odd in ODD if at else ():
            data = copy.deepcopy(whole)
            reduce(getitem, at[:-1], data)[at[-1]] = odd
            with suppress(InvalidInput):
                parse(data)


def test_an_installed_scheme_comes_out_as_it_went_in(house: SchemeHouse) -> None:
    with house.db.reading() as session:
        out = export(session, session.get_one(Fonds, house.fonds), NOW.date())
    assert out.categories == scheme("property").categories
    assert load(out.to_yaml()) == out


def test_installing_again_changes_nothing(house: SchemeHouse) -> None:
    with house.db.writing() as work:
        install(work.session, work.session.get_one(Fonds, house.fonds), scheme("property"), now=NOW)
        assert set(work.session.scalars(select(Category.version))) == {1}


def test_what_a_new_scheme_no_longer_names_is_closed_not_deleted(house: SchemeHouse) -> None:
    data = yaml.safe_load(scheme("property").to_yaml())
    data["categories"] = [c for c in data["categories"] if c["code"] != "WYG"]
    with house.db.writing() as work:
        install(work.session, work.session.get_one(Fonds, house.fonds), load(yaml.safe_dump(data)), now=NOW)
        work.commit()
    with house.db.reading() as session:
        closed = {row.code: row.closed_on for row in session.scalars(select(Category))}
    assert closed["WYG04"] == NOW.date()
    assert closed["WYM"] is None


def test_a_change_makes_a_version_and_the_old_one_is_kept(house: SchemeHouse, service: SchemeService) -> None:
    key = house.categories["WYYZ"]
    assert service.change(OPERATOR, key, {"term": "D30"}, version=1) == 2
    with house.db.reading() as session:
        versions = session.scalars(select(CategoryVersion).where(CategoryVersion.category_id == key)).all()
    assert [(v.version, v.definition["term"]) for v in versions] == [(1, "Y"), (2, "D30")]
    with pytest.raises(Conflict):
        service.change(OPERATOR, key, {"term": "D10"}, version=1)
    with pytest.raises(InvalidInput) as refused:
        service.change(OPERATOR, key, {"term": "soon"}, version=2)
    assert refused.value.faults[0].field == "term"


def test_a_category_that_is_closed_is_shown_no_more_and_takes_none_below_it(
    house: SchemeHouse, service: SchemeService
) -> None:
    service.close(OPERATOR, house.categories["WYJ"])
    shown = [node.category.code for node in service.tree(OPERATOR, house.fonds)]
    assert "WYJ" not in shown
    assert "WYYZ" in shown
    data = {"code": "WYJ08", "names": {"zh_CN": "水景"}}
    with pytest.raises(InvalidInput) as refused:
        service.add(OPERATOR, house.fonds, data, parent_id=house.categories["WYJ"])
    assert [(each.field, each.code) for each in refused.value.faults] == [("parent", "closed")]


def test_a_house_adds_its_own_category_below_another(house: SchemeHouse, service: SchemeService) -> None:
    parent = house.categories["WYJ"]
    data = {"code": "WYJ09", "names": {"zh_CN": "水景"}}
    service.add(OPERATOR, house.fonds, data, parent_id=parent)
    (branch,) = [n for n in service.tree(OPERATOR, house.fonds) if n.category.code == "WYJ"]
    new = branch.below[-1].category
    assert (new.code, new.term, new.level_rank) == ("WYJ09", "D10", 1)
    with pytest.raises(Conflict):
        service.add(OPERATOR, house.fonds, data, parent_id=parent)


def test_a_rule_is_added_checked(service: SchemeService) -> None:
    service.add_rule(OPERATOR, "short", {"zh_CN": "短"}, "{category}-{mark}{serial}")
    with pytest.raises(InvalidInput) as refused:
        service.add_rule(OPERATOR, "bad", {"zh_CN": "坏"}, "{category}-{serial}")
    assert refused.value.faults[0].code == "rule_no_mark"


def test_a_stranger_changes_no_scheme(house: SchemeHouse, service: SchemeService) -> None:
    from archive.ids import new_id

    with pytest.raises(NotAllowed):
        service.change(Identity("nobody", new_id()), house.categories["WYYZ"], {"term": "D30"}, version=1)
