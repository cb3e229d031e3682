"""Destruction: records of a file each, proved gone. Run: ``juanku bench destruction N [--minio HOST:PORT]``.

Beside it, in the same run, as many records are removed raw: rows in batches, then their objects in batches, without a
question, a key, a log or a proof. Waiting for the index, its expunge and the database's vacuum are timed apart.
"""

import argparse
import os
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.files.arrivals import Incoming
from archive.model import Category, Content, DestructionRun, Fonds, JobKind
from archive.purging import remove_records
from benchmarks._common import SENTENCES, TOPICS, archive, opened, table
from retention.gone import looks
from retention.gone.batches import BATCH
from runtime.processes.working import work_done
from runtime.rehearsing import doom
from runtime.wiring.parts import Parts

MINIO = ("archive", "archive-secret")


def filed(parts: Parts, count: int) -> list[UUID]:
    """File records with a text each."""
    who = parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds.id).where(Fonds.code == "H001")).one()
        of_fonds = select(Category.id).where(Category.fonds_id == fonds, Category.code == "WYS01")
        category = session.scalars(of_fonds).one()
    every: list[UUID] = []
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        drafts = [Draft(fonds, category, f"{TOPICS[n % len(TOPICS)]}第{n}号", drawn_up="2010") for n in numbers]
        ids = parts.records.create_many(who, drafts)
        text = [f"{secrets.token_hex(8)}\n{SENTENCES[n % len(SENTENCES)] * 20}".encode() for n in numbers]
        parts.intake.receive_many(who, [Incoming(key, "a.txt", [each]) for key, each in zip(ids, text, strict=True)])
        parts.filing.file(who, ids)
        every += ids
    return every


def raw(parts: Parts, ids: Sequence[UUID]) -> None:
    """Remove rows and objects, and nothing more."""
    from runtime.jobs.destroying import object_erasing  # noqa: PLC0415

    erasing = object_erasing(parts)
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        with parts.db.writing() as work:
            stored = select(Content.object_key, Content.store_version).where(Content.record_id.in_(some))
            objects: dict[str, str | None] = dict(work.session.execute(stored).all())
            remove_records(work.session, some)
            work.commit()
        erasing.erase(objects)


def timed(act: Callable[[], Any]) -> float:
    """Return how long it takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def drive(parts: Parts, key: UUID) -> dict[str, float]:
    """Run a destruction to its end in this thread; return the seconds of each of its steps, and of the index's work."""
    took: dict[str, float] = {}
    steps = parts.erasing._steps  # noqa: SLF001 (what is measured)
    watched = {}
    for step, act in steps.items():

        def one(*given: Any, act: Any = act, name: str = step.value) -> bool:
            begun = time.perf_counter()
            try:
                return bool(act(*given))
            finally:
                took[name] = took.get(name, 0) + time.perf_counter() - begun

        watched[step] = one
    parts.erasing._steps = watched  # noqa: SLF001
    while True:
        parts.runner.run(JobKind.DESTROY)
        begun = time.perf_counter()
        while parts.runner.run(JobKind.INDEX) or parts.runner.run(JobKind.EXPUNGE):
            pass
        took["index"] = took.get("index", 0) + time.perf_counter() - begun
        with parts.db.reading() as session:
            run = session.get(DestructionRun, key)
            if run and run.step.value == "done":
                return took
        time.sleep(0.2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=300)
    parser.add_argument("--minio", help="host:port of a server with the trial credential")
    asked = parser.parse_args()
    if asked.minio:
        from storage.minio.client import Access, client  # noqa: PLC0415
        from storage.minio.setup import set_up  # noqa: PLC0415

        bucket = f"bench-{secrets.token_hex(6)}"
        set_up(client(Access(asked.minio, *MINIO, secure=False)), bucket)
        url = {"URL": f"s3+http://{asked.minio}/{bucket}", "KEY": MINIO[0], "SECRET": MINIO[1]}
        os.environ |= {f"JUANKU_STORE_{name}": value for name, value in url.items()}
    with archive(), opened() as parts:
        ids = filed(parts, 2 * asked.count)
        with work_done(parts, wait=True):
            pass
        load = os.getloadavg()[0]
        plain = timed(lambda: raw(parts, ids[asked.count :]))
        key = doom(parts, ids[: asked.count])
        took = drive(parts, key)
        with parts.db.reading() as session:
            far, (proof, *_) = looks.progress(session, key), looks.findings(session, key)
        carried = took["rows"] + took["keys"]
        table(
            f"{asked.count:,} records destroyed on {'MinIO' if asked.minio else 'folders'}, load {load:.1f}",
            [
                ("raw batch removal", f"{plain:.2f} s, {asked.count / plain:,.0f} a second"),
                ("destruction: rows, bytes, keys", f"{carried:.2f} s, {asked.count / carried:,.0f} a second"),
                ("of raw removal", f"{carried / plain:.2f} times"),
                ("proof", f"{took['proof']:.2f} s, {took['proof'] / carried:.2f} times the destruction"),
                ("destruction and proof", f"{asked.count / (carried + took['proof']):,.0f} a second"),
                ("apart: database wiped", f"{took.get('database', 0):.2f} s"),
                ("apart: index forgets, expunge", f"{took['index']:.2f} s"),
                ("gone, found by the proof", f"{far.gone}, {dict(proof.found)}"),
            ],
        )


if __name__ == "__main__":
    main()
