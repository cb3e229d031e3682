"""Commands for who works on Juanku itself: test, check, bench, pictures."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import click

from runtime.cli.out import Out
from web.words import mark

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str | Path]] = {
    "lint": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "types": [BIN / "mypy"],
    "imports": [BIN / "lint-imports"],
    "dependencies": [BIN / "deptry", "."],
}


TOGETHER = ["--dist", "loadfile", "--no-loadscope-reorder"]  # in the order of tests/conftest.py
MEMORY = Path("/dev/shm")  # noqa: S108 (pytest makes a folder of its own there)
LONGEST = ["--durations", "25", "--durations-min", "5"]  # seconds; where the time of a whole run goes
ROOM = 4_000_000_000  # bytes of memory that all tests at once leave untouched by far


def _run(command: list[str | Path]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 (our own tools)


def _quick_folder() -> list[str]:
    """Let the tests' folders lie in memory where there is room: they wait for the disk half of their time."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(MEMORY).free > ROOM:
            return [f"--basetemp={MEMORY / f'juanku-tests-{crc32(bytes(ROOT)):08x}'}"]
    return []


@click.command("check", help="Lint, format, types, import contracts, dependencies.")
def check() -> None:
    """Run every fast check."""
    out = Out()
    failed = [name for name, command in CHECKS.items() if _run(command)]
    if failed:
        out.remark(mark("These checks failed: %(names)s"), names=", ".join(failed))
        sys.exit(1)
    out.remark(mark("All checks passed."))


@click.command(
    "test",
    help="Pass the tests, and name what was skipped and why. Further words go to pytest.",
    context_settings={"ignore_unknown_options": True},
)
@click.option("--all", "everything", is_flag=True, help="Also the tests that kill processes many times.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def test(everything: bool, words: tuple[str, ...]) -> None:
    """Run the tests: first, with nothing beside them, those that measure a time; then all others.

    Where a PostgreSQL server is named, those that the database may change are then run on it once more.
    """
    workers = str(min((os.cpu_count() or 1) + 1, 4))  # one more than processors: some always wait
    chosen = [] if everything else ["-m", "not faults"]
    parallel = ["-n", workers, *TOGETHER]
    pytest: list[str | Path] = [sys.executable, "-m", "pytest", *_quick_folder()]
    if words:
        by_hand = any(re.match(r"-n|-p|--pdb", word) for word in words)
        sys.exit(_run([*pytest, *([] if by_hand else parallel), *chosen, *words]))
    timed = ROOT / "tests" / "timed"
    codes = [
        _run([*pytest, timed, "--on", "embedded"]),
        _run([*pytest, *parallel, *LONGEST, *chosen, f"--ignore={timed}", "--on", "embedded"]),
        _run([*pytest, *parallel, *LONGEST, "-m", "postgres", "--on", "postgres"]),
    ]
    sys.exit(next(filter(None, codes), 0))


@click.command("bench", help="Measure. Names: see benchmarks/.", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, words: tuple[str, ...]) -> None:
    """Run one benchmark."""
    script = ROOT / "benchmarks" / f"{name}.py"
    if not re.fullmatch(r"[a-z_]+", name) or not script.exists():
        known = sorted(p.stem for p in (ROOT / "benchmarks").glob("[a-z]*.py"))
        Out().remark(mark("There is no benchmark %(name)s; there are: %(known)s"), name=name, known=", ".join(known))
        sys.exit(2)
    sys.exit(_run([sys.executable, script, *words]))


@click.command(
    "pictures",
    help="Make the pictures of READMEs and handbook anew; --pages FOLDER pictures every page in every way.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def pictures(words: tuple[str, ...]) -> None:
    """Picture the product's pages in Chromium."""
    sys.exit(_run([sys.executable, "-m", "tests.browser.pictures", *words]))


COMMANDS = (check, test, bench, pictures)
