"""Names, addresses and ranges that come from outside."""

import pytest
from werkzeug.datastructures import Range

from web.reading.files import asked_range, attachment
from web.reading.viewer import split_marks
from web.security import local_path
from web.words.records import masked


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:x", "/a\r\nb", "", None],
)
def test_a_sign_in_never_leads_elsewhere(target: str | None) -> None:
    assert local_path(target) == "/"


def test_a_sign_in_goes_on_to_the_page_asked_for() -> None:
    assert local_path("/search?q=%E5%90%88%E5%90%8C") == "/search?q=%E5%90%88%E5%90%8C"


def test_a_download_keeps_its_name_and_nothing_else() -> None:
    assert attachment("合同 1.pdf") == (
        "attachment; filename=\"__ 1.pdf\"; filename*=UTF-8''%E5%90%88%E5%90%8C%201.pdf"
    )
    hostile = attachment('a"; evil="x\r\nSet-Cookie: a=b/../..')
    assert "\r" not in hostile
    assert "\n" not in hostile
    assert hostile.count('"') == 2
    assert "/" not in hostile
    assert 'filename="file"' in attachment("...")


def test_one_range_is_taken_and_what_lies_outside_is_not() -> None:
    assert asked_range(Range("bytes", [(0, 5)]), 10) == (0, 5)
    assert asked_range(Range("bytes", [(-3, None)]), 10) == (7, 10)
    assert asked_range(Range("bytes", [(20, 30)]), 10) is None
    assert asked_range(Range("bytes", [(0, 1), (3, 4)]), 10) is None
    assert asked_range(None, 10) is None


def test_a_text_is_cut_at_its_marks() -> None:
    assert split_marks("物业合同书", [(2, 4)]) == [("物业", False), ("合同", True), ("书", False)]
    assert split_marks("", []) == []


def test_personal_numbers_are_masked_on_screen() -> None:
    assert masked("13812345678") == "138****5678"
    assert "9701" not in masked("1101051949123100")
