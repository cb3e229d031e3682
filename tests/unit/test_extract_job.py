"""The extract job: a stored file becomes sealed pages, a bad one a reason, and neither holds up the others."""

import io
import random
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.model import Content, ContentState, Job, JobKind, JobState, PageText, Record, RecordState, TextState
from archive.personal import PersonalKind
from indexer import extraction, reading
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.pagetext import Page, load_pages, masked_page
from indexer.sandbox.client import Extractor
from storage.objects import FileStore
from tests.factories.databases import a_database
from tests.factories.records import a_category, a_fonds, a_house
from tests.factories.stored import stored
from tests.fakes.clock import START, FixedClock
from tests.fakes.vault import MemoryVault


def today() -> date:
    return START.date()


class Asleep:
    def wake(self, queue: str, job_id: UUID) -> None:
        pass


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, extractor: Extractor) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), store=FileStore(tmp_path / "store"), clock=FixedClock())
    made.outbox = Outbox(made.clock, Asleep())
    made.use = lambda sandbox: JobRunner(
        db,
        made.clock,
        [ExtractContents(db, made.vault, made.store, made.outbox, sandbox, MagicDetector(), today)],
    )
    made.runner = made.use(extractor)
    with db.writing() as work:
        a_house(work.session)
        made.category = a_category(work.session, a_fonds(work.session))
        work.commit()
    yield made
    db.close()


def looked_up(house: SimpleNamespace, content: UUID) -> SimpleNamespace:
    with house.db.reading() as session:
        row = session.get_one(Content, content)
        record = session.get_one(Record, row.record_id)
        pages = list(load_pages(session, house.vault, record.id, content))
        index = session.scalars(select(Job).where(Job.kind == JobKind.INDEX, Job.subject_id == record.id)).all()
    return SimpleNamespace(content=row, record=record, pages=pages, index=index)


def test_a_text_is_kept_page_by_page_and_handed_on_to_the_index(house: SimpleNamespace) -> None:
    content = stored(house, "关于物业费的通知\n某物业公司\n2024年3月5日".encode("gbk"))
    assert house.runner.run() == 1
    found = looked_up(house, content)
    assert (found.content.text_state, found.content.pages, found.content.media_type) == (
        TextState.TEXT,
        1,
        "text/plain",
    )
    assert [page.text for page in found.pages] == ["关于物业费的通知\n某物业公司\n2024年3月5日"]
    assert len(found.index) == 1
    assert found.record.version == 2


def test_a_missing_date_is_proposed_and_marked_so(house: SimpleNamespace) -> None:
    content = stored(house, "通知\n2024年3月5日".encode())
    house.runner.run()
    record = looked_up(house, content).record
    assert (record.drawn_up, record.drawn_from.isoformat(), record.drawn_up_proposed) == (
        "2024-03-05",
        "2024-03-05",
        True,
    )


def test_a_filed_record_keeps_its_date(house: SimpleNamespace) -> None:
    content = stored(house, "通知\n2024年3月5日".encode(), state=RecordState.FILED)
    house.runner.run()
    assert looked_up(house, content).record.drawn_up is None


def test_personal_numbers_are_blotted_out_and_kept_as_tokens(house: SimpleNamespace) -> None:
    content = stored(house, "业主电话13812345678，身份证110101199003078515".encode())
    house.runner.run()
    (page,) = looked_up(house, content).pages
    assert page.text == "业主电话***********，身份证******************"
    assert "1381" not in page.folded
    assert set(page.tokens) == {
        house.vault.token(PersonalKind.PHONE, "13812345678"),
        house.vault.token(PersonalKind.IDENTITY, "110101199003078515"),
    }


def a_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b"\x00" * 5_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "state", "text_state", "reason"),
    [
        (b"%PDF-1.4 ruin", "a.pdf", ContentState.QUARANTINED, TextState.FAILED, "broken"),
        (a_bomb(), "a.docx", ContentState.QUARANTINED, TextState.FAILED, "bomb"),
        (b"", "a.txt", ContentState.STORED, TextState.NO_TEXT, "empty"),
        (random.Random(1).randbytes(5_000), "a.bin", ContentState.STORED, TextState.NO_TEXT, "unsupported"),
    ],
)
def test_a_bad_file_gets_its_reason(
    house: SimpleNamespace, data: bytes, name: str, state: ContentState, text_state: TextState, reason: str
) -> None:
    content = stored(house, data, name)
    house.runner.run()
    row = looked_up(house, content).content
    assert (row.state, row.text_state, row.reason) == (state, text_state, reason)


