"""What a trial of ``benchmarks.faults`` starts from: a small archive, the files of a client, and who works on it."""

import io
import os
import random
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.identity import Role, system
from archive.model import Category, Fonds
from archive.people.grants import Rights
from archive.ports import PIECE_BYTES
from archive.scheme.install import install
from archive.scheme.shipped import scheme
from benchmarks._faults_processes import Say, forked
from runtime.demo.setting import pdf
from runtime.processes.working import LocalWaker, work_done
from runtime.setting_up.making import create
from runtime.settings import Settings, load
from runtime.wiring.parts import NoWaker, Parts, build

WHO = system("faults")
READER = "reader"
DRAWN_UP = "2024-03-05"


@dataclass(frozen=True)
class Paper:
    """A file of a trial. ``word`` stands in it once and in no other file of the trial; None: it holds no text."""

    name: str
    data: bytes
    word: str | None
    pieces: bool


def settings_for(folder: Path, failpoint: str = "") -> Settings:
    """Return the settings of the archive in ``folder``."""
    base = load({"JUANKU_HOME": str(folder / "home"), "JUANKU_KEYS": str(folder / "keys")})
    return replace(base, failpoint=failpoint)


def make_template(folder: Path) -> None:
    """Make the small archive that every trial starts from."""
    folder.mkdir(parents=True, exist_ok=True)
    child = forked(folder / "log", lambda _say: furnish(settings_for(folder)))
    if child.wait():
        raise RuntimeError((folder / "log").read_text())
    os.close(child.pipe)


def furnish(chosen: Settings, password: str | None = None) -> None:
    """Make a house with a fonds, its scheme, a reader of everything and one record."""
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
        WHO, login=READER, name="林静文", password=password or os.urandom(12).hex(), roles={Role.ARCHIVIST}, clearance=4
    )
    rights.grant(WHO, reader, fonds_id=fonds.id)
    with work_done(parts, wait=True):
        parts.records.create(WHO, draft_of(parts, "前言"))
    parts.close()


def papers(rnd: random.Random) -> list[Paper]:
    """Make the files of one trial."""
    words = [f"kw{rnd.getrandbits(48):012x}" for _ in range(4)]
    texts = [f"物业服务合同第{n}份,编号 {word} ,经双方核对无误。\n" for n, word in enumerate(words)]
    made = [
        Paper("合同.txt", texts[0].encode(), words[0], pieces=False),
        Paper("合同-gbk.txt", (texts[1] * 3).encode("gb18030"), words[1], pieces=True),
        Paper("合同.pdf", pdf(texts[2]), words[2], pieces=False),
        Paper("资料.zip", _zip(texts[3]), words[3], pieces=False),
    ]
    if rnd.random() < 0.2:
        made.append(Paper("照片.bin", b"\x00" + rnd.randbytes(PIECE_BYTES + 1000), None, pieces=True))
    rnd.shuffle(made)  # the failpoint is met by the first: whole or in pieces
    return made


def _zip(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("正文.txt", text)
    return out.getvalue()


def draft_of(parts: Parts, title: str) -> Draft:
    """Return a draft in the fonds' first category."""
    with parts.db.reading() as session:
        category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
    return Draft(fonds_id=category.fonds_id, category_id=category.id, title=title, drawn_up=DRAWN_UP)


def take_in(chosen: Settings, sent: Sequence[Paper], done: Path, say: Say) -> None:
    """Be the web process: catalogue, take in, file; tell what was acknowledged, as a client would know it."""
    parts = build(chosen, NoWaker())
    draft = draft_of(parts, "-")
    ids = parts.records.create_many(WHO, [replace(draft, title=paper.name) for paper in sent])
    for record, paper in zip(ids, sent, strict=True):
        say(did="record", record=str(record))
        if paper.pieces:
            upload = parts.intake.begin(WHO, record, paper.name, len(paper.data))
            say(did="begun", upload=str(upload), name=paper.name)
            send(parts, upload, paper.data, 0)
            say(did="stored", content=str(parts.intake.finish(WHO, upload).content_id), sha=_sha(paper.data))
        else:
            received = parts.intake.receive(WHO, record, paper.name, [paper.data])
            say(did="stored", content=str(received.content_id), sha=_sha(paper.data))
        for filed in parts.filing.file(WHO, [record]):
            say(did="filed", record=str(record), number=filed.archive_number, word=paper.word)
    done.touch()
    parts.close()


def send(parts: Parts, upload: UUID, data: bytes, start: int) -> None:
    """Send the pieces of a file from number ``start`` on."""
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
