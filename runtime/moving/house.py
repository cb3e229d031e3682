"""Moving a whole house, or its store alone, to another place: the order of the steps, and what closes the house.

Objects never change, so they go first; a live move copies them, and builds the new index, while people work. Then the
house is read only: the rows and the wrapped keys follow, the index catches up with what changed (without a live move
it is built now), and what was read meanwhile (the log) comes last, in a moment in which nothing is written. Each
place is left or entered in one transaction, the old one first, so that never both are open.
"""

import time
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, inspect, or_, select, update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.errors import BrokenSetting, Damaged, Fault, InvalidInput, StandsAlready, WrongState
from archive.identity import system
from archive.ids import new_id
from archive.model import Closed, Closure, Content, ContentState, House, JobKind, MoveRun
from runtime.moving.closure import close, closed_by, moving_parts, reopen
from runtime.moving.index import CarriedIndex
from runtime.revisions import clear, migrate, newest_revision
from runtime.setting_up.servers import set_up
from runtime.settings import Settings, earlier_place_of, place_of
from runtime.wiring.parts import Parts
from storage import dump
from storage.attached import place, told_nothing
from storage.contents import items_of
from storage.copying import Told
from storage.items import Item
from storage.keypack import load_pack, write_pack
from storage.moving import LOG_TABLES, CarriedObjects, Summed, Sums, follow_log, summed
from storage.ring import KeyRing

_MOVER = system("move")
_NAMED = 100
_TOLD_SECONDS = 2.0


def differing(source: Settings, target: Settings) -> list[str]:
    """Return which parts have another place in the target: ``database``, ``store``, ``index``."""
    parts = []
    if source.database_url != target.database_url:
        parts.append("database")
    if source.store_url != target.store_url:
        parts.append("store")
    embedded = (source.home, source.search_prefix) != (target.home, target.search_prefix)
    named = (source.search_url, source.search_prefix) != (target.search_url, target.search_prefix)
    if embedded if source.search_url == target.search_url == "embedded:" else named:
        parts.append("index")
    return parts


