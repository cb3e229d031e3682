"""The whole database as a stream of lines, apart from any one kind of database, and back.

Lines of JSON. The first is ``{"juanku database": 1, "schema": …}``. A table is a line
``{"table": …, "key": […], "later": […], "columns": [[name, kind], …]}``, one line ``[…]`` per row in the order of its
columns, and a line with the count of its rows. ``{"end": …}`` with the count of all rows is the last. Kinds: ``id``
(32 hex digits), ``moment`` and ``day`` (ISO 8601), ``bytes`` (base64), ``json``, ``whole``, ``yes`` and ``text``.
Columns under ``later`` point into the same table: a reader fills them when all rows are there.

Left out are the wrapped keys, which a key pack holds, what ends with a restore anyway (sessions of browsers), and
whether this very place is closed to writers.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum as Word
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from archive.database import Base, Database, Id, Moment
from archive.errors import Damaged
from archive.private_rows import translated

FORMAT = 1
LEFT_OUT = frozenset({"generation", "owner_key", "web_session", "sign_in_failures", "closure"})
_BATCH = 1_000
_IN_MEMORY = 1_000_000  # bytes of keys that are put aside


@dataclass(frozen=True)
class _Kind:
    """How values of one kind of column are written, read, and kept in a table."""

    type: TypeEngine[Any]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _word(value: Any) -> Any:
    return value.value if isinstance(value, Word) else value


_KINDS = {
    "id": _Kind(Id(), lambda value: value.hex, lambda text: UUID(hex=text)),
    "moment": _Kind(Moment(), datetime.isoformat, datetime.fromisoformat),
    "day": _Kind(Date(), date.isoformat, date.fromisoformat),
    "bytes": _Kind(LargeBinary(), lambda value: b64encode(value).decode(), b64decode),
    "json": _Kind(JSON(none_as_null=True), _same, _same),
    "whole": _Kind(BigInteger(), _same, _same),
    "yes": _Kind(Boolean(), _same, _same),
    "text": _Kind(String(), _word, _same),
}
_OF: tuple[tuple[type[Any], str], ...] = (
    (Id, "id"),
    (Moment, "moment"),
    (Date, "day"),
    (LargeBinary, "bytes"),
    (JSON, "json"),
    (Boolean, "yes"),
    (Enum, "text"),
    (Integer, "whole"),
    (String, "text"),
)


def kind_of(column: Column[Any]) -> str:
    """Return the kind of a column. Raises ``TypeError``: a new type of column needs a kind first."""
    for known, kind in _OF:
        if isinstance(column.type, known):
            return kind
    msg = f"{column.table.name}.{column.name} has no kind: {column.type!r}"
    raise TypeError(msg)


def write(
    session: Session,
    schema: str,
    only: Collection[str] | None = None,
    where: Mapping[str, ColumnElement[bool]] | None = None,
) -> Iterator[bytes]:
    """Yield the lines of the database as one snapshot shows it.

    Args:
        session: the snapshot.
        schema: the revision of its tables.
        only: these tables; None: all.
        where: of these tables only such rows.
    """
    yield _line({"juanku database": FORMAT, "schema": schema})
    every = 0
    for table in Base.metadata.sorted_tables:
        if table.name in LEFT_OUT or (only is not None and table.name not in only):
            continue
        columns = list(table.columns)
        kinds = [kind_of(column) for column in columns]
        later = [c.name for c in columns if any(f.column.table is table for f in c.foreign_keys)]
        key = [column.name for column in table.primary_key.columns]
        told = [[column.name, kind] for column, kind in zip(columns, kinds, strict=True)]
        yield _line({"table": table.name, "key": key, "later": later, "columns": told})
        writers = [_KINDS[kind].write for kind in kinds]
        count = 0
        query = select(table).where((where or {}).get(table.name, true()))
        for rows in session.execute(query, execution_options={"yield_per": _BATCH}).partitions():
            count += len(rows)
            yield b"".join(
                _line([None if value is None else written(value) for written, value in zip(writers, row, strict=True)])
                for row in rows
            )
        yield _line({"rows": count})
        every += count
    yield _line({"end": every})


def load(db: Database, lines: Iterable[bytes], folder: Path) -> Iterator[tuple[str, int]]:
    """Put the rows of a dump into the empty tables of a database; yield each table and its count when it is in.

    ``lines`` begin after the first (see ``schema_of``). Short transactions: a load that broke off begins again with
    empty tables. The keys that a table's rows name in the table itself lie in ``folder`` until all of them are there,
    once they are too many for memory.

    Raises:
        Damaged: the dump is cut, or is none.
        StorageFull, Unavailable: the folder takes no more.
    """
    every, ended = 0, False
    source = iter(lines)
    for line in source:
        head = _read(line)
        if not isinstance(head, dict) or ended:
            raise Damaged(what="dump")
        if "end" in head:
            ended = head["end"] == every
            continue
        try:
            count = _Loading(db, head, folder).run(source)
        except IntegrityError:
            raise Damaged(what="dump") from None  # a row that others hang on is missing
        every += count
        yield str(head["table"]), count
    if not ended:
        raise Damaged(what="dump")


def schema_of(line: bytes) -> str:
    """Return the revision of the tables from a dump's first line. Raises ``Damaged``."""
    head = _read(line)
    if not isinstance(head, dict) or head.get("juanku database") != FORMAT:
        raise Damaged(what="dump")
    return str(head["schema"])


