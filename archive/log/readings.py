"""Entries of readings: many threads note, one thread per process writes them together.

A reader waits until the entry is durable, but shares the disk's flush with everyone who waits at that moment.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from archive.clock import Clock
from archive.database import Database, once_more
from archive.errors import Unavailable
from archive.identity import Identity
from archive.log.writer import Log, Note

SAME_OPENING = timedelta(minutes=30)
"""One opening of a file is one entry per person, file and session for this long."""

_BATCH = 200
_BATCH_SECONDS = 0.05
_REMEMBERED = 50_000

_Waiting = tuple[Note, "Future[None]"]
_Opening = tuple[UUID | None, UUID, UUID | None]


class Readings:
    """Notes acts that change nothing. Never call it inside ``db.writing()``: it would wait for its own caller."""

    def __init__(self, db: Database, log: Log, clock: Clock) -> None:
        self._db = db
        self._log = log
        self._clock = clock
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._openings: OrderedDict[_Opening, tuple[datetime, Future[None]]] = OrderedDict()

    def note(
        self, identity: Identity, act: str, *, record: UUID | None = None, body: Mapping[str, Any] | None = None
    ) -> None:
        """Write an entry and return when it is durable.

        Raises:
            Unavailable: it could not be written, or ``close`` was called; what was to be shown must not be shown.
            KeyUnavailable: the record's key is gone.
        """
        self.begin(identity, act, record=record, body=body).result()

    def begin(
        self, identity: Identity, act: str, *, record: UUID | None = None, body: Mapping[str, Any] | None = None
    ) -> "Future[None]":
        """Begin to write an entry; nothing may be shown before the future's ``result`` has come, as from ``note``."""
        return self._put(Note(identity, act, record, body=body, at=self._clock.now()))

    def note_once(
        self,
        identity: Identity,
        act: str,
        file_id: UUID,
        *,
        record: UUID | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> bool:
        """Write the entry of opening a file, unless this person opened it in this session half an hour ago or less.

        Returns when the opening's entry is durable, whoever wrote it; True when this call made it. The memory is the
        process's own: another process writes one entry more, never one less.
        """
        opening = (identity.person_id, file_id, identity.session_id)
        now = self._clock.now()
        with self._lock:
            known = self._openings.get(opening)
            if known and now - known[0] < SAME_OPENING:
                future, first = known[1], False
            else:
                future, first = Future(), True
                self._openings[opening] = (now, future)
                self._openings.move_to_end(opening)
                self._forget(now)
        if not first:
            future.result()
            return False
        try:
            self.note(identity, act, record=record, body=body)
        except BaseException as error:
            with self._lock:
                self._openings.pop(opening, None)
            future.set_exception(error)
            raise
        future.set_result(None)
        return True

    def close(self) -> None:
        """Write what waits, then stop. Later notes raise ``Unavailable``."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._queue.put(None)
        if thread:
            thread.join()

    def _put(self, note: Note) -> "Future[None]":
        done: Future[None] = Future()
        with self._lock:
            if self._closed:
                raise Unavailable(part="log")
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="log-readings", daemon=True)
                self._thread.start()
            self._queue.put((note, done))
        return done

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, ended = self._gather(first)
            self._write(batch)
            if ended:
                return

    def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        batch = [first]
        while len(batch) < _BATCH:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                return batch, True
            batch.append(item)
        return batch, False

    def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            done = self._write_together(batch)
        except Exception as error:  # noqa: BLE001  (every caller gets the error that hit its note)
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for item in batch:
                self._write([item])
            return
        for _, future in batch[:done]:
            future.set_result(None)
        if done < len(batch):
            self._write(batch[done:])

    @once_more
    def _write_together(self, batch: Sequence[_Waiting]) -> int:
        """Write as many as fit in a short transaction; return how many."""
        written = 0
        with self._db.writing(shared=True) as work:
            begun = time.perf_counter()
            while written < len(batch) and (written == 0 or time.perf_counter() - begun < _BATCH_SECONDS):
                some = [note for note, _ in batch[written : written + _BATCH // 4]]
                self._log.write(work.session, some)
                written += len(some)
            work.commit()
        return written

    def _forget(self, now: datetime) -> None:
        while self._openings:
            opening, (at, _) = next(iter(self._openings.items()))
            if now - at < SAME_OPENING and len(self._openings) <= _REMEMBERED:
                return
            del self._openings[opening]
