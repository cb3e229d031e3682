"""The job that finds the contents whose text is nearly that of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Uuid, bindparam, func, insert, select
from sqlalchemy.orm import Session

from archive.database import Base, Database
from archive.errors import Damaged, KeyUnavailable
from archive.files.likeness import forget
from archive.files.pairing import meet
from archive.jobs.lease import held_among
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import AlikeText, Content, ContentState, JobKind, Likeness, LikenessBand
from archive.ports import Unlocked, Vault
from indexer.likeness import TOLD_FROM, Signature, signature, unpacked
from indexer.pagetext import Slice, opened, sealed_texts

MOST_CANDIDATES = 100
_LOOKED_AT = 2_000


@dataclass(frozen=True)
class _Alike:
    content_id: UUID
    record_id: UUID
    percent: int
    same: bool


@dataclass(frozen=True)
class _Found:
    job: ClaimedJob
    content_id: UUID
    record_id: UUID
    signature: Signature | None
    sealed: bytes = b""
    bands: Sequence[int] = ()


def _nearest() -> Any:
    """Return a query for the contents of other records that share most bands with a content."""
    bands = LikenessBand.value.in_(bindparam("bands", expanding=True))
    meeting = select(LikenessBand.content_id).where(bands).limit(_LOOKED_AT).subquery()
    others = select(meeting.c.content_id).where(meeting.c.content_id != bindparam("content"))
    nearest = others.group_by(meeting.c.content_id).order_by(func.count().desc()).limit(MOST_CANDIDATES)
    return (
        select(Content.id, Content.record_id, Likeness.sealed)
        .join(Likeness, Likeness.content_id == Content.id)
        .where(Content.id.in_(nearest), Content.record_id != bindparam("record"))
    )


def _counted() -> Any:
    """Return a query for how many contents have each of some bands, of the first ``most`` that have any."""
    bands = LikenessBand.value.in_(bindparam("bands", expanding=True))
    some = select(LikenessBand.value).where(bands).limit(bindparam("most")).subquery()
    return select(some.c.value, func.count()).group_by(some.c.value)


_NEAREST = _nearest()  # made once: it takes longer to make than to answer
_COUNTED = _counted()
_BANDS = Base.metadata.tables["likeness_band"]
_AT_ONCE = insert(_BANDS).from_select(
    ["value", "content_id"],
    select(
        func.unnest(bindparam("bands", type_=ARRAY(BigInteger))), func.unnest(bindparam("contents", type_=ARRAY(Uuid)))
    ),
)
_STORED = select(Content.id, Content.record_id).where(
    Content.id.in_(bindparam("ids", expanding=True)), Content.state == ContentState.STORED
)


class CompareTexts:
    """Handler of compare jobs; the subject is a content with a text. Idempotent: what it finds replaces what it found.

    A content's bands are written first, then the others looked for: of two that come at once, the later sees both.
    """

    kind = JobKind.COMPARE
    batch = 32
    deadline = 300.0
    max_attempts = 5
    keep_done = False

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Compare some contents with all that came in before."""
        outcomes = {job.id: Outcome.done() for job in jobs}
        found: list[_Found] = []
        with self._db.reading() as session:
            rows = session.connection().execute(_STORED, {"ids": [job.subject_id for job in jobs]})
            owners = dict(rows.all())
            keys = self._vault.unlock_many(session, set(owners.values()))
            by_content = {job.subject_id: job for job in jobs if job.subject_id in owners}
            for content, slices in sealed_texts(session, list(owners)):
                job, record = by_content[content], owners[content]
                try:
                    found.append(self._found(job, content, record, keys.get(record), slices))
                except (Damaged, KeyUnavailable) as error:
                    outcomes[job.id] = Outcome.failed(error.code)
        kept = self._keep(found)
        with self._db.reading() as session:
            alike = self._alike(session, kept)
        self._write(list(zip(kept, alike, strict=True)))
        lost = {each.job.id: Outcome.retry("lease_lost") for each in found if each not in kept}
        return outcomes | lost

    def _found(
        self, job: ClaimedJob, content: UUID, record: UUID, key: Unlocked | None, slices: Sequence[Slice]
    ) -> _Found:
        """Return a content's signature."""
        if key is None:
            raise KeyUnavailable(key=str(record))
        made = signature(opened(key, content, slices))
        if made is None:
            return _Found(job, content, record, None)
        sealed = key.seal(made.packed(), context=_context(content))
        return _Found(job, content, record, made, sealed, made.bands(self._vault))

    def _keep(self, found: Sequence[_Found]) -> list[_Found]:
        """Keep signatures and bands in place of what was known before; return those whose job is still held."""
        if not found:
            return []
        with self._db.writing() as work:
            session = work.session
            still = held_among(session, {each.job.id: each.job.lease for each in found})
            kept = [each for each in found if each.job.id in still]
            ids = [each.content_id for each in kept]
            forget(session, ids)
            there = set(session.scalars(select(Content.id).where(Content.id.in_(ids))))
            new = [each for each in kept if each.content_id in there and each.signature]
            if new:
                rows = [{"content_id": each.content_id, "sealed": each.sealed} for each in new]
                session.execute(insert(Likeness), rows)
                _keep_bands(session, [(v, each.content_id) for each in new for v in sorted(set(each.bands))])
            work.commit()
        return kept

    def _alike(self, session: Session, found: Sequence[_Found]) -> list[list[_Alike]]:
        """Return for each the contents of other records that are nearly the same."""
        shared = _shared(session, found)
        nearest = [_near(session, each) if shared.intersection(each.bands) else () for each in found]
        rows = list({row.id: row for near in nearest for row in near}.values())
        plain = self._vault.open_many(session, [(row.record_id, row.sealed, _context(row.id)) for row in rows])
        others = {row.id: unpacked(data) for row, data in zip(rows, plain, strict=True) if data is not None}
        return [
            [
                _Alike(row.id, row.record_id, percent, other.digest == each.signature.digest)
                for row in near
                if each.signature
                and (other := others.get(row.id))
                and (percent := each.signature.percent(other)) >= TOLD_FROM
            ]
            for each, near in zip(found, nearest, strict=True)
        ]

    def _write(self, pairs: Sequence[tuple[_Found, Sequence[_Alike]]]) -> None:
        """Keep the pairs whose contents are both still there; a pair that the other's job found stands."""
        if not pairs:
            return
        ids = {key for found, alike in pairs for key in (found.content_id, *(each.content_id for each in alike))}
        with self._db.writing() as work:
            session = work.session
            there = set(session.scalars(select(Likeness.content_id).where(Likeness.content_id.in_(ids))))
            known = select(AlikeText.content_id, AlikeText.other_id)
            ours = [found.content_id for found, _ in pairs]
            stands = {tuple(row) for row in session.execute(known.where(AlikeText.content_id.in_(ours)))}
            rows: list[dict[str, Any]] = []
            for found, alike in pairs:
                here = (found.content_id, found.record_id)
                for each in alike:
                    if {found.content_id, each.content_id} <= there and (
                        found.content_id,
                        each.content_id,
                    ) not in stands:
                        stands |= {(found.content_id, each.content_id), (each.content_id, found.content_id)}
                        other = (each.content_id, each.record_id)
                        rows += [_row(here, other, each), _row(other, here, each)]
            if rows:
                session.execute(insert(AlikeText), rows)
            meet(session, {found.record_id for found, _ in pairs})
            work.commit()


