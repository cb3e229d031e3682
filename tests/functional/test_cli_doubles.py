"""What came in twice is told by reason: by the import that brought it, and in the list of who decides."""

from pathlib import Path

from tests.factories.archives import Archive

TEXT = "本合同由甲方委托乙方对本物业项目提供物业服务，电梯每十五日维护一次。" * 3


def test_import_and_list_tell_doubles_by_reason_and_only_to_who_may_decide(archive: Archive, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    own = "".join(chr(0x4E00 + (at * 37) % 2500) for at in range(400))
    for name, more in (("甲.txt", ""), ("乙.txt", "\n")):
        (papers / name).write_text(f"二〇二四年三月五日{TEXT}{own}{more}")
    told = archive.run("import", papers, "--category", "WYYZ", "--fonds", "H001", "--level", "1", "--json").document
    both = {item["record"] for item in told["items"]}
    for item in told["items"]:
        (double,) = (each for each in item["alike"] if each["record"] in both)
        assert double["record"] != item["record"]
        assert double["reasons"] == [{"why": "same_text", "percent": None}]
    listed = archive.run("doubles", "--as", "archivist", "--json")
    assert listed.code == 0
    assert both in [{each["record"]["record"], each["other"]["record"]} for each in listed.document["pairs"]]
    assert archive.run("doubles", "--as", "staff", "--json").document == {"pairs": [], "more": False}
