"""A house on all four servers, each behind a rough proxy: what the trials of ``benchmarks.server_faults`` act on.

PostgreSQL, Redis and MinIO are its own; Elasticsearch is the one that ``JUANKU_TEST_ELASTICSEARCH`` names, under a
prefix of its own. ``NARROW`` is cleared for the lowest level alone; records of the highest have ``CANARY`` in title
and text, and nothing that she is answered may hold it.
"""

import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from archive.clock import SystemClock
from archive.errors import ArchiveError, Unavailable
from archive.identity import Role
from archive.model import Content, ContentState, File, Fonds, Job, JobKind, Record, RecordState
from archive.model.jobs import JobState
from archive.people.grants import Rights
from benchmarks import _own_servers as own
from benchmarks._faults_house import READER, WHO, draft_of, furnish
from benchmarks._rough_proxy import RoughProxy
from indexer.elastic.client import connect
from runtime.celery_app import CeleryWaker
from runtime.fsck import fsck
from runtime.processes.pages import make_app
from runtime.settings import Settings, load
from runtime.wiring.parts import NoWaker, Parts, build
from storage.minio.client import Access, client
from storage.minio.setup import set_up
from storage.sweep import sweep_orphans

NARROW, CANARY, PASSWORD = "narrow", "金丝雀canary", "梅花三弄-2026-秋"
_ROUNDS = 40


class Ahead:
    """A clock that goes before the machine's, or after it."""

    def __init__(self, by: timedelta = timedelta(0)) -> None:
        self.by = by

    def now(self) -> datetime:
        """Return the moment it shows, aware, in UTC."""
        return SystemClock().now() + self.by


@dataclass
class Sent:
    """What a client sent, and how far it was told that it came."""

    word: str
    record: UUID | None = None
    content: UUID | None = None
    number: str | None = None
    refused: str = ""
    broken: str = ""

    @property
    def title(self) -> str:
        """Of the record: the word stands in no other."""
        return f"合同{self.word}"

    @property
    def data(self) -> bytes:
        """The file's bytes, of more than 4 KB."""
        return f"物业服务合同,编号 {self.word} ,经双方核对无误。\n".encode() + b"= \n" * 1400


def missing() -> list[str]:
    """Return what such a house needs and is not there."""
    there = {
        "PostgreSQL": own.postgres_programs(),
        "Redis": own.redis_program(),
        "MinIO": own.minio_program(),
        "Elasticsearch (JUANKU_TEST_ELASTICSEARCH)": elasticsearch() and _answers(elasticsearch()),
    }
    return [name for name, found in there.items() if not found]


def elasticsearch() -> str:
    """Return the address of the server; "": nobody named one."""
    return os.environ.get("JUANKU_TEST_ELASTICSEARCH", "")


def _kill(servers: Sequence[own.Server]) -> None:
    for each in servers:
        each.kill()


def _answers(url: str) -> bool:
    where = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((where.hostname or "", where.port or 9200)) == 0


