"""A large house on PostgreSQL within minutes: the database multiplies a demonstration by itself.

Each copy of the demonstration is as if it had come in some weeks earlier: ids (whose first 48 bits are a moment) and
moments go back by one step a copy, numbers get an ending. Every record gets a key and a file that nobody uploaded, so
that pages can be opened but not the files; one in a hundred is a draft with proposals. What the copies seal is left
out, and their entries of the log stand outside of its chain: such a house is for measuring and does not verify.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy import update as updating

from archive.cataloguing.proposals import TEXT, Finding, seal
from archive.database import Base, Moment
from archive.model import Content, Proposal, Record, RecordState
from benchmarks._past_loans import lend
from runtime.wiring.parts import Parts

MULTIPLIED = (
    "record",
    "record_due",
    "record_secrecy",
    "record_person",
    "copy",
    "copy_move",
    "log_entry",
    "issued_number",
)
"""What stands for each record. The others are of the house, or few."""

YEARS = 10
DRAFTS = 100
"""One copy in so many is a draft."""

LEFT_OUT = {"record": ("sealed_fields",), "log_entry": ("body", "body_owner"), "record_secrecy": ("sealed",)}
NUMBERS = {"archive_number", "registration_number", "number", "folded"}
SHIFTED = {("log_entry", "id"), ("log_entry", "record_id"), ("issued_number", "record_id")}
"""Ids of what is multiplied that no foreign key names."""

KEYS_AT_ONCE = 20_000

ID = """(lpad(to_hex((('x' || substr(replace({name}::text, '-', ''), 1, 12))::bit(48)::bigint
  - k * CAST(:step AS bigint)) & x'ffffffffffff'::bigint), 12, '0')
  || substr(replace({name}::text, '-', ''), 13))::uuid"""

BESIDE = {
    "file": """
INSERT INTO file (id, record_id, role, position, name, content_id, version)
SELECT gen_random_uuid(), id, 'original', 0, title || '.pdf', gen_random_uuid(), 1 FROM record
WHERE kind = 'item' AND NOT EXISTS (SELECT FROM file WHERE file.record_id = record.id)""",
    "content": """
INSERT INTO content (id, file_id, record_id, state, reason, object_key, size, cipher_size, plain_sha256, cipher_sha256,
  media_type, pronom, macros, text_state, text_version, pages, created_at)
SELECT content_id, file.id, record_id, CASE WHEN n % 2000 = 0 THEN 'quarantined' ELSE 'stored' END,
  CASE WHEN n % 2000 = 0 THEN 'type_mismatch' END, 'bench/' || content_id, 100000, 101000,
  encode(sha256(content_id::text::bytea), 'hex'), encode(sha256(content_id::text::bytea), 'hex'),
  'application/pdf', 'fmt/18', false, 'no_text', 1, 3, record.created_at
FROM (SELECT *, row_number() OVER () AS n FROM file WHERE content_id IS NOT NULL) AS file
JOIN record ON record.id = file.record_id
WHERE NOT EXISTS (SELECT FROM content WHERE content.id = file.content_id)""",
    "scanned_page": """
INSERT INTO scanned_page (content_id, number, state, confidence, attempts)
SELECT id, number, 'read', 60 + (hashtext(id::text) & 31) + number * 3, 1
FROM content, generate_series(1, 3) AS number WHERE hashtext(id::text) % 5 = 0""",
    "proposal": """