def test_one_bad_file_does_not_hold_up_its_neighbours(house: SimpleNamespace) -> None:
    contents = [stored(house, f"第{number}号".encode()) for number in range(5)]
    ruin = stored(house, b"%PDF-1.4 ruin")
    house.runner.drain()
    assert all(looked_up(house, content).content.text_state is TextState.TEXT for content in contents)
    assert looked_up(house, ruin).content.text_state is TextState.FAILED


def test_running_again_changes_nothing(house: SimpleNamespace) -> None:
    content = stored(house, "通知".encode())
    house.runner.run()
    with house.db.writing() as work:
        house.outbox.add(work, JobKind.EXTRACT, content)
        work.commit()
    house.runner.run()
    found = looked_up(house, content)
    assert (found.record.version, found.content.text_version, len(found.index)) == (2, 1, 1)


class Sandbox:
    """Answers as told, page by page; ``poison`` pages break whatever slice they are in."""

    parallel = 2

    def __init__(self, pages: int, poison: set[int], more: str = "") -> None:
        self.pages, self.poison, self.asked, self.more = pages, poison, 0, more

    def room(self, _size: int) -> nullcontext[None]:
        return nullcontext()

    def hold(self, _data: object, _size: int) -> SimpleNamespace:
        return SimpleNamespace(close=lambda: None)

    def extract_held(self, _kind: str, _file: object, first: int, last: int) -> Extracted | Failure:
        self.asked += 1
        wanted = range(first, min(last, self.pages) + 1)
        if self.poison & set(wanted):
            return Failure(Reason.CRASHED)
        return Extracted(tuple(f"第{number}页的字{self.more}" for number in wanted), first, self.pages)

    def find_held(self, _name: str, file: object, first: int, last: int) -> tuple[str | None, Extracted | Failure]:
        return None, self.extract_held("", file, first, last)

    def series(self, _kind: str, _file: object, _first: int) -> Iterator[Extracted]:
        return iter(())

    def pronom_held(self, _kind: str, _file: object) -> str | None:
        return "x-fmt/111"


class GoingOn(Sandbox):
    """Goes on by itself, up to a page."""

    def __init__(self, pages: int, until: int) -> None:
        super().__init__(pages, set())
        self.until, self.left = until, 0

    def series(self, _kind: str, _file: object, first: int) -> Iterator[Extracted]:
        try:
            for begin in range(first, self.until, 500):
                wanted = range(begin, min(begin + 500, self.until))
                yield Extracted(tuple(f"第{number}页的字" for number in wanted), begin, self.pages)
        finally:
            self.left += 1


