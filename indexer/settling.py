"""What reading a content came to, and the transaction rows that make it valid."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from archive.cataloguing import proposals
from archive.cataloguing.proposals import Finding
from archive.database import Base
from archive.dates import parse_civil
from archive.files.rereading import AGAIN
from archive.jobs.runner import ClaimedJob
from archive.model import Content, ContentState, File, Record, RecordState, ScannedPage, ScanState, TextState
from archive.ports import Unlocked
from indexer.extract.answer import Failure, Reason
from indexer.pagetext import Slice, join_pages, opened, replace_pages


@dataclass(frozen=True)
class Source:
    """A content as read from the database, the key to its bytes (None: it cannot be had), and the virus known in it.

    ``circle`` is equal for contents of the same level and the same circle of readers that one person brought in, or a
    command of the house; None: it is read by itself.
    """

    content_id: UUID
    record_id: UUID
    media_type: str | None
    object_key: str
    store_version: str
    name: str
    key: Unlocked | None
    virus: str | None = None
    cipher_size: int | None = None
    circle: Hashable = None


@dataclass
class Result:
    """What extraction made of one content. Of slices that are written ``ahead`` only what they are is kept."""

    source: Source
    job: ClaimedJob
    media_type: str
    reason: str | None = None
    state: TextState = TextState.NO_TEXT
    quarantined: bool = False
    page_count: int | None = None
    findings: Sequence[Finding] = ()
    proposals: Mapping[str, bytes] = field(default_factory=dict)
    pronom: str | None = None
    macros: bool = False
    virus: str | None = None
    scanner_asked: bool = False
    scanned_with: str | None = None
    slices: list[Slice] = field(default_factory=list)
    ahead: bool = False
    scans: list[int] = field(default_factory=list)
    inside: int = 0

    @property
    def drawn_up(self) -> str | None:
        """The date that is proposed."""
        return next((each.value for each in self.findings if each.field == "drawn_up"), None)

    @property
    def bytes(self) -> int:
        """Sealed bytes to write."""
        return sum(len(each.sealed) for each in self.slices)


READING = 1
"""How files are read now, as a number: counted up when they are read better, so that older readings are known."""

_QUARANTINED = frozenset((Reason.ENCRYPTED, Reason.SEALED, Reason.BROKEN, Reason.BOMB, Reason.CLIMBS, Reason.PART))
BROKE_DOWN = frozenset((Reason.TIME, Reason.MEMORY, Reason.CRASHED))
"""What ended the fork that read a file."""


def failed(result: Result, failure: Failure) -> Result:
    """Note in a result why there is no text."""
    result.reason = failure.reason.value
    result.quarantined = failure.reason in _QUARANTINED
    result.state = TextState.FAILED if failure.reason in _QUARANTINED | BROKE_DOWN else TextState.NO_TEXT
    return result


_RECORDS = Base.metadata.tables["record"]
_CONTENTS = Base.metadata.tables["content"]
STANDING = (
    select(
        Content.id, Content.record_id, Content.media_type, Content.object_key, Content.store_version, File.name,
        Content.state, Content.text_state, Content.virus, Content.cipher_size,
        Record.level_rank, Record.group_id, Content.created_by, File.inside_id,
    )
    .join(File, File.id == Content.file_id)
    .join(Record, Record.id == Content.record_id)
    .where(
        Content.id.in_(bindparam("ids", expanding=True)),
        Content.state.in_((ContentState.STORED, ContentState.QUARANTINED)),
        Content.store_version.is_not(None),
    )
)  # fmt: skip
_SETTLED = (
    update(_CONTENTS)
    .where(_CONTENTS.c.id == bindparam("whose"))
    .values(
        text_state=bindparam("text_state"),
        text_version=_CONTENTS.c.text_version + 1,
        reason=bindparam("reason"),
        pages=bindparam("pages"),
        media_type=bindparam("media_type"),
        state=bindparam("state"),
        read_by=READING,
        pronom=func.coalesce(bindparam("pronom"), _CONTENTS.c.pronom),
        macros=bindparam("macros"),
        virus=bindparam("virus"),
        scanned_with=case((bindparam("scanner_asked"), bindparam("scanned_with")), else_=_CONTENTS.c.scanned_with),
    )
)
_MARKED = update(_CONTENTS).where(_CONTENTS.c.id == bindparam("whose")).values(scanned_with=bindparam("by"))
_UNDATED = select(Record.id).where(
    Record.id.in_(bindparam("ids", expanding=True)),
    Record.drawn_up.is_(None),
    Record.state == RecordState.PROVISIONAL,
)
_DATED = (
    update(_RECORDS)
    .where(_RECORDS.c.id == bindparam("whose"))
    .values(
        drawn_up=bindparam("text"),
        drawn_from=bindparam("first"),
        drawn_to=bindparam("last"),
        drawn_up_proposed=True,
    )
)


@dataclass(frozen=True)
class Settled:
    """What became valid: the records that changed; contents with scanned pages, with files inside, with a text."""

    records: set[UUID]
    scanned: set[UUID]
    holding: set[UUID]
    texts: set[UUID]


def groups(results: Sequence[Result], most: int) -> Iterator[Sequence[Result]]:
    """Join results into transactions that stay short: of ``most`` sealed bytes, but for a larger one alone."""
    group: list[Result] = []
    for result in results:
        if group and sum(each.bytes for each in group) + result.bytes > most:
            yield group
            group = []
        group.append(result)
    if group:
        yield group


def settle(session: Session, results: Sequence[Result], ahead: Collection[UUID]) -> Settled:
    """Make results valid whose contents still wait for them."""
    rows = session.execute(STANDING, {"ids": [each.source.content_id for each in results]})
    found = {row.id: row for row in rows}
    _mark_scanned(session, results)
    again = [each.source.content_id for each in results if AGAIN in each.job.payload]
    newest = update(Content).where(Content.id.in_(again)).values(read_by=READING)  # also what gives nothing better
    session.execute(newest.execution_options(synchronize_session=False))
    holding = _packed(session, [each.source.content_id for each in results if each.inside])
    by_ocr = read_by_ocr(session, again)
    results = [
        each
        for each in results
        if _keeps(each, by_ocr.get(each.source.content_id)) and _counts(each, found.get(each.source.content_id))
    ]
    if not results:
        return Settled(set(), set(), holding, set())
    values = [
        {
            "whose": each.source.content_id,
            "text_state": _text_state(each, found[each.source.content_id]),
            "reason": each.reason,
            "pages": each.page_count,
            "media_type": each.media_type or each.source.media_type,
            "pronom": each.pronom,
            "macros": each.macros,
            "virus": each.virus,
            "scanner_asked": each.scanner_asked,
            "scanned_with": each.scanned_with,
            "state": _state(each, found[each.source.content_id]),
        }
        for each in results
    ]
    session.connection().execute(_SETTLED, values)
    mixed = [each for each in results if each.source.content_id in by_ocr and not each.virus]
    whole = [each for each in results if each not in mixed]
    replace_pages(session, {each.source.content_id: each.slices for each in whole}, there=ahead)
    _note_scans(session, {each.source.content_id: each.scans for each in whole})
    keep_proposals(session, whole)
    for each in mixed:
        _join(session, each, by_ocr[each.source.content_id])
    records = {each.source.record_id for each in results}
    newer = update(Record).where(Record.id.in_(records)).values(version=Record.version + 1)
    session.execute(newer.execution_options(synchronize_session=False))
    give_dates(session, {each.source.record_id: each.drawn_up for each in reversed(results) if each.drawn_up})
    scanned = {each.source.content_id for each in results if each.scans}
    texts = {each.source.content_id for each in results if each.state is TextState.TEXT}
    return Settled(records, scanned, holding, texts)


def keep_proposals(session: Session, results: Sequence[Result]) -> None:
    """Make what was found in these contents what is proposed for their records."""
    keys = {each.source.content_id: each.source.key for each in results if each.source.key is not None}
    proposals.replace(session, {each.source.content_id: each.proposals for each in results}, keys)


def _mark_scanned(session: Session, results: Sequence[Result]) -> None:
    """Keep which scanner looked last, also of those whose new text is not taken: OCR's stays, and better ones do."""
    asked = [
        {"whose": each.source.content_id, "by": each.scanned_with}
        for each in results
        if each.scanner_asked and not each.virus
    ]
    if asked:
        session.connection().execute(_MARKED, asked)


