"""Pages of loans over very many past loans. Run: ``juanku bench lendings [--loans N] [--records N] [--home FOLDER]``.

On the database that ``JUANKU_DATABASE_URL`` names, else on SQLite. So many loans of ten years are written, 2,000 of
them still running; then each page is asked for in this process by who uses it, wall and processor time. A statement
over 50 ms is printed with the plan that the database followed. ``--home`` keeps the archive for the next run.
"""

import argparse
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from archive.model import Loan, LoanState
from benchmarks._common import archive, opened, spread, table
from benchmarks._past_loans import lend
from benchmarks.pages import asked_for, signed_in
from benchmarks.statements import MARK_MS, Statements, plan
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts

REACH_MS = 150


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--loans", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with archive(asked.records, asked.home), opened() as parts:
        begun = time.perf_counter()
        lend(parts, asked.loans)
        print(f"\n{asked.loans:,} loans stand, written in {time.perf_counter() - begun:.0f} s")
        measure(parts, asked.rounds)


def measure(parts: Parts, rounds: int) -> None:
    """Print a table for each person, and the plans of what is slow."""
    app, statements = make_app(parts), Statements(parts)
    app.config["WTF_CSRF_ENABLED"] = False
    slow: dict[str, tuple[float, str, object]] = {}
    for login, pages in _pages(parts).items():
        client = signed_in(app.test_client(), login)
        table(f"{login}: wall, p50 / p95 / p99 (at most {REACH_MS} ms at p95)", [])
        for name, address in pages.items():
            asked_for(client, [address])
            statements.seen.clear()
            took = asked_for(client, [address] * rounds)
            count = len(statements.seen) // rounds
            longest = max(statements.seen, key=lambda each: each[0])
            if longest[0] > MARK_MS and longest[1].startswith(("SELECT", "WITH")):
                slow.setdefault(longest[1], longest)
            walls = sorted(wall for wall, _cpu in took)
            late = walls[min(int(len(walls) * 0.95), len(walls) - 1)] * 1000 > REACH_MS
            told = f"{spread(walls)}; processor {spread([cpu for _wall, cpu in took])}; {count} statements"
            print(f"  {name:<28} {told}{' LATE' * late}", flush=True)
    for took_ms, words, given in slow.values():
        print(f"\n{took_ms:.0f} ms: {' '.join(words.split())}", *plan(parts, words, given), sep="\n")


def _pages(parts: Parts) -> Mapping[str, Mapping[str, str]]:
    """Return for each person the pages that they ask for, by name."""
    with parts.db.reading() as session:
        count = session.scalar(select(func.max(Loan.number))) or 0
        loan = session.execute(
            select(Loan.record_id, Loan.approval_id).where(Loan.state == LoanState.OPEN).order_by(Loan.id).limit(1)
        ).one()
    day = parts.guard.day()
    deep, year, years = count // 2, day - timedelta(days=365), day - timedelta(days=3 * 365)
    return {
        "archivist": {
            "register": "/loans/register",
            "register, in the middle": f"/loans/register?after={deep}",
            "register: returned": "/loans/register?state=returned",
            "register: lent": "/loans/register?state=open",
            "register: asked for": "/loans/register?state=asked",
            "register: overdue": "/loans/register?state=overdue",
            "register of one record": f"/loans/register?record={loan.record_id}",
            "counter, one person": "/loans/counter?person=staff",
            "requests": "/loans/requests",
            "one request": f"/loans/requests/{loan.approval_id}",
            "damage and loss": "/loans/reports",
            "use register": "/loans/uses",
            "use register, a year": f"/loans/uses?since={year}&until={day}",
            "copy register": "/loans/copies",
            "figures of a year": f"/loans/statistics?since={year}&until={day}",
            "figures of three years": f"/loans/statistics?since={years}&until={day}",
            "figures of a year, counted": f"/loans/statistics/list.xlsx?since={year}&until={day}",
            "what falls due": "/deadlines",
            "record": f"/records/{loan.record_id}",
            "borrow": f"/records/{loan.record_id}/borrow",
            "desk": "/",
        },
        "staff": {"my loans": "/loans", "what falls due": "/deadlines", "desk": "/"},
        "manager": {"my loans": "/loans", "requests": "/loans/requests", "desk": "/"},
    }  # fmt: skip


if __name__ == "__main__":
    main()