def test_a_large_file_is_not_read_whose_lease_ran_out_while_it_waited_for_its_turn(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = stored(house, "书".encode())
    sandbox = Sandbox(1, set())

    def late(size: int) -> nullcontext[None]:
        house.clock.move(seconds=ExtractContents.deadline + 1)
        return Sandbox.room(sandbox, size)

    monkeypatch.setattr(sandbox, "room", late)
    monkeypatch.setattr(extraction, "LIGHT_BYTES", 1)
    house.use(sandbox).run()
    assert sandbox.asked == 0
    monkeypatch.undo()
    house.clock.move(seconds=3600)
    house.use(sandbox).run()
    assert looked_up(house, content).content.text_state is TextState.TEXT


def test_a_long_text_is_not_read_anew_for_each_slice(house: SimpleNamespace) -> None:
    content = stored(house, "书".encode())
    sandbox = GoingOn(5_000, until=5_001)
    house.use(sandbox).run()
    assert [page.number for page in looked_up(house, content).pages] == list(range(1, 5_001))
    assert (sandbox.asked, sandbox.left) == (1, 1)


def test_pages_beyond_the_last_that_is_read_are_told(house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_PAGES", 3_000)
    for pages, reason in ((3_000, None), (5_000, "cut")):
        content = stored(house, f"{pages}".encode())
        house.use(GoingOn(pages, until=pages + 1)).run()
        assert looked_up(house, content).content.reason == reason


def test_where_a_fork_goes_on_no_more_another_does(house: SimpleNamespace) -> None:
    content = stored(house, "书".encode())
    sandbox = GoingOn(5_000, until=3_000)
    house.use(sandbox).run()
    assert [page.number for page in looked_up(house, content).pages] == list(range(1, 5_001))
    assert sandbox.asked == 1 + 3


def test_a_fork_that_goes_on_is_left_when_enough_is_read(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MOST_TEXT", 10_000)
    content = stored(house, "书".encode())
    sandbox = GoingOn(5_000, until=5_001)
    house.use(sandbox).run()
    assert (looked_up(house, content).content.reason, sandbox.left) == ("cut", 1)


def test_a_file_that_always_crashes_ends_soon(house: SimpleNamespace) -> None:
    content = stored(house, "毒".encode())
    sandbox = Sandbox(1, {1})
    assert house.use(sandbox).drain([JobKind.EXTRACT]) == 1
    row = looked_up(house, content).content
    assert (row.text_state, row.reason, row.state) == (TextState.FAILED, "crashed", ContentState.STORED)
    assert sandbox.asked <= 12
    assert row.pronom == "x-fmt/111", "what it is, is known all the same"
    with house.db.reading() as session:
        assert session.scalars(select(Job.state).where(Job.kind == JobKind.EXTRACT)).all() == [JobState.DONE]


def test_one_poisoned_page_costs_that_page_alone(house: SimpleNamespace) -> None:
    content = stored(house, "书".encode())
    house.use(Sandbox(5_000, {3_333})).run()
    found = looked_up(house, content)
    assert found.content.pages == 5_000
    assert {page.number for page in found.pages} == set(range(1, 5_001)) - {3_333}


def test_of_a_long_text_few_pages_are_held_at_once(house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    alive = weakref.WeakSet[Page]()
    most = 0

    def watched(*given: Any) -> Page:
        nonlocal most
        made = masked_page(*given)
        alive.add(made)
        most = max(most, len(alive))
        return made

    monkeypatch.setattr(extraction, "masked_page", watched)
    content = stored(house, "书".encode())
    house.use(Sandbox(3_000, set(), "字" * 400)).run()
    assert looked_up(house, content).pages[-1].number == 3_000
    assert most < 200


def test_of_an_endless_text_the_beginning_is_kept_and_that_is_said(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MOST_TEXT", 10_000)
    content = stored(house, "书".encode())
    house.use(Sandbox(5_000, set())).run()
    found = looked_up(house, content)
    assert (found.content.text_state, found.content.reason, found.content.pages) == (TextState.TEXT, "cut", 5_000)
    assert 200 < len(found.pages) < 2_000


def test_of_a_text_that_takes_too_long_what_was_read_by_then_is_kept(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MOST_SECONDS", 0.0)
    content = stored(house, "书".encode())
    house.use(Sandbox(5_000, set())).run()
    found = looked_up(house, content)
    assert (found.content.text_state, found.content.reason, len(found.pages)) == (TextState.TEXT, "cut", 200)
    short = stored(house, "页".encode())
    house.use(Sandbox(200, set())).run()
    assert (looked_up(house, short).content.reason, len(looked_up(house, short).pages)) == (None, 200)


def test_a_large_text_is_written_in_short_transactions(house: SimpleNamespace) -> None:
    held = []
    house.db._on_write = held.append
    noise = random.Random(2)
    text = "".join(chr(noise.randrange(0x4E00, 0x9000)) + "\n" * (n % 40 == 0) for n in range(1_500_000))
    content = stored(house, text.encode())
    house.runner.run()
    found = looked_up(house, content)
    assert "".join(page.text for page in found.pages).replace("\n", "") == text.replace("\n", "")
    with house.db.reading() as session:
        assert len(session.scalars(select(PageText.first_page).where(PageText.content_id == content)).all()) > 20
    assert len(held) > 6
