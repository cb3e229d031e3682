"""The index of a house that moves: built in the new place, ahead of the rows where people go on working."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from archive import failpoints
from archive.errors import Damaged
from archive.model import Category, Department, Fonds, Level, Place, Subject
from indexer.rebuild import Rebuilder
from runtime.wiring.engines import search_engine
from runtime.wiring.parts import Parts


class CarriedIndex:
    """Builds the new index.

    Args:
        source: the house as it is here.
        target: the new place.
        facts: the report of the move: ``indexed`` entries, ``index_seconds``, and of what was built ahead, how many
            entries were brought up to date (``index_caught_up``) in how many seconds (``caught_up_seconds``).
        tell: hears what is at work.
    """

    def __init__(
        self, source: Parts, target: Parts, facts: dict[str, Any], tell: Callable[[str, int, int], None]
    ) -> None:
        self._source = source
        self._target = target
        self._facts = facts
        self._tell = tell
        self._built_of: set[tuple[Any, ...]] | None = None

    def build_ahead(self) -> None:
        """Build it from the rows as they are here, while people change them."""
        source = self._source
        self._built_of = self._words()
        engine = search_engine(self._target.settings, source.db, source.clock)  # the new place has no tables to ask yet
        try:
            self._build(Rebuilder(source.db, engine, source.vault, source.settings.run))
        finally:
            engine.close()
        failpoints.reach("move.indexed")

    def build(self, *, exact: bool = True) -> None:
        """Build it from the new place's rows, or bring what was built ahead up to date; hold it against the rows.

        An entry that is out of date has another version than its record. What entries say of fonds, places and the
        like has not: if one of these changed, all is built anew.

        Raises:
            Damaged: it differs from the rows, and is to be ``exact``.
        """
        if self._built_of is not None and self._built_of == self._words():
            self._tell("index", 0, 0)
            begun = time.monotonic()
            self._facts["index_caught_up"] = len(self._target.rebuilder.repair())
            self._facts["caught_up_seconds"] = round(time.monotonic() - begun, 1)
        else:
            self._build(self._target.rebuilder)
        with self._target.db.reading(long=True) as session:
            left = sum(1 for _ in self._target.rebuilder.differences(session))
        if left and exact:
            raise Damaged(what="index", count=left)

    def _build(self, rebuilder: Rebuilder) -> None:
        self._tell("index", 0, 0)
        begun = time.monotonic()
        self._facts["indexed"] = rebuilder.rebuild()
        self._facts["index_seconds"] = round(time.monotonic() - begun, 1)

    def _words(self) -> set[tuple[Any, ...]]:
        """Return what tells one state of all that entries say of things beside their record from another."""
        with self._source.db.reading(long=True) as session:
            return {
                (kind.__name__, *row)
                for kind in (Fonds, Category, Department, Place, Level, Subject)
                for row in session.execute(select(kind.version, func.count()).group_by(kind.version))
            }
