"""Lock-out: each wrong sign-in makes the next one wait longer, by account, by address and by both together.

Account and address together are held strictly; either alone only after many failures, so that a stranger can neither
lock an administrator out from afar with five wrong passwords nor try one password on every account.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from archive.model import SignInFailures

FREE: Final = {"pair": 5, "login": 20, "address": 50}
"""Failures that cost no wait."""

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(hours=1)


def wait_after(failures: int, free: int) -> timedelta:
    """Return how long the next attempt must wait: nothing up to ``free`` failures, then doubling to the longest."""
    over = failures - free
    return timedelta() if over < 0 else min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT)


def subjects(login: str, address: str) -> Sequence[tuple[str, int]]:
    """Return what failures are counted by, each with its free failures.

    Names are hashed: people type passwords into the wrong box.
    """
    account, place = (hashlib.sha256(text.encode()).hexdigest()[:40] for text in (login, address))
    named = {"pair": f"pair:{account}:{place}", "login": f"login:{account}", "address": f"address:{place}"}
    return [(subject, FREE[kind]) for kind, subject in named.items()]


def begin_attempt(session: Session, login: str, address: str, now: datetime) -> int:
    """Count an attempt as failed until it has succeeded, and return 0; or, when locked, return the seconds to wait.

    Counting first keeps a hundred attempts at the same moment from being a hundred free ones.
    """
    counted = subjects(login, address)
    rows = {subject: session.get(SignInFailures, subject) for subject, _ in counted}
    waits = [row.locked_until - now for row in rows.values() if row is not None and row.locked_until is not None]
    longest = max(waits, default=timedelta())
    if longest > timedelta():
        return max(1, round(longest.total_seconds()))
    for subject, free in counted:
        row = rows[subject]
        if row is None:
            row = SignInFailures(subject=subject, failures=0, last_at=now)
            session.add(row)
        elif now - row.last_at > FORGOTTEN_AFTER:
            row.failures = 0
        row.failures += 1
        row.last_at = now
        wait = wait_after(row.failures, free)
        row.locked_until = now + wait if wait else None
    session.flush()
    return 0


def succeeded(session: Session, login: str, address: str) -> None:
    """Forget an account's failures; the address only gets this one attempt back."""
    pair, account, place = (subject for subject, _ in subjects(login, address))
    session.execute(delete(SignInFailures).where(SignInFailures.subject.in_((pair, account))))
    row = session.get(SignInFailures, place)
    if row is not None:
        row.failures = max(0, row.failures - 1)
        row.locked_until = None


def failures_of(session: Session, login: str, now: datetime) -> tuple[int, datetime | None]:
    """Return how often signing in to an account failed lately, and until when it is locked from somewhere."""
    rows = session.scalars(select(SignInFailures).where(_of_account(login))).all()
    recent = [row for row in rows if now - row.last_at <= FORGOTTEN_AFTER]
    locked = [row.locked_until for row in recent if row.locked_until is not None and row.locked_until > now]
    return max((row.failures for row in recent), default=0), max(locked, default=None)


def unlock(session: Session, login: str) -> None:
    """Forget the failures counted for an account, from anywhere."""
    session.execute(delete(SignInFailures).where(_of_account(login)))


def _of_account(login: str) -> ColumnElement[bool]:
    pair, account = (subject for subject, _ in subjects(login, "")[:2])
    from_anywhere = SignInFailures.subject.startswith(pair.rpartition(":")[0] + ":")
    return or_(from_anywhere, SignInFailures.subject == account)
