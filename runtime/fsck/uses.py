"""What ``fsck`` checks of uses: what a record counts against the lines of the use register."""

from collections.abc import Iterator

from sqlalchemy import select

from archive.model import Record
from archive.uses import registered_uses
from runtime.wiring.parts import Parts


def use_faults(parts: Parts, most: int) -> Iterator[tuple[str, str]]:
    """Yield record and fault: ``count`` differs from what the use register holds of it."""
    wrong = select(Record.id).where(Record.uses != registered_uses()).order_by(Record.id).limit(most)
    with parts.db.reading(long=True) as session:
        yield from ((str(key), "count") for key in session.scalars(wrong))
