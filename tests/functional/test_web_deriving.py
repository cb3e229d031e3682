"""Texts derived from many records by one review: a title of each, typed or from a spreadsheet, and how far they are."""

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from archive.approving.engine import Approvals
from archive.log.writer import Log
from archive.model import (
    Approval,
    LogEntry,
    Record,
    RecordRelation,
    RecordState,
    RelationKind,
    SecrecyReview,
    SecrecyReviewItem,
)
from retention.secrecy.deriving import kept_titles
from tests.factories.web_house import WebHouse, token_of
from tests.functional.test_web_secrecy import a_secrecy_house, asked, decided, filed, level, post

FORM = "/secrecy/reviews/new"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_secrecy_house(tmp_path) as made:
        yield made


def form(*keys: UUID, **more: str) -> dict[str, str]:
    records = ",".join(map(str, keys))
    return {"verdict": "derive", "level": "2", "years": "3", "reason": "届满", "records": records, **more}


def titles(**by_key: str) -> dict[str, str]:
    return {f"title-{key}": title for key, title in by_key.items()}


def number(house: WebHouse, key: UUID) -> str:
    with house.services.db.reading() as session:
        return str(session.get_one(Record, key).archive_number)


def derived(house: WebHouse) -> dict[UUID, Record]:
    with house.services.db.reading() as session:
        query = select(RecordRelation.other_id, Record).join(Record, Record.id == RecordRelation.record_id)
        return dict(session.execute(query.where(RecordRelation.kind == RelationKind.DERIVED_FROM)).all())


def test_a_title_of_each_is_asked_for_decided_on_together_and_the_texts_are_followed(house: WebHouse) -> None:
    keys = [filed(house, title, 3) for title in ("投标底价甲", "投标底价乙", "投标底价丙")]
    status, page = post(house, "secrecy", FORM, **form(*keys))
    assert status == 200
    assert all(f'name="title-{key}"' in page for key in keys)
    said = {str(key): f"投标工作情况之{at}" for at, key in enumerate(keys, 1)}
    review = asked(house, *keys, verdict="derive", titled="1", level="2", years="3", **titles(**said))
    assert derived(house) == {}, "nothing is done before another person decides"
    waits = house.browser("approver").get(f"/secrecy/reviews/{review}").text
    assert all(title in waits for title in said.values()), "who decides sees each title"
    assert decided(house, review) == 200
    found = derived(house)
    assert {str(key): row.title for key, row in found.items()} == said
    assert {(row.level_rank, row.state) for row in found.values()} == {(2, RecordState.PROVISIONAL)}
    assert {level(house, key) for key in keys} == {3}
    page = house.browser("archivist").get(f"/secrecy/reviews/{review}").text
    assert "已归档 0 / 3" in page
    first, *_others = sorted(row.id for row in found.values())
    assert f'<a href="/records/{first}">下一份待写</a>' in page
    with house.services.db.writing() as work:
        work.session.get_one(Record, first).state = RecordState.FILED
        work.commit()
    page = house.browser("archivist").get(f"/secrecy/reviews/{review}").text
    assert "已归档 1 / 3" in page
    assert f'<a href="/records/{first}">下一份待写</a>' not in page


def test_titles_come_from_a_pasted_sheet_which_was_downloaded_before(house: WebHouse) -> None:
    one, two, other = (filed(house, title, 3) for title in ("投标底价甲", "投标底价乙", "投标底价丙"))
    browser = house.browser("secrecy")
    data = {"csrf_token": token_of(browser), **form(one, two, titled="1"), **titles(**{str(one): "甲之情况"})}
    sheet = browser.post("/secrecy/derived/titles.xlsx", data=data)
    [head, *rows] = CalamineWorkbook.from_filelike(BytesIO(sheet.data)).get_sheet_by_index(0).to_python()
    assert (head[0], head[3]) == ("编号", "派生文本的题名")
    assert [row[1::2] for row in rows] == [["投标底价甲", "甲之情况"], ["投标底价乙", ""]]
    pasted = "\n".join(
        "\t".join(row)
        for row in (
            [number(house, one), "投标底价甲", "机密", "新的甲"],
            [number(house, two).lower(), "投标底价乙", "机密", ""],
            [number(house, other), "投标底价丙", "机密", "别处的"],
        )
    )
    kept = titles(**{str(one): "旧的甲", str(two): "打好的乙"})
    status, page = post(house, "secrecy", FORM, **form(one, two, titled="1", fill="1", sheet=pasted), **kept)
    assert status == 200
    assert ('value="新的甲"' in page, 'value="打好的乙"' in page) == (True, True), "an empty cell takes nothing away"
    assert f"不在本清单中的档号：{number(house, other)}" in page
    with house.services.db.reading() as session:
        assert session.scalars(select(SecrecyReview)).all() == [], "filling in asks for nothing"


