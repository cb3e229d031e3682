"""Whether the parts that a request needs work now: quick looks, with no facts but yes or no."""

import os
from collections.abc import Callable, Mapping

from sqlalchemy import select

from archive.model import House
from runtime import stores
from runtime.wiring.parts import Parts
from storage.ring import KeyRing


def looks(parts: Parts) -> Mapping[str, Callable[[], bool]]:
    """Return a look at each part; one that raises says that the part does not work."""

    def database() -> bool:
        with parts.db.reading() as session:
            return session.scalar(select(House.id)) is not None

    def store() -> bool:
        if parts.minios is not None:
            return parts.minios.everyday.bucket_exists(parts.minios.bucket)
        folder = stores.folder(parts.settings) / "objects"
        return folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)

    def index() -> bool:
        return not parts.engine.needs_rebuild()

    def keys() -> bool:
        return bool(KeyRing.open(parts.settings.keys).generations())

    return {"database": database, "store": store, "index": index, "keys": keys}
