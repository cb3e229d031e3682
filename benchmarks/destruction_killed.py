"""A destruction whose workers are killed: at each of its steps in their order, and at moments by chance.

Run: ``juanku bench destruction_killed [--records N] [--moments N] [--servers]``.

N records of a file each are to be destroyed, others stay. A worker is armed with the first failpoint of a destruction
and dies there by SIGKILL. Then it is looked: is every item whole or gone, do log and register name each once, can what
is not gone be read? Another worker, with a clock past the leases of the dead, goes on to the next failpoint; while rows
go, some are killed by chance. When all is gone, proof, ``fsck`` and search are asked too. ``--servers``: on servers of
its own, as ``bench server_faults``.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select

from archive.failpoints import DESTRUCTION
from archive.files.arrivals import Incoming
from archive.model import (
    Content,
    DestroyedRecord,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionObject,
    DestructionState,
    Job,
    JobKind,
    LogEntry,
    OwnerKey,
    Record,
)
from benchmarks._faults_house import READER, draft_of, furnish, settings_for
from benchmarks._faults_processes import Child, Say, forked
from benchmarks._server_house import Ahead, a_house, missing, seen
from retention.destroying.running import lines_of
from retention.gone import looks
from runtime.fsck import fsck
from runtime.processes.working import LocalWaker, work_done
from runtime.rehearsing import doom
from runtime.settings import Settings
from runtime.wiring.parts import NoWaker, Parts, build

AT_ONCE = 100
PATIENCE = 3600.0
HOUR = timedelta(hours=1)
ROWS_GO = DESTRUCTION.index("destroy.rows_done")
"""The failpoint before which rows go: moments by chance are drawn there."""


@dataclass(frozen=True)
class Paper:
    """A record of the trial: the word of its title and file, its number, and where its file lies."""

    word: str
    number: str
    object_key: str

    @property
    def data(self) -> bytes:
        """The bytes of its file."""
        return text(self.word)


def text(word: str) -> bytes:
    """Return the file of a word."""
    return f"物业服务合同,编号 {word} ,经双方核对无误。\n".encode() * 20


def prepare(chosen: Settings, going: int, staying: int, unread: bool, say: Say) -> None:
    """File the records, begin the destruction, and tell what there is. ``unread``: what goes is not read before."""
    parts = build(chosen, LocalWaker())
    who = parts.people.identity_of(READER)
    words = [f"kw{secrets.token_hex(6)}" for _ in range(going + staying)]
    draft, ids = draft_of(parts, "-"), list[UUID]()
    for start in range(0, len(words), AT_ONCE):
        some = words[start : start + AT_ONCE]
        made = parts.records.create_many(who, [replace(draft, title=f"合同{each}") for each in some])
        files = [Incoming(key, "合同.txt", [text(each)]) for key, each in zip(made, some, strict=True)]
        parts.intake.receive_many(who, files)
        parts.filing.file(who, made)
        ids += made
    if unread:
        with parts.db.writing() as work:
            theirs = select(Content.id).where(Content.record_id.in_(ids[:going]))
            work.session.execute(delete(Job).where(Job.kind == JobKind.EXTRACT, Job.subject_id.in_(theirs)))
            work.commit()
    with work_done(parts, wait=True):
        pass
    key = doom(parts, ids[:going])
    with parts.db.writing() as work:
        mine = select(DestructionItem).where(DestructionItem.destruction_id == key)
        items = work.session.scalars(mine.order_by(DestructionItem.position)).all()
        parts.vault.add_owner(work.session, key, due_year=None)
        means = parts.retention.destructions.running._means  # noqa: SLF001 (as handing over writes them)
        work.session.execute(insert(DestroyedRecord), lines_of(means, work.session, key, items))
        work.commit()
    with parts.db.reading() as session:
        columns = select(Record.id, Record.archive_number, Content.object_key)
        rows = session.execute(columns.join(Content, Content.record_id == Record.id).where(Record.id.in_(ids))).all()
    parts.close()
    say(key=str(key))
    at = {record: place for place, record in enumerate(ids)}
    for row in sorted(rows, key=lambda each: at[each.id]):
        word = words[at[row.id]]
        say(record=str(row.id), word=word, number=row.archive_number, object_key=row.object_key)


@dataclass
class Trial:
    """One destruction and those who carry it out, one after another."""

    settings: Settings
    log: Path
    key: UUID
    going: Mapping[UUID, Paper]
    staying: Mapping[UUID, Paper]
    ahead: timedelta = timedelta(0)
    wrong: list[str] = field(default_factory=list)
    deaths: int = 0

    def worker(self, failpoint: str = "") -> Child:
        """Start a worker; it ends when all is gone."""
        self.ahead += HOUR
        chosen = replace(self.settings, failpoint=f"{failpoint}:kill" if failpoint else "")
        return forked(self.log, lambda _say: self._work(chosen))

    def _work(self, chosen: Settings) -> None:
        parts = build(chosen, NoWaker(), Ahead(self.ahead))
        while not self._ended(parts):
            parts.runner.sweep()
            parts.runner.drain()
            time.sleep(0.05)
        parts.close()

    def _ended(self, parts: Parts) -> bool:
        with parts.db.reading() as session:
            return session.get_one(Destruction, self.key).state is DestructionState.GONE

    def killed_at(self, failpoint: str) -> None:
        """Have a worker die at a failpoint, and look."""
        died = ended(self.worker(failpoint))
        if died != -9:
            self.wrong.append(f"DID NOT DIE at {failpoint}: {died}")
        self._looked_at(failpoint, died)

    def killed_by_chance(self, pick: random.Random) -> None:
        """Kill a worker at some moment, or where rows end, and look."""
        child = self.worker(DESTRUCTION[ROWS_GO])
        time.sleep(pick.uniform(0.3, 4))
        child.kill()
        self._looked_at("a moment", child.status or 0)
        os.close(child.pipe)

    def finished(self) -> None:
        """Let the last worker come to the end, and look at everything."""
        if status := ended(self.worker()):
            self.wrong.append(f"THE LAST ONE ENDED {status}: {self.log.read_text(errors='replace')[-2000:]}")
        self._looked_at("the end", 0, lambda parts: [*self.look(parts), *self.look_at_the_end(parts)])

    def _looked_at(self, place: str, died: int, look: Callable[[Parts], Sequence[str]] | None = None) -> None:
        self.deaths += died == -9

        def looking(say: Say) -> None:
            parts = build(self.settings, NoWaker(), Ahead(self.ahead))
            found = (look or (lambda each: list(self.look(each))))(parts)
            with parts.db.reading() as session:
                far = looks.progress(session, self.key)
            parts.close()
            say(wrong=list(found)[:20], gone=far.gone)

        child = forked(self.log, looking)
        told = child.told()
        if child.wait() or not told:
            self.wrong.append(f"NOT LOOKED AT {place}: {self.log.read_text(errors='replace')[-2000:]}")
            return
        seen(f"| {place} | {died} | {told[-1]['gone']} of {len(self.going)} | {len(told[-1]['wrong'])} |")
        self.wrong += [f"{place}: {each}" for each in told[-1]["wrong"]]

    def look(self, parts: Parts) -> Iterator[str]:
        """Yield what of the list is neither whole nor gone, or is told otherwise than it is."""
        ids = list(self.going)
        with parts.db.reading() as session:
            items = select(DestructionItem.record_id, DestructionItem.state, DestructionItem.gone_at)
            states = session.execute(items.where(DestructionItem.destruction_id == self.key)).all()
            there = set(session.scalars(select(Record.id).where(Record.id.in_(ids))))
            files = session.execute(
                select(Content.record_id, Content.id, Content.object_key).where(Content.record_id.in_(ids))
            ).all()
            keys = Counter(session.scalars(select(OwnerKey.owner_id).where(OwnerKey.owner_id.in_(ids))))
            acts = Counter(
                session.scalars(
                    select(LogEntry.record_id).where(LogEntry.act == "record.destroy", LogEntry.record_id.in_(ids))
                )
            )
            to_go = select(DestructionObject.object_key).where(
                DestructionObject.destruction_id == self.key, DestructionObject.removed_at.is_(None)
            )
            waiting = set(session.scalars(to_go))
            lines = select(DestroyedRecord.record_id, DestroyedRecord.archive_number, DestroyedRecord.position)
            lines = lines.where(DestroyedRecord.destruction_id == self.key).order_by(DestroyedRecord.position)
            register = session.execute(lines).all()
        gone = {row.record_id for row in states if row.state is DestructionItemState.GONE}
        stored = {info.key for info in parts.store.list()}
        whole = set(ids) - gone
        wanted = [(key, paper.number, at) for at, (key, paper) in enumerate(self.going.items(), 1)]
        for what, holds in (
            ("NEITHER WHOLE NOR GONE", there == whole),
            ("FILES", Counter(row.record_id for row in files) == Counter(whole)),
            ("KEYS", set(keys) == whole),
            ("BYTES LOST", {row.object_key for row in files} <= stored),
            ("BYTES LEFT", not (({self.going[key].object_key for key in gone} & stored) - waiting)),
            ("NOT ONCE IN THE LOG", acts == Counter(gone)),
            ("NO MOMENT", all((row.gone_at is not None) is (row.record_id in gone) for row in states)),
            ("REGISTER", [tuple(line) for line in register] == wanted),
        ):
            if not holds:
                yield what
        sample = [row for row in files if row.record_id in whole][:: max(1, len(files) // 5)]
        yield from self._unread(parts, [(row.id, self.going[row.record_id].data) for row in sample])

    def _unread(self, parts: Parts, contents: Sequence[tuple[UUID, bytes]]) -> Iterator[str]:
        who = parts.people.identity_of(READER)
        for content, data in contents:
            if b"".join(parts.intake.open_file(who, content).reader.read()) != data:
                yield f"NOT READ {content}"

    def look_at_the_end(self, parts: Parts) -> Iterator[str]:
        """Yield what is wrong when all should be gone: what is left, the neighbours, the invariants."""
        who = parts.people.identity_of(READER)
        parts.sealer.seal_all()
        with parts.db.reading() as session:
            proofs = looks.findings(session, self.key)
            gone = looks.progress(session, self.key).gone
            ends = select(func.count()).where(LogEntry.act == "destruction.gone", LogEntry.subject_id.is_(None))
            once = session.scalar(ends)
            mine = select(Content.id, Content.record_id).where(Content.record_id.in_(list(self.staying)))
            files = session.execute(mine).all()
        if gone != len(self.going) or not proofs or any(each.found for each in proofs):
            yield f"GONE {gone}, found {[dict(each.found) for each in proofs]}"
        if once != 1:
            yield f"ENDED {once} TIMES"
        yield from self._unread(parts, [(row.id, self.staying[row.record_id].data) for row in files])
        for papers, wanted in ((self.going, False), (self.staying, True)):
            for key, paper in list(papers.items())[:5]:
                if ([hit.record_id for hit in parts.search.search(who, paper.word).hits] == [key]) is not wanted:
                    yield f"SEARCH {paper.word}"
        yield from (f"{each.invariant} {each.what} {each.fault}" for each in fsck(parts).violations)


def ended(child: Child) -> int:
    """Wait for a worker's end; return its status."""
    until = time.monotonic() + PATIENCE
    while child.status is None and time.monotonic() < until:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        child.status = os.waitstatus_to_exitcode(status) if pid else None
        time.sleep(0.02)
    if child.status is None:
        child.kill()
        return 1
    os.close(child.pipe)
    return child.status


