"""Kill -9 at every failpoint and at random moments; after each, the invariants are checked.

Run: ``juanku bench faults [--trials N] [--random N] [--only NAME] [--json]``.

A trial copies a small archive and starts two processes, as ``juanku serve`` has them: a taker that catalogues, takes
files in (whole and in pieces) and files them, and a worker that reads, indexes and seals. Each act that the taker was
told is done is written down outside. One or both die by SIGKILL; what ``serve`` would start again is started again.
Then the client goes on where it was (uploads are resumed, records filed), the jobs run out, and it is asked: does
``fsck`` find all invariants, is everything that was acknowledged there, once, and found by its words?

No failure in n trials says, at 95 %, that fewer than 3 in n would fail. SIGKILL does not lose what the system has
cached, so this proves nothing about a power cut.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.describing import Draft
from archive.failpoints import INTAKE
from archive.grants import Rights
from archive.identity import Role, system
from archive.model import Category, Content, ContentState, Fonds, Record, RecordState
from archive.ports import PIECE_BYTES
from archive.scheme.install import install
from archive.scheme.shipped import scheme
from runtime.demo.writing import pdf
from runtime.fsck import fsck
from runtime.setting_up import create
from runtime.settings import Settings, load
from runtime.wiring import NoWaker, Parts, build
from runtime.working import LocalWaker, work_done
from storage.sweep import sweep_orphans

WHO = system("faults")
READER = "reader"
DRAWN_UP = "2024-03-05"
PATIENCE = 120.0
"""Seconds that a process of a trial may take before it counts as stuck."""

Say = Callable[..., None]


@dataclass(frozen=True)
class Paper:
    """A file of a trial. ``word`` stands in it once and in no other file of the trial; None: it holds no text."""

    name: str
    data: bytes
    word: str | None
    pieces: bool


@dataclass
class Child:
    """A forked process and the pipe it reports to."""

    pid: int
    pipe: int
    status: int | None = None

    def wait(self) -> int:
        """Wait for its end; return the exit status, negative for a signal."""
        until = time.monotonic() + PATIENCE
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                os.killpg(self.pid, signal.SIGKILL)
                until += PATIENCE
            else:
                time.sleep(0.002)
        return self.status

    def kill(self) -> None:
        """Kill it and all it started."""
        if self.status is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def told(self) -> list[dict[str, Any]]:
        """Return what it reported until its end."""
        data = b""
        while block := os.read(self.pipe, 65536):
            data += block
        os.close(self.pipe)
        return [json.loads(line) for line in data.splitlines()]


def forked(log: Path, act: Callable[[Say], None]) -> Child:
    """Run ``act`` in a process of its own, in a process group of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    code = 1
    try:
        os.setsid()
        os.close(reading)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
        act(lambda **told: os.write(writing, json.dumps(told).encode() + b"\n"))
        code = 0
    except BaseException:  # noqa: BLE001 (a forked child must never return into its parent's code)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def settings_for(folder: Path, failpoint: str = "") -> Settings:
    """Return the settings of the archive in ``folder``."""
    base = load({"JUANKU_HOME": str(folder / "home"), "JUANKU_KEYS": str(folder / "keys")})
    return replace(base, failpoint=failpoint)


def make_template(folder: Path) -> None:
    """Make the small archive that every trial starts from."""

    def act(_say: Say) -> None:
        chosen = settings_for(folder)
        create(chosen, dict.fromkeys(("zh_CN", "zh_TW", "en"), "试"), "grades")
        parts = build(chosen, NoWaker())
        with parts.db.writing() as work:
            fonds = Fonds(code="H001", names=dict.fromkeys(("zh_CN", "zh_TW", "en"), "和园"))
            work.session.add(fonds)
            work.session.flush()
            install(work.session, fonds, scheme("property"), now=parts.clock.now())
            work.commit()
        rights = Rights(parts.db, parts.log, parts.guard)
        for rank in (1, 2, 3, 4):
            rights.distribute(WHO, rank)
        reader = parts.people.add_person(
            WHO, login=READER, name="林静文", password=os.urandom(12).hex(), roles={Role.ARCHIVIST}, clearance=4
        )
        rights.grant(WHO, reader, fonds_id=fonds.id)
        with work_done(parts, wait=True):
            parts.records.create(WHO, _draft(parts, "前言"))
        parts.close()

    folder.mkdir(parents=True, exist_ok=True)
    child = forked(folder / "log", act)
    if child.wait():
        raise RuntimeError((folder / "log").read_text())
    os.close(child.pipe)


