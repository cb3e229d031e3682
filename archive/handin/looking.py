"""Looking at batches: who sees which, what each line says to them, and what was found of it.

A batch is judged by the rules of a draft of its category, level and department: whoever could read that sees the batch,
whoever could describe it lists and hands in, whoever could file it checks.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import NotAllowed, NotFound, OwnRequest
from archive.handin.lines import LineFacts, open_lines
from archive.identity import Identity, Role
from archive.log.writer import Log
from archive.model import (
    HandIn,
    HandInCheck,
    HandInForm,
    HandInLine,
    HandInSignature,
    HandInState,
    LineState,
    Record,
    RecordKind,
    RecordState,
    SignedBy,
)
from archive.model.handin import HandInDuty
from archive.policy.condition import holds
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act, condition
from archive.ports import Vault

Place = tuple[datetime, UUID]
Duties = Mapping[SignedBy, AbstractSet[UUID]]
"""Who has acted for which side of a batch."""

WAITING = (HandInState.HANDED_IN, HandInState.RETURNED, HandInState.CHECKED)
"""States in which the next step is somebody's."""

LOOKED_AT = 200
"""Batches read at once."""


@dataclass(frozen=True)
class Means:
    """What every part of hand-ins works with."""

    db: Database
    guard: Guard
    vault: Vault
    log: Log
    clock: Clock


@dataclass(frozen=True)
class Found:
    """What was found of a line, in one round. ``words`` are those of who checked."""

    check: HandInCheck
    words: str


@dataclass(frozen=True)
class Line:
    """A line as one person may see it: ``facts`` None where it speaks of a record that they may not read.

    ``number`` is then all that is told, if they keep custody of it. ``found`` are its checks, the newest last.
    """

    row: HandInLine
    facts: LineFacts | None
    number: str
    found: tuple[Found, ...]

    @property
    def last(self) -> Found | None:
        """The newest check."""
        return self.found[-1] if self.found else None


@dataclass(frozen=True)
class Batch:
    """A batch with its lines. ``acts`` are names of what the person may do with it now.

    ``whole``: what was signed is what stands (True while nobody has signed).
    """

    row: HandIn
    name: str
    lines: Sequence[Line]
    signatures: Mapping[SignedBy, HandInSignature]
    acts: frozenset[str]
    whole: bool
    forms: frozenset[str]

    def count(self, *states: LineState) -> int:
        """Count the lines in states; in any, when none is given."""
        return sum(not states or each.row.state in states for each in self.lines)


@dataclass(frozen=True)
class Listed:
    """A batch in a list."""

    row: HandIn
    name: str
    counts: Mapping[LineState, int]


def facts_of_batch(row: HandIn) -> dict[str, Any]:
    """Return the facts that rules ask for, as of a draft that would come of a line."""
    return {
        "record": None, "fonds": row.fonds_id, "category": row.category_id, "place": None,
        "department": row.department_id, "level": row.level_rank, "need_to_know": False, "named": frozenset(),
        "state": RecordState.PROVISIONAL.value, "kind": RecordKind.ITEM.value, "created_by": row.created_by,
    }  # fmt: skip


def may(reach: Reach, act: Act, row: HandIn) -> bool:
    """Return whether a reach may do an act on drafts of a batch."""
    return holds(condition(act, reach), facts_of_batch(row))


def required(means: Means, session: Session, identity: Identity, act: Act, batch_id: UUID, name: str) -> HandIn:
    """Return a batch if the person may do an act on it; ``name`` is the act in the log.

    Raises:
        NotFound: there is none that this person may see.
        NotAllowed: it is not theirs to do.
    """
    row = session.get(HandIn, batch_id)
    reach = means.guard.reach(session, identity)
    if row is not None and may(reach, act, row):
        return row
    seen = row is not None and may(reach, Act.READ, row)
    error = NotAllowed(act=name) if seen else NotFound()
    error.refusal = (name, None)  # type: ignore[union-attr]  # for the log alone, as the guard's own
    raise error


def duties_of(session: Session, rows: Sequence[HandIn]) -> Mapping[UUID, Duties]:
    """Return, by batch, who has handed it in and who has checked it, in any round."""
    found: dict[UUID, dict[SignedBy, set[UUID]]] = {row.id: {side: set() for side in SignedBy} for row in rows}
    for each in session.scalars(select(HandInDuty).where(HandInDuty.batch_id.in_(found))):
        found[each.batch_id][each.side].add(each.person_id)
    return found


def act_for(session: Session, identity: Identity, row: HandIn, side: SignedBy, act: str) -> None:
    """Note that a person acts for a side of a batch. Raises ``OwnRequest`` where they have acted for the other."""
    person, duties = identity.person_id, duties_of(session, [row])[row.id]
    if person is None or any(person in people for each, people in duties.items() if each is not side):
        raise OwnRequest(act=act)
    if person not in duties[side]:
        session.add(HandInDuty(batch_id=row.id, side=side, person_id=person))


