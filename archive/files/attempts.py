"""How often a person may try a password on a file: five times in ten minutes."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from archive.errors import LockedOut
from archive.model import SignInFailures

MOST = 5
WINDOW = timedelta(minutes=10)


def begin_attempt(session: Session, person: UUID, content: UUID, now: datetime) -> None:
    """Count an attempt as failed until it has succeeded, so that many at one moment are not many free ones.

    Raises:
        LockedOut: there were too many already.
    """
    subject = _subject(person, content)
    row = session.get(SignInFailures, subject)
    if row is None:
        row = SignInFailures(subject=subject, failures=0, last_at=now)
        session.add(row)
    if row.locked_until is None or row.locked_until <= now:
        row.failures, row.locked_until = 0, now + WINDOW
    if row.failures >= MOST:
        raise LockedOut(seconds=max(1, round((row.locked_until - now).total_seconds())))
    row.failures += 1
    row.last_at = now
    session.flush()


def succeeded(session: Session, person: UUID, content: UUID) -> None:
    """Forget a person's attempts at a file."""
    session.execute(delete(SignInFailures).where(SignInFailures.subject == _subject(person, content)))


def _subject(person: UUID, content: UUID) -> str:
    return f"unlock:{person.hex}:{content.hex}"
