"""The command line as others script against it: keys of each document, exit codes, with and without a running serve."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.factories.archives import Archive, Served

IMPORT = ("--category", "WYYZ", "--fonds", "H001", "--json")


@pytest.fixture(scope="module")
def house(archive_template: Archive, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive that this file's tests share; each brings in files of its own."""
    return archive_template.copy(tmp_path_factory.mktemp("house") / "archive")


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder with a paper that has a date, one that has none, and a hidden file."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "合同.txt").write_text(f"二〇二四年三月五日,甲乙双方约定:{tmp_path.name}\n")
    (folder / "备忘.md").write_text("没有日期的一页。\n")
    (folder / ".hidden").write_text("不收。")
    return folder


def test_demo_tells_how_many_records_and_who_may_sign_in(archive_template: Archive) -> None:
    told = json.loads((archive_template.folder / "demo.json").read_text())
    assert told["records"] == 10
    assert {"name", "role", "password", "login"} <= set(told["people"][0])
    assert {person["role"] for person in told["people"]} >= {"archivist", "staff", "system_admin", "audit_admin"}


def test_a_second_demo_changes_nothing(house: Archive) -> None:
    again = house.run("demo", "--no-serve", "--json")
    assert (again.code, again.document["records"]) == (0, 10)


def check_import(answer: Any, papers: Path) -> None:
    told = answer.document
    assert {"filed", "waiting", "quarantined", "failed", "seconds", "items"} <= set(told)
    assert sum(told[state] for state in ("filed", "waiting", "quarantined", "failed")) == len(told["items"]) == 2
    for item in told["items"]:
        assert {"path", "number", "state", "reason"} <= set(item)
    by_name = {Path(item["path"]).name: item for item in told["items"]}
    assert by_name["合同.txt"]["state"] == "filed"
    assert by_name["合同.txt"]["number"].startswith("H001-WYYZ·2024-")
    assert answer.code == (0 if told["filed"] == 2 else 1)
    assert str(papers) in told["items"][0]["path"]


def test_import_files_what_it_finds_and_it_is_searchable_at_once(house: Archive, papers: Path) -> None:
    answer = house.run("import", papers, *IMPORT)
    check_import(answer, papers)
    found = house.run("search", f'"{papers.parent.name}"', "--as", "archivist", "--json")
    assert found.code == 0
    assert {"total", "hits", "facets"} <= set(found.document)
    (hit,) = found.document["hits"]
    assert {"number", "title", "level", "passages"} <= set(hit)
    assert hit["passages"][0]["page"] == 1
    assert papers.parent.name in hit["passages"][0]["text"]
    shown = house.run("record", "show", f"H001:{hit['number']}", "--as", "archivist", "--json")
    assert (shown.code, shown.document["number"]) == (0, hit["number"])


def test_search_without_wait_still_finds_what_stands(house: Archive) -> None:
    found = house.run("search", "", "--as", "archivist", "--filter", "category=WYYZ", "--json")
    assert found.code in {0, 1}
    json.loads(found.out)


def test_import_of_a_missing_required_field_waits_and_names_it(house: Archive, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("某")
    answer = house.run("import", file, *IMPORT, "--field", "term=Y", "--no-wait")
    (item,) = answer.document["items"]
    assert item["state"] in {"filed", "waiting"}
    if item["state"] == "waiting":
        assert (item["reason"], item["fields"]) == ("fields_missing", ["drawn_up"])
        assert answer.code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("import", "{file}", "--category", "NONE", "--json"),
        ("import", "{file}", *IMPORT, "--place", "NOWHERE"),
        ("import", "{file}", *IMPORT, "--level", "99"),
        ("search", "(", "--as", "archivist", "--json"),
        ("search", "x", "--as", "nobody", "--json"),
        ("record", "show", "H001-NONE·1", "--as", "archivist", "--json"),
    ],
    ids=["category", "place", "level", "query", "person", "number"],
)
def test_what_cannot_be_done_ends_with_1_and_one_document(house: Archive, words: tuple[str, ...]) -> None:
    answer = house.run(*(word.format(file=__file__) for word in words))
    assert answer.code == 1
    assert {"error", "facts", "words"} <= set(answer.document)
    assert answer.document["words"]
    assert "Traceback" not in answer.err


def test_a_wrong_option_ends_with_2(house: Archive) -> None:
    assert house.run("import", "--nonsense").code == 2


