"""What ``fsck`` checks of a store: that a row names what lies in it, but for what is just coming in."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

from sqlalchemy import select

from archive.database import Database
from archive.model import Attachment, Content, FindingEnd, FixityFinding
from archive.ports import ObjectInfo
from runtime.wiring.parts import Parts

ORPHAN_AGE = timedelta(hours=24)
_PAGE = 1_000


class _Named(NamedTuple):
    """What rows name of some keys: versions (None: none yet), uploads under way."""

    versions: set[tuple[str, str | None]]
    uploads: set[str]

    @property
    def keys(self) -> set[str]:
        return {key for key, _ in self.versions}


def orphan_faults(parts: Parts, counts: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield object and fault: ``orphan``, ``twin`` (a row names another version), ``orphan_upload``, ``delete_marker``.

    The store is listed by pages, and rows are looked at after each: what is stored in between has its row then. What
    no row names is asked for once more: it may have been destroyed in between.
    """
    limit = (parts.clock.now() - ORPHAN_AGE).timestamp()
    for page in _pages(parts.store.list()):
        counts["objects"] = counts.get("objects", 0) + len(page)
        named = _named(parts.db, [info for info in page if info.modified < limit])
        for info in page:
            known = (info.key, info.version) in named.versions or info.key in named.uploads
            if not known and info.modified < limit and parts.store.stat(info.key, info.version) is not None:
                yield f"{info.key}@{info.version}", "twin" if info.key in named.keys else "orphan"
    for page in _pages(info for info in parts.store.uploads() if info.modified < limit):
        uploads = _named(parts.db, page).uploads
        yield from ((f"{info.key}@{info.version}", "orphan_upload") for info in page if info.key not in uploads)
    for page in _pages(parts.locks.markers() if parts.locks else ()):
        keys = _named(parts.db, page).keys
        yield from ((f"{info.key}@{info.version}", "delete_marker") for info in page if info.key in keys)


def _pages(found: Iterable[ObjectInfo]) -> Iterator[list[ObjectInfo]]:
    source = iter(found)
    while page := list(islice(source, _PAGE)):
        yield page


def _named(db: Database, page: Sequence[ObjectInfo]) -> _Named:
    keys = {info.key for info in page}
    mended = FixityFinding.ended == FindingEnd.MENDED  # what a lock keeps of them is evidence
    contents = select(Content.object_key, Content.store_version, Content.upload).where(Content.object_key.in_(keys))
    with db.reading() as session:
        rows = session.execute(contents).all()
        versions = {(row.object_key, row.store_version) for row in rows}
        left = keys - {key for key, _ in versions} | {
            info.key for info in page if (info.key, info.version) not in versions
        }
        if left:
            for kind in (
                select(Attachment.object_key, Attachment.store_version).where(Attachment.object_key.in_(left)),
                select(FixityFinding.object_key, FixityFinding.store_version).where(
                    mended, FixityFinding.object_key.in_(left)
                ),
            ):
                versions |= {(key, version) for key, version in session.execute(kind)}
    return _Named(versions, {row.object_key for row in rows if row.upload is not None})
