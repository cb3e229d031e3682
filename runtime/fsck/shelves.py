"""What ``fsck`` checks of shelves: the counts of places against what lies and stands in them."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from archive.model import Copy, ShelfKind, ShelfPlace
from runtime.wiring.parts import Parts


def shelf_faults(parts: Parts, most: int) -> Iterator[tuple[str, str]]:
    """Yield place and fault: ``count`` differs from what lies there, or something lies in a ``closed`` place."""
    box = aliased(ShelfPlace)
    lying = select(func.count()).select_from(Copy).where(Copy.place_id == ShelfPlace.id).scalar_subquery()
    standing = (
        select(func.count())
        .select_from(box)
        .where(box.parent_id == ShelfPlace.id, box.kind == ShelfKind.BOX, box.closed_at.is_(None))
        .scalar_subquery()
    )
    wrong = select(ShelfPlace.path).where(ShelfPlace.taken != lying + standing)
    closed = select(ShelfPlace.path).where(ShelfPlace.closed_at.is_not(None), lying + standing > 0)
    with parts.db.reading(long=True) as session:
        yield from ((path, "count") for path in session.scalars(wrong.order_by(ShelfPlace.path).limit(most)))
        yield from ((path, "closed") for path in session.scalars(closed.order_by(ShelfPlace.path).limit(most)))
