"""What the acts on destructions share: what they are given, who has which duty, and what is on a list."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from archive.approving.deciders import DECISIONS, hands_of
from archive.approving.engine import Approvals
from archive.blocks import end_caused
from archive.clock import Clock
from archive.database import Database
from archive.errors import NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import (
    Approval,
    ApprovalWord,
    Block,
    BlockCause,
    BlockKind,
    Content,
    Copy,
    DestroyedRecord,
    Destruction,
    DestructionDuty,
    DestructionItem,
    DestructionItemState,
    DestructionState,
    Duty,
    Level,
    Medium,
    Record,
    RecordPerson,
    Stop,
)
from archive.policy.guard import AT_ONCE, Guard
from archive.policy.rules import Act, may
from archive.ports import Vault
from retention.destroying.telling import Turns
from retention.elsewhere import kept_from_destruction
from retention.last_check import stops
from retention.reckoning import DueDays

MOST = 10_000
"""Records of one list."""

LIVE = (DestructionItemState.LISTED, DestructionItemState.DOOMED, DestructionItemState.GONE)


@dataclass(frozen=True)
class Means:
    """What acts on destructions are done with. ``cooling``: how long anyone concerned may object."""

    db: Database
    guard: Guard
    vault: Vault
    log: Log
    outbox: Outbox
    clock: Clock
    approvals: Approvals
    cooling: timedelta
    turns: Turns
    due_days: DueDays


@dataclass(frozen=True)
class Part:
    """What someone is to a destruction: whether they see it whole, their duties, and whether they may decide now."""

    whole: bool
    duties: frozenset[Duty]
    decides: bool
    concerned: bool

    @property
    def any(self) -> bool:
        """Whether it is there for them at all."""
        return self.whole or self.decides or self.concerned or bool(self.duties)

    @property
    def numbers(self) -> bool:
        """Whether they see the numbers of everything on the list."""
        return self.whole or self.decides or bool(self.duties)


def part_of(means: Means, session: Session, identity: Identity, row: Destruction) -> Part:
    """Return what a person is to a destruction. Who only reads a record on it is concerned while it cools off."""
    person = identity.person_id
    if person is None:
        return Part(whole=False, duties=frozenset(), decides=False, concerned=False)
    reach = means.guard.reach(session, identity)
    duties = frozenset(duty for duty, people in duties_of(session, row).items() if person in people)
    approval = session.get(Approval, row.approval_id) if row.approval_id else None
    hands = hands_of(session, person, means.guard.day())
    decides = (
        approval is not None
        and row.state is DestructionState.ASKED
        and not duties - {Duty.DECIDER}
        and means.approvals.may_decide(session, person, approval, hands)
    )
    whole = may(Act.SEE_DESTRUCTIONS, reach)
    concerned = row.state is DestructionState.COOLING and reads_some(means, session, identity, row.id)
    return Part(whole=whole, duties=duties, decides=decides, concerned=concerned)


def reads_some(means: Means, session: Session, identity: Identity, key: UUID) -> bool:
    """Return whether a person reads at least one record on a list."""
    on_it = select(DestructionItem.record_id).where(
        DestructionItem.destruction_id == key, DestructionItem.state == DestructionItemState.LISTED
    )
    mine = means.guard.visible(session, identity).where(Record.id.in_(on_it)).with_only_columns(Record.id)
    return session.scalar(mine.limit(1)) is not None


def required(means: Means, session: Session, identity: Identity, key: UUID) -> tuple[Destruction, Part]:
    """Return a destruction and what the person is to it. Raises ``NotFound``: there is none for them."""
    row = session.get(Destruction, key)
    part = part_of(means, session, identity, row) if row is not None else None
    if row is None or part is None or not part.any:
        raise NotFound
    return row, part


def locked(session: Session, key: UUID) -> None:
    """Let the acts on one destruction take turns."""
    session.execute(
        update(Destruction)
        .where(Destruction.id == key)
        .values(version=Destruction.version)
        .execution_options(synchronize_session=False)
    )


def duties_of(session: Session, row: Destruction) -> Mapping[Duty, Collection[UUID]]:
    """Return who has had which duty so far; who decided in someone's place counts with whom they stood in for."""
    return duties_of_each(session, [row])[row.id]


