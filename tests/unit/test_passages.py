from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.fold import fold
from indexer.passages import find_passages, leaf_pattern, marks_in
from indexer.query.parser import parse
from indexer.query.tree import Prefix, Words
from tests.fakes.substring_truth import found_in_text


@dataclass
class Page:
    number: int
    text: str

    @property
    def folded(self) -> str:
        return fold(self.text)


def shown(query: str, *texts: str, most: int = 3) -> list[tuple[int, list[str]]]:
    pages = [Page(number, text) for number, text in enumerate(texts, start=1)]
    found = find_passages(parse(query), pages, most)
    return [(one.page, [one.text[start:end] for start, end in one.marks]) for one in found]


def test_hits_are_marked_as_written() -> None:
    assert shown("档案 abc", "本《檔案》由ＡＢＣ保存") == [(1, ["檔案", "ＡＢＣ"])]


def test_a_word_broken_by_a_line_is_found() -> None:
    assert shown("物业管理", "某物业\n管理公司") == [(1, ["物业\n管理"])]


def test_latin_words_are_found_whole_and_beginnings_by_star() -> None:
    assert shown("cat", "concatenate cats cat") == [(1, ["cat"])]
    assert shown("contr*", "The Contract") == [(1, ["Contr"])]


def test_one_character_is_found() -> None:
    assert shown("楼", "三号楼") == [(1, ["楼"])]


def test_what_must_not_be_there_is_not_marked() -> None:
    assert shown("合同 -作废", "合同作废") == [(1, ["合同"])]


def test_words_of_other_fields_are_not_marked() -> None:
    assert shown("title:合同 date:2024", "合同2024") == []
    assert shown("text:合同", "合同") == [(1, ["合同"])]


def test_a_phrase_does_not_run_across_a_full_stop() -> None:
    assert shown("完毕开始", "完毕。开始") == []
    assert shown('"完毕，开始"', "完毕。 开始") == [(1, ["完毕。 开始"])]


def test_pages_with_more_of_the_words_come_before_others() -> None:
    texts = ["合同" for _ in range(5)] + ["合同与协议"]
    assert shown("合同 协议", *texts, most=1) == [(6, ["合同", "协议"])]


def test_passages_stand_in_page_order_and_one_page_may_give_several() -> None:
    long = "甲" * 300
    assert shown("合同", f"合同{long}合同", "合同") == [(1, ["合同"]), (1, ["合同"]), (2, ["合同"])]


def test_reading_stops_when_enough_pages_hold_every_word() -> None:
    read = []

    def pages() -> Iterator[Page]:
        for number in range(1, 5001):
            read.append(number)
            yield Page(number, "合同")

    assert len(find_passages(parse("合同"), pages(), 3)) == 3
    assert len(read) == 3


def test_context_is_bounded_and_latin_words_are_not_torn() -> None:
    text = "前" * 100 + "contract " * 20 + "目标" + " following" * 20
    [passage] = find_passages(parse("目标"), [Page(1, text)])
    assert passage.text.startswith("contract ")
    assert passage.text.endswith("following")
    assert passage.cut_before
    assert passage.cut_after
    assert len(passage.text) < 120


def test_marks_in_a_title_and_in_a_number() -> None:
    assert marks_in(parse("物业 OR 合同"), "物業服務合同") == [(0, 2), (4, 6)]
    assert marks_in(parse("2011-y"), "WS·2011·Y·0001", field="number") == [(3, 9)]
    assert marks_in(parse("text:物业"), "物业") == []


def test_marks_cover_whole_characters_that_fold_into_several() -> None:
    assert marks_in(parse("株"), "㈱日立") == [(0, 1)]
    assert marks_in(parse("ガス"), "ｶﾞｽ代") == [(0, 3)]


@pytest.mark.parametrize("query", ["", "date:2024", "-合同"])
def test_queries_without_words_give_no_passages(query: str) -> None:
    assert shown(query, "合同2024") == []


mixed = st.text(alphabet="档案檔管理Aa3ｂ7，。-· \n《》ガ㈱", max_size=16)


@given(text=mixed, sought=mixed, prefix=st.booleans())
def test_passages_find_what_phrases_find(text: str, sought: str, prefix: bool) -> None:
    leaf = Prefix(sought) if prefix else Words(sought)
    assert bool(leaf_pattern(leaf).search(fold(text))) == found_in_text(sought, text, prefix=prefix)


@given(text=mixed, words=st.lists(mixed, min_size=1, max_size=3))
def test_marks_lie_inside_the_passage_in_order(text: str, words: list[str]) -> None:
    from indexer.query.tree import And

    for passage in find_passages(And(tuple(map(Words, words))), [Page(1, text)]):
        places = [place for mark in passage.marks for place in mark]
        assert places == sorted(places)
        assert all(0 <= place <= len(passage.text) for place in places)
        assert all(start < end for start, end in passage.marks)