def test_a_title_that_lacks_or_is_too_long_is_named_by_its_number_and_what_was_typed_stays(house: WebHouse) -> None:
    one, two, three = (filed(house, title, 3) for title in ("投标底价甲", "投标底价乙", "投标底价丙"))
    typed = titles(**{str(one): "甲之情况", str(two): " ", str(three): "长" * 501})
    status, page = post(house, "secrecy", FORM, **form(one, two, three, titled="1"), **typed)
    assert status == 422
    assert f"有 1 件没有题名：{number(house, two)}" in page
    assert f"超过 500 字：{number(house, three)}" in page
    assert 'value="甲之情况"' in page
    status, page = post(house, "secrecy", FORM, **form(one, two, titled="1", level="3"), **typed)
    assert (status, 'value="甲之情况"' in page) == (422, True)


def test_what_is_under_review_is_left_out_and_told_and_who_reviews_nothing_gets_nowhere(house: WebHouse) -> None:
    one, two, three = (filed(house, title, 3) for title in ("投标底价甲", "投标底价乙", "投标底价丙"))
    asked(house, one, verdict="lower", level="2")
    status, page = post(house, "secrecy", FORM, **form(one, two, three))
    assert status == 200
    assert "已在审核中而略去：1 件" in page
    assert (f"title-{one}" in page, f"title-{two}" in page) == (False, True)
    more: dict[str, Any] = form(two, three)
    for login in ("archivist", "staff"):
        assert post(house, login, FORM, **more)[0] == 403
        assert post(house, login, "/secrecy/derived/titles.xlsx", **more)[0] == 403


def test_texts_that_are_filed_are_counted_for_all_and_what_is_in_the_bin_is_not(house: WebHouse) -> None:
    keys = [filed(house, title, 3) for title in ("投标底价甲", "投标底价乙", "投标底价丙")]
    said = {str(key): f"投标工作情况之{at}" for at, key in enumerate(keys, 1)}
    review = asked(house, *keys, verdict="derive", titled="1", level="2", years="3", **titles(**said))
    assert "派生文本已归档" not in house.browser("approver").get(f"/secrecy/reviews/{review}").text
    assert decided(house, review) == 200
    found = derived(house)
    for key, state in ((keys[0], RecordState.FILED), (keys[1], RecordState.BINNED)):
        with house.services.db.writing() as work:
            row = work.session.get_one(Record, found[key].id)
            row.state = state
            row.filed_at = house.clock.now() if state is RecordState.FILED else None
            work.commit()
    for login in ("archivist", "secrecy", "approver"):
        assert "派生文本已归档 1 / 3" in house.browser(login).get(f"/secrecy/reviews/{review}").text, login
    page = house.browser("archivist").get(f"/secrecy/reviews/{review}").text
    assert re.findall(r'<span class="state">([^<]+)</span></td>', page) == ["已归档", "在回收站", "待写"]


def test_rows_that_lack_the_last_column_fill_in_nothing_that_is_secret(house: WebHouse) -> None:
    keys = [filed(house, title, 3) for title in ("投标底价甲", "投标底价乙", "投标底价丙")]
    one, two, three = (number(house, key) for key in keys)
    rows = ([one, "投标底价甲", "机密"], [two, "投标底价乙"], [three, "丙之情况"])
    pasted = "\n".join("\t".join(row) for row in rows)
    status, page = post(house, "secrecy", FORM, **form(*keys, titled="1", fill="1", sheet=pasted))
    assert status == 200
    assert re.findall(r'name="title-[^"]*"[^>]*value="([^"]*)"', page) == ["", "", "丙之情况"]


