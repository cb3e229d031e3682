"""Which partitions a record's row names.

Noted before an engine gets the entry, so that no crash leaves an entry in a partition that nobody remembers.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, String, bindparam, cast, select, update

from archive.database import Base, Database
from indexer.entries import Kept

_TABLE = Base.metadata.tables["record"]
_THESE = _TABLE.c.id.in_(bindparam("ids", expanding=True))
_NOTED = select(_TABLE.c.id, _TABLE.c.indexed_in).where(_THESE)
_NOTE = update(_TABLE).where(_THESE).values(indexed_in=bindparam("places"))
_NOTE_UNCHANGED = _NOTE.where(cast(_TABLE.c.indexed_in, String) == bindparam("was"))


def note_partitions(db: Database, kept: Iterable[Kept]) -> None:
    """Note in each row the partition that is about to hold its entry, in one statement for rows that say the same."""
    new: dict[tuple[str, tuple[str, ...]], list[UUID]] = defaultdict(list)
    for one in kept:
        if one.entry is not None and one.entry.partition not in one.indexed_in:
            new[one.entry.partition, tuple(one.indexed_in)].append(one.record_id)
    if not new:
        return
    with db.writing() as work:
        connection = work.session.connection()
        for (partition, was), ids in new.items():
            said = {"ids": ids, "places": [*was, partition], "was": json.dumps(was)}
            if connection.execute(_NOTE_UNCHANGED, said).rowcount < len(ids):
                _note_others(connection, partition, ids)
        work.commit()


def _note_others(connection: Connection, partition: str, ids: Sequence[UUID]) -> None:
    """Note a partition beside what others noted since the rows were read."""
    places: dict[tuple[str, ...], list[UUID]] = defaultdict(list)
    for row in connection.execute(_NOTED, {"ids": ids}):
        if partition not in row.indexed_in:
            places[*row.indexed_in, partition].append(row.id)
    for noted, these in places.items():
        connection.execute(_NOTE, {"ids": these, "places": list(noted)})