def duties_of_each(session: Session, rows: Sequence[Destruction]) -> Mapping[UUID, Mapping[Duty, Collection[UUID]]]:
    """As ``duties_of``, by destruction: two statements for all that one query can name."""
    found: dict[UUID, dict[Duty, list[UUID]]] = {row.id: {Duty.ASKER: [row.begun_by]} for row in rows}
    asked = {row.approval_id: row.id for row in rows if row.approval_id}
    for part in chunks(list(asked)):
        said = select(ApprovalWord.approval_id, ApprovalWord.person_id, ApprovalWord.instead_of).where(
            ApprovalWord.approval_id.in_(part), ApprovalWord.said.in_(DECISIONS)
        )
        for approval, *two in session.execute(said):
            found[asked[approval]].setdefault(Duty.DECIDER, []).extend(person for person in two if person)
    for row in rows:
        if row.confirmed_by:
            found[row.id][Duty.CONFIRMER] = [row.confirmed_by]
    for part in chunks([row.id for row in rows]):
        query = select(DestructionDuty.destruction_id, DestructionDuty.duty, DestructionDuty.person_id).where(
            DestructionDuty.destruction_id.in_(part), DestructionDuty.person_id.is_not(None)
        )
        for key, duty, person in session.execute(query):
            if person:
                found[key].setdefault(duty, []).append(person)
    return found


def chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield ids in parts that one query can name."""
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def stopped(session: Session, ids: Sequence[UUID], today: date) -> Mapping[UUID, Stop]:
    """Return which records may not go, and why."""
    found: dict[UUID, Stop] = {}
    for part in chunks(ids):
        found |= stops(session, part, today, kept_from_destruction)
    return found


def listed(session: Session, key: UUID) -> Sequence[DestructionItem]:
    """Return the items that stand on a list, in their order."""
    query = select(DestructionItem).where(
        DestructionItem.destruction_id == key, DestructionItem.state == DestructionItemState.LISTED
    )
    return session.scalars(query.order_by(DestructionItem.position)).all()


def pull(
    means: Means, session: Session, identity: Identity, row: Destruction, why: Mapping[UUID, Stop]
) -> Sequence[DestructionItem]:
    """Take records out of a list; they are listed apart, and what blocked them ends."""
    taken = [each for each in listed(session, row.id) if each.record_id in why]
    for each in taken:
        each.state, each.pulled = DestructionItemState.PULLED, why[each.record_id]
    session.flush()
    ids = [each.record_id for each in taken]
    unblock(means, session, identity, row.id, ids)
    for part in chunks([each for each in ids if why[each] is not Stop.NOT_THERE]):
        means.log.note_many(
            session, identity, "destruction.pull",
            [(each, {"destruction": str(row.id), "stop": why[each].value}) for each in part],
        )  # fmt: skip
    return taken


def recheck(means: Means, session: Session, identity: Identity, row: Destruction) -> Sequence[DestructionItem]:
    """Ask of everything on a list whether it may go, and pull out what may not."""
    ids = [each.record_id for each in listed(session, row.id)]
    return pull(means, session, identity, row, stopped(session, ids, means.guard.day()))


def block(means: Means, session: Session, identity: Identity, key: UUID, ids: Iterable[UUID]) -> None:
    """Keep records where they are while they stand on a list."""
    session.add_all(
        Block(
            id=new_id(), kind=BlockKind.UNDER_DESTRUCTION, record_id=each, set_by=identity.person_id,
            set_at=means.clock.now(), cause=BlockCause.DESTRUCTION, cause_id=key,
        )
        for each in ids
    )  # fmt: skip
    session.flush()


def unblock(means: Means, session: Session, identity: Identity, key: UUID, ids: Sequence[UUID]) -> None:
    """End what kept records where they are."""
    end_caused(session, identity, BlockCause.DESTRUCTION, key, ids, means.clock)


def end_standing(means: Means, session: Session, identity: Identity, row: Destruction) -> None:
    """Free everything on a list that comes to nothing."""
    ids = [each.record_id for each in listed(session, row.id)]
    session.execute(update(DestructionItem).where(DestructionItem.destruction_id == row.id).values(standing=False))
    unblock(means, session, identity, row.id, ids)


def records_of(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Record]:
    """Return records by id."""
    found: dict[UUID, Record] = {}
    for part in chunks(ids):
        found |= {each.id: each for each in session.scalars(select(Record).where(Record.id.in_(part)))}
    return found


def needs_neutral(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Return the records whose own title may not stand in a register.

    They are of the two upper levels, under need-to-know, with protected fields, or with people named on them.
    """
    upper = sorted(session.scalars(select(Level.rank)))[-2:]
    found: set[UUID] = set()
    for part in chunks(ids):
        hidden = or_(Record.level_rank.in_(upper), Record.group_id.is_not(None), Record.sealed_fields.is_not(None))
        found |= set(session.scalars(select(Record.id).where(Record.id.in_(part), hidden)))
        found |= set(session.scalars(select(RecordPerson.record_id).where(RecordPerson.record_id.in_(part))))
    return found


