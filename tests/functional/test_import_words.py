"""An import says of each file that is not filed why, and what is odd about the others, in three languages."""

import os
from pathlib import Path

import pytest

from tests.factories import hostile_files as hostile
from tests.factories.archives import Archive

WORDS = {
    "en_GB.UTF-8": {
        "empty.txt": "failed: the file is empty: empty.txt",
        "locked.pdf": "put aside: the file is locked with a password. Take the password off",
        "cut.pdf": "put aside: the file is damaged and cannot be read. Open it on your side",
        "linked.txt": "failed: is no plain file (a link, a pipe or a device): linked.txt",
        "text.pdf": "its name says .pdf, but by its content it is: plain text",
        "twice.txt": "the same bytes lie in other records: 1",
    },
    "zh_CN.UTF-8": {
        "empty.txt": "失败：文件是空的：empty.txt",
        "locked.pdf": "已隔离：文件设有密码。请去掉密码",
        "cut.pdf": "已隔离：文件已损坏，无法读取。",
        "linked.txt": "失败：不是普通文件（链接、管道或设备）：linked.txt",
        "text.pdf": "文件名为 .pdf，但内容实为：纯文本",
        "twice.txt": "其他档案中有相同内容：1 件",
    },
    "zh_TW.UTF-8": {
        "empty.txt": "失敗：電子檔是空的：empty.txt",
        "locked.pdf": "已隔離：電子檔設有密碼。",
        "cut.pdf": "已隔離：電子檔已損壞，無法讀取。",
        "linked.txt": "失敗：不是一般電子檔（連結、管線或裝置）：linked.txt",
        "text.pdf": "檔名為 .pdf，但內容實為：純文字",
        "twice.txt": "其他檔案中有相同內容：1 件",
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "papers"
    made.mkdir()
    files = {
        "empty.txt": b"",
        "locked.pdf": hostile.a_locked_pdf(),
        "cut.pdf": hostile.a_locked_pdf()[:300],
        "text.pdf": "电梯维修记录".encode(),
        "once.txt": "巡检".encode(),
        "twice.txt": "巡检".encode(),
    }
    for name, data in files.items():
        (made / name).write_bytes(data)
    (made / "linked.txt").symlink_to("/etc/hostname")  # what lies outside the folder was not handed in
    return made


@pytest.mark.parametrize("locale", WORDS)
def test_each_way_that_a_file_can_end_is_told_in_words(archive: Archive, folder: Path, locale: str) -> None:
    answer = archive.run("import", folder, "--category", "WYYZ", more={"LC_ALL": locale})
    assert answer.code == 1
    told = dict(line.removeprefix(f"{folder}/").split(": ", 1) for line in answer.out.splitlines() if ": " in line)
    for name, words in WORDS[locale].items():
        assert told[name].startswith(words), name


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en_GB.UTF-8", "waiting: It still needs: "),
        ("zh_CN.UTF-8", "等待中：还缺："),
        ("zh_TW.UTF-8", "等待中：尚缺："),
    ],
)
def test_a_file_that_waits_names_the_fields_as_the_house_calls_them(
    archive: Archive, folder: Path, locale: str, words: str
) -> None:
    scheme = folder.parent / "own.yaml"
    scheme.write_text(
        "format: 1\ncode: own\nnames: {zh_CN: 自定}\n"
        "fields: {sender: {kind: text, names: {zh_CN: 来文单位, zh_TW: 來文單位, en: Sender}}}\n"
        'number_rules: [{code: short, names: {zh_CN: 短}, template: "{fonds}-{category}-{mark}{serial}"}]\n'
        "categories: [{code: LETTER, names: {zh_CN: 来函}, level: 2, term: Y, number_rule: short,"
        " fields: [sender], required: [sender]}]\n",
        "utf-8",
    )
    made = archive.run("fonds", "add", "H009", "--name", "来函", "--scheme", scheme)
    assert made.code == 0, made.err
    answer = archive.run("import", folder / "once.txt", "--category", "LETTER", more={"LC_ALL": locale})
    own = {"en_GB.UTF-8": "Sender", "zh_CN.UTF-8": "来文单位", "zh_TW.UTF-8": "來文單位"}[locale]
    assert f"once.txt: {words}{own}" in answer.out


def test_a_name_that_claims_another_kind_is_told_to_programs_and_people(archive: Archive, folder: Path) -> None:
    brought = archive.run("import", folder / "text.pdf", folder / "once.txt", "--category", "WYYZ", "--json").document
    odd, plain = brought["items"]
    wanted = [{"code": "type_mismatch", "facts": {"claimed": "pdf", "type": "text/plain"}}]
    assert (odd["state"], odd["remarks"], plain["remarks"]) == ("filed", wanted, [])
    shown = archive.run("record", "show", odd["number"], "--as", "archivist", "--json").document
    assert shown["files"][0]["remarks"] == wanted
    said = archive.run("record", "show", odd["number"], "--as", "archivist", more={"LC_ALL": "zh_CN.UTF-8"}).out
    (line,) = [line for line in said.splitlines() if line.startswith("text.pdf：")]
    assert "文件名为 .pdf，但内容实为：纯文本" in line


def test_a_name_from_an_old_system_is_read(archive: Archive, folder: Path) -> None:
    old = os.fsencode(folder) + b"/" + "维修卷宗.txt".encode("gb18030")
    Path(os.fsdecode(old)).write_text("维修", "utf-8")
    brought = archive.run("import", os.fsdecode(old), "--category", "WYYZ", "--json").document
    assert brought["items"][0]["path"].endswith("/维修卷宗.txt")
    shown = archive.run("record", "show", brought["items"][0]["number"], "--as", "archivist", "--json").document
    assert (shown["title"], shown["files"][0]["name"]) == ("维修卷宗", "维修卷宗.txt")