def _keep_bands(session: Session, rows: Sequence[tuple[int, UUID]]) -> None:
    """Write bands: to PostgreSQL in one statement, for there are two dozen of each text."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        values, contents = zip(*rows, strict=True)
        connection.execute(_AT_ONCE, {"bands": list(values), "contents": list(contents)})
    else:
        connection.execute(insert(_BANDS), [{"value": value, "content_id": content} for value, content in rows])


def _shared(session: Session, found: Sequence[_Found]) -> set[int]:
    """Return which bands of these contents others have too: of most texts none. All, where too many have them."""
    ours = sorted({band for each in found for band in each.bands})
    if not ours:
        return set()
    most = _LOOKED_AT * len(found)
    counts = session.connection().execute(_COUNTED, {"bands": ours, "most": most}).all()
    full = sum(count for _, count in counts) >= most
    return set(ours) if full else {band for band, count in counts if count > 1}


def _near(session: Session, found: _Found) -> Sequence[Any]:
    """Return the contents of other records that share most bands with one, with what is kept of them."""
    if found.signature is None:
        return ()
    asked = {"bands": list(found.bands), "content": found.content_id, "record": found.record_id}
    return session.execute(_NEAREST, asked).all()


def _row(one: tuple[UUID, UUID], other: tuple[UUID, UUID], alike: _Alike) -> dict[str, Any]:
    return {
        "content_id": one[0],
        "record_id": one[1],
        "other_id": other[0],
        "other_record_id": other[1],
        "percent": alike.percent,
        "same": alike.same,
    }


def _context(content_id: UUID) -> str:
    return f"likeness:{content_id.hex}"
