"""What a refused command says: it names the thing, points into the query, and gives JSON to who asked for JSON."""

import json
from pathlib import Path

import pytest

from tests.factories.archives import Archive


@pytest.fixture(scope="module")
def house(archive_template: Archive, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return archive_template.copy(tmp_path_factory.mktemp("house") / "archive")


def test_the_name_that_the_demonstration_tells_is_the_one_to_act_as(house: Archive) -> None:
    people = json.loads((house.folder / "demo.json").read_text())["people"]
    for person in people[:2]:
        assert house.run("search", "", "--as", person["name"], "--json").code == 0
    assert people[0]["full_name"] == "林静文"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("search", "x", "--as", "zhangsan"), "zhangsan"),
        (("record", "show", "X", "--as", "zhangsan"), "zhangsan"),
        (("user", "token", "zhangsan", "--name", "t"), "zhangsan"),
        (("import", "{file}", "--category", "NOCAT"), "NOCAT"),
        (("import", "{file}", "--category", "WYYZ", "--fonds", "H001", "--place", "NOPLACE"), "NOPLACE"),
        (("search", "amount:5", "--as", "archivist"), "amount"),
        (("user", "add", "archivist", "--role", "clerk"), "an account of this name"),
    ],
)
def test_what_is_not_there_is_named(house: Archive, words: tuple[str, ...], named: str) -> None:
    answer = house.run(*(word.format(file=__file__) for word in words), "--json")
    assert answer.code == 1
    assert any(named in line for line in answer.document["words"]), answer.document
    assert named in answer.err


def test_a_fault_in_a_query_is_pointed_at_on_the_screen_and_in_the_document(house: Archive) -> None:
    answer = house.run("search", "电梯 (检验", "--as", "archivist", "--json")
    (fault,) = answer.document["faults"]
    assert (fault["field"], fault["code"], fault["facts"]["at"]) == ("q", "unclosed_group", 3)
    assert answer.err.splitlines()[:2] == ["电梯 (检验", "     ^"]


@pytest.mark.parametrize(
    "words",
    [
        ("import", "/no/such/folder", "--category", "WYYZ"),
        ("user", "add", "x", "--role", "king"),
        ("user", "add"),
        ("nonsense",),
    ],
)
def test_a_mistyped_command_gives_json_to_who_asked_for_it(house: Archive, words: tuple[str, ...]) -> None:
    answer = house.run(*words, "--json")
    assert (answer.code, answer.document["error"]) == (2, "usage")
    assert answer.document["words"][0] in answer.err


def test_where_no_archive_is_the_next_step_is_told(tmp_path: Path) -> None:
    answer = Archive(tmp_path / "none").run("fsck", "--json")
    assert answer.code == 1
    assert "juanku init" in answer.err
    assert str(tmp_path / "none" / "home") in answer.err
    assert "correction" not in answer.err