def test_fsck_verify_doctor_and_config_have_their_keys(house: Archive) -> None:
    fsck = house.run("fsck", "--json")
    assert (fsck.code, fsck.document["ok"], fsck.document["violations"]) == (0, True, [])
    verified = house.run("log", "verify", "--json")
    assert (verified.code, verified.document["ok"], verified.document["first_bad"]) == (0, True, None)
    assert verified.document["entries"] > 30
    doctor = house.run("doctor", "--json")
    assert doctor.code == (0 if doctor.document["ok"] else 1)
    assert {part["state"] for part in doctor.document["parts"]} <= {"ok", "warning", "broken"}
    config = house.run("config", "--json")
    rows = {row["variable"]: row for row in config.document["settings"]}
    assert rows["JUANKU_HOME"]["value"] == str(house.home)
    assert all({"variable", "value", "source", "meaning"} <= set(row) for row in rows.values())
    status = house.run("index", "status", "--json")
    assert (status.code, status.document["ok"]) == (0, True)
    assert {"engine", "version", "schema", "fold"} <= set(status.document["about"])
    assert status.document["lag"] == {"waiting": 0, "since": None}
    compared = house.run("index", "compare", "--json")
    assert (compared.code, compared.document["count"], compared.document["broken"]) == (0, 0, [])
    repaired = house.run("index", "repair", "--json")
    assert (repaired.code, repaired.document["mended"]) == (0, 0)


def test_an_index_of_another_form_is_made_anew_after_an_upgrade(
    archive_template: Archive, tmp_path: Path, papers: Path
) -> None:
    house = archive_template.copy(tmp_path / "archive")
    assert house.run("upgrade", "--json").document["index_anew"] == []
    assert house.run("import", str(papers), *IMPORT).code == 0
    partitions = [each["partition"] for each in house.run("index", "status", "--json").document["partitions"]]
    for folder in (house.home / "index").glob("*-s*-f*-*"):
        folder.rename(folder.with_name(folder.name.replace("-s", "-s0", 1)))
    anew = house.run("upgrade", "--json").document["index_anew"]
    assert anew
    assert set(anew) <= set(partitions)
    (papers / "另一份.txt").write_text("二〇二五年一月六日,补充协议。\n")
    assert house.run("import", str(papers), *IMPORT).code == 0  # its own worker makes the index anew beside
    compared = house.run("index", "compare", "--json")
    assert (compared.code, compared.document["count"], compared.document["broken"]) == (0, 0, [])
    left = {folder.name.rpartition("-")[2] for folder in (house.home / "index").glob("*-s0*")}
    assert not left & set(anew)  # it holds words of what may be destroyed since


def test_a_folder_without_an_archive_is_told_so(tmp_path: Path) -> None:
    nothing = Archive(tmp_path)
    for words in (("fsck", "--json"), ("log", "verify", "--json"), ("serve", "--json")):
        answer = nothing.run(*words)
        assert answer.code == 1
        assert answer.document["error"] == "wrong_state"
    doctor = nothing.run("doctor", "--json")
    assert doctor.code == 1
    assert [part["message"] for part in doctor.document["parts"] if part["state"] == "broken"] == ["no_archive"]
    assert "sandbox" in {part["name"] for part in doctor.document["parts"]}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("init",), ("demo", "--no-serve"), ("doctor",)])
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, words: tuple[str, ...]) -> None:
    if not Path("/sys").is_dir():
        pytest.skip("there is no folder here that even root may not write")
    answer = Archive(tmp_path).run(*words, "--json", more={"JUANKU_HOME": "/sys/juanku"})
    assert answer.code == 1
    assert "Traceback" not in answer.err
    if words != ("doctor",):
        assert (answer.document["error"], answer.document["facts"]) == ("no_access", {"path": "/sys/juanku"})
        assert "/sys/juanku" in answer.err


@pytest.fixture(scope="module")
def served(house: Archive) -> Any:
    with house.served() as tree:
        yield tree


def test_import_beside_a_running_serve_waits_for_its_worker(house: Archive, served: Served, papers: Path) -> None:
    check_import(house.run("import", papers, *IMPORT), papers)
    found = house.run("search", f'"{papers.parent.name}"', "--as", "archivist", "--json")
    assert found.document["total"] == 1
    assert served.answers()


def test_import_without_waiting_leaves_the_work_to_a_running_serve(
    house: Archive, served: Served, tmp_path: Path
) -> None:
    file = tmp_path / "later.txt"
    file.write_text(f"稍后 {tmp_path.name}")
    answer = house.run("import", file, *IMPORT, "--no-wait", "--field", "drawn_up=2024-03-05")
    assert (answer.code, answer.document["filed"]) == (0, 1)
    assert house.run("fsck", "--json").document["ok"], "fsck waits for the worker"
    assert house.run("search", f'"{tmp_path.name}"', "--as", "archivist", "--json").document["total"] == 1
    assert served.answers()


def test_fsck_and_verify_work_beside_a_running_serve(house: Archive, served: Served) -> None:
    assert house.run("fsck", "--json").document["ok"]
    assert house.run("log", "verify", "--json").document["ok"]
    assert served.answers()
