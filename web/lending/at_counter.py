"""A paper at the counter: what a form says of it, and how it is handed out and comes back, for pages and programs."""

from uuid import UUID

from flask import request

from archive.errors import Fault, InvalidInput, NotFound
from archive.loans.counter import Handed, Seen
from archive.loans.counter_papers import PaperAt
from archive.loans.papers import AtCounter
from archive.model import CopyCondition
from archive.spelling import whole_of
from web.custody.placing import numbered
from web.i18n import current_locale
from web.services import identity, services
from web.words import translator
from web.words.shelves import CONDITIONS


def paper_named() -> tuple[UUID, int | None]:
    """Return the record and the copy that the form's ``number`` means, typed or scanned.

    Raises:
        InvalidInput: field ``number``: nothing is typed, or nothing of this number is to be seen.
        Ambiguous: it may mean several.
    """
    text = request.form.get("number", "").strip()[:300]
    if not text:
        raise InvalidInput(Fault("number", "required"))
    number, copy = numbered(text)
    try:
        return services().records.find_number(identity(), number), copy
    except NotFound:
        raise InvalidInput(Fault("number", "no_such_number")) from None


def at_counter(copy: int | None = None) -> AtCounter:
    """Return what the form says. Raises ``InvalidInput``, field ``pages``."""
    text, condition = request.form.get("pages", "").strip(), request.form.get("condition", "")
    pages = whole_of(text, 999_999)
    if text and pages is None:
        raise InvalidInput(Fault("pages", "out_of_range", {"low": 0, "high": 999_999}))
    now = CopyCondition(condition) if condition in CONDITIONS else None
    return AtCounter(copy, pages, now, request.form.get("words", ""))


def named_conditions() -> list[tuple[str, str]]:
    """Return the conditions that a paper can be in, with their words."""
    say = translator(current_locale())
    return [(value, say(words)) for value, words in CONDITIONS.items()]


def reader(login: str) -> UUID:
    """Return who a card or a sign-in name means. Raises ``NotAllowed``; ``InvalidInput``, field ``person``."""
    try:
        return services().lending.counter.person(identity(), login)[0]
    except NotFound:
        raise InvalidInput(Fault("person", "unknown")) from None


def hand_out(login: str, record_id: UUID, out: AtCounter, slip: UUID | None) -> Handed | PaperAt:
    """Hand a paper to whom it waits for: on a loan, else into standing custody or on its round.

    Raises:
        InvalidInput: ``person`` (there is no such person); as ``Counter.issue``.
        NotFound, NotAllowed: not theirs to lend.
    """
    lending = services().lending
    key = reader(login)
    if not lending.looks.is_ready(identity(), login, record_id):
        paper = lending.counter_papers.issue(identity(), key, record_id, out)
        if paper is not None:
            return paper
    return lending.counter.issue(
        identity(), key, record_id, copy=out.copy, pages=out.pages, condition=out.condition, slip=slip
    )


def is_out(record_id: UUID, copy: int | None) -> bool:
    """Whether a paper of a record is with someone. Raises ``NotFound``, ``NotAllowed``."""
    lending = services().lending
    return lending.counter.is_out(identity(), record_id, copy) or lending.counter_papers.is_out(
        identity(), record_id, copy
    )


def take_back(record_id: UUID, seen: Seen, copy: int | None) -> Handed | PaperAt:
    """Take a paper back, whoever brings it.

    Raises:
        InvalidInput: ``record`` (it is with nobody; several are: name the copy); as ``Counter.take_back``.
        NotFound, NotAllowed: not theirs to lend.
    """
    lending = services().lending
    lent = lending.counter.is_out(identity(), record_id, copy)
    apart = lending.counter_papers.is_out(identity(), record_id, copy)
    if lent and apart:  # one copy is lent, another in custody or on its round
        raise InvalidInput(Fault("record", "which_copy"))
    if not apart:
        return lending.counter.take_back(identity(), record_id, seen, copy)
    back = AtCounter(copy, seen.pages, seen.condition, seen.words)
    paper = lending.counter_papers.take_back(identity(), record_id, back)
    if paper is None:
        raise InvalidInput(Fault("record", "which_copy"))
    return paper
