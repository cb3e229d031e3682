"""Entries of the log are told in words: codes, ids and what a program writes are not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from archive.ids import new_id
from web import i18n
from web.log_words import PARTS, actor, told_body
from web.words.acts import ACTS

ROOT = Path(__file__).parents[2]
ROOMS = ("archive", "retention", "storage", "indexer", "web", "runtime")


@pytest.fixture
def page() -> Iterator[None]:
    app = Flask(__name__)
    i18n.init_app(app)
    with app.test_request_context(headers={"Cookie": "juanku_language=zh_CN"}):
        yield


@pytest.mark.usefixtures("page")
def test_codes_are_told_in_words_and_ids_are_left_out() -> None:
    matter = {"kind": "claim", "matter": str(new_id()), "reason": "业主索赔未结"}
    assert told_body(matter) == ["种类: 索赔", "理由: 业主索赔未结"]
    event = {"day": "2024-12-31", "event": str(new_id()), "kind": "contract_end", "note": "合同期满"}
    assert told_body(event) == ["日期: 2024-12-31", "种类: 合同终止", "备注: 合同期满"]
    assert actor("system:retention") == "系统（期限与处置）"


@pytest.mark.usefixtures("page")
def test_before_and_after_are_told_by_what_their_fields_are_called() -> None:
    after = {"carrier": "paper", "condition": "good", "original": True, "original_at": None, "pages": 12}
    [line] = told_body({"before": None, "after": after})
    assert line.startswith("— → ")
    assert "original" not in line
    assert "True" not in line
    assert "纸质" in line
    changed = {"before": {"title": "旧题名", "level": 1}, "after": {"title": "新题名", "level": 1}}
    assert told_body(changed) == ["题名: 旧题名 → 新题名"]
    moved = {"before": None, "after": str(new_id())}
    assert told_body(moved) == []
    assert told_body(
        {"before": {"dossier_id": None, "title": "旧"}, "after": {"dossier_id": str(new_id()), "title": "新"}}
    ) == ["题名: 旧 → 新"]


def _noted() -> Iterator[tuple[str, str]]:
    """Yield each act that is written by its name, with where."""
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr.startswith("note")
            ):
                for given in node.args:
                    if isinstance(given, ast.Constant) and isinstance(given.value, str) and "." in given.value:
                        yield given.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_each_act_that_the_log_gets_has_words() -> None:
    noted = dict(_noted())
    assert len(noted) > 100
    assert {act: where for act, where in noted.items() if act not in ACTS} == {}


def test_every_part_of_the_system_that_acts_by_itself_has_a_name() -> None:
    called = re.compile(r"\bsystem\(\"([a-z_-]+)\"")
    named = {
        (part, file.name)
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        for part in called.findall(file.read_text("utf-8"))
    }
    assert [each for each in sorted(named) if each[0] not in PARTS] == []
    assert len(named) > 10


@pytest.mark.usefixtures("page")
def test_numbers_of_telephones_are_told_by_their_ends_whatever_shape_they_have() -> None:
    body = {"before": {"fields": {"phone": "0755-26881234"}}, "after": {"fields": {"phone": "13812345678"}}}
    [line] = told_body(body, {"phone"})
    assert ("0***********4" in line, "138****5678" in line) == (True, True), line
    assert told_body({"phone": "26881234", "note": "26881234"}, {"phone"})[1].endswith("26881234")
    assert "6881" not in told_body({"phone": "26881234"}, {"phone"})[0]


@pytest.mark.usefixtures("page")
def test_a_fact_of_an_act_is_told_whole_though_a_field_of_numbers_has_its_name() -> None:
    body = {"number": "XH2036-0001", "after": {"number": "26881234"}, "before": {"number": ""}}
    inside, outside = told_body(body, {"number"})
    assert ("6881" in inside, outside.endswith("XH2036-0001")) == (False, True)
