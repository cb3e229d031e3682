"""Documents in which our own parser finds no word are read as LibreOffice prints them, where it is there."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.model import Content, ContentState, TextState
from indexer import kinds
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.pagetext import load_pages
from indexer.sandbox.memory import MemoryFile
from storage.objects import FileStore
from tests.factories.databases import a_database
from tests.factories.records import a_category, a_fonds, a_house
from tests.factories.stored import stored
from tests.fakes.clock import FixedClock
from tests.fakes.vault import MemoryVault
from tests.unit.test_extract_job import Asleep, today


class Sandbox:
    """Finds a document as it is told to; of a PDF it reads two pages."""

    parallel = 1

    def __init__(self, kind: str, found: Extracted | Failure) -> None:
        self.kind, self.found = kind, found

    def room(self, _size: int) -> nullcontext[None]:
        return nullcontext()

    def hold(self, data: Iterable[bytes], size: int) -> MemoryFile:
        return MemoryFile(data, size=size, limit=1_000)

    def find_held(self, _name: str, _file: object, _first: int, _last: int) -> tuple[str, Extracted | Failure]:
        return self.kind, self.found

    def extract_held(self, kind: str, _file: object, _first: int, _last: int) -> Extracted | Failure:
        return Extracted(("审计表", "第二页"), 1, 2, scans=(2,)) if kind == kinds.PDF else self.found

    def pronom_held(self, *_: object) -> str:
        return "fmt/57"


class Printer:
    """Stands for LibreOffice."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pdf(self, media_type: str, data: Iterable[bytes], *, wall: float) -> bytes | Failure:
        assert b"".join(data)
        assert wall < 60
        self.asked.append(media_type)
        return b"%PDF-"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), store=FileStore(tmp_path / "store"), clock=FixedClock())
    made.outbox, made.printer = Outbox(made.clock, Asleep()), Printer()
    with db.writing() as work:
        a_house(work.session)
        made.category = a_category(work.session, a_fonds(work.session))
        work.commit()
    yield made
    db.close()


def read(house: SimpleNamespace, kind: str, found: Extracted | Failure, office: Printer | None) -> SimpleNamespace:
    content: UUID = stored(house, b"old", "a.xls")
    handler = ExtractContents(
        house.db, house.vault, house.store, house.outbox, Sandbox(kind, found), MagicDetector(), today, office=office
    )
    JobRunner(house.db, house.clock, [handler]).run()
    with house.db.reading() as session:
        row = session.get_one(Content, content)
        pages = [page.text for page in load_pages(session, house.vault, row.record_id, content)]
    return SimpleNamespace(row=row, pages=pages)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (kinds.XLS, Failure(Reason.UNSUPPORTED)),
        (kinds.DOC, Failure(Reason.BROKEN)),
        (kinds.RTF, Extracted(("",), 1, 1)),
        (kinds.WORDPERFECT, Failure(Reason.UNSUPPORTED)),
        (kinds.OPENDOCUMENT + "text", Failure(Reason.CRASHED)),
    ],
)
def test_what_our_parser_does_not_read_is_read_as_printed(
    house: SimpleNamespace, kind: str, found: Extracted | Failure
) -> None:
    told = read(house, kind, found, house.printer)
    assert told.pages == ["审计表", "第二页"]
    row = told.row
    assert (row.text_state, row.state, row.reason) == (TextState.TEXT, ContentState.STORED, None)
    assert (row.media_type, row.pages, row.pronom) == (kind, 2, "fmt/57"), "it is still what it is"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (kinds.XLS, Extracted(("合同",), 1, 1)),
        (kinds.XLS, Failure(Reason.ENCRYPTED)),
        (kinds.DOCX, Failure(Reason.BROKEN)),
        (kinds.DOCX, Failure(Reason.BOMB)),
        (kinds.PPTX, Extracted(("",), 1, 1, inside=2)),
        ("image/vnd.dwg", Failure(Reason.UNSUPPORTED)),
    ],
)
def test_what_has_words_or_must_not_be_opened_is_not_printed(
    house: SimpleNamespace, kind: str, found: Extracted | Failure
) -> None:
    read(house, kind, found, house.printer)
    assert house.printer.asked == []


def test_a_text_of_which_only_the_beginning_was_read_says_so(house: SimpleNamespace) -> None:
    told = read(house, kinds.HTML, Extracted(("合同",), 1, 1, cut=True), None)
    assert (told.row.text_state, told.row.reason, told.pages) == (TextState.TEXT, "cut", ["合同"])


def test_what_is_not_helped_stays_as_it_was(house: SimpleNamespace) -> None:
    house.printer.pdf = lambda *_, **__: Failure(Reason.TIME)
    row = read(house, kinds.DOC, Failure(Reason.BROKEN), house.printer).row
    assert (row.state, row.reason) == (ContentState.QUARANTINED, "broken")
    row = read(house, kinds.XLS, Failure(Reason.UNSUPPORTED), None).row
    assert (row.text_state, row.reason) == (TextState.NO_TEXT, "unsupported")
