"""The rooms of the house: imports go one way, files and functions stay small, tasks stay two lines."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("archive", "storage", "indexer", "retention", "web", "runtime")

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_imports_keep_the_contracts() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    if not tool.exists():
        pytest.skip("import-linter is not in this environment")
    answer = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-1000:]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE
    long = {f.name: body_lines(f) for f in functions(path) if body_lines(f) > LONGEST_FUNCTION}
    assert not long


def test_a_task_is_one_call() -> None:
    tasks = [
        f for path in modules() for f in functions(path) if any("task" in ast.unparse(d) for d in f.decorator_list)
    ]
    assert {task.name for task in tasks} == {"wake"}
    for task in tasks:
        assert len(task.body) == 1
        assert isinstance(task.body[0], ast.Expr)
        assert isinstance(task.body[0].value, ast.Call)


def test_the_environment_is_read_only_where_settings_are() -> None:
    allowed = {
        "runtime/settings.py",  # the settings
        "runtime/processes/serve.py",  # hands the environment on to its children
        "runtime/cli/out.py",  # the language of the terminal
        "indexer/sandbox/running.py",  # makes an empty environment for the fork server
    }
    reading = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert reading <= allowed


def test_no_module_leaves_work_undone() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error")
    left = [
        f"{path.relative_to(ROOT)}: {word}" for path in modules() for word in words if word in path.read_text("utf-8")
    ]
    assert not left
