"""Forms printed. Run: ``juanku bench forms [--dossiers N] [--items N] [--labels N]``.

Each print is asked for in this process, through everything that a request passes but the line: session, policy, query,
log, and the confined process that sets the form. The raw limit is the typesetter alone, in that process, on the page
that says one word: what every print pays for its walls and its typeface.
"""

import argparse
import resource
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID

import pypdfium2
from sqlalchemy import select

from archive.ids import new_id
from archive.model import Category, Record, RecordKind, RecordState
from benchmarks._common import archive, opened, table
from benchmarks.pages import signed_in
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts

CONTENTS_SECONDS, LABELS_SECONDS = 20, 5

_Took = tuple[float, float, int]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dossiers", type=int, default=200)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--labels", type=int, default=1_000)
    asked = parser.parse_args()
    with archive(1), opened() as parts:
        dossiers, items = fill(parts, asked.dossiers, max(asked.items, asked.labels // asked.dossiers))
        measure(parts, dossiers, items[: asked.labels])


def fill(parts: Parts, dossiers: int, items: int) -> tuple[list[str], list[str]]:
    """Put filed dossiers with items into the archive; return the ids of both."""
    with parts.db.reading() as session:
        category = session.scalars(select(Category).order_by(Category.code)).first()
    if category is None:
        raise SystemExit
    common: dict[str, Any] = {
        "fonds_id": category.fonds_id, "category_id": category.id, "category_version": category.version,
        "level_rank": 1, "term": "D30", "state": RecordState.FILED, "created_at": parts.clock.now(),
    }  # fmt: skip
    keys, held = [], []
    for at in range(dossiers):
        with parts.db.writing() as work:
            dossier = new_id()
            keys.append(str(dossier))
            title = f"第{at}号电梯年度检验案卷"
            work.session.add(
                Record(id=dossier, kind=RecordKind.DOSSIER, title=title, archive_number=f"Z-{at:05}", **common)
            )
            work.session.flush()
            for place in range(1, items + 1):
                held.append(str(new_id()))
                work.session.add(
                    Record(
                        id=UUID(held[-1]), dossier_id=dossier, position=place, pages=3, drawn_up="2024-03-05",
                        title=f"关于第{at}号电梯第{place}次年度检验情况及整改结果的报告", responsible="工程部",
                        archive_number=f"Z-{at:05}-{place:04}", **common,
                    )
                )  # fmt: skip
            work.commit()
    return keys, held


def measure(parts: Parts, dossiers: list[str], items: list[str]) -> None:
    """Print the table."""
    app = make_app(parts)
    app.config["WTF_CSRF_ENABLED"] = False
    client = signed_in(app.test_client(), "archivist")

    def said(address: str, **data: Any) -> _Took:
        return _timed(lambda: bytes(client.post(address, data=data).data))

    raw = _timed(lambda: _one_word(parts))
    contents = said("/prints", form="dossier_contents", record=dossiers)
    covers = said("/prints", form="dossier_cover", record=dossiers)
    labels = said("/labels", sheet="3x8", start="1", record=items)
    table(
        "Forms",
        [
            ("raw: one word", _told(raw)),
            (f"contents of {len(dossiers)} dossiers", _told(contents, CONTENTS_SECONDS)),
            (f"covers of {len(dossiers)} dossiers", _told(covers)),
            (f"{len(items):,} labels", _told(labels, LABELS_SECONDS)),
        ],
    )


def _one_word(parts: Parts) -> bytes:
    made = parts.typesetter.pdf('#set text(font: "Noto Sans SC")\n档案', [])
    return made if isinstance(made, bytes) else b""


def _timed(act: Callable[[], bytes]) -> _Took:
    """Return what a print took: seconds on the clock and of processor time, with the confined process, and pages."""
    begun, used = time.perf_counter(), _used()
    made = act()
    wall, cpu = time.perf_counter() - begun, _used() - used
    if not made.startswith(b"%PDF-"):
        raise SystemExit(made.decode("utf-8", "replace")[:5_000])
    return wall, cpu, len(pypdfium2.PdfDocument(BytesIO(made)))


def _used() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def _told(took: _Took, most: float = 0) -> str:
    wall, cpu, pages = took
    reach = f" (at most {most} s){' LATE' * (wall > most)}" if most else ""
    return f"{wall:.2f} s, processor {cpu:.2f} s, {pages} pages{reach}"


if __name__ == "__main__":
    main()
