"""Which partitions a record's row names.

Noted before an engine gets the entry, so that no crash leaves an entry in a partition that nobody remembers.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import bindparam, select, update

from archive.database import Base, Database
from indexer.entries import Kept

_TABLE = Base.metadata.tables["record"]
_THESE = _TABLE.c.id.in_(bindparam("ids", expanding=True))
_NOTED = select(_TABLE.c.id, _TABLE.c.indexed_in).where(_THESE)
_NOTE = update(_TABLE).where(_THESE).values(indexed_in=bindparam("places"))


def note_partitions(db: Database, kept: Iterable[Kept]) -> None:
    """Note in each row the partition that is about to hold its entry, in one statement for rows that say the same."""
    new = {
        one.record_id: one.entry.partition
        for one in kept
        if one.entry is not None and one.entry.partition not in one.indexed_in
    }
    if not new:
        return
    with db.writing() as work:
        connection = work.session.connection()
        places: dict[tuple[str, ...], list[UUID]] = defaultdict(list)
        for row in connection.execute(_NOTED, {"ids": list(new)}):
            if new[row.id] not in row.indexed_in:  # another may have noted it meanwhile
                places[*row.indexed_in, new[row.id]].append(row.id)
        for noted, ids in places.items():
            connection.execute(_NOTE, {"ids": ids, "places": list(noted)})
        work.commit()
