"""An auditor's package is checked with nothing but Python, by a process that has no access to the house."""

import csv
import io
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path

import pytest

from archive.errors import NotAllowed
from archive.jobs.outbox import Outbox
from archive.log.checkpoints import Checkpoints
from archive.log.sealer import Sealer
from archive.model import DestructionState
from retention.destroying import check_package
from retention.destroying.whole import Destructions
from retention.reckoning import DueDays
from storage.ring import KeyRing
from tests.factories.destroying import DestroyingHouse, a_destroying_house
from tests.factories.retained import Nobody

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
Change = Callable[[str, bytes], bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DestroyingHouse, KeyRing, bytes]]:
    folder = tmp_path_factory.mktemp("house")
    with a_destroying_house(folder) as house:
        ring = house.lent.vault.ring
        house.record(title="关于绿化的通知")
        house.record()
        house.to(DestructionState.GONE)
        Sealer(house.lent.db, house.lent.clock).seal_all()
        Checkpoints(house.lent.db, ring, house.lent.clock).make()
        yield house, ring, _package(house, ring, "audit")


def _package(house: DestroyingHouse, ring: KeyRing, login: str) -> bytes:
    lent = house.lent
    outbox = Outbox(lent.clock, Nobody())
    due_days = DueDays(lambda: "Asia/Shanghai")
    acts = Destructions(lent.db, lent.guard, lent.vault, lent.log, outbox, lent.clock, due_days, signer=ring)
    return acts.audit.package(house.who(login), *PERIOD)


def checked(folder: Path, package: bytes, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the package's own checker, alone in an empty folder: no path leads to the program."""
    path = folder / "package.zip"
    path.write_bytes(package)
    with zipfile.ZipFile(path) as opened:
        (folder / "check_package.py").write_bytes(opened.read("check_package.py"))
    return subprocess.run(
        [sys.executable, "-I", "check_package.py", "package.zip", *more],
        cwd=folder, env={}, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


def changed(package: bytes, change: Change) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def test_it_is_right_and_says_what_went(made: tuple[DestroyingHouse, KeyRing, bytes], tmp_path: Path) -> None:
    _house, ring, package = made
    key = ring.public_keys()[ring.key_id].hex()
    told = checked(tmp_path, package, "--key", key)
    assert (told.returncode, told.stdout.splitlines()[-1]) == (0, "right"), told
    assert "entries proved by the checkpoint" in told.stdout
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        rows = list(csv.DictReader(io.StringIO(opened.read("register.csv").decode("utf-8-sig"))))
    assert len(rows) == 2
    assert {row["destruction"] for row in rows} == {"XH2026-0001"}


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("register.csv", "2020-01-01", "2019-01-01", "register.csv: changed"),
        ("manifest.json", "2026-01-01", "2025-01-01", "signature is not the house's"),
        ("log.json", '"path": [\n    "', '"path": [\n    "00', "log.json: changed"),
    ],
)
def test_a_changed_line_is_found(
    made: tuple[DestroyingHouse, KeyRing, bytes], tmp_path: Path, name: str, old: str, new: str, says: str
) -> None:
    bad = changed(made[2], lambda each, data: data.replace(old.encode(), new.encode()) if each == name else data)
    assert bad != made[2]
    told = checked(tmp_path, bad)
    assert told.returncode == 1, told
    assert says in told.stdout or says in told.stderr


def test_one_byte_changed_anywhere_in_the_file_is_never_a_fault_of_the_checker(
    made: tuple[DestroyingHouse, KeyRing, bytes],
) -> None:
    """What a flip leaves right is no byte of what the package says: a flag or a time of the ZIP itself."""
    check_in_words, package = _checker(), made[2]
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        says = {name: opened.read(name) for name in opened.namelist()}
    wrong = 0
    for at in range(0, len(package), 17):
        flipped = package[:at] + bytes([package[at] ^ 0x20]) + package[at + 1 :]
        code, told = check_in_words(flipped)
        assert "Traceback" not in told
        assert (code, told.splitlines()[-1]) in {(0, "right"), (1, "wrong")}, at
        wrong += code
        if code == 0:
            with zipfile.ZipFile(io.BytesIO(flipped)) as opened:
                assert {name: opened.read(name) for name in opened.namelist()} == says, at
    assert wrong > len(package) // 17 // 2


def test_a_cut_package_a_file_that_stands_there_twice_and_a_bad_key_are_told_in_words(
    made: tuple[DestroyingHouse, KeyRing, bytes], tmp_path: Path
) -> None:
    check_in_words, package = _checker(), made[2]
    assert check_in_words(package[:-50])[0] == 1
    twice = io.BytesIO(package)
    with warnings.catch_warnings(), zipfile.ZipFile(twice, "a") as opened:
        warnings.simplefilter("ignore")
        opened.writestr("register.csv", opened.read("register.csv"))
    code, told = check_in_words(twice.getvalue())
    assert (code, "holds a file twice" in told) == (1, True), told
    for key in ("zz", "11" * 31):
        bad = checked(tmp_path, package, "--key", key)
        assert (bad.returncode, bad.stdout, bad.stderr) == (2, "--key: the public key is 64 hexadecimal digits\n", "")


def _checker() -> Callable[[bytes], tuple[int, str]]:
    """Return the checker's own ``main`` as it answers for the bytes of a package."""

    def answer(package: bytes) -> tuple[int, str]:
        with tempfile.NamedTemporaryFile(suffix=".zip") as file, redirect_stdout(io.StringIO()) as said:
            file.write(package)
            file.flush()
            code = check_package.main([file.name])
        return code, said.getvalue()

    return answer


def test_another_key_does_not_pass(made: tuple[DestroyingHouse, KeyRing, bytes], tmp_path: Path) -> None:
    told = checked(tmp_path, made[2], "--key", "11" * 32)
    assert told.returncode == 1
    assert "WRONG" in told.stdout


def test_only_the_auditor_takes_it(made: tuple[DestroyingHouse, KeyRing, bytes]) -> None:
    with pytest.raises(NotAllowed):
        _package(made[0], made[1], "archivist")
