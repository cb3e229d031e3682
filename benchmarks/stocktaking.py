"""Stock-taking: a room is begun, scanned and reconciled. Run: ``juanku bench stocktaking [--copies N] [--scans N]``.

The copies that are not scanned one by one are counted as if they had been, by one statement: what closing, report and
marking cost does not depend on it.
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from archive.cataloguing.describing import Draft
from archive.database import Database
from archive.identity import system
from archive.model import Category, Fonds, Medium, Record, Security, ShelfKind, ShelfPlace, StockItem
from archive.shelving.copies import CopyFacts, add_copy
from archive.shelving.tree import PlaceFacts, add_shelf_place
from archive.stocktaking.counting import MOST_SCANS, Scan
from benchmarks._common import archive, opened, spread, table
from runtime.wiring.parts import Parts, settle

OPERATOR = system("bench")
BATCH, BOX_HOLDS, MISSING_SHARE = 50, 100, 50


def furnished(parts: Parts, count: int) -> tuple[UUID, list[UUID]]:
    """Make a room with boxes for ``count`` copies; return it and the boxes."""
    names = {"zh_CN": "测试库房"}
    with parts.db.writing() as work:
        room = add_shelf_place(work.session, ShelfKind.ROOM, "B1", PlaceFacts(names, Security.SECURE_ROOM), None)
        cabinet = add_shelf_place(work.session, ShelfKind.CABINET, "1", PlaceFacts(), room)
        work.commit()
    boxes: list[UUID] = []
    for start in range(0, count, BOX_HOLDS * 20):
        with parts.db.writing() as work:
            cabinet = work.session.merge(cabinet)
            shelf = add_shelf_place(
                work.session, ShelfKind.SHELF, f"{start // (BOX_HOLDS * 20)}", PlaceFacts(capacity=20), cabinet
            )
            for box in range(min(20, -(-(count - start) // BOX_HOLDS))):
                facts = PlaceFacts(capacity=BOX_HOLDS)
                boxes.append(add_shelf_place(work.session, ShelfKind.BOX, f"{box}", facts, shelf).id)
            work.commit()
    return room.id, boxes


def filled(parts: Parts, count: int, boxes: list[UUID]) -> None:
    """File ``count`` records on paper and shelve a copy of each."""
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds.id).where(Fonds.code == "H001")).one()
        category = session.scalars(
            select(Category.id).where(Category.fonds_id == fonds, Category.code == "WYS01")
        ).one()
    for start in range(0, count, BATCH):
        drafts = [
            Draft(
                fonds, category, f"第{n}次定期检验报告", responsible="工程部", drawn_up="2024-03-05", pages=3,
                medium=Medium.PAPER, level_rank=1,
            )
            for n in range(start, min(start + BATCH, count))
        ]  # fmt: skip
        with parts.db.writing() as work:
            ids = parts.records.insert(work, OPERATOR, drafts)
            filed = parts.filing.in_work(work, OPERATOR, ids)
            if any(each.archive_number is None for each in filed):
                raise SystemExit(f"not filed: {filed[0]}")
            for n, record in enumerate(ids, start):
                add_copy(work.session, record, CopyFacts(pages=3), parts.clock).place_id = boxes[n // BOX_HOLDS]
            work.commit()
    with parts.db.writing() as work:
        for n, box in enumerate(boxes):
            work.session.get_one(ShelfPlace, box).taken = min(BOX_HOLDS, count - n * BOX_HOLDS)
        work.commit()


@contextmanager
def timed(took: dict[str, tuple[float, float]], name: str, held: list[float]) -> Iterator[None]:
    """Note how long an act took, and its longest write."""
    held.clear()
    begun = time.perf_counter()
    yield
    took[name] = (time.perf_counter() - begun, max(held, default=0.0))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--copies", type=int, default=10_000)
    parser.add_argument("--scans", type=int, default=1_000)
    asked = parser.parse_args()
    with archive(), opened() as parts:
        held: list[float] = []
        parts.db = Database(parts.settings.database_url, on_write=held.append)
        who = parts.people.identity_of("archivist")
        room, boxes = furnished(parts, asked.copies)
        filled(parts, asked.copies, boxes)
        settle()
        took: dict[str, tuple[float, float]] = {}
        with timed(took, "begin", held):
            count = parts.stock.counting.begin(who, room)
        scans = _scanned(parts, who, count, asked.scans, held)
        _rest(parts, count)
        with timed(took, "close: reconcile", held):
            parts.stock.counting.close(who, count)
        with timed(took, "the report's page", held):
            figures = parts.stock.reports.show(who, count).figures
        if figures.expected != asked.copies or figures.found + figures.missing != asked.copies:
            raise SystemExit(f"not whole: {figures}")
        with timed(took, f"mark {figures.missing} as missing", held):
            parts.stock.following.mark_missing(who, count)
        rows = [(name, f"{wall:.2f} s; longest write {write * 1000:.0f} ms") for name, (wall, write) in took.items()]
        table(
            f"A stock-taking of {asked.copies:,} copies (load {os.getloadavg()[0]:.1f})",
            [*rows, (f"{MOST_SCANS} scans at once", scans)],
        )


def _scanned(parts: Parts, who: Any, count: UUID, most: int, held: list[float]) -> str:
    with parts.db.reading() as session:
        labels = session.execute(
            select(Record.archive_number, StockItem.expected_at)
            .join(StockItem, StockItem.record_id == Record.id)
            .where(StockItem.stocktaking_id == count, StockItem.expected_at.is_not(None))
            .limit(most)
        ).all()
    took, starts = [], [*range(0, len(labels), MOST_SCANS), len(labels)]
    held.clear()
    for low, high in pairwise(starts):
        scans = [Scan(uuid4(), place, number, number) for number, place in labels[low:high] if number and place]
        begun = time.perf_counter()
        parts.stock.counting.scan(who, count, scans)
        took.append(time.perf_counter() - begun)
    return f"{spread(took)}; longest write {max(held) * 1000:.0f} ms"


def _rest(parts: Parts, count: UUID) -> None:
    """Count all that was not scanned, but for one in ``MISSING_SHARE``, box by box."""
    with parts.db.reading() as session:
        left = session.scalars(
            select(StockItem.copy_id).where(StockItem.stocktaking_id == count, StockItem.found_at.is_(None))
        ).all()
    for start in range(0, len(left), 500):
        some = [key for n, key in enumerate(left[start : start + 500], start) if n % MISSING_SHARE]
        with parts.db.writing() as work:
            work.session.execute(
                update(StockItem)
                .where(StockItem.stocktaking_id == count, StockItem.copy_id.in_(some))
                .values(found_at=StockItem.expected_at, belonged_at=StockItem.expected_at)
                .execution_options(synchronize_session=False)
            )
            work.commit()


if __name__ == "__main__":
    main()