def waits(state: ContentState, text: TextState) -> bool:
    """Whether a content waits for its first reading."""
    return state is ContentState.STORED and text is TextState.PENDING


def _counts(result: Result, row: Any) -> bool:
    """Whether a result is to be written: what was read before gives way to a text, or to a virus, alone."""
    if row is None or waits(row.state, row.text_state):
        return row is not None
    better = row.text_state is not TextState.TEXT or result.state is TextState.TEXT
    return AGAIN in result.job.payload and (better or result.virus is not None)


def read_by_ocr(session: Session, contents: Sequence[UUID]) -> Mapping[UUID, Collection[int]]:
    """Return the pages that OCR read of those contents that hold some: no other reading finds their words."""
    found: dict[UUID, set[int]] = {}
    if contents:
        read = select(ScannedPage.content_id, ScannedPage.number).where(
            ScannedPage.content_id.in_(contents),
            or_(ScannedPage.state == ScanState.READ, ScannedPage.confidence.is_not(None)),  # or is read once more
        )
        for content, number in session.execute(read):
            found.setdefault(content, set()).add(number)
    return found


def _keeps(result: Result, scanned: Collection[int] | None) -> bool:
    """Whether a result may be written beside what OCR read: a virus, or a text layer that is read anew."""
    layer = result.state is TextState.TEXT and result.source.key is not None
    return scanned is None or result.virus is not None or layer


