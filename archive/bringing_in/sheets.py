"""Bringing a spreadsheet in: kept sealed between the steps, checked, its good rows catalogued in short batches.

Which row became which record is written in the transaction that catalogues it, so that a run that broke off or was
stopped is gone on with, and doubles nothing.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from archive.bringing_in.rows import Checked, Row, check_columns, check_rows, rows_of
from archive.cataloguing.records import RecordService
from archive.clock import Clock
from archive.closing import is_closed
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.failpoints import reach
from archive.identity import Identity
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Category, JobKind, OwnerKey, Sheet, SheetColumns, SheetRow, SheetState
from archive.own_work import own, sweep, unfinished
from archive.policy.condition import NEVER
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import Vault

BATCH = 50
"""Rows of one transaction: well below 100 ms."""

MOST_OPEN = 20
"""Spreadsheets that one person has under way."""

Tables = Sequence[tuple[str, Sequence[Sequence[str]]]]
"""Name and cells of each sheet of a workbook."""


@dataclass(frozen=True)
class Open:
    """A spreadsheet as it stands. ``brought`` are records by row; ``unfinished`` whether a job of it waits or runs."""

    id: UUID
    name: str
    category_id: UUID
    state: SheetState
    chosen: int
    columns: tuple[str, ...]
    tables: Tables
    brought: dict[int, UUID]
    created_at: datetime
    unfinished: bool

    @cached_property
    def _read(self) -> tuple[tuple[str, ...], list[Row]]:
        return rows_of(self.tables[self.chosen][1])

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers of the chosen sheet."""
        return self._read[0]

    @property
    def rows(self) -> list[Row]:
        """The rows of the chosen sheet."""
        return self._read[1]