def begun(chosen: Settings, log: Path, records: int, *, unread: bool) -> Trial:
    """Return a trial whose records are filed and whose destruction runs."""
    child = forked(log, lambda say: prepare(chosen, records, max(10, records // 100), unread, say))
    told: list[dict[str, Any]] = child.told()
    if child.wait() or len(told) < records:
        raise RuntimeError(log.read_text(errors="replace")[-4000:])
    papers = {UUID(row["record"]): Paper(row["word"], row["number"], row["object_key"]) for row in told[1:]}
    every = list(papers.items())
    return Trial(chosen, log, UUID(told[0]["key"]), dict(every[:records]), dict(every[records:]))


def main() -> int:
    """Play it and print the table; the exit code is 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--moments", type=int, default=5, help="kills by chance while rows go")
    parser.add_argument("--unread", action="store_true", help="files of what goes are not read before: begins sooner")
    parser.add_argument("--servers", action="store_true", help="on PostgreSQL, Redis, MinIO and Elasticsearch")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    asked = parser.parse_args()
    if asked.servers and (absent := missing()):
        seen(f"not there: {', '.join(absent)}")
        return 2
    start, pick = time.monotonic(), random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="juanku-killed-") as name, ExitStack() as stack:
        folder = Path(name)
        if asked.servers:
            chosen = stack.enter_context(a_house(folder, megabytes=2048)).settings
        else:
            chosen = settings_for(folder)
            furnishing = forked(folder / "log", lambda _say: furnish(chosen))
            if furnishing.wait():
                raise RuntimeError((folder / "log").read_text())
        trial = begun(chosen, folder / "log", asked.records, unread=asked.unread)
        seen(f"seed {asked.seed}; filed in {time.monotonic() - start:.0f} s\n")
        seen("| killed at | status | gone | wrong |\n|---|---|---|---|")
        for at, failpoint in enumerate(DESTRUCTION):
            for _ in range(asked.moments if at == ROWS_GO else 0):
                trial.killed_by_chance(pick)
            trial.killed_at(failpoint)
        trial.finished()
    seen(f"\n{trial.deaths} workers died, {len(trial.wrong)} wrong, {time.monotonic() - start:.0f} s")
    for each in trial.wrong:
        seen(f"    {each}")
    return 1 if trial.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