INSERT INTO proposal (content_id, field, sealed, state)
SELECT content.id, field, '\\x00'::bytea, 'taken'
FROM content JOIN record ON record.id = content.record_id, (VALUES ('title'), ('drawn_up')) AS of (field)
WHERE record.state = 'filed' AND hashtext(content.id::text) % 3 = 0""",
}


def grow(parts: Parts, records: int, loans: int, told: Callable[[str], None]) -> None:
    """Multiply what the database holds until there are ``records``, with files, and ``loans``; tell each step."""
    if parts.db.is_sqlite:
        raise SystemExit("a large house is made on PostgreSQL: JUANKU_DATABASE_URL names none")
    with parts.db.reading() as session:
        there, first, last = session.execute(
            select(func.count(), func.min(Record.created_at), func.max(Record.created_at)).select_from(Record)
        ).one()
    copies = max(records // there - 1, 0)
    step = max(timedelta(days=365 * YEARS) / max(copies, 1), (last - first) * 2)
    given = {"copies": copies, "step": int(step.total_seconds() * 1000)}
    with unbounded(parts) as connection:
        for name in MULTIPLIED if copies else ():
            count = connection.execute(text(multiplied(Base.metadata.tables[name])), given).rowcount
            told(f"{name}: {count:,} rows more")
        connection.execute(text("ANALYZE"))
        make_drafts(connection)
    add_keys(parts)
    told("keys")
    with unbounded(parts) as connection:
        for table, words in BESIDE.items():
            told(f"{table}: {connection.execute(text(words)).rowcount:,} rows more")
            connection.execute(text(f"ANALYZE {table}"))
    propose(parts)
    lend(parts, loans)
    told("loans")
    with parts.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM (ANALYZE)"))
        connection.execute(text("RESET statement_timeout"))


@contextmanager
def unbounded(parts: Parts) -> Iterator[Connection]:
    """Open a transaction of as long as it takes; who owns the server leaves out its checks of foreign keys."""
    with parts.db.engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        connection.execute(text("SET LOCAL enable_nestloop = off"))
        if connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


def multiplied(table: Table) -> str:
    """Return what writes the copies 1 to ``:copies`` of all rows of a table, ``:step`` milliseconds apart."""
    names = [column.name for column in table.columns]
    filled = ", ".join(value for _name, value in values(table))
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {filled} "  # noqa: S608  (names of our own tables)
        f"FROM {table.name}, generate_series(1, :copies) AS k"
    )


def values(table: Table) -> Iterator[tuple[str, str]]:
    """Yield for each column what a copy has there."""
    left_out: Mapping[str, tuple[str, ...]] = LEFT_OUT
    for column in table.columns:
        name, kept = column.name, f"{table.name}.{column.name}"
        to = {key.column.table.name for key in column.foreign_keys}
        own = name == "id" and table.name in MULTIPLIED
        if name in left_out.get(table.name, ()):
            value = "NULL"
        elif own or to & set(MULTIPLIED) or (table.name, name) in SHIFTED:
            value = ID.format(name=kept)
        elif name in NUMBERS and column.type.python_type is str:
            value = f"{kept} || '-' || k"
        elif isinstance(column.type, Moment):
            value = f"{kept} - k * CAST(:step AS bigint) * interval '1 millisecond'"
        elif (table.name, name) == ("record", "title_key"):
            value = f"left({kept}, 190) || k"
        elif (table.name, name) == ("record", "title"):
            value = f"{kept} || '（' || k || '）'"
        else:
            value = kept
        yield name, value


def make_drafts(connection: Connection) -> None:
    """Make one filed item in so many a draft again, half of them without a responsible one."""
    drafts = updating(Record).where(
        Record.state == RecordState.FILED, Record.archive_number.like("%-%"), Record.dossier_id.is_(None),
        Record.kind == "item", func.abs(func.hashtext(Record.title)) % DRAFTS == 0,
    )  # fmt: skip
    emptied = {"state": RecordState.PROVISIONAL, "archive_number": None, "registration_number": None, "filed_at": None}
    connection.execute(drafts.values(**emptied, responsible=None))
    connection.execute(
        text("DELETE FROM record_due USING record WHERE record.id = record_id AND record.state = 'provisional'")
    )


def add_keys(parts: Parts) -> None:
    """Give each record that has none a key of its own."""
    with parts.db.reading() as session:
        without = text("SELECT id FROM record WHERE NOT EXISTS (SELECT FROM owner_key WHERE owner_id = record.id)")
        keys = [row.id for row in session.execute(without)]
    for start in range(0, len(keys), KEYS_AT_ONCE):
        with parts.db.writing() as work:
            parts.vault.add_owners(work.session, [(key, None) for key in keys[start : start + KEYS_AT_ONCE]])
            work.commit()


def propose(parts: Parts) -> None:
    """Propose for each draft with a file who is responsible, and a title that it has already."""
    with parts.db.writing() as work:
        session = work.session
        drafts = session.execute(
            select(Content.id, Content.record_id)
            .join(Record, Record.id == Content.record_id)
            .where(
                Record.state == RecordState.PROVISIONAL,
                ~select(Proposal).where(Proposal.content_id == Content.id).exists(),
            )
        ).all()
        keys = parts.vault.unlock_many(session, [row.record_id for row in drafts])
        rows = []
        for row in drafts:
            found = [
                Finding("responsible", "工程部", "signed", TEXT, 1, 0, 3),
                Finding("title", "验收单", "heading", TEXT, 1, 0, 3),
            ]
            sealed = seal(keys[row.record_id], row.id, found)
            rows += [{"content_id": row.id, "field": field, "sealed": data} for field, data in sealed.items()]
        if rows:
            session.execute(insert(Proposal), [{**row, "state": "waiting"} for row in rows])
        work.commit()
