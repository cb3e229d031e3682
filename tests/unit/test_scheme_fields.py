"""What is typed into a category's fields is checked by kind, and personal fields are kept apart."""

import pytest

from archive.errors import InvalidInput
from archive.scheme.fields import parse_fields
from archive.scheme.values import check

NAMES = {"zh_CN": "名"}
FIELDS = parse_fields(
    [
        {"name": "content", "kind": "text", "names": NAMES, "required": True, "limit": 100},
        {"name": "area", "kind": "number", "names": NAMES, "minimum": 0, "maximum": 1000},
        {"name": "moved_in", "kind": "date", "names": NAMES},
        {"name": "owner", "kind": "person", "names": NAMES},
        {"name": "phone", "kind": "phone", "names": NAMES},
        {"name": "identity", "kind": "identity", "names": NAMES},
        {
            "name": "channel",
            "kind": "choice",
            "names": NAMES,
            "choices": [{"code": "web", "names": {"zh_CN": "网络", "en": "Web"}}],
        },
    ]
)


def test_values_are_kept_in_one_form_and_personal_ones_apart() -> None:
    ordinary, protected = check(
        FIELDS,
        {
            "content": " 漏水\x00 ",
            "area": "８９.５0",
            "moved_in": "民國113年3月5日",
            "channel": "网络",
            "owner": "王芳",
            "phone": "138 0013 8000",
            "identity": "11010519491231002x",
        },
    )
    assert ordinary == {"content": "漏水", "area": "89.50", "moved_in": "2024-03-05", "channel": "web"}
    assert protected == {"owner": "王芳", "phone": "13800138000", "identity": "11010519491231002X"}


@pytest.mark.parametrize("phone", ["0571-88886666", "+886 2 2345 6789", "88886666"])
def test_fixed_lines_are_phones_too(phone: str) -> None:
    assert check(FIELDS, {"phone": phone})[1]["phone"].lstrip("+").isdigit()


@pytest.mark.parametrize(
    ("name", "typed", "code"),
    [
        ("content", "水" * 1_000_000, "too_long"),
        ("area", "much", "not_a_number"),
        ("area", "1e9", "not_a_number"),
        ("area", "-1", "out_of_range"),
        ("area", "1000.01", "out_of_range"),
        ("moved_in", "2024-02-31", "bad_date"),
        ("channel", "pigeon", "unknown_choice"),
        ("phone", "12345678901", "bad_phone"),
        ("phone", "call me", "bad_phone"),
        ("identity", "110105194912310021", "bad_identity"),
        ("colour", "red", "unknown_field"),
    ],
)
def test_a_fault_names_its_field_and_never_repeats_a_personal_number(name: str, typed: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(FIELDS, {name: typed})
    (fault,) = refused.value.faults
    assert (fault.field, fault.code) == (name, code)
    if name in {"phone", "identity"}:
        assert typed not in str(fault)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        check(FIELDS, {"area": "x", "moved_in": "y"}, complete=True)
    assert [f.field for f in refused.value.faults] == ["content", "area", "moved_in"]


def test_a_required_field_may_wait_until_filing() -> None:
    assert check(FIELDS, {}) == ({}, {})


NUMBERED = {"name": "number", "kind": "text", "names": NAMES, "pattern": r"\p{Han}+〔\d{4}〕\d+号"}


@pytest.mark.parametrize("example", [None, "沪房〔2024〕12号"])
def test_a_text_is_written_as_its_field_asks(example: str | None) -> None:
    fields = parse_fields([NUMBERED | ({"example": example} if example else {})])
    assert check(fields, {"number": "沪物〔2026〕7号"})[0] == {"number": "沪物〔2026〕7号"}
    for wrong in ("沪物2026-7", "见沪物〔2026〕7号。"):
        with pytest.raises(InvalidInput) as refused:
            check(fields, {"number": wrong})
        (fault,) = refused.value.faults
        assert (fault.code, fault.facts) == (
            ("not_like_example", {"example": example}) if example else ("not_as_asked", {})
        )


@pytest.mark.timeout(60)  # ran to its end, the pattern would take longer than there is time
def test_no_pattern_and_no_text_take_long() -> None:
    fields = parse_fields([{"name": "x", "kind": "text", "names": NAMES, "pattern": "(a+)+b"}])
    with pytest.raises(InvalidInput):
        check(fields, {"x": "a" * 1_900})


@pytest.mark.parametrize(
    ("begins", "ends", "fits"),
    [
        ("2024-03-05", "2024-03-05", True), ("2024-03-05", "2024-03-04", False), ("2024-03-05", "2024-03", True),
        ("2024-03", "2024-02", False), ("2024", "2023-12-31", False), ("2024", "2024", True), ("", "2001", True),
    ],
)  # fmt: skip
def test_a_date_does_not_lie_before_the_other_as_far_as_both_are_known(begins: str, ends: str, fits: bool) -> None:
    fields = parse_fields(
        [
            {"name": "ends_on", "kind": "date", "names": NAMES, "not_before": "starts_on"},
            {"name": "starts_on", "kind": "date", "names": NAMES},
        ]
    )
    faults: list[tuple[str, str]] = []
    try:
        check(fields, {"starts_on": begins, "ends_on": ends})
    except InvalidInput as refused:
        faults = [(each.field, each.code) for each in refused.faults]
    assert faults == ([] if fits else [("ends_on", "before_other")])


ACROSS = [
    {"name": "state", "kind": "choice", "names": NAMES, "choices": [{"code": "paid", "names": NAMES}]},
    {"name": "paid_on", "kind": "date", "names": NAMES, "required_if": {"state": "paid"}},
    {"name": "payer", "kind": "person", "names": NAMES, "required_if": {"paid_on": True}},
    {"name": "own", "kind": "number", "names": NAMES, "not_above": "whole"},
    {"name": "shared", "kind": "number", "names": NAMES},
    {"name": "whole", "kind": "number", "names": NAMES, "sum_of": ["own", "shared"]},
]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({}, []), ({"state": "paid", "paid_on": "2024", "payer": "李雷"}, []),
        ({"state": "paid"}, [("paid_on", "required")]), ({"paid_on": "2024"}, [("payer", "required")]),
        ({"own": "80.50", "shared": "9.5", "whole": "90"}, []), ({"own": "7", "whole": "7"}, []),
        ({"own": "80.5", "shared": "9.5", "whole": "90.01"}, [("whole", "not_the_sum")]),
        ({"own": "8", "whole": "7"}, [("own", "above_other")]),
        ({"own": "x", "shared": "1", "whole": "1"}, [("own", "not_a_number")]),
    ],
)  # fmt: skip
def test_values_agree_with_those_of_other_fields_as_far_as_they_are_known(
    typed: dict[str, str], found: list[tuple[str, str]]
) -> None:
    faults: list[tuple[str, str]] = []
    try:
        check(parse_fields(ACROSS), typed, complete=True)
    except InvalidInput as refused:
        faults = [(each.field, each.code) for each in refused.faults]
    assert faults == found
    if found and found[0][1] == "required":
        check(parse_fields(ACROSS), typed)  # not needed before it is filed


