"""Hostile files are parsed apart: whatever a fork tries is refused or ended, and the next file is read as ever."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.errors import Unavailable
from indexer.extract.answer import Extracted, Failure, Reason, Unreadable
from indexer.extract.text import extract_text
from indexer.sandbox import wire
from indexer.sandbox.client import Extractor
from indexer.sandbox.confinement import Limits
from indexer.sandbox.detector import SandboxDetector
from tests.fakes import hostile_acts

TEXT = "第一条 物业档案\n".encode()
FILES = 20

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's walls are Linux's")


@pytest.fixture(scope="module")
def hostile() -> Iterator[Extractor]:
    with Extractor(limits=Limits(cpu=1, wall=10.0), hostile="tests.fakes.hostile_acts") as extractor:
        yield extractor


def attempt(extractor: Extractor, act: str) -> object:
    found = extractor._command("hostile:" + act)
    return found.get("done") or found["end"]


def still_works(extractor: Extractor) -> bool:
    found = extractor.extract("text/plain", [TEXT], len(TEXT))
    return isinstance(found, Extracted) and found.pages == ("第一条 物业档案",)


@linux
@pytest.mark.parametrize(
    "act",
    [
        "inet_socket",
        "unix_socket",
        "write_canary",
        "read_password_file",
        "list_root",
        "run_program",
        "fork_bomb",
        "start_thread",
        "kill_parent",
        "trace_parent",
        "more_memory_allowed",
    ],
)
def test_what_a_parser_never_needs_is_refused(hostile: Extractor, act: str) -> None:
    assert str(attempt(hostile, act)).startswith("refused")
    assert not hostile_acts.CANARY.exists()
    assert still_works(hostile)


@linux
def test_a_fork_holds_nothing_but_its_file_and_its_answer(hostile: Extractor) -> None:
    assert attempt(hostile, "open_descriptors") in ("[0, 1, 2, 4]", "[0, 1, 2, 4, 5]")  # 4 the pipe, 5 the mapped file


def test_no_setting_of_the_house_reaches_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUANKU_KEYS", "/secret/ring")
    with Extractor(hostile="tests.fakes.hostile_acts") as extractor:
        names = set(str(attempt(extractor, "environment")).split())
    assert names <= {"PATH", "LANG", "LC_CTYPE", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUTF8"} | {
        "MAGIC",
        "LIBRARY_PATH",
        "LD_LIBRARY_PATH",
        "GLIBC_TUNABLES",
        "PYTHONMALLOC",
    }  # pylibmagic sets three of its own inside; the last two are how the server keeps its memory


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("allocate", Reason.MEMORY),
        ("loop", Reason.TIME),
        ("sleep", Reason.TIME),
        ("huge_output", Reason.TOO_LARGE),
        ("nonsense_output", Reason.CRASHED),
        ("segfault", Reason.CRASHED),
        ("exit_quietly", Reason.CRASHED),
    ],
)
def test_what_goes_out_of_bounds_is_ended_with_its_reason(hostile: Extractor, act: str, reason: Reason) -> None:
    if act == "allocate" and not sys.platform.startswith("linux"):
        pytest.skip("memory is bounded on Linux only")
    ended = hostile.extract("hostile:" + act, [b"x"], 1)
    assert isinstance(ended, Failure)
    assert ended.reason is reason
    assert still_works(hostile)


@linux
def test_the_kernel_walls_of_this_machine_are_told(hostile: Extractor) -> None:
    told = hostile.capabilities()
    assert "limits" in told
    assert {"seccomp", "landlock", "namespace"} & set(told), "nothing here blocks sockets and writes"


def test_a_dead_server_is_replaced_and_the_file_still_read() -> None:
    with Extractor() as extractor:
        assert still_works(extractor)
        os.kill(extractor._server._process.pid, signal.SIGKILL)
        assert still_works(extractor)


def test_the_server_ends_with_its_client() -> None:
    extractor = Extractor()
    assert still_works(extractor)
    server = extractor._server
    server._channel.shutdown(socket.SHUT_RDWR)  # as when the client dies; one that stays is killed where that closes it
    assert server._process.wait(60) == 0
    extractor.close()
    with pytest.raises(Unavailable):
        extractor.extract("text/plain", [TEXT], len(TEXT))


def test_the_server_is_ended_by_its_client() -> None:
    extractor = Extractor()
    assert still_works(extractor)
    process = extractor._server._process
    extractor.close()
    assert process.poll() is not None


def test_many_threads_get_each_their_own_text() -> None:
    def ask(number: int) -> tuple[str, ...]:
        text = f"第{number}号档案".encode()
        return extractor.extract("text/plain", [text], len(text)).pages

    with Extractor() as extractor, ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(60))) == [(f"第{number}号档案",) for number in range(60)]


def test_nothing_is_left_open_after_many_files() -> None:
    def descriptors() -> int:
        gc.collect()
        return len(list(Path("/dev/fd").iterdir()))

    with Extractor() as extractor:
        still_works(extractor)
        before = descriptors()
        for _ in range(FILES):
            still_works(extractor)
        assert descriptors() < before + FILES, "others in this process may open some and close some; not one a file"


def test_a_file_beyond_the_limit_is_too_large_at_once() -> None:
    with Extractor() as extractor:
        assert extractor.extract("text/plain", [], 300_000_000) == Failure(Reason.TOO_LARGE)


def test_kinds_without_a_parser_and_empty_files_are_named(hostile: Extractor) -> None:
    assert hostile.extract("audio/mpeg", [b"x"], 1) == Failure(Reason.UNSUPPORTED)
    assert hostile.extract("application/pdf", [], 0) == Failure(Reason.EMPTY)


@pytest.mark.parametrize("encoding", ["cp932", "cp949", "cp1251", "koi8_r", "cp1253", "cp874", "cp500", "iso8859_2"])
def test_every_encoding_is_answered_inside_as_outside(hostile: Extractor, encoding: str) -> None:
    words = {
        "cp932": "エレベーターの点検記録です。管理組合の総会で承認されました。",
        "cp949": "승강기 점검 기록입니다. 관리 조합 총회에서 승인되었습니다.",
        "cp1253": "Ο έλεγχος του ανελκυστήρα ολοκληρώθηκε με επιτυχία.",
        "cp874": "บันทึกการตรวจสอบลิฟต์ของอาคารนี้",
        "cp500": "The lift was inspected; the papers are kept.",
        "iso8859_2": "Kontrola výtahu proběhla úspěšně, žádné závady nebyly zjištěny.",
    }
    data = words.get(encoding, "Проверка лифта прошла успешно.").encode(encoding) * 30
    try:
        outside: object = extract_text(data)
    except Unreadable as refused:
        outside = refused.failure
    assert hostile.extract("text/plain", [data], len(data)) == outside


def test_media_types_are_found_inside_the_sandbox(hostile: Extractor) -> None:
    assert SandboxDetector(hostile).detect("卷内文件目录".encode("gb18030"), "目录.txt") == "text/plain"
    assert SandboxDetector(hostile).detect(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.png") == "image/png"


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\x00\x00\x01x", b"\xff\xff\xff\xff" + b"x" * 9])
def test_an_answer_that_is_none_is_not_believed(body: bytes) -> None:
    assert wire.unpack_answer(body) is None


@pytest.mark.parametrize(
    "claimed",
    [
        {"pages": [1], "first": 1, "count": 1},
        {"pages": ["a", "b"], "first": 1, "count": 1},
        {"pages": [], "first": 0, "count": 1},
        {"pages": "text", "first": 1, "count": 1},
        {"failure": "lucky"},
    ],
)
def test_an_answer_that_contradicts_itself_is_not_believed(claimed: dict[str, object]) -> None:
    assert wire.unpack_answer(wire.pack_answer(claimed)) is None


@pytest.mark.samples
def test_real_pdf_files_are_all_answered() -> None:
    folder = Path(__file__).parents[3] / "shared/samples/pdf"
    if not folder.is_dir():
        pytest.skip("no sample PDFs beside the checkout")
    with Extractor() as extractor:
        found = {
            path.name: extractor.extract("application/pdf", [path.read_bytes()], path.stat().st_size)
            for path in folder.glob("*.pdf")
        }
    assert found["libreoffice-writer-password.pdf"] == Failure(Reason.ENCRYPTED)
    assert found["GeoTopo-komprimiert.pdf"].page_count == 117
    read = [answer for answer in found.values() if isinstance(answer, Extracted)]
    assert len(read) >= len(found) - 2
