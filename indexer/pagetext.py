"""Page texts at rest: runs of pages, packed and sealed under the record's key.

Each page is kept as extracted and folded, so that searching a page needs no folding. Personal numbers are blotted out
before a text comes here; their keyed tokens lie beside the page they stood on.
"""

import json
import zlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select
from sqlalchemy.orm import Session, aliased

from archive.errors import Damaged
from archive.model import Content, File, PageText, TextState
from archive.personal import mask
from archive.ports import Unlocked, Vault
from indexer.fold import FOLD_VERSION, fold

SLICE_CHARS = 32_000
"""A slice takes pages until it holds this many characters (Chinese: about 64 KB packed down to a third)."""

_FORMAT = 1


_PORTION_BYTES = 4_000_000
PORTION = 20
PORTION_SLICES = 40
"""So many records with text, and slices of it, are read together, where no single record has more."""


@dataclass(frozen=True)
class Page:
    """One page: its number (from 1), its text, the text folded, and tokens of the personal numbers on it.

    ``content_id`` says whose page it is, where it was read with others.
    """

    number: int
    text: str
    folded: str
    tokens: tuple[str, ...] = ()
    content_id: UUID | None = None


@dataclass(frozen=True)
class Slice:
    """A sealed run of pages, ready to be kept."""

    first_page: int
    page_count: int
    sealed: bytes


def page(number: int, text: str, tokens: Iterable[str] = ()) -> Page:
    """Return a page with its text folded."""
    return Page(number, text, fold(text), tuple(tokens))


def masked_page(vault: Vault, number: int, text: str) -> Page:
    """Return a page with its personal numbers blotted out and kept as tokens."""
    masked, numbers = mask(text)
    return page(number, masked, sorted({vault.token(kind.value, normal) for kind, normal in numbers}))


def seal_pages(key: Unlocked, content_id: UUID, pages: Iterable[Page]) -> list[Slice]:
    """Pack and seal pages, without writing anything. Pages come in order; numbers may skip pages without text."""
    return [
        Slice(run[0].number, len(run), key.seal(_pack(run), context=_context(content_id, run[0].number)))
        for run in _runs(pages)
    ]


def batches(slices: Sequence[Slice], most: int) -> Iterator[Sequence[Slice]]:
    """Yield slices some at a time, of ``most`` sealed bytes at the most where a slice is no larger by itself."""
    batch: list[Slice] = []
    for each in slices:
        if batch and sum(len(one.sealed) for one in batch) + len(each.sealed) > most:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def opened(key: Unlocked, content_id: UUID, slices: Iterable[Slice]) -> Iterator[Page]:
    """Yield the pages of slices that ``seal_pages`` made."""
    for each in slices:
        context = _context(content_id, each.first_page)
        yield from _unpack(key.open(each.sealed, context=context), context)


def replace_pages(session: Session, texts: Mapping[UUID, Sequence[Slice]], *, there: Collection[UUID] = ()) -> None:
    """Make slices the whole text of their contents, in the caller's transaction.

    Args:
        session: of the transaction.
        texts: slices by content; none: the content has no text.
        there: contents whose slices are written already (``put_slices``); only what else there is goes.
    """
    kept = {(content, each.first_page) for content in there for each in texts[content]}
    rows = session.execute(select(PageText.content_id, PageText.first_page).where(PageText.content_id.in_(texts)))
    for content, first in {(row.content_id, row.first_page) for row in rows} - kept:
        session.execute(delete(PageText).where(PageText.content_id == content, PageText.first_page == first))
    _insert(session, {content: slices for content, slices in texts.items() if content not in there})


def join_pages(session: Session, key: Unlocked, content_id: UUID, fresh: Sequence[Page]) -> None:
    """Put pages into a content's text, in place of those with the same numbers, in the caller's transaction.

    Only the slices that they belong into are sealed anew.

    Raises:
        Damaged: what is kept is not what was kept.
    """
    kept = select(PageText.first_page).where(PageText.content_id == content_id).order_by(PageText.first_page)
    firsts = session.scalars(kept).all()
    slices: dict[int | None, list[Page]] = {}
    for each in fresh:
        at = max(bisect_right(firsts, each.number) - 1, 0)
        slices.setdefault(firsts[at] if firsts else None, []).append(each)
    for first, pages in slices.items():
        there = PageText.content_id == content_id, PageText.first_page == first
        sealed = session.scalar(select(PageText.sealed).where(*there))
        context = _context(content_id, first or 0)
        before = _unpack(key.open(sealed, context=context), context) if sealed is not None else ()
        joined = {each.number: each for each in [*before, *pages]}
        session.execute(delete(PageText).where(*there))
        _insert(session, {content_id: seal_pages(key, content_id, [joined[number] for number in sorted(joined)])})