class HouseMove:
    """One move, from its begin or from where it broke off.

    Args:
        source: the house, by ``moving_parts``.
        target: the new place's settings. Servers whose administrators they name are set up first.
        live: copy objects and build the index while people work.
        even_damaged: go on though some files are not whole here; they are not copied, and named in the report.
        told: hears how far it is.
        going_on: says no when it is to stop.
    """

    def __init__(
        self,
        source: Parts,
        target: Settings,
        *,
        live: bool = False,
        even_damaged: bool = False,
        told: Told = lambda *_: None,
        going_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._source = source
        self._settings = target
        self._live = live
        self._even_damaged = even_damaged
        self._telling = told
        self._going_on = going_on
        self._parts = differing(source.settings, target)
        target.home.mkdir(parents=True, exist_ok=True, mode=0o700)  # first: what is made in it makes it for all to read
        self._target = moving_parts(target, source.settings)
        self._journal = source.settings.home / "move" / "carried"
        self._objects = CarriedObjects(source.store, self._target.store, self._journal, going_on)
        self._told_at = 0.0
        self._closed_at: float | None = None
        self.facts: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Move, and return the report.

        Raises:
            InvalidInput: the two places are the same.
            BrokenSetting: the ring of the new place is another one.
            StandsAlready: the new place is not empty.
            Damaged: files are not whole here, or rows arrived otherwise than they went.
            Interrupted: it was told to stop. The house is open again, and the next run goes on.
        """
        try:
            self._check()
            self._begin()
            try:
                if closed_by(self._source.db, self._run.id) is not Closed.MOVED:
                    self._carry_all()
                self._arrive()
            except BaseException as error:
                self._stop(error)
                raise
            return self.facts
        finally:
            self._target.close()

    def _check(self) -> None:
        if not self._parts:
            raise InvalidInput(Fault("to", "same_place"))
        self._settings.run.mkdir(exist_ok=True, mode=0o700)
        if KeyRing.open(self._settings.keys).id != self._source.ring.id:
            raise BrokenSetting(variable="JUANKU_KEYS", reason="other_ring")
        set_up(self._settings)
        with self._source.db.reading() as session:
            self._before = self._unfinished(session)
            if self._source.db.closed() == "moved":
                whereto = self._before and closed_by(self._source.db, self._before.id)
                if whereto is not Closed.MOVED:
                    raise WrongState(state="moved", act="move")
                return  # all lies there, and was verified
            items = {item.key for item in items_of(session)}
        if "store" in self._parts and not self._objects.look() <= items | set(self._objects.versions):
            raise StandsAlready(what="store", field="to")
        if "database" in self._parts and self._has_house():
            raise StandsAlready(what="archive", field="to")

    def _unfinished(self, session: Session) -> MoveRun | None:
        """Return the move to this place that broke off.

        An earlier version named a place without its ports: such a move is this one's if rows of it lie there.
        """
        here, earlier = place_of(self._settings), earlier_place_of(self._settings)
        runs = select(MoveRun).where(MoveRun.ended_at.is_(None), MoveRun.whereto.in_([here, earlier]))
        for run in session.scalars(runs.order_by(MoveRun.began_at.desc())):
            if run.whereto == here or self._lies_there(run.id):
                return run
        return None

    def _lies_there(self, move_id: UUID) -> bool:
        tables = inspect(self._target.db.engine).get_table_names()
        if "closure" in tables and closed_by(self._target.db, move_id) is not None:
            return True
        if "move_run" not in tables:
            return False
        with self._target.db.reading() as session:
            return session.get(MoveRun, move_id) is not None

    def _has_house(self) -> bool:
        """Whether the new database holds rows of a house that is not this move's own."""
        if not set(inspect(self._target.db.engine).get_table_names()) >= {"house", "closure"}:
            return bool(inspect(self._target.db.engine).has_table("house"))
        if self._before and closed_by(self._target.db, self._before.id) is Closed.ARRIVING:
            return False
        with self._target.db.reading() as session:
            return session.scalar(select(House.id)) is not None

    def _begin(self) -> None:
        with self._source.db.writing() as work:
            if self._before is None:
                there, now = place_of(self._settings), self._source.clock.now()
                run = MoveRun(id=new_id(), whereto=there, began_at=now, facts={})
                work.session.add(run)
                body = {"to": run.whereto, "parts": self._parts}
                self._source.log.note(work.session, _MOVER, "house.move_begin", body=body)
                work.commit()
            else:
                run = self._before
        self._run = run
        self.facts = {
            "move": str(run.id),
            "to": run.whereto,
            "parts": self._parts,
            "live": self._live,
            "gone_on": self._before is not None,
        }
        self._index = CarriedIndex(self._source, self._target, self.facts, self._tell)

    def _carry_all(self) -> None:
        if self._parts == ["index"]:
            self._carry_ring()
            self._index.build(exact=False)  # what changes meanwhile is mended by the new place (index repair)
            return
        if not self._live:
            self._close()
        if "store" in self._parts:
            self._carry()
        if self._live:
            if "index" in self._parts:
                self._index.build_ahead()
            if "store" in self._parts:
                self._carry()  # what came in meanwhile: the rest is little
        self._close()
        failpoints.reach("move.closed")
        self._carry_ring()
        if "store" in self._parts:
            self._carry()
        self._facts_of_objects()
        if "database" in self._parts:
            self._carry_rows()
        elif "index" in self._parts:
            self._index.build()
        self._leave()

    def _close(self) -> None:
        if self._closed_at is None:
            self._closed_at = time.monotonic()
            close(self._source, Closed.READ_ONLY, self._run.id)

    def _items(self) -> list[Item]:
        with self._source.db.reading(long=True) as session:
            return list(items_of(session))

    def _carry(self) -> None:
        self._objects.carry(self._items(), self._tell)
        if self._objects.damaged and not self._even_damaged:
            self.facts["damaged"] = sorted(self._objects.damaged)[:_NAMED]
            raise Damaged(what="store", count=len(self._objects.damaged))

    def _facts_of_objects(self) -> None:
        with self._source.db.reading() as session:
            coming = session.scalar(
                select(func.count()).select_from(Content).where(Content.state == ContentState.RECEIVING)
            )
        self.facts |= {"coming_in": coming or 0}
        if "store" in self._parts:
            items = self._items()
            self.facts["objects"] = {
                "count": sum(item.key in self._objects.versions for item in items),
                "bytes": sum(item.size for item in items if item.key in self._objects.versions),
                "copied_now": self._objects.copied,
                "damaged": sorted(self._objects.damaged)[:_NAMED],
            }

    def _carry_rows(self) -> None:
        source, target = self._source, self._target
        self._tell("database", 0, 0)
        self._journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        clear(self._target.db, self._owner())
        migrate(target.db, self._owner())
        close(target, Closed.ARRIVING, self._run.id)
        source.sealer.seal_all()
        sums = Summed(self._objects.versions if "store" in self._parts else None)
        begun = time.monotonic()
        with source.db.reading(long=True) as session:
            lines = sums.through(dump.write(session, newest_revision()))
            next(lines)
            for number, (table, _) in enumerate(dump.load(target.db, lines, self._journal.parent), 1):
                self._tell(f"database {table}", number, 0)
        self._carry_keys()
        failpoints.reach("move.rows")
        self._tell("verify", 0, 0)
        arrived = self._sums(target)
        wrong = sorted(name for name, said in sums.tables.items() if arrived.get(name) != said)
        self.facts["tables"] = {name: {"rows": rows, "hash": total} for name, (rows, total) in arrived.items()}
        self.facts["row_seconds"] = round(time.monotonic() - begun, 1)
        if wrong or set(arrived) != set(sums.tables) or _owners(source) != _owners(target):
            raise Damaged(what="rows", tables=wrong)
        if "index" in self._parts:
            self._index.build()

    def _carry_ring(self) -> None:
        """Have a copy of the ring follow: each due year, backup and part of the log that began has a new key."""
        if self._settings.keys.resolve() != self._source.ring.folder.resolve():
            self._source.ring.refresh_copy(self._settings.keys)

    def _carry_keys(self) -> None:
        pack = BytesIO()
        write_pack(self._source.db, pack)
        pack.seek(0)
        load_pack(self._target.db, pack)

    def _leave(self) -> None:
        """Let the log follow, and leave the old place."""
        source = self._source
        self._tell("log", 0, 0)
        if "database" not in self._parts:
            self._leave_store()
            return
        with source.db.writing() as work:
            source.log.note(work.session, _MOVER, "house.move", body={"to": self._run.whereto, "parts": self._parts})
            work.commit()
        close(source, Closed.CLOSING, self._run.id)
        source.sealer.seal_all()
        source.checkpoints.make()
        with source.db.reading(long=True) as session:
            self.facts["log_followed"] = follow_log(session, self._target.db)
        if _owners(source) != _owners(self._target):  # the log of a year that began meanwhile
            self._carry_keys()
        self._carry_ring()
        failpoints.reach("move.followed")
        here, there = self._sums(source, LOG_TABLES), self._sums(self._target, LOG_TABLES)
        if here != there:
            raise Damaged(what="log")
        self.facts["tables"] |= {name: {"rows": rows, "hash": total} for name, (rows, total) in there.items()}
        close(source, Closed.MOVED, self._run.id)
        failpoints.reach("move.left")

    def _leave_store(self) -> None:
        """Have the contents lie in the new store from one moment to the next."""
        source = self._source
        placed = [{"whose": key, "version": version} for key, version in self._objects.versions.items()]
        with source.db.writing() as work:
            place(work.session, placed)
            for kind in (JobKind.LOCK, JobKind.HOLD):
                self._target.outbox.add(work, kind)
            left = select(Closure.id).where(Closure.place == self._settings.store_url)  # it comes back there
            work.session.execute(delete(Closure).where(or_(Closure.id.in_(left), Closure.move_id == self._run.id)))
            here = source.settings.store_url
            work.session.add(Closure(state=Closed.MOVED, move_id=self._run.id, place=here, since=source.clock.now()))
            source.log.note(work.session, _MOVER, "house.move", body={"to": self._run.whereto, "parts": self._parts})
            work.commit()
        failpoints.reach("move.left")

    def _arrive(self) -> None:
        """Open the new place, and keep the report in both."""
        ended = self._source.clock.now()
        if self._closed_at is not None:
            self.facts["read_only_seconds"] = round(time.monotonic() - self._closed_at, 1)
        self.facts["seconds"] = round((ended - self._run.began_at).total_seconds(), 1)
        if "database" in self._parts and closed_by(self._target.db, self._run.id) is Closed.ARRIVING:
            self._open_there(ended)
            failpoints.reach("move.opened")
        with self._source.db.writing() as work:
            self._note(work.session, ended_at=ended, error=None, facts=self.facts)
            work.commit()
        self._journal.unlink(missing_ok=True)

    def _open_there(self, ended: datetime) -> None:
        """Open the new place, once it has told of the move and has witnesses. Broken off, it is done once more."""
        with self._target.db.writing() as work:
            if work.session.get_one(MoveRun, self._run.id).ended_at is None:
                self._note(work.session, ended_at=ended, error=None, facts=self.facts)
                if "store" in self._parts:
                    told_nothing(work.session)
                for kind in (JobKind.LOCK, JobKind.HOLD):
                    self._target.outbox.add(work, kind)
                body = {"from": place_of(self._source.settings), "parts": self._parts}
                self._target.log.note(work.session, _MOVER, "house.move_in", body=body)
                work.commit()
        failpoints.reach("move.arrived")
        if self._target.witness != self._source.witness and self._source.witness.exists():
            self._target.witness.write_bytes(self._source.witness.read_bytes())
        self._target.sealer.seal_all()
        self._target.checkpoints.make()
        reopen(self._target.db, self._run.id)

    def _stop(self, error: BaseException) -> None:
        """Open the house again: it works on here, and the next run goes on. What is left for good stays left."""
        if closed_by(self._source.db, self._run.id) in {Closed.READ_ONLY, Closed.CLOSING}:
            reopen(self._source.db, self._run.id)
        with self._source.db.writing() as work:
            code = getattr(error, "code", "broken_off")
            self._note(work.session, error=code, facts=self.facts)
            work.commit()

    def _note(self, session: Session, **values: Any) -> None:
        session.execute(update(MoveRun).where(MoveRun.id == self._run.id).values(**values))

    def _tell(self, step: str, done: int, every: int) -> None:
        """Tell how far it is: to who waits, and now and then to the page of the system."""
        self._telling(step, done, every)
        if time.monotonic() - self._told_at > _TOLD_SECONDS:
            self._told_at = time.monotonic()
            with self._source.db.writing() as work:
                facts = self.facts | {"step": step.split(" ", maxsplit=1)[0], "done": done, "every": every}
                self._note(work.session, facts=facts)
                work.commit()

    def _sums(self, parts: Parts, tables: tuple[str, ...] | None = None) -> Sums:
        with parts.db.reading(long=True) as session:
            return summed(dump.write(session, newest_revision(), tables))

    def _owner(self) -> str:
        return "" if self._target.db.is_sqlite else self._settings.database_owner_url


def _owners(parts: Parts) -> int:
    pack = BytesIO()
    return write_pack(parts.db, pack).owners
