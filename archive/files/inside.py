"""Where a file lies that was taken out of another: the names from the outer file down."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.model import File


@dataclass(frozen=True)
class Called:
    """What a file is called; ``within`` names the files and folders that it lay in, outermost first ("": in none)."""

    name: str
    within: str


def called(session: Session, content_ids: Collection[UUID]) -> Mapping[UUID, Called]:
    """Return what the files of some contents are called. The caller has asked whether they may be seen."""
    known: dict[UUID, tuple[str, UUID | None, str]] = {}
    waiting = set(content_ids)
    while waiting:
        columns = select(File.content_id, File.name, File.inside_id, File.inside_path)
        found = session.execute(columns.where(File.content_id.in_(waiting))).all()
        known |= {row.content_id: (row.name, row.inside_id, row.inside_path or "") for row in found if row.content_id}
        waiting = {row.inside_id for row in found if row.inside_id} - known.keys()
    return {key: Called(known[key][0], _within(known, key)) for key in content_ids if key in known}


def _within(known: Mapping[UUID, tuple[str, UUID | None, str]], key: UUID) -> str:
    steps: list[str] = []
    _, outer, path = known[key]
    while outer is not None and outer in known:
        name, above, outer_path = known[outer]
        steps[:0] = [name, *([folder] if (folder := path.rpartition("/")[0]) else [])]
        outer, path = above, outer_path
    return " / ".join(steps)
