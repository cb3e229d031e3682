"""One page of a file for a person who may read it: its picture, and its text with the words of a query marked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import Damaged, Fault, InvalidInput, NotFound, TooLarge, Unavailable, WrongState
from archive.files.inside import called
from archive.identity import Identity
from archive.loans.marking import Used
from archive.model import Content, ContentState, MarkKind, Record, ScannedPage, ScanState
from archive.policy.rules import Act
from archive.ports import ContentReader, Unlocked
from indexer import kinds
from indexer.extract.answer import Failure, Reason
from indexer.layout import Layout, laid_out, lines_told, open_layout, seal_layout
from indexer.pagetext import load_pages, page_at
from indexer.passages import marks_in, pages_with
from indexer.query.parser import parse
from indexer.query.tree import Query
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.tasks import WORDS
from web.reading.marked import COPY_WIDTH, PAGES_AT_ONCE, marked_pdf, marked_picture
from web.reading.overlay import Overlay, overlay_of

if TYPE_CHECKING:
    from web.services import Services

WIDTHS = (240, 900, 1400, 2200)
"""Pixels across: a thumbnail, and the three sizes of the viewer."""

TURNS = (0, 90, 180, 270)

_SCANNED = (ScannedPage.layout, ScannedPage.state, ScannedPage.engine, ScannedPage.confidence)


@dataclass(frozen=True)
class ViewedPage:
    """A page to look at.

    ``parts`` is its text in pieces; each says whether it is a hit. ``overlay`` is its text laid over its picture; None:
    it has no text, or nobody can tell where it lies. ``within`` names the files that this one was taken out of. Of an
    Office document the pages as printed are pictures: ``sheet`` of ``sheets``, which need not be as many as its pages
    of text; while they are ``preparing`` there is none. ``engine`` read a scanned page, and was ``sure`` by so many
    percent; "" where none did. ``used``: of the loan by which alone it is read; ``original``: it is seen as it is;
    ``copying``: marked copies may be taken.
    """

    content_id: UUID
    record_id: UUID
    title: str
    level_rank: int
    name: str
    within: str
    number: int
    total: int
    parts: Sequence[tuple[str, bool]]
    pictured: bool
    locked: bool
    overlay: Overlay | None = None
    sheet: int = 0
    sheets: int = 0
    preparing: bool = False
    engine: str = ""
    sure: int | None = None
    used: Used | None = None
    original: bool = True
    copying: bool = False
    excerpting: bool = False


def page_of(
    services: "Services", identity: Identity, content_id: UUID, number: int, query: str,
    span: tuple[int, int] | None = None, *, turn: int = 0, sheet: int | None = None,
) -> ViewedPage:  # fmt: skip
    """Return page ``number`` (from 1) of a content, as it lies when turned clockwise by ``turn``; it is logged.

    Where nothing is asked for, ``span`` of its text is marked. Of an Office document it has the pages as printed made,
    if need be, and does not wait; ``sheet`` is the one to be shown (None: the one where this page of the text may be).

    Raises:
        NotFound: there is no such page for this person.
    """
    with services.db.reading() as session:
        content, record, name = _opened(services, session, identity, content_id)
        if not _has_page(content, number):
            raise NotFound
    mark = services.lending.marking.seen(identity, content_id, number)
    with services.db.reading() as session:
        content, record, name = _opened(services, session, identity, content_id)
        text = _text(services, session, content, number)
        named = called(session, [content.id]).get(content.id)
        kept = ScannedPage.content_id == content.id, ScannedPage.number == number
        scanned = session.execute(select(*_SCANNED).where(*kept)).first()
        pictured, printed = _is_pictured(content), _is_printed(services, content)
        key = services.vault.unlock(session, record.id) if printed or (text and pictured) else None
    _log(services, identity, content, name)
    marks = _marks(query, text, span)
    layout = _layout(services, content, key, number, text, scanned and scanned.layout) if key and pictured else None
    sheets, preparing = _sheets(services, content, key) if key and printed else (0, False)
    return ViewedPage(
        content_id, record.id, record.title, record.level_rank, name, named.within if named else "", number,
        content.pages or number, split_marks(text, marks), pictured or sheets > 0, _is_locked(content),
        overlay_of(layout, text, marks, turn) if layout else None,
        _sheet(sheet, number, content.pages or 0, sheets), sheets, preparing,
        (scanned.engine or "") if scanned and scanned.state is ScanState.READ else "", scanned and scanned.confidence,
        services.lending.marking.used(identity, record.id) if mark else None, mark is None,
        mark is not None and services.guard.may(identity, Act.TAKE, record.id),
        mark is None and pictured and services.guard.may(identity, Act.LEND, record.id),
    )  # fmt: skip


def picture_of(
    services: "Services",
    identity: Identity,
    content_id: UUID,
    number: int,
    *,
    width: int,
    turn: int,
    sheet: int | None = None,
    locale: str = "zh_CN",
) -> bytes:
    """Return the picture (WebP) of a page, drawn once and kept sealed under the record's key. The reading is logged.

    Whoever does not see the file as it is gets it marked; a thumbnail, on which nothing can be read, is not.

    Args:
        services: of the application.
        identity: who looks.
        content_id: of which content.
        number: the page, from 1.
        width: one of ``WIDTHS``.
        turn: degrees clockwise, one of ``TURNS``.
        sheet: of an Office document, which page as printed; see ``page_of``.
        locale: of the words across it.

    Raises:
        NotFound: there is no such page for this person, or no picture can be made of it.
        LimitReached: their loan allows no more.
    """
    if width not in WIDTHS or turn not in TURNS:
        raise NotFound
    with services.db.reading() as session:
        content, record, name = _opened(services, session, identity, content_id)
        if not _is_drawn(services, content) or not _has_page(content, number):
            raise NotFound
        key = services.vault.unlock(session, record.id)
    mark = None
    if width == WIDTHS[0]:  # a thumbnail is part of the record's page, and of its opening
        services.readings.note_once(identity, Act.READ.value, record.id, record=record.id)
    else:
        made = services.office.made(content.id, key) if _is_printed(services, content) else None
        drawn = _sheet(sheet, number, content.pages or 0, made.pages) if made else number
        mark = services.lending.marking.seen(identity, content_id, drawn)
        _log(services, identity, content, name)
    image, kept_as = _drawn(services, content, key, number, width=width, turn=turn, sheet=sheet)
    return marked_picture(services, key, image, kept_as, mark, locale) if mark else image


@dataclass(frozen=True)
class MarkedCopy:
    """A copy to take away: its pages as pictures, each with the mark. ``pages``: how many the file has in all."""

    name: str
    pdf: bytes
    first: int
    last: int
    pages: int


def copy_of(
    services: "Services", identity: Identity, content_id: UUID, first: int, last: int, locale: str
) -> MarkedCopy | None:
    """Return pages of a file as someone may take them away who is not to have the original.

    Of an Office document they are the pages as printed. None: there is nothing to be drawn.

    Raises:
        NotFound, NotAllowed: as ``IntakeService.open_file``; there are no such pages.
        WrongState: ``preparing``: they are being printed; meanwhile the file itself is not given in their place.
        InvalidInput: ``pages``: too many at once.
        LimitReached: their loan allows no more copies.
    """
    with services.db.reading() as session:
        content, record, name = _opened(services, session, identity, content_id)
        services.guard.require(session, identity, Act.TAKE, record.id)
        key = services.vault.unlock(session, record.id)
    if not _is_drawn(services, content):
        return None
    made = services.office.made(content.id, key) if _is_printed(services, content) else None
    if _is_printed(services, content) and made is None:
        if services.office.ask(content.id, content.media_type or "", key, _reader(services, content, key).read):
            raise WrongState(state="preparing", act=Act.TAKE.value, seconds=5)
        return None
    pages = made.pages if made else content.pages or 0
    last = min(last, pages)
    if not 1 <= first <= last:
        raise NotFound
    if last - first >= PAGES_AT_ONCE:
        raise InvalidInput(Fault("pages", "out_of_range", {"low": 1, "high": PAGES_AT_ONCE}))
    mark = services.lending.marking.taken(identity, content_id, MarkKind.PAGES, first, last)
    if mark is None:
        raise NotFound
    _log(services, identity, content, name)
    drawn = (
        _drawn(services, content, key, number if not made else 1, width=COPY_WIDTH, turn=0, sheet=number)[0]
        for number in range(first, last + 1)
    )
    return MarkedCopy(name, marked_pdf(services, drawn, mark, locale), first, last, pages)


def _is_drawn(services: "Services", content: Content) -> bool:
    return _is_printed(services, content) or _is_pictured(content)


def _drawn(
    services: "Services", content: Content, key: Unlocked, number: int, *, width: int, turn: int, sheet: int | None
) -> tuple[bytes, str]:
    """Return the picture of a page, and the name under which it is kept."""
    printed = _is_printed(services, content)
    made = services.office.made(content.id, key) if printed else None
    if printed:
        if made is None:
            raise NotFound
        number = _sheet(sheet, number, content.pages or 0, made.pages)
    kept_as = f"{content.id.hex}-{'s' if made else ''}{number}-{width}-{turn}"
    if sealed := services.pictures.get(kept_as):
        try:
            return key.open(sealed, context=f"picture:{kept_as}"), kept_as
        except Damaged:
            pass  # it is drawn anew
    kind = kinds.PDF if made else content.media_type or ""
    with _held(services, content, key, made.pdf if made else None) as file:
        image = services.drawer.picture_held(kind, file, number, width=width, turn=turn)
    if isinstance(image, Failure):
        raise NotFound
    services.pictures.put(kept_as, key.seal(image, context=f"picture:{kept_as}"))
    return image, kept_as


def next_hit(services: "Services", identity: Identity, content_id: UUID, after: int, query: str) -> int | None:
    """Return the next page after ``after`` that holds words of a query, from the start again after the last one.

    Raises:
        NotFound: there is no such content for this person.
    """
    earlier: int | None = None
    with services.db.reading() as session:
        content, record, name = _opened(services, session, identity, content_id)
        _log(services, identity, content, name)
        asked = _asked(query)
        pages = load_pages(session, services.vault, record.id, content.id)
        for number in pages_with(asked, pages) if asked else ():
            if number > after:
                return number
            earlier = earlier or number
    return earlier


def _opened(
    services: "Services", session: Session, identity: Identity, content_id: UUID
) -> tuple[Content, Record, str]:
    return services.guard.require_content(session, identity, Act.READ, content_id, ContentState.STORED)


def _is_locked(content: Content) -> bool:
    return content.reason == Reason.ENCRYPTED


def _is_pictured(content: Content) -> bool:
    """Whether its pages are drawn: a locked file would take the password, and one with a virus is opened nowhere."""
    return content.media_type in kinds.PICTURED and not _is_locked(content) and content.virus is None


def _has_page(content: Content, number: int) -> bool:
    return 1 <= number <= (content.pages or 0)


def _log(services: "Services", identity: Identity, content: Content, name: str) -> None:
    services.readings.note_once(identity, "file.read", content.id, record=content.record_id, body={"name": name})


def _text(services: "Services", session: Session, content: Content, number: int) -> str:
    """Return a page's text; a page without any is not kept.

    Raises:
        NotFound: the content has no such page.
    """
    if not _has_page(content, number):
        raise NotFound
    found = page_at(session, services.vault, content.record_id, content.id, number)
    return found.text if found else ""


def _is_printed(services: "Services", content: Content) -> bool:
    """Whether its pages are those of a PDF that is made of it."""
    readable = not _is_locked(content) and content.virus is None
    return readable and services.office.offered(content.media_type, content.size)


def _sheets(services: "Services", content: Content, key: Unlocked) -> tuple[int, bool]:
    """Return how many pages as printed there are, and whether they are being made."""
    made = services.office.made(content.id, key)
    if made:
        return made.pages, False
    reader = _reader(services, content, key)
    return 0, services.office.ask(content.id, content.media_type or "", key, reader.read)


def _sheet(asked: int | None, number: int, pages: int, sheets: int) -> int:
    """Return the page as printed that is asked for, else about where a page of the text stands; 0: there is none."""
    if asked is None:
        asked = number if pages == sheets else (number - 1) * sheets // max(pages, 1) + 1
    return max(min(asked, sheets), min(sheets, 1))


def _reader(services: "Services", content: Content, key: Unlocked) -> ContentReader:
    return services.intake.reader(content, key)


def _layout(
    services: "Services", content: Content, key: Unlocked, number: int, text: str, sealed: bytes | None
) -> Layout | None:
    """Return where the words of a page lie: as OCR said, or as the file does, which is asked once and kept sealed."""
    if sealed is not None or content.media_type != kinds.PDF:
        return open_layout(key, content.id, number, sealed) if sealed is not None else None
    kept_as = f"{content.id.hex}-{number}-words-{content.text_version}"
    if kept := services.pictures.get(kept_as):
        try:
            return open_layout(key, content.id, number, kept)
        except Damaged:
            pass  # it is asked anew
    try:
        with _held(services, content, key) as file:
            told = services.drawer.done_held(WORDS, file, number)
    except (NotFound, Unavailable):
        return None
    if isinstance(told, Failure) or (lines := lines_told(told)) is None:
        return None
    layout = laid_out(text, *lines)
    services.pictures.put(kept_as, seal_layout(key, content.id, number, layout))
    return layout


@contextmanager
def _held(services: "Services", content: Content, key: Unlocked, pdf: bytes | None = None) -> Iterator[MemoryFile]:
    """Hold a content, or the PDF that was made of it, in memory for a while.

    Raises:
        NotFound: it cannot be had.
    """
    try:
        if pdf is None:
            reader = _reader(services, content, key)
            file = services.drawer.hold(reader.read(), reader.size)
        else:
            file = services.drawer.hold([pdf], len(pdf))
    except (TooLarge, Damaged):
        raise NotFound from None
    try:
        yield file
    finally:
        file.close()


def _asked(query: str) -> Query | None:
    try:
        return parse(query) if query.strip() else None
    except InvalidInput:
        return None


def _marks(query: str, text: str, span: tuple[int, int] | None = None) -> Sequence[tuple[int, int]]:
    if span and not query.strip():
        return [span] if span[1] <= len(text) else []
    asked = _asked(query)
    return marks_in(asked, text, "text") if asked else ()


def split_marks(text: str, marks: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a text at its marks into (part, is a hit)."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for start, end in marks:
        if start > at:
            parts.append((text[at:start], False))
        parts.append((text[start:end], True))
        at = end
    if at < len(text):
        parts.append((text[at:], False))
    return parts