def carriers(session: Session, key: UUID) -> tuple[bool, bool]:
    """Return whether a list holds paper, and whether it holds files of the information system.

    The paper of an item may be bound with its dossier's. Files are told by what is stored as well as by what is
    described: a paper may have been scanned.
    """
    on_it = _on_it(key)
    above = select(Record.dossier_id).where(Record.id.in_(on_it), Record.medium != Medium.ELECTRONIC)
    lies = or_(Copy.record_id.in_(on_it), Copy.record_id.in_(above))
    copies = exists().where(lies, Copy.withdrawn_at.is_(None))
    described = exists().where(Record.id.in_(on_it), Record.medium.in_((Medium.ELECTRONIC, Medium.BOTH)))
    stored = exists().where(Content.record_id.in_(on_it))
    gone = exists().where(  # of what is gone the register knows
        DestroyedRecord.destruction_id == key,
        or_(DestroyedRecord.medium.in_((Medium.ELECTRONIC.value, Medium.BOTH.value)), DestroyedRecord.files > 0),
    )
    paper, files = session.execute(select(or_(copies, uncounted(key).exists()), or_(described, stored, gone))).one()
    return bool(paper), bool(files)


def uncounted(key: UUID) -> Select[UUID]:
    """Select what on a list is said to be on paper, though no copy was ever noted of it, or of its dossier there."""
    on_it = _on_it(key)
    with_it = and_(Copy.record_id == Record.dossier_id, Copy.record_id.in_(on_it))
    noted = exists().where(or_(Copy.record_id == Record.id, with_it)).correlate(Record)
    return select(Record.id).where(Record.id.in_(on_it), Record.medium != Medium.ELECTRONIC, ~noted)


def _on_it(key: UUID) -> Select[UUID]:
    return select(DestructionItem.record_id).where(
        DestructionItem.destruction_id == key, DestructionItem.state.in_(LIVE)
    )


def say(means: Means, session: Session, identity: Identity, act: str, row: Destruction, **more: Any) -> None:
    """Write an act on a destruction into the log, under its key, which stays."""
    session.flush()
    body = {"destruction": str(row.id), "number": row.number, "state": row.state.value, **more}
    means.log.note(session, identity, f"destruction.{act}", subject=row.id, body=body)


def seal(means: Means, session: Session, key: UUID, what: str, values: Mapping[str, Any]) -> bytes:
    """Seal what is said of a destruction under its key."""
    data = json.dumps(values, ensure_ascii=False).encode()
    return means.vault.seal(session, key, data, context=f"destruction:{key.hex}:{what}")


def opened(means: Means, session: Session, key: UUID, what: str, sealed: bytes) -> dict[str, Any]:
    """Open what ``seal`` sealed."""
    data = means.vault.open(session, key, sealed, context=f"destruction:{key.hex}:{what}")
    found: dict[str, Any] = json.loads(data)
    return found


def outsiders(means: Means, session: Session, rows: Sequence[DestructionDuty]) -> Mapping[UUID, str]:
    """Return the names of those of other houses, by the id of their duty."""
    return {
        each.id: str(opened(means, session, each.destruction_id, f"duty:{each.id.hex}", each.sealed)["name"])
        for each in rows
        if each.sealed is not None
    }