def put_slices(session: Session, content_id: UUID, slices: Sequence[Slice]) -> None:
    """Write slices in the caller's transaction, in place of any with the same first page."""
    firsts = [each.first_page for each in slices]
    session.execute(delete(PageText).where(PageText.content_id == content_id, PageText.first_page.in_(firsts)))
    _insert(session, {content_id: slices})


def _insert(session: Session, texts: Mapping[UUID, Sequence[Slice]]) -> None:
    rows = [
        {"content_id": content, "first_page": each.first_page, "page_count": each.page_count, "sealed": each.sealed}
        for content, slices in texts.items()
        for each in slices
    ]
    if rows:
        session.connection().execute(insert(PageText.__table__), rows)  # type: ignore[arg-type]  # it is a Table


def save_pages(session: Session, vault: Vault, record_id: UUID, content_id: UUID, pages: Iterable[Page]) -> None:
    """Replace a content's page texts in the caller's transaction. For large texts seal outside and put in batches."""
    replace_pages(session, {content_id: seal_pages(vault.unlock(session, record_id), content_id, pages)})


def load_pages(session: Session, vault: Vault, record_id: UUID, content_id: UUID, *, after: int = -1) -> Iterator[Page]:
    """Yield a content's pages in order; pages without text may be missing. Slices are opened one by one.

    Texts folded by an older table are folded anew. ``after`` leaves out the slice that begins at this page, and what
    comes before it.

    Raises:
        KeyUnavailable: the record's key is destroyed or the ring is broken.
        Damaged: what is kept is not what was kept.
    """
    if slices := kept_slices(session, content_id, after=after):
        yield from opened(vault.unlock(session, record_id), content_id, slices)


def kept_slices(session: Session, content_id: UUID, *, after: int = -1) -> list[Slice]:
    """Return the slices of a content's text, still sealed, in order (``after``: as for ``load_pages``)."""
    rows = session.connection().execute(_SLICES, {"content": content_id, "after": after})
    return [Slice(*row) for row in rows]


def sealed_texts(session: Session, ids: Sequence[UUID]) -> Iterator[tuple[UUID, Sequence[Slice]]]:
    """Yield contents with the slices of their texts, still sealed: small texts come together, so few questions do.

    What lies in memory then is a portion, or one larger text. Contents without a text come last, with no slice.
    """
    portion: list[UUID] = []
    held = 0
    sizes = session.connection().execute(_SIZES, {"ids": list(ids)}).all()
    for content, size in sizes:
        if portion and held + size > _PORTION_BYTES:
            yield from _together(session, portion)
            portion, held = [], 0
        portion.append(content)
        held += size
    if portion:
        yield from _together(session, portion)
    yield from ((content, ()) for content in set(ids) - {content for content, _ in sizes})


def _together(session: Session, ids: Sequence[UUID]) -> Iterator[tuple[UUID, Sequence[Slice]]]:
    rows = session.connection().execute(_SLICES_OF, {"ids": list(ids)})
    for content, slices in groupby(rows, key=lambda row: row.content_id):
        yield content, [Slice(row.first_page, row.page_count, row.sealed) for row in slices]