class BringingIn:
    """The acts on a person's own spreadsheets. What another person is bringing in is not there."""

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, log: Log, records: RecordService, outbox: Outbox, clock: Clock
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._records = records
        self._outbox = outbox
        self._clock = clock

    def require(self, identity: Identity) -> None:
        """Check that a person catalogues somewhere, before anything of theirs is read. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._may(session, identity)

    def begin(self, identity: Identity, name: str, category_id: UUID, tables: Tables) -> UUID:
        """Keep a spreadsheet, to be brought into a category.

        Raises:
            NotAllowed: the person catalogues nothing anywhere.
            InvalidInput: no rows, no such category, or too many under way.
        """
        data = zlib.compress(json.dumps({"name": name[:200], "tables": tables}, ensure_ascii=False).encode(), 3)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._may(session, identity)
            category = session.get(Category, category_id)
            if category is None or is_closed(category.closed_on, self._guard.day()):
                raise InvalidInput(Fault("category", "unknown"))
            if not any(rows_of(table)[1] for _, table in tables):
                raise InvalidInput(Fault("file", "no_rows"))
            mine = select(func.count()).select_from(Sheet).where(Sheet.person_id == identity.person_id)
            if (session.scalar(mine) or 0) >= MOST_OPEN:
                raise InvalidInput(Fault("file", "too_many_sheets", {"limit": MOST_OPEN}))
            key, now = new_id(), self._clock.now()
            self._vault.add_owner(session, key, due_year=now.year)
            sealed = self._vault.seal(session, key, data, context=_context(key))
            chosen = next(at for at, (_, table) in enumerate(tables) if rows_of(table)[1])
            session.add(
                Sheet(
                    id=key, person_id=identity.person_id, category_id=category_id, state=SheetState.PREPARED,
                    chosen=chosen, columns=[], sealed=sealed, created_at=now,
                )
            )  # fmt: skip
            body = {"name": name[:200], "category": str(category_id), "sheet": str(key)}
            self._log.note(session, identity, "batch.prepare", body=body)
            work.commit()
        return key

    def mine(self, identity: Identity) -> list[Open]:
        """Return what a person has under way, the newest first."""
        with self._db.reading() as session:
            own = select(Sheet).where(Sheet.person_id == identity.person_id).order_by(Sheet.created_at.desc())
            return [self._opened(session, row) for row in session.scalars(own)]

    def open(self, identity: Identity, sheet_id: UUID) -> Open:
        """Return one of a person's own. Raises ``NotFound``."""
        with self._db.reading() as session:
            return self._opened(session, own(session, Sheet, identity, sheet_id))

    def remembered(self, identity: Identity, headers: Sequence[str]) -> tuple[str, ...]:
        """Return what this person last said of the columns of a sheet with these headers; () when nothing."""
        with self._db.reading() as session:
            row = session.get(SheetColumns, (identity.person_id, self._token(headers)))
            return () if row is None else tuple(row.columns)

    def choose(self, identity: Identity, sheet_id: UUID, chosen: int) -> None:
        """Choose one of the workbook's sheets. Raises as ``set_columns``."""
        with self._db.writing() as work:
            sheet = self._prepared(work.session, identity, sheet_id)
            if not 0 <= chosen < len(self._opened(work.session, sheet).tables):
                raise NotFound
            sheet.chosen, sheet.columns = chosen, []
            work.commit()

    def set_columns(
        self, identity: Identity, sheet_id: UUID, columns: Sequence[str], chosen: int | None = None
    ) -> None:
        """Say what each column is, and remember it for the next sheet with these headers.

        Args:
            identity: whose it is.
            sheet_id: of the workbook.
            columns: what each is.
            chosen: which of the workbook's sheets; None: the one that is chosen.

        Raises:
            NotFound: it is not this person's.
            WrongState: rows of it came in already.
            InvalidInput: ``sheet`` (there is none such); see ``check_columns``.
        """
        with self._db.writing() as work:
            session = work.session
            sheet = self._prepared(session, identity, sheet_id)
            if chosen is not None:
                if not 0 <= chosen < len(self._opened(session, sheet).tables):
                    raise InvalidInput(Fault("sheet", "unknown"))
                sheet.chosen = chosen
            check_columns(columns, session.get_one(Category, sheet.category_id))
            token = self._token(self._opened(session, sheet).headers)
            session.merge(SheetColumns(person_id=sheet.person_id, headers=token, columns=list(columns)))
            sheet.columns = list(columns)
            body = {"sheet": str(sheet.id), "columns": list(columns)}
            self._log.note(session, identity, "batch.columns", body=body)
            work.commit()

    def check(self, identity: Identity, sheet_id: UUID) -> list[Checked]:
        """Check the rows that are not in yet, as cataloguing would now; nothing is written."""
        with self._db.reading() as session:
            return self._checked(session, identity, own(session, Sheet, identity, sheet_id))

    def start(self, identity: Identity, sheet_id: UUID) -> None:
        """Have the good rows brought in, or go on with it. Asking again while it runs changes nothing."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            sheet = own(session, Sheet, identity, sheet_id)
            self._may(session, identity)
            if not sheet.columns:
                raise InvalidInput(Fault("title", "column_needed"))
            if sheet.state is SheetState.DONE or (sheet.state is SheetState.RUNNING and unfinished(session, sheet.id)):
                return
            sheet.state = SheetState.RUNNING
            self._outbox.add(work, JobKind.BRING_IN, sheet.id, requested_by=identity.person_id)
            self._log.note(session, identity, "batch.start", body={"sheet": str(sheet.id)})
            work.commit()

    def stop(self, identity: Identity, sheet_id: UUID) -> None:
        """Stop a run after the batch that is under way; what is in stays."""
        with self._db.writing() as work:
            sheet = own(work.session, Sheet, identity, sheet_id)
            if sheet.state is SheetState.RUNNING:
                sheet.state = SheetState.STOPPED
                self._log.note(work.session, identity, "batch.stop", body={"sheet": str(sheet.id)})
                work.commit()

    def forget(self, identity: Identity, sheet_id: UUID) -> None:
        """Forget a spreadsheet and its key; the records that came of it stay."""
        with self._db.writing() as work:
            sheet = own(work.session, Sheet, identity, sheet_id)
            self._log.note(work.session, identity, "batch.forget", body={"sheet": str(sheet.id)})
            _remove(work.session, sheet.id)
            work.commit()

    def sweep(self, before: datetime) -> None:
        """Forget every spreadsheet that was sent before a moment."""
        sweep(self._db, Sheet, before, _remove)

    def bring(self, identity: Identity, sheet_id: UUID) -> Iterator[int]:
        """Catalogue the good rows in batches; yields after each how many came in by it. Ends early when stopped."""
        with self._db.reading() as session:
            sheet = session.get(Sheet, sheet_id)
            checked = [] if sheet is None else self._checked(session, identity, sheet)
        good = [each for each in checked if not each.faults]
        for start in range(0, len(good), BATCH):
            came = self._batch(identity, sheet_id, good[start : start + BATCH])
            if came is None:
                return
            reach("record.created")
            yield came
        with self._db.writing() as work:
            sheet = work.session.get(Sheet, sheet_id)
            if sheet is not None and sheet.state is SheetState.RUNNING:
                sheet.state = SheetState.DONE
                came_in = select(func.count()).select_from(SheetRow).where(SheetRow.sheet_id == sheet_id)
                body = {"sheet": str(sheet_id), "rows": work.session.scalar(came_in) or 0}
                self._log.note(work.session, identity, "batch.end", body=body)
                work.commit()

    def _batch(self, identity: Identity, sheet_id: UUID, good: Sequence[Checked]) -> int | None:
        """Catalogue rows together; where one does not go in any more, each by itself. None: it was stopped."""
        try:
            with self._db.writing() as work:
                session = work.session
                sheet = session.get(Sheet, sheet_id)
                if sheet is None or sheet.state is not SheetState.RUNNING:
                    return None
                there = set(session.scalars(select(SheetRow.row).where(SheetRow.sheet_id == sheet_id)))
                fresh = [each for each in good if each.row.number not in there]
                if fresh:
                    ids = self._records.insert(work, identity, [each.draft for each in fresh])
                    rows = [
                        {"sheet_id": sheet_id, "row": each.row.number, "record_id": key}
                        for each, key in zip(fresh, ids, strict=True)
                    ]
                    session.execute(insert(SheetRow), rows)
                    work.commit()
                return len(fresh)
        except (InvalidInput, NotAllowed):
            if len(good) == 1:
                return 0
        came = [self._batch(identity, sheet_id, [each]) for each in good]
        return None if None in came else sum(each or 0 for each in came)

    def _may(self, session: Session, identity: Identity) -> None:
        if identity.person_id is None or condition(Act.CREATE, self._guard.reach(session, identity)) == NEVER:
            raise self._guard.refused_house(session, identity, Act.CREATE)

    def _prepared(self, session: Session, identity: Identity, sheet_id: UUID) -> Sheet:
        sheet = own(session, Sheet, identity, sheet_id)
        if sheet.state is not SheetState.PREPARED:
            raise WrongState(state=sheet.state.value, act="batch.columns")
        return sheet

    def _opened(self, session: Session, sheet: Sheet) -> Open:
        plain = self._vault.open(session, sheet.id, sheet.sealed, context=_context(sheet.id))
        told = json.loads(zlib.decompress(plain))
        rows = session.execute(select(SheetRow.row, SheetRow.record_id).where(SheetRow.sheet_id == sheet.id))
        return Open(
            sheet.id, told["name"], sheet.category_id, sheet.state, sheet.chosen, tuple(sheet.columns),
            [(name, table) for name, table in told["tables"]], {row.row: row.record_id for row in rows},
            sheet.created_at, unfinished(session, sheet.id),
        )  # fmt: skip

    def _checked(self, session: Session, identity: Identity, sheet: Sheet) -> list[Checked]:
        opened = self._opened(session, sheet)
        rows = [row for row in opened.rows if row.number not in opened.brought]
        category = session.get_one(Category, sheet.category_id)
        return check_rows(session, self._guard, identity, category, opened.columns, rows)

    def _token(self, headers: Sequence[str]) -> str:
        return self._vault.token("sheet-headers", json.dumps(list(headers), ensure_ascii=False))


def _context(sheet_id: UUID) -> str:
    return f"sheet:{sheet_id.hex}"


def _remove(session: Session, sheet_id: UUID) -> None:
    session.execute(delete(SheetRow).where(SheetRow.sheet_id == sheet_id))
    session.execute(delete(Sheet).where(Sheet.id == sheet_id))
    session.execute(delete(OwnerKey).where(OwnerKey.owner_id == sheet_id))
