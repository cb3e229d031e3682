"""Viruses: what the scanner's daemon says, and what becomes of a file in which one is found."""

import errno
import mmap
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import Unavailable
from archive.files.rereading import Rereading
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.log.writer import Log
from archive.model import Content, ContentState, Job, JobKind, LogEntry, ScannedPage, ScanState, TextState
from archive.policy.guard import Guard
from indexer.extract.answer import Extracted
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.pagetext import load_pages
from indexer.sandbox.memory import MemoryFile
from indexer.scanner import ClamAV, Verdict
from indexer.settling import READING
from storage.objects import FileStore
from tests.factories.databases import a_database
from tests.factories.records import a_category, a_fonds, a_house
from tests.factories.stored import stored
from tests.fakes.clock import START, FixedClock
from tests.fakes.vault import MemoryVault
from tests.unit.test_rereading import WHO, Asleep, Reader

VIRUS = b"this is a virus"


@contextmanager
def a_daemon(folder: Path, answers: Callable[[bytes], bytes]) -> Iterator[str]:
    """Speak the daemon's side: read a command whole, say what ``answers`` makes of it, hang up."""
    path = folder / "clamd"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line, line.makefile("rb") as read:
                command = b""
                while not command.endswith(b"\0"):
                    command += read.read(1)
                body = b""
                while command == b"zINSTREAM\0" and (length := int.from_bytes(read.read(4))):
                    body += read.read(length)
                line.sendall(answers(command + body))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"unix:{path}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def clamd(asked: bytes) -> bytes:
    command, _, body = asked.partition(b"\0")
    if command == b"zVERSION":
        return b"ClamAV 1.4.6/27500/Mon Nov 23 2026\0"
    return b"stream: Test.Virus FOUND\0" if VIRUS in body else b"stream: OK\0"


def scanned(address: str, data: bytes) -> Verdict:
    file = MemoryFile([data], size=len(data), limit=10_000_000)
    try:
        return ClamAV(address, seconds=60).scan(file)
    finally:
        file.close()


@pytest.mark.parametrize("size", [0, 1, 262_144, 700_001])
def test_a_clean_file_is_clean_whatever_its_size(tmp_path: Path, size: int) -> None:
    with a_daemon(tmp_path, clamd) as address:
        assert scanned(address, b"x" * size) == Verdict("", "ClamAV 1.4.6/27500")


def test_a_virus_is_named_also_across_two_pieces(tmp_path: Path) -> None:
    with a_daemon(tmp_path, clamd) as address:
        assert scanned(address, b"x" * 262_140 + VIRUS).virus == "Test.Virus"


