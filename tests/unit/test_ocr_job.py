"""The OCR job: scanned pages are read in small steps, their words join the text, and the record is indexed again."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from archive.cataloguing.proposals import proposed
from archive.errors import InvalidInput, Unavailable
from archive.files.rereading import AGAIN, CLEAR, DOUBTFUL, Rereading, changes_of
from archive.identity import system
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.log.writer import Log
from archive.model import (
    Category,
    Content,
    File,
    Job,
    JobKind,
    JobState,
    PageText,
    Proposal,
    Record,
    ScannedPage,
    ScanState,
    TextState,
)
from archive.model.contents import RereadState
from archive.personal import PersonalKind
from archive.policy.guard import Guard
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.layout import Layout, Run, open_layout
from indexer.ocr.job import MOST_ATTEMPTS, STEP, ReadScans, ask_for_waiting
from indexer.ocr.page import PageRead
from indexer.pagetext import load_pages
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


class Sandbox:
    """A document of pages: a text, or None for a scan."""

    parallel = 2

    def __init__(self, *pages: str | None) -> None:
        self.pages = pages

    def room(self, _size: int) -> nullcontext[None]:
        return nullcontext()

    def hold(self, _data: object, _size: int) -> SimpleNamespace:
        return SimpleNamespace(close=lambda: None)

    def find_held(self, _name: str, _file: object, first: int, last: int) -> tuple[str, Extracted]:
        pages = self.pages[first - 1 : last]
        scans = tuple(number for number, page in enumerate(pages, start=first) if page is None)
        return "application/pdf", Extracted(tuple(page or "" for page in pages), first, len(self.pages), scans=scans)

    def extract_held(self, _kind: str, file: object, first: int, last: int) -> Extracted:
        return self.find_held("", file, first, last)[1]

    def pronom_held(self, *_: object) -> None:
        return None


class Reader:
    """Reads what it was told stands on a page; a failure as such."""

    engine = "tesseract 5.3.0"

    def __init__(self, **pages: PageRead | Failure | str) -> None:
        self.pages = {int(name[1:]): page for name, page in pages.items()}
        self.asked: list[int] = []

    def hold(self, _data: object, _size: int) -> Any:
        return SimpleNamespace(close=lambda: None)

    def read(self, _kind: str, _file: object, page: int) -> PageRead | Failure:
        self.asked.append(page)
        found = self.pages.get(page, f"第{page}页的字")
        if found == "away":
            raise Unavailable(part="ocr")
        return PageRead(found, 97) if isinstance(found, str) else found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), store=FileStore(tmp_path / "store"), clock=FixedClock())
    made.outbox = Outbox(made.clock, Asleep())
    with db.writing() as work:
        a_house(work.session)
        made.category = a_category(work.session, a_fonds(work.session))
        work.commit()
    yield made
    db.close()


def taken_in(house: SimpleNamespace, *pages: str | None, ocr: bool = True) -> UUID:
    """Keep a document and extract its text."""
    content = stored(house, b"scan", "a.pdf")
    extract = ExtractContents(
        house.db, house.vault, house.store, house.outbox, Sandbox(*pages), MagicDetector(), today, ocr=ocr
    )
    JobRunner(house.db, house.clock, [extract]).run()
    return content


def read_by(house: SimpleNamespace, reader: Reader | None, ending: Callable[[], bool] = lambda: False) -> JobRunner:
    handler = ReadScans(house.db, house.vault, house.store, house.outbox, reader, house.clock, today, ending)
    return JobRunner(house.db, house.clock, [handler])


def rereading(house: SimpleNamespace, *, ocr: bool = True) -> Rereading:
    log = Log(house.vault, house.clock)
    guard = Guard(house.db, log, house.clock, "Asia/Shanghai")
    return Rereading(house.db, guard, log, house.outbox, house.clock, 1, ocr=ocr)


def finish(house: SimpleNamespace, again: Rereading, reader: Reader) -> None:
    """Have a run over scans come to its end."""
    handler = ReadScans(house.db, house.vault, house.store, house.outbox, reader, house.clock, today)
    runner = JobRunner(house.db, house.clock, [again, handler])
    for _ in range(4):
        runner.drain()
        house.clock.move(seconds=1)


def texts(house: SimpleNamespace, content: UUID) -> dict[int, str]:
    with house.db.reading() as session:
        record = session.get_one(Content, content).record_id
        return {page.number: page.text for page in load_pages(session, house.vault, record, content)}


def states(house: SimpleNamespace, content: UUID) -> dict[int, tuple[ScanState, int | None]]:
    with house.db.reading() as session:
        rows = session.scalars(select(ScannedPage).where(ScannedPage.content_id == content)).all()
    return {row.number: (row.state, row.confidence) for row in rows}


def jobs(house: SimpleNamespace, kind: JobKind) -> list[Job]:
    with house.db.reading() as session:
        return list(session.scalars(select(Job).where(Job.kind == kind, Job.state == JobState.QUEUED)))


def test_words_of_scans_join_the_text_layer_in_the_order_of_the_pages(house: SimpleNamespace) -> None:
    content = taken_in(house, None, "第二页是文本", None)
    assert texts(house, content) == {2: "第二页是文本"}
    assert read_by(house, Reader(p1="扫描的第一页", p3="扫描的第三页")).run() == 1
    assert list(texts(house, content).items()) == [(1, "扫描的第一页"), (2, "第二页是文本"), (3, "扫描的第三页")]
    assert states(house, content) == {1: (ScanState.READ, 97), 3: (ScanState.READ, 97)}


def test_a_scan_becomes_a_text_and_its_record_is_indexed_again(house: SimpleNamespace) -> None:
    content = taken_in(house, None)
    with house.db.writing() as work:
        before = work.session.scalars(select(Record.version)).one()
        work.session.execute(update(Job).where(Job.kind == JobKind.INDEX).values(state=JobState.DONE))
        work.commit()
    read_by(house, Reader()).run()
    with house.db.reading() as session:
        assert session.get_one(Content, content).text_state is TextState.TEXT
        assert session.scalars(select(ScannedPage.engine)).all() == ["tesseract 5.3.0"]
        assert session.scalars(select(Record.version)).one() == before + 1
    assert len(jobs(house, JobKind.INDEX)) == 1


def test_many_pages_are_read_in_steps_that_let_others_in_between(house: SimpleNamespace) -> None:
    content = taken_in(house, *[None] * (2 * STEP + 1))
    reader = Reader()
    runner = read_by(house, reader)
    runner.run()
    assert reader.asked == list(range(1, STEP + 1))
    assert runner.drain() == 2
    assert list(texts(house, content)) == reader.asked == list(range(1, 2 * STEP + 2))
    assert jobs(house, JobKind.OCR) == []


def test_a_worker_that_ends_keeps_the_pages_it_has_read_and_leaves_the_rest_to_the_next(house: SimpleNamespace) -> None:
    content = taken_in(house, None, None, None)
    ended, next_one = Reader(p2="away"), Reader()
    read_by(house, ended, lambda: True).run()
    assert ended.asked == [1, 2]
    assert list(texts(house, content)) == [1]
    assert read_by(house, next_one).drain() == 1
    assert next_one.asked == [2, 3]
    assert list(texts(house, content)) == [1, 2, 3]


def test_personal_numbers_on_a_scan_are_blotted_out_and_kept_as_tokens(house: SimpleNamespace) -> None:
    content = taken_in(house, None)
    read_by(house, Reader(p1="业主电话13812345678")).run()
    with house.db.reading() as session:
        record = session.get_one(Content, content).record_id
        (page,) = load_pages(session, house.vault, record, content)
        sealed = session.scalars(select(PageText.sealed)).all()
    assert page.text == "业主电话***********"
    assert page.tokens == (house.vault.token(PersonalKind.PHONE, "13812345678"),)
    assert not any("业主".encode() in each for each in sealed)


def test_a_date_on_a_scan_is_proposed(house: SimpleNamespace) -> None:
    taken_in(house, None)
    read_by(house, Reader(p1="通知\n2024年3月5日")).run()
    with house.db.reading() as session:
        record = session.scalars(select(Record)).one()
    assert (record.drawn_up, record.drawn_up_proposed) == ("2024-03-05", True)


def test_what_a_long_scan_proposes_is_told_by_its_first_and_its_last_page_together(house: SimpleNamespace) -> None:
    content = taken_in(house, *[None] * (STEP + 2))
    runner = read_by(
        house, Reader(p1="关于检修的通知\n各业主：\n2020年1月2日收到来函", p6="某某物业公司\n2024年3月5日")
    )
    runner.run()
    with house.db.reading() as session:
        assert session.scalars(select(Proposal)).all() == [], "the page with the signature is not read yet"
    runner.drain()
    with house.db.writing() as work:
        work.session.execute(update(File).values(content_id=content))
        work.commit()
    with house.db.reading() as session:
        record = session.scalars(select(Record)).one()
        waiting = proposed(session, house.vault, record, session.get_one(Category, record.category_id), {})
    assert [(each.field, each.found.value, each.found.page) for each in waiting] == [
        ("drawn_up", "2024-03-05", 6), ("title", "关于检修的通知", 1), ("responsible", "某某物业公司", 6),
    ]  # fmt: skip
    assert {each.content_id for each in waiting} == {content}


def test_a_last_page_that_cannot_be_read_leaves_what_the_others_propose(house: SimpleNamespace) -> None:
    taken_in(house, None, None)
    read_by(house, Reader(p1="关于检修的通知\n各业主：", p2=Failure(Reason.TIME))).run()
    with house.db.reading() as session:
        assert [row.field for row in session.scalars(select(Proposal))] == ["title"]


def test_a_page_that_cannot_be_read_costs_that_page_alone(house: SimpleNamespace) -> None:
    content = taken_in(house, None, None, None)
    read_by(house, Reader(p1=Failure(Reason.MEMORY), p2=PageRead("", 0))).run()
    assert texts(house, content) == {3: "第3页的字"}
    assert states(house, content) == {1: (ScanState.FAILED, None), 2: (ScanState.READ, None), 3: (ScanState.READ, 97)}


def test_a_page_that_took_too_long_is_tried_later_after_all_others_and_at_most_three_times(
    house: SimpleNamespace,
) -> None:
    content = taken_in(house, *[None] * (STEP + 1))
    slow = Reader(p1=Failure(Reason.TIME))
    read_by(house, slow).drain()
    assert slow.asked == list(range(1, STEP + 2))
    assert states(house, content)[1] == (ScanState.WAITING, None)
    assert len(jobs(house, JobKind.INDEX)) == 2, "the others are searched meanwhile"
    for _ in range(4):
        house.clock.move(minutes=31)
        read_by(house, slow).drain()
    assert slow.asked.count(1) == MOST_ATTEMPTS
    assert states(house, content)[1] == (ScanState.FAILED, None)


def test_a_page_that_took_too_long_once_is_read_when_there_is_time(house: SimpleNamespace) -> None:
    content = taken_in(house, None)
    read_by(house, Reader(p1=Failure(Reason.TIME))).drain()
    house.clock.move(minutes=31)
    read_by(house, Reader()).drain()
    assert texts(house, content) == {1: "第1页的字"}


def test_where_the_words_of_a_scan_lie_is_kept_sealed(house: SimpleNamespace) -> None:
    content = taken_in(house, None)
    layout = Layout(100, 200, (Run(0, 2, (1, 2, 30, 2, 1, 9)),))
    read_by(house, Reader(p1=PageRead("甲方", 97, layout=layout))).run()
    with house.db.reading() as session:
        sealed = session.scalars(select(ScannedPage.layout)).one()
        key = house.vault.unlock(session, session.get_one(Content, content).record_id)
    assert b"size" not in sealed
    assert open_layout(key, content, 1, sealed) == layout


def test_ocr_that_does_not_answer_is_tried_again(house: SimpleNamespace) -> None:
    content = taken_in(house, None)
    read_by(house, Reader(p1="away")).run()
    assert states(house, content) == {1: (ScanState.WAITING, None)}
    house.clock.move(minutes=5)
    read_by(house, Reader()).run()
    assert texts(house, content) == {1: "第1页的字"}


def test_without_ocr_it_is_noted_what_is_a_scan_and_nothing_waits_in_a_queue(house: SimpleNamespace) -> None:
    content = taken_in(house, None, ocr=False)
    assert states(house, content) == {1: (ScanState.WAITING, None)}
    assert jobs(house, JobKind.OCR) == []


def test_what_came_in_before_ocr_was_installed_is_read_when_it_is(house: SimpleNamespace) -> None:
    content = taken_in(house, None, ocr=False)
    ask_for_waiting(house.db, house.outbox)
    ask_for_waiting(house.db, house.outbox)
    assert read_by(house, Reader()).drain() == 1
    assert texts(house, content) == {1: "第1页的字"}


def test_a_queue_that_ocr_was_taken_away_from_is_emptied(house: SimpleNamespace) -> None:
    content = taken_in(house, None)
    read_by(house, None).run()
    assert jobs(house, JobKind.OCR) == []
    assert states(house, content) == {1: (ScanState.WAITING, None)}


def test_a_page_joins_its_own_slice_of_a_large_text(house: SimpleNamespace) -> None:
    long = "字" * 20_000
    content = taken_in(house, long, None, long, None, long)
    read_by(house, Reader()).run()
    assert {number: len(text) for number, text in texts(house, content).items()} == {
        1: 20_000, 2: 5, 3: 20_000, 4: 5, 5: 20_000,
    }  # fmt: skip
    assert list(texts(house, content)) == [1, 2, 3, 4, 5]


def test_reading_a_document_again_keeps_the_words_that_ocr_found(house: SimpleNamespace) -> None:
    content = taken_in(house, "文字页", None)
    read_by(house, Reader()).drain()
    before = texts(house, content)
    assert before == {1: "文字页", 2: "第2页的字"}
    with house.db.writing() as work:
        house.outbox.add(work, JobKind.EXTRACT, content, payload={AGAIN: "text"})
        work.commit()
    extract = ExtractContents(
        house.db, house.vault, house.store, house.outbox, Sandbox("文字页", None), MagicDetector(), today, ocr=False
    )
    JobRunner(house.db, house.clock, [extract]).drain()
    assert texts(house, content) == before


def test_a_mixed_document_has_its_text_layer_read_anew_beside_the_words_of_ocr(house: SimpleNamespace) -> None:
    content = taken_in(house, "旧文字页", None, "旧的第三页", None)
    read_by(house, Reader(p4=Failure(Reason.BROKEN))).drain()
    with house.db.writing() as work:
        house.outbox.add(work, JobKind.EXTRACT, content, payload={AGAIN: "text"})
        work.commit()
    again = Sandbox("新文字页", None, "", "第四页有了文字", None)
    extract = ExtractContents(house.db, house.vault, house.store, house.outbox, again, MagicDetector(), today, ocr=True)
    JobRunner(house.db, house.clock, [extract]).drain()
    assert texts(house, content) == {1: "新文字页", 2: "第2页的字", 3: "旧的第三页", 4: "第四页有了文字"}
    assert states(house, content) == {2: (ScanState.READ, 97), 5: (ScanState.WAITING, None)}
    read_by(house, Reader()).drain()
    assert texts(house, content)[5] == "第5页的字"


def test_a_doubtful_page_is_read_again_and_keeps_its_words_unless_the_new_ones_are_surer(
    house: SimpleNamespace,
) -> None:
    content = taken_in(house, None, None, None)
    first = Reader(p1=PageRead("模糊的字", 60), p2=PageRead("还算清楚", 70), p3="清楚")
    read_by(house, first).drain()
    again = rereading(house)
    assert again.count(system("operator"), {"scans": "50"}) == 0
    house.clock.move(seconds=60)
    run = again.ask(system("operator"), {"scans": "80"})
    second = Reader(p1=PageRead("模胡的宇", 40), p2=PageRead("非常清楚 2024年3月5日", 95))
    finish(house, again, second)
    assert sorted(second.asked) == [1, 2], "what was read clearly is not read again"
    assert texts(house, content) == {1: "模糊的字", 2: "非常清楚 2024年3月5日", 3: "清楚"}
    assert states(house, content) == {1: (ScanState.READ, 60), 2: (ScanState.READ, 95), 3: (ScanState.READ, 97)}
    row = again.show(system("operator"), run)
    assert (row.state, row.done) == (RereadState.DONE, 1)
    assert {(each.before, each.after): each.count for each in changes_of(row)} == {
        (DOUBTFUL, CLEAR): 1, (DOUBTFUL, DOUBTFUL): 1,
    }  # fmt: skip
    with house.db.reading() as session:
        assert session.scalars(select(Record.drawn_up)).one() == "2024-03-05", "the page read worse holds up no other"


def test_pages_that_wait_to_be_read_once_more_keep_their_words_when_the_file_is_read(house: SimpleNamespace) -> None:
    content = taken_in(house, "文字页", None)
    read_by(house, Reader(p2=PageRead("模糊的字", 70))).drain()
    house.clock.move(seconds=60)
    again = rereading(house)
    again.ask(system("operator"), {"scans": "80"})
    JobRunner(house.db, house.clock, [again]).run(JobKind.REREAD)
    with house.db.writing() as work:
        house.outbox.add(work, JobKind.EXTRACT, content, payload={AGAIN: "text"})
        work.commit()
    layer = Sandbox("新文字页", None)
    extract = ExtractContents(house.db, house.vault, house.store, house.outbox, layer, MagicDetector(), today, ocr=True)
    JobRunner(house.db, house.clock, [extract]).run()
    assert texts(house, content) == {1: "新文字页", 2: "模糊的字"}
    assert states(house, content) == {2: (ScanState.WAITING, 70)}


def test_a_page_that_is_put_off_is_not_told_as_read_clearly(house: SimpleNamespace) -> None:
    content = taken_in(house, None)
    read_by(house, Reader(p1=Failure(Reason.BROKEN))).drain()
    house.clock.move(seconds=60)
    without = rereading(house, ocr=False)
    with pytest.raises(InvalidInput):
        without.ask(system("operator"), {"scans": "80"})
    assert states(house, content) == {1: (ScanState.FAILED, None)}
    again = rereading(house)
    run = again.ask(system("operator"), {"scans": "80"})
    finish(house, again, Reader(p1=Failure(Reason.TIME)))
    row = again.show(system("operator"), run)
    assert row.state is RereadState.DONE
    assert [(each.before, each.after, each.count) for each in changes_of(row)] == [(DOUBTFUL, DOUBTFUL, 1)]