def page_at(session: Session, vault: Vault, record_id: UUID, content_id: UUID, number: int) -> Page | None:
    """Return one page, opening the one slice that may hold it; None: it has no text. Raises as ``load_pages``."""
    row = session.execute(
        select(PageText.first_page, PageText.sealed)
        .where(PageText.content_id == content_id, PageText.first_page <= number)
        .order_by(PageText.first_page.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    context = _context(content_id, row.first_page)
    pages = _unpack(vault.open(session, record_id, row.sealed, context=context), context)
    return next((page for page in pages if page.number == number), None)


def portions(session: Session, ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield the records without text together, and the others a few at a time: what they say lies in memory then."""
    counted = (
        select(Content.record_id, func.count(PageText.first_page))
        .outerjoin(PageText, PageText.content_id == Content.id)
        .where(Content.record_id.in_(ids), Content.text_state == TextState.TEXT)
        .group_by(Content.record_id)
    )
    slices = {key: count for key, count in session.execute(counted)}  # noqa: C416  (rows are no pairs to mypy)
    if light := [key for key in ids if key not in slices]:
        yield light
    portion: list[UUID] = []
    for key in (each for each in ids if each in slices):
        full = len(portion) == PORTION or slices[key] + sum(slices[each] for each in portion) > PORTION_SLICES
        if portion and full:
            yield portion
            portion = []
        portion.append(key)
    if portion:
        yield portion


def texts_of_records(session: Session, vault: Vault, record_ids: Sequence[UUID]) -> dict[UUID, list[Iterator[Page]]]:
    """Return the texts of some records in the order of their files, each as its pages; records without are left out.

    The first slice of each text, nearly always the only one, comes by one question for all; the rest when it is read.
    Reading a text raises as ``load_pages`` does.
    """
    rows = session.connection().execute(_FIRST_SLICES, {"ids": list(record_ids)}).all()
    plain = vault.open_many(session, [(row.record_id, row.sealed, _context(row.id, row.first_page)) for row in rows])
    texts: dict[UUID, list[Iterator[Page]]] = {}
    for row, opened in zip(rows, plain, strict=True):
        texts.setdefault(row.record_id, []).append(_pages(session, vault, row, opened))
    return texts


def _pages(session: Session, vault: Vault, row: Any, opened: bytes | None) -> Iterator[Page]:
    pages: Iterator[Page]
    if opened is None:  # asked for alone, it says why
        pages = load_pages(session, vault, row.record_id, row.id)
    else:
        rest = load_pages(session, vault, row.record_id, row.id, after=row.first_page) if row.slices > 1 else ()
        pages = chain(_unpack(opened, _context(row.id, row.first_page)), rest)
    for each in pages:
        yield Page(each.number, each.text, each.folded, each.tokens, row.id)


def _first_slices() -> Select[Any]:
    one = aliased(PageText)
    slices = select(func.count()).select_from(one).where(one.content_id == Content.id).scalar_subquery()
    first = select(func.min(one.first_page)).where(one.content_id == Content.id).scalar_subquery()
    return (
        select(File.record_id, Content.id, PageText.first_page, PageText.sealed, slices.label("slices"))
        .join(Content, Content.id == File.content_id)
        .join(PageText, and_(PageText.content_id == Content.id, PageText.first_page == first))
        .where(File.record_id.in_(bindparam("ids", expanding=True)), Content.text_state == TextState.TEXT)
        .order_by(File.position, File.id)
    )


_FIRST_SLICES = _first_slices()
_SIZES = (
    select(PageText.content_id, func.sum(func.length(PageText.sealed)))
    .where(PageText.content_id.in_(bindparam("ids", expanding=True)))
    .group_by(PageText.content_id)
)
_SLICES_OF = (
    select(PageText.content_id, PageText.first_page, PageText.page_count, PageText.sealed)
    .where(PageText.content_id.in_(bindparam("ids", expanding=True)))
    .order_by(PageText.content_id, PageText.first_page)
)
_SLICES = (
    select(PageText.first_page, PageText.page_count, PageText.sealed)
    .where(PageText.content_id == bindparam("content"), PageText.first_page > bindparam("after"))
    .order_by(PageText.first_page)
)


def _context(content_id: UUID, first: int) -> str:
    return f"pages:{content_id.hex}:{first}"


def _runs(pages: Iterable[Page]) -> Iterator[list[Page]]:
    run: list[Page] = []
    length = 0
    for each in pages:
        if run and length + len(each.text) > SLICE_CHARS:
            yield run
            run, length = [], 0
        run.append(each)
        length += len(each.text)
    if run:
        yield run


def _pack(run: list[Page]) -> bytes:
    rows = [[each.number, each.text, each.folded if each.folded != each.text else None, each.tokens] for each in run]
    body = {"format": _FORMAT, "fold": FOLD_VERSION, "pages": rows}
    return zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), 3)


def _unpack(plain: bytes, context: str) -> Iterator[Page]:
    body = json.loads(zlib.decompress(plain))
    if body["format"] != _FORMAT:
        raise Damaged(what=context)
    same_table = body["fold"] == FOLD_VERSION
    for number, text, folded, tokens in body["pages"]:
        kept = (text if folded is None else folded) if same_table else fold(text)
        yield Page(number, text, kept, tuple(tokens))
