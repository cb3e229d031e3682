"""The format of a file and its macros are told where its size is: on the page, and to programs."""

import re
import sys
from io import BytesIO
from pathlib import Path

import pytest

from tests.factories.drawn import a_pdf
from tests.factories.packages import a_docx, para
from tests.factories.web_house import a_web_house, token_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files of memory are opened by path")


def test_the_page_tells_the_format_and_warns_of_macros(tmp_path: Path) -> None:
    with a_web_house(tmp_path) as house:
        client = house.browser("archivist")
        token = token_of(client)
        values = {"csrf_token": token, "category": str(house.category.id), "title": "电梯合同", "level": "1"}
        reply = client.post("/records", data={**values, "drawn_up": "2024"}, follow_redirects=True)
        (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", reply.text))
        files = [
            (BytesIO(a_pdf("合同")), "合同.pdf"),
            (BytesIO(a_docx(para("算费"), {"word/vbaProject.bin": b"vba"})), "算费.docm"),
            (BytesIO(b"Rar!\x1a\x07\x01\x00" + bytes(300)), "旧包.rar"),
            (BytesIO(b"<?xml version='1.0'?><a/>"), "空白.xml"),
        ]
        client.post(f"/records/{record}/files", data={"csrf_token": token, "files": files})
        house.read_texts()
        first, second = client.get(f"/records/{record}").text.split("算费.docm", 1)
    assert "请解压后上传，或改存为 zip 或 7z" in second
    assert "没有读到文字；请写好题名和关键词" in second
    assert "格式 fmt/17" in first
    assert "含有宏" not in first
    assert "含有宏；在这里从不运行" in second
