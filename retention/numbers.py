"""Numbers of appraisals, transfers, destructions and audits: a running number of each year, of four digits or more."""

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session


def next_number(session: Session, column: InstrumentedAttribute[str], prefix: str) -> str:
    """Return the number that follows the highest one that begins with ``prefix``."""
    highest = select(column).where(column.startswith(prefix)).order_by(func.length(column).desc(), column.desc())
    last = session.scalar(highest.limit(1))
    return f"{prefix}{int(last.removeprefix(prefix)) + 1 if last else 1:04}"