def papers(rnd: random.Random) -> list[Paper]:
    """Make the files of one trial."""
    words = [f"kw{rnd.getrandbits(48):012x}" for _ in range(3)]
    texts = [f"物业服务合同第{n}份,编号 {word} ,经双方核对无误。\n" for n, word in enumerate(words)]
    made = [
        Paper("合同.txt", texts[0].encode(), words[0], pieces=False),
        Paper("合同-gbk.txt", (texts[1] * 3).encode("gb18030"), words[1], pieces=True),
        Paper("合同.pdf", pdf(texts[2]), words[2], pieces=False),
    ]
    if rnd.random() < 0.2:
        made.append(Paper("照片.bin", b"\x00" + rnd.randbytes(PIECE_BYTES + 1000), None, pieces=True))
    rnd.shuffle(made)  # the failpoint is met by the first: whole or in pieces
    return made


def _draft(parts: Parts, title: str) -> Draft:
    with parts.db.reading() as session:
        category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
    return Draft(fonds_id=category.fonds_id, category_id=category.id, title=title, drawn_up=DRAWN_UP)


def take_in(chosen: Settings, sent: Sequence[Paper], done: Path, say: Say) -> None:
    """Be the web process: catalogue, take in, file; tell what was acknowledged, as a client would know it."""
    parts = build(chosen, NoWaker())
    draft = _draft(parts, "-")
    ids = parts.records.create_many(WHO, [replace(draft, title=paper.name) for paper in sent])
    for record, paper in zip(ids, sent, strict=True):
        say(did="record", record=str(record))
        if paper.pieces:
            upload = parts.intake.begin(WHO, record, paper.name, len(paper.data))
            say(did="begun", upload=str(upload), name=paper.name)
            _send(parts, upload, paper.data, 0)
            say(did="stored", content=str(parts.intake.finish(WHO, upload).content_id), sha=_sha(paper.data))
        else:
            received = parts.intake.receive(WHO, record, paper.name, [paper.data])
            say(did="stored", content=str(received.content_id), sha=_sha(paper.data))
        for filed in parts.filing.file(WHO, [record]):
            say(did="filed", record=str(record), number=filed.archive_number, word=paper.word)
    done.touch()
    parts.close()


