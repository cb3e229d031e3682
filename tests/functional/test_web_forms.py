"""The forms of the trade: what stands on them, for whom, and how a house makes them its own."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Custody,
    LogEntry,
    Medium,
    Record,
    RecordKind,
    RecordState,
)
from tests.factories.web_house import WebHouse, a_web_house, token_on
from web.prints.boxes import spines
from web.prints.kinds import KINDS, shipped
from web.prints.papers import Holding, Paper, Words
from web.prints.samples import ROWS, sample
from web.prints.setting import typesetter

HEAD = '#import "parts.typ": *\n#show: paper\n'
TEMPLATE = "/house/forms/filed_items"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def filed(house: WebHouse, number: str, **more: Any) -> Record:
    record: Record = house.a_record(archive_number=number, state=RecordState.FILED, **more)
    return record


def a_dossier(house: WebHouse, items: int, **more: Any) -> tuple[Record, list[Record]]:
    dossier = filed(house, "WY01-WYH·2024-D30-A0001", kind=RecordKind.DOSSIER, title="一期电梯案卷", **more)
    held = [
        filed(
            house, f"WY01-WYH·2024-D30-A0001-{at}", title=f"第{at}份通知", dossier_id=dossier.id, position=at,
            pages=at, drawn_up="2024-03-05", medium=Medium.PAPER,
        )
        for at in range(1, items + 1)
    ]  # fmt: skip
    return dossier, held


def asked(client: FlaskClient, form: str, records: list[Record], **more: str) -> Any:
    token = token_on(client.get("/prints").text)
    keys = [str(record.id) for record in records]
    return client.post("/prints", data={"csrf_token": token, "form": form, "record": keys, **more})


def pages_of(pdf: bytes) -> list[str]:
    """Return the text of each page without white space: where lines break is not what is tested."""
    return ["".join(page.get_textpage().get_text_bounded().split()) for page in pypdfium2.PdfDocument(pdf)]


def acts(house: WebHouse, act: str) -> list[LogEntry]:
    with house.services.db.reading() as session:
        return list(session.scalars(select(LogEntry).where(LogEntry.act == act)))


@pytest.mark.parametrize("key", KINDS)
def test_every_shipped_form_lasts_as_pdf_a_with_its_type_inside_though_titles_are_long_or_missing(key: str) -> None:
    made = typesetter().pdf(shipped(key), sample(key, "zh_TW"))
    assert isinstance(made, bytes), made
    document = pypdf.PdfReader(BytesIO(made))
    root = document.trailer["/Root"].get_object()
    told = root["/Metadata"].get_object().get_data()
    assert b"<pdfaid:part>2" in told
    assert b"<pdfaid:conformance>B" in told
    assert root["/OutputIntents"].get_object()[0].get_object()["/DestOutputProfile"].get_object().get_data()
    assert "/ID" in document.trailer
    assert not document.is_encrypted
    assert "/JavaScript" not in str(root)
    fonts = [font.get_object() for page in document.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"].get_object()[0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)
    if key in {"filed_items", "dossier_contents", "handover_list"}:
        text = pages_of(made)
        full = [page for page in text if "備註" in page]
        assert len(full) > 2, "the head stands on each page"
        assert f"第1頁共{len(text) - 1}頁" in text[0], "the sheet with nothing known counts by itself"
        assert "第1頁共1頁" in text[-1]
        assert str(ROWS) in "".join(text)


def test_a_list_of_filed_items_names_what_the_person_reads_and_nothing_else(house: WebHouse) -> None:
    low = filed(
        house, "WY01-WYH·2024-D10-N0001", title="电梯维保合同", level=1, drawn_up="2024-03-05", responsible="物业部",
        fields={"document_number": "物发〔2024〕7号"}, pages=12, notes="=1+1",
    )  # fmt: skip
    high = filed(house, "WY01-WYH·2024-D10-J0001", title="总经理任免", level=3)
    reply = asked(house.browser("staff"), "filed_items", [low, high], language="zh_CN")
    assert reply.mimetype == "application/pdf"
    [text] = pages_of(reply.data)
    for words in (
        "归档文件目录",
        "D10-N0001",
        "电梯维保合同",
        "物发〔2024〕7号",
        "20240305",
        "物业部",
        "内部",
        "第1页共1页",
    ):
        assert words in text
    assert "任免" not in text
    assert "J0001" not in text
    sheet = asked(house.browser("staff"), "filed_items", [low, high], language="zh_CN", **{"as": "sheet"})
    rows = CalamineWorkbook.from_filelike(BytesIO(sheet.data)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["序号", "档号", "文号", "责任者", "题名", "日期", "密级", "页数", "备注"]
    assert rows[1][:2] == ["1", "WY01-WYH·2024-D10-N0001"]
    assert rows[1][8] == "=1+1"
    assert len(rows) == 2
    assert len(acts(house, "form.print")) == len(acts(house, "form.sheet")) == 1


def test_a_custodian_prints_numbers_and_no_word_of_content(house: WebHouse) -> None:
    record = filed(house, "WY01-WYH·2024-D10-J0002", title="总经理任免", level=3, responsible="董事会")
    with house.services.db.writing() as work:
        work.session.add(Custody(person_id=house.people["staff"].id, level_rank=3))
        work.commit()
    client = house.browser("staff")
    assert "任免" not in client.get(f"/prints?record={record.id}").text
    for form in ("filed_items", "handover_list", "circulation_slip"):
        text = "".join(pages_of(asked(client, form, [record], language="zh_CN").data))
        assert "J0002" in text
        assert "任免" not in text
        assert "董事会" not in text


def test_the_contents_of_a_dossier_stand_in_order_with_page_numbers_and_without_what_is_hidden(house: WebHouse) -> None:
    dossier, held = a_dossier(house, 3)
    with house.services.db.writing() as work:
        work.session.get_one(Record, held[1].id).level_rank = 4
        work.commit()
    everything = "".join(pages_of(asked(house.browser("archivist"), "dossier_contents", [dossier]).data))
    assert [everything.index(f"第{at}份通知") for at in (1, 2, 3)] == sorted(
        everything.index(f"第{at}份通知") for at in (1, 2, 3)
    )
    assert "4–6" in everything, "the last one says where it ends"
    some = "".join(pages_of(asked(house.browser("staff"), "dossier_contents", [dossier]).data))
    assert "第2份通知" not in some
    assert "2–4" in some, "counted over what is seen"
    archivist, decider = (house.people[name].id for name in ("archivist", "clerk"))
    with house.services.db.writing() as work:
        for each, state in ((held[0], ApprovalState.APPROVED), (held[2], ApprovalState.REFUSED)):
            work.session.add(
                Approval(
                    kind=ApprovalKind.CORRECTION, record_id=each.id, state=state, asked_by=archivist, sealed=b"",
                    asked_at=house.services.clock.now(), decided_by=decider, decided_at=house.services.clock.now(),
                )
            )  # fmt: skip
        work.commit()
    note = "".join(pages_of(asked(house.browser("archivist"), "closing_note", [dossier], language="zh_CN").data))
    assert "更正：WY01-WYH·2024-D30-A0001-1。" in note
    assert "A0001-3" not in note
    assert asked(house.browser("staff"), "closing_note", [dossier]).status_code == 200
    assert not [each for each in acts(house, "destruction.see") if each.result == "refused"], "nobody asked for them"
    for words in ("备考表", "本卷共3件、6页", "其中纸质3件，电子0件", "立卷人", "检查人", "立卷日期"):
        assert words in note


def test_a_cover_names_what_the_standard_asks_for_and_a_spine_of_an_upper_level_only_its_number(
    house: WebHouse,
) -> None:
    dossier, _held = a_dossier(house, 2, level=3)
    client = house.browser("archivist")
    cover = "".join(pages_of(asked(client, "dossier_cover", [dossier], language="zh_CN").data))
    for words in ("物业服务合同", "一期电梯案卷", "20240305", "保管期限", "件数", "页数", "D30-A0001", "机密"):
        assert words in cover
    spine = "".join(pages_of(asked(client, "spine", [dossier], language="zh_CN", thickness="30").data))
    assert "D30-A0001" in spine
    assert not {"梯", "案"} & set(spine)
    upper = Paper(
        "D30-1", 3, "机密", "square", "WY01", "一号全宗", "案卷", "R1", drawn_up="2024-03-05", category="物业",
        term="D30", pages=9, open=False,
    )  # fmt: skip
    [told] = spines([Holding(upper, [])], Words("zh_CN", date(2026, 1, 5)))
    given = {"number": "D30-1", "fonds": "WY01", "level_rank": 3, "level": "机密", "shape": "square"}
    assert {name: value for name, value in told.items() if value} == given, "to a house's own template too"


def test_a_blank_form_needs_no_record_and_a_form_that_does_not_fit_is_refused(house: WebHouse) -> None:
    client = house.browser("staff")
    assert "职员提议申诉表" in pages_of(asked(client, "staff_proposal", [], language="zh_CN").data)[0]
    blank = "".join(pages_of(asked(client, "staff_proposal", [], language="zh_CN").data))
    for words in ("直接上级答复", "一周内", "有异议", "综合事务部处理", "受理日期"):
        assert words in blank
    item = filed(house, "WY01-WYH·2024-D10-N0003", level=1)
    slip = "".join(pages_of(asked(client, "circulation_slip", [item], language="zh_CN").data))
    for words in ("流转目的", "流转范围", "归还期限", "归还检查"):
        assert words in slip
    request = "".join(pages_of(asked(client, "loan_request", [item], language="zh_CN").data))
    for words in ("借阅申请表", "D10-N0003", "staff", "联系方式", "利用目的", "阅览", "档案部门意见", "审批意见"):
        assert words in request
    assert asked(client, "spine", [item]).status_code == 422
    assert asked(client, "circulation_slip", [item], **{"as": "sheet"}).status_code == 422


def keep(client: FlaskClient, source: str, version: int, reason: str = "改了表头") -> Any:
    token = token_on(client.get(TEMPLATE).text)
    data = {"csrf_token": token, "source": source, "reason": reason, "version": str(version)}
    return client.post(TEMPLATE, data=data)


def test_a_house_prints_by_its_own_template_and_goes_back_to_the_shipped_one(house: WebHouse) -> None:
    item = filed(house, "WY01-WYH·2024-D10-N0004", level=1)
    client = house.browser("archivist")
    own = HEAD + '#sheets(it => [本公司目录 #it.rows.at(0, default: (number: "")).number])\n'
    assert keep(client, own, 0).status_code == 303
    assert "本公司目录WY01" in pages_of(asked(client, "filed_items", [item]).data)[0]
    assert keep(client, own + "\n", 0).status_code == 409, "made from a version that is no longer the newest"
    page = client.get(TEMPLATE).text
    assert "改了表头" in page
    assert "archivist某" in page
    token = token_on(page)
    assert client.post(f"{TEMPLATE}/back", data={"csrf_token": token, "version": "1"}).status_code == 303
    assert "本公司目录" not in pages_of(asked(client, "filed_items", [item]).data)[0]
    assert "本公司目录" in client.get(f"{TEMPLATE}?version=1").text
    assert (len(acts(house, "form.keep")), len(acts(house, "form.back"))) == (1, 1)


def test_a_broken_template_is_told_with_its_line_and_never_takes_the_place_of_one_that_works(house: WebHouse) -> None:
    client = house.browser("archivist")
    reply = keep(client, '#import "parts.typ": *\n#show: paper\n#nothing(3)\n', 0)
    assert reply.status_code == 422
    assert "unknown variable: nothing" in reply.text
    assert "3" in reply.text
    assert "#nothing(3)" in reply.text, "what was typed is still there"
    assert keep(client, "#range(1000000000).len()", 0).status_code == 422
    assert keep(client, '#read("/etc/passwd")', 0).status_code == 422
    assert keep(client, "#data", 0, reason="").status_code == 422
    who = house.services.people.identity_of("archivist")
    assert not house.services.forms.current(who, "filed_items").is_own
    assert not acts(house, "form.keep")


def test_a_template_is_seen_before_it_is_kept_with_script_and_without(house: WebHouse) -> None:
    client = house.browser("archivist")
    token = token_on(client.get(TEMPLATE).text)
    typed = {"csrf_token": token, "source": "#set page(width: 4cm, height: 3cm)\n档案", "version": "0"}
    part = client.post(f"{TEMPLATE}/preview", data=typed, headers={"HX-Request": "true"}).text
    assert part.count("data:image/png;base64,") == 1
    assert "<html" not in part
    whole = client.post(f"{TEMPLATE}/preview", data={**typed, "source": "#nothing"}).text
    assert "unknown variable: nothing" in whole
    assert "#nothing</textarea>" in whole


@pytest.mark.parametrize("login", ["staff", "clerk", "auditor"])
def test_only_those_who_manage_forms_see_or_change_a_template(house: WebHouse, login: str) -> None:
    client = house.browser(login)
    token = token_on(client.get("/prints").text)
    assert client.get("/house/forms").status_code == client.get(TEMPLATE).status_code == 403
    data = {"csrf_token": token, "source": "x", "reason": "y", "version": "0"}
    for address in (TEMPLATE, f"{TEMPLATE}/preview", f"{TEMPLATE}/back"):
        assert client.post(address, data=data).status_code == 403
