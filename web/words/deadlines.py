"""What falls due, and what people are told, in words; and the page to which each leads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import url_for

from archive.loans.news import APPROVED, ENDED, LONGER, QUESTION, REFUSED, THERE
from archive.model import DeadlineKind, Message
from archive.questions import ANSWER, ASK
from retention.auditing.findings import TO_LOOK, TO_MEND
from web.words import mark


@dataclass(frozen=True)
class Words:
    """``name``: what it is; ``todo``: what to do. Neither ever says anything of a record: both may leave the house.

    ``way`` gives the address of the page for a subject and a record (None: there is none).
    """

    name: str
    todo: str
    way: Callable[[UUID | None, UUID | None], str | None] = lambda _subject, _record: None


def _record(_subject: UUID | None, record: UUID | None) -> str | None:
    return url_for("records.show", record_id=record) if record else None


def _correction(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("corrections.show", approval_id=subject) if subject else None


def _papers(_subject: UUID | None, record: UUID | None) -> str | None:
    return url_for("papers.show", record_id=record) if record else None


def _loans(_subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("loans.mine")


def _request(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("loan_requests.show", approval_id=subject) if subject else None


def _paper_request(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("paper_requests.show", approval_id=subject) if subject else None


def _round(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("rounds.show", circulation_id=subject) if subject else None


def _custody(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("standing_custody.show", custody_id=subject) if subject else None


def _audit(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("audits.show", key=subject) if subject else None


def _destruction(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("destructions.show", key=subject) if subject else None


def _why(_subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("why.ask")


def _finding(subject: UUID | None, _record: UUID | None) -> str | None:
    return url_for("audit_findings.show", finding_id=subject) if subject else None


KINDS: Mapping[DeadlineKind, Words] = {
    DeadlineKind.VITAL_REVIEW: Words(
        mark("Review of a vital record"), mark("Look whether it is vital still, and choose the next day."), _record
    ),
    DeadlineKind.CORRECTION: Words(
        mark("Correction to decide"), mark("Approve it or refuse it, with a reason."), _correction
    ),
    DeadlineKind.DOSSIER_CLOCK: Words(
        mark("A clock of a dossier's required papers"), mark("See what is missing, and enter what was done."), _papers
    ),
    DeadlineKind.SECRECY_END: Words(
        mark("A secrecy period ends"),
        mark("Review it: lower, extend, raise or declassify. Until then the level holds."),
        _record,
    ),
    DeadlineKind.GRANT_END: Words(
        mark("A grant ends"), mark("Who still needs it asks the security administrator for a new one.")
    ),
    DeadlineKind.POST_END: Words(
        mark("A post ends"), mark("Rights that follow from the post end with it. See whether somebody follows.")
    ),
    DeadlineKind.LOAN: Words(mark("A borrowed paper"), mark("Bring it back, or extend it where that goes."), _loans),
    DeadlineKind.LOAN_RECALL: Words(
        mark("A borrowed paper was called back"), mark("Bring it back now: someone needs it."), _loans
    ),
    DeadlineKind.LOAN_END: Words(
        mark("Files lent on the page close"), mark("Extend the loan where that goes, if you still need them."), _loans
    ),
    DeadlineKind.LOAN_DECISION: Words(mark("A loan to decide"), mark("Agree, refuse or ask back."), _request),
    DeadlineKind.PAPER_DECISION: Words(
        mark("A paper to decide on"), mark("Agree, refuse or ask back."), _paper_request
    ),
    DeadlineKind.CIRCULATION: Words(
        mark("A paper that goes round"), mark("Pass it on or bring it back, and sign."), _round
    ),
    DeadlineKind.CUSTODY_CHECK: Words(
        mark("Check of a paper in standing custody"), mark("Have the archive look at it."), _custody
    ),
    DeadlineKind.AUDIT: Words(mark("A planned audit"), mark("Answer its points, and close it."), _audit),
    DeadlineKind.AUDIT_FINDING: Words(mark("A finding of an audit"), mark("Mend it, and say what was done."), _finding),
    DeadlineKind.DESTRUCTION_OBJECTION: Words(
        mark("A destruction cools off"),
        mark("Look through what you read of it; until the day you may object."),
        _destruction,
    ),
    DeadlineKind.DESTRUCTION_CONFIRM: Words(
        mark("A destruction to confirm"), mark("It has cooled off: confirm it, or take it back."), _destruction
    ),
}
"""Every kind of deadline."""

TOPICS: Mapping[str, Words] = {
    **{f"due.{kind.value}": words for kind, words in KINDS.items()},
    "destruction.decide": Words(mark("A destruction to decide"), mark("Agree or refuse, with a reason."), _destruction),
    "destruction.count": Words(
        mark("A destruction to count"), mark("Count what is on the list, and sign."), _destruction
    ),
    "destruction.run": Words(mark("A destruction to execute"), mark("It is counted: execute it."), _destruction),
    "destruction.sign": Words(mark("A destruction to sign"), mark("It is done: sign what you saw."), _destruction),
    APPROVED: Words(
        mark("What you asked to borrow is granted"),
        mark("Fetch a paper at the counter once it is there; files are read on the page."),
        _request,
    ),
    REFUSED: Words(mark("What you asked to borrow is refused"), mark("Read why."), _request),
    QUESTION: Words(mark("A question on what you asked to borrow"), mark("Answer it: until then it waits."), _request),
    THERE: Words(mark("A paper that you wait for is there"), mark("Fetch it at the counter."), _request),
    LONGER: Words(mark("You may keep longer what you have borrowed"), mark("Look until when."), _loans),
    ENDED: Words(mark("Files that you were reading are called back"), mark("You read them no more."), _loans),
    ASK: Words(mark("A question why a number is not open"), mark("Look it up, and answer."), _why),
    ANSWER: Words(mark("Your question why a number is not open is answered"), mark("Read the answer."), _why),
    TO_MEND: Words(
        mark("A finding of an audit is yours to mend"), mark("Mend it by its day, and say what was done."), _finding
    ),
    TO_LOOK: Words(
        mark("A finding of an audit is said to be mended"), mark("Look, and close it or send it back."), _finding
    ),
}
"""Every topic of a message. What another part of the house tells is added here."""

UNKNOWN = Words(mark("Something that was told before"), mark("There is nothing to do here any more."))

STAGES: Mapping[str, str] = {
    "before": mark("due in %(days)s days"),
    "on": mark("due today"),
    "after": mark("overdue for %(days)s days"),
    "head": mark("overdue for %(days)s days, told to those above too"),
    "moved": mark("its day has moved with the calendar"),
}

LATE: Mapping[str, str] = {
    "before": mark("falls due soon"),
    "on": mark("has fallen due"),
    "after": mark("overdue for more than %(days)s days"),
    "head": mark("overdue for more than %(days)s days, told to those above too"),
}
"""The same, told after its day."""


def topic_words(message: Message) -> Words:
    """Return the words of a message's topic."""
    return TOPICS.get(message.topic, UNKNOWN)


def stage_words(stage: str, gettext: Callable[..., str], *, late: bool = False) -> str:
    """Say which reminder it is; "" where it is none."""
    name, _bar, days = stage.partition("_")
    words = (LATE if late else STAGES).get(name)
    return gettext(words, days=days or "0") if words else ""