class _Loading:
    """One table on its way in."""

    def __init__(self, db: Database, head: dict[str, Any], folder: Path) -> None:
        self._db = db
        try:
            columns, self._later, self._key = head["columns"], set(head["later"]), head["key"]
            self._names = [str(name) for name, _ in columns]
            self._readers = [_KINDS[kind].read for _, kind in columns]
            self._table = Table(
                str(head["table"]), MetaData(), *(Column(str(name), _KINDS[kind].type) for name, kind in columns)
            )
        except (KeyError, TypeError, ValueError):
            raise Damaged(what="dump") from None
        self._aside = [at for at, name in enumerate(self._names) if name in self._later or name in self._key]
        self._folder = folder

    def run(self, lines: Iterator[bytes]) -> int:
        """Insert the rows up to the line that counts them, and return how many there were."""
        batch: list[dict[str, Any]] = []
        with _put_aside(self._folder) as links:
            for count, line in enumerate(lines):
                values = _read(line)
                if isinstance(values, dict):
                    self._insert(batch)
                    self._link(links)
                    if values.get("rows") != count:
                        break
                    return count
                row = self._row(values)
                if any(row[name] is not None for name in self._later):
                    with translated():
                        links.write(_line([values[at] for at in self._aside]))
                    row |= dict.fromkeys(self._later)
                batch.append(row)
                if len(batch) == _BATCH:
                    self._insert(batch)
                    batch = []
        raise Damaged(what="dump")

    def _row(self, values: Sequence[Any]) -> dict[str, Any]:
        return self._of(values, range(len(self._names)))

    def _of(self, values: Sequence[Any], places: Sequence[int]) -> dict[str, Any]:
        """Read the values of the columns at some places."""
        names, readers = self._names, self._readers
        try:
            return {
                names[at]: None if value is None else readers[at](value)
                for at, value in zip(places, values, strict=True)
            }
        except (TypeError, ValueError):
            raise Damaged(what="dump") from None

    def _insert(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            with self._db.writing() as work:
                work.session.execute(insert(self._table), rows)
                work.commit()

    def _link(self, lines: IO[bytes]) -> None:
        """Fill the columns that point into the same table, of the rows whose keys and links were put aside."""
        own = [self._table.c[key] == bindparam(f"own_{key}") for key in self._key]
        for name in sorted(self._later):
            query = update(self._table).where(*own).values({name: bindparam(f"to_{name}")})
            rows_aside = (self._of(_read(line), self._aside) for line in _from_the_first(lines))
            named = (row for row in rows_aside if row[name] is not None)
            while some := list(islice(named, _BATCH)):
                rows = [{f"own_{key}": row[key] for key in self._key} | {f"to_{name}": row[name]} for row in some]
                with self._db.writing() as work:
                    work.session.connection().execute(query, rows)
                    work.commit()


@contextmanager
def _put_aside(folder: Path) -> Iterator[IO[bytes]]:
    """Open a nameless file, which lies in the folder once it is too large for memory."""
    file = SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115
    try:
        yield file
    finally:
        with suppress(OSError):  # to close it writes what is left, which a full disk does not take
            file.close()


def _from_the_first(lines: IO[bytes]) -> Iterator[bytes]:
    with translated():
        lines.seek(0)  # writes what is left
        yield from lines


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise Damaged(what="dump") from None
