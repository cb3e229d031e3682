"""While a file comes in, no plain byte of it is in any file on disk: not in what the processes hold open, not in a
folder of theirs, not in the temporary folder."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.model import Category, Content
from archive.ports import PIECE_BYTES
from tests.factories.archives import Archive, wait_for
from tests.factories.browser import Browser

CANARY = b"canary-of-plain-bytes-7d1f"
DATA = (CANARY * (PIECE_BYTES // len(CANARY) + 50_000))[: PIECE_BYTES + 1_000_000]
BLOCK = 4 * 1024 * 1024


def bears_canary(path: Path) -> bool:
    """Whether a file's bytes hold the canary. A file that is gone meanwhile does not."""
    try:
        with path.open("rb") as file:
            tail = b""
            while block := file.read(BLOCK):
                if CANARY in block or CANARY in tail + block[: len(CANARY)]:
                    return True
                tail = block[-len(CANARY) :]
    except OSError:
        return False
    return False


def held_open(archive: Archive, pids: Iterable[int]) -> Iterator[Path]:
    """Yield every file on disk that processes hold open, also those whose names are gone.

    What lies in the archive's folder counts as on disk, though in a test it may lie in memory.
    """
    for pid in pids:
        with contextlib.suppress(OSError):
            for number in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    target = str(number.readlink())
                    elsewhere = not target.startswith(("/memfd:", "/dev/", "/proc/"))
                    if target.startswith("/") and (elsewhere or target.startswith(str(archive.folder))):
                        yield number


def plain(archive: Archive, pids: Iterable[int]) -> list[str]:
    """Return every file that holds the canary."""
    found = [f"{path} -> {path.readlink()}" for path in held_open(archive, pids) if bears_canary(path)]
    below = (path for path in archive.folder.rglob("*") if path.is_file())
    return found + [str(path) for path in below if bears_canary(path)]


@contextlib.contextmanager
def watched(archive: Archive, pids: Callable[[], Iterable[int]]) -> Iterator[list[str]]:
    """Look for plain bytes all the time, beside what is done inside; the list is what was found."""
    found: list[str] = []
    rounds: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set() or not rounds:
            found.extend(plain(archive, pids()))
            rounds.append(1)
            stop.wait(0.1)  # the processes that are looked at need the processor too

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def a_record(archive: Archive) -> UUID:
    """Catalogue a record as the archivist."""
    parts = archive.parts()
    with parts.db.reading() as session:
        category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
    draft = Draft(fonds_id=category.fonds_id, category_id=category.id, title="录像", drawn_up="2024-03-05")
    record = parts.records.create(parts.people.identity_of("archivist"), draft)
    archive.work(parts)
    archive.close()
    return record


def test_the_search_for_plain_bytes_finds_them(archive: Archive) -> None:
    (archive.home / "a").write_bytes(b"x" * (BLOCK - 5) + CANARY)
    with (archive.home / "b").open("w+b") as nameless:
        Path(nameless.name).unlink()
        nameless.write(CANARY)
        nameless.flush()
        found = plain(archive, [os.getpid()])
    assert len(found) == 2
    assert [each for each in found if each.endswith("(deleted)")]


@pytest.mark.parametrize("whole", [True, False], ids=["stream", "pieces"])
def test_no_plain_byte_while_the_service_takes_a_file_in(archive: Archive, *, whole: bool) -> None:
    record = a_record(archive)
    parts = archive.parts()
    who = parts.people.identity_of("archivist")
    with watched(archive, lambda: [os.getpid()]) as found:
        if whole:
            chunks = (DATA[start : start + 100_000] for start in range(0, len(DATA), 100_000))
            content = parts.intake.receive(who, record, "film.bin", chunks).content_id
        else:
            upload = parts.intake.begin(who, record, "film.bin", len(DATA))
            for number in range(2):
                piece = DATA[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
                parts.intake.put_piece(who, upload, number, piece)
                assert plain(archive, [os.getpid()]) == []
            content = parts.intake.finish(who, upload).content_id
        archive.work(parts)
    assert found == []
    assert b"".join(parts.intake.open_file(who, content).reader.read()) == DATA


def test_no_plain_byte_while_the_pages_take_a_file_in_and_the_worker_reads_it(archive: Archive) -> None:
    record = a_record(archive)
    folder = archive.folder / "tmp"
    folder.mkdir()
    with archive.served({"TMPDIR": str(folder)}) as served:
        person = Browser(served).sign_in(archive, "archivist")
        with watched(archive, served.tree) as found:
            begun = person.json("POST", f"/uploads/begin/{record}", {"name": "film.txt", "size": len(DATA)})
            path = f"/uploads/{begun['upload']}"
            for number in range(2):
                piece = DATA[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
                half = person.open("PUT", f"{path}/{number}", len(piece), {})
                half.send(piece[: len(piece) // 2])
                time.sleep(0.1)  # what came so far lies somewhere: look where
                assert plain(archive, served.tree()) == []
                half.send(piece[len(piece) // 2 :])
                assert person.end(half)[0] == 200
            content = UUID(person.json("POST", f"{path}/finish")["content"])
            _wait_until_read(archive, content)
        assert found == []


def test_a_plain_form_leaves_no_plain_byte_either(archive: Archive) -> None:
    record = a_record(archive)
    folder = archive.folder / "tmp"
    folder.mkdir()
    edge = b"--edge\r\n"
    head = b'Content-Disposition: form-data; name="files"; filename="film.txt"\r\nContent-Type: text/plain\r\n\r\n'
    with archive.served({"TMPDIR": str(folder)}) as served:
        person = Browser(served).sign_in(archive, "archivist")
        token = b'Content-Disposition: form-data; name="csrf_token"\r\n\r\n' + person.token.encode() + b"\r\n"
        body = edge + token + edge + head + DATA[:3_000_000] + b"\r\n--edge--\r\n"
        with watched(archive, served.tree) as found:
            sent = person.open(
                "POST", f"/records/{record}/files", len(body),
                {"Content-Type": "multipart/form-data; boundary=edge", "Accept": "text/html"},
            )  # fmt: skip
            sent.send(body[: len(body) // 2])
            time.sleep(0.1)
            assert plain(archive, served.tree()) == []
            sent.send(body[len(body) // 2 :])
            assert person.end(sent)[0] == 303
        assert found == []


def test_an_upload_whose_line_breaks_is_gone_on_with(archive: Archive) -> None:
    record = a_record(archive)
    with archive.served() as served:
        person = Browser(served).sign_in(archive, "archivist")
        begun = person.json("POST", f"/uploads/begin/{record}", {"name": "film.bin", "size": len(DATA)})
        path = f"/uploads/{begun['upload']}"
        broken = person.open("PUT", f"{path}/0", PIECE_BYTES, {})
        broken.send(DATA[: PIECE_BYTES // 2])
        broken.close()
        assert person.json("GET", path) == {"received": 0}
        for number in range(2):
            piece = DATA[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
            status, answer = person.ask("PUT", f"{path}/{number}", piece, {"Accept": "application/json"})
            assert status == 200, answer
        assert person.json("POST", f"{path}/finish")["size"] == len(DATA)


def _wait_until_read(archive: Archive, content: UUID) -> None:
    parts = archive.parts()

    def read() -> bool:
        with parts.db.reading() as session:
            return session.get_one(Content, content).text_version > 0

    wait_for(read, 120)
