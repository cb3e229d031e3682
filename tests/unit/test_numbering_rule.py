"""A rule is checked when it is written: what could not be unique, or names a person, is refused by its position."""

import dataclasses

import pytest

from archive.errors import InvalidInput
from archive.numbering import reference
from archive.numbering.giver import REGISTRATION
from archive.numbering.rule import SAMPLE, parse
from archive.numbering.words import MESSAGE_CODES, explain

NATIONAL = "{fonds}-{class}·{year}-{term}-[{department}-]{mark}{serial:4}"


def test_the_national_form_and_the_registration_number() -> None:
    assert parse(NATIONAL).preview() == "Z109-WYH·2026-D30-BGS-A0001"
    assert REGISTRATION.preview(123) == "Z109-2026-A000123"


def test_a_place_and_a_dossier_stand_in_a_number() -> None:
    rule = parse("{fonds}-{category:6}-{project}{building:2}-{room}-[{dossier}-]{mark}{serial}")
    assert rule.preview(12) == "Z109-WYH01-A101-0001-A0003-A0012", "it extends the dossier's number"
    assert rule.render(dataclasses.replace(SAMPLE, dossier=None), 12) == "Z109-WYH01-A101-0001-A0012"
    assert parse("{dossier}-{mark}{serial}").preview() == "Z109-WYH01·2026-D30-A0003-A0001"


def test_an_extended_number_that_could_not_be_printed_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(NATIONAL.replace("department", "dossier")).render(dataclasses.replace(SAMPLE, dossier="Z" * 95), 1)
    assert [(f.field, f.code) for f in refused.value.faults] == [("dossier", "too_wide")]


def test_a_part_in_brackets_is_left_out_when_the_record_lacks_it() -> None:
    assert parse(NATIONAL).render(dataclasses.replace(SAMPLE, department=None), 7) == "Z109-WYH·2026-D30-A0007"


def test_a_serial_grows_past_its_width() -> None:
    assert parse(NATIONAL).preview(123456).endswith("-A123456")


def test_a_record_without_what_the_rule_needs_is_refused_by_the_field() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("{fonds}-{department}-{mark}{serial}").render(dataclasses.replace(SAMPLE, department=None), 1)
    assert [(f.field, f.code) for f in refused.value.faults] == [("department", "needed_by_number")]


def test_a_code_wider_than_the_rule_allows_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("{fonds:2}-{mark}{serial}").preview()
    assert refused.value.faults[0].code == "too_wide"


@pytest.mark.parametrize(
    ("template", "code", "at"),
    [
        ("", "rule_empty", 0),
        ("{fonds}-{year}-{mark}", "rule_no_serial", 21),
        ("{fonds}-[{mark}{serial:4}]", "rule_no_serial", 15),
        ("{fonds}-{year}-{serial:4}", "rule_no_mark", 15),
        ("{fonds}-{serial:4}-{mark}", "rule_no_mark", 19),
        ("{fonds}-[{mark}-]{serial}", "rule_no_mark", 9),
        ("{fonds}-{colour}-{mark}{serial}", "rule_unknown_field", 8),
        ("{fonds}-{owner}-{mark}{serial}", "rule_personal_field", 8),
        ("{fonds}-{title}-{mark}{serial}", "rule_personal_field", 8),
        ("{fonds-{mark}{serial}", "rule_bad_field", 0),
        ("{fonds}-{mark}{serial", "rule_unclosed", 14),
        ("{fonds}-[{term}-{mark}{serial}", "rule_unclosed", 8),
        ("[-]{mark}{serial}", "rule_empty_brackets", 0),
        ("{fonds} {mark}{serial}", "rule_bad_separator", 7),
        ("{fonds}号{mark}{serial}", "rule_bad_separator", 7),
        ("{serial:12}{mark}", "rule_bad_width", 0),
        ("{year:2}-{mark}{serial}", "rule_bad_width", 0),
        ("{mark:0}{serial}", "rule_bad_width", 0),
        ("{fonds}-{mark}{serial}-{mark}", "rule_repeated_field", 23),
        ("{mark}-{year}{serial}", "rule_serial_touches", 13),
        ("{mark}-7{serial}", "rule_serial_touches", 8),
        ("{mark}{serial}{year}", "rule_serial_touches", 6),
        ("{mark}{serial}0", "rule_serial_touches", 6),
        ("{mark}{serial}[{year}]", "rule_serial_touches", 6),
        ("{mark}{serial}-" + "a" * 500, "rule_too_long", 400),
        ("{mark}{serial}-" + "a" * 150, "rule_too_long", 165),
    ],
)
def test_a_rule_that_cannot_stand_is_refused_by_its_position(template: str, code: str, at: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(template)
    (fault,) = refused.value.faults
    assert (fault.field, fault.code, fault.facts["at"]) == ("template", code, at)


def test_a_rule_is_told_in_parts_that_the_edges_can_word() -> None:
    told = explain(parse(NATIONAL))
    assert told[0] == ("rule_fonds", {"width": 0})
    assert told[1] == ("rule_text", {"text": "-"})
    assert ("rule_optional", {"parts": [("rule_department", {"width": 0}), ("rule_text", {"text": "-"})]}) in told
    assert told[-2:] == [
        ("rule_serial", {"width": 4}),
        ("rule_counts_by", {"fields": ["fonds", "class", "year", "term", "department", "mark"]}),
    ]
    assert {code for code, _ in told} <= set(MESSAGE_CODES)


def test_a_reference_grows_as_facts_come_and_holds_only_what_may_be_seen() -> None:
    rule = reference.parse("{owner}-{room}-{building}-{floor}-{unit}-{type}")
    assert rule.render({}) == ""
    assert rule.render({"room": "0301"}) == "…-0301-…-…-…-…"
    assert rule.render(
        {"owner": "王\n芳", "room": "0301", "building": "02", "floor": "3", "unit": "001", "type": "WYE01"}
    ) == ("王 芳-0301-02-3-001-WYE01")


def test_a_reference_cuts_long_facts_and_never_fills_twice() -> None:
    rule = reference.parse("{complainant}-{content}")
    shown = rule.render({"complainant": "{content}", "content": "漏水" * 500})
    assert shown.startswith("{content}-漏水")
    assert len(shown) < 80


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("", "rule_empty"),
        ("no field", "rule_no_field"),
        ("{owner", "rule_unclosed"),
        ("{owner}}", "rule_unclosed"),
        ("{Owner}", "rule_bad_field"),
        ("{colour}", "rule_unknown_field"),
    ],
)
def test_a_broken_reference_is_refused(template: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        reference.parse(template, known={"owner"})
    assert refused.value.faults[0].code == code
