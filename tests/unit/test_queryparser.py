from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidInput
from indexer.query.parser import LONGEST_QUERY, parse
from indexer.query.text import hints, to_text
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words


def bare(query: Query) -> Query:
    """The tree without offsets."""
    match query:
        case And() | Or():
            return type(query)(tuple(bare(part) for part in query.parts))
        case Negate():
            return Negate(bare(query.part))
        case Everything():
            return query
    return replace(query, at=0)


a, b, c = Words("a"), Words("b"), Words("c")


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ("", Everything()),
        ("　 ", Everything()),
        ("a b", And((a, b))),
        ("a AND b 且 c", And((a, b, c))),
        ("(a b) c", And((a, b, c))),
        ("a OR (b | c)", Or((a, b, c))),
        ("a OR b c", Or((a, And((b, c))))),
        ("a|b ｜ c", Or((a, b, c))),
        ("a 或 b", Or((a, b))),
        ("（a OR b） c", And((Or((a, b)), c))),
        ("-a", Negate(a)),
        ("a -b NOT c", And((a, Negate(b), Negate(c)))),
        ("a 非 b", And((a, Negate(b)))),
        ("NOT NOT a", a),
        ("a -(b c)", And((a, Negate(And((b, c)))))),
        ('"a b"', Words("a b")),
        ("“a b”「b」『c』", And((Words("a b"), b, c))),
        ("contr*", Prefix("contr")),
        ("档＊", Prefix("档")),
        ("WS·2011-Y-BGS-0001", Words("WS·2011-Y-BGS-0001")),
        ("合同（2024版）补充", Words("合同（2024版）补充")),
        ("10:30 http://x.y/z GB/T:2", And((Words("10:30"), Words("http://x.y/z"), Words("GB/T:2")))),
        ("通知：关于", Words("通知：关于")),
        ("物业 - 收费 ，", And((Words("物业"), Words("收费")))),
        ("题名：合同", Words("合同", "title")),
        ("題名: 合同", Words("合同", "title")),
        ('title:"a b"', Words("a b", "title")),
        ("title:(a OR b) c", And((Or((Words("a", "title"), Words("b", "title"))), c))),
        ("-档号:2011-Y", Negate(Words("2011-Y", "number"))),
        ("date:2024", Range("date", "2024", "2024")),
        ("日期：2024-3..2024-03-05", Range("date", "2024-03", "2024-03-05")),
        ("date:2024..", Range("date", "2024", None)),
        ("year:..2020", Range("year", None, "2020")),
        ("date:民国38年", Range("date", "1949", "1949")),
    ],
)
def test_what_is_typed_is_understood(typed: str, tree: Query) -> None:
    assert bare(parse(typed)) == tree


