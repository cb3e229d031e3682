"""Who decides: the tokens that a person holds, in their own right or for someone absent, and who holds a token."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive.database import is_reading
from archive.identity import OFFICERS, Role
from archive.model import (
    Approval,
    ApprovalDecider,
    ApprovalKind,
    ApprovalState,
    ApprovalWord,
    Custody,
    Department,
    Deputy,
    Person,
    PersonPost,
    PersonRole,
    Post,
    Said,
)

DECISIONS = (Said.APPROVED, Said.REFUSED)
_HANDS = "juanku hands"
"""Under this key a snapshot's ``info`` keeps the hands that were asked for in it."""
_KINDS = "juanku kinds that wait"
"""Under this key it keeps the kinds of requests that wait for someone."""
_ASKED = "juanku asked back"
"""Under this key it keeps how many requests of each kind wait for an answer of who put them."""


@dataclass(frozen=True)
class Hand:
    """What one person may decide with: their own tokens (``person`` None), or those of whom they stand in for."""

    person: UUID | None
    tokens: frozenset[str]


def valid(day: date) -> ColumnElement[bool]:
    """Return the condition that a post is held on a day."""
    return and_(
        or_(PersonPost.since.is_(None), PersonPost.since <= day),
        or_(PersonPost.until.is_(None), PersonPost.until >= day),
    )


