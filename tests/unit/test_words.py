import pytest

from indexer.fields import FIELDS, find_field, near_fields
from indexer.terms import cut_texts
from indexer.words import GAP, LONGEST, cut, cut_code, cut_number, number_terms, query_terms


def test_a_mixed_text_is_cut_at_consecutive_positions() -> None:
    assert cut("A座3层楼。完") == ["a", "座", "3", "层楼", "楼", GAP, "完"]


def test_white_space_beside_han_means_nothing() -> None:
    assert cut("张 三\n丰") == cut("张三丰") == ["张三", "三丰", "丰"]


def test_between_latin_words_any_border_is_the_same() -> None:
    assert cut("e-mail GB/T_39784—2021") == ["e", "mail", "gb", "t", "39784", "2021"]


def test_punctuation_at_the_ends_leaves_nothing() -> None:
    assert cut("《档案法》") == ["档案", "案法", "法"]
    assert cut("，。 —") == []


def test_kana_hangul_and_rare_characters_are_cut_like_han() -> None:
    assert cut("カナ한글𠮷") == ["カナ", "ナ한", "한글", "글吉", "吉"]
    assert cut("\U00020001\ue000") == ["\U00020001\ue000", "\ue000"]


def test_values_are_kept_apart() -> None:
    assert list(cut_texts("title", ["甲乙", "", "a"])) == ["甲乙 乙", "a"]
    assert list(cut_texts("number", ["A1", "B"])) == ["a1 1", "b"]


def test_very_long_words_become_several_tokens() -> None:
    assert [len(token) for token in cut("x" * (LONGEST * 2 + 3))] == [LONGEST, LONGEST, 3]


@pytest.mark.parametrize(
    ("sought", "terms", "is_open"),
    [
        ("档案", ("档案",), False),
        ("档", ("档",), True),
        ("3层", ("3", "层"), True),
        ("楼3层", ("楼", "3", "层"), True),
        ("甲，乙丙", ("甲", GAP, "乙丙"), False),
        ("GB/T", ("gb", "t"), False),
        ("。", (), False),
    ],
)
def test_what_an_engine_is_asked_for(sought: str, terms: tuple[str, ...], is_open: bool) -> None:
    assert query_terms(sought) == (terms, is_open)


def test_a_beginning_opens_only_latin_words() -> None:
    assert query_terms("contr", prefix=True) == (("contr",), True)
    assert query_terms("档案", prefix=True) == (("档案",), False)


def test_numbers_are_cut_by_characters() -> None:
    assert cut_number("WS·20") == ["ws", "s-", "-2", "20", "0"]
    assert number_terms("s—2") == (("s-", "-2"), False)
    assert number_terms("2") == (("2",), True)
    assert number_terms("-") == ((), False)


def test_codes_meet_whole() -> None:
    assert cut_code(" 機 密Ａ") == "机密a"


def test_fields_answer_to_their_names_in_any_form() -> None:
    names = ("题名", "題名", "TITLE", "Ｔｉｔｌｅ")
    assert {field.name for name in names if (field := find_field(name))} == {"title"}
    assert find_field("nothing") is None
    assert near_fields("tilte")[0] == "title"
    aliases = [name for field in FIELDS for name in (field.name, *field.names)]
    assert len(aliases) == len(set(aliases))
