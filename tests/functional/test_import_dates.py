"""An import proposes the day in a file's name before the text's, the text's before the file's own, and says so."""

import os
from pathlib import Path

from tests.factories.archives import Archive

OWN = 1_600_000_000  # 2020-09-13 in the house's zone


def test_the_day_in_the_name_goes_before_the_texts_and_that_before_the_files_own(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for name, text in {
        "2019-05-06 会议纪要.txt": "根据二〇一八年三月五日的决定",
        "会议纪要.txt": "根据二〇一八年三月五日的决定",
        "巡检.txt": "一切正常",
    }.items():
        (folder / name).write_text(text, "utf-8")
        os.utime(folder / name, (OWN, OWN))
    answer = archive.run("import", folder, "--category", "WYYZ", "--json")
    found = {Path(item["path"]).name: (item["date"], item["date_proposed"]) for item in answer.document["items"]}
    assert found == {
        "2019-05-06 会议纪要.txt": ("2019-05-06", True),
        "会议纪要.txt": ("2018-03-05", True),
        "巡检.txt": ("2020-09-13", True),
    }
    assert {item["number"].split("-")[1][-4:] for item in answer.document["items"]} == {"2019", "2018", "2020"}


def test_the_list_says_which_dates_were_proposed_and_a_given_one_stays(archive: Archive, tmp_path: Path) -> None:
    paper = tmp_path / "20190506 会议纪要.txt"
    paper.write_text("纪要", "utf-8")
    words = ("import", paper, "--category", "WYYZ")
    proposed = archive.run(*words, more={"LC_ALL": "zh_CN.UTF-8"})
    assert f"{paper}: 日期 2019-05-06 系拟定，依据文件名、正文或文件本身" in proposed.out.splitlines()
    given = archive.run(*words, "--field", "drawn_up=2021-01-02")
    assert "2019-05-06" not in given.out
    (item,) = archive.run(*words, "--field", "drawn_up=2021-01-02", "--json").document["items"]
    assert (item["date"], item["date_proposed"]) == ("2021-01-02", False)
