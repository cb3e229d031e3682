"""Every fault that any room can find has words in the one table, with gaps only for facts it carries."""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from archive.errors import ArchiveError, Conflict, Fault, InvalidInput, Quarantined, StorageFull, TooLarge, Unavailable
from indexer.extract.answer import Reason
from web.security import FormTooLarge
from web.words import LOCALES, field_faults
from web.words.destructions import FAULTS as DESTRUCTION_FAULTS
from web.words.errors import ERRORS
from web.words.faults import explain, explain_failed, explain_fault, explain_waiting, status_of
from web.words.field_faults import FAULTS, WAITING
from web.words.fields import FIELDS
from web.words.form_faults import FORM_FAULTS
from web.words.leaving_faults import LEAVING_FAULTS
from web.words.loans import FAULTS as LOAN_FAULTS
from web.words.put_aside import REASONS
from web.words.shelves import FAULTS as SHELF_FAULTS

ROOT = Path(__file__).parents[2]
ROOMS = ("archive", "indexer", "storage", "retention", "web", "runtime")


def _modules() -> Iterator[ast.Module]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            yield ast.parse(path.read_text("utf-8"))


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _makes_fault(function: ast.FunctionDef) -> bool:
    names = {getattr(node.func, "id", "") for node in ast.walk(function) if isinstance(node, ast.Call)}
    return "Fault" in names


def _codes() -> set[str]:
    found: set[str] = {"bad_date"}  # archive.dates makes its fault from a class attribute
    for module in _modules():
        helpers = {
            each.name: [arg.arg for arg in each.args.args].index("code")
            for each in ast.walk(module)
            if isinstance(each, ast.FunctionDef) and "code" in [a.arg for a in each.args.args] and _makes_fault(each)
        }
        for node in ast.walk(module):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = 1 if name in {"Fault", "fault"} else helpers.get(name)
            if place is None:
                continue
            if isinstance(node.func, ast.Attribute) and name in helpers and name != "fault":
                place -= 1
            if 0 <= place < len(node.args):
                found.update(_constants(node.args[place]))
    return found


def test_every_fault_code_of_every_room_has_words() -> None:
    codes = _codes()
    assert len(codes) > 40, "the collector finds too little to be trusted"
    assert codes - set(FAULTS) == set()


def test_every_field_that_a_fault_names_has_words() -> None:
    named = {
        field
        for module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in {"Fault", "fault"}
        for field in (_constants(node.args[0]) if node.args else ())
    }
    assert len(named) > 100, "the collector finds too little to be trusted"
    assert {field for field in named if not field.startswith("JUANKU_")} - set(FIELDS) == set()


def test_every_error_of_the_tree_has_words_and_a_status() -> None:
    def below(kind: type[ArchiveError]) -> Iterator[type[ArchiveError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    shipped = {kind.code for kind in below(ArchiveError) if kind.__module__.partition(".")[0] in ROOMS}
    assert shipped - set(ERRORS) == set()


def test_every_reason_of_extraction_has_words() -> None:
    assert {reason.value for reason in Reason} - set(REASONS) == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_no_explanation_shows_a_gap_or_a_code_in_any_language(locale: str) -> None:
    errors: list[ArchiveError] = [
        TooLarge(limit=9_000_000, size=10_000_000),
        FormTooLarge(limit=4_000_000, size=6_000_000, fields=1000),
        Unavailable(part="database"),
        StorageFull(part="store"),
        Quarantined(reason="encrypted", name="a.pdf"),
        InvalidInput(Fault("title", "required"), Fault("title", "too_long", {"limit": 2000, "length": 3000})),
    ]
    for error in errors:
        told = "\n".join(explain(error, locale))
        assert "…" not in told
        assert "%(" not in told
    assert status_of(TooLarge(limit=1, size=2)) == 413


def test_a_fault_whose_fact_is_missing_is_told_with_a_gap_and_never_fails() -> None:
    assert "…" in explain_fault(Fault("title", "too_long"), "en")
    assert "no_such_code" in explain_fault(Fault("title", "no_such_code"), "zh_CN")


def test_errors_are_told_in_each_language_of_its_own() -> None:
    told = {locale: explain(Unavailable(part="database"), locale)[0] for locale in LOCALES}
    assert told["zh_CN"] == "系统的一部分没有应答：数据库。"
    assert told["zh_TW"] == "系統的一部分沒有回應：資料庫。"
    assert told["en"] == "A part of the system does not answer: the database."


def test_a_record_that_waits_names_the_fields_it_needs() -> None:
    assert explain_waiting("fields_missing", ["drawn_up"], "zh_CN") == "还缺：成文日期。"


@pytest.mark.parametrize("locale", LOCALES)
def test_why_a_file_waits_or_did_not_come_in_holds_no_code_in_any_language(locale: str) -> None:
    told = [explain_waiting(code, ["title"], locale) for code in (*WAITING, *REASONS, *FAULTS)]
    told = [words for words in told if not words.endswith("rule_differs")]  # it names a rule by its code
    faults = [InvalidInput(Fault("file", code, {"code": "R1"})) for code in FAULTS]
    others = [StorageFull(part="store"), Conflict(what="upload"), TooLarge(limit=1, size=2), PermissionError()]
    told += [explain_failed(error, locale) for error in [*faults, *others]]
    assert [words for words in told if not words or re.search(r"\b[a-z]+_[a-z_]+\b", words)] == []


def test_no_code_stands_in_two_tables_of_which_one_would_win() -> None:
    tables = {"own": _own_codes(), "forms": FORM_FAULTS, "leaving": LEAVING_FAULTS, "loans": LOAN_FAULTS}
    tables |= {"destructions": DESTRUCTION_FAULTS, "shelves": SHELF_FAULTS}
    places: dict[str, list[str]] = {}
    for name, table in tables.items():
        for code in table:
            places.setdefault(code, []).append(name)
    assert len(places) > 300
    assert {code: names for code, names in places.items() if len(names) > 1} == {}


def _own_codes() -> Collection[str]:
    """Return the codes that stand in the table itself, beside those of the others."""
    tree = ast.parse(Path(field_faults.__file__).read_text(encoding="utf-8"))
    named = (each for each in tree.body if isinstance(each, ast.AnnAssign))
    [table] = [each.value for each in named if getattr(each.target, "id", "") == "FAULTS"]
    assert isinstance(table, ast.Dict)
    return [str(each.value) for each in table.keys if isinstance(each, ast.Constant)]
