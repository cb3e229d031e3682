"""Whether a page is a scan: a readable text never is for its signs, and signs that stand for nothing always are."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from indexer.extract.scans import is_gibberish, is_scan

COMMON = "关于物业服务合同的通知本公司各部门请于月底前办理登记手续業主大會檔案資料應依規定歸檔保管維修資金使用情況公告"
readable = st.text(st.sampled_from(COMMON + "abcdefgh 0123456789，。\n"), min_size=1, max_size=400)
unknown = st.text(st.characters(categories=["Co", "Cn"]) | st.sampled_from("\ufffd\x01"), min_size=1, max_size=400)
rare = st.text(st.characters(min_codepoint=0x20000, max_codepoint=0x2A6DF), min_size=20, max_size=400)
shares = st.floats(0, 1)


@given(readable)
def test_a_readable_text_is_never_gibberish(text: str) -> None:
    assert not is_gibberish(text)


@given(unknown)
def test_signs_that_stand_for_nothing_are_gibberish(text: str) -> None:
    assert is_gibberish(text)


@given(rare)
def test_rare_letters_alone_are_gibberish(text: str) -> None:
    assert is_gibberish(text)


@given(st.integers())
def test_chinese_letters_at_random_are_gibberish(seed: int) -> None:
    dice = Random(seed)
    letters = [chr(dice.randrange(0x4E00, 0x9FA6)) for _ in range(300)]
    assert is_gibberish("".join(letters))


@given(readable, unknown)
def test_a_few_unknown_signs_do_no_harm(text: str, signs: str) -> None:
    letters = sum(not letter.isspace() for letter in text)
    assert not is_gibberish(text + signs[: letters // 2])


@given(st.text(max_size=400), shares)
def test_what_a_larger_picture_covers_is_no_less_a_scan(text: str, covered: float) -> None:
    assert is_scan(text, covered=1.0) or not is_scan(text, covered=covered)


@given(st.text(max_size=400))
def test_without_a_picture_and_with_a_sound_text_layer_nothing_is_a_scan(text: str) -> None:
    assert not is_scan(text, covered=0.0)
    assert is_scan("", covered=0.0, gibberish=True)


@given(shares)
def test_a_page_without_words_is_a_scan_if_it_has_a_picture(covered: float) -> None:
    assert is_scan(" \n", covered=covered) is (covered > 0)


@given(st.text(st.sampled_from(COMMON), min_size=40, max_size=400), shares)
def test_a_page_of_words_is_no_scan_for_its_pictures(text: str, covered: float) -> None:
    assert not is_scan(text, covered=covered)
