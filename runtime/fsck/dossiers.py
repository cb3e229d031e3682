"""What ``fsck`` checks of dossiers: the order of their items, their volumes and levels."""

from collections.abc import Iterator
from itertools import groupby, pairwise

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from archive.model import Record
from runtime.wiring.parts import Parts


def dossier_faults(parts: Parts, most: int) -> Iterator[tuple[str, str]]:
    """Yield dossier or record and fault: ``gap`` in the order, ``volumes``, ``level``, ``place_without_dossier``."""
    order = (Record.position, Record.volume, Record.level_rank)
    rows = select(Record.dossier_id, *order).where(Record.dossier_id.is_not(None))
    above = aliased(Record)
    low = (
        select(above.id)
        .join(Record, Record.dossier_id == above.id)
        .where(Record.level_rank > above.level_rank)
        .distinct()
    )
    loose = select(Record.id).where(
        Record.dossier_id.is_(None), or_(Record.position.is_not(None), Record.volume.is_not(None))
    )
    with parts.db.reading(long=True) as session:
        rows = rows.order_by(Record.dossier_id, Record.position)
        lying = session.execute(rows, execution_options={"yield_per": most})
        for dossier, items in groupby(lying, key=lambda row: row.dossier_id):
            stood = [(row.position, row.volume) for row in items]
            if [position for position, _ in stood] != list(range(1, len(stood) + 1)):
                yield str(dossier), "gap"
            volumes = [volume or 0 for _, volume in stood]
            if any(volumes) and (volumes[0] != 1 or any(b - a not in {0, 1} for a, b in pairwise(volumes))):
                yield str(dossier), "volumes"
        yield from ((str(key), "level") for key in session.scalars(low.limit(most)))
        yield from ((str(key), "place_without_dossier") for key in session.scalars(loose.limit(most)))
