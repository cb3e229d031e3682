"""Small plain texts of one circle share a fork: each says what it would say if it had one of its own."""

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import chardet
import pytest
from sqlalchemy import select

from archive.errors import Unavailable
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.model import Content, ContentState, TextState
from indexer import extraction
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.pagetext import load_pages
from indexer.sandbox.client import Extractor
from indexer.sandbox.confinement import Limits
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.tasks import TEXTS
from indexer.sandbox.wire import Request, pack_answer, unpack_answer, whole_answers
from indexer.sandbox.work import texts as texts_of
from indexer.settling import Source
from indexer.together import MOST, MOST_BYTES, together
from storage.objects import FileStore
from tests.factories.databases import a_database
from tests.factories.people import a_person
from tests.factories.records import a_category, a_fonds, a_group, a_house
from tests.factories.stored import stored
from tests.fakes.clock import START, FixedClock
from tests.fakes.vault import MemoryVault

LAST = 200

ODD = [
    "通知".encode() * 60 + "档案管理规定维修".encode("gbk") * 200,
    "通知".encode() * 40 + bytes(range(0xC0, 0x100)) * 50,
    "通知维修\n".encode() * 20 + "café über\n".encode("cp1252") * 30,
    "通知\n".encode() * 9_500 + b"\xff\xfe\x81\x20 abc \xe9\n" * 300,
    "通知\n".encode() * 9_500 + "\ufffd\n".encode() * 300,
    "通知\n".encode() * 9_500 + b"\xe9\x80",
]
"""Begin in Chinese, and are not UTF-8 all through, or have been badly converted."""


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


def read_together(extractor: Extractor, files: Sequence[bytes]) -> list[Extracted | None]:
    held = [extractor.hold([data], len(data)) for data in files]
    try:
        return extractor.texts_held(held, LAST)
    finally:
        for each in held:
            each.close()


def read_alone(extractor: Extractor, data: bytes) -> Extracted | Failure:
    file = extractor.hold([data], len(data))
    try:
        return extractor.find_held("a.txt", file, 1, LAST)[1]
    finally:
        file.close()


def test_texts_read_together_say_what_each_says_alone(extractor: Extractor) -> None:
    texts = [
        "关于物业费的通知\n2024年3月5日".encode(),
        ("第一条\n" * 3_000).encode(),
        "\ufeff# 会议纪要\x0c第二页".encode(),
        "停\x0c车".encode() * 500,
    ]
    alone = [read_alone(extractor, text) for text in texts]
    assert read_together(extractor, texts) == alone
    assert [len(each.pages) for each in alone if isinstance(each, Extracted)] == [1, 3, 2, LAST]


@pytest.mark.parametrize(
    "other",
    [
        b"%PDF-1.4 ruin",
        "档案 %PDF-1.4".encode(),
        b"PK\x03\x04" + "档案".encode(),
        "From: a@b.example\nTo: c@d.example\nDate: x\nReceived: y\n\n档案".encode(),
        "<html><body>档案</body></html>".encode(),
        "档案管理规定".encode("gbk"),
        b"plain words",
        b"",
        b"\x00" * 100,
        *ODD,
    ],
)
def test_what_is_no_text_by_its_words_is_left_to_a_fork_of_its_own(extractor: Extractor, other: bytes) -> None:
    first, between, last = read_together(extractor, ["通知一".encode(), other, "通知二".encode()])
    assert (first and first.pages, between, last and last.pages) == (("通知一",), None, ("通知二",))


def test_python_alone_reads_what_shares_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    monkeypatch.setattr(chardet, "detect", lambda data: asked.append(data) or {})
    monkeypatch.setattr("magic.Magic.from_buffer", lambda _self, data: asked.append(data) or "text/plain")
    ours = ["通知".encode(), "通知\n".encode() * 9_500, "通知".encode() + bytes(40) + "档案".encode()]
    parts = [*ours, *ODD, b"\xe9", b"words"]
    told: list[bytes] = []
    request = Request(TEXTS, sum(map(len, parts)), 1, LAST, parts=list(map(len, parts)))
    texts_of(request, b"".join(parts), told.append)
    rest = iter((b"".join(told), b""))
    read = [unpack_answer(each) for each in whole_answers(lambda: next(rest))]
    assert [isinstance(each, Extracted) for each in read] == [True] * len(ours) + [False] * (len(ODD) + 2)
    assert not asked


