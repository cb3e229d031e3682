"""Past loans by the hundred thousand, written by the database itself: what pages of loans are measured over."""

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select, text

from archive.model import Approval, ApprovalWord, Loan, Person, Record, RecordState
from runtime.wiring.parts import Parts

BATCH = 50_000
RUNNING = 2_000
"""Of the newest, so many still run: asked for, ready, out, and some of them late. Their texts can be opened."""

YEARS = 10
BORROWERS = ("staff", "clerk", "manager", "resident", "director")
DIALECTS = {
    "sqlite": {
        "key": "CAST(char(1, 1) || '{letter}' || printf('%013d', i) AS BLOB)",
        "at": "strftime('%Y-%m-%d %H:%M:%S.000000', :begin, ({minutes}) || ' minutes')",
        "day": "date(:begin, ({minutes}) || ' minutes')",
        "none": "X'00'",
        "drawn": "(i * 7919) % ",
    },
    "postgresql": {
        "key": "encode(convert_to(chr(1) || chr(1) || '{letter}' || lpad(i::text, 13, '0'), 'UTF8'), 'hex')::uuid",
        "at": "(CAST(:begin AS timestamptz) + ({minutes}) * interval '1 minute')",
        "day": "(CAST(:begin AS timestamptz) + ({minutes}) * interval '1 minute')::date",
        "none": "'\\x00'::bytea",
        "drawn": "(i::bigint * 7919) % ",
    },
}  # fmt: skip

PICKED = """
CREATE TEMPORARY TABLE IF NOT EXISTS {name} AS SELECT row_number() OVER (ORDER BY id) - 1 AS at, {what} FROM {whence}"""
"""Records and people, numbered from 0."""

DEPARTMENT = "(SELECT department_id FROM person_post WHERE person_id = person.id ORDER BY id LIMIT 1) AS department_id"

LOANS = """
WITH RECURSIVE n(i) AS (SELECT CAST(:first AS integer) UNION ALL SELECT i + 1 FROM n WHERE i < :last),
f AS (
  SELECT i, record_of.id AS record_id, reader.id AS borrower_id, reader.department_id,
    CASE WHEN i % 8 < 6 THEN 'out' WHEN i % 8 = 6 THEN 'room' ELSE 'screen' END AS form,
    CASE WHEN i < :running THEN CASE WHEN i % 16 = 5 THEN 'refused' WHEN i % 16 = 13 THEN 'withdrawn'
        WHEN i % 8 = 7 THEN 'ended' ELSE 'returned' END
      WHEN i % 4 = 0 THEN 'asked' WHEN i % 4 = 1 THEN 'ready' ELSE 'open' END AS state
  FROM n JOIN record_of ON record_of.at = {drawn}:records JOIN reader ON reader.at = i % :readers
)
"""
INTO = {
    "approval": """
SELECT {approval}, 'loan', record_id, NULL, NULL,
  CASE WHEN state IN ('asked', 'refused', 'withdrawn') THEN state ELSE 'approved' END,
  1, borrower_id, NULL, {asked}, CASE WHEN state IN ('asked', 'withdrawn') THEN NULL ELSE :staff END,
  CASE WHEN state IN ('asked', 'withdrawn') THEN NULL ELSE {ready} END, {none}, NULL, 1
FROM f""",
    "approval_step": "SELECT {approval}, 1, false, false, NULL, '[]', NULL, NULL FROM f",
    "approval_decider": """
SELECT {approval}, 1, 'role:archivist', CASE WHEN state IN ('asked', 'withdrawn') THEN NULL ELSE :staff END FROM f""",
    "approval_word": """
SELECT {word}, {approval}, 1, :staff, NULL, CASE state WHEN 'refused' THEN state ELSE 'approved' END, {ready}, {none}
FROM f WHERE state NOT IN ('asked', 'withdrawn')""",
    "loan": """
SELECT {loan}, :base + i, {approval}, record_id, borrower_id, department_id, form, false, 'work', 7, state, {asked},
  CASE WHEN state IN ('asked', 'refused', 'withdrawn') THEN NULL ELSE {ready} END,
  CASE WHEN state IN ('open', 'returned') THEN {slip} END, NULL, NULL, NULL,
  CASE WHEN state IN ('open', 'returned', 'ended') THEN {issued_day} END,
  CASE WHEN state IN ('open', 'returned', 'ended') THEN {issued} END,
  CASE WHEN state IN ('open', 'returned', 'ended') THEN :staff END,
  CASE WHEN state IN ('open', 'returned', 'ended') THEN {due} END, 12, 'good',
  CASE WHEN state IN ('returned', 'ended') THEN {ended} END, CASE state WHEN 'returned' THEN :staff END, NULL,
  CASE state WHEN 'returned' THEN 12 END, CASE state WHEN 'returned' THEN 'good' END, NULL, NULL, 1
FROM f""",
    "deadline": """
SELECT {deadline}, CASE form WHEN 'screen' THEN 'loan_end' ELSE 'loan' END, {loan}, NULL, {due}, NULL,
  CASE state WHEN 'open' THEN 'open' ELSE 'met' END, '[]', CASE state WHEN 'open' THEN {due} END, NULL, 1
FROM f WHERE state IN ('open', 'returned', 'ended')""",
}  # fmt: skip
COLUMNS = {
    "approval": "id, kind, record_id, owner_id, about_id, state, step, asked_by, for_id, asked_at, decided_by,"
    " decided_at, sealed, answer, version",
    "approval_step": "approval_id, number, every, finds, days, escalate, due_at, escalated_at",
    "approval_decider": "approval_id, number, token, done_by",
    "approval_word": "id, approval_id, number, person_id, instead_of, said, at, sealed",
    "loan": "id, number, approval_id, record_id, borrower_id, department_id, form, copying, purpose, days, state,"
    " asked_at, ready_at, slip, copy_id, excerpt_id, right_id, issued_on, issued_at, issued_by, due_on, pages_out,"
    " condition_out, ended_at, received_by, brought_by, pages_in, condition_in, effect, recalled_at, version",
    "deadline": "id, kind, subject_id, record_id, due, since, state, told, look_on, ended_at, version",
}


