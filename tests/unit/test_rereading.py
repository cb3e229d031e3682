"""Files are read again: what can be read now is gained, what was read before is never lost."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import select, update

from archive.errors import InvalidInput, WrongState
from archive.files import rereading
from archive.files.rereading import LOOK, Change, Rereading, changes_of
from archive.identity import system
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.log.writer import Log
from archive.model import Content, ContentState, Job, JobKind, ScannedPage, ScanState, TextState
from archive.model.contents import RereadState
from archive.policy.guard import Guard
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.pagetext import load_pages
from indexer.sandbox.memory import MemoryFile
from indexer.settling import READING
from storage.objects import FileStore
from tests.factories.databases import a_database
from tests.factories.records import a_category, a_fonds, a_house
from tests.fakes.clock import START, FixedClock
from tests.fakes.vault import MemoryVault
from tests.unit.test_extract_job import Asleep, stored

WHO = system("operator")


class Reader:
    """A sandbox that says of every file what it is told to."""

    parallel = 2

    def __init__(self) -> None:
        self.says: Extracted | Failure = Failure(Reason.UNSUPPORTED)
        self.kind = "application/msword"

    def room(self, _size: int) -> nullcontext[None]:
        return nullcontext()

    def hold(self, data: object, size: int) -> MemoryFile:
        return MemoryFile(data, size=size, limit=10_000)  # type: ignore[arg-type]

    def find_held(self, *_: object) -> tuple[str, Extracted | Failure]:
        return self.kind, self.says

    def pronom_held(self, *_: object) -> None:
        return None

    def extract_held(self, *_: object) -> Extracted | Failure:
        return self.says

    def series(self, *_: object) -> Iterator[Extracted]:
        return iter(())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), store=FileStore(tmp_path / "store"), clock=FixedClock())
    made.outbox = Outbox(made.clock, Asleep())
    made.reader = Reader()
    handler = ExtractContents(db, made.vault, made.store, made.outbox, made.reader, MagicDetector(), START.date)
    log = Log(made.vault, made.clock)
    made.again = Rereading(
        db, Guard(db, log, made.clock, "Asia/Shanghai"), log, made.outbox, made.clock, READING, ocr=True
    )
    made.runner = JobRunner(db, made.clock, [handler, made.again])
    with db.writing() as work:
        a_house(work.session)
        made.category = a_category(work.session, a_fonds(work.session))
        work.commit()
    yield made
    db.close()


def text(*pages: str) -> Extracted:
    return Extracted(pages, 1, len(pages))


def pages(house: SimpleNamespace, content: UUID) -> list[str]:
    with house.db.reading() as session:
        row = session.get_one(Content, content)
        return [page.text for page in load_pages(session, house.vault, row.record_id, content)]


def finish(house: SimpleNamespace, run: UUID) -> list[Change]:
    """Let a run go on as long as it has something to do."""
    for _ in range(20):
        house.runner.drain()
        house.clock.move(seconds=LOOK.seconds)
        if house.again.show(WHO, run).state is not RereadState.RUNNING:
            break
    return changes_of(house.again.show(WHO, run))


def read_again(house: SimpleNamespace, **where: str) -> list[Change]:
    return finish(house, house.again.ask(WHO, where))


def test_what_can_be_read_now_is_gained_and_told(house: SimpleNamespace) -> None:
    content = stored(house, b"old office")
    house.runner.drain()
    assert pages(house, content) == []
    house.reader.says = text("合同")
    house.clock.move(seconds=60)
    assert house.again.count(WHO, {"text": "no_text"}) == 1
    assert read_again(house, text="no_text") == [Change("no_text:unsupported", "text", 1)]
    assert pages(house, content) == ["合同"]
    with house.db.reading() as session:
        kinds = list(session.scalars(select(Job.kind).where(Job.kind == JobKind.INDEX)))
    assert len(kinds) == 2, "the record is indexed again"


@pytest.mark.parametrize("reason", [Reason.BROKEN, Reason.UNSUPPORTED, Reason.CRASHED])
def test_a_text_is_never_exchanged_for_none(house: SimpleNamespace, reason: Reason) -> None:
    house.reader.says = text("合同", "第二页")
    content = stored(house, b"x")
    house.runner.drain()
    house.reader.says = Failure(reason)
    house.clock.move(seconds=60)
    assert read_again(house, kind="application/msword") == [Change("text", "text", 1)]
    assert pages(house, content) == ["合同", "第二页"]


def test_a_better_text_takes_the_place_of_the_old(house: SimpleNamespace) -> None:
    house.reader.says = text("合同", "第二页", "第三页")
    content = stored(house, b"x")
    house.runner.drain()
    house.reader.says = text("全文")
    house.clock.move(seconds=60)
    read_again(house, text="text")
    assert pages(house, content) == ["全文"]


def test_one_put_aside_comes_back_when_it_reads_and_one_kept_is_not_put_aside(house: SimpleNamespace) -> None:
    house.reader.says = Failure(Reason.BROKEN)
    aside, accepted = stored(house, b"x"), stored(house, b"y")
    house.runner.drain()
    with house.db.writing() as work:
        kept = update(Content).where(Content.id == accepted)
        work.session.execute(kept.values(state=ContentState.STORED, text_state=TextState.NO_TEXT))
        work.commit()
    house.clock.move(seconds=60)
    changes = read_again(house)
    assert Change("quarantined:broken", "quarantined:broken", 1) in changes
    assert [change.after for change in changes if change.before == "no_text:broken"] == ["no_text:broken"]
    with house.db.reading() as session:
        assert session.get_one(Content, accepted).state is ContentState.STORED
    house.reader.says = text("好了")
    house.clock.move(seconds=60)
    read_again(house, text="quarantined")
    assert pages(house, aside) == ["好了"]
    with house.db.reading() as session:
        assert session.get_one(Content, aside).state is ContentState.STORED


def test_many_are_asked_for_in_batches_and_none_twice(house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "BATCH", 2)
    for _ in range(5):
        stored(house, b"x")
    house.runner.drain()
    house.clock.move(seconds=60)
    run = house.again.ask(WHO, {})
    assert house.again.ask(WHO, {}) == run, "the same choice is the same run"
    house.runner.run(JobKind.REREAD)
    with house.db.reading() as session:
        waiting = [job for job in session.scalars(select(Job)) if "again" in job.payload]
    assert len(waiting) == 2, "what comes in meanwhile waits behind one batch at most"
    assert finish(house, run) == [Change("no_text:unsupported", "no_text:unsupported", 5)]
    with house.db.reading() as session:
        asked = [job.subject_id for job in session.scalars(select(Job)) if "again" in job.payload]
    assert len(asked) == len(set(asked)) == 5
    assert house.again.show(WHO, run).done == 5


def test_a_run_is_stopped_and_gone_on_with_and_all_of_it_is_told(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "BATCH", 2)
    for _ in range(5):
        stored(house, b"x")
    house.runner.drain()
    house.reader.says = text("合同")
    house.clock.move(seconds=60)
    run = house.again.ask(WHO, {"kind": "application/msword"})
    house.runner.run(JobKind.REREAD)
    house.again.stop(WHO, run)
    assert finish(house, run) == [Change("no_text:unsupported", "text", 2)]
    house.runner.drain()
    stopped = house.again.show(WHO, run)
    assert (stopped.state, stopped.done, stopped.total) == (RereadState.STOPPED, 2, 5), "the batch under way is told"
    with house.db.reading() as session:
        files = set(session.scalars(select(Content.id)))
    assert not files & {stopped.behind, stopped.through}, "one that is destroyed would go on being named"
    house.again.go_on(WHO, run)
    assert finish(house, run) == [Change("no_text:unsupported", "text", 5)]
    done = house.again.show(WHO, run)
    assert not files & {done.behind, done.through}
    with pytest.raises(WrongState):
        house.again.go_on(WHO, run)
    assert house.again.ask(WHO, {"kind": "application/msword"}) != run, "what is done begins anew"


def test_only_what_an_earlier_reading_settled_is_chosen(house: SimpleNamespace) -> None:
    house.reader.says = text("合同")
    old, scan, _ = stored(house, b"x"), stored(house, b"s"), stored(house, b"y")
    house.runner.drain()
    assert house.again.count(WHO, {"reader": "older"}) == 0
    with house.db.writing() as work:
        work.session.execute(update(Content).where(Content.id.in_([old, scan])).values(read_by=READING - 1))
        work.session.add(ScannedPage(content_id=scan, number=1, state=ScanState.READ, confidence=97))
        work.commit()
    assert house.again.count(WHO, {"reader": "older"}) == 2
    house.reader.says = Failure(Reason.UNSUPPORTED)  # gives nothing better, neither of a text nor of what OCR read
    house.clock.move(seconds=60)
    read_again(house, reader="older")
    assert house.again.count(WHO, {"reader": "older"}) == 0


@pytest.mark.parametrize("where", [{"colour": "red"}, {"text": "lost"}, {"scans": "0"}, {"reader": "9"}])
def test_a_choice_that_cannot_be_is_named(house: SimpleNamespace, where: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        house.again.count(WHO, where)
    assert caught.value.faults[0].field == "filter"


def test_a_long_document_says_what_it_is_while_the_rest_of_it_is_read(house: SimpleNamespace) -> None:
    seen: list[tuple[object, object, object]] = []

    def rest(_kind: str, _file: object, first: int, last: int) -> Extracted:
        with house.db.reading() as session:
            row = session.get_one(Content, content)
            seen.append((row.text_state, row.media_type, row.pages))
        return Extracted(tuple("续" for _ in range(first, min(last, 500) + 1)), first, 500)

    house.reader.says = Extracted(tuple("页" for _ in range(200)), 1, 500)
    house.reader.extract_held = rest
    content = stored(house, b"a long one")
    house.runner.drain()
    assert seen[0] == (TextState.PENDING, "application/msword", 500), "it can be looked at before it is read to its end"
    assert len(pages(house, content)) == 500