def test_memory_is_read_as_every_system_lets_it_be_read(extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS it cannot be read but through a mapping."""

    def refused(*_: object) -> bytes:
        raise OSError(errno.ESPIPE, "Illegal seek")

    monkeypatch.setattr(os, "pread", refused)
    first, nothing, last = read_together(extractor, ["通知一".encode(), b"", "通知二".encode()])
    assert (first and first.pages, nothing, last and last.pages) == (("通知一",), None, ("通知二",))


def test_a_fork_that_one_text_breaks_has_read_none_of_them() -> None:
    huge = "档".encode() * 10_000_000
    with Extractor(limits=Limits(memory=40_000_000)) as extractor:
        assert read_together(extractor, ["通知一".encode(), huge, "通知二".encode()]) == [None, None, None]
        assert read_alone(extractor, huge) == Failure(Reason.MEMORY)
        assert read_alone(extractor, "通知一".encode()) == Extracted(("通知一",), 1, 1)


@pytest.mark.parametrize(
    ("kept", "end"), [(1, {"exit": 0}), (2, {"exit": None, "signal": 9}), (2, {"exit": 1}), (3, {"exit": 0})]
)
def test_answers_that_are_not_whole_are_not_believed(
    extractor: Extractor, monkeypatch: pytest.MonkeyPatch, kept: int, end: dict[str, Any]
) -> None:
    one = pack_answer(Extracted(("通知",), 1, 1), "text/plain")
    monkeypatch.setattr(extractor, "_run", lambda *_: (one * kept, end))
    assert read_together(extractor, ["一".encode(), "二".encode()]) == [None, None]


def a_source(
    name: str = "a.txt", *, size: int | None = 100, circle: object = "ours", kind: str | None = None
) -> Source:
    return Source(uuid4(), uuid4(), kind, "key", "1", name, None, None, size, circle)


def test_only_small_texts_of_one_circle_are_put_together() -> None:
    sources = [
        a_source(), a_source(circle="theirs"), a_source("b.md"), a_source("c.pdf"), a_source("d.csv", size=None),
        a_source("e.log", size=MOST_BYTES + 1), a_source(circle=None), a_source(circle=None), None, None,
        a_source("f.txt", circle="theirs", kind="text/plain"), a_source("g.txt", kind="application/pdf"), a_source("h"),
        a_source("i.TXT", size=MOST_BYTES),
    ]  # fmt: skip
    assert sorted(map(list, together(sources, 1))) == [
        [0, 2, 13], [1, 10], [3], [4], [5], [6], [7], [8], [9], [11], [12],
    ]  # fmt: skip


def test_what_may_be_together_is_shared_out_among_the_forks() -> None:
    assert list(map(len, together([a_source() for _ in range(5)], 2))) == [3, 2]
    assert max(map(len, together([a_source() for _ in range(100)], 2))) == MOST


class Counting(Extractor):
    """Counts what it was asked to read by itself, and together."""

    def __init__(self) -> None:
        super().__init__()
        self.alone = 0
        self.shared: list[list[str]] = []
        self.broken: Exception | None = None

    def find_held(self, *given: Any, **named: Any) -> Any:
        self.alone += 1
        return super().find_held(*given, **named)

    def texts_held(self, files: Sequence[MemoryFile], last_page: int) -> list[Extracted | None]:
        if self.broken:
            raise self.broken
        found = super().texts_held(files, last_page)
        self.shared.append(sorted(each.pages[0] for each in found if each))
        return found


@pytest.fixture(scope="module")
def counted() -> Iterator[Counting]:
    with Counting() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, counted: Counting) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), store=FileStore(tmp_path / "store"), clock=FixedClock())
    made.outbox = Outbox(made.clock, SimpleNamespace(wake=lambda *_: None))
    made.sandbox, made.scanner, made.folder = counted, None, tmp_path / "store"
    counted.alone, counted.shared, counted.broken = 0, [], None

    def run() -> None:
        extract = ExtractContents(
            db, made.vault, made.store, made.outbox, counted, MagicDetector(), START.date, scanner=made.scanner
        )
        JobRunner(db, made.clock, [extract]).run()

    made.run = run
    with db.writing() as work:
        a_house(work.session)
        fonds = a_fonds(work.session)
        made.category, made.group = a_category(work.session, fonds), a_group(work.session, fonds)
        made.person, made.other = a_person(work.session), a_person(work.session)
        work.commit()
    yield made
    db.close()


def texts(house: SimpleNamespace) -> dict[str, Any]:
    """Return what each file says, or why it says nothing, by content."""
    with house.db.reading() as session:
        rows = session.scalars(select(Content)).all()
        return {
            row.id: [page.text for page in load_pages(session, house.vault, row.record_id, row.id)]
            if row.text_state is TextState.TEXT
            else row.reason
            for row in rows
        }


def test_the_texts_of_an_import_are_read_together_and_other_files_beside_them(house: SimpleNamespace) -> None:
    said = {stored(house, f"通知{n}".encode(), by=house.person): [f"通知{n}"] for n in range(5)}
    said[stored(house, b"%PDF-1.4 ruin", "a.pdf", by=house.person)] = "broken"
    said[stored(house, "规定管理档案".encode("gbk"), by=house.person)] = ["规定管理档案"]
    house.run()
    assert texts(house) == said
    assert sorted(chain(*house.sandbox.shared)) == [f"通知{n}" for n in range(5)]
    assert (len(house.sandbox.shared), house.sandbox.alone) == (2, 2)


def test_what_one_may_read_and_another_not_is_never_in_one_fork(house: SimpleNamespace) -> None:
    circles = [
        (1, None, house.person), (2, None, house.person), (1, house.group, house.person), (1, None, house.other),
        (1, None, None),
    ]  # fmt: skip
    for number in (1, 2, 3):  # by turns: shares of one circle would else be circles by chance
        for at, (level, group, person) in enumerate(circles):
            stored(house, f"圈{at}的第{number}件".encode(), level=level, group=group, by=person)
    house.run()
    assert all(isinstance(said, list) for said in texts(house).values())
    for shared in house.sandbox.shared:
        assert len(shared) > 1
        assert len({each.split("的")[0] for each in shared}) == 1
    assert {each.split("的")[0] for each in chain(*house.sandbox.shared)} == {f"圈{at}" for at in range(len(circles))}


def test_what_was_taken_out_of_a_file_is_read_by_itself(house: SimpleNamespace) -> None:
    package = stored(house, "包".encode(), by=house.person)
    said = {stored(house, f"附件{n}".encode(), inside=package): [f"附件{n}"] for n in range(3)}
    house.run()
    assert said.items() <= texts(house).items()
    assert (house.sandbox.shared, house.sandbox.alone) == ([], 4)


def test_where_the_fork_gives_nothing_each_is_read_by_itself(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {stored(house, f"通知{n}".encode(), by=house.person): [f"通知{n}"] for n in range(4)}
    monkeypatch.setattr(Extractor, "texts_held", lambda _self, files, _last: [None] * len(files))
    house.run()
    assert (texts(house), house.sandbox.alone) == (said, 4)


@pytest.mark.parametrize("broken", [Unavailable(part="sandbox"), OSError(errno.EMFILE, "too many")])
def test_a_sandbox_that_fails_at_many_is_asked_for_each(house: SimpleNamespace, broken: Exception) -> None:
    said = {stored(house, f"通知{n}".encode(), by=house.person): [f"通知{n}"] for n in range(4)}
    said[stored(house, b"%PDF-1.4 ruin", "a.pdf", by=house.person)] = "broken"
    fetched: list[int] = []
    house.scanner = SimpleNamespace(scan=lambda file: fetched.append(file.size))
    house.sandbox.broken = broken
    house.run()
    assert (texts(house), house.sandbox.alone, len(fetched)) == (said, 5, 5)


@pytest.mark.parametrize("count", [1, 4])
def test_files_are_let_go_of_before_long_texts_are_written(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(extraction, "_WRITE_BYTES", 1_000)
    real, holding, beside = extraction.put_slices, threading.local(), list[int]()

    @contextmanager
    def room(_self: Extractor, _size: int) -> Iterator[None]:
        holding.files = getattr(holding, "files", 0) + 1
        yield
        holding.files -= 1

    def put(*given: Any) -> None:
        beside.append(getattr(holding, "files", 0))
        real(*given)

    monkeypatch.setattr(Extractor, "room", room)
    monkeypatch.setattr(extraction, "put_slices", put)
    said = {
        stored(house, text.encode(), by=house.person): [text]
        for text in ("".join(chr(0x4E00 + each) for each in range(start, start + 2_000)) for start in range(count))
    }
    house.run()
    assert texts(house) == said
    assert beside == [0] * count


def test_a_file_that_is_damaged_or_infected_is_read_with_no_other(house: SimpleNamespace) -> None:
    said = {stored(house, f"通知{n}".encode(), by=house.person): [f"通知{n}"] for n in range(4)}
    damaged = stored(house, "坏的".encode(), by=house.person)
    infected = stored(house, "毒的".encode(), by=house.person)
    with house.db.reading() as session:
        key = session.get_one(Content, damaged).object_key
    path = next(each for each in house.folder.rglob("*") if each.is_file() and key.split("/")[-1] in str(each))
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")

    def scan(file: MemoryFile) -> SimpleNamespace:
        with file.mapped() as data:
            bad = "毒".encode() in data[:]
        return SimpleNamespace(virus="Eicar" if bad else None, scanned_with="engine 1")

    house.scanner = SimpleNamespace(scan=scan)
    house.run()
    assert texts(house) == {**said, damaged: "damaged", infected: "infected"}
    with house.db.reading() as session:
        assert session.get_one(Content, infected).state is ContentState.QUARANTINED
    assert "毒的" not in [*chain(*house.sandbox.shared)]