def signatures_of(session: Session, rows: Sequence[HandIn]) -> Mapping[UUID, Mapping[SignedBy, HandInSignature]]:
    """Return, by batch, the signatures under it by their side."""
    found: dict[UUID, dict[SignedBy, HandInSignature]] = {row.id: {} for row in rows}
    for each in session.scalars(select(HandInSignature).where(HandInSignature.batch_id.in_(found))):
        found[each.batch_id][each.side] = each
    return found


def lines_of(session: Session, batch_id: UUID, *states: LineState) -> Sequence[HandInLine]:
    """Return the lines of a batch in their order, or those in some states."""
    query = select(HandInLine).where(HandInLine.batch_id == batch_id).order_by(HandInLine.position)
    return session.scalars(query.where(HandInLine.state.in_(states)) if states else query).all()


def name_of(session: Session, vault: Vault, row: HandIn) -> str:
    """Return what a batch is called."""
    return vault.open(session, row.id, row.sealed, context=f"hand-in:{row.id.hex}").decode()


class HandInLooks:
    """Batches as a person may see them."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def every(
        self, identity: Identity, states: Iterable[HandInState] = (), after: Place | None = None, limit: int = 50
    ) -> list[Listed]:
        """Return the batches that the person sees, the newest first; ``after`` is the last row's moment and id."""
        wanted, found = list(states), list[HandIn]()
        with self._means.db.reading() as session:
            reach = self._means.guard.reach(session, identity)
            while len(found) < limit:
                query = newest_first(select(HandIn), HandIn.created_at, HandIn.id, after).limit(LOOKED_AT)
                if wanted:
                    query = query.where(HandIn.state.in_(wanted))
                rows = session.scalars(query).all()
                found += [row for row in rows if may(reach, Act.READ, row)]
                if len(rows) < LOOKED_AT:
                    break
                after = (rows[-1].created_at, rows[-1].id)
            return self._listed(session, found[:limit])

    def count(self, session: Session, identity: Identity) -> int:
        """Count the batches on which the person can take the next step: check it, hand it in again, or sign."""
        reach = self._means.guard.reach(session, identity)
        waiting = session.scalars(select(HandIn).where(HandIn.state.in_(WAITING))).all()
        rows = [row for row in waiting if may(reach, Act.READ, row)]
        signed, duties = signatures_of(session, rows), duties_of(session, rows)
        return sum(bool(acts_of(reach, row, signed[row.id], duties[row.id]) - {"list"}) for row in rows)

    def show(self, identity: Identity, batch_id: UUID) -> Batch:
        """Return a batch. Raises ``NotFound``."""
        with self._means.guard.refusals(identity), self._means.db.reading() as session:
            row = required(self._means, session, identity, Act.READ, batch_id, "handin.see")
            return self._shown(session, identity, row)

    def _listed(self, session: Session, rows: Sequence[HandIn]) -> list[Listed]:
        counted: dict[UUID, dict[LineState, int]] = {}
        query = select(HandInLine.batch_id, HandInLine.state, func.count()).where(
            HandInLine.batch_id.in_([row.id for row in rows])
        )
        for key, state, number in session.execute(query.group_by(HandInLine.batch_id, HandInLine.state)):
            counted.setdefault(key, {})[state] = number
        return [Listed(row, name_of(session, self._means.vault, row), counted.get(row.id, {})) for row in rows]

    def _shown(self, session: Session, identity: Identity, row: HandIn) -> Batch:
        vault = self._means.vault
        rows = lines_of(session, row.id)
        said = open_lines(session, vault, rows)
        hidden, numbers = self._hidden(session, identity, rows)
        found = _found(session, vault, row.id)
        lines = []
        for each, facts in zip(rows, said, strict=True):
            gone = (
                each.record_id is None and each.state is LineState.PASSED
            )  # a signed list keeps its lines, as evidence; no page shows them
            if gone or each.record_id in hidden:
                lines.append(Line(each, None, hidden.get(each.record_id, ""), ()))
            else:
                standing = standing_of(facts, numbers.get(each.record_id))
                lines.append(Line(each, standing, standing.number, tuple(found.get(each.id, ()))))
        signatures, duties = signatures_of(session, [row])[row.id], duties_of(session, [row])[row.id]
        whole = all(each.digest == digest(session, vault, row) for each in signatures.values())
        forms = frozenset(session.scalars(select(HandInForm.form).where(HandInForm.batch_id == row.id)))
        acts = acts_of(self._means.guard.reach(session, identity), row, signatures, duties)
        return Batch(row, name_of(session, vault, row), lines, signatures, acts, whole, forms)

    def _hidden(
        self, session: Session, identity: Identity, rows: Sequence[HandInLine]
    ) -> tuple[dict[UUID | None, str], dict[UUID | None, Record]]:
        """Return the numbers of records that the person may not read ("": nor keep), and the records that they may."""
        keys = [row.record_id for row in rows if row.record_id is not None]
        if not keys:
            return {}, {}
        guard = self._means.guard
        read = {each.id: each for each in session.scalars(guard.visible(session, identity).where(Record.id.in_(keys)))}
        away = set(keys) - read.keys()
        kept = guard.visible(session, identity, Act.CUSTODY).where(Record.id.in_(away))
        numbers = {each.id: each.registration_number or "" for each in session.scalars(kept)} if away else {}
        return {key: numbers.get(key, "") for key in away}, {key: row for key, row in read.items()}  # noqa: C416


