"""Blocking facts: why a record or a copy is neither lent nor moved out now. The one table that all such acts ask.

That a copy is missing stands here and nowhere else: its condition says how the paper is, not whether it is there. Its
place stays the one where it should lie, until it is found or withdrawn.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Blocked, Fault, InvalidInput, NotAllowed, NotFound, StandsAlready
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Block, BlockCause, BlockKind, Copy, Person, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reasons import checked

BY_PEOPLE = frozenset({BlockKind.MISSING, BlockKind.IN_RESTORATION, BlockKind.IN_APPRAISAL})
"""Kinds that a person sets and ends by an act of its own; the others come and go with what they are part of."""


@dataclass(frozen=True)
class Cause:
    """What a block or its end comes from. ``id`` names the stock-taking, request, … that it was part of."""

    kind: BlockCause = BlockCause.PERSON
    id: UUID | None = None


BY_HAND = Cause()


@dataclass(frozen=True)
class BlockView:
    """A block for the page of its record. ``why`` and ``end_why`` are "" for who does not read the record."""

    block: Block
    copy: int | None
    by: str | None
    ended_by: str | None
    why: str
    end_why: str


def standing(session: Session, record_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Block]]:
    """Return the open blocks of these records and of their copies, by record, the oldest first. Asks nobody."""
    found: dict[UUID, list[Block]] = defaultdict(list)
    query = select(Block).where(Block.record_id.in_(record_ids), Block.ended_at.is_(None))
    for row in session.scalars(query.order_by(Block.set_at, Block.id)):
        found[row.record_id].append(row)
    return found


def check_free(
    session: Session, record_id: UUID, copy_id: UUID | None = None, *, but: Collection[BlockKind] = ()
) -> None:
    """Check that nothing blocks a record (``copy_id``: this one of its copies), ``but`` aside. Asks nobody.

    Raises:
        Blocked: facts ``kinds``, the words of ``BlockKind``.
    """
    rows = standing(session, [record_id]).get(record_id, ())
    blocking = [row for row in rows if row.copy_id in {None, copy_id} and row.kind not in but]
    if blocking:
        raise Blocked(kinds=sorted({row.kind.value for row in blocking}))


class Blocks:
    """The acts on blocks."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def set(
        self,
        session: Session,
        identity: Identity,
        record_id: UUID,
        kind: BlockKind,
        why: str,
        *,
        copy_id: UUID | None = None,
        cause: Cause = BY_HAND,
    ) -> Block:
        """Block a filed record, or one of its copies, in the caller's transaction.

        Args:
            session: of the transaction.
            identity: who sets it.
            record_id: of the record.
            kind: of the block.
            why: the reason in words; it may be empty where another act than a person's own is the cause.
            copy_id: of one of its copies, still kept; None: the whole record.
            cause: what it comes from.

        Raises:
            NotFound, NotAllowed: not theirs to block.
            InvalidInput: field ``reason``, or ``copy``: not one of the record's, or withdrawn.
            StandsAlready: it is blocked so already.
        """
        record = self._guard.require(session, identity, Act.BLOCK, record_id)
        return self.set_many(session, identity, kind, [(record.id, copy_id)], why, cause=cause)[0]

    def set_many(
        self,
        session: Session,
        identity: Identity,
        kind: BlockKind,
        items: Sequence[tuple[UUID, UUID | None]],
        why: str,
        *,
        cause: Cause = BY_HAND,
    ) -> Sequence[Block]:
        """Do it for many (record, copy), which the caller has asked the policy about. At most some 100 at once."""
        why = _checked(why, cause)
        copies = {copy_id for _, copy_id in items if copy_id is not None}
        kept = dict(
            session.execute(select(Copy.id, Copy).where(Copy.id.in_(copies), Copy.withdrawn_at.is_(None))).all()
        )
        if any(key is not None and (key not in kept or kept[key].record_id != record) for record, key in items):
            raise InvalidInput(Fault("copy", "no_copy"))
        held = standing(session, {record for record, _ in items})
        taken = {(row.record_id, row.copy_id) for rows in held.values() for row in rows if row.kind is kind}
        if taken & set(items):
            raise StandsAlready(what="block", field="kind")
        rows = [
            Block(
                id=new_id(), kind=kind, record_id=record, copy_id=copy, set_by=identity.person_id,
                set_at=self._clock.now(), cause=cause.kind, cause_id=cause.id,
            )
            for record, copy in items
        ]  # fmt: skip
        if why:
            texts = [(row.record_id, _packed(why), f"block:{row.id.hex}") for row in rows]
            for row, sealed in zip(rows, self._vault.seal_many(session, texts), strict=True):
                row.sealed = sealed
        session.add_all(rows)
        session.flush()
        bodies = [(row.record_id, _told(row, kept, why, cause)) for row in rows]
        self._log.note_many(session, identity, "block.set", bodies)
        return rows

    def lift(self, session: Session, identity: Identity, block_id: UUID, why: str, *, cause: Cause = BY_HAND) -> Block:
        """End a block in the caller's transaction. Raises as ``set``; ``NotFound`` where it has ended already."""
        row = session.get(Block, block_id)
        self._guard.require(session, identity, Act.BLOCK, row.record_id if row else block_id)
        if row is None or row.ended_at is not None:
            raise NotFound
        self.lift_many(session, identity, [row], why, cause=cause)
        return row

    def lift_many(
        self, session: Session, identity: Identity, rows: Sequence[Block], why: str, *, cause: Cause = BY_HAND
    ) -> None:
        """End open blocks, which the caller has asked the policy about. At most some 100 at once."""
        why = _checked(why, cause)
        copies = _copies_of(session, rows)
        texts = [(row.record_id, _packed(why), f"block-end:{row.id.hex}") for row in rows] if why else []
        sealed: Sequence[bytes | None] = self._vault.seal_many(session, texts) if why else [None] * len(rows)
        for row, end in zip(rows, sealed, strict=True):
            row.end_sealed = end
        _end(session, identity, rows, cause, self._clock)
        bodies = [(row.record_id, _told(row, copies, why, cause)) for row in rows]
        self._log.note_many(session, identity, "block.lift", bodies)

    def standing(self, session: Session, record_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Block]]:
        """Return the open blocks by record, as the function of this name."""
        return standing(session, record_ids)

    def block(
        self, identity: Identity, record_id: UUID, kind: BlockKind, why: str, copy_id: UUID | None = None
    ) -> UUID:
        """Block a record or a copy as an act of its own, and return the block.

        Raises as ``set``; ``InvalidInput``, field ``kind``: not one of ``BY_PEOPLE``.
        """
        if kind not in BY_PEOPLE:
            raise InvalidInput(Fault("kind", "unknown"))
        with self._guard.refusals(identity), self._db.writing() as work:
            made = self.set(work.session, identity, record_id, kind, why, copy_id=copy_id)
            work.commit()
            return made.id

    def end(self, identity: Identity, block_id: UUID, why: str) -> UUID:
        """End a block as an act of its own, and return its record.

        Raises as ``lift``; ``NotAllowed``: it is not of ``BY_PEOPLE``, or ends with the appraisal that it came from.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            ended = self.lift(work.session, identity, block_id, why)
            if ended.kind not in BY_PEOPLE or ended.cause is BlockCause.APPRAISAL:
                raise NotAllowed(act=Act.BLOCK.value)
            work.commit()
            return ended.record_id

    def of(self, identity: Identity, record_id: UUID) -> Sequence[BlockView]:
        """Return the blocks of a record, open ones first, then the latest. Raises ``NotFound``."""
        with self._db.reading() as session:
            self._guard.require(session, identity, Act.SEE, record_id)
            query = select(Block).where(Block.record_id == record_id)
            rows = session.scalars(query.order_by(Block.ended_at.is_not(None), Block.set_at.desc(), Block.id)).all()
            if not rows:
                return ()
            mine = self._guard.visible(session, identity).where(Record.id == record_id)
            reads = session.scalar(mine.with_only_columns(Record.id)) is not None
            people = {key for row in rows for key in (row.set_by, row.ended_by) if key}
            names = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
            copies = _copies_of(session, rows)
            return [
                BlockView(
                    row,
                    copies[row.copy_id].number if row.copy_id else None,
                    names[row.set_by] if row.set_by else None,
                    names[row.ended_by] if row.ended_by else None,
                    self._open(session, row, "block", row.sealed) if reads else "",
                    self._open(session, row, "block-end", row.end_sealed) if reads else "",
                )
                for row in rows
            ]

    def may_block(self, identity: Identity, record_id: UUID) -> bool:
        """Whether the person may block a record, or lift what blocks it."""
        with self._db.reading() as session:
            query = self._guard.visible(session, identity, Act.BLOCK).where(Record.id == record_id)
            return session.scalar(query.with_only_columns(Record.id)) is not None

    def _open(self, session: Session, row: Block, what: str, sealed: bytes | None) -> str:
        if sealed is None:
            return ""
        data = self._vault.open(session, row.record_id, sealed, context=f"{what}:{row.id.hex}")
        return str(json.loads(data)["why"])


def end_missing(session: Session, identity: Identity, copy: Copy, cause: Cause, log: Log, clock: Clock) -> None:
    """End what says that this copy is missing, for an act that shows that it is here, or that it is no more.

    The act's own entry says why. Asks nobody: the caller has.
    """
    open_ones = (Block.copy_id == copy.id, Block.kind == BlockKind.MISSING, Block.ended_at.is_(None))
    for row in session.scalars(select(Block).where(*open_ones)).all():
        _end(session, identity, [row], cause, clock)
        log.note(session, identity, "block.lift", record=row.record_id, body=_told(row, {copy.id: copy}, "", cause))


def end_caused(
    session: Session, identity: Identity, cause: BlockCause, cause_id: UUID, record_ids: Sequence[UUID], clock: Clock
) -> None:
    """End what one act had set on many records, for an act whose own entry says why. Asks nobody: the caller has."""
    its_own = (Block.cause == cause, Block.cause_id == cause_id, Block.ended_at.is_(None))
    ended = {"ended_at": clock.now(), "ended_by": identity.person_id, "ended_cause": cause, "ended_cause_id": cause_id}
    for start in range(0, len(record_ids), 500):
        session.execute(
            update(Block)
            .where(*its_own, Block.record_id.in_(record_ids[start : start + 500]))
            .values(**ended, version=Block.version + 1)
            .execution_options(synchronize_session=False)
        )


def _end(session: Session, identity: Identity, rows: Sequence[Block], cause: Cause, clock: Clock) -> None:
    for row in rows:
        row.ended_at, row.ended_by = clock.now(), identity.person_id
        row.ended_cause, row.ended_cause_id = cause.kind, cause.id
        row.version += 1
    session.flush()


def _told(row: Block, copies: Mapping[UUID, Copy], why: str, cause: Cause) -> Mapping[str, Any]:
    copy = copies.get(row.copy_id) if row.copy_id else None
    body = {"kind": row.kind.value, "copy": copy.number if copy else None, "reason": why or None}
    return body | {"cause": cause.kind.value, "from": str(cause.id) if cause.id else None}


def _copies_of(session: Session, rows: Sequence[Block]) -> Mapping[UUID, Copy]:
    """Return the copies that blocks speak of, by id."""
    ids = {row.copy_id for row in rows if row.copy_id}
    return {copy.id: copy for copy in session.scalars(select(Copy).where(Copy.id.in_(ids)))} if ids else {}


def _packed(why: str) -> bytes:
    return json.dumps({"why": why}, ensure_ascii=False).encode()


def _checked(why: str, cause: Cause) -> str:
    return checked(why) if why.strip() or cause.kind is BlockCause.PERSON else ""
