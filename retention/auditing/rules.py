"""What an audit needs before it is closed, who may close a finding, and when the next audit is. All of it is pure."""

import calendar
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from archive.model import DestructionDuty
from archive.model.auditing import AuditWord
from retention.destroying.rules import WITNESSES, signs_after, signs_before


def unanswered(points: Sequence[str], answers: Mapping[str, AuditWord]) -> Sequence[str]:
    """Return the points without an answer."""
    return [each for each in points if each not in answers]


def without_finding(answers: Mapping[str, AuditWord], found: Collection[str | None]) -> Sequence[str]:
    """Return the points that are not met and of which no finding says who mends that."""
    return [point for point, said in answers.items() if said is AuditWord.NOT_MET and point not in found]


def may_close(person: UUID | None, responsible: UUID, mended_by: UUID | None) -> bool:
    """Return whether someone may close a finding: neither who mended it, nor who was to."""
    return person is not None and person not in {responsible, mended_by}


def months_on(day: date, months: int) -> date:
    """Return the same day so many months on; where there is none, the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def next_period(until: date, due: date, months: int) -> tuple[date, date, date]:
    """Return from when to when the next audit looks, and until when it is to be done."""
    begins = until + timedelta(days=1)
    return begins, months_on(begins, months) - timedelta(days=1), months_on(due, months)


def signed_whole(digest: str | None, duties: Collection[DestructionDuty]) -> bool:
    """Return whether everyone with a duty signed the list as it was counted, two witnesses among them."""
    watching = [each for each in duties if signs_before(each.duty)]
    return (
        digest is not None
        and len(watching) >= WITNESSES
        and all(each.before == digest for each in watching)
        and all(each.after == digest for each in duties if signs_after(each.duty))
    )
