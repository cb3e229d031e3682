"""What lies in the checkout is the same on every machine: no path, host or file of the place where it was written."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# In two parts each, so that this file does not find itself.
PLACES = re.compile(
    "|".join(
        (
            r"(?<![\w./-])/wo" + r"rk/",
            r"/t" + r"mp/br" + r"ief",
            r"(?<![\w./-])/ro" + r"ot/",
            r"(?<![\w./-])/ho" + r"me/\w",
            r"(?<![\w./-])/Us" + r"ers/\w",
            r"file:///(?:ho" + r"me|wo" + r"rk)",
        )
    )
)
REGISTRIES = re.compile(
    "|".join(
        (r"https?://[\w.-]*(?:art" + r"ifactory|ne" + r"xus|dev" + r"pi)", r"--index-" + r"url", r"--extra-" + r"index")
    )
)
EXCUSED = {"LICENSE"}


@cache
def tracked() -> list[Path]:
    answer = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        pytest.skip("this is not a git checkout")
    names = answer.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and name not in EXCUSED and (ROOT / name).is_file()]


@cache
def lines() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [(f"{path.relative_to(ROOT).as_posix()}:{n}", line) for n, line in enumerate(text.splitlines(), 1)]
    return found


def test_no_file_names_a_machine() -> None:
    assert not [f"{where} {line[:120]}" for where, line in lines() if PLACES.search(line)]


def test_no_file_names_a_registry() -> None:
    assert not [f"{where} {line[:120]}" for where, line in lines() if REGISTRIES.search(line)]


def test_locks_name_versions_and_hashes_and_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-ocr.lock", "requirements-house.lock"):
        text = (ROOT / name).read_text("utf-8")
        pins = re.findall(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z,]+\])?==", text, re.MULTILINE | re.IGNORECASE)
        assert len(pins) > 20
        assert "://" not in "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        for block in re.split(r"\n(?=\S)", text):
            if "==" in block.split("\n")[0] and not block.startswith("#"):
                assert "--hash=sha256:" in block, block[:80]


def test_no_secret_and_no_data_lies_in_the_tree() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in tracked()}
    assert not [name for name in names if name.endswith((".db", ".key", ".pem", ".pyc", ".sqlite", ".mo"))]
    assert not [name for name in names if name.startswith(("data/", "data.keys/"))]


def test_no_file_is_too_heavy_to_clone() -> None:
    heavy = {p.relative_to(ROOT).as_posix(): p.stat().st_size for p in tracked() if p.stat().st_size > 1_500_000}
    assert set(heavy) <= {
        name for name in heavy if name.startswith("docs/pictures/") or name.endswith((".ttf", ".otf"))
    }


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
