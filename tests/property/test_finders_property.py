"""Whatever stands in a paper, the finders answer, and what they propose stands where they say."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from archive.cataloguing.proposals import FIELDS, TEXT
from archive.dates import date_in_name
from archive.personal import mask
from indexer.finders.paper import Paper, chosen
from indexer.finders.propose import propose
from indexer.pagetext import page
from tests.factories.papers import PAPERS

LINES = sorted({line for sample in PAPERS for text in sample.pages for line in text.split("\n")})
PIECES = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from([
        "关于", "的通知", "〔2024〕", "12号", "甲方：", "甲方（盖章）：", "编号：", "From: ", "Subject: ",
        "2024年3月5日", "2099-01-01",
                "民國", "一百年", "年", "月", "日", "#", "**", "\t", "\u3000", " ", "\n", "\n\n", "：", "（",
        "）", "文件", "公司", "表", "合同", "\ufffd",
        "11010519491231002X", "13812345678", "Ref: ", "No.", "[2024]第3号", "字第○號",
    ]),
    st.text(max_size=20),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join) | st.lists(PIECES, max_size=40).map("\n".join)
KINDS = st.sampled_from(["text/plain", "message/rfc822", "application/mbox", "application/vnd.ms-excel", ""])
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@given(texts=st.lists(TEXTS, max_size=5), kind=KINDS, today=DAYS, about=st.tuples(st.text(), st.text(), st.text()))
def test_finders_never_fail_and_name_the_place_of_what_they_find(
    texts: list[str], kind: str, today: date, about: tuple[str, str, str]
) -> None:
    pages = chosen([page(number, mask(text)[0]) for number, text in enumerate(texts, start=1)])
    found = propose(Paper(pages, today, "a.txt", kind, *about))
    assert [each.field for each in found] == sorted({each.field for each in found}, key=FIELDS.index)
    for each in found:
        assert each.value.strip() == each.value != ""
        if each.field == "drawn_up":
            assert date.fromisoformat(f"{each.value}-01"[:10]) <= today
        if each.source != TEXT:
            assert (each.page, each.start, each.end) == (None, None, None)
            continue
        (text,) = [page.text for page in pages if page.number == each.page]
        words = text[each.start : each.end]
        assert words.strip() == words != ""
        if each.field != "drawn_up":
            assert "".join(words.split()) == "".join(each.value.split())
            assert "*" not in each.value, "no blotted number is proposed"


@given(name=st.lists(PIECES, max_size=6).map("".join), today=DAYS)
def test_a_day_in_a_name_is_never_later_than_today(name: str, today: date) -> None:
    found = date_in_name(name, today)
    assert found is None or found.first <= today