def is_officer(person: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Return the condition that someone is one of the three officers: they decide by no post and as no deputy.

    They keep apart who runs, who guards and who reviews the system; what is decided on papers they only see.
    """
    return person.in_(select(PersonRole.person_id).where(PersonRole.role.in_(OFFICERS)))


def tokens_of(session: Session, person: UUID, day: date) -> frozenset[str]:
    """Return every token that a person holds on a day; none when they are not active, of posts none for an officer."""
    if session.scalar(select(Person.id).where(Person.id == person, Person.active.is_(True))) is None:
        return frozenset()
    roles = set(session.scalars(select(PersonRole.role).where(PersonRole.person_id == person)))
    held = session.execute(
        select(Post.code, PersonPost.department_id)
        .join(Post, Post.id == PersonPost.post_id)
        .where(PersonPost.person_id == person, valid(day), ~is_officer(PersonPost.person_id))
    ).all()
    tokens = {f"role:{role.value}" for role in roles} | {f"post:{code}" for code, _ in held} | {f"person:{person}"}
    if Role.APPROVER in roles:
        tokens |= {f"head:{department}" for _, department in held}
    if session.scalar(select(Custody.level_rank).where(Custody.person_id == person).limit(1)) is not None:
        tokens.add("custody")
    return frozenset(tokens)


def absent(session: Session, deputy: UUID, day: date) -> Sequence[UUID]:
    """Return whom a person stands in for on a day."""
    stands = (Deputy.since <= day, Deputy.until >= day, Deputy.ended_at.is_(None), ~is_officer(Deputy.deputy_id))
    return session.scalars(select(Deputy.person_id).where(Deputy.deputy_id == deputy, *stands)).all()


def hands_of(session: Session, person: UUID | None, day: date) -> Sequence[Hand]:
    """Return what a person may decide with today; one snapshot for reading is asked once."""
    if person is None:
        return ()
    kept: dict[tuple[UUID, date], Sequence[Hand]] = {}
    if is_reading(session):
        kept = session.info.setdefault(_HANDS, kept)
    if (person, day) not in kept:
        kept[person, day] = _hands(session, person, day)
    return kept[person, day]


def _hands(session: Session, person: UUID, day: date) -> Sequence[Hand]:
    own = tokens_of(session, person, day)
    if not own:
        return ()
    others = (Hand(each, tokens_of(session, each, day)) for each in absent(session, person, day))
    return [Hand(None, own), *(each for each in others if each.tokens)]


def holders(session: Session, token: str, day: date, level: int | None = None) -> Sequence[UUID]:
    """Return the active people who hold a token on a day; with a level: those who might see something of that level.

    They are cleared for it, entrusted with it, or officers.
    """
    noun, _, name = token.partition(":")
    people = select(Person.id).where(Person.active.is_(True)).order_by(Person.id)
    if level is not None:
        entrusted = select(Custody.person_id).where(Custody.level_rank == level)
        people = people.where(or_(Person.clearance >= level, Person.id.in_(entrusted), is_officer(Person.id)))
    match noun:
        case "role":
            query = people.join(PersonRole, PersonRole.person_id == Person.id).where(PersonRole.role == Role(name))
        case "post":
            held = select(PersonPost.person_id).join(Post, Post.id == PersonPost.post_id)
            query = people.where(Person.id.in_(held.where(Post.code == name, valid(day))), ~is_officer(Person.id))
        case "head":
            held = select(PersonPost.person_id).where(PersonPost.department_id == UUID(name), valid(day))
            query = people.join(PersonRole, PersonRole.person_id == Person.id).where(
                PersonRole.role == Role.APPROVER, Person.id.in_(held)
            )
        case "person":
            query = people.where(Person.id == UUID(name))
        case _:
            query = people.where(Person.id.in_(select(Custody.person_id)))
    return session.scalars(query).all()


def department_of(session: Session, person: UUID, day: date) -> UUID | None:
    """Return the department that a person stands in: that of the first of their posts."""
    held = select(PersonPost.department_id).where(PersonPost.person_id == person, valid(day)).order_by(PersonPost.id)
    return session.scalar(held.limit(1))


def head_token(session: Session, person: UUID, day: date, without: Collection[UUID]) -> str | None:
    """Return the token of the head of someone's department: the nearest one, upwards, that another than these heads."""
    step, seen = department_of(session, person, day), set()
    while step is not None and step not in seen:
        token = f"head:{step}"
        if set(holders(session, token, day)) - set(without):
            return token
        seen.add(step)
        step = session.scalar(select(Department.parent_id).where(Department.id == step))
    return None


def waiting(person: UUID, hands: Sequence[Hand]) -> Select[UUID]:
    """Return a query for the requests at whose present step these hands may decide: nobody's own, at one step only."""
    return select(Approval.id).where(
        Approval.state == ApprovalState.ASKED,
        Approval.step > 0,
        or_(*(_open_to(person, hand) for hand in hands)) if hands else Approval.id.is_(None),
    )


def open_tokens(approval: Approval) -> Select[str]:
    """Return a query for the tokens of a request's present step that nobody has used."""
    return select(ApprovalDecider.token).where(
        ApprovalDecider.approval_id == approval.id,
        ApprovalDecider.number == approval.step,
        ApprovalDecider.done_by.is_(None),
    )


def kinds_waiting(session: Session, person: UUID | None, day: date) -> frozenset[ApprovalKind]:
    """Return the kinds of requests of which one at least waits for someone; one snapshot for reading is asked once.

    Of the others nothing is to be counted: a desk asks for each kind, and most have nothing.
    """
    if person is None:
        return frozenset()
    kept: dict[tuple[UUID, date], frozenset[ApprovalKind]] = {}
    if is_reading(session):
        kept = session.info.setdefault(_KINDS, kept)
    if (person, day) not in kept:
        query = waiting(person, hands_of(session, person, day)).with_only_columns(Approval.kind).distinct()
        kept[person, day] = frozenset(session.scalars(query))
    return kept[person, day]


def waiting_for(session: Session, person: UUID | None, kind: ApprovalKind, day: date) -> Select[UUID]:
    """Return a query for the requests of a kind that wait for someone; None, a part of the system: there are none."""
    if person is None:
        return select(Approval.id).where(false())
    return waiting(person, hands_of(session, person, day)).where(Approval.kind == kind)


def count_asked_back(session: Session, person: UUID | None, kinds: Collection[ApprovalKind]) -> int:
    """Count the requests of these kinds that wait for an answer of who put them; one snapshot is asked once."""
    kept: dict[UUID | None, dict[ApprovalKind, int]] = {}
    if is_reading(session):
        kept = session.info.setdefault(_ASKED, kept)
    if person not in kept:
        query = select(Approval.kind, func.count()).where(
            Approval.asked_by == person, Approval.state == ApprovalState.QUESTIONED
        )
        kept[person] = {row.kind: row[1] for row in session.execute(query.group_by(Approval.kind))}
    return sum(kept[person].get(kind, 0) for kind in kinds)


@lru_cache(maxsize=512)
def _open_to(person: UUID, hand: Hand) -> ColumnElement[bool]:
    both = [person] if hand.person is None else [person, hand.person]
    named = (
        select(ApprovalDecider.approval_id)
        .where(
            ApprovalDecider.approval_id == Approval.id,
            ApprovalDecider.number == Approval.step,
            ApprovalDecider.token.in_(hand.tokens),
            ApprovalDecider.done_by.is_(None),
        )
        .correlate(Approval)
        .exists()
    )
    decided = (
        select(ApprovalWord.id)
        .where(
            ApprovalWord.approval_id == Approval.id,
            ApprovalWord.said.in_(DECISIONS),
            or_(ApprovalWord.person_id.in_(both), ApprovalWord.instead_of.in_(both)),
        )
        .correlate(Approval)
        .exists()
    )
    own = or_(Approval.asked_by.in_(both), and_(Approval.for_id.is_not(None), Approval.for_id.in_(both)))
    return and_(named, ~decided, ~own)