def lend(parts: Parts, count: int) -> None:
    """Write ``count`` loans over ten years, the newest of them running, unless the archive has as many already."""
    with parts.db.reading() as session:
        base = session.scalar(select(func.max(Loan.number))) or 0
        if base >= count:
            return
        records = session.scalar(select(func.count(Record.id)).where(Record.state == RecordState.FILED)) or 0
        staff = session.scalar(select(Person.id).where(Person.login == "archivist"))
    begin = datetime.now(UTC) - timedelta(days=365 * YEARS)
    step = 365 * YEARS * 24 * 60 / count
    given = {
        "records": records, "readers": len(BORROWERS), "running": count - RUNNING, "base": base,
        "staff": staff.bytes if staff else b"", "begin": begin.strftime("%Y-%m-%d %H:%M:%S"),
    }  # fmt: skip
    if not parts.db.is_sqlite:
        given["staff"] = staff
    for first in range(1, count + 1, BATCH):
        with parts.db.writing() as work:
            connection = work.session.connection()
            _pick(connection)
            for table in INTO:
                words = _statement(table, connection.dialect.name, step)
                connection.execute(text(words), {**given, "first": first, "last": min(first + BATCH - 1, count)})
            work.commit()
    _seal(parts, base + count)
    with parts.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _pick(connection: Connection) -> None:
    named = ", ".join(f"'{login}'" for login in BORROWERS)
    connection.execute(text(PICKED.format(name="record_of", what="id", whence="record WHERE state = 'filed'")))
    connection.execute(
        text(PICKED.format(name="reader", what=f"id, {DEPARTMENT}", whence=f"person WHERE login IN ({named})"))
    )


def _statement(table: str, dialect: str, step: float) -> str:
    """Return what writes a batch of a table: a loan's days follow from its number."""
    words = DIALECTS[dialect]
    asked, day = f"i * {step:.6f}", 24 * 60
    keys = {
        name: words["key"].format(letter=name[0].upper()) for name in ("approval", "word", "loan", "deadline", "slip")
    }
    moments = {name: words["at"].format(minutes=f"{asked} + {more}")
               for name, more in (("asked", 0), ("ready", 180), ("issued", day), ("ended", 6 * day))}  # fmt: skip
    days = {name: words["day"].format(minutes=f"{asked} + {more}")
            for name, more in (("issued_day", day), ("due", 8 * day))}  # fmt: skip
    filled = {**keys, **moments, **days, "none": words["none"], "drawn": words["drawn"]}
    into, loans = f"INSERT INTO {table} ({COLUMNS[table]})", LOANS.format(**filled)
    return into + loans + INTO[table].format(**filled)


def _seal(parts: Parts, count: int) -> None:
    """Give the newest loans texts that can be opened: what was asked, what was said, what came of it."""
    with parts.db.writing() as work:
        session = work.session
        for loan in session.scalars(select(Loan).where(Loan.number > count - RUNNING)):
            if loan.record_id is None:
                continue
            asked = session.get_one(Approval, loan.approval_id)
            said = session.scalar(select(ApprovalWord).where(ApprovalWord.approval_id == asked.id))
            wish = {"form": loan.form.value, "days": 7, "purpose": "work", "copying": False}
            told = json.dumps({"what": wish, "why": "查阅合同"}).encode()
            asked.sealed = parts.vault.seal(session, loan.record_id, told, context=f"approval:{asked.id.hex}")
            if said is not None:
                word = json.dumps({"text": "同意"}).encode()
                said.sealed = parts.vault.seal(session, loan.record_id, word, context=f"word:{said.id.hex}")
        work.commit()
