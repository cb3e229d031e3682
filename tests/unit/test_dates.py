"""What people type as a date is read; what names no day is refused by its part."""

from datetime import date

import pytest

from archive.dates import BadDate, date_in_name, parse_civil


@pytest.mark.parametrize(
    "typed",
    [
        "2024-3-5",
        "2024-03-05",
        "20240305",
        "2024/3/5",
        "2024.3.5",
        "2024年3月5日",
        "2024年3月5号",
        " 2024 年 3 月 5 日 ",
        "二〇二四年三月五日",
        "二零二四年三月五日",
        "二O二四年三月五日",
        "民國113年3月5日",
        "民国一百一十三年三月五日",
        "中華民國113年3月5日",
        "民國113/3/5",
        "113/3/5",
        "1130305",
        "２０２４年３月５日",
        "２０２４-３-５",
        "西元2024年3月5日",
    ],
)
def test_the_same_day_in_every_form_people_type(typed: str) -> None:
    found = parse_civil(typed)
    assert (found.text, found.first, found.last) == ("2024-03-05", date(2024, 3, 5), date(2024, 3, 5))


@pytest.mark.parametrize(
    ("typed", "text", "first", "last"),
    [
        ("2024", "2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024年", "2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("二〇二四年", "2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024年2月", "2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-02", "2023-02", date(2023, 2, 1), date(2023, 2, 28)),
        ("202402", "2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("民國元年", "1912", date(1912, 1, 1), date(1912, 12, 31)),
        ("二〇一〇年十二月二十日", "2010-12-20", date(2010, 12, 20), date(2010, 12, 20)),
        ("二〇二四年三月三十一日", "2024-03-31", date(2024, 3, 31), date(2024, 3, 31)),
        ("二〇二四年五月廿一日", "2024-05-21", date(2024, 5, 21), date(2024, 5, 21)),
        ("1998年10月", "1998-10", date(1998, 10, 1), date(1998, 10, 31)),
    ],
)
def test_a_date_is_kept_as_far_as_it_is_known(typed: str, text: str, first: date, last: date) -> None:
    found = parse_civil(typed)
    assert (found.text, found.first, found.last) == (text, first, last)


@pytest.mark.parametrize("typed", ["2024-02-31", "20240231", "2024年2月31日", "二〇二四年二月三十一日", "113/2/31"])
def test_31_february_is_refused_by_name(typed: str) -> None:
    with pytest.raises(BadDate) as refused:
        parse_civil(typed)
    fault = refused.value.fault("drawn_up")
    assert (fault.field, fault.code, fault.facts["part"]) == ("drawn_up", "bad_date", "day")
    assert (fault.facts["month"], fault.facts["day"], fault.facts["last_day"]) == (2, 31, 29)


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("", "form"),
        ("yesterday", "form"),
        ("2024-13-01", "month"),
        ("2024-00-01", "month"),
        ("2024-3-0", "day"),
        ("24-3-5", "year"),
        ("240305", "year"),
        ("民國0年", "year"),
        ("2024-3/5", "form"),
        ("2024年十百月", "month"),
        ("9" * 5000, "form"),
        ("2024-03-05 10:00", "form"),
        ("3月5日", "form"),
    ],
)
def test_what_names_no_day_is_refused_by_its_part(typed: str, part: str) -> None:
    with pytest.raises(BadDate) as refused:
        parse_civil(typed)
    assert refused.value.part == part
    assert len(refused.value.fault("drawn_up").facts["text"]) <= 40


def test_a_date_is_shown_in_the_readers_language() -> None:
    day, month = parse_civil("2024-3-5"), parse_civil("2024-3")
    assert day.display("zh_CN") == "2024年3月5日"
    assert day.display("zh_TW", republic=True) == "民國113年3月5日"
    assert day.display("en") == "5 March 2024"
    assert month.display("en") == "March 2024"
    assert parse_civil("2024").display("zh_TW") == "2024年"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2019-05-06 会议纪要.txt", "2019-05-06"),
        ("2019年5月6日关于停水的通知.pdf", "2019-05-06"),
        ("会议纪要20190506.docx", "2019-05-06"),
        ("微信图片_20190506123000.jpg", "2019-05-06"),
        ("IMG_20190506_123000.jpg", "2019-05-06"),
        ("纪要（2019.5.6）.txt", "2019-05-06"),
        ("纪要_2019_05_06_定稿.txt", "2019-05-06"),
        ("２０１９０５０６纪要.txt", "2019-05-06"),
        ("二〇一九年五月六日纪要.txt", "2019-05-06"),
        ("民國108年5月6日紀要.txt", "2019-05-06"),
        ("20199999-20190506.txt", "2019-05-06"),
        ("2019-05 月报.txt", None),
        ("2019年5月月报.txt", None),
        ("2019-02-31 纪要.txt", None),
        ("合同 120190506.txt", None),
        ("电话13820190506.txt", None),
        ("10500101.txt", None),
        ("2024-01-01 通知.txt", "2024-01-01"),
        ("2024-01-02 计划.txt", None),
        ("20991231-20190506.txt", "2019-05-06"),
        ("纪要.txt", None),
    ],
)
def test_a_whole_day_in_a_files_name_is_read(name: str, day: str | None) -> None:
    found = date_in_name(name, date(2024, 1, 1))
    assert (found and found.text) == day
