"""A long text is read by one fork, answer by answer, and gives the same pages as slice by slice."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from indexer import kinds
from indexer.extract import paging
from indexer.extract.answer import MAX_ANSWER_CHARS, MAX_PAGE_CHARS, Extracted, Failure, Reason
from indexer.sandbox.client import Extractor
from indexer.sandbox.wire import MAX_ANSWER_BYTES, pack_answer, whole_answers

PAGE = "物业档案应当妥善保管。\n" * 250


def pages(count: int) -> list[str]:
    """Return pages that differ, and together are more than one answer holds."""
    return [f"第{number}页\n{PAGE}" for number in range(1, count + 1)]


@pytest.mark.parametrize("at_hand", [paging.MOST_AT_HAND, 1_000_000, 0])
def test_answers_that_follow_are_the_pages_that_come_next(monkeypatch: pytest.MonkeyPatch, at_hand: int) -> None:
    monkeypatch.setattr(paging, "MOST_AT_HAND", at_hand)
    whole = pages(3_000)
    found = paging.paged(whole, 5, None, title="t")
    read = [page for answer in (found, *paging.following(found)) for page in answer.pages]
    assert read == [page.strip() for page in whole[4 : 4 + len(read)]]
    assert len(read) == 2_996 if at_hand > 20_000_000 else len(read) < 2_000
    for answer in paging.following(found):
        assert (answer.page_count, sum(map(len, answer.pages)) < MAX_ANSWER_CHARS + 10_000) == (3_000, True)


@pytest.mark.parametrize(("longer", "cut"), [(0, False), (1, True)])
def test_a_page_that_is_cut_is_told(longer: int, cut: bool) -> None:
    whole = ["短", "长" * (MAX_PAGE_CHARS + longer)]
    found = paging.paged(whole, 1, None)
    assert (found.cut, len(found.pages[1])) == (cut, MAX_PAGE_CHARS)
    assert not paging.paged(whole, 1, 1).cut


def test_who_asks_for_some_pages_gets_no_more() -> None:
    assert paging.paged(pages(300), 1, 200).rest == ()


def test_a_fork_goes_on_and_its_pages_are_the_same() -> None:
    data = "\f".join(pages(2_000)).encode()
    with Extractor() as extractor, closing(extractor.hold([data], len(data))) as file:
        answers = list(extractor.series(kinds.PLAIN, file, 201))
        asked = extractor.extract_held(kinds.PLAIN, file, answers[1].first_page, answers[1].first_page + 9)
    assert len(answers) > 1
    assert [answer.first_page for answer in answers[1:]] == [answer.next_page for answer in answers[:-1]]
    assert (answers[0].first_page, answers[-1].next_page) == (201, 2_001)
    assert isinstance(asked, Extracted)
    assert asked.pages == answers[1].pages[:10]


def test_a_fork_that_is_left_gives_its_place_back() -> None:
    data = "\f".join(pages(2_000)).encode()
    with Extractor() as extractor, closing(extractor.hold([data], len(data))) as file:
        for _ in range(3):  # there are two places
            series = extractor.series(kinds.PLAIN, file, 1)
            next(series)
            series.close()  # type: ignore[attr-defined]
        assert isinstance(extractor.extract_held(kinds.PLAIN, file, 1, 1), Extracted)


def test_what_cannot_be_read_has_no_series() -> None:
    with Extractor() as extractor, closing(extractor.hold([b"\x00"], 1)) as file:
        assert list(extractor.series(kinds.DOCX, file, 1)) == []


def torn(data: bytes, size: int) -> Iterator[bytes]:
    """Return bytes as a pipe gives them, with an end."""
    yield from (data[at : at + size] for at in range(0, len(data), size))
    yield b""


@pytest.mark.parametrize("size", [1, 3, 50, 10_000])
def test_answers_are_parted_wherever_the_pipe_tears_them(size: int) -> None:
    packed = [pack_answer(Extracted((f"第{number}页",), number, 9)) for number in range(1, 4)]
    arriving = torn(b"".join(packed), size)
    assert list(whole_answers(lambda: next(arriving))) == packed


def test_what_breaks_off_or_is_too_long_ends_the_answers() -> None:
    whole = pack_answer(Failure(Reason.EMPTY))
    for after in (whole[:-1], (MAX_ANSWER_BYTES + 1).to_bytes(4, "big") + b"x" * 100 + whole):
        arriving = torn(whole + after, 64)
        assert list(whole_answers(lambda: next(arriving))) == [whole]  # noqa: B023  (asked at once)
