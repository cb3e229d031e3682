"""An import with ``--review`` files nothing: a person first looks at what is proposed for each record."""

from pathlib import Path

import pytest

from tests.factories.archives import Archive

NOTICE = "物管发〔2024〕12号\n关于防汛的通知\n各部门：\n照此办理。\n某某物业管理有限公司\n2024年6月5日"


def test_what_is_brought_in_for_review_waits_unfiled_with_its_proposals(archive: Archive, tmp_path: Path) -> None:
    paper = tmp_path / "扫描件001.txt"
    paper.write_text(NOTICE, "utf-8")
    answer = archive.run("import", paper, "--category", "WYK05", "--review", "--json")
    (item,) = answer.document["items"]
    assert (answer.code, item["state"], item["reason"], item["number"]) == (0, "waiting", "review", None)
    assert (item["date"], item["date_proposed"]) == ("2024-06-05", True)
    shown = archive.run("record", "show", item["record"], "--as", "archivist", "--json").document
    assert shown["title"] == "扫描件001", "a person confirms; nothing is replaced by itself"
    assert {each["field"]: each["value"] for each in shown["proposals"]} == {
        "drawn_up": "2024-06-05",
        "title": "关于防汛的通知",
        "document_number": "物管发〔2024〕12号",
        "responsible": "某某物业管理有限公司",
    }


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh_CN.UTF-8", "请先看为它提出的建议，再登记"),
        ("zh_TW.UTF-8", "請先看為它提出的建議，再登記"),
        ("en_GB.UTF-8", "Look at what is proposed for it, then file it"),
    ],
)
def test_why_it_waits_is_said(archive: Archive, tmp_path: Path, locale: str, words: str) -> None:
    paper = tmp_path / "扫描件001.txt"
    paper.write_text(NOTICE, "utf-8")
    answer = archive.run("import", paper, "--category", "WYK05", "--review", more={"LC_ALL": locale})
    assert words in answer.out
