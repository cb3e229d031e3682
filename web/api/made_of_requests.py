"""What programs send and are answered of requests at their steps, and of deputies."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from archive.model import LoanForm, Said
from web.api.made_of_counter import Login
from web.api.made_of_loans import RequestStands
from web.api.shapes import Shape

May = Literal["decide", "find", "answer", "withdraw"]


class Found(Shape):
    """Which record was described, and how it is lent, if otherwise than asked."""

    record: UUID
    form: LoanForm | None = None


class SaidOn(Shape):
    """What someone said at a step, and instead of whom."""

    step: int
    said: Said
    person: str
    instead_of: str | None
    at: datetime
    words: str


class StepStands(Shape):
    """A step: who decides (``role:…``, ``post:…``, ``head:ID`` of a department, ``person:ID``).

    ``every``: one of each decides.
    """

    step: int
    deciders: list[str]
    every: bool
    passed: bool
    due: datetime | None


class RequestSeen(RequestStands):
    """A request with its steps, what was said, and what you may do about it."""

    record: UUID | None
    number: str | None
    title: str | None
    sought: str
    form: LoanForm
    purpose: str
    reason: str
    asked_by: str
    borrower: str
    steps: list[StepStands]
    said: list[SaidOn]
    may: list[May]


class NewDeputy(Shape):
    """Who stands in for you, from which day to which, both included: at most 366 days."""

    deputy: Login
    since: date = Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))
    until: date = Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))


class DeputyNamed(Shape):
    """A deputy who was named."""

    deputy: UUID


class DeputyStands(DeputyNamed):
    """Who stands in for whom."""

    person: str
    since: date
    until: date


class Deputies(Shape):
    """Who stands in for you, and for whom you do."""

    for_me: list[DeputyStands]
    by_me: list[DeputyStands]
