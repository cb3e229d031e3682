"""Searching: what a person typed, asked of the partitions they are cleared for, and every hit checked again.

The engine filters by facts as they were indexed, the fences take out what changed since, the database has the last
word on each hit. A hit that the database refuses is a fault of ours: it is dropped, counted and logged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import bindparam, not_, select
from sqlalchemy.orm import Session

from archive import personal
from archive.database import Database
from archive.errors import Damaged, Fault, InvalidInput, KeyUnavailable, Unavailable
from archive.fence import LIMIT, fences
from archive.identity import Identity, Role
from archive.log.readings import Readings
from archive.log.writer import Log
from archive.model import Job, JobKind, Record, RecordState
from archive.model.jobs import JobState
from archive.model.log import LogResult
from archive.policy.condition import AnyOf, Between, Condition, Has, Within, all_of, holds
from archive.policy.facts import facts_of_many
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act, condition
from archive.policy.sql import where
from archive.ports import Vault
from archive.scheme.values import other_phone
from indexer.engine import (
    TOKEN_FIELD,
    EngineHit,
    Order,
    SearchAnswer,
    SearchEngine,
    SearchRequest,
    partition_of,
)
from indexer.pagetext import Page, texts_of_records
from indexer.passages import Passage, find_passages, marks_in
from indexer.query.parser import parse
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words
from indexer.ranges import bounds

FACETS: Final = ("category", "year", "level", "fonds", "department", "medium", "project", "opening")
"""What is counted beside the hits."""

REPAIR = "repair"
"""In the payload of a job that makes the index anew: mend what differs instead, the old index being gone or wrong."""

_PASSAGES, _MOST_PAGES = 3, 8_000
"""Passages of a hit, and pages that one query looks through for them over all its hits; others are found, not shown."""

_HIT_ROWS = select(
    Record.id, Record.fonds_id, Record.category_id, Record.place_path, Record.department_id, Record.level_rank,
    Record.group_id, Record.state, Record.kind, Record.created_by, Record.archive_number, Record.registration_number,
    Record.title, Record.drawn_up,
).where(Record.id.in_(bindparam("ids", expanding=True)))  # fmt: skip
"""What a hit shows and what the policy asks of it; plain rows cost half of what entities do."""

_LAST_REBUILD = (
    select(Job.state, Job.payload)
    .where(
        Job.kind == JobKind.REBUILD, Job.state.in_((JobState.QUEUED, JobState.RUNNING, JobState.FAILED, JobState.DONE))
    )
    .order_by(Job.id.desc())
    .limit(1)
)

_TEXT_FIELDS = frozenset({None, "text", "person", "notes", "title", "fields", "responsible", "keywords"})


HitRow = Any
"""A row of ``_HIT_ROWS``: the columns of a record by their names."""


@dataclass(frozen=True)
class Hit:
    """One record found. ``number`` is its archive number, or before filing its registration number.

    ``marks`` are (start, end) in the title. ``tier`` says where it was found, ``date_key`` where it stands in an order
    by date (see ``indexer.engine``).
    """

    record_id: UUID
    number: str | None
    title: str
    level_rank: int
    marks: Sequence[tuple[int, int]]
    passages: Sequence[Passage]
    date: str | None
    place: str | None
    category_id: UUID
    fonds_id: UUID
    kind: str
    state: str
    tier: int
    date_key: int = 0


@dataclass(frozen=True)
class SearchPage:
    """One page of an answer: the query as understood, how many there are in all, and counts per facet and value.

    ``complete`` is False while the index is made up again from the database: not all is found yet.
    """

    query: Query
    total: int
    hits: Sequence[Hit] = ()
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    complete: bool = True


class SearchService:
    """Finds records for people.

    Args:
        db: the house's database.
        engine: finds ids.
        vault: opens page text and makes tokens.
        guard: tells what a person reaches.
        readings: where queries are noted; an answer is given only once its entry is durable.
        log: where a refused hit is noted.
    """

    def __init__(
        self, db: Database, engine: SearchEngine, vault: Vault, guard: Guard, readings: Readings, log: Log
    ) -> None:
        self._db = db
        self._engine = engine
        self._vault = vault
        self._guard = guard
        self._readings = readings
        self._log = log
        self.leaks = 0
        """Hits that the database refused since the start: anything but 0 is a bug."""

    def search(
        self,
        identity: Identity,
        text: str,
        *,
        filters: Sequence[tuple[str, str]] = (),
        order: Order = Order.RELEVANCE,
        offset: int = 0,
        limit: int = 20,
        after: tuple[int, UUID] | None = None,
        passages: bool = True,
        facets: Sequence[str] = FACETS,
    ) -> SearchPage:
        """Answer what a person typed, with only what they may read now.

        Args:
            identity: who asks.
            text: what they typed (see ``indexer.query.parser``); blank finds everything they may read.
            filters: (facet, value) as facets give them; ``category`` and ``place`` take in what lies below, and
                ``date`` is a range (``2023..2024-05``).
            order: how hits are ordered.
            offset: hits to pass over.
            limit: hits of a page.
            after: date key and id of the hit behind which the page begins; only in an order by date.
            passages: whether to cut passages out of page text.
            facets: what is counted beside the hits.

        Raises:
            InvalidInput: the text or a filter cannot be read, or the page lies too deep.
            Unavailable: the engine does not answer (``part="search"``), too much has changed since it was brought up
                to date (``part="index_updating"``), or the query could not be logged.
        """
        query = parse(text)
        chosen = [_filter(name, value) for name, value in filters]
        asked = _with_tokens(query, self._vault.token)
        refused: list[UUID] = []
        with self._db.reading() as session:
            reach = self._guard.reach(session, identity)
            allowed = condition(Act.READ, reach)
            request = SearchRequest(
                asked, partitions_of(reach), allowed, [*fences(session), *_left_hands(session, reach, allowed)], chosen,
                facets, order, offset, limit, after,
            )  # fmt: skip
            answer = self._engine.search(request) if request.partitions else SearchAnswer(0)
            rows, refused = self._checked(session, answer.hits, allowed)
            total = answer.total - (len(answer.hits) - len(rows))
            asking = {"query": text, "filters": list(filters), "found": total}
            noted = self._readings.begin(identity, "search.query", body=asking)  # written while passages are cut
            open_ = [row.id for row, _ in rows if passages and row.id not in reach.loans]  # a loan: on its marked pages
            cut = self._passages(session, asked, open_) if open_ else {}
            hits = [_shown(query, row, hit, cut.get(row.id, ())) for row, hit in rows]
            complete = answer.whole and _complete(session)
        self._alarm(identity, refused)
        noted.result()
        return SearchPage(query, total, hits, answer.facets, complete)

    def count(self, identity: Identity, filters: Sequence[tuple[str, str]]) -> int:
        """Return how many records a person finds by filters alone; no record is shown, so nothing is logged.

        Raises as ``search``.
        """
        with self._db.reading() as session:
            reach = self._guard.reach(session, identity)
            allowed = condition(Act.READ, reach)
            request = SearchRequest(
                Everything(), partitions_of(reach), allowed, [*fences(session), *_left_hands(session, reach, allowed)],
                [_filter(name, value) for name, value in filters], limit=0,
            )  # fmt: skip
            return self._engine.search(request).total if request.partitions else 0

    def _checked(
        self, session: Session, hits: Sequence[EngineHit], allowed: Condition
    ) -> tuple[list[tuple[HitRow, EngineHit]], list[UUID]]:
        """Return the hits that the database lets through, each with its row, and the ids it refuses.

        A hit from another partition than its row's level is on its way there, and does not count.
        """
        ids = [hit.id for hit in hits]
        if not ids:
            return [], []
        found = session.connection().execute(_HIT_ROWS, {"ids": ids}).all()
        facts = facts_of_many(session, cast("Sequence[Record]", found))  # a row answers to the same names
        rows = {row.id: row for row in found if holds(allowed, facts[row.id])}
        refused = [hit.id for hit in hits if hit.id not in rows]
        kept = [(rows[hit.id], hit) for hit in hits if hit.id in rows and hit.partition == _partition(rows[hit.id])]
        return kept, refused

    def _alarm(self, identity: Identity, refused: Sequence[UUID]) -> None:
        self.leaks += len(refused)
        for record_id in refused:
            self._log.note_apart(self._db, identity, "search.leak", record=record_id, result=LogResult.FAILED)

    def _passages(self, session: Session, query: Query, found: Sequence[UUID]) -> dict[UUID, list[Passage]]:
        cut: dict[UUID, list[Passage]] = {}
        left = _MOST_PAGES
        texts = texts_of_records(session, self._vault, found)
        for record_id in dict.fromkeys(key for key in found if key in texts):
            counted = _Counted(islice(chain.from_iterable(map(_readable, texts[record_id])), left))
            cut[record_id] = find_passages(query, counted, _PASSAGES)
            left -= counted.count
        return cut


def _readable(pages: Iterator[Page]) -> Iterator[Page]:
    try:
        yield from pages
    except (Damaged, KeyUnavailable):
        # The hit stands without passages; opening the record says what is wrong with it.
        return


class _Counted:
    """Pages as they are read, and how many have been."""

    def __init__(self, pages: Iterator[Page]) -> None:
        self._pages = pages
        self.count = 0

    def __iter__(self) -> Iterator[Page]:
        for page in self._pages:
            self.count += 1
            yield page


def _left_hands(session: Session, reach: Reach, allowed: Condition) -> list[Condition]:
    """Return what a clerk must not find any more: records filed since they were indexed, and so out of their hands.

    A fence would hide bulk filings from everyone; filing takes a reading right from clerks alone.

    Raises:
        Unavailable: more were filed than a search lists (``part="index_updating"``).
    """
    if Role.CLERK not in reach.roles or reach.person_id is None:
        return []
    unsettled = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)
    waiting = select(Job.subject_id).where(Job.kind == JobKind.INDEX, Job.state.in_(unsettled))
    mine = AnyOf((Has("department", reach.departments), Has("created_by", frozenset((reach.person_id,)))))
    gone = select(Record.id).where(
        Record.id.in_(waiting), Record.state == RecordState.FILED, where(mine), not_(where(allowed))
    )
    ids = frozenset(session.scalars(gone.limit(LIMIT + 1)))
    if len(ids) > LIMIT:
        raise Unavailable(part="index_updating")
    return [Has("record", ids)] if ids else []


def _complete(session: Session) -> bool:
    """Whether the last job that made or mended the index was not one that still has to bring records back."""
    last = session.connection().execute(_LAST_REBUILD).first()
    return last is None or last.state is JobState.DONE or not last.payload.get(REPAIR)


def partitions_of(reach: Reach) -> list[str]:
    """Return the partitions of the levels a person is cleared for; no other is ever asked."""
    return [partition_of(rank, hidden) for rank in sorted(reach.levels) for hidden in (False, True)]


def _partition(row: HitRow) -> str:
    return partition_of(row.level_rank, row.group_id is not None)


def _shown(query: Query, row: HitRow, hit: EngineHit, passages: Sequence[Passage]) -> Hit:
    return Hit(
        row.id,
        row.archive_number or row.registration_number,
        row.title,
        row.level_rank,
        marks_in(query, row.title),
        passages,
        row.drawn_up,
        row.place_path,
        row.category_id,
        row.fonds_id,
        row.kind.value,
        row.state.value,
        hit.tier,
        hit.date_key,
    )


def _with_tokens(query: Query, token: Callable[[str, str], str]) -> Query:
    """Put keyed tokens in the place of personal numbers: engines never see one."""
    match query:
        case Words() | Prefix() if query.field in _TEXT_FIELDS:
            return _leaf_with_tokens(query, token)
        case And(parts):
            return And(tuple(_with_tokens(part, token) for part in parts))
        case Or(parts):
            return Or(tuple(_with_tokens(part, token) for part in parts))
        case Negate(part):
            return Negate(_with_tokens(part, token))
        case Words() | Prefix() | Range() | Everything():
            return query


def _leaf_with_tokens(leaf: Words | Prefix, token: Callable[[str, str], str]) -> Query:
    found = personal.find(leaf.text)
    if not found:
        # A fixed line is known as a number only where a field says so; it too is found whole and by its token.
        line = other_phone(leaf.text) if isinstance(leaf, Words) and leaf.field in {None, "person"} else None
        kind = personal.PersonalKind.PHONE.value
        return Or((leaf, Words(token(kind, line), TOKEN_FIELD, leaf.at))) if line else leaf
    rest, at = [], 0
    for one in found:
        rest.append(leaf.text[at : one.start])
        at = one.end
    rest.append(leaf.text[at:])
    parts: list[Query] = [Words(token(one.kind.value, one.normal), TOKEN_FIELD, leaf.at) for one in found]
    parts += [replace(leaf, text=text) for text in rest if any(sign.isalnum() for sign in text)]
    asked = parts[0] if len(parts) == 1 else And(tuple(parts))
    # What looks like a phone number may be a part of an archive number, which is kept whole.
    return Or((asked, Words(leaf.text, "number", leaf.at))) if leaf.field is None else asked


def _filter(name: str, value: str) -> Condition:
    """Return the condition that a chosen facet value means.

    Raises:
        InvalidInput: there is no such filter, or no such value can be.
    """
    try:
        return _FILTERS[name](value)
    except KeyError:
        raise InvalidInput(Fault("filter", "unknown_filter", {"name": name})) from None
    except ValueError as error:
        raise InvalidInput(Fault("filter", "bad_filter", {"name": name, "value": value[:100]})) from error


def _days(value: str) -> Condition:
    low, mark, high = value.partition("..")
    first, last = bounds(Range("date", low.strip() or None, (high if mark else low).strip() or None))
    return all_of(Between("drawn_from", None, last), Between("drawn_to", first, None))


def _one(fact: str, kind: Callable[[str], Any]) -> Callable[[str], Condition]:
    return lambda value: Has(fact, frozenset((kind(value),)))


def _path(value: str) -> Condition:
    return Within("place", frozenset((value if value.endswith("/") else f"{value}/",)))


_FILTERS: Final[Mapping[str, Callable[[str], Condition]]] = {
    "category": _one("branch", UUID),
    "fonds": _one("fonds", UUID),
    "department": _one("department", UUID),
    "dossier": _one("dossier", UUID),
    "year": _one("year", int),
    "level": _one("level", int),
    "medium": _one("medium", str),
    "project": _one("project", str),
    "kind": _one("kind", str),
    "state": _one("state", str),
    "vital": _one("vital", str),
    "opening": _one("opening", str),
    "place": _path,
    "date": _days,
}
