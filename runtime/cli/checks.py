"""Commands for who works on Juanku itself: test, check, bench, pictures."""

import os
import re
import subprocess
import sys
from pathlib import Path

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


def _run(command: list[str | Path]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 (our own tools)


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
    """Run the tests."""
    workers = str(min(os.cpu_count() or 1, 4))
    chosen = [] if everything else ["-m", "not faults"]
    parallel = [] if any(re.match(r"-n|-p|--pdb", word) for word in words) else ["-n", workers, "--dist", "loadgroup"]
    sys.exit(_run([sys.executable, "-m", "pytest", *chosen, *parallel, *words]))


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
