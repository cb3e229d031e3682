"""The steps that a request will take: its route, resolved to those who can decide, so that each has a way on."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.approving import routes
from archive.approving.deciders import DECISIONS, head_token, holders, open_tokens
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalStep,
    ApprovalWord,
    Category,
    HouseRule,
    Person,
    Record,
    RuleBook,
)
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition


@dataclass(frozen=True)
class Planned:
    """A step as a request keeps it. ``people``: who can decide it now."""

    tokens: Sequence[str]
    every: bool = False
    days: int | None = None
    escalate: Sequence[str] = ()
    finds: bool = False
    people: Sequence[UUID] = field(default=(), compare=False)
    widened: bool = False


MOST = 40
"""People of one step that are looked for: who may decide is asked person by person."""

FINDING = Planned(routes.FINDERS, days=3, finds=True)
"""The step at which the record is found that someone describes."""


@dataclass(frozen=True)
class Plan:
    """The steps of a request, and the route (from 1) that they come from. ``stuck``: nobody can decide all of them."""

    route: int
    steps: Sequence[Planned]
    stuck: bool


def newest(session: Session, book: RuleBook) -> HouseRule | None:
    """Return a rule book as it holds now; None: as it is shipped."""
    query = select(HouseRule).where(HouseRule.book == book).order_by(HouseRule.version.desc()).limit(1)
    return session.scalar(query)


def routes_now(session: Session) -> Sequence[routes.Route]:
    """Return the routes that hold now."""
    row = newest(session, RuleBook.ROUTES)
    return routes.from_document(row.document) if row else routes.shipped()


def branch(session: Session, category_id: UUID) -> frozenset[str]:
    """Return the codes of a category and of all above it."""
    codes, step, seen = set(), session.get(Category, category_id), set()
    while step is not None and step.id not in seen:
        seen.add(step.id)
        codes.add(step.code)
        step = session.get(Category, step.parent_id) if step.parent_id else None
    return frozenset(codes)


def plan(
    session: Session,
    guard: Guard,
    kind: ApprovalKind,
    record: Record,
    asks: frozenset[str],
    asker: UUID,
    borrower: UUID,
    without: frozenset[UUID] = frozenset(),
) -> Plan:
    """Return the steps that a request on a record would take. Asks nobody: the caller has.

    Who decides must see the record, and is neither the asker nor whom it is for, nor any of ``without``.
    """
    facts = facts_of(record, people_named(session, [record.id]).get(record.id, ()))
    asked = routes.Asked(kind, record.level_rank, branch(session, record.category_id), record.medium, asks)
    barred = without | {asker, borrower}
    return plan_of(session, guard, asked, lambda each: _sees(session, guard, each, facts), barred, borrower)


def plan_of(
    session: Session,
    guard: Guard,
    asked: routes.Asked,
    sees: Callable[[UUID], bool],
    without: frozenset[UUID],
    borrower: UUID,
) -> Plan:
    """Return the steps that a request would take; ``sees`` says who may decide on it, ``without`` who may not.

    ``head`` is that of the department of ``borrower``.
    """
    place, route = routes.route_for(routes_now(session), asked)
    sees = cache(sees)

    def able(tokens: Sequence[str]) -> list[UUID]:
        held = (holders(session, token, guard.day(), asked.level) for token in tokens)
        found = dict.fromkeys(each for some in held for each in some)
        return list(islice((each for each in found if each not in without and sees(each)), MOST))

    def resolved(tokens: Sequence[str]) -> list[str]:
        found = (_resolved(session, guard, token, borrower, without) for token in tokens)
        return list(dict.fromkeys(token for token in found if token))

    steps = []
    for step in route.steps:
        tokens, more = resolved(step.who), resolved(step.escalate)
        people = able(tokens)
        widened = not people or (step.every and any(not able([token]) for token in tokens))
        if widened:
            tokens = [token for token in tokens if able([token])] + [token for token in more if token not in tokens]
            people = able(tokens)
        every = step.every and not widened
        steps.append(Planned(tokens, every, step.days, more, people=people, widened=widened))
    return Plan(place, steps, stuck=not _all_decided(steps, able))


def require(found: Plan) -> Sequence[Planned]:
    """Return the steps of a plan. Raises ``InvalidInput`` (``route``) when nobody could decide one of them."""
    if found.stuck:
        raise InvalidInput(Fault("route", "nobody_decides"))
    return found.steps


def _all_decided(steps: Sequence[Planned], able: Any) -> bool:
    """Whether every step (of ``every``: each token) finds someone of its own: nobody decides twice."""
    places = [able([token]) for step in steps if step.every for token in step.tokens]
    places += [list(step.people) for step in steps if not step.every]
    return seated(places)


def seated(places: Sequence[Sequence[UUID]]) -> bool:
    """Whether each place finds one of its people, and nobody sits twice."""
    taken: dict[UUID, int] = {}

    def seat(place: int, tried: set[UUID]) -> bool:
        for person in places[place]:
            if person not in tried:
                tried.add(person)
                if person not in taken or seat(taken[person], tried):
                    taken[person] = place
                    return True
        return False

    return all(seat(place, set()) for place in range(len(places)))


def fitting(
    session: Session, approval: Approval, own: Sequence[str], deciding: Collection[UUID | None], day: date
) -> str:
    """Return, of the tokens by which someone may decide, the first that leaves the others to people who still can.

    Where every token is to agree, who holds two would else take the only one of a colleague.
    """
    if len(own) == 1 or not session.get_one(ApprovalStep, (approval.id, approval.step)).every:
        return own[0]
    words = select(ApprovalWord.person_id, ApprovalWord.instead_of).where(
        ApprovalWord.approval_id == approval.id, ApprovalWord.said.in_(DECISIONS)
    )
    out = {approval.asked_by, approval.for_id, *deciding, *(each for row in session.execute(words) for each in row)}
    left = {
        token: [each for each in holders(session, token, day) if each not in out]
        for token in session.scalars(open_tokens(approval))
    }
    return next((token for token in own if seated([left[each] for each in left if each != token])), own[0])


def _sees(session: Session, guard: Guard, person: UUID, facts: Mapping[str, Any]) -> bool:
    return holds(condition(Act.SEE, guard.reach(session, Identity("", person))), facts)


def _resolved(session: Session, guard: Guard, token: str, borrower: UUID, without: frozenset[UUID]) -> str | None:
    if token == routes.HEAD:
        return head_token(session, borrower, guard.day(), without)
    noun, _, name = token.partition(":")
    if noun == "person":
        key = session.scalar(select(Person.id).where(Person.login == folded(name)))
        return f"person:{key}" if key else None
    return token
