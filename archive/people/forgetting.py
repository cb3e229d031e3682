"""Sessions that ended and sign-ins that failed are forgotten after a while: they name addresses and browsers.

What is to be kept of them is in the log, which has rules of its own.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from archive.model import SignInFailures, WebSession

SESSIONS_KEPT: Final = timedelta(days=30)
FAILURES_KEPT: Final = timedelta(days=1)
BATCH = 500


def forget(session: Session, now: datetime) -> int:
    """Remove some of what is older than is kept; return how many.

    A person's newest session stays: it tells when they were last here.
    """
    newer = aliased(WebSession)
    later = or_(newer.seen_at > WebSession.seen_at, and_(newer.seen_at == WebSession.seen_at, newer.id > WebSession.id))
    old = select(WebSession.id).where(
        WebSession.expires_at < now - SESSIONS_KEPT, exists().where(newer.person_id == WebSession.person_id, later)
    )
    ids = session.scalars(old.limit(BATCH)).all()
    session.execute(delete(WebSession).where(WebSession.id.in_(ids)))
    failed = select(SignInFailures.subject).where(SignInFailures.last_at < now - FAILURES_KEPT)
    subjects = session.scalars(failed.limit(BATCH)).all()
    session.execute(delete(SignInFailures).where(SignInFailures.subject.in_(subjects)))
    return len(ids) + len(subjects)