def test_what_a_definition_checks_goes_out_as_it_came_in() -> None:
    given = [
        *ACROSS,
        NUMBERED | {"example": "沪房〔2024〕12号"},
        {"name": "x", "kind": "date", "names": NAMES, "not_before": "y"},
    ]
    assert [each.as_data() for each in parse_fields(given)] == given


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"name": "x", "kind": "colour", "names": NAMES}, "fields[0].kind"),
        ({"name": "X Y", "kind": "text", "names": NAMES}, "fields[0].name"),
        ({"name": "x", "kind": "text"}, "fields[0].names"),
        ({"name": "x", "kind": "choice", "names": NAMES}, "fields[0].choices"),
        ({"name": "x", "kind": "text", "names": NAMES, "limit": 0}, "fields[0].limit"),
        ({"name": "x", "kind": "text", "names": NAMES, "size": 1}, "fields[0].size"),
        ({"name": "x", "kind": "text", "names": NAMES, "pattern": "(a"}, "fields[0].pattern"),
        ({"name": "x", "kind": "text", "names": NAMES, "pattern": "(a{1000}){1000}"}, "fields[0].pattern"),
        ({"name": "x", "kind": "text", "names": NAMES, "pattern": "a" * 201}, "fields[0].pattern"),
        ({"name": "x", "kind": "number", "names": NAMES, "pattern": "a"}, "fields[0].pattern"),
        ({"name": "x", "kind": "text", "names": NAMES, "pattern": "a", "example": "b"}, "fields[0].example"),
        ({"name": "x", "kind": "text", "names": NAMES, "not_before": "y"}, "fields[0].not_before"),
        ({"name": "x", "kind": "date", "names": NAMES, "not_above": "y"}, "fields[0].not_above"),
        ({"name": "x", "kind": "date", "names": NAMES, "sum_of": ["y"]}, "fields[0].sum_of"),
        ({"name": "x", "kind": "number", "names": NAMES, "sum_of": "y"}, "fields[0].sum_of"),
        ({"name": "x", "kind": "date", "names": NAMES, "required_if": {"y": 1}}, "fields[0].required_if"),
        ({"name": "x", "kind": "date", "names": NAMES, "required_if": {"y": "a", "z": "b"}}, "fields[0].required_if"),
        ("x", "fields[0]"),
    ],
)
def test_a_broken_definition_is_refused_by_its_path(definition: object, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_fields([definition])
    assert field in [f.field for f in refused.value.faults]
