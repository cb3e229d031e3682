"""The date proposed for a document is the one a clerk would write down, with its place."""

from datetime import date

import pytest

from archive.cataloguing.proposals import Finding
from indexer.finders.dates import find_date, signing
from indexer.finders.paper import Paper
from indexer.pagetext import page

TODAY = date(2024, 12, 31)


def dated(paper: Paper) -> Finding | None:
    return find_date(paper, signing(paper))


def proposed(text: str, created: str = "") -> str | None:
    found = dated(Paper([page(1, text)], TODAY, created=created))
    return found.value if found else None


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
    assert proposed(text) == date


@pytest.mark.parametrize(
    "text", ["", "没有日期", "2024年2月31日", "2024/13/01", "0024年1月1日", "编号2024-03-055", "第12年3月"]
)
def test_what_is_no_date_is_not_proposed(text: str) -> None:
    assert proposed(text) is None


def test_the_date_of_signing_goes_before_dates_in_the_text() -> None:
    text = "根据2019年1月2日签订的合同\n" + "条款\n" * 50 + "甲方：\n2024年3月5日\n"
    assert proposed(text) == "2024-03-05"


def test_the_text_goes_before_the_metadata() -> None:
    assert proposed("2024年3月5日", "D:20200101120000+08'00'") == "2024-03-05"
    assert proposed("无日期", "D:20200101120000+08'00'") == "2020-01-01"
    assert proposed("无日期", "yesterday") is None


@pytest.mark.parametrize(
    ("text", "words", "rule"),
    [
        ("各业主：\n特此通知\n某物业公司\n2024年3月5日", "2024年3月5日", "date_signed"),
        ("某物业公司\n二〇二四年 三月五日 \n", "二〇二四年 三月五日", "date_signed"),
        ("会议于2024年3月5日在一楼召开，由王某主持", "2024年3月5日", "date_first"),
        ("时间：  民國113年3月5日 下午三時在一樓會議室召開", "民國113年3月5日", "date_first"),
    ],
)
def test_a_date_says_where_it_was_read(text: str, words: str, rule: str) -> None:
    found = dated(Paper([page(1, "第一页没有日期"), page(7, text)], TODAY))
    assert found is not None
    assert (found.value, found.page, text[found.start : found.end], found.rule) == (
        "2024-03-05", 7, words, rule if rule == "date_signed" else "date_last",
    )  # fmt: skip


def test_no_date_lies_in_the_future() -> None:
    assert proposed("2024年12月31日") == "2024-12-31"
    assert proposed("2025年1月1日") is None
    assert proposed("有效期至2099年12月31日，于2020年1月1日订立") == "2020-01-01"
    assert proposed("无日期", "D:20250101120000") is None


def test_the_day_of_printing_is_no_day_of_signing() -> None:
    text = "各部门：\n照此执行。\n办公室\n2024年3月5日\n抄送：工程部\n2024年3月8日印发"
    assert proposed(text) == "2024-03-05"


def test_the_text_of_rules_is_of_the_day_of_its_last_amendment() -> None:
    text = "# 某某条例\n1998年2月22日 某某部批准\n1999年6月12日 某某部修订\n2000年1月1日 施行\n\n"
    text += "第一条 根据2001年2月3日通过的办法制定。"
    assert proposed(text) == "1999-06-12"


def test_the_date_of_signing_is_found_before_an_annex() -> None:
    annex = "附件\n检查项目表\n" + "序号 项目 要求\n" * 40
    text = f"关于检查的通知\n各部门：\n2020年1月2日来函收悉。\n某物业公司\n2024年3月5日\n{annex}"
    assert proposed(text) == "2024-03-05"
    assert proposed("里程碑\n2020年1月2日启动\n" + "2024年3月5日\n报送材料\n" + "各项要求如下\n" * 40) == "2020-01-02"
