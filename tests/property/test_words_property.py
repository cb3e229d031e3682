"""Cut words, put at positions, find exactly what plain substrings find."""

from hypothesis import example, given
from hypothesis import strategies as st

from indexer.fold import fold, fold_number, fold_with_map
from indexer.terms import cut_texts
from indexer.words import Phrase, cut, cut_both, cut_exact, cut_number, number_terms, query_terms
from tests.fakes.substring_truth import found_in_text

mixed = st.text(alphabet="档案檔管理物业Aa3ｂ7，。-·/ \n《》가カ〇𠮷", max_size=24)
anything = st.text(max_size=40)


def found_by_tokens(tokens: list[str], phrase: Phrase) -> bool:
    """A phrase query, as an engine with positions answers it."""
    wanted = phrase.terms
    for start in range(len(tokens) - len(wanted) + 1) if wanted else ():
        *exact, last = tokens[start : start + len(wanted)]
        if tuple(exact) == wanted[:-1] and (last.startswith(wanted[-1]) if phrase.open else last == wanted[-1]):
            return True
    return False


@given(text=mixed, sought=mixed, prefix=st.booleans())
def test_phrase_over_tokens_is_a_substring(text: str, sought: str, prefix: bool) -> None:
    assert found_by_tokens(cut(text), query_terms(sought, prefix=prefix)) == found_in_text(sought, text, prefix=prefix)


@given(text=mixed, ends=st.tuples(st.integers(0, 24), st.integers(1, 5)))
def test_every_part_of_a_text_is_judged_alike(text: str, ends: tuple[int, int]) -> None:
    sought = text[ends[0] : ends[0] + ends[1]]
    assert found_by_tokens(cut(text), query_terms(sought)) == found_in_text(sought, text)


@given(text=st.text(alphabet="档案a3， ", max_size=12), ends=st.tuples(st.integers(0, 9), st.integers(2, 5)))
def test_a_part_without_its_punctuation_is_judged_alike(text: str, ends: tuple[int, int]) -> None:
    sought = text[ends[0] : ends[0] + ends[1]].replace("，", "")
    assert found_by_tokens(cut(text), query_terms(sought)) == found_in_text(sought, text)


@given(text=anything, other=anything)
def test_any_characters_are_cut_alike(text: str, other: str) -> None:
    for sought in (other, text[1:4]):
        assert found_by_tokens(cut(text), query_terms(sought)) == found_in_text(sought, text)
    assert not any(character.isspace() for token in cut(text) for character in token)


@given(values=st.lists(mixed, max_size=3), sought=mixed)
def test_several_values_never_join_into_a_phrase(values: list[str], sought: str) -> None:
    alone = any(found_in_text(sought, value) for value in values)
    found = (found_by_tokens(tokens.split(" "), query_terms(sought)) for tokens in cut_texts("text", values))
    assert any(found) == alone


@given(number=mixed, sought=mixed)
def test_any_part_of_a_number_is_found(number: str, sought: str) -> None:
    part = fold_number(sought)
    assert found_by_tokens(cut_number(number), number_terms(sought)) == (bool(part) and part in fold_number(number))


@given(text=st.one_of(anything, mixed, st.text(alphabet="〔2011〕A-–／·3号eか㈱檔\u0301\u3099\u0338", max_size=12)))
@example("e\u0301")
@example("か\u3099/3")
def test_what_folds_the_same_is_the_same_number(text: str) -> None:
    assert fold_number(text) == fold_number(fold(text))


@given(text=anything)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(text=st.one_of(anything, st.text(alphabet="ｶﾞㄱㅏé́가각İǰ㈱Ⅳ檔ﬁ\u200b葛\U000e0100a", max_size=12)))
def test_every_folded_character_knows_where_it_came_from(text: str) -> None:
    folded, offsets = fold_with_map(text)
    assert folded == fold(text)
    assert len(offsets) == len(folded) + 1
    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets[:-1])
    assert offsets[-1] == len(text)


@given(text=st.one_of(mixed, anything))
def test_a_text_cut_both_ways_at_once_is_cut_as_each_way_alone(text: str) -> None:
    assert cut_both(text) == (cut(text), cut_exact(text))