@pytest.mark.parametrize(
    ("typed", "code", "at", "length"),
    [
        ("合同 “物业", "unclosed_quote", 3, 1),
        ("合同 (物业", "unclosed_group", 3, 1),
        ("合同)", "unopened_group", 2, 1),
        ("合同 ()", "empty_group", 3, 2),
        ("a titel:x", "unknown_field", 2, 5),
        ("a 题名:", "field_without_value", 2, 3),
        ("a NOT", "nothing_to_negate", 2, 3),
        ("OR b", "lone_operator", 0, 2),
        ("a OR", "lone_operator", 2, 2),
        ("a AND", "lone_operator", 2, 3),
        ("a OR OR b", "lone_operator", 2, 2),
        ("。。", "nothing_to_find", 0, 2),
        ("x a*", "prefix_too_short", 2, 2),
        ("*", "prefix_too_short", 0, 1),
        ("date:2024-13", "bad_range", 5, 7),
        ("date:2025..2024", "bad_range", 5, 10),
        ("date:2011-02-31", "no_such_day", 5, 10),
        ("合同 date:2011-02-01..2011-02-30", "no_such_day", 20, 10),
        ("date:2011-04-31‥2012", "no_such_day", 5, 10),
        ("date:..", "bad_range", 5, 2),
        ("year:2024-03", "bad_range", 5, 7),
        ("x" * (LONGEST_QUERY + 2), "too_long", LONGEST_QUERY, 2),
        ("ab " * 65, "too_many_terms", 192, 2),
        ("(" * 21, "too_deep", 20, 1),
        ("by:" * 333 + "a", "too_deep", 60, 1),
    ],
)
def test_faults_are_pointed_at(typed: str, code: str, at: int, length: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(typed)
    [fault] = raised.value.faults
    assert (fault.field, fault.code, fault.facts["at"], fault.facts["length"]) == ("q", code, at, length)


def test_an_unknown_field_is_answered_with_near_ones() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse("titel:x")
    assert raised.value.faults[0].facts["near"][0] == "title"


def test_leaves_know_where_they_were_typed() -> None:
    tree = parse("甲 title:乙 (-丙)")
    assert isinstance(tree, And)
    first, second, third = tree.parts
    assert (first.at, second.at, third.part.at) == (0, 8, 12)


pieces = st.sampled_from(
    [
        *'ab档案 ()（）"“”「」-－|*:：，。\n',
        " OR ",
        " AND ",
        " NOT ",
        " 或 ",
        "title:",
        "题名：",
        "date:",
        "2024",
        "..",
        "year:",
        "nofield:",
    ]
)


@given(typed=st.one_of(st.text(max_size=60), st.lists(pieces, max_size=25).map("".join)))
def test_anything_typed_is_read_or_refused_and_reads_back(typed: str) -> None:
    try:
        tree = parse(typed)
    except InvalidInput as refused:
        [fault] = refused.faults
        assert fault.facts["length"] >= 1
        assert 0 <= fault.facts["at"] <= len(typed)
        return
    assert bare(parse(to_text(tree))) == bare(tree)


words = st.builds(
    Words,
    st.text(alphabet="ab档案 -(|:*，OR", min_size=1, max_size=8).map(lambda text: f"x{text}".strip()),
    st.sampled_from([None, "title", "number", "level"]),
)
prefixes = st.builds(Prefix, st.sampled_from(["contr", "档", "x档案"]), st.sampled_from([None, "title"]))
ranges = st.sampled_from(
    [Range("date", "2024", None), Range("date", "2024-01", "2024-02"), Range("year", "2020", "2020")]
)


def _parts(kind: type[And | Or], of: st.SearchStrategy[Query], never: type[And | Or]) -> st.SearchStrategy[Query]:
    return st.lists(of.filter(lambda part: not isinstance(part, never)), min_size=2, max_size=3).map(
        lambda parts: kind(tuple(parts))
    )


trees = st.recursive(
    st.one_of(words, prefixes, ranges),
    lambda of: st.one_of(
        _parts(And, of, And), _parts(Or, of, Or), of.filter(lambda part: not isinstance(part, Negate)).map(Negate)
    ),
    max_leaves=12,
)


@given(tree=trees)
def test_a_printed_tree_reads_back_as_itself(tree: Query) -> None:
    assert bare(parse(to_text(tree))) == tree


def test_every_leaf_has_a_place_to_point_at() -> None:
    assert all("at" in {field.name for field in fields(leaf)} for leaf in (Words, Prefix, Range))


@pytest.mark.parametrize("minus", ["-", "－", "−", "﹣"])
def test_every_minus_at_the_start_of_a_word_means_without(minus: str) -> None:
    assert to_text(parse(f"电梯 {minus}作废")) == "电梯 NOT 作废"
    assert to_text(parse(f"{minus}title:合同 {minus}(a OR b)")) == "NOT title:合同 NOT (a OR b)"
    assert isinstance(parse(f"a{minus}b"), Words)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("合同 or 协议", ["or_in_capitals"]),
        ("电梯 (合同 or 协议)", ["or_in_capitals"]),
        ("甲 OR 合同 or 协议", ["or_in_capitals"]),
        ("合同 和 协议", ["blank_means_and"]),
        ("a and b or c", ["or_in_capitals", "blank_means_and"]),
        ("合同 OR 协议", []),
        ('合同 "or" 协议', []),
        ("or 合同", []),
        ("合同 title:or 协议", []),
        ("合同和协议", []),
        ("(合同 or", []),
    ],
)
def test_a_word_that_looks_like_an_operator_stays_a_word_and_is_hinted_at(text: str, told: list[str]) -> None:
    assert hints(text) == told
