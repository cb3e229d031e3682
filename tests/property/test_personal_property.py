"""Whatever surrounds a personal number, it does not stay readable."""

from hypothesis import given
from hypothesis import strategies as st

from archive.personal import check_identity, find, mask

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@st.composite
def identities(draw: st.DrawFn) -> str:
    born = draw(st.dates()).replace(year=draw(st.integers(1900, 2025)), day=draw(st.integers(1, 28)))
    head = draw(st.sampled_from(["110101", "310115", "440305", "510104"]))
    body = f"{head}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, body, strict=True)) % 11]


phones = st.builds(lambda a, b: f"1{a}{b:09d}", st.integers(3, 9), st.integers(0, 999_999_999))
words = st.text(st.characters(exclude_categories=("Nd", "Cs")), max_size=20).map(lambda text: f"号{text}：")


@given(words, st.one_of(identities(), phones), words)
def test_a_number_between_words_is_found_and_blotted_out(before: str, number: str, after: str) -> None:
    text = f"{before}{number}。{after}"
    masked, numbers = mask(text)
    assert number in [normal for _, normal in numbers]
    assert number not in masked
    assert len(masked) == len(text)
    assert mask(masked)[1] == []


@given(st.text(st.sampled_from("0123456789 -\n０１X年.86"), max_size=80))
def test_hits_are_in_order_apart_and_masking_touches_nothing_else(text: str) -> None:
    end = 0
    masked, _ = mask(text)
    for found in find(text):
        assert found.start >= end
        assert masked[end : found.start] == text[end : found.start]
        end = found.end
    assert masked[end:] == text[end:]


@given(identities(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(number: str, place: int, step: int) -> None:
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    try:
        check_identity(wrong)
    except ValueError:
        return
    raise AssertionError(wrong)