@dataclass
class House:
    """The house, and what was sent to it. ``parts`` act, as a web process; ``hands`` work, as a worker's."""

    folder: Path
    postgres: own.Server
    redis: own.Server
    minio: own.Server
    database: RoughProxy
    broker: RoughProxy
    store: RoughProxy
    search: RoughProxy
    small: Path | None
    bucket: str = "house"
    prefix: str = field(default_factory=lambda: f"faults-{secrets.token_hex(6)}")
    sent: list[Sent] = field(default_factory=list)
    expected: set[tuple[str, str]] = field(default_factory=set)
    checked: int = 0

    def __post_init__(self) -> None:
        self.clock, self.ahead = Ahead(), Ahead(timedelta(hours=1))
        self.settings = self._settings()
        self.access = Access(self.minio.address, own.MINIO_KEY, own.MINIO_SECRET, secure=False)
        set_up(client(self.access), self.bucket)
        furnish(self.settings, PASSWORD)
        self.parts = build(self.settings, CeleryWaker(self.settings), self.clock)
        self.hands = build(self.settings, NoWaker(), self.ahead)
        self.app: Flask = make_app(self.parts)
        self.app.testing = False
        with self.parts.db.reading() as session:
            fonds = session.scalars(select(Fonds.id)).one()
        person = self.parts.people.add_person(
            WHO, login=NARROW, name="王小", password=PASSWORD, roles={Role.ARCHIVIST}, clearance=1
        )
        Rights(self.parts.db, self.parts.log, self.parts.guard).grant(WHO, person, fonds_id=fonds)
        self.draft = draft_of(self.parts, "-")
        secret = replace(self.draft, title=f"{CANARY}合同", level_rank=4)
        self.parts.intake.receive(WHO, self.parts.records.create(WHO, secret), "甲.txt", [f"{CANARY}合同".encode()])
        self._clients: dict[str, FlaskClient] = {}
        self.page("/", NARROW)
        self.page("/", READER)

    def _settings(self) -> Settings:
        return load(self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of every process of the house."""
        return {
            "JUANKU_HOME": str(self.folder / "home"),
            "JUANKU_KEYS": str(self.folder / "keys"),
            "JUANKU_OCR": "none",
            "JUANKU_DATABASE_URL": f"postgresql+psycopg://archive@{self.database.address}/house",
            "JUANKU_BROKER_URL": f"redis://{self.broker.address}/0",
            "JUANKU_STORE_URL": f"s3+http://{self.store.address}/{self.bucket}",
            "JUANKU_STORE_KEY": own.MINIO_KEY,
            "JUANKU_STORE_SECRET": own.MINIO_SECRET,
            "JUANKU_SEARCH_URL": f"http://{self.search.address}",
            "JUANKU_SEARCH_PREFIX": self.prefix,
        }

    @property
    def proxies(self) -> Sequence[RoughProxy]:
        """All of them."""
        return self.database, self.broker, self.store, self.search

    def take_in(self, parts: Parts | None = None, *, file: bool = True) -> Sent:
        """Catalogue, take a file in and file, as a client would; how far it came is noted."""
        by, sent = parts or self.parts, Sent(f"kw{secrets.token_hex(6)}")
        self.sent.append(sent)
        try:
            sent.record = by.records.create(WHO, replace(self.draft, title=sent.title))
            sent.content = by.intake.receive(WHO, sent.record, "合同.txt", [sent.data]).content_id
            if file:
                (filed,) = by.filing.file(WHO, [sent.record])
                sent.number = filed.archive_number
        except ArchiveError as error:
            sent.refused = f"{error.code} {error.facts.get('part', '')}"
        except Exception as error:  # noqa: BLE001  (anything else is what the trial looks for)
            sent.broken = f"{type(error).__name__}: {error}"[:300]
        return sent

    def page(self, path: str, who: str = NARROW) -> tuple[int, str]:
        """Return status and text of a page as someone sees it; they sign in when they first come."""
        if who not in self._clients:
            made = self.app.test_client()
            token = made.get("/sign-in").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
            made.post("/sign-in", data={"login": who, "password": PASSWORD, "csrf_token": token})
            self._clients[who] = made
        reply = self._clients[who].get(path, headers={"Accept-Language": "en"})
        return reply.status_code, reply.text

    def told(self, path: str, status: int, *words: str) -> Iterator[str]:
        """Yield what is wrong with a page of an error: status, words, or that it holds what is hidden."""
        found, text = self.page(path)
        if found != status or any(word not in text for word in words):
            yield f"PAGE {path}: {found}, wanted {status} {words}: {' '.join(text.split())[-300:]}"
        if CANARY in text or any(sent.title in text for sent in self.sent):
            yield f"PAGE {path}: shows records"

    def finds(self, word: str, who: str) -> list[UUID]:
        """Return the records that someone finds."""
        found = self.hands.search.search(self.hands.people.identity_of(who), word)
        return [hit.record_id for hit in found.hits]

    def heal(self) -> None:
        """Take every fault of the ways and the servers away."""
        for proxy in self.proxies:
            proxy.heal()
        for server in (self.postgres, self.redis, self.minio):
            server.start()

    def pending(self) -> int:
        """Return how many jobs are not done."""
        with self.hands.db.reading() as session:
            waiting = select(func.count()).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
            return session.scalar(waiting) or 0

    def settle(self) -> None:
        """Heal, and do all work that waits, leases of the dead and jobs put off included."""
        self.heal()
        for _ in range(_ROUNDS):
            try:
                self.hands.runner.sweep()
                self.hands.runner.drain()
                if not self.pending():
                    break
            except Unavailable:  # a connection that died is told once
                pass
            self.ahead.by += timedelta(hours=1)
        self.hands.sealer.seal_all()

    def wrong(self, *, everything: bool = False) -> list[str]:
        """Return what does not hold now: invariants, and what was sent since the last look (or ever)."""
        sent = self.sent if everything else self.sent[self.checked :]
        self.checked = len(self.sent)
        self.hands.sealer.seal_all()  # by its clock, what the last look wrote into the log is hours old
        sweep_orphans(self.hands.db, self.hands.store, self.ahead)  # as each day, and it may be days later here
        found = [f"JOBS {left} left"] if (left := self.pending()) else []
        found += [
            f"{v.invariant} {v.what} {v.fault}"
            for v in fsck(self.hands).violations
            if (v.invariant, v.what) not in self.expected
        ]
        found += [wrong for one in sent for wrong in self._wrong_with(one)]
        with suppress(Unavailable):
            if self.finds(CANARY, NARROW) or CANARY in self.page("/search?q=%E5%90%88%E5%90%8C")[1]:
                found.append("CANARY found")
        return found

    def _wrong_with(self, sent: Sent) -> Iterator[str]:
        if sent.broken:
            yield f"RAW {sent.broken}"
        with self.hands.db.reading() as session:
            records = list(session.scalars(select(Record).where(Record.title == sent.title)))
            stored = select(Content).join(File, File.content_id == Content.id).where(
                File.record_id.in_([one.id for one in records]), Content.state != ContentState.RECEIVING
            )  # fmt: skip
            contents = list(session.scalars(stored))
        if len(records) > 1 or len(contents) > 1:
            yield f"DOUBLED {sent.word}: {len(records)} records, {len(contents)} files"
        if sent.record and [one.id for one in records] != [sent.record]:
            yield f"LOST record {sent.record}"
        if sent.content:
            digest = sha256(sent.data).hexdigest()
            if [(one.id, one.plain_sha256, one.text_version) for one in contents] != [(sent.content, digest, 1)]:
                yield f"LOST file {sent.content}"
            if self.finds(sent.word, READER) != [sent.record]:
                yield f"NOT FOUND ONCE {sent.word}"
        if sent.number and [(one.archive_number, one.state) for one in records] != [(sent.number, RecordState.FILED)]:
            yield f"LOST number {sent.number}"

    def ask_rebuild(self) -> None:
        """Have the index built anew, as an administrator does."""
        with self.parts.db.writing() as work:
            self.parts.outbox.add(work, JobKind.REBUILD)
            work.commit()

    def close(self) -> None:
        """Close what is open and take away what lies on a server that is not its own."""
        for parts in (self.parts, self.hands):
            with suppress(ArchiveError):
                parts.close()
        engine = connect(elasticsearch(), seconds=60)
        for name in engine.indices.get(index=f"{self.prefix}-*", allow_no_indices=True):
            engine.indices.delete(index=name, ignore_unavailable=True)
        engine.close()


@contextmanager
def a_house(folder: Path, *, megabytes: int = 160) -> Iterator[House]:
    """Make a house and its servers in a folder; nothing of them is left afterwards.

    Args:
        folder: an empty one.
        megabytes: how much the database's own disk holds, where this process may make one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with ExitStack() as stack:
        small = stack.enter_context(own.small_disk(folder / "small", megabytes))
        servers: list[own.Server] = []
        stack.callback(_kill, servers)
        starts: Sequence[Callable[[], own.Server]] = (
            lambda: own.postgres(folder / "postgres", data=small),
            lambda: own.redis(folder / "redis"),
            lambda: own.minio(folder / "minio"),
        )
        servers.extend(start() for start in starts)  # each is known before the next is started
        address = urlsplit(elasticsearch())
        targets = [*(each.address for each in servers), f"{address.hostname}:{address.port or 9200}"]
        postgres, redis, minio = servers
        database, broker, store, search = [stack.enter_context(RoughProxy(target)) for target in targets]
        house = House(folder, postgres, redis, minio, database, broker, store, search, small)
        stack.callback(house.close)
        house.settle()
        yield house


def at_once(count: int, act: Callable[[int], None]) -> None:
    """Do something in as many threads, all at the same moment."""
    start = threading.Barrier(count)

    def one(number: int) -> None:
        start.wait()
        act(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def seen(what: str) -> None:
    """Tell a trial's run of something, on standard error."""
    print(what, file=sys.stderr, flush=True)