def standing_of(facts: LineFacts, record: Record | None) -> LineFacts:
    """Return what a line says; of one that says nothing of its own, what its draft says today."""
    if record is None or facts.title or facts.number:
        return facts
    return replace(
        facts, number=str(record.fields.get("document_number") or ""), title=record.title,
        drawn_up=record.drawn_up or "", pages=record.pages,
    )  # fmt: skip


def acts_of(
    reach: Reach, row: HandIn, signatures: Mapping[SignedBy, HandInSignature], duties: Duties
) -> frozenset[str]:
    """Return what a person may do with a batch as it stands: list, drop, hand_in, check, sign_handed, sign_received."""
    acts = set[str]()
    if may(reach, Act.DESCRIBE, row) and row.state in {HandInState.OPEN, HandInState.RETURNED}:
        acts |= {"list"} | ({"drop"} if row.round == 0 else set())
        acts |= set() if reach.person_id in duties[SignedBy.RECEIVED] else {"hand_in"}
    handed = reach.person_id in duties[SignedBy.HANDED]
    if may(reach, Act.FILE, row) and row.state is HandInState.HANDED_IN and not handed:
        acts.add("check")
    if row.state is HandInState.CHECKED and reach.person_id not in {each.person_id for each in signatures.values()}:
        acts |= {f"sign_{side.value}" for side in sides_of(reach, row, duties) - signatures.keys()}
    return frozenset(acts)


def sides_of(reach: Reach, row: HandIn, duties: Duties) -> set[SignedBy]:
    """Return the sides that a person may sign for.

    Whoever handed in, or a clerk of theirs who did not check, signs for one; an archivist who did not hand in for the
    other: in any round.
    """
    handed, checked = (reach.person_id in duties[side] for side in (SignedBy.HANDED, SignedBy.RECEIVED))
    sides = set[SignedBy]()
    if may(reach, Act.DESCRIBE, row) and (handed or Role.CLERK in reach.roles) and not checked:
        sides.add(SignedBy.HANDED)
    if may(reach, Act.FILE, row) and not handed:
        sides.add(SignedBy.RECEIVED)
    return sides


def _found(session: Session, vault: Vault, batch_id: UUID) -> dict[UUID, list[Found]]:
    query = select(HandInCheck).where(HandInCheck.batch_id == batch_id).order_by(HandInCheck.checked_at, HandInCheck.id)
    rows = session.scalars(query).all()
    sealed = [row for row in rows if row.sealed is not None]
    opened = vault.open_many(session, [(batch_id, row.sealed or b"", check_context(row.id)) for row in sealed])
    words = {row.id: (data or b"").decode() for row, data in zip(sealed, opened, strict=True)}
    found: dict[UUID, list[Found]] = {}
    for row in rows:
        found.setdefault(row.line_id, []).append(Found(row, words.get(row.id, "")))
    return found


def check_context(check_id: UUID) -> str:
    """Return what the words of a check are sealed as."""
    return f"hand-in-check:{check_id.hex}"


def digest(session: Session, vault: Vault, row: HandIn) -> str:
    """Return the SHA-256 of all that a batch's lines say, what became of them and what was found: what is signed."""
    rows = lines_of(session, row.id)
    found = _found(session, vault, row.id)
    told = [
        {
            "line": each.id.hex,
            "position": each.position,
            "state": each.state.value,
            "carrier": facts.carrier and facts.carrier.value,
            "pages": each.pages,
            "copies": each.copies,
            "said": [facts.number, facts.title, facts.drawn_up, facts.remarks],
            "found": [
                [one.check.round, one.check.reason and one.check.reason.value, one.words, one.check.checked_by.hex]
                for one in found.get(each.id, ())
            ],
        }
        for each, facts in zip(rows, open_lines(session, vault, rows), strict=True)
    ]
    head = {"batch": row.id.hex, "round": row.round, "name": name_of(session, vault, row), "lines": told}
    return sha256(json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
