"""Labels of filed records, and a wrong upload replaced before filing."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.model import Content, File, LogEntry, Record, RecordState
from tests.factories.codes import scanned
from tests.factories.web_house import WebHouse, a_web_house, token_on
from web.codes import bars
from web.prints.kinds import shipped
from web.prints.label_sheets import SHEETS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _filed(house: WebHouse, number: str, **more: object) -> Record:
    return house.a_record(archive_number=number, state=RecordState.FILED, **more)


def _print(client: FlaskClient, **data: object) -> tuple[int, str]:
    token = token_on(client.get("/labels").text)
    reply = client.post("/labels", data={"csrf_token": token, "sheet": "3x8", "start": "1", **data})
    if reply.mimetype != "application/pdf":
        return reply.status_code, reply.text
    assert b"pdfaid" in reply.data, "no PDF/A"
    pages = pypdfium2.PdfDocument(reply.data)
    return reply.status_code, "".join(page.get_textpage().get_text_bounded() for page in pages)


def test_a_label_shows_number_level_and_title_but_of_the_upper_levels_no_title(house: WebHouse) -> None:
    low = _filed(house, "WY01-WYH·2024-30-A0001", title="电梯维保合同", level=1)
    high = _filed(house, "WY01-WYH·2024-30-C0001", title="总经理任免", level=3)
    status, text = _print(house.browser("archivist"), record=[str(low.id), str(high.id)])
    assert status == 200
    assert "2024-30-A0001" in text
    assert "2024-30-C0001" in text
    assert "电梯维保合同" in text
    assert "任免" not in text
    with house.services.db.reading() as session:
        assert len(session.scalars(select(LogEntry).where(LogEntry.act == "label.print")).all()) == 1


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_scanner_reads_both_codes_off_the_printed_sheet(house: WebHouse, sheet: str) -> None:
    numbers = ["HY-WYYZ04·2024-Y-A0001", *(f"WY01-WYH·2024-30-A000{serial}" for serial in (1, 2, 3))]
    records = [str(_filed(house, number).id) for number in numbers]
    client = house.browser("archivist")
    form = {"csrf_token": token_on(client.get("/labels").text), "sheet": sheet, "start": "1", "record": records}
    found = list(scanned(client.post("/labels", data=form).data))
    assert sorted(text for kind, text in found if kind == "Code128") == [each.replace("·", "-") for each in numbers]
    links = [unquote(text) for kind, text in found if kind == "QRCode"]
    assert sorted(links) == [f"http://localhost/number?n=WY01:{each}" for each in numbers]


def test_nobody_prints_what_they_may_not_read_or_what_has_no_number(house: WebHouse) -> None:
    hidden = _filed(house, "WY01-WYH·2024-30-D0001", title="绝密人事", level=4)
    waiting = house.a_record(title="待归档", state=RecordState.PROVISIONAL)
    status, text = _print(house.browser("staff"), record=[str(hidden.id), str(waiting.id)])
    assert status == 422
    assert "D0001" not in text
    assert "绝密人事" not in text


def test_a_code_128_holds_a_number_by_its_ascii_marks_and_nothing_of_chinese_words() -> None:
    assert bars("WY01-WYH·2024-30-A0001") == bars("WY01-WYH-2024-30-A0001") != ("", 0)
    assert bars("全宗1-A0001") == ("", 0)


def _files(client: FlaskClient, record: Record) -> list[str]:
    return re.findall(r'class="file-name" href="/files/([0-9a-f-]+)"', client.get(f"/records/{record.id}").text)


def test_a_wrong_upload_is_replaced_in_one_act_and_stays_when_the_new_one_fails(house: WebHouse) -> None:
    record = house.a_record(state=RecordState.PROVISIONAL)
    client = house.browser("archivist")
    token = token_on(client.get(f"/records/{record.id}").text)
    wrong = {"csrf_token": token, "files": (BytesIO("放错的".encode()), "错.txt")}
    client.post(f"/records/{record.id}/files", data=wrong)
    [old] = _files(client, record)
    for failing in ({"file": (BytesIO(b""), "空.txt"), "reason": "放错"}, {"file": (BytesIO(b"x"), "对.txt")}):
        reply = client.post(f"/files/{old}/replace", data={"csrf_token": token, **failing})
        assert reply.status_code == 422
        assert _files(client, record) == [old]
    right = {"csrf_token": token, "file": (BytesIO("对的".encode()), "对.txt"), "reason": "放错了"}
    assert client.post(f"/files/{old}/replace", data=right).status_code == 303
    [new] = _files(client, record)
    assert new != old
    assert client.get(f"/files/{new}").data.decode() == "对的"
    assert client.get(f"/files/{old}").status_code == 404
    with house.services.db.reading() as session:
        acts = session.scalars(select(LogEntry.act).where(LogEntry.record_id == record.id)).all()
        assert acts.count("file.replace") == 1
        assert acts.count("file.add") == 1
        assert "file.take_off" not in acts
        assert len(session.scalars(select(Content)).all()) == len(session.scalars(select(File)).all()) == 1


def test_a_house_prints_labels_by_its_own_template(house: WebHouse) -> None:
    filed = _filed(house, "WY01-WYH·2024-30-A0009", title="电梯维保合同", level=1)
    client, page = house.browser("archivist"), "/house/forms/labels"
    own = shipped("labels").replace("      it.level\n", "      [本公司 #it.level]\n")
    assert own != shipped("labels")
    typed = {"csrf_token": token_on(client.get(page).text), "source": own, "reason": "加公司名", "version": "0"}
    assert client.post(page, data=typed).status_code == 303
    status, text = _print(client, record=[str(filed.id)])
    assert status == 200
    assert "本公司" in text
    assert "2024-30-A0009" in text
