"""The date proposed for a document is the one a clerk would write down."""

import pytest

from indexer.extract.dates import propose_date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("关于物业费的通知\n各业主：\n……\n某物业公司\n2024年3月5日", "2024-03-05"),
        ("某某管理处\n二〇二四年三月五日", "2024-03-05"),
        ("二○一九年十二月三十一日", "2019-12-31"),
        ("民國一百一十三年十二月三十一日", "2024-12-31"),
        ("中华民国38年10月1日", "1949-10-01"),
        ("２０２４年３月５日", "2024-03-05"),
        ("2024 年 3 月 5 日", "2024-03-05"),
        ("签订日期：2024-03-05", "2024-03-05"),
        ("Date: 2024/3/5", "2024-03-05"),
        ("(2021年4月16日北京市人大常委会通过 2022年1月1日起施行)", "2021-04-16"),
        ("一九九九年十二月", "1999-12"),
    ],
)
def test_a_date_in_words_or_figures_is_found(text: str, date: str) -> None:
    assert propose_date(text) == date


@pytest.mark.parametrize(
    "text", ["", "没有日期", "2024年2月31日", "2024/13/01", "0024年1月1日", "编号2024-03-055", "第12年3月"]
)
def test_what_is_no_date_is_not_proposed(text: str) -> None:
    assert propose_date(text) is None


def test_the_date_of_signing_goes_before_dates_in_the_text() -> None:
    text = "根据2019年1月2日签订的合同\n" + "条款\n" * 50 + "甲方：\n2024年3月5日\n"
    assert propose_date(text) == "2024-03-05"


def test_the_text_goes_before_the_metadata() -> None:
    assert propose_date("2024年3月5日", {"created": "D:20200101120000+08'00'"}) == "2024-03-05"
    assert propose_date("无日期", {"created": "D:20200101120000+08'00'"}) == "2020-01-01"
    assert propose_date("无日期", {"created": "yesterday"}) is None