def test_no_derived_text_is_called_as_its_original_is(house: WebHouse) -> None:
    one, two = (filed(house, title, 3) for title in ("投标底价甲", "投标底价乙"))
    typed = titles(**{str(one): "甲之情况", str(two): "投标 底价乙"})
    status, page = post(house, "secrecy", FORM, **form(one, two, titled="1"), **typed)
    assert (status, f"读者不得看到原件题名：{number(house, two)}" in page) == (422, True)
    status, page = post(house, "secrecy", FORM, **form(one, title="投标底价甲"))
    assert (status, "与原件题名相同" in page) == (422, True)


def test_a_record_at_fault_is_named_and_can_be_left_out_with_what_was_typed_kept(house: WebHouse) -> None:
    one, two, opened = filed(house, "投标底价甲", 3), filed(house, "投标底价乙", 3), filed(house, "公开件", 1)
    typed = titles(**{str(one): "甲之情况", str(two): "乙之情况", str(opened): "丙之情况"})
    status, page = post(house, "secrecy", FORM, **form(one, two, opened, titled="1"), **typed)
    assert (status, f"所指的是：{number(house, opened)}" in page) == (422, True)
    again = form(one, two, opened, titled="1", leave_out=str(opened))
    wrong = post(house, "secrecy", FORM, **again | {"reason": ""}, **typed)[1]
    assert re.findall(r'value="([0-9a-f-]+)" checked', wrong) == [str(opened)], "the tick stays"
    status, page = post(house, "secrecy", FORM, **again, **typed)
    assert (status, "按您的勾选略去：1 件" in page) == (200, True)
    with house.services.db.reading() as session:
        assert set(session.scalars(select(SecrecyReviewItem.record_id))) == {one, two}


def test_what_is_not_filed_is_told_as_left_out(house: WebHouse) -> None:
    one, two = (filed(house, title, 3) for title in ("投标底价甲", "投标底价乙"))
    draft = house.a_record(title="草稿", state=RecordState.PROVISIONAL, level=3).id
    page = post(house, "secrecy", FORM, **form(one, two, draft))[1]
    assert "尚未归档或不由您审核而略去：1 件" in page


def test_titles_of_many_lie_each_under_its_record_and_go_with_it(house: WebHouse) -> None:
    keys = [filed(house, title, 3) for title in ("投标底价甲", "投标底价乙")]
    said = {str(key): f"投标工作情况之{at}" for at, key in enumerate(keys, 1)}
    review = asked(house, *keys, verdict="derive", titled="1", level="2", years="3", **titles(**said))
    vault, context = house.services.vault, f"derived-title:{review.hex}"
    with house.services.db.reading() as session:
        entries = session.scalars(select(LogEntry).where(LogEntry.act == "secrecy.ask")).all()
        [body] = Log(vault, house.clock).opened_many(session, entries)
        asking = session.scalars(select(Approval)).one()
        what = Approvals(vault, Log(vault, house.clock), house.clock).opened(session, asking)[0]
        for item in session.scalars(select(SecrecyReviewItem)):
            title = vault.open(session, item.record_id, item.title or b"", context=context)
            assert title.decode() == said[str(item.record_id)]
    for kept in (body, what):
        assert "投标工作情况" not in json.dumps(kept, ensure_ascii=False), "it stays as long as the log does"
    assert what["titles"] == 2
    page = house.browser("approver").get(f"/secrecy/reviews/{review}").text
    assert all(title in page for title in said.values())


def test_a_request_of_old_that_keeps_its_titles_itself_is_still_read(house: WebHouse) -> None:
    key = filed(house, "投标底价甲", 3)
    item = SecrecyReviewItem(review_id=key, record_id=key, position=1, level_rank=3)
    what = {"title": "", "titles": {str(key): "投标工作情况"}}
    with house.services.db.reading() as session:
        assert kept_titles(session, house.services.vault, what, [item]) == {key: "投标工作情况"}
