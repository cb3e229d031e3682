"""The real ClamAV, with a database of one signature of our own."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.sandbox.memory import MemoryFile
from indexer.scanner import ClamAV, Verdict

CLAMD = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

pytestmark = pytest.mark.skipif(CLAMD is None, reason="clamd is not installed; Debian has it as clamav-daemon")


@pytest.fixture(scope="module")
def scanner() -> Iterator[ClamAV]:
    with tempfile.TemporaryDirectory() as name:  # a socket's path must be short
        folder = Path(name)
        (folder / "db").mkdir()
        (folder / "db" / "own.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        lines = [f"LocalSocket {folder}/s", "Foreground yes", f"DatabaseDirectory {folder}/db", "StreamMaxLength 1M"]
        (folder / "conf").write_text("\n".join(lines) + "\n")
        daemon = subprocess.Popen([str(CLAMD), "-c", str(folder / "conf")], stdout=subprocess.PIPE)
        try:
            scanner = ClamAV(f"unix:{folder}/s")
            for line in daemon.stdout or ():
                if b"Self checking" in line:  # its last word before it listens to us
                    break
            yield scanner
        finally:
            daemon.terminate()
            daemon.wait()


def _scanned(scanner: ClamAV, data: bytes) -> Verdict:
    file = MemoryFile([data], size=len(data), limit=10_000_000)
    try:
        return scanner.scan(file)
    finally:
        file.close()


@pytest.mark.parametrize(
    ("data", "virus"),
    [
        (b"", ""),
        ("物业服务合同".encode(), ""),
        (EICAR, "Test.Eicar.UNOFFICIAL"),
        (b"x" * 300_000 + EICAR, "Test.Eicar.UNOFFICIAL"),
    ],
)
def test_it_finds_what_it_knows_and_nothing_else(scanner: ClamAV, data: bytes, virus: str) -> None:
    found = _scanned(scanner, data)
    assert found.virus == virus
    assert found.scanned_with.startswith("ClamAV ")


def test_a_file_over_its_limit_is_not_scanned(scanner: ClamAV) -> None:
    assert _scanned(scanner, b"x" * 3_000_000) == Verdict("", "")
