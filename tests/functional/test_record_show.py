"""``record show`` without ``--json`` speaks as the record's page does, in the terminal's language."""

import pytest

from tests.factories.archives import Archive

LABELS = {
    "en_GB.UTF-8": (
        "Title: ",
        "Archive number: ",
        "Secrecy level: ",
        "Fonds: H001 ",
        "Retention period: ",
        "Filed on: ",
    ),
    "zh_CN.UTF-8": ("题名：", "档号：", "密级：", "全宗：H001 ", "保管期限：", "归档时间："),
    "zh_TW.UTF-8": ("案名：", "檔號：", "密等：", "全宗：H001 ", "保存年限：", "歸檔時間："),
}


@pytest.fixture(scope="module")
def house(archive_template: Archive, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return archive_template.copy(tmp_path_factory.mktemp("house") / "archive")


@pytest.mark.parametrize("locale", LABELS)
def test_a_record_is_told_with_labels_of_the_terminals_language(house: Archive, locale: str) -> None:
    hits = house.run("search", "fonds:H001", "--as", "archivist", "--json").document["hits"]
    shown = house.run("record", "show", hits[0]["number"], "--as", "archivist", more={"LC_ALL": locale})
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    for label in LABELS[locale]:
        assert [line for line in lines if line.startswith(label)], (label, shown.out)
    assert not any(key in shown.out for key in ("drawn_up", "registration_number", "{'", "False", "None"))
    assert any("商业秘密·" in line for line in lines)


def test_an_officer_is_told_number_and_dates_alone(house: Archive) -> None:
    hit = house.run("search", "fonds:H001", "--as", "archivist", "--json").document["hits"][0]
    shown = house.run("record", "show", hit["number"], "--as", "audit")
    assert f"Number: {hit['number']}" in shown.out.splitlines()
    assert hit["title"] not in shown.out
    assert "custody" not in shown.out