def _send(parts: Parts, upload: UUID, data: bytes, start: int) -> None:
    for number in range(start, -(-len(data) // PIECE_BYTES)):
        parts.intake.put_piece(WHO, upload, number, data[number * PIECE_BYTES : (number + 1) * PIECE_BYTES])


def _sha(data: bytes) -> str:
    return sha256(data).hexdigest()


def work(chosen: Settings, done: Path, say: Say) -> None:
    """Be the worker: run jobs and the sealer until the taker is done and nothing waits."""
    parts = build(chosen, LocalWaker())
    with work_done(parts, wait=True):
        say(did="working")
        while not done.exists():
            time.sleep(0.005)
    parts.close()


def recover(chosen: Settings, sent: Mapping[str, Paper], acknowledged: Sequence[Mapping[str, Any]], say: Say) -> None:
    """Start again: finish what a client would finish, run the jobs out, and look for what is wrong."""
    parts = build(chosen, LocalWaker())
    with work_done(parts, wait=True):
        _resume(parts, sent, acknowledged)
    swept = sweep_orphans(parts.db, parts.store, parts.clock, older_than=timedelta(0))
    wrong = [f"{v.invariant} {v.what} {v.fault}" for v in fsck(parts).violations]
    wrong += _lost(parts, acknowledged)
    wrong += _left_over(parts)
    parts.close()
    say(did="checked", wrong=wrong, swept=[swept.objects, swept.uploads, swept.contents])


def _resume(parts: Parts, sent: Mapping[str, Paper], acknowledged: Sequence[Mapping[str, Any]]) -> None:
    """Be the client that asks how far its upload got, and goes on; then file what is not filed yet."""
    for told in acknowledged:
        if told["did"] != "begun":
            continue
        upload = UUID(told["upload"])
        with parts.db.reading() as session:
            row = session.get_one(Content, upload)
        if row.state is ContentState.RECEIVING:
            _send(parts, upload, sent[told["name"]].data, parts.intake.progress(WHO, upload))
            parts.intake.finish(WHO, upload)
    records = [UUID(told["record"]) for told in acknowledged if told["did"] == "record"]
    with parts.db.reading() as session:
        stored = select(Content.record_id).where(Content.state == ContentState.STORED)
        ready = list(session.scalars(select(Record.id).where(Record.id.in_(records), Record.id.in_(stored))))
    parts.filing.file(WHO, ready)


def _lost(parts: Parts, acknowledged: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the client was told and is not so."""
    with parts.db.reading() as session:
        for told in acknowledged:
            if told["did"] == "stored":
                content = session.get(Content, UUID(told["content"]))
                if content is None or content.plain_sha256 != told["sha"] or content.text_version != 1:
                    yield f"ACK content {told['content']}"
            elif told["did"] in {"record", "filed"}:
                record = session.get(Record, UUID(told["record"]))
                if record is None:
                    yield f"ACK record {told['record']}"
                elif told.get("number") and (record.archive_number, record.state) != (
                    told["number"],
                    RecordState.FILED,
                ):
                    yield f"ACK number {told['number']}"
    for told in acknowledged:
        if told["did"] == "filed" and told["word"]:
            found = parts.search.search(parts.people.identity_of(READER), told["word"])
            if [str(hit.record_id) for hit in found.hits] != [told["record"]]:
                yield f"ACK not found once: {told['number']} ({found.total})"


def _left_over(parts: Parts) -> Iterator[str]:
    """After a sweep without a grace period nothing may be left that nobody owns."""
    with parts.db.reading() as session:
        rows = session.execute(select(Content.object_key, Content.store_version, Content.state)).all()
    owned = {(row.object_key, row.store_version) for row in rows}
    yield from (f"ORPHAN {info.key}" for info in parts.store.list() if (info.key, info.version) not in owned)
    yield from (f"UPLOAD {info.key}" for info in parts.store.uploads())
    yield from (f"RECEIVING {row.object_key}" for row in rows if row.state is ContentState.RECEIVING)


@dataclass
class Row:
    """What came out of the trials of one kind."""

    name: str
    trials: int = 0
    died: int = 0
    violations: list[str] = field(default_factory=list)


@dataclass
class Rig:
    """Runs trials on copies of a template."""

    folder: Path
    rnd: random.Random
    spans: dict[str, float] = field(default_factory=dict)

    def calibrate(self) -> None:
        """Measure how long undisturbed processes live: random moments are drawn from that."""
        row = Row("undisturbed")
        self.trial(row, failpoint="", victim="nobody")
        if row.violations:
            raise RuntimeError("\n".join(row.violations))

    def trial(self, row: Row, *, failpoint: str, victim: str) -> None:
        """Do one trial: at a failpoint, or (none given) at a random moment."""
        place = self.folder / "trial"
        shutil.copytree(self.folder / "template", place)
        try:
            row.trials += 1
            row.violations += self._run(row, place, failpoint, victim)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _run(self, row: Row, place: Path, failpoint: str, victim: str) -> list[str]:
        sent = papers(self.rnd)
        armed, plain = settings_for(place, f"{failpoint}:kill" if failpoint else ""), settings_for(place)
        done, log = place / "done", place / "log"
        begun = time.monotonic()
        worker = forked(log, lambda say: work(armed, done, say))
        taker = forked(log, lambda say: take_in(armed, sent, done, say))
        if failpoint:
            died = self._until_death(taker, worker)
            both = victim == "everything"
        else:
            time.sleep(self.rnd.uniform(0, 0.8 * self.spans[victim]) if victim != "nobody" else 0)
            died = {"web": [taker], "worker": [worker], "everything": [taker, worker]}.get(victim, [])
            both = victim == "everything"
        for child in [taker, worker] if both and died else died:
            child.kill()
        row.died += any(child.status == -signal.SIGKILL for child in (taker, worker))
        children = [taker, worker]
        if not both and worker in died:  # serve starts it again
            children.append(worker := forked(log, lambda say: work(plain, done, say)))
        taker.wait()
        taken = time.monotonic() - begun
        done.touch()  # a taker that died does not say so
        for child in children:
            child.wait()
        if victim == "nobody":
            worked = time.monotonic() - begun
            self.spans = {"web": taken, "worker": worked, "everything": worked}
        acknowledged = taker.told()
        for child in children[1:]:
            os.close(child.pipe)
        return self._checked(plain, {p.name: p for p in sent}, acknowledged, log, children)

    @staticmethod
    def _until_death(taker: Child, worker: Child) -> list[Child]:
        """Wait until one of the two died, or both ended well (the failpoint was not reached)."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for child in (taker, worker):
                if child.status is None:
                    pid, status = os.waitpid(child.pid, os.WNOHANG)
                    child.status = os.waitstatus_to_exitcode(status) if pid else None
                if child.status is not None and child.status != 0:
                    return [child]
            if taker.status == worker.status == 0:
                return []
            time.sleep(0.002)
        return [taker, worker]

    @staticmethod
    def _checked(
        plain: Settings,
        sent: Mapping[str, Paper],
        acknowledged: Sequence[Mapping[str, Any]],
        log: Path,
        children: Sequence[Child],
    ) -> list[str]:
        broken = [f"EXIT {child.status}" for child in children if child.status not in {0, -signal.SIGKILL}]
        checker = forked(log, lambda say: recover(plain, sent, acknowledged, say))
        status = checker.wait()
        found = checker.told()
        if status or not found:
            broken.append(f"RECOVERY {status}")
        else:
            broken += found[-1]["wrong"]
        if broken and log.exists():
            broken.append(log.read_text(errors="replace")[-4000:])
        return broken


def run(trials: int, moments: int, only: str | None, seed: int, said: Callable[[Row], None]) -> list[Row]:
    """Run all trials; ``said`` hears each finished row."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="juanku-faults-") as name:
        rig = Rig(Path(name), random.Random(seed))
        make_template(rig.folder / "template")
        rig.calibrate()
        plan = [(point, point, trials) for point in INTAKE]
        plan += [(f"random: {victim}", "", -(-moments // 3)) for victim in ("web", "worker", "everything")]
        for label, failpoint, count in plan:
            if only and only not in label:
                continue
            row = Row(label)
            for number in range(count):
                victim = label.removeprefix("random: ") if not failpoint else ("one", "everything")[number % 2]
                rig.trial(row, failpoint=failpoint, victim=victim)
            rows.append(row)
            said(row)
    return rows


def main() -> int:
    """Run the trials and print the table; the exit code is 0 when no invariant was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30, help="per failpoint")
    parser.add_argument("--random", type=int, default=300, help="random moments, shared by web, worker and everything")
    parser.add_argument("--only", help="only rows whose name holds this")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    begun = time.monotonic()
    print(f"seed {options.seed}\n\n| killed at | trials | died | violations |\n|---|---|---|---|", file=sys.stderr)
    rows = run(options.trials, options.random, options.only, options.seed, _print)
    bad = sum(bool(row.violations) for row in rows)
    total = sum(row.trials for row in rows)
    print(f"\n{total} trials in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    if options.json:
        document = [{"name": r.name, "trials": r.trials, "died": r.died, "violations": r.violations} for r in rows]
        print(json.dumps({"ok": not bad, "seed": options.seed, "rows": document}, ensure_ascii=False))
    return 1 if bad else 0


def _print(row: Row) -> None:
    print(f"| {row.name} | {row.trials} | {row.died} | {len(row.violations)} |", file=sys.stderr, flush=True)
    for violation in row.violations:
        print(f"    {violation}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