def test_a_sealed_file_is_read_on_an_older_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux before 6.7 refuses a shared mapping of what is sealed, be it only to read."""
    real = mmap.mmap

    def mapped(fd: int, length: int, *, access: int = mmap.ACCESS_DEFAULT) -> mmap.mmap:
        if access != mmap.ACCESS_COPY:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return real(fd, length, access=access)

    file = MemoryFile([VIRUS], size=len(VIRUS), limit=100)
    monkeypatch.setattr(mmap, "mmap", mapped)
    try:
        with a_daemon(tmp_path, clamd) as address:
            assert ClamAV(address, seconds=60).scan(file).virus == "Test.Virus"
    finally:
        file.close()


def test_a_file_over_the_daemons_limit_counts_as_not_scanned(tmp_path: Path) -> None:
    with a_daemon(tmp_path, lambda _asked: b"INSTREAM size limit exceeded. ERROR\0") as address:
        assert scanned(address, b"x" * 3_000) == Verdict("", "")


@pytest.mark.parametrize("said", [b"", b"\0", b"stream: ", b"stream: cannot scan ERROR\0", b"OK", b"\xff\xfe\0"])
def test_an_answer_that_is_none_blames_no_file(tmp_path: Path, said: bytes) -> None:
    with a_daemon(tmp_path, lambda _asked: said) as address, pytest.raises(Unavailable):
        scanned(address, b"x")


def test_a_file_that_was_not_looked_into_to_its_end_counts_as_not_scanned(tmp_path: Path) -> None:
    with a_daemon(tmp_path, lambda _asked: b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0") as address:
        assert scanned(address, b"x") == Verdict("", "")


def test_no_daemon_blames_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        scanned(f"unix:{tmp_path}/nobody", b"x")


class Watch:
    """A scanner that knows one virus, and may be away or not know it yet."""

    def __init__(self) -> None:
        self.away = self.unaware = False

    def scan(self, file: MemoryFile) -> Verdict:
        if self.away:
            raise Unavailable(part="virus_scanner")
        with open(file.fd, "rb", closefd=False) as read:
            read.seek(0)
            infected = VIRUS in read.read() and not self.unaware
        return Verdict("Test.Virus" if infected else "", self.version())

    def version(self) -> str:
        return "Watch 1/" + ("old" if self.unaware else "new")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), store=FileStore(tmp_path / "store"), clock=FixedClock())
    made.outbox, made.reader, made.watch = Outbox(made.clock, Asleep()), Reader(), Watch()
    made.reader.says, made.reader.kind = Extracted(("合同",), 1, 1), "text/plain"
    log = Log(made.vault, made.clock)
    handler = ExtractContents(
        db, made.vault, made.store, made.outbox, made.reader, MagicDetector(), START.date, scanner=made.watch, log=log
    )
    guard = Guard(db, log, made.clock, "Asia/Shanghai")
    made.again = Rereading(db, guard, log, made.outbox, made.clock, READING, ocr=True)
    made.handler, made.runner = handler, JobRunner(db, made.clock, [made.again, handler])
    with db.writing() as work:
        a_house(work.session)
        made.category = a_category(work.session, a_fonds(work.session))
        work.commit()
    yield made
    db.close()


def found(house: SimpleNamespace, content: UUID) -> SimpleNamespace:
    with house.db.reading() as session:
        row = session.get_one(Content, content)
        pages = [page.text for page in load_pages(session, house.vault, row.record_id, content)]
        acts = list(session.scalars(select(LogEntry.act).where(LogEntry.record_id == row.record_id)))
        index = list(session.scalars(select(Job).where(Job.kind == JobKind.INDEX, Job.subject_id == row.record_id)))
    return SimpleNamespace(row=row, pages=pages, acts=acts, index=index)


def test_an_infected_file_is_put_aside_unread_and_its_neighbour_is_read(house: SimpleNamespace) -> None:
    bad, good = stored(house, b"well " + VIRUS), stored(house, b"good")
    house.runner.drain()
    told = found(house, bad)
    assert (told.row.state, told.row.reason, told.row.virus) == (ContentState.QUARANTINED, "infected", "Test.Virus")
    assert told.pages == []
    assert told.acts == ["file.infected"]
    other = found(house, good)
    assert (other.row.text_state, other.row.scanned_with, other.pages) == (TextState.TEXT, "Watch 1/new", ["合同"])
    assert other.acts == []


def test_while_the_scanner_is_away_files_wait_and_are_read_after(house: SimpleNamespace) -> None:
    house.watch.away = True
    content = stored(house, b"good")
    for _ in range(24):
        house.runner.drain()
        house.clock.move(seconds=3_600)
    assert found(house, content).row.text_state is TextState.PENDING
    house.watch.away = False
    house.clock.move(seconds=3_600)
    house.runner.drain()
    assert found(house, content).pages == ["合同"]


def test_a_virus_known_later_takes_the_file_out_of_reach(house: SimpleNamespace) -> None:
    house.watch.unaware = True
    content = stored(house, VIRUS)
    house.runner.drain()
    assert found(house, content).pages == ["合同"]
    house.watch.unaware = False
    house.clock.move(seconds=60)
    house.again.ask(WHO, {"text": "text"})
    house.runner.drain()
    told = found(house, content)
    assert (told.row.state, told.row.virus, told.pages) == (ContentState.QUARANTINED, "Test.Virus", [])
    assert told.index


@pytest.mark.parametrize("scanner", ["switched off", "over its limit"])
def test_a_known_virus_is_not_forgotten_without_a_scan(house: SimpleNamespace, scanner: str) -> None:
    content = stored(house, VIRUS)
    house.runner.drain()
    if scanner == "switched off":
        house.handler._scanner = None
    else:
        house.watch.scan = lambda _file: Verdict("", "")
    house.clock.move(seconds=60)
    house.again.ask(WHO, {})
    house.runner.drain()
    told = found(house, content)
    assert (told.row.state, told.row.virus, told.pages) == (ContentState.QUARANTINED, "Test.Virus", [])
    assert told.row.scanned_with == ("Watch 1/new" if scanner == "switched off" else None)


def test_one_that_a_newer_scan_finds_clean_is_read(house: SimpleNamespace) -> None:
    content = stored(house, VIRUS)
    house.runner.drain()
    house.watch.unaware = True
    house.clock.move(seconds=60)
    house.again.ask(WHO, {})
    house.runner.drain()
    told = found(house, content)
    assert (told.row.state, told.row.virus, told.pages) == (ContentState.STORED, None, ["合同"])


def test_what_ocr_read_stays_when_scanned_again_and_says_by_which_signatures(house: SimpleNamespace) -> None:
    house.watch.unaware = True
    content = stored(house, b"scan")
    house.runner.drain()
    with house.db.writing() as work:
        work.session.add(ScannedPage(content_id=content, number=1, state=ScanState.READ, confidence=95))
        work.commit()
    house.watch.unaware = False
    house.reader.says = Extracted(("",), 1, 1, scans=(1,))
    house.clock.move(seconds=60)
    house.again.ask(WHO, {})
    house.runner.drain()
    told = found(house, content)
    assert (told.pages, told.row.scanned_with) == (["合同"], "Watch 1/new")


def test_one_that_was_kept_with_its_virus_stays_kept(house: SimpleNamespace) -> None:
    content = stored(house, VIRUS)
    house.runner.drain()
    with house.db.writing() as work:
        row = work.session.get_one(Content, content)
        row.state, row.text_state = ContentState.STORED, TextState.NO_TEXT
        work.commit()
    house.clock.move(seconds=60)
    house.again.ask(WHO, {"text": "no_text"})
    house.runner.drain()
    told = found(house, content)
    assert (told.row.state, told.row.virus, told.pages) == (ContentState.STORED, "Test.Virus", [])