def _join(session: Session, result: Result, scanned: Collection[int]) -> None:
    """Put the pages of a text layer among those that OCR read, which stay; so do the proposals, made of both."""
    source = result.source
    if source.key is None:
        return
    pages = [each for each in opened(source.key, source.content_id, result.slices) if each.number not in scanned]
    join_pages(session, source.key, source.content_id, pages)
    rows = ScannedPage.content_id == source.content_id
    session.execute(delete(ScannedPage).where(rows, ScannedPage.number.in_([each.number for each in pages])))
    known = set(session.scalars(select(ScannedPage.number).where(rows)))
    fresh = [number for number in result.scans if number not in known]
    values = [{"content_id": source.content_id, "number": each, "state": ScanState.WAITING} for each in fresh]
    if values:
        session.execute(insert(ScannedPage), values)


def _packed(session: Session, contents: Sequence[UUID]) -> set[UUID]:
    """Return which of these still hold files that were not taken out."""
    if not contents:
        return set()
    return set(session.scalars(select(Content.id).where(Content.id.in_(contents), Content.members.is_(None))))


def _state(result: Result, before: Any) -> ContentState:
    """Return where a content stands now; reading one again puts none aside that was kept, but for a virus new to it."""
    kept = result.virus is None or before.virus is not None
    stays = AGAIN in result.job.payload and before.state is ContentState.STORED and kept
    return ContentState.QUARANTINED if result.quarantined and not stays else ContentState.STORED


def _text_state(result: Result, before: Any) -> TextState:
    """Return how the text stands; of what is kept though it cannot be read, as where a person decided so."""
    kept = result.quarantined and _state(result, before) is ContentState.STORED
    return TextState.NO_TEXT if kept else result.state


def give_dates(session: Session, dates: Mapping[UUID, str]) -> None:
    """Propose dates for provisional records that have none."""
    undated = session.scalars(_UNDATED, {"ids": list(dates)}) if dates else ()
    found = {record: parse_civil(dates[record]) for record in undated}
    rows = [{"whose": key, "text": day.text, "first": day.first, "last": day.last} for key, day in found.items()]
    if rows:
        session.connection().execute(_DATED, rows)


def _note_scans(session: Session, scans: Mapping[UUID, Sequence[int]]) -> None:
    """Keep which pages wait for OCR, in place of what was known of these contents before."""
    session.execute(delete(ScannedPage).where(ScannedPage.content_id.in_(scans)))
    rows = [
        {"content_id": content, "number": number, "state": ScanState.WAITING}
        for content, numbers in scans.items()
        for number in numbers
    ]
    if rows:
        session.execute(insert(ScannedPage), rows)
